package api_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"picora/app/apptest"
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
		scenario{Name: "it is gone", As: admin, Method: "PATCH", URL: one, Body: object{}, Status: 404, Code: "NOT_FOUND"},
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
	for _, body := range []object{{"registration": "ajar"}, {"plan": "gold"}, {"name": "a\nb"}, {"name": strings.Repeat("x", 65)}, {"plan": 3}} {
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
	}
	ask := func() { p.Play(t, scenario{As: admin, URL: "/v1/admin/stats", Status: 200}).Data(t, &s) }
	ask()
	size := int64(len(a) + len(b))
	if s.UserCount != 2 || s.AdminCount != 1 || s.ImageCount != 2 || s.TotalStorageBytes != size || s.Kinds["image"].Items != 2 ||
		s.DatabaseBytes == 0 || s.Disk.FreeBytes == 0 || s.Disk.TotalBytes < s.Disk.FreeBytes || s.Version != "test" {
		t.Errorf("%+v", s)
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
		"a script": {"title": "x", "link": "javascript:alert(1)"}, "some": {"title": "x", "audience": "some"}, "a long body": {"title": "x", "body": strings.Repeat("x", 5001)},
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

// wireEvent is a line of the audit log on the wire.
type wireEvent struct {
	ID, Action, Time    string
	Actor, Subject      *string
	Via, Agent, Address *string
	Detail              map[string]string
}

func TestTheAuditLogIsRead(t *testing.T) {
	p := start(t)
	admin := p.Admin("root@example.org")
	s := p.App.Store()
	for n := range 45 {
		if err := s.AddEvent(t.Context(), store.Event{Actor: fmt.Sprint("actor", n%3), Action: []string{"user.banned", "user.unbanned", "userx.changed"}[n%3], Subject: fmt.Sprint(n)}); err != nil {
			t.Fatal(err)
		}
	}
	all := func(query string) (list []wireEvent) {
		for cursor := ""; ; {
			var page struct {
				Items      []wireEvent
				NextCursor *string
			}
			p.Play(t, scenario{As: admin, URL: "/v1/admin/audit?" + query + "&cursor=" + cursor, Status: 200}).Data(t, &page)
			if list = append(list, page.Items...); page.NextCursor == nil {
				return list
			}
			cursor = *page.NextCursor
		}
	}
	whole := all("limit=20")
	if len(whole) < 47 || *whole[0].Subject != "44" {
		t.Errorf("%d lines, the first is %+v", len(whole), whole[0])
	}
	ids := map[string]bool{}
	for i, e := range whole {
		if ids[e.ID] || i > 0 && e.Time > whole[i-1].Time {
			t.Errorf("line %d comes twice or too late: %+v", i, e)
		}
		ids[e.ID] = true
	}
	for query, want := range map[string]int{
		"limit=4&actor=actor1": 15, "limit=7&action=user.banned": 15, "subject=7": 1, "actor=actor1&action=user.banned": 0,
		"action=userx": 15, "from=2100-01-01": 0, "to=2000-01-01": 0,
	} {
		if got := all(query); len(got) != want {
			t.Errorf("%s: %d lines, want %d", query, len(got), want)
		}
	}
	if got := all("limit=9&action=user"); len(got) < 30 || len(got) == len(whole) {
		t.Errorf("the noun alone finds %d of %d lines", len(got), len(whole))
	}
	mine := whole[len(whole)-1]
	if mine.Action != "user.created" || mine.Actor != nil || mine.Via == nil || *mine.Via != "cli" {
		t.Errorf("what the command line did: %+v", mine)
	}
	p.Play(t, scenario{As: admin, URL: "/v1/admin/audit?from=yesterday", Status: 422, Code: "VALIDATION_ERROR"})
}

func TestTheAuditLogIsExported(t *testing.T) {
	p := start(t)
	admin := p.Admin("root@example.org")
	s := p.App.Store()
	const most = 1234 // more than a page of the export
	for n := range most {
		if err := s.AddEvent(t.Context(), store.Event{Actor: "somebody", Action: "session.created", Subject: fmt.Sprint(n), Agent: `=HYPERLINK("http://evil.example")`, Detail: map[string]string{"n": "1,\"2\"\n3"}}); err != nil {
			t.Fatal(err)
		}
	}
	r := p.Play(t, scenario{As: admin, URL: "/v1/admin/audit/export?actor=somebody", Status: 200})
	rows, err := csv.NewReader(bytes.NewReader(r.Body)).ReadAll()
	if err != nil || len(rows) != most+1 || rows[0][0] != "time" || rows[1][5] != fmt.Sprint(most-1) || rows[most][5] != "0" {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if rows[1][7] != `'=HYPERLINK("http://evil.example")` || rows[1][8] != `{"n":"1,\"2\"\n3"}` {
		t.Errorf("%q", rows[1])
	}
	if d := r.Header.Get("Content-Disposition"); !strings.HasPrefix(d, `attachment; filename="picora-audit-20`) || !strings.HasSuffix(d, `.csv"`) {
		t.Errorf("Content-Disposition is %s", d)
	}
	r = p.Play(t, scenario{As: admin, URL: "/v1/admin/audit/export?format=jsonl&actor=somebody&to=2999-01-01", Status: 200})
	n := 0
	for line := range strings.Lines(string(r.Body)) {
		var e wireEvent
		if err := json.Unmarshal([]byte(line), &e); err != nil || *e.Agent != `=HYPERLINK("http://evil.example")` {
			t.Fatal(err, line)
		}
		n++
	}
	if n != most {
		t.Errorf("%d lines", n)
	}
	p.Play(t, scenario{As: admin, URL: "/v1/admin/audit/export?format=xml", Status: 422, Code: "VALIDATION_ERROR"})
	if got, _, _ := s.Events(t.Context(), store.EventQuery{Action: "audit.exported", Limit: 9}); len(got) != 2 || got[1].Detail["format"] != "csv" {
		t.Errorf("the log itself has %+v", got)
	}
}

func TestTheCommandLineIsAudited(t *testing.T) {
	p := start(t)
	id := p.NewUser("ann@example.org")
	key := p.NewKey("ann@example.org", "read")
	revoke(t, p, key)
	keys, err := p.App.Store().APIKeys(t.Context(), id)
	if err != nil || len(keys) != 1 {
		t.Fatal(keys, err)
	}
	if got := fmt.Sprint(audited(t, p, id), audited(t, p, keys[0].ID)); got != "[user.created] [apikey.revoked apikey.created]" {
		t.Error(got)
	}
	list, _, err := p.App.Store().Events(t.Context(), store.EventQuery{Limit: 50})
	if text := fmt.Sprintf("%+v", list); err != nil || strings.Contains(text, key) {
		t.Error("the key is in the log")
	}
}

// TestARefusedUploadLeavesALine changes the log of the whole process, so it does not run
// beside others.
func TestARefusedUploadLeavesALine(t *testing.T) {
	var said lines
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&said, nil)))
	defer slog.SetDefault(before)
	p := apptest.Start(t)
	body := parts{apptest.File("a.png", []byte("no picture, but a secret"))}
	r := p.Play(t, scenario{Method: "POST", URL: "/v1/images", Body: body, Status: 422, Code: "VALIDATION_ERROR"})
	p.Play(t, scenario{As: apptest.Nobody, Method: "POST", URL: "/", Body: body, Status: 401, Code: "UNAUTHORIZED"})
	p.Play(t, scenario{Method: "PATCH", URL: "/v1/images/aaaaaaaaaaa", Body: object{}, Status: 404, Code: "NOT_FOUND"})
	p.Add("b.png", pixel)
	p.Stop()
	var refused []string
	for line := range strings.Lines(said.String()) {
		if strings.Contains(line, `msg="upload refused"`) {
			refused = append(refused, line)
		}
	}
	if len(refused) != 2 || !strings.Contains(refused[0], "id="+r.Header.Get("X-Request-Id")) || !strings.Contains(refused[0], "code=VALIDATION_ERROR") ||
		!strings.Contains(refused[0], "reason=\"") || !strings.Contains(refused[1], "code=UNAUTHORIZED") {
		t.Errorf("the log has\n%s", strings.Join(refused, ""))
	}
	if strings.Contains(said.String(), "secret") {
		t.Error("the log has what was in the file")
	}
}

// lines collects what is logged, from several goroutines.
type lines struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(b)
}
