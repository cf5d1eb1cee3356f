package strip

import (
	"bytes"
	"encoding/binary"
	"math"

	"picora/media"
)

// Flags of a VP8X chunk (RFC 9649 section 2.7.1).
const (
	webpAnimation = 0x02
	webpXMP       = 0x04
	webpEXIF      = 0x08
	webpAlpha     = 0x10
	webpICC       = 0x20
)

// webp walks a WebP: RFC 9649 section 2.
type webp struct {
	*walker
	riff   int64 // length of the file by its header
	vp8x   []byte
	vp8xAt int // its piece
	image  bool
	exif   bool
	frames int
}

// webpChunk is a chunk whose header has been read.
type webpChunk struct {
	kind string
	off  int64 // of its header
	size int64 // of its data, without padding
	end  int64 // of its data and padding
}

func (w *webp) walk() error {
	head, err := w.take(12)
	if err != nil {
		return err
	}
	if string(head[:4]) != "RIFF" || string(head[8:]) != "WEBP" {
		return media.Corrupt("the WebP is damaged: its signature is wrong")
	}
	w.riff = int64(binary.LittleEndian.Uint32(head[4:])) + 8
	if w.riff < 12 || w.riff > math.MaxUint32-1 {
		return media.Corrupt("the WebP is damaged: its length is impossible")
	}
	if err := w.keep(0, 12); err != nil {
		return err
	}
	w.mark()
	for w.pos < w.riff {
		c, err := w.chunk(w.riff)
		if err != nil {
			return err
		}
		if err := w.one(c); err != nil {
			return err
		}
	}
	return w.end(head)
}

// chunk reads the header of a chunk that lies before limit.
func (w *webp) chunk(limit int64) (webpChunk, error) {
	c := webpChunk{off: w.pos}
	if limit-w.pos < 8 {
		return c, w.misfit()
	}
	b, err := w.take(8)
	if err != nil {
		return c, err
	}
	c.kind, c.size = string(b[:4]), int64(binary.LittleEndian.Uint32(b[4:]))
	c.end = w.pos + c.size + c.size&1
	if c.end > limit {
		return c, w.misfit()
	}
	return c, nil
}

func (w *webp) misfit() error {
	return media.Corrupt("the WebP is damaged: a part of it does not fit its length")
}

// one handles a chunk of the file.
func (w *webp) one(c webpChunk) error {
	first := c.off == 12
	switch c.kind {
	case "VP8X":
		if first {
			return w.extended(c)
		}
	case "VP8 ", "VP8L":
		if !w.image && !w.has(webpAnimation) {
			w.image = true
			return w.still(c)
		}
	case "ALPH":
		if w.vp8x != nil && !w.image && !w.has(webpAnimation) {
			return w.copy(c)
		}
	case "ICCP":
		if w.vp8x != nil && !w.image && w.frames == 0 {
			w.rep.ICC = true
			return w.copy(c)
		}
	case "ANIM":
		if w.has(webpAnimation) && c.size == 6 {
			return w.anim(c)
		}
	case "ANMF":
		if w.has(webpAnimation) {
			return w.animationFrame(c)
		}
	case "EXIF":
		return w.exifChunk(c)
	}
	return w.skip(c.end - w.pos)
}

// has says whether the file is extended and has that flag.
func (w *webp) has(flag byte) bool { return w.vp8x != nil && w.vp8x[0]&flag != 0 }

// copy keeps a chunk as it is.
func (w *webp) copy(c webpChunk) error {
	if err := w.skip(c.end - w.pos); err != nil {
		return err
	}
	return w.keep(c.off, c.end-c.off)
}

// anim reads how often the animation plays and keeps it (RFC 9649 section 2.7.2).
func (w *webp) anim(c webpChunk) error {
	b, err := w.take(6)
	if err != nil {
		return err
	}
	w.rep.Loops = int(binary.LittleEndian.Uint16(b[4:]))
	return w.keep(c.off, c.end-c.off)
}

// extended reads VP8X: flags and canvas. What is delivered of it is known at
// the end.
func (w *webp) extended(c webpChunk) error {
	if c.size != 10 {
		return media.Corrupt("the WebP is damaged: its header has the wrong length")
	}
	b, err := w.take(10)
	if err != nil {
		return err
	}
	w.vp8x, w.vp8xAt = b, len(w.pieces)
	if err := w.keep(c.off, 18); err != nil {
		return err
	}
	w.mark()
	return w.walker.size(uint24(b[4:])+1, uint24(b[7:])+1)
}

// still keeps the picture of a file that is not an animation.
func (w *webp) still(c webpChunk) error {
	width, height, err := w.bitstream(c)
	if err != nil {
		return err
	}
	if w.vp8x == nil {
		if err := w.walker.size(width, height); err != nil {
			return err
		}
	} else if width != int64(w.rep.Width) || height != int64(w.rep.Height) {
		return media.Corrupt("the WebP is damaged: its picture is not as large as its header says")
	}
	return w.copy(c)
}

// bitstream reads the dimensions at the start of a VP8 (RFC 6386 section 9.1)
// or VP8L (RFC 9649 section 3.4) bitstream.
func (w *webp) bitstream(c webpChunk) (width, height int64, err error) {
	b, err := w.take(int(min(c.size, 10)))
	if err != nil {
		return 0, 0, err
	}
	damaged := media.Corrupt("the WebP is damaged: its picture has no proper start")
	if c.kind == "VP8L" {
		if len(b) < 5 || b[0] != 0x2F {
			return 0, 0, damaged
		}
		bits := binary.LittleEndian.Uint32(b[1:])
		return int64(bits&0x3FFF) + 1, int64(bits>>14&0x3FFF) + 1, nil
	}
	if len(b) < 10 || b[0]&1 != 0 || !bytes.Equal(b[3:6], []byte{0x9D, 0x01, 0x2A}) {
		return 0, 0, damaged
	}
	return int64(binary.LittleEndian.Uint16(b[6:]) & 0x3FFF), int64(binary.LittleEndian.Uint16(b[8:]) & 0x3FFF), nil
}

// exifChunk drops EXIF. An orientation other than upright stays, in an EXIF of
// its own; without the flag nobody looks for it.
func (w *webp) exifChunk(c webpChunk) error {
	if w.exif || !w.has(webpEXIF) || c.size > maxEXIF {
		return w.skip(c.end - w.pos)
	}
	b, err := w.take(int(c.size))
	if err != nil {
		return err
	}
	if err := w.skip(c.end - w.pos); err != nil {
		return err
	}
	o := w.learn(b)
	if o == 1 {
		return nil
	}
	w.exif, w.rep.Orientation = true, o
	minimal := minimalEXIF(o)
	if bytes.Equal(b, minimal) {
		return w.keep(c.off, c.end-c.off)
	}
	out := binary.LittleEndian.AppendUint32([]byte("EXIF"), uint32(len(minimal)))
	return w.put(append(out, minimal...))
}

// end writes the headers anew where what follows them has changed.
func (w *webp) end(head []byte) error {
	if !w.image && w.frames == 0 {
		return media.Corrupt("the WebP is damaged: there is no picture in it")
	}
	if w.vp8x != nil {
		flags := w.vp8x[0] & (webpAnimation | webpAlpha | webpICC)
		if w.exif {
			flags |= webpEXIF
		}
		if clean := [4]byte{flags}; !bytes.Equal(w.vp8x[:4], clean[:]) {
			out := append([]byte("VP8X\x0a\x00\x00\x00"), clean[:]...)
			w.pieces[w.vp8xAt] = Piece{Data: append(out, w.vp8x[4:]...)}
		}
	}
	if size := w.pieces.Size(); size != w.riff {
		out := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(size-8))
		w.pieces[0] = Piece{Data: append(out, head[8:]...)}
	}
	return nil
}

// uint24 reads three bytes, the lowest first.
func uint24(b []byte) int64 { return int64(b[0]) | int64(b[1])<<8 | int64(b[2])<<16 }
