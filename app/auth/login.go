package auth

import (
	"context"
	"errors"
	"time"

	"picora/app/fault"
	"picora/app/link"
	"picora/app/mail"
	"picora/store"
)

// longPassword is more than any password has: such a text is not even hashed.
const longPassword = 64 * 4

// Login signs in by password, and by otp, a second factor, when the user has one.
// Whether there is such an account cannot be told from the answer, nor from how long
// it takes.
func (a *Auth) Login(ctx context.Context, email, password, otp string, d Device) (s Signed, err error) {
	u, known, err := a.find(ctx, email)
	if err != nil {
		return s, err
	}
	try, err := a.locks.begin(a.store.Now(), email, network(link.Client(ctx)))
	if err != nil {
		return s, err
	}
	o := undecided
	defer func() { a.tried(ctx, try, o, u, known, d) }()
	ok, err := a.isPassword(ctx, u, password)
	if err != nil {
		return s, err
	}
	if !ok || !known {
		o = failed
		return s, fault.New(fault.Unauthorized, "The e-mail address or the password is wrong.")
	}
	if err := a.SecondFactor(ctx, u, otp, d); err != nil {
		if otp != "" && fault.From(err).Code != fault.Internal {
			o = failedFactor
		}
		return s, err
	}
	o = passed
	return a.signInUnchanged(ctx, u, "password", d)
}

// find is the account with that address, or one that nobody has, with a password that
// nobody knows.
func (a *Auth) find(ctx context.Context, email string) (u store.User, known bool, err error) {
	u, err = a.store.UserByEmail(ctx, clean(email))
	if errors.Is(err, store.ErrNotFound) {
		return store.User{Password: nobodys}, false, nil
	}
	return u, err == nil, err
}

// HasAccount reports whether the address is some account's. The answer is for deciding
// what to send, not for telling.
func (a *Auth) HasAccount(ctx context.Context, email string) (bool, error) {
	_, known, err := a.find(ctx, email)
	return known, err
}

// isPassword is CheckPassword that takes its time for accounts without one, too.
func (a *Auth) isPassword(ctx context.Context, u store.User, password string) (bool, error) {
	none := u.Password == "" || len(password) > longPassword
	if none {
		u.Password, password = nobodys, ""
	}
	ok, err := a.CheckPassword(ctx, u, password)
	return ok && !none, err
}

// reasons are what the audit log says of tries that failed.
var reasons = map[result]string{failed: "password", failedFactor: "second_factor"}

// tried ends an attempt. The owner hears of a lock-out that it began, but not of each
// of many.
func (a *Auth) tried(ctx context.Context, try attempt, o result, u store.User, known bool, d Device) {
	until := try.end(a.store.Now(), o)
	if why := reasons[o]; why != "" && known {
		a.event(ctx, store.User{}, "", "session.refused", u.ID, d, map[string]string{"reason": why})
	}
	if until.IsZero() || !known {
		return
	}
	a.event(ctx, store.User{}, "", "user.locked", u.ID, d, map[string]string{"until": until.UTC().Format(time.RFC3339)})
	knows := o == failedFactor // the password, at least
	if a.locks.tell(a.store.Now(), u.ID, knows) {
		a.alert(ctx, u, mail.Locked(mail.Language(u.Locale, d.Language), d.Address, until, knows))
	}
}

// signInUnchanged signs in, unless the password was changed, or the account banned,
// since u was read: the change ended all sessions, and this one must not outlive it.
func (a *Auth) signInUnchanged(ctx context.Context, u store.User, method string, d Device) (s Signed, err error) {
	s, err = a.SignIn(ctx, u, method, d)
	if err != nil {
		return s, err
	}
	now, err := a.store.User(ctx, u.ID)
	if err == nil && now.Password == u.Password && now.Banned.IsZero() {
		return s, nil
	}
	if e := a.store.DeleteSession(ctx, u.ID, s.Session.ID); e != nil && !errors.Is(e, store.ErrNotFound) {
		return Signed{}, errors.Join(err, e)
	}
	return Signed{}, fault.New(fault.Unauthorized, "The password was changed just now. Sign in with the new one.")
}

// LoginCode signs in by a mailed code, and by otp when the user has a second factor.
// It makes the account when there is none and registration is open (contract 6).
func (a *Auth) LoginCode(ctx context.Context, email, code, otp string, open *Opening, d Device) (s Signed, err error) {
	email = clean(email)
	u, known, err := a.find(ctx, email)
	if err != nil {
		return s, err
	}
	if !known {
		if err := a.UseCode(ctx, email, ForRegister, code); err != nil {
			return s, err
		}
		if open == nil {
			return s, fault.New(fault.Forbidden, "Registration is closed on this server. Ask its administrator for an account.")
		}
		if u, err = a.create(ctx, store.User{Email: email, Plan: open.Plan, Verified: a.mail.On(), Locale: open.Locale}, "", d); err != nil {
			return s, err
		}
		return a.SignIn(ctx, u, "code", d)
	}
	if err := a.CheckCode(ctx, email, ForLogin, code); err != nil {
		return s, err
	}
	if !a.claimable(u) {
		if err := a.SecondFactor(ctx, u, otp, d); err != nil {
			return s, err
		}
	}
	if err := a.UseCode(ctx, email, ForLogin, code); err != nil {
		return s, err
	}
	if u, err = a.claim(ctx, u); err != nil {
		return s, err
	}
	return a.signInUnchanged(ctx, u, "code", d)
}

// claimable reports whether a mailed code would be the first proof that the address is
// the user's.
func (a *Auth) claimable(u store.User) bool { return !u.Verified && a.mail.On() }

// claim notes that a mailed code showed the address to be the user's. Whoever made the
// account before that need not have been its owner (pre-hijacking, threat 23), so all
// ways in that were set up before are closed, and no second factor was asked for.
func (a *Auth) claim(ctx context.Context, u store.User) (store.User, error) {
	if !a.claimable(u) {
		return u, nil
	}
	t := mail.Claimed(mail.Language(u.Locale, ""))
	return a.store.ClaimUser(ctx, u.ID, store.Notification{Type: "system", Title: t.Subject, Body: t.Body, Link: "/account"})
}
