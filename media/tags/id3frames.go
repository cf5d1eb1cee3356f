package tags

import (
	"bytes"
	"encoding/binary"
	"io"

	"picora/media"
)

// apic reads an attached picture: encoding, MIME type, kind, description, picture.
func apic(b []byte) (c Cover) {
	if len(b) < 1 {
		return c
	}
	mime, rest, found := bytes.Cut(b[1:], []byte{0})
	if !found || len(mime) > 64 || len(rest) < 1 {
		return c
	}
	c.MIME, c.Kind = string(mime), int(rest[0])
	c.Data = behindText(b[0], rest[1:])
	return c
}

// pic is the same of version 2.2: encoding, three letters, kind, description, picture.
func pic(b []byte) (c Cover) {
	if len(b) < 5 {
		return c
	}
	c.MIME, c.Kind = string(b[1:4]), int(b[4])
	c.Data = behindText(b[0], b[5:])
	return c
}

// behindText is what follows a text that a zero ends, which has two bytes in UTF-16.
func behindText(encoding byte, b []byte) []byte {
	if encoding != 1 && encoding != 2 {
		_, rest, _ := bytes.Cut(b, []byte{0})
		return rest
	}
	for i := 0; i+1 < len(b); i += 2 {
		if b[i] == 0 && b[i+1] == 0 {
			return b[i+2:]
		}
	}
	return nil
}

// chapter reads one: its id, four times, frames of its own (ID3v2 Chapter Frame Addendum 1.0).
func (t *Tags) chapter(b []byte) {
	_, rest, found := bytes.Cut(b, []byte{0})
	if !found || len(rest) < 16 || len(t.Chapters) >= media.MaxChapters {
		return
	}
	c := media.Chapter{Start: float64(binary.BigEndian.Uint32(rest)) / 1000, End: float64(binary.BigEndian.Uint32(rest[4:])) / 1000}
	var title Tags
	for b := rest[16:]; len(b) > 0; {
		// A chapter's frames look like its tag's; 2.3 and 2.4 differ in long lengths only.
		f, more, ok := id3Next(3, b)
		if !ok {
			break
		}
		if b = more; f.name == "TIT2" {
			title.id3Frame(f)
			break
		}
	}
	c.Title = title.Title
	t.Chapters = append(t.Chapters, c)
}

// id3v1 reads the tag at the end, for what others did not say.
func (t *Tags) id3v1(r io.ReaderAt, size int64) {
	var b [128]byte
	if size < int64(len(b)) {
		return
	}
	if _, err := r.ReadAt(b[:], size-int64(len(b))); err != nil && err != io.EOF || string(b[:3]) != "TAG" {
		return
	}
	for _, field := range [][]byte{b[3:33], b[33:63], b[63:93]} { // some fill with what was in memory
		if i := bytes.IndexByte(field, 0); i >= 0 {
			clear(field[i:])
		}
	}
	m := parse(b[:])
	t.take(m, Legacy)
	if m != nil && t.Year == 0 {
		t.Year = Year(string(b[93:97]))
	}
}
