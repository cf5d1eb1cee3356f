package dashboard_test

import (
	"encoding/json"
	"html"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"picora/app/fault"
)

var (
	linkTo  = regexp.MustCompile(`(?:href|src)="([^"]+)"`)
	idOf    = regexp.MustCompile(` id="([^"]+)"`)
	article = regexp.MustCompile(`(?s)<article>(.*)</article>`)
	active  = regexp.MustCompile(`<[^>]* (?:style|on\w+)=|javascript:`)
	tags    = regexp.MustCompile(`<[^>]*>`)
)

// guideNames are the names of the files in web/guide that end so.
func guideNames(t *testing.T, ext string) (names []string) {
	t.Helper()
	list, err := os.ReadDir("../../web/guide")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		if path.Ext(f.Name()) == ext {
			names = append(names, strings.TrimSuffix(f.Name(), ext))
		}
	}
	return names
}

func TestEveryLinkInTheGuideLeadsSomewhere(t *testing.T) {
	bodies, ids := map[string]string{}, map[string]bool{}
	for _, name := range guideNames(t, ".md") {
		at := "/guide/" + name
		r, body := ask(t, built(t), home, at)
		if r.StatusCode != 200 || strings.Count(body, "<h1") != 1 {
			t.Errorf("%s: %d, %d titles", at, r.StatusCode, strings.Count(body, "<h1"))
		}
		bodies[at] = body
		for _, m := range idOf.FindAllStringSubmatch(body, -1) {
			if ids[at+"#"+m[1]] {
				t.Errorf("%s has the id %s twice", at, m[1])
			}
			ids[at+"#"+m[1]] = true
		}
	}
	if len(bodies) < 20 {
		t.Fatalf("%d pages", len(bodies))
	}
	asked := map[string]bool{}
	for at, body := range bodies {
		for _, m := range linkTo.FindAllStringSubmatch(body, -1) {
			to := html.UnescapeString(m[1])
			if strings.HasPrefix(to, "#") {
				to = at + to
			}
			page, anchor, anchored := strings.Cut(to, "#")
			switch {
			case strings.HasPrefix(to, "https://"):
			case anchored && !ids[to]:
				t.Errorf("%s leads to %s, but %s has no heading %s", at, to, page, anchor)
			case !asked[page]:
				asked[page] = true
				if r, _ := ask(t, built(t), home, page); r.StatusCode != 200 {
					t.Errorf("%s leads to %s: %d", at, to, r.StatusCode)
				}
			}
		}
	}
	contents := bodies["/guide/index"]
	for _, name := range guideNames(t, ".md") {
		if name != "index" && !strings.Contains(article.FindString(contents), `href="/guide/`+name+`"`) {
			t.Errorf("the contents do not list %s", name)
		}
	}
}

func TestTheGuideAsksNobodyElse(t *testing.T) {
	src := regexp.MustCompile(`<(?:img|script|link|iframe|source)\b[^>]*(?:src|href)="([^"]+)"`)
	for _, name := range guideNames(t, ".md") {
		_, body := ask(t, built(t), home, "/guide/"+name)
		for _, m := range src.FindAllStringSubmatch(body, -1) {
			if !strings.HasPrefix(m[1], "/guide/") {
				t.Errorf("%s loads %s", name, m[1])
			}
		}
		if active.MatchString(body) {
			t.Errorf("%s has what its policy forbids", name)
		}
	}
}

// TestTheGuideNamesEveryError compares the list in errors.md with the codes that the
// server has.
func TestTheGuideNamesEveryError(t *testing.T) {
	src, err := os.ReadFile("../fault/fault.go")
	if err != nil {
		t.Fatal(err)
	}
	codes := regexp.MustCompile(`Code = "([A-Z_]+)"|^\s+\w+\s+(?:Code\s+)?= "([A-Z_]+)"`)
	found := 0
	doc, err := os.ReadFile("../../web/guide/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(src)) {
		m := codes.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		found++
		if code := m[1] + m[2]; !strings.Contains(string(doc), "| `"+code+"` |") {
			t.Errorf("errors.md does not say what to do about %s", code)
		}
	}
	if found < 20 || !strings.Contains(string(doc), string(fault.Busy)) {
		t.Errorf("%d codes found in package fault: the comparison would mean nothing", found)
	}
}

type place struct{ Href, Page, Title, Text string }

func find(t *testing.T, query string) (all []place) {
	t.Helper()
	r, body := ask(t, built(t), home, "/guide?q="+strings.ReplaceAll(query, " ", "+"), "Accept", "application/json")
	if r.StatusCode != 200 || r.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("%q: %d %s", query, r.StatusCode, body)
	}
	if err := json.Unmarshal([]byte(body), &all); err != nil {
		t.Fatalf("%q: %v in %s", query, err, body)
	}
	return all
}

func TestSearchInTheGuide(t *testing.T) {
	for query, want := range map[string]string{
		"nginx":                       "/guide/proxy#nginx",
		"NGINX proxy":                 "/guide/proxy",
		"rate_limited":                "/guide/errors",
		"passkeys":                    "/guide/signin#passkeys",
		"second factor authenticator": "/guide/signin#a-second-factor-an-authenticator-app",
		"备份":                          "/guide/zh-CN",
	} {
		all := find(t, query)
		if len(all) == 0 || !strings.HasPrefix(all[0].Href, want) {
			t.Errorf("%q: first is %+v, want %s", query, all[:min(1, len(all))], want)
			continue
		}
		if p, _, _ := strings.Cut(all[0].Href, "#"); p != "" {
			if r, _ := ask(t, built(t), home, p); r.StatusCode != 200 {
				t.Errorf("%q leads to %s: %d", query, all[0].Href, r.StatusCode)
			}
		}
	}
	for _, nothing := range []string{"xyzzy", "nginx xyzzy", "%20", "%ff%fe", "%3Cscript%3E", strings.Repeat("a", 3000)} {
		if all := find(t, nothing); len(all) != 0 {
			t.Errorf("%.20q finds %+v", nothing, all)
		}
	}
	if all := find(t, "a"); len(all) != 20 {
		t.Errorf("a letter finds %d places, want no more and no less than 20", len(all))
	}
	_, body := ask(t, built(t), home, "/guide?q=nginx", "Accept", "text/html")
	if !strings.Contains(body, `<a href="/guide/proxy#nginx">nginx</a>`) {
		t.Errorf("the page of a search has not what was found: %s", body)
	}
	_, body = ask(t, built(t), home, "/guide?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
	if strings.Contains(body, "<script>alert") || !strings.Contains(body, "Nothing in the guide") {
		t.Errorf("what was looked for is not text: %s", body)
	}
}

func TestChaptersAreWhatTheFilesSay(t *testing.T) {
	_, body := ask(t, built(t), home, "/guide/proxy")
	text := html.UnescapeString(tags.ReplaceAllString(article.FindString(body), ""))
	for _, want := range []string{"proxy_request_buffering off;", "reverse_proxy 127.0.0.1:3102"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in the page", want)
		}
	}
	if !strings.Contains(body, `aria-current="page"`) || !strings.Contains(body, `rel="next"`) || !strings.Contains(body, `<pre tabindex="0">`) {
		t.Errorf("the frame lacks something: %s", body)
	}
	if _, body := ask(t, built(t), home, "/guide/zh-CN"); !strings.Contains(body, `<html lang="zh-CN">`) {
		t.Error("the Chinese page is not in Chinese")
	}
}

// TestMarkdownOfTheGuideCannotRun: the files are ours, and still nothing in them is HTML.
func TestMarkdownOfTheGuideCannotRun(t *testing.T) {
	guide := fstest.MapFS{"index.md": {Data: []byte("# T\n\n<script>alert(1)</script>\n\n[a](javascript:alert(1)) <img src=x onerror=alert(1)>\n")}}
	_, body := askGuide(t, guide, "/guide")
	if body = article.FindString(body); strings.Contains(body, "<script") || strings.Contains(body, "javascript:") || strings.Contains(body, "onerror") {
		t.Error(body)
	}
}
