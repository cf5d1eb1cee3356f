package api_test

import (
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/store/blob"
)

func TestFilesAreCheckedByAdministrators(t *testing.T) {
	p := start(t)
	admin := p.Admin("root@example.org")
	const path = "/v1/admin/scrub"
	type run struct {
		By               string
		Repair, Stopped  bool
		EndedAt, Phase   *string
		Files, FilesRead int64
		Error            *string
	}
	type state struct {
		Running, Last     *run
		NextAt, ReadAllAt *string
		Found             struct{ Missing, Corrupt, Orphans, OrphanBytes, InBin int64 }
	}
	ended := func() (s state) {
		t.Helper()
		eventually(t, func() bool {
			s = state{}
			p.Play(t, scenario{As: admin, URL: path, Status: 200}).Data(t, &s)
			return s.Running == nil
		})
		return s
	}
	if s := ended(); s.Last != nil || s.NextAt == nil || s.ReadAllAt != nil || s.Found.Orphans != 0 {
		t.Errorf("before the first check: %+v", s)
	}
	p.Play(t, scenario{As: admin, Method: "DELETE", URL: path, Status: 409, Code: "CONFLICT"})
	p.Add("a.png", apptest.PNG(30, 30, 1))
	for range 3 {
		if _, err := p.App.Blobs().Put(t.Context(), blob.NewKey(time.Now()), strings.NewReader("nobody's")); err != nil {
			t.Fatal(err)
		}
	}
	p.Play(t, scenario{As: admin, Method: "POST", URL: path, Status: 202, Has: []string{`"by":"admin"`}})
	if s := ended(); s.Last == nil || s.Last.Repair || s.Last.Files != 1 || s.Last.FilesRead != 1 || s.Last.EndedAt == nil || s.Last.Error != nil || s.ReadAllAt == nil || s.Found.Orphans != 3 || s.Found.OrphanBytes != 24 || s.Found.InBin != 0 {
		t.Errorf("after a check: %+v, %+v", s, s.Last)
	}
	p.Play(t, scenario{As: admin, Method: "POST", URL: path, Body: `{"repair":true}`, Status: 202})
	if s := ended(); !s.Last.Repair || s.Found.InBin != 3 {
		t.Errorf("after a check with repairs: %+v, %+v", s, s.Last)
	}
	if n := p.Metric(t, `picora_scrub_end_timestamp_seconds`); n < 1e9 {
		t.Errorf("the last check ended at %g", n)
	}
	seen := 0
	for cursor := ""; ; {
		var page struct {
			Items []struct {
				ID, Problem, FoundAt string
				SizeBytes            int64
				DeleteAt, OwnerID    *string
			}
			NextCursor *string
		}
		p.Play(t, scenario{As: admin, URL: path + "/findings?problem=orphan&limit=2&cursor=" + cursor, Status: 200}).Data(t, &page)
		for _, f := range page.Items {
			if seen++; f.Problem != "orphan" || f.SizeBytes != 8 || f.DeleteAt == nil || f.OwnerID != nil {
				t.Errorf("%+v", f)
			}
		}
		if page.NextCursor == nil {
			break
		}
		cursor = *page.NextCursor
	}
	if seen != 3 {
		t.Errorf("%d are listed", seen)
	}
	owner := p.SignIn("owner@example.org").Access
	p.Run(t,
		scenario{Name: "none is missing", As: admin, URL: path + "/findings?problem=missing", Status: 200, Has: []string{`"items":[]`}},
		scenario{Name: "no problem", As: admin, URL: path + "/findings?problem=late", Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "no field", As: admin, Method: "POST", URL: path, Body: `{"fix":true}`, Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "not for others", As: owner, URL: path, Status: 403, Code: "FORBIDDEN"},
		scenario{Name: "nor to begin", As: owner, Method: "POST", URL: path, Status: 403, Code: "FORBIDDEN"},
		scenario{Name: "nor to list", As: owner, URL: path + "/findings", Status: 403, Code: "FORBIDDEN"},
		scenario{Name: "it is in the audit log", As: admin, URL: "/v1/admin/audit?action=scrub.started", Status: 200, Has: []string{`"repair":"true"`}},
	)
}
