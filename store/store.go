// Package store keeps Picora's records over the ordered key-value seam of
// package kv: one file a record, every key in keys.go, every rule that needs no
// collaborator (unique e-mail, one picture a hash) inside the transaction.
package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"picora/store/kv"
)

// ErrNotFound says that there is no such record, or not for this user.
var ErrNotFound = errors.New("store: not found")

// ErrExists says that a unique value is taken.
var ErrExists = errors.New("store: exists already")

// Store is every record of one Picora.
type Store struct {
	db      kv.DB
	holders holders // of API keys

	indexing sync.Mutex // one at a time writes the index of words
	paced    int        // records that it takes at a time; of indexing
	// Now is the clock; tests set it.
	Now func() time.Time
}

// Open brings the records in db to this program's schema and returns them. A
// copy of the database goes into backups before the first migration of one that
// holds data already.
func Open(ctx context.Context, db kv.DB, backups string) (*Store, error) {
	if err := migrate(ctx, db, migrations, backups); err != nil {
		return nil, err
	}
	s := &Store{db: db, Now: func() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }}
	return s, s.fill(ctx)
}

// Close closes the database.
func (s *Store) Close() error { return s.db.Close() }

// record is what msgp generates for the record types.
type record interface {
	MarshalMsg([]byte) ([]byte, error)
	UnmarshalMsg([]byte) ([]byte, error)
}

// get reads the record under key into r.
func get(tx kv.Reader, key []byte, r record) error {
	b, err := tx.Get(key)
	if errors.Is(err, kv.ErrNotFound) {
		return ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("store: read: %w", err)
	}
	if _, err := r.UnmarshalMsg(b); err != nil {
		return fmt.Errorf("store: record under %q is damaged: %w", key, err)
	}
	return nil
}

func put(tx kv.Tx, key []byte, r record) error {
	b, err := r.MarshalMsg(nil)
	if err != nil {
		return fmt.Errorf("store: encode: %w", err)
	}
	return tx.Put(key, b)
}

// getKey reads the key that an index entry holds. The copy outlives the transaction.
func getKey(tx kv.Reader, key []byte) ([]byte, error) {
	b, err := tx.Get(key)
	if errors.Is(err, kv.ErrNotFound) {
		return nil, ErrNotFound
	}
	return append([]byte(nil), b...), err
}

func has(tx kv.Reader, key []byte) (bool, error) {
	_, err := tx.Get(key)
	if errors.Is(err, kv.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
