package store

import (
	"context"
	"fmt"
	"time"

	"picora/store/kv"
)

//go:generate go tool msgp -tests=false -io=false -o user_gen.go

//msgp:timezone utc

// User is an account.
type User struct {
	ID       string    `msg:"id"`
	Email    string    `msg:"email"` // as it was given; compared without case
	Password string    `msg:"pw"`    // argon2id in PHC form; empty: no password sign-in
	Admin    bool      `msg:"admin"`
	Created  time.Time `msg:"created"`
}

// CreateUser adds u under a new id. ErrExists when the e-mail is taken.
func (s *Store) CreateUser(ctx context.Context, u User) (User, error) {
	u.ID, u.Created = NewID(IDLen), s.Now()
	err := s.db.Update(ctx, func(tx kv.Tx) error {
		if taken, err := has(tx, keyUserEmail(u.Email)); err != nil || taken {
			return or(err, fmt.Errorf("store: user %s: %w", u.Email, ErrExists))
		}
		if err := tx.Put(keyUserEmail(u.Email), []byte(u.ID)); err != nil {
			return err
		}
		return put(tx, keyUser(u.ID), &u)
	})
	return u, err
}

// UserByEmail finds the account with that address, compared without case.
func (s *Store) UserByEmail(ctx context.Context, email string) (u User, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		id, err := getKey(tx, keyUserEmail(email))
		if err != nil {
			return err
		}
		return get(tx, keyUser(string(id)), &u)
	})
	return u, err
}

// Users lists all accounts, by e-mail.
func (s *Store) Users(ctx context.Context) (list []User, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		list = nil
		for e, err := range tx.Scan(kv.Prefix(keyUserEmails)) {
			if err != nil {
				return err
			}
			var u User
			if err := get(tx, keyUser(string(e.Value)), &u); err != nil {
				return err
			}
			list = append(list, u)
		}
		return nil
	})
	return list, err
}

func or(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}
