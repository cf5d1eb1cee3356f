package strip

import (
	"image"

	"picora/media"
)

// describe finds out what a file says of its first picture: its size, how it is
// turned, whether it has a colour profile, and EXIF.
func (h *heif) describe(first *item) error {
	if err := h.shape(first); err != nil {
		return err
	}
	for p := range h.meta.has(first, "colr") {
		if len(p.b) > 4 && (string(p.b[:4]) == "prof" || string(p.b[:4]) == "rICC") {
			h.rep.ICC = true
		}
	}
	var id uint32
	var exif *item
	for n, i := range h.meta.items {
		if i.kind == "Exif" && (exif == nil || n < id) {
			id, exif = n, i
		}
	}
	if exif != nil {
		if err := h.want(exif, h.exifItem); err != nil {
			return err
		}
	}
	if first.kind == "grid" {
		return h.want(first, h.grid)
	}
	return nil
}

// want has an item of one part read: now, or as it passes.
func (h *heif) want(i *item, use func([]byte) error) error {
	if len(i.extents) != 1 || i.extents[0].to-i.extents[0].from > maxEXIF {
		return nil
	}
	s, d := i.extents[0], h.meta.data
	if i.method == 1 && d != nil && s.to <= int64(len(d.b)) {
		return use(d.b[s.from:s.to])
	}
	if i.method == 0 {
		h.wants = append(h.wants, &want{span: s, use: use})
	}
	return nil
}

// exifItem reads where EXIF starts, then EXIF (ISO/IEC 23008-12 annex A.2.1).
// Its orientation does not count: irot and imir do.
func (h *heif) exifItem(b []byte) error {
	f := fields{b: b}
	if skip := f.uint(4); !f.short && skip <= uint64(len(b)-4) {
		h.learn(b[4+skip:])
	}
	return nil
}

// grid reads how large the tiles are together, which is what decoders make room
// for (ISO/IEC 23008-12 section 6.6.2.3).
func (h *heif) grid(b []byte) error {
	f := fields{b: b}
	size := 2
	if f.uint(2)&1 != 0 { // version and flags
		size = 4
	}
	f.uint(2) // rows and columns
	width, height := int64(f.uint(size)), int64(f.uint(size))
	if f.short {
		return errIndex
	}
	if err := h.check(width, height); err != nil {
		return err
	}
	if said, of := h.meta.extent(h.meta.items[h.meta.primary]); said != width || of != height {
		return media.Corrupt("the picture is damaged: its tiles are not as large as its header says")
	}
	return nil
}

// extent returns the size of a picture as it is coded, 0 when it says none.
func (m *index) extent(i *item) (width, height int64) {
	for p := range m.has(i, "ispe") {
		f := fields{b: p.b}
		f.version()
		return int64(f.uint(4)), int64(f.uint(4))
	}
	return 0, 0
}

// shape applies what turns and cuts a picture, in the order in which the file
// says it (ISO/IEC 23008-12 section 6.5).
func (h *heif) shape(i *item) error {
	width, height := h.meta.extent(i)
	var mirrored bool // left to right, before it is turned
	var turns int     // by 90 degrees clockwise
	for p := range h.meta.has(i, "clap", "irot", "imir") {
		switch {
		case p.kind == "clap":
			w, okW := aperture(p.b, 0)
			t, okH := aperture(p.b, 8)
			if turns%2 == 1 {
				w, t = t, w
			}
			if okW && okH && w <= width && t <= height {
				if turns == 0 && !mirrored {
					h.rep.Aperture = shown(p.b, width, height, w, t)
				}
				width, height = w, t
			}
		case len(p.b) < 1:
			return errIndex
		case p.kind == "irot": // anticlockwise
			turns = (turns + 4 - int(p.b[0]&3)) % 4
		default: // imir: top to bottom when 0, left to right when 1
			mirrored = !mirrored
			turns = (6 - turns - 2*int(p.b[0]&1)) % 4
		}
	}
	h.rep.Orientation = exifOrientation(mirrored, turns)
	return h.walker.size(width, height)
}

// shown is where in a picture of that size the aperture of w x h pixels lies, whose
// offsets are those of its middle from the picture's.
func shown(b []byte, width, height, w, h int64) image.Rectangle {
	offset := func(at int, room int64) int {
		f := fields{b: b}
		f.bytes(at)
		n, d := int64(int32(f.uint(4))), int64(f.uint(4))
		if f.short || d == 0 {
			n, d = 0, 1
		}
		return int(max(0, min(room, (2*n+room*d)/(2*d))))
	}
	at := image.Pt(offset(16, width-w), offset(24, height-h))
	return image.Rectangle{Min: at, Max: at.Add(image.Pt(int(w), int(h)))}
}

// aperture reads a side of the part that is shown: a fraction that is a whole
// number (ISO/IEC 14496-12 section 12.1.4).
func aperture(b []byte, at int) (int64, bool) {
	f := fields{b: b}
	f.bytes(at)
	n, d := int64(f.uint(4)), int64(f.uint(4))
	if f.short || d == 0 || n == 0 || n%d != 0 {
		return 0, false
	}
	return n / d, true
}

// exifOrientation is the number in EXIF for a picture that is mirrored left to
// right and then turned by 90 degrees clockwise so many times.
func exifOrientation(mirrored bool, turns int) int {
	if mirrored {
		return [4]int{2, 7, 4, 5}[turns]
	}
	return [4]int{1, 6, 3, 8}[turns]
}
