package store

import (
	"context"
	"errors"
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

	Verified bool   `msg:"verified"` // it was shown that the address is theirs
	Nickname string `msg:"nick"`
	Locale   string `msg:"locale"` // "en", "zh-CN" or empty: not said

	Avatar     string    `msg:"avatar"`     // blob key; empty: none
	AvatarType string    `msg:"avatartype"` // MIME type
	AvatarSet  time.Time `msg:"avatarset"`
	AvatarLink string    `msg:"avatarlink"` // a picture elsewhere; only when Avatar is empty

	Plan      string           `msg:"plan"`      // "none", "trial", "pro" or "pro_plus"
	PlanEnds  time.Time        `msg:"planends"`  // zero: never
	Unlimited bool             `msg:"unlimited"` // no quota applies
	Limits    map[string]int64 `msg:"limits"`    // in place of the plan's, by the quota's name; negative: unlimited

	Banned    time.Time `msg:"banned"` // zero while the account may be used
	BanReason string    `msg:"banreason"`

	DocVersioning    bool `msg:"docversioning"`
	DocVersioningMax int  `msg:"docversioningmax"` // 0: the default

	Muted []string `msg:"muted"` // what no notification is wanted about, of NoticesAbout
}

// PlanAt is the account's plan as it is then: one that has ended is "none". Limits do
// not apply to accounts without limits, which have the largest, so that clients offer
// them everything.
func (u *User) PlanAt(now time.Time) string {
	switch ended := !u.PlanEnds.IsZero() && !u.PlanEnds.After(now); {
	case u.Unlimited && (ended || u.Plan == "none" || u.Plan == ""):
		return "pro_plus"
	case u.Unlimited:
		return u.Plan
	case ended || u.Plan == "":
		return "none"
	}
	return u.Plan
}

// FoldEmail is the form in which addresses are compared: small letters, of ASCII's only.
// Other scripts' letters stay: in Unicode, two addresses of which each is somebody else's
// can have one lower case (the Kelvin sign's is k).
func FoldEmail(email string) string {
	b := []byte(email)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// CreateUser adds u under a new id. ErrExists when the e-mail is taken.
func (s *Store) CreateUser(ctx context.Context, u User) (User, error) {
	u.ID, u.Created = NewID(IDLen), s.Now()
	err := s.db.Update(ctx, func(tx kv.Tx) error { return createUser(tx, u) })
	return u, err
}

// CreateFirstUser is CreateUser for a store that has no users. ErrExists when it has.
func (s *Store) CreateFirstUser(ctx context.Context, u User) (User, error) {
	u.ID, u.Created = NewID(IDLen), s.Now()
	err := s.db.Update(ctx, func(tx kv.Tx) error {
		if some, err := anyUser(tx); err != nil || some {
			return or(err, fmt.Errorf("store: a first user: %w", ErrExists))
		}
		return createUser(tx, u)
	})
	return u, err
}

func createUser(tx kv.Tx, u User) error {
	if taken, err := has(tx, keyUserEmail(u.Email)); err != nil || taken {
		return or(err, fmt.Errorf("store: user %s: %w", u.Email, ErrExists))
	}
	if err := tx.Put(keyUserEmail(u.Email), []byte(u.ID)); err != nil {
		return err
	}
	if err := changeAdmin(tx, u.ID, &User{}, &u); err != nil {
		return err
	}
	return put(tx, keyUser(u.ID), &u)
}

// AnyUser reports whether there are accounts.
func (s *Store) AnyUser(ctx context.Context) (some bool, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		some, err = anyUser(tx)
		return err
	})
	return some, err
}

func anyUser(tx kv.Reader) (bool, error) {
	for _, err := range tx.Scan(kv.Prefix(keyUserEmails)) {
		return err == nil, err
	}
	return false, nil
}

// User finds the account with that id.
func (s *Store) User(ctx context.Context, id string) (u User, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error { return get(tx, keyUser(id), &u) })
	return u, err
}

// UpdateUser changes the account with edit, which may be called again and must
// do no more than change its argument. ErrExists when the new e-mail is taken,
// ErrLastAdmin when nobody would be left to administer the server.
func (s *Store) UpdateUser(ctx context.Context, id string, edit func(*User) error) (u User, err error) {
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		u, err = updateUser(tx, id, edit)
		return err
	})
	return u, err
}

func updateUser(tx kv.Tx, id string, edit func(*User) error) (u User, err error) {
	if err := get(tx, keyUser(id), &u); err != nil {
		return u, err
	}
	old := u
	if err := edit(&u); err != nil {
		return u, err
	}
	if FoldEmail(old.Email) != FoldEmail(u.Email) {
		if taken, err := has(tx, keyUserEmail(u.Email)); err != nil || taken {
			return u, or(err, fmt.Errorf("store: user %s: %w", u.Email, ErrExists))
		}
		if err := tx.Delete(keyUserEmail(old.Email)); err != nil {
			return u, err
		}
		if err := tx.Put(keyUserEmail(u.Email), []byte(u.ID)); err != nil {
			return u, err
		}
	}
	if err := changeAdmin(tx, id, &old, &u); err != nil {
		return u, err
	}
	if err := changeAvatar(tx, &old, &u); err != nil {
		return u, err
	}
	return u, put(tx, keyUser(id), &u)
}

// changeAvatar notes whose a new avatar's blob is, and puts an old one into the trash.
func changeAvatar(tx kv.Tx, old, u *User) error {
	if u.Avatar == old.Avatar {
		return nil
	}
	if err := dropBlob(tx, old.Avatar); err != nil || u.Avatar == "" {
		return err
	}
	return tx.Put(keyBlob(u.Avatar), []byte(u.ID))
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
			if err := get(tx, keyUser(string(e.Value)), &u); errors.Is(err, ErrNotFound) {
				continue
			} else if err != nil {
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
