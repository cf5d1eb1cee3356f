package av

import (
	"encoding/binary"
	"io"
	"math/bits"
)

// Elements of Matroska (RFC 9559 section 5.1, RFC 8794 section 11.3).
const (
	ebmlHead        = 0x1A45DFA3
	matroskaSegment = 0x18538067
	matroskaTags    = 0x1254C367
	ebmlVoid        = 0xEC
)

const (
	// mostTags is how many bytes of tags FFmpeg is given. It compares each with all others,
	// so a megabyte takes minutes.
	mostTags = 128 << 10
	// mostElements bounds the walk over a segment: clusters of a second for a week are fewer.
	mostElements = 1_000_000
)

// matroska is a Matroska file as FFmpeg is to read it, and whether it is shorter than it says.
func matroska(r io.ReaderAt, size int64) (read io.ReaderAt, cut bool) {
	at, long, ok := ebml(r, 0, ebmlHead)
	if !ok || long < 0 || long > 4096 {
		return r, false
	}
	begin, long, ok := ebml(r, at+long, matroskaSegment)
	if !ok {
		return r, false
	}
	h := hidden{ReaderAt: r}
	tags, end := int64(0), size
	if long >= 0 { // one that was streamed does not know its length
		end = min(end, begin+long)
	}
	for at, n := begin, 0; at < end && n < mostElements; n++ {
		id, from, long, ok := element(r, at)
		if !ok || long < 0 || long > size-from {
			break
		}
		if id == matroskaTags {
			if tags += long; tags > mostTags {
				h.changes = append(h.changes, change{at, voided(int(from-at), long)})
			}
		}
		at = from + long
	}
	if h.changes != nil {
		read = &h
	} else {
		read = r
	}
	return read, long > size-begin
}

// voided is the head of an element that means nothing, as long as one of so many bytes
// before so many others.
func voided(head int, content int64) []byte {
	width := min(head-1, 8)
	content += int64(head - 1 - width)
	b := make([]byte, 9)
	b[0] = ebmlVoid
	binary.BigEndian.PutUint64(b[1:], uint64(content)<<(64-8*width))
	b[1] |= 1 << (8 - width)
	return b[:1+width]
}

// ebml finds the content of the element there, when it is that.
func ebml(r io.ReaderAt, at int64, id uint32) (begin, long int64, ok bool) {
	is, begin, long, ok := element(r, at)
	return begin, long, ok && is == id
}

// element reads the head of an element (RFC 8794 sections 4 to 6): what it is, and where its
// content is. Long is negative when it does not know its length.
func element(r io.ReaderAt, at int64) (id uint32, begin, long int64, ok bool) {
	var b [12]byte
	n, _ := r.ReadAt(b[:], at)
	if n < 2 || b[0] < 0x10 {
		return 0, 0, 0, false
	}
	wide := bits.LeadingZeros8(b[0]) + 1
	for _, c := range b[:wide] {
		id = id<<8 | uint32(c)
	}
	v := b[wide:]
	if v[0] == 0 {
		return 0, 0, 0, false
	}
	width := bits.LeadingZeros8(v[0]) + 1
	if n < wide+width {
		return 0, 0, 0, false
	}
	value := uint64(v[0]) & (0xFF >> width)
	for _, c := range v[1:width] {
		value = value<<8 | uint64(c)
	}
	if value == 1<<(7*width)-1 {
		return id, at + int64(wide+width), -1, true
	}
	return id, at + int64(wide+width), int64(value), true
}
