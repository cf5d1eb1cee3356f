package cdn_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/store"
)

// secret is planted in metadata.
const secret = "GPS 52.5163N 13.3777E"

// withEXIF puts an EXIF segment with a secret and an orientation, and a comment,
// into a JPEG.
func withEXIF(jpeg []byte, orientation byte) []byte {
	tiff := []byte("MM\x00*\x00\x00\x00\x08\x00\x02")
	tiff = append(tiff, 0x01, 0x0F, 0, 2, 0, 0, 0, byte(len(secret)+1), 0, 0, 0, 38)
	tiff = append(tiff, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0)
	tiff = append(append(tiff, 0, 0, 0, 0), secret+"\x00"...)
	out := append([]byte{}, jpeg[:2]...)
	out = append(out, segment(0xE1, append([]byte("Exif\x00\x00"), tiff...))...)
	out = append(out, segment(0xFE, []byte("taken at "+secret))...)
	return append(out, jpeg[2:]...)
}

func segment(marker byte, data []byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0xFF, marker}, uint16(len(data)+2)), data...)
}

// get asks as a stranger.
func get(p *apptest.Picora, method, url string, headers ...string) apptest.Response {
	if !strings.HasPrefix(url, "/") { // links are made for the host that was asked
		url = url[strings.LastIndex(url, "/"):]
	}
	return p.Do(method, url, nil, append([]string{"Authorization", ""}, headers...)...)
}

// file is a picture that is served in one of the ways there are.
type file struct {
	name string
	path string
	body []byte // whole
	etag string
	date string

	mime, policy string // Content-Type and Cache-Control
}

// fixtures are pictures for each way of serving; they take a while to make.
var fixtures = sync.OnceValue(func() []fixture {
	return []fixture{
		{"small.png", apptest.PNG(40, 40, 1), true, 1, 64 << 10},
		{"large.png", apptest.PNG(300, 300, 2), true, 64<<10 + 1, 1 << 30},
		{"small-exif.jpg", withEXIF(apptest.JPEG(60, 40, 3), 6), false, 1, 64 << 10},
		{"large-exif.jpg", withEXIF(apptest.JPEG(600, 400, 4), 6), false, 64<<10 + 1, 1 << 30},
		{"animation.gif", apptest.GIF(30, 30, 3, 5), true, 1, 64 << 10},
	}
})

type fixture struct {
	name     string
	data     []byte
	kept     bool // the bytes come back as they are
	min, max int  // bytes that are delivered
}

// files uploads the fixtures.
func files(t *testing.T, p *apptest.Picora) (fs []file) {
	t.Helper()
	for _, f := range fixtures() {
		i := p.Add(f.name, f.data)
		path := i.URL[strings.LastIndex(i.URL, "/"):]
		r := get(p, "GET", path)
		if r.Status != http.StatusOK || len(r.Body) < f.min || len(r.Body) > f.max {
			t.Fatalf("%s: %d, %d bytes", f.name, r.Status, len(r.Body))
		}
		if bytes.Equal(r.Body, f.data) != f.kept || bytes.Contains(r.Body, []byte(secret)) {
			t.Fatalf("%s: the bytes came back as they are: %v; with the secret: %v", f.name, !f.kept, bytes.Contains(r.Body, []byte(secret)))
		}
		fs = append(fs, fileOf(f.name, path, r, i.MIMEType, public))
		if f.kept && f.data[0] == 0x89 {
			fs = append(fs, others(t, p, f.name, i.ID, r.Body)...)
		}
	}
	return fs
}

func fileOf(name, path string, r apptest.Response, mime, policy string) file {
	return file{name, path, r.Body, r.Header.Get("ETag"), r.Header.Get("Last-Modified"), mime, policy}
}

// others makes records of other kinds whose files and parts are the picture's bytes.
func others(t *testing.T, p *apptest.Picora, name, picture string, data []byte) (fs []file) {
	t.Helper()
	of, err := p.App.Store().Media(t.Context(), picture)
	if err != nil {
		t.Fatal(err)
	}
	add := func(kind store.Kind, mime, ext string, hash byte) string {
		m := store.Media{
			ID: store.NewID(store.IDLen), User: of.User, Kind: kind, MIME: mime, Ext: ext, Filename: `Größe "1".` + ext, Public: true,
			Hash: append(bytes.Repeat([]byte{hash}, 31), name[0]), Size: of.Size, Blob: of.Blob, BlobSize: of.BlobSize,
		}
		for _, part := range []string{store.CoverPart, store.PeaksPart, store.SoundPart} {
			m.SetPart(store.Part{Name: part, Blob: of.Blob, MIME: map[string]string{store.CoverPart: "image/jpeg", store.PeaksPart: "application/json", store.SoundPart: "audio/mp4"}[part], Size: of.BlobSize})
		}
		if _, _, err := p.App.Store().CreateMedia(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		return m.ID
	}
	sound, doc := add(store.Audio, "audio/flac", "flac", 1), add(store.Doc, "application/pdf", "pdf", 2)
	for _, o := range []struct{ path, mime, policy string }{
		{"/audio/" + sound + ".flac", "audio/flac", public},
		{"/audio-cover/" + sound + ".jpg", "image/jpeg", public},
		{"/audio-peaks/" + sound + ".json", "application/json", public},
		{"/audio-level/" + sound + ".m4a", "audio/mp4", "public, no-cache"},
		{"/doc/" + doc + ".pdf", "application/pdf", "public, no-cache"},
		{"/doc-cover/" + doc + ".jpg", "image/jpeg", "public, no-cache"},
	} {
		r := get(p, "GET", o.path)
		if r.Status != http.StatusOK || !bytes.Equal(r.Body, data) {
			t.Fatalf("%s: %d, %d bytes", o.path, r.Status, len(r.Body))
		}
		fs = append(fs, fileOf(name+" at "+o.path, o.path, r, o.mime, o.policy))
	}
	return fs
}

// raw sends a request line that no client would, and reads the answer.
func raw(t *testing.T, p *apptest.Picora, method, target string, headers ...string) (status int, header http.Header, body string) {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(p.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(c, method+" "+target+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"+strings.Join(headers, "")+"\r\n")
	res, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%s %q: %v", method, target, err)
	}
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(b)
}

// secured checks the headers that every answer about a file has.
func secured(t *testing.T, what string, h http.Header) {
	t.Helper()
	for name, want := range map[string]string{
		"X-Content-Type-Options":       "nosniff",
		"Content-Security-Policy":      "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src 'self'",
		"Cross-Origin-Resource-Policy": "cross-origin",
		"Access-Control-Allow-Origin":  "*",
	} {
		if got := h.Values(name); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %s is %q, want %q", what, name, got, want)
		}
	}
	if h.Get("X-Request-Id") == "" {
		t.Errorf("%s: no X-Request-Id", what)
	}
	if h.Get("Set-Cookie") != "" {
		t.Errorf("%s: sets a cookie", what)
	}
}

// patch edits a picture; it must work.
func patch(t *testing.T, p *apptest.Picora, id string, v any) {
	t.Helper()
	if r := p.JSON("PATCH", "/v1/images/"+id, v); r.Status != http.StatusOK {
		t.Fatalf("PATCH %v: %d %s", v, r.Status, r.Body)
	}
}
