package auth

import (
	"context"
	"errors"
	"strings"

	"picora/app/fault"
	"picora/app/mail"
	"picora/store"
)

// Opening is what new accounts get where anybody may make one.
type Opening struct{ Plan, Locale string }

// Registration is what somebody who wants an account sends.
type Registration struct {
	Email, Password, Code, Invite, Nickname string
	Locale                                  string // empty: not said

	Mode string // closed, invite or open
	Plan string
}

func clean(email string) string { return strings.TrimSpace(email) }

// CheckEmail refuses what cannot be an account's address.
func CheckEmail(email string) error {
	if !mail.Address(clean(email)) {
		return fault.New(fault.Invalid, "The field email must be an e-mail address such as you@example.org.")
	}
	return nil
}

// CheckNickname refuses what cannot be shown, and empty is right.
func CheckNickname(name string) error { return (&Profile{Nickname: &name}).check() }

// Register makes an account and signs in. Where letters can be sent, the mailed code
// shows that the address is theirs; elsewhere nothing does, and it stays unverified.
func (a *Auth) Register(ctx context.Context, r Registration, d Device) (s Signed, err error) {
	r.Email, r.Nickname = clean(r.Email), strings.TrimSpace(r.Nickname)
	if err := a.checkRegistration(ctx, &r); err != nil {
		return s, err
	}
	hash, err := hashPassword(ctx, r.Password)
	if err != nil {
		return s, err
	}
	if a.mail.On() {
		if err := a.UseCode(ctx, r.Email, ForRegister, r.Code); fault.From(err) != nil && fault.From(err).Code == fault.Unauthorized {
			return s, fault.New(fault.Invalid, "The code is wrong or has expired. POST /v1/auth/send-code sends another.")
		} else if err != nil {
			return s, err
		}
	}
	u, err := a.create(ctx, store.User{
		Email: r.Email, Password: hash, Nickname: r.Nickname, Locale: r.Locale, Plan: r.Plan, Verified: a.mail.On(),
	}, r.Invite, d)
	if err != nil {
		return s, err
	}
	return a.SignIn(ctx, u, "password", d)
}

// checkRegistration refuses everything that can be refused before the work begins.
func (a *Auth) checkRegistration(ctx context.Context, r *Registration) error {
	if r.Mode == "closed" {
		return fault.New(fault.Forbidden, "Registration is closed on this server. Ask its administrator for an account.")
	}
	if err := CheckEmail(r.Email); err != nil {
		return err
	}
	if err := CheckNickname(r.Nickname); err != nil {
		return err
	}
	if a.mail.On() && !sixDigits(strings.TrimSpace(r.Code)) {
		return fault.New(fault.Invalid, "The field code needs the 6 digits that were mailed to you. POST /v1/auth/send-code sends them.")
	}
	if r.Mode != "invite" && r.Invite == "" {
		return nil
	}
	if r.Invite == "" {
		return fault.New(fault.Forbidden, "Registration needs an invite: send its code as inviteCode. The server's administrator makes invites.")
	}
	i, err := a.store.InviteByCode(ctx, r.Invite)
	if errors.Is(err, store.ErrNotFound) {
		err = store.ErrInviteUnknown
	} else if err == nil {
		err = i.Usable(a.store.Now())
	}
	return refusedInvite(err)
}

// create adds the account, by an invite when there is one.
func (a *Auth) create(ctx context.Context, u store.User, invite string, d Device) (_ store.User, err error) {
	if needed, err := a.SetupNeeded(ctx); err != nil {
		return u, err
	} else if needed { // whoever comes first must not close the setup link
		return u, fault.New(fault.Forbidden, "This server has no administrator yet. Its owner opens the first account, with the link on the server's console.")
	}
	detail := map[string]string{}
	if invite == "" {
		u, err = a.store.CreateUser(ctx, u)
	} else {
		var i store.Invite
		u, i, err = a.store.CreateUserInvited(ctx, u, invite)
		detail["invite"] = i.ID
	}
	if errors.Is(err, store.ErrExists) {
		return u, fault.New(fault.Conflict, "There is an account with this e-mail address. Sign in, or reset its password.")
	}
	if err != nil {
		return u, refusedInvite(err)
	}
	a.event(ctx, u, "", "user.registered", u.ID, d, detail)
	return u, nil
}

// refusedInvite is one answer for every invite that lets nobody in: who guesses learns
// nothing.
func refusedInvite(err error) error {
	if errors.Is(err, store.ErrInvite) {
		return fault.New(fault.Invalid, "This invite is not known, or cannot be used any more. Ask for another.")
	}
	return err
}

// SendRegisterCode sends a code to register with. Who has an account gets a letter that
// says so, with a code to sign in: from outside both look the same. When nobody may
// register, nothing is sent to the others.
func (a *Auth) SendRegisterCode(ctx context.Context, email, lang string, open bool) error {
	email = clean(email)
	u, known, err := a.find(ctx, email)
	if err != nil {
		return err
	}
	if !known {
		return a.SendCode(ctx, email, ForRegister, lang, open)
	}
	code, err := a.NewCode(ctx, email, ForLogin)
	if err != nil {
		return err
	}
	a.deliver(ctx, u.Email, ForLogin, code, mail.Taken(lang, code))
	return nil
}
