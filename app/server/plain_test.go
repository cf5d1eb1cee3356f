package server_test

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
)

// A file in memory is answered at the connection when the request is plain, and by
// the framework when it is not; nobody must be able to tell which it was.
func TestAPlainRequestIsAnsweredAsEveryOther(t *testing.T) {
	p := apptest.Start(t)
	img := p.Add("a.jpg", apptest.JPEG(40, 40, 1))
	path := img.URL[strings.LastIndex(img.URL, "/"):]
	cases := []struct {
		name, request string
		status        int
	}{
		{"a plain one", request("GET", path, "", ""), 200},
		{"as a browser asks", request("GET", path, "User-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: image/avif,image/webp,*/*;q=0.8\r\n"+
			"Accept-Encoding: gzip, br\r\nAccept-Language: zh-CN,en;q=0.5\r\nReferer: http://blog.example/\r\nConnection: keep-alive\r\nSec-Fetch-Dest: image\r\n", ""), 200},
		{"as a script asks", request("GET", path, "Origin: http://blog.example\r\n", ""), 200},
		{"as one that fears caches asks", request("GET", path, "Cache-Control: no-cache\r\nPragma: no-cache\r\n", ""), 200},
		{"with a field that we do not know", request("GET", path, "X-Other: 1\r\n", ""), 200},
		{"with an empty field", request("GET", path, "Accept:\r\n", ""), 200},
		{"with a query", request("GET", path+"?v=1", "", ""), 200},
		{"with a wrong query", request("GET", path+"?what=1", "", ""), 400},
		{"with a key", request("GET", path, bearer(p.Key), ""), 200},
		{"a range", request("GET", path, "Range: bytes=0-9\r\n", ""), 206},
		{"a range far out", request("GET", path, "rAnGe: bytes=99999999-\r\n", ""), 416},
		{"a condition that holds", request("GET", path, "If-None-Match: *\r\n", ""), 304},
		{"a condition that fails", request("GET", path, "If-Match: \"x\"\r\n", ""), 412},
		{"a wrong extension", request("GET", strings.TrimSuffix(path, "jpg")+"png", "", ""), 404},
		{"no file", request("GET", "/AAAAAAAAAAA.jpg", "", ""), 404},
		{"a POST", request("POST", path, "", "x"), 405},
		{"a GET with a body", request("GET", path, "Content-Length: 4\r\n", "GET "), 200},
		{"two hosts", "GET " + path + " HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
		{"no host", "GET " + path + " HTTP/1.1\r\nAccept: *\r\n\r\n", 400},
		{"a folded field", "GET " + path + " HTTP/1.1\r\nHost: a\r\nAccept: a\r\n b\r\n\r\n", 0},
		{"a bare line feed", "GET " + path + " HTTP/1.1\r\nHost: a\r\nAccept: a\nRange: bytes=0-9\r\n\r\n", 0},
		{"a bare carriage return", "GET " + path + " HTTP/1.1\r\nHost: a\r\nAccept: a\rb\r\n\r\n", 0},
		{"an absolute address", "GET http://a" + path + " HTTP/1.1\r\nHost: a\r\n\r\n", 0},
		{"HTTP/1.0", "GET " + path + " HTTP/1.0\r\nHost: a\r\n\r\n", 0},
		{"its last", request("GET", path, "Connection: close\r\n", ""), 200},
	}
	// The framework answers what arrives in two pieces, the connection may answer
	// what arrives whole, once the file is in memory.
	ask := func(t *testing.T, req string, split bool) answer {
		w := dial(t, p.URL)
		w.send(request("GET", "/health", "", ""))
		w.next()
		if split {
			w.send(req[:9])
			time.Sleep(20 * time.Millisecond)
			req = req[9:]
		}
		w.send(req)
		a, ok := w.next()
		if !ok {
			return answer{}
		}
		for _, h := range []string{"Date", "X-Request-Id"} {
			if a.status != 400 && a.header.Get(h) == "" {
				t.Errorf("no %s", h)
			}
			a.header.Del(h)
		}
		return a
	}
	ask(t, cases[0].request, true)
	w := dial(t, p.URL) // the connection answered when Date comes late, where it puts it
	w.send(cases[0].request)
	if _, ok := w.next(); !ok { // the first request is the framework's
		t.Fatal("no answer")
	}
	w.send(cases[0].request)
	if b, err := w.r.Peek(800); err != nil || strings.Index(string(b), "Date:") < strings.Index(string(b), "Etag:") {
		t.Fatalf("the framework answered a plain request: %s %v", b, err)
	}
	for _, c := range cases {
		slow, fast := ask(t, c.request, true), ask(t, c.request, false)
		if c.status != 0 && slow.status != c.status {
			t.Errorf("%s: %d, want %d", c.name, slow.status, c.status)
		}
		if slow.status != fast.status || slow.body != fast.body || slow.close != fast.close || !maps.EqualFunc(slow.header, fast.header, slices.Equal) {
			t.Errorf("%s: the framework says %d %v (%d bytes), the connection %d %v (%d bytes)",
				c.name, slow.status, slow.header, len(slow.body), fast.status, fast.header, len(fast.body))
		}
	}
}

// Whatever came before on a connection, the bytes of a body are never answered as
// a plain request.
func TestAPlainRequestBeginsWhereTheLastOneEnded(t *testing.T) {
	p := apptest.Start(t)
	img := p.Add("a.jpg", apptest.JPEG(40, 40, 1))
	plain := request("GET", img.URL[strings.LastIndex(img.URL, "/"):], "", "")
	warm := dial(t, p.URL)
	warm.send(plain)
	warm.next()
	key := bearer(p.Key)
	cases := []struct {
		name   string
		pieces []string // what is sent, with a pause between
		want   []int    // without the answer to last, which is sent in the end
	}{
		{"one after the other", []string{plain, plain, plain}, []int{200, 200, 200}},
		{"all at once", []string{plain + plain + plain}, []int{200, 200, 200}},
		{"in halves", []string{plain + plain[:10], plain[10:] + plain[:20], plain[20:]}, []int{200, 200, 200}},
		{"behind another", []string{request("GET", "/health", "", ""), plain, request("GET", "/nothing", "", ""), plain}, []int{200, 200, 404, 200}},
		{"as the body of a POST", []string{request("POST", "/v1/images/exists", key+"Content-Length: "+strconv.Itoa(len(plain))+"\r\n", ""), plain}, []int{400}},
		{"as the body of an upload", []string{request("POST", "/v1/images", key+formType+"Content-Length: "+strconv.Itoa(len(plain))+"\r\n", ""), plain}, []int{400}},
		{"as the body of an upload without a key", []string{request("POST", "/v1/images", formType+"Content-Length: "+strconv.Itoa(len(plain))+"\r\n", ""), plain}, []int{401}},
		{"as the body of a GET", []string{request("GET", "/health", "Content-Length: "+strconv.Itoa(len(plain))+"\r\n", ""), plain}, []int{200}},
		{"as the body of a DELETE", []string{request("DELETE", "/v1/images/AAAAAAAAAAA", key+"Content-Length: "+strconv.Itoa(len(plain))+"\r\n", ""), plain}, []int{404}},
		{"as a chunk of a GET", []string{request("GET", "/health", "Transfer-Encoding: chunked\r\n", ""), strconv.FormatInt(int64(len(plain)), 16) + "\r\n", plain, "\r\n0\r\n\r\n"}, nil},
		{"as the body of a POST whose header came with another request",
			[]string{request("GET", "/health", "", "") + request("POST", "/v1/images/exists", key+"Content-Length: "+strconv.Itoa(len(plain))+"\r\n", ""), plain}, []int{200, 400}},
		{"behind a request that came in two pieces", []string{request("GET", "/health", "", "")[:20], request("GET", "/health", "", "")[20:], plain, plain}, []int{200, 200, 200}},
		{"behind a HEAD", []string{request("HEAD", "/health", "", ""), plain}, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := dial(t, p.URL)
			for _, piece := range c.pieces {
				w.send(piece)
				time.Sleep(15 * time.Millisecond)
			}
			if strings.HasPrefix(c.pieces[0], "HEAD") {
				res, err := http.ReadResponse(w.r, &http.Request{Method: "HEAD"})
				if err != nil || res.StatusCode != 200 {
					t.Fatal(res, err)
				}
				c.want = []int{200}
			}
			w.send(last)
			as := w.all()
			if n := len(as); n > 0 && as[n-1].healthy() {
				as = as[:n-1]
			}
			if c.want == nil { // a refusal, or an answer to the GET alone
				if len(as) > 1 || len(as) == 1 && len(as[0].body) > 1000 {
					t.Errorf("%d answers: %v", len(as), statuses(as))
				}
				return
			}
			wantStatuses(t, as, c.want...)
		})
	}
}

func TestStopDoesNotWaitForConnectionsThatOnlyHadPlainAnswers(t *testing.T) {
	p := apptest.Start(t)
	img := p.Add("a.jpg", apptest.JPEG(40, 40, 1))
	var took time.Duration
	for range 3 { // a machine may stand still once
		w := dial(t, p.URL)
		for range 3 {
			w.send(request("GET", img.URL[strings.LastIndex(img.URL, "/"):], "", ""))
			if a, ok := w.next(); !ok || a.status != 200 {
				t.Fatal(a)
			}
		}
		done, begin := make(chan struct{}), time.Now()
		go func() { p.Stop(); close(done) }()
		if _, ok := w.next(); ok {
			t.Error("the idle connection was told something")
		}
		took = time.Since(begin)
		<-done
		if took < 4500*time.Millisecond { // the framework closes a connection that it never answered after 5 s
			return
		}
		p.Restart()
	}
	t.Errorf("it was closed after %s", took)
}
