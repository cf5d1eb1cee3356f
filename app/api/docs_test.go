package api_test

import (
	"net/http"
	"testing"

	"picora/app/apptest"
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
	other := p.NewUser("other@example.org")
	_ = other
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
