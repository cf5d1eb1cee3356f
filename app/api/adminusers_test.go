package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"picora/app/apptest"
	"picora/store"
)

// seen lists the e-mail addresses of all pages.
func seen(t testing.TB, p *apptest.Picora, admin, query string) (emails []string) {
	t.Helper()
	for cursor := ""; ; {
		r := p.Play(t, scenario{As: admin, URL: "/v1/admin/users?" + query + "&cursor=" + cursor, Status: 200})
		var page struct {
			Items      []adminUser
			Users      json.RawMessage
			NextCursor *string
		}
		r.Data(t, &page)
		for _, u := range page.Items {
			emails = append(emails, u.Email)
		}
		if page.NextCursor == nil {
			return emails
		}
		cursor = *page.NextCursor
	}
}

func TestAccountsAreFound(t *testing.T) {
	p := start(t) // has owner@example.org
	admin := p.Admin("root@example.org")
	for n := range 7 {
		p.NewUser(fmt.Sprintf("u%d@example.org", n))
	}
	id := p.NewUser("Zoe@Example.org")
	if _, err := p.App.Store().UpdateUser(t.Context(), id, func(u *store.User) error { u.Nickname, u.Plan = "Zwölf", "trial"; return nil }); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]string{
		"limit=3":                      "owner@example.org root@example.org u0@example.org u1@example.org u2@example.org u3@example.org u4@example.org u5@example.org u6@example.org Zoe@Example.org",
		"limit=2&q=U1%40":              "u1@example.org",
		"limit=2&q=u%40":               "",
		"q=zw%C3%B6lf":                 "Zoe@Example.org",
		"q=" + id:                      "Zoe@Example.org",
		"q=nobody":                     "",
		"role=admin":                   "root@example.org",
		"plan=trial":                   "Zoe@Example.org",
		"status=banned":                "",
		"role=user&plan=pro_plus&q=u3": "u3@example.org",
	} {
		got := strings.Join(seen(t, p, admin, query), " ")
		if got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	p.Run(t,
		scenario{Name: "an unknown role", As: admin, URL: "/v1/admin/users?role=root", Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "an unknown status", As: admin, URL: "/v1/admin/users?status=gone", Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "an unknown plan", As: admin, URL: "/v1/admin/users?plan=gold", Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "a cursor that nobody gave", As: admin, URL: "/v1/admin/users?cursor=AAAAAAAAAAAAAAAAAAAAAAAA", Status: 422, Code: "VALIDATION_ERROR"},
	)
}

func TestUsageIsTheUsersOwn(t *testing.T) {
	p := start(t)
	admin := p.Admin("root@example.org")
	a, b := picture(1), picture(2)
	p.Add("a.png", a)
	p.Add("b.png", b)
	if u := readUser(t, p, admin, p.User); u.Usage.Items != 2 || u.Usage.Bytes != int64(len(a)+len(b)) || u.KeyCount != 1 {
		t.Errorf("%+v", u)
	}
}
