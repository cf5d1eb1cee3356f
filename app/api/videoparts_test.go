package api_test

import (
	"bytes"
	"image/jpeg"
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/store"
)

// posterOf is the JPEG that a video has in the place of its own.
func posterOf(t testing.TB, p *apptest.Picora, id string) (width, height int, found bool) {
	t.Helper()
	m, err := p.App.Library().Any(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	part, found := m.Part(store.UploadPart)
	if !found {
		return 0, 0, false
	}
	r, err := p.App.Blobs().Open(t.Context(), part.Blob, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	is, err := jpeg.DecodeConfig(r)
	if err != nil || part.MIME != "image/jpeg" || part.Size == 0 {
		t.Errorf("%+v: %v", part, err)
	}
	return is.Width, is.Height, true
}

// blobsLeft waits until as many blobs are there.
func blobsLeft(t testing.TB, p *apptest.Picora, want int) {
	t.Helper()
	for end := time.Now().Add(time.Minute); len(p.Blobs()) != want; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d blobs, want %d", len(p.Blobs()), want)
		}
	}
}

func TestAPictureTakesThePlaceOfThePoster(t *testing.T) {
	p := studio(t)
	m := p.AddFilm(nil)
	at, blobs := "/v1/videos/"+m.ID+"/thumbnail", len(p.Blobs())
	send := func(name string, data []byte) scenario {
		return scenario{Method: "POST", URL: at, Body: parts{apptest.File(name, data)}, Status: 200, Has: []string{m.ID, "/poster.jpg"}}
	}
	var tall, small bytes.Buffer
	tall.Write(apptest.PNG(1000, 2560, 1))
	small.Write(apptest.JPEG(40, 20, 1))
	for _, c := range []struct {
		name          string
		data          []byte
		width, height int
	}{
		{"a tall PNG", tall.Bytes(), 500, 1280},
		{"a small JPEG", small.Bytes(), 40, 20},
	} {
		p.Play(t, send(c.name, c.data))
		if w, h, _ := posterOf(t, p, m.ID); w != c.width || h != c.height {
			t.Errorf("%s became %d x %d", c.name, w, h)
		}
		blobsLeft(t, p, blobs+1)
	}
	if now := getFilm(t, p, m.ID); now.UpdatedAt == "" || now.UpdatedAt == getFilmTime(&m) {
		t.Error("nobody is told that it changed")
	}
	p.Run(t,
		scenario{Name: "an SVG", Method: "POST", URL: at, Body: parts{apptest.File("a.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`))}, Status: 422, Code: "VALIDATION_ERROR", Has: []string{"poster"}},
		scenario{Name: "a film", Method: "POST", URL: at, Body: parts{apptest.File("a.mp4", apptest.MakeFilm(t, apptest.DefaultFilm).Original)}, Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "half a picture", Method: "POST", URL: at, Body: parts{apptest.File("a.png", tall.Bytes()[:5000])}, Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "none", Method: "POST", URL: at, Body: parts{apptest.Field("a", "b")}, Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "two", Method: "POST", URL: at, Body: parts{apptest.File("a.png", pixel), apptest.File("b.png", pixel)}, Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "no form", Method: "POST", URL: at, Body: `{}`, Status: 400, Code: "BAD_REQUEST"},
	)
	if w, _, _ := posterOf(t, p, m.ID); w != 40 {
		t.Errorf("what was refused changed the poster: %d", w)
	}
	p.Play(t, scenario{Method: "DELETE", URL: at, Status: 200, Has: []string{"/poster.jpg"}})
	if _, _, found := posterOf(t, p, m.ID); found {
		t.Error("it is still there")
	}
	p.Play(t, scenario{Name: "again", Method: "DELETE", URL: at, Status: 200})
	blobsLeft(t, p, blobs)
}

func getFilmTime(m *store.Media) string { return m.Updated.UTC().Format("2006-01-02T15:04:05.000Z") }

// A video without a picture of its own has one when its owner gives it one, while it is
// still being made.
func TestAVideoThatIsBeingMadeHasThePosterOfItsOwner(t *testing.T) {
	p := studio(t)
	m := p.AddFilm(nil, shot(store.FilmFailed))
	if f := getFilm(t, p, m.ID); f.ThumbnailURL != nil {
		t.Errorf("it has one: %s", *f.ThumbnailURL)
	}
	p.Play(t, scenario{Method: "POST", URL: "/v1/videos/" + m.ID + "/thumbnail", Body: parts{apptest.File("a.png", pixel)}, Status: 200})
	if f := getFilm(t, p, m.ID); f.ThumbnailURL == nil || !strings.HasSuffix(*f.ThumbnailURL, "/poster.jpg") {
		t.Errorf("it has none: %+v", f)
	}
}

const srt = "1\n00:00:01,000 --> 00:00:02,500\n<i>Hallo</i>\n\n2\n00:00:03,000 --> 00:00:04,000\n<script>alert(1)</script>Welt\n"

func TestCaptionsAreAddedReplacedAndDeleted(t *testing.T) {
	p := studio(t)
	m := p.AddFilm(nil) // with English captions inside it, and Chinese ones
	at, blobs := "/v1/videos/"+m.ID+"/captions", len(p.Blobs())
	send := func(name, text string, fields ...apptest.Part) parts {
		return append(parts{apptest.File(name, []byte(text))}, fields...)
	}
	field := apptest.Field
	var added struct{ Name, URL string }
	p.Play(t, scenario{Method: "POST", URL: at, Status: 201, Golden: "captions-added", Body: send("a.srt", srt, field("lang", "GER"), field("label", "Deutsch"), field("default", "true"))}).Data(t, &added)
	text := p.Do("GET", added.URL, nil, "Authorization", "")
	if body := string(text.Body); text.Status != 200 || !strings.HasPrefix(body, "WEBVTT\n") || !strings.Contains(body, "00:00:01.000 --> 00:00:02.500\n<i>Hallo</i>") || strings.Contains(body, "<script") ||
		!strings.HasPrefix(text.Header.Get("Content-Type"), "text/vtt") {
		t.Errorf("%d %v: %s", text.Status, text.Header, text.Body)
	}
	list := p.Do("GET", *getFilm(t, p, m.ID).PlaybackURL, nil, "Authorization", "")
	if !strings.Contains(string(list.Body), `NAME="Deutsch",LANGUAGE="de",DEFAULT=YES`) {
		t.Errorf("players are not told: %s", list.Body)
	}
	p.Run(t,
		scenario{Name: "the list", URL: at, Status: 200, Golden: "captions"},
		scenario{Name: "others in the same language", Method: "POST", URL: at, Status: 201, Has: []string{`"label":null`, `"default":false`, added.Name},
			Body: send("b.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\nServus\n", field("lang", "de"))},
		scenario{Name: "in place of those from the file", Method: "POST", URL: at, Status: 201, Has: []string{`"name":"text-en"`, `"uploaded":true`}, Body: send("en.srt", srt, field("lang", "en"))},
		scenario{Name: "no language", Method: "POST", URL: at, Status: 422, Code: "VALIDATION_ERROR", Has: []string{"lang"}, Body: send("a.srt", srt)},
		scenario{Name: "a language that is none", Method: "POST", URL: at, Status: 422, Code: "VALIDATION_ERROR", Has: []string{"lang"}, Body: send("a.srt", srt, field("lang", "../../x"))},
		scenario{Name: "default that is neither", Method: "POST", URL: at, Status: 422, Code: "VALIDATION_ERROR", Has: []string{"default"}, Body: send("a.srt", srt, field("lang", "fr"), field("default", "perhaps"))},
		scenario{Name: "no captions", Method: "POST", URL: at, Status: 422, Code: "VALIDATION_ERROR", Body: send("a.srt", "hello", field("lang", "fr"))},
		scenario{Name: "an empty file", Method: "POST", URL: at, Status: 422, Code: "VALIDATION_ERROR", Body: send("a.srt", "", field("lang", "fr"))},
		scenario{Name: "a picture", Method: "POST", URL: at, Status: 422, Code: "VALIDATION_ERROR", Body: send("a.srt", string(pixel), field("lang", "fr"))},
		scenario{Name: "too large", Method: "POST", URL: at, Status: 422, Code: "VALIDATION_ERROR", Has: []string{"2 MB"}, Body: send("a.srt", srt+strings.Repeat(" ", 2<<20), field("lang", "fr"))},
		scenario{Name: "far too large", Method: "POST", URL: at, Status: 422, Code: "VALIDATION_ERROR", Has: []string{"2 MB"}, Body: send("a.srt", strings.Repeat(" ", 5<<20), field("lang", "fr"))},
		scenario{Name: "no file", Method: "POST", URL: at, Status: 422, Code: "VALIDATION_ERROR", Body: parts{field("lang", "fr")}},
		scenario{Name: "deleted by their language", Method: "DELETE", URL: at + "/DE", Status: 200, Has: []string{`"data":null`}},
		scenario{Name: "and again", Method: "DELETE", URL: at + "/de", Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "deleted by their name", Method: "DELETE", URL: at + "/text-en", Status: 200},
		scenario{Name: "no captions but a size", Method: "DELETE", URL: at + "/360p", Status: 404, Code: "NOT_FOUND"},
	)
	if f := getFilm(t, p, m.ID); len(f.Captions) != 1 || *f.Captions[0].Lang != "zh-Hans" {
		t.Errorf("left: %+v", f.Captions)
	}
	if gone := p.Do("GET", added.URL, nil, "Authorization", ""); gone.Status != 404 {
		t.Errorf("deleted ones are still there: %d", gone.Status)
	}
	blobsLeft(t, p, blobs-1) // the English ones
}

// TestAVideoFromItsUploadToItsEnd goes through the whole program: it is uploaded, made,
// played and deleted.
func TestAVideoFromItsUploadToItsEnd(t *testing.T) {
	p := studio(t)
	file := apptest.MakeFilm(t, apptest.FilmSpec{Seconds: 3, Rungs: []int{180}, Sounds: 1}).Original
	upload := parts{apptest.File("clip one.mov", file), apptest.Field("title", "Clip"), apptest.Field("tags", `["sea"]`), apptest.Field("isPublic", "false")}
	var f shown
	p.Play(t, scenario{Method: "POST", URL: "/v1/videos", Body: upload, Status: 202, Has: []string{`"status":"processing"`, `"mimeType":"video/mp4"`, `"filename":"clip one.mov"`}}).Data(t, &f)
	if f.VideoID != f.ID || f.SizeBytes != int64(len(file)) || f.Title != "Clip" || f.IsPublic || len(f.Tags) != 1 || *f.DurationSeconds != 3 || *f.Width != 320 || *f.Height != 180 || f.Progress == nil {
		t.Errorf("%+v", f)
	}
	p.Play(t, scenario{Method: "POST", URL: "/v1/videos", Body: upload, Status: 200, Has: []string{f.ID, `"videoId"`}, Check: func(t testing.TB, r apptest.Response) {
		if r.Header.Get("X-Picora-Duplicate") != "true" {
			t.Error("it is not called a duplicate")
		}
	}})
	made := func() {
		t.Helper()
		last := -1
		for end := time.Now().Add(3 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
			var now shown
			p.Play(t, scenario{URL: "/v1/videos/" + f.ID + "/status", Status: 200}).Data(t, &now)
			if now.Status == "ready" && now.Progress == nil {
				return
			}
			if now.Status == "error" || time.Now().After(end) {
				t.Fatalf("%+v: %v", now, now.Error)
			}
			if now.Progress != nil && *now.Progress >= last {
				last = *now.Progress
				continue
			}
			var then shown
			p.Play(t, scenario{URL: "/v1/videos/" + f.ID + "/status", Status: 200}).Data(t, &then)
			if then.Status == "processing" || then.Progress != nil && *then.Progress < last { // else the work ended in the middle of the answer
				t.Errorf("progress goes from %d to %v", last, now.Progress)
			}
		}
	}
	made()
	p.ChangeFilm(f.ID, func(m *store.Media) {
		shot(store.FilmFailed)(m)
		m.Title, m.Film.Fault = "Clip", "The disk was full."
	})
	p.Play(t, scenario{Method: "POST", URL: "/v1/videos", Body: upload, Status: 200, Has: []string{f.ID, `"status":"processing"`, `"error":null`}})
	made()
	f = getFilm(t, p, f.ID)
	for name, u := range map[string]*string{"the stream": f.PlaybackURL, "the file": f.MP4URL, "the poster": f.ThumbnailURL, "the preview": f.PreviewURL, "the storyboard": f.StoryboardURL} {
		if u == nil {
			t.Errorf("%s is missing", name)
		} else if r := p.Do("GET", *u, nil, "Authorization", ""); r.Status != 200 || len(r.Body) == 0 {
			t.Errorf("%s: %d", name, r.Status)
		}
	}
	p.Play(t, scenario{Method: "DELETE", URL: "/v1/videos/" + f.ID, Status: 200})
	if r := p.Do("GET", *f.PlaybackURL, nil, "Authorization", ""); r.Status != 404 {
		t.Errorf("it plays after its end: %d", r.Status)
	}
	blobsLeft(t, p, 0)
}
