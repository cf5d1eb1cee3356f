package api_test

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/store"
)

// addRecord adds a record of a kind without its bytes.
func addRecord(t *testing.T, p *apptest.Picora, k store.Kind, n byte, tags ...string) string {
	t.Helper()
	m := store.Media{ID: store.NewID(store.IDLen), User: p.User, Kind: k, Filename: "a", MIME: "x/y", Ext: "x", Hash: append(make([]byte, 31), n), Blob: "none", Tags: tags}
	if k == store.Video {
		m.Film = store.Film{State: store.FilmReady}
	}
	if _, _, err := p.App.Store().CreateMedia(context.Background(), m); err != nil {
		t.Fatal(err)
	}
	return m.ID
}

type batched struct {
	Updated, Restored []string
	Failed            []struct{ ID, Reason string }
}

func (b *batched) reasons() (list []string) {
	for _, f := range b.Failed {
		list = append(list, f.ID+" "+f.Reason)
	}
	return list
}

func TestManyAreChangedAtOnce(t *testing.T) {
	p := start(t)
	a, b := p.Add("a.png", picture(1), "tags", "sea").ID, p.Add("b.png", picture(2)).ID
	film, sound := addRecord(t, p, store.Video, 1, strings.Fields(uniqueTagWords(10))...), addRecord(t, p, store.Audio, 2)
	doc := addDoc(t, p, object{"filename": "a.md", "content": "mine"}).ID
	p.NewUser("other@example.org")
	other := p.SignIn("other@example.org").Access
	all := []string{a, b, film, sound, doc}
	change := func(as string, body object) (out batched) {
		t.Helper()
		p.Play(t, scenario{As: as, Method: "PATCH", URL: "/v1/media", Body: body, Status: 200}).Data(t, &out)
		return out
	}
	count := func(query string, want int) {
		t.Helper()
		q, _ := url.ParseQuery(query)
		if got := ids(t, p, "/v1/media", q); len(got) != want {
			t.Errorf("%q lists %d, want %d", query, len(got), want)
		}
	}

	out := change("", object{"ids": append(all, a, "nothing"), "isPublic": false})
	if !slices.Equal(out.Updated, all) || !slices.Equal(out.reasons(), []string{"nothing NOT_FOUND"}) {
		t.Errorf("%+v", out)
	}
	count("is_public=false", 5)
	if out := change(other, object{"ids": all, "isPublic": true}); len(out.Updated) > 0 || len(out.Failed) != 5 {
		t.Errorf("somebody else changes %v", out.Updated)
	}
	count("is_public=true", 0)

	out = change("", object{"ids": all, "addTags": []string{" harbour", "harbour"}, "removeTags": []string{"sea"}})
	if !slices.Equal(out.Updated, []string{a, b, sound, doc}) || !slices.Equal(out.reasons(), []string{film + " TAGS_DO_NOT_FIT"}) {
		t.Errorf("%+v", out)
	}
	count("tag=harbour", 4)
	count("tag=sea", 0)
	if out := change("", object{"ids": all, "addTags": []string{strings.Repeat("x", 33)}}); !slices.Equal(out.Updated, []string{a, b, sound}) {
		t.Errorf("a long tag: %+v", out)
	}

	taken := addDoc(t, p, object{"filename": "a.md", "content": "another"}).ID
	album := makeAlbum(t, p, object{"name": "pictures and texts"})
	out = change("", object{"ids": append(all, taken), "kbId": album.ID})
	moved := ids(t, p, "/v1/media", url.Values{"kbId": {album.ID}})
	if !sameSet(moved, out.Updated) || !slices.Contains(moved, doc) || !slices.Contains(out.reasons(), taken+" RelativePathTaken") || len(out.Updated)+len(out.Failed) != 6 {
		t.Errorf("%+v, the collection has %v", out, moved)
	}
	for _, f := range out.Failed {
		if f.ID != taken && f.Reason != "KIND_NOT_TAKEN" {
			t.Errorf("%+v", f)
		}
	}
	if out := change("", object{"ids": all, "kbId": nil}); len(out.Updated) != 5 {
		t.Errorf("%+v", out)
	}
	count("kbId="+album.ID, 0)

	key := p.NewKey("owner@example.org", "media.write")
	if out := change(key, object{"ids": []string{a, doc}, "isPublic": true}); !slices.Equal(out.Updated, []string{a}) || !slices.Equal(out.reasons(), []string{doc + " SCOPE_MISSING"}) {
		t.Errorf("a key that may not write documents: %+v", out)
	}
	refused := func(has string, body any, status int, code string) scenario {
		return scenario{Name: has, Method: "PATCH", URL: "/v1/media", Body: body, Status: status, Code: code, Has: []string{has}}
	}
	many := strings.Split(strings.TrimSpace(strings.Repeat("x ", 501)), " ")
	p.Run(t,
		refused("ids needs 1 to 500", object{"isPublic": true}, 422, "VALIDATION_ERROR"),
		refused("ids needs 1 to 500", object{"ids": many, "isPublic": true}, 422, "VALIDATION_ERROR"),
		refused("Say what is to be different", object{"ids": all}, 422, "VALIDATION_ERROR"),
		refused("A tag has 1 to 64", object{"ids": all, "addTags": []string{""}}, 422, "VALIDATION_ERROR"),
		refused("isPublic has the wrong type", object{"ids": all, "isPublic": "yes"}, 422, "VALIDATION_ERROR"),
		refused("no such collection", object{"ids": all, "kbId": store.NewID(store.IDLen)}, 404, "NOT_FOUND"),
	)
}

func uniqueTagWords(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "t%d ", i)
	}
	return b.String()
}

func TestManyComeBackFromTheTrash(t *testing.T) {
	p := start(t)
	a, b, kept := p.Add("a.png", picture(1)).ID, p.Add("b.png", picture(2)).ID, p.Add("c.png", picture(3)).ID
	throw(t, p, a)
	throw(t, p, b)
	p.NewUser("other@example.org")
	restore := func(as string, list ...string) (out batched) {
		t.Helper()
		p.Play(t, scenario{As: as, Method: "POST", URL: "/v1/trash/restore", Body: object{"ids": list}, Status: 200}).Data(t, &out)
		return out
	}
	if out := restore(p.SignIn("other@example.org").Access, a); len(out.Restored) > 0 || len(out.Failed) != 1 {
		t.Errorf("somebody else brings back %v", out.Restored)
	}
	out := restore("", b, a, a, kept, "nothing")
	if !slices.Equal(out.Restored, []string{b, a}) || !slices.Equal(out.reasons(), []string{kept + " NOT_FOUND", "nothing NOT_FOUND"}) {
		t.Errorf("%+v", out)
	}
	if got := ids(t, p, "/v1/media", nil); !sameSet(got, []string{a, b, kept}) || len(trashOf(t, p)) > 0 {
		t.Errorf("the list has %v", got)
	}
	p.Run(t, scenario{Method: "POST", URL: "/v1/trash/restore", Body: `{}`, Status: 422, Code: "VALIDATION_ERROR", Has: []string{"ids"}})
}

func TestATimelineIsTheListInStretches(t *testing.T) {
	p := start(t)
	for n := range 60 {
		kind := store.Audio
		if n%3 == 0 {
			kind = store.Video
		}
		p.Advance(time.Millisecond) // those of one moment have an order of their own in a timeline
		addRecord(t, p, kind, byte(n), []string{"sea", "hill"}[n%2])
	}
	line := func(q url.Values) (got []string) {
		t.Helper()
		q = url.Values{"size": {"20"}, "type": q["type"], "tag": q["tag"], "order": q["order"]}
		var out struct {
			Buckets []struct {
				Cursor string
				Count  int
				Date   string
			}
			Total    int
			Indexing bool
		}
		p.Play(t, scenario{URL: "/v1/media/timeline?" + q.Encode(), Status: 200}).Data(t, &out)
		q.Del("size")
		for _, b := range out.Buckets {
			q.Set("cursor", b.Cursor)
			q.Set("limit", fmt.Sprint(b.Count))
			one := readPage(t, p, "/v1/media", q)
			if len(one.Items) != b.Count || one.Items[0].CreatedAt != b.Date {
				t.Errorf("%v: a stretch of %d has %d", q, b.Count, len(one.Items))
			}
			for _, i := range one.Items {
				got = append(got, i.ID)
			}
		}
		if out.Total != len(got) {
			t.Errorf("%d of %d", len(got), out.Total)
		}
		return got
	}
	for _, query := range []string{"", "order=asc", "type=audio", "type=video&order=asc", "tag=sea", "tag=hill&type=video", "type=image"} {
		q, _ := url.ParseQuery(query)
		if got, want := line(q), ids(t, p, "/v1/media", q); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", query, got, want)
		}
	}
	for query, has := range map[string]string{"sort=name": "sort", "status=ready": "status", "size=5": "size", "size=x": "size", "size=513": "size", "order=up": "order"} {
		p.Run(t, scenario{Name: query, URL: "/v1/media/timeline?" + query, Status: 422, Code: "VALIDATION_ERROR", Has: []string{has}})
	}
	p.NewUser("other@example.org")
	p.Run(t, scenario{Name: "others see nothing of it", As: p.SignIn("other@example.org").Access, URL: "/v1/media/timeline", Status: 200, Has: []string{`"buckets":[],"total":0`}})
}
