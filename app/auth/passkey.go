package auth

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"picora/app/fault"
	"picora/app/link"
	"picora/app/mail"
	"picora/store"
)

const (
	maxPasskeys  = 20
	challengeAge = 5 * time.Minute
)

// What a challenge was given out for. One for signing in confirms nothing.
const (
	forNew     = "new"
	forSignIn  = "signin"
	forConfirm = "confirm"
)

// holder is a user as the WebAuthn library sees them.
type holder struct {
	store.User
	passkeys []store.Passkey
}

func (h holder) WebAuthnID() []byte          { return []byte(h.ID) }
func (h holder) WebAuthnName() string        { return h.Email }
func (h holder) WebAuthnDisplayName() string { return h.Email }
func (h holder) WebAuthnCredentials() (list []webauthn.Credential) {
	for _, p := range h.passkeys {
		c := webauthn.Credential{
			ID: p.Credential, PublicKey: p.Key, Flags: webauthn.CredentialFlagsFromMsgpByte(p.Flags),
			Authenticator: webauthn.Authenticator{AAGUID: p.Model, SignCount: p.Count},
		}
		for _, t := range p.Transports {
			c.Transport = append(c.Transport, protocol.AuthenticatorTransport(t))
		}
		list = append(list, c)
	}
	return list
}

// relyingParty is this server under the name by which the request's client knows it.
// A passkey is good for that name only. The authenticator must check that it is its
// owner (a finger, a PIN), so a passkey is two factors.
func relyingParty(ctx context.Context) (*webauthn.WebAuthn, error) {
	origin := link.Of(ctx).API
	u, err := url.Parse(origin)
	if err != nil {
		return nil, err
	}
	rp, err := webauthn.New(&webauthn.Config{
		RPID: u.Hostname(), RPDisplayName: "Picora", RPOrigins: []string{origin},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired,
		},
	})
	if err != nil {
		return nil, &fault.Error{Code: fault.Invalid, Cause: err,
			Message: "Passkeys need a host name, and " + u.Hostname() + " is none that browsers take. Open Picora under its name, or as localhost."}
	}
	return rp, nil
}

// BeginPasskey returns what a browser needs to make a passkey for the user: an object
// with publicKey, for navigator.credentials.create.
func (a *Auth) BeginPasskey(ctx context.Context, u store.User) (any, error) {
	rp, err := relyingParty(ctx)
	if err != nil {
		return nil, err
	}
	f, err := a.store.Factors(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	if len(f.Passkeys) >= maxPasskeys {
		return nil, manyPasskeys()
	}
	h := holder{u, f.Passkeys}
	options, data, err := rp.BeginRegistration(h, webauthn.WithExclusions(webauthn.Credentials(h.WebAuthnCredentials()).CredentialDescriptors()))
	if err != nil {
		return nil, err
	}
	a.challenges.put(forNew+data.Challenge, *data, a.store.Now())
	return options, nil
}

func manyPasskeys() error {
	return fault.New(fault.Invalid, "An account has at most %d passkeys. Remove one that you do not use.", maxPasskeys)
}

// AddPasskey keeps the passkey that the browser made: credential is its
// PublicKeyCredential as JSON.
func (a *Auth) AddPasskey(ctx context.Context, u store.User, name string, credential []byte) (p store.Passkey, err error) {
	if name, err = passkeyName(name); err != nil {
		return p, err
	}
	rp, err := relyingParty(ctx)
	if err != nil {
		return p, err
	}
	in, err := protocol.ParseCredentialCreationResponseBytes(credential)
	if err != nil {
		return p, badPasskey(fault.Invalid, err)
	}
	data, found := a.challenges.take(forNew+in.Response.CollectedClientData.Challenge, a.store.Now())
	if !found {
		return p, fault.New(fault.Invalid, "This took too long, or was sent twice. Begin again with POST /v1/user/me/passkeys/options.")
	}
	c, err := rp.CreateCredential(holder{User: u}, data, in)
	if err != nil {
		return p, badPasskey(fault.Invalid, err)
	}
	p = store.Passkey{
		ID: store.NewID(store.IDLen), Name: name, Credential: c.ID, Key: c.PublicKey, Count: c.Authenticator.SignCount,
		Flags: c.Flags.MsgpByte(), Model: c.Authenticator.AAGUID, Created: a.store.Now(),
	}
	for _, t := range c.Transport[:min(len(c.Transport), 8)] {
		p.Transports = append(p.Transports, store.Clip(string(t), 32))
	}
	_, err = a.store.UpdateFactors(ctx, u.ID, func(f *store.Factors) error {
		if len(f.Passkeys) >= maxPasskeys {
			return manyPasskeys()
		}
		if slices.ContainsFunc(f.Passkeys, func(q store.Passkey) bool { return bytes.Equal(q.Credential, p.Credential) }) {
			return fault.New(fault.Conflict, "This passkey is known already.")
		}
		f.Passkeys = append(f.Passkeys, p)
		return nil
	})
	return p, err
}

func passkeyName(name string) (string, error) {
	if name = strings.TrimSpace(name); name == "" {
		name = "Passkey"
	}
	if utf8.RuneCountInString(name) > 64 || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", fault.New(fault.Invalid, "name has at most 64 characters, on one line.")
	}
	return name, nil
}

func badPasskey(code fault.Code, err error) error {
	return &fault.Error{Code: code, Message: "This passkey is not good here: it is unknown, was made for another address, or its answer is not whole.", Cause: err}
}

// BeginPasskeySignIn returns what a browser needs to sign somebody in who says no name:
// an object with publicKey, for navigator.credentials.get.
func (a *Auth) BeginPasskeySignIn(ctx context.Context) (any, error) {
	rp, err := relyingParty(ctx)
	if err != nil {
		return nil, err
	}
	options, data, err := rp.BeginDiscoverableLogin()
	if err != nil {
		return nil, err
	}
	a.challenges.put(forSignIn+data.Challenge, *data, a.store.Now())
	return options, nil
}

// PasskeySignIn starts a session of the passkey's user. Credential is the browser's
// PublicKeyCredential as JSON.
func (a *Auth) PasskeySignIn(ctx context.Context, credential []byte, d Device) (s Signed, err error) {
	rp, in, data, err := a.assertion(ctx, forSignIn, credential)
	if err != nil {
		return s, err
	}
	var h holder
	_, c, err := rp.ValidatePasskeyLogin(func(_, user []byte) (webauthn.User, error) {
		if !store.ValidID(string(user), store.IDLen) {
			return nil, store.ErrNotFound
		}
		u, err := a.store.User(ctx, string(user))
		if err != nil {
			return nil, err
		}
		f, err := a.store.Factors(ctx, u.ID)
		h = holder{u, f.Passkeys}
		return h, err
	}, data, in)
	if err != nil {
		return s, badPasskey(fault.Unauthorized, err)
	}
	if err := a.passkeyUsed(ctx, h.ID, c); err != nil {
		return s, err
	}
	return a.SignIn(ctx, h.User, "passkey", d)
}

// BeginConfirm is BeginPasskeySignIn for a user who is signed in and shows once more
// who they are.
func (a *Auth) BeginConfirm(ctx context.Context, u store.User) (any, error) {
	rp, err := relyingParty(ctx)
	if err != nil {
		return nil, err
	}
	f, err := a.store.Factors(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	if len(f.Passkeys) == 0 {
		return nil, fault.New(fault.Invalid, "This account has no passkey. Confirm with your password or a code.")
	}
	options, data, err := rp.BeginLogin(holder{u, f.Passkeys})
	if err != nil {
		return nil, err
	}
	a.challenges.put(forConfirm+data.Challenge, *data, a.store.Now())
	return options, nil
}

// provePasskey checks that the user holds one of their passkeys.
func (a *Auth) provePasskey(ctx context.Context, u store.User, credential []byte) error {
	rp, in, data, err := a.assertion(ctx, forConfirm, credential)
	if err != nil {
		return err
	}
	f, err := a.store.Factors(ctx, u.ID)
	if err != nil {
		return err
	}
	c, err := rp.ValidateLogin(holder{u, f.Passkeys}, data, in)
	if err != nil {
		return badPasskey(fault.Unauthorized, err)
	}
	return a.passkeyUsed(ctx, u.ID, c)
}

// assertion reads a credential's answer and finds the challenge that it is to.
func (a *Auth) assertion(ctx context.Context, purpose string, credential []byte) (rp *webauthn.WebAuthn, in *protocol.ParsedCredentialAssertionData, data webauthn.SessionData, err error) {
	if len(credential) == 0 {
		return rp, in, data, fault.New(fault.Invalid, "The field credential is needed: what navigator.credentials.get returned, as JSON.")
	}
	if rp, err = relyingParty(ctx); err != nil {
		return rp, in, data, err
	}
	if in, err = protocol.ParseCredentialRequestResponseBytes(credential); err != nil {
		return rp, in, data, badPasskey(fault.Unauthorized, err)
	}
	data, found := a.challenges.take(purpose+in.Response.CollectedClientData.Challenge, a.store.Now())
	if !found {
		return rp, in, data, fault.New(fault.Unauthorized, "This took too long, or was sent twice. Begin again.")
	}
	return rp, in, data, nil
}

var errCopied = errors.New("auth: the passkey's count of signatures went back")

// passkeyUsed keeps the count of signatures, and refuses a count that does not grow:
// then there are two of what there should be one.
func (a *Auth) passkeyUsed(ctx context.Context, user string, c *webauthn.Credential) error {
	var name string
	now := a.store.Now()
	_, err := a.store.UpdateFactors(ctx, user, func(f *store.Factors) error {
		i := slices.IndexFunc(f.Passkeys, func(p store.Passkey) bool { return bytes.Equal(p.Credential, c.ID) })
		if i < 0 {
			return store.ErrNotFound // removed a moment ago
		}
		p := &f.Passkeys[i]
		name = p.Name
		count := c.Authenticator.SignCount
		if c.Authenticator.CloneWarning || count <= p.Count && (count != 0 || p.Count != 0) {
			return errCopied
		}
		p.Count, p.Flags, p.Used = count, c.Flags.MsgpByte(), now
		return nil
	})
	switch {
	case errors.Is(err, store.ErrNotFound):
		return badPasskey(fault.Unauthorized, err)
	case errors.Is(err, errCopied):
		a.passkeyCopied(ctx, user, name)
		return badPasskey(fault.Unauthorized, err)
	}
	return err
}

func (a *Auth) passkeyCopied(ctx context.Context, user, name string) {
	var d Device
	if addr := link.Client(ctx); addr.IsValid() {
		d.Address = addr.String()
	}
	a.event(ctx, store.User{ID: user}, "", "passkey.refused", user, d, map[string]string{"name": name, "reason": "the count of signatures went back"})
	u, err := a.store.User(ctx, user)
	if err != nil {
		slog.Error("a user was not notified", "user", user, "err", err)
		return
	}
	a.alert(ctx, u, mail.PasskeyRefused(mail.Language(u.Locale, ""), name))
}

// RenamePasskey gives the user's passkey another name.
func (a *Auth) RenamePasskey(ctx context.Context, user, id, name string) (p store.Passkey, err error) {
	if name, err = passkeyName(name); err != nil {
		return p, err
	}
	_, err = a.store.UpdateFactors(ctx, user, func(f *store.Factors) error {
		i := slices.IndexFunc(f.Passkeys, func(p store.Passkey) bool { return p.ID == id })
		if i < 0 {
			return store.ErrNotFound
		}
		f.Passkeys[i].Name = name
		p = f.Passkeys[i]
		return nil
	})
	return p, err
}

// DeletePasskey removes the user's passkey; not the only way into the account, of which
// mailed codes are one.
func (a *Auth) DeletePasskey(ctx context.Context, u store.User, id string) error {
	elsewhere, err := a.store.Identities(ctx, u.ID)
	if err != nil {
		return err
	}
	_, err = a.store.UpdateFactors(ctx, u.ID, func(f *store.Factors) error {
		i := slices.IndexFunc(f.Passkeys, func(p store.Passkey) bool { return p.ID == id })
		if i < 0 {
			return store.ErrNotFound
		}
		if len(f.Passkeys) == 1 && u.Password == "" && len(elsewhere) == 0 && !a.mail.On() {
			return fault.New(fault.Invalid, "This passkey is the only way into the account. Set a password first.")
		}
		f.Passkeys = slices.Delete(f.Passkeys, i, i+1)
		return nil
	})
	return err
}
