package fetch

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"picora/app/fault"
)

// here lets a client fetch from servers of tests.
var here = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

func serve(t *testing.T, h http.HandlerFunc) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func TestAFileAndTheRestOfIt(t *testing.T) {
	data, tag := bytes.Repeat([]byte("0123456789"), 5000), `"one"`
	at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "identity" || r.Header.Get("Referer") != "" || r.Header.Get("Cookie") != "" || r.UserAgent() != "Picora" {
			t.Errorf("%v", r.Header)
		}
		if r.URL.Path == "/moved" {
			http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
			http.Redirect(w, r, "/files/sea%20side.png", http.StatusMovedPermanently)
			return
		}
		if r.URL.Path == "/named" {
			w.Header().Set("Content-Disposition", `attachment; filename="x.bin"; filename*=UTF-8''%E6%B5%B7.jpg`)
		}
		w.Header().Set("ETag", tag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	})
	c := New(Options{Allow: here})
	read := func(path string, from int64, validator string) (*File, []byte) {
		t.Helper()
		f, err := c.Open(t.Context(), at+path, from, validator)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		b, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		return f, b
	}
	f, b := read("/moved", 0, "")
	if f.Name != "sea side.png" || f.Size != int64(len(data)) || f.From != 0 || f.Validator != tag || !bytes.Equal(b, data) {
		t.Errorf("%+v, %d bytes", f, len(b))
	}
	if f, _ = read("/named", 0, ""); f.Name != "海.jpg" {
		t.Errorf("its name is %q", f.Name)
	}
	if f, b = read("/a", 12345, tag); f.From != 12345 || f.Size != int64(len(data)) || !bytes.Equal(b, data[12345:]) {
		t.Errorf("%+v, %d bytes", f, len(b))
	}
	if f, b = read("/a", 12345, `"another"`); f.From != 0 || !bytes.Equal(b, data) {
		t.Errorf("another file: %+v, %d bytes", f, len(b))
	}
	if f, b = read("/a", int64(len(data))+5, tag); f.From != 0 || !bytes.Equal(b, data) { // 416
		t.Errorf("more than there is: %+v, %d bytes", f, len(b))
	}
}

func TestAnswersWithoutAFile(t *testing.T) {
	at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/missing":
			w.WriteHeader(http.StatusNotFound)
		case "/private":
			w.WriteHeader(http.StatusForbidden)
		case "/busy":
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/later":
			w.Header().Set("Retry-After", "86400")
			w.WriteHeader(http.StatusTooManyRequests)
		case "/compressed":
			w.Header().Set("Content-Encoding", "gzip")
		case "/nothing":
			w.WriteHeader(http.StatusNoContent)
		case "/part":
			w.Header().Set("Content-Range", "bytes 0-1/9")
			w.WriteHeader(http.StatusPartialContent)
		case "/cut":
			w.Header().Set("Content-Length", "1000")
			w.Write(make([]byte, 10))
		case "/head":
			w.Header().Set("X-Long", strings.Repeat("a", maxHeader*2))
		}
	})
	c := New(Options{Allow: here})
	for path, want := range map[string]struct {
		says  string
		again bool
		after time.Duration
	}{
		"/missing": {says: "has no file at this address (404)"}, "/private": {says: "lets only some have the file (403)"},
		"/busy":       {says: "cannot give the file at the moment (503)", again: true, after: 7 * time.Second},
		"/later":      {says: "(429)", again: true, after: maxPause},
		"/compressed": {says: "compressed (gzip)"}, "/nothing": {says: "(204)"}, "/part": {says: "(206)"}, "/head": {says: "broke", again: true},
	} {
		_, err := c.Open(t.Context(), at+path, 0, "")
		b, again := errors.AsType[*Broken](err)
		if f := fault.From(err); err == nil || f.Code != fault.FetchFailed || !strings.Contains(f.Message, want.says) || again != want.again || again && b.After != want.after {
			t.Errorf("%s: %v", path, err)
		}
	}
	f, err := c.Open(t.Context(), at+"/cut", 0, "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if _, again := errors.AsType[*Broken](err); !again || len(b) != 10 || f.Size != 1000 {
		t.Errorf("a file that is cut off: %d bytes of %d, %v", len(b), f.Size, err)
	}
	if _, err := c.Open(t.Context(), "http://127.0.0.1:1", 0, ""); !strings.Contains(fault.From(err).Message, "Nothing answers") {
		t.Errorf("nobody there: %v", err)
	}
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	if _, err := c.Open(t.Context(), secure.URL, 0, ""); !strings.Contains(fault.From(err).Message, "certificate") {
		t.Errorf("a certificate that nobody knows: %v", err)
	}
	if _, err := c.Open(t.Context(), strings.Replace(at, "http:", "https:", 1), 0, ""); !strings.Contains(fault.From(err).Message, "https") {
		t.Errorf("no TLS there: %v", err)
	}
}

func TestAServerThatIsTooSlowIsGivenUp(t *testing.T) {
	done := make(chan struct{})
	at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			w.Write([]byte("begins"))
			http.NewResponseController(w).Flush()
		}
		select { // and never ends
		case <-done:
		case <-r.Context().Done():
		}
	})
	defer close(done)
	c := New(Options{Allow: here, patience: 500 * time.Millisecond})
	for _, path := range []string{"/head", "/body"} {
		f, err := c.Open(t.Context(), at+path, 0, "")
		if err == nil {
			_, err = io.ReadAll(f)
			f.Close()
		}
		if _, again := errors.AsType[*Broken](err); !again {
			t.Errorf("%s: %v", path, err)
		}
	}
}
