package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"picora/store/kv"
)

//go:generate go tool msgp -tests=false -io=false -o factor_gen.go

//msgp:timezone utc

// Factors is what a user set up beside a password: an authenticator app, recovery
// codes, passkeys. Who set up nothing has no record.
type Factors struct {
	User string `msg:"user"`

	Secret  []byte    `msg:"secret"`  // of the authenticator app (TOTP), in force
	Since   time.Time `msg:"since"`   // when it came in force
	Step    int64     `msg:"step"`    // the last time step whose code was taken
	Pending []byte    `msg:"pending"` // a secret whose first code was not shown yet

	Recovery [][]byte  `msg:"recovery"` // SHA-256 of the codes that were not used
	Wrong    int       `msg:"wrong"`    // wrong answers in a row
	Wait     time.Time `msg:"wait"`     // until then no answer is looked at

	Passkeys []Passkey `msg:"passkeys"`
}

// Passkey is a credential of WebAuthn.
type Passkey struct {
	ID         string    `msg:"id"`
	Name       string    `msg:"name"`
	Credential []byte    `msg:"cred"`  // the credential's own id
	Key        []byte    `msg:"key"`   // public, COSE
	Count      uint32    `msg:"count"` // signatures, as the authenticator counts them; many do not
	Flags      byte      `msg:"flags"` // of the authenticator's data
	Model      []byte    `msg:"model"` // AAGUID
	Transports []string  `msg:"transports"`
	Created    time.Time `msg:"created"`
	Used       time.Time `msg:"used"` // zero: never
}

// Factors reads what the user set up; nothing when there is no record.
func (s *Store) Factors(ctx context.Context, user string) (f Factors, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		f = Factors{User: user}
		if err := get(tx, keyFactors(user), &f); !errors.Is(err, ErrNotFound) {
			return err
		}
		return nil
	})
	return f, err
}

// UpdateFactors changes what the user set up with edit, which may be called again and
// must do no more than change its argument. ErrNotFound when there is no such user.
func (s *Store) UpdateFactors(ctx context.Context, user string, edit func(*Factors) error) (f Factors, err error) {
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		if known, err := has(tx, keyUser(user)); err != nil || !known {
			return or(err, fmt.Errorf("store: factors of %s: %w", user, ErrNotFound))
		}
		f = Factors{User: user}
		if err := get(tx, keyFactors(user), &f); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if err := edit(&f); err != nil {
			return err
		}
		return put(tx, keyFactors(user), &f)
	})
	return f, err
}

// DeleteFactors forgets what the user set up: the password alone opens the account
// again. Nothing to forget is no error.
func (s *Store) DeleteFactors(ctx context.Context, user string) error {
	return s.db.Update(ctx, func(tx kv.Tx) error { return tx.Delete(keyFactors(user)) })
}

// Identity is an account elsewhere with which a user signs in here: what an OpenID
// Connect provider knows them by.
type Identity struct {
	ID       string    `msg:"id"`
	User     string    `msg:"user"`
	Provider string    `msg:"provider"` // the name in our settings when it was linked
	Issuer   string    `msg:"issuer"`
	Subject  string    `msg:"subject"`
	Email    string    `msg:"email"` // as the provider had it
	Created  time.Time `msg:"created"`
}

// CreateIdentity links x to its user, under a new id. ErrExists when the account
// elsewhere is linked already, to anybody.
func (s *Store) CreateIdentity(ctx context.Context, x Identity) (Identity, error) {
	x.ID, x.Created = NewID(IDLen), s.Now()
	err := s.db.Update(ctx, func(tx kv.Tx) error {
		if known, err := has(tx, keyUser(x.User)); err != nil || !known {
			return or(err, fmt.Errorf("store: identity of %s: %w", x.User, ErrNotFound))
		}
		return createIdentity(tx, x)
	})
	return x, err
}

// CreateUserIdentity is CreateUser and CreateIdentity in one.
func (s *Store) CreateUserIdentity(ctx context.Context, u User, x Identity) (User, Identity, error) {
	u.ID, u.Created = NewID(IDLen), s.Now()
	x.ID, x.User, x.Created = NewID(IDLen), u.ID, u.Created
	err := s.db.Update(ctx, func(tx kv.Tx) error {
		if err := createUser(tx, u); err != nil {
			return err
		}
		return createIdentity(tx, x)
	})
	return u, x, err
}

func createIdentity(tx kv.Tx, x Identity) error {
	at := keyIdentityOf(x.Issuer, x.Subject)
	if taken, err := has(tx, at); err != nil || taken {
		return or(err, fmt.Errorf("store: identity at %s: %w", x.Issuer, ErrExists))
	}
	if err := tx.Put(at, append([]byte(x.User), x.ID...)); err != nil {
		return err
	}
	return put(tx, keyIdentity(x.User, x.ID), &x)
}

// IdentityOf finds who the provider's subject is here.
func (s *Store) IdentityOf(ctx context.Context, issuer, subject string) (x Identity, u User, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		at, err := getKey(tx, keyIdentityOf(issuer, subject))
		if err != nil {
			return err
		}
		x = Identity{}
		if err := get(tx, keyIdentity(string(at[:IDLen]), string(at[IDLen:])), &x); err != nil {
			return err
		}
		u = User{}
		return get(tx, keyUser(x.User), &u)
	})
	return x, u, err
}

// Identities lists a user's accounts elsewhere, the oldest first.
func (s *Store) Identities(ctx context.Context, user string) (list []Identity, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		list, err = identities(tx, user)
		return err
	})
	return list, err
}

func identities(tx kv.Reader, user string) (list []Identity, err error) {
	for e, err := range tx.Scan(kv.Prefix(identitiesOf(user))) {
		if err != nil {
			return nil, err
		}
		var x Identity
		if _, err := x.UnmarshalMsg(bytes.Clone(e.Value)); err != nil {
			return nil, fmt.Errorf("store: record under %q is damaged: %w", e.Key, err)
		}
		i := len(list)
		for i > 0 && x.Created.Before(list[i-1].Created) {
			i--
		}
		list = append(list[:i], append([]Identity{x}, list[i:]...)...)
	}
	return list, nil
}

// DeleteIdentity unlinks the user's account elsewhere with that id.
func (s *Store) DeleteIdentity(ctx context.Context, user, id string) error {
	return s.db.Update(ctx, func(tx kv.Tx) error {
		var x Identity
		if err := get(tx, keyIdentity(user, id), &x); err != nil {
			return err
		}
		return deleteIdentity(tx, x)
	})
}

// DeleteIdentities unlinks all of the user's accounts elsewhere.
func (s *Store) DeleteIdentities(ctx context.Context, user string) error {
	return s.db.Update(ctx, func(tx kv.Tx) error {
		list, err := identities(tx, user)
		if err != nil {
			return err
		}
		for _, x := range list {
			if err := deleteIdentity(tx, x); err != nil {
				return err
			}
		}
		return nil
	})
}

func deleteIdentity(tx kv.Tx, x Identity) error {
	return or(tx.Delete(keyIdentityOf(x.Issuer, x.Subject)), tx.Delete(keyIdentity(x.User, x.ID)))
}
