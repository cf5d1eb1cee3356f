package cdn_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/app/config"
	"picora/app/usage"
	"picora/media/hls"
	rfc "picora/media/hls/check"
	"picora/store"
)

func TestOldAddressesOfATrackDieWithIt(t *testing.T) {
	p := apptest.Start(t)
	m := p.AddFilm(nil)
	list := "/video/" + m.ID + "/360p/media.m3u8"
	old := tagOf(t, p, list)
	etag := ask(p, "GET", list).Header.Get("ETag")
	other := apptest.MakeFilm(t, apptest.FilmSpec{Seconds: 4, Rungs: []int{360}})
	p.SetFilmPart(m.ID, "360p", other.Parts["360p"])
	tag := tagOf(t, p, list)
	if tag == old || ask(p, "GET", list, "If-None-Match", etag).Status != 200 {
		t.Errorf("%s, then %s", old, tag)
	}
	for _, name := range []string{"init.mp4", "0.m4s", "1.m4s"} {
		if r := ask(p, "GET", "/video/"+m.ID+"/360p/"+old+"-"+name); r.Status != 404 || r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d", name, r.Status)
		}
		if r := ask(p, "GET", "/video/"+m.ID+"/360p/"+tag+"-"+name); r.Status != 200 || !bytes.Contains(other.Parts["360p"].Data, r.Body) {
			t.Errorf("the new %s: %d", name, r.Status)
		}
		if r := ask(p, "GET", "/video/"+m.ID+"/240p/"+tag+"-"+name); r.Status != 404 {
			t.Errorf("%s of another track: %d", name, r.Status)
		}
	}
	sheet := strings.Split(strings.Split(string(ask(p, "GET", "/video/"+m.ID+"/storyboard.vtt").Body), "\n")[3], "#")[0]
	if r := ask(p, "GET", "/video/"+m.ID+"/"+sheet); r.Status != 200 || r.Header.Get("Cache-Control") != public {
		t.Errorf("%s: %d %v", sheet, r.Status, r.Header)
	}
	p.SetFilmPart(m.ID, store.UploadPart, apptest.FilmPart{MIME: "image/jpeg", Data: apptest.JPEG(30, 20, 1)})
	if r := ask(p, "GET", "/video/"+m.ID+"/poster.jpg"); !bytes.Equal(r.Body, apptest.JPEG(30, 20, 1)) {
		t.Errorf("the owner's poster: %d, %d bytes", r.Status, len(r.Body))
	}
	p.ChangeFilm(m.ID, func(m *store.Media) { m.DropPart("text-1"); m.Film.DropTrack("text-1") })
	if r := ask(p, "GET", "/video/"+m.ID+"/text-1.vtt"); r.Status != 404 || strings.Contains(string(ask(p, "GET", "/video/"+m.ID+"/index.m3u8").Body), "text-1") {
		t.Errorf("captions that were taken away: %d", r.Status)
	}
}

func TestAFilmThatDoesNotPlaySaysWhy(t *testing.T) {
	p := apptest.Start(t)
	bare := func(s store.FilmState) func(*store.Media) {
		return func(m *store.Media) {
			m.Parts, m.Film = nil, store.Film{State: s, Fault: "It is no film."}
		}
	}
	for _, c := range []struct {
		name, text string
		m          store.Media
		status     int
	}{
		{"waiting", "being processed", p.AddFilm(nil, bare(store.FilmWaiting)), 503},
		{"failed", "cannot be played", p.AddFilm(nil, bare(store.FilmFailed)), 404},
	} {
		for _, name := range []string{"index.m3u8", "360p/index.m3u8", "360p/media.m3u8", "poster.jpg", "video.mp4", "preview.mp4", "storyboard.vtt", "storyboard-0.jpg", "text-1.vtt", "360p/01234567-0.m4s"} {
			r := ask(p, "GET", "/video/"+c.m.ID+"/"+name)
			if r.Status != c.status || r.Header.Get("Cache-Control") != "no-store" || !strings.Contains(string(r.Body), c.text) || (r.Header.Get("Retry-After") != "") != (c.status == 503) {
				t.Errorf("%s: %s: %d %v %s", c.name, name, r.Status, r.Header, r.Body)
			}
		}
	}
	p.SetFilmPart(p.AddFilm(nil, bare(store.FilmWaiting)).ID, store.UploadPart, apptest.FilmPart{MIME: "image/jpeg", Data: apptest.JPEG(30, 20, 1)})
	m := p.AddFilm(nil, func(m *store.Media) {
		m.Film.State = store.FilmPlayable
		for _, name := range []string{store.FilePart, store.PreviewPart} {
			m.DropPart(name)
		}
	})
	for name, status := range map[string]int{"index.m3u8": 200, "video.mp4": 503, "preview.mp4": 503, "poster.jpg": 200} {
		if r := ask(p, "GET", "/video/"+m.ID+"/"+name); r.Status != status {
			t.Errorf("playable: %s: %d", name, r.Status)
		}
	}
	p.ChangeFilm(m.ID, func(m *store.Media) { m.Film.State = store.FilmReady })
	if r := ask(p, "GET", "/video/"+m.ID+"/preview.mp4"); r.Status != 404 {
		t.Errorf("a preview that will never be: %d", r.Status)
	}
	if r := ask(p, "GET", "/video/"+p.AddFilm(nil, func(m *store.Media) { m.Public = false; bare(store.FilmFailed)(m) }).ID+"/index.m3u8"); r.Status != 403 {
		t.Errorf("a private one that failed: %d", r.Status)
	}
}

func TestAboveTheBandwidthAFilmIsSmallAndThenNotThere(t *testing.T) {
	p := apptest.Start(t, func(c *config.Config) {
		c.Plans["pro"] = func(l config.Plan) config.Plan { l.MediaBandwidthBytes = 1 << 30; return l }(c.Plans["pro"])
	})
	user := p.NewUserOn("pro", "pro@example.org")
	spec := apptest.FilmSpec{Seconds: 3, Rungs: []int{240, 360, 480}, Sounds: 1}
	m := p.AddFilm(apptest.MakeFilm(t, spec), func(m *store.Media) { m.User = user })
	base := "/video/" + m.ID + "/"
	sizes := func(name string) (list []string) {
		t.Helper()
		s := walk(p, base+name)
		if len(s.Faults) > 0 {
			t.Errorf("%s: %q", name, s.Faults)
		}
		for _, v := range s.Master.Variants {
			list = append(list, v.Attributes["RESOLUTION"])
		}
		return list
	}
	piece := base + "480p/" + tagOf(t, p, base+"480p/media.m3u8") + "-0.m4s"
	if got := sizes("index.m3u8"); !slices.Equal(got, []string{"640x360", "854x480", "426x240"}) {
		t.Errorf("%v", got)
	}
	meter := p.App.Usage().Meter(user, store.Video)
	meter.Add(1<<30 + 1<<20)
	p.Advance(time.Minute)
	for _, name := range []string{"index.m3u8", "480p/index.m3u8", "360p/index.m3u8"} {
		if got := sizes(name); !slices.Equal(got, []string{"640x360"}) {
			t.Errorf("degraded: %s: %v", name, got)
		}
	}
	for _, path := range []string{piece, base + "480p/media.m3u8", base + "poster.jpg"} { // who watches goes on
		if r := ask(p, "GET", path); r.Status != 200 {
			t.Errorf("degraded: %s: %d", path, r.Status)
		}
	}
	meter.Add(1 << 28)
	p.Advance(time.Minute)
	for _, path := range []string{piece, base + "480p/media.m3u8", base + "poster.jpg", base + "index.m3u8", base + "360p/index.m3u8", base + "video.mp4", base + "storyboard.vtt"} {
		r := ask(p, "GET", path)
		if r.Status != 451 || r.Header.Get("Cache-Control") != "no-store" || !strings.HasPrefix(string(r.Body), usage.ErrSuspended.Message) {
			t.Errorf("suspended: %s: %d %v %s", path, r.Status, r.Header, r.Body)
		}
		secured(t, path, r.Header)
	}
	mine := p.AddFilm(nil)
	if r := ask(p, "GET", "/video/"+mine.ID+"/index.m3u8"); r.Status != 200 {
		t.Errorf("another user's: %d", r.Status)
	}
	p.App.Usage().Flush(t.Context())
	p.Advance(32 * 24 * time.Hour)
	if got := sizes("index.m3u8"); len(got) != 3 {
		t.Errorf("next month: %v", got)
	}
}

func TestAllThatIsSentOfAFilmCountsAsPlayed(t *testing.T) {
	p := apptest.Start(t)
	m := p.AddFilm(nil)
	list := parts(t, p, m)
	played := func() int64 {
		t.Helper()
		st, err := p.App.Usage().Standing(t.Context(), p.User)
		if err != nil || st.Month.Served != 0 {
			t.Fatalf("%+v, %v", st.Month, err)
		}
		return st.Month.Played
	}
	waitFor(t, "what was asked for before", func() bool { n := played(); time.Sleep(20 * time.Millisecond); return played() == n })
	total := played()
	for _, part := range list {
		r := ask(p, "GET", part.path)
		total += int64(len(r.Body))
		ask(p, "HEAD", part.path)
		ask(p, "GET", part.path, "If-None-Match", r.Header.Get("ETag"))
		total += int64(len(ask(p, "GET", part.path, "Range", "bytes=0-9").Body))
		waitFor(t, part.path, func() bool { return played() == total })
	}
}

func TestAddressesOfAFilmAreExact(t *testing.T) {
	p := apptest.Start(t)
	m := p.AddFilm(nil)
	base := "/video/" + m.ID
	tag := tagOf(t, p, base+"/360p/media.m3u8")
	seg := base + "/360p/" + tag
	for _, path := range []string{
		"/video/" + m.ID, base + "/", base + "/index.m3u8/", base + "/INDEX.M3U8", base + "//index.m3u8", base + "/./index.m3u8", base + "/x/../index.m3u8", base + "/%69ndex.m3u8", base + "/360p%2Findex.m3u8",
		base + "/360p/../index.m3u8", base + "/360p/%2e%2e/index.m3u8", base + "/..%2f..%2fhealth", base + "/360p\\index.m3u8", base + "/720p/index.m3u8", base + "/720p/media.m3u8", base + "/text-1/index.m3u8", base + "/sound-1/index.m3u8",
		base + "/360p.vtt", base + "/sound-1.vtt", base + "/text-2.vtt", base + "/storyboard-2.jpg", base + "/storyboard-00.jpg", base + "/storyboard-.jpg", base + "/storyboard--1.jpg", base + "/storyboard.jpg",
		base + "/original.mp4", base + "/file.mp4", base + "/upload.jpg", base + "/poster.png", base + ".mp4", base + "/360p.mp4", base + "/360p",
		seg + "-3.m4s", seg + "-00.m4s", seg + "-01.m4s", seg + "--1.m4s", seg + "-.m4s", seg + "-1e0.m4s", seg + "-999999.m4s", seg + "-9999999.m4s", seg + "-99999999999999999999.m4s", seg + "-init.m4s", seg + "-0.mp4",
		strings.ToUpper(seg) + "-0.m4s", base + "/360p/00000000-0.m4s", base + "/360p/" + tag[:7] + "-0.m4s", base + "/240p/" + tag + "-0.m4s", base + "/text-1/" + tag + "-0.m4s", base + "/360p/x/" + tag + "-0.m4s",
		"/video/" + strings.Repeat("x", 21) + "/index.m3u8", "/video/" + m.ID[:20] + "/index.m3u8", "/VIDEO/" + m.ID + "/index.m3u8",
	} {
		status, header, body := raw(t, p, "GET", path)
		if status != http.StatusNotFound || header.Get("Content-Type") == "application/vnd.apple.mpegurl" {
			t.Errorf("%s: %d %v %.80q", path, status, header, body)
		}
	}
	image := p.Add("a.png", apptest.PNG(10, 10, 1))
	sound := bare(t, p, store.Media{MIME: "audio/mpeg", Ext: "mp3"})
	for _, path := range []string{"/video/" + image.ID + "/index.m3u8", "/video/" + sound.ID + "/index.m3u8", "/video/" + sound.ID + "/poster.jpg", "/audio/" + m.ID + ".mp4", "/doc/" + m.ID + ".mp4", "/audio-cover/" + m.ID + ".jpg"} {
		if r := ask(p, "GET", path); r.Status != 404 {
			t.Errorf("%s: %d", path, r.Status)
		}
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH"} {
		if r := ask(p, method, base+"/index.m3u8"); r.Status != 405 && r.Status != 404 {
			t.Errorf("%s: %d", method, r.Status)
		}
	}
}

func TestFilmsKeepToTheMediaHost(t *testing.T) {
	p := apptest.Start(t, func(c *config.Config) {
		c.Server.BaseURL, c.Server.MediaURL = "http://pics.example.org", "http://media.example.org"
		c.Server.TrustedProxies = []string{"127.0.0.0/8"}
	})
	m := p.AddFilm(nil)
	tag := tagOf(t, p, "/video/"+m.ID+"/360p/media.m3u8", "X-Forwarded-Host", "media.example.org")
	for _, name := range []string{"index.m3u8", "360p/index.m3u8", "360p/" + tag + "-0.m4s", "text-zh.vtt", "storyboard-1.jpg"} {
		for host, status := range map[string]int{"media.example.org": 200, "pics.example.org": 404} {
			if r := ask(p, "GET", "/video/"+m.ID+"/"+name, "X-Forwarded-Host", host); r.Status != status {
				t.Errorf("%s at %s: %d", name, host, r.Status)
			}
		}
	}
}

func TestABrowserElsewhereMayReadAFilm(t *testing.T) {
	p := apptest.Start(t)
	m := p.AddFilm(nil)
	r := ask(p, "OPTIONS", "/video/"+m.ID+"/video.mp4", "Origin", "https://blog.example.org", "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "range")
	if r.Status != 204 || r.Header.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(strings.ToLower(r.Header.Get("Access-Control-Allow-Headers")), "range") {
		t.Errorf("%d %v", r.Status, r.Header)
	}
}

func TestALongPlaylistIsSentSmall(t *testing.T) {
	p := apptest.Start(t)
	x := hls.Index{Init: 100}
	for range 1800 { // two hours
		x.Segments = append(x.Segments, hls.Segment{Size: 10, Duration: 4})
	}
	m := p.AddFilm(nil, func(m *store.Media) { m.Public = false })
	p.SetFilmPart(m.ID, "360p", apptest.FilmPart{MIME: "video/mp4", Data: hls.AppendIndex(make([]byte, 100+18_000), x)})
	path := "/video/" + m.ID + "/360p/media.m3u8?" + query(t, p, m.ID)
	whole := ask(p, "GET", path, "Accept-Encoding", "identity")
	small := ask(p, "GET", path, "Accept-Encoding", "br, gzip")
	for _, r := range []apptest.Response{whole, small} {
		if r.Status != 200 || r.Header.Get("Vary") != "Accept-Encoding" || r.Header.Get("Content-Type") != "application/vnd.apple.mpegurl" {
			t.Errorf("%d %v", r.Status, r.Header)
		}
	}
	z, err := gzip.NewReader(bytes.NewReader(small.Body))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(z); err != nil || !bytes.Equal(b, whole.Body) || len(b) < 150_000 || len(small.Body) > 20_000 {
		t.Errorf("%d bytes for %d, %v", len(small.Body), len(whole.Body), err)
	}
	t.Logf("%d bytes for %d", len(small.Body), len(whole.Body))
	etag := small.Header.Get("ETag")
	if small.Header.Get("Content-Encoding") != "gzip" || whole.Header.Get("Content-Encoding") != "" || etag == whole.Header.Get("ETag") {
		t.Errorf("%v and %v", small.Header, whole.Header)
	}
	if r := ask(p, "GET", path, "Accept-Encoding", "gzip", "If-None-Match", etag); r.Status != 304 {
		t.Errorf("again: %d", r.Status)
	}
	if l := rfc.Parse(string(whole.Body)); len(l.Faults) > 0 || len(l.Segments) != 1800 || l.Duration() != 7200 {
		t.Errorf("%q, %d segments", l.Faults, len(l.Segments))
	}
}
