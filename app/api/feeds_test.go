package api_test

import (
	"strings"
	"testing"
)

func TestAFeedsSettings(t *testing.T) {
	p := start(t)
	r := p.Play(t, scenario{Method: "POST", URL: "/v1/collections", Body: object{"name": "Show", "collectionType": "album"}, Status: 201, Has: []string{
		`"feed":{"author":null,"email":null,"category":null,"language":null,"link":null,"explicit":false,"type":"episodic"}`, `"feedUrl":null`, `"privateFeedUrl":null`,
	}})
	url := "/v1/collections/" + field(t, r, "id").(string)
	change := func(name string, feed any, status int, has ...string) {
		t.Helper()
		s := scenario{Name: name, Method: "PATCH", URL: url, Body: object{"feed": feed}, Status: status, Has: has}
		if status == 422 {
			s.Code = "VALIDATION_ERROR"
		}
		p.Play(t, s)
	}
	change("all of it", object{"author": "Ann", "email": "ann@example.org", "category": "Books", "language": "zh-CN", "link": "https://example.org/", "explicit": true, "type": "serial"}, 200,
		`"feed":{"author":"Ann","email":"ann@example.org","category":"Books","language":"zh-CN","link":"https://example.org/","explicit":true,"type":"serial"}`)
	change("one thing; what is not named stays", object{"author": nil, "unknown": 1}, 200, `"author":null,"email":"ann@example.org"`, `"explicit":true,"type":"serial"`)
	change("nothing", nil, 200, `"category":"Books"`)
	for name, feed := range map[string]any{
		"no object": "x", "a list": []int{1}, "no text": object{"author": 1}, "no address": object{"email": "Ann <ann@example.org>"}, "no category of Apple's": object{"category": "Boats"},
		"no category": object{"category": "Arts: Books"}, "no language": object{"language": "English please"}, "a script for a link": object{"link": "javascript:alert(1)"},
		"a password in the link": object{"link": "https://a:b@example.org/"}, "no type": object{"type": "daily"}, "no truth": object{"explicit": "yes"},
		"control characters": object{"author": "a\x00b"}, "a very long name": object{"author": strings.Repeat("x", 256)},
	} {
		change(name, feed, 422, "feed", `"success":false`)
	}
	change("still the same", object{}, 200, `"category":"Books","language":"zh-CN"`)
}

func TestAFeedsAddresses(t *testing.T) {
	p := start(t)
	r := p.Play(t, scenario{Method: "POST", URL: "/v1/collections", Body: object{"name": "Show", "collectionType": "album", "isPublic": true}, Status: 201})
	id := field(t, r, "id").(string)
	url := "/v1/collections/" + id
	if got := field(t, r, "feedUrl"); got != p.URL+"/feed/"+id+".xml" {
		t.Errorf("%v", got)
	}
	renew := func() string {
		r := p.Play(t, scenario{Method: "POST", URL: url + "/feed-token", Status: 200})
		return field(t, r, "privateFeedUrl").(string)
	}
	first, second := renew(), renew()
	if first == second || !strings.HasPrefix(first, p.URL+"/feed/"+id+".") || len(first) < len(p.URL)+60 {
		t.Errorf("%s, then %s", first, second)
	}
	p.Play(t, scenario{URL: url, Status: 200, Has: []string{`"privateFeedUrl":"` + second + `"`}})
	// A key that may not have the files is not told what opens them.
	lesser := p.NewKey("owner@example.org", "collection.read", "collection.write")
	p.Play(t, scenario{As: lesser, URL: url, Status: 200, Has: []string{`"privateFeedUrl":null`}})
	p.Play(t, scenario{As: lesser, URL: "/v1/collections", Status: 200, Has: []string{`"privateFeedUrl":null`}})
	p.Play(t, scenario{As: lesser, Method: "POST", URL: url + "/feed-token", Status: 200, Has: []string{`"privateFeedUrl":null`}})
	p.Play(t, scenario{Method: "DELETE", URL: url + "/feed-token", Status: 200, Has: []string{`"privateFeedUrl":null`}})
	p.Play(t, scenario{Method: "DELETE", URL: url + "/feed-token", Status: 200, Has: []string{`"privateFeedUrl":null`}})

	r = p.Play(t, scenario{Method: "POST", URL: "/v1/collections", Body: object{"name": "Photos", "collectionType": "photo_album", "isPublic": true}, Status: 201, Has: []string{`"feedUrl":null`}})
	p.Play(t, scenario{Method: "POST", URL: "/v1/collections/" + field(t, r, "id").(string) + "/feed-token", Status: 422, Code: "VALIDATION_ERROR", Has: []string{"takes no audio"}})
}

// What programs without a key ask for is as documented.
func TestPagesAndFeedsAreAsDocumented(t *testing.T) {
	p := start(t)
	r := p.Play(t, scenario{Method: "POST", URL: "/v1/collections", Body: object{"name": "Show", "collectionType": "album", "isPublic": true}, Status: 201})
	id := field(t, r, "id").(string)
	picture := p.Add("a.png", pixel)
	none := "aaaaaaaaaaaaaaaaaaaaa"
	p.Run(t,
		scenario{Name: "a feed", As: "nobody", URL: "/feed/" + id + ".xml", Status: 200, Has: []string{"<rss version=\"2.0\""}},
		scenario{Name: "no feed", As: "nobody", URL: "/feed/" + none + ".xml", Status: 404},
		scenario{Name: "no chapters", As: "nobody", URL: "/feed/" + id + "/" + none + ".json", Status: 404},
		scenario{Name: "no player", As: "nobody", URL: "/embed/audio/" + none, Status: 404},
		scenario{Name: "oembed", As: "nobody", URL: "/oembed?url=" + picture.URL, Status: 200, Has: []string{`"type":"photo"`}},
		scenario{Name: "oembed of nothing", As: "nobody", URL: "/oembed?url=" + p.URL + "/embed/audio/" + none, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "oembed in XML", As: "nobody", URL: "/oembed?format=xml&url=" + picture.URL, Status: 501, Code: "BAD_REQUEST"},
		scenario{Name: "oembed without a number", As: "nobody", URL: "/oembed?maxwidth=x&url=" + picture.URL, Status: 400, Code: "BAD_REQUEST"},
	)
}
