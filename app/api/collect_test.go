package api_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/store"
)

func TestPicturesGoIntoCollections(t *testing.T) {
	p := start(t)
	p.NewUser("b@example.org")
	stranger := p.NewKey("b@example.org")
	a, docs := makeAlbum(t, p, object{"name": "aaa"}), makeAlbum(t, p, object{"name": "docs", "allowedResourceTypes": []string{"doc"}})
	gone := makeAlbum(t, p, object{"name": "gone"})
	p.Play(t, scenario{Method: "DELETE", URL: collections + "/" + gone.ID, Status: 200})
	theirs := field(t, p.Play(t, scenario{As: stranger, Method: "POST", URL: collections, Body: `{"name":"theirs"}`, Status: 201}), "id").(string)
	upload := func(seed uint64, kb string) parts {
		return parts{apptest.Field("kbId", kb), apptest.File("a.png", picture(seed))}
	}
	first := p.Add("a.png", picture(1), "kbId", a.ID).ID
	second := p.Add("b.png", picture(2)).ID
	at := "/v1/images/" + second
	move := "/v1/images/batch-move"
	blobs := len(p.Blobs())
	p.Run(t,
		scenario{Name: "an upload into none that there is", Method: "POST", URL: "/v1/images", Body: upload(3, "aaaaaaaaaaaaaaaaaaaaa"), Status: 404, Code: "NOT_FOUND", Has: []string{"kbId"}},
		scenario{Name: "into another's", Method: "POST", URL: "/v1/images", Body: upload(3, theirs), Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "into one that was deleted", Method: "POST", URL: "/v1/images", Body: upload(3, gone.ID), Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "into one that takes no pictures", Method: "POST", URL: "/v1/images", Body: upload(3, docs.ID), Status: 422, Code: "VALIDATION_ERROR", Has: []string{"allowedResourceTypes"}},
		scenario{Name: "a picture that is there stays where it is", Method: "POST", URL: "/v1/images", Body: upload(2, a.ID), Status: 200, Has: []string{`"kbId":null`}},
		scenario{Name: "a change into another's", Method: "PATCH", URL: at, Body: object{"kbId": theirs}, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "a change into one that takes no pictures", Method: "PATCH", URL: at, Body: object{"kbId": docs.ID}, Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "a change that is no id", Method: "PATCH", URL: at, Body: `{"kbId":5}`, Status: 422, Code: "VALIDATION_ERROR", Has: []string{"kbId"}},
		scenario{Name: "a change", Method: "PATCH", URL: at, Body: object{"kbId": a.ID}, Status: 200, Has: []string{`"kbId":"` + a.ID}},
		scenario{Name: "what does not say so stays", Method: "PATCH", URL: at, Body: `{"title":"x"}`, Status: 200, Has: []string{`"kbId":"` + a.ID}},
		scenario{Name: "null takes it out", Method: "PATCH", URL: at, Body: `{"kbId":null}`, Status: 200, Has: []string{`"kbId":null`}},
		scenario{Name: "a move without ids", Method: "POST", URL: move, Body: `{"kbId":null}`, Status: 422, Code: "VALIDATION_ERROR", Has: []string{"ids"}},
		scenario{Name: "of too many", Method: "POST", URL: move, Body: object{"ids": make([]string, 51), "kbId": nil}, Status: 422, Code: "VALIDATION_ERROR", Has: []string{"50"}},
		scenario{Name: "to nowhere said", Method: "POST", URL: move, Body: object{"ids": []string{first}}, Status: 422, Code: "VALIDATION_ERROR", Has: []string{"kbId"}},
		scenario{Name: "to another's", Method: "POST", URL: move, Body: object{"ids": []string{first}, "kbId": theirs}, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "to one that takes no pictures", Method: "POST", URL: move, Body: object{"ids": []string{first}, "kbId": docs.ID}, Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "by somebody else", As: stranger, Method: "POST", URL: move, Body: object{"ids": []string{first}, "kbId": theirs}, Status: 200, Has: []string{`{"moved":0}`}},
		scenario{Name: "of two, one unknown and one twice", Method: "POST", URL: move, Body: object{"ids": []string{first, second, second, "aaaaaaaaaaa"}, "kbId": a.ID}, Status: 200, Has: []string{`{"moved":2}`}},
		scenario{Name: "of documents that are pictures", Method: "POST", URL: "/v1/docs/batch-move", Body: object{"ids": []string{first}, "kbId": nil}, Status: 200,
			Has: []string{`"moved":[]`, `"failed":[{"id":"` + first + `","reason":"NOT_FOUND"}]`}},
	)
	if n := len(p.Blobs()); n != blobs {
		t.Errorf("what was refused left %d files", n-blobs)
	}
	k := readAlbum(t, p, a.ID)
	if k.Counts["image"] != 2 || k.Counts["total"] != 2 || k.SizeBytes != int64(len(picture(1))+len(picture(2))) {
		t.Errorf("%+v", k)
	}
	if got := fmt.Sprint(ids(t, p, "/v1/media", map[string][]string{"kbId": {a.ID}})); got != fmt.Sprint([]string{second, first}) {
		t.Errorf("the list of the collection: %s", got)
	}
	p.Play(t, scenario{Method: "POST", URL: move, Body: object{"ids": []string{first, second}, "kbId": nil}, Status: 200, Has: []string{`{"moved":2}`}})
	if k := readAlbum(t, p, a.ID); k.Counts["total"] != 0 || k.SizeBytes != 0 {
		t.Errorf("%+v", k)
	}
}

func TestDocumentsAreMoved(t *testing.T) {
	p := start(t)
	a, b := makeAlbum(t, p, object{"name": "aaa"}), makeAlbum(t, p, object{"name": "bbb"})
	doc := func(kb, path, text string) string {
		m, fresh, err := p.App.Store().CreateMedia(t.Context(), store.Media{
			ID: store.NewID(store.IDLen), User: p.User, Kind: store.Doc, Filename: "a.md", MIME: "text/markdown", Ext: "md", Size: 3,
			Hash: []byte(strings.Repeat(text, 32)), Blob: "blob " + text, Collection: kb, Text: store.Text{Format: "markdown", Path: path},
		})
		if err != nil || !fresh {
			t.Fatal(err)
		}
		return m.ID
	}
	one, two, three := doc(a.ID, "x.md", "1"), doc(b.ID, "x.md", "2"), doc(a.ID, "y.md", "3")
	r := p.Play(t, scenario{Method: "POST", URL: "/v1/docs/batch-move", Status: 200, Body: object{"ids": []string{one, three, "aaaaaaaaaaaaaaaaaaaaa"}, "kbId": b.ID}})
	want := fmt.Sprintf(`{"failed":[{"id":"%s","reason":"RelativePathTaken"},{"id":"aaaaaaaaaaaaaaaaaaaaa","reason":"NOT_FOUND"}],"moved":["%s"]}`, one, three)
	if !strings.Contains(string(r.Body), want) {
		t.Errorf("%s, want %s", r.Body, want)
	}
	for id, n := range map[string]int{a.ID: 1, b.ID: 2} {
		if k := readAlbum(t, p, id); k.Counts["doc"] != n {
			t.Errorf("%s has %d documents, want %d", k.Name, k.Counts["doc"], n)
		}
	}
	_ = two
}

func TestCountsAreRightWhateverHappens(t *testing.T) {
	p := start(t)
	r := rand.New(rand.NewPCG(6, 28))
	kbs := []string{"", makeAlbum(t, p, object{"name": "aaa"}).ID, makeAlbum(t, p, object{"name": "bbb"}).ID, makeAlbum(t, p, object{"name": "ccc"}).ID}
	var pictures []string
	for n := range 24 {
		pictures = append(pictures, p.Add("a.png", picture(uint64(n)), "kbId", kbs[n%4]).ID)
	}
	right := func(when string) {
		t.Helper()
		for _, id := range kbs[1:] {
			k := readAlbum(t, p, id)
			n, size := 0, int64(0)
			for _, m := range readPage(t, p, "/v1/media", map[string][]string{"kbId": {id}, "limit": {"50"}}).Items {
				n, size = n+1, size+m.SizeBytes
			}
			if k.Counts["image"] != n || k.Counts["total"] != n || k.SizeBytes != size {
				t.Errorf("%s: %s says %v and %d bytes, it has %d with %d", when, k.Name, k.Counts, k.SizeBytes, n, size)
			}
		}
	}
	right("after uploads")
	var all sync.WaitGroup
	for w := range 4 {
		seed := rand.New(rand.NewPCG(uint64(w), 1))
		all.Go(func() {
			for range 25 {
				ids := []string{pictures[seed.IntN(len(pictures))], pictures[seed.IntN(len(pictures))], pictures[seed.IntN(len(pictures))]}
				var kb any
				if s := kbs[seed.IntN(4)]; s != "" {
					kb = s
				}
				if r := p.JSON("POST", "/v1/images/batch-move", object{"ids": ids, "kbId": kb}); r.Status != 200 {
					t.Errorf("%d %s", r.Status, r.Body)
				}
			}
		})
	}
	all.Wait()
	right("after moves at the same time")
	for range 60 {
		id := pictures[r.IntN(len(pictures))]
		switch r.IntN(5) {
		case 0:
			p.Do("DELETE", "/v1/images/"+id, nil)
		case 1:
			p.Do("DELETE", "/v1/images/"+id+"?trash=true", nil)
		case 2:
			p.Do("POST", "/v1/trash/"+id+"/restore", nil)
		case 3:
			p.JSON("PATCH", "/v1/images/"+id, object{"isPublic": r.IntN(2) == 0})
		default:
			p.JSON("PATCH", "/v1/images/"+id, object{"kbId": kbs[r.IntN(4)]})
		}
	}
	right("after everything")
}

// items are how many entries there are under a list's items, and what page says.
func manifest(t testing.TB, p *apptest.Picora, id string, limit int) (all map[string]bool, pages int) {
	t.Helper()
	all = map[string]bool{}
	for cursor := ""; ; {
		var page struct {
			Items      []struct{ ID, ResourceType, Name string }
			NextCursor *string
			Counts     map[string]int
		}
		p.Play(t, scenario{URL: fmt.Sprintf("%s/%s/manifest?version=3&limit=%d&cursor=%s", collections, id, limit, cursor), Status: 200}).Data(t, &page)
		for _, i := range page.Items {
			if all[i.ID] {
				t.Errorf("%s is there twice", i.ID)
			}
			all[i.ID] = true
		}
		if len(page.Items) > limit || len(page.Items) > 1000 {
			t.Errorf("a page of %d", len(page.Items))
		}
		pages++
		if page.NextCursor == nil {
			return all, pages
		}
		cursor = *page.NextCursor
	}
}

// fill puts so many records of all kinds into a collection behind the server's back.
func fillAlbum(t testing.TB, p *apptest.Picora, kb string, n int) {
	t.Helper()
	for i := range n {
		kind := []store.Kind{store.Image, store.Image, store.Audio, store.Doc}[i%4]
		m := store.Media{
			ID: store.NewID(store.IDLen), User: p.User, Kind: kind, Filename: fmt.Sprintf("f%d.x", i), MIME: "image/png", Ext: "png", Size: 10, Seen: true, Public: true,
			Hash: fmt.Append(make([]byte, 24), fmt.Sprintf("%08d", i)), Blob: fmt.Sprintf("blob %d", i), Collection: kb, Sound: store.Sound{Measured: true},
		}
		if kind == store.Image {
			m.ID = store.NewID(store.ImageIDLen)
		}
		if _, fresh, err := p.App.Store().CreateMedia(t.Context(), m); err != nil || !fresh {
			t.Fatal(fresh, err)
		}
	}
}

func TestALargeCollectionGoesAndComesBackWhole(t *testing.T) {
	p := start(t)
	const n = 2500
	big, small := makeAlbum(t, p, object{"name": "big"}), makeAlbum(t, p, object{"name": "small"})
	fillAlbum(t, p, big.ID, n)
	outside, apart := p.Add("a.png", picture(1)).ID, p.Add("b.png", picture(2), "kbId", small.ID).ID
	before := readAlbum(t, p, big.ID)
	if fmt.Sprint(before.Counts) != "map[audio:625 doc:625 image:1250 total:2500 video:0]" {
		t.Errorf("counts %v", before.Counts)
	}
	whole, pages := manifest(t, p, big.ID, 5000)
	if len(whole) != n || pages != 3 {
		t.Errorf("the manifest has %d entries on %d pages", len(whole), pages)
	}
	p.Play(t, scenario{URL: collections + "/" + small.ID + "/manifest?version=3", Status: 200, Golden: "manifest"})

	at := collections + "/" + big.ID
	p.Play(t, scenario{Method: "DELETE", URL: at, Status: 409, Code: "COLLECTION_NOT_EMPTY", Has: []string{"cascade"}})
	p.Play(t, scenario{Method: "DELETE", URL: at + "?cascade=true", Status: 200})
	settled := func(total int) {
		t.Helper()
		for end := time.Now().Add(time.Minute); readAlbum(t, p, big.ID).Counts["total"] != total; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%v", readAlbum(t, p, big.ID).Counts)
			}
		}
	}
	settled(0)
	if left := ids(t, p, "/v1/images", nil); len(left) != 2 {
		t.Errorf("%d pictures are left", len(left))
	}
	for _, id := range []string{outside, apart} {
		p.Play(t, scenario{URL: "/v1/images/" + id, Status: 200})
	}
	// One thing is thrown away for good meanwhile: it stays away.
	var one string
	for id := range whole {
		one = id
		break
	}
	if _, err := p.App.Store().PurgeMedia(t.Context(), p.User, []string{one}); err != nil {
		t.Fatal(err)
	}
	p.Play(t, scenario{Method: "POST", URL: at + "/restore", Status: 200})
	settled(n - 1)
	delete(whole, one)
	back, _ := manifest(t, p, big.ID, 1000)
	if len(back) != len(whole) {
		t.Errorf("%d things came back of %d", len(back), len(whole))
	}
	for id := range whole {
		if !back[id] {
			t.Fatalf("%s did not come back", id)
		}
	}
}

func TestADeletedCollectionEndsAfterAMonth(t *testing.T) {
	p := start(t)
	k := makeAlbum(t, p, object{"name": "monthly"})
	inside := p.Add("a.png", picture(1), "kbId", k.ID).ID
	at := collections + "/" + k.ID
	p.Play(t, scenario{Method: "DELETE", URL: at + "?cascade=true", Status: 200})
	p.Play(t, scenario{URL: "/v1/images/" + inside, Status: 404, Code: "NOT_FOUND"})
	p.Play(t, scenario{Method: "POST", URL: collections, Body: `{"name":"x","slug":"monthly"}`, Status: 409, Code: "CONFLICT"})
	p.Advance(29 * 24 * time.Hour)
	purge := func() {
		t.Helper()
		if _, err := p.App.Store().PurgeCollections(t.Context(), p.App.Store().Now().Add(-30*24*time.Hour), 100); err != nil {
			t.Fatal(err)
		}
	}
	purge()
	p.Play(t, scenario{URL: at, Status: 200})
	p.Advance(25 * time.Hour)
	purge()
	p.Play(t, scenario{URL: at, Status: 404, Code: "NOT_FOUND"})
	p.Play(t, scenario{Method: "POST", URL: at + "/restore", Status: 404, Code: "NOT_FOUND"})
	p.Play(t, scenario{Method: "POST", URL: collections, Body: `{"name":"x","slug":"monthly"}`, Status: 201})
}

func TestAStopBetweenLosesNothingOfACascade(t *testing.T) {
	p := start(t)
	k := makeAlbum(t, p, object{"name": "cut off"})
	fillAlbum(t, p, k.ID, 600)
	if _, err := p.App.Store().DeleteCollection(t.Context(), p.User, k.ID, true); err != nil { // and nothing follows: the power is gone
		t.Fatal(err)
	}
	p.Restart()
	for end := time.Now().Add(time.Minute); readAlbum(t, p, k.ID).Counts["total"] != 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("what was in it is still there")
		}
	}
}

func TestASharedCollectionHasALink(t *testing.T) {
	p := start(t)
	k := makeAlbum(t, p, object{"name": "secret"})
	at := collections + "/" + k.ID
	share := func(yes bool, as string) string {
		t.Helper()
		s, _ := field(t, p.Play(t, scenario{As: as, Method: "PATCH", URL: at, Body: object{"isShared": yes}, Status: 200}), "shareUrl").(string)
		return s
	}
	first := share(true, "")
	if again := share(true, ""); again != first || !strings.HasPrefix(first, p.URL+"/c/secret?key=") || len(first) != len(p.URL+"/c/secret?key=")+32 {
		t.Errorf("%q, then %q", first, again)
	}
	if got := share(true, p.NewKey("owner@example.org", "collection.write")); got != "" {
		t.Errorf("a key that may not read media is told %q", got)
	}
	if off := share(false, ""); off != "" {
		t.Errorf("%q", off)
	}
	if other := share(true, ""); other == first {
		t.Error("a link that ended is good again")
	}
}
