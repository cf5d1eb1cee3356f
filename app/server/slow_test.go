package server_test

import (
	"context"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/app/config"
)

// quick is a Picora that gives an upload a second to send its next bytes.
func quick(t *testing.T) *apptest.Picora {
	return apptest.Start(t, func(c *config.Config) { c.Upload.IdleTimeout = config.Duration(time.Second) })
}

// begun is an upload of a megabyte of which the first part is sent.
func begun(t *testing.T, p *apptest.Picora, framing string) *wire {
	t.Helper()
	w := dial(t, p.URL)
	if framing == "" {
		framing = "Content-Length: 1000000\r\n"
	}
	start := formHead + string(apptest.JPEG(64, 64, 1)) + strings.Repeat("x", 20<<10)
	if strings.Contains(framing, "chunked") {
		start = strings.TrimSuffix(chunked(start, 1000), "0\r\n\r\n")
	}
	w.send(request("POST", "/v1/images", bearer(p.Key)+formType+framing, start))
	return w
}

func TestAnUploadThatStallsIsCut(t *testing.T) {
	t.Parallel()
	p := quick(t)
	start := time.Now()
	for _, w := range []*wire{begun(t, p, ""), begun(t, p, "Transfer-Encoding: chunked\r\n")} {
		as := w.all()
		wantStatuses(t, as, 408)
		if took := time.Since(start); took < 900*time.Millisecond || took > 40*time.Second {
			t.Errorf("cut after %s", took)
		}
		if len(as) == 1 && as[0].code(t) != "REQUEST_TIMEOUT" {
			t.Errorf("answer %s", as[0].body)
		}
	}
	nothingKept(t, p)
}

func TestAnUploadThatTricklesIsCut(t *testing.T) {
	t.Parallel()
	p := quick(t)
	start := time.Now()
	w := begun(t, p, "")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		for ctx.Err() == nil {
			w.send("x")
			time.Sleep(100 * time.Millisecond)
		}
	}()
	as := w.all()
	if len(as) > 1 || len(as) == 1 && as[0].status != 408 {
		t.Errorf("answers %v, want 408 or the end", statuses(as))
	}
	if took := time.Since(start); took > 40*time.Second {
		t.Errorf("a byte now and then kept the connection for %s", took)
	}
	nothingKept(t, p)
}

func TestAnUploadSlowerThanTheTimeoutInAllIsTaken(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t, func(c *config.Config) { c.Upload.IdleTimeout = config.Duration(6 * time.Second) })
	body := form(string(apptest.JPEG(16, 16, 3)) + strings.Repeat("x", 200<<10))
	w := dial(t, p.URL)
	w.send(request("POST", "/v1/images", bearer(p.Key)+formType+"Connection: close\r\nContent-Length: "+strconv.Itoa(len(body))+"\r\n", ""))
	for body != "" { // 15 KiB each 500 ms: 7 seconds in all
		n := min(len(body), 15<<10)
		w.send(body[:n])
		body = body[n:]
		time.Sleep(500 * time.Millisecond)
	}
	wantStatuses(t, w.all(), 201)
}

func TestAClientThatLeavesLeavesNothing(t *testing.T) {
	p := quick(t)
	w := begun(t, p, "")
	eventually(t, "an upload runs", uploading)
	w.Close()
	for i := range 20 {
		w := begun(t, p, []string{"", "Transfer-Encoding: chunked\r\n"}[i%2])
		if i%4 < 2 {
			time.Sleep(10 * time.Millisecond) // into the middle of the body
		}
		w.Close()
	}
	for _, half := range []string{"P", "POST /v1/images HT", "POST /v1/images HTTP/1.1\r\nHost: a\r\nContent-Le", request("POST", "/v1/images", bearer(p.Key)+formType+"Content-Length: 500\r\n", "--b\r\nCont")} {
		w := dial(t, p.URL)
		w.send(half)
		w.Close()
	}
	eventually(t, "the uploads' goroutines have ended", func() bool { return !uploading() })
	eventually(t, "nothing is kept", func() bool { return len(p.Blobs()) == 0 })
	nothingKept(t, p)
}

// uploading reports whether a goroutine is at work on an upload.
func uploading() bool {
	b := make([]byte, 1<<20)
	stacks := string(b[:runtime.Stack(b, true)])
	return strings.Contains(stacks, "picora/app/library.(*intake)") || strings.Contains(stacks, "picora/app/api.")
}

func TestStalledUploadsDoNotBlockOthers(t *testing.T) {
	p := apptest.Start(t) // stalls last a minute here
	var wg sync.WaitGroup
	stalled := make([]*wire, 50)
	for i := range stalled {
		wg.Go(func() { stalled[i] = begun(t, p, "") })
	}
	wg.Wait()
	start := time.Now()
	for i := range uint64(10) {
		p.Add("a.png", apptest.PNG(30, 30, i))
	}
	if took := time.Since(start); took > 40*time.Second {
		t.Errorf("ten small uploads took %s beside the stalled ones", took)
	}
	for _, w := range stalled {
		w.Close()
	}
	eventually(t, "only the ten pictures are kept", func() bool { return len(p.Blobs()) == 10 })
}

func TestALargeUploadIsStreamed(t *testing.T) {
	p := apptest.Start(t)
	chunk := "10000\r\n" + strings.Repeat("x", 64<<10) + "\r\n"
	first := formHead + string(apptest.JPEG(64, 64, 1))
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	base, peak := m.HeapInuse, uint64(0)
	w := dial(t, p.URL)
	w.SetDeadline(time.Now().Add(3 * time.Minute))
	w.send(request("POST", "/v1/images", bearer(p.Key)+formType+"Connection: close\r\nTransfer-Encoding: chunked\r\n", ""))
	w.send(strings.TrimSuffix(chunked(first, 1<<20), "0\r\n\r\n"))
	for i := range 30 << 4 {
		w.send(chunk)
		if i%32 == 0 {
			runtime.GC() // what is garbage, the test's own too, does not count
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapInuse)
		}
	}
	w.send(chunked(formEnd, 100))
	as := w.all()
	wantStatuses(t, as, 201)
	if len(as) == 1 && !strings.Contains(as[0].body, `"sizeBytes":`+strconv.Itoa(30<<20+len(first)-len(formHead))) {
		t.Errorf("answer %s", as[0].body)
	}
	if grown := int64(peak) - int64(base); grown > 12<<20 {
		t.Errorf("the heap grew by %d KiB during an upload of 30 MiB", grown>>10)
	}
}

// eventually waits for what happens a moment later.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !so(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still not so: %s", what)
		}
	}
}

// A stop that has to wait for its time to run out is an error, which fails the test.
func TestIdleConnectionsDoNotHoldUpTheStop(t *testing.T) {
	p := apptest.Start(t)
	path := strings.TrimPrefix(p.Add("a.png", apptest.PNG(20, 20, 1)).URL, p.URL)
	get := "GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n"
	for name, requests := range map[string][]string{"says nothing": nil, "asks for a file": {get, get, get}, "asks how it goes": {"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"}} {
		c := dial(t, p.URL)
		for _, r := range requests {
			c.send(r)
			if a, ok := c.next(); !ok || a.status != 200 {
				t.Errorf("%s: %v", name, a)
			}
		}
	}
	p.Stop()
}
