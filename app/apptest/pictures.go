package apptest

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
)

// noise is a picture that is different for each seed.
func noise(w, h int, seed uint64) *image.NRGBA {
	r := rand.New(rand.NewPCG(seed, 1))
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	base := r.Uint32()
	for y := range h {
		for x := range w {
			v := base + uint32(x*7+y*13)
			m.Set(x, y, color.NRGBA{uint8(v), uint8(v >> 8), uint8(r.UintN(256)), 255})
		}
	}
	return m
}

// JPEG is a w × h picture, another for each seed.
func JPEG(w, h int, seed uint64) []byte {
	var b bytes.Buffer
	jpeg.Encode(&b, noise(w, h, seed), &jpeg.Options{Quality: 90}) // memory does not fail
	return b.Bytes()
}

// PNG is a w × h picture, another for each seed.
func PNG(w, h int, seed uint64) []byte {
	var b bytes.Buffer
	png.Encode(&b, noise(w, h, seed))
	return b.Bytes()
}

// GIF is a w × h picture of n frames.
func GIF(w, h, n int, seed uint64) []byte {
	g := &gif.GIF{}
	for i := range n {
		src := noise(w, h, seed+uint64(i))
		m := image.NewPaletted(src.Bounds(), color.Palette{color.Black, color.White, color.NRGBA{uint8(i), uint8(seed), 9, 255}})
		for k := range m.Pix {
			m.Pix[k] = src.Pix[4*k+2] % 3
		}
		g.Image, g.Delay = append(g.Image, m), append(g.Delay, 10)
	}
	var b bytes.Buffer
	gif.EncodeAll(&b, g)
	return b.Bytes()
}
