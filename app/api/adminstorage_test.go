package api_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"picora/app/apptest"
)

// TestAMoveIsWatchedByAdministrators: it waits for a folder that stands in the place of a file,
// is ended, and goes to its end when nothing is in its way.
func TestAMoveIsWatchedByAdministrators(t *testing.T) {
	p := start(t)
	admin := p.Admin("root@example.org")
	const path = "/v1/admin/storage"
	type state struct {
		At, Settings string
		Set          []string
		Move         *struct {
			To, Phase                string
			Files, Bytes             int64
			FilesToCopy, BytesToCopy *int64
			Waiting                  *string
			Failed                   int
		}
		Left, Remove, MovedAt *string
	}
	read := func() (s state) {
		t.Helper()
		p.Play(t, scenario{As: admin, URL: path, Status: 200}).Data(t, &s)
		return s
	}
	p.Add("a.png", apptest.PNG(30, 30, 1))
	here := "disk:" + p.Data
	if s := read(); s.At != here || s.Settings != here || len(s.Set) > 0 || s.Move != nil || s.Left != nil || s.MovedAt != nil {
		t.Errorf("before a move: %+v", s)
	}
	other := t.TempDir()
	file := p.Blobs()[0]
	obstacle := filepath.Join(other, file[strings.LastIndex(file, "/blobs/"):])
	if err := os.MkdirAll(filepath.Join(obstacle, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Control().CopyBlobs(t.Context(), "disk:"+other); err != nil {
		t.Fatal(err)
	}
	var s state
	eventually(t, func() bool { s = read(); return s.Move != nil && s.Move.Waiting != nil })
	if m := s.Move; s.At != here || m.To != "disk:"+other || m.Phase != "copying" || m.Files != 0 || m.FilesToCopy == nil || *m.FilesToCopy != 1 || *m.BytesToCopy == 0 {
		t.Errorf("in a move: %+v, %+v", s, m)
	}
	owner := p.SignIn("owner@example.org").Access
	p.Run(t,
		scenario{Name: "not for others", As: owner, URL: path, Status: 403, Code: "FORBIDDEN"},
		scenario{Name: "nor to end", As: owner, Method: "DELETE", URL: path + "/move", Status: 403, Code: "FORBIDDEN"},
		scenario{Name: "nor for keys", URL: path, Status: 403, Code: "FORBIDDEN"},
		scenario{Name: "it ends", As: admin, Method: "DELETE", URL: path + "/move", Status: 200, Has: []string{`"move":null`}},
		scenario{Name: "once", As: admin, Method: "DELETE", URL: path + "/move", Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "it is in the audit log", As: admin, URL: "/v1/admin/audit?action=blobs.copy_ended", Status: 200, Has: []string{other}},
	)
	if err := os.RemoveAll(obstacle); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Control().CopyBlobs(t.Context(), "disk:"+other); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { s = read(); return s.Move == nil })
	if s.At != "disk:"+other || s.Settings != here || len(s.Set) == 0 || s.Left == nil || *s.Left != here || s.Remove == nil || s.MovedAt == nil {
		t.Errorf("after the move: %+v", s)
	}
}
