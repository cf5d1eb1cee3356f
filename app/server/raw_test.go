package server_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
)

// last is a request that every server answers, and the last of its connection.
const last = "GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

// wire is a connection on which tests write what no HTTP client would.
type wire struct {
	net.Conn
	t *testing.T
	r *bufio.Reader
}

func dial(t *testing.T, url string) *wire {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(20 * time.Second))
	return &wire{c, t, bufio.NewReader(c)}
}

// send writes; the server may have closed the connection by then.
func (w *wire) send(s string) { io.WriteString(w, s) }

// answer is one answer, read whole.
type answer struct {
	status int
	header http.Header
	body   string
	close  bool // the answer says that it is the last
}

// healthy reports whether the answer is the one to the request last.
func (a answer) healthy() bool { return a.status == 200 && strings.Contains(a.body, `"ok":true`) }

// code is the code of the envelope; the test fails when there is none.
func (a answer) code(t *testing.T) string {
	t.Helper()
	var e struct {
		Success *bool
		Error   string
		Code    string
	}
	if err := json.Unmarshal([]byte(a.body), &e); err != nil || e.Success == nil || *e.Success || e.Error == "" {
		t.Errorf("no envelope of an error: %d %q", a.status, a.body)
	}
	if ct := a.header.Get("Content-Type"); ct != "application/json" {
		t.Errorf("Content-Type of an envelope = %q", ct)
	}
	return e.Code
}

// next reads one answer; ok is false at the end of the connection.
func (w *wire) next() (a answer, ok bool) {
	w.t.Helper()
	res, err := http.ReadResponse(w.r, nil)
	if err != nil {
		if ne, timeout := err.(net.Error); timeout && ne.Timeout() {
			w.t.Fatal("the server neither answers nor closes the connection")
		}
		return a, false
	}
	b, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatalf("answer %d is cut off: %v", res.StatusCode, err)
	}
	return answer{res.StatusCode, res.Header, string(b), res.Close}, true
}

// all reads answers until the server closes the connection.
func (w *wire) all() (as []answer) {
	w.t.Helper()
	for {
		a, ok := w.next()
		if !ok {
			return as
		}
		as = append(as, a)
	}
}

func statuses(as []answer) (s []int) {
	for _, a := range as {
		s = append(s, a.status)
	}
	return s
}

// wantStatuses compares the answers' statuses in order.
func wantStatuses(t *testing.T, as []answer, want ...int) {
	t.Helper()
	if got := statuses(as); !slices.Equal(got, want) {
		t.Errorf("answers %v, want %v", got, want)
		for _, a := range as {
			t.Logf("%d %v %.200s", a.status, a.header, a.body)
		}
	}
}

// request writes a request with a Content-Length that fits its body, unless the
// headers say something of the framing themselves.
func request(method, path, headers, body string) string {
	if body != "" && !strings.Contains(headers, "Content-Length:") && !strings.Contains(headers, "Transfer-Encoding:") {
		headers += fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	return method + " " + path + " HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n" + body
}

func bearer(key string) string { return "Authorization: Bearer " + key + "\r\n" }

const formType = "Content-Type: multipart/form-data; boundary=b\r\n"

// form is the multipart body, with the boundary b, of a file.
func form(file string) string { return formHead + file + formEnd }

const (
	formHead = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jpg\"\r\n\r\n"
	formEnd  = "\r\n--b--\r\n"
)

// chunked writes a body in chunks of n bytes.
func chunked(body string, n int) string {
	var b strings.Builder
	for body != "" {
		k := min(n, len(body))
		fmt.Fprintf(&b, "%x\r\n%s\r\n", k, body[:k])
		body = body[k:]
	}
	return b.String() + "0\r\n\r\n"
}

// nothingKept checks that the list is empty and no byte was kept.
func nothingKept(t *testing.T, p *apptest.Picora) {
	t.Helper()
	var list struct{ Items []apptest.Image }
	p.Do("GET", "/v1/images", nil).Data(t, &list)
	if len(list.Items) != 0 {
		t.Errorf("the list has %d pictures", len(list.Items))
	}
	if f := p.Blobs(); len(f) != 0 {
		t.Errorf("files were left: %v", f)
	}
}
