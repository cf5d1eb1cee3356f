package library

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"regexp"
	"unicode/utf8"

	"picora/media"
	"picora/media/hls"
	"picora/media/strip"
	"picora/store"
	"picora/store/cache"
)

// What is kept of what a worker made is looked at when it is stored: a worker that was
// taken over could write anything, but nothing any more.

const (
	// maxPoster, maxSheet and maxCaptions are the largest of their kind, in bytes.
	maxPoster, maxSheet, maxCaptions = 8 << 20, 4 << 20, 8 << 20
	// maxSheets is how many sheets a storyboard has at most.
	maxSheets = 100
	// maxPreview is the largest preview, in bytes.
	maxPreview = 64 << 20
	// vttMIME is WebVTT's type.
	vttMIME = "text/vtt"
)

// filmMade is what a step made.
type filmMade struct {
	parts    []store.Part
	tracks   []store.Track // of some parts, under their names
	board    *store.Board
	note     string
	duration float64 // seconds that could be read; 0: unknown
	bad      bool    // some pictures could not be decoded
}

// putInto puts what was made into the record. What the owner uploaded under the name of a
// track keeps that name.
func (made *filmMade) putInto(m *store.Media) {
	placed := map[string]bool{}
	for _, p := range made.parts {
		i := -1
		for n := range made.tracks {
			if made.tracks[n].Name == p.Name {
				i = n
			}
		}
		if i < 0 {
			m.SetPart(p)
			continue
		}
		t := made.tracks[i]
		for n := 1; ; n++ {
			if there, taken := m.Film.Track(t.Name); !placed[t.Name] && (!taken || !there.Uploaded) {
				break
			}
			t.Name = fmt.Sprintf("text-%d", n)
		}
		p.Name, placed[t.Name] = t.Name, true
		m.SetPart(p)
		m.Film.SetTrack(t)
	}
	if made.board != nil {
		m.Film.Board = *made.board
	}
}

// keepOutput stores an output as a part, when it is what it is said to be.
func (l *Library) keepOutput(ctx context.Context, made *filmMade, o *output, t *media.TrackMade, f *cache.File) error {
	if t.Empty {
		if o.kind == media.PictureTrack {
			return media.Corrupt("no pictures can be read from the file")
		}
		return nil
	}
	var kept store.Media
	if err := l.keepPart(ctx, &kept, o.name, outMIMEs[o.kind], f); err != nil {
		return err
	}
	p := kept.Parts[0]
	made.parts = append(made.parts, p) // from here on it is dropMade's
	in, err := l.source(ctx, p.Blob)
	if err != nil {
		return err
	}
	defer in.Close()
	return made.check(o, t, in.File, p.Size, l.maxPixels())
}

var outMIMEs = map[string]string{
	media.PictureTrack: "video/mp4", media.SoundTrack: "audio/mp4", media.CaptionTrack: vttMIME,
	media.PosterOut: "image/jpeg", media.BoardOut: "image/jpeg", media.PreviewOut: "video/mp4", fileOut: "video/mp4",
}

// check looks at an output of so many bytes, and takes down what it is.
func (made *filmMade) check(o *output, t *media.TrackMade, r io.ReaderAt, n, maxPixels int64) (err error) {
	switch o.kind {
	case media.PictureTrack, media.SoundTrack:
		track, err := checkTrack(o, t, r, n)
		made.tracks = append(made.tracks, track)
		return err
	case media.CaptionTrack:
		track := o.track
		track.Label = line(track.Label, 100)
		made.tracks = append(made.tracks, track)
		return checkCaptions(r, n)
	case media.PosterOut:
		return checkJPEG(r, 0, n, maxPoster, maxPixels)
	case media.BoardOut:
		made.board, err = checkBoard(o, t, r, n, maxPixels)
		return err
	case media.PreviewOut:
		if n > maxPreview {
			return fmt.Errorf("%w: a preview of %d bytes", errNonsense, n)
		}
	}
	return checkMP4(r, n)
}

var (
	pictureCodec = regexp.MustCompile(`^avc[13]\.[0-9A-Fa-f]{6}$`)
	soundCodec   = regexp.MustCompile(`^mp4a\.40\.(2|5|29)$`)
)

// checkTrack reads the index of a track. The bit rates are counted: players believe them.
func checkTrack(o *output, made *media.TrackMade, r io.ReaderAt, n int64) (t store.Track, err error) {
	t = o.track
	x, err := hls.ReadIndex(r, n)
	if err != nil {
		return t, fmt.Errorf("%w: %s: %w", errNonsense, o.name, err)
	}
	head := make([]byte, 8)
	if _, err := r.ReadAt(head, 0); err != nil || string(head[4:]) != "ftyp" {
		return t, fmt.Errorf("%w: %s does not begin like an MP4: %v", errNonsense, o.name, err)
	}
	length := x.Duration()
	codec := soundCodec
	if o.kind == media.PictureTrack {
		codec = pictureCodec
		if made.Width < 1 || made.Width > maxSide || made.Height < 1 || made.Height > maxSide || !sensible(made.FrameRate, 0, maxFilmRate) {
			return t, fmt.Errorf("%w: %s of %dx%d at %g", errNonsense, o.name, made.Width, made.Height, made.FrameRate)
		}
		t.Width, t.Height, t.FrameRate = made.Width, made.Height, made.FrameRate
	}
	if !codec.MatchString(made.Codecs) || !sensible(length, 0.001, maxSeconds) {
		return t, fmt.Errorf("%w: %s of %q lasts %g s", errNonsense, o.name, line(made.Codecs, 50), length)
	}
	t.Codecs, t.Label = made.Codecs, line(t.Label, 100)
	t.Bandwidth, t.Average = x.Rates()
	return t, nil
}

// checkCaptions reports whether all of it is text that begins as WebVTT does.
func checkCaptions(r io.ReaderAt, n int64) error {
	if n > maxCaptions {
		return fmt.Errorf("%w: captions of %d bytes", errNonsense, n)
	}
	b, err := io.ReadAll(io.NewSectionReader(r, 0, n))
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(b, []byte("WEBVTT")) || !utf8.Valid(b) {
		return fmt.Errorf("%w: captions that are no WebVTT", errNonsense)
	}
	return nil
}

// checkJPEG reports whether the n bytes from off on are a whole JPEG.
func checkJPEG(r io.ReaderAt, off, n, most, maxPixels int64) error {
	if n < 1 || n > most {
		return fmt.Errorf("%w: a picture of %d bytes", errNonsense, n)
	}
	if _, err := walk(io.NewSectionReader(r, off, n), media.JPEG, strip.Limits{MaxPixels: maxPixels}); err != nil {
		return fmt.Errorf("%w: a picture: %w", errNonsense, err)
	}
	return nil
}

// checkBoard looks at the sheets of a storyboard.
func checkBoard(o *output, t *media.TrackMade, r io.ReaderAt, n, maxPixels int64) (*store.Board, error) {
	b := &store.Board{Sheets: t.Sheets, Width: t.Width, Height: t.Height, Columns: o.args.Columns, Rows: o.args.Rows, Every: o.args.Every, Pictures: t.Pictures}
	if len(t.Sheets) > maxSheets || b.Width < 1 || b.Width > 1024 || b.Height < 1 || b.Height > 1024 ||
		b.Pictures < 1 || b.Pictures > len(t.Sheets)*b.Columns*b.Rows || b.Pictures <= (len(t.Sheets)-1)*b.Columns*b.Rows {
		return nil, fmt.Errorf("%w: a storyboard of %d pictures of %dx%d on %d sheets", errNonsense, b.Pictures, b.Width, b.Height, len(t.Sheets))
	}
	at := int64(0)
	for _, sheet := range t.Sheets {
		if sheet < 1 || sheet > n-at {
			return nil, fmt.Errorf("%w: the sheets of a storyboard are larger than its file", errNonsense)
		}
		if err := checkJPEG(r, at, sheet, maxSheet, maxPixels); err != nil {
			return nil, err
		}
		at += sheet
	}
	if at != n {
		return nil, fmt.Errorf("%w: %d bytes behind a storyboard", errNonsense, n-at)
	}
	return b, nil
}

// checkMP4 reports whether the boxes of an MP4 cover it exactly, and its tables are in
// front of what they lead to.
func checkMP4(r io.ReaderAt, n int64) error {
	bad := func(what string) error { return fmt.Errorf("%w: an MP4 %s", errNonsense, what) }
	var head [16]byte
	tables := false
	for at, first := int64(0), true; at < n; first = false {
		k, err := r.ReadAt(head[:], at)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if k < 8 {
			return bad("that ends inside a box")
		}
		box, long := string(head[4:8]), int64(binary.BigEndian.Uint32(head[:4]))
		if long == 1 && k == 16 {
			long = int64(binary.BigEndian.Uint64(head[8:]))
		}
		switch {
		case long < 8 || long > n-at:
			return bad("with a box of a wrong size")
		case first != (box == "ftyp"):
			return bad("that does not begin as one")
		case box == "moov":
			tables = true
		case box == "mdat" && !tables:
			return bad("with its tables at the end")
		}
		at += long
	}
	if !tables {
		return bad("without tables")
	}
	return nil
}

// trustSurvey reports what makes no sense in a worker's survey, and cuts it to what is
// kept of it.
func trustSurvey(s *media.Survey) error {
	if err := describeFilm(&store.Media{}, &s.Video); err != nil {
		return err
	}
	if s.Pictures < 1 {
		return media.Corrupt("there are no pictures in the file")
	}
	if !sensible(s.Duration, 1e-6, maxSeconds) || !sensible(s.KeyEvery, 0, maxSeconds) || s.Peak < 0 || s.Peak > 1e12 {
		return fmt.Errorf("%w: a survey: %+v", errNonsense, *s)
	}
	s.Sounds = s.Sounds[:min(len(s.Sounds), mostSounds)]
	s.Captions = s.Captions[:min(len(s.Captions), mostCaptions)]
	s.Chapters = nil // the record has them
	for i := range s.Sounds {
		s.Sounds[i].Title = line(s.Sounds[i].Title, 100)
	}
	for i := range s.Captions {
		s.Captions[i].Title = line(s.Captions[i].Title, 100)
	}
	return nil
}

// language is the tag (BCP 47) of a language that a file names by two or three letters
// (ISO 639); empty when that is none.
func language(code string) string {
	if two, there := shorter[code]; there {
		return two
	}
	if !isoCode.MatchString(code) || code == "und" || code == "mul" || code == "zxx" || code == "mis" {
		return ""
	}
	return code
}

var isoCode = regexp.MustCompile(`^[a-z]{2,3}$`)

// shorter are the codes of three letters (ISO 639-2, both kinds) that have one of two, as
// far as films use them: a tag takes the shortest.
var shorter = map[string]string{
	"eng": "en", "chi": "zh", "zho": "zh", "ger": "de", "deu": "de", "fre": "fr", "fra": "fr", "spa": "es", "ita": "it", "jpn": "ja", "kor": "ko",
	"por": "pt", "rus": "ru", "ara": "ar", "hin": "hi", "dut": "nl", "nld": "nl", "pol": "pl", "swe": "sv", "dan": "da", "nor": "no", "nob": "nb",
	"nno": "nn", "fin": "fi", "cze": "cs", "ces": "cs", "slo": "sk", "slk": "sk", "hun": "hu", "gre": "el", "ell": "el", "tur": "tr", "heb": "he",
	"tha": "th", "vie": "vi", "ind": "id", "may": "ms", "msa": "ms", "ukr": "uk", "rum": "ro", "ron": "ro", "bul": "bg", "hrv": "hr", "srp": "sr",
	"slv": "sl", "est": "et", "lav": "lv", "lit": "lt", "per": "fa", "fas": "fa", "ben": "bn", "tam": "ta", "tel": "te", "urd": "ur", "cat": "ca",
	"baq": "eu", "eus": "eu", "glg": "gl", "ice": "is", "isl": "is", "gle": "ga", "wel": "cy", "cym": "cy", "lat": "la", "mac": "mk", "mkd": "mk",
	"alb": "sq", "sqi": "sq", "geo": "ka", "kat": "ka", "arm": "hy", "hye": "hy", "fil": "tl", "tgl": "tl",
}
