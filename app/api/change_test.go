package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
)

func TestGetImage(t *testing.T) {
	p := start(t)
	id := p.Add("pixel.png", pixel).ID
	p.Run(t,
		scenario{Name: "under images", URL: "/v1/images/" + id, Status: 200, Golden: "create"},
		scenario{Name: "and the same under media", URL: "/v1/media/" + id, Status: 200, Golden: "create"},
		scenario{Name: "HEAD has the header only", Method: "HEAD", URL: "/v1/images/" + id, Status: 200},
	)
}

func TestUpdateImage(t *testing.T) {
	p := start(t)
	i := p.Add("pixel.png", pixel, "title", "Old", "tags", "old")
	at := "/v1/images/" + i.ID
	good := func(name string, body any, has ...string) scenario {
		return scenario{Name: name, Method: "PATCH", URL: at, Body: body, Status: 200, Has: has}
	}
	p.Run(t,
		good("an empty object changes nothing", `{}`, `"title":"Old"`, `"tags":["old"]`, `"isPublic":true`, `"allowedReferers":null`),
		good("no body changes nothing", nil, `"title":"Old"`),
		good("spaces change nothing", " \n", `"title":"Old"`),
		good("fields that nobody knows are ignored", `{"color":"red","url":"http://x","sizeBytes":"x"}`, `"title":"Old"`, i.URL),
		good("null leaves everything but the title and the referers", `{"tags":null,"isPublic":null,"is_public":null,"requireSignature":null,"keepMetadata":null}`,
			`"tags":["old"]`, `"isPublic":true`, `"requireSignature":false`, `"keepMetadata":false`, `"title":"Old"`),

		good("title", object{"title": " New "}, `"title":"New"`),
		good("a title of null clears it", `{"title":null}`, `"title":null`),
		good("a title in any script", object{"title": "海 🌊"}, `"title":"海 🌊"`),
		good("an empty title clears it", object{"title": ""}, `"title":null`),
		good("a title of 255 characters", object{"title": strings.Repeat("海", 255)}),
		good("tags replace all tags", object{"tags": []string{"a", "b", "a"}}, `"tags":["a","b"]`),
		good("no tags at all", object{"tags": []string{}}, `"tags":[]`),
		good("isPublic, as Moraya sends it", `{"isPublic":false}`, `"isPublic":false`),
		good("is_public, as the SDK sends it", `{"is_public":true}`, `"isPublic":true`),
		good("requireSignature", `{"requireSignature":true}`, `"requireSignature":true`),
		good("require_signature", `{"require_signature":false}`, `"requireSignature":false`),
		good("keepMetadata", `{"keepMetadata":true}`, `"keepMetadata":true`),
		good("keep_metadata", `{"keep_metadata":false}`, `"keepMetadata":false`),
		good("allowedReferers", `{"allowedReferers":["self","Example.org","*.example.org","example.org"]}`, `"allowedReferers":["self","example.org","*.example.org"]`),
		good("other fields leave them", `{"title":"x"}`, `"allowedReferers":["self","example.org","*.example.org"]`),
		good("an empty list lets nobody", `{"allowed_referers":[]}`, `"allowedReferers":[]`),
		good("null lets everybody", `{"allowedReferers":null}`, `"allowedReferers":null`),
		scenario{Name: "everything at once", Method: "PATCH", URL: at, Status: 200, Golden: "update", Body: object{
			"title": "All", "tags": []string{"x", "y"}, "isPublic": false, "requireSignature": true, "keepMetadata": true, "allowedReferers": []string{"self"}}},
		scenario{Name: "and it is kept", URL: at, Status: 200, Golden: "update"},
	)

	bad := func(body, has string) scenario {
		return scenario{Name: "refused: " + body[:min(len(body), 60)], Method: "PATCH", URL: at, Body: body, Status: 422, Code: "VALIDATION_ERROR", Has: []string{has}}
	}
	p.Run(t,
		bad(`{"title":5}`, "title"),
		bad(`{"title":["x"]}`, "title"),
		bad(`{"title":"`+strings.Repeat("x", 256)+`"}`, "title"),
		bad(`{"tags":"sea"}`, "tags"),
		bad(`{"tags":[1]}`, "tags"),
		bad(`{"tags":{}}`, "tags"),
		bad(`{"tags":[""]}`, "tag"),
		bad(`{"tags":["`+strings.Repeat("x", 65)+`"]}`, "64"),
		bad(`{"tags":["a\u0000b"]}`, "tag"),
		bad(`{"tags":["0"`+strings.ReplaceAll(uniqueTags(51)[2:], ",", `","`)[1:]+`"]}`, "50"),
		bad(`{"isPublic":"false"}`, "isPublic"),
		bad(`{"isPublic":0}`, "isPublic"),
		bad(`{"is_public":"no"}`, "is_public"),
		bad(`{"requireSignature":1}`, "requireSignature"),
		bad(`{"require_signature":{}}`, "require_signature"),
		bad(`{"keepMetadata":"yes"}`, "keepMetadata"),
		bad(`{"keep_metadata":[]}`, "keep_metadata"),
		bad(`{"allowedReferers":"self"}`, "allowedReferers"),
		bad(`{"allowedReferers":[1]}`, "allowedReferers"),
		bad(`{"allowedReferers":["*"]}`, "allowedReferers"),
		bad(`{"allowedReferers":["a.*.org"]}`, "allowedReferers"),
		bad(`{"allowedReferers":["https://example.org"]}`, "allowedReferers"),
		bad(`{"allowedReferers":["example.org/path"]}`, "allowedReferers"),
		bad(`{"allowedReferers":["example.org:80"]}`, "allowedReferers"),
		bad(`{"allowedReferers":[""]}`, "allowedReferers"),
		bad(`{"allowedReferers":[`+strings.Repeat(`"a",`, 100)+`"a"]}`, "100"),
		bad(`{"allowed_referers":5}`, "allowed_referers"),
		bad(`[]`, "object"),
		bad(`"x"`, "object"),
		bad(`true`, "object"),
	)
	p.Run(t,
		scenario{Name: "what was refused changed nothing", URL: at, Status: 200, Golden: "update"},
		scenario{Name: "one field that is wrong spoils the others", Method: "PATCH", URL: at, Body: `{"title":"Half","tags":5}`, Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "so the title is as before", URL: at, Status: 200, Golden: "update"},
	)
}

func TestUpdatingMovesUpdatedAtOnly(t *testing.T) {
	p := start(t)
	before := p.Add("a.png", pixel)
	time.Sleep(2 * time.Millisecond)
	var after apptest.Image
	p.Play(t, scenario{Method: "PATCH", URL: "/v1/images/" + before.ID, Body: `{"title":"x"}`, Status: 200}).Data(t, &after)
	if after.CreatedAt != before.CreatedAt || after.UpdatedAt <= before.UpdatedAt || after.URL != before.URL {
		t.Errorf("before %+v, after %+v", before, after)
	}
}

// A change is in force at the file's address when the answer is there.
func TestVisibilityTakesEffectAtOnce(t *testing.T) {
	p := start(t)
	i := p.Add("a.png", pixel)
	at, file := "/v1/images/"+i.ID, strings.TrimPrefix(i.URL, p.URL)
	for range 3 {
		p.Play(t, scenario{As: apptest.Nobody, URL: file, Status: 200})
		p.Play(t, scenario{Method: "PATCH", URL: at, Body: `{"isPublic":false}`, Status: 200})
		p.Play(t, scenario{As: apptest.Nobody, URL: file, Status: 403})
		p.Play(t, scenario{URL: file, Status: 200})
		p.Play(t, scenario{Method: "PATCH", URL: at, Body: `{"is_public":true,"requireSignature":true}`, Status: 200})
		p.Play(t, scenario{As: apptest.Nobody, URL: file, Status: 403})
		p.Play(t, scenario{Method: "PATCH", URL: at, Body: `{"requireSignature":false,"allowedReferers":["example.org"]}`, Status: 200})
		p.Play(t, scenario{As: apptest.Nobody, URL: file, Status: 403})
		p.Play(t, scenario{As: apptest.Nobody, URL: file, Headers: []string{"Referer", "https://example.org/page"}, Status: 200})
		p.Play(t, scenario{Method: "PATCH", URL: at, Body: `{"allowedReferers":[]}`, Status: 200})
		p.Play(t, scenario{As: apptest.Nobody, URL: file, Headers: []string{"Referer", "https://example.org/page"}, Status: 403})
		p.Play(t, scenario{Method: "PATCH", URL: at, Body: `{"allowedReferers":null}`, Status: 200})
	}
}

func TestDeleteImage(t *testing.T) {
	p := start(t)
	i := p.Add("a.png", pixel)
	at, file := "/v1/images/"+i.ID, strings.TrimPrefix(i.URL, p.URL)
	p.Run(t,
		scenario{Name: "the file is there", As: apptest.Nobody, URL: file, Status: 200},
		scenario{Name: "deleting answers null", Method: "DELETE", URL: at, Status: 200, Golden: "delete"},
		scenario{Name: "the file is gone at once", As: apptest.Nobody, URL: file, Status: 404},
		scenario{Name: "for the owner too", URL: file, Status: 404},
		scenario{Name: "a second time is 404", Method: "DELETE", URL: at, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "so is looking it up", URL: at, Status: 404, Code: "NOT_FOUND", Golden: "not-found"},
		scenario{Name: "among all media too", URL: "/v1/media/" + i.ID, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "and changing it", Method: "PATCH", URL: at, Body: `{"title":"x"}`, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "and signing it", Method: "POST", URL: at + "/sign", Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "the list is empty", URL: "/v1/images", Status: 200, Golden: "list-empty"},
	)
	for end := time.Now().Add(time.Minute); len(p.Blobs()) > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the bytes stay: %v", p.Blobs())
		}
	}
}

func TestDeleteImages(t *testing.T) {
	p := start(t)
	p.NewUser("other@example.org")
	other := p.NewKey("other@example.org")
	theirs := field(t, p.Play(t, scenario{As: other, Method: "POST", URL: "/v1/images", Body: parts{apptest.File("a.png", pixel)}, Status: 201}), "id").(string)
	var own []string
	for n := range 4 {
		own = append(own, p.Add("a.png", picture(uint64(n))).ID)
	}
	del := func(name string, ids []string, want string) scenario {
		return scenario{Name: name, Method: "DELETE", URL: "/v1/images", Body: object{"ids": ids}, Status: 200, Has: []string{want}}
	}
	bad := func(name, body string, status int, has string) scenario {
		code := map[int]string{400: "BAD_REQUEST", 422: "VALIDATION_ERROR"}[status]
		return scenario{Name: name, Method: "DELETE", URL: "/v1/images", Body: body, Status: status, Code: code, Has: []string{has}}
	}
	fifty := func(n int) string { return `{"ids":[` + strings.Repeat(`"x",`, n-1) + `"x"]}` }
	p.Run(t,
		del("those that are there and those that are not", []string{own[0], "aaaaaaaaaaa", theirs, "", "not an id"}, `{"deleted":1,"failed":4}`),
		del("one that is there twice", []string{own[1], own[1]}, `{"deleted":1,"failed":1}`),
		del("all", own[2:], `{"deleted":2,"failed":0}`),
		del("none", own, `{"deleted":0,"failed":4}`),
		scenario{Name: "the other account's picture is there", As: other, URL: "/v1/images/" + theirs, Status: 200},
		scenario{Name: "50 are taken", Method: "DELETE", URL: "/v1/images", Body: fifty(50), Status: 200, Has: []string{`"failed":50`}},
		bad("51 are refused", fifty(51), 422, "50"),
		bad("no ids are refused", `{"ids":[]}`, 422, "ids"),
		bad("ids of null are refused", `{"ids":null}`, 422, "ids"),
		bad("an object without ids is refused", `{}`, 422, "ids"),
		bad("ids that are no list are refused", `{"ids":"x"}`, 422, "ids"),
		bad("ids that are no texts are refused", `{"ids":[1]}`, 422, "ids"),
		bad("a list without an object is refused", `["x"]`, 422, "object"),
		bad("an empty body is refused", ``, 400, "JSON"),
	)
}

func TestDeleteMedia(t *testing.T) {
	p := start(t)
	i := p.Add("a.png", pixel)
	bad := func(name, body string, has string) scenario {
		return scenario{Name: name, Method: "DELETE", URL: "/v1/media", Body: body, Status: 422, Code: "VALIDATION_ERROR", Has: []string{has}}
	}
	many := func(n int) string {
		return `{"items":[` + strings.Repeat(`{"id":"x","type":"image"},`, n-1) + `{"id":"x","type":"image"}]}`
	}
	p.Run(t,
		scenario{Name: "what is there goes, the rest is listed with the reason", Method: "DELETE", URL: "/v1/media", Status: 200,
			Body: object{"items": []object{
				{"id": i.ID, "type": "video"}, {"id": i.ID, "type": "image"}, {"id": "aaaaaaaaaaa", "type": "image"}, {"id": "V1StGXR8_Z5jdHi6B-myT", "type": "audio"}}},
			Check: func(t testing.TB, r apptest.Response) {
				if d := fmt.Sprint(field(t, r, "deleted")); d != "["+i.ID+"]" {
					t.Errorf("deleted %s", d)
				}
				want := "[map[id:" + i.ID + " reason:NOT_FOUND type:video] map[id:aaaaaaaaaaa reason:NOT_FOUND type:image] map[id:V1StGXR8_Z5jdHi6B-myT reason:NOT_FOUND type:audio]]"
				if f := fmt.Sprint(field(t, r, "failed")); f != want {
					t.Errorf("failed %s, want %s", f, want)
				}
			}},
		scenario{Name: "nothing that is there", Method: "DELETE", URL: "/v1/media", Body: many(100), Status: 200, Has: []string{`"deleted":[]`}},
		bad("101 are refused", many(101), "100"),
		bad("none are refused", `{"items":[]}`, "items"),
		bad("no items are refused", `{}`, "items"),
		bad("one without a type is refused", `{"items":[{"id":"x"}]}`, "type"),
		bad("one without an id is refused", `{"items":[{"type":"image"}]}`, "id"),
		bad("items that are texts are refused", `{"items":["x"]}`, "items"),
		bad("an id that is a number is refused", `{"items":[{"id":5,"type":"image"}]}`, "id"),
		scenario{Name: "an empty body is refused", Method: "DELETE", URL: "/v1/media", Status: 400, Code: "BAD_REQUEST"},
	)
}

func TestImagesExist(t *testing.T) {
	p := start(t)
	p.NewUser("other@example.org")
	i := p.Add("pixel.png", pixel)
	here, gone := sum(pixel), sum([]byte("nothing"))
	ask := func(name, as string, hashes ...string) scenario {
		return scenario{Name: name, As: as, Method: "POST", URL: "/v1/images/exists", Body: object{"hashes": hashes}, Status: 200}
	}
	both := ask("one that is here and one that is not", "", here, gone)
	both.Check = func(t testing.TB, r apptest.Response) {
		if got, want := fmt.Sprint(field(t, r, "existing")), "map["+here+":map[id:"+i.ID+" url:"+i.URL+"]]"; got != want {
			t.Errorf("existing %s, want %s", got, want)
		}
		if got := fmt.Sprint(field(t, r, "missing")); got != "["+gone+"]" {
			t.Errorf("missing %s", got)
		}
	}
	theirs := ask("another account's do not count", p.NewKey("other@example.org"), here)
	theirs.Has = []string{`"existing":{}`, `"missing":["` + here + `"]`}
	full := ask("200 hashes are taken", "", strings.Split(strings.Repeat(gone+",", 199)+gone, ",")...)
	p.Run(t, both, theirs, full)

	for name, body := range map[string]string{
		"no hashes": `{"hashes":[]}`, "no list": `{}`, "null": `{"hashes":null}`, "201 hashes": `{"hashes":["` + strings.Repeat(gone+`","`, 200) + gone + `"]}`,
		"capital letters": `{"hashes":["` + strings.ToUpper(here) + `"]}`, "a short one": `{"hashes":["abc"]}`, "a letter too few": `{"hashes":["` + here[1:] + `"]}`,
		"no hexadecimal": `{"hashes":["` + strings.Repeat("z", 64) + `"]}`, "a number": `{"hashes":[1]}`, "a text": `{"hashes":"` + here + `"}`,
		"no JSON": `{`, "nothing": ``, "a list": `[]`,
	} {
		p.Run(t, scenario{Name: "400: " + name, Method: "POST", URL: "/v1/images/exists", Body: body, Status: 400, Code: "BAD_REQUEST"})
	}
}

func TestSignImage(t *testing.T) {
	p := start(t)
	i := p.Add("pixel.png", pixel, "isPublic", "false")
	at := "/v1/images/" + i.ID + "/sign"
	bad := func(body, has string) scenario {
		return scenario{Name: "refused: " + body, Method: "POST", URL: at, Body: body, Status: 422, Code: "VALIDATION_ERROR", Has: []string{has}}
	}
	for body, seconds := range map[string]float64{``: 3600, `{}`: 3600, `{"expSeconds":null}`: 3600, `{"expSeconds":1}`: 1, `{"expSeconds":86400}`: 86400, `{"other":1}`: 3600} {
		s := scenario{Method: "POST", URL: at, Body: body, Status: 200}
		if body == "" {
			s.Body = nil
		}
		from := time.Now().Unix()
		r := p.Play(t, s)
		exp := field(t, r, "exp").(float64)
		if to := time.Now().Unix(); exp < float64(from)+seconds || exp > float64(to)+seconds {
			t.Errorf("%s: exp is %f, %f seconds from now", body, exp, exp-float64(to))
		}
		if e := field(t, r, "expiresAt"); e != time.Unix(int64(exp), 0).UTC().Format("2006-01-02T15:04:05.000Z") {
			t.Errorf("%s: expiresAt is %v, exp %f", body, e, exp)
		}
	}
	p.Run(t,
		scenario{Name: "the answer", Method: "POST", URL: at, Body: `{}`, Status: 200, Golden: "sign"},
		bad(`{"transform":"variant=tumb"}`, "medium, small, thumb"),
		bad(`{"expSeconds":0}`, "expSeconds"), bad(`{"expSeconds":-1}`, "expSeconds"), bad(`{"expSeconds":86401}`, "expSeconds"),
		bad(`{"expSeconds":1.5}`, "expSeconds"), bad(`{"expSeconds":"60"}`, "expSeconds"), bad(`{"expSeconds":99999999999999999999}`, "expSeconds"),
		bad(`[]`, "object"),
		scenario{Name: "a picture that is not there", Method: "POST", URL: "/v1/images/aaaaaaaaaaa/sign", Body: `{}`, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "a picture that is not there, asked wrongly", Method: "POST", URL: "/v1/images/bad/sign", Body: `{}`, Status: 404, Code: "NOT_FOUND"},
	)
}

func TestASignedLinkOpensAPrivatePicture(t *testing.T) {
	p := start(t)
	i := p.Add("pixel.png", pixel, "isPublic", "false")
	second := p.Add("b.png", picture(1), "isPublic", "false")
	sign := func(seconds int) string {
		r := p.Play(t, scenario{Method: "POST", URL: "/v1/images/" + i.ID + "/sign", Body: object{"expSeconds": seconds}, Status: 200})
		return strings.TrimPrefix(field(t, r, "signedUrl").(string), p.URL)
	}
	link := sign(600)
	file, query, _ := strings.Cut(link, "?")
	sig, exp, _ := strings.Cut(strings.TrimPrefix(query, "sig="), "&exp=")
	forged := []byte(sig)
	forged[5] ^= 1
	open := func(name, url string, status int) scenario {
		return scenario{Name: name, As: apptest.Nobody, URL: url, Status: status}
	}
	p.Run(t,
		open("the link opens it", link, 200),
		open("with a number against caches too", link+"&v=2", 200),
		open("in the other order too", file+"?exp="+exp+"&sig="+sig, 200),
		open("without the signature it is private", file, 403),
		open("without the time it is private", file+"?sig="+sig, 403),
		open("without the signature's value it is private", file+"?sig=&exp="+exp, 403),
		open("with a later time it is private", file+"?sig="+sig+"&exp=9999999999", 403),
		open("with another signature it is private", file+"?exp="+exp+"&sig="+string(forged), 403),
		open("another picture stays private", "/"+second.ID+".png?"+query, 403),
		open("with another parameter it is refused", link+"&width=5", 400),
		scenario{Name: "the picture becomes open to nobody", Method: "PATCH", URL: "/v1/images/" + i.ID, Body: `{"isPublic":true,"requireSignature":true,"allowedReferers":[]}`, Status: 200},
		open("the link opens it still", link, 200),
	)
	p.Play(t, open("", sign(60), 200))
	soon := sign(1)
	time.Sleep(1010 * time.Millisecond)
	p.Play(t, open("", soon, 403))
	p.Play(t, scenario{Method: "DELETE", URL: "/v1/images/" + i.ID, Status: 200})
	p.Play(t, open("", link, 404))
}

func TestPublicMeta(t *testing.T) {
	p := start(t)
	public := "/v1/images/" + p.Add("pixel.png", pixel).ID + "/public-meta"
	private := "/v1/images/" + p.Add("a.png", picture(1), "isPublic", "false").ID + "/public-meta"
	token := []string{"X-Internal-Token", internalToken}
	p.Run(t,
		scenario{Name: "with the token", As: apptest.Nobody, URL: public, Headers: token, Status: 200, Golden: "public-meta"},
		scenario{Name: "without a token", As: apptest.Nobody, URL: public, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "with an empty token", As: apptest.Nobody, URL: public, Headers: []string{"X-Internal-Token", " "}, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "with a wrong token", As: apptest.Nobody, URL: public, Headers: []string{"X-Internal-Token", internalToken + "x"}, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "a key is no token", URL: public, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "a private picture", URL: private, Headers: token, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "no picture", URL: "/v1/images/aaaaaaaaaaa/public-meta", Headers: token, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "no id", URL: "/v1/images/x/public-meta", Headers: token, Status: 404, Code: "NOT_FOUND"},
	)
	closed := apptest.Start(t)
	at := "/v1/images/" + closed.Add("pixel.png", pixel).ID + "/public-meta"
	closed.Run(t,
		scenario{Name: "closed without the setting", URL: at, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "for an empty token too", URL: at, Headers: []string{"X-Internal-Token", " "}, Status: 404, Code: "NOT_FOUND"},
	)
}

func TestAChangeThatChangesNothingLeavesTheTimeAlone(t *testing.T) {
	p := apptest.Start(t)
	before := p.Add("a.png", apptest.PNG(4, 4, 1), "title", "T", "tags", "a,b")
	time.Sleep(3 * time.Millisecond)
	for _, body := range []string{`{}`, ``, `{"title":"T"}`, `{"tags":["a","b"],"isPublic":true}`, `{"unknown":1}`} {
		var after apptest.Image
		p.JSON("PATCH", "/v1/images/"+before.ID, body).Data(t, &after)
		if after.UpdatedAt != before.UpdatedAt {
			t.Errorf("PATCH %s moved updatedAt from %s to %s", body, before.UpdatedAt, after.UpdatedAt)
		}
	}
	var after apptest.Image
	p.JSON("PATCH", "/v1/images/"+before.ID, `{"title":"U"}`).Data(t, &after)
	if after.UpdatedAt <= before.UpdatedAt {
		t.Errorf("a real change did not move updatedAt: %s", after.UpdatedAt)
	}
}
