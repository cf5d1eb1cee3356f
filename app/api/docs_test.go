package api_test

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/app/config"
	"picora/store"
)

// wireDoc is a document on the wire, as far as tests read it.
type wireDoc struct {
	ID, Title, Filename, Format, SourceHash string
	SizeBytes                               int64
	WordCount, ImageCount, RewrittenCount   int
	IsPublic, Duplicate, HasInlineContent   bool
	Tags                                    []string
	CoverURL, KBID, RelativePath            *string
	FailedCount                             int
	Failures                                []struct {
		Index            int
		MIMEType, Reason string
	}
	Warnings             []string
	CreatedAt, UpdatedAt string
}

// addDoc uploads a document that must be taken.
func addDoc(t testing.TB, p *apptest.Picora, body object) (d wireDoc) {
	t.Helper()
	r := p.Ask(t, scenario{Method: "POST", URL: "/v1/docs", Body: body})
	if r.Status != http.StatusCreated && r.Status != http.StatusOK {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
	r.Data(t, &d)
	return d
}

func TestADocumentIsTakenAndReadByItsOwnerAndThePublic(t *testing.T) {
	p := start(t)
	text := "# Today\r\n\r\nIt rained, 下雨了.\n"
	open := addDoc(t, p, object{"filename": "today.md", "content": text})
	private := addDoc(t, p, object{"filename": "secret.md", "content": "# Mine", "isPublic": false})
	p.NewUser("other@example.org")
	key := p.NewKey("other@example.org")
	p.Run(t,
		scenario{Name: "golden", URL: "/v1/docs/" + open.ID, Status: 200, Golden: "doc"},
		scenario{Name: "the public sees it", As: apptest.Nobody, URL: "/v1/docs/" + open.ID, Status: 200},
		scenario{Name: "and not the private one", As: apptest.Nobody, URL: "/v1/docs/" + private.ID, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "nor does another", As: key, URL: "/v1/docs/" + private.ID, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "nor its text", As: key, URL: "/v1/docs/" + private.ID + "/raw", Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "the owner does", URL: "/v1/docs/" + private.ID, Status: 200},
		scenario{Name: "a bad key is told so", As: "garbage", URL: "/v1/docs/" + open.ID, Status: 401, Code: "UNAUTHORIZED"},
	)
	r := p.Ask(t, scenario{As: apptest.Nobody, URL: "/v1/docs/" + open.ID + "/raw"})
	if r.Status != 200 || string(r.Body) != text || r.Header.Get("Content-Type") != "text/markdown; charset=utf-8" ||
		r.Header.Get("X-Source-Hash") != sum([]byte(text)) || r.Header.Get("X-Updated-At") != open.UpdatedAt ||
		r.Header.Get("Cache-Control") != "public, max-age=300" {
		t.Errorf("%d %v %q", r.Status, r.Header, r.Body)
	}
	if r = p.Ask(t, scenario{URL: "/v1/docs/" + open.ID + "/raw", Headers: []string{"If-None-Match", r.Header.Get("ETag")}}); r.Status != 304 || len(r.Body) > 0 {
		t.Errorf("%d %q", r.Status, r.Body)
	}
	if r = p.Ask(t, scenario{URL: "/v1/docs/" + private.ID + "/raw"}); r.Status != 200 || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v", r.Status, r.Header)
	}
}

// shelf makes a collection of documents and returns its id.
func shelf(t testing.TB, p *apptest.Picora) string {
	t.Helper()
	c, err := p.App.Store().CreateCollection(t.Context(), store.Collection{User: p.User, Name: "Notes", Slug: "notes-" + strings.ToLower(rand.Text()), Allowed: []store.Kind{store.Doc}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c.ID
}

// rawText is a document's text.
func rawText(t testing.TB, p *apptest.Picora, id string) string {
	t.Helper()
	return string(p.Play(t, scenario{URL: "/v1/docs/" + id + "/raw", Status: 200}).Body)
}

// versioned turns revisions on, at most so many a document.
func versioned(t testing.TB, p *apptest.Picora, most int) {
	t.Helper()
	p.Play(t, scenario{Method: "PATCH", URL: "/v1/user/me", Body: object{"docVersioningEnabled": true, "docVersioningMax": most}, Status: 200})
}

func TestWhatNoDocumentMayBeIsRefused(t *testing.T) {
	p := start(t)
	pictures, err := p.App.Store().CreateCollection(t.Context(), store.Collection{User: p.User, Name: "P", Slug: "p", Allowed: []store.Kind{store.Image}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	post := func(name string, body any, status int, code string, has ...string) scenario {
		s := scenario{Name: name, Method: "POST", URL: "/v1/docs", Body: body, Status: status, Code: code, Has: has}
		return s
	}
	many := make([]string, 11)
	for i := range many {
		many[i] = strings.Repeat("t", i+1)
	}
	p.Run(t,
		post("no content", object{"filename": "a.md"}, 422, "VALIDATION_ERROR", "content"),
		post("empty content", object{"filename": "a.md", "content": ""}, 422, "VALIDATION_ERROR", "content"),
		post("NUL", object{"filename": "a.md", "content": "a\x00b"}, 422, "VALIDATION_ERROR", "content"),
		post("content of another type", object{"filename": "a.md", "content": 5}, 422, "VALIDATION_ERROR", "content"),
		post("no name", object{"content": "a"}, 422, "VALIDATION_ERROR", "filename"),
		post("a long name", object{"filename": strings.Repeat("a", 300) + ".md", "content": "a"}, 422, "VALIDATION_ERROR", "filename"),
		post("another ending", object{"filename": "a.txt", "content": "a"}, 422, "VALIDATION_ERROR", ".typ"),
		post("a long title", object{"filename": "a.md", "content": "a", "title": strings.Repeat("好", 201)}, 422, "VALIDATION_ERROR", "title"),
		post("many tags", object{"filename": "a.md", "content": "a", "tags": many}, 422, "VALIDATION_ERROR", "tags"),
		post("a long tag", object{"filename": "a.md", "content": "a", "tags": []string{strings.Repeat("t", 33)}}, 422, "VALIDATION_ERROR", "tags"),
		post("a collection without a path", object{"filename": "a.md", "content": "a", "kbId": shelf(t, p)}, 422, "VALIDATION_ERROR", "relativePath"),
		post("a path without a collection", object{"filename": "a.md", "content": "a", "relativePath": "a.md"}, 422, "VALIDATION_ERROR", "kbId"),
		post("a path that leads out", object{"filename": "a.md", "content": "a", "kbId": shelf(t, p), "relativePath": "../a.md"}, 422, "VALIDATION_ERROR", "relativePath"),
		post("a path from the root", object{"filename": "a.md", "content": "a", "kbId": shelf(t, p), "relativePath": "/a.md"}, 422, "VALIDATION_ERROR", "relativePath"),
		post("nobody's collection", object{"filename": "a.md", "content": "a", "kbId": strings.Repeat("a", 21), "relativePath": "a.md"}, 404, "NOT_FOUND", "collection"),
		post("a collection of pictures", object{"filename": "a.md", "content": "a", "kbId": pictures.ID, "relativePath": "a.md"}, 422, "VALIDATION_ERROR", "collection"),
		post("no JSON", []byte("# a"), 400, "BAD_REQUEST"),
		post("a form without a file", parts{apptest.Field("content", "# a")}, 422, "VALIDATION_ERROR", "no file"),
		post("too much", object{"filename": "a.md", "content": strings.Repeat("a", 5<<20+1)}, 422, "VALIDATION_ERROR", "5 MB"),
		post("far too much", object{"filename": "a.md", "content": strings.Repeat("a", 12<<20)}, 422, "VALIDATION_ERROR", "5 MB"),
		post("as much as there may be", object{"filename": "a.md", "content": strings.Repeat("a", 5<<20)}, 201, ""),
		scenario{Name: "a page of no size", URL: "/v1/docs?limit=0", Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "another order", URL: "/v1/docs?sort=size", Status: 422, Code: "VALIDATION_ERROR", Has: []string{"sort"}},
		scenario{Name: "a word for a switch", URL: "/v1/docs?isPublic=perhaps", Status: 422, Code: "VALIDATION_ERROR", Has: []string{"isPublic"}},
		scenario{Name: "a collection of another form", URL: "/v1/docs?kbId=x", Status: 422, Code: "VALIDATION_ERROR", Has: []string{"kbId"}},
		scenario{Name: "a cursor of nobody's", URL: "/v1/docs?cursor=x", Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "a batch of nothing", Method: "POST", URL: "/v1/docs/raw:batch", Body: object{"ids": []string{}}, Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "a batch of too many", Method: "POST", URL: "/v1/docs/raw:batch", Body: object{"ids": make([]string, 51)}, Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "a deletion of too many", Method: "DELETE", URL: "/v1/docs", Body: object{"ids": make([]string, 51)}, Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "a picture is no document", URL: "/v1/docs/" + strings.Repeat("a", 11), Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "knowledge bases are not here", URL: "/v1/kbs", Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "nor is one", Method: "POST", URL: "/v1/kbs/" + strings.Repeat("a", 21) + "/sync", Body: object{}, Status: 404, Code: "NOT_FOUND"},
	)
	if n, err := p.App.Store().Count(t.Context(), p.User, store.Doc); err != nil || n.N != 1 || len(p.Blobs()) != 1 {
		t.Errorf("refusals left %+v and %d files: %v", n, len(p.Blobs()), err)
	}
}

func TestThePlanBoundsDocuments(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t, func(c *config.Config) {
		trial := c.Plans["trial"]
		trial.DocCount, trial.DocFileBytes, trial.DocImages = 1, 1000, 1
		c.Plans["trial"] = trial
	})
	p.User = p.NewUserOn("trial", "small@example.org")
	p.Key = p.NewKey("small@example.org")
	versioned(t, p, 5)
	kb := shelf(t, p)
	put := func(text string) object {
		return object{"filename": "a.md", "content": text, "kbId": kb, "relativePath": "a.md"}
	}
	p.Run(t,
		scenario{Name: "too long for the plan", Method: "POST", URL: "/v1/docs", Body: put(strings.Repeat("a", 1001)), Status: 422, Code: "VALIDATION_ERROR", Has: []string{"content"}},
		scenario{Name: "the first", Method: "POST", URL: "/v1/docs", Body: put("one"), Status: 201},
		scenario{Name: "the second", Method: "POST", URL: "/v1/docs", Body: object{"filename": "b.md", "content": "two"}, Status: 403, Code: "QUOTA_EXCEEDED", Has: []string{"quota", `"type":"doc_count"`}},
		scenario{Name: "the first again", Method: "POST", URL: "/v1/docs", Body: put("one"), Status: 200, Has: []string{`"duplicate":true`}},
		scenario{Name: "another text in its place", Method: "POST", URL: "/v1/docs", Body: put("two"), Status: 201},
		scenario{Name: "pictures above the plan stay embedded", Method: "POST", URL: "/v1/docs", Body: put("![](" + embed("image/png", picture(1)) + ") ![](" + embed("image/png", picture(2)) + ")"), Status: 201,
			Has: []string{`"rewrittenCount":1`, `"failedCount":1`, `"index":1`}},
		scenario{Name: "what there is", URL: "/v1/user/me/usage", Status: 200, Has: []string{`"docs":{"totalCount":1`, `"revisionCount":2,"revisionBytes":6`}},
	)
	if _, err := p.App.Store().UpdateUser(t.Context(), p.User, func(u *store.User) error { u.Plan = "none"; return nil }); err != nil {
		t.Fatal(err)
	}
	id, rev := firstRevision(t, p)
	p.Run(t,
		scenario{Name: "nobody writes without a plan", Method: "POST", URL: "/v1/docs", Body: put("three"), Status: 403, Code: "PLAN_INACTIVE"},
		scenario{Name: "nor goes back", Method: "POST", URL: "/v1/docs/" + id + "/revisions/" + rev + "/restore", Status: 403, Code: "PLAN_INACTIVE"},
		scenario{Name: "but reads", URL: "/v1/docs/" + id + "/revisions/" + rev, Status: 200, Has: []string{`"content":"two"`}},
	)
}

// firstRevision is the only document, and its newest revision.
func firstRevision(t testing.TB, p *apptest.Picora) (doc, rev string) {
	t.Helper()
	page, err := p.App.Store().ListMedia(t.Context(), p.User, store.Query{Kind: store.Doc, Limit: 2})
	if err != nil || len(page.Items) != 1 {
		t.Fatal(len(page.Items), err)
	}
	list, err := p.App.Store().Revisions(t.Context(), p.User, page.Items[0].Text.Lineage)
	if err != nil || len(list) == 0 {
		t.Fatal(list, err)
	}
	return page.Items[0].ID, list[0].ID
}

func TestTheSameTextIsOneDocument(t *testing.T) {
	p := start(t)
	first := addDoc(t, p, object{"filename": "a.md", "content": "# One", "tags": []string{"x"}})
	again := addDoc(t, p, object{"filename": "b.md", "content": "# One", "tags": []string{"y"}, "isPublic": false})
	if again.ID != first.ID || !again.Duplicate || again.Filename != "a.md" || again.Tags[0] != "x" || !again.IsPublic || len(p.Blobs()) != 1 {
		t.Errorf("%+v", again)
	}
	p.NewUser("other@example.org")
	r := p.Ask(t, scenario{As: p.NewKey("other@example.org"), Method: "POST", URL: "/v1/docs", Body: object{"filename": "a.md", "content": "# One"}})
	if r.Status != 201 {
		t.Errorf("another's: %d %s", r.Status, r.Body)
	}
	// In the trash, it is not there.
	p.Play(t, scenario{Method: "DELETE", URL: "/v1/docs/" + first.ID, Status: 200})
	if d := addDoc(t, p, object{"filename": "a.md", "content": "# One"}); d.ID == first.ID || d.Duplicate {
		t.Errorf("%+v", d)
	}
}

func TestTitlesTagsAndVisibilityComeFromWhereTheyAreSaid(t *testing.T) {
	p := start(t)
	front := "---\ntitle: Front\ntags: [a, b]\npublic: false\n---\n# Head\n\n"
	n := 0
	for _, c := range []struct {
		name, file, text string
		fields           object
		title            string
		tags             string
		public           bool
	}{
		{"the fields come first", "a.md", front, object{"title": "Field", "tags": []string{"z"}, "isPublic": true}, "Field", "[z]", true},
		{"then the front matter", "a.md", front, nil, "Front", "[a b]", false},
		{"then the heading", "a.md", "text\n\n# The *first*  `one`\n\n# Two\n", nil, "The first one", "[]", true},
		{"an underlined heading", "a.md", "The first\n=====\n", nil, "The first", "[]", true},
		{"then the file", "My notes.markdown", "text", nil, "My notes", "[]", true},
		{"a heading in code is none", "a.md", "```\n# Code\n```\n", nil, "a", "[]", true},
		{"a heading of Typst", "a.typ", "#set page()\n= Erste\ntext", nil, "Erste", "[]", true},
		{"a title of Typst", "a.typ", "#set document(title: \"Thema\")\n= Erste\n", nil, "Thema", "[]", true},
		{"the other spelling", "a.md", "text 2", object{"is_public": false}, "a", "[]", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			n++
			body := object{"filename": c.file, "content": c.text + strings.Repeat(" ", n)}
			for k, v := range c.fields {
				body[k] = v
			}
			d := addDoc(t, p, body)
			if d.Title != c.title || fmt.Sprint(d.Tags) != c.tags || d.IsPublic != c.public {
				t.Errorf("%q %v %v", d.Title, d.Tags, d.IsPublic)
			}
			if rawText(t, p, d.ID) != body["content"] {
				t.Error("the text is another")
			}
		})
	}
}

func TestListsOfDocuments(t *testing.T) {
	p := start(t)
	kb := shelf(t, p)
	a := addDoc(t, p, object{"filename": "Zeta.md", "content": "1", "tags": []string{"x"}})
	b := addDoc(t, p, object{"filename": "50%_off.md", "content": "2", "isPublic": false})
	c := addDoc(t, p, object{"filename": "c.md", "content": "# Alpha", "kbId": kb, "relativePath": "notes/Deep/c.md"})
	d := addDoc(t, p, object{"filename": "d.md", "content": "# Beta 你好", "kbId": kb, "relativePath": "notes2/d.md"})
	p.Advance(time.Second)
	p.Play(t, scenario{Method: "PATCH", URL: "/v1/docs/" + a.ID, Body: object{"tags": []string{"x", "y"}}, Status: 200})
	names := map[string]string{a.ID: "a", b.ID: "b", c.ID: "c", d.ID: "d"}
	for query, want := range map[string]string{
		"":                         "adcb",
		"sort=created_at":          "dcba",
		"sort=title":               "bcda",
		"tag=x":                    "a",
		"tag=none":                 "",
		"isPublic=false":           "b",
		"is_public=true":           "adc",
		"kbId=" + kb:               "dc",
		"kbId=null":                "ab",
		"prefix=notes/":            "c",
		"prefix=notes":             "dc",
		"q=%25_":                   "b",
		"q=_":                      "b",
		"q=%25":                    "b",
		"q=alpha":                  "c",
		"q=deep":                   "c",
		"q=ZETA":                   "a",
		"q=%E4%BD%A0%E5%A5%BD":     "d",
		"q=nothing":                "",
		"kbId=null&isPublic=false": "b",
	} {
		got := ""
		for q := query; ; {
			r := p.Play(t, scenario{URL: "/v1/docs?limit=2&" + q, Status: 200})
			var out struct {
				Items      []wireDoc
				NextCursor *string
				HasMore    bool
				Total      *int
			}
			r.Data(t, &out)
			for _, i := range out.Items {
				got += names[i.ID]
			}
			if (out.NextCursor != nil) != out.HasMore || out.HasMore && len(out.Items) == 0 {
				t.Errorf("%s: %s", query, r.Body)
			}
			if query == "" && (out.Total == nil || *out.Total != 4) {
				t.Errorf("total is wrong: %s", r.Body)
			}
			if out.NextCursor == nil {
				break
			}
			q = query + "&cursor=" + *out.NextCursor
		}
		if got != want {
			t.Errorf("%q: %s, want %s", query, got, want)
		}
	}
	p.Run(t, scenario{Name: "golden", URL: "/v1/docs?kbId=null&sort=created_at", Status: 200, Golden: "docs"})
}

func TestDocumentsAreChanged(t *testing.T) {
	p := start(t)
	kb, kb2 := shelf(t, p), shelf(t, p)
	d := addDoc(t, p, object{"filename": "a.md", "content": "# One"})
	addDoc(t, p, object{"filename": "b.md", "content": "# Two", "kbId": kb, "relativePath": "b.md"})
	image := p.Add("a.png", pixel).ID
	patch := func(name string, body any, status int, code string, has ...string) scenario {
		return scenario{Name: name, Method: "PATCH", URL: "/v1/docs/" + d.ID, Body: body, Status: status, Code: code, Has: has}
	}
	p.Run(t,
		patch("nothing", `{}`, 422, "VALIDATION_ERROR", "title"),
		patch("nothing that is known", `{"content":"x"}`, 422, "VALIDATION_ERROR", "title"),
		patch("a long title", object{"title": strings.Repeat("a", 201)}, 422, "VALIDATION_ERROR", "title"),
		patch("a path in no collection", object{"relativePath": "x.md"}, 422, "VALIDATION_ERROR", "kbId"),
		patch("nobody's collection", object{"kbId": strings.Repeat("b", 21)}, 404, "NOT_FOUND"),
		patch("the place of another", object{"kbId": kb, "relativePath": "b.md"}, 409, "CONFLICT", "path"),
		patch("all at once", object{"title": " New ", "tags": []string{"t"}, "isPublic": false, "kbId": kb, "relativePath": "x/y.md"}, 200, "", `"title":"New"`, `"tags":["t"]`, `"isPublic":false`, `"relativePath":"x/y.md"`),
		patch("within the collection", object{"relativePath": "z.md"}, 200, "", `"relativePath":"z.md"`),
		patch("to another collection", object{"kbId": kb2}, 200, "", `"relativePath":"z.md"`, kb2),
		patch("out of it", object{"kbId": nil}, 200, "", `"kbId":null,"relativePath":null`),
		patch("in again", object{"kbId": kb}, 200, "", `"relativePath":"a.md"`),
		patch("no title of its own", object{"title": nil}, 200, "", `"title":"a"`),
		patch("the other spelling", object{"is_public": true}, 200, "", `"isPublic":true`),
		scenario{Name: "a picture", Method: "PATCH", URL: "/v1/docs/" + image, Body: object{"title": "x"}, Status: 404, Code: "NOT_FOUND"},
	)
}

func TestDocumentsAreDeletedIntoTheTrashOrForGood(t *testing.T) {
	p := start(t)
	a, b, c := addDoc(t, p, object{"filename": "a.md", "content": "1"}), addDoc(t, p, object{"filename": "b.md", "content": "2"}), addDoc(t, p, object{"filename": "c.md", "content": "3"})
	image := p.Add("a.png", pixel).ID
	p.Run(t,
		scenario{Name: "a word for a switch", Method: "DELETE", URL: "/v1/docs/" + a.ID + "?hard=perhaps", Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "into the trash", Method: "DELETE", URL: "/v1/docs/" + a.ID, Status: 200, Has: []string{`"data":null`}},
		scenario{Name: "the link is dead", URL: "/v1/docs/" + a.ID, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "and the text", URL: "/v1/docs/" + a.ID + "/raw", Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "once", Method: "DELETE", URL: "/v1/docs/" + a.ID, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "several for good", Method: "DELETE", URL: "/v1/docs?hard=true", Body: object{"ids": []string{b.ID, b.ID, image, "nothing"}}, Status: 200, Has: []string{`{"deleted":1,"failed":3}`}},
		scenario{Name: "the picture is there", URL: "/v1/images/" + image, Status: 200},
		scenario{Name: "several into the trash", Method: "DELETE", URL: "/v1/docs", Body: object{"ids": []string{c.ID}}, Status: 200, Has: []string{`{"deleted":1,"failed":0}`}},
	)
	page, err := p.App.Store().ListTrash(t.Context(), p.User, "", 9)
	if err != nil || len(page.Items) != 2 {
		t.Fatalf("%d in the trash: %v", len(page.Items), err)
	}
	if _, err := p.App.Store().RestoreMedia(t.Context(), p.User, []string{a.ID}); err != nil {
		t.Fatal(err)
	}
	if rawText(t, p, a.ID) != "1" {
		t.Error("what came back is another")
	}
}

func TestManyTextsAreReadAtOnce(t *testing.T) {
	p := start(t)
	odd := "quotes \" \\ tabs\t\r\n\x01\x7f 你好 \u2028 <b>&"
	a := addDoc(t, p, object{"filename": "a.md", "content": odd})
	b := addDoc(t, p, object{"filename": "b.md", "content": "private", "isPublic": false})
	big := addDoc(t, p, object{"filename": "c.md", "content": strings.Repeat("好", 1<<20)})
	ask := func(as string, ids ...string) (out struct {
		Docs   []struct{ ID, Content, UpdatedAt, SourceHash string }
		Failed []struct{ ID, Reason string }
	}) {
		t.Helper()
		p.Play(t, scenario{As: as, Method: "POST", URL: "/v1/docs/raw:batch", Body: object{"ids": ids}, Status: 200}).Data(t, &out)
		return out
	}
	out := ask("", big.ID, "nothing", a.ID, b.ID)
	if len(out.Docs) != 3 || out.Docs[0].ID != big.ID || len(out.Docs[0].Content) != 3<<20 || out.Docs[1].Content != odd || out.Docs[1].SourceHash != sum([]byte(odd)) || out.Docs[2].Content != "private" || out.Docs[2].UpdatedAt != b.UpdatedAt {
		t.Errorf("%.300v", out)
	}
	if len(out.Failed) != 1 || out.Failed[0].ID != "nothing" || out.Failed[0].Reason != "NOT_FOUND" {
		t.Errorf("%v", out.Failed)
	}
	if out = ask(apptest.Nobody, b.ID, a.ID); len(out.Docs) != 1 || out.Docs[0].ID != a.ID || len(out.Failed) != 1 {
		t.Errorf("the public reads %.300v", out)
	}
	for _, f := range p.Blobs() { // its bytes are lost
		if s, err := os.Stat(f); err == nil && s.Size() == int64(len(odd)) {
			if err := os.Remove(f); err != nil {
				t.Fatal(err)
			}
		}
	}
	if out = ask("", a.ID, b.ID); len(out.Docs) != 1 || len(out.Failed) != 1 || out.Failed[0].Reason != "CONTENT_FETCH_FAILED" {
		t.Errorf("%v", out)
	}
}

func TestReplacedTextsAreRevisionsAndComeBack(t *testing.T) {
	p := start(t)
	kb := shelf(t, p)
	put := func(text string, more ...any) wireDoc {
		body := object{"filename": "a.md", "content": text, "kbId": kb, "relativePath": "n/a.md"}
		for i := 0; i < len(more); i += 2 {
			body[more[i].(string)] = more[i+1]
		}
		return addDoc(t, p, body)
	}
	zero := put("zero")
	one := put("# One", "isPublic", false, "tags", []string{"t"}) // versions are off: zero goes
	versioned(t, p, 2)
	two := put("# Two")
	if two.ID == one.ID || two.IsPublic || fmt.Sprint(two.Tags) != "[t]" || two.Title != "Two" || two.CreatedAt != zero.CreatedAt {
		t.Errorf("%+v", two)
	}
	type list struct {
		Revisions []struct {
			ID, Origin, SourceHash string
			RevNumber, SizeBytes   int
		}
		TotalBytes int
	}
	revisions := func(id string) (l list) {
		t.Helper()
		p.Play(t, scenario{URL: "/v1/docs/" + id + "/revisions", Status: 200}).Data(t, &l)
		return l
	}
	l := revisions(two.ID)
	if len(l.Revisions) != 1 || l.TotalBytes != 5 || l.Revisions[0].RevNumber != 2 || l.Revisions[0].Origin != "sync" || l.Revisions[0].SourceHash != sum([]byte("# One")) {
		t.Errorf("%+v", l)
	}
	back := l.Revisions[0].ID
	p.Run(t,
		scenario{Name: "the old id is gone", URL: "/v1/docs/" + one.ID, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "golden list", URL: "/v1/docs/" + two.ID + "/revisions", Status: 200, Golden: "doc-revisions"},
		scenario{Name: "of no id at all", URL: "/v1/docs/doc_1/revisions", Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "golden revision", URL: "/v1/docs/" + two.ID + "/revisions/" + back, Status: 200, Golden: "doc-revision"},
		scenario{Name: "another revision", URL: "/v1/docs/" + two.ID + "/revisions/" + strings.Repeat("a", 21), Status: 404, Code: "DOC_REVISION_NOT_FOUND"},
		scenario{Name: "no revision", URL: "/v1/docs/" + two.ID + "/revisions/x", Status: 404, Code: "DOC_REVISION_NOT_FOUND"},
		scenario{Name: "back", Method: "POST", URL: "/v1/docs/" + two.ID + "/revisions/" + back + "/restore", Status: 200, Golden: "doc-restored"},
	)
	id, _ := firstRevision(t, p)
	if rawText(t, p, id) != "# One" {
		t.Error("the text is another")
	}
	if l = revisions(id); len(l.Revisions) != 2 || l.Revisions[0].RevNumber != 3 || l.Revisions[1].ID != back {
		t.Errorf("%+v", l)
	}
	p.Play(t, scenario{Method: "POST", URL: "/v1/docs/" + id + "/revisions/" + back + "/restore", Status: 200, Has: []string{`"duplicate":true`, id}})
	four := put("# Four")
	if l = revisions(four.ID); len(l.Revisions) != 2 || l.Revisions[0].Origin != "restore" || l.Revisions[0].RevNumber != 4 {
		t.Errorf("pruned to two: %+v", l)
	}
	p.Play(t, scenario{Method: "PATCH", URL: "/v1/docs/" + four.ID, Body: object{"kbId": nil}, Status: 200})
	p.Play(t, scenario{Method: "POST", URL: "/v1/docs/" + four.ID + "/revisions/" + l.Revisions[0].ID + "/restore", Status: 422, Code: "VALIDATION_ERROR"})
	p.Play(t, scenario{Method: "DELETE", URL: me + "/doc-revisions", Status: 200, Has: []string{`{"deleted":2,"freedBytes":10,"hasMore":false}`}})
	p.Play(t, scenario{URL: me + "/usage", Status: 200, Has: []string{`"revisionCount":0`}})
	if l = revisions(four.ID); len(l.Revisions) != 0 {
		t.Errorf("%+v", l)
	}
	eventually(t, func() bool { return len(p.Blobs()) == 1 })
}

// eventually waits for what happens in the background.
func eventually(t testing.TB, done func() bool) {
	t.Helper()
	for range 3000 {
		if done() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("it does not happen")
}

// embed is a picture as an address.
func embed(kind string, b []byte) string {
	return "data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(b)
}

func TestEmbeddedPicturesAreStored(t *testing.T) {
	p := start(t)
	png, other := embed("image/png", pixel), embed("image/png", picture(5))
	svg := embed("image/svg+xml", []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="2" height="2"><script>alert(1)</script><rect width="1" height="1"/></svg>`))
	text := "\ufeff---\ntitle: T\n---\r\n# A " + "![alt (x)](" + png + " \"title\")\r\n\r\n![ref][one] ![local](../a.png) ![web](https://example.org/a(1).png)\r\n" +
		"<img alt='x' src=\"" + other + "\" width=5> <IMG SRC='" + svg + "'>\r\n\r\n```\r\n![code](" + png + ")\r\n```\r\n\r\n" +
		"`" + png + "` ![bad](data:image/png;base64,AAAA) ![big](data:image/bmp;base64,Qk0=)\r\n\r\n[one]: " + png + " 'again'\r\n"
	d := addDoc(t, p, object{"filename": "a.md", "content": text})
	images := map[string]apptest.Image{}
	page := readPage(t, p, "/v1/images", url.Values{})
	for _, i := range page.Items {
		images[i.MIMEType+fmt.Sprint(*i.Width)] = i
	}
	one, two, three := images["image/png1"], images["image/png4"], images["image/svg+xml2"]
	if len(page.Items) != 3 {
		t.Fatalf("%d pictures: %+v", len(page.Items), d)
	}
	want := strings.NewReplacer(
		"(x)]("+png, "(x)]("+one.URL, "src=\""+other, "src=\""+two.URL, "SRC='"+svg, "SRC='"+three.URL, "[one]: "+png, "[one]: "+one.URL,
	).Replace(text)
	if got := rawText(t, p, d.ID); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if d.ImageCount != 8 || d.RewrittenCount != 4 || d.FailedCount != 2 || len(d.Failures) != 2 || d.Failures[0].MIMEType != "image/png" || d.Failures[1].MIMEType != "image/bmp" || len(d.Warnings) != 1 || !strings.Contains(d.Warnings[0], "../a.png") {
		t.Errorf("%+v", d)
	}
	if d.CoverURL == nil || *d.CoverURL != one.URL || d.SourceHash != sum([]byte(text)) || d.SizeBytes != int64(len(want)) {
		t.Errorf("%+v", d)
	}
	if r := p.Do("GET", three.URL, nil); r.Status != 200 || strings.Contains(string(r.Body), "script") {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	if again := addDoc(t, p, object{"filename": "a.md", "content": text}); again.ID != d.ID || !again.Duplicate {
		t.Errorf("%+v", again)
	}
	kept := addDoc(t, p, object{"filename": "b.md", "content": text + " ", "rewriteImages": false})
	if rawText(t, p, kept.ID) != text+" " || kept.RewrittenCount != 0 || kept.CoverURL == nil || *kept.CoverURL != "https://example.org/a(1).png" {
		t.Errorf("%+v", kept)
	}
}

func TestWithoutRoomPicturesStayEmbedded(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t, func(c *config.Config) {
		trial := c.Plans["trial"]
		trial.ImageStorageBytes = int64(len(pixel))
		c.Plans["trial"] = trial
	})
	p.User = p.NewUserOn("trial", "small@example.org")
	p.Key = p.NewKey("small@example.org")
	a, b := embed("image/png", pixel), embed("image/png", picture(9))
	text := "![](" + a + ")\n![](" + b + ")\n![](" + a + ")"
	d := addDoc(t, p, object{"filename": "a.md", "content": text})
	if got := rawText(t, p, d.ID); strings.Count(got, b) != 1 || strings.Contains(got, a) {
		t.Errorf("%q", got)
	}
	if d.RewrittenCount != 2 || d.FailedCount != 1 || d.Failures[0].Index != 1 || !strings.Contains(d.Failures[0].Reason, "quota") {
		t.Errorf("%+v", d)
	}
}

func TestATextIsShownWhileItIsWritten(t *testing.T) {
	p := apptest.StartWithWorkers(t)
	show := func(text string) scenario {
		return scenario{Method: "POST", URL: "/v1/docs/preview", Body: object{"content": text}}
	}
	var page struct {
		HTML   string
		Headed bool
	}
	text := "---\ntitle: T\n---\n# Today\n\n<script>alert(1)</script>\n\n*rain* ![x](https://elsewhere.example/x.png) <b onclick=x>b</b>"
	var r apptest.Response
	eventually(t, func() bool { // the first worker takes a while to start
		r = p.Ask(t, show(text))
		return r.Status != 422
	})
	r.Data(t, &page)
	if r.Status != 200 || !page.Headed || !strings.Contains(page.HTML, "<em>rain</em>") {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	for _, bad := range []string{"script", "onclick", "<img", "title: T"} {
		if strings.Contains(page.HTML, bad) {
			t.Errorf("the preview has %q: %s", bad, page.HTML)
		}
	}
	long := strings.Repeat("a", 512<<10+1)
	p.Run(t,
		scenario{Name: "no text", Method: "POST", URL: "/v1/docs/preview", Body: object{}, Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "too long", Method: "POST", URL: "/v1/docs/preview", Body: object{"content": long}, Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "much too long", Method: "POST", URL: "/v1/docs/preview", Body: object{"content": long + long + long + long}, Status: 413, Code: "PAYLOAD_TOO_LARGE"},
		scenario{Name: "nobody", As: apptest.Nobody, Method: "POST", URL: "/v1/docs/preview", Body: object{"content": "x"}, Status: 401, Code: "UNAUTHORIZED"},
		scenario{Name: "nothing was stored", URL: "/v1/docs", Status: 200, Has: []string{`"items":[]`}},
	)
}
