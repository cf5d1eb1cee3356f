package server_test

import (
	"bytes"
	"log"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"picora/app/apptest"
	"picora/app/config"
)

// ask sends a GET with that Host, and with the headers, name and value in turn.
func ask(t *testing.T, p *apptest.Picora, method, path, host string, headers ...string) answer {
	t.Helper()
	var extra strings.Builder
	for i := 0; i < len(headers); i += 2 {
		extra.WriteString(headers[i] + ": " + headers[i+1] + "\r\n")
	}
	w := dial(t, p.URL)
	w.send(method + " " + path + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n" + extra.String() + "\r\n")
	as := w.all()
	if len(as) != 1 {
		t.Fatalf("%s %s at %s: %d answers", method, path, host, len(as))
	}
	return as[0]
}

func TestFilesAndTheAPIKeepToTheirHosts(t *testing.T) {
	p := apptest.Start(t, func(c *config.Config) {
		c.Server.BaseURL, c.Server.MediaURL = "https://pics.example.org", "https://media.example.org:8443"
		c.Server.TrustedProxies = []string{"10.0.0.0/8"}
	})
	body, contentType := apptest.Form("a.png", apptest.PNG(9, 9, 1))
	w := dial(t, p.URL)
	w.send(strings.Replace(request("POST", "/v1/images", bearer(p.Key)+"Connection: close\r\nContent-Type: "+contentType+"\r\n", string(body)), "Host: a", "Host: pics.example.org", 1))
	as := w.all()
	if len(as) != 1 || as[0].status != http.StatusCreated {
		t.Fatalf("upload: %v", as)
	}
	_, rest, _ := strings.Cut(as[0].body, `"url":"https://media.example.org:8443/`)
	name, _, ok := strings.Cut(rest, `"`)
	if !ok {
		t.Fatalf("the link is not on the media host: %s", as[0].body)
	}
	key := []string{"Authorization", "Bearer " + p.Key}
	cases := []struct {
		name, path, host string
		headers          []string
		status           int
	}{
		{"a file on the media host", "/" + name, "media.example.org:8443", nil, 200},
		{"a file on the media host in capitals", "/" + name, "MEDIA.example.org:8443", nil, 200},
		{"a file on the API's host", "/" + name, "pics.example.org", nil, 404},
		{"a file on a foreign host", "/" + name, "127.0.0.1", nil, 404},
		{"the API on its host", "/v1/images", "pics.example.org", key, 200},
		{"the API on its host with the port", "/v1/images", "pics.example.org:443", key, 200},
		{"the API by address", "/v1/images", "127.0.0.1", key, 200},
		{"the API on the media host", "/v1/images", "media.example.org:8443", key, 404},
		{"the start page on the media host", "/", "media.example.org:8443", nil, 404},
		{"the document on the media host", "/openapi.yaml", "media.example.org:8443", nil, 404},
		{"health on the API's host", "/health", "pics.example.org", nil, 200},
		{"health on the media host", "/v1/health", "media.example.org:8443", nil, 200},
		{"a stranger who says that it was the media host", "/" + name, "pics.example.org", []string{"X-Forwarded-Host", "media.example.org:8443"}, 404},
		{"a stranger who says that it was the API's host", "/v1/images", "media.example.org:8443", append(key, "X-Forwarded-Host", "pics.example.org"), 404},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if a := ask(t, p, "GET", c.path, c.host, c.headers...); a.status != c.status {
				t.Errorf("%d %.200s, want %d", a.status, a.body, c.status)
			}
		})
	}
}

func TestAFileInMemoryKeepsToItsHostToo(t *testing.T) {
	p := apptest.Start(t, func(c *config.Config) {
		c.Server.BaseURL, c.Server.MediaURL = "https://pics.example.org", "http://media.example.org:80"
		c.Server.TrustedProxies = []string{"127.0.0.0/8"}
	})
	i := p.Add("a.png", apptest.PNG(9, 9, 1))
	if want := "http://media.example.org/" + i.ID + ".png"; i.URL != want {
		t.Errorf("the link is %s, want %s", i.URL, want)
	}
	for n := range 3 { // the first brings it into memory
		for _, c := range []struct {
			host, forwarded string
			status          int
		}{
			{"media.example.org", "", 200},
			{"media.example.org:80", "", 200},
			{"inside:3102", "media.example.org", 200},
			{"media.example.org", "pics.example.org", 404},
			{"pics.example.org", "", 404},
		} {
			if a := ask(t, p, "GET", "/"+i.ID+".png", c.host, "X-Forwarded-Host", c.forwarded); a.status != c.status {
				t.Errorf("try %d: Host %s, forwarded %q: %d, want %d", n, c.host, c.forwarded, a.status, c.status)
			}
		}
	}
}

func TestTheLogNamesTheClientThatATrustedProxyNames(t *testing.T) {
	for _, trusted := range []bool{true, false} {
		p := apptest.Start(t, func(c *config.Config) {
			if trusted {
				c.Server.TrustedProxies = []string{"127.0.0.0/8"}
			}
		})
		var out bytes.Buffer
		old, writer, flags := slog.Default(), log.Writer(), log.Flags()
		slog.SetDefault(slog.New(slog.NewTextHandler(&out, nil)))
		ask(t, p, "POST", "/v1/images/exists", "a", "X-Forwarded-For", "192.0.2.1", "X-Forwarded-For", "192.0.2.2")
		p.Stop() // it writes no more
		slog.SetDefault(old)
		log.SetOutput(writer) // SetDefault changed these, and does not change them back
		log.SetFlags(flags)
		want := "peer=127.0.0.1"
		if trusted {
			want = "peer=192.0.2.2" // the line that the proxy added
		}
		if !strings.Contains(out.String(), want+"\n") {
			t.Errorf("trusted %v: no %s in %s", trusted, want, out.String())
		}
	}
}

func TestAnUnknownMethodIsToldTheKnownOnes(t *testing.T) {
	p := apptest.Start(t)
	for path, want := range map[string]string{
		"/v1/images":             "GET, HEAD, POST, DELETE",
		"/v1/images/":            "GET, HEAD, POST, DELETE",
		"/v1/images/abcdefghijk": "GET, HEAD, DELETE, PATCH",
		"/V1/Images/exists?a=b":  "GET, HEAD, POST, DELETE, PATCH", // it could be an id
		"/abcdefghijk.png":       "GET, HEAD",
		"/":                      "GET, HEAD, POST",
		"/v1/nothing":            "",
	} {
		a := ask(t, p, "BREW", path, "a")
		status, code := http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED"
		if want == "" {
			status, code = http.StatusNotFound, "NOT_FOUND"
		}
		if a.status != status || a.code(t) != code || a.header.Get("Allow") != want {
			t.Errorf("%s: %d %s, Allow %q, want %q", path, a.status, a.body, a.header.Get("Allow"), want)
		}
		if known := ask(t, p, "TRACE", path, "a"); !sameMethods(known.header.Get("Allow"), want) {
			t.Errorf("%s: a method that the framework knows gives Allow %q, not %q", path, known.header.Get("Allow"), want)
		}
	}
}

func sameMethods(a, b string) bool {
	as, bs := strings.Split(a, ", "), strings.Split(b, ", ")
	slices.Sort(as)
	slices.Sort(bs)
	return slices.Equal(as, bs)
}

func TestForwardedHeadersCountOnlyFromTrustedProxies(t *testing.T) {
	for _, trusted := range []bool{true, false} {
		p := apptest.Start(t, func(c *config.Config) {
			if trusted {
				c.Server.TrustedProxies = []string{"127.0.0.0/8"}
			}
		})
		i := p.Add("a.png", apptest.PNG(9, 9, 1))
		cases := []struct {
			name, believed, host string
			headers              []string
		}{
			{"host and scheme", "https://pics.example.org", "inside:3102", []string{"X-Forwarded-Host", "pics.example.org", "X-Forwarded-Proto", "https"}},
			{"the first of a list", "https://a.example.org", "inside:3102", []string{"X-Forwarded-Host", "a.example.org, b.example.org", "X-Forwarded-Proto", "https,http"}},
			{"the scheme alone", "https://inside:3102", "inside:3102", []string{"X-Forwarded-Proto", "https"}},
			{"a scheme that is none", "http://inside:3102", "inside:3102", []string{"X-Forwarded-Proto", "javascript"}},
		}
		for _, c := range cases {
			want := c.believed
			if !trusted {
				want = "http://inside:3102"
			}
			a := ask(t, p, "GET", "/v1/images/"+i.ID, c.host, append(c.headers, "Authorization", "Bearer "+p.Key)...)
			if !strings.Contains(a.body, `"url":"`+want+"/"+i.ID+`.png"`) {
				t.Errorf("%s, trusted %v: %s, want a link at %s", c.name, trusted, a.body, want)
			}
		}
		// A Host that would break out of a link is not repeated in one.
		for _, host := range []string{`a"onload=x`, "a/b", "a<b>", "user@a", "a%0d", "a?b", "a#b", strings.Repeat("a", 300)} {
			a := ask(t, p, "GET", "/v1/images/"+i.ID, host, "Authorization", "Bearer "+p.Key)
			if a.status != 400 && !strings.Contains(a.body, `"url":"http://localhost/`+i.ID) {
				t.Errorf("Host %q: %d %s", host, a.status, a.body)
			}
		}
	}
}

func TestAnyPageMayUseTheAPI(t *testing.T) {
	p := apptest.Start(t)
	i := p.Add("a.png", apptest.PNG(9, 9, 1))
	for _, path := range []string{"/v1/images", "/v1/images/" + i.ID, "/", "/" + i.ID + ".png", "/v1/nothing"} {
		r := p.Do("OPTIONS", path, nil, "Authorization", "", "Origin", "https://app.example.org", "Access-Control-Request-Method", "PATCH", "Access-Control-Request-Headers", "authorization")
		if r.Status != http.StatusNoContent || len(r.Body) != 0 {
			t.Errorf("preflight of %s: %d %s", path, r.Status, r.Body)
		}
		h := r.Header
		if h.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(h.Get("Access-Control-Allow-Methods"), "PATCH") ||
			!strings.Contains(h.Get("Access-Control-Allow-Headers"), "Authorization") || h.Get("Access-Control-Max-Age") != "86400" {
			t.Errorf("preflight of %s: %v", path, h)
		}
		if h.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("preflight of %s allows cookies", path)
		}
	}
	for _, path := range []string{"/v1/images", "/v1/nothing", "/health"} {
		r := p.Do("GET", path, nil, "Authorization", "", "Origin", "null")
		if r.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %d without Access-Control-Allow-Origin", path, r.Status)
		}
		for _, name := range []string{"X-Request-Id", "Retry-After", "ETag", "X-Picora-Duplicate", "RateLimit-Limit", "X-RateLimit-Limit", "X-Source-Hash", "X-Updated-At", "Location"} {
			if !strings.Contains(r.Header.Get("Access-Control-Expose-Headers"), name) {
				t.Errorf("%s does not expose %s", path, name)
			}
		}
	}
}
