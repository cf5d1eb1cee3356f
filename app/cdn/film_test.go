package cdn_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
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

// ask asks as a stranger, at an address with a path of any depth.
func ask(p *apptest.Picora, method, path string, headers ...string) apptest.Response {
	return p.Do(method, path, nil, append([]string{"Authorization", ""}, headers...)...)
}

// walk reads a stream as a player does.
func walk(p *apptest.Picora, path string, headers ...string) *rfc.Stream {
	return rfc.Walk(p.URL+path, func(address string) (rfc.Answer, error) {
		r := ask(p, "GET", address, headers...)
		return rfc.Answer{Status: r.Status, Type: r.Header.Get("Content-Type"), Body: r.Body}, nil
	})
}

// query is the signature of a video as its owner gets it.
func query(t *testing.T, p *apptest.Picora, id string) string {
	t.Helper()
	var d struct{ PlaybackURL string }
	r := p.JSON("POST", "/v1/videos/"+id+"/sign", map[string]int{"expSeconds": 3600})
	r.Data(t, &d)
	u, err := url.Parse(d.PlaybackURL)
	if err != nil || u.RawQuery == "" || u.Path != "/video/"+id+"/index.m3u8" {
		t.Fatalf("%s, %v", d.PlaybackURL, err)
	}
	return u.RawQuery
}

// part is an address of a video and what it should bring to everybody.
type part struct {
	path, mime, policy string
	data               []byte // nil: some
}

// parts are all addresses of a film as AddFilm puts it.
func parts(t *testing.T, p *apptest.Picora, m store.Media) (list []part) {
	t.Helper()
	files := apptest.MakeFilm(t, apptest.DefaultFilm).Parts
	const changes = "public, no-cache"
	base := "/video/" + m.ID + "/"
	for name, mime := range map[string]string{
		"index.m3u8": "application/vnd.apple.mpegurl", "360p/index.m3u8": "application/vnd.apple.mpegurl", "240p/index.m3u8": "application/vnd.apple.mpegurl",
		"text-1/media.m3u8": "application/vnd.apple.mpegurl", "text-zh/media.m3u8": "application/vnd.apple.mpegurl", "storyboard.vtt": "text/vtt; charset=utf-8",
	} {
		list = append(list, part{base + name, mime, changes, nil})
	}
	for name, of := range map[string]string{"video.mp4": store.FilePart, "preview.mp4": store.PreviewPart, "poster.jpg": store.PosterPart, "text-1.vtt": "text-1", "text-zh.vtt": "text-zh"} {
		mime := files[of].MIME
		if mime == "text/vtt" {
			mime += "; charset=utf-8"
		}
		list = append(list, part{base + name, mime, changes, files[of].Data})
	}
	off := int64(0)
	for i, size := range m.Film.Board.Sheets {
		list = append(list, part{fmt.Sprintf("%sstoryboard-%d.jpg", base, i), "image/jpeg", changes, files[store.BoardPart].Data[off : off+size]})
		off += size
	}
	for _, track := range m.Film.Tracks {
		if track.Kind == store.TextTrack {
			continue
		}
		data, mime := files[track.Name].Data, files[track.Name].MIME
		x, err := hls.ReadIndex(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, part{base + track.Name + "/media.m3u8", "application/vnd.apple.mpegurl", changes, nil})
		tag := tagOf(t, p, base+track.Name+"/media.m3u8", "Authorization", "Bearer "+p.Key)
		list = append(list, part{base + track.Name + "/" + tag + "-init.mp4", mime, public, data[:x.Init]})
		at := x.Init
		for i, s := range x.Segments {
			list = append(list, part{fmt.Sprintf("%s%s/%s-%d.m4s", base, track.Name, tag, i), mime, public, data[at : at+s.Size]})
			at += s.Size
		}
	}
	slices.SortFunc(list, func(a, b part) int { return strings.Compare(a.path, b.path) })
	return list
}

// tagOf is the tag in the addresses of the track's pieces.
func tagOf(t *testing.T, p *apptest.Picora, path string, headers ...string) string {
	t.Helper()
	l := rfc.Parse(string(ask(p, "GET", path, headers...).Body))
	tag, _, ok := strings.Cut(l.Map, "-init.mp4")
	if !ok || len(tag) != 8 {
		t.Fatalf("%s: %+v", path, l)
	}
	return tag
}

func TestEverythingOfAFilmIsServedAsItIs(t *testing.T) {
	p := apptest.Start(t)
	m := p.AddFilm(nil)
	list := parts(t, p, m)
	if len(list) != 6+5+2+4*2+2*3+2*4 {
		t.Errorf("%d addresses", len(list))
	}
	for _, part := range list {
		r := ask(p, "GET", part.path)
		h := r.Header
		if r.Status != 200 || h.Get("Content-Type") != part.mime || h.Get("Cache-Control") != part.policy || h.Get("Accept-Ranges") != "bytes" || h.Get("Last-Modified") != "" {
			t.Fatalf("%s: %d %v", part.path, r.Status, h)
		}
		if part.data != nil && !bytes.Equal(r.Body, part.data) || len(r.Body) == 0 {
			t.Errorf("%s: %d bytes, not %d", part.path, len(r.Body), len(part.data))
		}
		secured(t, part.path, h)
		if head := ask(p, "HEAD", part.path); head.Status != 200 || head.Header.Get("Content-Length") != fmt.Sprint(len(r.Body)) || head.Header.Get("ETag") != h.Get("ETag") || len(head.Body) != 0 {
			t.Errorf("HEAD %s: %d %v", part.path, head.Status, head.Header)
		}
		if same := ask(p, "GET", part.path, "If-None-Match", h.Get("ETag")); same.Status != 304 || len(same.Body) != 0 {
			t.Errorf("%s again: %d", part.path, same.Status)
		}
		if same := ask(p, "GET", part.path, "If-Modified-Since", "Sat, 01 Jan 2098 00:00:00 GMT"); same.Status != 200 {
			t.Errorf("%s if modified: %d", part.path, same.Status)
		}
		if some := ask(p, "GET", part.path, "Range", "bytes=3-9"); some.Status != 206 || !bytes.Equal(some.Body, r.Body[3:10]) || some.Header.Get("Content-Range") != fmt.Sprintf("bytes 3-9/%d", len(r.Body)) {
			t.Errorf("a stretch of %s: %d %v", part.path, some.Status, some.Header)
		}
		if past := ask(p, "GET", part.path, "Range", "bytes=99999999-"); past.Status != 416 {
			t.Errorf("past the end of %s: %d", part.path, past.Status)
		}
		if bad := ask(p, "GET", part.path+"?w=100"); bad.Status != 400 {
			t.Errorf("%s with a parameter: %d", part.path, bad.Status)
		}
	}
	tags := map[string]string{}
	for _, part := range list {
		etag := ask(p, "HEAD", part.path).Header.Get("ETag")
		if other := tags[etag]; other != "" && !strings.HasSuffix(part.path, "index.m3u8") {
			t.Errorf("%s and %s have the same tag", part.path, other)
		}
		tags[etag] = part.path
	}
}

func TestAFilmIsAStreamByTheBook(t *testing.T) {
	p := apptest.Start(t)
	m := p.AddFilm(nil)
	for _, name := range []string{"index.m3u8", "360p/index.m3u8", "240p/index.m3u8"} {
		s := walk(p, "/video/"+m.ID+"/"+name)
		for _, f := range s.Faults {
			t.Errorf("%s: %s", name, f)
		}
		want := map[string]int{"index.m3u8": 6, "360p/index.m3u8": 5, "240p/index.m3u8": 5}[name]
		if len(s.Tracks) != want || len(s.Master.Variants) != want-4 {
			t.Errorf("%s: %d tracks, %d sizes", name, len(s.Tracks), len(s.Master.Variants))
		}
		if name != "240p/index.m3u8" && s.Master.Variants[0].Attributes["RESOLUTION"] != "640x360" {
			t.Errorf("%s begins with %v", name, s.Master.Variants[0])
		}
		for address, track := range s.Tracks {
			file := apptest.MakeFilm(t, apptest.DefaultFilm).Parts[strings.Split(address, "/")[5]].Data
			if !bytes.HasPrefix(file, track.File) || track.Kind != "SUBTITLES" && len(file)-len(track.File) > 100 {
				t.Errorf("%s: %d bytes, not those of the file", address, len(track.File))
			}
		}
	}
	out, err := exec.Command("ffprobe", "-v", "error", "-count_packets", "-show_entries", "stream=codec_name,width,height,nb_read_packets", "-of", "csv=p=0", p.URL+"/video/"+m.ID+"/index.m3u8").CombinedOutput()
	if got := strings.Fields(string(out)); err != nil || !slices.Contains(got, "h264,640,360,150") || !slices.Contains(got, "h264,426,240,150") || strings.Count(string(out), "aac,283") < 2 {
		t.Errorf("ffprobe: %s, %v", out, err)
	}
}

func TestAFilmWithoutSoundAndOthersAreStreamsToo(t *testing.T) {
	p := apptest.Start(t)
	silent := p.AddFilm(apptest.MakeFilm(t, apptest.FilmSpec{Seconds: 3, Rungs: []int{480}}))
	small := p.AddFilm(nil, func(m *store.Media) { // whose 360p is not made yet
		m.Film.State = store.FilmPlayable
		m.DropPart("360p")
		m.Film.DropTrack("360p")
	})
	for _, m := range []store.Media{silent, small} {
		for _, name := range []string{"index.m3u8", "360p/index.m3u8"} { // which is always there
			if s := walk(p, "/video/"+m.ID+"/"+name); len(s.Faults) > 0 || len(s.Master.Variants) != 1 {
				t.Errorf("%s: %q", name, s.Faults)
			}
		}
	}
}

// everywhere asks for all parts of a film and wants the status.
func everywhere(t *testing.T, p *apptest.Picora, what string, list []part, query string, status int, policy string, headers ...string) {
	t.Helper()
	if query != "" {
		query = "?" + query
	}
	for _, part := range list {
		for _, method := range []string{"GET", "HEAD"} {
			r := ask(p, method, part.path+query, headers...)
			if r.Status != status || policy != "" && r.Header.Get("Cache-Control") != policy {
				t.Errorf("%s: %s %s: %d %q %.100s, want %d %q", what, method, part.path, r.Status, r.Header.Get("Cache-Control"), r.Body, status, policy)
			}
			if status >= 400 && (r.Header.Get("ETag") != "" || method == "GET" && !strings.HasSuffix(string(r.Body), ".\n")) {
				t.Errorf("%s: %s: %v %q", what, part.path, r.Header, r.Body)
			}
		}
		secured(t, what, ask(p, "GET", part.path+query, headers...).Header)
	}
}

func TestOneRuleSaysWhoMayHaveAllOfAFilm(t *testing.T) {
	p := apptest.Start(t)
	p.NewUser("other@example.org")
	m, other := p.AddFilm(nil), p.AddFilm(nil)
	list := parts(t, p, m)
	everywhere(t, p, "public", list, "", 200, "")
	edit := func(v any) {
		t.Helper()
		if r := p.JSON("PATCH", "/v1/videos/"+m.ID, v); r.Status != 200 {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
	}
	edit(map[string]any{"isPublic": false})
	sig, foreign := query(t, p, m.ID), query(t, p, other.ID)
	everywhere(t, p, "private", list, "", 403, "no-store")
	everywhere(t, p, "private, with a foreign signature", list, foreign, 403, "no-store")
	everywhere(t, p, "private, with a signature that was changed", list, sig+"0", 403, "no-store")
	everywhere(t, p, "private, with its signature", list, sig, 200, personal)
	everywhere(t, p, "private, with its owner's key", list, "", 200, personal, "Authorization", "Bearer "+p.Key)
	everywhere(t, p, "private, with another's key", list, "", 403, "no-store", "Authorization", "Bearer "+p.NewKey("other@example.org"))
	everywhere(t, p, "private, from our page", list, "", 403, "no-store", "Referer", p.URL+"/embed/video/"+m.ID)

	edit(map[string]any{"isPublic": true, "allowedReferers": []string{"blog.example.org"}})
	everywhere(t, p, "restricted, from nowhere", list, "", 403, "no-store")
	for _, part := range list {
		r := ask(p, "GET", part.path, "Referer", "https://blog.example.org/post")
		want := "private, no-cache"
		if part.policy == public {
			want = "private, max-age=3600"
		}
		if r.Status != 200 || r.Header.Get("Cache-Control") != want || !strings.Contains(r.Header.Get("Vary"), "Referer") {
			t.Errorf("from a page that may show it: %s: %d %v", part.path, r.Status, r.Header)
		}
	}
	everywhere(t, p, "restricted, from elsewhere", list, "", 403, "no-store", "Referer", "https://evil.example/")
	everywhere(t, p, "restricted, from elsewhere with a signature", list, sig, 200, personal, "Referer", "https://evil.example/")
}

func TestASignatureGoesWithEveryAddress(t *testing.T) {
	p := apptest.Start(t)
	m := p.AddFilm(nil, func(m *store.Media) { m.Public = false })
	sig := query(t, p, m.ID)
	for _, name := range []string{"index.m3u8", "360p/index.m3u8"} {
		s := walk(p, "/video/"+m.ID+"/"+name+"?"+sig)
		if len(s.Faults) > 0 || len(s.Addresses) < 20 {
			t.Errorf("%q", s.Faults)
		}
		for _, a := range s.Addresses {
			if !strings.Contains(a, sig) {
				t.Errorf("%s has no signature", a)
			}
		}
	}
	if out, err := exec.Command("ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", p.URL+"/video/"+m.ID+"/index.m3u8?"+sig).CombinedOutput(); err != nil || !strings.HasPrefix(string(out), "6.0") {
		t.Errorf("ffprobe: %s, %v", out, err)
	}
	board := ask(p, "GET", "/video/"+m.ID+"/storyboard.vtt?"+sig)
	if n := strings.Count(string(board.Body), "&"+sig+"#xywh="); n != 6 {
		t.Errorf("%d of 6 in\n%s", n, board.Body)
	}
	for name, r := range map[string]apptest.Response{
		"its owner's key": p.Do("GET", "/video/"+m.ID+"/index.m3u8?sig=x&exp=9999999999", nil), // which the address need not carry
		"being public":    ask(p, "GET", "/video/"+p.AddFilm(nil).ID+"/index.m3u8"),
	} {
		if r.Status != 200 || strings.Contains(string(r.Body), "sig=") {
			t.Errorf("opened by %s: %d\n%s", name, r.Status, r.Body)
		}
	}
	open := p.AddFilm(nil)
	if r := ask(p, "GET", "/video/"+open.ID+"/index.m3u8?"+query(t, p, open.ID)); r.Status != 200 || strings.Contains(string(r.Body), "sig=") {
		t.Errorf("a signature that was not needed: %d\n%s", r.Status, r.Body)
	}
}

func TestThePosterHasASignatureOfItsOwn(t *testing.T) {
	p := apptest.Start(t)
	m := p.AddFilm(nil, func(m *store.Media) { m.Public = false })
	var v struct{ ThumbnailURL string }
	p.Do("GET", "/v1/videos/"+m.ID, nil).Data(t, &v)
	u, err := url.Parse(v.ThumbnailURL)
	if err != nil || u.RawQuery == "" {
		t.Fatalf("%q %v", v.ThumbnailURL, err)
	}
	for name, status := range map[string]int{"poster.jpg": 200, "index.m3u8": 403, "video.mp4": 403, "preview.mp4": 403, "storyboard-0.jpg": 403} {
		if r := ask(p, "GET", "/video/"+m.ID+"/"+name+"?"+u.RawQuery); r.Status != status {
			t.Errorf("%s: %d", name, r.Status)
		}
	}
}

func TestWhatIsGoneIsGoneAtOnce(t *testing.T) {
	for name, end := range map[string]func(*apptest.Picora, store.Media) int{
		"trashed": func(p *apptest.Picora, m store.Media) int {
			return p.Do("DELETE", "/v1/videos/"+m.ID+"?trash=true", nil).Status
		},
		"deleted": func(p *apptest.Picora, m store.Media) int { return p.Do("DELETE", "/v1/videos/"+m.ID, nil).Status },
		"its owner removed": func(p *apptest.Picora, m store.Media) int {
			if err := p.App.Library().RemoveAccount(context.Background(), m.User); err != nil {
				return 500
			}
			return 200
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := apptest.Start(t)
			m := p.AddFilm(nil)
			list := parts(t, p, m)
			sig := query(t, p, m.ID)
			everywhere(t, p, "before", list, "", 200, "")
			if status := end(p, m); status != 200 {
				t.Fatal(status)
			}
			everywhere(t, p, "after", list, "", 404, "no-store")
			everywhere(t, p, "with a signature", list, sig, 404, "no-store")
			if name != "its owner removed" {
				everywhere(t, p, "with the owner's key", list, "", 404, "no-store", "Authorization", "Bearer "+p.Key)
			}
		})
	}
}

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
