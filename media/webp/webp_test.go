package webp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"io"
	"testing"
	"time"

	xwebp "golang.org/x/image/webp"

	"picora/media"
)

// scene is a picture with a gradient, a square and, if asked, a transparent corner.
func scene(w, h, square int, alpha bool) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.NRGBA{uint8(x * 255 / w), uint8(y * 255 / h), 128, 255}
			if x >= square && x < square+w/4 && y >= h/4 && y < h/2 {
				c = color.NRGBA{220, 30, 30, 255}
			}
			if alpha && x+y < w/3 {
				c = color.NRGBA{10, 200, 10, uint8(3 * 255 * (x + y) / w)}
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

// apart is the mean difference of two pictures' bytes, where both are seen.
func apart(t testing.TB, a, b *image.NRGBA) float64 {
	t.Helper()
	if a.Rect.Size() != b.Rect.Size() {
		t.Fatalf("sizes %v and %v", a.Rect, b.Rect)
	}
	var sum float64
	for i, v := range a.Pix {
		if i%4 == 3 || a.Pix[i|3] > 0 {
			sum += max(float64(v)-float64(b.Pix[i]), float64(b.Pix[i])-float64(v))
		}
	}
	return sum / float64(len(a.Pix))
}

func TestStill(t *testing.T) {
	for _, c := range []struct {
		o     Options
		alpha bool
		worst float64
	}{
		{Options{Quality: 90, Method: 4}, false, 3},
		{Options{Quality: 90, Method: 2}, true, 3},
		{Options{Quality: 50, Lossless: true}, false, 0},
		{Options{Quality: 50, Lossless: true}, true, 0},
	} {
		m := scene(151, 97, 40, c.alpha)
		data := encode(t, m, c.o)
		h, err := ReadHeader(data)
		if err != nil || h.Width != 151 || h.Height != 97 || h.Alpha != c.alpha || h.Animated || h.Frames != 1 || len(h.ICC) > 0 {
			t.Fatalf("%+v: %+v, %v", c, h, err)
		}
		got, err := Decode(data, 151, 97)
		if err != nil {
			t.Fatal(err)
		}
		if d := apart(t, m, got); d > c.worst {
			t.Errorf("%+v: %.2f from the picture", c, d)
		}
		for i := 3; i < len(m.Pix); i += 4 {
			if m.Pix[i] != got.Pix[i] {
				t.Fatalf("%+v: transparency %d became %d", c, m.Pix[i], got.Pix[i])
			}
		}
		if std, err := xwebp.Decode(bytes.NewReader(data)); err != nil || std.Bounds() != m.Rect {
			t.Errorf("x/image/webp: %v", err)
		}
	}
}

func TestScaledDecoding(t *testing.T) {
	data := encode(t, scene(800, 400, 200, true), Options{Quality: 95, Method: 2})
	for _, size := range []image.Point{{400, 200}, {201, 77}, {8, 4}, {1, 1}} {
		got, err := Decode(data, size.X, size.Y)
		if err != nil {
			t.Fatal(err)
		}
		if d := apart(t, scene(size.X, size.Y, size.X/4, true), got); size.X > 8 && d > 4 {
			t.Errorf("%v: %.2f from the picture", size, d)
		}
	}
}

func TestICC(t *testing.T) {
	still := encode(t, scene(32, 16, 8, false), Options{Quality: 80, Method: 2})
	data := []byte("RIFF\x00\x00\x00\x00WEBPVP8X\x0A\x00\x00\x00\x20\x00\x00\x00\x1F\x00\x00\x0F\x00\x00ICCP\x0B\x00\x00\x00hello world\x00")
	data = append(data, still[12:]...)
	binary.LittleEndian.PutUint32(data[4:], uint32(len(data)-8))
	h, err := ReadHeader(data)
	if err != nil || string(h.ICC) != "hello world" || h.Width != 32 {
		t.Errorf("%+v, %v", h, err)
	}
}

// animation is of n frames in which the square moves, each 10 ms longer.
func animation(t testing.TB, w, h, n int) []byte {
	t.Helper()
	e, err := NewEncoder(w, h, 3, Options{Quality: 90, Method: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for i := range n {
		if err := e.Add(scene(w, h, i*5, true), time.Duration(40+10*i)*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := e.Finish(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestAnimation(t *testing.T) {
	data := animation(t, 120, 80, 6)
	h, err := ReadHeader(data)
	if err != nil || h.Width != 120 || h.Height != 80 || !h.Animated || !h.Alpha || h.Frames != 6 || h.Loops != 3 {
		t.Fatalf("%+v, %v", h, err)
	}
	a, err := OpenAnimation(data)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	for i := range 6 {
		m, d, err := a.Next()
		if err != nil || d != time.Duration(40+10*i)*time.Millisecond {
			t.Fatalf("frame %d: %v, %v", i, d, err)
		}
		if e := apart(t, scene(120, 80, i*5, true), m); e > 6 {
			t.Errorf("frame %d is %.2f from the picture", i, e)
		}
	}
	if _, _, err := a.Next(); err != io.EOF {
		t.Errorf("after the last frame: %v", err)
	}
	if _, err := Decode(data, 120, 80); !errors.Is(err, media.ErrCorrupt) {
		t.Errorf("as a still: %v", err)
	}
}

func TestCutOff(t *testing.T) {
	for name, data := range map[string][]byte{
		"lossy":     encode(t, scene(40, 30, 9, true), Options{Quality: 80, Method: 2}),
		"lossless":  encode(t, scene(40, 30, 9, true), Options{Lossless: true}),
		"animation": animation(t, 40, 30, 3),
	} {
		for n := range len(data) - 1 {
			if _, err := ReadHeader(data[:n]); !errors.Is(err, media.ErrCorrupt) || media.Reason(err) == "" {
				t.Fatalf("%s, %d of %d bytes: %v", name, n, len(data), err)
			}
			if _, err := OpenAnimation(data[:n]); !errors.Is(err, media.ErrCorrupt) {
				t.Fatalf("%s, %d of %d bytes as an animation: %v", name, n, len(data), err)
			}
			if name != "animation" {
				if _, err := Decode(data[:n], 40, 30); !errors.Is(err, media.ErrCorrupt) {
					t.Fatalf("%s, %d of %d bytes decoded: %v", name, n, len(data), err)
				}
			}
		}
	}
}

func TestRefusedToEncode(t *testing.T) {
	if Encode(io.Discard, image.NewNRGBA(image.Rect(0, 0, MaxSide+1, 1)), Options{Quality: 80}) == nil ||
		Encode(io.Discard, image.NewNRGBA(image.Rect(0, 0, 0, 1)), Options{Quality: 80}) == nil ||
		Encode(io.Discard, scene(4, 4, 1, false), Options{Quality: 101}) == nil {
		t.Error("it was encoded")
	}
	e, err := NewEncoder(8, 8, 0, Options{Quality: 80})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if e.Add(scene(9, 8, 1, false), time.Second) == nil {
		t.Error("a frame of another size was added")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encode(f, scene(33, 21, 5, false), Options{Quality: 80, Method: 2}))
	f.Add(encode(f, scene(33, 21, 5, true), Options{Quality: 30, Method: 0}))
	f.Add(encode(f, scene(20, 31, 5, true), Options{Lossless: true}))
	f.Add(animation(f, 24, 16, 3))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := ReadHeader(data)
		if err != nil || h.Width*h.Height > 1<<18 || h.Frames > 100 {
			return
		}
		if !h.Animated {
			Decode(data, h.Width, h.Height)
			Decode(data, (h.Width+2)/3, (h.Height+1)/2)
			return
		}
		a, err := OpenAnimation(data)
		if err != nil {
			return
		}
		defer a.Close()
		for n := 0; ; n++ {
			m, _, err := a.Next()
			if err != nil {
				return
			}
			if n == h.Frames || m.Rect != image.Rect(0, 0, h.Width, h.Height) {
				t.Fatalf("frame %d of %v from %+v", n, m.Rect, h)
			}
		}
	})
}
