package picture

import (
	"bytes"
	"image"
	"iter"
	"math"
	"time"

	"picora/media"
	"picora/media/av"
	"picora/media/icc"
	"picora/media/jpeg"
	"picora/media/webp"
)

// picture is a decoded picture or frame.
type picture struct {
	image    image.Image // *image.NRGBA, *image.NRGBA64 or *image.CMYK
	icc      []byte
	duration time.Duration
	shared   bool // the pixels belong to a decoder
}

// draft is how many times more pixels to a side are decoded than will be left, if the
// file's type lets one choose; with fewer, the decoder's crude filter shows.
const draft = 1.25

// decode decodes the file's first picture. The size of the whole picture is given to
// scale, which says how much of it is needed.
func decode(src Source, max Limits, scale func(full image.Point) float64) (picture, error) {
	switch src.Type {
	case media.JPEG:
		h, err := jpeg.ReadHeader(src.Data)
		if err != nil {
			return picture{}, err
		}
		if err := max.check(h.Width, h.Height); err != nil {
			return picture{}, err
		}
		need, eighths := scale(image.Pt(h.Width, h.Height))*draft, 1
		for eighths < 8 && float64(eighths)/8 < need {
			eighths *= 2
		}
		m, err := jpeg.Decode(src.Data, eighths)
		return picture{image: m, icc: h.ICC}, err
	case media.WebP:
		h, err := webp.ReadHeader(src.Data)
		if err != nil {
			return picture{}, err
		}
		if err := max.check(h.Width, h.Height); err != nil {
			return picture{}, err
		}
		if !h.Animated {
			// libwebp reduces well, but only this well: a factor of two is left to Lanczos.
			k := min(1, 2*scale(image.Pt(h.Width, h.Height)))
			m, err := webp.Decode(src.Data, int(math.Ceil(k*float64(h.Width))), int(math.Ceil(k*float64(h.Height))))
			return picture{image: m, icc: h.ICC}, err
		}
	}
	for p, err := range frames(src, max) {
		if err == nil {
			scale(p.image.Bounds().Size())
			p = p.owned()
		}
		return p, err
	}
	return picture{}, errEmpty
}

var errEmpty = media.Corrupt("there is no picture in the file")

// frames decodes all pictures of a file, one at a time. Each is good until the next.
func frames(src Source, max Limits) iter.Seq2[picture, error] {
	if src.Type == media.WebP {
		return webpFrames(src.Data, max)
	}
	return func(yield func(picture, error) bool) {
		shown, err := aperture(src, max)
		var in *av.Input
		if err == nil {
			in, err = av.Open(bytes.NewReader(src.Data), int64(len(src.Data)), av.Limits{Pixels: max.Pixels})
		}
		if err != nil {
			yield(picture{}, err)
			return
		}
		defer in.Close()
		for p, err := range in.Pictures() {
			if err == nil {
				b := p.Image.Bounds()
				if err = max.check(b.Dx(), b.Dy()); err == nil {
					p.Image = cut(p.Image, shown)
				}
			}
			if !yield(picture{image: p.Image, icc: p.ICC, duration: p.Duration}, err) || err != nil {
				return
			}
		}
	}
}

func webpFrames(data []byte, max Limits) iter.Seq2[picture, error] {
	return func(yield func(picture, error) bool) {
		h, err := webp.ReadHeader(data)
		if err == nil {
			err = max.check(h.Width, h.Height)
		}
		var a *webp.Animation
		if err == nil {
			a, err = webp.OpenAnimation(data)
		}
		if err != nil {
			yield(picture{}, err)
			return
		}
		defer a.Close()
		for range h.Frames {
			m, d, err := a.Next()
			if !yield(picture{image: m, icc: h.ICC, duration: d, shared: true}, err) || err != nil {
				return
			}
		}
	}
}

// check refuses a picture that is too large.
func (l Limits) check(w, h int) error {
	if l.Pixels > 0 && int64(w)*int64(h) > l.Pixels {
		return media.TooManyPixels(int64(w), int64(h), l.Pixels)
	}
	return nil
}

// checkFrames refuses an animation that is too long.
func (l Limits) checkFrames(n, w, h int) error {
	if l.Frames > 0 && n > l.Frames || l.Work > 0 && int64(n)*int64(w)*int64(h) > l.Work {
		return media.Unsupported("the animation is too long to be converted: it has too many frames for their size")
	}
	return nil
}

// owned is the picture with pixels of its own.
func (p picture) owned() picture {
	if m, ok := p.image.(*image.NRGBA); ok && p.shared {
		c := *m
		c.Pix = bytes.Clone(m.Pix)
		p.image, p.shared = &c, false
	}
	return p
}

// small is a little copy of the picture, in about the right colours.
func (p picture) small() *image.NRGBA {
	const side = 128
	b := p.image.Bounds().Size()
	k := min(1, side/float64(max(b.X, b.Y)))
	to := image.Pt(max(1, int(k*float64(b.X))), max(1, int(k*float64(b.Y))))
	m, ok := p.image.(*image.NRGBA)
	if !ok {
		m = icc.ToSRGB(nil, p.image)
	}
	return resize(m, to)
}
