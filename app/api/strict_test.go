package api_test

import (
	"bytes"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"picora/app/apptest"
)

// strictRule is what Moraya's parser wants of a field of a media item: one that is
// otherwise breaks the whole list (contract 12).
var strictRules = map[string]struct {
	required bool
	form     string // of its JSON
}{
	"id": {true, `^"([A-Za-z0-9_-]{11}|[A-Za-z0-9_-]{21})"$`}, "type": {true, `^"(image|audio|video|doc)"$`},
	"filename": {true, `^".+"$`}, "sizeBytes": {true, `^[0-9]+$`}, "isPublic": {true, `^(true|false)$`},
	"createdAt": {true, `^"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"$`},
	"url":       {false, `^"https?://.*"$`}, "playbackUrl": {false, `^"https?://.*"$`}, "thumbnailUrl": {false, `^"https?://.*"$`},
	"title": {false, `^".*"$`}, "durationSeconds": {false, `^[0-9.]+$`}, "bitrate": {false, `^[0-9]{1,9}$`},
	"width": {false, `^[0-9]{1,9}$`}, "height": {false, `^[0-9]{1,9}$`}, "status": {false, `^".*"$`},
	"tags": {false, `^\[("[^"]*",?)*\]$`}, "mimeType": {false, `^".*"$`}, "kbId": {false, `^"[A-Za-z0-9_-]{21}"$`},
}

func strict(t *testing.T, where string, raw json.RawMessage) {
	t.Helper()
	var item map[string]json.RawMessage
	if err := json.Unmarshal(raw, &item); err != nil {
		t.Fatal(err)
	}
	for name, rule := range strictRules {
		v, has := item[name]
		if null := !has || string(v) == "null"; null && !rule.required {
			continue
		}
		if !regexp.MustCompile(rule.form).Match(v) {
			t.Errorf("%s: %s is %s in %s", where, name, v, raw)
		}
	}
}

// onePDF is the smallest PDF that has a page to draw.
var onePDF = []byte("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n" +
	"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]>>endobj\ntrailer<</Root 1 0 R/Size 4>>\n%%EOF\n")

func TestStrictClientsReadEveryKindInOneList(t *testing.T) {
	p := studio(t)
	album := makeAlbum(t, p, object{"name": "Everything"})
	kb := apptest.Field("kbId", album.ID)
	p.Play(t, scenario{Method: "POST", URL: "/v1/images", Status: 201, Body: parts{kb, apptest.File("a.png", pixel)}})
	text := addDoc(t, p, object{"filename": "a.md", "content": "# A\n", "isPublic": false, "kbId": album.ID, "relativePath": "notes/a.md"})
	pdf := p.Play(t, scenario{Method: "POST", URL: "/v1/docs", Status: 201, Golden: "doc-pdf", Body: parts{kb, apptest.Field("isPublic", "false"), apptest.File("b.pdf", onePDF)}})
	s := addSound(t, p, "c.wav", apptest.WAV(1, 1, 1), kb)
	settled(t, p, s.ID, func(s sound) bool { return s.Loudness != nil })

	var page struct{ Items []json.RawMessage }
	p.Play(t, scenario{URL: "/v1/media?kbId=" + album.ID, Status: 200, Golden: "media-mixed"}).Data(t, &page)
	if len(page.Items) != 4 {
		t.Fatalf("%d entries", len(page.Items))
	}
	for _, raw := range page.Items {
		strict(t, "the list", raw)
		var m struct {
			ID           string
			ThumbnailURL *string
		}
		if err := json.Unmarshal(raw, &m); err != nil {
			t.Fatal(err)
		}
		var one json.RawMessage
		p.Play(t, scenario{URL: "/v1/media/" + m.ID, Status: 200}).Data(t, &one)
		strict(t, "alone", one)
		if !bytes.Equal(one, raw) {
			t.Errorf("alone it is %s, in the list %s", one, raw)
		}
		if m.ID == text.ID {
			continue
		}
		if m.ThumbnailURL == nil {
			t.Errorf("no thumbnail: %s", raw)
		} else if r := p.Do("GET", *m.ThumbnailURL, nil, "Authorization", ""); r.Status != 200 {
			t.Errorf("the thumbnail %s cannot be shown: %d", *m.ThumbnailURL, r.Status)
		}
	}
	p.Run(t,
		scenario{Name: "the manifest of all kinds", URL: collections + "/" + album.ID + "/manifest?version=3", Status: 200, Golden: "manifest-mixed"},
		scenario{Name: "the changes of all kinds", URL: "/v1/sync/state?type=all", Status: 200, Golden: "sync-state"},
		scenario{Name: "the PDF alone", URL: "/v1/docs/" + field(t, pdf, "id").(string), Status: 200, Has: []string{`"thumbnailUrl":"http`}},
		scenario{Name: "some are deleted", Method: "DELETE", URL: "/v1/media", Status: 200, Golden: "media-deleted", Body: object{"items": []object{
			{"id": text.ID, "type": "doc"}, {"id": s.ID, "type": "video"}, {"id": "aaaaaaaaaaa", "type": "image"}}}},
		scenario{Name: "and one into the trash", Method: "DELETE", URL: "/v1/audio/" + s.ID + "?trash=true", Status: 204},
		scenario{Name: "the trash", URL: "/v1/trash", Status: 200, Golden: "trash"},
		scenario{Name: "what changed", URL: "/v1/sync/state?type=audio", Status: 200, Golden: "sync-state-deleted"},
		scenario{Name: "a cursor that is none", URL: "/v1/sync/state?since=" + url.QueryEscape("[]"), Status: 400, Code: "BAD_REQUEST", Has: []string{"since"}},
	)
}

// As everywhere, the type of a JSON body is not looked at.
func TestADocumentComesUnderAnyType(t *testing.T) {
	p := start(t)
	for _, kind := range []string{"", "application/x-www-form-urlencoded", "text/plain; charset=utf-8"} {
		body := `{"filename":"a.md","content":"` + kind + `."}`
		if r := p.Do("POST", "/v1/docs", strings.NewReader(body), "Content-Type", kind); r.Status != 201 {
			t.Errorf("%q: %d %s", kind, r.Status, r.Body)
		}
	}
}

func TestBatchesAnswerAsTheContractSays(t *testing.T) {
	p := start(t)
	kb := shelf(t, p)
	a, b := addDoc(t, p, object{"filename": "a.md", "content": "a"}), addDoc(t, p, object{"filename": "b.md", "content": "b", "isPublic": false})
	p.Run(t,
		scenario{Name: "moved documents are listed", Method: "POST", URL: "/v1/docs/batch-move", Status: 200, Golden: "docs-moved",
			Body: object{"ids": []string{a.ID, b.ID, strings.Repeat("a", 21)}, "kbId": kb}},
		scenario{Name: "and read, by anybody if they are public", As: apptest.Nobody, Method: "POST", URL: "/v1/docs/raw:batch", Status: 200, Golden: "docs-raw",
			Body: object{"ids": []string{a.ID, b.ID}}},
		scenario{Name: "deleted ones are counted", Method: "DELETE", URL: "/v1/docs", Status: 200, Golden: "docs-deleted",
			Body: object{"ids": []string{a.ID, strings.Repeat("a", 21)}}},
	)
}
