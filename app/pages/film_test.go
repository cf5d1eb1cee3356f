package pages_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/app/auth"
	"picora/app/config"
	"picora/store"
)

// waiting is an edit: of the video nothing is made yet.
func waiting(m *store.Media) {
	m.Film.State, m.Film.Tracks, m.Film.Board, m.Parts = store.FilmWaiting, nil, store.Board{}, nil
}

func TestWhoSeesTheVideoPlayer(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t)
	public, hidden := p.AddFilm(nil), p.AddFilm(nil, private)
	strict := p.AddFilm(nil, func(m *store.Media) { m.Restricted, m.Referers = true, []string{"friend.example", "*.many.example"} })
	sound := open(t, p).sound(wav(1))
	signer, err := auth.NewSigner(t.Context(), p.App.Store())
	if err != nil {
		t.Fatal(err)
	}
	sign := func(id string, in time.Duration) string { return "?" + signer.Link(id, time.Now().Add(in).Unix()) }
	for _, c := range []struct {
		name, id, query string
		headers         []string
		status          int
	}{
		{"a public video", public.ID, "", nil, 200},
		{"a public video in somebody's frame", public.ID, "", []string{"Referer", "https://blog.example/post"}, 200},
		{"a private video", hidden.ID, "", nil, 403},
		{"a private video, asked by its owner's key", hidden.ID, "", []string{"Authorization", "Bearer " + p.Key}, 200},
		{"a private video with its signature", hidden.ID, sign(hidden.ID, time.Hour), nil, 200},
		{"a private video with the signature of another", hidden.ID, sign(public.ID, time.Hour), nil, 403},
		{"a private video with a signature that ended", hidden.ID, sign(hidden.ID, -time.Second), nil, 403},
		{"a restricted video without a referer", strict.ID, "", nil, 403},
		{"a restricted video in a stranger's frame", strict.ID, "", []string{"Referer", "https://blog.example/"}, 403},
		{"a restricted video in a friend's frame", strict.ID, "", []string{"Referer", "https://friend.example/x"}, 200},
		{"no such video", store.NewID(store.IDLen), "", nil, 404},
		{"a sound", sound.ID, "", nil, 404},
		{"nonsense", "..%2f..%2fetc", "", nil, 404},
	} {
		for _, path := range []string{"", "/state"} {
			t.Run(c.name+path, func(t *testing.T) {
				r := get(p, "/embed/video/"+c.id+path+c.query, c.headers...)
				if r.Status != c.status {
					t.Fatalf("%d, want %d: %s", r.Status, c.status, r.Body)
				}
				if want := map[string]string{"": "text/html; charset=utf-8", "/state": "application/json"}[path]; r.Header.Get("Content-Type") != want {
					t.Errorf("content type %q", r.Header.Get("Content-Type"))
				}
				if c.status != 200 && r.Header.Get("Cache-Control") != "no-store" {
					t.Errorf("a refusal is kept: %q", r.Header.Get("Cache-Control"))
				}
			})
		}
	}
}

func TestTheVideoPlayerWorksWithoutItsScript(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t)
	m := p.AddFilm(nil, named("Über <die> See"))
	r := get(p, "/embed/video/"+m.ID+"?loop=1&muted=1")
	at := p.URL + "/video/" + m.ID
	contains(t, r.Body, `<video controls playsinline preload="none" crossorigin="anonymous" width="640" height="360" poster="`+at+`/poster.jpg" loop muted`,
		`<source src="`+at+`/index.m3u8" type="application/vnd.apple.mpegurl">`, `<source src="`+at+`/video.mp4" type="video/mp4">`,
		`<track kind="captions" src="`+at+`/text-1.vtt" srclang="en" label="The &#34;first&#34; text">`,
		`<track kind="captions" src="`+at+`/text-zh.vtt" srclang="zh-Hans" label="简体中文">`, ">Über &lt;die&gt; See</h1>")
	contains(t, get(p, "/embed/video/"+m.ID, "Accept-Language", "zh-CN,zh;q=0.9").Body, `<html lang="zh-CN">`, "播放位置")
	for dest, framed := range map[string]bool{"iframe": true, "document": false} {
		r := get(p, "/embed/video/"+m.ID, "Sec-Fetch-Dest", dest)
		if strings.Contains(string(r.Body), `class="film framed"`) != framed || !strings.Contains(r.Header.Get("Vary"), "Sec-Fetch-Dest") {
			t.Errorf("%s: %v", dest, r.Header)
		}
	}
}

func TestTheVideoPlayersPolicyIsStrict(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t, func(c *config.Config) {
		c.Server.BaseURL, c.Server.MediaURL = "http://api.example", "http://files.example"
	})
	ask := func(m store.Media, headers ...string) apptest.Response {
		r := get(p, "/embed/video/"+m.ID, append(headers, "Host", "api.example")...)
		if r.Status != 200 {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
		return r
	}
	csp := ask(p.AddFilm(nil)).Header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "media-src blob: 'self' http://files.example", "connect-src 'self' http://files.example", "base-uri 'none'"} {
		if !strings.Contains(csp, want) {
			t.Errorf("%q is missing in %q", want, csp)
		}
	}
	if strings.Contains(csp, "unsafe") || strings.Contains(csp, "frame-ancestors") || strings.Count(csp, "blob:") != 1 {
		t.Errorf("policy: %q", csp)
	}
	strict := p.AddFilm(nil, func(m *store.Media) { m.Restricted, m.Referers = true, []string{"friend.example"} })
	r := ask(strict, "Referer", "https://friend.example/")
	if csp := r.Header.Get("Content-Security-Policy"); !strings.HasSuffix(csp, "frame-ancestors friend.example:*") {
		t.Errorf("the browser would let all pages frame it: %q", csp)
	}
	if !strings.Contains(r.Header.Get("Vary"), "Referer") || r.Header.Get("Cache-Control") != "private, no-store" {
		t.Errorf("shared caches would show it to all: %v", r.Header)
	}
	// The frame's own requests name the player's page, which is not among those.
	contains(t, r.Body, "http://files.example/video/"+strict.ID+"/index.m3u8?sig=")
}

func TestWhatOpenedTheVideoPlayerOpensWhatItShows(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t)
	m := p.AddFilm(nil, private)
	signer, err := auth.NewSigner(t.Context(), p.App.Store())
	if err != nil {
		t.Fatal(err)
	}
	link := signer.Link(m.ID, time.Now().Add(time.Hour).Unix())
	r := get(p, "/embed/video/"+m.ID+"?"+link)
	sig, _, _ := strings.Cut(link, "&")
	for _, name := range []string{"index.m3u8", "video.mp4", "poster.jpg", "storyboard.vtt", "text-1.vtt"} {
		contains(t, r.Body, "/video/"+m.ID+"/"+name+"?"+sig)
	}
	contains(t, r.Body, "/embed/video/"+m.ID+"/state?"+sig)
	for _, leak := range []string{"og:", "oembed", "twitter:", "schema.org"} {
		if strings.Contains(string(r.Body), leak) {
			t.Errorf("a private page invites to quote it: %s", leak)
		}
	}
	if r.Header.Get("X-Robots-Tag") != "noindex" || r.Header.Get("Cache-Control") != "private, no-store" {
		t.Errorf("header: %v", r.Header)
	}
}

func TestAPublicVideoUnfolds(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t)
	m := p.AddFilm(nil, named(`</script><b>"Sea" & sky`))
	r := get(p, "/embed/video/"+m.ID)
	at, page := p.URL+"/video/"+m.ID, p.URL+"/embed/video/"+m.ID
	contains(t, r.Body, `<link rel="canonical" href="`+page+`">`, `<meta property="og:type" content="video.other">`, `<meta property="video:duration" content="6">`,
		`<meta property="og:video" content="`+at+`/video.mp4">`, `<meta property="og:video:width" content="640">`,
		`<meta property="og:image" content="`+at+`/poster.jpg">`, `<meta property="og:image:width" content="640">`, `<meta property="og:image:height" content="360">`,
		`<meta name="twitter:player" content="`+page+`">`, `<meta name="twitter:player:stream" content="`+at+`/video.mp4">`)
	_, rest, _ := strings.Cut(string(r.Body), `<script type="application/ld+json">`)
	data, _, found := strings.Cut(rest, "</script>")
	var o map[string]any
	if err := json.Unmarshal([]byte(data), &o); err != nil || !found || o["@type"] != "VideoObject" || o["name"] != `</script><b>"Sea" & sky` || o["duration"] != "PT6S" || o["embedUrl"] != page || o["contentUrl"] != at+"/video.mp4" {
		t.Errorf("%v: %s", err, data)
	}
}

func TestAVideoThatIsBeingMade(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t)
	m := p.AddFilm(nil, waiting)
	state := func(id string) (s struct {
		State           string
		Making          bool
		Sizes, Progress int
	}) {
		t.Helper()
		r := get(p, "/embed/video/"+id+"/state")
		if err := json.Unmarshal(r.Body, &s); err != nil || r.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%v %v %s", err, r.Header, r.Body)
		}
		return s
	}
	r := get(p, "/embed/video/"+m.ID)
	contains(t, r.Body, "This video is being prepared.", `<progress max="100"`, `<noscript><meta http-equiv="refresh"`)
	if strings.Contains(string(r.Body), "<video") || r.Header.Get("Cache-Control") != "no-cache" {
		t.Error("a player of nothing")
	}
	if s := state(m.ID); s.State != "processing" || !s.Making || s.Sizes != 0 {
		t.Errorf("%+v", s)
	}
	m = p.AddFilm(nil, func(m *store.Media) { m.Film.State = store.FilmPlayable; m.Film.DropTrack("360p") })
	if s := state(m.ID); s.State != "ready" || !s.Making || s.Sizes != 1 {
		t.Errorf("%+v", s)
	}
	m = p.AddFilm(nil)
	if s := state(m.ID); s.State != "ready" || s.Making || s.Sizes != 2 {
		t.Errorf("%+v", s)
	}
	m = p.AddFilm(nil, waiting, func(m *store.Media) { m.Film.State, m.Film.Fault = store.FilmFailed, "The owner's business." })
	if s := state(m.ID); s.State != "failed" || s.Making {
		t.Errorf("%+v", s)
	}
	r = get(p, "/embed/video/"+m.ID)
	contains(t, r.Body, "This video cannot be played")
	if r.Status != 200 || strings.Contains(string(r.Body), "business") {
		t.Errorf("%d %s", r.Status, r.Body)
	}
}

func TestHostileNamesOfVideosStayTexts(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t)
	for _, name := range hostile {
		m := p.AddFilm(nil, named(name), func(m *store.Media) {
			m.Film.Chapters = []store.Chapter{{Start: 0, Title: name}}
			m.Film.SetTrack(store.Track{Name: "text-1", Kind: store.TextTrack, Lang: name, Label: name})
		})
		r := get(p, "/embed/video/"+m.ID)
		for _, bad := range []string{"<script>alert", "<img src=x", `"onfocus="`, "</title><b>"} {
			if strings.Contains(string(r.Body), bad) {
				t.Errorf("%q is in the page of %q", bad, name)
			}
		}
	}
}

func TestHowAVideoIsEmbedded(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t)
	m := p.AddFilm(nil, named(`A "film"`))
	for _, address := range []string{"/embed/video/" + m.ID, "/embed/video/" + m.ID + "?t=5", "/video/" + m.ID + "/index.m3u8"} {
		e := describe(t, p, p.URL+address, "")
		frame := fmt.Sprintf(`<iframe src="%s/embed/video/%s" width="640" height="360" title="A &#34;film&#34;" loading="lazy" allow="autoplay; fullscreen; picture-in-picture" allowfullscreen`, p.URL, m.ID)
		if e.Type != "video" || e.Title != `A "film"` || !strings.HasPrefix(e.HTML, frame) || e.Width != 640 || e.Height != 360 ||
			e.Thumbnail != p.URL+"/video/"+m.ID+"/poster.jpg" || e.ThumbnailWidth != 640 || e.ThumbnailHeight != 360 {
			t.Errorf("%s: %+v", address, e)
		}
	}
	for name, c := range map[string]struct {
		w, h         int
		more         string
		wide, height int
	}{
		"in a small box":         {640, 360, "&maxwidth=300&maxheight=300", 300, 169},
		"a large one":            {3840, 2160, "", 960, 540},
		"a large one, with room": {3840, 2160, "&maxwidth=5000", 960, 540},
		"one upright":            {1080, 1920, "", 405, 720},
		"a tiny one":             {64, 48, "", 480, 360},
		"one of unknown size":    {0, 0, "", 640, 360},
		"a very wide one":        {5000, 2, "&maxheight=1", 960, 1},
	} {
		m := p.AddFilm(nil, func(m *store.Media) { m.Width, m.Height = c.w, c.h })
		if e := describe(t, p, p.URL+"/embed/video/"+m.ID, c.more); e.Width != c.wide || e.Height != c.height || !strings.Contains(e.HTML, fmt.Sprintf(`width="%d" height="%d"`, c.wide, c.height)) {
			t.Errorf("%s: %+v", name, e)
		}
	}
	hidden := p.AddFilm(nil, private)
	for path, status := range map[string]int{
		"/embed/video/" + hidden.ID: 401, "/video/" + hidden.ID + "/index.m3u8": 401, "/video/" + m.ID + "/video.mp4": 404, "/video/" + m.ID: 404,
		"/embed/audio/" + m.ID: 404, "/video/x/" + m.ID + "/index.m3u8": 404, "/video//index.m3u8": 404, "/embed/video/" + m.ID + "/state": 404,
	} {
		if r := get(p, "/oembed?url="+strings.ReplaceAll(p.URL+path, "/", "%2F")); r.Status != status {
			t.Errorf("%s: %d, want %d: %s", path, r.Status, status, r.Body)
		}
	}
}

// TestHlsJsIsWhatItsAuthorsPublished: its checksum is that of the package on npm, which
// CONTRIBUTING.md names.
func TestHlsJsIsWhatItsAuthorsPublished(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("assets/hls-1.7.4.min.js")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b)
	named, err := os.ReadFile("../../CONTRIBUTING.md")
	if err != nil || !bytes.Contains(named, []byte(hex.EncodeToString(sum[:]))) || !bytes.Contains(named, []byte("hls.js 1.7.4")) {
		t.Errorf("%v: CONTRIBUTING.md does not name %x", err, sum)
	}
}

func TestScriptsAreCompressed(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t)
	plain := get(p, "/page/hls-1.7.4.min.js", "Accept-Encoding", "br, gzip;q=0")
	z := get(p, "/page/hls-1.7.4.min.js", "Accept-Encoding", "br;q=1.0, gzip;q=0.8")
	if plain.Header.Get("Content-Encoding") != "" || z.Header.Get("Content-Encoding") != "gzip" || len(z.Body)*3 > len(plain.Body) {
		t.Errorf("%d bytes, compressed %d: %v", len(plain.Body), len(z.Body), z.Header)
	}
	r, err := gzip.NewReader(bytes.NewReader(z.Body))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(r); err != nil || !bytes.Equal(b, plain.Body) {
		t.Errorf("other bytes: %v", err)
	}
	for _, r := range []apptest.Response{plain, z} {
		if r.Status != 200 || r.Header.Get("Vary") != "Accept-Encoding" || r.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/javascript") {
			t.Errorf("%d %v", r.Status, r.Header)
		}
	}
	if r := get(p, "/page/film.js"); r.Status != http.StatusOK || r.Header.Get("Cache-Control") != "no-cache" {
		t.Errorf("%d %v", r.Status, r.Header)
	}
}
