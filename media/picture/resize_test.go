package picture

import (
	"image"
	"image/color"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/disintegration/imaging"
)

// noise is a picture of blotches, with alpha if asked.
func noise(w, h int, alpha bool) *image.NRGBA {
	r := rand.New(rand.NewPCG(1, 2))
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range m.Pix {
		m.Pix[i] = uint8(r.Uint32())
		if i%4 == 3 && (!alpha || r.IntN(3) == 0) {
			m.Pix[i] = 255
		}
	}
	return imaging.Blur(m, 0.7)
}

func TestResizeIsImagings(t *testing.T) {
	for _, alpha := range []bool{false, true} {
		m := noise(211, 97, alpha)
		for _, to := range []image.Point{{100, 50}, {53, 97}, {211, 13}, {400, 301}, {211, 97}, {7, 5}, {1, 1}, {1, 97}} {
			got, want := resize(m, to), imaging.Resize(m, to.X, to.Y, imaging.Lanczos)
			for i, v := range want.Pix {
				most := 1
				if a := int(want.Pix[i|3]); i%4 < 3 && a < 255 { // the less is seen of a colour, the less it matters
					most = 1 + 255/(a+1)
				}
				if d := int(got.Pix[i]) - int(v); max(d, -d) > most {
					t.Fatalf("alpha %v, %v: pixel %d is %v, want %v", alpha, to, i/4, got.Pix[i&^3:][:4], want.Pix[i&^3:][:4])
				}
			}
		}
	}
}

func TestResizeKeepsAFlatColour(t *testing.T) {
	for _, c := range []color.NRGBA{{255, 255, 255, 255}, {1, 127, 254, 255}, {200, 100, 50, 128}, {9, 200, 33, 1}, {}} {
		m := image.NewNRGBA(image.Rect(0, 0, 90, 70))
		for i := range m.Pix {
			m.Pix[i] = [4]uint8{c.R, c.G, c.B, c.A}[i%4]
		}
		part := m.SubImage(image.Rect(3, 5, 64, 70)).(*image.NRGBA)
		for _, to := range []image.Point{{1, 1}, {13, 7}, {61, 64}, {100, 200}} {
			out := resize(part, to)
			for y := range to.Y {
				for x := range to.X {
					if out.NRGBAAt(x, y) != c {
						t.Fatalf("%v at %v became %v", c, to, out.NRGBAAt(x, y))
					}
				}
			}
		}
	}
}

func TestExtremeReductions(t *testing.T) {
	for _, size := range []image.Point{{65535, 2}, {2, 65535}, {100, 65535}} {
		m := image.NewNRGBA(image.Rectangle{Max: size})
		for i := range m.Pix {
			m.Pix[i] = 255
		}
		before := memory()
		if got := resize(m, image.Pt(1000, 1)).NRGBAAt(999, 0); got != (color.NRGBA{255, 255, 255, 255}) {
			t.Errorf("%v: %v", size, got)
		}
		if took := memory() - before; took > 500<<20 {
			t.Errorf("%v took %d MB", size, took>>20)
		}
	}
}

// memory is how many bytes were ever allocated.
func memory() uint64 {
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.TotalAlloc
}

func BenchmarkResize(b *testing.B) {
	m := noise(800, 600, false)
	b.Run("ours", func(b *testing.B) {
		for b.Loop() {
			resize(m, image.Pt(512, 384))
		}
	})
	b.Run("imaging", func(b *testing.B) {
		for b.Loop() {
			imaging.Resize(m, 512, 384, imaging.Lanczos)
		}
	})
}
