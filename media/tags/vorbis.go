package tags

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"io"
	"strings"
)

// flac reads the blocks in front of the sound (RFC 9639 section 8).
func (t *Tags) flac(r io.ReaderAt, at, size int64) {
	const comments, picture = 4, 6
	var head [4]byte
	if _, err := r.ReadAt(head[:], at); err != nil || string(head[:]) != "fLaC" {
		return
	}
	at += 4
	for range maxParts {
		if _, err := r.ReadAt(head[:], at); err != nil {
			return
		}
		n := int64(binary.BigEndian.Uint32(head[:]) & 0xFFFFFF)
		if at += 4; at+n > size {
			return
		}
		if kind := head[0] & 0x7F; kind == comments || kind == picture {
			b := make([]byte, n)
			if _, err := r.ReadAt(b, at); err != nil && err != io.EOF {
				return
			}
			if kind == picture {
				t.cover(flacPicture(b))
			} else {
				t.comments(b)
			}
		}
		if at += n; head[0]&0x80 != 0 {
			return
		}
	}
}

// flacPicture reads a picture's block (RFC 9639 section 8.8).
func flacPicture(b []byte) (c Cover) {
	next := func(n int) []byte {
		if n < 0 || n > len(b) {
			b = nil
			return nil
		}
		v := b[:n]
		b = b[n:]
		return v
	}
	length := func() int {
		if v := next(4); v != nil {
			return int(binary.BigEndian.Uint32(v))
		}
		return -1
	}
	c.Kind = length()
	c.MIME = string(next(length()))
	next(length()) // description
	next(16)       // its size, depth, colours: the picture itself says
	c.Data = next(length())
	c.MIME = c.MIME[:min(len(c.MIME), 64)]
	return c
}

// comments reads a Vorbis comment header: a vendor, a number, so many "NAME=text".
func (t *Tags) comments(b []byte) {
	next := func() ([]byte, bool) {
		if len(b) < 4 {
			return nil, false
		}
		n := int64(binary.LittleEndian.Uint32(b))
		if b = b[4:]; n > int64(len(b)) {
			return nil, false
		}
		v := b[:n]
		b = b[n:]
		return v, true
	}
	if _, ok := next(); !ok || len(b) < 4 {
		return
	}
	b = b[4:] // how many; the bytes tell as well
	for range maxParts {
		comment, ok := next()
		if !ok {
			return
		}
		name, value, found := bytes.Cut(comment, []byte("="))
		if !found || len(name) > 32 {
			continue
		}
		t.comment(strings.ToLower(string(name)), value)
	}
}

func (t *Tags) comment(name string, value []byte) {
	switch name {
	case "title", "artist", "album", "genre", "tracknumber":
		t.take(parse(flacFile(name, value[:min(len(value), maxWord)])), Legacy)
	case "date", "year", "originaldate":
		if t.Year == 0 {
			t.Year = Year(string(value[:min(len(value), 64)]))
		}
	case "metadata_block_picture":
		if len(value) <= maxCover/3*4 {
			if b, err := base64.StdEncoding.DecodeString(string(value)); err == nil {
				t.cover(flacPicture(b))
			}
		}
	}
}

// flacFile is a FLAC with one comment and nothing else.
func flacFile(name string, value []byte) []byte {
	if name == "tracknumber" {
		value, _, _ = bytes.Cut(value, []byte("/"))
	}
	comment := append([]byte(name+"="), value...)
	var b []byte
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.LittleEndian.AppendUint32(b, 1)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(comment)))
	b = append(b, comment...)
	return append(append([]byte("fLaC\x84"), byte(len(b)>>16), byte(len(b)>>8), byte(len(b))), b...)
}

// ogg reads the comments, which are the second packet of the first stream (RFC 3533).
func (t *Tags) ogg(r io.ReaderAt, size int64) {
	packet := oggSecond(r, size)
	switch {
	case bytes.HasPrefix(packet, []byte("\x03vorbis")):
		t.comments(packet[7:])
	case bytes.HasPrefix(packet, []byte("OpusTags")):
		t.comments(packet[8:])
	case len(packet) > 4 && packet[0]&0x7F == 4: // FLAC's block
		t.comments(packet[4:])
	default: // Speex writes them without a name; what is none is not read as one
		t.comments(packet)
	}
}

// oggSecond returns the second packet of the file's first stream.
func oggSecond(r io.ReaderAt, size int64) (packet []byte) {
	var serial [4]byte
	seen := 0
	for at, page := int64(0), 0; page < maxParts; page++ {
		var head [27 + 255]byte
		n, _ := r.ReadAt(head[:min(int64(len(head)), max(0, size-at))], at)
		if n < 27 || string(head[:4]) != "OggS" || n < 27+int(head[26]) {
			return nil
		}
		lengths := head[27 : 27+int(head[26])]
		body := 0
		for _, l := range lengths {
			body += int(l)
		}
		at += int64(27 + len(lengths))
		if page == 0 {
			copy(serial[:], head[14:18])
		}
		if string(serial[:]) != string(head[14:18]) {
			at += int64(body)
			continue
		}
		b := make([]byte, body)
		if _, err := r.ReadAt(b, at); err != nil && err != io.EOF {
			return nil
		}
		at += int64(body)
		for _, l := range lengths {
			if seen == 1 {
				packet = append(packet, b[:l]...)
			}
			b = b[l:]
			if l < 255 {
				if seen++; seen == 2 {
					return packet
				}
			}
		}
		if len(packet) > maxTag {
			return nil
		}
	}
	return nil
}
