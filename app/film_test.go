package app_test

import (
	"bytes"
	"context"
<<<<<<< HEAD
	"fmt"
	"image/jpeg"
	"io"
	"math"
	"os"
=======
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
>>>>>>> v3
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
<<<<<<< HEAD
	"picora/app/apptest/corpus"
	"picora/app/config"
	"picora/media/hls/check"
	"picora/store"
)

// filmServer is one that makes small sizes too, so that films of 320 x 180 have several.
func filmServer(t *testing.T) *apptest.Picora {
	t.Helper()
	return apptest.StartWithWorkers(t, func(c *config.Config) {
		c.Video.Ladder = []int{120, 240, 360}
		c.Video.Preset = "ultrafast"
		c.Video.Tries = 2
		c.Video.Priority = "normal"
	})
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
			if stored := bytesOf(t, p, m, k.Name); !bytes.HasPrefix(stored, track.File) || len(stored)-len(track.File) > 2000 || len(track.File) == 0 {
				t.Errorf("%s: %s: %d bytes are delivered of %d", m.Filename, k.Name, len(track.File), len(stored))
			}
		}
	}
}

// TestVideosOfEveryKindAreMadeRight sends the corpus through the server and measures what
// comes of it. With PICORA_SOAK it is the whole corpus; PICORA_CORPUS picks cases by a part
// of their names.
func TestVideosOfEveryKindAreMadeRight(t *testing.T) {
	cases := corpus.Some()
	pick := os.Getenv("PICORA_CORPUS")
	if os.Getenv("PICORA_SOAK") != "" || pick != "" {
		cases = slices.DeleteFunc(corpus.All(), func(c corpus.Case) bool { return !strings.Contains(c.Name, pick) })
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
=======
	"picora/app/config"
	"picora/app/library"
	"picora/store"
	"picora/store/blob"
)

// clip is a film of so many seconds that Debian's ffmpeg makes; another for each seed. In
// args, more of its options stand before the name of the file.
func clip(t testing.TB, name string, seconds float64, size string, seed int, args ...string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), name)
	all := []string{"-v", "error", "-f", "lavfi", "-i", fmt.Sprintf("testsrc2=size=%s:rate=25:duration=%g", size, seconds),
		"-f", "lavfi", "-i", fmt.Sprintf("sine=frequency=%d:duration=%g", 300+seed, seconds), "-shortest"}
	if len(args) == 0 {
		args = []string{"-c:v", "mpeg4", "-q:v", "3", "-c:a", "aac"}
	}
	all = append(append(all, args...), out)
	if b, err := exec.Command("ffmpeg", all...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg %v: %v: %s", all, err, b)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// addClip has the library take a film.
func addClip(t testing.TB, p *apptest.Picora, name string, file []byte) store.Media {
	t.Helper()
	m, fresh, err := p.App.Library().Add(t.Context(), library.Upload{User: p.User, Kind: store.Video, Filename: name, Body: bytes.NewReader(file), Length: int64(len(file))})
	if err != nil || !fresh {
		t.Fatalf("%s: fresh %v, %v", name, fresh, err)
	}
	return m
}

// becomes waits until the film is as done says.
func becomes(t testing.TB, p *apptest.Picora, id string, done func(*store.Media) bool) (m store.Media) {
	t.Helper()
	var err error
	for until := time.Now().Add(2 * time.Minute); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		if m, err = p.App.Store().Media(context.Background(), id); err != nil {
			t.Fatal(err)
		}
		if done(&m) {
			return m
		}
		if m.Film.State == store.FilmFailed {
			break
		}
	}
	t.Fatalf("the film is %+v\nits job is %s", m.Film, jobTold(p, &m))
	return m
}

func ready(m *store.Media) bool { return m.Film.State == store.FilmReady }
func plays(m *store.Media) bool { return m.Film.Plays() }

func jobTold(p *apptest.Picora, m *store.Media) string {
	j, err := p.App.Store().JobOf(context.Background(), m.User, m.ID)
	return fmt.Sprintf("%+v, %v", j, err)
}

// trackNames are the tracks and parts of a film, in the order of their names.
func trackNames(m *store.Media) (tracks, parts string) {
	var a, b []string
	for _, t := range m.Film.Tracks {
		a = append(a, t.Name)
	}
	for _, p := range m.Parts {
		b = append(b, p.Name)
	}
	slices.Sort(a)
	slices.Sort(b)
	return strings.Join(a, " "), strings.Join(b, " ")
}

// fewSizes makes few sizes, so that tests are quick.
func fewSizes(c *config.Config) { c.Video.Ladder, c.Video.Preset = []int{144, 180, 240}, "ultrafast" }

func TestAVideoPlaysAndBecomesReady(t *testing.T) {
	t.Parallel()
	p := apptest.StartWithWorkers(t, fewSizes)
	file := clip(t, "a.mp4", 2, "426x240", 0)
	m := addClip(t, p, "My film.mp4", file)
	if m.Film.State != store.FilmWaiting || m.Width != 426 || m.Height != 240 || m.Film.Codec != "mpeg4" || m.MIME != "video/mp4" {
		t.Errorf("the record is %+v", m)
	}
	again, fresh, err := p.App.Library().Add(t.Context(), library.Upload{User: p.User, Kind: store.Video, Filename: "b.mp4", Body: bytes.NewReader(file)})
	if err != nil || fresh || again.ID != m.ID {
		t.Errorf("the same file again: %v, %v", fresh, err)
	}
	last := 0.0
	m = becomes(t, p, m.ID, func(m *store.Media) bool {
		now := p.App.Library().FilmProgress(m.ID)
		if now < last && m.Film.State != store.FilmReady || now > 1 {
			t.Errorf("progress goes from %g to %g", last, now)
		}
		last = now
		return plays(m)
	})
	m = becomes(t, p, m.ID, ready)
	tracks, parts := trackNames(&m)
	if tracks != "144p 180p 240p sound-1" || parts != "144p 180p 240p board file poster preview sound-1" {
		t.Errorf("tracks %s; parts %s", tracks, parts)
	}
	if m.Film.Note != "" || m.Film.Board.Pictures < 1 || m.Film.Duration < 1.9 || m.Film.Duration > 2.1 {
		t.Errorf("the film is %+v", m.Film)
	}
	for _, track := range m.Film.Tracks {
		if track.Bandwidth < track.Average || track.Average < 1000 || track.Codecs == "" {
			t.Errorf("a track is %+v", track)
		}
	}
	j, err := p.App.Store().JobOf(t.Context(), p.User, m.ID)
	if err != nil || j.State != store.JobDone || len(j.Log) < 3 || j.Progress != 1 {
		t.Errorf("the job is %+v, %v", j, err)
	}
	if p.App.Library().FilmProgress(m.ID) != 0 {
		t.Error("a film that is ready has progress")
	}
	if n := len(p.Blobs()); n != len(m.Blobs()) {
		t.Errorf("%d blobs of a record with %d", n, len(m.Blobs()))
	}
}

// slowFilm is a film whose larger sizes take a while, on a server that makes them.
func slowFilm(t *testing.T) (p *apptest.Picora, m store.Media) {
	t.Helper()
	p = apptest.StartWithWorkers(t, func(c *config.Config) { c.Video.Ladder, c.Video.Preset = []int{144, 240, 480}, "slow" })
	m = addClip(t, p, "a.mkv", clip(t, "a.mkv", 8, "854x480", 1))
	return p, becomes(t, p, m.ID, plays)
}

// leaves waits until the server has no blobs but those of the records.
func leaves(t *testing.T, p *apptest.Picora, n int) {
	t.Helper()
	for until := time.Now().Add(time.Minute); len(p.Blobs()) != n; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("there are %d blobs, want %d: %q", len(p.Blobs()), n, p.Blobs())
		}
	}
}

// kept reports parts that the film had before and has another of now.
func kept(t *testing.T, before, now *store.Media) {
	t.Helper()
	for _, p := range before.Parts {
		if is, _ := now.Part(p.Name); is != p {
			t.Errorf("the part %s was made again", p.Name)
		}
	}
	if len(now.Parts) <= len(before.Parts) {
		t.Errorf("nothing was added to the %d parts", len(before.Parts))
	}
}

func TestARestartGoesOnWithAVideo(t *testing.T) {
	t.Parallel()
	p, m := slowFilm(t)
	if m.Film.State != store.FilmPlayable {
		t.Fatalf("the film is ready too soon for this test")
	}
	p.Restart()
	done := becomes(t, p, m.ID, ready)
	kept(t, &m, &done)
	if tracks, _ := trackNames(&done); tracks != "144p 240p 480p sound-1" {
		t.Errorf("tracks %s", tracks)
	}
	if told := jobTold(p, &m); !strings.Contains(told, "goes on") || strings.Contains(told, "failed") {
		t.Errorf("the job is %s", told)
	}
	leaves(t, p, len(done.Blobs()))
}

func TestADeletedVideoLeavesNothing(t *testing.T) {
	t.Parallel()
	p, m := slowFilm(t)
	cancelled := func() float64 {
		return p.Metric(t, `picora_media_jobs_total{kind="tracks",outcome="cancelled"}`)
	}
	until := func(n float64) {
		t.Helper()
		for end := time.Now().Add(time.Minute); cancelled() != n; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%g jobs were cancelled, want %g", cancelled(), n)
			}
		}
	}
	lib := p.App.Library()
	// The trash ends the work, too; it goes on when the video comes back.
	if _, err := lib.Throw(t.Context(), p.User, m.ID); err != nil {
		t.Fatal(err)
	}
	until(1)
	leaves(t, p, len(m.Blobs()))
	if _, err := lib.Restore(t.Context(), p.User, m.ID); err != nil {
		t.Fatal(err)
	}
	m = becomes(t, p, m.ID, func(m *store.Media) bool {
		j, err := p.App.Store().JobOf(context.Background(), m.User, m.ID)
		return err == nil && j.State == store.JobRunning && lib.FilmProgress(m.ID) > 0
	})
	if _, err := lib.Remove(t.Context(), p.User, m.ID); err != nil {
		t.Fatal(err)
	}
	until(2)
	leaves(t, p, 0)
	if list, _, err := p.App.Store().Jobs(t.Context(), 0, "", 10); err != nil || len(list) != 0 {
		t.Errorf("jobs that are left: %+v, %v", list, err)
	}
}

func TestAVideoIsTriedAgainWhenTheMachineWasAtFault(t *testing.T) {
	t.Parallel()
	p := apptest.StartWithWorkers(t, fewSizes, func(c *config.Config) { c.Video.KeepOriginal = false })
	file := clip(t, "a.avi", 2, "256x144", 2, "-c:v", "mpeg4", "-c:a", "mp3")
	hash := sha256.Sum256(file)
	m := store.Media{
		ID: store.NewID(store.IDLen), User: p.User, Kind: store.Video, Filename: "a.avi", MIME: "video/x-msvideo", Ext: "avi", Size: int64(len(file)), BlobSize: int64(len(file)),
		Hash: hash[:], Blob: blob.NewKey(time.Now()), Public: true, Film: store.Film{State: store.FilmWaiting},
	}
	m, _, err := p.App.Store().CreateMedia(t.Context(), m) // but the disk with its file is not there
	if err != nil {
		t.Fatal(err)
	}
	m = becomes(t, p, m.ID, func(m *store.Media) bool {
		j, err := p.App.Store().JobOf(context.Background(), m.User, m.ID)
		return err == nil && j.State == store.JobWaiting && j.Error != ""
	})
	dir := filepath.Join(p.Data, "blobs", m.Blob[:4], m.Blob[4:6])
	if err := errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(filepath.Join(dir, m.Blob), file, 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := p.App.Library().RetryFilm(t.Context(), p.User, m.ID); err != nil {
		t.Fatal(err)
	}
	m = becomes(t, p, m.ID, ready)
	tracks, parts := trackNames(&m)
	if tracks != "144p sound-1" || !strings.Contains(parts, "file") || m.Blob != "" || m.Size == 0 {
		t.Errorf("tracks %s, parts %s, the record is %+v", tracks, parts, m)
	}
	leaves(t, p, len(m.Parts)) // the file as it was uploaded was not to be kept
}

func TestAVideoWithoutPicturesFails(t *testing.T) {
	t.Parallel()
	p := apptest.StartWithWorkers(t, fewSizes)
	file := clip(t, "a.avi", 4, "256x144", 3, "-c:v", "mpeg4", "-c:a", "mp3")
	at := bytes.Index(file, []byte("movi"))
	for i := at + 4; i < len(file); i++ { // the heads stay
		file[i] = byte(i * 7)
	}
	m, _, err := p.App.Library().Add(t.Context(), library.Upload{User: p.User, Kind: store.Video, Filename: "a.avi", Body: bytes.NewReader(file)})
	if err != nil {
		leaves(t, p, 0)
		return // it was seen at once
	}
	for until := time.Now().Add(time.Minute); m.Film.State != store.FilmFailed; time.Sleep(20 * time.Millisecond) {
		if m, err = p.App.Store().Media(t.Context(), m.ID); err != nil || time.Now().After(until) {
			t.Fatalf("%v; the job is %s", err, jobTold(p, &m))
		}
	}
	if !strings.HasSuffix(m.Film.Fault, ".") || len(m.Parts) != 0 {
		t.Errorf("the film is %+v", m.Film)
	}
	leaves(t, p, 1)
}
>>>>>>> v3
