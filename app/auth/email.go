package auth

import (
	"context"
	"errors"
	"net/mail"
	"strings"

	"picora/app/fault"
	"picora/store"
)

// maxEmail is the length of an address (RFC 5321, 4.5.3.1.3).
const maxEmail = 254

// cleanEmail is the address without the space around it; an error when it is none.
func cleanEmail(s string) (string, error) {
	s = strings.TrimSpace(s)
	if a, err := mail.ParseAddress(s); err != nil || a.Address != s || len(s) > maxEmail {
		return "", fault.New(fault.Invalid, "email is not an e-mail address.")
	}
	return s, nil
}

// ChangeEmail gives the caller's account another address. A mailed code shows that it is
// theirs; mails says that this server can send one, and so asks for it. All other
// sessions end, for who had the old address may have had them, too.
func (a *Auth) ChangeEmail(ctx context.Context, c Caller, email, code string, mails bool) (u store.User, err error) {
	if err := c.NeedProof(a.store.Now()); err != nil {
		return u, err
	}
	if email, err = cleanEmail(email); err != nil {
		return u, err
	}
	if email == c.Account.Email {
		return c.Account, nil
	}
	switch {
	case code != "":
		err := a.UseCode(ctx, email, ForBindEmail, code)
		if f := fault.From(err); f != nil && f.Code == fault.Unauthorized { // clients take 401 for the end of a session
			err = fault.New(fault.Invalid, "%s", f.Message)
		}
		if err != nil {
			return u, err
		}
	case mails:
		return u, fault.New(fault.Invalid, "email needs code, too: the six digits that POST /v1/auth/send-code with the purpose bind_email mails to the new address.")
	}
	u, err = a.store.UpdateUser(ctx, c.User, func(u *store.User) error {
		u.Email, u.Verified = email, code != ""
		return nil
	})
	if errors.Is(err, store.ErrExists) {
		return u, fault.New(fault.Conflict, "There is an account with this e-mail address already.")
	}
	if err != nil {
		return u, err
	}
	_, err = a.store.DeleteSessions(ctx, c.User, c.Session)
	return u, err
}

// Unlink ends the caller's way to sign in by an account elsewhere. It refuses the last
// way: who has neither a password, nor mailed codes, nor another such account could not
// sign in again.
func (a *Auth) Unlink(ctx context.Context, c Caller, identity string, mails bool) error {
	list, err := a.store.Identities(ctx, c.User)
	if err != nil {
		return err
	}
	found := false
	for _, x := range list {
		found = found || x.ID == identity
	}
	if !found {
		return store.ErrNotFound
	}
	if len(list) == 1 && c.Account.Password == "" && !mails {
		return fault.New(fault.Invalid, "This is your only way to sign in. Set a password first.")
	}
	return a.store.DeleteIdentity(ctx, c.User, identity)
}
