package av

import (
	"fmt"
	"image"
	"io"

	"github.com/asticode/go-astiav"
)

// output is a file that is written into memory: AVIF needs to go back in it.
type output struct {
	format *astiav.FormatContext
	io     *astiav.IOContext
	b      []byte
	at     int64
}

func create(container string) (*output, error) {
	o := &output{}
	var err error
	if o.format, err = astiav.AllocOutputFormatContext(nil, container, ""); err != nil {
		return nil, fmt.Errorf("av: %s: %w", container, err)
	}
	if o.io, err = astiav.AllocIOContext(bufferSize, true, nil, o.seek, o.write); err != nil {
		o.format.Free()
		return nil, fmt.Errorf("av: %s: %w", container, err)
	}
	o.format.SetPb(o.io)
	return o, nil
}

func (o *output) close() {
	o.format.Free()
	o.io.Free()
}

// drain hands on what was written, for containers that never go back.
func (o *output) drain(w io.Writer) error {
	o.io.Flush()
	_, err := w.Write(o.b)
	o.b, o.at = o.b[:0], 0
	return err
}

func (o *output) write(b []byte) (int, error) {
	if grow := o.at + int64(len(b)) - int64(len(o.b)); grow > 0 {
		o.b = append(o.b, make([]byte, grow)...)
	}
	copy(o.b[o.at:], b)
	o.at += int64(len(b))
	return len(b), nil
}

func (o *output) seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekStart:
		o.at = offset
	case io.SeekCurrent:
		o.at += offset
	default: // AVSEEK_SIZE, which is not needed
		return 0, astiav.ErrUnknown
	}
	return o.at, nil
}

// frame returns a picture in FFmpeg's own memory. Free it.
func frame(m *image.NRGBA, format astiav.PixelFormat) (*astiav.Frame, error) {
	f := astiav.AllocFrame()
	f.SetWidth(m.Rect.Dx())
	f.SetHeight(m.Rect.Dy())
	f.SetPixelFormat(format)
	f.SetColorRange(astiav.ColorRangeJpeg)
	if err := f.AllocBuffer(0); err != nil {
		f.Free()
		return nil, fmt.Errorf("av: %w", err)
	}
	pix, stride, from := m.Pix, m.Stride, astiav.PixelFormatRgba
	if format == astiav.PixelFormatGray8 {
		pix, stride, from = alphas(m), m.Rect.Dx(), format
	}
	if err := fill(f, pix, stride, from); err != nil {
		f.Free()
		return nil, fmt.Errorf("av: %w", err)
	}
	return f, nil
}

// alphas returns the alpha plane alone.
func alphas(m *image.NRGBA) []byte {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	out := make([]byte, w*h)
	for y := range h {
		row := m.Pix[y*m.Stride:]
		for x := range w {
			out[y*w+x] = row[4*x+3]
		}
	}
	return out
}
