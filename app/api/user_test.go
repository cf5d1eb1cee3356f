package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/app/auth"
	"picora/app/config"
	"picora/store"
)

const me = "/v1/user/me"

func TestTheAccountTellsWhoItIs(t *testing.T) {
	p := start(t)
	s := p.SignIn("owner@example.org")
	for _, as := range []string{"", s.Access} {
		r := p.Play(t, scenario{As: as, URL: me, Status: 200})
		if id, email := field(t, r, "id"), field(t, r, "email"); id != p.User || email != "owner@example.org" {
			t.Errorf("%v %v", id, email)
		}
		for _, secret := range []string{"pw", "password", "argon2", "hash"} {
			if strings.Contains(strings.ToLower(strings.ReplaceAll(string(r.Body), p.User, "")), secret) { // an id may contain anything
				t.Errorf("%q is in %s", secret, r.Body)
			}
		}
	}
}

func TestProfilesAreChangedAndRefused(t *testing.T) {
	p := start(t)
	patch := func(name, body string, status int, has ...string) scenario {
		s := scenario{Name: name, Method: "PATCH", URL: me, Body: body, Status: status, Has: has}
		switch status {
		case 422:
			s.Code = "VALIDATION_ERROR"
		case 400:
			s.Code = "BAD_REQUEST"
		}
		return s
	}
	markup := `<script>alert(1)</script>`
	p.Run(t,
		patch("a name", `{"nickname":" Ann "}`, 200, `"nickname":"Ann"`),
		patch("markup is text", `{"nickname":"`+markup+`"}`, 200, `"nickname":"`+markup+`"`),
		patch("60 characters", `{"nickname":"`+strings.Repeat("海", 60)+`"}`, 200),
		patch("61 characters", `{"nickname":"`+strings.Repeat("海", 61)+`"}`, 422, "nickname"),
		patch("a NUL", `{"nickname":"a\u0000b"}`, 422, "nickname"),
		patch("a line end", `{"nickname":"a\nb"}`, 422, "nickname"),
		patch("letters that turn others around", `{"nickname":"a\u202egnp.exe"}`, 422, "nickname"),
		patch("a number", `{"nickname":7}`, 422, "nickname"),
		patch("empty clears it", `{"nickname":""}`, 200, `"nickname":null`),
		patch("null clears it", `{"nickname":null}`, 200, `"nickname":null`),
		patch("a language", `{"locale":"zh-CN"}`, 200, `"locale":"zh-CN"`),
		patch("null leaves it alone", `{"locale":null}`, 200, `"locale":"zh-CN"`),
		patch("a language that we do not speak", `{"locale":"fr"}`, 422, "locale"),
		patch("versions", `{"docVersioningEnabled":true,"docVersioningMax":500}`, 200, `"docVersioningEnabled":true`, `"docVersioningMax":500`),
		patch("no versions", `{"docVersioningMax":0}`, 422, "docVersioningMax"),
		patch("too many versions", `{"docVersioningMax":501}`, 422, "docVersioningMax"),
		patch("half a version", `{"docVersioningMax":1.5}`, 422, "docVersioningMax"),
		patch("a word for a switch", `{"docVersioningEnabled":"yes"}`, 422, "docVersioningEnabled"),
		patch("an avatar elsewhere", `{"avatarUrl":"https://example.org/a.png"}`, 200, `"avatarUrl":"https://example.org/a.png"`),
		patch("a script", `{"avatarUrl":"javascript:alert(1)"}`, 422, "avatarUrl"),
		patch("no https", `{"avatarUrl":"http://example.org/a.png"}`, 422, "avatarUrl"),
		patch("data", `{"avatarUrl":"data:image/png;base64,AAAA"}`, 422, "avatarUrl"),
		patch("a path", `{"avatarUrl":"//example.org/a.png"}`, 422, "avatarUrl"),
		patch("a password in it", `{"avatarUrl":"https://a:b@example.org/"}`, 422, "avatarUrl"),
		patch("an address that closes a quote", `{"avatarUrl":"https://example.org/\"onerror=alert(1)"}`, 422, "avatarUrl"),
		patch("a very long one", `{"avatarUrl":"https://example.org/`+strings.Repeat("a", 2048)+`"}`, 422, "avatarUrl"),
		patch("null takes it away", `{"avatarUrl":null}`, 200, `"avatarUrl":null`),
		patch("fields of newer clients, and those that nobody changes so", `{"x":1,"plan":"pro_plus","role":"admin","id":"x","isActive":false,"emailVerified":false}`, 200, `"role":"user"`, `"emailVerified":true`),
		patch("nothing", `{}`, 200, `"locale":"zh-CN"`),
		patch("no body", ``, 200, `"docVersioningMax":500`),
		patch("no object", `[]`, 422),
		patch("no JSON", `{`, 400),
	)
	if u, err := p.App.Store().User(t.Context(), p.User); err != nil || u.Admin || u.DocVersioningMax != 500 {
		t.Errorf("%+v %v", u, err)
	}
}

func TestTheAddressIsChangedByItsOwnerAlone(t *testing.T) {
	p := start(t)
	p.NewUser("taken@example.org")
	now, old := p.SignIn("owner@example.org"), p.SignIn("owner@example.org")
	stale := p.SignIn("owner@example.org")
	if _, err := p.App.Store().UpdateSession(t.Context(), stale.Session.ID, func(x *store.Session) error { x.Proved = x.Proved.Add(-time.Hour); return nil }); err != nil {
		t.Fatal(err)
	}
	patch := func(name, as, body string, status int, code string, has ...string) scenario {
		return scenario{Name: name, As: as, Method: "PATCH", URL: me, Body: body, Status: status, Code: code, Has: has}
	}
	p.Run(t,
		patch("by an API key", "", `{"email":"new@example.org"}`, 403, "FORBIDDEN"),
		patch("long after the sign-in", stale.Access, `{"email":"new@example.org"}`, 403, "CONFIRMATION_REQUIRED"),
		patch("the same address is no change", "", `{"email":"owner@example.org","nickname":"Ann"}`, 200, "", `"emailVerified":true`),
		patch("somebody else's", now.Access, `{"email":"TAKEN@example.org","nickname":"Eve"}`, 409, "CONFLICT"),
		patch("no address", now.Access, `{"email":"new","nickname":"Eve"}`, 422, "VALIDATION_ERROR", "email"),
		patch("a name for an address", now.Access, `{"email":"Ann <new@example.org>"}`, 422, "VALIDATION_ERROR", "email"),
		patch("a header's end in it", now.Access, `{"email":"new@example.org\r\nBcc: x@example.org"}`, 422, "VALIDATION_ERROR", "email"),
		patch("a code that nobody sent", now.Access, `{"email":"new@example.org","code":"123456"}`, 422, "VALIDATION_ERROR", "code"),
		patch("another field is wrong", now.Access, `{"email":"new@example.org","locale":"x"}`, 422, "VALIDATION_ERROR", "locale"),
		patch("nothing of all that counted", now.Access, `{}`, 200, "", `"nickname":"Ann"`, `"email":"owner@example.org"`),
		patch("a new one", now.Access, `{"email":"new@example.org"}`, 200, "", `"email":"new@example.org"`, `"emailVerified":false`),
		scenario{Name: "the session goes on", As: now.Access, URL: me, Status: 200},
		scenario{Name: "others end", As: old.Access, URL: me, Status: 401, Code: "UNAUTHORIZED"},
		scenario{Name: "the user hears of it", As: now.Access, URL: "/v1/notifications", Status: 200, Has: []string{"e-mail address was changed"}},
	)
}

func TestIdentities(t *testing.T) {
	p := start(t)
	s := p.SignIn("owner@example.org")
	other, err := p.App.Store().CreateIdentity(t.Context(), store.Identity{User: p.User, Issuer: "https://id.example", Subject: "123456", Email: "海海海@example.org"})
	if err != nil {
		t.Fatal(err)
	}
	stranger := p.NewUser("b@example.org")
	theirs, err := p.App.Store().CreateIdentity(t.Context(), store.Identity{User: stranger, Issuer: "https://id.example", Subject: "7"})
	if err != nil {
		t.Fatal(err)
	}
	r := p.Play(t, scenario{As: s.Access, URL: me + "/identities", Status: 200, Has: []string{"ow***@example.org", "海海***@example.org"}})
	var list []struct{ ID, Provider string }
	if r.Data(t, &list); len(list) != 2 || list[0].Provider != "email" || list[1].ID != other.ID || strings.Contains(string(r.Body), "owner@") {
		t.Errorf("%s", r.Body)
	}
	remove := func(name, id string, status int, code string) scenario {
		return scenario{Name: name, As: s.Access, Method: "DELETE", URL: me + "/identities/" + id, Status: status, Code: code}
	}
	p.Run(t,
		remove("somebody else's", theirs.ID, 404, "NOT_FOUND"),
		remove("one that is not there", strings.Repeat("a", 21), 404, "NOT_FOUND"),
		remove("one of a wrong form", "x", 404, "NOT_FOUND"),
		remove("the address", p.User, 422, "VALIDATION_ERROR"),
		remove("the last way to sign in", other.ID, 422, "VALIDATION_ERROR"),
	)
	if _, err := p.App.Store().UpdateUser(t.Context(), p.User, func(u *store.User) error { u.Password = "$argon2id$"; return nil }); err != nil {
		t.Fatal(err)
	}
	p.Run(t, remove("when there is a password", other.ID, 200, ""), remove("again", other.ID, 404, "NOT_FOUND"))
	if _, _, err := p.App.Store().IdentityOf(t.Context(), "https://id.example", "7"); err != nil {
		t.Errorf("somebody else's: %v", err)
	}
}

// TestADeletedAccountIsGoneAtOnce looks at every way in, and at links that the server
// has in memory: it is asked on one connection, so that the shortest path answers.
func TestADeletedAccountIsGoneAtOnce(t *testing.T) {
	p := start(t)
	other := p.NewUser("b@example.org")
	key, s := p.NewKey("b@example.org"), p.SignIn("b@example.org")
	p.NewUser("c@example.org")
	var links []string
	add := func(as string, n int) string {
		r := p.Play(t, scenario{As: as, Method: "POST", URL: "/v1/images", Body: parts{apptest.File("a.png", picture(uint64(n)))}, Status: 201})
		return field(t, r, "url").(string)
	}
	for n := range 450 { // more than a portion and a half
		links = append(links, add(key, n))
	}
	kept := add("", 1)
	p.Play(t, scenario{As: key, Method: "POST", URL: watermarks, Body: textMark, Status: 201})
	if err := p.App.Store().Notify(t.Context(), store.Notification{User: other, Title: "x"}); err != nil {
		t.Fatal(err)
	}
	ask := func(link string) int {
		req, _ := http.NewRequest("GET", link, nil)
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	for range 3 {
		for _, l := range append(links[:3:3], kept) {
			if status := ask(l); status != 200 {
				t.Fatalf("%s: %d", l, status)
			}
		}
	}
	p.Run(t,
		scenario{Name: "an API key cannot", As: key, Method: "DELETE", URL: me, Status: 403, Code: "FORBIDDEN"},
		scenario{Name: "a word that is not DELETE", As: s.Access, Method: "DELETE", URL: me, Body: `{"confirm":"delete"}`, Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "its owner can", As: s.Access, Method: "DELETE", URL: me, Body: `{"confirm":"DELETE"}`, Status: 200, Golden: "delete"},
		scenario{Name: "its session is over", As: s.Access, URL: me, Status: 401, Code: "UNAUTHORIZED"},
		scenario{Name: "its key is unknown", As: key, URL: me, Status: 401, Code: "UNAUTHORIZED"},
		scenario{Name: "so it is for uploads", As: key, Method: "POST", URL: "/v1/images", Body: parts{apptest.File("a.png", pixel)}, Status: 401, Code: "UNAUTHORIZED"},
		scenario{Name: "its refresh token is void", As: apptest.Nobody, Method: "POST", URL: "/v1/auth/refresh", Headers: []string{"Cookie", "refresh_token=" + s.Refresh}, Status: 401, Code: "UNAUTHORIZED"},
	)
	for _, l := range links {
		if status := ask(l); status != 404 {
			t.Fatalf("%s: %d", l, status)
		}
	}
	if status := ask(kept); status != 200 {
		t.Errorf("a link of another user: %d", status)
	}
	deadline := time.Now().Add(30 * time.Second) // for a machine that is busy
	for n := 0; ; n++ {
		c, err := p.App.Store().Count(t.Context(), other, store.Image)
		if err != nil {
			t.Fatal(err)
		}
		if blobs := len(p.Blobs()); c.N == 0 && blobs == 1 {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("%d records and %d files are left", c.N, blobs)
		}
		time.Sleep(10 * time.Millisecond)
	}
	// The same address is a new account, and has nothing.
	if again := p.NewUser("b@example.org"); again == other {
		t.Error("the new account has the id of the old one")
	}
	p.Run(t, scenario{Name: "a new account of that address", As: p.NewKey("b@example.org"), URL: "/v1/images", Status: 200, Golden: "list-empty"})
}

func TestTheOnlyAdministratorCannotGo(t *testing.T) {
	p := start(t)
	one := p.Admin("one@example.org")
	p.Play(t, scenario{As: one, Method: "DELETE", URL: me, Status: 422, Code: "VALIDATION_ERROR", Has: []string{"administrator"}})
	p.Play(t, scenario{As: one, URL: me, Status: 200})
	p.Admin("two@example.org")
	p.Play(t, scenario{As: one, Method: "DELETE", URL: me, Status: 200})
}

func TestNotificationsAreTheirUsersAlone(t *testing.T) {
	p := start(t)
	s := p.SignIn("owner@example.org")
	p.NewUser("b@example.org")
	other := p.SignIn("b@example.org")
	for n := range 45 {
		p.Advance(time.Millisecond) // of the same moment, any may come first
		if err := p.App.Store().Notify(t.Context(), store.Notification{User: p.User, Type: "system", Title: fmt.Sprint("<b>", n), Body: "text", Link: "/settings"}); err != nil {
			t.Fatal(err)
		}
	}
	type page struct {
		Notifications []struct {
			ID, Title, CreatedAt string
			Link, ReadAt         *string
		}
		Items      []struct{ ID string }
		NextCursor *string
		HasMore    bool
	}
	var all []string
	for cursor := ""; ; {
		var one page
		p.Play(t, scenario{As: s.Access, URL: "/v1/notifications?cursor=" + cursor, Status: 200}).Data(t, &one)
		for i, n := range one.Notifications {
			if one.Items[i].ID != n.ID || n.ReadAt != nil || *n.Link != "/settings" || n.Title != fmt.Sprint("<b>", 44-len(all)) {
				t.Errorf("%d: %+v", i, n)
			}
			all = append(all, n.ID)
		}
		if one.HasMore != (one.NextCursor != nil) {
			t.Error("hasMore and nextCursor disagree")
		}
		if one.NextCursor == nil {
			break
		}
		if cursor = *one.NextCursor; len(one.Items) != 20 {
			t.Errorf("%d in a page", len(one.Items))
		}
		p.Play(t, scenario{As: other.Access, URL: "/v1/notifications?cursor=" + cursor, Status: 422, Code: "VALIDATION_ERROR"})
	}
	if len(all) != 45 {
		t.Fatalf("%d notifications", len(all))
	}
	read := func(name, as string, body any, status int, has string) scenario {
		s := scenario{Name: name, As: as, Method: "POST", URL: "/v1/notifications/read", Body: body, Status: status, Has: []string{has}}
		if status == 400 {
			s.Code = "BAD_REQUEST"
		}
		return s
	}
	many := make([]string, 101)
	p.Run(t,
		read("somebody else's", other.Access, object{"ids": all[:3]}, 200, `"updated":0`),
		scenario{Name: "they stay unread", As: s.Access, URL: "/v1/notifications/unread-count", Status: 200, Has: []string{`"count":45`}},
		read("two, one of them twice", s.Access, object{"ids": []string{all[0], all[30], all[0], "x"}}, 200, `"updated":2`),
		read("again", s.Access, object{"ids": all[:1]}, 200, `"updated":0`),
		read("none", s.Access, object{"ids": []string{}}, 400, "ids"),
		read("101", s.Access, object{"ids": many}, 400, "ids"),
		read("no ids", s.Access, `{}`, 400, "ids"),
		read("no list", s.Access, `{"ids":"x"}`, 400, "ids"),
		read("no JSON", s.Access, `{`, 400, "JSON"),
		scenario{Name: "the count", As: s.Access, URL: "/v1/notifications/unread-count", Status: 200, Has: []string{`"count":43`}},
		scenario{Name: "all", As: s.Access, Method: "POST", URL: "/v1/notifications/read-all", Status: 200, Has: []string{`"updated":43`}},
		scenario{Name: "nothing is left", As: s.Access, URL: "/v1/notifications/unread-count", Status: 200, Has: []string{`"count":0`}},
		scenario{Name: "others have none", As: other.Access, URL: "/v1/notifications", Status: 200, Has: []string{`"notifications":[]`, `"items":[]`, `"nextCursor":null`}},
		scenario{Name: "an API key cannot", URL: "/v1/notifications", Status: 403, Code: "FORBIDDEN"},
	)
}

func TestNotificationsThatNobodyWantsDoNotCome(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t)
	s := p.SignIn("owner@example.org")
	const path = "/v1/notifications/preferences"
	set := func(body any, status int, has string) scenario {
		s := scenario{As: s.Access, Method: "PATCH", URL: path, Body: body, Status: status, Has: []string{has}}
		if status == 422 {
			s.Code = "VALIDATION_ERROR"
		}
		return s
	}
	tell := func(about string) {
		t.Helper()
		if err := p.App.Store().Notify(t.Context(), store.Notification{User: p.User, Type: "system", Title: "of " + about, About: about}); err != nil {
			t.Fatal(err)
		}
	}
	unread := func(n string) scenario {
		return scenario{As: s.Access, URL: "/v1/notifications/unread-count", Status: 200, Has: []string{`"count":` + n}}
	}
	p.Run(t, scenario{Name: "all are wanted", As: s.Access, URL: path, Status: 200, Has: []string{`"limits":true`, `"media":true`, `"news":true`}},
		set(object{"news": false}, 200, `"news":false`), set(object{"media": false}, 200, `"news":false`), set(object{"media": "no"}, 422, "media"))
	for _, about := range append([]string{""}, store.NoticesAbout...) {
		tell(about)
	}
	p.Run(t, unread("2"), set(object{"news": true, "limits": nil}, 200, `"media":false`))
	tell(store.AboutNews)
	p.Run(t, unread("3"), scenario{Name: "an API key cannot", URL: path, Status: 403, Code: "FORBIDDEN"})
}

// TestAnAddressIsShownByACode is for servers that send mail; where it goes does not
// matter here.
func TestAnAddressIsShownByACode(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t, func(c *config.Config) {
		c.Mail.Host, c.Mail.From = "127.0.0.1", "picora@example.org"
		c.Mail.Port = 1
	})
	s := p.SignIn("owner@example.org")
	for _, c := range []struct{ name, email, purpose string }{
		{"no code", "", ""},
		{"a code for another purpose", "new@example.org", auth.ForLogin},
		{"a code for another address", "old@example.org", auth.ForBindEmail},
		{"the code", "new@example.org", auth.ForBindEmail},
	} {
		body := object{"email": "new@example.org", "code": nil}
		if c.email != "" {
			code, err := p.App.Auth().NewCode(t.Context(), c.email, c.purpose)
			if err != nil {
				t.Fatal(err)
			}
			body["code"] = code
			p.Advance(61 * time.Second) // one a minute
		}
		want := scenario{Name: c.name, As: s.Access, Method: "PATCH", URL: me, Body: body, Status: 422, Code: "VALIDATION_ERROR", Has: []string{"code"}}
		if c.name == "the code" {
			want.Status, want.Code, want.Has = 200, "", []string{`"email":"new@example.org"`, `"emailVerified":true`}
		}
		p.Run(t, want)
	}
}
