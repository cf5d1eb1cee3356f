package cli_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
)

var setupLink = regexp.MustCompile(`There is no account yet\..*: (http://localhost:\d+/setup\?token=([A-Za-z0-9_-]{43}))\n`)

// pageScript is what the page runs; there is one when the dashboard was built (make web).
var pageScript = regexp.MustCompile(`<script type="module"[^>]* src="(/assets/[^"]+\.js)"`)

// Threat 18: the installer is open once, to who reads the console, and then never
// again.
func TestThreat18TheConsoleHasALinkThatWorksOnce(t *testing.T) {
	data := t.TempDir()
	p := apptest.Serve(t, data)
	m := setupLink.FindStringSubmatch(p.Stderr())
	for end := time.Now().Add(20 * time.Second); m == nil && time.Now().Before(end); time.Sleep(10 * time.Millisecond) { // it may answer before it has said so
		m = setupLink.FindStringSubmatch(p.Stderr())
	}
	if m == nil {
		t.Fatalf("no link is printed:\n%s", p.Stderr())
	}
	page := p.Do("GET", "/setup?token="+m[2], nil)
	csp := page.Header.Get("Content-Security-Policy")
	script := pageScript.FindSubmatch(page.Body)
	if page.Status != 200 || script == nil || !strings.Contains(csp, "default-src 'none'; script-src 'self'") || strings.Contains(string(page.Body), m[2]) ||
		page.Header.Get("Referrer-Policy") != "no-referrer" || page.Header.Get("Cache-Control") != "no-cache" {
		t.Fatalf("the page: %d %v\n%s", page.Status, page.Header, page.Body)
	}
	if strings.Contains(string(page.Body), "http:") || strings.Contains(string(page.Body), "https:") {
		t.Error("the page loads something from elsewhere")
	}
	if js := p.Do("GET", string(script[1]), nil, "Authorization", ""); js.Status != 200 || !strings.HasPrefix(js.Header.Get("Content-Type"), "text/javascript") || strings.Contains(string(js.Body), m[2]) {
		t.Errorf("the script: %d %v", js.Status, js.Header)
	}
	if strings.Count(p.Stderr(), m[2]) != 1 {
		t.Error("the token is in the log more than once")
	}
	body := map[string]string{"token": m[2], "email": "you@example.org", "password": "correct horse", "nickname": "Ann"}
	ask := func(status int, has string) apptest.Response {
		t.Helper()
		r := p.JSON("POST", "/v1/setup", body, "Authorization", "")
		if r.Status != status || !strings.Contains(string(r.Body), has) {
			t.Fatalf("%d %s, want %d and %s", r.Status, r.Body, status, has)
		}
		return r
	}
	needed := func(want string) {
		t.Helper()
		if r := p.Do("GET", "/v1/setup", nil, "Authorization", ""); !strings.Contains(string(r.Body), `"needed":`+want) || !strings.Contains(string(r.Body), `"address":"`+p.URL+`"`) {
			t.Errorf("%s", r.Body)
		}
	}
	needed("true")
	body["token"] = strings.Repeat("a", 43)
	ask(http.StatusForbidden, "printed")
	body["token"] = m[2]
	r := ask(http.StatusCreated, `"role":"admin"`)
	if !strings.Contains(r.Header.Get("Set-Cookie"), "refresh_token=") {
		t.Error("nobody is signed in")
	}
	needed("false")
	body["email"] = "evil@example.org"
	ask(http.StatusGone, "set up")
	p.Terminate()

	p = apptest.Serve(t, data)
	if setupLink.MatchString(p.Stderr()) {
		t.Error("another link is printed")
	}
	ask(http.StatusGone, "set up")
}

func TestAPasswordIsSetWithTheServerRunningAndNot(t *testing.T) {
	data := t.TempDir()
	run(t, data, "first password", 0, "user", "add", "you@example.org", "--password-stdin")
	p := apptest.Serve(t, data)
	login := func(password string) apptest.Response {
		return p.JSON("POST", "/v1/auth/login", map[string]string{"email": "you@example.org", "password": password}, "Authorization", "")
	}
	in := login("first password")
	if in.Status != 200 {
		t.Fatalf("%d %s", in.Status, in.Body)
	}
	var s struct{ AccessToken string }
	in.Data(t, &s)
	o := run(t, data, "second password\n", 0, "user", "password", "You@example.org", "--password-stdin")
	contains(t, "the command", o.Stderr, "Sessions ended: 1")
	if r := p.Do("GET", "/v1/auth/verify", nil, "Authorization", "Bearer "+s.AccessToken); r.Status != 401 {
		t.Errorf("the session lives: %d", r.Status)
	}
	if a, b := login("first password").Status, login("second password").Status; a != 401 || b != 200 {
		t.Errorf("the old password %d, the new one %d", a, b)
	}
	p.Terminate()
	run(t, data, "third password", 0, "user", "password", "you@example.org", "--password-stdin")
	p = apptest.Serve(t, data)
	if a, b := login("second password").Status, login("third password").Status; a != 401 || b != 200 {
		t.Errorf("set while it was stopped: the old password %d, the new one %d", a, b)
	}
	contains(t, "a short one", run(t, data, "short", 1, "user", "password", "you@example.org", "--password-stdin").Stderr, "8 to 64")
	contains(t, "nobody's", run(t, data, "long enough", 1, "user", "password", "me@example.org", "--password-stdin").Stderr, "no user")
	contains(t, "no flag", run(t, data, "", 2, "user", "password", "you@example.org").Stderr, "--password-stdin")
}

func TestSessionKeysAreRotatedAndNobodyIsSignedOut(t *testing.T) {
	data := t.TempDir()
	run(t, data, "first password", 0, "user", "add", "you@example.org", "--password-stdin")
	p := apptest.Serve(t, data)
	in := p.JSON("POST", "/v1/auth/login", map[string]string{"email": "you@example.org", "password": "first password"}, "Authorization", "")
	var s struct{ AccessToken string }
	in.Data(t, &s)
	cookie, _, _ := strings.Cut(in.Header.Get("Set-Cookie"), ";")
	still := func(when string) {
		t.Helper()
		if r := p.Do("GET", "/v1/auth/verify", nil, "Authorization", "Bearer "+s.AccessToken); r.Status != 200 {
			t.Errorf("%s the access token is %d", when, r.Status)
		}
		if r := p.Do("POST", "/v1/auth/refresh", nil, "Authorization", "", "Cookie", cookie); r.Status != 200 {
			t.Errorf("%s the refresh is %d", when, r.Status)
		}
	}
	still("before")
	run(t, data, "", 0, "session-key", "rotate")
	still("after a rotation")
	p.Terminate()
	run(t, data, "", 0, "session-key", "rotate")
	p = apptest.Serve(t, data)
	still("after a rotation while it was stopped")
}
