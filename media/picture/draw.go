package picture

import (
	"context"
	"image"
	"image/color"
	"strconv"

	"github.com/disintegration/imaging"

	"picora/media"
	"picora/media/icc"
)

// draw makes the result of a decoded picture, up to its encoding: crop, resize, sRGB,
// turn, blur, canvas and background.
func (l *layout) draw(ctx context.Context, p picture, spec media.Spec) (*image.NRGBA, error) {
	part := l.part(p.image.Bounds())
	m, ok := p.image.(*image.NRGBA)
	if ok {
		m = m.SubImage(part).(*image.NRGBA)
	} else {
		m = icc.ToSRGB(p.icc, p.image.(interface {
			SubImage(image.Rectangle) image.Image
		}).SubImage(part))
		p.icc, p.shared = nil, false
	}
	switch {
	case m.Rect.Size() != l.to:
		m = resize(m, l.to)
	case p.shared:
		m = imaging.Clone(m)
	}
	m = icc.ToSRGB(p.icc, m) // on the small picture: profiles change colours, not shapes
	m = rotate(orient(m, l.orientation), l.rotate)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m = blur(m, spec.Blur)
	colour, clear, err := background(spec)
	if err != nil {
		return nil, err
	}
	canvas := l.canvas
	if l.swaps() {
		canvas.X, canvas.Y = canvas.Y, canvas.X
	}
	if size := m.Rect.Size(); size != canvas {
		m = imaging.Paste(image.NewNRGBA(image.Rectangle{Max: canvas}), m, canvas.Sub(size).Div(2))
	}
	if !clear {
		flatten(m, colour)
	}
	return m, nil
}

// background is the colour behind the picture, or clear for none.
func background(s media.Spec) (c color.NRGBA, clear bool, err error) {
	switch {
	case s.Background != "":
		v, err := strconv.ParseUint(s.Background, 16, 24)
		if err != nil || len(s.Background) != 6 {
			return c, false, strconv.ErrSyntax
		}
		return color.NRGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 255}, false, nil
	case s.Format == "jpeg":
		return color.NRGBA{255, 255, 255, 255}, false, nil
	}
	return c, true, nil
}

// flatten lays a colour behind m, in place.
func flatten(m *image.NRGBA, c color.NRGBA) {
	behind := [3]uint32{uint32(c.R), uint32(c.G), uint32(c.B)}
	for y := range m.Rect.Dy() {
		row := m.Pix[y*m.Stride:][:4*m.Rect.Dx()]
		for i := 0; i < len(row); i += 4 {
			a := uint32(row[i+3])
			if a == 255 {
				continue
			}
			for k := range behind {
				row[i+k] = uint8((uint32(row[i+k])*a + behind[k]*(255-a) + 127) / 255)
			}
			row[i+3] = 255
		}
	}
}

// orient turns a picture as its EXIF orientation says.
func orient(m *image.NRGBA, orientation int) *image.NRGBA {
	switch orientation {
	case 2:
		return imaging.FlipH(m)
	case 3:
		return imaging.Rotate180(m)
	case 4:
		return imaging.FlipV(m)
	case 5:
		return imaging.Transpose(m)
	case 6:
		return imaging.Rotate270(m) // imaging counts against the clock
	case 7:
		return imaging.Transverse(m)
	case 8:
		return imaging.Rotate90(m)
	}
	return m
}

// rotate turns a picture clockwise.
func rotate(m *image.NRGBA, degrees int) *image.NRGBA {
	switch degrees {
	case 90:
		return imaging.Rotate270(m)
	case 180:
		return imaging.Rotate180(m)
	case 270:
		return imaging.Rotate90(m)
	}
	return m
}

// blur is Gaussian. What a strong one leaves fits into a smaller picture, where it
// costs the square of it less.
func blur(m *image.NRGBA, sigma float64) *image.NRGBA {
	if sigma == 0 {
		return m
	}
	k := int(sigma)
	if k < 2 {
		return imaging.Blur(m, sigma)
	}
	size := m.Rect.Size()
	small := imaging.Resize(m, max(1, size.X/k), max(1, size.Y/k), imaging.Box)
	return imaging.Resize(imaging.Blur(small, sigma/float64(k)), size.X, size.Y, imaging.CatmullRom)
}
