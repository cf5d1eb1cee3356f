package api_test

import (
	"context"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image/png"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"picora/app/apptest"
	"picora/app/auth"
	"picora/app/control"
	"picora/app/fault"
	"picora/store"
)

const password = "correct horse 1"

// member makes an account with a password and signs in.
func member(t testing.TB, p *apptest.Picora, email string) (store.User, auth.Signed) {
	t.Helper()
	if _, err := p.Control().AddUser(context.Background(), control.NewUser{Email: email, Password: password}); err != nil {
		t.Fatal(err)
	}
	s := p.SignIn(email)
	return s.User, s
}

// app is an authenticator app.
type authenticator struct{ secret string }

// code is what it shows, some steps from now.
func (a authenticator) code(t testing.TB, p *apptest.Picora, steps int) string {
	t.Helper()
	c, err := totp.GenerateCode(a.secret, p.App.Store().Now().Add(time.Duration(steps)*30*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// enableTOTP sets an app up, and returns it with the recovery codes. The code of the
// step before now is used up. The clock stands still from here on: no step ends between
// two lines of a test.
func enableTOTP(t testing.TB, p *apptest.Picora, access string) (a authenticator, recovery []string) {
	t.Helper()
	p.StopClock()
	a.secret = field(t, p.Play(t, scenario{As: access, Method: "POST", URL: "/v1/user/me/totp", Status: 200}), "secret").(string)
	r := p.Play(t, scenario{As: access, Method: "POST", URL: "/v1/user/me/totp/enable", Body: object{"code": a.code(t, p, -1)}, Status: 200})
	for _, c := range field(t, r, "recoveryCodes").([]any) {
		recovery = append(recovery, c.(string))
	}
	return a, recovery
}

// second is what sign-in asks of the second factor.
func second(p *apptest.Picora, u store.User, code string) error {
	return p.App.Auth().SecondFactor(context.Background(), u, code, auth.Device{})
}

func wantFault(t testing.TB, what string, err error, code fault.Code) {
	t.Helper()
	if err == nil || fault.From(err).Code != code {
		t.Errorf("%s: %v, want %s", what, err, code)
	}
}

func TestAnAuthenticatorAppIsSetUpOnceAndItsSecretIsShownOnce(t *testing.T) {
	p := start(t)
	u, s := member(t, p, "a@example.org")
	as := func(method, path string, body any, status int, code string) apptest.Response {
		t.Helper()
		return p.Play(t, scenario{As: s.Access, Method: method, URL: path, Body: body, Status: status, Code: code})
	}
	if err := second(p, u, ""); err != nil {
		t.Errorf("somebody without a second factor is asked for one: %v", err)
	}
	as("DELETE", "/v1/user/me/totp", nil, 404, "NOT_FOUND")
	as("POST", "/v1/user/me/recovery-codes", nil, 404, "NOT_FOUND")
	as("POST", "/v1/user/me/totp/enable", object{"code": "123456"}, 409, "CONFLICT")

	var made struct{ Secret, OtpauthURL, QR string }
	r := as("POST", "/v1/user/me/totp", nil, 200, "")
	r.Data(t, &made)
	if b, err := base32.StdEncoding.DecodeString(made.Secret); err != nil || len(b) != 20 || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("secret %q: %v", made.Secret, err)
	}
	o, err := url.Parse(made.OtpauthURL)
	if err != nil || o.Query().Get("secret") != made.Secret || !strings.HasSuffix(o.Path, ":a@example.org") || !strings.HasPrefix(o.Query().Get("issuer"), "Picora") {
		t.Errorf("address %s: %v", made.OtpauthURL, err)
	}
	img, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(made.QR, "data:image/png;base64,"))
	if err != nil {
		t.Fatal(err)
	}
	if i, err := png.Decode(strings.NewReader(string(img))); err != nil || i.Bounds().Dx() != 256 {
		t.Errorf("the QR code is no picture: %v", err)
	}
	if err := second(p, u, ""); err != nil {
		t.Errorf("an app that was not enabled is asked for: %v", err)
	}
	a := authenticator{made.Secret}
	as("POST", "/v1/user/me/totp/enable", object{"code": a.code(t, p, 5)}, 422, "VALIDATION_ERROR")
	as("POST", "/v1/user/me/totp/enable", object{}, 422, "VALIDATION_ERROR")
	r = as("POST", "/v1/user/me/totp/enable", object{"code": a.code(t, p, 0)}, 200, "")
	if codes := field(t, r, "recoveryCodes").([]any); len(codes) != 10 || codes[0] == codes[1] {
		t.Errorf("recovery codes: %v", codes)
	}
	r = as("GET", "/v1/user/me/totp", nil, 200, "")
	if strings.Contains(string(r.Body), made.Secret) || field(t, r, "enabled") != true || field(t, r, "recoveryCodesLeft") != 10.0 {
		t.Errorf("state: %s", r.Body)
	}
	as("POST", "/v1/user/me/totp", nil, 409, "CONFLICT")
	as("POST", "/v1/user/me/totp/enable", object{"code": a.code(t, p, 1)}, 409, "CONFLICT")
	wantFault(t, "no code", second(p, u, ""), fault.SecondFactor)
	as("DELETE", "/v1/user/me/totp", nil, 200, "")
	if err := second(p, u, ""); err != nil {
		t.Errorf("a removed app is asked for: %v", err)
	}
}

func TestACodeIsTakenOnceNearItsTime(t *testing.T) {
	p := start(t)
	u, s := member(t, p, "a@example.org")
	a, _ := enableTOTP(t, p, s.Access)
	wantFault(t, "the code that enabled the app", second(p, u, a.code(t, p, -1)), fault.Unauthorized)
	now := a.code(t, p, 0)
	if err := second(p, u, now[:3]+" "+now[3:]); err != nil {
		t.Errorf("now's code, as apps write it: %v", err)
	}
	wantFault(t, "the same again", second(p, u, now), fault.Unauthorized)
	if err := second(p, u, a.code(t, p, 1)); err != nil {
		t.Errorf("the next step's code, of a clock that is fast: %v", err)
	}
	wantFault(t, "an older one, after a newer", second(p, u, now), fault.Unauthorized)
	p.Advance(5 * time.Minute)
	for steps, good := range map[int]bool{-2: false, 2: false} {
		if err := second(p, u, a.code(t, p, steps)); (err == nil) != good {
			t.Errorf("%d steps from now: %v", steps, err)
		}
	}
	if err := second(p, u, a.code(t, p, -1)); err != nil {
		t.Errorf("the step before now: %v", err)
	}
	// Of many requests with one code, one is let in.
	p.Advance(5 * time.Minute)
	var wg sync.WaitGroup
	var mu sync.Mutex
	in, code := 0, a.code(t, p, 0)
	for range 20 {
		wg.Go(func() {
			if second(p, u, code) == nil {
				mu.Lock()
				in++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if in != 1 {
		t.Errorf("%d of 20 requests with one code were let in", in)
	}
}

func TestFiveWrongCodesMakeTheNextWait(t *testing.T) {
	p := start(t)
	u, s := member(t, p, "a@example.org")
	a, recovery := enableTOTP(t, p, s.Access)
	for i := range 4 {
		wantFault(t, "wrong", second(p, u, fmt.Sprintf("00000%dx", i)), fault.Unauthorized)
	}
	if err := second(p, u, a.code(t, p, 0)); err != nil {
		t.Errorf("right after four wrong ones: %v", err)
	}
	for range 5 {
		wantFault(t, "wrong", second(p, u, "wrong"), fault.Unauthorized)
	}
	wantFault(t, "right after five wrong ones", second(p, u, a.code(t, p, 1)), fault.Unauthorized)
	wantFault(t, "a recovery code after five wrong ones", second(p, u, recovery[0]), fault.Unauthorized)
	p.Advance(15*time.Minute + time.Second)
	if err := second(p, u, a.code(t, p, 0)); err != nil {
		t.Errorf("after the wait: %v", err)
	}
	if err := second(p, u, recovery[0]); err != nil {
		t.Errorf("the recovery code was used up while it was not looked at: %v", err)
	}
}

func TestARecoveryCodeIsGoodOnceAndItsUseIsTold(t *testing.T) {
	p := start(t)
	u, s := member(t, p, "a@example.org")
	_, recovery := enableTOTP(t, p, s.Access)
	if err := second(p, u, " "+strings.ToUpper(strings.ReplaceAll(recovery[3], "-", ""))); err != nil {
		t.Errorf("a recovery code as people copy it: %v", err)
	}
	wantFault(t, "the same again", second(p, u, recovery[3]), fault.Unauthorized)
	r := p.Play(t, scenario{As: s.Access, URL: "/v1/user/me/totp", Status: 200})
	if field(t, r, "recoveryCodesLeft") != 9.0 {
		t.Errorf("left: %s", r.Body)
	}
	r = p.Play(t, scenario{As: s.Access, Method: "POST", URL: "/v1/user/me/recovery-codes", Status: 200})
	wantFault(t, "an old one, after new ones were made", second(p, u, recovery[4]), fault.Unauthorized)
	if err := second(p, u, field(t, r, "recoveryCodes").([]any)[0].(string)); err != nil {
		t.Errorf("a new one: %v", err)
	}
	f, err := p.App.Store().Factors(context.Background(), u.ID)
	if err != nil {
		t.Fatal(err)
	}
	if kept, _ := json.Marshal(f); strings.Contains(string(kept), recovery[5]) {
		t.Error("recovery codes are kept in the clear")
	}
}

func TestConfirmingOpensForFifteenMinutesWhatAsksForIt(t *testing.T) {
	p := start(t)
	u, s := member(t, p, "a@example.org")
	confirm := func(body any, status int, code string) apptest.Response {
		t.Helper()
		return p.Play(t, scenario{As: s.Access, Method: "POST", URL: "/v1/auth/confirm", Body: body, Status: status, Code: code})
	}
	proven := func(open bool) {
		t.Helper()
		status, code := 403, "CONFIRMATION_REQUIRED"
		if open {
			status, code = 404, "NOT_FOUND" // there are no codes to make anew
		}
		r := p.Play(t, scenario{As: s.Access, Method: "POST", URL: "/v1/user/me/recovery-codes", Status: status, Code: code})
		ways := p.Play(t, scenario{As: s.Access, URL: "/v1/auth/confirm", Status: 200, Has: []string{`"password":true`, `"code":true`, `"otp":false`, `"passkey":false`, `"mail":false`}})
		if until := field(t, ways, "confirmedUntil"); (until != nil) != open {
			t.Errorf("confirmed until %v, but it is %v that this needs no proof", until, open)
		}
		if !open {
			noQuotaWords(t, r)
		}
	}
	later := func(d time.Duration) {
		t.Helper()
		p.Advance(d)
		again, err := p.App.Auth().Refresh(context.Background(), s.Refresh, auth.Device{})
		if err != nil {
			t.Fatal(err)
		}
		s.Access = again.Access
	}
	proven(true)
	later(14 * time.Minute)
	proven(true)
	later(time.Minute + time.Second)
	proven(false)
	confirm(object{}, 422, "VALIDATION_ERROR")
	confirm(object{"password": "incorrect horse"}, 422, "VALIDATION_ERROR")
	confirm(object{"otp": "123456"}, 422, "VALIDATION_ERROR")
	confirm(object{"code": "123456"}, 422, "VALIDATION_ERROR")
	confirm(object{"passkey": nil}, 422, "VALIDATION_ERROR")
	confirm(object{"passkey": object{"id": "x"}}, 422, "VALIDATION_ERROR") // at an IP address there are none
	proven(false)
	r := confirm(object{"password": password}, 200, "")
	until, err := time.Parse(time.RFC3339, field(t, r, "confirmedUntil").(string))
	if err != nil || until.Sub(p.App.Store().Now()).Round(time.Minute) != 15*time.Minute {
		t.Errorf("until %v: %v", until, err)
	}
	proven(true)
	later(15*time.Minute + time.Second)
	proven(false)
	p.Play(t, scenario{As: s.Access, Method: "POST", URL: "/v1/auth/confirm/send-code", Status: 200, Has: []string{"the server's log"}}) // which has it: there is no mail here
	later(2 * time.Minute)
	code, err := p.App.Auth().NewCode(context.Background(), u.Email, auth.ForConfirm)
	if err != nil {
		t.Fatal(err)
	}
	confirm(object{"code": code}, 200, "")
	proven(true)
	later(16 * time.Minute)
	confirm(object{"code": code}, 422, "VALIDATION_ERROR")
	other, err := p.App.Auth().NewCode(context.Background(), u.Email, auth.ForLogin)
	if err != nil {
		t.Fatal(err)
	}
	confirm(object{"code": other}, 422, "VALIDATION_ERROR")
	proven(false)
	p.Play(t, scenario{Method: "POST", URL: "/v1/auth/confirm", Body: object{"password": password}, Status: 403, Code: "FORBIDDEN"}) // an API key
}

func TestConfirmingAsksForTheAppToo(t *testing.T) {
	p := start(t)
	u, s := member(t, p, "a@example.org")
	a, recovery := enableTOTP(t, p, s.Access)
	confirm := func(body any, status int, code string) apptest.Response {
		t.Helper()
		return p.Play(t, scenario{As: s.Access, Method: "POST", URL: "/v1/auth/confirm", Body: body, Status: status, Code: code})
	}
	p.Play(t, scenario{As: s.Access, URL: "/v1/auth/confirm", Status: 200, Has: []string{`"otp":true`}})
	r := confirm(object{"password": password}, 401, "SECOND_FACTOR_REQUIRED")
	if !strings.Contains(string(r.Body), `"methods":["totp","recovery"]`) {
		t.Errorf("methods: %s", r.Body)
	}
	confirm(object{"password": password, "otp": "000000x"}, 422, "VALIDATION_ERROR")
	confirm(object{"password": password, "otp": a.code(t, p, 0)}, 200, "")
	confirm(object{"otp": a.code(t, p, 1)}, 200, "")
	code, err := p.App.Auth().NewCode(context.Background(), u.Email, auth.ForConfirm)
	if err != nil {
		t.Fatal(err)
	}
	confirm(object{"code": code}, 401, "SECOND_FACTOR_REQUIRED")
	confirm(object{"code": code, "otp": recovery[0]}, 200, "") // the mailed code was not used up
	confirm(object{"code": code, "otp": recovery[1]}, 422, "VALIDATION_ERROR")
}

func TestPasswordsCannotBeTriedByConfirming(t *testing.T) {
	p := start(t)
	_, s := member(t, p, "a@example.org")
	confirm := func(word string, status int, code string) {
		t.Helper()
		p.Play(t, scenario{As: s.Access, Method: "POST", URL: "/v1/auth/confirm", Body: object{"password": word}, Status: status, Code: code})
	}
	for range 5 {
		confirm("incorrect horse", 422, "VALIDATION_ERROR")
	}
	// Not played: tests have no rate limits, whose headers the document has for each 429.
	if r := p.JSON("POST", "/v1/auth/confirm", object{"password": password}, "Authorization", "Bearer "+s.Access); r.Status != 429 || r.Header.Get("Retry-After") == "" {
		t.Errorf("after five wrong passwords: %d %s", r.Status, r.Body)
	}
	p.Advance(15*time.Minute + time.Second)
	s = p.SignIn("a@example.org")
	confirm(password, 200, "")
}

func TestSigningInAsksForTheApp(t *testing.T) {
	p := start(t)
	u, s := member(t, p, "a@example.org")
	a, recovery := enableTOTP(t, p, s.Access)
	login := func(otp string, status int, code string) apptest.Response {
		t.Helper()
		return p.Play(t, scenario{As: apptest.Nobody, Method: "POST", URL: "/v1/auth/login", Body: object{"email": u.Email, "password": password, "otp": otp}, Status: status, Code: code})
	}
	r := login("", 401, "SECOND_FACTOR_REQUIRED")
	if !strings.Contains(string(r.Body), `"methods":["totp","recovery"]`) || r.Header.Get("Set-Cookie") != "" {
		t.Errorf("without a code: %s", r.Body)
	}
	login("000000x", 401, "UNAUTHORIZED")
	p.Play(t, post("/v1/auth/login", object{"email": u.Email, "password": "not the password"}, 401, "UNAUTHORIZED"))
	refusals, _, err := p.App.Store().Events(t.Context(), store.EventQuery{Action: "session.refused", Limit: 9})
	if err != nil || len(refusals) != 2 || refusals[0].Detail["reason"] != "password" || refusals[1].Detail["reason"] != "second_factor" {
		t.Errorf("the audit log says of what failed %+v, %v", refusals, err)
	}
	code := a.code(t, p, 0)
	login(code, 200, "")
	login(code, 401, "UNAUTHORIZED")
	login(recovery[0], 200, "")
	ctx := context.Background()
	notices, _, err := p.App.Store().Notifications(ctx, u.ID, "", 50)
	if err != nil {
		t.Fatal(err)
	}
	told := ""
	for _, n := range notices {
		told += n.Title + ": " + n.Body + "\n"
		if strings.Contains(n.Body, recovery[0]) || strings.Contains(n.Body, a.secret) {
			t.Error("a secret is in a notification")
		}
	}
	if !strings.Contains(told, "A recovery code was used") || !strings.Contains(told, "9 are left") || !strings.Contains(told, "An authenticator app was set up") {
		t.Errorf("the user was told\n%s", told)
	}
	events, _, err := p.App.Store().Events(ctx, store.EventQuery{Limit: 50})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, e := range events {
		seen[e.Action] = true
		if e.Action == "recovery.used" && (e.Address != "127.0.0.1" || e.Agent == "") {
			t.Errorf("from where is not said: %+v", e)
		}
		if text := fmt.Sprint(e); strings.Contains(text, recovery[0]) || strings.Contains(text, a.secret) {
			t.Error("a secret is in the audit log")
		}
	}
	for _, action := range []string{"totp.enabled", "recovery.used", "session.created"} {
		if !seen[action] {
			t.Errorf("the audit log lacks %s: %v", action, seen)
		}
	}
}
