package cdn_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"picora/app/apptest"
)

// hammer asks for a file from eight sides while do runs, and calls wrong for each
// answer other than status to a request that began when do had returned.
func hammer(t *testing.T, p *apptest.Picora, path string, status int, do func()) {
	t.Helper()
	var done, stop atomic.Bool
	var late atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			client := http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for !stop.Load() {
				after := done.Load()
				res, err := client.Get(p.URL + path)
				if err != nil {
					t.Error(err)
					return
				}
				res.Body.Close()
				if !after {
					continue
				}
				late.Add(1)
				if res.StatusCode != status {
					t.Errorf("%s: %d after the change, want %d", path, res.StatusCode, status)
					return
				}
			}
		})
	}
	time.Sleep(5 * time.Millisecond)
	do()
	done.Store(true)
	if r := get(p, "GET", path); r.Status != status {
		t.Errorf("%s: the very next request brings %d, want %d", path, r.Status, status)
	}
	for end := time.Now().Add(time.Minute); late.Load() < 16 && !t.Failed() && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	stop.Store(true)
	wg.Wait()
	if late.Load() < 16 && !t.Failed() {
		t.Fatal("nobody asked after the change")
	}
}

func TestADeletedFileIsGoneAtOnce(t *testing.T) {
	p := apptest.Start(t)
	for n := range uint64(20) {
		side := 20
		if n%4 == 3 {
			side = 200 // served from the disk
		}
		i := p.Add("a.png", apptest.PNG(side, side, n))
		hammer(t, p, "/"+i.ID+".png", http.StatusNotFound, func() {
			if r := p.Do("DELETE", "/v1/images/"+i.ID, nil); r.Status != http.StatusOK {
				t.Errorf("DELETE: %d %s", r.Status, r.Body)
			}
		})
	}
}

func TestAFileMadePrivateIsClosedAtOnce(t *testing.T) {
	p := apptest.Start(t)
	i := p.Add("a.png", apptest.PNG(20, 20, 1))
	for range 10 {
		hammer(t, p, "/"+i.ID+".png", http.StatusForbidden, func() { patch(t, p, i.ID, map[string]any{"isPublic": false}) })
		hammer(t, p, "/"+i.ID+".png", http.StatusOK, func() { patch(t, p, i.ID, map[string]any{"isPublic": true}) })
	}
}

func TestMetadataComesAndGoesWithItsSwitch(t *testing.T) {
	p := apptest.Start(t)
	for name, data := range map[string][]byte{"small": withEXIF(apptest.JPEG(40, 40, 1), 6), "large": withEXIF(apptest.JPEG(600, 400, 2), 6)} {
		t.Run(name, func(t *testing.T) {
			i := p.Add("a.jpg", data)
			path := "/" + i.ID + ".jpg"
			stripped := get(p, "GET", path)
			if bytes.Contains(stripped.Body, []byte(secret)) {
				t.Fatal("the secret is delivered")
			}
			date, err := http.ParseTime(stripped.Header.Get("Last-Modified"))
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Until(date.Add(1100 * time.Millisecond))) // dates are whole seconds
			patch(t, p, i.ID, map[string]any{"keepMetadata": true})
			kept := get(p, "GET", path)
			if !bytes.Equal(kept.Body, data) {
				t.Error("with its metadata the file is not what was sent")
			}
			if kept.Header.Get("ETag") == stripped.Header.Get("ETag") {
				t.Error("other bytes have the same ETag")
			}
			for _, old := range [][]string{
				{"If-None-Match", stripped.Header.Get("ETag")},
				{"If-Modified-Since", stripped.Header.Get("Last-Modified")},
				{"Range", "bytes=5-9", "If-Range", stripped.Header.Get("ETag")},
				{"Range", "bytes=5-9", "If-Range", stripped.Header.Get("Last-Modified")},
			} {
				if r := get(p, "GET", path, old...); r.Status != http.StatusOK || !bytes.Equal(r.Body, data) {
					t.Errorf("%v of the other bytes: %d, %d bytes", old, r.Status, len(r.Body))
				}
			}
			patch(t, p, i.ID, map[string]any{"keepMetadata": false})
			if again := get(p, "GET", path); !bytes.Equal(again.Body, stripped.Body) || again.Header.Get("ETag") != stripped.Header.Get("ETag") {
				t.Error("without its metadata again the file is another")
			}
		})
	}
}

// logged collects the log of a test.
func logged(t *testing.T) *lines {
	t.Helper()
	l, before := &lines{}, slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(l, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	return l
}

type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestAFileWhoseBytesAreMissingIsNotThere(t *testing.T) {
	log := logged(t)
	p := apptest.Start(t)
	var paths []string
	for n, data := range [][]byte{apptest.PNG(20, 20, 1), apptest.PNG(300, 300, 2), withEXIF(apptest.JPEG(600, 400, 3), 6)} {
		i := p.Add("a", data)
		paths = append(paths, i.URL[strings.LastIndex(i.URL, "/"):])
		if len(p.Blobs()) != n+1 {
			t.Fatalf("blobs %v", p.Blobs())
		}
	}
	for _, f := range p.Blobs() {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range paths {
		for _, headers := range [][]string{nil, {"Range", "bytes=300-309"}} {
			r := get(p, "GET", path, headers...)
			if r.Status != http.StatusNotFound || r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("ETag") != "" || r.Header.Get("Content-Range") != "" || r.Header.Get("Last-Modified") != "" {
				t.Errorf("%s %v: %d %v %s", path, headers, r.Status, r.Header, r.Body)
			}
			secured(t, path, r.Header)
			if id := r.Header.Get("X-Request-Id"); !strings.Contains(log.String(), id) {
				t.Errorf("%s: nothing in the log under %s", path, id)
			}
		}
		if r := get(p, "HEAD", path); r.Status >= 500 {
			t.Errorf("HEAD %s: %d", path, r.Status)
		}
	}
	if strings.Contains(log.String(), "panic") {
		t.Errorf("a panic: %s", log)
	}
	if r := p.Do("GET", "/v1/images", nil); r.Status != http.StatusOK {
		t.Errorf("the list: %d", r.Status)
	}
}
