package api_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/oauth2-proxy/mockoidc"

	"picora/app/apptest"
	"picora/app/config"
	"picora/store"
)

// issuer is an OpenID Connect provider that runs in the test. It is strict about what
// clients send, and says what the test has it say.
type issuer struct {
	*mockoidc.MockOIDC
	token func(raw string) string // changes the ID token that it answers; nil: as it is
}

// someoneThere is an account at the issuer.
type someoneThere struct {
	subject, email string
	verified       any
	edit           func(jwt.MapClaims) // changes what the ID token says
	info           map[string]any      // what userinfo says
}

func (s someoneThere) ID() string { return s.subject }

func (s someoneThere) Userinfo([]string) ([]byte, error) { return json.Marshal(s.info) }

func (s someoneThere) Claims(_ []string, base *mockoidc.IDTokenClaims) (jwt.Claims, error) {
	b, err := json.Marshal(base)
	if err != nil {
		return nil, err
	}
	c := jwt.MapClaims{}
	if err := json.Unmarshal(b, &c); err != nil {
		return nil, err
	}
	if s.email != "" {
		c["email"] = s.email
	}
	if s.verified != nil {
		c["email_verified"] = s.verified
	}
	if s.edit != nil {
		s.edit(c)
	}
	return c, nil
}

func startIssuer(t *testing.T) *issuer {
	t.Helper()
	m, err := mockoidc.NewServer(nil)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{MockOIDC: m}
	err = m.AddMiddleware(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != mockoidc.TokenEndpoint || i.token == nil {
				next.ServeHTTP(w, r)
				return
			}
			rec := httptest.NewRecorder()
			next.ServeHTTP(rec, r)
			var answer map[string]any
			if json.Unmarshal(rec.Body.Bytes(), &answer) == nil && answer["id_token"] != nil {
				answer["id_token"] = i.token(answer["id_token"].(string))
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(rec.Code)
			json.NewEncoder(w).Encode(answer)
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Start(ln, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Shutdown() })
	return i
}

// startWith starts a Picora that knows the issuer as company and as other.
func startWith(t *testing.T, i *issuer, registration string) *apptest.Picora {
	t.Helper()
	t.Parallel()
	return apptest.Start(t, func(c *config.Config) {
		p := config.OIDC{Title: "Company login", Issuer: i.Issuer(), ClientID: i.ClientID, ClientSecret: i.ClientSecret}
		c.OIDC = map[string]config.OIDC{"company": p, "other": p}
		c.Accounts.Registration, c.Accounts.Plan = registration, "pro"
	})
}

// browser keeps cookies and follows no redirects by itself.
type browser struct{ cookies []string }

func (b *browser) get(t testing.TB, p *apptest.Picora, address string, status int) apptest.Response {
	t.Helper()
	s := scenario{As: apptest.Nobody, URL: address, Status: status, Headers: []string{"Cookie", strings.Join(b.cookies, "; ")}}
	r := p.Ask(t, s)
	if r.Status != status {
		t.Fatalf("%s: status %d, want %d: %s", address, r.Status, status, r.Body)
	}
	b.keep(r)
	return r
}

func (b *browser) keep(r apptest.Response) {
	for _, c := range r.Header.Values("Set-Cookie") {
		pair, _, _ := strings.Cut(c, ";")
		if !strings.HasSuffix(pair, "=") {
			b.cookies = append(b.cookies, pair)
		}
	}
}

// at the issuer the browser signs in, and is sent back to the address it returns.
func (b *browser) at(t testing.TB, i *issuer, address string, who someoneThere) string {
	t.Helper()
	i.QueueUser(who)
	req, err := http.NewRequest("GET", address, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 302 {
		t.Fatalf("the issuer answers %s for %s", res.Status, address)
	}
	return res.Header.Get("Location")
}

// session is the access token that a page gets from the cookies; empty: none.
func (b *browser) session(t testing.TB, p *apptest.Picora) string {
	t.Helper()
	r := p.Ask(t, scenario{As: apptest.Nobody, Method: "POST", URL: "/v1/auth/refresh", Headers: []string{"Cookie", strings.Join(b.cookies, "; ")}})
	if r.Status != 200 {
		return ""
	}
	return field(t, r, "accessToken").(string)
}

// signIn goes the whole way, and returns where it led.
func (b *browser) signIn(t testing.TB, p *apptest.Picora, i *issuer, who someoneThere) string {
	t.Helper()
	start := b.get(t, p, "/v1/auth/oidc/company/start?return=/albums%3Fx=1", 302)
	return b.get(t, p, b.at(t, i, start.Header.Get("Location"), who), 302).Header.Get("Location")
}

var jane = someoneThere{subject: "1", email: "jane@example.org", verified: true}

func TestAProviderSignsInAndOpensAccounts(t *testing.T) {
	i := startIssuer(t)
	p := startWith(t, i, "open")
	r := p.Play(t, scenario{As: apptest.Nobody, URL: "/v1/auth/oidc", Status: 200})
	if !strings.Contains(string(r.Body), `{"name":"company","title":"Company login","startUrl":"`+p.URL+`/v1/auth/oidc/company/start"}`) {
		t.Errorf("list: %s", r.Body)
	}
	b := &browser{}
	r = b.get(t, p, "/v1/auth/oidc/company/start?return=/albums", 302)
	cookie := r.Header.Get("Set-Cookie")
	for _, part := range []string{"picora_oidc_", "HttpOnly", "SameSite=Lax", "max-age=600", "path=/v1/auth/oidc"} {
		if !strings.Contains(strings.ToLower(cookie), strings.ToLower(part)) {
			t.Errorf("cookie %q lacks %s", cookie, part)
		}
	}
	to, err := url.Parse(r.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	if q := to.Query(); q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 || len(q.Get("nonce")) != 43 || len(q.Get("state")) != 43 ||
		q.Get("redirect_uri") != p.URL+"/v1/auth/oidc/company/callback" || strings.Contains(cookie, q.Get("state")) || q.Get("scope") != "openid email profile" {
		t.Errorf("sent to %s", to)
	}
	r = b.get(t, p, b.at(t, i, to.String(), jane), 302)
	if r.Header.Get("Location") != "/albums" || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("sent on to %q", r.Header.Get("Location"))
	}
	access := b.session(t, p)
	if access == "" {
		t.Fatal("nobody is signed in")
	}
	u, err := p.App.Store().UserByEmail(context.Background(), jane.email)
	if err != nil || !u.Verified || u.Plan != "pro" || u.Admin || u.Password != "" {
		t.Errorf("the new account: %+v %v", u, err)
	}
	list, err := p.App.Store().Sessions(context.Background(), u.ID)
	if err != nil || len(list) != 1 || list[0].Method != "oidc" {
		t.Errorf("sessions: %+v %v", list, err)
	}
	// The issuer knows who it is, whatever the address is now.
	again, moved := &browser{}, jane
	moved.email = "jane@elsewhere.example"
	if back := again.signIn(t, p, i, moved); back != "/albums?x=1" {
		t.Errorf("sent on to %q", back)
	}
	r = p.Play(t, scenario{As: again.session(t, p), URL: "/v1/auth/verify", Status: 200})
	if field(t, r, "userId") != u.ID {
		t.Errorf("the same person has two accounts: %s", r.Body)
	}
	// Who was banned stays out.
	if _, err := p.App.Store().UpdateUser(context.Background(), u.ID, func(u *store.User) error { u.Banned = time.Now(); return nil }); err != nil {
		t.Fatal(err)
	}
	out := &browser{}
	if back := out.signIn(t, p, i, jane); back != "/albums?error=suspended&x=1" || out.session(t, p) != "" {
		t.Errorf("a banned user is sent on to %q", back)
	}
}

func TestAProviderOpensNoAccountWhereRegistrationIsClosed(t *testing.T) {
	for _, registration := range []string{"closed", "invite"} {
		t.Run(registration, func(t *testing.T) {
			i := startIssuer(t)
			p := startWith(t, i, registration)
			b := &browser{}
			if back := b.signIn(t, p, i, jane); back != "/albums?error=registration_closed&x=1" || b.session(t, p) != "" {
				t.Errorf("sent on to %q", back)
			}
			// Without a page to go on at, a person reads why.
			r := b.get(t, p, "/v1/auth/oidc/company/start", 302)
			r = b.get(t, p, b.at(t, i, r.Header.Get("Location"), jane), 403)
			if !strings.Contains(string(r.Body), "Ask its administrator.") || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/plain") {
				t.Errorf("a person reads %s", r.Body)
			}
			if _, err := p.App.Store().UserByEmail(context.Background(), jane.email); err == nil {
				t.Error("an account was made")
			}
		})
	}
}

// Threat 23 of those that media hosts had: accounts are never linked on the word of
// somebody who did not show that the address is theirs.
func TestAccountsAreLinkedOnlyWhenTheAddressIsVerifiedOnBothSides(t *testing.T) {
	i := startIssuer(t)
	p := startWith(t, i, "open")
	ctx := context.Background()
	account := func(email string, verified bool) store.User {
		u, err := p.App.Store().CreateUser(ctx, store.User{Email: email, Verified: verified, Plan: "pro"})
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	verified, squatted, guarded := account("verified@example.org", true), account("squatted@example.org", false), account("guarded@example.org", true)
	enableTOTP(t, p, p.SignIn(guarded.Email).Access)
	for n, c := range []struct {
		name  string
		user  store.User
		there any
		error string
	}{
		{"verified here, not there", verified, false, "email_unverified"},
		{"verified here, and nothing said there", verified, nil, "email_unverified"},
		{"verified here, and there it is a word that is not true", verified, "yes", "email_unverified"},
		{"verified there, not here", squatted, true, "email_unverified"},
		{"verified nowhere", squatted, false, "email_unverified"},
		{"verified on both sides, but the account asks for a code", guarded, true, "link_first"},
		{"verified on both sides", verified, true, ""},
		{"verified on both sides, and another account there", verified, "true", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := &browser{}
			who := someoneThere{subject: "subject " + string(rune('a'+n)), email: strings.ToUpper(c.user.Email[:1]) + c.user.Email[1:], verified: c.there}
			back, want := b.signIn(t, p, i, who), "/albums?x=1"
			if c.error != "" {
				want = "/albums?error=" + c.error + "&x=1"
			}
			if back != want {
				t.Errorf("sent on to %q, want %q", back, want)
			}
			if in := b.session(t, p) != ""; in != (c.error == "") {
				t.Errorf("signed in: %t", in)
			}
			linked, err := p.App.Store().Identities(ctx, c.user.ID)
			if err != nil || c.error != "" && len(linked) > 0 {
				t.Errorf("linked: %+v %v", linked, err)
			}
		})
	}
}

func TestAnAnswerOfTheProviderThatIsNotGoodSignsNobodyIn(t *testing.T) {
	i := startIssuer(t)
	p := startWith(t, i, "open")
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	claim := func(name string, value any) func(jwt.MapClaims) {
		return func(c jwt.MapClaims) {
			if c[name] = value; value == nil {
				delete(c, name)
			}
		}
	}
	resign := func(method jwt.SigningMethod, key any, keepKid bool) func(string) string {
		return func(raw string) string {
			old, _, err := jwt.NewParser().ParseUnverified(raw, jwt.MapClaims{})
			if err != nil {
				t.Error(err)
				return raw
			}
			forged := jwt.NewWithClaims(method, old.Claims)
			if keepKid {
				forged.Header["kid"] = old.Header["kid"]
			}
			s, err := forged.SignedString(key)
			if err != nil {
				t.Error(err)
			}
			return s
		}
	}
	public, err := x509.MarshalPKIXPublicKey(i.Keypair.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		who   someoneThere
		token func(string) string
		error string
	}{
		{name: "an address that is not verified", who: someoneThere{subject: "1", email: "jane@example.org", verified: false}, error: "email_unverified"},
		{name: "an address of which nothing is said", who: someoneThere{subject: "1", email: "jane@example.org"}, error: "email_unverified"},
		{name: "an address that is none", who: someoneThere{subject: "1", email: "Jane <jane@example.org>", verified: true}, error: "email_unverified"},
		{name: "no address", who: someoneThere{subject: "1", verified: true, info: map[string]any{"sub": "1"}}, error: "email_unverified"},
		{name: "another's userinfo", who: someoneThere{subject: "1", info: map[string]any{"sub": "2", "email": "jane@example.org", "email_verified": true}}},
		{name: "a token for another client", who: someoneThere{edit: claim("aud", "another-client")}},
		{name: "a token for nobody", who: someoneThere{edit: claim("aud", nil)}},
		{name: "a token for two clients that another asked for", who: someoneThere{edit: func(c jwt.MapClaims) { c["aud"], c["azp"] = []string{i.ClientID, "another-client"}, "another-client" }}},
		{name: "a token of another sign-in", who: someoneThere{edit: claim("nonce", "another nonce")}},
		{name: "a token without a nonce", who: someoneThere{edit: claim("nonce", nil)}},
		{name: "a token of another issuer", who: someoneThere{edit: claim("iss", "https://evil.example")}},
		{name: "a token that has expired", who: someoneThere{edit: claim("exp", time.Now().Add(-time.Hour).Unix())}},
		{name: "a token that never expires", who: someoneThere{edit: claim("exp", nil)}},
		{name: "a token without a subject", who: someoneThere{edit: claim("sub", nil)}},
		{name: "a token that was changed", token: func(raw string) string {
			parts := strings.Split(raw, ".")
			b, _ := base64.RawURLEncoding.DecodeString(parts[1])
			parts[1] = base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(b), "jane@", "root@", 1)))
			return strings.Join(parts, ".")
		}},
		{name: "a signature that was changed", token: func(raw string) string { return raw[:len(raw)-20] + strings.Repeat("A", 20) }},
		{name: "a token that nobody signed", token: resign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, true)},
		{name: "a token without its signature", token: func(raw string) string { return raw[:strings.LastIndex(raw, ".")+1] }},
		{name: "a token signed with the public key as a password", token: resign(jwt.SigningMethodHS256, public, true)},
		{name: "a token signed with the client's secret", token: resign(jwt.SigningMethodHS256, []byte(i.ClientSecret), true)},
		{name: "a token signed with another key", token: resign(jwt.SigningMethodRS256, other, true)},
		{name: "a token signed with an unknown key", token: resign(jwt.SigningMethodRS256, other, false)},
		{name: "no token", token: func(string) string { return "" }},
		{name: "what is no token", token: func(string) string { return "a.b.c" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.who.subject == "" {
				edit := c.who.edit
				c.who = jane
				c.who.edit = edit
			}
			if c.error == "" {
				c.error = "provider"
			}
			i.token = c.token
			b := &browser{}
			if back := b.signIn(t, p, i, c.who); back != "/albums?error="+c.error+"&x=1" {
				t.Errorf("sent on to %q, want %s", back, c.error)
			}
			if b.session(t, p) != "" {
				t.Error("somebody is signed in")
			}
		})
	}
	i.token = nil
	if users, err := p.App.Store().Users(context.Background()); err != nil || len(users) != 1 {
		t.Errorf("accounts were made: %d %v", len(users), err)
	}
	b := &browser{}
	info := someoneThere{subject: "7", info: map[string]any{"sub": "7", "email": "jane@example.org", "email_verified": true}}
	if back := b.signIn(t, p, i, info); back != "/albums?x=1" || b.session(t, p) == "" {
		t.Errorf("a provider that says the address only when it is asked: sent on to %q", back)
	}
}

func TestASignInIsEndedOnceByTheBrowserThatBeganIt(t *testing.T) {
	i := startIssuer(t)
	p := startWith(t, i, "open")
	began := func() (*browser, string) {
		b := &browser{}
		return b, b.at(t, i, b.get(t, p, "/v1/auth/oidc/company/start?return=/albums", 302).Header.Get("Location"), jane)
	}
	refused := func(name string, b *browser, address string) {
		t.Helper()
		r := b.get(t, p, address, 400)
		if r.Header.Get("Location") != "" || b.session(t, p) != "" {
			t.Errorf("%s: sent on to %q", name, r.Header.Get("Location"))
		}
	}
	b, back := began()
	refused("another browser", &browser{}, back)
	refused("its own browser, after another tried", b, back)

	_, back = began()
	stranger, _ := began()
	refused("a browser that is signing in itself", stranger, back)

	b, back = began()
	b.get(t, p, back, 302)
	if b.session(t, p) == "" {
		t.Fatal("the good one was refused")
	}
	b.cookies = b.cookies[:1]
	refused("the same again", b, back)

	b, back = began()
	p.Advance(10*time.Minute + time.Second)
	refused("after ten minutes", b, back)

	b, back = began()
	refused("at another provider", b, strings.Replace(back, "/company/", "/other/", 1))
	b, back = began()
	refused("a state that nobody began", b, strings.Replace(back, "state=", "state=x", 1))
	refused("no state", b, "/v1/auth/oidc/company/callback?code=x")

	// A code of another's sign-in fits no other: the proof key is missing.
	_, theirs := began()
	b, back = began()
	mine, other := query(t, back), query(t, theirs)
	r := b.get(t, p, "/v1/auth/oidc/company/callback?state="+mine.Get("state")+"&code="+other.Get("code"), 302)
	if r.Header.Get("Location") != "/albums?error=provider" || b.session(t, p) != "" {
		t.Errorf("another's code: sent on to %q", r.Header.Get("Location"))
	}
	// The person said no.
	b, back = began()
	r = b.get(t, p, "/v1/auth/oidc/company/callback?error=access_denied&state="+query(t, back).Get("state"), 302)
	if r.Header.Get("Location") != "/albums?error=denied" || b.session(t, p) != "" {
		t.Errorf("said no: sent on to %q", r.Header.Get("Location"))
	}
}

func query(t testing.TB, address string) url.Values {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}

// Threat 4: a sign-in goes on at a path of this server, nowhere else.
func TestASignInGoesOnHereOnly(t *testing.T) {
	i := startIssuer(t)
	p := startWith(t, i, "open")
	s := p.SignIn("owner@example.org")
	for to, good := range map[string]bool{
		"/": true, "/albums": true, "/albums?x=1&y=2": true, "/albums#top": true, "/a/b//c": true, "/%E4%B8%AD": true, "": true,
		"//evil.example": false, "///evil.example": false, "/\\evil.example": false, "\\\\evil.example": false, "/\\/evil.example": false,
		"javascript:alert(1)": false, "JaVaScRiPt:alert(1)": false, " javascript:alert(1)": false, "data:text/html,x": false,
		"https://evil.example": false, "http:evil.example": false, "evil.example": false, "@evil.example": false, ".evil.example": false,
		"/\t/evil.example": false, "/\n/evil.example": false, "\t//evil.example": false, "/\r\nSet-Cookie: a=b": false, "/%2F/evil.example": false,
		"/%5Cevil.example": false, "/\x00": false, "/中": false, "/" + strings.Repeat("a", 1024): false,
	} {
		b := &browser{}
		status, code := 302, 200
		if !good {
			status, code = 422, 422
		}
		r := b.get(t, p, "/v1/auth/oidc/company/start?return="+url.QueryEscape(to), status)
		if linked := p.Ask(t, scenario{As: s.Access, Method: "POST", URL: "/v1/user/me/identities/oidc/company", Body: object{"return": to}}); linked.Status != code {
			t.Errorf("linking, %q: %d", to, linked.Status)
		}
		if !good {
			if len(b.cookies) > 0 || r.Header.Get("Location") != "" {
				t.Errorf("%q: a sign-in was begun", to)
			}
			continue
		}
		want := to
		if to == "" {
			want = "/"
		}
		if back := b.get(t, p, b.at(t, i, r.Header.Get("Location"), jane), 302).Header.Get("Location"); back != want {
			t.Errorf("%q: sent on to %q", to, back)
		}
	}
}

func TestAnAccountIsLinkedByWhoIsSignedIn(t *testing.T) {
	i := startIssuer(t)
	p := startWith(t, i, "closed")
	ctx := context.Background()
	u, s := member(t, p, "a@example.org")
	enableTOTP(t, p, s.Access)
	link := func(access string, who someoneThere) string {
		t.Helper()
		r := p.Play(t, scenario{As: access, Method: "POST", URL: "/v1/user/me/identities/oidc/company", Body: object{"return": "/settings"}, Status: 200})
		b := &browser{}
		b.keep(r)
		back := b.get(t, p, b.at(t, i, field(t, r, "url").(string), who), 302).Header.Get("Location")
		if b.session(t, p) != "" {
			t.Error("linking signed somebody in")
		}
		return back
	}
	if back := link(s.Access, someoneThere{subject: "1", email: "jane@example.org", verified: false}); back != "/settings?error=email_unverified" {
		t.Errorf("an address that is not verified: %q", back)
	}
	for range 2 {
		if back := link(s.Access, jane); back != "/settings" {
			t.Errorf("sent on to %q", back)
		}
	}
	list, err := p.App.Store().Identities(ctx, u.ID)
	if err != nil || len(list) != 1 || list[0].Email != jane.email || list[0].Subject != "1" || list[0].Provider != "company" {
		t.Errorf("linked: %+v %v", list, err)
	}
	_, other := member(t, p, "b@example.org")
	if back := link(other.Access, jane); back != "/settings?error=linked_elsewhere" {
		t.Errorf("an account of two: %q", back)
	}
	b := &browser{}
	if back := b.signIn(t, p, i, jane); back != "/albums?x=1" {
		t.Errorf("sent on to %q", back)
	}
	r := p.Play(t, scenario{As: b.session(t, p), URL: "/v1/auth/verify", Status: 200})
	if field(t, r, "userId") != u.ID {
		t.Errorf("signed in as %s", r.Body)
	}
	// A session that was ended meanwhile links nothing.
	r = p.Play(t, scenario{As: other.Access, Method: "POST", URL: "/v1/user/me/identities/oidc/company", Status: 200})
	if err := p.App.Store().DeleteSession(ctx, other.User.ID, other.Session.ID); err != nil {
		t.Fatal(err)
	}
	b = &browser{}
	b.keep(r)
	b.get(t, p, b.at(t, i, field(t, r, "url").(string), someoneThere{subject: "9", email: "b@example.org", verified: true}), 400)
	if list, err := p.App.Store().Identities(ctx, other.User.ID); err != nil || len(list) > 0 {
		t.Errorf("linked: %+v %v", list, err)
	}
}

func TestAProviderThatIsDownIsAskedAgainLater(t *testing.T) {
	up := false
	i := startIssuer(t)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/huge/.well-known/openid-configuration":
			w.Write([]byte(`{"issuer":"` + strings.Repeat("x", 2<<20)))
		case "/moved/.well-known/openid-configuration":
			http.Redirect(w, r, i.DiscoveryEndpoint(), http.StatusFound)
		case "/down/.well-known/openid-configuration":
			if !up {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			json.NewEncoder(w).Encode(object{"issuer": "http://" + r.Host + "/down", "authorization_endpoint": i.AuthorizationEndpoint(), "token_endpoint": i.TokenEndpoint(), "jwks_uri": i.JWKSEndpoint()})
		default:
			json.NewEncoder(w).Encode(object{"issuer": "https://evil.example"})
		}
	}))
	defer front.Close()
	t.Parallel()
	p := apptest.Start(t, func(c *config.Config) {
		c.OIDC = map[string]config.OIDC{}
		for _, name := range []string{"down", "huge", "moved", "liar"} {
			c.OIDC[name] = config.OIDC{Issuer: front.URL + "/" + name, ClientID: "x"}
		}
		c.OIDC["nobody"] = config.OIDC{Issuer: "http://127.0.0.1:1", ClientID: "x"}
	})
	p.StopClock()
	for _, name := range []string{"down", "huge", "moved", "liar", "nobody"} {
		p.Run(t, scenario{Name: name, As: apptest.Nobody, URL: "/v1/auth/oidc/" + name + "/start", Status: 503, Code: "SERVER_BUSY", Has: []string{name + " cannot be reached"}})
	}
	up = true
	p.Run(t, scenario{Name: "at once", As: apptest.Nobody, URL: "/v1/auth/oidc/down/start", Status: 503, Code: "SERVER_BUSY"})
	p.Advance(6 * time.Second)
	p.Run(t,
		scenario{Name: "later", As: apptest.Nobody, URL: "/v1/auth/oidc/down/start", Status: 302},
		scenario{Name: "an unknown one", As: apptest.Nobody, URL: "/v1/auth/oidc/unknown/start", Status: 404, Code: "NOT_FOUND"},
	)
}
