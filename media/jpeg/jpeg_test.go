package jpeg

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	stdjpeg "image/jpeg"
	"math"
	"strings"
	"testing"

	"picora/media"
)

// scene is a picture with a gradient, an edge and a coloured field.
func scene(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.NRGBA{uint8(x * 255 / w), uint8(y * 255 / h), 128, 255}
			if x > w/2 && y > h/2 {
				c = color.NRGBA{200, 40, 30, 255}
			}
			m.SetNRGBA(x, y, c)
		}
	}
	return m
}

func encode(t testing.TB, m *image.NRGBA, o Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Encode(&b, m, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// psnr compares the colours of two pictures of one size.
func psnr(t testing.TB, a, b image.Image) float64 {
	t.Helper()
	if a.Bounds().Size() != b.Bounds().Size() {
		t.Fatalf("sizes %v and %v", a.Bounds(), b.Bounds())
	}
	var sum, n float64
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			p, q := color.NRGBAModel.Convert(a.At(x, y)).(color.NRGBA), color.NRGBAModel.Convert(b.At(x, y)).(color.NRGBA)
			for _, d := range [3]float64{float64(p.R) - float64(q.R), float64(p.G) - float64(q.G), float64(p.B) - float64(q.B)} {
				sum += d * d
				n++
			}
		}
	}
	return 10 * math.Log10(255*255*n/max(sum, 1e-9))
}

func TestRoundTrip(t *testing.T) {
	m := scene(203, 117)
	for _, o := range []Options{{Quality: 80}, {Quality: 95}, {Quality: 80, Progressive: true}} {
		data := encode(t, m, o)
		h, err := ReadHeader(data)
		if err != nil || h.Width != 203 || h.Height != 117 || h.Components != 3 || h.Progressive != o.Progressive || h.Adobe || len(h.ICC) > 0 {
			t.Fatalf("%+v: header %+v, %v", o, h, err)
		}
		got, err := Decode(data, 8)
		if err != nil {
			t.Fatal(err)
		}
		if p := psnr(t, got, m); p < 33 {
			t.Errorf("%+v: %.1f dB", o, p)
		}
		std, err := stdjpeg.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if p := psnr(t, got, std); p < 40 {
			t.Errorf("%+v: %.1f dB from image/jpeg's decoder", o, p)
		}
	}
}

func TestScales(t *testing.T) {
	data := encode(t, scene(803, 401), Options{Quality: 95})
	for _, c := range []struct{ eighths, w, h int }{{1, 101, 51}, {2, 201, 101}, {4, 402, 201}, {8, 803, 401}} {
		m, err := Decode(data, c.eighths)
		if err != nil || m.Bounds() != image.Rect(0, 0, c.w, c.h) {
			t.Fatalf("%d/8: %v, %v", c.eighths, m.Bounds(), err)
		}
		if p := psnr(t, m, scene(c.w, c.h)); p < 25 {
			t.Errorf("%d/8: %.1f dB", c.eighths, p)
		}
	}
	if _, err := Decode(data, 3); err == nil {
		t.Error("3/8 was decoded")
	}
}

func TestSmallPicturesAtEveryScale(t *testing.T) {
	for w := 1; w < 20; w++ {
		for h := 1; h < 20; h += 3 {
			data := encode(t, scene(w, h), Options{Quality: 80})
			for _, eighths := range []int{1, 2, 4, 8} {
				if m, err := Decode(data, eighths); err != nil || m.Bounds() != image.Rect(0, 0, (w*eighths+7)/8, (h*eighths+7)/8) {
					t.Fatalf("%d x %d at %d/8: %v, %v", w, h, eighths, m, err)
				}
			}
		}
	}
}

func TestASubImageIsEncodedAlone(t *testing.T) {
	m := scene(100, 100)
	part := m.SubImage(image.Rect(60, 60, 90, 95)).(*image.NRGBA)
	got, err := Decode(encode(t, part, Options{Quality: 95}), 8)
	if err != nil {
		t.Fatal(err)
	}
	if c := got.At(10, 10).(color.NRGBA); got.Bounds() != image.Rect(0, 0, 30, 35) || c.R < 190 || c.G > 50 {
		t.Errorf("%v, %v", got.Bounds(), c)
	}
}

func TestGray(t *testing.T) {
	g := image.NewGray(image.Rect(0, 0, 16, 16))
	for i := range g.Pix {
		g.Pix[i] = 90
	}
	var b bytes.Buffer
	stdjpeg.Encode(&b, g, nil)
	m, err := Decode(b.Bytes(), 8)
	if err != nil || m.At(3, 3) != (color.NRGBA{90, 90, 90, 255}) {
		t.Errorf("%v, %v", m.At(3, 3), err)
	}
}

// segment is a marker segment.
func segment(marker byte, b string) string {
	return string([]byte{0xFF, marker}) + string(binary.BigEndian.AppendUint16(nil, uint16(len(b)+2))) + b
}

// insert puts segments behind a JPEG's start.
func insert(data []byte, segments ...string) []byte {
	return []byte(string(data[:2]) + strings.Join(segments, "") + string(data[2:]))
}

func TestICCInPieces(t *testing.T) {
	data := encode(t, scene(8, 8), Options{Quality: 80})
	data = insert(data,
		segment(0xE2, "ICC_PROFILE\x00\x02\x02world"), segment(0xE2, "ICC_PROFILE\x00\x01\x02hello "),
		segment(0xE2, "MPF\x00other"), "stray", segment(0xFE, "a comment"))
	h, err := ReadHeader(data)
	if err != nil || string(h.ICC) != "hello world" {
		t.Fatalf("%q, %v", h.ICC, err)
	}
	if _, err := Decode(data, 8); err != nil {
		t.Errorf("stray bytes between segments: %v", err)
	}
	var pieces []string
	for i := range 255 {
		pieces = append(pieces, segment(0xE2, "ICC_PROFILE\x00"+string([]byte{byte(i)})+"\xFF"+strings.Repeat("x", 65000)))
	}
	if h, err := ReadHeader(insert(data, pieces...)); err != nil || len(h.ICC) > 0 {
		t.Errorf("a profile of 16 MB: %d bytes, %v", len(h.ICC), err)
	}
}

func TestCutOff(t *testing.T) {
	for _, progressive := range []bool{false, true} {
		data := encode(t, scene(64, 64), Options{Quality: 80, Progressive: progressive})
		for n := range len(data) - 2 { // libjpeg forgives a missing end marker
			if _, err := Decode(data[:n], 8); !errors.Is(err, media.ErrCorrupt) || media.Reason(err) == "" {
				t.Fatalf("progressive %v, %d of %d bytes: %v", progressive, n, len(data), err)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	data := encode(t, scene(64, 64), Options{Quality: 80})
	sof := bytes.Index(data, []byte{0xFF, 0xC0})
	with := func(at int, b byte) []byte { d := bytes.Clone(data); d[at] = b; return d }
	for name, c := range map[string]struct {
		data []byte
		kind error
	}{
		"nothing":          {nil, media.ErrCorrupt},
		"not a JPEG":       {[]byte("hello"), media.ErrCorrupt},
		"lossless":         {with(sof+1, 0xC3), media.ErrUnsupported},
		"12 bits":          {with(sof+4, 12), media.ErrUnsupported},
		"two components":   {with(sof+9, 2), media.ErrUnsupported},
		"no height":        {with(sof+6, 0), media.ErrCorrupt},
		"a flipped table":  {with(bytes.Index(data, []byte{0xFF, 0xC4})+6, 0xFF), media.ErrCorrupt},
		"a segment's size": {insert(data, "\xFF\xE1\x00\x01"), media.ErrCorrupt},
	} {
		if _, err := Decode(c.data, 8); !errors.Is(err, c.kind) || media.Reason(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, o := range []Options{{Quality: 80}, {Quality: 95}, {Quality: 50, Progressive: true}} {
		f.Add(encode(f, scene(33, 21), o), byte(0))
	}
	f.Add(insert(encode(f, scene(9, 9), Options{Quality: 80}), segment(0xEE, "Adobe\x00\x64\x00\x00\x00\x00\x00")), byte(3))
	f.Add(cmyk(f), byte(1))
	f.Fuzz(func(t *testing.T, data []byte, scale byte) {
		h, err := ReadHeader(data)
		if err != nil || h.Width*h.Height > 1<<18 {
			return
		}
		eighths := 1 << (scale % 4)
		m, err := Decode(data, eighths)
		if err == nil && m.Bounds() != image.Rect(0, 0, (h.Width*eighths+7)/8, (h.Height*eighths+7)/8) {
			t.Fatalf("%v from %+v at %d/8", m.Bounds(), h, eighths)
		}
		if err != nil && media.Reason(err) == "" {
			t.Fatalf("an error without a reason: %v", err)
		}
	})
}
