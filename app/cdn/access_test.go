package cdn_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
)

// signed asks for a link to a picture and returns its signature and its end.
func signed(t *testing.T, p *apptest.Picora, id string, seconds int) (sig, exp string) {
	t.Helper()
	var d struct{ SignedURL string }
	r := p.JSON("POST", "/v1/images/"+id+"/sign", map[string]int{"expSeconds": seconds})
	r.Data(t, &d)
	u, err := url.Parse(d.SignedURL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("sig"), u.Query().Get("exp")
}

const (
	public   = "public, max-age=31536000, immutable"
	personal = "private, no-store"
)

// access is one request for a picture and what it should bring.
type access struct {
	name    string
	query   string
	headers []string
	status  int
	policy  string // Cache-Control
}

// check runs the cases for GET and HEAD.
func check(t *testing.T, p *apptest.Picora, path string, data []byte, cases []access) {
	t.Helper()
	for _, c := range cases {
		if c.status >= 400 {
			c.policy = "no-store"
		}
		r := get(p, "GET", path+c.query, c.headers...)
		if r.Status != c.status || r.Header.Get("Cache-Control") != c.policy {
			t.Errorf("%s: %d %q %.100s, want %d %q", c.name, r.Status, r.Header.Get("Cache-Control"), r.Body, c.status, c.policy)
		}
		if (c.status == 200) != bytes.Equal(r.Body, data) {
			t.Errorf("%s: %d bytes with status %d", c.name, len(r.Body), r.Status)
		}
		secured(t, c.name, r.Header)
		if c.status == 403 && (r.Header.Get("X-Picora-Error") != "FORBIDDEN" || r.Header.Get("ETag") != "" || r.Header.Get("Content-Type") != "text/plain; charset=utf-8") {
			t.Errorf("%s: refused with %v", c.name, r.Header)
		}
		if h := get(p, "HEAD", path+c.query, c.headers...); h.Status != c.status {
			t.Errorf("%s: HEAD %d, want %d", c.name, h.Status, c.status)
		}
	}
}

func TestAPrivateFileOpensToItsOwnerAndToSignatures(t *testing.T) {
	p := apptest.Start(t)
	p.NewUser("other@example.org")
	reader, writer := p.NewKey("owner@example.org", "read"), p.NewKey("owner@example.org", "media.write")
	stranger := p.NewKey("other@example.org")
	for name, data := range map[string][]byte{"small": apptest.PNG(20, 20, 1), "large": apptest.PNG(300, 300, 2)} {
		t.Run(name, func(t *testing.T) {
			i := p.Add("a.png", data)
			other := p.Add("b.png", append(apptest.PNG(9, 9, 3), name...))
			path := "/" + i.ID + ".png"
			check(t, p, path, data, []access{{"while it is public", "", nil, 200, public}})
			patch(t, p, i.ID, map[string]any{"isPublic": false})
			sig, exp := signed(t, p, i.ID, 60)
			foreignSig, foreignExp := signed(t, p, other.ID, 60)
			e, _ := strconv.Atoi(exp)
			etag := p.Do("GET", path, nil).Header.Get("ETag")
			auth := func(key string) []string { return []string{"Authorization", "Bearer " + key} }
			check(t, p, path, data, []access{
				{"a stranger", "", nil, 403, ""},
				{"a stranger who has it", "", []string{"If-None-Match", etag}, 403, ""},
				{"a stranger with a condition that fails", "", []string{"If-Match", `"x"`}, 403, ""},
				{"a stranger who wants a part", "", []string{"Range", "bytes=0-1"}, 403, ""},
				{"a stranger who names our page", "", []string{"Referer", p.URL + "/"}, 403, ""},
				{"the signature", "?sig=" + sig + "&exp=" + exp, nil, 200, personal},
				{"the signature behind a cache-buster", "?v=1&exp=" + exp + "&sig=" + sig, nil, 200, personal},
				{"another file's signature", "?sig=" + foreignSig + "&exp=" + foreignExp, nil, 403, ""},
				{"a signature that was changed", "?sig=A" + sig[1:] + "B&exp=" + exp, nil, 403, ""},
				{"a signature that was cut", "?sig=" + sig[:20] + "&exp=" + exp, nil, 403, ""},
				{"an end that was moved", "?sig=" + sig + "&exp=" + strconv.Itoa(e+1), nil, 403, ""},
				{"an end that was cut", "?sig=" + sig, nil, 403, ""},
				{"an end without a signature", "?exp=" + exp, nil, 403, ""},
				{"a wrong signature before the right one", "?sig=x&sig=" + sig + "&exp=" + exp, nil, 403, ""},
				{"the owner's key", "", auth(p.Key), 200, personal},
				{"the owner's key that only reads", "", auth(reader), 200, personal},
				{"the owner's key that may not read", "", auth(writer), 403, ""},
				{"another user's key", "", auth(stranger), 403, ""},
				{"a key of nobody", "", auth("sk_live_" + strings.Repeat("x", 32)), 403, ""},
				{"a wrong signature with the owner's key", "?sig=x&exp=1", auth(p.Key), 200, personal},
				{"the signature and a wrong parameter", "?width=1&sig=" + sig + "&exp=" + exp, nil, 400, ""},
			})
			if r := get(p, "GET", path+"?sig="+sig+"&exp="+exp, "Range", "bytes=1-3"); r.Status != 206 || r.Header.Get("Cache-Control") != personal {
				t.Errorf("a part with a signature: %d %v", r.Status, r.Header)
			}
			patch(t, p, i.ID, map[string]any{"isPublic": true})
			check(t, p, path, data, []access{
				{"public again", "", nil, 200, public},
				{"public again, with a wrong signature", "?sig=x&exp=1", nil, 200, public},
				{"public again, with the owner's key", "", auth(p.Key), 200, public},
			})
		})
	}
}

func TestASignatureEnds(t *testing.T) {
	p := apptest.Start(t)
	data := apptest.PNG(9, 9, 1)
	i := p.Add("a.png", data, "isPublic", "false")
	check(t, p, "/"+i.ID+".png", data, []access{{"long before its end", validFor(t, p, i.ID, 60), nil, 200, personal}})
	query := validFor(t, p, i.ID, 1)
	time.Sleep(time.Second + 10*time.Millisecond)
	check(t, p, "/"+i.ID+".png", data, []access{{"after its end", query, nil, 403, ""}})
	if r := get(p, "GET", "/"+i.ID+".png"+query); !strings.Contains(string(r.Body), "expired") {
		t.Errorf("the refusal says %q", r.Body)
	}
}

// validFor is the query of a signature that is valid for so many seconds.
func validFor(t *testing.T, p *apptest.Picora, id string, seconds int) string {
	t.Helper()
	sig, exp := signed(t, p, id, seconds)
	return "?sig=" + sig + "&exp=" + exp
}

func TestAFileThatNeedsASignature(t *testing.T) {
	p := apptest.Start(t)
	data := apptest.PNG(9, 9, 1)
	i := p.Add("a.png", data)
	patch(t, p, i.ID, map[string]any{"requireSignature": true, "allowedReferers": []string{"example.org"}})
	sig, exp := signed(t, p, i.ID, 60)
	cases := []access{
		{"a stranger", "", nil, 403, ""},
		{"a page on the list", "", []string{"Referer", "https://example.org/"}, 403, ""},
		{"the signature", "?sig=" + sig + "&exp=" + exp, nil, 200, personal},
		{"the owner", "", []string{"Authorization", "Bearer " + p.Key}, 200, personal},
	}
	check(t, p, "/"+i.ID+".png", data, cases)
	patch(t, p, i.ID, map[string]any{"requireSignature": false, "allowedReferers": nil})
	check(t, p, "/"+i.ID+".png", data, []access{{"a stranger, later", "", nil, 200, public}})
}

func TestPagesThatMayShowAFile(t *testing.T) {
	p := apptest.Start(t)
	data := apptest.PNG(9, 9, 1)
	i := p.Add("a.png", data)
	sig, exp := signed(t, p, i.ID, 60)
	const perPage = "private, max-age=3600"
	cases := []struct {
		rule    any
		referer string
		ok      bool
	}{
		{[]string{}, "", false},
		{[]string{}, "https://example.org/", false},
		{[]string{}, p.URL + "/", false},
		{[]string{"example.org"}, "https://example.org/page?x=1", true},
		{[]string{"example.org"}, "http://example.org", true},
		{[]string{"example.org"}, "https://EXAMPLE.Org:8443/", true},
		{[]string{"EXAMPLE.org"}, "https://example.org/", true},
		{[]string{"example.org"}, "https://www.example.org/", false},
		{[]string{"example.org"}, "https://example.org.evil.net/", false},
		{[]string{"example.org"}, "https://evil.net/https://example.org/", false},
		{[]string{"example.org"}, "https://example.org@evil.net/", false},
		{[]string{"example.org"}, "https://evil.net#example.org", false},
		{[]string{"example.org"}, "ftp://example.org/", false},
		{[]string{"example.org"}, "javascript:example.org", false},
		{[]string{"example.org"}, "example.org", false},
		{[]string{"example.org"}, "//example.org/", false},
		{[]string{"example.org"}, "https://%65xample.org:x/", false},
		{[]string{"example.org"}, "", false},
		{[]string{"example.org"}, "about:blank", false},
		{[]string{"*.example.org"}, "https://www.example.org/", true},
		{[]string{"*.example.org"}, "https://a.b.EXAMPLE.org/", true},
		{[]string{"*.example.org"}, "https://example.org/", false},
		{[]string{"*.example.org"}, "https://evilexample.org/", false},
		{[]string{"*.example.org"}, "https://.example.org.net/", false},
		{[]string{"a.net", "*.example.org", "b.net"}, "https://b.net/", true},
		{[]string{"self"}, p.URL + "/page", true},
		{[]string{"self"}, "https://example.org/", false},
		{[]string{"self"}, "https://self/", false},
		{[]string{"self"}, "", false},
		{[]string{"self", "example.org"}, "https://example.org/", true},
	}
	for _, c := range cases {
		patch(t, p, i.ID, map[string]any{"allowedReferers": c.rule})
		a := access{fmt.Sprintf("%v from %q", c.rule, c.referer), "", nil, 403, ""}
		if c.ok {
			a.status, a.policy = 200, perPage
		}
		if c.referer != "" {
			a.headers = []string{"Referer", c.referer}
		}
		check(t, p, "/"+i.ID+".png", data, []access{a,
			{a.name + " with a signature", "?sig=" + sig + "&exp=" + exp, a.headers, 200, personal},
			{a.name + " as the owner", "", append([]string{"Authorization", "Bearer " + p.Key}, a.headers...), 200, personal},
		})
		vary := "Referer"
		if !c.ok {
			vary += ", Accept, Accept-Language" // a refusal may be a page
		}
		if r := get(p, "GET", "/"+i.ID+".png", a.headers...); r.Header.Get("Vary") != vary {
			t.Errorf("%s: Vary is %q", a.name, r.Header.Get("Vary"))
		}
	}
	patch(t, p, i.ID, map[string]any{"allowedReferers": nil})
	for _, referer := range []string{"", "https://anything.net/", "nonsense"} {
		r := get(p, "GET", "/"+i.ID+".png", "Referer", referer)
		if r.Status != http.StatusOK || r.Header.Get("Vary") != "" || r.Header.Get("Cache-Control") != public {
			t.Errorf("without a rule, from %q: %d %v", referer, r.Status, r.Header)
		}
	}
}
