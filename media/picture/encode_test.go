package picture

import (
	"bytes"
	"image"
	"math"
	"math/rand/v2"
	"testing"

	"picora/media"
)

// mountains is something like a photo: slopes, edges, and grain at every scale.
func mountains(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	r := rand.New(rand.NewPCG(1, 2))
	var waves [24][5]float64
	for i := range waves {
		f := math.Pow(1.35, float64(i)) * 2 * math.Pi / float64(w)
		waves[i] = [5]float64{f * r.NormFloat64(), f * r.NormFloat64(), 6 * r.Float64(), 60 / math.Pow(1.25, float64(i)), r.Float64()}
	}
	for y := range h {
		for x := range w {
			v, tint := 128.0, 0.0
			for _, a := range waves {
				s := a[3] * math.Sin(a[0]*float64(x)+a[1]*float64(y)+a[2])
				v, tint = v+s, tint+s*(a[4]-0.5)
			}
			if math.Mod(v, 90) < 20 { // edges
				v -= 40
			}
			v += 3 * r.NormFloat64()
			o := y*m.Stride + 4*x
			for c, k := range []float64{0.6, -0.1, -0.7} {
				m.Pix[o+c] = uint8(min(255, max(0, v+k*tint)))
			}
			m.Pix[o+3] = 255
		}
	}
	return m
}

// TestAnAVIFIsWorthItsTime compares what fmt=auto gives to the two kinds of browsers: an
// AVIF is no larger than the WebP of that quality, and looks no worse.
func TestAnAVIFIsWorthItsTime(t *testing.T) {
	m := mountains(640, 480)
	for _, q := range []int{75, 80, 85, 90, 95} {
		made := map[string]*bytes.Buffer{}
		like := map[string]float64{}
		for _, format := range []string{"webp", "avif"} {
			b := new(bytes.Buffer)
			if err := encode(b, m, media.Spec{Format: format, Quality: q}); err != nil {
				t.Fatal(err)
			}
			typ := media.WebP
			if format == "avif" {
				typ = media.AVIF
			}
			made[format], like[format] = b, ssim(t, m, pixels(t, Source{Data: b.Bytes(), Type: typ}))
		}
		t.Logf("q %d: WebP %d bytes, SSIM %.4f; AVIF %d bytes, %.4f", q, made["webp"].Len(), like["webp"], made["avif"].Len(), like["avif"])
		if made["avif"].Len() > made["webp"].Len()*103/100 || like["avif"] < like["webp"]-0.007 {
			t.Errorf("q %d: the AVIF is not worth it", q)
		}
	}
	for q := 1; q < 100; q++ {
		if a, b := avifQuality(q), avifQuality(q+1); a > b || a > q || a < 1 {
			t.Errorf("quality %d is %d to libaom, %d is %d", q, a, q+1, b)
		}
	}
}
