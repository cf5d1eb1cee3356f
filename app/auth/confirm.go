package auth

import (
	"context"
	"time"

	"picora/app/fault"
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
func (a *Auth) Confirm(ctx context.Context, who Caller, p Proof) (until time.Time, err error) {
	switch {
	case len(p.Passkey) > 0:
		err = a.provePasskey(ctx, who.Account, p.Passkey)
	case p.Password != "":
		if err = a.provePassword(ctx, who.Account, p.Password); err == nil {
			err = a.SecondFactor(ctx, who.Account, p.OTP)
		}
	case p.Code != "":
		err = a.proveMailed(ctx, who.Account, p.Code, p.OTP)
	case p.OTP != "":
		err = a.proveOTP(ctx, who.Account, p.OTP)
	default:
		err = fault.New(fault.Invalid, "One of password, code, otp or passkey is needed.")
	}
	if err != nil {
		return until, err
	}
	return a.store.Now().Add(ProofAge), a.Prove(ctx, who.Session)
}

// provePassword checks the password. Wrong ones count like wrong codes: whoever found
// a signed-in browser must not try passwords there.
func (a *Auth) provePassword(ctx context.Context, u store.User, password string) error {
	f, err := a.store.Factors(ctx, u.ID)
	if err != nil {
		return err
	}
	now := a.store.Now()
	if now.Before(f.Wait) {
		return tooManyWrong()
	}
	good, err := a.CheckPassword(ctx, u, password)
	if err != nil {
		return err
	}
	waits := false
	_, err = a.store.UpdateFactors(ctx, u.ID, func(f *store.Factors) error {
		if waits = now.Before(f.Wait); !waits {
			countAnswer(f, good, now)
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case waits: // others were wrong while this one was looked at
		return tooManyWrong()
	case !good:
		return fault.New(fault.Unauthorized, "This is not the password of the account.")
	}
	return nil
}

// proveMailed takes the mailed code only when the app's code is right, too: people who
// forgot that one need not ask for another mail.
func (a *Auth) proveMailed(ctx context.Context, u store.User, code, otp string) error {
	if err := a.CheckCode(ctx, u.Email, ForConfirm, code); err != nil {
		return err
	}
	if err := a.SecondFactor(ctx, u, otp); err != nil {
		return err
	}
	return a.UseCode(ctx, u.Email, ForConfirm, code)
}

func (a *Auth) proveOTP(ctx context.Context, u store.User, code string) error {
	f, err := a.store.Factors(ctx, u.ID)
	if err != nil {
		return err
	}
	if f.Secret == nil {
		return fault.New(fault.Invalid, "No authenticator app is set up for this account. Confirm with your password, a mailed code or a passkey.")
	}
	return a.SecondFactor(ctx, u, code)
}
