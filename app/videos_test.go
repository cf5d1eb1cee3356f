package app_test

import (
	"bytes"
	"context"
	"fmt"
	"image/jpeg"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/app/apptest/corpus"
	"picora/app/config"
	"picora/media/hls"
	"picora/media/hls/check"
	"picora/store"
)

// filmServer is one that makes small sizes too, so that films of 320 x 180 have several.
func filmServer(t *testing.T, edit ...func(*config.Config)) *apptest.Picora {
	t.Helper()
	return apptest.StartWithWorkers(t, append(edit, func(c *config.Config) {
		c.Video.Ladder = []int{120, 240, 360}
		c.Video.Preset = "ultrafast"
		c.Video.Tries = 2
	})...)
}

// uploadFilm sends a video.
func uploadFilm(p *apptest.Picora, name string, data []byte) apptest.Response {
	body, kind := apptest.Form(name, data)
	return p.Do("POST", "/v1/videos", bytes.NewReader(body), "Content-Type", kind)
}

// takenFilm sends a video that must be taken, and returns its id.
func takenFilm(t *testing.T, p *apptest.Picora, name string, data []byte) string {
	t.Helper()
	r := uploadFilm(p, name, data)
	if r.Status != 202 {
		t.Fatalf("%s: %d %s", name, r.Status, r.Body)
	}
	var in struct{ ID string }
	r.Data(t, &in)
	return in.ID
}

// ended waits until the work on a video is over.
func ended(t *testing.T, p *apptest.Picora, id string, within time.Duration) store.Media {
	t.Helper()
	for end := time.Now().Add(within); ; time.Sleep(50 * time.Millisecond) {
		m, err := p.App.Store().Media(context.Background(), id)
		if err != nil {
			t.Fatal(err)
		}
		if m.Film.State == store.FilmReady || m.Film.State == store.FilmFailed {
			return m
		}
		if time.Now().After(end) {
			t.Fatalf("%s: after %v it is in state %d, %d parts", m.Filename, within, m.Film.State, len(m.Parts))
		}
	}
}

// filmed are the files of a video, as package corpus checks them.
func filmed(t *testing.T, p *apptest.Picora, m store.Media) corpus.Film {
	t.Helper()
	dir := t.TempDir()
	part := func(name string) string {
		path := filepath.Join(dir, name+".mp4")
		if err := os.WriteFile(path, bytesOf(t, p, m, name), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	f := corpus.Film{Duration: m.Film.Duration, MP4: part(store.FilePart)}
	for _, k := range m.Film.Tracks {
		made := corpus.Track{Name: k.Name, Path: part(k.Name), Width: k.Width, Height: k.Height, Rate: k.FrameRate, Codecs: k.Codecs,
			Peak: k.Bandwidth, Average: k.Average, Copied: k.Copied, Channels: k.Channels, Lang: k.Lang}
		switch k.Kind {
		case store.PictureTrack:
			f.Rungs = append(f.Rungs, made)
		case store.SoundTrack:
			f.Sounds = append(f.Sounds, made)
		case store.TextTrack:
			f.Captions = append(f.Captions, made.Path)
		}
	}
	return f
}

// bytesOf is a part of a video.
func bytesOf(t *testing.T, p *apptest.Picora, m store.Media, name string) []byte {
	t.Helper()
	part, there := m.Part(name)
	if !there {
		t.Errorf("%s: there is no part %q", m.Filename, name)
		return nil
	}
	file, err := p.App.Blobs().Open(context.Background(), part.Blob, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	b, err := io.ReadAll(file)
	if err != nil || int64(len(b)) != part.Size {
		t.Errorf("%s: %s: %d bytes of %d: %v", m.Filename, name, len(b), part.Size, err)
	}
	return b
}

// stills checks the pictures that stand for the film.
func stills(t *testing.T, p *apptest.Picora, c corpus.Case, m store.Media) {
	t.Helper()
	poster, err := jpeg.Decode(bytes.NewReader(bytesOf(t, p, m, store.PosterPart)))
	if err != nil {
		t.Errorf("%s: the poster: %v", c.Name, err)
		return
	}
	b := poster.Bounds()
	if off := math.Abs(float64(b.Dx())*float64(c.Height)/float64(c.Width) - float64(b.Dy())); off > 2.01 {
		t.Errorf("%s: the poster is %d x %d", c.Name, b.Dx(), b.Dy())
	}
	sheets, board := bytesOf(t, p, m, store.BoardPart), m.Film.Board
	pictures := 0
	for n, size := range board.Sheets {
		if size > int64(len(sheets)) {
			t.Errorf("%s: sheet %d has %d bytes of %d that are left", c.Name, n, size, len(sheets))
			return
		}
		sheet, err := jpeg.DecodeConfig(bytes.NewReader(sheets[:size]))
		if err != nil || sheet.Width%max(board.Width, 1) != 0 || sheet.Height%max(board.Height, 1) != 0 {
			t.Errorf("%s: sheet %d is %d x %d of pictures of %d x %d: %v", c.Name, n, sheet.Width, sheet.Height, board.Width, board.Height, err)
		}
		pictures += sheet.Width / max(board.Width, 1) * (sheet.Height / max(board.Height, 1))
		sheets = sheets[size:]
	}
	if len(sheets) != 0 || board.Pictures > pictures || board.Pictures < 1 || float64(board.Pictures)*board.Every < m.Film.Duration-board.Every-0.1 {
		t.Errorf("%s: %d bytes are in no sheet; %+v for %.2f s", c.Name, len(sheets), board, m.Film.Duration)
	}
	path := filepath.Join(t.TempDir(), "preview.mp4")
	if err := os.WriteFile(path, bytesOf(t, p, m, store.PreviewPart), 0o600); err != nil {
		t.Fatal(err)
	}
	preview, err := corpus.Probe(path)
	if err != nil || len(preview.Streams) != 1 || preview.Streams[0].Codec != "h264" || float64(preview.Format.Duration) > 6.2 {
		t.Errorf("%s: the preview: %v, %+v, %.2f s", c.Name, err, preview.Streams, preview.Format.Duration)
	}
}

// streamed reads the film as a player would.
func streamed(t *testing.T, p *apptest.Picora, m store.Media) {
	t.Helper()
	s := check.Walk(p.URL+"/video/"+m.ID+"/index.m3u8", func(address string) (check.Answer, error) {
		r := p.Do("GET", address, nil, "Authorization", "")
		return check.Answer{Status: r.Status, Type: r.Header.Get("Content-Type"), Body: r.Body}, nil
	})
	for _, f := range s.Faults {
		t.Errorf("%s: %s", m.Filename, f)
	}
	for address, track := range s.Tracks {
		for _, k := range m.Film.Tracks {
			if !strings.Contains(address, "/"+k.Name+"/") || k.Kind == store.TextTrack {
				continue
			}
			// What is delivered is what is stored, but for the index behind it.
			stored := bytesOf(t, p, m, k.Name)
			x, err := hls.ReadIndex(bytes.NewReader(stored), int64(len(stored)))
			film := x.Init
			for _, s := range x.Segments {
				film += s.Size
			}
			if err != nil || film == 0 || film != int64(len(track.File)) || !bytes.HasPrefix(stored, track.File) {
				t.Errorf("%s: %s: %d bytes are delivered of %d", m.Filename, k.Name, len(track.File), len(stored))
			}
		}
	}
}

// TestVideosOfEveryKindAreMadeRight sends the corpus through the server and measures what
// comes of it. With PICORA_SOAK it is the whole corpus; PICORA_CORPUS picks cases by a
// pattern of their names.
func TestVideosOfEveryKindAreMadeRight(t *testing.T) {
	cases := corpus.Some()
	pick := os.Getenv("PICORA_CORPUS")
	if os.Getenv("PICORA_SOAK") != "" || pick != "" {
		cases = slices.DeleteFunc(corpus.All(), func(c corpus.Case) bool { return !regexp.MustCompile(pick).MatchString(c.Name) })
	}
	p := filmServer(t)
	t.Run("", func(t *testing.T) {
		for _, c := range cases {
			t.Run(c.Name, func(t *testing.T) {
				t.Parallel()
				madeRight(t, p, c)
			})
		}
	})
	if left := scratch(t, p.Data); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func madeRight(t *testing.T, p *apptest.Picora, c corpus.Case) {
	r := uploadFilm(p, c.Name, c.Bytes(t))
	if r.Status != 202 {
		if c.Fate == corpus.Plays || r.Status < 400 || r.Status >= 500 || reason(r) == "" {
			t.Errorf("%s: %d %s", c.Name, r.Status, r.Body)
		}
		t.Logf("%s: refused: %s", c.Name, reason(r))
		return
	}
	var in struct{ ID string }
	r.Data(t, &in)
	m := ended(t, p, in.ID, 10*time.Minute)
	if m.Film.State == store.FilmFailed {
		if c.Fate == corpus.Plays || m.Film.Fault == "" {
			t.Errorf("%s: failed: %q", c.Name, m.Film.Fault)
		}
		t.Logf("%s: failed: %s", c.Name, m.Film.Fault)
		return
	}
	if c.Fate == corpus.Refused {
		t.Errorf("%s plays: %+v", c.Name, m.Film)
		return
	}
	if m.Film.Note != "" || c.Noted {
		t.Logf("%s: note: %s", c.Name, m.Film.Note)
	}
	if c.Fate == corpus.Plays && (m.Film.Note != "") != c.Noted {
		t.Errorf("%s: the note is %q", c.Name, m.Film.Note)
	}
	said(t, c, m)
	if c.Width > 0 {
		corpus.Check(t, c, filmed(t, p, m))
		stills(t, p, c, m)
	}
	streamed(t, p, m)
}

// said checks what the record says of the file.
func said(t *testing.T, c corpus.Case, m store.Media) {
	t.Helper()
	f := m.Film
	var chapters []string
	for _, ch := range f.Chapters {
		chapters = append(chapters, fmt.Sprintf("%.1f-%.1f %s", ch.Start, ch.End, ch.Title))
	}
	if len(chapters) != c.Chapters || c.Chapters == 2 && chapters[0] != "0.0-2.0 Start – 开始" {
		t.Errorf("%s: the chapters are %q", c.Name, chapters)
	}
	if f.HDR != c.HDR || f.Interlaced != c.Interlaced {
		t.Errorf("%s: HDR %q, interlaced %v", c.Name, f.HDR, f.Interlaced)
	}
	if c.Width > 0 && (abs(m.Width-c.Width) > 1 || abs(m.Height-c.Height) > 1) {
		t.Errorf("%s: it is said to be %d x %d, not %d x %d", c.Name, m.Width, m.Height, c.Width, c.Height)
	}
}

func abs(n int) int { return max(n, -n) }
