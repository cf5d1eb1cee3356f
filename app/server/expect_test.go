package server_test

import (
	"strconv"
	"strings"
	"testing"

	"picora/app/apptest"
	"picora/app/config"
)

// A client that asks first learns the refusal, in words, before it sends a byte
// of its body, and the connection ends there: nobody can tell where the body of a
// client would begin that does not wait.
func TestAClientThatAsksIsRefusedBeforeItsBody(t *testing.T) {
	p := apptest.Start(t, func(c *config.Config) { c.Upload.MaxBytes = 1 << 20 })
	reader := p.NewKey("owner@example.org", "read")
	full := apptest.Start(t, func(c *config.Config) { c.Blobs.MinFreeBytes = 1 << 62 })
	length := func(n int) string { return "Content-Length: " + strconv.Itoa(n) + "\r\nExpect: 100-continue\r\n" }
	cases := []struct {
		name, url, path, headers string
		status                   int
		code, words              string
	}{
		{"without a key", p.URL, "/v1/images", length(5000), 401, "UNAUTHORIZED", "sk_live_"},
		{"with a key of nobody", p.URL, "/", bearer("sk_live_"+strings.Repeat("a", 32)) + length(5000), 401, "UNAUTHORIZED", "does not know"},
		{"with a key that only reads", p.URL, "/v1/images", bearer(reader) + length(5000), 403, "FORBIDDEN", "media.write"},
		{"with a file above the limit", p.URL, "/v1/images", bearer(p.Key) + length(5<<20), 422, "VALIDATION_ERROR", "1 MB"},
		{"with a file for a full disk", full.URL, "/v1/images", bearer(full.Key) + length(5000), 507, "STORAGE_FULL", "disk"},
		{"with much JSON", p.URL, "/v1/images/exists", bearer(p.Key) + length(5<<20), 413, "PAYLOAD_TOO_LARGE", "too large"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := dial(t, c.url)
			w.send(request("POST", c.path, formType+c.headers, ""))
			as := w.all()
			wantStatuses(t, as, c.status)
			if len(as) != 1 {
				return
			}
			if code := as[0].code(t); code != c.code || !strings.Contains(as[0].body, c.words) {
				t.Errorf("answer %q, want %s and %q", as[0].body, c.code, c.words)
			}
			if h := as[0].header; h.Get("X-Request-Id") == "" || h.Get("Cache-Control") != "no-store" || !as[0].close || h.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("headers %v", h)
			}
			if (c.status == 401) != (as[0].header.Get("WWW-Authenticate") != "") {
				t.Errorf("WWW-Authenticate: %q", as[0].header.Get("WWW-Authenticate"))
			}
		})
	}
	nothingKept(t, p)
}

func TestAClientThatAsksIsToldToGoOn(t *testing.T) {
	p := apptest.Start(t)
	file := form(string(apptest.JPEG(64, 64, 1)))
	for i, framing := range []string{"Content-Length: " + strconv.Itoa(len(file)) + "\r\n", "Transfer-Encoding: chunked\r\n"} {
		w := dial(t, p.URL)
		w.send(request("POST", "/v1/images", bearer(p.Key)+formType+framing+"Expect: 100-continue\r\n", ""))
		if a, _ := w.next(); a.status != 100 {
			t.Fatalf("first answer %d %s, want 100", a.status, a.body)
		}
		body := file
		if i == 1 {
			body = chunked(file, 100)
		}
		w.send(body + last)
		wantStatuses(t, w.all(), 201-i, 200) // the second is a duplicate
	}
	// Who sees the rest of the refusals must see them after a 100, too.
	w := dial(t, p.URL)
	bad := form("no picture")
	w.send(request("POST", "/v1/images", bearer(p.Key)+formType+"Expect: 100-continue\r\nContent-Length: "+strconv.Itoa(len(bad))+"\r\n", bad) + last)
	wantStatuses(t, w.all(), 100, 422, 200)
}

// Values of Expect that nobody knows are passed over, which RFC 9110, section
// 10.1.1 allows, and leave the framing alone.
func TestAnUnknownExpectationIsPassedOver(t *testing.T) {
	p := apptest.Start(t)
	file := form(string(apptest.JPEG(64, 64, 2)))
	w := dial(t, p.URL)
	w.send(request("POST", "/v1/images", bearer(p.Key)+formType+"Expect: the-unexpected\r\n", file) + last)
	wantStatuses(t, w.all(), 201, 200)
	w = dial(t, p.URL)
	w.send(request("GET", "/health", "Expect: 100-continue\r\n", "") + last)
	wantStatuses(t, w.all(), 100, 200, 200)
}

// An avatar is no picture of the account's: its quota and plan do not matter, only its
// own size does.
func TestAnAvatarThatWaitsIsAskedForItsOwnSizeOnly(t *testing.T) {
	p := apptest.Start(t, func(c *config.Config) { c.Upload.MaxBytes = 1 << 10 })
	full := apptest.Start(t, func(c *config.Config) { c.Blobs.MinFreeBytes = 1 << 62 })
	p.NewUserOn("none", "none@example.org")
	none := p.NewKey("none@example.org")
	for name, c := range map[string]struct {
		url, key, path string
		length, status int
	}{
		"a picture":             {p.URL, none, "/v1/images", 5000, 403},
		"an avatar":             {p.URL, none, "/v1/user/me/avatar", 5000, 100},
		"written otherwise":     {p.URL, none, "/V1/User/me/avatar/", 2 << 20, 100},
		"above its size":        {p.URL, none, "/v1/user/me/avatar", 3<<20 + 1, 413},
		"for a full disk":       {full.URL, full.Key, "/v1/user/me/avatar", 5000, 507},
		"with a key that reads": {p.URL, p.NewKey("none@example.org", "read"), "/v1/user/me/avatar", 5000, 403},
		"with a key of nobody":  {p.URL, "nonsense", "/v1/user/me/avatar", 5000, 401},
	} {
		w := dial(t, c.url)
		w.send(request("POST", c.path, bearer(c.key)+formType+"Content-Length: "+strconv.Itoa(c.length)+"\r\nExpect: 100-continue\r\n", ""))
		if a, _ := w.next(); a.status != c.status {
			t.Errorf("%s: %d %s, want %d", name, a.status, a.body, c.status)
		}
		w.Close()
	}
}
