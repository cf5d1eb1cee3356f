package picture

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"math"
	"slices"

	"github.com/disintegration/imaging"

	"picora/media"
	"picora/media/letters"
)

// marker lays a watermark over pictures of one size, such as an animation's frames.
type marker struct {
	mark  *media.Mark // nil: none
	file  []byte      // of a mark that is a picture
	stamp *image.NRGBA
}

// lay lays the mark over m, in place.
func (k *marker) lay(ctx context.Context, m *image.NRGBA, max Limits) (err error) {
	if k.mark == nil {
		return nil
	}
	canvas := m.Rect.Size()
	margin := int(k.mark.Margin * float64(min(canvas.X, canvas.Y)))
	room := image.Pt(canvas.X-2*margin, canvas.Y-2*margin)
	if k.stamp == nil {
		if k.stamp, err = k.draw(ctx, canvas.X, room, max); err != nil {
			return err
		}
	}
	size := k.stamp.Rect.Size()
	if k.mark.Tiled {
		step := size.Add(image.Pt(margin, margin))
		for row, y := 0, margin; y < canvas.Y; row, y = row+1, y+step.Y {
			for x := margin - row%2*(step.X/2); x < canvas.X; x += step.X { // like bricks
				over(m, k.stamp, image.Pt(x, y))
			}
		}
		return nil
	}
	i := slices.Index(media.Places, k.mark.Place)
	over(m, k.stamp, image.Pt(margin+(room.X-size.X)*(i%3)/2, margin+(room.Y-size.Y)*(i/3)/2))
	return nil
}

// draw draws the mark for a picture so many pixels wide, as large as it is to be but
// so that it goes into the room.
func (k *marker) draw(ctx context.Context, width int, room image.Point, max Limits) (m *image.NRGBA, err error) {
	var line *letters.Line
	var w, h float64
	size := k.mark.Scale * float64(width)
	if k.mark.Text != "" {
		if line, err = letters.New(k.mark.Text); err != nil {
			return nil, err
		}
		w, h = line.Size(size)
	} else {
		c, err := png.DecodeConfig(bytes.NewReader(k.file))
		if err != nil {
			return nil, err
		}
		w, h = size, size*float64(c.Height)/float64(c.Width)
	}
	sin, cos := math.Sincos(float64(k.mark.Rotate) * math.Pi / 180)
	sin, cos = math.Abs(sin), math.Abs(cos)
	by := min(1, float64(room.X)/(w*cos+h*sin), float64(room.Y)/(w*sin+h*cos))
	if line != nil {
		m, err = colouredText(line, size*by, k.mark.Colour)
	} else {
		m, err = render(ctx, Source{Data: k.file, Type: media.PNG},
			media.Spec{Width: side(w * by), Height: side(h * by), Fit: media.Fill, Format: "png"}, max)
	}
	if err != nil {
		return nil, err
	}
	m = imaging.Rotate(m, -float64(k.mark.Rotate), color.Transparent) // imaging counts against the clock
	for i := 3; i < len(m.Pix); i += 4 {
		m.Pix[i] = uint8(math.Round(float64(m.Pix[i]) * k.mark.Opacity))
	}
	return m, nil
}

// side is a length in whole pixels.
func side(v float64) int { return max(1, int(math.Round(v))) }

// colouredText is the text in a font of so many pixels.
func colouredText(l *letters.Line, size float64, colour string) (*image.NRGBA, error) {
	c, _, err := background(media.Spec{Background: colour})
	if err != nil {
		return nil, err
	}
	a, err := l.Draw(size)
	if err != nil {
		return nil, err
	}
	m := image.NewNRGBA(a.Rect)
	for i, v := range a.Pix {
		copy(m.Pix[4*i:], []uint8{c.R, c.G, c.B, v})
	}
	return m, nil
}

// over lays s over m, in place, with its corner at a point. A colour counts by how much
// is seen of it (Porter and Duff's "over").
func over(m, s *image.NRGBA, at image.Point) {
	r := s.Rect.Sub(s.Rect.Min).Add(at).Intersect(image.Rectangle{Max: m.Rect.Size()})
	for y := r.Min.Y; y < r.Max.Y; y++ {
		from := s.Pix[(y-at.Y)*s.Stride+4*(r.Min.X-at.X):][:4*r.Dx()]
		to := m.Pix[y*m.Stride+4*r.Min.X:][:4*r.Dx()]
		for i := 0; i < len(from); i += 4 {
			mine, under := uint32(from[i+3])*255, uint32(to[i+3])*(255-uint32(from[i+3]))
			if mine == 0 {
				continue
			}
			for c := i; c < i+3; c++ {
				to[c] = uint8((uint32(from[c])*mine + uint32(to[c])*under + (mine+under)/2) / (mine + under))
			}
			to[i+3] = uint8((mine + under + 127) / 255)
		}
	}
}
