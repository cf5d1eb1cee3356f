package picture

import (
	"image"
	"io"
	"time"

	"picora/media"
	"picora/media/av"
	"picora/media/webp"
)

// movie takes frames and writes an animation of them, or a still when only one comes.
type movie struct {
	out    io.Writer
	spec   media.Spec
	loops  int // how often it runs; 0 is for ever
	first  *image.NRGBA
	frames int
	length time.Duration
	gif    *av.GIF // one of them, from the second frame on
	webp   *webp.Encoder
}

// add adds a frame, which is not to be changed after.
func (v *movie) add(m *image.NRGBA, d time.Duration) error {
	v.frames++
	if v.frames == 1 {
		v.first, v.length = m, d
		return nil
	}
	if v.frames == 2 {
		if err := v.begin(); err != nil {
			return err
		}
		if err := v.write(v.first, v.length); err != nil {
			return err
		}
	}
	v.length += d
	return v.write(m, d)
}

func (v *movie) begin() (err error) {
	if err := fits(v.first, v.spec); err != nil {
		return err
	}
	size := v.first.Rect.Size()
	if v.spec.Format == "gif" {
		v.gif, err = av.NewGIF(v.out, size.X, size.Y, v.loops)
	} else {
		v.webp, err = webp.NewEncoder(size.X, size.Y, v.loops, webpOptions(v.spec))
	}
	return err
}

func (v *movie) write(m *image.NRGBA, d time.Duration) error {
	if v.gif != nil {
		return v.gif.Add(m, d)
	}
	return v.webp.Add(m, d)
}

// finish writes what is left.
func (v *movie) finish() error {
	switch {
	case v.gif != nil:
		err := v.gif.Close()
		v.gif = nil
		return err
	case v.webp != nil:
		return v.webp.Finish(v.out)
	}
	v.length = 0
	return encode(v.out, v.first, v.spec)
}

func (v *movie) close() {
	if v.gif != nil {
		v.gif.Close()
	}
	if v.webp != nil {
		v.webp.Close()
	}
}
