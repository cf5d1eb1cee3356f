package app_test

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"picora/app/apptest"
)

// largeJPEG is a picture of 24 megapixels.
func largeJPEG(t *testing.T) []byte {
	t.Helper()
	m := image.NewYCbCr(image.Rect(0, 0, 6000, 4000), image.YCbCrSubsampleRatio420)
	v := uint32(1)
	for i := range m.Y {
		v = v*1664525 + 1013904223
		m.Y[i] = uint8(i/6000/20) + uint8(v>>27)
	}
	for i := range m.Cb {
		m.Cb[i], m.Cr[i] = uint8(i/3000/9), uint8(i%3000/12)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// family is a process and those that it started.
func family(pid int) []int {
	pids := []int{pid}
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid)) // a fixed pattern
	for _, list := range lists {
		b, _ := os.ReadFile(list) // a thread may have ended
		for _, word := range strings.Fields(string(b)) {
			n, _ := strconv.Atoi(word)
			pids = append(pids, n)
		}
	}
	return pids
}

var residentLine = regexp.MustCompile(`VmRSS:\s+(\d+) kB`)

// resident is the memory that processes hold, in MB. Shared pages count for each.
func resident(pids []int) (mb int) {
	for _, pid := range pids {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)) // it may have ended
		if m := residentLine.FindSubmatch(b); m != nil {
			kb, _ := strconv.Atoi(string(m[1]))
			mb += kb >> 10
		}
	}
	return mb
}

// scratch are the files that should be there only while something is made.
func scratch(t *testing.T, data string) (files []string) {
	t.Helper()
	for _, pattern := range []string{"cache/tmp/*", "tmp/*"} {
		m, err := filepath.Glob(filepath.Join(data, pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, m...)
	}
	return files
}

// Two hundred pictures are made of a large one at the same time, and everybody else is
// answered meanwhile.
func TestAFloodOfTransforms(t *testing.T) {
	p := owned(t, 0)
	i := p.Add("large.jpg", largeJPEG(t))
	blobs := len(p.Blobs())

	ended := make(chan struct{})
	var others sync.WaitGroup
	watch := func(every time.Duration, do func()) {
		others.Go(func() {
			for {
				do()
				select {
				case <-ended:
					return
				case <-time.After(every):
				}
			}
		})
	}
	var times [2][]time.Duration
	for n, path := range []string{"/health", "/v1/images"} {
		watch(10*time.Millisecond, func() {
			begin := time.Now()
			status, _, err := fetch(p, path)
			if times[n] = append(times[n], time.Since(begin)); err != nil || status != http.StatusOK {
				t.Errorf("%s: %d %v", path, status, err)
			}
		})
	}
	most := 0
	watch(50*time.Millisecond, func() { most = max(most, resident(family(p.Pid()))) })

	var mu sync.Mutex
	answers := map[string]int{}
	var flood sync.WaitGroup
	begin := time.Now()
	for n := range 200 {
		flood.Go(func() {
			format := []string{"jpeg", "webp", "png"}[n%3]
			status, header, err := fetch(p, fmt.Sprintf("/%s.jpg?w=%d&fmt=%s", i.ID, 200+n, format))
			answer := fmt.Sprint(status)
			switch {
			case err != nil:
				t.Error(err)
			case status == http.StatusOK && header.Get("Content-Type") != "image/"+format:
				answer = "the original" // its deadline came
			case status == http.StatusServiceUnavailable && header.Get("Retry-After") == "":
				t.Error("503 without Retry-After")
			}
			mu.Lock()
			defer mu.Unlock()
			answers[answer]++
		})
	}
	flood.Wait()
	took := time.Since(begin)
	close(ended)
	others.Wait()

	t.Logf("200 pictures of one of 24 megapixels in %.1f s: %v; the server and its workers had %d MB at most", took.Seconds(), answers, most)
	for n, path := range []string{"/health", "/v1/images"} {
		slices.Sort(times[n])
		at := func(part float64) time.Duration {
			return times[n][int(part*float64(len(times[n])-1))].Round(100 * time.Microsecond)
		}
		t.Logf("meanwhile %d x %s: median %v, 99 %% %v, worst %v", len(times[n]), path, at(0.5), at(0.99), at(1))
	}
	if answers["200"]+answers["503"]+answers["the original"] != 200 || answers["200"] == 0 {
		t.Errorf("the answers: %v", answers)
	}
	if most > 700 {
		t.Errorf("%d MB", most)
	}
	if left := scratch(t, p.Data); len(left) > 0 || len(p.Blobs()) != blobs {
		t.Errorf("left behind: %v, %v", left, p.Blobs())
	}
	p.Terminate()
}

// fetch is a request with the key, on a connection of its own.
func fetch(p *apptest.Process, path string) (status int, header http.Header, err error) {
	req, err := http.NewRequest("GET", p.URL+path, nil)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+p.Key)
	req.Close = true
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, res.Header, err
}
