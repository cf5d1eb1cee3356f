package app_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"picora/app/apptest"
)

// TestAFetchSurvivesAKill kills the real program while it fetches a file, twice: once in
// the middle, and once when the other server has gone on.
func TestAFetchSurvivesAKill(t *testing.T) {
	picture := append(apptest.PNG(60, 40, 3), bytes.Repeat([]byte("behind the end of a PNG "), 200_000)...)
	asked, on := make(chan string, 100), make(chan struct{})
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Header.Get("Range")
		w.Header().Set("ETag", `"one"`)
		http.ServeContent(&halting{ResponseWriter: w, left: len(picture) / 3, on: on, gone: r.Context().Done()}, r, "a.png", time.Time{}, bytes.NewReader(picture))
	}))
	defer other.Close()
	defer other.CloseClientConnections()
	data := filepath.Join(t.TempDir(), "data")
	config := filepath.Join(t.TempDir(), "picora.toml")
	if err := os.WriteFile(config, []byte("[fetch]\nallow = [\"127.0.0.1\"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := apptest.Serve(t, data, "--config", config)
	p.NewUser("owner@example.org")
	key := p.NewKey("owner@example.org")
	p.Key = key
	r := p.JSON("POST", "/v1/images", `{"url":"`+other.URL+`/a.png"}`, "Prefer", "respond-async")
	var s struct {
		ID, Status, MediaID string
		ReceivedBytes       int
	}
	r.Data(t, &s)
	until := func(done func() bool) {
		t.Helper()
		for end := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
			r := p.Do("GET", "/v1/uploads/"+s.ID, nil)
			if r.Data(t, &s); done() {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%s", r.Body)
			}
		}
	}
	before := -1
	for range 2 {
		until(func() bool { return s.ReceivedBytes > max(before, 0) })
		before = s.ReceivedBytes
		p.Signal(syscall.SIGKILL)
		p.Wait(time.Minute)
		p = apptest.Serve(t, data, "--config", config)
		p.Key = key
	}
	close(on)
	until(func() bool { return s.Status == "done" })
	if back := p.Do("GET", "/v1/images/"+s.MediaID+"/original", nil); !bytes.Equal(back.Body, picture) {
		t.Errorf("%d, %d bytes of %d", back.Status, len(back.Body), len(picture))
	}
	if first := <-asked; first != "" {
		t.Errorf("first it was asked for %q", first)
	}
	for range 2 {
		if again := <-asked; !strings.HasPrefix(again, "bytes=") || again == "bytes=0-" {
			t.Errorf("after a kill it was asked for %q", again)
		}
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) { // it goes just after the record is there
		left, err := os.ReadDir(filepath.Join(data, "uploads"))
		if err == nil && len(left) == 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("left behind: %v %v", left, err)
		}
	}
	p.Terminate()
}

// halting is an answer that halts after some bytes until on is closed, or gone.
type halting struct {
	http.ResponseWriter
	left      int
	on        <-chan struct{}
	gone      <-chan struct{}
	continues bool
}

func (h *halting) Write(b []byte) (int, error) {
	if h.left -= len(b); h.left < 0 && !h.continues {
		http.NewResponseController(h.ResponseWriter).Flush()
		select {
		case <-h.on:
		case <-h.gone:
		}
		h.continues = true
	}
	return h.ResponseWriter.Write(b)
}
