package strip

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"picora/media"
)

func TestPNGMetadata(t *testing.T) {
	for name, c := range map[string][]byte{
		"tEXt":           pngChunk("tEXt", []byte("Comment\x00"+secret)),
		"zTXt":           pngChunk("zTXt", []byte("Comment\x00\x00"+secret)),
		"iTXt":           pngChunk("iTXt", []byte("XML:com.adobe.xmp\x00\x00\x00\x00\x00"+secret)),
		"eXIf":           pngChunk("eXIf", exif(binary.BigEndian, 1)),
		"tIME":           slicesJoin(pngChunk("tIME", make([]byte, 7)), pngChunk("tEXt", []byte(secret))),
		"private":        pngChunk("prVt", []byte(secret)),
		"caBX":           pngChunk("caBX", []byte(secret)),
		"long gAMA":      pngChunk("gAMA", []byte(secret)),
		"fdAT, no acTL":  pngChunk("fdAT", []byte(secret)),
		"fcTL, no acTL":  pngChunk("fcTL", []byte(secret)),
		"long EXIF":      pngChunk("eXIf", append(exif(binary.BigEndian, 6), make([]byte, maxEXIF)...)),
		"second is EXIF": slicesJoin(pngChunk("eXIf", []byte("nothing")), pngChunk("eXIf", []byte(secret))),
	} {
		t.Run(name, func(t *testing.T) {
			for _, file := range [][]byte{pngWith(t, c, nil), pngWith(t, nil, c), pngWith(t, c, c)} {
				rep, _ := stripped(t, media.PNG, file)
				if rep.Width != 24 || rep.Height != 16 || rep.Orientation != 1 || rep.Frames != 1 {
					t.Errorf("report %+v", rep)
				}
			}
		})
	}
	stripped(t, media.PNG, append(pngWith(t, nil, nil), "<script>"+secret...))
}

func TestPNGKept(t *testing.T) {
	for kind, size := range pngKept {
		if kind[0]&0x20 == 0 || kind == "fcTL" || kind == "fdAT" || kind == "acTL" {
			continue
		}
		data := make([]byte, 3)
		if size > 0 {
			data = make([]byte, size)
		}
		if rep, _ := walk(t, media.PNG, pngWith(t, pngChunk(kind, data), nil)); rep.Plan != nil {
			t.Errorf("%s is gone: %v", kind, rep.Plan)
		}
	}
	icc := pngChunk("iCCP", []byte("x\x00\x00"+iccText))
	if _, out := stripped(t, media.PNG, pngWith(t, icc, pngChunk("tEXt", []byte(secret)))); !bytes.Contains(out, icc) {
		t.Error("the colour profile is gone")
	}
}

func TestPNGOrientation(t *testing.T) {
	for o := uint16(2); o <= 8; o++ {
		minimal := pngChunk("eXIf", minimalEXIF(int(o)))
		for _, data := range [][]byte{exif(binary.LittleEndian, o), append([]byte(exifPrefix), exif(binary.BigEndian, o)...)} {
			c := slicesJoin(pngChunk("eXIf", data), pngChunk("eXIf", exif(binary.BigEndian, 3)))
			for _, file := range [][]byte{pngWith(t, c, nil), pngWith(t, nil, c)} {
				rep, out := stripped(t, media.PNG, file)
				if rep.Orientation != int(o) || !bytes.Contains(out, minimal) {
					t.Errorf("orientation %d, want %d", rep.Orientation, o)
				}
			}
		}
	}
	bad := pngChunk("eXIf", exif(binary.BigEndian, 6))
	bad[len(bad)-1]++
	if rep, _ := gone(t, media.PNG, pngWith(t, bad, nil)); rep.Orientation != 1 {
		t.Error("EXIF with a wrong checksum counts")
	}
}

// fcTL makes a frame's header.
func fcTL(w, h, x, y uint32) []byte {
	b := make([]byte, 26)
	for i, v := range []uint32{w, h, x, y} {
		binary.BigEndian.PutUint32(b[4+4*i:], v)
	}
	return pngChunk("fcTL", b)
}

func TestPNGAnimation(t *testing.T) {
	actl := pngChunk("acTL", []byte{0, 0, 0, 2, 0, 0, 0, 0})
	front := slicesJoin(actl, fcTL(24, 16, 0, 0))
	back := slicesJoin(fcTL(4, 4, 20, 12), pngChunk("fdAT", []byte("....frame")))
	rep, _ := walk(t, media.PNG, pngWith(t, front, back))
	if rep.Frames != 2 || rep.Plan != nil {
		t.Errorf("%+v, want two frames and no plan", rep)
	}
	stripped(t, media.PNG, pngWith(t, front, slicesJoin(pngChunk("tEXt", []byte(secret)), back)))
	refused(t, media.PNG, pngWith(t, front, fcTL(4, 4, 21, 12)), media.ErrCorrupt, "does not fit")
	refused(t, media.PNG, pngWith(t, front, fcTL(0, 4, 0, 0)), media.ErrCorrupt, "does not fit")
	refused(t, media.PNG, pngWith(t, front, pngChunk("fcTL", nil)), media.ErrCorrupt, "wrong length")
	if rep, _ := walk(t, media.PNG, pngWith(t, nil, slicesJoin(actl, back))); rep.Frames != 1 {
		t.Errorf("a late acTL makes %d frames", rep.Frames)
	}
}

// ihdr makes a header.
func ihdr(w, h uint32, rest string) []byte {
	b := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)
	return pngChunk("IHDR", append(b, rest...))
}

func TestPNGRefused(t *testing.T) {
	plain := pngWith(t, nil, nil)
	with := func(header []byte) []byte { return slicesJoin(plain[:8], header, plain[33:]) }
	edit := func(at int, v byte) []byte {
		b := bytes.Clone(plain)
		b[at] ^= v
		return b
	}
	for _, c := range []struct {
		name  string
		file  []byte
		kind  error
		words string
	}{
		{"empty", nil, media.ErrCorrupt, "cut off"},
		{"not one", []byte("\x89PNG\r\r\r\r"), media.ErrCorrupt, "signature"},
		{"bomb", with(ihdr(30000, 30000, "\x08\x06\x00\x00\x00")), media.ErrTooManyPixels, "30000 x 30000 pixels, which is 900 megapixels"},
		{"no width", with(ihdr(0, 9, "\x08\x06\x00\x00\x00")), media.ErrCorrupt, "zero"},
		{"impossible", with(ihdr(1<<31, 9, "\x08\x06\x00\x00\x00")), media.ErrCorrupt, "impossible"},
		{"depth", with(ihdr(9, 9, "\x04\x06\x00\x00\x00")), media.ErrCorrupt, "does not exist"},
		{"colour", with(ihdr(9, 9, "\x08\x05\x00\x00\x00")), media.ErrCorrupt, "does not exist"},
		{"interlace", with(ihdr(9, 9, "\x08\x06\x00\x00\x02")), media.ErrCorrupt, "does not exist"},
		{"long header", with(ihdr(9, 9, "\x08\x06\x00\x00\x00x")), media.ErrCorrupt, "header is wrong"},
		{"two headers", slicesJoin(plain[:33], plain[8:]), media.ErrCorrupt, "header is wrong"},
		{"no header", with(nil), media.ErrCorrupt, "header is missing"},
		{"iPhone", with(pngChunk("CgBI", nil)), media.ErrUnsupported, "iPhone"},
		{"header CRC", edit(30, 1), media.ErrCorrupt, "checksum of its IHDR"},
		{"data CRC", edit(60, 1), media.ErrCorrupt, "checksum of its IDAT"},
		{"no data", slicesJoin(plain[:33], plain[len(plain)-12:]), media.ErrCorrupt, "no picture"},
		{"critical", pngWith(t, pngChunk("ABCD", nil), nil), media.ErrUnsupported, "ABCD"},
		{"odd type", pngWith(t, pngChunk("t\x00Xt", nil), nil), media.ErrCorrupt, "length or type"},
		{"long chunk", pngWith(t, []byte("\x80\x00\x00\x00tEXt"), nil), media.ErrCorrupt, "length or type"},
		{"long palette", pngWith(t, pngChunk("PLTE", make([]byte, 771)), nil), media.ErrCorrupt, "too long"},
		{"full end", pngWith(t, nil, pngChunk("IEND", []byte(secret))), media.ErrCorrupt, "too long"},
		{"too many frames", pngWith(t, pngChunk("acTL", make([]byte, 8)), bytes.Repeat(fcTL(1, 1, 0, 0), maxFrames+1)), media.ErrUnsupported, "frames"},
	} {
		t.Run(c.name, func(t *testing.T) { refused(t, media.PNG, c.file, c.kind, c.words) })
	}
}

func TestPNGCut(t *testing.T) {
	cutEverywhere(t, media.PNG, pngWith(t, pngChunk("tEXt", []byte(secret)), pngChunk("eXIf", exif(binary.BigEndian, 6))), false)
}

func TestPNGLarge(t *testing.T) {
	big := pngChunk("iCCP", []byte(strings.Repeat("x", 3*bufferSize)))
	if rep, _ := walk(t, media.PNG, pngWith(t, big, nil)); rep.Plan != nil {
		t.Error("a large chunk is gone")
	}
}
