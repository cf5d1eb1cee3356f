package api_test

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
)

// thrownAway is an entry of the trash on the wire.
type thrownAway struct {
	ID, Type, DeletedAt, PurgeAt string
	URL                          *string
}

func trashOf(t *testing.T, p *apptest.Picora) (out []thrownAway) {
	t.Helper()
	q := url.Values{"limit": {"2"}}
	for {
		var page struct {
			Items      []thrownAway
			NextCursor *string
			Total      int
		}
		p.Play(t, scenario{URL: "/v1/trash?" + q.Encode(), Status: 200}).Data(t, &page)
		out = append(out, page.Items...)
		if page.NextCursor == nil {
			if page.Total != len(out) {
				t.Errorf("a total of %d, there are %d", page.Total, len(out))
			}
			return out
		}
		q.Set("cursor", *page.NextCursor)
	}
}

func throw(t *testing.T, p *apptest.Picora, id string) {
	t.Helper()
	p.Play(t, scenario{Method: "DELETE", URL: "/v1/images/" + id + "?trash=true", Status: 200})
}

func TestWhatIsInTheTrashIsNowhereElse(t *testing.T) {
	p := start(t)
	i := p.Add("harbour.png", picture(1), "title", "Harbour")
	kept := p.Add("b.png", picture(2))
	blobs := len(p.Blobs())
	if r := p.Do("GET", i.URL, nil); r.Status != 200 {
		t.Fatal(r.Status)
	}
	throw(t, p, i.ID)
	list := trashOf(t, p)
	if len(list) != 1 || list[0].ID != i.ID || list[0].Type != "image" || list[0].URL != nil {
		t.Fatalf("the trash has %+v", list)
	}
	deleted, err := time.Parse(time.RFC3339, list[0].DeletedAt)
	purge, err2 := time.Parse(time.RFC3339, list[0].PurgeAt)
	if err != nil || err2 != nil || purge.Sub(deleted) != 30*24*time.Hour {
		t.Errorf("deleted at %s, to end at %s", list[0].DeletedAt, list[0].PurgeAt)
	}
	p.Run(t,
		scenario{Name: "its link is dead", As: apptest.Nobody, URL: i.URL[strings.LastIndex(i.URL, "/"):], Status: 404},
		scenario{Name: "it is not found by its id", URL: "/v1/images/" + i.ID, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "nor among all media", URL: "/v1/media/" + i.ID, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "it cannot be changed", Method: "PATCH", URL: "/v1/images/" + i.ID, Body: object{"title": "x"}, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "nor deleted, as if it were there", Method: "DELETE", URL: "/v1/images/" + i.ID, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "its content is said to be missing", Method: "POST", URL: "/v1/images/exists", Body: object{"hashes": []string{sum(picture(1))}}, Status: 200, Has: []string{`"existing":{}`}},
		scenario{Name: "what is not in the trash does not come back", Method: "POST", URL: "/v1/trash/" + kept.ID + "/restore", Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "nor does it end", Method: "DELETE", URL: "/v1/trash/" + kept.ID, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "a trash that is neither is refused", Method: "DELETE", URL: "/v1/images/" + kept.ID + "?trash=perhaps", Status: 422, Code: "VALIDATION_ERROR", Has: []string{"trash"}},
	)
	for _, query := range []string{"", "q=png", "sort=name", "sort=size", "type=image"} {
		q, _ := url.ParseQuery(query)
		if got := ids(t, p, "/v1/media", q); !sameSet(got, []string{kept.ID}) {
			t.Errorf("%q lists %v", query, got)
		}
	}
	one := readPage(t, p, "/v1/media", nil)
	if one.Total == nil || *one.Total != 1 {
		t.Error("the total counts the trash")
	}
	if n := len(p.Blobs()); n != blobs {
		t.Errorf("%d blobs, there were %d", n, blobs)
	}
	p.Play(t, scenario{URL: "/v1/user/me/usage", Status: 200, Has: []string{
		fmt.Sprintf(`"storageUsed":%d`, len(picture(1))+len(picture(2))), `"totalCount":1,"publicCount":1,"privateCount":0`,
	}})
}

func TestTheTrashGivesBack(t *testing.T) {
	p := start(t)
	i := p.Add("a.png", picture(1), "title", "Harbour", "tags", "sea")
	throw(t, p, i.ID)
	again := p.Add("again.png", picture(1))
	if again.ID == i.ID {
		t.Fatal("what is in the trash is taken for a duplicate")
	}
	p.Restart()
	p.Run(t,
		scenario{Name: "it comes back beside its twin", Method: "POST", URL: "/v1/trash/" + i.ID + "/restore", Status: 200, Has: []string{i.ID, `"title":"Harbour"`, `"sea"`}},
		scenario{Name: "once", Method: "POST", URL: "/v1/trash/" + i.ID + "/restore", Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "its link works", As: apptest.Nobody, URL: i.URL[strings.LastIndex(i.URL, "/"):], Status: 200},
		scenario{Name: "an id that is none", Method: "POST", URL: "/v1/trash/x/restore", Status: 404, Code: "NOT_FOUND"},
	)
	if got := ids(t, p, "/v1/media", url.Values{"q": {"harbour"}}); !sameSet(got, []string{i.ID}) {
		t.Errorf("the search finds %v", got)
	}
	p.Play(t, scenario{Method: "DELETE", URL: "/v1/images/" + again.ID, Status: 200})
	if dup := p.Upload("third.png", picture(1)); dup.Status != 200 || dup.Header.Get("X-Picora-Duplicate") != "true" {
		t.Errorf("the one that came back is not known by its content: %d", dup.Status)
	}
}

func TestTheTrashIsEmptied(t *testing.T) {
	p := start(t)
	var made []string
	for n := range 5 {
		made = append(made, p.Add("a.png", picture(uint64(n))).ID)
	}
	p.Run(t,
		scenario{Name: "several at once", Method: "DELETE", URL: "/v1/images?trash=true", Body: object{"ids": made[:2]}, Status: 200, Has: []string{`"deleted":2`}},
		scenario{Name: "of any kind", Method: "DELETE", URL: "/v1/media?trash=1", Status: 200, Has: []string{`"deleted":["` + made[2] + `"]`, `"NOT_FOUND"`},
			Body: object{"items": []object{{"id": made[2], "type": "image"}, {"id": made[3], "type": "audio"}}}},
	)
	p.Advance(time.Millisecond)
	throw(t, p, made[3])
	list := trashOf(t, p)
	if len(list) != 4 || list[0].ID != made[3] || list[1].ID != made[2] {
		t.Fatalf("the trash has %+v", list)
	}
	p.Run(t,
		scenario{Name: "one", Method: "DELETE", URL: "/v1/trash/" + made[3], Status: 200},
		scenario{Name: "those that are named", Method: "DELETE", URL: "/v1/trash", Body: object{"ids": []string{made[2], made[4], "x"}}, Status: 200, Has: []string{`"deleted":1`, `"failed":2`, `"hasMore":false`}},
		scenario{Name: "ids that are none", Method: "DELETE", URL: "/v1/trash", Body: object{"ids": []string{}}, Status: 422, Code: "VALIDATION_ERROR", Has: []string{"ids"}},
		scenario{Name: "all of it", Method: "DELETE", URL: "/v1/trash", Status: 200, Has: []string{`"deleted":2`, `"hasMore":false`}},
		scenario{Name: "nothing", Method: "DELETE", URL: "/v1/trash", Status: 200, Has: []string{`"deleted":0`}},
		scenario{Name: "what is not in the trash is there still", URL: "/v1/images/" + made[4], Status: 200},
	)
	for range 500 { // the bytes go a moment later
		if len(p.Blobs()) == 1 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("%d blobs are left", len(p.Blobs()))
}

func TestTheTrashEndsByItself(t *testing.T) {
	p := start(t)
	old := p.Add("a.png", picture(1)).ID
	throw(t, p, old)
	p.Advance(29 * 24 * time.Hour)
	young := p.Add("b.png", picture(2)).ID
	throw(t, p, young)
	p.App.Jobs().Purge(t.Context())
	if list := trashOf(t, p); len(list) != 2 {
		t.Errorf("after 29 days the trash has %+v", list)
	}
	p.Advance(2 * 24 * time.Hour)
	p.App.Jobs().Purge(t.Context())
	if list := trashOf(t, p); len(list) != 1 || list[0].ID != young {
		t.Errorf("after 31 days the trash has %+v", list)
	}
}

// TestTheTrashIsLookedAt: its owner sees what they threw away, though no link of it works.
func TestTheTrashIsLookedAt(t *testing.T) {
	p := studio(t)
	svg := []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><script>alert(1)</script><path d="M0 0h9v9z"/></svg>`)
	picture1, drawing := p.Add("a.png", picture(1)), p.Add("b.svg", svg)
	sound := addSound(t, p, "a.mp3", apptest.WithCover(apptest.Encode(t, "a.mp3", 1, "lame", "--quiet", "-t", "IN", "OUT"), "image/png", picture(2)))
	text := addDoc(t, p, object{"filename": "a.md", "content": "mine"})
	kept := p.Add("kept.png", picture(3))
	for _, path := range []string{"/v1/images/" + picture1.ID, "/v1/images/" + drawing.ID, "/v1/audio/" + sound.ID, "/v1/docs/" + text.ID} {
		if r := p.Do("DELETE", path+"?trash=true", nil, "Authorization", "Bearer "+p.Key); r.Status/100 != 2 {
			t.Fatal(path, r.Status)
		}
	}
	p.Play(t, scenario{URL: "/v1/trash", Status: 200, Has: []string{`"hasThumbnail":true`, `"hasThumbnail":false`}})
	at := func(id string) string { return "/v1/trash/" + id + "/thumbnail" }
	for _, c := range []struct{ id, mime string }{{picture1.ID, "image/webp"}, {drawing.ID, "image/svg+xml"}, {sound.ID, "image/jpeg"}} {
		r := p.Play(t, scenario{URL: at(c.id), Status: 200})
		h := r.Header
		if h.Get("Content-Type") != c.mime || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "private, no-store" || strings.Contains(string(r.Body), "alert") {
			t.Errorf("%s: %v %.100q", c.mime, h, r.Body)
		}
		head := p.Do("HEAD", at(c.id), nil, "Authorization", "Bearer "+p.Key)
		if len(r.Body) == 0 || head.Status != 200 || head.Header.Get("Content-Length") != fmt.Sprint(len(r.Body)) || len(head.Body) > 0 {
			t.Errorf("%s: %d bytes, HEAD says %d and %s", c.mime, len(r.Body), head.Status, head.Header.Get("Content-Length"))
		}
	}
	if made, _ := filepath.Glob(filepath.Join(p.Data, "cache", "*", picture1.ID, "*")); len(made) != 1 {
		t.Errorf("of the picture are kept %v", made)
	}
	p.Run(t,
		scenario{Name: "a text has none", URL: at(text.ID), Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "nor what is not in the trash", URL: at(kept.ID), Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "nobody else sees it", As: apptest.Nobody, URL: at(picture1.ID), Status: 401, Code: "UNAUTHORIZED"},
		scenario{Name: "nor a key for something else", As: p.NewKey("pro@example.org", "usage.read"), URL: at(picture1.ID), Status: 403, Code: "FORBIDDEN"},
		scenario{Name: "it ends", Method: "DELETE", URL: "/v1/trash/" + picture1.ID, Status: 200},
		scenario{Name: "with its picture", URL: at(picture1.ID), Status: 404, Code: "NOT_FOUND"},
	)
}
