package auth

import (
	"context"
	"errors"
	"strings"

	"picora/app/fault"
	"picora/app/mail"
	"picora/store"
)

// ChangeEmail gives the caller's account another address. A mailed code shows that it is
// theirs; a server that sends mail asks for it. All other sessions end, for who had the
// old address may have had them, too; and the old address is told.
func (a *Auth) ChangeEmail(ctx context.Context, c Caller, email, code string, d Device) (u store.User, err error) {
	if err := c.NeedProof(a.store.Now()); err != nil {
		return u, err
	}
	if email = strings.TrimSpace(email); !validEmail(email) {
		return u, fault.New(fault.Invalid, "email is not an e-mail address.")
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
	case a.mail.On():
		return u, fault.New(fault.Invalid, "email needs code, too: the six digits that POST /v1/auth/send-code with the type bind_email mails to the new address.")
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
	if _, err = a.store.DeleteSessions(ctx, c.User, c.Session); err != nil {
		return u, err
	}
	a.alert(ctx, c.Account, mail.EmailChanged(mail.Language(u.Locale, d.Language), email, d.Address, a.store.Now()))
	a.event(ctx, u, c.Session, "user.email_changed", u.ID, d, map[string]string{"from": c.Account.Email, "to": u.Email})
	return u, nil
}

// Unlink ends the caller's way to sign in by an account elsewhere. It refuses the last
// way: who has neither a password, nor a passkey, nor mailed codes, nor another such account
// could not
// sign in again.
func (a *Auth) Unlink(ctx context.Context, c Caller, identity string) error {
	factors, err := a.store.Factors(ctx, c.User)
	if err != nil {
		return err
	}
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
	if len(list) == 1 && c.Account.Password == "" && len(factors.Passkeys) == 0 && !a.mail.On() {
		return fault.New(fault.Invalid, "This is your only way to sign in. Set a password first.")
	}
	return a.store.DeleteIdentity(ctx, c.User, identity)
}
