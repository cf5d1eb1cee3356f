package auth

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"picora/app/fault"
	"picora/store"
)

// AccessAge is how long an access token is good (contract, seeds: 15 minutes).
const AccessAge = 15 * time.Minute

// issuer is what our tokens name as their maker, so that no other token signed with
// HMAC by this program is ever taken for one.
const issuer = "picora"

// ringFile holds the keys, in the data folder, for its owner only. They are not in
// the database, so that a copy of that lets nobody sign in.
const ringFile = "session-keys.json"

// keyRing signs and verifies access tokens: JSON Web Tokens (RFC 7519), HMAC-SHA256.
// The newest key signs; older ones verify until their last token has expired, so a
// rotation signs nobody out.
type keyRing struct {
	path string
	mu   sync.RWMutex
	keys []signingKey // newest first
}

type signingKey struct {
	ID      string    `json:"id"`
	Secret  []byte    `json:"secret"`
	Created time.Time `json:"created"`
}

func openRing(data string) (*keyRing, error) {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, fmt.Errorf("session keys: %w", err)
	}
	r := &keyRing{path: filepath.Join(data, ringFile)}
	b, err := os.ReadFile(r.path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, r.rotate(time.Now())
	}
	if err == nil {
		err = json.Unmarshal(b, &r.keys)
	}
	if err == nil && len(r.keys) == 0 {
		err = errors.New("there is no key in it")
	}
	for _, k := range r.keys {
		if len(k.Secret) < 32 {
			err = errors.New("a key in it is too short")
		}
	}
	if err != nil {
		return nil, fmt.Errorf("session keys: %s: %w; remove the file to have new keys made, which signs everybody out for a moment", r.path, err)
	}
	return r, nil
}

// rotate makes a new key, and forgets those that no token can be signed with any more.
func (r *keyRing) rotate(now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	secret := make([]byte, 32)
	rand.Read(secret)
	keys := []signingKey{{ID: store.NewID(8), Secret: secret, Created: now.UTC()}}
	for i, k := range r.keys {
		if i > 0 && now.Sub(r.keys[i-1].Created) > AccessAge+time.Minute {
			break // its successor has signed for longer than its last token lived
		}
		keys = append(keys, k)
	}
	b, err := json.MarshalIndent(keys, "", "  ")
	if err != nil {
		return err
	}
	if err := writeFile(r.path, append(b, '\n')); err != nil {
		return fmt.Errorf("session keys: %w", err)
	}
	r.keys = keys
	return nil
}

// writeFile replaces a file that only its owner may read, whole or not at all.
func writeFile(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.part") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// claims are what an access token says. Clients read exp; the rest is ours.
type claims struct {
	jwt.RegisteredClaims
	Session string `json:"sid"`
	Role    string `json:"role"`
}

func (r *keyRing) sign(session string, u store.User, now time.Time) (string, error) {
	role := "user"
	if u.Admin {
		role = "admin"
	}
	t := jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		jwt.RegisteredClaims{
			Issuer: issuer, Subject: u.ID,
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(AccessAge)),
		}, session, role,
	})
	r.mu.RLock()
	k := r.keys[0]
	r.mu.RUnlock()
	t.Header["kid"] = k.ID
	return t.SignedString(k.Secret)
}

// maxToken is far more than a token of ours; parsing costs by length.
const maxToken = 2048

// verify returns the session that the token is of. What the session and its user may
// do is the store's to say, not the token's.
func (r *keyRing) verify(token string, now time.Time) (session string, err error) {
	bad := fault.New(fault.Unauthorized, "This access token is not one of this server. Sign in again.")
	if len(token) > maxToken {
		return "", bad
	}
	var c claims
	_, err = jwt.ParseWithClaims(token, &c, r.key,
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithIssuer(issuer), jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(), jwt.WithLeeway(5*time.Second), jwt.WithTimeFunc(func() time.Time { return now }))
	switch {
	// Expired alone: the library names every complaint it has.
	case errors.Is(err, jwt.ErrTokenExpired) && !errors.Is(err, jwt.ErrTokenInvalidIssuer) && !errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return "", fault.New(fault.TokenExpired, "This access token has expired. POST /v1/auth/refresh gives a new one.")
	case err != nil || !store.ValidID(c.Session, store.IDLen):
		return "", bad
	}
	return c.Session, nil
}

func (r *keyRing) key(t *jwt.Token) (any, error) {
	id, _ := t.Header["kid"].(string)
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, k := range r.keys {
		if k.ID == id {
			return bytes.Clone(k.Secret), nil
		}
	}
	return nil, errors.New("no such key")
}

// RotateKeys has access tokens signed with a new key. Nobody is signed out.
func (a *Auth) RotateKeys() error { return a.ring.rotate(a.store.Now()) }
