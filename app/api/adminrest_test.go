package api_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"picora/store"
)

func TestInvites(t *testing.T) {
	p := start(t)
	admin := p.Admin("root@example.org")
	const invites = "/v1/admin/invites"
	post := func(name string, body any, status int, code string, has ...string) scenario {
		return scenario{Name: name, As: admin, Method: "POST", URL: invites, Body: body, Status: status, Code: code, Has: has}
	}
	p.Run(t,
		post("one of our making", object{}, 201, "", `"plan":"pro"`, `"isActive":true`, `"maxUses":null`, `"usedCount":0`, `"durationMonths":null`, `"expiresAt":null`, `"note":null`),
		post("with everything", object{"code": "Welcome-2026", "plan": "trial", "maxUses": 3, "durationMonths": 12, "expiresAt": "2100-01-01T00:00:00Z", "note": "for the team", "isActive": false}, 201, "",
			`"code":"Welcome-2026"`, `"plan":"trial"`, `"isActive":false`, `"maxUses":3`, `"durationMonths":12`, `"expiresAt":"2100-01-01T00:00:00.000Z"`, `"note":"for the team"`),
		post("the same code in another case", object{"code": "welcome-2026"}, 201, ""),
		post("the same code", object{"code": "Welcome-2026"}, 409, "CONFLICT"),
		post("a code that is too short", object{"code": "abcde"}, 422, "VALIDATION_ERROR"),
		post("a code that is too long", object{"code": strings.Repeat("a", 33)}, 422, "VALIDATION_ERROR"),
		post("a code with a space", object{"code": "wel come"}, 422, "VALIDATION_ERROR"),
		post("no uses", object{"maxUses": 0}, 422, "VALIDATION_ERROR"),
		post("a plan that is none", object{"plan": "gold"}, 422, "VALIDATION_ERROR"),
		post("a field that is none", object{"uses": 3}, 422, "VALIDATION_ERROR"),
		post("an end in the past", object{"expiresAt": "2020-01-01T00:00:00Z"}, 422, "VALIDATION_ERROR"),
	)
	var list struct{ Items []struct{ ID, Code string } }
	p.Play(t, scenario{As: admin, URL: invites + "?limit=1", Status: 200, Has: []string{`"hasMore":true`}})
	p.Play(t, scenario{As: admin, URL: invites, Status: 200}).Data(t, &list)
	if len(list.Items) != 3 || list.Items[0].Code != "welcome-2026" {
		t.Fatalf("%+v", list)
	}
	one := invites + "/" + list.Items[1].ID
	p.Run(t,
		scenario{Name: "it is switched on, for ever", As: admin, Method: "PATCH", URL: one, Body: object{"isActive": true, "expiresAt": nil, "maxUses": nil}, Status: 200,
			Has: []string{`"isActive":true`, `"expiresAt":null`, `"maxUses":null`, `"durationMonths":12`, `"code":"Welcome-2026"`}},
		scenario{Name: "it is deleted", As: admin, Method: "DELETE", URL: one, Status: 200},
		scenario{Name: "it is gone", As: admin, Method: "PATCH", URL: one, Body: object{"isActive": true}, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "twice", As: admin, Method: "DELETE", URL: one, Status: 404, Code: "NOT_FOUND"},
	)
	if got := audited(t, p, list.Items[1].ID); fmt.Sprint(got) != "[invite.deleted invite.changed invite.created]" {
		t.Errorf("the audit log has %v", got)
	}
}

func TestSettingsCountAtOnceAndAfterARestart(t *testing.T) {
	p := start(t)
	admin := p.Admin("root@example.org")
	p.Play(t, scenario{As: admin, URL: "/v1/admin/settings", Status: 200, Has: []string{`"registration":"closed"`, `"plan":"pro"`, `"name":""`}})
	for _, body := range []object{{"registration": "ajar"}, {"plan": "gold"}, {"name": "a\nb"}, {"name": strings.Repeat("x", 65)}, {"plan": 3}, {"registrations": "open"}, {}} {
		p.Play(t, scenario{As: admin, Method: "PATCH", URL: "/v1/admin/settings", Body: body, Status: 422, Code: "VALIDATION_ERROR"})
	}
	p.Play(t, scenario{As: admin, Method: "PATCH", URL: "/v1/admin/settings", Body: object{"plan": "trial", "name": "Ann's pictures"}, Status: 200, Has: []string{`"registration":"closed"`, `"plan":"trial"`}})
	p.Play(t, scenario{As: admin, Method: "POST", URL: "/v1/admin/users", Body: object{"email": "new@example.org"}, Status: 201, Has: []string{`"plan":"trial"`}})
	events, _, err := p.App.Store().Events(t.Context(), store.EventQuery{Action: "settings", Limit: 9})
	if err != nil || len(events) != 1 || events[0].Detail["plan"] != `"pro" → "trial"` || events[0].Detail["registration"] != "" {
		t.Errorf("%+v, %v", events, err)
	}
	p.Restart()
	p.Play(t, scenario{As: p.SignIn("root@example.org").Access, URL: "/v1/admin/settings", Status: 200, Has: []string{`"plan":"trial"`, `"name":"Ann's pictures"`}})
}

func TestStats(t *testing.T) {
	p := start(t)
	admin := p.Admin("root@example.org")
	a, b := picture(1), picture(2)
	p.Add("a.png", a)
	p.Add("b.png", b)
	var s struct {
		UserCount, AdminCount, ImageCount, TotalStorageBytes, DatabaseBytes, UptimeSeconds int64
		Kinds                                                                              map[string]struct{ Items, Bytes int64 }
		Disk                                                                               struct{ FreeBytes, TotalBytes int64 }
		Version                                                                            string
		Months                                                                             []struct {
			Month   string
			Uploads int64
		}
	}
	ask := func() { p.Play(t, scenario{As: admin, URL: "/v1/admin/stats", Status: 200}).Data(t, &s) }
	ask()
	size := int64(len(a) + len(b))
	if s.UserCount != 2 || s.AdminCount != 1 || s.ImageCount != 2 || s.TotalStorageBytes != size || s.Kinds["image"].Items != 2 ||
		s.DatabaseBytes == 0 || s.Disk.FreeBytes == 0 || s.Disk.TotalBytes < s.Disk.FreeBytes || s.Version != "test" {
		t.Errorf("%+v", s)
	}
	if n := len(s.Months); n != 12 || s.Months[n-1].Uploads != 2 || s.Months[n-1].Month != p.App.Store().Now().UTC().Format("2006-01") || s.Months[n-2].Uploads != 0 {
		t.Errorf("%+v", s.Months)
	}
	p.NewUser("ann@example.org")
	if ask(); s.UserCount != 2 {
		t.Errorf("counted again within a minute: %+v", s)
	}
	p.Advance(61 * time.Second)
	if ask(); s.UserCount != 3 {
		t.Errorf("%+v", s)
	}
}

func TestEverybodyGetsAnAnnouncement(t *testing.T) {
	p := start(t)
	admin := p.Admin("root@example.org")
	var users []string
	for n := range 120 { // more than two batches
		users = append(users, p.NewUser(fmt.Sprintf("u%d@example.org", n)))
	}
	const announcements = "/v1/admin/announcements"
	for name, body := range map[string]object{
		"no title": {"body": "x"}, "a title in two lines": {"title": "a\nb"}, "another server": {"title": "x", "link": "https://evil.example"},
		"another server without a scheme": {"title": "x", "link": "//evil.example"}, "another server, to some browsers": {"title": "x", "link": `/\evil.example`},
		"a script": {"title": "x", "link": "javascript:alert(1)"}, "some": {"title": "x", "audience": "some"}, "a field that is none": {"title": "x", "text": "y"}, "a long body": {"title": "x", "body": strings.Repeat("x", 5001)},
	} {
		p.Play(t, scenario{Name: name, As: admin, Method: "POST", URL: announcements, Body: body, Status: 422, Code: "VALIDATION_ERROR"})
	}
	p.Play(t, scenario{As: admin, Method: "POST", URL: announcements, Body: object{"title": "Maintenance", "body": "On Sunday.\nTwo hours.", "link": "/status"}, Status: 201, Has: []string{`"audience":"all"`}})
	var list struct {
		Items []struct {
			ID     string
			SentTo int
			SentAt *string
		}
	}
	for deadline := time.Now().Add(20 * time.Second); ; runtime.Gosched() {
		p.Play(t, scenario{As: admin, URL: announcements, Status: 200}).Data(t, &list)
		if len(list.Items) == 1 && list.Items[0].SentAt != nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%+v", list)
		}
	}
	if list.Items[0].SentTo != 122 {
		t.Errorf("%+v", list)
	}
	for _, u := range users {
		n, _, err := p.App.Store().Notifications(t.Context(), u, "", 9)
		if err != nil || len(n) != 1 || n[0].Title != "Maintenance" || n[0].Body != "On Sunday.\nTwo hours." || n[0].Link != "/status" || !n[0].Read.IsZero() {
			t.Fatalf("%+v, %v", n, err)
		}
	}
	p.Play(t, scenario{As: admin, Method: "DELETE", URL: announcements + "/" + list.Items[0].ID, Status: 200})
	p.Play(t, scenario{As: admin, Method: "DELETE", URL: announcements + "/" + list.Items[0].ID, Status: 404, Code: "NOT_FOUND"})
}
