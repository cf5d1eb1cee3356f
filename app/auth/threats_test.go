package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"picora/app/fault"
	"picora/store"
)

// forge signs a token by hand: HMAC-SHA256 with the secret, or no signature.
func forge(t *testing.T, header, body map[string]any, secret []byte) string {
	t.Helper()
	enc := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	s := enc(header) + "." + enc(body)
	if secret == nil {
		return s + "."
	}
	m := hmac.New(sha256.New, secret)
	m.Write([]byte(s))
	return s + "." + base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// Threat 25: tokens without a signature, with another algorithm, with tricks in the
// key's name, and huge ones.
func TestThreat25ForgedAccessTokensAreRefused(t *testing.T) {
	a, s := open(t)
	u, err := s.CreateUser(context.Background(), store.User{Email: "you@example.org", Admin: true})
	if err != nil {
		t.Fatal(err)
	}
	in, err := a.SignIn(context.Background(), u, "password", Device{})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	key := a.ring.keys[0]
	head := func(pairs ...any) map[string]any {
		h := map[string]any{"alg": "HS256", "typ": "JWT", "kid": key.ID}
		for i := 0; i < len(pairs); i += 2 {
			h[pairs[i].(string)] = pairs[i+1]
		}
		return h
	}
	body := func(pairs ...any) map[string]any {
		b := map[string]any{"iss": issuer, "sub": u.ID, "sid": in.Session.ID, "role": "admin", "iat": now.Unix(), "exp": now.Add(time.Minute).Unix()}
		for i := 0; i < len(pairs); i += 2 {
			if b[pairs[i].(string)] = pairs[i+1]; pairs[i+1] == nil {
				delete(b, pairs[i].(string))
			}
		}
		return b
	}
	if who, err := a.Bearer(context.Background(), "Bearer "+forge(t, head(), body(), key.Secret)); err != nil || who.User != u.ID {
		t.Fatalf("what the forger makes is not even right when it is: %v", err)
	}
	pair, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	asymmetric := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims(body()))
	asymmetric.Header["kid"] = key.ID
	rs256, err := asymmetric.SignedString(pair)
	if err != nil {
		t.Fatal(err)
	}
	hs512 := jwt.NewWithClaims(jwt.SigningMethodHS512, jwt.MapClaims(body()))
	hs512.Header["kid"] = key.ID
	long, err := hs512.SignedString(key.Secret)
	if err != nil {
		t.Fatal(err)
	}
	valid := strings.Split(in.Access, ".")
	for name, token := range map[string]string{
		"alg none":                       forge(t, head("alg", "none"), body(), nil),
		"alg None":                       forge(t, head("alg", "None"), body(), nil),
		"alg none with a signature":      forge(t, head("alg", "none"), body(), key.Secret),
		"no alg":                         forge(t, head("alg", nil), body(), key.Secret),
		"HS256 without a signature":      forge(t, head(), body(), nil),
		"RS256":                          rs256,
		"HS512 with the right key":       long,
		"another secret":                 forge(t, head(), body(), []byte(strings.Repeat("k", 32))),
		"an empty secret":                forge(t, head(), body(), []byte{}),
		"the key's name as secret":       forge(t, head(), body(), []byte(key.ID)),
		"no kid":                         forge(t, head("kid", nil), body(), key.Secret),
		"an unknown kid":                 forge(t, head("kid", "AAAAAAAA"), body(), key.Secret),
		"a path as kid":                  forge(t, head("kid", "../../../../dev/null"), body(), []byte{}),
		"a number as kid":                forge(t, head("kid", 0), body(), key.Secret),
		"a list as kid":                  forge(t, head("kid", []string{key.ID}), body(), key.Secret),
		"a key in the header":            forge(t, head("kid", nil, "jwk", map[string]any{"kty": "oct", "k": "AAAA"}), body(), []byte{0, 0, 0}),
		"an address of keys":             forge(t, head("kid", nil, "jku", "http://127.0.0.1:1/keys"), body(), []byte("x")),
		"no exp":                         forge(t, head(), body("exp", nil), key.Secret),
		"another issuer":                 forge(t, head(), body("iss", "elsewhere"), key.Secret),
		"from the future":                forge(t, head(), body("iat", now.Add(time.Hour).Unix()), key.Secret),
		"another session":                forge(t, head(), body("sid", store.NewID(store.IDLen)), key.Secret),
		"no session":                     forge(t, head(), body("sid", nil), key.Secret),
		"oversized":                      forge(t, head(), body("pad", strings.Repeat("x", 4096)), key.Secret),
		"oversized by dots":              strings.Repeat(".", 1<<20),
		"the signature of another token": valid[0] + "." + strings.TrimSuffix(strings.Split(forge(t, head(), body("role", "admin", "x", 1), nil), ".")[1], ".") + "." + valid[2],
		"the body changed":               valid[0] + "." + valid[1] + "x." + valid[2],
		"the signature cut":              valid[0] + "." + valid[1] + "." + valid[2][:20],
	} {
		who, err := a.Bearer(context.Background(), "Bearer "+token)
		if err == nil || faultOf(t, err) != fault.Unauthorized || who.User != "" {
			t.Errorf("%s: %+v %v", name, who, err)
		}
	}
	if _, err := a.Bearer(context.Background(), "Bearer "+forge(t, head(), body("exp", now.Add(-time.Minute).Unix(), "iat", now.Add(-time.Hour).Unix()), key.Secret)); err == nil || faultOf(t, err) != fault.TokenExpired {
		t.Errorf("expired: %v", err)
	}
}

// The token says what it was when it was made; what counts is the account now.
func TestThreat25ARoleInATokenIsNoRight(t *testing.T) {
	a, s := open(t)
	ctx := context.Background()
	u, err := s.CreateUser(ctx, store.User{Email: "you@example.org", Admin: true})
	if err != nil {
		t.Fatal(err)
	}
	in, err := a.SignIn(ctx, u, "password", Device{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateUser(ctx, store.User{Email: "other@example.org", Admin: true}); err != nil { // the last one stays one
		t.Fatal(err)
	}
	if _, err := s.UpdateUser(ctx, u.ID, func(x *store.User) error { x.Admin = false; return nil }); err != nil {
		t.Fatal(err)
	}
	who, err := a.Bearer(ctx, "Bearer "+in.Access)
	if err != nil || who.Admin() || who.NeedAdmin() == nil {
		t.Errorf("%+v %v", who, err)
	}
}

func TestKeysAreRotatedWithoutSigningAnybodyOut(t *testing.T) {
	a, s := open(t)
	move := at(s)
	ctx := context.Background()
	u, err := s.CreateUser(ctx, store.User{Email: "you@example.org"})
	if err != nil {
		t.Fatal(err)
	}
	in, err := a.SignIn(ctx, u, "password", Device{})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := a.RotateKeys(); err != nil {
			t.Fatal(err)
		}
		move(AccessAge / 4)
	}
	if _, err := a.Bearer(ctx, "Bearer "+in.Access); err != nil {
		t.Errorf("after three rotations: %v", err)
	}
	if _, err := a.Refresh(ctx, in.Refresh, Device{}); err != nil {
		t.Errorf("the refresh: %v", err)
	}
	move(AccessAge + time.Hour)
	if err := a.RotateKeys(); err != nil {
		t.Fatal(err)
	}
	if n := len(a.ring.keys); n != 2 {
		t.Errorf("%d keys are kept, though only one can have signed what is good", n)
	}
}

// Threat 18: who comes at the same time, later, or with another token gets nothing.
func TestThreat18SetupHappensOnce(t *testing.T) {
	a, s := open(t)
	ctx := context.Background()
	token, err := a.OpenSetup(ctx)
	if err != nil || token == "" {
		t.Fatal(token, err)
	}
	if _, err := a.Setup(ctx, FirstUser{Token: store.NewID(43), Email: "x@example.org", Password: "12345678"}, Device{}); err == nil || faultOf(t, err) != fault.Forbidden {
		t.Errorf("another token: %v", err)
	}
	var all sync.WaitGroup
	var won, gone atomic.Int64
	for range 20 {
		all.Go(func() {
			first := FirstUser{Token: token, Email: store.NewID(8) + "@example.org", Password: "correct horse"}
			in, err := a.Setup(ctx, first, Device{})
			for err != nil && fault.From(err).Code == fault.Busy { // a busy machine says so, and is asked again
				in, err = a.Setup(ctx, first, Device{})
			}
			switch {
			case err == nil && in.User.Admin && in.User.Unlimited && in.User.Verified && in.User.Plan == "pro_plus":
				won.Add(1)
			case err != nil && fault.From(err).Code == fault.Gone:
				gone.Add(1)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 || gone.Load() != 19 {
		t.Errorf("%d won, %d came too late", won.Load(), gone.Load())
	}
	if users, err := s.Users(ctx); len(users) != 1 || err != nil {
		t.Errorf("%d users: %v", len(users), err)
	}
	if again, err := a.OpenSetup(ctx); again != "" || err != nil {
		t.Errorf("another start offers a setup: %v", err)
	}
}

func TestThreat18TheLinkDiesByTimeAndByAnyUser(t *testing.T) {
	a, s := open(t)
	move := at(s)
	ctx := context.Background()
	token, err := a.OpenSetup(ctx)
	if err != nil {
		t.Fatal(err)
	}
	in := FirstUser{Token: token, Email: "you@example.org", Password: "correct horse"}
	move(SetupAge)
	if _, err := a.Setup(ctx, in, Device{}); err == nil || faultOf(t, err) != fault.Gone {
		t.Errorf("after its time: %v", err)
	}
	if in.Token, err = a.OpenSetup(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Setup(ctx, FirstUser{Token: token, Email: in.Email, Password: in.Password}, Device{}); err == nil || faultOf(t, err) != fault.Forbidden {
		t.Errorf("an older link: %v", err)
	}
	if _, err := s.CreateUser(ctx, store.User{Email: "other@example.org"}); err != nil { // as the command line does
		t.Fatal(err)
	}
	if _, err := a.Setup(ctx, in, Device{}); err == nil || faultOf(t, err) != fault.Gone {
		t.Errorf("after picora user add: %v", err)
	}
}

func TestExportTokensAreBoundedAndGoodOnce(t *testing.T) {
	a, s := open(t)
	move := at(s)
	ctx := from("192.0.2.1")
	u, err := s.CreateUser(ctx, store.User{Email: "you@example.org"})
	if err != nil {
		t.Fatal(err)
	}
	key := "sk_live_" + store.NewID(32)
	k, err := s.CreateAPIKey(ctx, store.APIKey{User: u.ID, Name: "k", Hash: hashKey(key), Scopes: []string{"read"}}, -1)
	if err != nil {
		t.Fatal(err)
	}
	who := Caller{User: u.ID, Account: u, Session: "s"}
	var tokens []string
	for range userExports + 5 {
		ott, _, err := a.NewExport(ctx, who, k.ID, key)
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, ott)
		move(time.Second)
	}
	if n := len(a.otts.made); n != userExports {
		t.Errorf("%d tokens are kept", n)
	}
	for _, e := range a.otts.made {
		if strings.Contains(string(e.sealed), key[8:]) {
			t.Error("the key lies in memory as it is")
		}
	}
	if _, _, err := a.UseExport(ctx, tokens[0]); err == nil || faultOf(t, err) != fault.NotFound {
		t.Errorf("the oldest: %v", err)
	}
	last := tokens[len(tokens)-1]
	var all sync.WaitGroup
	var got atomic.Int64
	for range 10 {
		all.Go(func() {
			if plain, _, err := a.UseExport(ctx, last); err == nil && plain == key {
				got.Add(1)
			}
		})
	}
	all.Wait()
	if got.Load() != 1 {
		t.Errorf("the key was given %d times", got.Load())
	}
	for range 20 {
		_, _, err = a.UseExport(ctx, last)
	}
	if err == nil || faultOf(t, err) != fault.RateLimited {
		t.Errorf("the 31st try in a minute: %v", err)
	}
	move(ExportAge)
	if _, _, err := a.UseExport(ctx, tokens[len(tokens)-2]); err == nil || faultOf(t, err) != fault.Gone {
		t.Errorf("after its time: %v", err)
	}
}

func TestDevicesHaveShortNames(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0":                                                        "Firefox on Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15":                   "Safari on Mac",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1": "Safari on iPhone",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0":           "Edge on Windows",
		"Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36":                            "Chrome on Android",
		"curl/8.5.0": "curl", "PicGo": "PicGo", "app/1 @picora/sdk/0.6.0": "Picora SDK", "Go-http-client/1.1": "Go-http-client", "": "Unknown device",
		"<script>alert(1)</script>": "Unknown device",
	} {
		if got := DeviceName(agent); got != want {
			t.Errorf("%q: %q, want %q", agent, got, want)
		}
	}
}
