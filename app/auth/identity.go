package auth

import (
	"context"
	"errors"

	"picora/app/settings"
	"picora/store"
)

// accountOf finds whose identity it is: the one it is linked to; else the account of
// its address, to which it is then linked; else, where everybody may register, a new
// one. The address must be verified there, which claimed saw to, and here: else
// somebody could register another's address first and wait for them, or claim it at a
// provider.
func (a *Auth) accountOf(ctx context.Context, x store.Identity, live settings.Live) (u store.User, linked string, created bool, err error) {
	_, u, err = a.store.IdentityOf(ctx, x.Issuer, x.Subject)
	if !errors.Is(err, store.ErrNotFound) {
		return u, "", false, err
	}
	u, err = a.store.UserByEmail(ctx, x.Email)
	if err == nil {
		linked, err = a.adopt(ctx, u, x)
		return u, linked, false, err
	}
	if !errors.Is(err, store.ErrNotFound) {
		return u, "", false, err
	}
	if live.Registration != "open" {
		return u, "", false, refused(RefusedClosed, "Nobody has an account with your address here, and this server opens none by itself. Ask its administrator.", nil)
	}
	u, x, err = a.store.CreateUserIdentity(ctx, store.User{Email: x.Email, Verified: true, Plan: live.Plan}, x)
	if errors.Is(err, store.ErrExists) { // two first sign-ins at once
		return u, "", false, refused(RefusedExpired, "Go back and begin again.", err)
	}
	return u, x.ID, err == nil, err
}

// adopt links the identity to an account of the same address.
func (a *Auth) adopt(ctx context.Context, u store.User, x store.Identity) (string, error) {
	if !u.Verified {
		return "", refused(RefusedEmail, "An account here has your address, but nobody has shown that the address is theirs. Sign in to it another way, verify the address, then link the account.", nil)
	}
	f, err := a.store.Factors(ctx, u.ID)
	if err != nil {
		return "", err
	}
	if f.Secret != nil {
		return "", refused(RefusedLink, "Your account here asks for a code when you sign in. Sign in with it, then link the two accounts in your settings.", nil)
	}
	x.User = u.ID
	x, err = a.store.CreateIdentity(ctx, x)
	if err != nil {
		return "", err
	}
	a.linkedNotice(ctx, x)
	return x.ID, nil
}

// linkIdentity links the identity to who began the flow, if they are still signed in.
func (a *Auth) linkIdentity(ctx context.Context, f flow, x store.Identity) (string, error) {
	s, u, err := a.store.SignedIn(ctx, f.session)
	if errors.Is(err, store.ErrNotFound) || err == nil && (s.User != f.user || !s.Expires.After(a.store.Now()) || !u.Banned.IsZero()) {
		return "", refused(RefusedExpired, "You are not signed in any more. Sign in and begin again.", err)
	}
	if err != nil {
		return "", err
	}
	x.User = f.user
	made, err := a.store.CreateIdentity(ctx, x)
	if errors.Is(err, store.ErrExists) {
		known, _, err := a.store.IdentityOf(ctx, x.Issuer, x.Subject)
		if err == nil && known.User == f.user {
			return known.ID, nil // already done
		}
		return "", refused(RefusedTaken, "That account is linked to another account of this server.", err)
	}
	if err != nil {
		return "", err
	}
	a.linkedNotice(ctx, made)
	return made.ID, nil
}

func (a *Auth) linkedNotice(ctx context.Context, x store.Identity) {
	a.notify(ctx, x.User, "An account was linked",
		"You can now sign in with "+x.Email+" at "+a.providers.title(x.Provider)+". If it was not you, unlink it and change your password.")
}

func (ps *providers) title(name string) string {
	if p, known := ps.named[name]; known {
		return p.cfg.Title
	}
	return name
}
