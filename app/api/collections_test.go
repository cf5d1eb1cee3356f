package api_test

import (
	"fmt"
	"strings"
	"testing"

	"picora/app/apptest"
	"picora/app/config"
)

const collections = "/v1/collections"

// album is a collection on the wire, as far as these tests read it.
type album struct {
	ID, Name, Slug, URL  string
	AllowedResourceTypes []string
	Counts               map[string]int
	SizeBytes            int64
	IsDefault, IsPublic  bool
	UpdatedAt            string
	DeletedAt            *string
}

// makeAlbum makes a collection with those fields.
func makeAlbum(t testing.TB, p *apptest.Picora, body any) (k album) {
	t.Helper()
	p.Play(t, scenario{Method: "POST", URL: collections, Body: body, Status: 201}).Data(t, &k)
	return k
}

func readAlbum(t testing.TB, p *apptest.Picora, id string) (k album) {
	t.Helper()
	p.Play(t, scenario{URL: collections + "/" + id, Status: 200}).Data(t, &k)
	return k
}

// albums are the names in a list, in its order, over all its pages.
func albums(t testing.TB, p *apptest.Picora, query string) (names []string) {
	t.Helper()
	for cursor := ""; ; {
		var page struct {
			Items      []album
			NextCursor *string
			HasMore    bool
		}
		p.Play(t, scenario{URL: collections + "?" + query + "&cursor=" + cursor, Status: 200}).Data(t, &page)
		for _, k := range page.Items {
			names = append(names, k.Name)
		}
		if page.HasMore != (page.NextCursor != nil) || page.HasMore && len(page.Items) == 0 {
			t.Fatalf("%+v", page)
		}
		if page.NextCursor == nil {
			return names
		}
		cursor = *page.NextCursor
	}
}

func TestACollectionIsAsTheContractSays(t *testing.T) {
	p := start(t)
	p.Play(t, scenario{URL: collections, Status: 200, Golden: "collections-empty"})
	k := makeAlbum(t, p, object{"name": "  Summer in Rome! ", "unknown": 1})
	at := collections + "/" + k.ID
	p.Run(t,
		scenario{Name: "what is not said has a default", URL: at, Status: 200, Golden: "collection"},
		scenario{Name: "an empty object changes nothing", Method: "PATCH", URL: at, Body: `{}`, Status: 200, Golden: "collection"},
		scenario{Name: "null changes nothing that has no empty value", Method: "PATCH", URL: at, Status: 200, Golden: "collection",
			Body: `{"name":null,"slug":null,"isDefault":null,"isPublic":null,"allowedResourceTypes":null,"collectionType":null}`},
		scenario{Name: "its own type may be said again", Method: "PATCH", URL: at, Status: 200, Golden: "collection",
			Body: `{"collectionType":"knowledge_base","kbType":"creator","customTypeId":null}`},
		scenario{Name: "everything at once", Method: "PATCH", URL: at, Status: 200, Golden: "collection-changed", Body: object{
			"name": "Ρώμη", "slug": "rome-2026", "description": "two\nlines", "isDefault": true, "is_public": true}},
		scenario{Name: "it is in the list", URL: collections, Status: 200, Golden: "collections"},
		scenario{Name: "its types are in theirs", URL: "/v1/collection-types", Status: 200, Golden: "collection-types"},
		scenario{Name: "an empty one is deleted", Method: "DELETE", URL: at, Status: 200, Has: []string{k.ID}},
		scenario{Name: "and stays to be seen", URL: at, Status: 200, Golden: "collection-deleted"},
		scenario{Name: "not in the list", URL: collections, Status: 200, Golden: "collections-empty"},
		scenario{Name: "unless that is asked for", URL: collections + "?includeDeleted=true", Status: 200, Golden: "collections-deleted"},
		scenario{Name: "it cannot be changed", Method: "PATCH", URL: at, Body: `{"name":"x"}`, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "nor deleted again", Method: "DELETE", URL: at, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "nor read as a whole", URL: at + "/manifest?version=3", Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "it comes back", Method: "POST", URL: at + "/restore", Status: 200, Golden: "collection-restored"},
		scenario{Name: "which may be said twice", Method: "POST", URL: at + "/restore", Status: 200, Golden: "collection-restored"},
	)
}

func TestACollectionShowsAPicture(t *testing.T) {
	p := start(t)
	k := makeAlbum(t, p, object{"name": "Album"})
	shown := func() string {
		var c struct{ ThumbnailURL *string }
		p.Play(t, scenario{URL: collections + "/" + k.ID, Status: 200}).Data(t, &c)
		if c.ThumbnailURL == nil {
			return ""
		}
		return *c.ThumbnailURL
	}
	if got := shown(); got != "" {
		t.Errorf("of an empty one: %s", got)
	}
	first := p.Add("a.png", apptest.PNG(8, 8, 1), "kbId", k.ID)
	second := p.Add("b.png", apptest.PNG(8, 8, 2), "kbId", k.ID, "isPublic", "false")
	other := p.Add("c.png", apptest.PNG(8, 8, 3))
	if got := shown(); !strings.Contains(got, second.ID) || !strings.Contains(got, "sig=") {
		t.Errorf("the newest, signed: %s", got)
	}
	for _, id := range []string{first.ID, other.ID} {
		p.Play(t, scenario{Method: "PATCH", URL: collections + "/" + k.ID, Body: object{"coverId": id}, Status: 200, Has: []string{id}})
		if got := shown(); !strings.Contains(got, id) {
			t.Errorf("the one that was chosen: %s", got)
		}
	}
	p.Play(t, scenario{Method: "DELETE", URL: "/v1/images/" + other.ID, Status: 200})
	if got := shown(); !strings.Contains(got, second.ID) {
		t.Errorf("after the chosen one is gone: %s", got)
	}
}

func TestCollectionsAreRefused(t *testing.T) {
	p := start(t)
	other := p.NewUser("b@example.org")
	stranger := p.NewKey("b@example.org")
	picture := field(t, p.Play(t, scenario{As: stranger, Method: "POST", URL: "/v1/images", Body: parts{apptest.File("a.png", pixel)}, Status: 201}), "id").(string)
	for body, has := range map[string]string{
		`{}`: "name", `{"name":""}`: "name", `{"name":" "}`: "name", `{"name":1}`: "name", `{"name":"a\u0007"}`: "name", `{"name":"` + strings.Repeat("海", 121) + `"}`: "120",
		`{"name":"a","slug":"A"}`: "slug", `{"name":"a","slug":"-a"}`: "slug", `{"name":"a","slug":""}`: "slug", `{"name":"a","slug":"a/b"}`: "slug", `{"name":"a","slug":"` + strings.Repeat("a", 65) + `"}`: "64",
		`{"name":"a","description":"` + strings.Repeat("x", 4001) + `"}`: "4000", `{"name":"a","description":1}`: "description",
		`{"name":"a","collectionType":"albums"}`: "photo_album", `{"name":"a","collectionType":"custom"}`: "customTypeId",
		`{"name":"a","customTypeId":"aaaaaaaaaaaaaaaaaaaaa"}`:                           "customTypeId",
		`{"name":"a","collectionType":"custom","customTypeId":"aaaaaaaaaaaaaaaaaaaaa"}`: "customTypeId",
		`{"name":"a","kbType":"reader"}`:                                                "kbType", `{"name":"a","allowedResourceTypes":[]}`: "allowedResourceTypes",
		`{"name":"a","allowedResourceTypes":["pdf"]}`: "doc, image", `{"name":"a","allowedResourceTypes":"doc"}`: "list",
		`{"name":"a","isPublic":"yes"}`: "isPublic", `{"name":"a","isDefault":1}`: "isDefault",
		`{"name":"a","coverId":"aaaaaaaaaaa"}`: "coverId", `{"name":"a","coverId":"` + picture + `"}`: "coverId", `[]`: "object",
	} {
		p.Run(t, scenario{Name: "refused: " + body[:min(50, len(body))], Method: "POST", URL: collections, Body: body, Status: 422, Code: "VALIDATION_ERROR", Has: []string{has}})
	}
	first := makeAlbum(t, p, object{"name": "Photos", "collectionType": "photo_album"})
	at := collections + "/" + first.ID
	immutable := "COLLECTION_TYPE_IMMUTABLE"
	p.Run(t,
		scenario{Name: "no body", Method: "POST", URL: collections, Status: 400, Code: "BAD_REQUEST"},
		scenario{Name: "a slug that is taken", Method: "POST", URL: collections, Body: object{"name": "b", "slug": "photos"}, Status: 409, Code: "CONFLICT", Has: []string{"slug"}},
		scenario{Name: "a slug that another's collection has", As: stranger, Method: "POST", URL: collections, Body: object{"name": "b", "slug": "photos"}, Status: 409, Code: "CONFLICT"},
		scenario{Name: "another type", Method: "PATCH", URL: at, Body: `{"collectionType":"album"}`, Status: 409, Code: immutable},
		scenario{Name: "another type of one's own", Method: "PATCH", URL: at, Body: `{"customTypeId":"aaaaaaaaaaaaaaaaaaaaa"}`, Status: 409, Code: immutable},
		scenario{Name: "another kbType", Method: "PATCH", URL: at, Body: `{"kbType":"output"}`, Status: 409, Code: immutable},
		scenario{Name: "taking less", Method: "PATCH", URL: at, Body: `{"allowedResourceTypes":["image"]}`, Status: 409, Code: immutable, Has: []string{"grow"}},
		scenario{Name: "taking more", Method: "PATCH", URL: at, Body: `{"allowedResourceTypes":["image","audio","video"]}`, Status: 200, Has: []string{`["image","video","audio"]`}},
		scenario{Name: "an order that is none", URL: collections + "?sort=size", Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "a cursor of another list", URL: collections + "?cursor=abc", Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "a limit that is none", URL: collections + "?limit=0", Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "includeDeleted that is none", URL: collections + "?includeDeleted=maybe", Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "a manifest without version", URL: at + "/manifest", Status: 422, Code: "VALIDATION_ERROR", Has: []string{"version"}},
		scenario{Name: "a manifest of another version", URL: at + "/manifest?version=2", Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "a manifest of no entries", URL: at + "/manifest?version=3&limit=0", Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "cascade that is none", Method: "DELETE", URL: at + "?cascade=maybe", Status: 422, Code: "VALIDATION_ERROR"},
	)
	second := makeAlbum(t, p, object{"name": "Photos"})
	if !strings.HasPrefix(second.Slug, "photos-") {
		t.Errorf("a second collection of that name has the slug %q", second.Slug)
	}
	if k := makeAlbum(t, p, object{"name": "夏天的照片"}); len(k.Slug) != 8 {
		t.Errorf("a Chinese name gave the slug %q", k.Slug)
	}
	if other == p.User {
		t.Fatal("one account")
	}
	p.Run(t,
		scenario{Name: "a key that may only read", As: p.NewKey("owner@example.org", "read"), Method: "POST", URL: collections, Body: `{"name":"a"}`, Status: 403, Code: "FORBIDDEN"},
		scenario{Name: "a key that may not delete", As: p.NewKey("owner@example.org", "read_write"), Method: "DELETE", URL: at, Status: 403, Code: "FORBIDDEN"},
		scenario{Name: "a key for collections alone", As: p.NewKey("owner@example.org", "collection.read"), URL: at, Status: 200},
	)
}

func TestPlansLimitCollectionsAndTypes(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t, func(c *config.Config) {
		plan := c.Plans["pro_plus"]
		plan.KBCount, plan.CollectionTypes = 2, 2
		c.Plans["pro_plus"] = plan
	})
	p.NewUserOn("pro_plus", "plus@example.org")
	p.NewUserOn("trial", "trial@example.org")
	p.NewUserOn("none", "none@example.org")
	plus, trial, none := p.NewKey("plus@example.org"), p.NewKey("trial@example.org"), p.NewKey("none@example.org")
	types := "/v1/collection-types"
	make := func(slug string) object {
		return object{"name": slug, "slug": slug, "allowedResourceTypes": []string{"doc"}}
	}
	p.Run(t,
		scenario{Name: "an account without a plan", As: none, Method: "POST", URL: collections, Body: `{"name":"a"}`, Status: 403, Code: "PLAN_INACTIVE"},
		scenario{Name: "which may look", As: none, URL: collections, Status: 200},
		scenario{Name: "one", As: plus, Method: "POST", URL: collections, Body: `{"name":"one one"}`, Status: 201},
		scenario{Name: "two", As: plus, Method: "POST", URL: collections, Body: `{"name":"two two"}`, Status: 201},
		scenario{Name: "three", As: plus, Method: "POST", URL: collections, Body: `{"name":"three"}`, Status: 403, Code: "COLLECTION_LIMIT_REACHED", Has: []string{`"error":"Collection quota`, `"type":"kb_count","used":2`}},
		scenario{Name: "a type on trial", As: trial, Method: "POST", URL: types, Body: make("recipes"), Status: 403, Code: "PLAN_REQUIRED", Has: []string{"upgrade", `"plan":"pro_plus"`}},
		scenario{Name: "a type", As: plus, Method: "POST", URL: types, Body: object{"name": "Recipes", "slug": "recipes", "allowedResourceTypes": []string{"image", "doc"}, "icon": "🍲", "description": "to eat"}, Status: 201, Golden: "collection-type"},
		scenario{Name: "the same again", As: plus, Method: "POST", URL: types, Body: make("recipes"), Status: 409, Code: "CONFLICT"},
		scenario{Name: "one of the nine", As: plus, Method: "POST", URL: types, Body: make("album"), Status: 409, Code: "CONFLICT"},
		scenario{Name: "another", As: plus, Method: "POST", URL: types, Body: make("2_b"), Status: 201},
		scenario{Name: "one too many", As: plus, Method: "POST", URL: types, Body: make("third"), Status: 403, Code: "CUSTOM_TYPE_LIMIT_REACHED"},
	)
	for body, has := range map[string]string{
		`{"slug":"a","allowedResourceTypes":["doc"]}`: "name", `{"name":"a","allowedResourceTypes":["doc"]}`: "slug", `{"name":"a","slug":"a"}`: "allowedResourceTypes",
		`{"name":"a","slug":"_a","allowedResourceTypes":["doc"]}`: "slug", `{"name":"a","slug":"` + strings.Repeat("a", 32) + `","allowedResourceTypes":["doc"]}`: "31",
		`{"name":"` + strings.Repeat("a", 61) + `","slug":"a","allowedResourceTypes":["doc"]}`: "60", `{"name":"a","slug":"a","allowedResourceTypes":["pdf"]}`: "doc, image",
		`{"name":"a","slug":"a","allowedResourceTypes":["doc"],"icon":5}`: "icon",
	} {
		p.Run(t, scenario{Name: "refused: " + body[:min(40, len(body))], As: plus, Method: "POST", URL: types, Body: body, Status: 422, Code: "VALIDATION_ERROR", Has: []string{has}})
	}
}

func TestATypeOfOnesOwn(t *testing.T) {
	p := start(t)
	types := "/v1/collection-types"
	p.NewUser("b@example.org")
	stranger := p.NewKey("b@example.org")
	id := field(t, p.Play(t, scenario{Method: "POST", URL: types, Body: `{"name":"Recipes","slug":"recipes","allowedResourceTypes":["doc"]}`, Status: 201}), "id").(string)
	body := object{"name": "Soups", "collectionType": "custom", "customTypeId": id}
	k := makeAlbum(t, p, body)
	if fmt.Sprint(k.AllowedResourceTypes) != "[doc]" {
		t.Errorf("it takes %v", k.AllowedResourceTypes)
	}
	p.Run(t,
		scenario{Name: "another's type", As: stranger, Method: "POST", URL: collections, Body: body, Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "another's type is not deleted", As: stranger, Method: "DELETE", URL: types + "/" + id, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "nor is one in use", Method: "DELETE", URL: types + "/" + id, Status: 409, Code: "CONFLICT"},
		scenario{Name: "nor one of the nine", Method: "DELETE", URL: types + "/sct_album", Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "the collection goes", Method: "DELETE", URL: collections + "/" + k.ID, Status: 200},
		scenario{Name: "it may come back", Method: "DELETE", URL: types + "/" + id, Status: 409, Code: "CONFLICT"},
	)
}

func TestCollectionsAreSortedAndFiltered(t *testing.T) {
	p := start(t)
	for _, name := range []string{"beta", "Alpha", "海", "gamma"} {
		kind := "photo_album"
		if name == "gamma" {
			kind = "movie"
		}
		makeAlbum(t, p, object{"name": name, "collectionType": kind})
		p.Advance(1e9)
	}
	beta := makeAlbum(t, p, object{"name": "delta", "kbType": "output"})
	p.Advance(1e9)
	for query, want := range map[string]string{
		"limit=2": "[delta gamma 海 Alpha beta]", "limit=2&sort=name": "[Alpha beta delta gamma 海]", "sort=updated_at&type=photo_album": "[海 Alpha beta]",
		"kbType=output": "[delta]", "type=none": "[]",
	} {
		if got := fmt.Sprint(albums(t, p, query)); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	var first struct{ NextCursor string }
	p.Play(t, scenario{URL: collections + "?limit=1", Status: 200}).Data(t, &first)
	p.Play(t, scenario{URL: collections + "?limit=1&sort=name&cursor=" + first.NextCursor, Status: 422, Code: "VALIDATION_ERROR"})
	p.Play(t, scenario{Method: "DELETE", URL: collections + "/" + beta.ID, Status: 200})
	if got := fmt.Sprint(albums(t, p, "includeDeleted=true&sort=name")); got != "[Alpha beta delta gamma 海]" {
		t.Error(got)
	}
	if got := fmt.Sprint(albums(t, p, "sort=name")); got != "[Alpha beta gamma 海]" {
		t.Error(got)
	}
}

func TestOneCollectionIsTheDefault(t *testing.T) {
	p := start(t)
	a, b := makeAlbum(t, p, object{"name": "aaa", "isDefault": true}), makeAlbum(t, p, object{"name": "bbb"})
	p.Play(t, scenario{Method: "PATCH", URL: collections + "/" + b.ID, Body: `{"isDefault":true}`, Status: 200})
	c := makeAlbum(t, p, object{"name": "ccc"})
	for id, want := range map[string]bool{a.ID: false, b.ID: true, c.ID: false} {
		if got := readAlbum(t, p, id).IsDefault; got != want {
			t.Errorf("%s: %t", id, got)
		}
	}
	d := makeAlbum(t, p, object{"name": "ddd", "is_default": true})
	if readAlbum(t, p, b.ID).IsDefault || !readAlbum(t, p, d.ID).IsDefault {
		t.Error("the default did not move")
	}
}
