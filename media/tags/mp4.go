package tags

import (
	"encoding/binary"
	"io"
)

// mp4 reads the list of iTunes' items, moov/udta/meta/ilst (QuickTime File Format, "Metadata").
func (t *Tags) mp4(r io.ReaderAt, size int64) {
	b := boxWalk{r: r}
	b.each(0, size, func(name string, from, to int64) {
		if name != "moov" {
			return
		}
		b.each(from, to, func(name string, from, to int64) {
			switch name {
			case "udta":
				b.each(from, to, func(name string, from, to int64) {
					if name == "meta" {
						t.mp4Meta(&b, from, to)
					}
				})
			case "meta":
				t.mp4Meta(&b, from, to)
			}
		})
	})
}

func (t *Tags) mp4Meta(b *boxWalk, from, to int64) {
	var head [8]byte // a version and flags stand in front, but not in QuickTime's
	if n, _ := b.r.ReadAt(head[:], from); n == len(head) && string(head[4:]) != "hdlr" {
		from += 4
	}
	b.each(from, to, func(name string, from, to int64) {
		if name == "ilst" {
			b.each(from, to, func(name string, from, to int64) { t.mp4Item(b.r, name, from, to) })
		}
	})
}

// mp4Item takes one: its data boxes have a type, a language and a value.
func (t *Tags) mp4Item(r io.ReaderAt, name string, from, to int64) {
	most := int64(maxWord)
	switch name {
	case "\xa9nam", "\xa9ART", "\xa9alb", "\xa9gen", "trkn", "\xa9day":
	case "covr":
		most = maxCover
	default:
		return
	}
	if to-from < 16 || to-from > most+16 {
		return
	}
	item := make([]byte, to-from)
	if _, err := r.ReadAt(item, from); err != nil && err != io.EOF {
		return
	}
	n := int64(binary.BigEndian.Uint32(item))
	if string(item[4:8]) != "data" || n < 16 || n > int64(len(item)) {
		return
	}
	item = item[:n]
	switch name {
	case "covr":
		t.cover(Cover{Kind: frontCover, Data: item[16:]})
	case "\xa9day":
		if t.Year == 0 {
			t.Year = Year(string(item[16:min(len(item), 80)]))
		}
	default:
		file := []byte("\x00\x00\x00\x10ftypM4A \x00\x00\x00\x00")
		file = binary.BigEndian.AppendUint32(file, uint32(8+len(item)))
		t.take(parse(append(append(file, name...), item...)), Legacy)
	}
}

// boxWalk reads the heads of boxes (ISO/IEC 14496-12 section 4.2), of all the file no more than maxParts.
type boxWalk struct {
	r    io.ReaderAt
	seen int
}

// each calls do with the name and the body of every box between two places.
func (b *boxWalk) each(from, to int64, do func(name string, from, to int64)) {
	var head [16]byte
	for ; from+8 <= to && b.seen < maxParts; b.seen++ {
		n, _ := b.r.ReadAt(head[:min(16, to-from)], from)
		if n < 8 {
			return
		}
		size, skip := int64(binary.BigEndian.Uint32(head[:])), int64(8)
		switch {
		case size == 0:
			size = to - from
		case size == 1 && n == 16:
			size, skip = int64(binary.BigEndian.Uint64(head[8:])), 16
		}
		if size < skip || size > to-from {
			return
		}
		do(string(head[4:8]), from+skip, from+size)
		from += size
	}
}
