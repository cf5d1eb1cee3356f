package strip

import (
	"bytes"

	"picora/media"
)

// pictureKinds are the items that are pictures or put together of pictures.
var pictureKinds = map[string]bool{
	"av01": true, "hvc1": true, "hev1": true, "lhv1": true, "avc1": true, "vvc1": true, "evc1": true,
	"jpeg": true, "j2k1": true, "unci": true, "grid": true, "iovl": true, "iden": true,
}

// alphaKinds are how auxC names transparency (ISO/IEC 23000-22 section 7.3.5.2,
// ISO/IEC 23008-12 annexes B and E).
var alphaKinds = []string{
	"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha",
	"urn:mpeg:hevc:2015:auxid:1",
	"urn:mpeg:avc:2015:auxid:1",
}

// choose finds out which items are delivered and takes the others out.
func (h *heif) choose() error {
	m := h.meta
	first := m.items[m.primary]
	if !m.hasPrimary || first == nil || !first.listed || !pictureKinds[first.kind] {
		return media.Corrupt("the picture is damaged: there is no picture in it")
	}
	if err := m.follow(); err != nil {
		return err
	}
	var inside []span
	for _, i := range m.items {
		if i.listed {
			h.silence(i)
		}
		if !i.keep {
			continue
		}
		if err := h.check(m.extent(i)); err != nil {
			return err
		}
		for _, x := range i.extents {
			if x.to == x.from { // all of the file
				return errIndex
			}
		}
		switch {
		case len(i.extents) == 0 || i.method > 1 || i.method == 1 && m.data == nil:
			return errPlace
		case i.method == 1:
			inside = append(inside, i.extents...)
		default:
			m.parts = append(m.parts, i.extents...)
		}
	}
	if err := h.inside(inside); err != nil {
		return err
	}
	return h.describe(first)
}

// follow marks the primary item and what it is made of.
func (m *index) follow() error {
	madeOf, alphaOf := map[uint32][]uint32{}, map[uint32][]uint32{}
	for _, r := range m.refs {
		switch r.kind {
		case "dimg", "base":
			madeOf[r.from] = append(madeOf[r.from], r.to...)
		case "auxl":
			if m.items[r.from] == nil || !m.alpha(m.items[r.from]) {
				continue
			}
			for _, to := range r.to {
				alphaOf[to] = append(alphaOf[to], r.from)
			}
		}
	}
	for queue := []uint32{m.primary}; len(queue) > 0; queue = queue[1:] {
		id := queue[0]
		i := m.items[id]
		if i == nil || !i.listed || !pictureKinds[i.kind] {
			return errIndex
		}
		if i.keep {
			continue
		}
		i.keep = true
		queue = append(append(queue, madeOf[id]...), alphaOf[id]...)
	}
	return nil
}

// alpha says whether an item is the transparency of another.
func (m *index) alpha(i *item) bool {
	for p := range m.has(i, "auxC") {
		if len(p.b) > 4 {
			for _, kind := range alphaKinds {
				if bytes.HasPrefix(p.b[4:], []byte(kind+"\x00")) {
					return true
				}
			}
		}
	}
	return false
}

// has gives the properties of an item that are of one of the kinds, in order.
func (m *index) has(i *item, kinds ...string) func(func(box) bool) {
	return func(yield func(box) bool) {
		for _, n := range i.props {
			if n < 1 || n > len(m.props) {
				continue
			}
			for _, kind := range kinds {
				if m.props[n-1].kind == kind && !yield(m.props[n-1]) {
					return
				}
			}
		}
	}
}

// silence takes an item's name away, and its kind when it is not delivered.
func (h *heif) silence(i *item) {
	if !i.keep && i.kindAt > 0 && i.kind != "free" {
		h.write(i.kindAt, []byte("free"))
	}
	h.clear(i.saidAt, i.said)
}

// inside clears what is not delivered of the data in the meta box.
func (h *heif) inside(parts []span) error {
	d := h.meta.data
	if d == nil {
		return nil
	}
	size := int64(len(d.b))
	var at int64
	for _, p := range merge(parts) {
		if p.to > size {
			return errPlace
		}
		h.clear(d.at+at, d.b[at:p.from])
		at = p.to
	}
	h.clear(d.at+at, d.b[at:])
	return nil
}
