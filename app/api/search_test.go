package api_test

import (
	"fmt"
	"net/url"
	"slices"
	"testing"

	"picora/app/apptest"
)

// TestSearchesFind asks before anything is indexed, and again when all is.
func TestSearchesFind(t *testing.T) {
	p := start(t)
	sea := p.Add("IMG_0012.png", picture(1), "title", "Crème am Meer", "tags", "holiday,Küste").ID
	shot := p.Add("myScreenShot.png", picture(2), "isPublic", "false").ID
	chinese := p.Add("海边日落.png", picture(3)).ID
	doc := uploadDoc(t, p, "notes.md", "# Notes\n\nThe lighthouse at dusk.\n\n灯塔在海边。\n")
	check := func(when string) {
		t.Helper()
		for query, want := range map[string][]string{
			"q=creme":               {sea},
			"q=CRÈME+meer":          {sea},
			"q=mee+kust":            {sea},
			"q=0012":                {sea},
			"q=img0012":             {sea},
			"q=screenshot":          {shot},
			"q=shot&isPublic=false": {shot},
			"q=shot&isPublic=true":  {},
			"q=日落":                  {chinese},
			"q=落":                   {chinese},
			"q=png":                 {sea, shot, chinese},
			"q=png&tag=holiday":     {sea},
			"q=png&type=doc":        {},
			"q=notes&type=document": {doc},
			"tag=holiday":           {sea},
			"tag=holi":              {},
			"tag=holiday&kbId=":     {sea},
			"q=png&kbId=":           {sea, shot, chinese},
		} {
			q, err := url.ParseQuery(query)
			if err != nil {
				t.Fatal(err)
			}
			for _, order := range []string{"", "size", "name"} {
				q.Set("sort", order)
				q.Set("limit", "2")
				if got := ids(t, p, "/v1/media", q); !sameSet(got, want) {
					t.Errorf("%s, %s by %q: %v, want %v", when, query, order, got, want)
				}
			}
		}
	}
	check("fresh")
	if err := p.App.Library().IndexNow(t.Context()); err != nil {
		t.Fatal(err)
	}
	check("indexed")
	for _, q := range []string{"lighthouse dusk", "灯塔", "海边 notes"} {
		if got := ids(t, p, "/v1/media", url.Values{"q": {q}}); !slices.Equal(got, []string{doc}) {
			t.Errorf("%q in the text of a document: %v", q, got)
		}
	}
	p.Play(t, scenario{Method: "PATCH", URL: "/v1/images/" + sea, Body: object{"title": "Berge"}, Status: 200})
	if got := ids(t, p, "/v1/media", url.Values{"q": {"creme"}}); len(got) > 0 {
		t.Errorf("what is not so any more is found: %v", got)
	}
	if got := ids(t, p, "/v1/media", url.Values{"q": {"berge"}}); !slices.Equal(got, []string{sea}) {
		t.Errorf("what is so now: %v", got)
	}
}

// uploadDoc uploads a document of text.
func uploadDoc(t *testing.T, p *apptest.Picora, name, content string) string {
	t.Helper()
	r := p.Play(t, scenario{Method: "POST", URL: "/v1/docs", Body: object{"filename": name, "content": content}, Status: 201})
	return fmt.Sprint(field(t, r, "id"))
}

func TestOneListOfAllKinds(t *testing.T) {
	p := start(t)
	i := p.Add("b10.png", picture(1)).ID
	d := uploadDoc(t, p, "B9.md", "# B9\n")
	p.Run(t,
		scenario{Name: "the document", URL: "/v1/media/" + d, Status: 200, Has: []string{`"type":"doc"`, `"format":"markdown"`, `"durationSeconds":null`}},
		scenario{Name: "the picture", URL: "/v1/media/" + i, Status: 200, Has: []string{`"type":"image"`}},
		scenario{Name: "a document is no picture", URL: "/v1/images/" + d, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "nor is it deleted as one", Method: "DELETE", URL: "/v1/images", Body: object{"ids": []string{d}}, Status: 200, Has: []string{`"deleted":0`, `"failed":1`}},
		scenario{Name: "nor asked for as one", Method: "POST", URL: "/v1/images/exists", Body: object{"hashes": []string{sum([]byte("# B9\n"))}}, Status: 200, Has: []string{`"existing":{}`}},
		scenario{Name: "both are counted", URL: "/v1/media", Status: 200, Has: []string{`"total":2`}},
		scenario{Name: "one is", URL: "/v1/media?type=doc", Status: 200, Has: []string{`"total":1`}},
	)
	for query, want := range map[string][]string{
		"":                     {d, i},
		"order=asc":            {i, d},
		"sort=name":            {d, i},
		"sort=name&order=desc": {i, d},
		"sort=size":            {i, d},
		"sort=size&order=asc":  {d, i},
		"type=doc":             {d},
	} {
		q, _ := url.ParseQuery(query + "&limit=1")
		if got := ids(t, p, "/v1/media", q); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
	p.Play(t, scenario{Method: "DELETE", URL: "/v1/media", Status: 200, Has: []string{d, `"failed":[]`}, Body: object{"items": []object{{"id": d, "type": "document"}, {"id": i, "type": "image"}}}})
}
