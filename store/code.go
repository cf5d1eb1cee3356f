package store

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"picora/store/kv"
)

//go:generate go tool msgp -tests=false -io=false -o code_gen.go

//msgp:timezone utc

// Code is a number that was sent to somebody, to be typed in. The number itself is not
// kept: Hash is one with a key, for there are few enough numbers to try them all.
type Code struct {
	Hash    []byte    `msg:"hash"`
	Created time.Time `msg:"created"`
	Expires time.Time `msg:"expires"`
	Wrong   int       `msg:"wrong"` // tries that were not it
}

// PutCode keeps c under id, a SHA-256 of what the code is for; an older one is void.
func (s *Store) PutCode(ctx context.Context, id []byte, c Code) error {
	return s.db.Update(ctx, func(tx kv.Tx) error { return put(tx, keyCode(id), &c) })
}

// TryCode asks right whether it accepts the code under id. A code that it accepts is
// taken away when take says so. One that it refuses has one more wrong try, and after
// most of them is void. Expired ones are ErrNotFound, like those that are not there.
func (s *Store) TryCode(ctx context.Context, id []byte, most int, take bool, right func(Code) bool) (ok bool, err error) {
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		ok = false
		var c Code
		if err := get(tx, keyCode(id), &c); err != nil {
			return err
		}
		switch {
		case !c.Expires.After(s.Now()):
			return ErrNotFound
		case right(c):
			ok = true
			if take {
				return tx.Delete(keyCode(id))
			}
			return nil
		}
		if c.Wrong++; c.Wrong >= most {
			return tx.Delete(keyCode(id))
		}
		return put(tx, keyCode(id), &c)
	})
	return ok && err == nil, err
}

// DeleteExpiredCodes removes the codes that nobody used in time.
func (s *Store) DeleteExpiredCodes(ctx context.Context) (n int, err error) {
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		n = 0
		var gone [][]byte
		for e, err := range tx.Scan(kv.Prefix(key("co"))) {
			if err != nil {
				return err
			}
			var c Code
			if _, err := c.UnmarshalMsg(e.Value); err != nil {
				return fmt.Errorf("store: record under %q is damaged: %w", e.Key, err)
			}
			if !c.Expires.After(s.Now()) {
				gone = append(gone, bytes.Clone(e.Key))
			}
		}
		for _, k := range gone {
			if err := tx.Delete(k); err != nil {
				return err
			}
		}
		n = len(gone)
		return nil
	})
	return n, err
}
