package app_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/app/apptest/corpus"
	"picora/app/config"
	"picora/store"
	"picora/store/blob/blobtest"
)

// atHand are the files of the bucket that the data folder keeps.
func atHand(t testing.TB, p *apptest.Picora) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(p.Data, "hot", "??", "??", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestLargeFilesThatAreOpenToAllComeFromTheBucketItself(t *testing.T) {
	t.Parallel()
	g := blobtest.StartS3(t)
	p := apptest.Start(t, inBucket(g), func(c *config.Config) { c.S3.Serve = "redirect" })
	big, small := apptest.PNG(1300, 1000, 1), apptest.PNG(300, 300, 2)
	i, s := p.Add("big.png", big), p.Add("small.png", small)
	get := func(method, address string, headers ...string) apptest.Response {
		t.Helper()
		return p.Do(method, address, nil, append([]string{"Authorization", ""}, headers...)...)
	}
	var counted int64
	etag := get("HEAD", i.URL).Header.Get("ETag")
	for _, c := range []struct {
		name    string
		method  string
		url     string
		headers []string
		status  int
		bytes   int // that count as served
	}{
		{"by a program", "GET", i.URL, nil, 302, len(big)},
		{"as an address that others made longer", "GET", i.URL + "?utm_source=a", nil, 302, len(big)},
		{"a part", "GET", i.URL, []string{"Range", "bytes=100-299"}, 302, 200},
		{"a part that is not there", "GET", i.URL, []string{"Range", "bytes=99999999-"}, 416, 0},
		{"shown on a page", "GET", i.URL, []string{"Sec-Fetch-Mode", "no-cors", "Referer", "https://blog.example.org/"}, 302, len(big)},
		{"opened by a browser", "GET", i.URL, []string{"Sec-Fetch-Mode", "navigate"}, 302, len(big)},
		{"read by a script", "GET", i.URL, []string{"Sec-Fetch-Mode", "cors", "Origin", "https://blog.example.org"}, 200, len(big)},
		{"read by a script of an old browser", "GET", i.URL, []string{"Origin", "https://blog.example.org"}, 200, len(big)},
		{"what there is of it", "HEAD", i.URL, nil, 200, 0},
		{"what the client has", "GET", i.URL, []string{"If-None-Match", etag}, 304, 0},
		{"a small one", "GET", s.URL, nil, 200, len(small)},
	} {
		r := get(c.method, c.url, c.headers...)
		counted += int64(c.bytes)
		if r.Status != c.status || r.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %d %v", c.name, r.Status, r.Header)
		}
		if at := r.Header.Get("Location"); (at != "") != (c.status == 302) || at != "" && !strings.HasPrefix(at, "http://"+g.Addr+"/media/picora/blobs/") {
			t.Errorf("%s: it is at %q", c.name, at)
		}
		if c.status != 302 {
			continue
		}
		if r.Header.Get("Cache-Control") != "private, max-age=300" || !strings.Contains(strings.Join(r.Header.Values("Vary"), ","), "Sec-Fetch-Mode") || r.Header.Get("ETag") != "" || len(r.Body) > 0 {
			t.Errorf("%s: %v, %d bytes", c.name, r.Header, len(r.Body))
		}
		want, status := big, 200
		if len(c.headers) > 0 && c.headers[0] == "Range" {
			want, status = big[100:300], 206
		}
		if b := get("GET", r.Header.Get("Location"), c.headers...); b.Status != status || !bytes.Equal(b.Body, want) || b.Header.Get("Content-Type") != "image/png" {
			t.Errorf("%s: the bucket gives %d %v, %d bytes", c.name, b.Status, b.Header, len(b.Body))
		}
	}
	served := func() int64 {
		st, err := p.App.Usage().Standing(context.Background(), p.User)
		if err != nil {
			t.Fatal(err)
		}
		return st.Month.Served
	}
	for until := time.Now().Add(time.Minute); served() != counted; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("%d bytes count as served, want %d", served(), counted)
		}
	}
	policy := get("GET", "/").Header.Get("Content-Security-Policy")
	for _, part := range strings.Split(policy, ";") {
		name, _, _ := strings.Cut(strings.TrimSpace(part), " ")
		if shows := name == "img-src" || name == "media-src"; strings.Contains(part, "http://"+g.Addr) != shows {
			t.Errorf("pages: %s", part)
		}
	}

	// What is not for all never leaves by another way.
	patch := func(v any) {
		t.Helper()
		if r := p.JSON("PATCH", "/v1/images/"+i.ID, v); r.Status != 200 {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
	}
	through := func(name, address string, status int, headers ...string) {
		t.Helper()
		if r := get("GET", address, headers...); r.Status != status || r.Header.Get("Location") != "" || status == 200 && !bytes.Equal(r.Body, big) {
			t.Errorf("%s: %d %v", name, r.Status, r.Header)
		}
	}
	patch(map[string]any{"allowedReferers": []string{"blog.example.org"}})
	through("on a page that may show it", i.URL, 200, "Referer", "https://blog.example.org/a")
	through("on another page", i.URL, 403, "Referer", "https://evil.example.org/a")
	patch(map[string]any{"allowedReferers": nil, "isPublic": false})
	through("private", i.URL, 403)
	through("private, for its owner", i.URL, 200, "Authorization", "Bearer "+p.Key)
	through("the original", "/v1/images/"+i.ID+"/original", 200, "Authorization", "Bearer "+p.Key)
	var signed struct{ SignedURL string }
	p.JSON("POST", "/v1/images/"+i.ID+"/sign", map[string]any{"expSeconds": 3600}).Data(t, &signed)
	if u, err := url.Parse(signed.SignedURL); err != nil || u.Query().Get("sig") == "" {
		t.Fatalf("%q %v", signed.SignedURL, err)
	}
	through("private, with its signature", signed.SignedURL, 200)
	patch(map[string]any{"isPublic": true})
	through("public, with a signature", signed.SignedURL, 200)
	if r := get("GET", i.URL); r.Status != 302 {
		t.Errorf("public again: %d", r.Status)
	}
}

func TestSmallFilesOfABucketAreAtHand(t *testing.T) {
	t.Parallel()
	g := blobtest.StartS3(t)
	p := apptest.Start(t, inBucket(g))
	data := apptest.PNG(300, 300, 1)
	i, never := p.Add("a.png", data), p.Add("b.png", apptest.PNG(300, 300, 2))
	same := func(what string) {
		t.Helper()
		r := p.Do("GET", i.URL[strings.LastIndex(i.URL, "/"):], nil, "Authorization", "")
		part := p.Do("GET", i.URL[strings.LastIndex(i.URL, "/"):], nil, "Authorization", "", "Range", "bytes=7-1006")
		if r.Status != 200 || !bytes.Equal(r.Body, data) || part.Status != 206 || !bytes.Equal(part.Body, data[7:1007]) {
			t.Errorf("%s: %d, %d", what, r.Status, part.Status)
		}
	}
	same("from the bucket")
	if n := len(atHand(t, p)); n != 1 {
		t.Errorf("%d files are at hand", n)
	}
	p.Restart()
	g.Stop()
	same("while the bucket is away")
	if r := p.Do("GET", never.URL[strings.LastIndex(never.URL, "/"):], nil, "Authorization", ""); r.Status != http.StatusServiceUnavailable {
		t.Errorf("what nobody asked for: %d", r.Status)
	}
	g.Start()
	if r := p.Do("DELETE", "/v1/images/"+i.ID, nil); r.Status != 200 {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
	for until := time.Now().Add(time.Minute); len(atHand(t, p)) > 0 || len(objects(t, g)) > 1; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("left are %v, %v", atHand(t, p), objects(t, g))
		}
	}
}

// A copy at hand does not hide that the bucket's own bytes are others.
func TestADamagedObjectIsFoundWhileACopyIsAtHand(t *testing.T) {
	t.Parallel()
	g := blobtest.StartS3(t)
	p := apptest.Start(t, inBucket(g))
	data := apptest.PNG(300, 300, 1)
	i := p.Add("a.png", data)
	p.NewUser("other@example.org")
	if r := p.Ask(t, apptest.Scenario{As: p.NewKey("other@example.org"), Method: "POST", URL: "/v1/images", Body: apptest.Parts{apptest.File("same.png", data)}}); r.Status != http.StatusCreated {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
	link := i.URL[strings.LastIndex(i.URL, "/"):]
	whole := func(what string) {
		t.Helper()
		if r := p.Do("GET", link, nil, "Authorization", ""); r.Status != http.StatusOK || !bytes.Equal(r.Body, data) {
			t.Errorf("%s: %d, %d bytes", what, r.Status, len(r.Body))
		}
	}
	whole("at first")
	m, err := p.App.Store().Media(t.Context(), i.ID)
	if err != nil || len(atHand(t, p)) != 1 {
		t.Fatal(err, atHand(t, p))
	}
	at := slices.IndexFunc(objects(t, g), func(name string) bool { return filepath.Base(name) == m.Blob })
	if at < 0 {
		t.Fatalf("%s is not among %v", m.Blob, objects(t, g))
	}
	f, err := os.OpenFile(objects(t, g)[at], os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte{^data[500]}, 500); err != nil {
		t.Fatal(err)
	}
	if _, found := scrubbed(t, p, false); found.Corrupt != 1 || found.All() != 1 {
		t.Errorf("%+v", found)
	}
	whole("while it is damaged")
	if run, found := scrubbed(t, p, true); run.Repaired != 1 || found.All() != 0 {
		t.Errorf("%+v, %+v", run, found)
	}
	for _, file := range atHand(t, p) {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
	whole("when it was put right")
}

func TestTheDataFolderKeepsItsRoomWithFilesInABucket(t *testing.T) {
	t.Parallel()
	g := blobtest.StartS3(t)
	p := apptest.Start(t, inBucket(g), func(c *config.Config) { c.Blobs.MinFreeBytes = 1 << 60 }) // no disk has so much
	if r := p.Upload("a.png", apptest.PNG(30, 30, 1)); r.Status != http.StatusInsufficientStorage || r.Code() != "STORAGE_FULL" {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	if n := len(objects(t, g)); n != 0 {
		t.Errorf("%d objects", n)
	}
}

func TestAVideoInABucket(t *testing.T) {
	t.Parallel()
	g := blobtest.StartS3(t)
	p := filmServer(t, inBucket(g))
	c := corpus.Get("b-pictures.mp4")
	data := c.Bytes(t)
	id := takenFilm(t, p, c.Name, data)
	m := ended(t, p, id, 10*time.Minute)
	if m.Film.State != store.FilmReady {
		t.Fatalf("state %d: %s", m.Film.State, m.Film.Fault)
	}
	if len(p.Blobs()) != 0 || len(objects(t, g)) < len(m.Parts) {
		t.Errorf("%d files, %d objects of %d parts", len(p.Blobs()), len(objects(t, g)), len(m.Parts))
	}
	corpus.Check(t, c, filmed(t, p, m))
	streamed(t, p, m)
	film := bytesOf(t, p, m, store.FilePart)
	at := p.URL + "/video/" + id + "/video.mp4"
	for _, span := range [][2]int{{0, len(film)}, {0, 1000}, {len(film) / 2, len(film)/2 + 5000}, {len(film) - 10, len(film)}} {
		r := p.Do("GET", at, nil, "Authorization", "", "Range", fmt.Sprintf("bytes=%d-%d", span[0], span[1]-1))
		if r.Status != 206 || !bytes.Equal(r.Body, film[span[0]:span[1]]) {
			t.Errorf("%v: %d, %d bytes", span, r.Status, len(r.Body))
		}
	}
	if r := p.Do("GET", "/v1/videos/"+id+"/original", nil); r.Status != 200 || !bytes.Equal(r.Body, data) {
		t.Errorf("the original: %d, %d bytes", r.Status, len(r.Body))
	}
	if r := p.Do("DELETE", "/v1/videos/"+id, nil); r.Status/100 != 2 {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	for until := time.Now().Add(time.Minute); len(objects(t, g)) > 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("left are %v", objects(t, g))
		}
	}
	if left := scratch(t, p.Data); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
