//go:build bench

package bench_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"picora/app/apptest"
)

// TestVideoBesidePictures prints how many pictures a second are delivered, and made, while
// a video is being worked on: as much as if there were none is 1, and 0.8 is wanted.
func TestVideoBesidePictures(t *testing.T) {
	p := start(t, t.TempDir(), -1)
	small := p.upload(t, 100<<10)
	const clients, turns = 8, 3
	seed := uint64(0)
	measure := func() (delivered, made float64) {
		for range turns {
			delivered += wrk(t, small, clients) / turns
		}
		seed++ // another picture in the same sizes, so that none is there already
		return delivered, p.transforms(t, p.send(t, apptest.JPEG(2000, 1500, seed)))
	}
	delivered, made := measure()
	id := p.film(t, clip(t, "1920x1080", 60))
	for p.progress(t, id) == 0 {
		time.Sleep(100 * time.Millisecond)
	}
	deliveredBeside, madeBeside := measure()
	if p.progress(t, id) == 0 {
		t.Error("the video was ready too soon: these are no numbers")
	}
	t.Logf("pictures of 100 KB, %d clients: %.0f a second alone, %.0f while a video is made: %.2f (at least 0.8 is wanted)", clients, delivered, deliveredBeside, deliveredBeside/delivered)
	t.Logf("pictures made of one of 3 megapixels, 2 clients: %.1f a second alone, %.1f while a video is made: %.2f (at least 0.8 is wanted)", made, madeBeside, madeBeside/made)
}

// film uploads a video and returns its id.
func (p *program) film(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	body, kind := apptest.Form("a.mp4", data)
	var out struct{ Data struct{ ID string } }
	p.api(t, "POST", "/v1/videos", kind, bytes.NewReader(body), &out)
	return out.Data.ID
}

// progress is how much is made of a video that is not finished, in percent, at least 1 when
// anything is being made; 0 when nothing is.
func (p *program) progress(t *testing.T, id string) int {
	t.Helper()
	var out struct {
		Data struct {
			Status   string
			Progress *int
		}
	}
	p.api(t, "GET", "/v1/videos/"+id, "", nil, &out)
	if out.Data.Status == "error" {
		t.Fatal("the video failed")
	}
	if out.Data.Progress == nil {
		return 0
	}
	return *out.Data.Progress
}

func (p *program) api(t *testing.T, method, path, kind string, body io.Reader, out any) {
	t.Helper()
	req, err := http.NewRequest(method, p.url+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("Authorization", "Bearer "+p.key)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode >= 300 {
		t.Fatalf("%s %s: %d %s %v", method, path, res.StatusCode, b, err)
	}
	if err := json.Unmarshal(b, out); err != nil {
		t.Fatal(err)
	}
}

// transforms is how many pictures a second are made for two clients, none twice.
func (p *program) transforms(t *testing.T, photo string) float64 {
	t.Helper()
	const length = 9 * time.Second
	var done, width atomic.Int64
	width.Store(100)
	var wg sync.WaitGroup
	begin := time.Now()
	for range 2 {
		wg.Go(func() {
			for time.Since(begin) < length {
				req, err := http.NewRequest("GET", fmt.Sprintf("%s?w=%d&fmt=webp", photo, width.Add(1)), nil)
				if err != nil {
					t.Error(err)
					return
				}
				req.Header.Set("Authorization", "Bearer "+p.key) // its owner may have every size
				res, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Error(err)
					return
				}
				io.Copy(io.Discard, res.Body) // only that it came counts
				res.Body.Close()
				if res.StatusCode != 200 {
					t.Errorf("%s: %d", photo, res.StatusCode)
					return
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	return float64(done.Load()) / time.Since(begin).Seconds()
}
