package app_test

import (
	"bytes"
	"fmt"
	"image/jpeg"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/app/apptest/browser"
	"picora/app/config"
	"picora/store"
)

type pdfDoc struct {
	ID, Title, Filename, Format string
	SizeBytes                   int64
	WordCount                   int
	Pages                       *int
	URL                         string
	ThumbnailURL, CoverURL      *string
	Tags, Warnings              []string
	IsPublic, Duplicate         bool
}

// print makes a PDF of a page, as people do.
func print(t *testing.T, b *browser.Browser, html string) []byte {
	t.Helper()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, html)
	}))
	defer page.Close()
	return b.Open(t, page.URL, browser.View{}).PDF()
}

func sendFile(t testing.TB, p *apptest.Picora, key, name string, data []byte, fields ...apptest.Part) apptest.Response {
	t.Helper()
	return p.Ask(t, apptest.Scenario{As: key, Method: "POST", URL: "/v1/docs", Body: append(apptest.Parts(fields), apptest.File(name, data))})
}

func TestAPDFIsTakenReadAndShown(t *testing.T) {
	p := apptest.StartWithWorkers(t)
	b := browser.Start(t)
	data := print(t, b, `<title>年度报告</title><h1>知识库建设</h1><p>人工智能的发展历程可以追溯到二十世纪五十年代。Picora keeps it.</p><p style="break-before:page">第二页</p>`)
	r := sendFile(t, p, "", "report.pdf", data, apptest.Field("tags", "a,b"))
	if r.Status != 201 {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
	var d pdfDoc
	r.Data(t, &d)
	if d.Format != "pdf" || d.Title != "年度报告" || d.Pages == nil || *d.Pages != 2 || d.WordCount < 20 || d.SizeBytes != int64(len(data)) || !slices.Equal(d.Tags, []string{"a", "b"}) || d.ThumbnailURL == nil {
		t.Fatalf("%s", r.Body)
	}
	file := p.Do("GET", d.URL, nil, "Authorization", "")
	if h := file.Header; !bytes.Equal(file.Body, data) || h.Get("Content-Type") != "application/pdf" || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment") || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("the file: %d %v", file.Status, h)
	}
	cover := p.Do("GET", *d.ThumbnailURL, nil, "Authorization", "")
	if pic, err := jpeg.Decode(bytes.NewReader(cover.Body)); err != nil || cover.Header.Get("Content-Type") != "image/jpeg" || pic.Bounds().Dx() != 800 {
		t.Errorf("the picture: %d %v %v", cover.Status, cover.Header, err)
	}
	m, err := p.App.Store().Media(t.Context(), d.ID)
	if _, has := m.Part(store.TextPart); err != nil || !has {
		t.Errorf("no text: %v", err)
	}
	if r := p.Do("GET", "/v1/docs/"+d.ID+"/raw", nil); r.Status != 404 || !strings.Contains(string(r.Body), "is a file and has no text here") {
		t.Errorf("raw: %d %s", r.Status, r.Body)
	}
	if r := sendFile(t, p, "", "again.pdf", data); r.Status != 200 || r.Header.Get("X-Picora-Duplicate") != "true" {
		t.Errorf("again: %d %s", r.Status, r.Body)
	}
	if n := len(p.Blobs()); n != 3 {
		t.Errorf("%d files: %q", n, p.Blobs())
	}
	tab := b.Open(t, p.URL+"/d/"+d.ID, browser.View{})
	if text := tab.Text(); !strings.Contains(text, "年度报告") || !strings.Contains(text, "2 pages") || !strings.Contains(text, "Download the PDF") {
		t.Errorf("the page: %s", text)
	}
	if width := browser.Eval[int](tab, `document.querySelector("main img").naturalWidth`); width != 800 || len(tab.Said()) > 0 || len(tab.Outside(p.URL)) > 0 {
		t.Errorf("the page's picture: %d; said %q, asked %q", width, tab.Said(), tab.Outside(p.URL))
	}
	tab.Screenshot("pdf")

	one := p.Ask(t, apptest.Scenario{Method: "GET", URL: "/v1/docs/" + d.ID})
	if one.Status != 200 || !strings.Contains(string(one.Body), `"pages":2`) {
		t.Errorf("%d %s", one.Status, one.Body)
	}
	for _, word := range []string{"发展历程", "第二页", "picora"} {
		found := eventually(func() bool {
			r := p.Do("GET", "/v1/media?q="+url.QueryEscape(word), nil)
			return r.Status == 200 && strings.Contains(string(r.Body), d.ID)
		})
		if !found {
			t.Errorf("%s is not found", word)
		}
	}
}

// eventually waits for what is done in the background.
func eventually(done func() bool) bool {
	for range 600 {
		if done() {
			return true
		}
		time.Sleep(100 * time.Millisecond)
	}
	return false
}

func TestAPrivatePDFIsItsOwners(t *testing.T) {
	p := apptest.StartWithWorkers(t)
	var d pdfDoc
	sendFile(t, p, "", "mine.pdf", small, apptest.Field("isPublic", "false"), apptest.Field("title", "Mine")).Data(t, &d)
	if d.IsPublic || d.Title != "Mine" || d.ThumbnailURL == nil {
		t.Fatalf("%+v", d)
	}
	if r := p.Do("GET", *d.ThumbnailURL, nil, "Authorization", ""); r.Status != 200 {
		t.Errorf("%s, with its signature: %d", *d.ThumbnailURL, r.Status)
	}
	cover, signature, _ := strings.Cut(*d.ThumbnailURL, "?")
	for _, path := range []string{d.URL, cover, d.URL + "?" + signature, p.URL + "/d/" + d.ID} {
		if r := p.Do("GET", path, nil, "Authorization", ""); r.Status != 403 {
			t.Errorf("%s: %d", path, r.Status)
		}
		if r := p.Do("GET", path, nil); r.Status != 200 {
			t.Errorf("%s of its owner: %d", path, r.Status)
		}
	}
	var item pdfDoc
	if p.Do("GET", "/v1/media/"+d.ID, nil).Data(t, &item); item.ThumbnailURL == nil || *item.ThumbnailURL != *d.ThumbnailURL {
		t.Errorf("among media: %v", item.ThumbnailURL)
	}
}

// small is a PDF of one page that says hello.
var small = []byte("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n" +
	"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]/Contents 4 0 R/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj\n" +
	"4 0 obj<</Length 39>>stream\nBT /F 24 Tf 20 100 Td (Hello) Tj ET    \nendstream endobj\ntrailer<</Root 1 0 R/Size 5>>\n%%EOF\n")

func TestFilesThatAreNoPDFsAreRefused(t *testing.T) {
	p := apptest.StartWithWorkers(t, func(c *config.Config) {
		trial := c.Plans["trial"]
		trial.PDFFileBytes = 2000
		c.Plans["trial"] = trial
	})
	p.NewUserOn("trial", "trial@example.org")
	trial := p.NewKey("trial@example.org")
	p.NewUserOn("none", "none@example.org")
	none := p.NewKey("none@example.org")
	locked := bytes.Replace(small, []byte("trailer<<"), []byte("6 0 obj<</Filter/Standard/V 1/R 2/O<"+strings.Repeat("41", 32)+">/U<"+strings.Repeat("42", 32)+">/P -4>>endobj\ntrailer<</ID[<00><00>]/Encrypt 6 0 R"), 1)
	for name, c := range map[string]struct {
		key, file string
		data      []byte
		fields    []apptest.Part
		status    int
		says      string
	}{
		"a picture":                   {"", "a.pdf", apptest.PNG(9, 9, 1), nil, 422, "This is no PDF"},
		"a picture by its own name":   {"", "a.png", apptest.PNG(9, 9, 1), nil, 422, "This is no PDF"},
		"nothing":                     {"", "a.pdf", nil, nil, 422, "This is no PDF"},
		"a PDF that is broken off":    {"", "a.pdf", small[:40], nil, 422, "damaged, or not all of it is there"},
		"PDF by its first line only":  {"", "a.pdf", []byte("%PDF-1.7\n<script>alert(1)</script>"), nil, 422, "damaged, or not all of it is there"},
		"a title that is too long":    {"", "a.pdf", small, []apptest.Part{apptest.Field("title", strings.Repeat("x", 201))}, 422, "title"},
		"a path":                      {"", "a.pdf", small, []apptest.Part{apptest.Field("relativePath", "a/b.pdf")}, 422, "relativePath is for documents of text"},
		"a collection that is not":    {"", "a.pdf", small, []apptest.Part{apptest.Field("kbId", "aaaaaaaaaaaaaaaaaaaaa")}, 404, "collection"},
		"larger than the plan has it": {trial, "a.pdf", append(bytes.Clone(small), make([]byte, 4000)...), nil, 422, "larger than the 2 KB"},
		"no plan":                     {none, "a.pdf", small, nil, 403, ""},
		"a plan":                      {trial, "a.pdf", small, nil, 201, ""},
		"a password":                  {"", "a.pdf", locked, nil, 201, "protected by a password"},
		"Markdown as a file":          {"", "a.md", []byte("# Title\n"), nil, 201, `"format":"markdown"`},
		"Markdown that is a PDF":      {"", "a.md", append(bytes.Clone(small), 0, 0xff), nil, 422, "content is not text"},
	} {
		t.Run(name, func(t *testing.T) {
			r := sendFile(t, p, c.key, c.file, c.data, c.fields...)
			if r.Status != c.status || !strings.Contains(string(r.Body), c.says) {
				t.Errorf("%d %s", r.Status, r.Body)
			}
		})
	}
	kept := p.Blobs()
	if len(kept) != 5 { // two PDFs, of one the text and the picture, one Markdown file
		t.Errorf("%d files are left: %q", len(kept), kept)
	}
}

func TestWithoutWorkersNoPDFsAreTaken(t *testing.T) {
	p := apptest.Start(t)
	if r := sendFile(t, p, "", "a.pdf", small); !strings.Contains(string(r.Body), "The PDF cannot be read") {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	if n := len(p.Blobs()); n != 0 {
		t.Errorf("%d files are left", n)
	}
}
