package strip

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"
	stdgif "image/gif"
	stdjpeg "image/jpeg"
	stdpng "image/png"
	"io"
	"strings"
	"testing"

	_ "golang.org/x/image/webp"

	"picora/media"
)

// secret is planted wherever metadata may hide and must never be delivered.
const secret = "GPS 52.5163N 13.3777E"

// iccText stands in for a colour profile, which has to survive.
const iccText = "a colour profile: Display P3"

// picture is something to encode.
func picture(w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.Set(x, y, color.RGBA{R: uint8(x * 37), G: uint8(y * 53), B: uint8(x * y * 11), A: 255})
		}
	}
	return m
}

func encode(t testing.TB, typ media.Type, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	var err error
	switch typ {
	case media.JPEG:
		err = stdjpeg.Encode(&b, m, &stdjpeg.Options{Quality: 90})
	case media.PNG:
		err = stdpng.Encode(&b, m)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// exif makes EXIF data with an orientation and a secret, in either byte order.
func exif(order binary.AppendByteOrder, o uint16) []byte {
	b := []byte("MM\x00*")
	if order.String() == "LittleEndian" {
		b = []byte("II*\x00")
	}
	entry := func(b []byte, tag, kind uint16, count uint32) []byte {
		return order.AppendUint32(order.AppendUint16(order.AppendUint16(b, tag), kind), count)
	}
	b = order.AppendUint32(b, 8)
	b = order.AppendUint16(b, 2)
	b = order.AppendUint32(entry(b, 0x010F, 2, uint32(len(secret)+1)), 38)
	b = order.AppendUint16(order.AppendUint16(entry(b, 0x0112, 3, 1), o), 0)
	b = order.AppendUint32(b, 0)
	return append(b, secret+"\x00"...)
}

// deliver assembles what the report says to deliver of file.
func deliver(t testing.TB, file []byte, plan Plan) []byte {
	t.Helper()
	if plan == nil {
		return file
	}
	var out []byte
	for _, p := range plan {
		if p.Data != nil {
			out = append(out, p.Data...)
			continue
		}
		if p.Off < 0 || p.Len <= 0 || p.Off+p.Len > int64(len(file)) {
			t.Fatalf("piece %d+%d is outside the %d bytes of the file", p.Off, p.Len, len(file))
		}
		out = append(out, file[p.Off:p.Off+p.Len]...)
	}
	if int64(len(out)) != plan.Size() {
		t.Fatalf("delivered %d bytes, Size says %d", len(out), plan.Size())
	}
	return out
}

// walk runs Walk and checks what holds for every good file: all of it was read,
// and what is delivered is clean and says the same.
func walk(t testing.TB, typ media.Type, file []byte) (*Report, []byte) {
	t.Helper()
	rep, err := Walk(bytes.NewReader(file), typ, Limits{MaxPixels: 100_000_000})
	if err != nil {
		t.Fatalf("Walk: %v", err)
	}
	if rep.Size != int64(len(file)) {
		t.Errorf("Size = %d, want %d", rep.Size, len(file))
	}
	out := deliver(t, file, rep.Plan)
	again, err := Walk(bytes.NewReader(out), typ, Limits{})
	if err != nil {
		t.Fatalf("walking what is delivered: %v", err)
	}
	if again.Plan != nil && (!boxed(typ) || !bytes.Equal(deliver(t, out, again.Plan), out)) {
		t.Errorf("what is delivered is not clean: %v of %d", again.Plan, len(out))
	}
	if again.Facts != (Facts{}) && typ != media.TIFF {
		t.Errorf("what is delivered says %+v", again.Facts)
	}
	if again.Width != rep.Width || again.Height != rep.Height || again.Orientation != rep.Orientation || again.Frames != rep.Frames {
		t.Errorf("what is delivered is %+v, want %+v", again, rep)
	}
	return rep, out
}

// boxed says whether files of a type may need zeros again where there are some:
// it is not looked at what they are when they stand in front of the index.
func boxed(t media.Type) bool { return t == media.AVIF || t == media.HEIC || t == media.HEIF }

// stripped walks a file with secrets and checks that they are gone and that
// the picture is the same.
func stripped(t testing.TB, typ media.Type, file []byte) (*Report, []byte) {
	t.Helper()
	if !bytes.Contains(file, []byte(secret)) {
		t.Fatal("the fixture has no secret")
	}
	rep, out := gone(t, typ, file)
	samePixels(t, file, out)
	return rep, out
}

// gone is stripped for files that the standard library does not decode.
func gone(t testing.TB, typ media.Type, file []byte) (*Report, []byte) {
	t.Helper()
	rep, out := walk(t, typ, file)
	if rep.Plan == nil || bytes.Contains(out, []byte("GPS")) || bytes.Contains(out, []byte("13.3777E")) {
		t.Errorf("a secret is delivered: %q", out)
	}
	return rep, out
}

func samePixels(t testing.TB, a, b []byte) {
	t.Helper()
	ma, _, err := image.Decode(bytes.NewReader(a))
	if err != nil {
		t.Fatalf("decoding the original: %v", err)
	}
	mb, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("decoding what is delivered: %v", err)
	}
	if !bytes.Equal(pixels(ma), pixels(mb)) {
		t.Error("the pixels differ")
	}
}

func pixels(m image.Image) []byte {
	out := image.NewNRGBA(m.Bounds())
	draw.Draw(out, m.Bounds(), m, m.Bounds().Min, draw.Src)
	return out.Pix
}

// refused checks that a file is refused in that way, with a sentence.
func refused(t *testing.T, typ media.Type, file []byte, kind error, words string) {
	t.Helper()
	_, err := Walk(bytes.NewReader(file), typ, Limits{MaxPixels: 100_000_000})
	if !errors.Is(err, kind) || !strings.Contains(media.Reason(err), words) {
		t.Errorf("Walk = %v, want %v with %q", err, kind, words)
	}
}

// cutEverywhere cuts the file at every byte; each time it must be refused, or,
// where lenient, become a picture that is whole.
func cutEverywhere(t *testing.T, typ media.Type, file []byte, lenient bool) {
	t.Helper()
	for n := range file {
		rep, err := Walk(bytes.NewReader(file[:n]), typ, Limits{})
		switch {
		case err != nil && (!errors.Is(err, media.ErrCorrupt) || media.Reason(err) == ""):
			t.Errorf("cut at %d of %d: %v", n, len(file), err)
		case err == nil && !lenient:
			t.Errorf("cut at %d of %d is taken for whole", n, len(file))
		case err == nil:
			if _, err := stdgif.DecodeAll(bytes.NewReader(deliver(t, file[:n], rep.Plan))); err != nil {
				t.Errorf("cut at %d: what is delivered: %v", n, err)
			}
		}
	}
}

// seg makes a JPEG marker segment.
func seg(marker byte, payload string) []byte { return appSegment(marker, []byte(payload)) }

// jpegWith inserts segments behind SOI of an encoded picture.
func jpegWith(t testing.TB, segments ...[]byte) []byte {
	b := encode(t, media.JPEG, picture(24, 16))
	return slicesJoin(b[:2], slicesJoin(segments...), b[2:])
}

func slicesJoin(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// pngWith inserts chunks behind the header of an encoded picture, and others
// in front of its end.
func pngWith(t testing.TB, front, back []byte) []byte {
	b := encode(t, media.PNG, picture(24, 16))
	return slicesJoin(b[:33], front, b[33:len(b)-12], back, b[len(b)-12:])
}

// gifFile encodes an animation.
func gifFile(t testing.TB, frames int) []byte {
	g := &stdgif.GIF{}
	for i := range frames {
		m := image.NewPaletted(image.Rect(0, 0, 12, 9), palette.Plan9[:16])
		for j := range m.Pix {
			m.Pix[j] = uint8(j*(i+3)) % 16
		}
		g.Image = append(g.Image, m)
		g.Delay = append(g.Delay, 10)
	}
	var b bytes.Buffer
	if err := stdgif.EncodeAll(&b, g); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Two pictures of one pixel, lossless and lossy.
var (
	webpLossless = unbase64("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")
	webpLossy    = unbase64("UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA")
)

func unbase64(s string) []byte {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// riffChunk makes a chunk with its padding.
func riffChunk(kind string, data []byte) []byte {
	out := append([]byte(kind), binary.LittleEndian.AppendUint32(nil, uint32(len(data)))...)
	out = append(out, data...)
	if len(data)%2 == 1 {
		out = append(out, 0)
	}
	return out
}

// webpFile makes a file of chunks.
func webpFile(chunks ...[]byte) []byte {
	body := append([]byte("WEBP"), slicesJoin(chunks...)...)
	return append(append([]byte("RIFF"), binary.LittleEndian.AppendUint32(nil, uint32(len(body)))...), body...)
}

// vp8x makes the header chunk for a canvas.
func vp8x(flags byte, w, h int) []byte {
	return riffChunk("VP8X", []byte{flags, 0, 0, 0, byte(w - 1), byte((w - 1) >> 8), 0, byte(h - 1), byte((h - 1) >> 8), 0})
}

// anmf makes an animation frame of one pixel at the origin.
func anmf(chunks ...[]byte) []byte {
	return riffChunk("ANMF", append(make([]byte, 16), slicesJoin(chunks...)...))
}

func TestReadError(t *testing.T) {
	broken := errors.New("the wire was cut")
	file := encode(t, media.PNG, picture(24, 16))
	for _, typ := range []media.Type{media.JPEG, media.PNG, media.GIF, media.WebP} {
		if typ == media.JPEG {
			file = encode(t, media.JPEG, picture(24, 16))
		}
		r := io.MultiReader(bytes.NewReader(file[:0]), &failing{broken})
		if _, err := Walk(r, typ, Limits{}); !errors.Is(err, broken) || errors.Is(err, media.ErrCorrupt) {
			t.Errorf("%s: Walk = %v, want the reader's error", typ.Ext, err)
		}
	}
	if _, err := Walk(strings.NewReader("<svg/>"), media.SVG, Limits{}); !errors.Is(err, media.ErrUnsupported) {
		t.Errorf("SVG: %v", err)
	}
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }
