package api_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/store"
)

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
		p.Advance(time.Millisecond) // lines of one millisecond are in no order
		if err := s.AddEvent(t.Context(), store.Event{Actor: strings.Repeat(fmt.Sprint(n%3), store.IDLen), Action: []string{"user.banned", "user.unbanned", "userx.changed"}[n%3], Subject: fmt.Sprintf("%021d", n)}); err != nil {
			t.Fatal(err)
		}
	}
	one := strings.Repeat("1", store.IDLen)
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
	if len(whole) < 47 || *whole[0].Subject != fmt.Sprintf("%021d", 44) {
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
		"limit=4&actor=" + one: 15, "limit=7&action=user.banned": 15, "subject=" + fmt.Sprintf("%021d", 7): 1, "subject=Owner@example.org": 1, "actor=owner@example.org": 0, "actor=" + one + "&action=user.banned": 0,
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
	for _, query := range []string{"from=yesterday", "actor=ann", "subject=nobody@example.org", "actor=" + one + "1"} {
		p.Play(t, scenario{Name: query, As: admin, URL: "/v1/admin/audit?" + query, Status: 422, Code: "VALIDATION_ERROR"})
		p.Play(t, scenario{Name: query, As: admin, URL: "/v1/admin/audit/export?" + query, Status: 422, Code: "VALIDATION_ERROR"})
	}
}

func TestTheAuditLogIsExported(t *testing.T) {
	p := start(t)
	admin := p.Admin("root@example.org")
	s := p.App.Store()
	const most = 1234 // more than a page of the export
	somebody := strings.Repeat("s", store.IDLen)
	for n := range most {
		p.Advance(time.Millisecond)
		if err := s.AddEvent(t.Context(), store.Event{Actor: somebody, Action: "session.created", Subject: fmt.Sprint(n), Agent: `=HYPERLINK("http://evil.example")`, Detail: map[string]string{"n": "1,\"2\"\n3"}}); err != nil {
			t.Fatal(err)
		}
	}
	r := p.Play(t, scenario{As: admin, URL: "/v1/admin/audit/export?actor=" + somebody, Status: 200})
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
	r = p.Play(t, scenario{As: admin, URL: "/v1/admin/audit/export?format=jsonl&to=2999-01-01&actor=" + somebody, Status: 200})
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
