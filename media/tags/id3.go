package tags

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"io"

	"picora/media"
)

// An id3Frame is one of ID3v2's, as it was before it was compressed or unsynchronised.
type id3Frame struct {
	name string // of version 2.3, whatever the version
	body []byte
}

// names of version 2.2 that are wanted, by those of 2.3.
var names22 = map[string]string{"TT2": "TIT2", "TP1": "TPE1", "TAL": "TALB", "TCO": "TCON", "TRK": "TRCK", "TYE": "TYER", "PIC": "APIC"}

// id3v2 reads the tags in front of end.
func (t *Tags) id3v2(r io.ReaderAt, end int64) {
	for at := int64(0); at < end; {
		var head [10]byte
		if _, err := r.ReadAt(head[:], at); err != nil {
			return
		}
		n := int64(media.ID3Len(head[:]))
		if n == 0 {
			return
		}
		body := make([]byte, min(n-10, maxTag))
		if _, err := r.ReadAt(body, at+10); err != nil && err != io.EOF {
			return
		}
		id3Frames(head[3], head[5], body, t.id3Frame)
		at += n
	}
}

// id3Frame takes what is wanted of a frame.
func (t *Tags) id3Frame(f id3Frame) {
	switch f.name {
	case "TIT2", "TPE1", "TALB", "TCON", "TRCK":
		t.take(parse(id3File(f)), words(f.body))
	case "TYER", "TDRC", "TDRL", "TDOR":
		if m := parse(id3File(f)); m != nil && t.Year == 0 {
			s, _ := m.Raw()[f.name].(string)
			t.Year = Year(s)
		}
	case "APIC":
		t.cover(apic(f.body))
	case "PIC": // of version 2.2: the type is three letters
		t.cover(pic(f.body))
	case "CHAP":
		t.chapter(f.body)
	}
}

// words says how the library's text is to be taken: it believes that the first byte tells the encoding.
func words(body []byte) func(string) string {
	if len(body) > 0 && (body[0] == 1 || body[0] == 2) {
		return asIs
	}
	if len(body) > 0 && body[0] == 3 {
		return Legacy
	}
	return latin
}

// id3File is a tag of version 2.3 with one frame, whose text ends with its first zero.
func id3File(f id3Frame) []byte {
	body := bytes.Clone(f.body[:min(len(f.body), maxWord)])
	if len(body) > 0 {
		text := body[1:]
		if wide := body[0] == 1 || body[0] == 2; wide {
			text = text[:len(text)&^1]
			for i := 0; i < len(text); i += 2 {
				if text[i] == 0 && text[i+1] == 0 {
					text = text[:i]
				}
			}
		} else if i := bytes.IndexByte(text, 0); i >= 0 {
			text = text[:i]
		}
		body = body[:1+len(text)]
	}
	out := []byte("ID3\x03\x00\x00")
	n := len(body) + 10 + 16 // padding, which tells the library where to stop
	out = append(out, 0, byte(n>>14), byte(n>>7&0x7F), byte(n&0x7F))
	out = append(out, f.name...)
	out = binary.BigEndian.AppendUint32(out, uint32(len(body)))
	out = append(append(out, 0, 0), body...)
	return append(out, make([]byte, 16)...)
}

// id3Frames calls do with the frames of a tag (ID3v2.2, 2.3.0 and 2.4.0).
func id3Frames(version, flags byte, b []byte, do func(id3Frame)) {
	const unsync, extended = 0x80, 0x40
	if flags&unsync != 0 && version < 4 {
		b = resync(b)
	}
	if flags&extended != 0 && version > 2 {
		if len(b) < 4 {
			return
		}
		n := int(binary.BigEndian.Uint32(b)) + 4
		if version == 4 {
			n = synchsafe(b)
		}
		if n < 0 || n > len(b) {
			return
		}
		b = b[n:]
	}
	for range maxParts {
		f, rest, ok := id3Next(version, b)
		if !ok {
			return
		}
		if b = rest; f.name != "" {
			do(f)
		}
	}
}

// id3Next takes the first frame off b. Its name is empty when it cannot be read.
func id3Next(version byte, b []byte) (f id3Frame, rest []byte, ok bool) {
	if version == 2 {
		if len(b) < 6 || !plainName(b[:3]) {
			return f, nil, false
		}
		n := int(b[3])<<16 | int(b[4])<<8 | int(b[5])
		if n > len(b)-6 {
			return f, nil, false
		}
		f = id3Frame{names22[string(b[:3])], b[6 : 6+n]}
		if f.name == "APIC" {
			f.name = "PIC"
		}
		return f, b[6+n:], true
	}
	if version > 4 || len(b) < 10 || !plainName(b[:4]) {
		return f, nil, false
	}
	n := int(binary.BigEndian.Uint32(b[4:]))
	if version == 4 {
		// iTunes wrote plain lengths; the next frame tells.
		if safe := synchsafe(b[4:]); safe >= 0 && (follows(b, safe) || !follows(b, n)) {
			n = safe
		}
	}
	if n < 0 || n > len(b)-10 {
		return f, nil, false
	}
	f = id3Frame{string(b[:4]), b[10 : 10+n]}
	if !wanted(f.name) {
		f.name = ""
	} else if f.body, ok = id3Body(version, b[9], f.body); !ok {
		f.name = ""
	}
	return f, b[10+n:], true
}

func wanted(name string) bool {
	switch name {
	case "TIT2", "TPE1", "TALB", "TCON", "TRCK", "TYER", "TDRC", "TDRL", "TDOR", "APIC", "CHAP":
		return true
	}
	return false
}

// follows says whether behind a frame of n bytes comes another, or padding, or the end.
func follows(b []byte, n int) bool {
	if n < 0 || n > len(b)-10 {
		return false
	}
	b = b[10+n:]
	return len(b) < 10 || b[0] == 0 || plainName(b[:4])
}

func plainName(b []byte) bool {
	for _, c := range b {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// id3Body undoes what a frame's flags say was done (2.3.0 section 3.3.1, 2.4.0 section 4.1.2).
func id3Body(version, flags byte, b []byte) ([]byte, bool) {
	grouped, encrypted, compressed, unsynced, counted := flags&0x20 != 0, flags&0x40 != 0, flags&0x80 != 0, false, flags&0x80 != 0
	if version == 4 {
		grouped, encrypted, compressed, unsynced, counted = flags&0x40 != 0, flags&4 != 0, flags&8 != 0, flags&2 != 0, flags&1 != 0
	}
	if encrypted {
		return nil, false
	}
	skip := 0
	if grouped {
		skip++
	}
	if counted {
		skip += 4
	}
	if skip > len(b) {
		return nil, false
	}
	b = b[skip:]
	if unsynced {
		b = resync(b)
	}
	if compressed {
		z, err := zlib.NewReader(bytes.NewReader(b))
		if err != nil {
			return nil, false
		}
		b, err = io.ReadAll(io.LimitReader(z, maxCover))
		return b, err == nil
	}
	return b, true
}

// resync undoes unsynchronisation: a zero behind FF is not the file's.
func resync(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i, c := range b {
		if c != 0 || i == 0 || b[i-1] != 0xFF {
			out = append(out, c)
		}
	}
	return out
}

// synchsafe reads a length of four times seven bits, -1 when it is none.
func synchsafe(b []byte) (n int) {
	for _, c := range b[:4] {
		if c > 0x7F {
			return -1
		}
		n = n<<7 | int(c)
	}
	return n
}
