package cdn_test

import (
	"bytes"
	"fmt"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"picora/app/apptest"
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

func TestWhatIsWrongWithAStreamIsFound(t *testing.T) {
	p := apptest.Start(t)
	m := p.AddFilm(nil)
	index := "/video/" + m.ID + "/index.m3u8"
	for _, c := range []struct{ name, at, old, new, found string }{
		{"too low a bandwidth", "/index.m3u8", ":BANDWIDTH=", ":BANDWIDTH=1,X=", "says BANDWIDTH"},
		{"a wrong average", "/index.m3u8", "AVERAGE-BANDWIDTH=", "AVERAGE-BANDWIDTH=9", "says AVERAGE-BANDWIDTH"},
		{"another codec", "/index.m3u8", "avc1.", "avc1.64", "says CODECS"},
		{"a rendition that is not there", "/index.m3u8", "sound-2/media", "sound-3/media", "status 404"},
		{"captions for a sound", "/index.m3u8", "sound-2/media", "text-1/media", "is both"},
		{"another target duration", "/240p/media.m3u8", "DURATION:2", "DURATION:3", "6.2.4"},
		{"a missing segment", "/240p/media.m3u8", "-1.m4s", "-9.m4s", "status 404"},
		{"a segment twice", "/240p/media.m3u8", "-1.m4s", "-0.m4s", "the boxes say"},
		{"a wrong duration", "/sound-1/media.m3u8", "2.005333", "1.905333", "the boxes say"},
		{"no initialisation section", "/240p/media.m3u8", "#EXT-X-MAP", "#MAP", "EXT-X-MAP"},
		{"another's initialisation section", "/240p/media.m3u8", "-init.mp4", "-0.m4s", "no CMAF"},
		{"other cuts", "/240p/media.m3u8", "#EXTINF:2.000000", "#EXTINF:1.900000", "cut at other times"},
		{"no list", "/240p/media.m3u8", "#EXTM3U", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nx", "no media playlist"},
		{"no captions", ".vtt", "WEBVTT", "<html>", "captions of the type"},
		{"a segment that is none", "-0.m4s", "moof", "m00f", "no CMAF track"},
	} {
		damaged := false
		s := rfc.Walk(p.URL+index, func(address string) (rfc.Answer, error) {
			r := ask(p, "GET", address)
			path, _, _ := strings.Cut(address, "?")
			if strings.HasSuffix(path, c.at) && bytes.Contains(r.Body, []byte(c.old)) {
				damaged = true
				r.Body = bytes.Replace(r.Body, []byte(c.old), []byte(c.new), 1)
			}
			return rfc.Answer{Status: r.Status, Type: r.Header.Get("Content-Type"), Body: r.Body}, nil
		})
		if !damaged || !strings.Contains(strings.Join(s.Faults, "\n"), c.found) {
			t.Errorf("%s (damaged: %v): %q", c.name, damaged, s.Faults)
		}
	}
	s := rfc.Walk(p.URL+"/health", func(address string) (rfc.Answer, error) {
		return rfc.Answer{Status: 200, Type: "text/html", Body: []byte("<html>")}, nil
	})
	if len(s.Faults) < 3 {
		t.Errorf("a page: %q", s.Faults)
	}
}
