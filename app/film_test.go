package app_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
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
	for until := time.Now().Add(5 * time.Minute); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
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

// fewSizes makes few sizes, and at once, so that tests are quick.
func fewSizes(c *config.Config) {
	c.Video.Ladder, c.Video.Preset = []int{144, 180, 240}, "ultrafast"
}

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
		if now < last || now > 1 { // it is forgotten at the end
			if m, err := p.App.Store().Media(t.Context(), m.ID); err != nil || m.Film.State != store.FilmReady || now > 1 {
				t.Errorf("progress goes from %g to %g, %v", last, now, err)
			}
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
	for p.App.Library().FilmProgress(m.ID) != 0 { // it is forgotten a moment later
		time.Sleep(10 * time.Millisecond)
	}
	if n := len(p.Blobs()); n != len(m.Blobs()) {
		t.Errorf("%d blobs of a record with %d", n, len(m.Blobs()))
	}
}

// slowFilm is a film whose larger sizes take a while, on a server that is at work on them.
func slowFilm(t *testing.T) (p *apptest.Picora, m store.Media) {
	t.Helper()
	p = apptest.StartWithWorkers(t, func(c *config.Config) {
		c.Video.Ladder, c.Video.Preset = []int{144, 240, 480}, "slow"
	})
	m = addClip(t, p, "a.mkv", clip(t, "a.mkv", 8, "854x480", 1))
	becomes(t, p, m.ID, func(m *store.Media) bool { return strings.Contains(jobTold(p, m), "Step first is done") })
	lib := p.App.Library()
	first := lib.FilmProgress(m.ID)
	return p, becomes(t, p, m.ID, func(m *store.Media) bool { return m.Film.Plays() && lib.FilmProgress(m.ID) > first })
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
	playable := lib.FilmProgress(m.ID)
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
		return err == nil && j.State == store.JobRunning && lib.FilmProgress(m.ID) > playable
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
