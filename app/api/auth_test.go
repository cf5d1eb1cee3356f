package api_test

import (
	"fmt"
	"strings"
	"testing"

	"picora/app/apptest"
)

// operation is one request of each kind, as the scope tests send it.
type operation struct {
	method, path string // {id} stands for a picture, or a watermark
	body         any
	scope        string
	status       int // with every right, for a picture that is there
	shared       bool
	code         string // what then comes back
}

// at is the operation's address for one of the two.
func (o operation) at(picture, mark, doc string) string {
	switch {
	case strings.HasPrefix(o.path, watermarks):
		picture = mark
	case strings.HasPrefix(o.path, "/v1/docs"):
		picture = doc
	}
	return strings.NewReplacer("{id}", picture, "{revision}", strings.Repeat("a", 21)).Replace(o.path)
}

// operations has every route that wants a key.
func operations(seed uint64) []operation {
	upload := parts{apptest.File("a.png", picture(seed))}
	return []operation{
		{method: "GET", path: "/v1/auth/verify", scope: "none", status: 200, shared: true},
		{method: "GET", path: "/v1/user/me", scope: "account.read", status: 200, shared: true},
		{method: "PATCH", path: "/v1/user/me", body: `{"locale":"en"}`, scope: "media.write", status: 200, shared: true},
		{method: "POST", path: "/v1/user/me/avatar", body: parts{apptest.File("a.txt", []byte("a text"))}, scope: "media.write", status: 400, code: "BAD_REQUEST", shared: true},
		{method: "DELETE", path: "/v1/user/me/avatar", scope: "media.write", status: 200, shared: true},
		{method: "DELETE", path: "/v1/user/me/doc-revisions", scope: "media.delete", status: 200, shared: true},
		{method: "GET", path: "/v1/images/{id}/original", scope: "media.read", status: 200},
		{method: "GET", path: "/v1/user/me/rate-limits", scope: "none", status: 200, shared: true},
		{method: "POST", path: "/v1/docs/preview", body: object{"content": "# x"}, scope: "kb.read", status: 422, code: "VALIDATION_ERROR", shared: true},
		{method: "GET", path: "/v1/user/me/usage/months", scope: "usage.read", status: 200, shared: true},
		{method: "GET", path: "/v1/user/me/usage", scope: "usage.read", status: 200, shared: true},
		{method: "GET", path: "/v1/me/subscription", scope: "account.read", status: 200, shared: true},
		{method: "POST", path: "/", body: upload, scope: "media.write", status: 201, shared: true},
		{method: "POST", path: "/v1/images", body: upload, scope: "media.write", status: 200, shared: true},
		{method: "GET", path: "/v1/images", scope: "media.read", status: 200, shared: true},
		{method: "POST", path: "/v1/images/exists", body: object{"hashes": []string{sum(nil)}}, scope: "media.write", status: 200, shared: true},
		{method: "GET", path: "/v1/images/{id}", scope: "media.read", status: 200},
		{method: "PATCH", path: "/v1/images/{id}", body: `{"title":"x"}`, scope: "media.write", status: 200},
		{method: "POST", path: "/v1/images/{id}/sign", body: `{}`, scope: "media.write", status: 200},
		{method: "GET", path: "/v1/media", scope: "media.read", status: 200, shared: true},
		{method: "GET", path: "/v1/media/timeline", scope: "media.read", status: 200, shared: true},
		{method: "PATCH", path: "/v1/media", body: object{"ids": []string{"aaaaaaaaaaa"}, "isPublic": true}, scope: "media.write", status: 200, shared: true},
		{method: "GET", path: "/v1/media/{id}", scope: "media.read", status: 200},
		{method: "DELETE", path: "/v1/images", body: object{"ids": []string{"aaaaaaaaaaa"}}, scope: "media.delete", status: 200, shared: true},
		{method: "DELETE", path: "/v1/media", body: object{"items": []object{{"id": "aaaaaaaaaaa", "type": "image"}}}, scope: "media.delete", status: 200, shared: true},
		{method: "GET", path: "/v1/sync/state", scope: "media.read", status: 200, shared: true},
		{method: "POST", path: "/v1/uploads", scope: "media.write", status: 412, code: "UNSUPPORTED_VERSION", shared: true},
		{method: "GET", path: "/v1/uploads/{id}", scope: "media.write", status: 404, code: "NOT_FOUND", shared: true},
		{method: "PATCH", path: "/v1/uploads/{id}", scope: "media.write", status: 412, code: "UNSUPPORTED_VERSION", shared: true},
		{method: "DELETE", path: "/v1/uploads/{id}", scope: "media.write", status: 404, code: "NOT_FOUND", shared: true},
		{method: "GET", path: "/v1/trash", scope: "media.read", status: 200, shared: true},
		{method: "DELETE", path: "/v1/trash", scope: "media.delete", status: 200, shared: true},
		{method: "DELETE", path: "/v1/trash/{id}", scope: "media.delete", status: 404, code: "NOT_FOUND"},
		{method: "POST", path: "/v1/trash/restore", body: object{"ids": []string{"aaaaaaaaaaa"}}, scope: "media.write", status: 200, shared: true},
		{method: "POST", path: "/v1/trash/{id}/restore", scope: "media.write", status: 404, code: "NOT_FOUND"},
		{method: "GET", path: "/v1/trash/{id}/thumbnail", scope: "media.read", status: 404, code: "NOT_FOUND"},
		{method: "GET", path: watermarks, scope: "media.read", status: 200, shared: true},
		{method: "POST", path: watermarks, body: textMark, scope: "media.write", status: 201, shared: true},
		{method: "GET", path: watermarks + "/{id}", scope: "media.read", status: 200},
		{method: "PATCH", path: watermarks + "/{id}", body: `{"tiled":true}`, scope: "media.write", status: 200},
		{method: "DELETE", path: watermarks + "/{id}", scope: "media.delete", status: 200},
		{method: "POST", path: "/v1/audio", body: upload, scope: "media.write", status: 422, code: "VALIDATION_ERROR", shared: true},
		{method: "GET", path: "/v1/audio/{id}", scope: "media.read", status: 404, code: "NOT_FOUND"},
		{method: "PATCH", path: "/v1/audio/{id}", scope: "media.write", status: 404, code: "NOT_FOUND"},
		{method: "DELETE", path: "/v1/audio/{id}", scope: "media.delete", status: 404, code: "NOT_FOUND"},
		{method: "POST", path: "/v1/audio/{id}/sign", scope: "media.write", status: 404, code: "NOT_FOUND"},
		{method: "GET", path: "/v1/audio/{id}/waveform", scope: "media.read", status: 404, code: "NOT_FOUND"},
		{method: "POST", path: "/v1/audio/{id}/normalize", scope: "media.write", status: 404, code: "NOT_FOUND"},
		{method: "DELETE", path: "/v1/audio/{id}/normalize", scope: "media.write", status: 404, code: "NOT_FOUND"},
		{method: "POST", path: "/v1/videos", body: upload, scope: "media.write", status: 422, code: "VALIDATION_ERROR", shared: true},
		{method: "GET", path: "/v1/videos", scope: "media.read", status: 200, shared: true},
		{method: "GET", path: "/v1/videos/{id}/status", scope: "media.read", status: 404, code: "NOT_FOUND"},
		{method: "PATCH", path: "/v1/videos/{id}", scope: "media.write", status: 404, code: "NOT_FOUND"},
		{method: "DELETE", path: "/v1/videos/{id}", scope: "media.delete", status: 404, code: "NOT_FOUND"},
		{method: "POST", path: "/v1/videos/{id}/thumbnail", body: upload, scope: "media.write", status: 404, code: "NOT_FOUND"},
		{method: "DELETE", path: "/v1/videos/{id}/thumbnail", scope: "media.write", status: 404, code: "NOT_FOUND"},
		{method: "GET", path: "/v1/videos/{id}/captions", scope: "media.read", status: 404, code: "NOT_FOUND"},
		{method: "POST", path: "/v1/videos/{id}/captions", body: upload, scope: "media.write", status: 404, code: "NOT_FOUND"},
		{method: "DELETE", path: "/v1/videos/{id}/captions/{track}", scope: "media.write", status: 404, code: "NOT_FOUND"},
		{method: "POST", path: "/v1/videos/{id}/sign", scope: "media.write", status: 404, code: "NOT_FOUND"},
		{method: "POST", path: "/v1/videos/{id}/retry", scope: "media.write", status: 404, code: "NOT_FOUND"},
		{method: "GET", path: "/v1/videos/{id}/original", scope: "media.read", status: 404, code: "NOT_FOUND"},
		{method: "POST", path: "/v1/docs", body: object{"filename": "a.md", "content": fmt.Sprint(seed)}, scope: "kb.write", status: 201, shared: true},
		{method: "GET", path: "/v1/docs", scope: "kb.read", status: 200, shared: true},
		{method: "DELETE", path: "/v1/docs", body: object{"ids": []string{"a"}}, scope: "media.delete", status: 200, shared: true},
		{method: "PATCH", path: "/v1/docs/{id}", body: `{"title":"x"}`, scope: "kb.write", status: 200},
		{method: "GET", path: "/v1/docs/{id}/revisions", scope: "kb.read", status: 200},
		{method: "GET", path: "/v1/docs/{id}/revisions/{revision}", scope: "kb.read", status: 404, code: "DOC_REVISION_NOT_FOUND"},
		{method: "POST", path: "/v1/docs/{id}/revisions/{revision}/restore", scope: "kb.write", status: 404, code: "DOC_REVISION_NOT_FOUND"},
		{method: "DELETE", path: "/v1/docs/{id}", scope: "media.delete", status: 200},
		{method: "GET", path: collections, scope: "collection.read", status: 200, shared: true},
		{method: "POST", path: collections, body: `{"name":"a"}`, scope: "collection.write", status: 201, shared: true},
		{method: "GET", path: collections + "/{id}", scope: "collection.read", status: 404, code: "NOT_FOUND"},
		{method: "PATCH", path: collections + "/{id}", body: `{"name":"a"}`, scope: "collection.write", status: 404, code: "NOT_FOUND"},
		{method: "DELETE", path: collections + "/{id}", scope: "collection.delete", status: 404, code: "NOT_FOUND"},
		{method: "POST", path: collections + "/{id}/restore", scope: "collection.write", status: 404, code: "NOT_FOUND"},
		{method: "GET", path: collections + "/{id}/manifest", scope: "collection.read", status: 404, code: "NOT_FOUND"},
		{method: "POST", path: collections + "/{id}/feed-token", scope: "collection.write", status: 404, code: "NOT_FOUND"},
		{method: "DELETE", path: collections + "/{id}/feed-token", scope: "collection.write", status: 404, code: "NOT_FOUND"},
		{method: "GET", path: "/v1/collection-types", scope: "collection.read", status: 200, shared: true},
		{method: "POST", path: "/v1/collection-types", body: `{"name":"a"}`, scope: "collection.write", status: 422, code: "VALIDATION_ERROR", shared: true},
		{method: "DELETE", path: "/v1/collection-types/{id}", scope: "collection.delete", status: 404, code: "NOT_FOUND"},
		{method: "POST", path: "/v1/images/batch-move", body: `{"ids":["aaaaaaaaaaa"],"kbId":null}`, scope: "media.write", status: 200, shared: true},
		{method: "POST", path: "/v1/docs/batch-move", body: `{"ids":["aaaaaaaaaaa"],"kbId":null}`, scope: "kb.write", status: 200, shared: true},
		{method: "DELETE", path: "/v1/images/{id}", scope: "media.delete", status: 200},
	}
}

func TestScopes(t *testing.T) {
	p := start(t)
	p.NewUser("other@example.org")
	revoked := p.NewKey("owner@example.org")
	revoke(t, p, revoked)
	for seed, k := range []struct {
		name, key, scopes string
		status            int    // when refused
		code              string // when refused
	}{
		{"the preset read", p.NewKey("owner@example.org", "read"), "none account.read usage.read media.read kb.read collection.read", 403, "FORBIDDEN"},
		{"the preset read_write", p.NewKey("owner@example.org", "read_write"), "none account.read usage.read media.read media.write kb.read kb.write collection.read collection.write", 403, "FORBIDDEN"},
		{"the preset read_write_delete", p.NewKey("owner@example.org", "read_write_delete"), "none account.read usage.read media.read media.write media.delete kb.read kb.write collection.read collection.write collection.delete", 0, ""},
		{"no preset, which is everything", p.NewKey("owner@example.org"), "none account.read usage.read media.read media.write media.delete kb.read kb.write collection.read collection.write collection.delete", 0, ""},
		{"media.delete alone", p.NewKey("owner@example.org", "media.delete"), "none media.delete", 403, "FORBIDDEN"},
		{"media.write alone", p.NewKey("owner@example.org", "media.write"), "none media.write", 403, "FORBIDDEN"},
		{"scopes of reading documents and usage", p.NewKey("owner@example.org", "kb.read", "usage.read"), "none usage.read kb.read", 403, "FORBIDDEN"},
		{"no key", apptest.Nobody, "", 401, "UNAUTHORIZED"},
		{"a revoked key", revoked, "", 401, "API_KEY_REVOKED"},
		{"a key of another server", "sk_live_" + strings.Repeat("a", 32), "", 401, "UNAUTHORIZED"},
		{"a key that is too short", "sk_live_abc", "", 401, "UNAUTHORIZED"},
		{"a key with a letter that no key has", "sk_live_" + strings.Repeat("a", 31) + "!", "", 401, "UNAUTHORIZED"},
		{"a token of another kind", "eyJhbGciOiJIUzI1NiJ9.e30.c2ln", "", 401, "UNAUTHORIZED"},
	} {
		t.Run(k.name, func(t *testing.T) {
			id := p.Add("a.png", picture(uint64(1000+seed))).ID
			mark := watermark(t, p, textMark)
			doc := addDoc(t, p, object{"filename": "b.md", "content": fmt.Sprint("doc ", seed)}).ID
			for _, o := range operations(uint64(seed)) {
				s := scenario{As: k.key, Method: o.method, URL: o.at(id, mark, doc), Body: o.body, Status: o.status, Code: o.code}
				if !strings.Contains(" "+k.scopes+" ", " "+o.scope+" ") {
					s.Status, s.Code = k.status, k.code
					if k.status == 403 {
						s.Has = []string{o.scope}
					}
				}
				r := p.Play(t, s)
				if k.status == 403 && r.Status == 403 {
					noQuotaWords(t, r)
				}
			}
		})
	}
}

// noQuotaWords: Moraya takes a 403 with these words for an exceeded quota
// (contract 1.2).
func noQuotaWords(t testing.TB, r apptest.Response) {
	t.Helper()
	text := strings.ToLower(string(r.Body[:min(len(r.Body), 200)]))
	for _, w := range []string{"quota", "reached", "upgrade"} {
		if strings.Contains(text, w) {
			t.Errorf("%q is in %s", w, text)
		}
	}
	if strings.Contains(text, "plan") && (strings.Contains(text, "limit") || strings.Contains(text, "count")) {
		t.Errorf("plan and limit or count are in %s", text)
	}
}

func TestOperationsAndTheirScopesAreAsDocumented(t *testing.T) {
	t.Parallel()
	d := readDocument(t)
	here := map[string]string{}
	for _, o := range operations(0) {
		here[o.method+" "+o.path] = o.scope
	}
	for _, o := range d.Operations {
		_, open := o.Value["security"] // only what needs no key says so
		name := o.Method + " " + o.Path
		if o.Value["x-access"] != nil { // who is not asked for a scope alone is tried in access_test.go
			continue
		}
		if scope, tested := here[name]; tested == open || tested && scope != o.Value["x-required-scope"] {
			t.Errorf("%s: the document says %v, the tests %q", name, o.Value["x-required-scope"], scope)
		}
		delete(here, name)
	}
	for name := range here {
		t.Errorf("%s is tested but not documented", name)
	}
}

func TestPicturesOfOthersAreNotThere(t *testing.T) {
	p := start(t)
	p.NewUser("other@example.org")
	other := p.NewKey("other@example.org")
	id, mark := p.Add("a.png", pixel).ID, watermark(t, p, textMark)
	doc := addDoc(t, p, object{"filename": "b.md", "content": "mine"}).ID
	for _, o := range operations(0) {
		if o.shared {
			continue
		}
		p.Run(t, scenario{Name: o.method + " " + o.path, As: other, Method: o.method, URL: o.at(id, mark, doc),
			Body: o.body, Status: 404, Code: "NOT_FOUND", Golden: "not-found"})
	}
	p.Run(t,
		scenario{Name: "lists are empty", As: other, URL: "/v1/images", Status: 200, Golden: "list-empty"},
		scenario{Name: "a batch deletes nothing", As: other, Method: "DELETE", URL: "/v1/images", Body: object{"ids": []string{id}}, Status: 200, Has: []string{`{"deleted":0,"failed":1}`}},
		scenario{Name: "nor does that of media", As: other, Method: "DELETE", URL: "/v1/media", Body: object{"items": []object{{"id": id, "type": "image"}}}, Status: 200, Has: []string{`"deleted":[]`}},
		scenario{Name: "the picture is there and unchanged", URL: "/v1/images/" + id, Status: 200, Has: []string{`"title":null`}},
	)
}

func TestVerify(t *testing.T) {
	p := start(t)
	p.Run(t, scenario{Name: "a valid key", URL: "/v1/auth/verify", Status: 200, Golden: "verify",
		Check: func(t testing.TB, r apptest.Response) {
			if u := field(t, r, "userId"); u != p.User {
				t.Errorf("userId is %v, want %s", u, p.User)
			}
		}})
	bearer := func(name, value string, status int, code string) scenario {
		return scenario{Name: name, URL: "/v1/auth/verify", Headers: []string{"Authorization", value}, Status: status, Code: code}
	}
	p.Run(t,
		bearer("the scheme in small letters", "bearer "+p.Key, 200, ""),
		bearer("the scheme in capital letters", "BEARER "+p.Key, 200, ""),
		bearer("spaces around the key", "Bearer   "+p.Key+" ", 200, ""),
		bearer("no scheme", p.Key, 401, "UNAUTHORIZED"),
		bearer("another scheme", "Basic "+p.Key, 401, "UNAUTHORIZED"),
		bearer("the scheme alone", "Bearer", 401, "UNAUTHORIZED"),
		bearer("two keys", "Bearer "+p.Key+" "+p.Key, 401, "UNAUTHORIZED"),
		bearer("a key in another case", "Bearer "+strings.ToUpper(p.Key), 401, "UNAUTHORIZED"),
		scenario{Name: "a key in the address does not count", As: apptest.Nobody, URL: "/v1/auth/verify?access_token=" + p.Key, Status: 401, Code: "UNAUTHORIZED"},
		scenario{Name: "no key", As: apptest.Nobody, URL: "/v1/auth/verify", Status: 401, Code: "UNAUTHORIZED", Golden: "unauthorized"},
	)
}

func TestARevokedKeyIsDeadAtOnce(t *testing.T) {
	p := start(t)
	key := p.NewKey("owner@example.org")
	p.Play(t, scenario{As: key, URL: "/v1/auth/verify", Status: 200})
	revoke(t, p, key)
	p.Play(t, scenario{As: key, URL: "/v1/auth/verify", Status: 401, Code: "API_KEY_REVOKED", Golden: "revoked"})
	p.Play(t, scenario{URL: "/v1/auth/verify", Status: 200})
}
