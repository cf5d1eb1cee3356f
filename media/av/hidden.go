package av

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"slices"
)

// hidden is a PNG without its texts, which FFmpeg inflates whatever their size (2 MB can hold 2 GB), or a HEIF file
// without what makes FFmpeg 7.1 refuse one: clean apertures (ISO/IEC 14496-12 section 12.1.4),
// which it takes for those of a video track, thumbnails that are grids, and items whose places are listed in another
// order than the items, as Sony's cameras do. Pictures therefore come uncut: whoever knows the aperture applies it.
type hidden struct {
	io.ReaderAt
	changes []change
}

// A change is what is read at a place, instead of what is there.
type change struct {
	at int64
	b  []byte
}

// hide looks for such things.
func hide(r io.ReaderAt, size int64) io.ReaderAt {
	h := hidden{ReaderAt: r}
	h.texts(size)
	meta, off := metaBox(r, size)
	h.kinds(meta, off)
	if len(meta) > 4 {
		h.order(meta, off)
	}
	if h.changes == nil {
		return r
	}
	return &h
}

// maxTexts bounds the texts that are hidden. Programs write a few; each more costs FFmpeg what it costs everybody.
const maxTexts = 1000

// texts has a PNG's compressed texts be of a type that means nothing (PNG 3rd ed. clause 5.4: a small first letter is that
// of chunks that may be left out).
func (h *hidden) texts(size int64) {
	var head [8]byte
	if _, err := h.ReaderAt.ReadAt(head[:], 0); err != nil || string(head[:]) != "\x89PNG\r\n\x1a\n" {
		return
	}
	for at, n := int64(8), 0; at+8 <= size && n < 100*maxTexts && len(h.changes) < 2*maxTexts; n++ {
		if _, err := h.ReaderAt.ReadAt(head[:], at); err != nil {
			return
		}
		length := int64(binary.BigEndian.Uint32(head[:]))
		if kind := string(head[4:]); kind == "zTXt" || kind == "iTXt" {
			const nothing = "piCt"
			sum := crc32.NewIEEE()
			io.WriteString(sum, nothing)
			if _, err := io.Copy(sum, io.NewSectionReader(h.ReaderAt, at+8, length)); err != nil {
				return
			}
			h.changes = append(h.changes, change{at + 4, []byte(nothing)}, change{at + 8 + length, sum.Sum(nil)})
		}
		at += length + 12
	}
}

// kinds has boxes be of the kind that means nothing. They are found by their length and kind: an aperture has 40 bytes,
// the reference of a thumbnail 14 or 18.
func (h *hidden) kinds(meta []byte, off int64) {
	for _, box := range []string{"\x28clap", "\x0ethmb", "\x12thmb"} {
		what := []byte("\x00\x00\x00" + box)
		for at := 0; ; at += len(what) {
			i := bytes.Index(meta[at:], what)
			if i < 0 {
				break
			}
			at += i
			h.changes = append(h.changes, change{off + int64(at) + 4, []byte("free")})
		}
	}
}

// order has the places of items (iloc, ISO/IEC 14496-12 section 8.11.3) be listed as the items are (iinf, section
// 8.11.6): FFmpeg 7.1 takes the first place for the first item's, whichever item it names.
func (h *hidden) order(meta []byte, off int64) {
	var items []uint32
	var places []byte
	boxes(meta[4:], func(kind string, b []byte) {
		switch kind {
		case "iinf":
			items = itemIDs(b)
		case "iloc":
			places = b
		}
	})
	ids, entries, head := itemPlaces(places)
	if len(ids) == 0 || len(items) == 0 || slices.Equal(ids, items) {
		return
	}
	sorted := make([]byte, 0, len(places))
	for _, id := range items {
		if i := slices.Index(ids, id); i >= 0 {
			sorted = append(sorted, entries[i]...)
			ids, entries = slices.Delete(ids, i, i+1), slices.Delete(entries, i, i+1)
		}
	}
	for _, e := range entries {
		sorted = append(sorted, e...)
	}
	at := cap(meta) - cap(places) + head // places is a part of meta
	h.changes = append(h.changes, change{off + int64(at), sorted})
}

// itemIDs are the ids of an item information box, in its order.
func itemIDs(iinf []byte) (ids []uint32) {
	f := fields{b: iinf}
	skip := 2 // how the number of items is written
	if f.uint(1) > 0 {
		skip = 4
	}
	f.uint(3)
	f.uint(skip)
	boxes(f.b, func(kind string, b []byte) {
		if kind != "infe" || len(ids) == maxItems {
			return
		}
		r := fields{b: b}
		version := r.uint(1)
		r.uint(3)
		if version < 3 {
			version = 0 // the id has 16 bits
		}
		ids = append(ids, r.id(version))
	})
	return ids
}

// maxItems bounds the items that are put in order. A phone's picture of 48 tiles has some sixty.
const maxItems = 4096

// itemPlaces takes an item location box apart: the items it names, the entry of each, and where the first begins. It
// returns nothing when the box is not whole.
func itemPlaces(iloc []byte) (ids []uint32, entries [][]byte, head int) {
	f := fields{b: iloc}
	version := f.uint(1)
	f.uint(3)
	sizes := f.uint(2)
	offset, length, base, index := int(sizes>>12), int(sizes>>8&15), int(sizes>>4&15), int(sizes&15)
	if version == 0 {
		index = 0
	}
	wide := version / 2 // from version 2 on, ids and their number have 32 bits
	count := f.id(wide)
	if version > 2 || count > maxItems {
		return nil, nil, 0
	}
	head = len(iloc) - len(f.b)
	for range count {
		start := f.b
		id := f.id(wide)
		if version > 0 {
			f.uint(2)
		}
		f.uint(2)
		f.skip(base)
		for n := f.uint(2); n > 0 && f.b != nil; n-- {
			f.skip(index + offset + length)
		}
		if f.b == nil {
			return nil, nil, 0
		}
		ids, entries = append(ids, id), append(entries, start[:len(start)-len(f.b)])
	}
	return ids, entries, head
}

// ReadAt implements io.ReaderAt.
func (h *hidden) ReadAt(b []byte, off int64) (int, error) {
	n, err := h.ReaderAt.ReadAt(b, off)
	for _, c := range h.changes {
		if from := c.at - off; from >= 0 {
			copy(b[min(from, int64(n)):n], c.b)
		} else if -from < int64(len(c.b)) {
			copy(b[:n], c.b[-from:])
		}
	}
	return n, err
}
