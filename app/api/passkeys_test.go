package api_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"picora/app/apptest"
	"picora/app/auth"
	"picora/app/config"
	"picora/store"
)

const passkeys = "/v1/user/me/passkeys"

// rp is the server as browsers see it in these tests.
var rp = virtualwebauthn.RelyingParty{ID: "pics.example.org", Name: "Picora", Origin: "https://pics.example.org"}

func startNamed(t *testing.T) *apptest.Picora {
	t.Helper()
	t.Parallel()
	return apptest.Start(t, func(c *config.Config) { c.Server.BaseURL = rp.Origin })
}

// device is a phone or a stick that holds one passkey.
type device struct {
	virtualwebauthn.Authenticator
	virtualwebauthn.Credential
}

func newDevice(u store.User) *device {
	return &device{
		virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{UserHandle: []byte(u.ID)}),
		virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2),
	}
}

// rawData is the envelope's data as it came.
func rawData(t testing.TB, r apptest.Response) string {
	t.Helper()
	var raw json.RawMessage
	r.Data(t, &raw)
	return string(raw)
}

// create answers options for a new passkey.
func (d *device) create(t testing.TB, options apptest.Response, at virtualwebauthn.RelyingParty) json.RawMessage {
	t.Helper()
	o, err := virtualwebauthn.ParseAttestationOptions(rawData(t, options))
	if err != nil {
		t.Fatal(err)
	}
	return json.RawMessage(virtualwebauthn.CreateAttestationResponse(at, d.Authenticator, d.Credential, *o))
}

// get answers options for a sign-in. The device counts what it signs.
func (d *device) get(t testing.TB, options apptest.Response, at virtualwebauthn.RelyingParty) json.RawMessage {
	t.Helper()
	o, err := virtualwebauthn.ParseAssertionOptions(rawData(t, options))
	if err != nil {
		t.Fatal(err)
	}
	d.Counter++
	return json.RawMessage(virtualwebauthn.CreateAssertionResponse(at, d.Authenticator, d.Credential, *o))
}

func ask(t testing.TB, p *apptest.Picora, access, path string) apptest.Response {
	t.Helper()
	return p.Play(t, scenario{As: access, Method: "POST", URL: path, Status: 200})
}

// addPasskey makes one and returns its id.
func addPasskey(t testing.TB, p *apptest.Picora, access string, d *device) string {
	t.Helper()
	body := object{"name": "phone", "credential": d.create(t, ask(t, p, access, passkeys+"/options"), rp)}
	return field(t, p.Play(t, scenario{As: access, Method: "POST", URL: passkeys, Body: body, Status: 201}), "id").(string)
}

func TestAPasskeySignsInWithoutANameOrPassword(t *testing.T) {
	p := startNamed(t)
	u, s := member(t, p, "a@example.org")
	d := newDevice(u)
	id := addPasskey(t, p, s.Access, d)
	enableTOTP(t, p, s.Access) // not asked for: a passkey is two factors

	options := ask(t, p, apptest.Nobody, "/v1/auth/passkey/options")
	if strings.Contains(string(options.Body), "allowCredentials") || !strings.Contains(string(options.Body), `"userVerification":"required"`) || options.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("options: %s", options.Body)
	}
	answer := object{"credential": d.get(t, options, rp)}
	r := p.Play(t, scenario{As: apptest.Nobody, Method: "POST", URL: "/v1/auth/passkey", Body: answer, Status: 200})
	cookie := r.Header.Get("Set-Cookie")
	for _, part := range []string{"refresh_token=", "HttpOnly", "SameSite=Strict", "secure"} {
		if !strings.Contains(strings.ToLower(cookie), strings.ToLower(part)) {
			t.Errorf("cookie %q lacks %s", cookie, part)
		}
	}
	access := field(t, r, "accessToken").(string)
	r = p.Play(t, scenario{As: access, URL: "/v1/auth/verify", Status: 200})
	if field(t, r, "userId") != u.ID {
		t.Errorf("signed in as %s", r.Body)
	}
	p.Play(t, scenario{As: apptest.Nobody, Method: "POST", URL: "/v1/auth/passkey", Body: answer, Status: 401, Code: "UNAUTHORIZED"}) // replayed

	r = p.Play(t, scenario{As: access, URL: passkeys, Status: 200})
	if !strings.Contains(string(r.Body), `"name":"phone"`) || strings.Contains(string(r.Body), `"lastUsedAt":null`) {
		t.Errorf("list: %s", r.Body)
	}
	p.Run(t,
		scenario{Name: "another name", As: access, Method: "PATCH", URL: passkeys + "/" + id, Body: object{"name": "stick"}, Status: 200, Has: []string{`"name":"stick"`}},
		scenario{Name: "a name of two lines", As: access, Method: "PATCH", URL: passkeys + "/" + id, Body: object{"name": "a\nb"}, Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "a name that is too long", As: access, Method: "PATCH", URL: passkeys + "/" + id, Body: object{"name": strings.Repeat("é", 65)}, Status: 422, Code: "VALIDATION_ERROR"},
	)
	_, other := member(t, p, "b@example.org")
	p.Run(t,
		scenario{Name: "somebody else renames it", As: other.Access, Method: "PATCH", URL: passkeys + "/" + id, Body: object{"name": "x"}, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "somebody else removes it", As: other.Access, Method: "DELETE", URL: passkeys + "/" + id, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "its owner removes it", As: access, Method: "DELETE", URL: passkeys + "/" + id, Status: 200},
	)
	options = ask(t, p, apptest.Nobody, "/v1/auth/passkey/options")
	p.Play(t, scenario{As: apptest.Nobody, Method: "POST", URL: "/v1/auth/passkey", Body: object{"credential": d.get(t, options, rp)}, Status: 401, Code: "UNAUTHORIZED"})
}

func TestAPasskeysAnswerMustBeWhole(t *testing.T) {
	p := startNamed(t)
	u, s := member(t, p, "a@example.org")
	other, _ := member(t, p, "b@example.org")
	d := newDevice(u)
	addPasskey(t, p, s.Access, d)
	evil := virtualwebauthn.RelyingParty{ID: "evil.example", Name: "Picora", Origin: "https://evil.example"}
	for _, c := range []struct {
		name   string
		answer func(options apptest.Response) json.RawMessage
	}{
		{"made on a page of another host", func(o apptest.Response) json.RawMessage { return d.get(t, o, evil) }},
		{"made on a page of another origin", func(o apptest.Response) json.RawMessage {
			return d.get(t, o, virtualwebauthn.RelyingParty{ID: rp.ID, Origin: "https://pics.example.org:8443"})
		}},
		{"of an owner who was not checked", func(o apptest.Response) json.RawMessage {
			lax := *d
			lax.Options.UserNotVerified = true
			return lax.get(t, o, rp)
		}},
		{"of nobody there", func(o apptest.Response) json.RawMessage {
			lax := *d
			lax.Options.UserNotPresent = true
			return lax.get(t, o, rp)
		}},
		{"in another user's name", func(o apptest.Response) json.RawMessage {
			lying := *d
			lying.Options.UserHandle = []byte(other.ID)
			return lying.get(t, o, rp)
		}},
		{"in nobody's name", func(o apptest.Response) json.RawMessage {
			lying := *d
			lying.Options.UserHandle = nil
			return lying.get(t, o, rp)
		}},
		{"with another key", func(o apptest.Response) json.RawMessage {
			forged := newDevice(u)
			forged.ID = d.ID
			return forged.get(t, o, rp)
		}},
		{"to a challenge for confirming", func(apptest.Response) json.RawMessage {
			return d.get(t, ask(t, p, s.Access, "/v1/auth/confirm/options"), rp)
		}},
		{"to a challenge of nobody", func(o apptest.Response) json.RawMessage {
			o.Body = []byte(strings.Replace(string(o.Body), `"challenge":"`, `"challenge":"AAAA`, 1))
			return d.get(t, o, rp)
		}},
		{"that is not JSON's", func(apptest.Response) json.RawMessage { return json.RawMessage(`"x"`) }},
		{"that is empty", func(apptest.Response) json.RawMessage { return json.RawMessage(`{}`) }},
	} {
		options := ask(t, p, apptest.Nobody, "/v1/auth/passkey/options")
		p.Run(t, scenario{Name: c.name, As: apptest.Nobody, Method: "POST", URL: "/v1/auth/passkey", Body: object{"credential": c.answer(options)}, Status: 401, Code: "UNAUTHORIZED"})
	}
	options := ask(t, p, apptest.Nobody, "/v1/auth/passkey/options")
	p.Advance(5*time.Minute + time.Second)
	good := func() object { return object{"credential": d.get(t, options, rp)} }
	p.Run(t, scenario{Name: "after five minutes", As: apptest.Nobody, Method: "POST", URL: "/v1/auth/passkey", Body: good(), Status: 401, Code: "UNAUTHORIZED"})
	options = ask(t, p, apptest.Nobody, "/v1/auth/passkey/options")
	p.Run(t,
		scenario{Name: "sent by a page of another origin", As: apptest.Nobody, Method: "POST", URL: "/v1/auth/passkey", Body: good(), Headers: []string{"Origin", "https://evil.example"}, Status: 403, Code: "FORBIDDEN"},
		scenario{Name: "none", As: apptest.Nobody, Method: "POST", URL: "/v1/auth/passkey", Body: object{}, Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "good", As: apptest.Nobody, Method: "POST", URL: "/v1/auth/passkey", Body: good(), Headers: []string{"Origin", rp.Origin}, Status: 200},
	)
	if _, err := p.App.Store().UpdateUser(context.Background(), u.ID, func(u *store.User) error { u.Banned = time.Now(); return nil }); err != nil {
		t.Fatal(err)
	}
	options = ask(t, p, apptest.Nobody, "/v1/auth/passkey/options")
	p.Run(t, scenario{Name: "of a banned user", As: apptest.Nobody, Method: "POST", URL: "/v1/auth/passkey", Body: good(), Status: 403, Code: "FORBIDDEN"})
}

func TestAPasskeyWhoseCountGoesBackIsRefused(t *testing.T) {
	p := startNamed(t)
	u, s := member(t, p, "a@example.org")
	d := newDevice(u)
	addPasskey(t, p, s.Access, d)
	copied := *d
	signIn := func(d *device, status int, code string) {
		t.Helper()
		o := ask(t, p, apptest.Nobody, "/v1/auth/passkey/options")
		p.Play(t, scenario{As: apptest.Nobody, Method: "POST", URL: "/v1/auth/passkey", Body: object{"credential": d.get(t, o, rp)}, Status: status, Code: code})
	}
	signIn(d, 200, "")
	signIn(d, 200, "")
	signIn(&copied, 401, "UNAUTHORIZED")
	signIn(&copied, 401, "UNAUTHORIZED")
	signIn(d, 200, "")
}

func TestAPasskeyIsMadeOnceAndForItsOwner(t *testing.T) {
	p := startNamed(t)
	u, s := member(t, p, "a@example.org")
	_, other := member(t, p, "b@example.org")
	d := newDevice(u)
	add := func(name, access string, credential json.RawMessage, status int, code string) {
		t.Helper()
		p.Run(t, scenario{Name: name, As: access, Method: "POST", URL: passkeys, Body: object{"credential": credential}, Status: status, Code: code})
	}
	options := func() apptest.Response { return ask(t, p, s.Access, passkeys+"/options") }
	lax := newDevice(u)
	lax.Options.UserNotVerified = true
	add("of an owner who was not checked", s.Access, lax.create(t, options(), rp), 422, "VALIDATION_ERROR")
	add("on a page of another host", s.Access, d.create(t, options(), virtualwebauthn.RelyingParty{ID: "evil.example", Origin: "https://evil.example"}), 422, "VALIDATION_ERROR")
	add("to another user's challenge", other.Access, d.create(t, options(), rp), 422, "VALIDATION_ERROR")
	add("to a challenge for signing in", s.Access, d.create(t, ask(t, p, apptest.Nobody, "/v1/auth/passkey/options"), rp), 422, "VALIDATION_ERROR")
	add("that is no credential", s.Access, json.RawMessage(`{"id":1}`), 422, "VALIDATION_ERROR")
	add("none", s.Access, nil, 422, "VALIDATION_ERROR")
	once := d.create(t, options(), rp)
	add("good", s.Access, once, 201, "")
	add("the same again", s.Access, once, 422, "VALIDATION_ERROR")
	o := options()
	if !strings.Contains(string(o.Body), "excludeCredentials") || !strings.Contains(string(o.Body), `"residentKey":"required"`) {
		t.Errorf("options: %s", o.Body)
	}
	add("the same passkey to another challenge", s.Access, d.create(t, o, rp), 409, "CONFLICT")
	for range 18 {
		addPasskey(t, p, s.Access, newDevice(u))
	}
	last, beyond := options(), options()
	add("the twentieth", s.Access, newDevice(u).create(t, last, rp), 201, "")
	add("one more", s.Access, newDevice(u).create(t, beyond, rp), 422, "VALIDATION_ERROR")
	p.Play(t, scenario{As: s.Access, Method: "POST", URL: passkeys + "/options", Status: 422, Code: "VALIDATION_ERROR"})
}

func TestAPasskeyConfirms(t *testing.T) {
	p := startNamed(t)
	u, s := member(t, p, "a@example.org")
	_, other := member(t, p, "b@example.org")
	d := newDevice(u)
	p.Play(t, scenario{As: s.Access, Method: "POST", URL: "/v1/auth/confirm/options", Status: 422, Code: "VALIDATION_ERROR"})
	id := addPasskey(t, p, s.Access, d)
	p.Advance(16 * time.Minute)
	again, err := p.App.Auth().Refresh(context.Background(), s.Refresh, auth.Device{})
	if err != nil {
		t.Fatal(err)
	}
	stranger := p.SignIn(other.User.Email)
	access := again.Access
	p.Play(t, scenario{As: access, Method: "DELETE", URL: passkeys + "/" + id, Status: 403, Code: "CONFIRMATION_REQUIRED"})
	confirm := func(name, as string, passkey json.RawMessage, status int, code string) {
		t.Helper()
		p.Run(t, scenario{Name: name, As: as, Method: "POST", URL: "/v1/auth/confirm", Body: object{"passkey": passkey}, Status: status, Code: code})
	}
	options := func() apptest.Response { return ask(t, p, access, "/v1/auth/confirm/options") }
	confirm("to a challenge for signing in", access, d.get(t, ask(t, p, apptest.Nobody, "/v1/auth/passkey/options"), rp), 401, "UNAUTHORIZED")
	confirm("another user's passkey", stranger.Access, d.get(t, options(), rp), 401, "UNAUTHORIZED")
	confirm("another passkey", access, newDevice(u).get(t, options(), rp), 401, "UNAUTHORIZED")
	p.Play(t, scenario{As: access, Method: "DELETE", URL: passkeys + "/" + id, Status: 403, Code: "CONFIRMATION_REQUIRED"})
	good := d.get(t, options(), rp)
	confirm("good", access, good, 200, "")
	confirm("the same again", access, good, 401, "UNAUTHORIZED")
	p.Play(t, scenario{As: access, Method: "DELETE", URL: passkeys + "/" + id, Status: 200})
}

func TestTheOnlyWayInIsNotRemoved(t *testing.T) {
	p := startNamed(t)
	u, err := p.App.Store().User(context.Background(), p.User) // has no password
	if err != nil {
		t.Fatal(err)
	}
	s := p.SignIn(u.Email)
	first, second := addPasskey(t, p, s.Access, newDevice(u)), addPasskey(t, p, s.Access, newDevice(u))
	p.Play(t, scenario{As: s.Access, Method: "DELETE", URL: passkeys + "/" + first, Status: 200})
	p.Play(t, scenario{As: s.Access, Method: "DELETE", URL: passkeys + "/" + second, Status: 422, Code: "VALIDATION_ERROR"})
}
