package auth

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"image/png"
	"net/url"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"picora/app/fault"
	"picora/store"
)

// What every authenticator app knows: RFC 6238 with HMAC-SHA1, six digits and steps
// of 30 seconds.
const (
	totpStep   = 30
	totpDigits = otp.DigitsSix
	totpBytes  = 20
	qrPixels   = 256
)

// TOTP is what an authenticator app is set up with. It is shown once.
type TOTP struct {
	Secret string // base32
	URL    string // otpauth://…
	QR     string // the URL as a picture: a data: address of a PNG
}

// BeginTOTP makes a secret for the user's authenticator app. It is in force when
// EnableTOTP has seen a code of it. Host tells this server from others in the app.
func (a *Auth) BeginTOTP(ctx context.Context, u store.User, host string) (t TOTP, err error) {
	secret := make([]byte, totpBytes)
	rand.Read(secret)
	t.Secret = base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
	label := "Picora " + host
	t.URL = "otpauth://totp/" + url.PathEscape(label) + ":" + url.PathEscape(u.Email) + "?" + strings.ReplaceAll(url.Values{
		"secret": {t.Secret}, "issuer": {label}, "algorithm": {"SHA1"}, "digits": {"6"}, "period": {fmt.Sprint(totpStep)},
	}.Encode(), "+", "%20")
	if t.QR, err = qr(t.URL); err != nil {
		return t, err
	}
	_, err = a.store.UpdateFactors(ctx, u.ID, func(f *store.Factors) error {
		if f.Secret != nil {
			return fault.New(fault.Conflict, "An authenticator app is set up already. Remove it first.")
		}
		f.Pending = secret
		return nil
	})
	return t, err
}

func qr(text string) (string, error) {
	k, err := otp.NewKeyFromURL(text)
	if err != nil {
		return "", err
	}
	img, err := k.Image(qrPixels, qrPixels)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return "", err
	}
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes()), nil
}

// EnableTOTP puts the secret that BeginTOTP made in force, if code is one of its, and
// returns the recovery codes, which are kept nowhere.
func (a *Auth) EnableTOTP(ctx context.Context, user, code string) ([]string, error) {
	codes, hashes := newRecovery()
	now := a.store.Now()
	var got outcome
	_, err := a.store.UpdateFactors(ctx, user, func(f *store.Factors) error {
		switch {
		case f.Secret != nil:
			return fault.New(fault.Conflict, "An authenticator app is set up already.")
		case f.Pending == nil:
			return fault.New(fault.Conflict, "Begin with POST /v1/user/me/totp, which gives the secret for the app.")
		case now.Before(f.Wait):
			got = waiting
			return nil
		}
		step, ok := matchTOTP(f.Pending, code, now)
		countAnswer(f, ok, now)
		if got = wrong; ok {
			got = right
			f.Secret, f.Pending, f.Since, f.Step, f.Recovery = f.Pending, nil, now, step, hashes
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case got == waiting:
		return nil, fault.New(fault.Invalid, "There were too many wrong codes. Wait %d minutes, then try again.", wrongWait/time.Minute)
	case got == wrong:
		return nil, fault.New(fault.Invalid, "code is not the one that the app shows now. Check that the clocks of the app's device and of the server are right.")
	}
	return codes, nil
}

// DisableTOTP removes the user's authenticator app and recovery codes.
func (a *Auth) DisableTOTP(ctx context.Context, user string) error {
	_, err := a.store.UpdateFactors(ctx, user, func(f *store.Factors) error {
		if f.Secret == nil && f.Pending == nil {
			return fault.New(fault.NotFound, "No authenticator app is set up.")
		}
		f.Secret, f.Pending, f.Recovery, f.Since, f.Step = nil, nil, nil, time.Time{}, 0
		return nil
	})
	return err
}

// matchTOTP finds the time step whose code this is: now's, or one beside it, for
// clocks differ and people are slow.
func matchTOTP(secret []byte, code string, now time.Time) (step int64, ok bool) {
	code = strings.ReplaceAll(code, " ", "")
	if len(secret) == 0 || len(code) != int(totpDigits) {
		return 0, false
	}
	text := base32.StdEncoding.EncodeToString(secret)
	for _, step := range []int64{0, -1, 1} {
		step += now.Unix() / totpStep
		want, err := hotp.GenerateCodeCustom(text, uint64(step), hotp.ValidateOpts{Digits: totpDigits, Algorithm: otp.AlgorithmSHA1})
		if err == nil && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			return step, true
		}
	}
	return 0, false
}
