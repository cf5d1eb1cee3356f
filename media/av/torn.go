package av

import (
	"encoding/binary"
	"io"
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
