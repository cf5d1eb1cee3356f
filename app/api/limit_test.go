package api_test

import (
	"bytes"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"picora/app/api"
	"picora/app/apptest"
	"picora/app/config"
	"picora/app/limit"
)

// limited starts a Picora whose limits are on and whose clock stands still until it is
// moved.
func limited(t *testing.T, edit ...func(*config.Config)) (p *apptest.Picora, forward func(time.Duration)) {
	t.Helper()
	t.Parallel()
	edit = append([]func(*config.Config){func(c *config.Config) { c.Limits.Enabled = true }}, edit...)
	p = apptest.Start(t, edit...)
	_, forward = stopClock(p)
	return p, forward
}

// stopClock lets the server's clock stand still until it is moved. It must come before
// any request.
func stopClock(p *apptest.Picora) (began time.Time, forward func(time.Duration)) {
	return p.StopClock(), p.Advance
}

// left reads the headers of an answer.
func left(t testing.TB, r apptest.Response) (limit, remaining, reset int) {
	t.Helper()
	number := func(name string) int {
		n, err := strconv.Atoi(r.Header.Get(name))
		if err != nil {
			t.Fatalf("%d: the header %s is %q", r.Status, name, r.Header.Get(name))
		}
		return n
	}
	limit, remaining, reset = number("RateLimit-Limit"), number("RateLimit-Remaining"), number("RateLimit-Reset")
	if number("X-RateLimit-Limit") != limit || number("X-RateLimit-Remaining") != remaining {
		t.Errorf("the two families of headers differ: %v", r.Header)
	}
	if at := time.Unix(int64(number("X-RateLimit-Reset")), 0); at.Sub(time.Now().Add(time.Duration(reset)*time.Second)).Abs() > time.Hour {
		t.Errorf("X-RateLimit-Reset is %s, RateLimit-Reset %d", at, reset)
	}
	return limit, remaining, reset
}

func wantLeft(t testing.TB, name string, r apptest.Response, limit, remaining int) {
	t.Helper()
	if l, n, _ := left(t, r); l != limit || n != remaining {
		t.Errorf("%s: %d of %d are left, want %d of %d", name, n, l, remaining, limit)
	}
}

func TestEveryAnswerSaysWhatIsLeft(t *testing.T) {
	p, _ := limited(t)
	reader := p.NewKey("owner@example.org", "read")
	for range 30 { // what may come on top
		p.Play(t, scenario{URL: "/v1/images", Status: 200})
	}
	wantLeft(t, "a list", p.Play(t, scenario{URL: "/v1/images", Status: 200}), 600, 599)
	wantLeft(t, "what is not there", p.Play(t, scenario{URL: "/v1/images/aaaaaaaaaaa", Status: 404, Code: "NOT_FOUND"}), 600, 598)
	wantLeft(t, "HEAD", p.Play(t, scenario{Method: "HEAD", URL: "/v1/images", Status: 200}), 600, 597)
	wantLeft(t, "a wrong field", p.Play(t, scenario{URL: "/v1/images?limit=x", Status: 422, Code: "VALIDATION_ERROR"}), 600, 596)
	wantLeft(t, "a scope that is missing", p.Play(t, scenario{As: reader, Method: "DELETE", URL: "/v1/images/aaaaaaaaaaa", Status: 403, Code: "FORBIDDEN"}), 120, 120)
	for range 2 { // shown and not spent
		wantLeft(t, "what is left", p.Play(t, scenario{URL: "/v1/user/me/rate-limits", Status: 200}), 600, 596)
	}
	wantLeft(t, "no key", p.Play(t, scenario{As: apptest.Nobody, URL: "/v1/images", Status: 401, Code: "UNAUTHORIZED"}), 300, 300)
	wantLeft(t, "a route that the cookie opens", p.Play(t, scenario{Method: "POST", URL: "/v1/auth/refresh", As: apptest.Nobody, Status: 401, Code: "UNAUTHORIZED"}), 30, 30)
	for name, r := range map[string]apptest.Response{
		"the document":      p.Play(t, scenario{URL: "/openapi.yaml", Status: 200}),
		"health":            p.Play(t, scenario{URL: "/health", Status: 200}),
		"what is no route":  p.Play(t, scenario{URL: "/v1/nothing", Status: 404, Code: "NOT_FOUND"}),
		"no method of one":  p.Play(t, scenario{Method: "PUT", URL: "/v1/images", Status: 405, Code: "METHOD_NOT_ALLOWED"}),
		"a file of the CDN": p.Do("GET", "/aaaaaaaaaaa.png", nil),
	} {
		if r.Header.Get("RateLimit-Limit") != "" {
			t.Errorf("%s is limited: %v", name, r.Header)
		}
	}
}

// Whatever is added to the table later is limited as the table says, whoever calls.
func TestEveryRouteIsLimitedAsTheTableSays(t *testing.T) {
	p, _ := limited(t, func(c *config.Config) {
		l := &c.Limits
		l.ReadPerMinute, l.MutationPerMinute, l.UploadPerMinute, l.SignInPerMinute = 10_001, 10_002, 10_003, 10_004
		l.Hourly = 0
	})
	want := map[limit.Tier]string{limit.Free: "", limit.Read: "10001", limit.Mutation: "10002", limit.Upload: "10003", limit.SignIn: "10004"}
	session := p.SignIn("owner@example.org").Access // calls may end it: the last to be tried
	for name, credential := range map[string]string{"with a key": "Bearer " + p.Key, "without": "", "with a session": "Bearer " + session} {
		for _, r := range new(api.API).Routes() {
			if name == "with a session" && r.Method != "GET" {
				continue
			}
			body := strings.NewReader("{}")
			a := p.Do(r.Method, fill(r.Path), body, "Authorization", credential, "Content-Type", "application/json")
			tier := want[r.Tier]
			if r.Path == "/v1/user/me/rate-limits" { // is free, and shows what reading has left
				tier = want[limit.Read]
			}
			if kind := r.Who.Kind(); credential == "" && kind != "public" && kind != "cookie" && kind != "internal" && kind != "optional" {
				tier = "100040" // wrong credentials
			}
			if got := a.Header.Get("RateLimit-Limit"); got != tier {
				t.Errorf("%s %s %s: %d, the limit is %q, want %q", r.Method, r.Path, name, a.Status, got, tier)
			}
		}
	}
}

func TestFilesAreNotLimited(t *testing.T) {
	p, _ := limited(t, func(c *config.Config) { c.Limits.ReadPerMinute, c.Limits.ReadBurst, c.Limits.Hourly = 1, 0, 3 })
	i := p.Add("a.png", picture(1), "isPublic", "false")
	for range 20 {
		if r := p.Do("GET", i.URL, nil); r.Status != 200 {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
	}
}

func TestABatchOfSixtyPicturesPassesAndManyMoreDoNot(t *testing.T) {
	p, forward := limited(t)
	for i := range 65 {
		if r := p.Upload("a.png", picture(uint64(i))); r.Status != 201 {
			t.Fatalf("upload %d: %d %s", i, r.Status, r.Body)
		}
	}
	body, contentType := apptest.Form("a.png", picture(99))
	r := p.Play(t, scenario{Method: "POST", URL: "/v1/images", Body: body, Headers: []string{"Content-Type", contentType}, Status: 429, Code: "RATE_LIMITED",
		Has: []string{`"error":"Rate limit exceeded (upload): 60 per minute. Try again in 1 s."`, `"retryAfterSec":1`}})
	if r.Header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After is %q", r.Header.Get("Retry-After"))
	}
	wantLeft(t, "refused", r, 60, 0)
	if n := len(p.Blobs()); n != 65 {
		t.Errorf("%d files are kept, want 65", n)
	}
	p.Play(t, scenario{URL: "/v1/images", Status: 200}) // another tier
	forward(time.Second)
	if r := p.Upload("a.png", picture(99)); r.Status != 201 {
		t.Errorf("a second later: %d %s", r.Status, r.Body)
	}
}

// raw sends a request's header, with an upload's length, and reads what comes back
// before the body, of which only the beginning is sent.
func raw(t *testing.T, p *apptest.Picora, key string, headers string) (status int, head http.Header) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	conn.Write([]byte("POST /v1/images HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + key +
		"\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 9000000\r\n" + headers + "\r\n"))
	if headers == "" {
		conn.Write(make([]byte, 16<<10)) // what the framework reads ahead
	}
	b := make([]byte, 8192)
	n, err := conn.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(b[:n]), "\r\n")
	status, _ = strconv.Atoi(strings.Fields(lines[0])[1])
	head = http.Header{}
	for _, l := range lines[1:] {
		if name, v, ok := strings.Cut(l, ": "); ok {
			head.Set(name, v)
		}
	}
	return status, head
}

func TestAnUploadOverTheLimitIsRefusedBeforeItsBody(t *testing.T) {
	p, _ := limited(t, func(c *config.Config) { c.Limits.UploadPerMinute, c.Limits.UploadBurst = 2, 0 })
	reader := p.NewKey("owner@example.org", "read")
	const expect = "Expect: 100-continue\r\n"
	for i := range 4 { // asking costs nothing as long as the answer is yes
		if status, _ := raw(t, p, p.Key, expect); status != 100 {
			t.Fatalf("question %d: %d", i, status)
		}
	}
	for i := range 2 {
		if r := p.Upload("a.png", picture(uint64(i)), "title", "x"); r.Status != 201 {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
	}
	for _, headers := range []string{"", expect} {
		status, head := raw(t, p, p.Key, headers)
		if status != 429 || head.Get("Retry-After") != "30" || head.Get("RateLimit-Limit") != "2" || head.Get("X-RateLimit-Remaining") != "0" {
			t.Errorf("%q: %d %v", headers, status, head)
		}
	}
	// Whoever is refused for another reason pays.
	for i, want := range []int{403, 403, 429} {
		if status, head := raw(t, p, reader, expect); status != want || head.Get("RateLimit-Limit") != "2" {
			t.Errorf("without the scope, %d: %d %v, want %d", i, status, head, want)
		}
	}
	if status, head := raw(t, p, "nonsense", expect); status != 401 || head.Get("RateLimit-Limit") != "300" {
		t.Errorf("without a key: %d %v", status, head)
	}
}

func TestWrongCredentialsAreLimitedByAddressAndRightOnesPass(t *testing.T) {
	p, forward := limited(t, func(c *config.Config) { c.Limits.SignInPerMinute, c.Limits.SignInBurst = 1, 0 })
	guess := "sk_live_" + strings.Repeat("a", 32)
	for range 10 {
		p.Play(t, scenario{As: guess, URL: "/v1/images", Status: 401, Code: "UNAUTHORIZED"})
	}
	p.Play(t, scenario{As: guess, URL: "/v1/images", Status: 429, Code: "RATE_LIMITED", Has: []string{"10 per minute"}})
	p.Play(t, scenario{As: "eyJhbGciOiJIUzI1NiJ9.e30.c2ln", URL: "/v1/user/me/rate-limits", Status: 429, Code: "RATE_LIMITED"})
	p.Play(t, scenario{URL: "/v1/images", Status: 200})
	forward(6 * time.Second)
	p.Play(t, scenario{As: guess, URL: "/v1/images", Status: 401, Code: "UNAUTHORIZED"})
}

// Threat 21: who can choose its address has no limit. A stranger cannot.
func TestOnlyATrustedProxySaysWhoTheClientIs(t *testing.T) {
	few := func(c *config.Config) { c.Limits.SignInPerMinute, c.Limits.SignInBurst = 3, 0 }
	for _, test := range []struct {
		name    string
		trusted []string
		passes  int // of ten, each with another address
	}{
		{"a stranger names an address", nil, 3},
		{"a stranger names an address beside a proxy", []string{"192.0.2.1"}, 3},
		{"a trusted proxy names an address", []string{"127.0.0.1"}, 10},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, _ := limited(t, few, func(c *config.Config) { c.Server.TrustedProxies = test.trusted })
			passed := 0
			for i := range 10 {
				r := p.Do("POST", "/v1/auth/refresh", nil, "Authorization", "", "X-Forwarded-For", "198.51.100."+strconv.Itoa(i),
					"X-Real-IP", "198.51.100."+strconv.Itoa(i), "Forwarded", "for=198.51.100."+strconv.Itoa(i))
				if r.Status == 401 {
					passed++
				} else if r.Status != 429 {
					t.Fatalf("%d %s", r.Status, r.Body)
				}
			}
			if passed != test.passes {
				t.Errorf("%d of ten passed, want %d", passed, test.passes)
			}
			// What a client adds to the chain itself is left of what the proxy adds.
			for i := range 5 {
				r := p.Do("POST", "/v1/auth/refresh", nil, "Authorization", "", "X-Forwarded-For", "203.0.113."+strconv.Itoa(i)+", 198.51.100.200")
				if want := 401; i >= 3 && r.Status == want || test.trusted != nil && i < 3 && test.passes == 10 && r.Status != want {
					t.Errorf("chain %d: %d", i, r.Status)
				}
			}
		})
	}
}

func TestRateLimitsAreShownAndCostNothing(t *testing.T) {
	p, forward := limited(t)
	session := p.SignIn("owner@example.org").Access
	admin := p.Admin("admin@example.org")
	show := func(as string) map[string]map[string]any {
		var out map[string]map[string]any
		p.Play(t, scenario{As: as, URL: "/v1/user/me/rate-limits", Status: 200}).Data(t, &out)
		return out
	}
	for range 50 {
		show(p.Key)
	}
	for range 33 {
		p.Play(t, scenario{URL: "/v1/images", Status: 200})
	}
	now := p.App.Store().Now()
	got := show(p.Key)
	for tier, want := range map[string][3]float64{"read": {600, 597, 1}, "upload": {60, 60, 0}, "mutation": {120, 120, 0}, "hourly": {5000, 4967, 24}} {
		w := got[tier]
		if w["limit"] != want[0] || w["remaining"] != want[1] || w["resetSeconds"] != want[2] {
			t.Errorf("%s: %v, want %v", tier, w, want)
		}
		at, err := time.Parse(time.RFC3339, w["resetAt"].(string))
		if wait := at.Sub(now).Seconds(); err != nil || wait > want[2] || wait < want[2]-1 {
			t.Errorf("%s: resetAt is %v, %.1f s from now, want %v", tier, w["resetAt"], wait, want[2])
		}
	}
	if n := show(session)["read"]["remaining"]; n != 600.0 {
		t.Errorf("the session has %v left of what a key used", n)
	}
	if n := show(admin)["read"]["limit"]; n != 6000.0 {
		t.Errorf("an administrator has %v", n)
	}
	forward(time.Hour)
	if n := show(p.Key)["hourly"]["remaining"]; n != 5000.0 {
		t.Errorf("an hour later %v are left", n)
	}
	off := apptest.Start(t)
	off.Play(t, scenario{URL: "/v1/user/me/rate-limits", Status: 200, Has: []string{`"read":{"limit":null,"remaining":null,"resetSeconds":0,`}})
}

func TestWhatIsSentAtOnceGetsNoMore(t *testing.T) {
	p, _ := limited(t, func(c *config.Config) { c.Limits.MutationPerMinute, c.Limits.MutationBurst = 5, 0 })
	status := make(chan int, 40)
	for range 40 {
		go func() {
			req, _ := http.NewRequest("DELETE", p.URL+"/v1/images/aaaaaaaaaaa", bytes.NewReader(nil))
			req.Header.Set("Authorization", "Bearer "+p.Key)
			res, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				status <- 0
				return
			}
			res.Body.Close()
			status <- res.StatusCode
		}()
	}
	count := map[int]int{}
	for range 40 {
		count[<-status]++
	}
	if count[404] > 5 || count[404] < 1 || count[404]+count[429] != 40 {
		t.Errorf("answers %v, want 5 of 404, the rest 429", count)
	}
}
