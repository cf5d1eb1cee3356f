package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"strings"
	"sync"
	"time"

	"picora/app/fault"
	"picora/store"
)

// SetupAge is how long the link to the first account is good.
const SetupAge = 30 * time.Minute

// setup is the one-time way to the first account. It is in memory: another start makes
// another link.
type setup struct {
	mu      sync.Mutex
	hash    [32]byte // of the token, which is kept nowhere
	expires time.Time
}

// OpenSetup makes the token that the first account is made with, or none when there
// are accounts. An older one is void.
func (a *Auth) OpenSetup(ctx context.Context) (token string, err error) {
	if some, err := a.store.AnyUser(ctx); err != nil || some {
		return "", err
	}
	token = store.NewID(refreshLen)
	a.first.mu.Lock()
	defer a.first.mu.Unlock()
	a.first.hash, a.first.expires = sha256.Sum256([]byte(token)), a.store.Now().Add(SetupAge)
	return token, nil
}

// SetupNeeded reports whether there is no account yet.
func (a *Auth) SetupNeeded(ctx context.Context) (bool, error) {
	some, err := a.store.AnyUser(ctx)
	return !some, err
}

// FirstUser is who sets a Picora up.
type FirstUser struct{ Token, Email, Password, Nickname, Locale string }

// Setup makes the first account, an administrator's, and signs in. However many try at
// once, the store lets one win; from then on it is GONE.
func (a *Auth) Setup(ctx context.Context, in FirstUser, d Device) (s Signed, err error) {
	gone := fault.New(fault.Gone, "This Picora has been set up. Sign in.")
	if needed, err := a.SetupNeeded(ctx); err != nil || !needed {
		return s, orFault(err, gone)
	}
	if err := a.setupToken(in.Token); err != nil {
		return s, err
	}
	in.Nickname = strings.TrimSpace(in.Nickname)
	if err := errors.Join(CheckEmail(in.Email), CheckNickname(in.Nickname)); err != nil {
		return s, err
	}
	hash, err := hashPassword(ctx, in.Password)
	if err != nil {
		return s, err
	}
	u, err := a.store.CreateFirstUser(ctx, store.User{
		Email: clean(in.Email), Password: hash, Nickname: in.Nickname, Locale: in.Locale,
		Admin: true, Plan: "pro_plus", Unlimited: true, Verified: true,
	})
	if errors.Is(err, store.ErrExists) {
		return s, gone
	}
	if err != nil {
		return s, err
	}
	a.first.mu.Lock()
	a.first.expires = time.Time{}
	a.first.mu.Unlock()
	a.event(ctx, u, "", "server.setup", u.ID, d, nil)
	return a.SignIn(ctx, u, "setup", d)
}

func (a *Auth) setupToken(token string) error {
	a.first.mu.Lock()
	defer a.first.mu.Unlock()
	h := sha256.Sum256([]byte(token))
	switch {
	case subtle.ConstantTimeCompare(h[:], a.first.hash[:]) != 1:
		return fault.New(fault.Forbidden, "This is not the link that the server printed when it started. Look for it in the server's log.")
	case !a.first.expires.After(a.store.Now()):
		return fault.New(fault.Gone, "This link has expired. Start the server again: it prints a new one.")
	}
	return nil
}

func orFault(err error, otherwise *fault.Error) error {
	if err != nil {
		return err
	}
	return otherwise
}
