package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/app/config"
	"picora/app/control"
	"picora/store"
)

const goodPassword = "correct horse battery"

// withPassword makes an account with goodPassword and returns its id.
func withPassword(t testing.TB, p *apptest.Picora, email string) string {
	t.Helper()
	u, err := p.Control().AddUser(context.Background(), control.NewUser{Email: email, Password: goodPassword})
	if err != nil {
		t.Fatal(err)
	}
	return u.ID
}

// post is a request of nobody.
func post(path string, body any, status int, code string) scenario {
	return scenario{As: apptest.Nobody, Method: "POST", URL: path, Body: body, Status: status, Code: code}
}

// cookieOf is the refresh cookie that an answer sets.
func cookieOf(t testing.TB, r apptest.Response) *http.Cookie {
	t.Helper()
	for _, c := range (&http.Response{Header: r.Header}).Cookies() {
		if c.Name == "refresh_token" {
			return c
		}
	}
	t.Fatalf("no cookie: %v", r.Header)
	return nil
}

// markOf is the cookie that tells the dashboard's script of a session; nil: there is none.
func markOf(r apptest.Response) *http.Cookie {
	for _, c := range (&http.Response{Header: r.Header}).Cookies() {
		if c.Name == "signed_in" {
			return c
		}
	}
	return nil
}

func access(t testing.TB, r apptest.Response) string {
	t.Helper()
	return field(t, r, "accessToken").(string)
}

func openServer(t *testing.T, mode string, edit ...func(*config.Config)) *apptest.Picora {
	t.Helper()
	t.Parallel()
	return apptest.Start(t, append([]func(*config.Config){func(c *config.Config) {
		c.Accounts.Registration, c.Accounts.Plan = mode, "trial"
		c.Limits.SignInPerMinute, c.Limits.SignInBurst = 10_000, 10_000
	}}, edit...)...)
}

func TestLoginByPassword(t *testing.T) {
	p := openServer(t, "closed")
	withPassword(t, p, "you@example.org")
	r := p.Play(t, post("/v1/auth/login", object{"email": "You@Example.org", "password": goodPassword, "more": 1}, 200, ""))
	c := cookieOf(t, r)
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.MaxAge != 7*24*3600 || c.Path != "/v1/auth" || c.Secure || len(c.Value) != 43 || strings.Contains(string(r.Body), c.Value) {
		t.Errorf("cookie %+v", c)
	}
	p.Play(t, scenario{As: access(t, r), URL: "/v1/auth/verify", Status: 200, Has: []string{`"authType":"jwt"`}})
	for name, body := range map[string]any{
		"another password": object{"email": "you@example.org", "password": "wrong"},
		"nobody":           object{"email": "nobody@example.org", "password": goodPassword},
		"no password set":  object{"email": "owner@example.org", "password": goodPassword},
	} {
		r := p.Play(t, post("/v1/auth/login", body, 401, "UNAUTHORIZED"))
		if !strings.Contains(string(r.Body), "The e-mail address or the password is wrong.") {
			t.Errorf("%s: %s", name, r.Body)
		}
	}
	for _, s := range []scenario{
		post("/v1/auth/login", object{"email": "you@example.org"}, 422, "VALIDATION_ERROR"),
		post("/v1/auth/login", object{"password": "x"}, 422, "VALIDATION_ERROR"),
		post("/v1/auth/login", object{"email": "you", "password": "x"}, 422, "VALIDATION_ERROR"),
		post("/v1/auth/login", object{"email": 7, "password": "x"}, 422, "VALIDATION_ERROR"),
		post("/v1/auth/login", "{", 400, "BAD_REQUEST"),
	} {
		p.Play(t, s)
	}
}

func TestTheCookieIsSecureBehindHTTPS(t *testing.T) {
	p := openServer(t, "closed", func(c *config.Config) { c.Server.TrustedProxies = []string{"127.0.0.1"} })
	withPassword(t, p, "you@example.org")
	s := post("/v1/auth/login", object{"email": "you@example.org", "password": goodPassword}, 200, "")
	s.Headers = []string{"X-Forwarded-Proto", "https", "X-Forwarded-Host", "pics.example.org", "Origin", "https://pics.example.org"}
	if c := cookieOf(t, p.Play(t, s)); !c.Secure {
		t.Errorf("cookie %+v", c)
	}
	s.Headers[1] = "http"
	s.Status, s.Code = 403, "FORBIDDEN" // the origin is https
	p.Play(t, s)
}

func TestRefreshAndLogout(t *testing.T) {
	p := openServer(t, "closed")
	withPassword(t, p, "you@example.org")
	in := p.Play(t, post("/v1/auth/login", object{"email": "you@example.org", "password": goodPassword}, 200, ""))
	cookie := "refresh_token=" + cookieOf(t, in).Value
	with := func(path string, status int, code string, headers ...string) scenario {
		s := post(path, nil, status, code)
		s.Headers = append([]string{"Cookie", cookie}, headers...)
		return s
	}
	var last apptest.Response
	for range 3 { // a refresh whose answer was lost is repeated
		last = p.Play(t, with("/v1/auth/refresh", 200, ""))
		if c := cookieOf(t, last); c.Value != cookieOf(t, in).Value {
			t.Error("the refresh token was replaced")
		}
	}
	if c := markOf(last); c == nil || c.Value != "1" || c.Path != "/" || c.HttpOnly || c.MaxAge != 7*24*3600 || c.SameSite != http.SameSiteStrictMode {
		t.Errorf("what tells the page that there is a session: %+v", c)
	}
	p.Play(t, scenario{As: access(t, last), URL: "/v1/auth/verify", Status: 200})
	if c := markOf(p.Play(t, with("/v1/auth/logout", 200, ""))); c == nil || c.Value != "" || c.MaxAge >= 0 {
		t.Errorf("it is still told that there is a session: %+v", c)
	}
	p.Play(t, with("/v1/auth/refresh", 401, "UNAUTHORIZED"))
	for _, token := range []string{access(t, in), access(t, last)} {
		p.Play(t, scenario{As: token, URL: "/v1/auth/verify", Status: 401, Code: "UNAUTHORIZED"})
	}
	p.Play(t, with("/v1/auth/logout", 200, "")) // of nothing
}

// Threat 27: other pages cannot use the cookie, nor sign a visitor in to an account.
func TestThreat27OtherPagesCannotSignAnybodyInOrOut(t *testing.T) {
	p := openServer(t, "open")
	withPassword(t, p, "you@example.org")
	in := p.Play(t, post("/v1/auth/login", object{"email": "you@example.org", "password": goodPassword}, 200, ""))
	cookie := "refresh_token=" + cookieOf(t, in).Value
	login := object{"email": "you@example.org", "password": goodPassword}
	for _, from := range [][]string{
		{"Origin", "https://evil.example"}, {"Origin", "null"}, {"Origin", strings.Replace(p.URL, "http:", "https:", 1)},
		{"Origin", p.URL + "0"}, {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"},
		{"Origin", "https://evil.example", "X-Forwarded-Host", "evil.example", "X-Forwarded-Proto", "https"},
	} {
		for path, body := range map[string]any{
			"/v1/auth/refresh": nil, "/v1/auth/logout": nil, "/v1/auth/login": login,
			"/v1/auth/login/code": object{"email": "you@example.org", "code": "123456"},
			"/v1/auth/register":   object{"email": "new@example.org", "password": goodPassword},
			"/v1/setup":           object{"token": "x", "email": "new@example.org", "password": goodPassword},
		} {
			s := post(path, body, 403, "FORBIDDEN")
			s.Headers = append([]string{"Cookie", cookie, "Content-Type", "text/plain"}, from...)
			if r := p.Play(t, s); r.Header.Get("Set-Cookie") != "" {
				t.Errorf("%s from %v sets a cookie", path, from)
			}
		}
	}
	s := post("/v1/auth/refresh", nil, 200, "")
	s.Headers = []string{"Cookie", cookie, "Origin", p.URL, "Sec-Fetch-Site", "same-origin"}
	p.Play(t, s)
}

// Threat 26: what comes as the cookie is a random name of a record and nothing else;
// nobody can choose it for somebody.
func TestThreat26ForgedCookiesOpenNothing(t *testing.T) {
	p := openServer(t, "closed")
	withPassword(t, p, "you@example.org")
	chosen := strings.Repeat("a", 43)
	for _, v := range []string{"", "a", chosen, chosen + "a", "00000000-0000-0000-0000-000000000000", p.Key, strings.Repeat("x", 4000), "\x00", "../../etc/passwd", p.SignIn("you@example.org").Access} {
		s := post("/v1/auth/refresh", nil, 401, "UNAUTHORIZED")
		s.Headers = []string{"Cookie", "refresh_token=" + v}
		if strings.ContainsAny(v, "\x00") {
			continue // no client sends it
		}
		p.Play(t, s)
	}
	s := post("/v1/auth/login", object{"email": "you@example.org", "password": goodPassword}, 200, "")
	s.Headers = []string{"Cookie", "refresh_token=" + chosen}
	if c := cookieOf(t, p.Play(t, s)); c.Value == chosen {
		t.Error("a session took the name that was chosen for it")
	}
}

func TestWhatEndsASessionEndsItForTheNextRequest(t *testing.T) {
	p := openServer(t, "closed")
	user := withPassword(t, p, "you@example.org")
	ctx := context.Background()
	for name, end := range map[string]func(t *testing.T, keep, gone string, x store.Session){
		"its deletion": func(t *testing.T, keep, gone string, x store.Session) {
			p.Play(t, scenario{As: keep, Method: "DELETE", URL: "/v1/user/me/sessions/" + x.ID, Status: 200})
		},
		"the deletion of all others": func(t *testing.T, keep, gone string, x store.Session) {
			p.Play(t, scenario{As: keep, Method: "DELETE", URL: "/v1/user/me/sessions", Status: 200, Has: []string{`"ended":1`}})
		},
		"another password": func(t *testing.T, keep, gone string, x store.Session) {
			p.Play(t, scenario{As: keep, Method: "POST", URL: "/v1/user/me/change-password", Body: object{"oldPassword": goodPassword, "newPassword": goodPassword}, Status: 200})
		},
		"picora user password": func(t *testing.T, keep, gone string, x store.Session) {
			if _, err := p.Control().SetPassword(ctx, control.NewPassword{Email: "you@example.org", Password: goodPassword}); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			keep, gone := p.SignIn("you@example.org"), p.SignIn("you@example.org")
			key := p.NewKey("you@example.org")
			p.Play(t, scenario{As: gone.Access, URL: "/v1/auth/verify", Status: 200})
			end(t, keep.Access, gone.Access, gone.Session)
			p.Play(t, scenario{As: gone.Access, URL: "/v1/auth/verify", Status: 401, Code: "UNAUTHORIZED"})
			s := post("/v1/auth/refresh", nil, 401, "UNAUTHORIZED")
			s.Headers = []string{"Cookie", "refresh_token=" + gone.Refresh}
			p.Play(t, s)
			p.Play(t, scenario{As: key, URL: "/v1/auth/verify", Status: 200}) // keys stay
			if _, err := p.App.Store().DeleteSessions(ctx, user, ""); err != nil {
				t.Fatal(err)
			}
		})
	}
	in := p.SignIn("you@example.org")
	if _, err := p.App.Store().UpdateUser(ctx, user, func(u *store.User) error { u.Banned = time.Now(); return nil }); err != nil {
		t.Fatal(err)
	}
	r := p.Play(t, scenario{As: in.Access, URL: "/v1/auth/verify", Status: 403, Code: "FORBIDDEN"})
	noQuotaWords(t, r)
	s := post("/v1/auth/refresh", nil, 403, "FORBIDDEN")
	s.Headers = []string{"Cookie", "refresh_token=" + in.Refresh}
	p.Play(t, s)
	p.Play(t, post("/v1/auth/login", object{"email": "you@example.org", "password": goodPassword}, 403, "FORBIDDEN"))
}

func TestSessionsAreListedForTheirUserOnly(t *testing.T) {
	p := openServer(t, "closed")
	withPassword(t, p, "you@example.org")
	login := post("/v1/auth/login", object{"email": "you@example.org", "password": goodPassword}, 200, "")
	login.Headers = []string{"User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"}
	mine := access(t, p.Play(t, login))
	theirs := p.SignIn("owner@example.org")
	r := p.Play(t, scenario{As: mine, URL: "/v1/user/me/sessions", Status: 200, Has: []string{`"name":"Firefox on Linux"`, `"current":true`, `"method":"password"`, `"address":"127.0.0.1"`}})
	if strings.Contains(string(r.Body), theirs.Session.ID) {
		t.Error("somebody else's session is in the list")
	}
	p.Play(t, scenario{As: mine, Method: "DELETE", URL: "/v1/user/me/sessions/" + theirs.Session.ID, Status: 404, Code: "NOT_FOUND"})
	p.Play(t, scenario{As: theirs.Access, URL: "/v1/auth/verify", Status: 200})
	for _, m := range []string{"GET", "DELETE"} {
		noQuotaWords(t, p.Play(t, scenario{Method: m, URL: "/v1/user/me/sessions", Status: 403, Code: "FORBIDDEN"})) // an API key
	}
	p.Advance(8 * 24 * time.Hour)
	again := access(t, p.Play(t, login))
	var list []object
	p.Play(t, scenario{As: again, URL: "/v1/user/me/sessions", Status: 200}).Data(t, &list)
	if len(list) != 1 {
		t.Errorf("%d sessions are listed, though all but one have expired", len(list))
	}
}

func TestPasswordsAreChanged(t *testing.T) {
	p := openServer(t, "closed")
	withPassword(t, p, "you@example.org")
	me := p.SignIn("you@example.org").Access
	change := func(as, old, next string, status int, code string) scenario {
		return scenario{As: as, Method: "POST", URL: "/v1/user/me/change-password", Body: object{"oldPassword": old, "newPassword": next}, Status: status, Code: code}
	}
	p.Play(t, change(me, "wrong", "another one", 422, "VALIDATION_ERROR"))
	p.Play(t, change(me, goodPassword, "short", 422, "VALIDATION_ERROR"))
	p.Play(t, change(me, goodPassword, strings.Repeat("x", 65), 422, "VALIDATION_ERROR"))
	p.Play(t, change(me, goodPassword, "another one", 200, ""))
	p.Play(t, scenario{As: me, URL: "/v1/auth/verify", Status: 200}) // one's own session stays
	p.Play(t, post("/v1/auth/login", object{"email": "you@example.org", "password": goodPassword}, 401, "UNAUTHORIZED"))
	p.Play(t, post("/v1/auth/login", object{"email": "you@example.org", "password": "another one"}, 200, ""))
	for range 5 {
		p.Play(t, change(me, "wrong", "another one", 422, "VALIDATION_ERROR"))
	}
	p.Play(t, change(me, "another one", "the third one", 429, "RATE_LIMITED")) // a stolen session is no way to guess

	owner := p.SignIn("owner@example.org").Access
	p.Play(t, change(owner, "x", "another one", 422, "VALIDATION_ERROR")) // none is set
	set := scenario{As: owner, Method: "POST", URL: "/v1/user/me/set-password", Body: object{"newPassword": goodPassword}, Status: 200}
	p.Advance(16 * time.Minute)
	late := set
	late.As, late.Status, late.Code = refreshed(t, p, p.SignIn("owner@example.org").Refresh), 200, ""
	p.Play(t, late)
	late.Status, late.Code = 422, "VALIDATION_ERROR"
	p.Play(t, late)
}

// refreshed is a new access token.
func refreshed(t testing.TB, p *apptest.Picora, refresh string) string {
	t.Helper()
	s := post("/v1/auth/refresh", nil, 200, "")
	s.Headers = []string{"Cookie", "refresh_token=" + refresh}
	return access(t, p.Play(t, s))
}

func TestSetPasswordAsksWhoItIs(t *testing.T) {
	p := openServer(t, "closed")
	in := p.SignIn("owner@example.org")
	p.Advance(16 * time.Minute)
	p.Play(t, scenario{As: refreshed(t, p, in.Refresh), Method: "POST", URL: "/v1/user/me/set-password", Body: object{"newPassword": goodPassword}, Status: 403, Code: "CONFIRMATION_REQUIRED"})
}

func TestWaysToSignInThatAreNotHere(t *testing.T) {
	p := openServer(t, "open")
	for _, path := range []string{"firebase", "wechat", "sms/send-code", "sms/login"} {
		s := post("/v1/auth/"+path, object{"idToken": "x"}, 403, "FEATURE_DISABLED")
		s.Has = []string{"/v1/auth/login"}
		noQuotaWords(t, p.Play(t, s))
	}
}

func TestAnAPIKeyIsHandedOverOnce(t *testing.T) {
	p := openServer(t, "closed")
	withPassword(t, p, "you@example.org")
	me := p.SignIn("owner@example.org").Access
	var v struct{ APIKeyID string }
	p.Play(t, scenario{URL: "/v1/auth/verify", Status: 200}).Data(t, &v)
	makeToken := func(as, id, key string, status int, code string) scenario {
		return scenario{As: as, Method: "POST", URL: "/v1/auth/create-export-token", Body: object{"keyId": id, "apiKey": key}, Status: status, Code: code}
	}
	r := p.Play(t, makeToken(me, v.APIKeyID, p.Key, 201, ""))
	ott := field(t, r, "ott").(string)
	use := post("/v1/auth/exchange-export-token", object{"ott": ott}, 200, "")
	use.Has = []string{`"apiUrl":"` + p.URL + `/v1/images"`, `"apiKey":"` + p.Key + `"`, `"email":"owner@example.org"`}
	if got := p.Play(t, use); strings.Contains(string(got.Body), "nickname") {
		t.Error("a nickname that is none")
	}
	p.Play(t, post("/v1/auth/exchange-export-token", object{"ott": ott}, 410, "GONE"))
	p.Play(t, post("/v1/auth/exchange-export-token", object{"ott": "ott_" + strings.Repeat("a", 43)}, 404, "NOT_FOUND"))
	p.Play(t, post("/v1/auth/exchange-export-token", object{"ott": "x"}, 400, "BAD_REQUEST"))
	p.Play(t, makeToken(me, "", p.Key, 422, "VALIDATION_ERROR"))
	p.Play(t, makeToken(me, strings.Repeat("x", 65), p.Key, 422, "VALIDATION_ERROR"))
	p.Play(t, makeToken(me, v.APIKeyID, "sk_live_short", 400, "BAD_REQUEST"))
	p.Play(t, makeToken(me, v.APIKeyID, "sk_live_"+strings.Repeat("a", 32), 403, "FORBIDDEN"))
	p.Play(t, makeToken(p.SignIn("you@example.org").Access, v.APIKeyID, p.Key, 404, "NOT_FOUND"))
	p.Play(t, makeToken(p.Key, v.APIKeyID, p.Key, 403, "FORBIDDEN"))
	ott = field(t, p.Play(t, makeToken(me, v.APIKeyID, p.Key, 201, "")), "ott").(string)
	revoke(t, p, p.Key)
	p.Play(t, post("/v1/auth/exchange-export-token", object{"ott": ott}, 401, "API_KEY_REVOKED"))
	p.Play(t, makeToken(me, v.APIKeyID, p.Key, 403, "FORBIDDEN"))
}
