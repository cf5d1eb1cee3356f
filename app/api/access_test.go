package api_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"picora/app/api"
	"picora/app/apptest"
	"picora/app/auth"
	"picora/app/config"
	"picora/app/control"
	"picora/store"
)

// A visitor is somebody who calls a route, and how the table of routes says they
// are met: which of the credentials' own refusals, if any.
type visitor struct {
	name   string
	bearer func(t testing.TB, p *apptest.Picora) string
	status int    // when the credential itself is not good enough for anything
	code   string // …
	scope  auth.Scope
	person bool // signed in
	proven bool
	admin  bool
}

// everyScope are keys' scopes, each alone.
var everyScope = []auth.Scope{auth.MediaRead, auth.MediaWrite, auth.MediaDelete, auth.KBRead, auth.KBWrite, auth.AccountRead, auth.UsageRead, auth.CollectionRead, auth.CollectionWrite, auth.CollectionDelete}

// someone is a new account; each visit gets its own, for some routes end accounts.
func someone(t testing.TB, p *apptest.Picora, admin bool) store.User {
	t.Helper()
	email := fmt.Sprintf("u%d@example.org", time.Now().UnixNano())
	if _, err := p.Control().AddUser(context.Background(), control.NewUser{Email: email, Admin: admin, Unlimited: true}); err != nil {
		t.Fatal(err)
	}
	u, err := p.App.Store().UserByEmail(context.Background(), email)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func visitors() []visitor {
	ctx := context.Background()
	session := func(admin bool, then func(testing.TB, *apptest.Picora, auth.Signed)) func(testing.TB, *apptest.Picora) string {
		return func(t testing.TB, p *apptest.Picora) string {
			s := p.SignIn(someone(t, p, admin).Email)
			if then != nil {
				then(t, p, s)
			}
			return s.Access
		}
	}
	key := func(then func(testing.TB, *apptest.Picora, *store.APIKey), scopes ...string) func(testing.TB, *apptest.Picora) string {
		return func(t testing.TB, p *apptest.Picora) string {
			u := someone(t, p, false)
			plain := p.NewKey(u.Email, scopes...)
			list, err := p.App.Store().APIKeys(ctx, u.ID)
			if err != nil || len(list) != 1 {
				t.Fatal(list, err)
			}
			if then != nil {
				_, err := p.App.Store().UpdateAPIKey(ctx, list[0].ID, func(k *store.APIKey) error { then(t, p, k); return nil })
				if err != nil {
					t.Fatal(err)
				}
			}
			return plain
		}
	}
	ban := func(t testing.TB, p *apptest.Picora, user string) {
		if _, err := p.App.Store().UpdateUser(ctx, user, func(u *store.User) error { u.Banned = time.Now(); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	longAgo := func(t testing.TB, p *apptest.Picora, s auth.Signed) {
		_, err := p.App.Store().UpdateSession(ctx, s.Session.ID, func(x *store.Session) error { x.Proved = x.Proved.Add(-time.Hour); return nil })
		if err != nil {
			t.Fatal(err)
		}
	}
	all := auth.Scope(0)
	for _, s := range everyScope {
		all |= s
	}
	list := []visitor{
		{name: "nobody", bearer: func(testing.TB, *apptest.Picora) string { return apptest.Nobody }, status: 401, code: "UNAUTHORIZED"},
		{name: "garbage", bearer: func(testing.TB, *apptest.Picora) string { return "garbage" }, status: 401, code: "UNAUTHORIZED"},
		{name: "a token signed by nobody", bearer: func(testing.TB, *apptest.Picora) string { return "eyJhbGciOiJub25lIn0.e30." }, status: 401, code: "UNAUTHORIZED"},
		{name: "an unknown key", bearer: func(testing.TB, *apptest.Picora) string { return "sk_live_" + strings.Repeat("a", 32) }, status: 401, code: "UNAUTHORIZED"},
		{name: "a revoked key", bearer: key(func(_ testing.TB, _ *apptest.Picora, k *store.APIKey) { k.Revoked = time.Now() }), status: 401, code: "API_KEY_REVOKED"},
		{name: "an expired key", bearer: key(func(_ testing.TB, _ *apptest.Picora, k *store.APIKey) { k.Expires = time.Now().Add(-time.Hour) }), status: 401, code: "UNAUTHORIZED"},
		{name: "a banned user's key", bearer: func(t testing.TB, p *apptest.Picora) string {
			u := someone(t, p, false)
			plain := p.NewKey(u.Email)
			ban(t, p, u.ID)
			return plain
		}, status: 403, code: "FORBIDDEN"},
		{name: "an expired token", bearer: func(t testing.TB, p *apptest.Picora) string {
			u := someone(t, p, true)
			p.Advance(-time.Hour)
			defer p.Advance(time.Hour)
			return p.SignIn(u.Email).Access
		}, status: 401, code: "TOKEN_EXPIRED"},
		{name: "a session that was ended", bearer: session(true, func(t testing.TB, p *apptest.Picora, s auth.Signed) {
			if err := p.App.Store().DeleteSession(ctx, s.User.ID, s.Session.ID); err != nil {
				t.Fatal(err)
			}
		}), status: 401, code: "UNAUTHORIZED"},
		{name: "a banned user", bearer: session(true, func(t testing.TB, p *apptest.Picora, s auth.Signed) { ban(t, p, s.User.ID) }), status: 403, code: "FORBIDDEN"},
		{name: "a key of all scopes", bearer: key(nil), scope: all},
		{name: "a user", bearer: session(false, nil), person: true, proven: true},
		{name: "a user who signed in a while ago", bearer: session(false, longAgo), person: true},
		{name: "an administrator", bearer: session(true, nil), person: true, proven: true, admin: true},
		{name: "an administrator who signed in a while ago", bearer: session(true, longAgo), person: true, admin: true},
	}
	for _, s := range everyScope {
		list = append(list, visitor{name: "a key of " + s.String() + " alone", bearer: key(nil, s.String()), scope: s})
	}
	return list
}

// refused says how the route meets the visitor; 0: it lets them in.
func refused(w api.Who, v visitor) (status int, code string) {
	switch {
	case w.Kind() == "public", w.Kind() == "cookie", w.Kind() == "internal":
		return 0, ""
	case w.Kind() == "optional" && v.name == "nobody":
		return 0, ""
	case v.status != 0:
		return v.status, v.code
	case w.Kind() == "scoped", w.Kind() == "optional":
		if v.person || v.scope&w.Scope == w.Scope {
			return 0, ""
		}
		return 403, "FORBIDDEN"
	case !v.person:
		return 403, "FORBIDDEN"
	case strings.HasPrefix(w.Kind(), "admin") && !v.admin:
		return 403, "FORBIDDEN"
	case strings.HasSuffix(w.Kind(), "proven") && !v.proven:
		return 403, "CONFIRMATION_REQUIRED"
	}
	return 0, ""
}

// TestEveryRouteMeetsEveryCredential is made from the table of routes: a new route is
// in it, and its line there must be what the server does.
func TestEveryRouteMeetsEveryCredential(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t, func(c *config.Config) { c.Server.InternalToken = internalToken })
	for _, r := range new(api.API).Routes() {
		path, body := fill(r.Path), anyBody(r)
		t.Run(r.Method+" "+r.Path, func(t *testing.T) {
			var open string // what everybody is answered where no credential counts
			for _, v := range visitors() {
				p.Advance(3 * time.Second) // some routes bound the tries of an address by themselves
				s := scenario{As: v.bearer(t, p), Method: r.Method, URL: path, Body: body}
				got := p.Ask(t, s)
				status, code := refused(r.Who, v)
				switch kind := r.Who.Kind(); {
				case got.Status >= 500 && got.Code() != "SERVER_BUSY":
					t.Errorf("%s: %d %s", v.name, got.Status, got.Body)
				case kind == "public" || kind == "cookie" || kind == "internal":
					// The answer is about what was sent, never about the credential.
					if now := fmt.Sprint(got.Status, got.Code()); open == "" {
						open = now
					} else if now != open {
						t.Errorf("%s is answered %s, others %s, on a route where no credential counts", v.name, now, open)
					}
				case status != 0:
					if got.Status != status || got.Code() != code {
						t.Errorf("%s: %d %s, want %d %s: %s", v.name, got.Status, got.Code(), status, code, got.Body)
					}
					if status == 403 {
						noQuotaWords(t, got)
					}
				case got.Status == http.StatusUnauthorized || got.Status == http.StatusForbidden && got.Code() != "FEATURE_DISABLED":
					t.Errorf("%s is refused: %d %s", v.name, got.Status, got.Body)
				}
			}
		})
	}
}

// fill puts an id that nothing has where the path has a parameter.
func fill(path string) string {
	parts := strings.Split(path, "/")
	for i, s := range parts {
		if !strings.HasPrefix(s, ":") {
			continue
		}
		if parts[i] = strings.Repeat("a", 21); strings.Contains(path, "/images/") {
			parts[i] = strings.Repeat("a", 11)
		}
	}
	return strings.ReplaceAll(strings.Join(parts, "/"), `\:`, ":")
}

// anyBody is what the route can read and refuses for its contents at most.
func anyBody(r api.Route) any {
	if r.Method == "GET" {
		return nil
	}
	if api.UploadPath(r.Method, r.Path) {
		return parts{apptest.File("a.png", picture(1))}
	}
	return `{}`
}
