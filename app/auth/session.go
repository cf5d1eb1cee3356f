package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"picora/app/fault"
	"picora/store"
)

const (
	// RefreshAge is how long a session lives after its last refresh (seeds: 7 days).
	RefreshAge = 7 * 24 * time.Hour
	// maxSessions bounds the devices of one user; the one used least recently ends.
	maxSessions = 50
	// refreshLen is the length of a refresh token: 43 characters are 258 bits.
	refreshLen = 43
	maxAgent   = 256
)

// Device is where a request comes from, for the list of sessions and the audit log.
type Device struct {
	Address  string // IP address
	Agent    string // User-Agent
	Language string // Accept-Language
}

// Signed is what somebody who signed in gets.
type Signed struct {
	User    store.User
	Session store.Session
	Access  string // for the Authorization header
	Refresh string // for the cookie
}

// SignIn starts a session of u, who has shown by method (password, code, passkey,
// oidc, setup) who they are: every way to sign in ends here. A banned user is refused.
func (a *Auth) SignIn(ctx context.Context, u store.User, method string, d Device) (s Signed, err error) {
	if !u.Banned.IsZero() {
		return s, banned()
	}
	now := a.store.Now()
	s.User, s.Refresh = u, store.NewID(refreshLen)
	s.Session, err = a.store.CreateSession(ctx, store.Session{
		User: u.ID, Hash: hashRefresh(s.Refresh), Method: method, Agent: store.Clip(d.Agent, maxAgent), Address: d.Address,
		Created: now, Used: now, Expires: now.Add(RefreshAge), Proved: now,
	}, maxSessions)
	if err != nil {
		return s, err
	}
	if s.Access, err = a.ring.sign(s.Session.ID, u, now); err != nil {
		return s, err
	}
	a.signedInOn(ctx, s, d)
	return s, nil
}

// Refresh gives the session of a refresh token another access token, and another
// seven days. The refresh token stays the same: clients repeat a refresh whose answer
// they lost.
func (a *Auth) Refresh(ctx context.Context, refresh string, d Device) (s Signed, err error) {
	over := fault.New(fault.Unauthorized, "This session is over. Sign in again.")
	if !store.ValidID(refresh, refreshLen) {
		return s, over
	}
	x, err := a.store.SessionByHash(ctx, hashRefresh(refresh))
	if errors.Is(err, store.ErrNotFound) {
		return s, over
	}
	if err != nil {
		return s, err
	}
	now := a.store.Now()
	x, err = a.store.UpdateSession(ctx, x.ID, func(x *store.Session) error {
		if !x.Expires.After(now) {
			return over
		}
		x.Used, x.Expires = now, now.Add(RefreshAge)
		x.Address, x.Agent = d.Address, store.Clip(d.Agent, maxAgent)
		return nil
	})
	if errors.Is(err, store.ErrNotFound) {
		return s, over
	}
	if err != nil {
		return s, err
	}
	u, err := a.store.User(ctx, x.User)
	if err != nil {
		return s, err
	}
	if !u.Banned.IsZero() {
		return s, banned()
	}
	access, err := a.ring.sign(x.ID, u, now)
	return Signed{u, x, access, refresh}, err
}

// SignOut ends the session of a refresh token, if there is one, and returns it.
func (a *Auth) SignOut(ctx context.Context, refresh string) (store.Session, error) {
	if !store.ValidID(refresh, refreshLen) {
		return store.Session{}, nil
	}
	x, err := a.store.SessionByHash(ctx, hashRefresh(refresh))
	if err == nil {
		err = a.store.DeleteSession(ctx, x.User, x.ID)
	}
	if errors.Is(err, store.ErrNotFound) {
		return store.Session{}, nil
	}
	return x, err
}

// Prove notes that the person of the session has just shown who they are.
func (a *Auth) Prove(ctx context.Context, session string) error {
	_, err := a.store.UpdateSession(ctx, session, func(x *store.Session) error {
		x.Proved = a.store.Now()
		return nil
	})
	return err
}

// hashRefresh is what is stored of a refresh token, which is random: a fast hash
// without salt is enough.
func hashRefresh(s string) []byte {
	h := sha256.Sum256([]byte(s))
	return h[:]
}
