package picture

import (
	"image"
	"math"

	"picora/media"
)

// layout is which part of a picture goes where, in the file's coordinates: those
// before it is turned.
type layout struct {
	full        image.Point // the picture's size
	crop        size        // of the part that is kept, in pixels of full
	at          size        // its corner
	to          image.Point // the size that the part gets
	canvas      image.Point // the size of the result, before it is turned; larger than to for Contain
	orientation int
	rotate      int
}

// size is a width and a height, or a place.
type size struct{ x, y float64 }

// plan lays a picture of a size out for a spec. Cover's part is in the middle until
// aim moves it.
func plan(full image.Point, orientation int, s media.Spec) layout {
	l := layout{full: full, orientation: orientation, rotate: s.Rotate}
	box := image.Pt(s.Width, s.Height)
	if l.swaps() {
		box.X, box.Y = box.Y, box.X
	}
	w, h := float64(full.X), float64(full.Y)
	l.crop = size{w, h}
	by := size{float64(box.X) / w, float64(box.Y) / h}
	fit := s.Fit
	if box.X == 0 || box.Y == 0 {
		fit = media.Inside
		by = size{max(by.x, by.y), max(by.x, by.y)}
		if by.x == 0 {
			by = size{1, 1}
		}
	}
	switch fit {
	case media.Fill:
		l.to, l.canvas = box, box
	case media.Cover:
		l.to, l.canvas = box, box
		k := max(by.x, by.y)
		l.crop = size{min(w, float64(box.X)/k), min(h, float64(box.Y)/k)}
	case media.Contain:
		l.to, l.canvas = l.scaled(min(by.x, by.y)), box
	case media.Outside:
		l.to = l.scaled(min(1, max(by.x, by.y)))
		l.canvas = l.to
	default:
		l.to = l.scaled(min(1, by.x, by.y))
		l.canvas = l.to
	}
	l.at = size{(w - l.crop.x) / 2, (h - l.crop.y) / 2}
	return l
}

// scaled is the size of the whole picture times k, at least a pixel.
func (l *layout) scaled(k float64) image.Point {
	return image.Pt(max(1, int(math.Round(k*float64(l.full.X)))), max(1, int(math.Round(k*float64(l.full.Y)))))
}

// swaps tells whether turning exchanges width and height.
func (l *layout) swaps() bool {
	return (l.orientation >= 5) != (l.rotate == 90 || l.rotate == 270)
}

// scale is how much of its resolution the picture needs to keep, 1 or less if some
// can be left out.
func (l *layout) scale() float64 {
	return max(float64(l.to.X)/l.crop.x, float64(l.to.Y)/l.crop.y)
}

// aim moves the part that Cover keeps to the focus point, or to what catches the eye.
func (l *layout) aim(p picture, s media.Spec) {
	rest := size{float64(l.full.X) - l.crop.x, float64(l.full.Y) - l.crop.y}
	switch {
	case rest == size{}:
	case s.Focus != nil:
		f := stored(size{float64(s.Focus.X) / 1000, float64(s.Focus.Y) / 1000}, l.orientation)
		l.at.x = min(max(f.x*float64(l.full.X)-l.crop.x/2, 0), rest.x)
		l.at.y = min(max(f.y*float64(l.full.Y)-l.crop.y/2, 0), rest.y)
	case s.Smart:
		x, y := attention(p.small(), l.crop.x/float64(l.full.X), l.crop.y/float64(l.full.Y))
		l.at = size{x * rest.x, y * rest.y}
	}
}

// stored says where a point of the picture as shown lies in the file; both in parts
// of width and height. (EXIF 2.32, 4.6.4, tag Orientation.)
func stored(p size, orientation int) size {
	x, y := p.x, p.y
	switch orientation {
	case 2:
		return size{1 - x, y}
	case 3:
		return size{1 - x, 1 - y}
	case 4:
		return size{x, 1 - y}
	case 5:
		return size{y, x}
	case 6:
		return size{y, 1 - x}
	case 7:
		return size{1 - y, 1 - x}
	case 8:
		return size{1 - y, x}
	}
	return p
}

// part is the rectangle to keep of a picture that was decoded at some other size.
func (l *layout) part(b image.Rectangle) image.Rectangle {
	kx, ky := float64(b.Dx())/float64(l.full.X), float64(b.Dy())/float64(l.full.Y)
	x, y := int(math.Round(l.at.x*kx)), int(math.Round(l.at.y*ky))
	w, h := max(1, int(math.Round(l.crop.x*kx))), max(1, int(math.Round(l.crop.y*ky)))
	x, y = min(x, b.Dx()-w), min(y, b.Dy()-h)
	return image.Rect(x, y, x+w, y+h).Add(b.Min)
}
