package cdn_test

import (
	"bytes"
	"fmt"
	"image"
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	_ "golang.org/x/image/webp"

	"picora/app/apptest"
	"picora/app/config"
)

// anything lets everybody have every picture made.
func anything(c *config.Config) { c.Images.Transforms = "any" }

// size decodes a picture and says what it is.
func size(t *testing.T, b []byte) string {
	t.Helper()
	c, format, err := image.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("%d bytes that begin %.16q: %v", len(b), b, err)
	}
	return fmt.Sprintf("%s %dx%d", format, c.Width, c.Height)
}

func TestPicturesAreMadeAsTheAddressSays(t *testing.T) {
	p := apptest.StartWithWorkers(t, anything)
	jpeg, png, gif := p.Add("a.jpg", apptest.JPEG(300, 200, 1)), p.Add("a.png", apptest.PNG(40, 80, 2)), p.Add("a.gif", apptest.GIF(64, 64, 3, 3))
	for _, c := range []struct{ url, query, want string }{
		{jpeg.URL, "w=150", "jpeg 150x100"},
		{jpeg.URL, "h=50", "jpeg 75x50"},
		{jpeg.URL, "w=50&dpr=2", "jpeg 100x67"},
		{jpeg.URL, "w=100&h=100", "jpeg 100x67"},
		{jpeg.URL, "w=100&h=100&fit=outside", "jpeg 150x100"},
		{jpeg.URL, "w=100&h=100&fit=cover", "jpeg 100x100"},
		{jpeg.URL, "w=100&h=100&fit=cover&crop=smart", "jpeg 100x100"},
		{jpeg.URL, "w=100&h=100&fit=cover&crop=0.1,0.9&fmt=png", "png 100x100"},
		{jpeg.URL, "w=100&h=100&fit=contain&bg=fff", "jpeg 100x100"},
		{jpeg.URL, "w=100&h=20&fit=fill&fmt=webp", "webp 100x20"},
		{jpeg.URL, "w=4000", "jpeg 300x200"},
		{jpeg.URL, "rot=90", "jpeg 200x300"},
		{jpeg.URL, "blur=3&w=30", "jpeg 30x20"},
		{jpeg.URL, "fmt=png", "png 300x200"},
		{jpeg.URL, "variant=thumb", "jpeg 300x200"},
		{png.URL, "w=20", "png 20x40"},
		{png.URL, "w=20&fmt=jpeg&q=1", "jpeg 20x40"},
		{gif.URL, "w=32", "gif 32x32"},
	} {
		r := get(p, "GET", c.url+"?"+c.query)
		if r.Status != http.StatusOK || r.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" {
			t.Errorf("%s: %d %v %.200s", c.query, r.Status, r.Header, r.Body)
			continue
		}
		if got := size(t, r.Body); got != c.want {
			t.Errorf("%s: %s, want %s", c.query, got, c.want)
		}
		secured(t, c.query, r.Header)
	}
}

func TestTheFormatFollowsTheClient(t *testing.T) {
	p := apptest.StartWithWorkers(t)
	jpeg, gif := p.Add("a.jpg", apptest.JPEG(300, 200, 1)).URL, p.Add("a.gif", apptest.GIF(64, 64, 3, 3)).URL
	ask := func(url, accept string) apptest.Response {
		r := get(p, "GET", url+"?variant=small", "Accept", accept)
		if r.Status != http.StatusOK || r.Header.Get("Vary") != "Accept" {
			t.Fatalf("%s: %d %v %.200s", accept, r.Status, r.Header, r.Body)
		}
		return r
	}
	for range 2 { // made, and from memory
		for accept, want := range map[string]string{
			"*/*": "image/jpeg", "image/webp": "image/webp", "image/avif;q=0, image/webp": "image/webp", "IMAGE/WEBP;q=0.5": "image/webp", "image/webp;q=0": "image/jpeg",
		} {
			r := ask(jpeg, accept)
			if got := r.Header.Get("Content-Type"); got != want || r.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" {
				t.Errorf("%s: %s, %s", accept, got, r.Header.Get("Cache-Control"))
			}
		}
		if got := ask(gif, "*/*").Header.Get("Content-Type"); got != "image/gif" {
			t.Errorf("an animation for an old client: %s", got)
		}
		if got := ask(gif, "image/avif,image/webp").Header.Get("Content-Type"); got != "image/webp" {
			t.Errorf("an animation: %s", got)
		}
	}
	first := ask(jpeg, "image/avif,image/webp")
	if first.Header.Get("Content-Type") != "image/webp" || first.Header.Get("Cache-Control") != "public, max-age=60" {
		t.Errorf("before the AVIF is made: %v", first.Header)
	}
	for end := time.Now().Add(5 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		r := ask(jpeg, "image/avif,image/webp")
		if r.Header.Get("Content-Type") == "image/avif" {
			if r.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" || string(r.Body[4:12]) != "ftypavif" {
				t.Errorf("the AVIF: %v %.16q", r.Header, r.Body)
			}
			break
		}
		if time.Now().After(end) {
			t.Fatal("the AVIF is never made")
		}
	}
}

func TestWhoMayHaveWhichPictureMade(t *testing.T) {
	for policy, want := range map[string]struct{ variant, size, signed int }{
		"named": {200, 403, 200}, "signed": {403, 403, 200}, "any": {200, 200, 200},
	} {
		p := apptest.StartWithWorkers(t, func(c *config.Config) { c.Images.Transforms = policy })
		stranger := p.NewKey(func() string { p.NewUser("b@example.org"); return "b@example.org" }())
		public := p.Add("a.jpg", apptest.JPEG(30, 20, 1))
		private := p.Add("b.jpg", apptest.JPEG(30, 20, 2), "isPublic", "false")
		sign := func(id string, v any) string {
			var s struct{ SignedURL string }
			p.JSON("POST", "/v1/images/"+id+"/sign", v).Data(t, &s)
			return s.SignedURL[strings.Index(s.SignedURL, "?"):]
		}
		ten := map[string]any{"transform": "w=10"}
		forever := map[string]any{"transform": "w=10", "permanent": true}
		thumb := func(id string) string {
			var i struct{ ThumbnailURL string }
			p.Do("GET", "/v1/images/"+id, nil).Data(t, &i)
			return i.ThumbnailURL[strings.Index(i.ThumbnailURL, "?"):]
		}
		if r := p.JSON("POST", "/v1/images/"+private.ID+"/sign", forever); r.Status != 422 {
			t.Errorf("a permanent link to a private picture: %d", r.Status)
		}
		was := sign(public.ID, forever)
		patch(t, p, public.ID, map[string]any{"isPublic": false})
		if r := get(p, "GET", "/"+public.ID+".jpg"+was); r.Status != 403 {
			t.Errorf("%s: a permanent link to a picture that became private: %d", policy, r.Status)
		}
		patch(t, p, public.ID, map[string]any{"isPublic": true})
		for _, c := range []struct {
			name, id, query, key string
			status               int
		}{
			{"a variant", public.ID, "?variant=thumb", "", want.variant},
			{"a size", public.ID, "?w=10", "", want.size},
			{"a size by a stranger's key", public.ID, "?w=10", stranger, want.size},
			{"a size by the owner", public.ID, "?w=10", p.Key, 200},
			{"a signed size", public.ID, sign(public.ID, ten), "", want.signed},
			{"a size signed for ever", public.ID, sign(public.ID, forever), "", want.signed},
			{"a signed size that was passed on", public.ID, sign(public.ID, forever) + "&fbclid=x&utm_source=y", "", want.signed},
			{"a signed size, changed", public.ID, strings.Replace(sign(public.ID, forever), "w=10", "w=11", 1), "", want.size},
			{"a signed size, more asked for", public.ID, sign(public.ID, forever) + "&q=3", "", want.size},
			{"the signature of the file", public.ID, sign(public.ID, map[string]any{}) + "&w=10", "", want.size},
			{"the thumbnail in the record", public.ID, thumb(public.ID), "", 200},
			{"a private variant", private.ID, "?variant=thumb", "", 403},
			{"a private size by the owner", private.ID, "?w=10", p.Key, 200},
			{"a private size, signed", private.ID, sign(private.ID, ten), "", 200},
			{"another's signature", private.ID, sign(public.ID, ten), "", 403},
			{"the private thumbnail in the record", private.ID, thumb(private.ID), "", 200},
		} {
			for range 2 { // the second answer may come from memory
				r := get(p, "GET", "/"+c.id+".jpg"+c.query, "Authorization", bearer(c.key))
				if r.Status != c.status {
					t.Errorf("%s: %s: %d, want %d: %.200s", policy, c.name, r.Status, c.status, r.Body)
				}
				if open := strings.HasPrefix(r.Header.Get("Cache-Control"), "public"); open && (c.id == private.ID || c.status != 200) {
					t.Errorf("%s: %s: %s", policy, c.name, r.Header.Get("Cache-Control"))
				}
			}
		}
	}
}

func bearer(key string) string {
	if key == "" {
		return ""
	}
	return "Bearer " + key
}

// What one client had made, by right or from memory, is no more for another than it
// would have been.
func TestAMadePictureIsAsPrivateAsItsParent(t *testing.T) {
	p := apptest.StartWithWorkers(t)
	i := p.Add("a.jpg", apptest.JPEG(30, 20, 1))
	url := "/" + i.ID + ".jpg?variant=thumb"
	for range 2 {
		if r := get(p, "GET", url); r.Status != 200 {
			t.Fatal(r.Status)
		}
	}
	if r := get(p, "GET", "/"+i.ID+".jpg?w=10", "Authorization", "Bearer "+p.Key); r.Status != 200 {
		t.Fatal(r.Status)
	}
	if r := get(p, "GET", "/"+i.ID+".jpg?w=10"); r.Status != 403 {
		t.Errorf("what the owner asked for, for all: %d", r.Status)
	}
	patch(t, p, i.ID, map[string]any{"isPublic": false})
	if r := get(p, "GET", url); r.Status != 403 {
		t.Errorf("after it became private: %d", r.Status)
	}
	patch(t, p, i.ID, map[string]any{"isPublic": true})
	if r := get(p, "GET", url); r.Status != 200 {
		t.Errorf("after it became public again: %d", r.Status)
	}
	made := func() int {
		m, _ := filepath.Glob(filepath.Join(p.Data, "cache", "*", "*", "*"))
		return len(m)
	}
	if made() == 0 {
		t.Error("nothing is kept")
	}
	if r := p.Do("DELETE", "/v1/images/"+i.ID, nil); r.Status != 200 {
		t.Fatal(r.Status)
	}
	if r := get(p, "GET", url); r.Status != 404 {
		t.Errorf("after it was deleted: %d", r.Status)
	}
	if n := made(); n != 0 {
		t.Errorf("%d files are left of it", n)
	}
}

func TestAMadePictureAnswersAsAFile(t *testing.T) {
	p := apptest.StartWithWorkers(t, anything)
	small, large := "/"+p.Add("a.jpg", apptest.JPEG(300, 200, 1)).ID+".jpg?w=50", "/"+p.Add("b.png", apptest.PNG(300, 300, 2)).ID+".png?w=290"
	for _, url := range []string{small, large} {
		whole := get(p, "GET", url)
		etag := whole.Header.Get("ETag")
		for range 2 {
			again := get(p, "GET", url, "X-Other", "1") // not a plain request
			for _, h := range []map[string][]string{whole.Header, again.Header} {
				delete(h, "X-Request-Id")
				delete(h, "Date")
			}
			if !bytes.Equal(whole.Body, again.Body) || !maps.EqualFunc(whole.Header, again.Header, slices.Equal) {
				t.Errorf("%s: first %v, then %v", url, whole.Header, again.Header)
			}
			whole = get(p, "GET", url)
		}
		if r := get(p, "HEAD", url); r.Status != 200 || r.Header.Get("Content-Length") != fmt.Sprint(len(whole.Body)) || len(r.Body) != 0 {
			t.Errorf("%s: HEAD: %d %v", url, r.Status, r.Header)
		}
		if r := get(p, "GET", url, "If-None-Match", etag); r.Status != 304 || len(r.Body) != 0 {
			t.Errorf("%s: If-None-Match: %d", url, r.Status)
		}
		if r := get(p, "GET", url, "Range", "bytes=10-19"); r.Status != 206 || !bytes.Equal(r.Body, whole.Body[10:20]) {
			t.Errorf("%s: Range: %d, %d bytes", url, r.Status, len(r.Body))
		}
		if r := get(p, "GET", url, "Range", "bytes=99999999-"); r.Status != 416 {
			t.Errorf("%s: Range behind the end: %d", url, r.Status)
		}
	}
	if r := get(p, "GET", small+"&preview=1"); r.Status != 200 || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("a preview: %d %v", r.Status, r.Header)
	}
}

func TestAnSVGHasEverySize(t *testing.T) {
	p := apptest.StartWithWorkers(t, anything)
	i := p.Add("a.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><rect width="5" height="5"/></svg>`))
	for query, status := range map[string]int{"w=100": 200, "variant=thumb": 200, "fmt=auto": 200, "fmt=png": 400, "w=1&fmt=webp": 400} {
		r := get(p, "GET", i.URL+"?"+query)
		if r.Status != status || status == 200 && r.Header.Get("Content-Type") != "image/svg+xml" {
			t.Errorf("%s: %d %v", query, r.Status, r.Header)
		}
	}
}

// A worker that does not work costs the size of a picture, not the picture, and tells
// nobody more than they would know.
func TestTheOriginalStandsInForWhatCannotBeMade(t *testing.T) {
	p := apptest.Start(t) // its worker does nothing
	for _, data := range [][]byte{withEXIF(apptest.JPEG(60, 40, 3), 6), withEXIF(apptest.JPEG(600, 400, 4), 6)} {
		i := p.Add("a.jpg", data)
		whole := get(p, "GET", i.URL).Body
		for range 2 {
			r := get(p, "GET", i.URL+"?variant=thumb")
			if r.Status != 200 || r.Header.Get("Cache-Control") != "public, max-age=60" || !bytes.Equal(r.Body, whole) || bytes.Contains(r.Body, []byte(secret)) {
				t.Errorf("%d %v, with the secret: %v", r.Status, r.Header, bytes.Contains(r.Body, []byte(secret)))
			}
		}
	}
	private := p.Add("b.jpg", apptest.JPEG(30, 20, 5), "isPublic", "false")
	var s struct{ SignedURL string }
	p.JSON("POST", "/v1/images/"+private.ID+"/sign", map[string]any{"transform": "w=10&blur=20"}).Data(t, &s)
	if r := get(p, "GET", s.SignedURL); r.Status != 503 || len(r.Body) > 200 {
		t.Errorf("the signature of a blurred picture opens %d bytes: %d", len(r.Body), r.Status)
	}
	if r := get(p, "GET", "/"+private.ID+".jpg?w=10", "Authorization", "Bearer "+p.Key); r.Status != 200 {
		t.Errorf("for the owner: %d", r.Status)
	}
	p.JSON("POST", "/v1/images/"+private.ID+"/sign", map[string]any{}).Data(t, &s)
	if r := get(p, "GET", s.SignedURL+"&variant=thumb"); r.Status != 200 {
		t.Errorf("with the signature of the file: %d", r.Status)
	}
}

func TestAThousandAsksMakeOnePicture(t *testing.T) {
	p := apptest.StartWithWorkers(t, anything)
	i := p.Add("a.jpg", apptest.JPEG(2000, 1500, 1))
	var wg sync.WaitGroup
	var mu sync.Mutex
	bodies := map[string]int{}
	start := make(chan struct{})
	for range 1000 {
		wg.Go(func() {
			<-start
			r := get(p, "GET", "/"+i.ID+".jpg?w=333")
			mu.Lock()
			bodies[fmt.Sprint(r.Status, " ", len(r.Body))]++
			mu.Unlock()
		})
	}
	close(start)
	wg.Wait()
	if len(bodies) != 1 || bodies[slices.Collect(maps.Keys(bodies))[0]] != 1000 {
		t.Errorf("the answers: %v", bodies)
	}
	if n := p.Metric(t, `picora_media_jobs_total{kind="make",outcome="done"}`); n != 1 {
		t.Errorf("%v pictures were made", n)
	}
}

func TestTooManyAreToldToComeBack(t *testing.T) {
	p := apptest.StartWithWorkers(t, anything, func(c *config.Config) { c.Images.Queue, c.Images.Workers = 2, 1 })
	i := p.Add("a.png", apptest.PNG(1500, 1500, 1))
	var wg sync.WaitGroup
	var mu sync.Mutex
	statuses := map[int]int{}
	for w := range 40 {
		wg.Go(func() {
			r := get(p, "GET", fmt.Sprintf("/%s.png?w=%d", i.ID, 900+w))
			mu.Lock()
			defer mu.Unlock()
			statuses[r.Status]++
			if r.Status == 503 && (r.Header.Get("Retry-After") == "" || r.Header.Get("Cache-Control") != "no-store") {
				t.Errorf("503 with %v", r.Header)
			}
		})
	}
	wg.Wait()
	if statuses[200] < 2 || statuses[503] == 0 || statuses[200]+statuses[503] != 40 {
		t.Errorf("the answers: %v", statuses)
	}
}
