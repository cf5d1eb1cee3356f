package store

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"picora/store/kv"
)

//go:generate go tool msgp -tests=false -io=false -o session_gen.go

//msgp:timezone utc

// Session is a sign-in of a user on one device. Its refresh token is not kept, only
// that token's SHA-256.
type Session struct {
	ID      string    `msg:"id"`
	User    string    `msg:"user"`
	Hash    []byte    `msg:"hash"`
	Method  string    `msg:"method"` // how they signed in: password, code, passkey, oidc, setup
	Agent   string    `msg:"agent"`  // User-Agent, at most 256 bytes
	Address string    `msg:"addr"`   // IP address of the last use
	Created time.Time `msg:"created"`
	Used    time.Time `msg:"used"` // the last refresh
	Expires time.Time `msg:"expires"`
	Proved  time.Time `msg:"proved"` // the person last showed who they are
}

// CreateSession adds x under a new id. At most most of the user's sessions are
// kept: the ones used least recently end. ErrNotFound when there is no such user.
func (s *Store) CreateSession(ctx context.Context, x Session, most int) (Session, error) {
	x.ID = NewID(IDLen)
	err := s.db.Update(ctx, func(tx kv.Tx) error {
		if known, err := has(tx, keyUser(x.User)); err != nil || !known {
			return or(err, fmt.Errorf("store: session of %s: %w", x.User, ErrNotFound))
		}
		list, err := sessions(tx, x.User)
		if err != nil {
			return err
		}
		for len(list) >= most {
			oldest := 0
			for i := range list {
				if list[i].Used.Before(list[oldest].Used) {
					oldest = i
				}
			}
			if err := deleteSession(tx, list[oldest]); err != nil {
				return err
			}
			list = append(list[:oldest], list[oldest+1:]...)
		}
		if err := tx.Put(keySessionHash(x.Hash), []byte(x.ID)); err != nil {
			return err
		}
		if err := tx.Put(keyUserSession(x.User, x.ID), nil); err != nil {
			return err
		}
		return put(tx, keySession(x.ID), &x)
	})
	return x, err
}

// SignedIn finds the session with that id and its user, in one read: what every
// request of somebody who signed in costs. Expired ones are found, too.
func (s *Store) SignedIn(ctx context.Context, id string) (x Session, u User, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		if err := get(tx, keySession(id), &x); err != nil {
			return err
		}
		return get(tx, keyUser(x.User), &u)
	})
	return x, u, err
}

// SessionByHash finds the session whose refresh token has that SHA-256.
func (s *Store) SessionByHash(ctx context.Context, hash []byte) (x Session, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		id, err := getKey(tx, keySessionHash(hash))
		if err != nil {
			return err
		}
		return get(tx, keySession(string(id)), &x)
	})
	return x, err
}

// Sessions lists a user's sessions, in no particular order; expired ones, too.
func (s *Store) Sessions(ctx context.Context, user string) (list []Session, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		list, err = sessions(tx, user)
		return err
	})
	return list, err
}

func sessions(tx kv.Reader, user string) (list []Session, err error) {
	prefix := sessionsOf(user)
	for e, err := range tx.Scan(kv.Prefix(prefix)) {
		if err != nil {
			return nil, err
		}
		var x Session
		if err := get(tx, keySession(string(e.Key[len(prefix):])), &x); err != nil {
			return nil, err
		}
		list = append(list, x)
	}
	return list, nil
}

// UpdateSession changes the session with edit, which may be called again and must
// do no more than change its argument. The user and the hash stay.
func (s *Store) UpdateSession(ctx context.Context, id string, edit func(*Session) error) (x Session, err error) {
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		x = Session{}
		if err := get(tx, keySession(id), &x); err != nil {
			return err
		}
		if err := edit(&x); err != nil {
			return err
		}
		return put(tx, keySession(id), &x)
	})
	return x, err
}

// DeleteSession ends the user's session with that id.
func (s *Store) DeleteSession(ctx context.Context, user, id string) error {
	return s.db.Update(ctx, func(tx kv.Tx) error {
		var x Session
		if err := get(tx, keySession(id), &x); err != nil {
			return err
		}
		if x.User != user {
			return ErrNotFound
		}
		return deleteSession(tx, x)
	})
}

// DeleteSessions ends all of the user's sessions but the one with the id except, and
// returns how many.
func (s *Store) DeleteSessions(ctx context.Context, user, except string) (n int, err error) {
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		n = 0
		list, err := sessions(tx, user)
		if err != nil {
			return err
		}
		for _, x := range list {
			if x.ID == except {
				continue
			}
			if err := deleteSession(tx, x); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}

// DeleteExpiredSessions removes the sessions that ended by themselves, and returns
// how many.
func (s *Store) DeleteExpiredSessions(ctx context.Context) (n int, err error) {
	const batch = 1000
	from := []byte(nil)
	for {
		var gone []Session
		last := []byte(nil)
		err := s.db.View(ctx, func(tx kv.Reader) error {
			gone, last = nil, nil
			r, seen := kv.Prefix(key("ss")), 0
			if from != nil {
				r.From = from
			}
			for e, err := range tx.Scan(r) {
				if err != nil {
					return err
				}
				var x Session
				if _, err := x.UnmarshalMsg(e.Value); err != nil {
					return fmt.Errorf("store: record under %q is damaged: %w", e.Key, err)
				}
				if !x.Expires.After(s.Now()) {
					gone = append(gone, x)
				}
				if seen++; seen == batch {
					last = append(bytes.Clone(e.Key), 0)
					return nil
				}
			}
			return nil
		})
		if err != nil {
			return n, err
		}
		if len(gone) > 0 {
			err := s.db.Update(ctx, func(tx kv.Tx) error {
				for _, x := range gone {
					if err := deleteSession(tx, x); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return n, err
			}
			n += len(gone)
		}
		if last == nil {
			return n, nil
		}
		from = last
	}
}

func deleteSession(tx kv.Tx, x Session) error {
	for _, k := range [][]byte{keySessionHash(x.Hash), keyUserSession(x.User, x.ID), keySession(x.ID)} {
		if err := tx.Delete(k); err != nil {
			return err
		}
	}
	return nil
}
