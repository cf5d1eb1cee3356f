package auth

import (
	"context"
	"time"

	"picora/app/fault"
	"picora/app/link"
	"picora/store"
)

// Proof is how people show once more who they are: one of a password, a mailed code, a
// code of an authenticator app, a passkey. With a password or a mailed code comes an
// authenticator app's code, too, when one is set up.
type Proof struct {
	Password string
	Code     string // mailed
	OTP      string
	Passkey  []byte // a PublicKeyCredential as JSON
}

// Confirm checks the proof of who is signed in, and returns until when they need not
// give another.
func (a *Auth) Confirm(ctx context.Context, who Caller, p Proof, d Device) (until time.Time, err error) {
	switch {
	case len(p.Passkey) > 0:
		err = a.provePasskey(ctx, who.Account, p.Passkey)
	case p.Password != "":
		err = a.provePassword(ctx, who.Account, p.Password, p.OTP, d)
	case p.Code != "":
		err = a.proveMailed(ctx, who.Account, p.Code, p.OTP, d)
	case p.OTP != "":
		err = a.proveOTP(ctx, who.Account, p.OTP, d)
	default:
		err = fault.New(fault.Invalid, "One of password, code, otp or passkey is needed.")
	}
	if f := fault.From(err); f != nil && f.Code == fault.Unauthorized { // clients take 401 for the end of a session
		err = &fault.Error{Code: fault.Invalid, Message: f.Message, Cause: f.Cause}
	}
	if err != nil {
		return until, err
	}
	return a.store.Now().Add(ProofAge), a.Prove(ctx, who.Session)
}

// provePassword checks the password. Wrong ones count towards the lock-out: whoever
// found a signed-in browser must not try passwords there.
func (a *Auth) provePassword(ctx context.Context, u store.User, password, otp string, d Device) error {
	try, err := a.locks.begin(a.store.Now(), u.Email, network(link.Client(ctx)))
	if err != nil {
		f := fault.From(err)
		return &fault.Error{Code: fault.RateLimited, Message: f.Message, Meta: f.Meta}
	}
	o := undecided
	defer func() { a.tried(ctx, try, o, u, true, d) }()
	ok, err := a.isPassword(ctx, u, password)
	if err != nil {
		return err
	}
	if !ok {
		o = failed
		return fault.New(fault.Invalid, "password is not the password of this account.")
	}
	err = a.SecondFactor(ctx, u, otp, d)
	switch {
	case err == nil:
		o = passed
	case otp != "" && fault.From(err).Code == fault.Unauthorized:
		o = failedFactor
	}
	return err
}

// proveMailed takes the mailed code only when the app's code is right, too: people who
// forgot that one need not ask for another mail.
func (a *Auth) proveMailed(ctx context.Context, u store.User, code, otp string, d Device) error {
	if err := a.CheckCode(ctx, u.Email, ForConfirm, code); err != nil {
		return err
	}
	if err := a.SecondFactor(ctx, u, otp, d); err != nil {
		return err
	}
	return a.UseCode(ctx, u.Email, ForConfirm, code)
}

func (a *Auth) proveOTP(ctx context.Context, u store.User, code string, d Device) error {
	f, err := a.store.Factors(ctx, u.ID)
	if err != nil {
		return err
	}
	if f.Secret == nil {
		return fault.New(fault.Invalid, "No authenticator app is set up for this account. Confirm with your password, a mailed code or a passkey.")
	}
	return a.SecondFactor(ctx, u, code, d)
}
