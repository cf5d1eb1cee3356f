package app_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"picora/app/apptest"
)

// author replaces one document of a collection again and again.
type author struct {
	path        string
	acked, sent int // texts, by their numbers
}

// text is the content of that number. Each has a picture of its own in it.
func (a *author) text(n int) string {
	return fmt.Sprintf("# %s %d\n\n![](data:image/gif;base64,R0lGODlhAQABAIAAA%c%c%c///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7)\n", a.path, n, 'A'+n%26, 'A'+n/26%26, 'A'+rune(a.path[0])%26)
}

func (a *author) write(p *apptest.Process, kb string) {
	h := &http.Client{Transport: &http.Transport{}, Timeout: time.Minute}
	defer h.CloseIdleConnections()
	for {
		a.sent++
		body, err := json.Marshal(map[string]any{"filename": "a.md", "content": a.text(a.sent), "kbId": kb, "relativePath": a.path})
		if err != nil {
			return
		}
		var out struct{ Data struct{ ID string } }
		if !request(h, p, "POST", "/v1/docs", "application/json", body, &out) {
			return
		}
		a.acked = a.sent
	}
}

// check compares the document and its revisions with what the author knows, and returns
// how many blobs they have.
func (a *author) check(t *testing.T, p *apptest.Process, kb string) (blobs int) {
	t.Helper()
	var list struct {
		Items []struct{ ID, Title string }
	}
	p.Do("GET", "/v1/docs?kbId="+kb+"&prefix="+url.QueryEscape(a.path), nil).Data(t, &list)
	if len(list.Items) == 0 && a.acked == 0 {
		a.sent = 0
		return 0
	}
	if len(list.Items) != 1 {
		t.Fatalf("%s is there %d times", a.path, len(list.Items))
	}
	now := list.Items[0]
	title := func(n int) string { return fmt.Sprintf("%s %d", a.path, n) }
	if now.Title != title(a.acked) && now.Title != title(a.sent) {
		t.Errorf("%q is there, %d was acknowledged and %d sent", now.Title, a.acked, a.sent)
	}
	if r := p.Do("GET", "/v1/docs/"+now.ID+"/raw", nil); r.Status != 200 || len(r.Body) < len(now.Title) || string(r.Body[2:2+len(now.Title)]) != now.Title {
		t.Errorf("%d %q", r.Status, r.Body)
	}
	var revisions struct {
		Revisions []struct {
			ID        string
			RevNumber int
		}
	}
	p.Do("GET", "/v1/docs/"+now.ID+"/revisions", nil).Data(t, &revisions)
	if len(revisions.Revisions) > 3 || a.acked > 4 && len(revisions.Revisions) != 3 {
		t.Errorf("%d revisions after %d texts", len(revisions.Revisions), a.acked)
	}
	for _, r := range revisions.Revisions {
		if got := p.Do("GET", "/v1/docs/"+now.ID+"/revisions/"+r.ID, nil); got.Status != 200 {
			t.Errorf("revision %d: %d %s", r.RevNumber, got.Status, got.Body)
		}
	}
	if now.Title == title(a.sent) { // it was written, though not acknowledged
		a.acked = a.sent
	}
	a.sent = a.acked
	return 1 + len(revisions.Revisions)
}

// TestKilledServersKeepDocumentsAndTheirRevisions: whenever it is killed, a document is
// the one that was acknowledged last or the one after, once; its revisions are whole; and
// no bytes are left of what is gone.
func TestKilledServersKeepDocumentsAndTheirRevisions(t *testing.T) {
	const rounds = 5
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data, "")
	p.NewUser("owner@example.org")
	key := p.NewKey("owner@example.org")
	p.Key = key
	p.JSON("PATCH", "/v1/user/me", map[string]any{"docVersioningEnabled": true, "docVersioningMax": 3})
	var kb struct{ ID string }
	p.JSON("POST", "/v1/collections", map[string]any{"name": "Notes"}).Data(t, &kb)
	authors := []*author{{path: "a.md"}, {path: "b.md"}, {path: "c.md"}, {path: "d.md"}}
	for round := 0; round < rounds || authors[0].acked < 5 && round < 10*rounds; round++ { // a busy machine gets more rounds
		var wg sync.WaitGroup
		for _, a := range authors {
			wg.Go(func() { a.write(p, kb.ID) })
		}
		time.Sleep(time.Duration(50+rand.IntN(700)) * time.Millisecond)
		p.Signal(syscall.SIGKILL)
		p.Wait(time.Minute)
		wg.Wait()
		p = start(t, data, key)
		want := 0
		for _, a := range authors {
			want += a.check(t, p, kb.ID)
		}
		_, pictures := list(t, p)
		var files []string
		for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
			if files = p.Blobs(); len(files) == want+pictures {
				break
			}
		}
		if len(files) != want+pictures {
			t.Errorf("there are %d texts, %d pictures and %d files", want, pictures, len(files))
		}
		if t.Failed() {
			return
		}
	}
	if authors[0].acked < 5 {
		t.Errorf("only %d texts were acknowledged: this shows little", authors[0].acked)
	}
	p.Terminate()
}
