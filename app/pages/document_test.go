package pages_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/app/apptest/browser"
)

type object = map[string]any

type wireDoc struct{ ID, Title string }

// add uploads a document that must be taken. Fields are members of the body, name and
// value in turn.
func add(t testing.TB, p *apptest.Picora, name, text string, fields ...any) (d wireDoc) {
	t.Helper()
	body := object{"filename": name, "content": text}
	for i := 0; i < len(fields); i += 2 {
		body[fields[i].(string)] = fields[i+1]
	}
	r := p.JSON("POST", "/v1/docs", body)
	if r.Status != http.StatusCreated && r.Status != http.StatusOK {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
	r.Data(t, &d)
	return d
}

// visit opens a page as the public does.
func visit(p *apptest.Picora, path string, headers ...string) apptest.Response {
	return p.Do("GET", path, nil, append([]string{"Authorization", ""}, headers...)...)
}

const guide = `---
title: Not shown
tags: [a, b]
---
# 知识库 guide

Some **text**, 一些
文字, ` + "`code`" + ` and a [link](https://example.org/a?b=1&c=2 "t").

## Setup

| a | b |
|:--|--:|
| 1 | 2 |

- [x] done
- [ ] open

~~old~~ text[^n], <kbd>Ctrl</kbd>+H<sub>2</sub>O<sup>3</sup>.

<details><summary>More</summary>

*inside*

</details>

### Setup

[to setup](#setup-1), [beside](other.md), [mail](mailto:a@example.org?bcc=b@example.org)

![ours](/abcdefghijk.png) ![theirs](https://elsewhere.example/x.png) [![badge](https://elsewhere.example/b.svg)](https://example.org)

## 设置

` + "```go\nfunc main() {}\n```" + `

[^n]: A note.
`

func TestADocumentIsReadAsAPage(t *testing.T) {
	p := apptest.StartWithWorkers(t)
	d := add(t, p, "guide.md", guide, "title", "The <guide>", "tags", []string{"a&b", "图"})
	r := visit(p, "/d/"+d.ID)
	h := r.Header
	if r.Status != 200 || h.Get("Content-Type") != "text/html; charset=utf-8" || h.Get("Cache-Control") != "public, max-age=300" || h.Get("X-Content-Type-Options") != "nosniff" {
		t.Fatalf("%d %v", r.Status, h)
	}
	if csp := h.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") || strings.Contains(csp, "script") || !strings.Contains(csp, "frame-ancestors 'none'") {
		t.Errorf("policy: %s", csp)
	}
	page := string(r.Body)
	for _, want := range []string{
		`<html lang="en">`, `<title>The &lt;guide&gt;</title>`, `<meta property="og:title" content="The &lt;guide&gt;">`, `<meta property="og:type" content="article">`,
		`<meta name="description" content="Some text, 一些文字, code and a link.">`,
		`<span class="tag" dir="auto">a&amp;b</span>`, `lang="zh-CN"`,
		`<h1 id="s-知识库-guide">知识库 guide</h1>`, `<h2 id="s-setup">Setup</h2>`, `<h3 id="s-setup-1">Setup</h3>`, `<h2 id="s-设置">`,
		`<a dir="auto" href="#s-%e8%ae%be%e7%bd%ae">设置</a>`,
		`<a title="t" href="https://example.org/a?b=1&amp;c=2" rel="nofollow ugc noopener noreferrer">link</a>`,
		`<a href="#s-setup-1">to setup</a>`, `<a>beside</a>`, `<a href="mailto:a@example.org" rel=`,
		`<th align="left">a</th>`, `<td align="right">2</td>`, `<span class="task">☑ </span>done`, `<span class="task">☐ </span>open`,
		`<del>old</del>`, `<kbd>Ctrl</kbd>`, `<sub>2</sub>`, `<sup>3</sup>`, `<summary>More</summary>`, `<em>inside</em>`,
		`<img src="/abcdefghijk.png" alt="ours" loading="lazy" decoding="async"/>`,
		`<a href="https://elsewhere.example/x.png" rel="nofollow ugc noopener noreferrer" class="elsewhere">theirs</a>`,
		`<span class="elsewhere">badge</span></a>`,
		`<code class="language-go">func main() {}`, `id="note-fn:1"`, `href="#note-fn:1"`,
		`href="` + p.URL + `/doc/` + d.ID + `.md" download`, `Download the source`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%s is missing", want)
		}
	}
	for _, no := range []string{"Not shown", "<script", "<input", "bcc"} {
		if strings.Contains(page, no) {
			t.Errorf("%s is in the page", no)
		}
	}
	if strings.Count(page, "<h1") != 1 {
		t.Error("two titles")
	}
	if t.Failed() {
		t.Log(page)
	}
	if r := visit(p, "/d/"+d.ID, "If-None-Match", h.Get("ETag")); r.Status != 304 {
		t.Errorf("%d for a page that is known", r.Status)
	}
	if r := visit(p, "/d/"+d.ID, "If-None-Match", h.Get("ETag"), "Accept-Language", "zh-CN,zh"); r.Status != 200 || !strings.Contains(string(r.Body), "下载原文") || !strings.Contains(r.Header.Get("Vary"), "Accept-Language") {
		t.Errorf("in Chinese: %d %s", r.Status, r.Body)
	}
	if r := p.Do("HEAD", "/d/"+d.ID, nil, "Authorization", ""); r.Status != 200 || len(r.Body) > 0 {
		t.Errorf("HEAD: %d %q", r.Status, r.Body)
	}
}

func TestWhoMayReadAPage(t *testing.T) {
	p := apptest.StartWithWorkers(t)
	private := add(t, p, "mine.md", "# Mine", "isPublic", false)
	p.NewUser("other@example.org")
	other := p.NewKey("other@example.org")
	for name, c := range map[string]struct {
		path, key, accept string
		status            int
		says, cache       string
	}{
		"nobody reads a private one":  {"/d/" + private.ID, "", "", 403, "This file is private.", "no-store"},
		"and is told so in Chinese":   {"/d/" + private.ID, "", "zh", 403, "此文件为私密文件。", "no-store"},
		"nor does another":            {"/d/" + private.ID, other, "", 403, "This file is private.", "no-store"},
		"its owner does":              {"/d/" + private.ID, p.Key, "", 200, "Mine", "private, no-store"},
		"a bad signature does not":    {"/d/" + private.ID + "?sig=abc", "", "", 403, "expired, or it is not complete", "no-store"},
		"there is no such document":   {"/d/aaaaaaaaaaaaaaaaaaaaa", "", "", 404, "There is no such page here.", "no-store"},
		"nor one with a short id":     {"/d/aaa", "", "", 404, "There is no such page here.", "no-store"},
		"a name that is no id at all": {"/d/..%2fetc", "", "", 404, "There is no such page here.", "no-store"},
	} {
		headers := []string{"Accept-Language", c.accept}
		if c.key != "" {
			headers = append(headers, "Authorization", "Bearer "+c.key)
		} else {
			headers = append(headers, "Authorization", "")
		}
		r := p.Do("GET", c.path, nil, headers...)
		if r.Status != c.status || !strings.Contains(string(r.Body), c.says) || r.Header.Get("Cache-Control") != c.cache {
			t.Errorf("%s: %d %v %s", name, r.Status, r.Header, r.Body)
		}
	}
	if r := p.Do("GET", "/d/"+p.Add("a.png", apptest.PNG(4, 4, 1)).ID, nil); r.Status != 404 {
		t.Errorf("a picture has a page: %d", r.Status)
	}
	if _, err := p.App.Store().TrashMedia(t.Context(), p.User, []string{private.ID}); err != nil {
		t.Fatal(err)
	}
	if r := p.Do("GET", "/d/"+private.ID, nil); r.Status != 404 {
		t.Errorf("in the trash: %d", r.Status)
	}
}

func TestDocumentsThatAreNotLaidOutAreShownAsText(t *testing.T) {
	p := apptest.StartWithWorkers(t)
	for name, c := range map[string]struct{ file, text, says, shows string }{
		"Typst":                   {"a.typ", "= Title\n#let x = <b>", "source text", "= Title\n#let x = &lt;b&gt;"},
		"quotes without an end":   {"quotes.md", strings.Repeat("> ", 200_000) + "a", "too intricate", "&gt; &gt; "},
		"a table of many columns": {"table.md", "|" + strings.Repeat("a|", 4000) + "\n|" + strings.Repeat("-|", 4000) + "\n" + strings.Repeat("x\n", 20_000), "too intricate", "|a|a|"},
		"elements too deep":       {"deep.md", strings.Repeat("<div>", 5000) + "a", "too intricate", "&lt;div&gt;"},
	} {
		t.Run(name, func(t *testing.T) {
			d := add(t, p, c.file, c.text)
			start := time.Now()
			r := visit(p, "/d/"+d.ID)
			first := time.Since(start)
			if body := string(r.Body); r.Status != 200 || !strings.Contains(body, c.says) || !strings.Contains(body, c.shows) || strings.Contains(body, "<article") {
				t.Errorf("%d %.2000s", r.Status, body)
			}
			start = time.Now()
			if r := visit(p, "/d/"+d.ID); r.Status != 200 {
				t.Errorf("again: %d", r.Status)
			}
			t.Logf("first %v, then %v", first.Round(time.Millisecond), time.Since(start).Round(time.Millisecond))
		})
	}
}

func TestALargeDocumentIsLaidOut(t *testing.T) {
	p := apptest.StartWithWorkers(t)
	var b strings.Builder
	for i := 0; b.Len() < 256<<10; i++ {
		fmt.Fprintf(&b, "## Chapter %d\n\nSome *text* with [link](https://a.example) and `code`. 一些文字。\n\n- a\n- b\n\n", i)
	}
	d := add(t, p, "large.md", b.String())
	start := time.Now()
	r := visit(p, "/d/"+d.ID)
	first := time.Since(start)
	if r.Status != 200 || !strings.Contains(string(r.Body), "<article") {
		t.Fatalf("%d %.1000s", r.Status, r.Body)
	}
	start = time.Now()
	visit(p, "/d/"+d.ID)
	t.Logf("%d KB: first %v, then %v", b.Len()>>10, first.Round(time.Millisecond), time.Since(start).Round(time.Millisecond))
}

func TestAPageLooksLikeOneInTheBrowser(t *testing.T) {
	p := apptest.StartWithWorkers(t)
	d := add(t, p, "guide.md", strings.Replace(guide, "/abcdefghijk.png", p.Add("a.png", apptest.PNG(300, 200, 1)).URL, 1)+strings.Repeat("\n\n人工智能的发展历程可以追溯到二十世纪五十年代，图床服务为作者保存图片与文档。", 12))
	b := browser.Start(t)
	for name, v := range map[string]browser.View{"desktop": {}, "phone-dark-zh": {Phone: true, Dark: true, Language: "zh-CN"}} {
		tab := b.Open(t, p.URL+"/d/"+d.ID, v)
		if said, out := tab.Said(), tab.Outside(p.URL); len(said)+len(out) > 0 {
			t.Errorf("%s: said %q, asked %q", name, said, out)
		}
		// A picture below what is seen is loaded when it comes near.
		for end := time.Now().Add(2 * time.Minute); !browser.Eval[bool](tab, `(i => { i.scrollIntoView(); return i.complete && i.naturalWidth > 0 })(document.querySelector("article img"))`) && time.Now().Before(end); {
			time.Sleep(20 * time.Millisecond)
		}
		got := browser.Eval[map[string]any](tab, `({
			wide: document.documentElement.scrollWidth <= innerWidth,
			styled: getComputedStyle(document.querySelector("main")).maxWidth !== "none",
			picture: document.querySelector("article img").complete && document.querySelector("article img").naturalWidth,
			dark: getComputedStyle(document.body).backgroundColor,
		})`)
		if got["wide"] != true || got["styled"] != true || got["picture"] != 300.0 || (got["dark"] == "rgb(23, 23, 26)") != v.Dark {
			t.Errorf("%s: %v", name, got)
		}
		tab.Screenshot("document-" + name)
	}
}
