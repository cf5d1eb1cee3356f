package corpus

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
)

// box is a box of an MP4 (ISO/IEC 14496-12 section 4.2).
func box(kind string, content ...[]byte) []byte {
	all := slices.Concat(content...)
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(8+len(all))), kind...), all...)
}

// full is a box with a version and flags.
func full(kind string, version byte, flags uint32, content ...[]byte) []byte {
	return box(kind, slices.Concat(append([][]byte{binary.BigEndian.AppendUint32(nil, uint32(version)<<24|flags)}, content...)...))
}

func be32(v ...uint32) (b []byte) {
	for _, n := range v {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return b
}

// change is an MP4 whose boxes at the path (such as moov/trak/tkhd; all of that name)
// were given another content, from their old one. Sizes around them follow. Where the
// tables lie behind the media, nothing else has to.
func change(file []byte, path string, to func(content []byte) []byte) []byte {
	first, rest, deeper := strings.Cut(path, "/")
	var out []byte
	for len(file) >= 8 {
		n := int(binary.BigEndian.Uint32(file))
		if n < 8 || n > len(file) {
			break
		}
		kind, content := string(file[4:8]), file[8:n]
		switch {
		case kind == first && deeper:
			content = change(content, rest, to)
		case kind == first:
			content = to(bytes.Clone(content))
		}
		if content != nil { // nil: it goes
			out = append(out, box(kind, content)...)
		}
		file = file[n:]
	}
	return append(out, file...)
}

// set is a change that overwrites bytes at a place of the content.
func set(at int, b ...byte) func([]byte) []byte {
	return func(content []byte) []byte {
		copy(content[min(at, len(content)):], b)
		return content
	}
}

// element is an element of Matroska (RFC 8794).
func element(id string, content ...[]byte) []byte {
	all := slices.Concat(content...)
	size := binary.BigEndian.AppendUint64(nil, uint64(len(all)))
	size[0] = 0x01 // eight bytes
	return slices.Concat([]byte(id), size, all)
}

// chunk is a chunk of a RIFF file.
func chunk(kind string, content ...[]byte) []byte {
	all := slices.Concat(content...)
	b := append([]byte(kind), binary.LittleEndian.AppendUint32(nil, uint32(len(all)))...)
	if b = append(b, all...); len(all)%2 == 1 {
		b = append(b, 0)
	}
	return b
}

func le32(v ...uint32) (b []byte) {
	for _, n := range v {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	return b
}
