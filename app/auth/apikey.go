package auth

import (
	"context"
	"crypto/sha256"
	"strings"
	"unicode/utf8"

	"picora/app/fault"
	"picora/store"
)

// keyPrefix starts every API key; 32 random characters follow (contract 1.6).
const (
	keyPrefix = "sk_live_"
	keyRandom = 32
)

// NewKey makes an API key for the user and returns its text, which is kept nowhere.
func (a *Auth) NewKey(ctx context.Context, user, name string, scopes []string) (plain string, k store.APIKey, err error) {
	if n := utf8.RuneCountInString(name); n < 1 || n > 64 {
		return "", k, fault.New(fault.Invalid, "A key needs a name of 1 to 64 characters.")
	}
	if len(scopes) == 0 {
		scopes = []string{"read_write_delete"}
	}
	set, err := ParseScopes(scopes)
	if err != nil {
		return "", k, err
	}
	plain = keyPrefix + store.NewID(keyRandom)
	k, err = a.store.CreateAPIKey(ctx, store.APIKey{
		User: user, Name: name, Hash: hashKey(plain), Scopes: set.Names(),
		Prefix: plain[:12], Last4: plain[len(plain)-4:],
	})
	return plain, k, err
}

func validKey(s string) bool {
	rest, ok := strings.CutPrefix(s, keyPrefix)
	return ok && store.ValidID(rest, keyRandom)
}

// hashKey is what is stored of a key. The key has 192 random bits, so a fast
// hash without salt is enough.
func hashKey(s string) []byte {
	h := sha256.Sum256([]byte(s))
	return h[:]
}
