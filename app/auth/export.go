package auth

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"strings"
	"sync"
	"time"

	"picora/app/fault"
	"picora/app/link"
	"picora/store"
)

const (
	// ExportAge is how long an export token is good (contract 6).
	ExportAge = 5 * time.Minute

	exportPrefix = "ott_"
	maxExports   = 1000 // of everybody
	userExports  = 10   // of one user
	maxAskers    = 2_000
)

// exports are the tokens with which a program may fetch an API key, once. They are in
// memory only, so a restart ends them: the key itself is kept nowhere else. Even here
// it is encrypted, with a key that only the token gives.
type exports struct {
	mu   sync.Mutex
	made map[[32]byte]*export // by a hash of the token
	asks window               // by address
}

type export struct {
	user, key string // ids
	sealed    []byte
	expires   time.Time
	used      bool
}

func newExports() *exports {
	return &exports{
		made: map[[32]byte]*export{},
		asks: window{rules: []per{{20, time.Minute}, {500, time.Hour}}, most: maxAskers},
	}
}

// NewExport makes a token for the caller's API key, given with its id.
func (a *Auth) NewExport(ctx context.Context, who Caller, keyID, plain string) (token string, expires time.Time, err error) {
	if !validKey(plain) {
		return "", expires, fault.New(fault.BadRequest, "The field apiKey must be a whole API key, sk_live_ and 32 characters.")
	}
	k, err := a.store.APIKey(ctx, keyID)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && k.User != who.User:
		return "", expires, fault.New(fault.NotFound, "There is no such API key.")
	case err != nil:
		return "", expires, err
	case subtle.ConstantTimeCompare(k.Hash, hashKey(plain)) != 1:
		return "", expires, fault.New(fault.Forbidden, "The API key does not belong to this keyId.")
	}
	if _, err := a.byKey(ctx, plain); err != nil { // revoked or expired: no 401, the session is fine
		return "", expires, fault.New(fault.Forbidden, "%s", fault.From(err).Message)
	}
	token = exportPrefix + store.NewID(refreshLen)
	now := a.store.Now()
	expires = now.Add(ExportAge)
	sealed, err := seal(token, plain)
	if err != nil {
		return "", expires, err
	}
	x := a.otts
	x.mu.Lock()
	defer x.mu.Unlock()
	x.makeRoom(now, who.User)
	x.made[exportID(token)] = &export{user: who.User, key: k.ID, sealed: sealed, expires: expires}
	return token, expires, nil
}

// makeRoom forgets the tokens whose time is over, and the oldest when there are too
// many.
func (x *exports) makeRoom(now time.Time, user string) {
	for {
		var own, all int
		var oldest, oldestOwn [32]byte
		for id, e := range x.made {
			if now.Sub(e.expires) > ExportAge { // until then it answers that it is over
				delete(x.made, id)
				continue
			}
			if all++; all == 1 || e.expires.Before(x.made[oldest].expires) {
				oldest = id
			}
			if e.user == user {
				if own++; own == 1 || e.expires.Before(x.made[oldestOwn].expires) {
					oldestOwn = id
				}
			}
		}
		switch {
		case own >= userExports:
			delete(x.made, oldestOwn)
		case all >= maxExports:
			delete(x.made, oldest)
		default:
			return
		}
	}
}

// UseExport gives the API key of a token, once, and its user.
func (a *Auth) UseExport(ctx context.Context, token string) (plain string, u store.User, err error) {
	now, x := a.store.Now(), a.otts
	from := network(link.Client(ctx))
	x.mu.Lock()
	wait := x.asks.wait(from, now)
	if wait == 0 {
		x.asks.add(from, now)
	}
	x.mu.Unlock()
	if wait > 0 {
		return "", u, tooMany(wait, "Too many export tokens were tried.")
	}
	rest, is := strings.CutPrefix(token, exportPrefix)
	if !is || !store.ValidID(rest, refreshLen) {
		return "", u, fault.New(fault.BadRequest, "The field ott must be an export token, ott_ and 43 characters.")
	}
	sealed, err := x.take(token, now)
	if err != nil {
		return "", u, err
	}
	if plain, err = unseal(token, sealed); err != nil {
		return "", u, err
	}
	who, err := a.byKey(ctx, plain)
	return plain, who.Account, err
}

func (x *exports) take(token string, now time.Time) ([]byte, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	e := x.made[exportID(token)]
	switch {
	case e == nil:
		return nil, fault.New(fault.NotFound, "There is no such export token. Make a new one.")
	case e.used:
		return nil, fault.New(fault.Gone, "This export token was used. Make a new one.")
	case !e.expires.After(now):
		return nil, fault.New(fault.Gone, "This export token has expired. Make a new one.")
	}
	sealed := e.sealed
	e.used, e.sealed = true, nil
	return sealed, nil
}

func exportID(token string) [32]byte { return sha256.Sum256([]byte("export id\x00" + token)) }

// box encrypts with a key made of the token, which is random and used for one text: so
// the nonce may be the same for all.
func box(token string) (cipher.AEAD, []byte, error) {
	k := sha256.Sum256([]byte("export key\x00" + token))
	b, err := aes.NewCipher(k[:])
	if err != nil {
		return nil, nil, err
	}
	g, err := cipher.NewGCM(b)
	if err != nil {
		return nil, nil, err
	}
	return g, make([]byte, g.NonceSize()), nil
}

func seal(token, plain string) ([]byte, error) {
	g, nonce, err := box(token)
	if err != nil {
		return nil, err
	}
	return g.Seal(nil, nonce, []byte(plain), nil), nil
}

func unseal(token string, sealed []byte) (string, error) {
	g, nonce, err := box(token)
	if err != nil {
		return "", err
	}
	b, err := g.Open(nil, nonce, sealed, nil)
	return string(b), err
}
