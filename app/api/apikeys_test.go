package api_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/store"
)

const keys = "/v1/api-keys"

// wireKey is an API key as tests read it.
type wireKey struct {
	ID, Name, Key, KeyPrefix, Last4, Scope string
	Description, LastUsedAt, ExpiresAt     *string
	ScopesV2                               []string
	ScopeVersion                           int
	CreatedAt                              string
}

func makeKey(t testing.TB, p *apptest.Picora, as string, body any) (k wireKey) {
	t.Helper()
	p.Play(t, scenario{As: as, Method: "POST", URL: keys, Body: body, Status: 201}).Data(t, &k)
	return k
}

func listKeys(t testing.TB, p *apptest.Picora, as string) (list []wireKey) {
	t.Helper()
	p.Play(t, scenario{As: as, URL: keys, Status: 200}).Data(t, &list)
	return list
}

func TestAKeyIsMadeShownOnceAndWorks(t *testing.T) {
	p := start(t)
	me := p.SignIn("owner@example.org").Access
	r := p.Play(t, scenario{As: me, Method: "POST", URL: keys, Status: 201,
		Body: object{"name": " PicGo ", "description": "on the laptop", "scopes": []string{"media.read", "images:write"}, "expiresAt": "2099-01-31T12:00:00+01:00", "new": 1}})
	if r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("Cache-Control is %q", r.Header.Get("Cache-Control"))
	}
	var k wireKey
	r.Data(t, &k)
	if k.Name != "PicGo" || *k.Description != "on the laptop" || *k.ExpiresAt != "2099-01-31T11:00:00.000Z" || k.LastUsedAt != nil ||
		k.Key[:12] != k.KeyPrefix || k.Key[36:] != k.Last4 || k.Scope != "read_write" || k.ScopeVersion != 2 || strings.Join(k.ScopesV2, " ") != "media.read media.write" {
		t.Errorf("made %s", r.Body)
	}
	p.Play(t, scenario{As: k.Key, URL: "/v1/images", Status: 200})
	p.Play(t, scenario{As: k.Key, Method: "DELETE", URL: "/v1/images/aaaaaaaaaaa", Status: 403, Code: "FORBIDDEN"})
	list := p.Play(t, scenario{As: me, URL: keys, Status: 200, Has: []string{k.KeyPrefix, `"last4"`}})
	if strings.Contains(string(list.Body), k.Key) {
		t.Error("the list shows the key's text")
	}
	b, err := p.App.Store().APIKeys(context.Background(), p.User)
	if err != nil || len(b) != 2 {
		t.Fatal(b, err)
	}
}

func TestWhatAKeyMayDoWhenNothingOrATierIsSaid(t *testing.T) {
	p := start(t)
	me := p.SignIn("owner@example.org").Access
	for _, c := range []struct {
		body    object
		scope   string
		version int
		v2      string
	}{
		{object{"name": "a"}, "read_write_delete", 1, ""},
		{object{"name": "a", "scopes": nil, "scope": nil, "description": nil, "expiresAt": nil}, "read_write_delete", 1, ""},
		{object{"name": "a", "scope": "read"}, "read", 1, ""},
		{object{"name": "a", "scope": "read_write"}, "read_write", 1, ""},
		{object{"name": "a", "scope": "image:write video:write"}, "read_write", 2, "media.read media.write account.read"},
		{object{"name": "a", "scopes": []string{"read"}, "scope": "read_write"}, "read", 1, ""},
		{object{"name": "a", "scopes": []string{"media.delete"}}, "read_write_delete", 2, "media.delete"},
	} {
		k := makeKey(t, p, me, c.body)
		if k.Scope != c.scope || k.ScopeVersion != c.version || strings.Join(k.ScopesV2, " ") != c.v2 || k.ScopesV2 == nil {
			t.Errorf("%v: %+v", c.body, k)
		}
	}
}

func TestWrongKeysAreRefusedInWords(t *testing.T) {
	p := start(t)
	me := p.SignIn("owner@example.org").Access
	k := makeKey(t, p, me, object{"name": "a"})
	bad := func(name string, body any, status int, code string, has ...string) {
		p.Run(t, scenario{Name: "POST " + name, As: me, Method: "POST", URL: keys, Body: body, Status: status, Code: code, Has: has})
	}
	bad("without a name", object{}, 422, "VALIDATION_ERROR", "1 to 64")
	bad("with an empty name", object{"name": "  "}, 422, "VALIDATION_ERROR", "1 to 64")
	bad("with a long name", object{"name": strings.Repeat("é", 65)}, 422, "VALIDATION_ERROR", "1 to 64")
	bad("with a name of two lines", object{"name": "a\nb"}, 422, "VALIDATION_ERROR", "name")
	bad("with a name that is a number", object{"name": 1}, 422, "VALIDATION_ERROR", "name")
	bad("with a long description", object{"name": "a", "description": strings.Repeat("é", 201)}, 422, "VALIDATION_ERROR", "200")
	bad("with an unknown scope", object{"name": "a", "scopes": []string{"root"}}, 422, "VALIDATION_ERROR", `\"root\"`, "media.read", "read_write")
	bad("with no scopes", object{"name": "a", "scopes": []string{}}, 422, "VALIDATION_ERROR", "scopes")
	bad("with scopes that are a text", object{"name": "a", "scopes": "read"}, 422, "VALIDATION_ERROR", "scopes")
	bad("that has expired", object{"name": "a", "expiresAt": "2020-01-01T00:00:00Z"}, 422, "VALIDATION_ERROR", "expiresAt")
	bad("with a strange expiry", object{"name": "a", "expiresAt": "tomorrow"}, 422, "VALIDATION_ERROR", "expiresAt")
	bad("without JSON", "{", 400, "BAD_REQUEST")
	bad("with 64 letters", object{"name": strings.Repeat("é", 64)}, 201, "")
	for name, body := range map[string]any{
		"nothing": object{}, "a null name": object{"name": nil}, "an empty name": object{"name": ""}, "no scopes": object{"scopes": []string{}},
		"an unknown scope": object{"scopes": []string{"x"}}, "an expiry in the past": object{"expiresAt": "2020-01-01T00:00:00Z"},
	} {
		p.Run(t, scenario{Name: "PATCH with " + name, As: me, Method: "PATCH", URL: keys + "/" + k.ID, Body: body, Status: 422, Code: "VALIDATION_ERROR"})
	}
	if now := listKeys(t, p, me)[1]; now.Name != "a" || now.Scope != "read_write_delete" {
		t.Errorf("a refused change changed the key: %+v", now)
	}
}

func TestAKeyIsChanged(t *testing.T) {
	p := start(t)
	me := p.SignIn("owner@example.org").Access
	k := makeKey(t, p, me, object{"name": "a", "description": "b", "expiresAt": "2099-01-01T00:00:00Z"})
	change := func(body object) (now wireKey) {
		t.Helper()
		p.Play(t, scenario{As: me, Method: "PATCH", URL: keys + "/" + k.ID, Body: body, Status: 200}).Data(t, &now)
		return now
	}
	if now := change(object{"scopes": []string{"media.read"}}); now.Name != "a" || *now.Description != "b" || now.ScopeVersion != 2 || now.ExpiresAt == nil {
		t.Errorf("%+v", now)
	}
	p.Play(t, scenario{As: k.Key, URL: "/v1/images", Status: 200})
	p.Play(t, scenario{As: k.Key, Method: "DELETE", URL: "/v1/images/aaaaaaaaaaa", Status: 403, Code: "FORBIDDEN"})
	if now := change(object{"name": "c", "description": ""}); now.Name != "c" || now.Description != nil || strings.Join(now.ScopesV2, "") != "media.read" {
		t.Errorf("%+v", now)
	}
	if now := change(object{"expiresAt": nil}); now.ExpiresAt != nil {
		t.Errorf("%+v", now)
	}
	if now := change(object{"scope": "read_write_delete"}); now.ScopeVersion != 1 || len(now.ScopesV2) != 0 {
		t.Errorf("%+v", now)
	}
	p.Play(t, scenario{As: k.Key, Method: "DELETE", URL: "/v1/images/aaaaaaaaaaa", Status: 404, Code: "NOT_FOUND"})
}

func TestAKeyEndsAtItsTimeAndWhenItIsRevoked(t *testing.T) {
	p := start(t)
	began, forward := stopClock(p)
	me := p.SignIn("owner@example.org").Access
	short := makeKey(t, p, me, object{"name": "short", "expiresAt": began.Add(time.Minute)})
	other := makeKey(t, p, me, object{"name": "other"})
	p.Play(t, scenario{As: short.Key, URL: "/v1/images", Status: 200})
	forward(time.Minute)
	p.Play(t, scenario{As: short.Key, URL: "/v1/images", Status: 401, Code: "UNAUTHORIZED", Has: []string{"expired"}})
	p.Play(t, scenario{As: other.Key, URL: "/v1/images", Status: 200})
	p.Play(t, scenario{As: me, Method: "DELETE", URL: keys + "/" + other.ID, Status: 200, Has: []string{`"data":null`}})
	p.Play(t, scenario{As: other.Key, URL: "/v1/images", Status: 401, Code: "API_KEY_REVOKED"})
	p.Play(t, scenario{As: me, Method: "DELETE", URL: keys + "/" + other.ID, Status: 404, Code: "NOT_FOUND"})
	p.Play(t, scenario{As: me, Method: "PATCH", URL: keys + "/" + other.ID, Body: object{"name": "x"}, Status: 404, Code: "NOT_FOUND"})
	for _, k := range listKeys(t, p, me) {
		if k.ID == other.ID {
			t.Error("a revoked key is listed")
		}
	}
}

func TestKeysOfOthersAreNotThere(t *testing.T) {
	p := start(t)
	p.NewUser("other@example.org")
	me, other := p.SignIn("owner@example.org").Access, p.SignIn("other@example.org").Access
	k := makeKey(t, p, me, object{"name": "mine"})
	if list := listKeys(t, p, other); len(list) != 0 {
		t.Errorf("the other has %+v", list)
	}
	for _, id := range []string{k.ID, strings.Repeat("a", 21), "x"} {
		p.Play(t, scenario{As: other, Method: "PATCH", URL: keys + "/" + id, Body: object{"name": "x"}, Status: 404, Code: "NOT_FOUND"})
		p.Play(t, scenario{As: other, Method: "DELETE", URL: keys + "/" + id, Status: 404, Code: "NOT_FOUND"})
		p.Play(t, scenario{As: other, URL: keys + "/" + id + "/tool-configs", Status: 200, Has: []string{`{"success":true,"data":null}`}})
	}
	p.Play(t, scenario{As: k.Key, URL: "/v1/images", Status: 200})
}

// Threat 20: a key widens itself, makes others, or keeps what its owner lost.
func TestAKeyCannotTouchKeysNorOutliveAnyRight(t *testing.T) {
	p := start(t)
	admin := p.Admin("admin@example.org")
	me := p.SignIn("owner@example.org").Access
	for name, k := range map[string]wireKey{
		"a key": makeKey(t, p, me, object{"name": "a", "scope": "all"}), "an administrator's key": makeKey(t, p, admin, object{"name": "a", "scope": "all"}),
	} {
		for _, s := range []scenario{
			{Method: "POST", URL: keys, Body: object{"name": "b"}},
			{Method: "GET", URL: keys},
			{Method: "PATCH", URL: keys + "/" + k.ID, Body: object{"scopes": []string{"all"}}},
			{Method: "DELETE", URL: keys + "/" + k.ID},
			{Method: "GET", URL: keys + "/" + k.ID + "/tool-configs"},
		} {
			s.Name, s.As, s.Status, s.Code = name+": "+s.Method+" "+s.URL, k.Key, 403, "FORBIDDEN"
			s.Check = noQuotaWords
			p.Run(t, s)
		}
	}
	ctx := context.Background()
	u, err := p.App.Store().UserByEmail(ctx, "admin@example.org")
	if err != nil {
		t.Fatal(err)
	}
	p.Admin("second@example.org") // one must be left
	k := makeKey(t, p, admin, object{"name": "a"})
	who, err := p.App.Auth().Bearer(ctx, "Bearer "+k.Key)
	if err != nil || who.Admin() || who.NeedAdmin() == nil || who.NeedPerson() == nil || who.NeedProof(time.Now()) == nil {
		t.Errorf("an administrator's key may administer: %+v %v", who, err)
	}
	if _, err := p.App.Store().UpdateUser(ctx, u.ID, func(u *store.User) error { u.Admin = false; u.Banned = time.Now(); return nil }); err != nil {
		t.Fatal(err)
	}
	p.Play(t, scenario{As: k.Key, URL: "/v1/images", Status: 403, Code: "FORBIDDEN"})
	p.Play(t, scenario{As: admin, URL: keys, Status: 403, Code: "FORBIDDEN"})
}

func TestOldSessionsMayEndKeysButNotMakeThem(t *testing.T) {
	p := start(t)
	began, forward := stopClock(p)
	me := p.SignIn("owner@example.org").Access
	k := makeKey(t, p, me, object{"name": "a"})
	forward(20 * time.Minute)
	later := p.SignIn("owner@example.org") // a token that is not too old, of a session that was proved long ago
	ctx := context.Background()
	who, err := p.App.Auth().Bearer(ctx, "Bearer "+later.Access)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.App.Store().UpdateSession(ctx, who.Session, func(s *store.Session) error { s.Proved = began; return nil }); err != nil {
		t.Fatal(err)
	}
	p.Play(t, scenario{As: later.Access, Method: "POST", URL: keys, Body: object{"name": "b"}, Status: 403, Code: "CONFIRMATION_REQUIRED"})
	p.Play(t, scenario{As: later.Access, Method: "PATCH", URL: keys + "/" + k.ID, Body: object{"name": "b"}, Status: 403, Code: "CONFIRMATION_REQUIRED"})
	p.Play(t, scenario{As: later.Access, URL: keys, Status: 200})
	p.Play(t, scenario{As: later.Access, Method: "DELETE", URL: keys + "/" + k.ID, Status: 200})
}

func TestAnAccountMayHaveALimitedNumberOfKeys(t *testing.T) {
	p := start(t)
	ctx := context.Background()
	if _, err := p.App.Store().UpdateUser(ctx, p.User, func(u *store.User) error {
		u.Unlimited, u.Limits = false, map[string]int64{"api_keys": 3}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	me := p.SignIn("owner@example.org").Access
	makeKey(t, p, me, object{"name": "second"})
	status := make(chan int, 8)
	for range 8 {
		go func() {
			status <- p.JSON("POST", keys, object{"name": "at once"}, "Authorization", "Bearer "+me).Status
		}()
	}
	made := 0
	for range 8 {
		if s := <-status; s == 201 {
			made++
		} else if s != 403 {
			t.Errorf("status %d", s)
		}
	}
	if list := listKeys(t, p, me); made != 1 || len(list) != 3 {
		t.Errorf("of eight at once %d were made, %d keys are there, want 1 and 3", made, len(list))
	}
	p.Play(t, scenario{As: me, Method: "POST", URL: keys, Body: object{"name": "a"}, Status: 403, Code: "QUOTA_EXCEEDED",
		Has: []string{`{"success":false,"error":"Quota exceeded: api_key_count`, `"type":"api_key_count"`, `"used":3`, `"limit":3`}})
	p.Play(t, scenario{As: me, Method: "DELETE", URL: keys + "/" + listKeys(t, p, me)[0].ID, Status: 200})
	makeKey(t, p, me, object{"name": "in its place"})
}

func TestLastUseIsShownWithoutTheRequestWritingIt(t *testing.T) {
	p := start(t)
	me := p.SignIn("owner@example.org").Access
	k := makeKey(t, p, me, object{"name": "a"})
	p.Play(t, scenario{As: k.Key, URL: "/v1/auth/verify", Status: 200})
	p.App.Auth().Flush(context.Background())
	at := listKeys(t, p, me)[0].LastUsedAt
	if at == nil {
		t.Fatal("no last use")
	}
	if used, err := time.Parse(time.RFC3339, *at); err != nil || time.Since(used).Abs() > time.Hour {
		t.Errorf("last used %s", *at)
	}
}
