package strip

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"picora/media"
)

func TestAnimationTimes(t *testing.T) {
	// fcTL whose frame lasts over/under seconds.
	frame := func(over, under uint16) []byte {
		c := fcTL(1, 1, 0, 0)
		binary.BigEndian.PutUint16(c[8+20:], over)
		binary.BigEndian.PutUint16(c[8+22:], under)
		return pngChunk("fcTL", c[8:34])
	}
	apng := func(plays byte, frames ...[]byte) []byte {
		return pngWith(t, pngChunk("acTL", []byte{0, 0, 0, byte(len(frames)), 0, 0, 0, plays}), slicesJoin(frames...))
	}
	webp := func(plays byte, ms ...byte) []byte {
		out := slicesJoin(vp8x(webpAnimation, 1, 1), riffChunk("ANIM", []byte{0, 0, 0, 0, plays, 0}))
		for _, n := range ms {
			f := anmf(webpLossy[12:])
			f[8+12] = n
			out = append(out, f...)
		}
		return webpFile(out)
	}
	two := gifFile(t, 2) // 100 ms each, for ever
	gif := func(old, new string) []byte {
		out := bytes.Replace(two, []byte(old), []byte(new), 1)
		if bytes.Equal(out, two) {
			t.Fatalf("%q is not there", old)
		}
		return out
	}
	const loop = "\x21\xFF\x0BNETSCAPE2.0\x03\x01\x00\x00\x00"
	for name, c := range map[string]struct {
		typ      media.Type
		file     []byte
		duration time.Duration
		loops    int
	}{
		"GIF":               {media.GIF, two, 200 * time.Millisecond, 0},
		"GIF, once":         {media.GIF, gif(loop, ""), 200 * time.Millisecond, 1},
		"GIF, three more":   {media.GIF, gif(loop, loop[:16]+"\x03\x00\x00"), 200 * time.Millisecond, 4},
		"GIF, hasty":        {media.GIF, gif("\x0A\x00", "\x01\x00"), 200 * time.Millisecond, 0},
		"GIF, slow":         {media.GIF, gif("\x0A\x00", "\x0A\x01"), 2760 * time.Millisecond, 0},
		"GIF, one frame":    {media.GIF, gifFile(t, 1), 0, 0},
		"APNG":              {media.PNG, apng(0, frame(1, 4), frame(50, 0)), 750 * time.Millisecond, 0},
		"APNG, twice":       {media.PNG, apng(2, frame(0, 4), frame(1, 1)), 1100 * time.Millisecond, 2},
		"APNG, one frame":   {media.PNG, apng(2, frame(1, 1)), 0, 0},
		"PNG":               {media.PNG, pngWith(t, nil, nil), 0, 0},
		"WebP":              {media.WebP, webp(0, 40, 60), 100 * time.Millisecond, 0},
		"WebP, seven times": {media.WebP, webp(7, 200, 5), 300 * time.Millisecond, 7},
	} {
		t.Run(name, func(t *testing.T) {
			rep, _ := walk(t, c.typ, c.file)
			if rep.Duration != c.duration || rep.Loops != c.loops {
				t.Errorf("%v, %d times, want %v, %d times", rep.Duration, rep.Loops, c.duration, c.loops)
			}
		})
	}
}

// TestMotionPhoto has what phones put behind and beside a picture: a video, and
// further pictures with an index of them. None of it is delivered.
func TestMotionPhoto(t *testing.T) {
	video := slicesJoin(bx("ftyp", []byte("mp42\x00\x00\x00\x00")), bx("mdat", []byte(secret)))
	xmp := seg(mAPP1, "http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta GCamera:MotionPhoto='1' "+secret)
	mpf := seg(mAPP2, "MPF\x00II*\x00"+secret)
	plain := jpegWith(t)
	for name, file := range map[string][]byte{
		"Google":       slicesJoin(jpegWith(t, xmp), video),
		"Samsung":      slicesJoin(plain, []byte("\x00\x00\x30\x0a\x10\x00\x00\x00MotionPhoto_Data"), video, []byte("SEFH"+secret+"SEFT")),
		"more of them": slicesJoin(jpegWith(t, mpf), jpegWith(t, seg(mCOM, secret))),
	} {
		t.Run(name, func(t *testing.T) {
			if _, out := stripped(t, media.JPEG, file); !bytes.Equal(out, plain) {
				t.Errorf("%d bytes are delivered, the picture has %d", len(out), len(plain))
			}
		})
	}
}

func TestICC(t *testing.T) {
	for typ, file := range map[media.Type][]byte{
		media.JPEG: jpegWith(t, seg(mAPP2, iccPrefix+"\x01\x01"+iccText)),
		media.PNG:  pngWith(t, pngChunk("iCCP", []byte("x\x00\x00"+iccText)), nil),
		media.GIF:  gifWith(t, gifExt(gifApp, "ICCRGBG1012", iccText)),
		media.WebP: webpFile(vp8x(webpICC, 1, 1), riffChunk("ICCP", []byte(iccText)), webpLossy[12:]),
	} {
		if rep, _ := walk(t, typ, file); !rep.ICC {
			t.Errorf("%s: no profile", typ.Ext)
		}
	}
	for typ, file := range map[media.Type][]byte{media.JPEG: jpegWith(t), media.PNG: pngWith(t, nil, nil), media.GIF: gifFile(t, 1), media.WebP: webpLossy} {
		if rep, _ := walk(t, typ, file); rep.ICC {
			t.Errorf("%s: a profile", typ.Ext)
		}
	}
}
