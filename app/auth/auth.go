// Package auth says who a request comes from and what it may do: sessions and their
// tokens, API keys and their scopes, passwords, and signatures of links and cursors.
package auth

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"picora/app/fault"
	"picora/app/mail"
	"picora/store"
)

// Caller is who a request comes from.
type Caller struct {
	User    string     // user id
	Account store.User // as it is at this request
	Scopes  Scope

	KeyID string // API key id; empty: not by key

	Session string    // session id; empty: nobody signed in
	Proved  time.Time // when the person of the session last showed who they are
}

// Admin reports whether the caller may administer the server. No API key may.
func (c Caller) Admin() bool { return c.Session != "" && c.Account.Admin }

// Auth checks credentials.
type Auth struct {
	store *store.Store
	ring  *keyRing
	codes *codeLimits
	locks *lockout
	mail  *mail.Mailer // nil: none
	first setup
	otts  *exports
	uses  *uses

	showing sync.WaitGroup // codes that administrators are being shown

	challenges *begun[webauthn.SessionData] // of passkeys
	providers  *providers                   // of OpenID Connect
}

// New returns an Auth over the store's accounts. The keys that sign sessions' tokens
// lie in the folder data, which is made when it is not there.
func New(s *store.Store, data string) (*Auth, error) {
	ring, err := openRing(data)
	if err != nil {
		return nil, err
	}
	return &Auth{
		store: s, ring: ring, codes: newCodeLimits(), locks: newLockout(), otts: newExports(), uses: newUses(),
		challenges: newBegun[webauthn.SessionData](challengeAge), providers: newProviders(nil),
	}, nil
}

// Bearer finds the caller that an Authorization header names. It writes nothing. What
// ends a session or a key, or bans its user, ends it for the next request.
func (a *Auth) Bearer(ctx context.Context, header string) (Caller, error) {
	scheme, token, _ := strings.Cut(header, " ")
	token = strings.TrimSpace(token)
	switch {
	case !strings.EqualFold(scheme, "Bearer") || token == "":
		return Caller{}, fault.New(fault.Unauthorized, "Sign in, or send an API key: Authorization: Bearer sk_live_…")
	case validKey(token):
		return a.byKey(ctx, token)
	case strings.Count(token, ".") == 2:
		return a.byToken(ctx, token)
	}
	return Caller{}, fault.New(fault.Unauthorized, "This is not an API key of this server. Keys are sk_live_ and 32 characters.")
}

func (a *Auth) byKey(ctx context.Context, plain string) (Caller, error) {
	k, u, err := a.store.KeyHolder(ctx, hashKey(plain))
	switch {
	case errors.Is(err, store.ErrNotFound):
		return Caller{}, fault.New(fault.Unauthorized, "This server does not know this API key.")
	case err != nil:
		return Caller{}, err
	case !k.Revoked.IsZero():
		return Caller{}, fault.New(fault.KeyRevoked, "This API key was revoked. Make a new one.")
	case !k.Expires.IsZero() && !k.Expires.After(a.store.Now()):
		return Caller{}, fault.New(fault.Unauthorized, "This API key has expired. Make a new one.")
	case !u.Banned.IsZero():
		return Caller{}, banned()
	}
	scopes, err := ParseScopes(k.Scopes)
	a.uses.note(&k, a.store.Now())
	return Caller{User: u.ID, Account: u, KeyID: k.ID, Scopes: scopes}, err
}

func (a *Auth) byToken(ctx context.Context, token string) (Caller, error) {
	session, err := a.ring.verify(token, a.store.Now())
	if err != nil {
		return Caller{}, err
	}
	x, u, err := a.store.SignedIn(ctx, session)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && !x.Expires.After(a.store.Now()):
		return Caller{}, fault.New(fault.Unauthorized, "This session was ended. Sign in again.")
	case err != nil:
		return Caller{}, err
	case !u.Banned.IsZero():
		return Caller{}, banned()
	}
	return Caller{User: u.ID, Account: u, Session: x.ID, Proved: x.Proved, Scopes: everything}, nil
}

// banned answers everybody whose account may not be used. No word of plans or limits:
// see Need.
func banned() error {
	return fault.New(fault.Forbidden, "This account was suspended by an administrator of this server.")
}

// Need refuses a caller that lacks the scope.
func (c Caller) Need(s Scope) error {
	if c.Scopes&s == s {
		return nil
	}
	// No word of plans or limits here: clients take those for an exceeded quota
	// (contract 1.2).
	return fault.New(fault.Forbidden, "This API key lacks the scope %s.", s)
}

// ProofAge is how long after they showed who they are people may do what changes
// their credentials.
const ProofAge = 15 * time.Minute

// NeedPerson refuses API keys.
func (c Caller) NeedPerson() error {
	if c.Session == "" {
		return fault.New(fault.Forbidden, "API keys cannot do this. Sign in, with POST /v1/auth/login or in the dashboard.")
	}
	return nil
}

// NeedProof refuses API keys, and people who signed in a while ago and have not shown
// since that they are still the same.
func (c Caller) NeedProof(now time.Time) error {
	if err := c.NeedPerson(); err != nil {
		return err
	}
	if now.Sub(c.Proved) > ProofAge {
		return fault.New(fault.ProofNeeded, "Show once more that it is you: POST /v1/auth/confirm with your password, a code or a passkey. Then repeat this.")
	}
	return nil
}

// NeedAdmin refuses everybody but administrators who signed in.
func (c Caller) NeedAdmin() error {
	if err := c.NeedPerson(); err != nil {
		return err
	}
	if !c.Account.Admin {
		return fault.New(fault.Forbidden, "Only an administrator of this server may do this.")
	}
	return nil
}
