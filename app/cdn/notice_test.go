package cdn_test

import (
	"strings"
	"testing"

	"picora/app/apptest"
)

// TestALinkThatIsWrongIsAPageForPeople: a browser that opens a file's link gets a page,
// a picture in a page and a program get the sentence.
func TestALinkThatIsWrongIsAPageForPeople(t *testing.T) {
	p := apptest.Start(t)
	const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
	private := p.Add("a.png", apptest.PNG(9, 9, 1), "isPublic", "false")
	for path, want := range map[string]struct {
		status          int
		english, native string
	}{
		"/aaaaaaaaaaa.png":           {404, "There is no such file here. It may have been deleted.", "这里没有这个文件，可能已被删除。"},
		"/" + private.ID + ".png":    {403, "This file is private.", "此文件为私密文件。"},
		"/aaaaaaaaaaa.png?w=%3Cb%3E": {404, "There is no such file here. It may have been deleted.", "这里没有这个文件，可能已被删除。"},
	} {
		for accept, lang := range map[string]string{"en-GB,en;q=0.9": "en", "zh-CN,zh;q=0.9": "zh-CN"} {
			r := p.Do("GET", path, nil, "Authorization", "", "Accept", browser, "Accept-Language", accept)
			text := want.english
			if lang != "en" {
				text = want.native
			}
			body := string(r.Body)
			if r.Status != want.status || r.Header.Get("Content-Type") != "text/html; charset=utf-8" || !strings.Contains(body, `<html lang="`+lang+`">`) || !strings.Contains(body, text) {
				t.Errorf("%s in %s: %d %s %s", path, lang, r.Status, r.Header.Get("Content-Type"), body)
			}
			csp := r.Header.Get("Content-Security-Policy")
			if !strings.HasPrefix(csp, "default-src 'none'; style-src 'sha256-") || strings.Contains(csp, "unsafe") || r.Header.Get("X-Picora-Error") == "" ||
				!strings.Contains(r.Header.Get("Vary"), "Accept") || r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s: %v", path, r.Header)
			}
		}
		for _, accept := range []string{"image/avif,image/webp,image/apng,*/*;q=0.8", "*/*", ""} {
			r := p.Do("GET", path, nil, "Authorization", "", "Accept", accept)
			if r.Status != want.status || string(r.Body) != want.english+"\n" || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/plain") {
				t.Errorf("%s for Accept %q: %d %s", path, accept, r.Status, r.Body)
			}
		}
	}
}
