package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"picora/app/fault"
	"picora/app/link"
	"picora/store"
)

// What codes are for. A code for one purpose is worth nothing for another.
const (
	ForRegister  = "register"
	ForReset     = "reset_password"
	ForBindEmail = "bind_email"
	ForLogin     = "login"
	ForConfirm   = "confirm"
	ForDelete    = "delete"
)

const (
	// CodeAge is how long a code is good (contract 6).
	CodeAge = 5 * time.Minute
	// maxWrongCodes are the wrong tries after which a code is void (contract 6).
	maxWrongCodes = 5
)

// NewCode makes a code of six digits for the owner of the address; an older one for the
// same purpose is void. It does not send it: see SendCode. RATE_LIMITED when too many
// were asked for, for this address or from where the request comes.
func (a *Auth) NewCode(ctx context.Context, email, purpose string) (string, error) {
	email = store.FoldEmail(strings.TrimSpace(email))
	if err := a.codes.allow(a.store.Now(), email, network(link.Client(ctx))); err != nil {
		return "", err
	}
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return "", err
	}
	code := fmt.Sprintf("%06d", n)
	now := a.store.Now()
	hash := a.ring.mac(codeText(email, purpose, code), "")
	return code, a.store.PutCode(ctx, codeID(email, purpose), store.Code{Hash: hash, Created: now, Expires: now.Add(CodeAge)})
}

// UseCode takes the code that NewCode made. It is good once; after five wrong tries not
// at all.
func (a *Auth) UseCode(ctx context.Context, email, purpose, code string) error {
	return a.tryCode(ctx, email, purpose, code, true)
}

// CheckCode is UseCode that leaves a right code as it is, for what may still ask for
// something else. A wrong one counts as a try.
func (a *Auth) CheckCode(ctx context.Context, email, purpose, code string) error {
	return a.tryCode(ctx, email, purpose, code, false)
}

func (a *Auth) tryCode(ctx context.Context, email, purpose, code string, take bool) error {
	wrong := fault.New(fault.Unauthorized, "This code is wrong or has expired. Ask for a new one.")
	email, code = store.FoldEmail(strings.TrimSpace(email)), strings.TrimSpace(code)
	if !sixDigits(code) {
		return wrong
	}
	text := codeText(email, purpose, code)
	ok, err := a.store.TryCode(ctx, codeID(email, purpose), maxWrongCodes, take, func(c store.Code) bool {
		return a.ring.hasMAC(text, c.Hash)
	})
	if errors.Is(err, store.ErrNotFound) || err == nil && !ok {
		return wrong
	}
	return err
}

func sixDigits(s string) bool {
	if len(s) != 6 {
		return false
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// codeID is under what the code is kept; codeText what its hash is of.
func codeID(email, purpose string) []byte {
	h := sha256.Sum256([]byte("code\x00" + purpose + "\x00" + email))
	return h[:]
}

func codeText(email, purpose, code string) string {
	return "code\x00" + purpose + "\x00" + email + "\x00" + code
}

// macID is how much of a MAC is the name of its key: see rotate.
const macID = 8

// mac is a hash of the text with the key of that name, empty: the newest. The name
// stands before it, so that it can be verified after a rotation.
func (r *keyRing) mac(text, id string) []byte {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, k := range r.keys {
		if id == "" || k.ID == id {
			m := hmac.New(sha256.New, k.Secret)
			m.Write([]byte("picora\x00" + text)) // no token begins like this
			return m.Sum([]byte(k.ID))
		}
	}
	return nil
}

// hasMAC reports whether mac made the sum of the text.
func (r *keyRing) hasMAC(text string, sum []byte) bool {
	return len(sum) == macID+sha256.Size && hmac.Equal(r.mac(text, string(sum[:macID])), sum)
}
