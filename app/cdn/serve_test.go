package cdn_test

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/app/config"
)

// servers are one with and one without memory for small files.
func servers(t *testing.T, test func(t *testing.T, p *apptest.Picora, fs []file)) {
	for name, bytes := range map[string]int64{"with a cache": 1 << 20, "without a cache": 0} {
		t.Run(name, func(t *testing.T) {
			p := apptest.Start(t, func(c *config.Config) { c.CDN.CacheBytes = bytes })
			test(t, p, files(t, p))
		})
	}
}

func TestAFileComesWithItsHeaders(t *testing.T) {
	servers(t, func(t *testing.T, p *apptest.Picora, fs []file) {
		for _, f := range fs {
			r := get(p, "GET", f.path)
			secured(t, f.name, r.Header)
			want := map[string]string{
				"Content-Type": f.mime, "Content-Length": fmt.Sprint(len(f.body)), "Accept-Ranges": "bytes",
				"Cache-Control": f.policy, "Vary": "", "Content-Range": "", "Content-Encoding": "",
			}
			for name, v := range want {
				if r.Header.Get(name) != v {
					t.Errorf("%s: %s is %q, want %q", f.name, name, r.Header.Get(name), v)
				}
			}
			saved := r.Header.Get("Content-Disposition")
			if strings.HasPrefix(f.path, "/doc/") != (saved == `attachment; filename="Gr__e _1_.pdf"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%221%22.pdf`) || !strings.HasPrefix(f.path, "/doc/") && saved != "" {
				t.Errorf("%s: saved as %s", f.name, saved)
			}
			if !strings.HasPrefix(f.etag, `"`) || strings.Count(f.etag, `"`) != 2 || !bytes.Equal(r.Body, f.body) {
				t.Errorf("%s: ETag %s, %d bytes", f.name, f.etag, len(r.Body))
			}
			if at, err := http.ParseTime(f.date); err != nil || time.Since(at) > time.Minute || !strings.HasSuffix(f.date, "GMT") {
				t.Errorf("%s: Last-Modified %q", f.name, f.date)
			}
		}
	})
}

func TestHEADSaysWhatGETSays(t *testing.T) {
	servers(t, func(t *testing.T, p *apptest.Picora, fs []file) {
		for _, f := range fs {
			for _, headers := range [][]string{nil, {"Range", "bytes=1-5"}, {"Range", "bytes=999999999-"}, {"If-None-Match", f.etag}, {"If-Match", `"x"`}} {
				g, h := get(p, "GET", f.path, headers...), get(p, "HEAD", f.path, headers...)
				if len(g.Body) == 0 { // then a HEAD need not say so
					g.Header.Del("Content-Length")
				}
				for _, r := range []apptest.Response{g, h} {
					r.Header.Del("X-Request-Id")
					r.Header.Del("Date")
				}
				if g.Status != h.Status || len(h.Body) != 0 || !maps.EqualFunc(g.Header, h.Header, slices.Equal) {
					t.Errorf("%s %v:\nGET  %d %v\nHEAD %d %v", f.name, headers, g.Status, g.Header, h.Status, h.Header)
				}
			}
		}
	})
}

func TestConditionsAreAnsweredInTheOrderOfRFC9110(t *testing.T) {
	p := apptest.Start(t)
	const old, future = "Mon, 01 Jan 2001 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"
	for _, f := range files(t, p) {
		cases := []struct {
			name    string
			headers []string
			status  int
		}{
			{"its tag", []string{"If-None-Match", f.etag}, 304},
			{"its tag made weak", []string{"If-None-Match", "W/" + f.etag}, 304},
			{"a list with its tag", []string{"If-None-Match", `"a", W/"b",` + f.etag + `,"c"`}, 304},
			{"any tag", []string{"If-None-Match", "*"}, 304},
			{"another tag", []string{"If-None-Match", `"a"`}, 200},
			{"its tag without quotes", []string{"If-None-Match", strings.Trim(f.etag, `"`)}, 200},
			{"a tag that goes on", []string{"If-None-Match", f.etag[:len(f.etag)-1] + `x"`}, 200},
			{"since its date", []string{"If-Modified-Since", f.date}, 304},
			{"since the future", []string{"If-Modified-Since", future}, 304},
			{"since long ago", []string{"If-Modified-Since", old}, 200},
			{"since no date", []string{"If-Modified-Since", "yesterday"}, 200},
			{"another tag counts more than its date", []string{"If-None-Match", `"a"`, "If-Modified-Since", f.date}, 200},
			{"its tag counts more than an old date", []string{"If-None-Match", f.etag, "If-Modified-Since", old}, 304},
			{"its tag and a range", []string{"If-None-Match", f.etag, "Range", "bytes=0-1"}, 304},
			{"another tag and a range", []string{"If-None-Match", `"a"`, "Range", "bytes=0-1"}, 206},
			{"only if it is this", []string{"If-Match", f.etag}, 200},
			{"only if it is one of these", []string{"If-Match", `"a", ` + f.etag}, 200},
			{"only if it is there", []string{"If-Match", "*"}, 200},
			{"only if it is another", []string{"If-Match", `"a"`}, 412},
			{"only if it is this, weakly", []string{"If-Match", "W/" + f.etag}, 412},
			{"only if it is another, with a range", []string{"If-Match", `"a"`, "Range", "bytes=0-1"}, 412},
			{"only if it is old", []string{"If-Unmodified-Since", old}, 412},
			{"only if it is not newer", []string{"If-Unmodified-Since", f.date}, 200},
			{"only if it is older than the future", []string{"If-Unmodified-Since", future}, 200},
			{"only if unmodified since no date", []string{"If-Unmodified-Since", "never"}, 200},
			{"this, and old", []string{"If-Match", f.etag, "If-Unmodified-Since", old}, 200},
			{"this, and not this", []string{"If-Match", f.etag, "If-None-Match", f.etag}, 304},
			{"another, and not this", []string{"If-Match", `"a"`, "If-None-Match", f.etag}, 412},
		}
		for _, c := range cases {
			r := get(p, "GET", f.path, c.headers...)
			if r.Status != c.status {
				t.Errorf("%s: %s: %d, want %d", f.name, c.name, r.Status, c.status)
			}
			if c.status == 304 || c.status == 412 {
				if len(r.Body) != 0 || r.Header.Get("ETag") != f.etag || (r.Header.Get("Cache-Control") == "no-store") != (c.status == 412) || r.Header.Get("Content-Range") != "" {
					t.Errorf("%s: %s: %v %q", f.name, c.name, r.Header, r.Body)
				}
				secured(t, c.name, r.Header)
			}
			if c.status == 200 && !bytes.Equal(r.Body, f.body) {
				t.Errorf("%s: %s: %d bytes", f.name, c.name, len(r.Body))
			}
		}
	}
}

func TestARangeIsASliceOfTheWhole(t *testing.T) {
	servers(t, func(t *testing.T, p *apptest.Picora, fs []file) {
		for _, f := range fs {
			n := len(f.body)
			ask := func(header string, from, to int) {
				t.Helper()
				r := get(p, "GET", f.path, "Range", header)
				if r.Status != http.StatusPartialContent || !bytes.Equal(r.Body, f.body[from:to]) {
					t.Fatalf("%s: %s: %d, %d bytes, want those from %d to %d", f.name, header, r.Status, len(r.Body), from, to)
				}
				if got, want := r.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-%d/%d", from, to-1, n); got != want {
					t.Errorf("%s: Content-Range %s, want %s", f.name, got, want)
				}
				if r.Header.Get("ETag") != f.etag || r.Header.Get("Content-Length") != fmt.Sprint(to-from) {
					t.Errorf("%s: %s: %v", f.name, header, r.Header)
				}
				secured(t, header, r.Header)
			}
			ask("bytes=0-0", 0, 1)
			ask("bytes=0-", 0, n)
			ask("bytes=7-99", 7, 100)
			ask(fmt.Sprintf("bytes=%d-", n/2), n/2, n)
			ask(fmt.Sprintf("bytes=%d-", n-1), n-1, n)
			ask("bytes=-1", n-1, n)
			ask(fmt.Sprintf("bytes=-%d", n+100), 0, n)
			ask(fmt.Sprintf("bytes=5-%d", n*10), 5, n)
			ask("bytes=3-99999999999999999999", 3, n)
			// The pieces of a plan meet near the start of a file: cut at each byte there.
			for from := range min(n, 90) {
				ask(fmt.Sprintf("bytes=%d-%d", from, from+2), from, from+3)
				if from%16 == 0 || from < 4 {
					ask(fmt.Sprintf("bytes=%d-", from), from, n)
				}
			}
		}
	})
}

func TestRangesThatCannotBeMetAndRangesThatAreNone(t *testing.T) {
	p := apptest.Start(t)
	for _, f := range files(t, p) {
		for _, header := range []string{fmt.Sprintf("bytes=%d-", len(f.body)), "bytes=99999999-", "bytes=99999999999999999999-", "bytes=-0"} {
			r := get(p, "GET", f.path, "Range", header)
			if r.Status != http.StatusRequestedRangeNotSatisfiable || r.Header.Get("Content-Range") != fmt.Sprintf("bytes */%d", len(f.body)) || r.Header.Get("Cache-Control") != "no-store" || len(r.Body) > 100 {
				t.Errorf("%s: %s: %d %v", f.name, header, r.Status, r.Header)
			}
			secured(t, header, r.Header)
		}
		for _, header := range []string{"bytes=0-1,5-6", "bytes=0-1," + strings.Repeat("2-3,", 1000) + "5-6", "pages=1-2", "bytes=5-2", "bytes=x", "bytes=-", "0-5", "bytes=1-2;q=1"} {
			r := get(p, "GET", f.path, "Range", header)
			if r.Status != http.StatusOK || !bytes.Equal(r.Body, f.body) || r.Header.Get("Content-Range") != "" {
				t.Errorf("%s: %.40s: %d, %d bytes", f.name, header, r.Status, len(r.Body))
			}
		}
	}
}

func TestIfRangeProtectsFromMixingTwoFiles(t *testing.T) {
	p := apptest.Start(t)
	for _, f := range files(t, p) {
		for condition, status := range map[string]int{
			f.etag: 206, f.date: 206, "W/" + f.etag: 200, `"other"`: 200, "*": 200, "nonsense": 200,
			"Mon, 01 Jan 2001 00:00:00 GMT": 200, "Fri, 01 Jan 2100 00:00:00 GMT": 200,
		} {
			r := get(p, "GET", f.path, "Range", "bytes=2-4", "If-Range", condition)
			if r.Status != status || status == 200 && !bytes.Equal(r.Body, f.body) || status == 206 && !bytes.Equal(r.Body, f.body[2:5]) {
				t.Errorf("%s: If-Range: %s: %d, %d bytes, want %d", f.name, condition, r.Status, len(r.Body), status)
			}
		}
		if r := get(p, "GET", f.path, "Range", "bytes=99999999-", "If-Range", `"other"`); r.Status != 200 {
			t.Errorf("%s: a stale range that cannot be met: %d", f.name, r.Status)
		}
	}
}

func TestTheAddressIsExact(t *testing.T) {
	p := apptest.Start(t)
	i := p.Add("a.png", apptest.PNG(9, 9, 1))
	swapped := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 32
		case r >= 'A' && r <= 'Z':
			return r + 32
		}
		return r
	}, i.ID)
	cases := []struct {
		name, target string
		status       []int
	}{
		{"the file", "/" + i.ID + ".png", []int{200}},
		{"another type", "/" + i.ID + ".jpg", []int{404}},
		{"the type in capitals", "/" + i.ID + ".PNG", []int{404}},
		{"the id with its letters turned", "/" + swapped + ".png", []int{404}},
		{"an id of nobody", "/AAAAAAAAAAA.png", []int{404}},
		{"no type", "/" + i.ID, []int{404}},
		{"an empty type", "/" + i.ID + ".", []int{404}},
		{"two types", "/" + i.ID + ".png.png", []int{404}},
		{"a slash behind it", "/" + i.ID + ".png/", []int{404}},
		{"a slash in the id", "/" + i.ID[:5] + "/" + i.ID[6:] + ".png", []int{404}},
		{"an encoded slash in the id", "/" + i.ID[:5] + "%2f" + i.ID[6:] + ".png", []int{404}},
		{"a dot segment", "/x/../" + i.ID + ".png", []int{200, 404}},
		{"up and away", "/../../../../etc/passwd", []int{404}},
		{"up and away, encoded", "/%2e%2e/%2e%2e/etc/passwd", []int{404}},
		{"up and away, encoded twice", "/%252e%252e/%252e%252e/etc/passwd", []int{404}},
		{"up and away in an id", "/..%2f..%2f..%2f.png", []int{404}},
		{"up and away in backslashes", `/..\..\..\..\etc\passwd.png`, []int{400, 404}},
		{"a backslash", `/\` + i.ID + ".png", []int{400, 404}},
		{"an encoded backslash", "/%5c" + i.ID[1:] + ".png", []int{404}},
		{"the database", "/picora.db.png", []int{404}},
		{"an encoded NUL behind it", "/" + i.ID + ".png%00", []int{404}},
		{"an encoded NUL in the id", "/" + i.ID[:10] + "%00.png", []int{404}},
		{"a NUL behind it", "/" + i.ID + ".png\x00", []int{400}},
		{"an encoded line end", "/" + i.ID[:10] + "%0d%0aX-Evil:1.png", []int{404}},
		{"a bad escape", "/" + i.ID[:10] + "%zz.png", []int{400, 404}},
		{"two slashes", "//" + i.ID + ".png", []int{200, 404}},
		{"a very long id", "/" + strings.Repeat("a", 8000) + ".png", []int{404}},
		{"a very long type", "/" + i.ID + "." + strings.Repeat("p", 8000), []int{404}},
		{"letters beyond ASCII", "/ééééééééééé.png", []int{404}},
		{"letters beyond ASCII of eleven bytes", "/aééééé.png", []int{404}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			status, h, body := raw(t, p, "GET", c.target)
			if !slices.Contains(c.status, status) {
				t.Errorf("%d %.200s, want %v", status, body, c.status)
			}
			if h.Get("X-Evil") != "" || strings.Contains(body, "root:") || status != 200 && len(body) > 1000 {
				t.Errorf("answer %v %.300q", h, body)
			}
		})
	}
	for _, path := range []string{"/AAAAAAAAAAA.png", "/" + i.ID + ".gif", "/" + i.ID[:10] + "!.png"} {
		r := get(p, "GET", path)
		secured(t, path, r.Header)
		if r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("X-Picora-Error") != "NOT_FOUND" || r.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("%s: %v", path, r.Header)
		}
	}
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
		r := p.Do(method, "/"+i.ID+".png", nil)
		if r.Status != http.StatusMethodNotAllowed || !strings.Contains(r.Header.Get("Allow"), "GET") {
			t.Errorf("%s of a file: %d, Allow %q", method, r.Status, r.Header.Get("Allow"))
		}
	}
}

func TestParametersThatMeanNothingAreRefused(t *testing.T) {
	p := apptest.Start(t)
	i := p.Add("a.png", apptest.PNG(9, 9, 1))
	for query, status := range map[string]int{
		"": 200, "v=1": 200, "t=123": 200, "sig=x": 200, "exp=1": 200, "sig=x&exp=1&v=2&t=3": 200, "v": 200, "fbclid=abc": 200, "utm_source=x&utm_medium=y": 200, "utm_": 400,
		"w=100": 403, "fmt=webp": 403, "preview=1": 403, "v=1&w=2": 403,
		"w=0": 400, "fit=cover": 400, "fmt=gif": 400, "q=0": 400, "wm=x": 400, "preview=2": 400, "variant=x": 400, "variant=thumb&w=2": 400, "w=1&w=2": 400,
		"W=100": 400, "width=3": 400, "v=1&W=2": 400, "x": 400, "%00=1": 400, "sig%20=1": 400, "%3Cscript%3E=1": 400, strings.Repeat("x", 5000): 400,
	} {
		r := get(p, "GET", "/"+i.ID+".png?"+query)
		if r.Status != status {
			t.Errorf("?%.40s: %d %s, want %d", query, r.Status, r.Body, status)
		}
		if status == 400 && (r.Header.Get("X-Picora-Error") != "INVALID_IMAGE_PARAMS" || r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("Content-Type") != "text/plain; charset=utf-8") {
			t.Errorf("?%.40s: %v", query, r.Header)
		}
		secured(t, query, r.Header)
	}
	if r := get(p, "GET", "/AAAAAAAAAAA.png?w=1"); r.Status != 404 {
		t.Errorf("a parameter of a file that is not there: %d", r.Status)
	}
}
