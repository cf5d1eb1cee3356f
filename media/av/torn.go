package av

import (
	"encoding/binary"
	"io"
	"math/bits"
)

// maxBoxes bounds the walk over a file's outermost boxes: fragments of a second for a
// month are fewer.
const maxBoxes = 6_000_000

// torn is the outermost box that an MP4 ends inside of, and where it begins (ISO/IEC
// 14496-12 section 4.2); empty: none.
func torn(r io.ReaderAt, size int64) (kind string, at int64) {
	var head [16]byte
	for n := 0; at < size && n < maxBoxes; n++ {
		k, _ := r.ReadAt(head[:min(16, size-at)], at)
		if k < 8 {
			return "", 0
		}
		long := int64(binary.BigEndian.Uint32(head[:]))
		if long == 1 && k == 16 {
			long = int64(binary.BigEndian.Uint64(head[8:]))
		}
		if long < 8 { // 0: up to the end
			return "", 0
		}
		if long > size-at {
			return string(head[4:8]), at
		}
		at += long
	}
	return "", 0
}

// damage is what is known of a file before it is opened.
type damage struct {
	media  bool // it is an MP4 that ends inside its media
	tables bool // or inside of a fragment's tables
	short  bool // it is Matroska that says it has more bytes
}

// cutMatroska says whether a Matroska file is shorter than the segment in it says (RFC 9559
// section 5.1, RFC 8794 sections 4 to 6).
func cutMatroska(r io.ReaderAt, size int64) bool {
	var b [12]byte
	element := func(at int64, id uint32) (begin, long int64, ok bool) {
		n, _ := r.ReadAt(b[:], at)
		if n < len(b) || binary.BigEndian.Uint32(b[:]) != id || b[4] == 0 {
			return 0, 0, false
		}
		width := bits.LeadingZeros8(b[4]) + 1
		value := uint64(b[4]) & (0xFF >> width)
		for _, c := range b[5 : 4+width] {
			value = value<<8 | uint64(c)
		}
		if value == 1<<(7*width)-1 { // unknown
			return 0, 0, false
		}
		return at + 4 + int64(width), int64(value), true
	}
	begin, long, ok := element(0, 0x1A45DFA3)
	if !ok || long > 4096 {
		return false
	}
	begin, long, ok = element(begin+long, 0x18538067)
	return ok && long > size-begin
}

// mend looks whether the end of an MP4 is missing, and returns how many bytes of it to
// read: of tables that are cut off none, for FFmpeg then reads nothing at all of the file.
func mend(r io.ReaderAt, size int64) (int64, damage) {
	switch kind, at := torn(r, size); kind {
	case "mdat":
		return size, damage{media: true}
	case "moof":
		return at, damage{tables: true}
	case "mfra", "sidx", "styp", "emsg", "free", "skip", "uuid":
		return at, damage{}
	}
	return size, damage{}
}

// mostMissing is how many samples in a row may lie behind the end of a file until nothing
// more is looked for: a fragment has fewer.
const mostMissing = 1 << 16

// again says whether to read on at the end of the file. FFmpeg's reader of MP4 says that it
// is at the end at each sample that is missing; but what is missing may be of one stream,
// and those of another still come.
func (f *Film) again() bool {
	f.ends++
	return f.damage.media && f.ends <= mostMissing
}
