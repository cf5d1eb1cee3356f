package av

import (
	"image"
	"unsafe"

	"github.com/asticode/go-astiav"
)

// stills draws single pictures of a film, upright and in ordinary colours.
type stills struct {
	chain  *chain
	fields *chain // nil: the film is not interlaced
}

func newStills(f *Film, interlaced bool, w, h int) *stills {
	s := &stills{chain: newChain(f, shape{width: w, height: h, rgb: true})}
	if interlaced {
		s.fields = newFields(f)
	}
	return s
}

func (s *stills) free() {
	if s != nil {
		s.chain.free()
		s.fields.free()
	}
}

// draw draws a frame, which stays the caller's.
func (s *stills) draw(f *astiav.Frame) (m *image.NRGBA, err error) {
	keep := func(f *astiav.Frame) error { m = pixels(f); return nil }
	if s.fields == nil {
		return m, s.through(f, keep)
	}
	whole := func(f *astiav.Frame) error { return s.through(f, keep) }
	if err = s.fields.pass(f, whole); err == nil {
		err = s.fields.pass(nil, whole) // no other picture is near, so half of the lines are made of the rest
	}
	return m, err
}

// through passes a frame through the chain, and has it give what it still holds.
func (s *stills) through(f *astiav.Frame, keep func(*astiav.Frame) error) error {
	came := false
	if err := s.chain.pass(f, func(f *astiav.Frame) error { came = true; return keep(f) }); err != nil || came {
		return err
	}
	return s.chain.pass(nil, keep)
}

// pixels copies a frame of RGBA, opaque.
func pixels(f *astiav.Frame) *image.NRGBA {
	c := frameC(f)
	w, h, stride := int(c.width), int(c.height), int(c.linesize[0])
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	src := unsafe.Slice((*byte)(unsafe.Pointer(c.data[0])), stride*(h-1)+4*w)
	for y := range h {
		copy(m.Pix[y*m.Stride:][:4*w], src[y*stride:])
	}
	for i := 3; i < len(m.Pix); i += 4 {
		m.Pix[i] = 0xFF
	}
	return m
}

// fit is the size of w x h with its longer side no longer than that, even.
func fit(w, h, most int) (int, int) {
	if long := max(w, h); long > most {
		w, h = (w*most+long/2)/long, (h*most+long/2)/long
	}
	return even(w), even(h)
}
