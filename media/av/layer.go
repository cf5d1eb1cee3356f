package av

import (
	"fmt"
	"image"

	"github.com/asticode/go-astiav"

	"picora/media"
	"picora/media/wall"
)

// layer is a picture, or the alpha plane of one, while it is painted: in one piece, or tile by tile.
type layer struct {
	w, h   int  // 0: those of the first frame
	alpha  bool // one sample a pixel
	pix    []byte
	stride int
	facts  // of the first frame
}

// size returns the bytes of a pixel and the format of packed pixels. Go's 16-bit samples are big-endian.
func (l *layer) size() (int, astiav.PixelFormat) {
	switch {
	case l.alpha && l.deep:
		return 2, astiav.PixelFormatGray16Be
	case l.alpha:
		return 1, astiav.PixelFormatGray8
	case l.deep:
		return 8, astiav.PixelFormatRgba64Be
	}
	return 4, astiav.PixelFormatRgba
}

// paint puts a frame at x, y; what stands over the edge is cut off.
func (l *layer) paint(d *decoder, f *astiav.Frame, x, y int) error {
	now := factsOf(f)
	if now.damaged {
		return media.Corrupt("the picture is damaged or incomplete")
	}
	if l.w == 0 {
		l.w, l.h = f.Width(), f.Height()
	}
	if err := d.in.tooLarge(l.w, l.h); err != nil {
		return err
	}
	if l.pix == nil {
		l.facts = now
		bytes, _ := l.size()
		l.stride = l.w * bytes
		const slack = 64 // swscale may write a vector past the last row
		if err := wall.Room(l.stride*l.h + slack); err != nil {
			return fmt.Errorf("av: %w", err)
		}
		l.pix = make([]byte, l.stride*l.h+slack)[:l.stride*l.h]
	}
	if x < 0 || y < 0 || x >= l.w || y >= l.h {
		return media.Unsupported("the picture has parts outside of it")
	}
	k, err := d.meaning(f, now)
	if err != nil {
		return err
	}
	w, h := min(f.Width(), l.w-x), min(f.Height(), l.h-y)
	clip(f, w, h)
	bytes, format := l.size()
	at := y*l.stride + x*bytes
	if err := d.convert.convert(f, k, l.pix[at:], l.stride, w, h, format); err != nil {
		return d.in.refuse("convert", err)
	}
	return nil
}

// picture returns what was painted, with the alpha plane if there is one.
func (l *layer) picture(alpha *layer) Picture {
	if alpha != nil {
		l.see(alpha)
	}
	p := Picture{ICC: l.icc}
	p.Primaries, p.Transfer, _ = l.names()
	rect := image.Rect(0, 0, l.w, l.h)
	if l.deep {
		p.Image = &image.NRGBA64{Pix: l.pix, Stride: l.stride, Rect: rect}
	} else {
		p.Image = &image.NRGBA{Pix: l.pix, Stride: l.stride, Rect: rect}
	}
	return p
}

// see takes the samples of an alpha plane of the same size.
func (l *layer) see(alpha *layer) {
	from, _ := alpha.size()
	to, _ := l.size()
	for i := range l.w * l.h {
		a := alpha.pix[i*from : i*from+from]
		if l.deep {
			l.pix[i*to+6], l.pix[i*to+7] = a[0], a[from-1]
		} else {
			l.pix[i*to+3] = a[0]
		}
	}
}
