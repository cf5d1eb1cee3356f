package apptest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"picora/app/library"
	"picora/media/hls"
	"picora/media/hls/check"
	"picora/store"
	"picora/store/blob"
)

// FilmSpec says how a film is that Debian's ffmpeg makes. Zero values are those of
// DefaultFilm, but for Sounds and Text.
type FilmSpec struct {
	Seconds int
	Rungs   []int // shorter sides in pixels, ascending; all are 16:9
	Sounds  int   // tracks, at most 3: English, Chinese, unknown
	Text    bool  // captions in English and Chinese
	Segment int   // seconds
}

// DefaultFilm is what AddFilm takes for nil: 240p and 360p, two sounds, captions.
var DefaultFilm = FilmSpec{Seconds: 6, Rungs: []int{240, 360}, Sounds: 2, Text: true, Segment: 2}

// FilmFiles is a film as bytes: a record without ids and blobs, and its parts by name.
type FilmFiles struct {
	Media    store.Media
	Parts    map[string]FilmPart
	Original []byte
}

// FilmPart is the bytes of a part.
type FilmPart struct {
	MIME string
	Data []byte
}

var films = struct {
	sync.Mutex
	made map[string]*FilmFiles
}{made: map[string]*FilmFiles{}}

// MakeFilm makes a film, once in a test process. Its tracks are real: CMAF with H.264 and
// AAC, and the index behind it, as workers write them. Nobody changes it.
func MakeFilm(t testing.TB, s FilmSpec) *FilmFiles {
	t.Helper()
	if s.Seconds == 0 {
		s.Seconds = DefaultFilm.Seconds
	}
	if s.Segment == 0 {
		s.Segment = DefaultFilm.Segment
	}
	if len(s.Rungs) == 0 {
		s.Rungs = DefaultFilm.Rungs
	}
	films.Lock()
	defer films.Unlock()
	key := fmt.Sprint(s)
	if f := films.made[key]; f != nil {
		return f
	}
	m := filmMaker{TB: t, FilmSpec: s, dir: t.TempDir()}
	films.made[key] = m.film()
	return films.made[key]
}

// AddFilm puts a film, DefaultFilm when it is nil, into the server as a finished video of
// p.User's, public and ready. Edit may change the record before it is written: its owner,
// title, state, visibility. Of a part that edit drops nothing is left.
func (p *Picora) AddFilm(f *FilmFiles, edit ...func(*store.Media)) store.Media {
	p.t.Helper()
	if f == nil {
		f = MakeFilm(p.t, DefaultFilm)
	}
	ctx := context.Background()
	m := f.Media
	m.ID, m.User, m.Public = store.NewID(store.IDLen), p.User, true
	sum := sha256.Sum256([]byte(m.ID)) // another for each, so that none is a duplicate
	m.Hash = sum[:]
	m.Blob = p.putBlob(ctx, f.Original)
	for _, name := range slices.Sorted(maps.Keys(f.Parts)) {
		m.SetPart(store.Part{Name: name}) // so that edit may drop it
	}
	for _, e := range edit {
		e(&m)
	}
	for _, part := range m.Parts {
		if data, ok := f.Parts[part.Name]; ok && part.Blob == "" {
			m.SetPart(store.Part{Name: part.Name, Blob: p.putBlob(ctx, data.Data), MIME: data.MIME, Size: int64(len(data.Data))})
		}
	}
	m, fresh, err := p.App.Store().CreateMedia(ctx, m)
	if err != nil || !fresh {
		p.t.Fatalf("a film: %v, fresh: %v", err, fresh)
	}
	return m
}

// ChangeFilm lets edit change the record of a video as work on it would, which drops what
// the server remembers of it.
func (p *Picora) ChangeFilm(id string, edit func(*store.Media)) store.Media {
	p.t.Helper()
	ctx := context.Background()
	m, err := p.App.Store().NoteMedia(ctx, id, func(m *store.Media) error { edit(m); return nil })
	if err == nil { // a change of nothing, after which memory is asked no more
		m, err = p.App.Library().Edit(ctx, m.User, id, library.Change{})
	}
	if err != nil {
		p.t.Fatalf("video %s: %v", id, err)
	}
	return m
}

// SetFilmPart puts other bytes in the place of a part of a video.
func (p *Picora) SetFilmPart(id, name string, part FilmPart) store.Media {
	p.t.Helper()
	key := p.putBlob(context.Background(), part.Data)
	return p.ChangeFilm(id, func(m *store.Media) {
		m.SetPart(store.Part{Name: name, Blob: key, MIME: part.MIME, Size: int64(len(part.Data))})
	})
}

func (p *Picora) putBlob(ctx context.Context, data []byte) (key string) {
	p.t.Helper()
	key = blob.NewKey(time.Now())
	if _, err := p.App.Blobs().Put(ctx, key, bytes.NewReader(data)); err != nil {
		p.t.Fatal(err)
	}
	return key
}

// filmMaker has ffmpeg make the files of a film.
type filmMaker struct {
	testing.TB
	FilmSpec
	dir string
}

func (m *filmMaker) film() *FilmFiles {
	f := &FilmFiles{Parts: map[string]FilmPart{}}
	largest := m.Rungs[len(m.Rungs)-1]
	f.Media = store.Media{
		Kind: store.Video, MIME: "video/mp4", Ext: "mp4", Filename: "Größe 1.mp4", Title: "A film", Width: wide(largest), Height: largest, Frames: 1,
		Film: store.Film{State: store.FilmReady, Container: "mov,mp4,m4a,3gp,3g2,mj2", Codec: "h264", Duration: float64(m.Seconds), FrameRate: 25},
	}
	m.pictures(f)
	m.sounds(f)
	if m.Text {
		m.captions(f)
	}
	m.small(f)
	join := []string{"-i", m.file(rung(min(largest, 720)) + ".mp4")}
	if m.Sounds > 0 {
		join = append(join, "-i", m.file("sound-1.mp4"))
	}
	m.ffmpeg(append(join, "-c", "copy", "-movflags", "+faststart", m.file("file.mp4"))...)
	f.Parts[store.FilePart] = FilmPart{"video/mp4", m.read("file.mp4")}
	f.Original = f.Parts[store.FilePart].Data
	f.Media.Size, f.Media.BlobSize = int64(len(f.Original)), int64(len(f.Original))
	f.Media.Film.BitRate = len(f.Original) * 8 / 1000 / m.Seconds
	return f
}

const cmaf = "+cmaf+frag_keyframe+empty_moov+default_base_moof+skip_trailer+skip_sidx"

// wide is the longer side of a 16:9 picture, made even.
func wide(short int) int { return (short*16/9 + 1) &^ 1 }

func rung(short int) string { return strconv.Itoa(short) + "p" }

// pictures makes all rungs in one run.
func (m *filmMaker) pictures(f *FilmFiles) {
	args := []string{"-f", "lavfi", "-i", fmt.Sprintf("testsrc2=size=%dx%d:rate=25:duration=%d", wide(m.Rungs[len(m.Rungs)-1]), m.Rungs[len(m.Rungs)-1], m.Seconds)}
	for _, r := range m.Rungs {
		gop := strconv.Itoa(25 * m.Segment)
		args = append(args, "-vf", fmt.Sprintf("scale=%d:%d,setsar=1", wide(r), r), "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-profile:v", "main",
			"-g", gop, "-keyint_min", gop, "-sc_threshold", "0", "-f", "mp4", "-movflags", cmaf, m.file(rung(r)+".mp4"))
	}
	m.ffmpeg(args...)
	for _, r := range m.Rungs {
		t := store.Track{Name: rung(r), Kind: store.PictureTrack, Width: wide(r), Height: r, FrameRate: 25}
		f.track(m, t)
	}
}

func (m *filmMaker) sounds(f *FilmFiles) {
	for i := range m.Sounds {
		name := "sound-" + strconv.Itoa(i+1)
		m.ffmpeg("-f", "lavfi", "-i", fmt.Sprintf("sine=frequency=%d:duration=%d:sample_rate=48000", 330*(i+1), m.Seconds), "-c:a", "aac", "-ac", "2", "-b:a", "64k",
			"-f", "mp4", "-movflags", cmaf, "-frag_duration", strconv.Itoa(m.Segment*1_000_000), m.file(name+".mp4"))
		f.track(m, store.Track{Name: name, Kind: store.SoundTrack, Channels: 2, Lang: []string{"en", "zh", ""}[i], Default: i == 0})
	}
}

// track puts the index behind the track's file, and both into f.
func (f *FilmFiles) track(m *filmMaker, t store.Track) {
	b := m.read(t.Name + ".mp4")
	c, err := check.ReadCMAF(b)
	if err != nil {
		m.Fatalf("%s: %v", t.Name, err)
	}
	t.Codecs = c.Codecs
	for _, s := range c.Index.Segments {
		// A last piece of some milliseconds has no bit rate to speak of (RFC 8216, 4.1).
		t.Bandwidth = max(t.Bandwidth, int64(float64(s.Size)*8/max(s.Duration, float64(m.Segment)/2)))
	}
	t.Average = int64(float64(len(b)) * 8 / c.Index.Duration())
	f.Media.Film.SetTrack(t)
	mime := "video/mp4"
	if t.Kind == store.SoundTrack {
		mime = "audio/mp4"
	}
	f.Parts[t.Name] = FilmPart{mime, hls.AppendIndex(b, c.Index)}
}

func (m *filmMaker) captions(f *FilmFiles) {
	for _, c := range []struct {
		track store.Track
		text  string
	}{
		{store.Track{Name: "text-1", Lang: "en", Label: `The "first" text`}, "Hello, this is a caption."},
		{store.Track{Name: "text-zh", Lang: "zh-Hans", Uploaded: true}, "你好，这是字幕。"},
	} {
		c.track.Kind = store.TextTrack
		var b strings.Builder
		b.WriteString("WEBVTT\n")
		for i := range m.Seconds / 2 {
			fmt.Fprintf(&b, "\n00:00:%02d.000 --> 00:00:%02d.500\n%s %d\n", 2*i, 2*i+1, c.text, i+1)
		}
		f.Media.Film.SetTrack(c.track)
		f.Parts[c.track.Name] = FilmPart{"text/vtt", []byte(b.String())}
	}
}

// small makes the poster, the storyboard and the preview.
func (m *filmMaker) small(f *FilmFiles) {
	largest := m.file(rung(m.Rungs[len(m.Rungs)-1]) + ".mp4")
	m.ffmpeg("-i", largest, "-ss", "1", "-frames:v", "1", m.file("poster.jpg"),
		"-vf", "fps=1,scale=160:-2,tile=2x2", m.file("sheet-%d.jpg"),
		"-t", "2", "-an", "-c:v", "libx264", "-preset", "ultrafast", "-vf", "scale=320:-2", "-movflags", "+faststart", m.file("preview.mp4"))
	f.Parts[store.PosterPart] = FilmPart{"image/jpeg", m.read("poster.jpg")}
	f.Parts[store.PreviewPart] = FilmPart{"video/mp4", m.read("preview.mp4")}
	b := store.Board{Width: 160, Height: 90, Columns: 2, Rows: 2, Every: 1, Pictures: m.Seconds}
	var sheets []byte
	for i := range (m.Seconds + 3) / 4 {
		one := m.read(fmt.Sprintf("sheet-%d.jpg", i+1))
		b.Sheets = append(b.Sheets, int64(len(one)))
		sheets = append(sheets, one...)
	}
	f.Media.Film.Board = b
	f.Parts[store.BoardPart] = FilmPart{"image/jpeg", sheets}
}

func (m *filmMaker) file(name string) string { return filepath.Join(m.dir, name) }

func (m *filmMaker) read(name string) []byte {
	m.Helper()
	b, err := os.ReadFile(m.file(name))
	if err != nil {
		m.Fatal(err)
	}
	return b
}

func (m *filmMaker) ffmpeg(args ...string) {
	m.Helper()
	args = append([]string{"-nostdin", "-v", "error", "-y"}, args...)
	if out, err := exec.Command("ffmpeg", args...).CombinedOutput(); err != nil {
		m.Fatalf("ffmpeg %v: %v: %s", args, err, out)
	}
}
