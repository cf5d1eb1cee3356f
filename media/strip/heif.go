package strip

import (
	"cmp"
	"errors"
	"math"
	"slices"

	"picora/media"
)

// Bounds of what is held in memory of a file. A phone's picture of 48 tiles has
// an index of 8 KiB.
const (
	maxIndex = 1 << 20 // of a meta box
	maxItems = 8192    // in it
	maxMovie = 4 << 20 // of a moov box
	maxBoxes = 1024    // at the top of a file
)

var (
	errBox   = media.Corrupt("the picture is damaged: a box in it has an impossible length")
	errIndex = media.Corrupt("the picture is damaged: its index is wrong")
	errPlace = media.Corrupt("the picture is damaged: a part of it lies outside the file")
)

// heif walks an AVIF, HEIC or other HEIF: ISO/IEC 23008-12 in the boxes of
// ISO/IEC 14496-12.
//
// Places in such a file are counted from its start, so nothing may move: what
// is not delivered is overwritten with zeros. Delivered are the boxes known to
// describe the picture, and of the data what the picture is made of: its tiles,
// its transparency, the frames of a sequence. The rest is EXIF, XMP, thumbnails,
// depth maps and further pictures.
type heif struct {
	*walker
	edits
	sequence bool // pictures that follow each other may be in it, in a moov
	meta     *index
	movie    *movie
	data     []span // the payloads of mdat boxes
	unseen   []span // those of data that passed before it was known what they hold
	parts    []span // what is delivered of data: ascending, without overlaps
	wants    []*want
	end      int64 // of the last box that is delivered
}

// span is a range of the file: from is in it, to is not.
type span struct{ from, to int64 }

// want is a part of the file that is collected as it passes.
type want struct {
	span
	got []byte
	use func([]byte) error
}

func (h *heif) walk(t media.Type) error {
	if err := h.ftyp(t); err != nil {
		return err
	}
	for range maxBoxes {
		more, err := h.top()
		if err != nil {
			return err
		}
		if !more {
			return h.finish()
		}
	}
	return media.Corrupt("the picture is damaged: it is in too many pieces")
}

// ftyp reads the first box, which says what the file is.
func (h *heif) ftyp(t media.Type) error {
	wrong := media.Corrupt("the " + name(t) + " is damaged: its signature is wrong")
	head, err := h.br.Peek(8)
	if err != nil {
		return cut(err)
	}
	kind, size, _, ok := boxHeader(head)
	if !ok || kind != "ftyp" || size < 16 || size > 4096 {
		return wrong
	}
	b, err := h.take(int(size))
	if err != nil {
		return err
	}
	if got, _ := media.Sniff(b); got != t {
		return wrong
	}
	for i := 8; i+4 <= len(b); i += 4 { // at 12 is the minor version
		h.sequence = h.sequence || i != 12 && slices.Contains([]string{"avis", "msf1", "hevc", "hevx"}, string(b[i:i+4]))
	}
	h.end = h.pos
	return nil
}

// top handles the next box. more is false at the end of the file, and where
// something stands that is no box.
func (h *heif) top() (more bool, err error) {
	b, err := h.br.Peek(16)
	off := h.pos
	kind, size, head, ok := boxHeader(b)
	if !ok {
		if err != nil && len(b) < 8 {
			return false, h.drain() // which tells the end from a failure
		}
		return false, nil
	}
	if size == 0 && kind != "mdat" {
		return false, nil
	}
	if err := h.skip(int64(head)); err != nil {
		return false, err
	}
	switch kind {
	case "mdat":
		return size > 0, h.mdat(off, size)
	case "ftyp":
		return false, errIndex
	case "meta":
		if h.meta != nil {
			return false, errIndex
		}
		return true, h.index(size - int64(head))
	case "moov":
		if h.sequence && h.movie == nil {
			return true, h.moov(size - int64(head))
		}
	}
	err = h.other(kind, off, off+size)
	if errors.Is(err, errCut) {
		return false, nil // so it is no box, or a worthless one
	}
	return true, err
}

// other makes an unknown box a free one with nothing in it.
func (h *heif) other(kind string, off, end int64) error {
	if kind != "free" {
		h.write(off+4, []byte("free"))
	}
	return h.pass(end, false, nil)
}

// mdat passes over the data.
func (h *heif) mdat(off, size int64) error {
	to := off + size
	if size == 0 {
		to = math.MaxInt64 // up to the end of the file
	}
	from := h.pos
	var err error
	if h.meta != nil && (h.movie != nil || !h.sequence) {
		err = h.sift(to)
	} else {
		err = h.skip(to - from)
		h.unseen = append(h.unseen, span{from, h.pos})
	}
	if size == 0 && errors.Is(err, errCut) {
		err = nil
	}
	h.data, h.end = append(h.data, span{from, h.pos}), h.pos
	return err
}

// sift passes over data whose use is known, and notes what in it has to go.
func (h *heif) sift(to int64) error {
	for _, p := range h.parts[h.firstPart(h.pos):] {
		if p.from >= to {
			break
		}
		if err := h.run(p.from, false); err != nil {
			return err
		}
		if err := h.run(min(p.to, to), true); err != nil {
			return err
		}
	}
	return h.run(to, false)
}

// firstPart is the number of the first part that does not end before an offset.
func (h *heif) firstPart(off int64) int {
	n, _ := slices.BinarySearchFunc(h.parts, off, func(p span, off int64) int { return cmp.Compare(p.to, off) })
	return n
}

// run goes on to an offset, through a part or through what is none, and collects
// what is wanted of it.
func (h *heif) run(to int64, part bool) error {
	for h.pos < to {
		next, wanted := to, (*want)(nil)
		for _, w := range h.wants {
			switch {
			case w.from > h.pos:
				next = min(next, w.from)
			case w.to > h.pos && wanted == nil:
				next, wanted = min(next, w.to), w
			}
		}
		if err := h.pass(next, part, wanted); err != nil {
			return err
		}
	}
	return nil
}

// pass goes on to an offset. What passes is to be overwritten, unless it is a
// part of the picture or nothing but zeros; and it is collected if wanted.
func (h *heif) pass(to int64, part bool, wanted *want) error {
	if part && wanted == nil {
		return h.skip(to - h.pos)
	}
	from, dirty := h.pos, false
	var err error
	for err == nil && h.pos < to {
		var buf []byte
		if buf, err = h.window(min(to-h.pos, int64(len(zeros)))); err != nil {
			break
		}
		dirty = dirty || !blank(buf)
		if wanted != nil {
			wanted.got = append(wanted.got, buf...)
		}
		err = h.skip(int64(len(buf)))
	}
	if dirty && !part {
		h.erase(from, h.pos-from)
	}
	return err
}

// finish makes the plan when all boxes have been seen.
func (h *heif) finish() error {
	if h.meta == nil && h.movie == nil {
		return errCut
	}
	h.settle()
	next := 0
	for _, p := range h.parts { // both ascend
		for next < len(h.data) && h.data[next].to < p.to {
			next++
		}
		if next == len(h.data) || p.from < h.data[next].from {
			return errPlace
		}
	}
	for _, s := range h.unseen {
		h.eraseRest(s)
	}
	for _, w := range h.wants {
		if int64(len(w.got)) == w.to-w.from { // else it passed before the index
			if err := w.use(w.got); err != nil {
				return err
			}
		}
	}
	return h.apply(&h.builder, h.end)
}

// settle puts what is delivered in order, once all of it is known.
func (h *heif) settle() {
	h.parts = nil
	if h.meta != nil {
		h.parts = append(h.parts, h.meta.parts...)
	}
	if h.movie != nil {
		h.parts = append(h.parts, h.movie.parts...)
	}
	h.parts = merge(h.parts)
}

// eraseRest erases what is no part of the picture in a range.
func (h *heif) eraseRest(s span) {
	for _, p := range h.parts[h.firstPart(s.from):] {
		if p.from >= s.to {
			break
		}
		h.erase(s.from, p.from-s.from)
		s.from = p.to
	}
	h.erase(s.from, s.to-s.from)
}
