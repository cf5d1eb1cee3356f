// Package tags reads what an audio file says of itself: title, artist, chapters, the
// pictures inside it. It belongs into the worker.
//
// The words are read by dhowden/tag, which believes every length that it meets. So it
// never sees the file: each container is walked here, with bounds, and what is wanted is
// written anew, a tiny file for each word.
package tags

import (
	"bytes"
	"io"
	"regexp"
	"strconv"

	"github.com/dhowden/tag"

	"picora/media"
)

const (
	maxTag    = 32 << 20 // of an ID3v2 tag, or of a packet of comments, is read
	maxCover  = 20 << 20 // one picture
	maxCovers = 4
	maxWord   = 8 << 10 // one text as it is written, longer ones are cut
	maxParts  = 10_000  // frames, blocks, boxes, comments of a file
)

// Tags are what a file says of itself. What it does not say is zero.
type Tags struct {
	Title, Artist, Album, Genre string
	Track, Year                 int
	Chapters                    []media.Chapter // of ID3; End is 0 where it is not told
	Covers                      []Cover         // the front first
}

// A Cover is a picture inside the file.
type Cover struct {
	MIME string // as the file says; "-->" means that Data is an address
	Kind int    // ID3's number: 3 is the front
	Data []byte
}

// Begin returns where the file begins behind the ID3v2 tags that stand in front of it.
func Begin(r io.ReaderAt, size int64) (at int64) {
	var head [10]byte
	for range 8 {
		if n, _ := r.ReadAt(head[:], at); n < len(head) {
			return at
		}
		n := int64(media.ID3Len(head[:]))
		if n == 0 || at+n > size {
			return at
		}
		at += n
	}
	return at
}

// Read reads the tags of a file whose type is t. It never fails: of a damaged tag it
// returns what it could read. A WAV has none that are read here.
func Read(r io.ReaderAt, size int64, t media.Type) (out Tags) {
	begin := int64(0)
	if t == media.MP3 || t == media.FLAC {
		begin = Begin(r, size)
		out.id3v2(r, begin)
	}
	switch t {
	case media.MP3:
		out.id3v1(r, size)
	case media.FLAC:
		out.flac(r, begin, size)
	case media.Ogg:
		out.ogg(r, size)
	case media.M4A:
		out.mp4(r, size)
	}
	for i, c := range out.Covers {
		if c.Kind == frontCover {
			copy(out.Covers[1:i+1], out.Covers[:i])
			out.Covers[0] = c
			break
		}
	}
	return out
}

const frontCover = 3

func (t *Tags) cover(c Cover) {
	if len(t.Covers) < maxCovers && len(c.Data) > 0 && len(c.Data) <= maxCover {
		t.Covers = append(t.Covers, c)
	}
}

// parse has the library read a tiny file. It is old and panics on some.
func parse(b []byte) (m tag.Metadata) {
	defer func() {
		if recover() != nil {
			m = nil
		}
	}()
	m, err := tag.ReadFrom(bytes.NewReader(b))
	if err != nil {
		return nil
	}
	return m
}

// safely calls a method of what the library read.
func safely[T any](get func() T) (v T) {
	defer func() { recover() }()
	return get()
}

// take fills what is still empty with what the library read in a tiny file.
func (t *Tags) take(m tag.Metadata, words func(string) string) {
	if m == nil {
		return
	}
	for _, f := range []struct {
		to  *string
		get func() string
	}{{&t.Title, m.Title}, {&t.Artist, m.Artist}, {&t.Album, m.Album}, {&t.Genre, m.Genre}} {
		if *f.to == "" {
			*f.to = Clean(words(safely(f.get)))
		}
	}
	if t.Track == 0 {
		t.Track = number(safely(func() int { n, _ := m.Track(); return n }))
	}
}

// number leaves out what no track has.
func number(n int) int {
	if n < 0 || n > 9999 {
		return 0
	}
	return n
}

var year = regexp.MustCompile(`(?:^|\D)([12]\d{3})(?:\D|$)`)

// Year finds the year in a date as people write it: "2006-05-01", "1 May 2006".
func Year(date string) int {
	m := year.FindStringSubmatch(date[:min(len(date), 64)])
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1])
	return n
}
