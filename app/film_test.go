package app_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/app/config"
	"picora/app/library"
	"picora/store"
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
