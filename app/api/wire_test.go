package api_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
)

func TestHealth(t *testing.T) {
	p := start(t)
	for _, path := range []string{"/health", "/v1/health"} {
		p.Run(t,
			scenario{Name: path, As: apptest.Nobody, URL: path, Status: 200, Golden: "health"},
			scenario{Name: path + " with a key that is none", As: "x", URL: path, Status: 200, Golden: "health"},
			scenario{Name: "HEAD " + path, As: apptest.Nobody, Method: "HEAD", URL: path, Status: 200},
		)
	}
	var h struct{ TS int64 }
	if err := json.Unmarshal(p.Do("GET", "/health", nil).Body, &h); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(time.UnixMilli(h.TS)); d < 0 || d > time.Minute {
		t.Errorf("ts is %d, off by %s", h.TS, d)
	}
}

func TestPagesForBrowsers(t *testing.T) {
	p := start(t)
	p.Run(t,
		scenario{Name: "the start page", As: apptest.Nobody, URL: "/", Status: 200, Has: []string{apptest.StartPage}},
		scenario{Name: "robots", As: apptest.Nobody, URL: "/robots.txt", Status: 200, Has: []string{"Disallow: /v1/"}},
	)
}

func TestAddressesThatDoNotExist(t *testing.T) {
	p := start(t)
	for _, path := range []string{
		"/v1", "/v1/", "/v1/nothing", "/v2/images", "/v1/kbs", "/v1/kbs/V1StGXR8_Z5jdHi6B-myT/manifest",
		"/v1/videos/V1StGXR8_Z5jdHi6B-myT/nothing", "/favicon.ico", "/index.html", "/.env", "/v1/images/aaaaaaaaaaa/x",
		"/v1/images/aaaaaaaaaaa/sign/x", "/video/V1StGXR8_Z5jdHi6B-myT.mp4",
	} {
		p.Run(t, scenario{Name: path, URL: path, Status: 404, Code: "NOT_FOUND"})
		p.Run(t, scenario{Name: path + " with a body and without a key", As: apptest.Nobody, Method: "POST", Body: `{"a":1}`, URL: path, Status: 404, Code: "NOT_FOUND"})
	}
}

func TestIdsOfAWrongForm(t *testing.T) {
	p := start(t)
	for _, id := range []string{"a", "aaaaaaaaaa", "aaaaaaaaaaaa", "V1StGXR8_Z5jdHi6B-myT", "aaaaa%20aaaaa", "aaaaa%2Faaaaa", "aaaaa.aaaaa", "%00%00%00%00%00%00%00%00%00%00%00", "..%2f..%2fetc", strings.Repeat("a", 2000), "%E6%B5%B7"} {
		p.Run(t,
			scenario{Name: "GET image " + id[:min(len(id), 20)], URL: "/v1/images/" + id, Status: 404, Code: "NOT_FOUND"},
			scenario{Name: "GET medium " + id[:min(len(id), 20)], URL: "/v1/media/" + id, Status: 404, Code: "NOT_FOUND"},
			scenario{Name: "PATCH " + id[:min(len(id), 20)], Method: "PATCH", Body: `{}`, URL: "/v1/images/" + id, Status: 404, Code: "NOT_FOUND"},
			scenario{Name: "DELETE " + id[:min(len(id), 20)], Method: "DELETE", URL: "/v1/images/" + id, Status: 404, Code: "NOT_FOUND"},
		)
	}
}

func TestMethodsThatAnAddressDoesNotKnow(t *testing.T) {
	p := start(t)
	for _, c := range []struct{ method, path, allow string }{
		{"PUT", "/v1/images", "GET HEAD POST DELETE"},
		{"PATCH", "/v1/images", "GET HEAD POST DELETE"},
		{"OPTIONS", "/v1/images", "GET HEAD POST DELETE"},
		{"POST", "/v1/images/aaaaaaaaaaa", "GET HEAD DELETE PATCH"},
		{"PUT", "/v1/images/aaaaaaaaaaa", "GET HEAD DELETE PATCH"},
		{"GET", "/v1/images/aaaaaaaaaaa/sign", "POST"},
		{"DELETE", "/v1/images/aaaaaaaaaaa/sign", "POST"},
		{"POST", "/v1/images/aaaaaaaaaaa/public-meta", "GET HEAD"},
		{"POST", "/v1/media", "GET HEAD DELETE PATCH"},
		{"DELETE", "/v1/media/aaaaaaaaaaa", "GET HEAD"},
		{"POST", "/v1/auth/verify", "GET HEAD"},
		{"POST", "/health", "GET HEAD"},
		{"DELETE", "/", "GET HEAD POST"},
		{"DELETE", "/aaaaaaaaaaa.png", "GET HEAD"},
	} {
		p.Run(t, scenario{Name: c.method + " " + c.path, Method: c.method, URL: c.path, Status: 405, Code: "METHOD_NOT_ALLOWED",
			Check: func(t testing.TB, r apptest.Response) {
				if got := strings.Split(r.Header.Get("Allow"), ", "); !sameSet(got, strings.Fields(c.allow)) {
					t.Errorf("Allow is %v, want %s", got, c.allow)
				}
			}})
	}
	p.Run(t, scenario{Name: "the answer", Method: "PUT", URL: "/v1/images", Body: `{}`, Status: 405, Code: "METHOD_NOT_ALLOWED", Golden: "method-not-allowed"})
}

// tooLong is a byte more than a body may have that is no upload. Of a body that is
// much longer the server reads only a part before it closes the connection, and
// then it depends on the client whether it sees the answer.
var tooLong = strings.Repeat(" ", 1<<20+1)

func TestBodiesThatAreNoJSON(t *testing.T) {
	p := start(t)
	image := "/v1/images/" + p.Add("a.png", pixel).ID
	for name, c := range map[string]struct {
		body   string
		status int
		code   string
	}{
		"half an object":          {`{"title":`, 400, "BAD_REQUEST"},
		"half a text":             {`{"title":"x`, 400, "BAD_REQUEST"},
		"no JSON":                 {`title=x`, 400, "BAD_REQUEST"},
		"a comma too many":        {`{"title":"x",}`, 400, "BAD_REQUEST"},
		"an object and a letter":  {`{"title":"x"} x`, 400, "BAD_REQUEST"},
		"two objects":             {`{"title":"x"}{"title":"y"}`, 400, "BAD_REQUEST"},
		"an object and a bracket": {`{"title":"x"}}`, 400, "BAD_REQUEST"},
		"single quotes":           {`{'title':'x'}`, 400, "BAD_REQUEST"},
		"a number that is none":   {`{"title":01}`, 400, "BAD_REQUEST"},
		"NaN":                     {`{"x":NaN}`, 400, "BAD_REQUEST"},
		"a byte order mark":       {"\xEF\xBB\xBF{}", 400, "BAD_REQUEST"},
		"zero bytes":              {"\x00\x00", 400, "BAD_REQUEST"},
		"brackets without end":    {strings.Repeat("[", 500_000), 400, "BAD_REQUEST"},
		"deep nesting":            {`{"x":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}`, 400, "BAD_REQUEST"},
		"deep objects":            {strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000), 400, "BAD_REQUEST"},
		"more than 1 MB":          {`{"title":"` + tooLong + `"}`, 413, "PAYLOAD_TOO_LARGE"},
		"1 MB of spaces":          {tooLong, 413, "PAYLOAD_TOO_LARGE"},
	} {
		p.Run(t, scenario{Name: "PATCH: " + name, Method: "PATCH", URL: image, Body: c.body, Status: c.status, Code: c.code})
		p.Run(t, scenario{Name: "DELETE: " + name, Method: "DELETE", URL: "/v1/images", Body: c.body, Status: c.status, Code: c.code})
	}
	// A client that waits (Expect: 100-continue) is told before it sends the body.
	p.Run(t, scenario{Name: "2 MB that wait to be asked for", Method: "PATCH", URL: image, Body: strings.Repeat(" ", 2<<20),
		Headers: []string{"Expect", "100-continue"}, Status: 413, Code: "PAYLOAD_TOO_LARGE"})
	p.Run(t,
		scenario{Name: "1 MB is taken", Method: "PATCH", URL: image, Body: `{"x":"` + strings.Repeat("x", 1<<20-8) + `"}`, Status: 200},
		scenario{Name: "1 MB and a byte is not", Method: "PATCH", URL: image, Body: `{"x":"` + strings.Repeat("x", 1<<20-7) + `"}`, Status: 413, Code: "PAYLOAD_TOO_LARGE", Golden: "too-large"},
		scenario{Name: "text that is no UTF-8 is mended", Method: "PATCH", URL: image, Body: "{\"title\":\"a\xff\"}", Status: 200, Has: []string{`"title":"a` + "\uFFFD" + `"`}},
		scenario{Name: "the content type does not count", Method: "PATCH", URL: image, Body: `{"title":"y"}`, Headers: []string{"Content-Type", "text/plain"}, Status: 200, Has: []string{`"title":"y"`}},
		scenario{Name: "a header of 20 KB", URL: "/v1/images", Headers: []string{"X-Long", strings.Repeat("x", 20<<10)}, Status: 431, Code: "HEADER_TOO_LARGE", Golden: "header-too-large"},
	)
	// Without a length (chunked), a body has the same limit.
	r := p.Do("PATCH", image, struct{ io.Reader }{strings.NewReader(tooLong)})
	if r.Status != http.StatusRequestEntityTooLarge || r.Code() != "PAYLOAD_TOO_LARGE" {
		t.Errorf("1 MB in chunks: %d %.200s", r.Status, r.Body)
	}
}

func TestEveryAnswerHasAnIdOfItsOwn(t *testing.T) {
	p := start(t)
	seen := map[string]bool{}
	for _, path := range []string{"/", "/health", "/v1/images", "/v1/images", "/v1/nothing", "/v1/images/x", "/aaaaaaaaaaa.png", "/openapi.yaml", "/robots.txt"} {
		r := p.Do("GET", path, nil, "X-Request-Id", "mine")
		id := r.Header.Get("X-Request-Id")
		if id == "" || id == "mine" || seen[id] {
			t.Errorf("%s: X-Request-Id is %q", path, id)
		}
		seen[id] = true
	}
}

func TestCORS(t *testing.T) {
	p := start(t)
	from := []string{"Origin", "https://app.example.org"}
	open := func(t testing.TB, r apptest.Response) {
		t.Helper()
		if o := r.Header.Get("Access-Control-Allow-Origin"); o != "*" {
			t.Errorf("Access-Control-Allow-Origin is %q", o)
		}
		if r.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Error("cookies are allowed")
		}
	}
	exposes := func(t testing.TB, r apptest.Response) {
		t.Helper()
		open(t, r)
		for _, h := range []string{"X-Request-Id", "X-Picora-Duplicate", "ETag", "Retry-After"} {
			if !strings.Contains(r.Header.Get("Access-Control-Expose-Headers"), h) {
				t.Errorf("%s is not exposed", h)
			}
		}
	}
	file := strings.TrimPrefix(p.Add("a.png", pixel).URL, p.URL)
	p.Run(t,
		scenario{Name: "success", URL: "/v1/images", Headers: from, Status: 200, Check: exposes},
		scenario{Name: "401", As: apptest.Nobody, URL: "/v1/images", Headers: from, Status: 401, Code: "UNAUTHORIZED", Check: exposes},
		scenario{Name: "403", As: p.NewKey("owner@example.org", "kb.read"), URL: "/v1/images", Headers: from, Status: 403, Code: "FORBIDDEN", Check: exposes},
		scenario{Name: "404", URL: "/v1/nothing", Headers: from, Status: 404, Code: "NOT_FOUND", Check: exposes},
		scenario{Name: "405", Method: "PUT", URL: "/v1/images", Headers: from, Status: 405, Code: "METHOD_NOT_ALLOWED", Check: exposes},
		scenario{Name: "413", Method: "DELETE", URL: "/v1/images", Body: tooLong, Headers: from, Status: 413, Code: "PAYLOAD_TOO_LARGE", Check: exposes},
		scenario{Name: "422", URL: "/v1/images?limit=x", Headers: from, Status: 422, Code: "VALIDATION_ERROR", Check: exposes},
		scenario{Name: "health", URL: "/health", Headers: from, Status: 200, Check: exposes},
		scenario{Name: "a file", As: apptest.Nobody, URL: file, Headers: from, Status: 200, Check: open},
		scenario{Name: "a file that is not there", As: apptest.Nobody, URL: "/aaaaaaaaaaa.png", Headers: from, Status: 404, Check: open},
	)
	for _, path := range []string{"/", "/v1/images", "/v1/images/aaaaaaaaaaa", "/v1/media", "/v1/auth/verify", "/v1/nothing"} {
		for _, method := range []string{"POST", "PATCH", "DELETE", "GET"} {
			p.Play(t, scenario{As: apptest.Nobody, Method: "OPTIONS", URL: path, Status: 204,
				Headers: append(from, "Access-Control-Request-Method", method, "Access-Control-Request-Headers", "authorization,content-type"),
				Check: func(t testing.TB, r apptest.Response) {
					open(t, r)
					if !strings.Contains(r.Header.Get("Access-Control-Allow-Methods"), method) {
						t.Errorf("%s is not allowed", method)
					}
					for _, h := range []string{"authorization", "content-type"} {
						if !strings.Contains(strings.ToLower(r.Header.Get("Access-Control-Allow-Headers")), h) {
							t.Errorf("the header %s is not allowed", h)
						}
					}
				}})
		}
	}
}

// timestamp is the only form that clients compare as text (contract 1.7).
var timestamp = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$`)

func TestTimesAreUTCWithMilliseconds(t *testing.T) {
	p := start(t)
	from := time.Now().Add(-time.Second)
	i := p.Add("a.png", pixel)
	signed := field(t, p.Play(t, scenario{Method: "POST", URL: "/v1/images/" + i.ID + "/sign", Status: 200}), "expiresAt").(string)
	for _, s := range []string{i.CreatedAt, i.UpdatedAt, signed} {
		at, err := time.Parse(time.RFC3339, s)
		if !timestamp.MatchString(s) || err != nil || at.Before(from) || at.After(from.Add(2*time.Hour)) {
			t.Errorf("%s: %v", s, err)
		}
	}
}

// mediaItem is what Moraya's parser takes (contract 12): one entry with a field
// of another type and the whole list is lost.
type mediaItem struct {
	ID        *string `json:"id"`
	Type      *string `json:"type"`
	Filename  *string `json:"filename"`
	SizeBytes *uint64 `json:"sizeBytes"`
	IsPublic  *bool   `json:"isPublic"`
	CreatedAt *string `json:"createdAt"`

	URL             *string   `json:"url"`
	PlaybackURL     *string   `json:"playbackUrl"`
	ThumbnailURL    *string   `json:"thumbnailUrl"`
	Title           *string   `json:"title"`
	DurationSeconds *float64  `json:"durationSeconds"`
	Bitrate         *int64    `json:"bitrate"`
	Width           *uint32   `json:"width"`
	Height          *uint32   `json:"height"`
	Status          *string   `json:"status"`
	Tags            *[]string `json:"tags"`
	MIMEType        *string   `json:"mimeType"`
	KBID            *string   `json:"kbId"`
}

func (m mediaItem) check() error {
	for name, missing := range map[string]bool{
		"id": m.ID == nil, "type": m.Type == nil, "filename": m.Filename == nil, "sizeBytes": m.SizeBytes == nil,
		"isPublic": m.IsPublic == nil, "createdAt": m.CreatedAt == nil,
	} {
		if missing {
			return fmt.Errorf("%s is missing or null", name)
		}
	}
	if *m.Type != "image" || m.URL == nil || !strings.HasPrefix(*m.URL, "http") || m.Status == nil || *m.Status != "ready" {
		return fmt.Errorf("type %q, url %v, status %v", *m.Type, m.URL, m.Status)
	}
	return nil
}

func TestMorayaReadsEveryEntry(t *testing.T) {
	p := start(t)
	p.Add("plain.png", pixel)
	p.Add("full.png", picture(1), "title", "T", "tags", "a,b", "isPublic", "false")
	p.Add("size.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><circle r="1"/></svg>`)) // of no size
	p.Add("", apptest.JPEG(3, 2, 1))
	r := p.Play(t, scenario{URL: "/v1/media?type=image&limit=50", Status: 200})
	var data struct {
		Items      []mediaItem
		NextCursor *string
		HasMore    *bool
		Total      *int64
	}
	r.Data(t, &data)
	if len(data.Items) != 4 || data.HasMore == nil {
		t.Fatalf("%s", r.Body)
	}
	for _, m := range data.Items {
		if err := m.check(); err != nil {
			t.Errorf("%v in %s", err, r.Body)
		}
		var one mediaItem
		p.Play(t, scenario{URL: "/v1/media/" + *m.ID, Status: 200}).Data(t, &one)
		if err := one.check(); err != nil {
			t.Errorf("alone: %v", err)
		}
		if name := (*m.URL)[strings.LastIndex(*m.URL, "/")+1:]; !regexp.MustCompile(`^[A-Za-z0-9_-]{11}\.(jpg|png|gif|webp|svg)$`).MatchString(name) {
			t.Errorf("%s does not end in a file name", *m.URL)
		}
	}
	// It asks health for this before it trusts the fields.
	var h struct{ Features struct{ MediaListingV2 bool } }
	if err := json.Unmarshal(p.Do("GET", "/v1/health", nil).Body, &h); err != nil || !h.Features.MediaListingV2 {
		t.Errorf("mediaListingV2: %v %v", h, err)
	}
}

// The Node SDK takes error and code only as texts; anything else loses both
// (contract 1.2). The error comes first, because Moraya shows the beginning.
func TestTheSDKReadsEveryError(t *testing.T) {
	p := start(t)
	for _, s := range []scenario{
		{URL: "/v1/nothing", Status: 404, Code: "NOT_FOUND"},
		{URL: "/v1/images", As: apptest.Nobody, Status: 401, Code: "UNAUTHORIZED"},
		{URL: "/v1/images", As: p.NewKey("owner@example.org", "kb.read"), Status: 403, Code: "FORBIDDEN"},
		{URL: "/v1/images?limit=x", Status: 422, Code: "VALIDATION_ERROR"},
		{URL: "/v1/images", Method: "PUT", Status: 405, Code: "METHOD_NOT_ALLOWED"},
		{URL: "/v1/images", Method: "DELETE", Body: "{", Status: 400, Code: "BAD_REQUEST"},
		{URL: "/v1/images", Method: "DELETE", Body: tooLong, Status: 413, Code: "PAYLOAD_TOO_LARGE"},
		{URL: "/v1/images", Method: "POST", Body: parts{apptest.File("a", []byte("x"))}, Status: 422, Code: "VALIDATION_ERROR"},
		{URL: "/v1/images", Headers: []string{"X-Long", strings.Repeat("x", 20<<10)}, Status: 431, Code: "HEADER_TOO_LARGE"},
	} {
		r := p.Play(t, s)
		var e map[string]any
		if err := json.Unmarshal(r.Body, &e); err != nil {
			t.Fatal(err)
		}
		text, isText := e["error"].(string)
		code, isCode := e["code"].(string)
		_, hasData := e["data"]
		if e["success"] != false || !isText || text == "" || !isCode || code != s.Code || hasData {
			t.Errorf("%s", r.Body)
		}
		if strings.Contains(text, "picora/") || strings.Contains(text, "goroutine") || strings.Contains(text, p.Data) {
			t.Errorf("the inside shows: %s", text)
		}
		if r.Header.Get("Cache-Control") != "no-store" && r.Status != 431 {
			t.Errorf("%d may be kept: %q", r.Status, r.Header.Get("Cache-Control"))
		}
	}
}

// What package cdn promises is tested there; here it is held against the document.
func TestFilesAreAsDocumented(t *testing.T) {
	p := start(t)
	i := p.Add("pixel.png", pixel)
	file := "/" + i.ID + ".png"
	private := "/" + p.Add("a.png", picture(1), "isPublic", "false").ID + ".png"
	etag := p.Do("GET", file, nil).Header.Get("ETag")
	for _, method := range []string{"GET", "HEAD"} {
		get := func(name, url string, status int, headers ...string) scenario {
			return scenario{Name: method + " " + name, As: apptest.Nobody, Method: method, URL: url, Status: status, Headers: headers}
		}
		p.Run(t,
			get("the file", file, 200),
			get("with what caches are passed by with", file+"?v=1&t=2", 200),
			get("a part", file, 206, "Range", "bytes=0-9"),
			get("the end", file, 206, "Range", "bytes=-5"),
			get("several parts, which is the whole", file, 200, "Range", "bytes=0-1,4-5"),
			get("a part of another file, which is the whole", file, 200, "Range", "bytes=0-9", "If-Range", `"x"`),
			get("what the client has", file, 304, "If-None-Match", etag),
			get("what is not younger", file, 304, "If-Modified-Since", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)),
			get("another file", file, 412, "If-Match", `"x"`),
			get("what is younger", file, 412, "If-Unmodified-Since", "Thu, 01 Jan 1970 00:00:00 GMT"),
			get("a part behind the end", file, 416, "Range", "bytes=1000-"),
			get("a size that is not for everybody", file+"?w=100", 403),
			get("a size that there is not", file+"?w=0", 400),
			get("a variant that there is not", file+"?variant=x", 400),
			get("a parameter of no meaning", file+"?download", 400),
			get("a private file", private, 403),
			get("a private file with a wrong signature", private+"?sig=x&exp=1", 403),
			get("another ending", "/"+i.ID+".jpg", 404),
			get("no file", "/aaaaaaaaaaa.png", 404),
			scenario{Name: method + " a private file by its owner", Method: method, URL: private, Status: 200},
		)
	}
	r := p.Play(t, scenario{As: apptest.Nobody, URL: file + "?width=1", Status: 400})
	if code := r.Header.Get("X-Picora-Error"); code != "INVALID_IMAGE_PARAMS" {
		t.Errorf("X-Picora-Error is %q", code)
	}
}
