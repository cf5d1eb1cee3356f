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
	for end := time.Now().Add(10 * time.Second); len(p.Blobs()) != want; time.Sleep(10 * time.Millisecond) {
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
