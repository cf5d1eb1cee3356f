package api_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"picora/app/apptest"
	"picora/app/auth"
	"picora/store"
)

// adminUser is the wire's account for administrators, as far as tests read it.
type adminUser struct {
	ID, Email, Role, Plan, Password string
	PlanEndsAt, BannedAt, BanReason *string
	Unlimited, IsActive             bool
	EmailVerified, SecondFactor     bool
	Limits                          map[string]int64
	Usage                           struct{ Items, Bytes int64 }
	SessionCount, KeyCount          int
}

// readUser asks for one account.
func readUser(t testing.TB, p *apptest.Picora, admin, id string) (u adminUser) {
	t.Helper()
	p.Play(t, scenario{As: admin, URL: "/v1/admin/users/" + id, Status: 200}).Data(t, &u)
	return u
}

// audited are the actions in the audit log about the subject, the newest first.
func audited(t testing.TB, p *apptest.Picora, subject string) (actions []string) {
	t.Helper()
	list, _, err := p.App.Store().Events(t.Context(), store.EventQuery{Subject: subject, Limit: 50})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		actions = append(actions, e.Action)
	}
	return actions
}

func TestAdministratorsMakeAccounts(t *testing.T) {
	p := start(t)
	admin := p.Admin("root@example.org")
	post := func(name string, body any, status int, code string) scenario {
		return scenario{Name: name, As: admin, Method: "POST", URL: "/v1/admin/users", Body: body, Status: status, Code: code}
	}
	var made adminUser
	p.Play(t, post("", object{"email": "ann@example.org"}, 201, "")).Data(t, &made)
	if len(made.Password) != 16 || made.Role != "user" || made.Plan != "pro" || !made.EmailVerified || made.Unlimited {
		t.Errorf("made %+v", made)
	}
	u, err := p.App.Store().User(t.Context(), made.ID)
	if err != nil {
		t.Fatal(err)
	}
	if good, err := p.App.Auth().CheckPassword(t.Context(), u, made.Password); !good || err != nil {
		t.Errorf("the password that was shown is not theirs: %v", err)
	}
	r := p.Play(t, post("", object{"email": "bob@example.org", "password": "long enough", "role": "admin", "plan": "trial",
		"planEndsAt": "2030-01-31T00:00:00Z", "limits": object{"api_keys": 7, "image_storage_bytes": -1}}, 201, ""))
	var bob adminUser
	r.Data(t, &bob)
	if bob.Password != "" || bob.Role != "admin" || bob.Plan != "trial" || bob.PlanEndsAt == nil || bob.Limits["api_keys"] != 7 || bob.Limits["image_storage_bytes"] != -1 {
		t.Errorf("made %s", r.Body)
	}
	p.Run(t,
		post("no e-mail", object{}, 422, "VALIDATION_ERROR"),
		post("no e-mail address", object{"email": "Ann <ann@example.org>"}, 422, "VALIDATION_ERROR"),
		post("a space that is not ASCII", object{"email": "ann\u00a0b@example.org"}, 422, "VALIDATION_ERROR"),
		post("an address that is taken", object{"email": "ANN@example.org"}, 409, "CONFLICT"),
		post("a password that is too short", object{"email": "c@example.org", "password": "short"}, 422, "VALIDATION_ERROR"),
		post("an unknown plan", object{"email": "c@example.org", "plan": "gold"}, 422, "VALIDATION_ERROR"),
		post("an unknown role", object{"email": "c@example.org", "role": "root"}, 422, "VALIDATION_ERROR"),
		post("an unknown limit", object{"email": "c@example.org", "limits": object{"pictures": 1}}, 422, "VALIDATION_ERROR"),
		post("a nickname in two lines", object{"email": "c@example.org", "nickname": "a\nb"}, 422, "VALIDATION_ERROR"),
		post("a nickname of 61 characters", object{"email": "c@example.org", "nickname": strings.Repeat("é", 61)}, 422, "VALIDATION_ERROR"),
		post("one of 60", object{"email": "d@example.org", "nickname": strings.Repeat("é", 60)}, 201, ""),
		post("a field that is none", object{"email": "c@example.org", "rolle": "admin"}, 422, "VALIDATION_ERROR"),
		post("no JSON", `{`, 400, "BAD_REQUEST"),
	)
	if got := audited(t, p, made.ID); fmt.Sprint(got) != "[user.created]" {
		t.Errorf("the audit log has %v", got)
	}
}

func TestAdministratorsChangeAccounts(t *testing.T) {
	p := start(t)
	admin := p.Admin("root@example.org")
	id := p.NewUser("ann@example.org")
	url := "/v1/admin/users/" + id
	patch := func(name string, body any, has ...string) scenario {
		return scenario{Name: name, As: admin, Method: "PATCH", URL: url, Body: body, Status: 200, Has: has}
	}
	p.Run(t,
		patch("a plan with its end", object{"plan": "trial", "planEndsAt": "2030-01-31T00:00:00Z", "unlimited": false}, `"plan":"trial"`, `"planEndsAt":"2030-01-31T00:00:00.000Z"`, `"unlimited":false`),
		patch("two limits", object{"limits": object{"api_keys": 1, "doc_count": 2}}, `"limits":{"api_keys":1,"doc_count":2}`),
		patch("one limit is taken away, the other stays", object{"limits": object{"api_keys": nil}}, `"limits":{"doc_count":2}`),
		patch("no end", object{"planEndsAt": nil}, `"planEndsAt":null`, `"plan":"trial"`),
		patch("what is so already", object{"plan": "trial"}, `"plan":"trial"`),
	)
	for name, body := range map[string]object{
		"a limit below -1": {"limits": object{"api_keys": -2}}, "a limit that is a text": {"limits": object{"api_keys": "3"}},
		"a time that is none": {"planEndsAt": "tomorrow"}, "a plan that is none": {"plan": "gold"}, "a role that is none": {"role": "owner"},
	} {
		p.Play(t, scenario{Name: name, As: admin, Method: "PATCH", URL: url, Body: body, Status: 422, Code: "VALIDATION_ERROR"})
	}
	for body, says := range map[string]string{
		`{"rolle": "admin"}`: `There is no field \"rolle\".`, `{"limits": {"image_storage_bytes": "5"}}`: "limits.image_storage_bytes is a whole number, or null.",
		`{"limits": 5}`: "an object is expected", `{}`: "Say what is to be different", ``: "Say what is to be different",
	} {
		p.Play(t, scenario{Name: body, As: admin, Method: "PATCH", URL: url, Body: body, Status: 422, Code: "VALIDATION_ERROR", Has: []string{says}})
	}
	p.Play(t, scenario{As: admin, Method: "PATCH", URL: "/v1/admin/users/" + strings.Repeat("a", 21), Body: object{"unlimited": true}, Status: 404, Code: "NOT_FOUND"})
	got := audited(t, p, id)
	if fmt.Sprint(got) != "[user.changed user.changed user.changed user.changed user.created]" {
		t.Errorf("the audit log has %v: changes of nothing are none", got)
	}
	events, _, err := p.App.Store().Events(t.Context(), store.EventQuery{Subject: id, Limit: 9})
	if err != nil || events[3].Detail["plan"] != `"pro_plus" → "trial"` || events[3].Address != "127.0.0.1" || events[3].Via == "" {
		t.Errorf("%+v, %v", events, err)
	}
}

func TestABanEndsEverythingAtOnce(t *testing.T) {
	p := start(t)
	admin := p.Admin("root@example.org")
	id := p.NewUser("ann@example.org")
	key, session := p.NewKey("ann@example.org"), p.SignIn("ann@example.org")
	for _, as := range []string{key, session.Access} {
		p.Play(t, scenario{As: as, URL: "/v1/auth/verify", Status: 200})
	}
	p.Play(t, scenario{As: admin, Method: "POST", URL: "/v1/admin/users/" + id + "/ban", Body: object{"reason": "spam"}, Status: 200, Has: []string{`"isActive":false`, `"banReason":"spam"`}})
	p.Play(t, scenario{As: key, URL: "/v1/auth/verify", Status: 403, Code: "FORBIDDEN", Check: func(t testing.TB, r apptest.Response) { noQuotaWords(t, r) }})
	p.Play(t, scenario{As: session.Access, URL: "/v1/auth/verify", Status: 401, Code: "UNAUTHORIZED"})
	p.Play(t, scenario{As: apptest.Nobody, Method: "POST", URL: "/v1/auth/refresh", Headers: []string{"Cookie", "refresh_token=" + session.Refresh}, Status: 401, Code: "UNAUTHORIZED"})
	if u, _ := p.App.Store().User(t.Context(), id); u.Banned.IsZero() {
		t.Error("the record does not say so")
	} else if _, err := p.App.Auth().SignIn(t.Context(), u, "password", auth.Device{}); err == nil {
		t.Error("a banned user signed in")
	}
	p.Play(t, scenario{As: admin, URL: "/v1/admin/users?status=banned", Status: 200, Has: []string{id}})
	p.Play(t, scenario{As: admin, Method: "POST", URL: "/v1/admin/users/" + id + "/unban", Status: 200, Has: []string{`"isActive":true`, `"banReason":null`}})
	p.Play(t, scenario{As: key, URL: "/v1/auth/verify", Status: 200})
	p.Play(t, scenario{As: session.Access, URL: "/v1/auth/verify", Status: 401, Code: "UNAUTHORIZED"})
	if got := audited(t, p, id); fmt.Sprint(got) != "[user.unbanned user.banned user.created]" {
		t.Errorf("the audit log has %v", got)
	}
}

func TestAnAdministratorSignsSomebodyOut(t *testing.T) {
	p := start(t)
	admin := p.Admin("root@example.org")
	id := p.NewUser("ann@example.org")
	key, one, two := p.NewKey("ann@example.org"), p.SignIn("ann@example.org"), p.SignIn("ann@example.org")
	if u := readUser(t, p, admin, id); u.SessionCount != 2 || u.KeyCount != 1 {
		t.Errorf("%+v", u)
	}
	p.Play(t, scenario{As: admin, Method: "POST", URL: "/v1/admin/users/" + id + "/sign-out", Status: 200, Has: []string{`"ended":2`}})
	for _, s := range []string{one.Access, two.Access} {
		p.Play(t, scenario{As: s, URL: "/v1/auth/verify", Status: 401, Code: "UNAUTHORIZED"})
	}
	p.Play(t, scenario{As: key, URL: "/v1/auth/verify", Status: 200})
	if u := readUser(t, p, admin, id); u.SessionCount != 0 {
		t.Errorf("%+v", u)
	}
}

func TestAnAdministratorRemovesSecondFactors(t *testing.T) {
	p := start(t)
	admin := p.Admin("root@example.org")
	id := p.NewUser("ann@example.org")
	session := p.SignIn("ann@example.org")
	_, err := p.App.Store().UpdateFactors(t.Context(), id, func(f *store.Factors) error { f.Secret = []byte("secret"); return nil })
	if err != nil {
		t.Fatal(err)
	}
	if u := readUser(t, p, admin, id); !u.SecondFactor {
		t.Errorf("%+v", u)
	}
	p.Play(t, scenario{As: admin, Method: "POST", URL: "/v1/admin/users/" + id + "/reset-second-factor", Status: 200})
	if u := readUser(t, p, admin, id); u.SecondFactor {
		t.Errorf("%+v", u)
	}
	p.Play(t, scenario{As: session.Access, URL: "/v1/auth/verify", Status: 401, Code: "UNAUTHORIZED"})
	list, _, err := p.App.Store().Notifications(t.Context(), id, "", 9)
	if err != nil || len(list) != 1 || !strings.Contains(list[0].Title, "second factors") {
		t.Errorf("they were told %+v, %v", list, err)
	}
}

func TestAnAdministratorDeletesAnAccount(t *testing.T) {
	p := start(t)
	admin := p.Admin("root@example.org")
	id := p.NewUser("ann@example.org")
	key, session := p.NewKey("ann@example.org"), p.SignIn("ann@example.org")
	p.Play(t, scenario{As: admin, Method: "DELETE", URL: "/v1/admin/users/" + id, Status: 200})
	p.Play(t, scenario{As: key, URL: "/v1/auth/verify", Status: 401, Code: "UNAUTHORIZED"})
	p.Play(t, scenario{As: session.Access, URL: "/v1/auth/verify", Status: 401, Code: "UNAUTHORIZED"})
	p.Play(t, scenario{As: admin, URL: "/v1/admin/users/" + id, Status: 404, Code: "NOT_FOUND"})
	p.Play(t, scenario{As: admin, Method: "DELETE", URL: "/v1/admin/users/" + id, Status: 404, Code: "NOT_FOUND"})
	if got := audited(t, p, id); fmt.Sprint(got) != "[user.deleted user.created]" {
		t.Errorf("the audit log has %v", got)
	}
}

func TestThereIsAlwaysAnAdministrator(t *testing.T) {
	p := start(t)
	first := p.Admin("root@example.org")
	me := p.SignIn("root@example.org").User.ID
	url := "/v1/admin/users/" + me
	refused := func(name, method, path string, body any) scenario {
		return scenario{Name: name, As: first, Method: method, URL: path, Body: body, Status: 422, Code: "VALIDATION_ERROR"}
	}
	p.Run(t,
		refused("the last one gives up the role", "PATCH", url, object{"role": "user"}),
		refused("the last one bans themselves", "POST", url+"/ban", object{}),
		refused("the last one deletes themselves", "DELETE", url, nil),
		refused("their own second factors", "POST", url+"/reset-second-factor", nil),
	)
	second := p.Admin("toor@example.org")
	other := p.SignIn("toor@example.org").User.ID
	p.Run(t,
		refused("one of two bans themselves", "POST", url+"/ban", object{}),
		refused("one of two deletes themselves", "DELETE", url, nil),
		scenario{Name: "one of two bans the other", As: second, Method: "POST", URL: url + "/ban", Body: object{}, Status: 200},
		scenario{Name: "a banned one does not count", As: second, Method: "PATCH", URL: "/v1/admin/users/" + other, Body: object{"role": "user"}, Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "nor help when they are deleted", As: second, Method: "DELETE", URL: url, Status: 200},
	)
}

func TestTwoAdministratorsEndEachOtherAtOnce(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]scenario{
		"demote": {Method: "PATCH", Body: object{"role": "user"}},
		"ban":    {Method: "POST", Body: object{}},
		"delete": {Method: "DELETE"},
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t)
			tokens := []string{p.Admin("one@example.org"), p.Admin("two@example.org")}
			ids := []string{p.SignIn("one@example.org").User.ID, p.SignIn("two@example.org").User.ID}
			var all sync.WaitGroup
			for i := range 2 {
				all.Go(func() {
					s := how
					s.As, s.URL = tokens[i], "/v1/admin/users/"+ids[1-i]
					if name == "ban" {
						s.URL += "/ban"
					}
					p.Ask(t, s)
				})
			}
			all.Wait()
			if left, err := p.App.Store().Admins(t.Context()); err != nil || len(left) != 1 {
				t.Errorf("%d administrators are left, %v", len(left), err)
			}
		})
	}
}
