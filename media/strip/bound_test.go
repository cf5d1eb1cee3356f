package strip

import (
	"bytes"
	"errors"
	"runtime"
	"strings"
	"testing"

	"picora/media"
)

// TestEncodedBound has files that need plans around the limit: they give a plan
// within it, or the sentence.
func TestEncodedBound(t *testing.T) {
	thumbnail := jfif(1, "rgb")
	for _, c := range []struct {
		name string
		typ  media.Type
		make func(n int) []byte
		fine int // so many must pass
	}{
		{"JPEG, thumbnails", media.JPEG, func(n int) []byte { return jpegWith(t, bytes.Repeat(thumbnail, n)) }, 500},
		{"JPEG, comments", media.JPEG, func(n int) []byte {
			return jpegWith(t, bytes.Repeat(slicesJoin(seg(mCOM, secret), seg(mDRI, "\x00\x00")), n))
		}, 2000},
		{"JPEG, comments in a run", media.JPEG, func(n int) []byte { return jpegWith(t, bytes.Repeat(seg(mCOM, secret), n)) }, 5000},
		{"JPEG, profile", media.JPEG, func(n int) []byte {
			return jpegWith(t, bytes.Repeat(seg(mAPP2, iccPrefix+"\x01\x01"+strings.Repeat("x", 60_000)), n/500), thumbnail)
		}, 5000},
		{"PNG, text between data", media.PNG, func(n int) []byte {
			return pngWith(t, nil, bytes.Repeat(slicesJoin(pngChunk("tEXt", []byte(secret)), pngChunk("IDAT", nil)), n))
		}, 2000},
		{"GIF, comments", media.GIF, func(n int) []byte {
			return gifWith(t, bytes.Repeat(slicesJoin(gifExt(0xFE, secret), gifExt(gifControl, "\x00\x00\x00\x00")), n))
		}, 1000},
		{"GIF, long controls", media.GIF, func(n int) []byte {
			return gifWith(t, bytes.Repeat(gifExt(gifControl, "\x00\x00\x00\x00x"), n))
		}, 500},
		{"WebP, frames with more", media.WebP, func(n int) []byte {
			anim := riffChunk("ANIM", make([]byte, 6))
			frame := anmf(webpLossy[12:], riffChunk("HIDE", []byte(secret)))
			return webpFile(vp8x(webpAnimation, 1, 1), anim, bytes.Repeat(frame, n))
		}, 500},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, n := range []int{50, c.fine, 900, 1100, 2500, 3900, 5000} {
				rep, err := Walk(bytes.NewReader(c.make(n)), c.typ, Limits{})
				if err != nil {
					if n <= c.fine || !errors.Is(err, media.ErrCorrupt) || !strings.Contains(media.Reason(err), "too many metadata blocks") {
						t.Errorf("%d: %v", n, err)
					}
					continue
				}
				size := len(rep.Plan.Marshal())
				t.Logf("%d: %d pieces, %d bytes", n, len(rep.Plan), size)
				if size > MaxEncoded || rep.Plan == nil {
					t.Errorf("%d: a plan of %d bytes", n, size)
				}
			}
		})
	}
}

// TestSmallReader walks a reader that knows how short it is.
func TestSmallReader(t *testing.T) {
	for typ, file := range map[media.Type][]byte{media.GIF: gifFile(t, 1), media.PNG: pngWith(t, nil, nil), media.WebP: webpLossy} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range 100 {
			if _, err := Walk(bytes.NewReader(file), typ, Limits{}); err != nil {
				t.Fatal(err)
			}
		}
		runtime.ReadMemStats(&after)
		allocated := (after.TotalAlloc - before.TotalAlloc) / 100
		if allocated > uint64(len(file))+4096 {
			t.Errorf("%s: %d bytes for a file of %d", typ.Ext, allocated, len(file))
		}
	}
}
