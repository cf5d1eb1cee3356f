package api_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/app/config"
	"picora/store"
)

// wireJob is a job on the wire.
type wireJob struct {
	ID, MediaID, MediaName            string
	OwnerID, State                    string
	Step, Error, EndedAt, NextTryAt   *string
	Progress, Attempts                int
	Log                               []struct{ At, Text string }
	Speed, SecondsLeft, StartedAt, At any
}

// film makes the record of a video that waits, with a file that is none.
func film(t *testing.T, s *store.Store, user, name string) store.Media {
	t.Helper()
	hash := sha256.Sum256([]byte(name))
	m := store.Media{ID: store.NewID(store.IDLen), User: user, Kind: store.Video, Filename: name, MIME: "video/mp4", Ext: "mp4", Hash: hash[:], Blob: "blob of " + name, Public: true}
	m.Film.State = store.FilmWaiting
	m, _, err := s.CreateMedia(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestTheWorkOnVideosIsAdministered(t *testing.T) {
	p := apptest.Start(t, func(c *config.Config) { c.Video.Tries = 2 })
	admin := p.Admin("root@example.org")
	s := p.App.Store()
	ctx := t.Context()
	const jobs = "/v1/admin/jobs"
	// Without a file that can be opened, each try fails for a reason that is not the file's.
	var films []store.Media
	for n := range 3 {
		films = append(films, film(t, s, p.User, fmt.Sprint(n)))
		p.Advance(time.Second)
	}
	list := func(query string) (all []wireJob) {
		t.Helper()
		for cursor := ""; ; {
			var page struct {
				Items, Jobs []wireJob
				NextCursor  *string
			}
			p.Play(t, scenario{As: admin, URL: jobs + "?limit=2&cursor=" + cursor + query, Status: 200}).Data(t, &page)
			if all = append(all, page.Items...); page.NextCursor == nil {
				return all
			}
			cursor = *page.NextCursor
		}
	}
	if all := list(""); len(all) != 3 || all[0].MediaID != films[2].ID || all[2].MediaID != films[0].ID || all[2].MediaName != films[0].Filename || all[0].OwnerID != p.User {
		t.Fatalf("the jobs are %+v", all)
	}
	// The lane comes to all of them.
	eventually(t, func() bool {
		all := list("&state=waiting")
		for _, j := range all {
			if j.Attempts != 1 || j.NextTryAt == nil || j.Error == nil {
				return false
			}
		}
		return len(all) == 3
	})
	one := list("")[0]
	var j wireJob
	p.Play(t, scenario{As: admin, URL: jobs + "/" + one.ID, Status: 200, Has: []string{`"text":"Attempt 1 failed`, `"speed":null`, `"step":null`}}).Data(t, &j)
	if len(j.Log) != 1 || j.Progress != 0 {
		t.Errorf("a job is %+v", j)
	}
	// Another try, at once.
	p.Play(t, scenario{As: admin, Method: "POST", URL: jobs + "/" + one.ID + "/retry", Status: 200})
	eventually(t, func() bool {
		j, err := s.Job(ctx, one.ID)
		return err == nil && len(j.Log) == 2 && j.Attempts == 1 && j.State == store.JobWaiting
	})
	// It is cancelled, and tried again.
	p.Play(t, scenario{As: admin, Method: "DELETE", URL: jobs + "/" + one.ID, Status: 200})
	p.Play(t, scenario{As: admin, Method: "DELETE", URL: jobs + "/" + one.ID, Status: 409, Code: "CONFLICT"})
	p.Play(t, scenario{As: admin, URL: jobs + "/" + one.ID, Status: 200, Has: []string{`"state":"failed"`, "stopped by an administrator"}})
	if m, err := s.Media(ctx, films[2].ID); err != nil || m.Film.State != store.FilmFailed || m.Film.Fault != "An administrator stopped the work on this video." {
		t.Errorf("a cancelled video is %+v, %v", m.Film, err)
	}
	if failed := list("&state=failed"); len(failed) != 1 || failed[0].ID != one.ID || failed[0].EndedAt == nil {
		t.Errorf("failed jobs are %+v", failed)
	}
	p.Play(t, scenario{As: admin, Method: "POST", URL: jobs + "/" + one.ID + "/retry", Status: 200})
	if m, err := s.Media(ctx, films[2].ID); err != nil || m.Film.State != store.FilmWaiting || m.Film.Fault != "" {
		t.Errorf("a video that is tried again is %+v, %v", m.Film, err)
	}
	// After so many tries the server gives up, and says so.
	p.Advance(2 * time.Minute)
	eventually(t, func() bool {
		m, err := s.Media(ctx, films[1].ID)
		return err == nil && m.Film.State == store.FilmFailed && strings.Contains(m.Film.Fault, "Its administrator sees why")
	})
	// What is nobody's, or made, is refused.
	made := film(t, s, p.User, "made")
	if _, err := s.NoteMedia(ctx, made.ID, func(m *store.Media) error { m.Film.State, m.Film.Passes = store.FilmReady, 4; return nil }); err != nil {
		t.Fatal(err)
	}
	done := list("&state=done")
	if len(done) != 1 || done[0].Progress != 100 {
		t.Fatalf("jobs that are done are %+v", done)
	}
	if n := p.Metric(t, `picora_video_jobs{state="done"}`); n != 1 {
		t.Errorf("%g jobs are counted as done", n)
	}
	p.Play(t, scenario{As: admin, Method: "POST", URL: jobs + "/" + done[0].ID + "/retry", Status: 409, Code: "CONFLICT"})
	for _, u := range []string{jobs + "/" + store.NewID(store.IDLen), jobs + "/x", jobs + "/" + store.NewID(store.IDLen) + "/retry"} {
		method := "GET"
		if u[len(u)-1] == 'y' {
			method = "POST"
		}
		p.Play(t, scenario{As: admin, Method: method, URL: u, Status: 404, Code: "NOT_FOUND"})
	}
	p.Play(t, scenario{As: admin, URL: jobs + "?state=late", Status: 422, Code: "VALIDATION_ERROR"})
	p.Play(t, scenario{URL: jobs, Status: 403, Code: "FORBIDDEN"})
}
