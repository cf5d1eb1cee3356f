package cdn_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/app/config"
)

// flat is a PNG of one colour.
func flat(w, h int, c color.NRGBA) []byte {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := 0; i < len(m.Pix); i += 4 {
		copy(m.Pix[i:], []uint8{c.R, c.G, c.B, c.A})
	}
	var b bytes.Buffer
	png.Encode(&b, m) // memory does not fail
	return b.Bytes()
}

var (
	grey = color.NRGBA{100, 100, 100, 255}
	red  = color.NRGBA{250, 0, 0, 255}
)

// newMark makes a watermark and returns its id.
func newMark(t testing.TB, p *apptest.Picora, v map[string]any) string {
	t.Helper()
	r := p.JSON("POST", "/v1/watermarks", v)
	var w struct{ ID string }
	if r.Data(t, &w); r.Status != http.StatusCreated {
		t.Fatalf("%v: %d %s", v, r.Status, r.Body)
	}
	return w.ID
}

// logo makes a watermark of a red picture, twice as wide as it is high.
func logo(t testing.TB, p *apptest.Picora) string {
	t.Helper()
	i := p.Add("logo.png", flat(40, 20, red))
	return newMark(t, p, map[string]any{"name": "Logo", "kind": "picture", "imageId": i.ID, "opacity": 1, "margin": 0.1})
}

func change(t testing.TB, p *apptest.Picora, mark string, v map[string]any) {
	t.Helper()
	if r := p.JSON("PATCH", "/v1/watermarks/"+mark, v); r.Status != http.StatusOK {
		t.Fatalf("%v: %d %s", v, r.Status, r.Body)
	}
}

// at is the colour of a pixel of an answer, which must be a picture.
func at(t testing.TB, r apptest.Response, x, y int) color.NRGBA {
	t.Helper()
	m, _, err := image.Decode(bytes.NewReader(r.Body))
	if r.Status != http.StatusOK || err != nil {
		t.Fatalf("%d %v %.100q: %v", r.Status, r.Header, r.Body, err)
	}
	return color.NRGBAModel.Convert(m.At(x, y)).(color.NRGBA)
}

// isRed leaves room for what encoders do to a colour.
func isRed(c color.NRGBA) bool { return c.R > 200 && c.G < 60 && c.B < 60 && c.A > 240 }

func TestAWatermarkIsWhereItShouldBe(t *testing.T) {
	p := apptest.StartWithWorkers(t, anything)
	i, mark := p.Add("a.png", flat(400, 200, grey)), logo(t, p)
	for n, place := range []string{"top-left", "top", "top-right", "left", "center", "right", "bottom-left", "bottom", "bottom-right"} {
		change(t, p, mark, map[string]any{"position": place})
		r := get(p, "GET", i.URL+"?w=200&wm="+mark)
		x, y := []int{10, 80, 150}[n%3], []int{10, 40, 70}[n/3]
		for _, c := range []struct {
			x, y int
			want color.NRGBA
		}{{x, y, red}, {x + 39, y + 19, red}, {x - 1, y + 10, grey}, {x + 40, y + 10, grey}, {x + 20, y - 1, grey}, {x + 20, y + 20, grey}} {
			if got := at(t, r, c.x, c.y); got != c.want {
				t.Errorf("%s: %v at %d,%d, want %v", place, got, c.x, c.y, c.want)
			}
		}
	}
}

func TestWatermarksInEveryFormat(t *testing.T) {
	p := apptest.StartWithWorkers(t, anything)
	mark := logo(t, p)
	change(t, p, mark, map[string]any{"position": "center"})
	glass, opaque := p.Add("a.png", flat(100, 100, color.NRGBA{})).URL, p.Add("a.jpg", apptest.JPEG(100, 100, 1)).URL
	for _, url := range []string{glass + "?", glass + "?bg=00f&", opaque + "?", opaque + "?fmt=png&", opaque + "?fmt=webp&", opaque + "?fmt=jpeg&blur=5&", opaque + "?fmt=auto&"} {
		r := get(p, "GET", url+"wm="+mark, "Accept", "image/avif,image/webp")
		if c := at(t, r, 50, 50); !isRed(c) {
			t.Errorf("%s: %v", url, c)
		}
		if got := r.Header.Get("Cache-Control"); got != "public, no-cache" {
			t.Errorf("%s: %s", url, got)
		}
		secured(t, url, r.Header)
	}
	if c := at(t, get(p, "GET", glass+"?wm="+mark), 2, 2); c.A != 0 {
		t.Errorf("beside the mark: %v", c)
	}
	change(t, p, mark, map[string]any{"opacity": 0.5})
	if c := at(t, get(p, "GET", glass+"?wm="+mark), 50, 50); c.R != 250 || c.A != 128 {
		t.Errorf("half of it: %v", c)
	}
	change(t, p, mark, map[string]any{"opacity": 1, "tiled": true, "rotation": -45})
	m, err := png.Decode(bytes.NewReader(get(p, "GET", opaque+"?fmt=png&wm="+mark).Body))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for k := range 100 * 100 {
		if color.NRGBAModel.Convert(m.At(k%100, k/100)) == red {
			n++
		}
	}
	if n < 1000 {
		t.Errorf("%d pixels of tiles", n)
	}
	i := p.Add("b.png", flat(50, 50, grey))
	patch(t, p, i.ID, map[string]any{"allowedReferers": []string{"example.org"}})
	r := get(p, "GET", i.URL+"?wm="+mark, "Referer", "http://example.org/")
	if r.Status != 200 || r.Header.Get("Cache-Control") != "private, no-cache" {
		t.Errorf("for some pages: %d %v", r.Status, r.Header)
	}
}

func TestAnAnimationKeepsItsWatermark(t *testing.T) {
	p := apptest.StartWithWorkers(t, anything)
	i, mark := p.Add("a.gif", apptest.GIF(80, 80, 4, 3)), logo(t, p)
	r := get(p, "GET", i.URL+"?wm="+mark)
	g, err := gif.DecodeAll(bytes.NewReader(r.Body))
	if err != nil || len(g.Image) != 4 {
		t.Fatalf("%d %v", r.Status, err)
	}
	canvas := image.NewNRGBA(image.Rect(0, 0, 80, 80))
	for n, m := range g.Image {
		for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y++ {
			for x := m.Rect.Min.X; x < m.Rect.Max.X; x++ {
				if _, _, _, a := m.At(x, y).RGBA(); a > 0 {
					canvas.Set(x, y, m.At(x, y))
				}
			}
		}
		if c := canvas.NRGBAAt(64, 68); !isRed(c) {
			t.Errorf("frame %d: %v", n, c)
		}
	}
}

// Until the AVIF is made, what stands in for it is marked as well.
func TestAnAVIFIsNeverWithoutItsWatermark(t *testing.T) {
	p := apptest.StartWithWorkers(t, anything)
	i, mark := p.Add("a.jpg", apptest.JPEG(200, 200, 1)), logo(t, p)
	change(t, p, mark, map[string]any{"position": "center"})
	for end := time.Now().Add(5 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		r := get(p, "GET", i.URL+"?fmt=avif&wm="+mark)
		if r.Header.Get("Cache-Control") != "public, no-cache" {
			t.Fatalf("%d %v", r.Status, r.Header)
		}
		if r.Header.Get("Content-Type") == "image/avif" {
			break
		}
		if c := at(t, r, 100, 100); !isRed(c) {
			t.Fatalf("meanwhile: %v", c)
		}
		if time.Now().After(end) {
			t.Fatal("the AVIF is never made")
		}
	}
}

func TestAnEditedWatermarkShowsAtOnce(t *testing.T) {
	p := apptest.StartWithWorkers(t, anything)
	i, mark := p.Add("a.png", flat(200, 100, grey)), logo(t, p)
	url := i.URL + "?wm=" + mark
	for range 3 { // from the cache, too
		change(t, p, mark, map[string]any{"position": "top-left"})
		old := get(p, "GET", url)
		if at(t, old, 30, 20) != red {
			t.Fatal("not at the top")
		}
		if r := get(p, "GET", url, "If-None-Match", old.Header.Get("ETag")); r.Status != 304 {
			t.Errorf("unchanged: %d", r.Status)
		}
		change(t, p, mark, map[string]any{"position": "center"})
		fresh := get(p, "GET", url, "If-None-Match", old.Header.Get("ETag"))
		if at(t, fresh, 30, 20) != grey || at(t, fresh, 100, 50) != red {
			t.Error("the old one is shown")
		}
	}
	blue := p.Add("b.png", flat(40, 20, color.NRGBA{0, 0, 200, 255}))
	change(t, p, mark, map[string]any{"imageId": blue.ID})
	p.Do("DELETE", "/v1/images/"+blue.ID, nil)
	if c := at(t, get(p, "GET", url), 100, 50); c.B != 200 {
		t.Errorf("another picture: %v", c)
	}
	p.Do("DELETE", "/v1/watermarks/"+mark, nil)
	if r := get(p, "GET", url); r.Status != 400 || r.Header.Get("X-Picora-Error") != "INVALID_IMAGE_PARAMS" {
		t.Errorf("deleted: %d %v", r.Status, r.Header)
	}
}

func TestWhoMayHaveWhichWatermark(t *testing.T) {
	p := apptest.StartWithWorkers(t)
	p.NewUser("b@example.org")
	stranger := p.NewKey("b@example.org")
	public, private := p.Add("a.png", flat(99, 99, grey)), p.Add("b.png", flat(98, 99, grey), "isPublic", "false")
	text := map[string]any{"name": "a", "kind": "text", "text": "© Ann"}
	mine, other := newMark(t, p, text), newMark(t, p, text)
	var w struct{ ID string }
	p.JSON("POST", "/v1/watermarks", text, "Authorization", "Bearer "+stranger).Data(t, &w)
	sign := func(id, transform string) string {
		var s struct{ SignedURL string }
		p.JSON("POST", "/v1/images/"+id+"/sign", map[string]any{"transform": transform}).Data(t, &s)
		return s.SignedURL[strings.Index(s.SignedURL, "?"):]
	}
	for _, c := range []struct {
		name, id, query, key string
		status               int
		policy               string
	}{
		{"by nobody", public.ID, "?wm=" + mine, "", 403, "no-store"},
		{"by a stranger's key", public.ID, "?wm=" + mine, stranger, 403, "no-store"},
		{"one that is not there, by nobody", public.ID, "?wm=" + strings.Repeat("a", 21), "", 403, "no-store"},
		{"by the owner", public.ID, "?wm=" + mine, p.Key, 200, "public, no-cache"},
		{"with a size", public.ID, "?wm=" + mine + "&w=50", p.Key, 200, "public, no-cache"},
		{"a preview", public.ID, "?wm=" + mine + "&preview=1", p.Key, 200, "no-store"},
		{"another's watermark", public.ID, "?wm=" + w.ID, p.Key, 400, "no-store"},
		{"one that is not there", public.ID, "?wm=" + strings.Repeat("a", 21), p.Key, 400, "no-store"},
		{"with a variant", public.ID, "?variant=thumb&wm=" + mine, p.Key, 400, "no-store"},
		{"no id", public.ID, "?wm=x", p.Key, 400, "no-store"},
		{"signed", public.ID, sign(public.ID, "wm="+mine), "", 200, "private, no-store"},
		{"another's, signed", public.ID, sign(public.ID, "wm="+w.ID), "", 400, "no-store"},
		{"signed for another", public.ID, strings.Replace(sign(public.ID, "wm="+other), other, mine, 1), "", 403, "no-store"},
		{"signed, without it", public.ID, strings.Replace(sign(public.ID, "w=9&wm="+mine), "&wm="+mine, "", 1), "", 403, "no-store"},
		{"private", private.ID, "?wm=" + mine, "", 403, "no-store"},
		{"private, signed", private.ID, sign(private.ID, "wm="+mine), "", 200, "private, no-store"},
		{"private, signed, without it", private.ID, strings.Replace(sign(private.ID, "w=9&wm="+mine), "&wm="+mine, "", 1), "", 403, "no-store"},
	} {
		for range 2 {
			r := get(p, "GET", "/"+c.id+".png"+c.query, "Authorization", bearer(c.key))
			if r.Status != c.status || r.Header.Get("Cache-Control") != c.policy {
				t.Errorf("%s: %d %q, want %d: %.200s", c.name, r.Status, r.Header.Get("Cache-Control"), c.status, r.Body)
			}
		}
	}
}

// The original would give away what a watermark protects. It never stands in.
func TestTheOriginalNeverStandsInForAWatermarkedPicture(t *testing.T) {
	refused := func(p *apptest.Picora, url string, status int, original []byte) {
		t.Helper()
		for _, method := range []string{"GET", "HEAD", "GET"} {
			r := get(p, method, url)
			if r.Status != status || r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("ETag") != "" || r.Header.Get("Content-Type") != "text/plain; charset=utf-8" ||
				status == 503 && r.Header.Get("Retry-After") == "" || bytes.Contains(r.Body, original[:16]) {
				t.Errorf("%s %s: %d %v %.100q", method, url, r.Status, r.Header, r.Body)
			}
		}
	}
	text := map[string]any{"name": "a", "kind": "text", "text": "© Ann"}
	anyone := func(c *config.Config) { c.Images.Transforms = "any" }
	idle := apptest.Start(t, anyone) // its worker does nothing
	data := apptest.JPEG(30, 20, 1)
	i, mark := idle.Add("a.jpg", data), newMark(t, idle, text)
	for _, query := range []string{"?wm=", "?w=10&wm=", "?fmt=avif&wm=", "?preview=1&wm="} {
		refused(idle, i.URL+query+mark, 503, data)
	}
	svg := []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><rect width="5" height="5"/></svg>`)
	for _, query := range []string{"?wm=", "?w=10&wm=", "?fmt=auto&wm=", "?fmt=png&wm="} {
		refused(idle, idle.Add("a.svg", svg).URL+query+mark, 400, svg)
	}

	p := apptest.StartWithWorkers(t, anything)
	before := map[string]bool{}
	data = apptest.JPEG(30, 20, 2)
	url := p.Add("a.jpg", data).URL
	for _, f := range p.Blobs() {
		before[f] = true
	}
	mark = logo(t, p)
	if r := get(p, "GET", url+"?wm="+mark); r.Status != 200 {
		t.Fatal(r.Status)
	}
	for _, f := range p.Blobs() {
		if !before[f] {
			if err := os.Remove(f); err != nil {
				t.Fatal(err)
			}
		}
	}
	refused(p, url+"?w=9&wm="+mark, 503, data) // the mark's file is lost
	if r := get(p, "GET", url+"?w=9"); r.Status != 200 {
		t.Error(fmt.Sprint("without the watermark: ", r.Status))
	}
}
