package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
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
	Scopes  []string  `msg:"scopes"` // canonical names, or one tier; see package auth
	Created time.Time `msg:"created"`
	Revoked time.Time `msg:"revoked"` // zero while the key is good

	Description string    `msg:"about"`
	Expires     time.Time `msg:"expires"` // zero: never
	Used        time.Time `msg:"used"`    // written lazily: the last use is up to some minutes later
	Generation  int       `msg:"gen"`     // scope vocabulary it was made in: 1 or 0 tiers, 2 dotted names
}

// FullError says that a user has as many of something as they may.
type FullError struct{ Used, Most int64 }

func (e *FullError) Error() string { return fmt.Sprintf("store: %d of %d are there", e.Used, e.Most) }

// CreateAPIKey adds k under a new id. The user may have most keys then, revoked ones
// not counted, or any number when most is negative; a *FullError when they have them.
func (s *Store) CreateAPIKey(ctx context.Context, k APIKey, most int64) (APIKey, error) {
	k.ID, k.Created = NewID(IDLen), s.Now()
	err := s.db.Update(ctx, func(tx kv.Tx) error {
		if err := notGone(tx, k.User); err != nil {
			return err
		}
		if err := roomForKey(tx, k.User, most); err != nil {
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

// mostRevoked is how many of a user's revoked keys are remembered, so that who uses one
// is told so. Of more, the ones revoked first are forgotten.
const mostRevoked = 100

func forgetRevoked(tx kv.Tx, keys []APIKey) error {
	keys = slices.DeleteFunc(keys, func(k APIKey) bool { return k.Revoked.IsZero() })
	slices.SortFunc(keys, func(a, b APIKey) int { return a.Revoked.Compare(b.Revoked) })
	for _, k := range keys[:max(0, len(keys)-mostRevoked)] {
		for _, key := range [][]byte{keyAPIKeyHash(k.Hash), keyUserAPIKey(k.User, k.ID), keyAPIKey(k.ID)} {
			if err := tx.Delete(key); err != nil {
				return err
			}
		}
	}
	return nil
}

// roomForKey refuses one key more than most, and makes room where revoked ones take it.
func roomForKey(tx kv.Tx, user string, most int64) error {
	if most < 0 {
		return nil
	}
	keys, err := apiKeys(tx, user)
	if err != nil {
		return err
	}
	var used int64
	for _, k := range keys {
		if k.Revoked.IsZero() {
			used++
		}
	}
	if used >= most {
		return &FullError{used, most}
	}
	return forgetRevoked(tx, keys)
}

// KeyHolder finds the key with that SHA-256, revoked or not, and its user, in one
// read: what every request with a key costs. Slices and maps in them are shared with
// other callers, who must not change them.
func (s *Store) KeyHolder(ctx context.Context, hash []byte) (k APIKey, u User, err error) {
	known := s.holders.of(hash)
	h := known.Load()
	if h == nil {
		h = new(holder)
	}
	err = s.db.View(ctx, func(tx kv.Reader) error {
		id, err := tx.Get(keyAPIKeyHash(hash))
		if errors.Is(err, kv.ErrNotFound) {
			return ErrNotFound
		}
		if err != nil {
			return err
		}
		if h, err = h.read(tx, string(id)); err != nil {
			return err
		}
		k, u = h.key, h.user
		return nil
	})
	if err == nil {
		known.Store(h)
	}
	return k, u, err
}

// A holder is a key and its user as they were last read, decoded: decoding is most of
// what finding them costs. It is good as long as the records are, byte for byte.
type holder struct {
	keyBytes, userBytes []byte
	key                 APIKey
	user                User
}

// read returns h, or, when the records are others by now, what they are.
func (h *holder) read(tx kv.Reader, id string) (*holder, error) {
	b, err := tx.Get(keyAPIKey(id))
	if err == nil && bytes.Equal(b, h.keyBytes) {
		if b, err = tx.Get(keyUser(h.key.User)); err == nil && bytes.Equal(b, h.userBytes) {
			return h, nil
		}
	}
	h = new(holder)
	if err := get(tx, keyAPIKey(id), &h.key); err != nil {
		return nil, err
	}
	if err := get(tx, keyUser(h.key.User), &h.user); err != nil {
		return nil, err
	}
	if b, err = tx.Get(keyAPIKey(id)); err == nil {
		h.keyBytes = bytes.Clone(b)
		b, err = tx.Get(keyUser(h.key.User))
		h.userBytes = bytes.Clone(b)
	}
	return h, err
}

// holders remembers some: one for each beginning that a hash can have.
type holders [1024]atomic.Pointer[holder]

func (l *holders) of(hash []byte) *atomic.Pointer[holder] {
	var n uint16
	if len(hash) > 1 {
		n = binary.BigEndian.Uint16(hash)
	}
	return &l[int(n)%len(l)]
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
		list, err = apiKeys(tx, user)
		return err
	})
	return list, err
}

func apiKeys(tx kv.Reader, user string) (list []APIKey, err error) {
	for e, err := range tx.Scan(kv.Prefix(keysOfUser(user))) {
		if err != nil {
			return nil, err
		}
		var k APIKey
		if err := get(tx, keyAPIKey(string(e.Key[len(keysOfUser(""))+IDLen:])), &k); err != nil {
			return nil, err
		}
		list = append(list, k)
	}
	return list, nil
}

// UseAPIKeys notes when keys were last used, those by their ids whose record is at
// least so much older. Keys that are gone are passed over.
func (s *Store) UseAPIKeys(ctx context.Context, used map[string]time.Time, older time.Duration) error {
	return s.db.Update(ctx, func(tx kv.Tx) error {
		for id, at := range used {
			var k APIKey
			err := get(tx, keyAPIKey(id), &k)
			if errors.Is(err, ErrNotFound) || err == nil && at.Sub(k.Used) < older {
				continue
			}
			if err != nil {
				return err
			}
			k.Used = at
			if err := put(tx, keyAPIKey(id), &k); err != nil {
				return err
			}
		}
		return nil
	})
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
