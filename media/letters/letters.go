// Package letters draws text with the font that Picora brings along: Go Bold, which
// has the Latin, Greek and Cyrillic alphabets.
package letters

import (
	"image"
	"math"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

var parsed = sync.OnceValues(func() (*sfnt.Font, error) { return opentype.Parse(gobold.TTF) })

// Lacks returns the first character of text that the font does not have.
func Lacks(text string) (r rune, lacks bool) {
	f, err := parsed()
	var b sfnt.Buffer
	for _, r := range text {
		if err != nil {
			return r, true
		}
		if glyph, err := f.GlyphIndex(&b, r); err != nil || glyph == 0 {
			return r, true
		}
	}
	return 0, false
}

// A Line is a text that can be drawn in any size.
type Line struct {
	text string
	font *sfnt.Font
	ink  fixed.Rectangle26_6 // at the size measured
}

// measured is the font size, in pixels, at which lines are measured.
const measured = 1000

// New measures a text.
func New(text string) (*Line, error) {
	f, err := parsed()
	if err != nil {
		return nil, err
	}
	l := &Line{text: text, font: f}
	err = l.with(measured, func(face font.Face) { l.ink, _ = font.BoundString(face, text) })
	return l, err
}

// with calls do with a face of that size in pixels.
func (l *Line) with(size float64, do func(font.Face)) error {
	face, err := opentype.NewFace(l.font, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		return err
	}
	defer face.Close()
	do(face)
	return nil
}

// Size is the width and height in pixels of what Draw draws, before it is rounded up.
func (l *Line) Size(font float64) (w, h float64) {
	by := font / measured / 64
	return float64(l.ink.Max.X-l.ink.Min.X) * by, float64(l.ink.Max.Y-l.ink.Min.Y) * by
}

// Draw draws the text in a font of so many pixels, with nothing around it.
func (l *Line) Draw(size float64) (*image.Alpha, error) {
	w, h := l.Size(size)
	m := image.NewAlpha(image.Rect(0, 0, max(1, int(math.Ceil(w))), max(1, int(math.Ceil(h)))))
	by := size / measured
	err := l.with(size, func(face font.Face) {
		d := font.Drawer{Dst: m, Src: image.Opaque, Face: face, Dot: fixed.Point26_6{
			X: fixed.Int26_6(-float64(l.ink.Min.X) * by), Y: fixed.Int26_6(-float64(l.ink.Min.Y) * by),
		}}
		d.DrawString(l.text)
	})
	return m, err
}
