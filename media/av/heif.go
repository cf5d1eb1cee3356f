package av

import (
	"bytes"
	"encoding/binary"
	"io"
)

// maxMeta bounds the box that describes the items of a HEIF file; phones write a few kB.
const maxMeta = 4 << 20

// heifItems returns the primary item of a HEIF or AVIF file and the item that is its alpha plane (ISO/IEC 23008-12,
// 6.5.8 and 6.6.2), which FFmpeg 7.1 shows as a picture among others. Both are 0 where there are none.
func heifItems(r io.ReaderAt, size int64) (primary, alpha uint32) {
	if meta, _ := metaBox(r, size); meta != nil {
		return metaItems(meta)
	}
	return 0, 0
}

// metaBox reads the body of a file's meta box, and says where it is. It is nil when there is none.
func metaBox(r io.ReaderAt, size int64) (body []byte, off int64) {
	var head [16]byte
	for at, n := int64(0), 0; at+8 <= size && n < 64; n++ {
		if _, err := r.ReadAt(head[:min(16, size-at)], at); err != nil {
			return nil, 0
		}
		length, skip := int64(binary.BigEndian.Uint32(head[:])), int64(8)
		switch length {
		case 0:
			length = size - at
		case 1:
			length, skip = int64(binary.BigEndian.Uint64(head[8:])), 16
		}
		if length < skip || length > size-at {
			return nil, 0
		}
		if string(head[4:8]) == "meta" && length <= maxMeta {
			meta := make([]byte, length-skip)
			if _, err := r.ReadAt(meta, at+skip); err != nil && err != io.EOF {
				return nil, 0
			}
			return meta, at + skip
		}
		at += length
	}
	return nil, 0
}

// metaItems reads the body of a meta box.
func metaItems(meta []byte) (primary, alpha uint32) {
	if len(meta) < 4 {
		return 0, 0
	}
	var iref, iprp []byte
	boxes(meta[4:], func(kind string, b []byte) {
		switch kind {
		case "pitm":
			f := fields{b: b}
			version := f.uint(1)
			f.uint(3)
			primary = f.id(version)
		case "iref":
			iref = b
		case "iprp":
			iprp = b
		}
	})
	for _, id := range auxiliaries(iref, primary) {
		if isAlpha(iprp, id) {
			return primary, id
		}
	}
	return primary, 0
}

// auxiliaries returns the items that an item reference box says belong to the primary one.
func auxiliaries(iref []byte, primary uint32) (ids []uint32) {
	f := fields{b: iref}
	version := f.uint(1)
	f.uint(3)
	boxes(f.b, func(kind string, b []byte) {
		if kind != "auxl" {
			return
		}
		r := fields{b: b}
		from := r.id(version)
		for n := r.uint(2); n > 0 && len(r.b) > 0; n-- {
			if r.id(version) == primary {
				ids = append(ids, from)
			}
		}
	})
	return ids
}

// isAlpha tells whether one of an item's properties says that it is an alpha plane.
func isAlpha(iprp []byte, item uint32) (yes bool) {
	var alphas []int // properties count from 1
	boxes(iprp, func(kind string, b []byte) {
		if kind == "ipco" {
			n := 0
			boxes(b, func(kind string, p []byte) {
				n++
				if kind == "auxC" && len(p) > 4 {
					urn, _, _ := bytes.Cut(p[4:], []byte{0})
					if s := string(urn); s == "urn:mpeg:mpegB:cicp:systems:auxiliary:alpha" || s == "urn:mpeg:hevc:2015:auxid:1" {
						alphas = append(alphas, n)
					}
				}
			})
		}
	})
	boxes(iprp, func(kind string, b []byte) {
		if kind == "ipma" {
			yes = yes || associated(b, item, alphas)
		}
	})
	return yes
}

// associated tells whether an item property association box gives the item one of the properties.
func associated(ipma []byte, item uint32, properties []int) (yes bool) {
	f := fields{b: ipma}
	version, wide := f.uint(1), f.uint(3)&1 == 1
	if version > 0 {
		version = 1 // the ids have 32 bits
	}
	for n := f.uint(4); n > 0 && len(f.b) > 0; n-- {
		id := f.id(version)
		for k := f.uint(1); k > 0; k-- {
			index := f.uint(1) & 0x7f
			if wide {
				index = index<<8 | f.uint(1)
			}
			for _, p := range properties {
				yes = yes || id == item && int(index) == p
			}
		}
	}
	return yes
}

// boxes calls f with the kind and body of each box in b.
func boxes(b []byte, f func(kind string, body []byte)) {
	for len(b) >= 8 {
		n := binary.BigEndian.Uint32(b)
		if n == 0 {
			n = uint32(len(b))
		}
		if n < 8 || uint64(n) > uint64(len(b)) {
			return
		}
		f(string(b[4:8]), b[8:n])
		b = b[n:]
	}
}

// fields reads big-endian numbers; past the end they are 0.
type fields struct{ b []byte }

func (f *fields) uint(n int) (v uint32) {
	if len(f.b) < n {
		f.b = nil
		return 0
	}
	for _, c := range f.b[:n] {
		v = v<<8 | uint32(c)
	}
	f.b = f.b[n:]
	return v
}

// skip leaves out n bytes. At the end of all bytes, and past it, b is nil or empty.
func (f *fields) skip(n int) {
	if len(f.b) < n {
		f.b = nil
		return
	}
	f.b = f.b[n:]
}

// id reads an item's id: 16 bits in version 0 of the box around it, else 32.
func (f *fields) id(version uint32) uint32 {
	if version == 0 {
		return f.uint(2)
	}
	return f.uint(4)
}
