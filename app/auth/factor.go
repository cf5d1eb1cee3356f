package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"slices"
	"strings"
	"time"

	"picora/app/fault"
	"picora/app/mail"
	"picora/store"
)

const (
	recoveryCodes = 10
	// maxWrong answers in a row make the next wait.
	maxWrong  = 5
	wrongWait = 15 * time.Minute
)

// outcome is what an answer was.
type outcome int

const (
	wrong outcome = iota
	right
	usedRecovery // right, and one recovery code fewer
	waiting      // not looked at
)

// SecondFactor asks u, who has shown a password or a mailed code, for the second
// factor they set up, if any: code is what came with the request, of the authenticator
// app or a recovery code. An error says that one is needed, or that this is not it.
// Each code is good once.
func (a *Auth) SecondFactor(ctx context.Context, u store.User, code string, d Device) error {
	f, err := a.store.Factors(ctx, u.ID)
	if err != nil || f.Secret == nil {
		return err
	}
	if code == "" {
		return needFactor(f)
	}
	var got outcome
	now := a.store.Now()
	f, err = a.store.UpdateFactors(ctx, u.ID, func(f *store.Factors) error {
		got = answer(f, code, now)
		return nil
	})
	if err != nil {
		return err
	}
	switch got {
	case wrong:
		return fault.New(fault.Unauthorized, "This code is not right, or was used already. Take the one that the app shows now, or a recovery code.")
	case waiting:
		return tooManyWrong()
	case usedRecovery:
		a.recoveryUsed(ctx, u, len(f.Recovery), d)
	}
	return nil
}

func needFactor(f store.Factors) error {
	methods := []string{"totp"}
	if len(f.Recovery) > 0 {
		methods = append(methods, "recovery")
	}
	if len(f.Passkeys) > 0 {
		methods = append(methods, "passkey")
	}
	return &fault.Error{
		Code: fault.SecondFactor, Meta: map[string]any{"methods": methods},
		Message: "This account asks for a code, too: send the one of your authenticator app, or a recovery code, as otp.",
	}
}

func tooManyWrong() error {
	return fault.New(fault.Unauthorized, "There were too many wrong answers. Wait %d minutes, then try again.", wrongWait/time.Minute)
}

// answer looks at a code, and writes into f what it was. It runs in the transaction
// that keeps f, so a code that two requests bring at once is taken from one of them.
func answer(f *store.Factors, code string, now time.Time) outcome {
	if now.Before(f.Wait) {
		return waiting
	}
	got := wrong
	if step, ok := matchTOTP(f.Secret, code, now); ok && step > f.Step {
		f.Step, got = step, right
	} else if i := slices.IndexFunc(f.Recovery, func(h []byte) bool { return subtle.ConstantTimeCompare(h, hashRecovery(code)) == 1 }); i >= 0 {
		f.Recovery, got = slices.Delete(f.Recovery, i, i+1), usedRecovery
	}
	countAnswer(f, got != wrong, now)
	return got
}

// countAnswer makes the next answers wait after too many wrong ones in a row.
func countAnswer(f *store.Factors, good bool, now time.Time) {
	if good {
		f.Wrong = 0
		return
	}
	if f.Wrong++; f.Wrong >= maxWrong {
		f.Wrong, f.Wait = 0, now.Add(wrongWait)
	}
}

// recoveryUsed tells the user, and the audit log: a thief may hold the list. The code is
// used up, so what fails is logged only.
func (a *Auth) recoveryUsed(ctx context.Context, u store.User, left int, d Device) {
	a.event(ctx, u, "", "recovery.used", u.ID, d, nil)
	a.alert(ctx, u, mail.RecoveryUsed(mail.Language(u.Locale, ""), left))
}

// newRecovery makes recovery codes: texts of 80 random bits for people to copy, and
// what is kept of them. A fast hash is enough for that many bits.
func newRecovery() (codes []string, hashes [][]byte) {
	for range recoveryCodes {
		b := make([]byte, 10)
		rand.Read(b)
		s := strings.ToLower(base32.StdEncoding.EncodeToString(b))
		codes = append(codes, s[:4]+"-"+s[4:8]+"-"+s[8:12]+"-"+s[12:])
		hashes = append(hashes, hashRecovery(s))
	}
	return codes, hashes
}

// hashRecovery passes over how people copy: capital letters, spaces, hyphens.
func hashRecovery(code string) []byte {
	h := sha256.Sum256([]byte(strings.ToLower(strings.NewReplacer("-", "", " ", "").Replace(code))))
	return h[:]
}

// NewRecovery replaces the user's recovery codes and returns the new ones, which are
// kept nowhere.
func (a *Auth) NewRecovery(ctx context.Context, user string) ([]string, error) {
	codes, hashes := newRecovery()
	_, err := a.store.UpdateFactors(ctx, user, func(f *store.Factors) error {
		if f.Secret == nil {
			return fault.New(fault.NotFound, "No authenticator app is set up, so there are no recovery codes.")
		}
		f.Recovery = hashes
		return nil
	})
	return codes, err
}
