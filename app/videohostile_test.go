package app_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/app/apptest/corpus"
)

// canary listens on loopback, and counts who comes.
type canary struct {
	net.Listener
	came atomic.Int64
}

func newCanary(t *testing.T) *canary {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &canary{Listener: l}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			c.came.Add(1)
			conn.Close()
		}
	}()
	return c
}

// filmConfig is a file of settings like filmServer's, for a process.
func filmConfig(t *testing.T, more string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "picora.toml")
	text := "[video]\nladder = [144, 240]\npreset = \"ultrafast\"\ntries = 2\npriority = \"normal\"\n" + more
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// filmProcess is the program with an account, on settings for films.
func filmProcess(t *testing.T, more string) *apptest.Process {
	t.Helper()
	p := apptest.Serve(t, filepath.Join(t.TempDir(), "data"), "--config", filmConfig(t, more))
	p.NewUser("owner@example.org")
	p.Key = p.NewKey("owner@example.org")
	return p
}

// told is what the API says of a video.
type told struct {
	ID, Status      string
	Error, Note     *string
	PlaybackURL     *string
	Progress        *int
	DurationSeconds *int
	Renditions      []struct{ Name string }
}

func tell(t *testing.T, p *apptest.Picora, id string) (v told) {
	t.Helper()
	p.Do("GET", "/v1/videos/"+id, nil).Data(t, &v)
	return v
}

// over waits until nothing more is being made of a video.
func over(t *testing.T, p *apptest.Picora, id string, within time.Duration) (v told) {
	t.Helper()
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if v = tell(t, p, id); v.Status == "error" || v.Status == "ready" && v.Progress == nil {
			return v
		}
	}
	t.Errorf("after %v it is %q", within, v.Status)
	return v
}

// TestHostileVideosHarmNobody sends files that name other files and addresses, lie, lead
// round and round, and become large, to a server in a process of its own. Others are
// answered meanwhile.
func TestHostileVideosHarmNobody(t *testing.T) {
	c := newCanary(t)
	p := filmProcess(t, "")
	pick := os.Getenv("PICORA_CORPUS")
	outcomes := map[string]int{}
	for _, h := range corpus.Hostiles(t, "http://"+c.Addr().String()) {
		if !regexp.MustCompile(pick).MatchString(h.Name) {
			continue
		}
		begin, how := time.Now(), ""
		most := watched(p, func() { how = hostile(t, p.Picora, h) })
		t.Logf("%-26s %8d bytes %6.1f s %5d MB  %s", h.Name, len(h.Data), time.Since(begin).Seconds(), most, how)
		outcomes[strings.Fields(how)[0]]++
		if most > 1600 { // a worker of videos may have 2048
			t.Errorf("%s: a process had %d MB", h.Name, most)
		}
		if n := c.came.Load(); n > 0 {
			t.Fatalf("%s: somebody asked the canary", h.Name)
		}
		if r := p.Upload("a.jpg", apptest.JPEG(60, 40, uint64(begin.UnixNano()))); r.Status != 201 {
			t.Errorf("after %s: a picture: %d %s", h.Name, r.Status, r.Body)
		}
	}
	t.Logf("%v", outcomes)
	if server := resident([]int{p.Pid()}); server > 300 {
		t.Errorf("the server has %d MB", server)
	}
	intact(t, p)
}

// hostile sends a file, waits for its end, deletes it, and tells what became of it.
func hostile(t *testing.T, p *apptest.Picora, h corpus.Hostile) string {
	r := uploadFilm(p, h.Name, h.Data)
	if r.Status != 202 {
		if r.Status < 400 || r.Status >= 500 || !sound(reason(r)) {
			t.Errorf("%s: %d %s", h.Name, r.Status, r.Body)
		}
		return "refused: " + reason(r)
	}
	var in struct{ ID string }
	r.Data(t, &in)
	v := over(t, p, in.ID, 5*time.Minute)
	if d := p.Do("DELETE", "/v1/videos/"+in.ID, nil); d.Status != 200 {
		t.Errorf("%s: deleting it: %d %s", h.Name, d.Status, d.Body)
	}
	if v.Status == "error" {
		if v.Error == nil || !sound(*v.Error) {
			t.Errorf("%s: it failed without a reason: %+v", h.Name, v)
			return "failed"
		}
		return "failed: " + *v.Error
	}
	if h.Must {
		t.Errorf("%s plays: %+v", h.Name, v)
	}
	note := ""
	if v.Note != nil {
		note = *v.Note
	}
	return fmt.Sprintf("played: %d sizes, %v s %s", len(v.Renditions), deref(v.DurationSeconds), note)
}

func deref(n *int) int {
	if n == nil {
		return -1
	}
	return *n
}

// sound reports whether a reason is a sentence for people, and betrays nothing.
func sound(s string) bool {
	return len(s) > 10 && len(s) < 400 && strings.HasSuffix(strings.TrimSpace(s), ".") && !strings.Contains(s, "root:") && !strings.Contains(s, "/tmp/")
}

// intact deletes all pictures and checks that nothing is left, and that what the database
// has is so.
func intact(t *testing.T, p *apptest.Process) {
	t.Helper()
	for {
		all, _ := list(t, p)
		if len(all) == 0 {
			break
		}
		for _, i := range all {
			p.Do("DELETE", "/v1/images/"+i.ID, nil)
		}
	}
	emptied(t, p.Picora)
	unharmed(t, p.Picora)
	if left := scratch(t, p.Data); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if out, err := p.Control().Recount(context.Background(), ""); err != nil || len(out.Repaired) > 0 {
		t.Errorf("a recount: %+v, %v", out, err)
	}
	p.Terminate()
	data := p.Data
	again := apptest.Serve(t, data)
	again.Key = p.Key
	if r := again.Do("GET", "/v1/videos", nil); r.Status != http.StatusOK || !bytes.Contains(r.Body, []byte(`"items":[]`)) {
		t.Errorf("after another start: %d %s", r.Status, r.Body)
	}
	again.Terminate()
}
