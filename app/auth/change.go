package auth

import (
	"context"
	"errors"

	"picora/app/fault"
	"picora/app/link"
	"picora/app/mail"
	"picora/store"
)

// ResetPassword sets a new password by a mailed code, and by otp when the user has a
// second factor. Sessions stay (contract 6), except where the code is the first proof
// that the address is the user's: see claim.
func (a *Auth) ResetPassword(ctx context.Context, email, code, otp, password string, d Device) error {
	email = clean(email)
	u, known, err := a.find(ctx, email)
	if err != nil {
		return err
	}
	if err := checkPassword(password); err != nil {
		return err
	}
	if err := a.CheckCode(ctx, email, ForReset, code); err != nil {
		return err
	}
	if !known { // deleted since the code was made
		return fault.New(fault.Unauthorized, "This code is wrong or has expired. Ask for a new one.")
	}
	if !a.claimable(u) {
		if err := a.SecondFactor(ctx, u, otp, d); err != nil {
			return err
		}
	}
	hash, err := hashPassword(ctx, password)
	if err != nil {
		return err
	}
	if err := a.UseCode(ctx, email, ForReset, code); err != nil {
		return err
	}
	if u, err = a.claim(ctx, u); err != nil {
		return err
	}
	return a.putPassword(ctx, u.ID, "", hash, "password.reset", d, nil)
}

// ChangePassword sets another password for who knows the old one, and ends all their
// other sessions. Keys stay. Wrong tries count towards the lock-out: a stolen session
// is no way to guess.
func (a *Auth) ChangePassword(ctx context.Context, who Caller, old, password string, d Device) error {
	u := who.Account
	if u.Password == "" {
		return fault.New(fault.Invalid, "This account has no password. POST /v1/user/me/set-password sets the first.")
	}
	try, err := a.locks.begin(a.store.Now(), u.Email, network(link.Client(ctx)))
	if err != nil {
		f := fault.From(err)
		return &fault.Error{Code: fault.RateLimited, Message: f.Message, Meta: f.Meta} // 401 would end their session in clients
	}
	o := undecided
	defer func() { a.tried(ctx, try, o, u, true, d) }()
	ok, err := a.isPassword(ctx, u, old)
	if err != nil {
		return err
	}
	if !ok {
		o = failed
		return fault.New(fault.Invalid, "The field oldPassword is not your password.")
	}
	o = passed
	hash, err := hashPassword(ctx, password)
	if err != nil {
		return err
	}
	same := func(x *store.User) error {
		if x.Password != u.Password {
			return fault.New(fault.Conflict, "The password was changed just now. Sign in with the new one.")
		}
		return nil
	}
	if err := a.putPassword(ctx, u.ID, who.Session, hash, "password.changed", d, same); err != nil {
		return err
	}
	_, err = a.store.DeleteSessions(ctx, u.ID, who.Session)
	return err
}

// SetPassword gives an account that has no password its first.
func (a *Auth) SetPassword(ctx context.Context, who Caller, password string, d Device) error {
	taken := fault.New(fault.Invalid, "This account has a password. POST /v1/user/me/change-password changes it.")
	if who.Account.Password != "" {
		return taken
	}
	hash, err := hashPassword(ctx, password)
	if err != nil {
		return err
	}
	return a.putPassword(ctx, who.User, who.Session, hash, "password.set", d, func(x *store.User) error {
		if x.Password != "" {
			return taken
		}
		return nil
	})
}

// putPassword keeps the hash, unless check objects, and tells the user.
func (a *Auth) putPassword(ctx context.Context, user, session, hash, action string, d Device, check func(*store.User) error) error {
	u, err := a.store.UpdateUser(ctx, user, func(x *store.User) error {
		if check != nil {
			if err := check(x); err != nil {
				return err
			}
		}
		x.Password = hash
		return nil
	})
	if err != nil {
		return err
	}
	a.locks.reset(u.Email)
	a.event(ctx, u, session, action, u.ID, d, nil)
	a.alert(ctx, u, mail.PasswordChanged(mail.Language(u.Locale, d.Language), d.Address, a.store.Now()))
	return nil
}

// EndSession ends one session of the user. Others' are not there.
func (a *Auth) EndSession(ctx context.Context, user, id string) error {
	err := a.store.DeleteSession(ctx, user, id)
	if errors.Is(err, store.ErrNotFound) {
		return fault.New(fault.NotFound, "There is no such session. GET /v1/user/me/sessions lists those there are.")
	}
	return err
}

// PasswordSet tells the user that an administrator set their password.
func (a *Auth) PasswordSet(ctx context.Context, u store.User) {
	a.locks.reset(u.Email)
	a.alert(ctx, u, mail.PasswordChanged(mail.Language(u.Locale, ""), "the server itself", a.store.Now()))
}
