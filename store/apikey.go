package store

import (
	"context"
	"errors"
	"time"

	"picora/store/kv"
)

//go:generate go tool msgp -tests=false -io=false -o apikey_gen.go

//msgp:timezone utc

// APIKey is a credential of a user. The key itself is not kept, only its SHA-256.
type APIKey struct {
	ID      string    `msg:"id"`
	User    string    `msg:"user"`
	Name    string    `msg:"name"`
	Hash    []byte    `msg:"hash"`   // SHA-256 of the whole key text
	Prefix  string    `msg:"prefix"` // first 12 characters, to be recognised by
	Last4   string    `msg:"last4"`
	Scopes  []string  `msg:"scopes"` // canonical names, see package auth
	Created time.Time `msg:"created"`
	Revoked time.Time `msg:"revoked"` // zero while the key is good

	Description string    `msg:"about"`
	Expires     time.Time `msg:"expires"` // zero: never
	Used        time.Time `msg:"used"`    // written lazily: the last use is up to some minutes later
	Generation  int       `msg:"gen"`     // scope vocabulary it was made in: 1 or 0 tiers, 2 dotted names
}

// CreateAPIKey adds k under a new id.
func (s *Store) CreateAPIKey(ctx context.Context, k APIKey) (APIKey, error) {
	k.ID, k.Created = NewID(IDLen), s.Now()
	err := s.db.Update(ctx, func(tx kv.Tx) error {
		if err := notGone(tx, k.User); err != nil {
			return err
		}
		if err := tx.Put(keyAPIKeyHash(k.Hash), []byte(k.ID)); err != nil {
			return err
		}
		if err := tx.Put(keyUserAPIKey(k.User, k.ID), nil); err != nil {
			return err
		}
		return put(tx, keyAPIKey(k.ID), &k)
	})
	return k, err
}

// KeyHolder finds the key with that SHA-256, revoked or not, and its user, in one
// read: what every request with a key costs.
func (s *Store) KeyHolder(ctx context.Context, hash []byte) (k APIKey, u User, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		id, err := tx.Get(keyAPIKeyHash(hash))
		if errors.Is(err, kv.ErrNotFound) {
			return ErrNotFound
		}
		if err != nil {
			return err
		}
		if err := get(tx, keyAPIKey(string(id)), &k); err != nil {
			return err
		}
		return get(tx, keyUser(k.User), &u)
	})
	return k, u, err
}

// APIKey finds the key with that id, revoked or not.
func (s *Store) APIKey(ctx context.Context, id string) (k APIKey, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error { return get(tx, keyAPIKey(id), &k) })
	return k, err
}

// UpdateAPIKey changes the key with edit, which may be called again and must do no
// more than change its argument.
func (s *Store) UpdateAPIKey(ctx context.Context, id string, edit func(*APIKey) error) (k APIKey, err error) {
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		k = APIKey{}
		if err := get(tx, keyAPIKey(id), &k); err != nil {
			return err
		}
		if err := edit(&k); err != nil {
			return err
		}
		return put(tx, keyAPIKey(id), &k)
	})
	return k, err
}

// APIKeys lists a user's keys, revoked ones too; an empty user means everybody's.
func (s *Store) APIKeys(ctx context.Context, user string) (list []APIKey, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		list = nil
		for e, err := range tx.Scan(kv.Prefix(keysOfUser(user))) {
			if err != nil {
				return err
			}
			var k APIKey
			if err := get(tx, keyAPIKey(string(e.Key[len(keysOfUser(""))+IDLen:])), &k); err != nil {
				return err
			}
			list = append(list, k)
		}
		return nil
	})
	return list, err
}

// RevokeAPIKey ends the key; the next request with it is refused. A second time
// changes nothing.
func (s *Store) RevokeAPIKey(ctx context.Context, id string) error {
	_, err := s.UpdateAPIKey(ctx, id, func(k *APIKey) error {
		if k.Revoked.IsZero() {
			k.Revoked = s.Now()
		}
		return nil
	})
	return err
}
