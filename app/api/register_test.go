package api_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/app/auth"
	"picora/app/settings"
	"picora/store"
)

func TestRegistrationIsClosedByInviteOrOpen(t *testing.T) {
	p := openServer(t, "closed")
	set := func(mode, plan string) {
		if err := p.App.Settings().Set(context.Background(), settings.Live{Registration: mode, Plan: plan}); err != nil {
			t.Fatal(err)
		}
	}
	register := func(email, invite string, status int, code string) scenario {
		return post("/v1/auth/register", object{"email": email, "password": goodPassword, "inviteCode": invite, "nickname": "Ann"}, status, code)
	}
	noQuotaWords(t, p.Play(t, register("a@example.org", "", 403, "FORBIDDEN")))
	policy := func(want string) {
		t.Helper()
		p.Play(t, scenario{As: apptest.Nobody, URL: "/v1/auth/register", Status: 200, Has: []string{`"registration":"` + want + `"`, `"mail":false`}})
	}
	policy("closed")

	set("invite", "trial")
	policy("invite")
	noQuotaWords(t, p.Play(t, register("a@example.org", "", 403, "FORBIDDEN")))
	i, err := p.App.Store().CreateInvite(context.Background(), store.Invite{Active: true, MaxUses: 1, Plan: "pro"})
	if err != nil {
		t.Fatal(err)
	}
	p.Play(t, register("a@example.org", strings.ToLower(i.Code), 422, "VALIDATION_ERROR"))
	r := register("a@example.org", i.Code, 201, "")
	r.Has = []string{`"plan":"pro"`, `"nickname":"Ann"`, `"emailVerified":false`, `"role":"user"`}
	p.Play(t, scenario{As: access(t, p.Play(t, r)), URL: "/v1/auth/verify", Status: 200})
	if e, _, err := p.App.Store().Events(t.Context(), store.EventQuery{Action: "user.registered", Limit: 9}); err != nil || len(e) != 1 || e[0].Address != "127.0.0.1" || e[0].Agent == "" || e[0].Detail["invite"] != i.ID {
		t.Errorf("the audit log says %+v, %v", e, err)
	}
	p.Play(t, register("b@example.org", i.Code, 422, "VALIDATION_ERROR")) // used up

	set("open", "none")
	policy("open")
	r = register("b@example.org", "", 201, "")
	r.Has = []string{`"plan":"none"`}
	p.Play(t, r)
	p.Play(t, register("B@example.org", "", 409, "CONFLICT"))
	p.Play(t, register("no address", "", 422, "VALIDATION_ERROR"))
	p.Play(t, register("a@example.org\r\nBcc: c@example.org", "", 422, "VALIDATION_ERROR"))
	p.Play(t, post("/v1/auth/register", object{"email": "c@example.org", "password": "1234567"}, 422, "VALIDATION_ERROR"))
	p.Play(t, post("/v1/auth/register", object{"email": "c@example.org", "password": "12345678"}, 201, "")) // no rules of composition
}

func TestAnInviteLetsInOneHoweverManyComeAtOnce(t *testing.T) {
	p := openServer(t, "invite")
	i, err := p.App.Store().CreateInvite(context.Background(), store.Invite{Active: true, MaxUses: 1})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	statuses := make(chan int, 8)
	for n := range cap(statuses) {
		all.Go(func() {
			status := 503 // a busy machine says so, and is asked again
			for status == 503 {
				status = p.JSON("POST", "/v1/auth/register", object{"email": fmt.Sprintf("a%d@example.org", n), "password": goodPassword, "inviteCode": i.Code}, "Authorization", "").Status
			}
			statuses <- status
		})
	}
	all.Wait()
	close(statuses)
	in := 0
	for s := range statuses {
		if s == 201 {
			in++
		} else if s != 422 {
			t.Errorf("status %d", s)
		}
	}
	if in != 1 {
		t.Errorf("%d got in", in)
	}
}

func TestMailedCodes(t *testing.T) {
	in := apptest.NewInbox(t)
	p := openServer(t, "open", in.Use)
	withPassword(t, p, "you@example.org")
	send := func(email, kind string) string {
		r := p.Play(t, post("/v1/auth/send-code", object{"email": email, "type": kind}, 200, ""))
		return field(t, r, "message").(string)
	}

	// To register.
	if a, b := send("new@example.org", "register"), send("you@example.org", "register"); a != b {
		t.Errorf("who has an account is told: %q, %q", a, b)
	}
	code := in.Wait(t, "new@example.org", 1).Code(t)
	register := object{"email": "New@example.org", "password": goodPassword, "code": code}
	p.Play(t, post("/v1/auth/register", object{"email": "new@example.org", "password": goodPassword}, 422, "VALIDATION_ERROR"))
	p.Play(t, post("/v1/auth/register", object{"email": "new@example.org", "password": goodPassword, "code": "000000"}, 422, "VALIDATION_ERROR"))
	r := post("/v1/auth/register", register, 201, "")
	r.Has = []string{`"emailVerified":true`}
	p.Play(t, r)
	p.Play(t, post("/v1/auth/register", register, 422, "VALIDATION_ERROR")) // the code was used

	// Who has an account is told so, and can sign in with that code.
	l := in.Wait(t, "you@example.org", 1)
	if !strings.Contains(l.Subject, "already") {
		t.Errorf("the letter is %+v", l)
	}
	login := object{"email": "you@example.org", "code": l.Code(t)}
	p.Play(t, post("/v1/auth/login/code", object{"email": "you@example.org", "code": "00000"}, 401, "UNAUTHORIZED"))
	p.Play(t, post("/v1/auth/login/code", login, 200, ""))
	p.Play(t, post("/v1/auth/login/code", login, 401, "UNAUTHORIZED"))

	// To sign in where there is no account: it is made.
	send("third@example.org", "login")
	made := post("/v1/auth/login/code", object{"email": "third@example.org", "code": in.Wait(t, "third@example.org", 1).Code(t)}, 200, "")
	made.Has = []string{`"plan":"trial"`, `"emailVerified":true`}
	p.Play(t, made)

	// A new password.
	p.Advance(2 * time.Minute)
	session := p.SignIn("you@example.org")
	in.Wait(t, "you@example.org", 2) // a new device
	known := p.Play(t, post("/v1/auth/forgot-password", object{"email": "you@example.org"}, 200, ""))
	unknown := p.Play(t, post("/v1/auth/forgot-password", object{"email": "nobody@example.org"}, 200, ""))
	if string(known.Body) != string(unknown.Body) {
		t.Errorf("%s, %s", known.Body, unknown.Body)
	}
	reset := object{"email": "you@example.org", "code": in.Wait(t, "you@example.org", 3).Code(t), "newPassword": "another one"}
	p.Play(t, post("/v1/auth/reset-password", object{"email": "you@example.org", "code": reset["code"], "newPassword": "short"}, 422, "VALIDATION_ERROR"))
	p.Play(t, post("/v1/auth/reset-password", object{"email": "nobody@example.org", "code": "123456", "newPassword": "another one"}, 401, "UNAUTHORIZED"))
	p.Play(t, post("/v1/auth/reset-password", reset, 200, ""))
	p.Play(t, post("/v1/auth/reset-password", reset, 401, "UNAUTHORIZED"))
	p.Play(t, post("/v1/auth/login", object{"email": "you@example.org", "password": "another one"}, 200, ""))
	p.Play(t, scenario{As: session.Access, URL: "/v1/auth/verify", Status: 200}) // contract 6
	if l := in.Wait(t, "you@example.org", 4); !strings.Contains(l.Subject, "password was changed") {
		t.Errorf("the letter is %+v", l)
	}
	if n := len(in.Letters("nobody@example.org")); n != 0 {
		t.Errorf("%d letters to nobody", n)
	}

	for _, s := range []scenario{
		post("/v1/auth/send-code", object{"email": "new@example.org", "type": "party"}, 422, "VALIDATION_ERROR"),
		post("/v1/auth/send-code", object{"type": "register"}, 422, "VALIDATION_ERROR"),
		post("/v1/auth/forgot-password", object{"email": "x"}, 422, "VALIDATION_ERROR"),
		post("/v1/auth/forgot-password", object{"email": "you@example.org"}, 429, "RATE_LIMITED"),
	} {
		p.Play(t, s)
	}
}

func TestLettersComeInTheReadersLanguage(t *testing.T) {
	in := apptest.NewInbox(t)
	p := openServer(t, "open", in.Use)
	s := post("/v1/auth/send-code", object{"email": "new@example.org", "type": "register"}, 200, "")
	s.Headers = []string{"Accept-Language", "zh-CN,zh;q=0.9"}
	s.Has = []string{"验证码"}
	p.Play(t, s)
	l := in.Wait(t, "new@example.org", 1)
	if !strings.Contains(l.Text, "注册") {
		t.Errorf("%+v", l)
	}
	r := post("/v1/auth/register", object{"email": "new@example.org", "password": goodPassword, "code": l.Code(t)}, 201, "")
	r.Headers, r.Has = s.Headers, []string{`"locale":"zh-CN"`}
	p.Play(t, r)
}

func TestASignInOnANewDeviceIsToldOfByMail(t *testing.T) {
	in := apptest.NewInbox(t)
	p := openServer(t, "closed", in.Use)
	withPassword(t, p, "you@example.org")
	login := func(agent string) {
		s := post("/v1/auth/login", object{"email": "you@example.org", "password": goodPassword}, 200, "")
		s.Headers = []string{"User-Agent", agent}
		p.Play(t, s)
	}
	login("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0") // the first is none
	login("Mozilla/5.0 (X11; Linux x86_64; rv:129.0) Gecko/20100101 Firefox/129.0") // the same, updated
	login("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/126.0.0.0 Safari/537.36")
	if l := in.Wait(t, "you@example.org", 1); !strings.Contains(l.Text, "Chrome on Windows") {
		t.Errorf("%+v", l)
	}
	for range 5 {
		p.JSON("POST", "/v1/auth/login", object{"email": "you@example.org", "password": "wrong"}, "Authorization", "")
	}
	if l := in.Wait(t, "you@example.org", 2); !strings.Contains(l.Subject, "blocked") {
		t.Errorf("%+v", l)
	}
	r := p.Play(t, post("/v1/auth/login", object{"email": "you@example.org", "password": goodPassword}, 401, "UNAUTHORIZED"))
	if !regexp.MustCompile(`Try again in 15 minutes, at \d\d:\d\d UTC`).Match(r.Body) || r.Header.Get("Retry-After") == "" {
		t.Errorf("%s %v", r.Body, r.Header)
	}
}

// Not parallel: it looks at the log.
func TestWithoutMailTheAdministratorHasTheCode(t *testing.T) {
	var log syncBuffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)
	p := apptest.Start(t)
	withPassword(t, p, "you@example.org")
	p.Admin("root@example.org")
	p.Play(t, post("/v1/auth/forgot-password", object{"email": "root@example.org"}, 200, "")) // in the log only
	r := p.Play(t, post("/v1/auth/forgot-password", object{"email": "you@example.org"}, 200, ""))
	if m := field(t, r, "message").(string); !strings.Contains(m, "server's log") {
		t.Error(m)
	}
	p.Play(t, post("/v1/auth/forgot-password", object{"email": "nobody@example.org"}, 200, ""))
	m := regexp.MustCompile(`level=WARN msg="a code to pass on[^\n]*email=you@example.org purpose=reset_password code=(\d{6})\n`).FindStringSubmatch(log.String())
	if m == nil || strings.Contains(log.String(), "nobody@example.org") {
		t.Fatalf("the log says\n%s", log.String())
	}
	root := p.SignIn("root@example.org").User.ID
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		told, _, err := p.App.Store().Notifications(t.Context(), root, "", 9)
		if err != nil || time.Now().After(deadline) || len(told) > 1 {
			t.Fatalf("the administrator was told %+v, %v", told, err)
		}
		if len(told) == 0 {
			continue
		}
		if n := told[0]; !strings.Contains(n.Title, "you@example.org") || !strings.Contains(n.Body, "set a new password is "+m[1]) {
			t.Errorf("the administrator was told %+v", n)
		}
		break
	}
	p.Play(t, post("/v1/auth/reset-password", object{"email": "you@example.org", "code": m[1], "newPassword": "another one"}, 200, ""))
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// TestAnAccountOpenedInAnothersName (threat 23): somebody registers with an address that
// is not theirs, while the server asks for no proof, and leaves themselves every way in
// that there is. The address's owner, who shows it by a mailed code, has it alone.
func TestAnAccountOpenedInAnothersName(t *testing.T) {
	ctx := context.Background()
	for _, way := range []string{"a new password", "a code to sign in"} {
		t.Run(way, func(t *testing.T) {
			in := apptest.NewInbox(t)
			p := openServer(t, "open", in.Use)
			const email = "victim@example.org"
			p.NewUser(email)
			s := p.App.Store()
			u, err := s.UserByEmail(ctx, email)
			if err != nil {
				t.Fatal(err)
			}
			hash, err := auth.HashPassword("the squatter's")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.UpdateUser(ctx, u.ID, func(u *store.User) error { u.Verified, u.Password = false, hash; return nil }); err != nil {
				t.Fatal(err)
			}
			key, session := p.NewKey(email), p.SignIn(email).Access
			if _, err := s.CreateIdentity(ctx, store.Identity{User: u.ID, Issuer: "https://elsewhere", Subject: "squatter"}); err != nil {
				t.Fatal(err)
			}
			if _, err := s.UpdateFactors(ctx, u.ID, func(f *store.Factors) error {
				f.Passkeys = []store.Passkey{{Name: "squatter's"}}
				return nil
			}); err != nil {
				t.Fatal(err)
			}

			if way == "a new password" {
				p.Play(t, post("/v1/auth/forgot-password", object{"email": email}, 200, ""))
				code := in.Wait(t, email, 1).Code(t)
				p.Play(t, post("/v1/auth/reset-password", object{"email": email, "code": code, "newPassword": goodPassword}, 200, ""))
				p.Play(t, post("/v1/auth/login", object{"email": email, "password": goodPassword}, 200, ""))
			} else {
				p.Play(t, post("/v1/auth/send-code", object{"email": email, "type": "login"}, 200, ""))
				code := in.Wait(t, email, 1).Code(t)
				p.Play(t, post("/v1/auth/login/code", object{"email": email, "code": code}, 200, ""))
			}

			p.Play(t, scenario{As: key, URL: "/v1/auth/verify", Status: 401, Code: "UNAUTHORIZED"})
			p.Play(t, scenario{As: session, URL: "/v1/auth/verify", Status: 401, Code: "UNAUTHORIZED"})
			p.Play(t, post("/v1/auth/login", object{"email": email, "password": "the squatter's"}, 401, "UNAUTHORIZED"))
			if list, err := s.Identities(ctx, u.ID); err != nil || len(list) != 0 {
				t.Errorf("accounts elsewhere: %v %v", list, err)
			}
			if f, err := s.Factors(ctx, u.ID); err == nil && len(f.Passkeys) != 0 {
				t.Errorf("passkeys: %v", f.Passkeys)
			}
			if u, err := s.User(ctx, u.ID); err != nil || !u.Verified {
				t.Errorf("%+v %v", u, err)
			}
		})
	}
}
