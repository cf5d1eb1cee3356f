package pages_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"picora/app/apptest"
	"picora/app/config"
	"picora/store"
)

var tileHref = regexp.MustCompile(`<a (?:class="picture" id="p-[^"]+" )?href="([^"]+)"`)

func TestWhoSeesAGallery(t *testing.T) {
	p := apptest.Start(t)
	s := open(t, p)
	k, slug := collect(t, p, map[string]any{"name": "Walks", "slug": "walks"})
	add := func(seed int, fields ...string) apptest.Image {
		return p.Add(fmt.Sprintf("p%d.jpg", seed), apptest.JPEG(30, 20, uint64(seed)), append([]string{"kbId", k}, fields...)...)
	}
	open1, hidden, signed, nobody, here := add(1, "title", "<b>open</b>"), add(2, "isPublic", "false"), add(3), add(4), add(5)
	set := func(id string, change any) {
		t.Helper()
		if r := p.JSON("PATCH", "/v1/images/"+id, change); r.Status != 200 {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
	}
	set(signed.ID, map[string]any{"requireSignature": true})
	set(nobody.ID, map[string]any{"allowedReferers": []string{}})
	set(here.ID, map[string]any{"allowedReferers": []string{"self"}})
	elsewhere := p.Add("out.jpg", apptest.JPEG(30, 20, 6))
	secret := s.sound(wav(1), private, func(m *store.Media) { m.Collection = k })
	patch := func(change any) (shareURL string) {
		t.Helper()
		var c struct{ ShareURL string }
		p.JSON("PATCH", "/v1/collections/"+k, change).Data(t, &c)
		return c.ShareURL
	}

	for _, name := range []string{"walks", k, "no-such", "x", "aaaaaaaaaaaaaaaaaaaaa", "%2e%2e", "walks?key=", "walks?key=x"} {
		if r := get(p, "/c/"+name); r.Status != 404 || strings.Contains(string(r.Body), "Walks") {
			t.Errorf("private, %s: %d", name, r.Status)
		}
	}
	share := patch(map[string]any{"isShared": true})
	for _, key := range []string{"", "?key=", "?key=" + strings.Repeat("a", 32), strings.ToUpper(share[strings.Index(share, "?"):])} {
		if r := get(p, "/c/walks"+key); r.Status != 404 {
			t.Errorf("shared, with %q: %d", key, r.Status)
		}
	}
	whole := get(p, share)
	if whole.Status != 200 || whole.Header.Get("Cache-Control") != "private, no-store" || whole.Header.Get("X-Robots-Tag") != "noindex" {
		t.Fatalf("with the key: %d %v", whole.Status, whole.Header)
	}
	hrefs := tileHref.FindAllStringSubmatch(string(whole.Body), -1)
	tiles := 0
	for _, h := range hrefs {
		address := strings.ReplaceAll(h[1], "&amp;", "&")
		if !strings.Contains(address, "cursor=") {
			tiles++
			if r := get(p, address, "Referer", p.URL+"/c/walks"); r.Status != 200 {
				t.Errorf("the holder of the key is refused %s: %d", address, r.Status)
			}
		}
	}
	if tiles != 6 {
		t.Errorf("the holder of the key sees %d things of 6", tiles)
	}
	patch(map[string]any{"isShared": false, "isPublic": true})
	if r := get(p, share); r.Status != 200 || strings.Contains(string(r.Body), hidden.ID) { // it is public now, and the key says nothing
		t.Errorf("with a key that ended: %d", r.Status)
	}
	for _, name := range []string{slug, k} {
		r := get(p, "/c/"+name)
		if r.Status != 200 || r.Header.Get("Cache-Control") != "no-cache" {
			t.Fatalf("public: %d %v", r.Status, r.Header)
		}
		contains(t, r.Body, open1.ID, here.ID, "&lt;b&gt;open&lt;/b&gt;", `<meta property="og:image" content="`+p.URL+"/"+open1.ID, `<link rel="canonical" href="`+p.URL+`/c/walks">`)
		for what, id := range map[string]string{"a private picture": hidden.ID, "one that needs a signature": signed.ID, "one that no page may show": nobody.ID, "one of another place": elsewhere.ID, "a private recording": secret.ID} {
			if strings.Contains(string(r.Body), id) {
				t.Errorf("%s is in the gallery", what)
			}
		}
		for _, h := range tileHref.FindAllStringSubmatch(string(r.Body), -1) {
			if got := get(p, h[1], "Referer", p.URL+"/c/walks"); got.Status != 200 {
				t.Errorf("a visitor is refused %s: %d", h[1], got.Status)
			}
		}
	}
	p.Do("DELETE", "/v1/collections/"+k+"?cascade=true", nil)
	if r := get(p, "/c/walks"); r.Status != 404 {
		t.Errorf("deleted: %d", r.Status)
	}
}

func TestAGalleryInPagesWithoutAScript(t *testing.T) {
	p := apptest.Start(t)
	k, slug := collect(t, p, map[string]any{"name": "Many", "isPublic": true})
	for n := range 100 {
		p.Add(fmt.Sprintf("p%d.png", n), apptest.PNG(3, 2, uint64(n)), "kbId", k)
	}
	next := regexp.MustCompile(`<a rel="next" href="([^"]+)"`)
	seen, pages := map[string]bool{}, 0
	for at := "/c/" + slug; at != ""; pages++ {
		r := get(p, at)
		if r.Status != 200 {
			t.Fatalf("%s: %d", at, r.Status)
		}
		for _, m := range regexp.MustCompile(`id="p-([^"]+)"`).FindAllStringSubmatch(string(r.Body), -1) {
			if seen[m[1]] {
				t.Errorf("%s is there twice", m[1])
			}
			seen[m[1]] = true
		}
		at = ""
		if m := next.FindStringSubmatch(string(r.Body)); m != nil {
			at = strings.ReplaceAll(m[1], "&amp;", "&")
		}
	}
	if len(seen) != 100 || pages != 3 {
		t.Errorf("%d pictures on %d pages", len(seen), pages)
	}
	for _, cursor := range []string{"!", strings.Repeat("a", 400)} {
		if r := get(p, "/c/"+slug+"?cursor="+cursor); r.Status != 404 {
			t.Errorf("the cursor %.5q: %d", cursor, r.Status)
		}
	}
}

func TestAGallerySaysNoMoreThanItsOwnersWords(t *testing.T) {
	p := apptest.Start(t, func(c *config.Config) { c.Server.MediaURL = "https://files.example.org" })
	k, slug := collect(t, p, map[string]any{"name": `"><script>alert(1)</script>`, "description": "<img src=x onerror=alert(1)>", "isPublic": true})
	m := p.Add("a.jpg", apptest.JPEG(3000, 2000, 1), "kbId", k, "title", `" onload="alert(1)`)
	r := get(p, "/c/"+slug)
	for _, bad := range []string{"<script>alert", "<img src=x", `" onload="alert`} {
		if strings.Contains(string(r.Body), bad) {
			t.Errorf("%s is in the page", bad)
		}
	}
	contains(t, r.Body, `srcset="https://files.example.org/`+m.ID+`.jpg?variant=thumb 320w, `, `?variant=large 2560w"`, `width="3000" height="2000"`,
		`<meta property="og:image" content="https://files.example.org/`+m.ID+`.jpg?variant=large">`, `<meta property="og:image:width" content="2560">`)
	csp := r.Header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "img-src 'self' data: https://files.example.org", "script-src 'self'", "frame-ancestors 'none'"} {
		if !strings.Contains(csp, want) {
			t.Errorf("the policy lacks %q: %s", want, csp)
		}
	}
	if strings.Contains(string(r.Body), "style=") || strings.Contains(csp, "unsafe") {
		t.Error("the page has styles of its own")
	}
}
