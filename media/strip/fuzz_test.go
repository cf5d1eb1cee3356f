package strip

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"picora/media"
)

var types = []media.Type{
	media.JPEG, media.PNG, media.GIF, media.WebP,
	media.AVIF, media.HEIC, media.HEIF, media.BMP, media.ICO, media.TIFF,
}

// FuzzWalk holds Walk to its promises on any bytes: it refuses them with a
// sentence, or delivers ranges of them that are a clean file of the same kind.
func FuzzWalk(f *testing.F) {
	e := exif(binary.LittleEndian, 6)
	f.Add(byte(0), jpegWith(f, seg(mAPP1, exifPrefix+string(e)), jfif(7, secret), seg(mAPP2, iccPrefix+iccText)))
	f.Add(byte(0), progressive(seg(mCOM, secret)))
	f.Add(byte(0), restarts())
	f.Add(byte(1), pngWith(f, pngChunk("eXIf", e), pngChunk("tEXt", []byte(secret))))
	f.Add(byte(1), pngWith(f, slicesJoin(pngChunk("acTL", make([]byte, 8)), fcTL(24, 16, 0, 0)), fcTL(1, 1, 0, 0)))
	f.Add(byte(2), gifWith(f, gifExt(gifApp, "NETSCAPE2.0", secret, "\x01\x05\x00")))
	f.Add(byte(2), gifFile(f, 1))
	f.Add(byte(3), webpLossless)
	f.Add(byte(3), webpFile(vp8x(webpEXIF, 1, 1), webpLossy[12:], riffChunk("EXIF", e)))
	f.Add(byte(3), webpFile(vp8x(webpAnimation, 1, 1), anmf(riffChunk("HIDE", []byte(secret)), webpLossy[12:])))
	for kind, name := range map[string]byte{"exif.avif": 4, "turned.avif": 4, "grid.avif": 4, "alpha.avif": 4, "sequence.avif": 4, "thumbnail.heic": 5} {
		f.Add(name, sample(f, kind))
	}
	for _, h := range []still{{}, {mdatFirst: true}, {version: 2, inside: true}, {turn: []byte{0, 1, 9, 3}}} {
		h.brand = "heic"
		f.Add(byte(5), h.file())
		h.brand = "mif1"
		f.Add(byte(6), h.file())
	}
	f.Add(byte(7), bmpFile(bmpInfo(3, -2, 24, 0), 24))
	f.Add(byte(7), bmpFile(bmpInfo(3, 2, 4, bmpRLE4), 2))
	f.Add(byte(8), icoFile(bmpIcon(4, 4), pngWith(f, pngChunk("eXIf", e), nil)))
	f.Add(byte(9), tiffFile(binary.LittleEndian, nil))
	f.Add(byte(9), tiffFile(binary.BigEndian, nil))
	f.Fuzz(func(t *testing.T, kind byte, file []byte) {
		typ := types[int(kind)%len(types)]
		if _, err := Walk(bytes.NewReader(file), typ, Limits{MaxPixels: 100_000_000}); err != nil {
			known := errors.Is(err, media.ErrCorrupt) || errors.Is(err, media.ErrUnsupported) || errors.Is(err, media.ErrTooManyPixels)
			if !known || media.Reason(err) == "" {
				t.Fatalf("an error without a sentence: %v", err)
			}
			return
		}
		rep, out := walk(t, typ, file)
		if sniffed, err := media.Sniff(out); err != nil || sniffed != typ {
			t.Fatalf("what is delivered is %v, %v", sniffed, err)
		}
		if n := len(rep.Plan.Marshal()); n > MaxEncoded {
			t.Fatalf("the plan takes up %d bytes", n)
		}
		if back, err := Unmarshal(rep.Plan.Marshal()); err != nil || back.Size() != rep.Plan.Size() {
			t.Fatalf("the plan does not come back: %v", err)
		}
	})
}
