package s3

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"picora/store/blob"
	"picora/store/blob/blobtest"
)

// wire keeps what is said to the service, which is at the address at whatever the name.
type wire struct {
	http.Transport
	mu   sync.Mutex
	said []*http.Request
}

func newWire(at string) *wire {
	w := &wire{}
	w.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, at)
	}
	return w
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.said = append(w.said, r.Clone(context.Background()))
	w.mu.Unlock()
	return w.Transport.RoundTrip(r)
}

// get reads an address as a client does.
func get(t *testing.T, c http.RoundTripper, address string, headers ...string) (*http.Response, []byte) {
	t.Helper()
	r, err := http.NewRequest("GET", address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := c.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, b
}

func TestTheBucketsNameInTheHost(t *testing.T) {
	t.Parallel()
	g := blobtest.StartS3(t, "--virtual-domain", "s3.test")
	w := newWire(g.Addr)
	o := options(g)
	o.Endpoint, o.PathStyle, o.transport = "s3.test", false, w
	s := open(t, o)
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	key, want := blob.NewKey(time.Now()), content(partSize+5)
	if _, err := s.Put(t.Context(), key, bytes.NewReader(want)); err != nil {
		t.Fatal(err)
	}
	r, err := s.Open(t.Context(), key, 3, 100)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	r.Close()
	if err != nil || !bytes.Equal(got, want[3:103]) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	n := 0
	for info, err := range s.List(t.Context(), "", "") {
		if n++; err != nil || info.Key != key {
			t.Errorf("%+v %v", info, err)
		}
	}
	if err := s.Delete(t.Context(), key); err != nil || n != 1 {
		t.Errorf("%d, %v", n, err)
	}
	for _, r := range w.said {
		if r.URL.Host != "media.s3.test" || strings.HasPrefix(r.URL.Path, "/media") {
			t.Errorf("%s %s", r.Method, r.URL)
		}
	}
}

func TestAnAddressForClients(t *testing.T) {
	t.Parallel()
	g := blobtest.StartS3(t)
	o := options(g)
	inside := open(t, o)
	key, want := blob.NewKey(time.Now()), content(3000)
	if _, err := inside.Put(t.Context(), key, bytes.NewReader(want)); err != nil {
		t.Fatal(err)
	}
	o.Public = "http://files.test:81"
	w := newWire(g.Addr)
	for _, s := range []*Store{inside, open(t, o)} {
		address, err := s.Presign(t.Context(), key, "audio/mpeg", `attachment; filename="Übung 1.mp3"`, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if host := map[bool]string{true: g.Addr, false: "files.test:81"}[s == inside]; u.Host != host || strings.Contains(address, o.SecretKey) {
			t.Errorf("%s is not at %s", address, host)
		}
		res, got := get(t, w, address)
		if res.StatusCode != 200 || !bytes.Equal(got, want) || res.Header.Get("Content-Type") != "audio/mpeg" || !strings.HasPrefix(res.Header.Get("Content-Disposition"), "attachment") {
			t.Errorf("%d %v, %d bytes", res.StatusCode, res.Header, len(got))
		}
		res, got = get(t, w, address, "Range", "bytes=10-19")
		if res.StatusCode != 206 || !bytes.Equal(got, want[10:20]) {
			t.Errorf("%d %v, %d bytes", res.StatusCode, res.Header, len(got))
		}
		for name, other := range map[string]string{
			"another blob": strings.Replace(address, key, blob.NewKey(time.Now()), 1),
			"another type": strings.Replace(address, "audio%2Fmpeg", "text%2Fhtml", 1),
			"more time":    strings.Replace(address, "Expires=3600", "Expires=7200", 1),
		} {
			if res, _ := get(t, w, other); other == address || res.StatusCode != http.StatusForbidden {
				t.Errorf("%s: %d", name, res.StatusCode)
			}
		}
	}
	if _, err := inside.Presign(t.Context(), "../x", "a/b", "", time.Hour); !errors.Is(err, blob.ErrKey) {
		t.Errorf("%v", err)
	}
	o.Region = ""
	if _, err := New(o); err == nil || !strings.Contains(err.Error(), "region") {
		t.Errorf("without the region: %v", err)
	}
}

// The server of the tests neither encrypts, nor knows classes or temporary keys: what is
// shown is that the service is told.
func TestTheServiceIsTold(t *testing.T) {
	t.Parallel()
	said := &hearing{}
	o := Options{
		Endpoint: "s3.test", Region: "us-east-1", Bucket: "media", AccessKey: "k", SecretKey: "s", SessionToken: "temporary", PathStyle: true,
		Encryption: "aws:kms:alias/media", StorageClass: "STANDARD_IA", transport: said,
	}
	s := open(t, o)
	if _, err := s.Put(t.Context(), blob.NewKey(time.Now()), bytes.NewReader([]byte("one"))); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), blob.NewKey(time.Now()), bytes.NewReader(content(partSize+1))); err != nil {
		t.Fatal(err)
	}
	stored := 0
	for _, r := range said.heard {
		q := r.URL.Query()
		if r.Header.Get("X-Amz-Security-Token") != "temporary" || !strings.Contains(r.Header.Get("Authorization"), "x-amz-security-token") {
			t.Errorf("%s %s: without the token of the session", r.Method, r.URL)
		}
		if !(r.Method == "PUT" && !q.Has("partNumber") || r.Method == "POST" && q.Has("uploads")) { // what makes an object
			continue
		}
		stored++
		for name, want := range map[string]string{
			"X-Amz-Server-Side-Encryption": "aws:kms", "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": "alias/media", "X-Amz-Storage-Class": "STANDARD_IA",
		} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("%s %s: %s is %q, want %q", r.Method, r.URL, name, got, want)
			}
		}
	}
	if stored != 2 {
		t.Errorf("%d requests make objects", stored)
	}
	address, err := s.Presign(t.Context(), blob.NewKey(time.Now()), "a/b", "", time.Minute)
	if err != nil || !strings.Contains(address, "X-Amz-Security-Token=temporary") {
		t.Errorf("%s, %v", address, err)
	}
	o.Encryption, said.heard = "AES256", nil
	if _, err := open(t, o).Put(t.Context(), blob.NewKey(time.Now()), bytes.NewReader(nil)); err != nil {
		t.Fatal(err)
	}
	if last := said.heard[len(said.heard)-1]; last.Header.Get("X-Amz-Server-Side-Encryption") != "AES256" {
		t.Errorf("%v", last.Header)
	}
	o.Encryption = "ROT13"
	if _, err := New(o); err == nil {
		t.Error("ROT13 is encryption")
	}
}

// hearing is a service that takes all, keeps what it is told, and has nothing.
type hearing struct {
	mu    sync.Mutex
	heard []*http.Request
}

func (h *hearing) RoundTrip(r *http.Request) (*http.Response, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.heard = append(h.heard, r.Clone(context.Background()))
	if r.Body != nil {
		io.Copy(io.Discard, r.Body)
		r.Body.Close()
	}
	res := &http.Response{StatusCode: 200, ProtoMajor: 1, ProtoMinor: 1, Request: r, Header: http.Header{"Etag": {`"0123456789abcdef0123456789abcdef"`}}}
	text := ""
	switch q := r.URL.Query(); {
	case r.Method == "HEAD":
		res.StatusCode = http.StatusNotFound
	case r.Method == "POST" && q.Has("uploads"):
		text = "<InitiateMultipartUploadResult><Bucket>media</Bucket><Key>k</Key><UploadId>u</UploadId></InitiateMultipartUploadResult>"
	case r.Method == "POST" && q.Has("uploadId"):
		text = `<CompleteMultipartUploadResult><Bucket>media</Bucket><Key>k</Key><ETag>"e"</ETag></CompleteMultipartUploadResult>`
	}
	res.Header.Set("Content-Type", "application/xml")
	res.ContentLength, res.Body = int64(len(text)), io.NopCloser(strings.NewReader(text))
	return res, nil
}

func TestAReadOfABucketThatStaysAwayEnds(t *testing.T) {
	t.Parallel()
	g := blobtest.StartS3(t)
	s := open(t, options(g))
	key := blob.NewKey(time.Now())
	if _, err := s.Put(t.Context(), key, bytes.NewReader(content(20<<20))); err != nil {
		t.Fatal(err)
	}
	r, err := s.Open(t.Context(), key, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.ReadFull(r, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	g.Stop()
	n, err := io.Copy(io.Discard, r) // what was on its way, then an error: the test's own time limit is the bound
	if !errors.Is(err, blob.ErrUnavailable) || n >= 20<<20 {
		t.Errorf("%d bytes, %v", n, err)
	}
}
