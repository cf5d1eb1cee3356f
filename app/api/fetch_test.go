package api_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/app/config"
)

// fetching starts a Picora that may fetch from servers of tests.
func fetching(t *testing.T, edit ...func(*config.Config)) *apptest.Picora {
	t.Helper()
	t.Parallel()
	return apptest.Start(t, append(edit, func(c *config.Config) { c.Fetch.Allow = []string{"127.0.0.0/8", "::1"} })...)
}

// elsewhere is another server.
func elsewhere(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(func() {
		s.CloseClientConnections() // else Close waits for answers that nobody lets go on
		s.Close()
	})
	return s.URL
}

// files serves one file, with ETag and ranges, whatever the path is.
func files(data []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"one"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	}
}

// nothingLeft fails when fetches leave a file, or other than so many records. Files go just
// after their records were written.
func nothingLeft(t *testing.T, p *apptest.Picora, records int) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		files := pieceFiles(t, p)
		list, err := p.App.Store().Uploads(t.Context(), "", 100)
		if err == nil && len(files) == 0 && len(list) == records {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("left: %v %v %+v", files, err, list)
		}
	}
}

func TestAPictureByItsAddress(t *testing.T) {
	p := fetching(t)
	picture := apptest.PNG(60, 40, 31)
	at := elsewhere(t, files(picture))
	album := makeAlbum(t, p, object{"name": "trip", "type": "album"}).ID
	body := object{"url": at + "/photos/By%20the%20sea.png?token=1#x", "title": "Sea", "tags": []string{"sea", "2026"}, "isPublic": false, "keepMetadata": true, "kbId": album}
	r := p.Play(t, scenario{Method: "POST", URL: "/v1/images", Body: body, Status: 201, Has: []string{
		`"filename":"By the sea.png"`, `"title":"Sea"`, `"tags":["sea","2026"]`, `"isPublic":false`, `"keepMetadata":true`, `"kbId":"` + album + `"`, `"width":60`,
	}})
	id := field(t, r, "id").(string)
	if back := p.Do("GET", "/v1/images/"+id+"/original", nil); !bytes.Equal(back.Body, picture) {
		t.Errorf("%d, %d bytes", back.Status, len(back.Body))
	}
	r = p.Play(t, scenario{Method: "POST", URL: "/v1/images", Body: object{"url": at + "/again.png", "filename": "mine.png"}, Status: 200, Has: []string{`"id":"` + id + `"`}})
	if r.Header.Get("X-Picora-Duplicate") != "true" {
		t.Errorf("%v", r.Header)
	}
	nothingLeft(t, p, 0)
	r = p.Play(t, scenario{Method: "POST", URL: "/v1/uploads", Body: object{"url": elsewhere(t, files(apptest.PNG(9, 9, 32))), "filename": "named.png"}, Status: 200, Has: []string{`"status":"done"`, `"type":"image"`, `"progress":100`, `"filename":"named.png"`}})
	p.Play(t, scenario{URL: "/v1/images/" + field(t, r, "mediaId").(string), Status: 200, Has: []string{`"filename":"named.png"`}})
	at = "/v1/uploads/" + field(t, r, "id").(string)
	p.Play(t, scenario{URL: at, Status: 200, Has: []string{`"mediaUrl":"` + p.URL}})
	p.Play(t, scenario{Method: "DELETE", URL: at, Status: 204})
	p.Play(t, scenario{URL: at, Status: 404, Code: "NOT_FOUND"})
	nothingLeft(t, p, 0)
}

func TestWhatIsNotFetched(t *testing.T) {
	p := fetching(t, func(c *config.Config) { c.Upload.MaxBytes = 5000 })
	page := []byte("<!doctype html><title>Pictures</title><p>Here are pictures.")
	var asked atomic.Int64
	at := elsewhere(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		switch r.URL.Path {
		case "/page":
			w.Write(page)
		case "/empty":
		case "/large":
			w.Header().Set("Content-Length", "5001")
			w.Write(make([]byte, 5001))
		case "/endless": // a length that nobody tells
			for b := apptest.PNG(40, 40, 1); r.Context().Err() == nil; {
				if _, err := w.Write(b); err != nil {
					return
				}
			}
		case "/text":
			w.Write([]byte("some text"))
		case "/picture":
			w.Write(pixel)
		case "/inside":
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", http.StatusFound)
		default:
			http.NotFound(w, r)
		}
	})
	one := func(path string) object { return object{"url": at + path} }
	for name, s := range map[string]scenario{
		"no address":            {URL: "/v1/images", Body: object{"title": "x"}, Status: 400, Code: "BAD_REQUEST", Has: []string{"the field url"}},
		"no object":             {URL: "/v1/images", Body: `[]`, Status: 422, Code: "VALIDATION_ERROR"},
		"no JSON":               {URL: "/v1/images", Body: `{"url`, Headers: []string{"Content-Type", "application/json"}, Status: 400, Code: "BAD_REQUEST"},
		"nothing":               {URL: "/v1/images", Body: "", Headers: []string{"Content-Type", "application/json"}, Status: 400, Code: "BAD_REQUEST"},
		"too much":              {URL: "/v1/images", Body: object{"url": at, "title": strings.Repeat("a", 70_000)}, Status: 422, Code: "VALIDATION_ERROR"},
		"another protocol":      {URL: "/v1/images", Body: object{"url": "file:///etc/passwd"}, Status: 422, Code: "VALIDATION_ERROR"},
		"a password":            {URL: "/v1/images", Body: object{"url": "https://a:b@example.org/"}, Status: 422, Code: "VALIDATION_ERROR"},
		"a decimal host":        {URL: "/v1/images", Body: object{"url": "http://2130706433/a.png"}, Status: 422, Code: "VALIDATION_ERROR"},
		"a private address":     {URL: "/v1/images", Body: object{"url": "http://10.1.2.3/a.png"}, Status: 422, Code: "VALIDATION_ERROR", Has: []string{"fetch.allow"}},
		"a port":                {URL: "/v1/images", Body: object{"url": "http://93.184.215.14:8080/a.png"}, Status: 422, Code: "VALIDATION_ERROR", Has: []string{"ports 80 and 443"}},
		"a redirect inside":     {URL: "/v1/images", Body: one("/inside"), Status: 422, Code: "VALIDATION_ERROR", Has: []string{"fetch.allow"}},
		"a title that is none":  {URL: "/v1/images", Body: object{"url": at + "/picture", "title": strings.Repeat("a", 300)}, Status: 422, Code: "VALIDATION_ERROR"},
		"no such collection":    {URL: "/v1/images", Body: object{"url": at + "/picture", "kbId": strings.Repeat("a", 21)}, Status: 404, Code: "NOT_FOUND"},
		"nothing there":         {URL: "/v1/images", Body: one("/missing"), Status: 422, Code: "FETCH_FAILED", Has: []string{"no file at this address (404)"}},
		"an empty file":         {URL: "/v1/images", Body: one("/empty"), Status: 422, Code: "FETCH_FAILED", Has: []string{"is empty"}},
		"a page":                {URL: "/v1/images", Body: one("/page"), Status: 422, Code: "VALIDATION_ERROR", Has: []string{"leads to a web page"}},
		"a page of any kind":    {URL: "/v1/uploads", Body: one("/page"), Status: 422, Code: "VALIDATION_ERROR", Has: []string{"leads to a web page"}},
		"text of any kind":      {URL: "/v1/uploads", Body: one("/text"), Status: 422, Code: "VALIDATION_ERROR", Has: []string{"This is no file of a kind"}},
		"text as a picture":     {URL: "/v1/images", Body: one("/text"), Status: 422, Code: "VALIDATION_ERROR"},
		"a large file":          {URL: "/v1/images", Body: one("/large"), Status: 422, Code: "VALIDATION_ERROR", Has: []string{"larger than the 4 KB"}},
		"a file without end":    {URL: "/v1/images", Body: one("/endless"), Status: 422, Code: "VALIDATION_ERROR", Has: []string{"larger than the 4 KB"}},
		"one of any kind":       {URL: "/v1/uploads", Body: one("/endless"), Status: 422, Code: "VALIDATION_ERROR", Has: []string{"larger than the 4 KB"}},
		"tags that no film has": {URL: "/v1/videos", Body: object{"url": at, "tags": strings.Split("abcdefghijkl", "")}, Status: 422, Code: "VALIDATION_ERROR"},
		"a picture as sound":    {URL: "/v1/audio", Body: one("/picture"), Status: 422, Code: "VALIDATION_ERROR", Has: []string{"This is a picture"}},
		"a path for a PDF":      {URL: "/v1/docs", Body: object{"url": at, "kbId": "x", "relativePath": "a.md"}, Status: 422, Code: "VALIDATION_ERROR"},
		"nobody":                {URL: "/v1/images", As: apptest.Nobody, Body: one("/picture"), Status: 401, Code: "UNAUTHORIZED"},
	} {
		t.Run(name, func(t *testing.T) {
			s.Method = "POST"
			p.Play(t, s)
		})
	}
	nothingLeft(t, p, 0)
	if asked.Load() == 0 {
		t.Error("nobody was asked")
	}
	p.NewUserOn("none", "poor@example.org")
	poor := p.NewKey("poor@example.org")
	for path, code := range map[string]string{"/v1/images": "PLAN_INACTIVE", "/v1/videos": "PLAN_REQUIRED", "/v1/uploads": "PLAN_INACTIVE"} {
		p.Play(t, scenario{As: poor, Method: "POST", URL: path, Body: one("/picture"), Status: 403, Code: code})
	}
	p = apptest.Start(t, func(c *config.Config) { c.Fetch.Enabled = false })
	p.Play(t, scenario{Method: "POST", URL: "/v1/images", Body: one("/picture"), Status: 403, Code: "FEATURE_DISABLED"})
}

func TestAFetchCountsForTheQuota(t *testing.T) {
	p := fetching(t, func(c *config.Config) {
		plan := c.Plans["pro"]
		plan.ImageStorageBytes = 10_000
		c.Plans["pro"] = plan
	})
	p.NewUserOn("pro", "pro@example.org")
	key := p.NewKey("pro@example.org")
	noise := bytes.Repeat([]byte{1}, 12_000)
	for name, h := range map[string]http.HandlerFunc{
		"a length that is told": files(append(apptest.PNG(9, 9, 1), noise...)),
		"one that is not": func(w http.ResponseWriter, _ *http.Request) {
			w.Write(apptest.PNG(9, 9, 1))
			http.NewResponseController(w).Flush()
			w.Write(noise)
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{"/v1/images", "/v1/uploads"} {
				p.Play(t, scenario{As: key, Method: "POST", URL: path, Body: object{"url": elsewhere(t, h)}, Status: 403, Code: "QUOTA_EXCEEDED", Has: []string{`"type":"img_storage_bytes"`}})
			}
		})
	}
	p.Play(t, scenario{As: key, Method: "POST", URL: "/v1/images", Body: object{"url": elsewhere(t, files(pixel))}, Status: 201})
	nothingLeft(t, p, 0)
}

// slow serves a file of which a request gets the next half of what is missing, and then
// waits for go on, or for its own end.
type slow struct {
	data   []byte
	ranges chan string   // what was asked for
	on     chan struct{} // lets a request go on
	gone   chan struct{} // has a signal for each request that was broken off
}

func newSlow(data []byte) *slow {
	return &slow{data, make(chan string, 100), make(chan struct{}), make(chan struct{}, 100)}
}

func (s *slow) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	from := 0
	s.ranges <- r.Header.Get("Range") + r.Header.Get("If-Range")
	w.Header().Set("ETag", `"one"`)
	w.Header().Set("Content-Length", strconv.Itoa(len(s.data)))
	if n, is := strings.CutPrefix(r.Header.Get("Range"), "bytes="); is && r.Header.Get("If-Range") == `"one"` {
		from, _ = strconv.Atoi(strings.TrimSuffix(n, "-"))
		w.Header().Set("Content-Length", strconv.Itoa(len(s.data)-from))
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(s.data)-1, len(s.data)))
		w.WriteHeader(http.StatusPartialContent)
	}
	half := from + (len(s.data)-from)/2
	w.Write(s.data[from:half])
	http.NewResponseController(w).Flush()
	select {
	case <-s.on:
		w.Write(s.data[half:])
	case <-r.Context().Done():
		s.gone <- struct{}{}
	}
}

// until asks for an upload until it stands as wanted.
func until(t *testing.T, p *apptest.Picora, at string, wanted func(status string, received float64) bool) apptest.Response {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		r := p.Play(t, scenario{URL: at, Status: 200})
		if wanted(field(t, r, "status").(string), field(t, r, "receivedBytes").(float64)) {
			return r
		}
		if time.Now().After(end) {
			t.Fatalf("%s", r.Body)
		}
	}
}

func is(want string) func(string, float64) bool {
	return func(status string, _ float64) bool { return status == want }
}

func begin(t *testing.T, p *apptest.Picora, path, url string) (at string) {
	t.Helper()
	r := p.Play(t, scenario{Method: "POST", URL: path, Body: object{"url": url}, Headers: []string{"Prefer", "wait=5, respond-async"}, Status: 202})
	at, ours := strings.CutPrefix(r.Header.Get("Location"), p.URL)
	if !ours || at != "/v1/uploads/"+field(t, r, "id").(string) || r.Header.Get("Preference-Applied") != "respond-async" || field(t, r, "sourceUrl") != url {
		t.Fatalf("%v %s", r.Header, r.Body)
	}
	return at
}

// TestAFetchGoesOnAfterARestart breaks one off in the middle by stopping the server.
func TestAFetchGoesOnAfterARestart(t *testing.T) {
	p := fetching(t)
	picture := append(apptest.PNG(60, 40, 33), make([]byte, 1<<20)...) // bytes behind the end of a PNG do no harm
	s := newSlow(picture)
	at := begin(t, p, "/v1/images", elsewhere(t, s.ServeHTTP))
	some := func(status string, received float64) bool { return status == "receiving" && received > 0 }
	r := until(t, p, at, some)
	if field(t, r, "sizeBytes") != float64(len(picture)) || field(t, r, "type") != "image" || field(t, r, "mediaId") != nil {
		t.Errorf("%s", r.Body)
	}
	if r := tusSend(p, "PATCH", at, []byte("x"), "Content-Type", "application/offset+octet-stream", "Upload-Offset", "0"); r.Status != 403 {
		t.Errorf("bytes of another: %d %s", r.Status, r.Body)
	}
	if r := tusSend(p, "HEAD", at, nil); r.Status != 200 || r.Header.Get("Upload-Length") != strconv.Itoa(len(picture)) {
		t.Errorf("%d %v", r.Status, r.Header)
	}
	p.Restart()
	<-s.gone
	s.on <- struct{}{}
	r = until(t, p, at, is("done"))
	if first, second := <-s.ranges, <-s.ranges; first != "" || !strings.HasPrefix(second, "bytes=") || !strings.HasSuffix(second, `-"one"`) || second == `bytes=0-"one"` {
		t.Errorf("it was asked for %q, then %q", first, second)
	}
	if back := p.Do("GET", "/v1/images/"+field(t, r, "mediaId").(string)+"/original", nil); !bytes.Equal(back.Body, picture) {
		t.Errorf("%d, %d bytes", back.Status, len(back.Body))
	}
	nothingLeft(t, p, 1)
	p.Advance(25 * time.Hour)
	if n, err := p.App.Library().ExpireUploads(t.Context()); n != 1 || err != nil {
		t.Errorf("%d expired, %v", n, err)
	}
	nothingLeft(t, p, 0)
}

// TestABrokenConnectionIsMadeAgain has a server that hangs up in the middle, once with a
// file that can be gone on with, once with one that cannot, and once for ever.
func TestABrokenConnectionIsMadeAgain(t *testing.T) {
	p := fetching(t)
	hangUp := func(w http.ResponseWriter, b []byte, whole int) {
		w.Header().Set("Content-Length", strconv.Itoa(whole))
		w.Write(b)
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	for name, tag := range map[string]string{"a file that can be gone on with": `"one"`, "a file that cannot": ""} {
		t.Run(name, func(t *testing.T) {
			picture := append(apptest.PNG(60, 40, uint64(40+len(tag))), make([]byte, 100_000)...)
			var n atomic.Int64
			at := elsewhere(t, func(w http.ResponseWriter, r *http.Request) {
				if tag != "" {
					w.Header().Set("ETag", tag)
				}
				if n.Add(1) == 1 {
					hangUp(w, picture[:50_000], len(picture))
				}
				if (r.Header.Get("Range") != "") != (tag != "") {
					t.Errorf("%v", r.Header)
				}
				http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(picture))
			})
			r := p.Play(t, scenario{Method: "POST", URL: "/v1/images", Body: object{"url": at}, Status: 201})
			if back := p.Do("GET", "/v1/images/"+field(t, r, "id").(string)+"/original", nil); !bytes.Equal(back.Body, picture) || n.Load() != 2 {
				t.Errorf("%d, %d bytes after %d requests", back.Status, len(back.Body), n.Load())
			}
		})
	}
	at := begin(t, p, "/v1/images", elsewhere(t, func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }))
	r := until(t, p, at, is("failed"))
	if e := field(t, r, "error").(map[string]any); e["code"] != "FETCH_FAILED" || !strings.Contains(e["error"].(string), "broke") {
		t.Errorf("%s", r.Body)
	}
	nothingLeft(t, p, 1) // for a day
}

// TestSomeFilesAreFetchedAtATime asks for more than a user has fetched at a time, and
// gives two of them up.
func TestSomeFilesAreFetchedAtATime(t *testing.T) {
	p := fetching(t)
	s := newSlow(append(apptest.PNG(60, 40, 34), make([]byte, 1000)...))
	url := elsewhere(t, s.ServeHTTP)
	var at []string
	for range 4 {
		at = append(at, begin(t, p, "/v1/uploads", url))
	}
	for _, one := range at[:2] {
		until(t, p, one, is("receiving"))
	}
	<-s.ranges
	<-s.ranges
	for _, one := range at[2:] {
		until(t, p, one, is("waiting"))
	}
	p.NewUser("other@example.org")
	mine := p.Key
	p.Key = p.NewKey("other@example.org") // somebody else does not wait
	theirs := begin(t, p, "/v1/uploads", url)
	<-s.ranges
	p.Play(t, scenario{URL: at[0], Status: 404, Code: "NOT_FOUND"})
	p.Play(t, scenario{Method: "DELETE", URL: at[0], Status: 404, Code: "NOT_FOUND"})
	p.Play(t, scenario{Method: "DELETE", URL: theirs, Status: 204})
	p.Key = mine
	<-s.gone
	p.Play(t, scenario{Method: "DELETE", URL: at[3], Status: 204}) // it has not begun
	p.Play(t, scenario{Method: "DELETE", URL: at[0], Status: 204})
	<-s.gone
	<-s.ranges // the third begins
	for range 2 {
		s.on <- struct{}{}
	}
	for _, one := range at[1:3] {
		until(t, p, one, is("done"))
	}
	for _, one := range []string{at[0], at[3]} {
		p.Play(t, scenario{URL: one, Status: 404, Code: "NOT_FOUND"})
	}
	nothingLeft(t, p, 2)
}

// TestAStopAnswersThoseWhoWait stops the server while a request waits for its file.
func TestAStopAnswersThoseWhoWait(t *testing.T) {
	p := fetching(t)
	s := newSlow(append(apptest.PNG(60, 40, 35), make([]byte, 1000)...))
	url := elsewhere(t, s.ServeHTTP)
	answer := make(chan string, 1)
	go func() {
		req, _ := http.NewRequestWithContext(context.Background(), "POST", p.URL+"/v1/images", strings.NewReader(`{"url":"`+url+`"}`))
		req.Header.Set("Authorization", "Bearer "+p.Key)
		req.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			answer <- err.Error()
			return
		}
		res.Body.Close()
		answer <- strconv.Itoa(res.StatusCode) + res.Header.Get("Location")
	}()
	<-s.ranges
	p.Restart()
	if got := <-answer; !strings.HasPrefix(got, "202http") {
		t.Errorf("%s", got)
	}
	<-s.gone
	s.on <- struct{}{}
}

func TestSoundFilmsAndPDFsByTheirAddress(t *testing.T) {
	t.Parallel()
	p := apptest.StartWithWorkers(t, func(c *config.Config) { c.Fetch.Allow = []string{"127.0.0.1"} })
	film := apptest.Encode(t, "a.mp4", 0.5, "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=64x48:rate=10:duration=0.5", "-c:v", "libx264", "-pix_fmt", "yuv420p", "OUT")
	at := func(data []byte) object { return object{"url": elsewhere(t, files(data)) + "/file"} }
	post := func(path string, data []byte, status int, has ...string) apptest.Response {
		t.Helper()
		return p.Play(t, scenario{Method: "POST", URL: path, Body: at(data), Status: status, Has: has})
	}
	post("/v1/audio", apptest.WAV(0.5, 1, 1), 201, `"type":"audio"`, `"filename":"file"`)
	post("/v1/audio", apptest.WAV(0.5, 1, 1), 200)
	post("/v1/uploads", apptest.WAV(0.5, 1, 2), 200, `"type":"audio"`)
	taken := post("/v1/videos", film, 202, `"videoId":"`)
	post("/v1/uploads", film, 200, `"type":"video"`, `"duplicate":true`, `"mediaId":"`+field(t, taken, "videoId").(string)+`"`)
	// The first PDF has to wait for its worker to be ready, which may take longer than a request waits for its file.
	p.Play(t, scenario{Method: "POST", URL: "/v1/docs", Body: parts{apptest.File("first.pdf", append(slices.Clone(onePDF), '\n'))}, Status: 201})
	post("/v1/docs", onePDF, 201, `"format":"pdf"`)
	post("/v1/uploads", onePDF, 200, `"type":"doc"`, `"duplicate":true`)
	p.Play(t, scenario{Method: "POST", URL: "/v1/docs", Body: at([]byte("# text")), Status: 422, Code: "VALIDATION_ERROR", Has: []string{"no PDF"}})
	nothingLeft(t, p, 3)
}
