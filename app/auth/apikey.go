package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"picora/app/fault"
	"picora/store"
)

// keyPrefix starts every API key; 32 random characters follow (contract 1.6).
const (
	keyPrefix = "sk_live_"
	keyRandom = 32
)

// KeyRequest is a key that is to be made.
type KeyRequest struct {
	User, Name, Description string
	Scopes                  []string  // none: all
	Expires                 time.Time // zero: never
	Most                    int64     // keys that the user may have with this one; negative: any number
}

// NewKey makes an API key for the user, however many they have, and returns its text,
// which is kept nowhere.
func (a *Auth) NewKey(ctx context.Context, user, name string, scopes []string) (plain string, k store.APIKey, err error) {
	return a.MakeKey(ctx, KeyRequest{User: user, Name: name, Scopes: scopes, Most: -1})
}

// MakeKey makes an API key and returns its text, which is kept nowhere.
func (a *Auth) MakeKey(ctx context.Context, r KeyRequest) (plain string, k store.APIKey, err error) {
	if len(r.Scopes) == 0 {
		r.Scopes = []string{"read_write_delete"}
	}
	k = store.APIKey{User: r.User}
	if err := a.EditKey(&k, KeyEdit{Name: &r.Name, Description: &r.Description, Scopes: r.Scopes, Expires: &r.Expires}); err != nil {
		return "", k, err
	}
	plain = keyPrefix + store.NewID(keyRandom)
	k.Hash, k.Prefix, k.Last4 = hashKey(plain), plain[:12], plain[len(plain)-4:]
	k, err = a.store.CreateAPIKey(ctx, k, r.Most)
	if full, is := errors.AsType[*store.FullError](err); is {
		f := fault.New(fault.QuotaExceeded, "Quota exceeded: api_key_count. You have %d of %d API keys. Revoke one that you do not need.", full.Used, full.Most)
		f.Meta = map[string]any{"type": "api_key_count", "used": full.Used, "limit": full.Most}
		return "", k, f
	}
	return plain, k, err
}

// KeyEdit is what is to be different about a key; nil stays as it is.
type KeyEdit struct {
	Name, Description *string
	Scopes            []string
	Expires           *time.Time // zero: never
}

// EditKey changes k, but does not store it.
func (a *Auth) EditKey(k *store.APIKey, e KeyEdit) error {
	if e.Name != nil {
		k.Name = strings.TrimSpace(*e.Name)
		if n := utf8.RuneCountInString(k.Name); n < 1 || n > 64 || !printable(k.Name) {
			return fault.New(fault.Invalid, "A key needs a name of 1 to 64 characters.")
		}
	}
	if e.Description != nil {
		k.Description = strings.TrimSpace(*e.Description)
		if utf8.RuneCountInString(k.Description) > 200 || !utf8.ValidString(k.Description) {
			return fault.New(fault.Invalid, "The description of a key has at most 200 characters.")
		}
	}
	if e.Scopes != nil {
		set, err := ParseScopes(e.Scopes)
		if err != nil {
			return err
		}
		if set == 0 {
			return fault.New(fault.Invalid, "A key needs one scope or more.")
		}
		k.Scopes, k.Generation = set.Names(), generation(e.Scopes)
	}
	if e.Expires != nil {
		if !e.Expires.IsZero() && !e.Expires.After(a.store.Now()) {
			return fault.New(fault.Invalid, "The time in expiresAt has passed already.")
		}
		k.Expires = *e.Expires
	}
	return nil
}

// printable reports whether s is text without control characters.
func printable(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) < 0
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
