package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"picora/store/kv"
)

// An account ends in two steps. BeginRemoval ends all access in one transaction, and
// leaves a mark: from then on, no credential of the user is known, no media of theirs
// is found, and nothing of theirs is created. RemoveSome then deletes what they left,
// which may be a million pictures, a portion at a time; whoever finds a mark after a
// crash goes on. EndRemoval takes the mark away when nobody can be at work any more who
// was let in before.

// Removal is an account whose access has ended and whose things are being deleted.
type Removal struct {
	User  string
	Began time.Time
}

// mostKeys is how many sessions and API keys go in the first transaction. With their user gone they
// open nothing; the rest goes with what RemoveSome deletes.
const mostKeys = 500

// BeginRemoval ends the account: its record, e-mail address, sessions, keys and
// links to accounts elsewhere.
// ErrNotFound when there is none; ErrLastAdmin when nobody else administers.
func (s *Store) BeginRemoval(ctx context.Context, user string) (u User, err error) {
	now := s.Now()
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		u = User{}
		if err := get(tx, keyUser(user), &u); err != nil {
			return err
		}
		if err := changeAdmin(tx, user, &u, &User{}); err != nil {
			return err
		}
		if err := dropBlob(tx, u.Avatar); err != nil {
			return err
		}
		most := mostKeys
		for _, step := range []portion{removeSessions, removeAPIKeys, removeIdentities} {
			if most, err = step(tx, user, most); err != nil {
				return err
			}
		}
		for _, k := range [][]byte{keyUserEmail(u.Email), keyUser(user)} {
			if err := tx.Delete(k); err != nil {
				return err
			}
		}
		return tx.Put(keyRemoval(user), []byte(timeKey(now)))
	})
	return u, err
}

// ClaimUser gives an account whose address nobody had shown to be theirs to who has just
// done that. Whoever made it need not have been the address's owner, so every way in
// that they may have left is closed: sessions, API keys, password, second factors,
// passkeys, links to accounts elsewhere. The user is told. One that is verified already
// stays as it is.
func (s *Store) ClaimUser(ctx context.Context, user string, told Notification) (u User, err error) {
	told.ID, told.User, told.Created = NewID(IDLen), user, s.Now()
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		u = User{}
		if err := get(tx, keyUser(user), &u); err != nil || u.Verified {
			return err
		}
		for _, step := range []portion{removeIdentities, removeSessions, removeAPIKeys} {
			if _, err = step(tx, user, math.MaxInt); err != nil {
				return err
			}
		}
		if err := tx.Delete(keyFactors(user)); err != nil {
			return err
		}
		u.Verified, u.Password = true, ""
		if err := notify(tx, &told); err != nil {
			return err
		}
		return put(tx, keyUser(user), &u)
	})
	return u, err
}

// Removals lists the accounts that are being removed.
func (s *Store) Removals(ctx context.Context) (list []Removal, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		list = nil
		for e, err := range tx.Scan(kv.Prefix(keyRemovals)) {
			if err != nil {
				return err
			}
			if len(e.Value) != 8 {
				return fmt.Errorf("store: record under %q is damaged", e.Key)
			}
			began := time.UnixMilli(int64(binary.BigEndian.Uint64(e.Value))).UTC()
			list = append(list, Removal{string(e.Key[len(keyRemovals):]), began})
		}
		return nil
	})
	return list, err
}

// RemoveSome deletes about limit things of a removed user in one transaction, and says
// which media were among them and whether there may be more. Blobs go to the trash.
func (s *Store) RemoveSome(ctx context.Context, user string, limit int) (media []string, more bool, err error) {
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		media = nil
		if marked, err := isGone(tx, user); err != nil || !marked {
			return or(err, fmt.Errorf("store: removal of %s: %w", user, ErrNotFound))
		}
		media, more, err = removeSome(tx, user, limit)
		return err
	})
	return media, more, err
}

// portion deletes at most n of one kind of things of a user's, and returns how many
// more than that may go.
type portion func(tx kv.Tx, user string, n int) (left int, err error)

func removeSome(tx kv.Tx, user string, limit int) (media []string, more bool, err error) {
	left := limit
	steps := []portion{
		removeRevisions, // before their documents, of which each would take all of its own along
		func(tx kv.Tx, user string, n int) (int, error) {
			media, err = removeMedia(tx, user, n)
			return n - len(media), err
		},
		removeWatermarks, removeCollections, removeSessions, removeAPIKeys, removeIdentities, removeKeys,
	}
	for _, step := range steps {
		if left, err = step(tx, user, left); err != nil || left == 0 {
			return media, true, err
		}
	}
	return media, false, nil
}

// EndRemoval forgets that the account was removed. It does so only when nothing of it
// is left, and says whether it did.
func (s *Store) EndRemoval(ctx context.Context, user string) (done bool, err error) {
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		done = false
		for _, f := range ofUser {
			keys, err := some(tx, key(f, user), 1)
			if err != nil || len(keys) > 0 {
				return err
			}
		}
		done = true
		return tx.Delete(keyRemoval(user))
	})
	return done, err
}

// isGone reports whether the account is being removed, or was a moment ago.
func isGone(tx kv.Reader, user string) (bool, error) { return has(tx, keyRemoval(user)) }

// notGone is the error of what would be created for a user who is gone.
func notGone(tx kv.Reader, user string) error {
	if gone, err := isGone(tx, user); err != nil || gone {
		return or(err, fmt.Errorf("store: user %s: %w", user, ErrNotFound))
	}
	return nil
}

// some is up to n of the keys that begin with the prefix. They may be written to.
func some(tx kv.Reader, prefix []byte, n int) (keys [][]byte, err error) {
	for e, err := range tx.Scan(kv.Prefix(prefix)) {
		if err != nil {
			return nil, err
		}
		if len(keys) == n {
			break
		}
		keys = append(keys, bytes.Clone(e.Key))
	}
	return keys, nil
}

// removeMedia deletes records, and then those in the trash.
func removeMedia(tx kv.Tx, user string, n int) (ids []string, err error) {
	for _, of := range [][]byte{keyPlace(user, ""), keySpot(user, "")} {
		keys, err := some(tx, of, n-len(ids))
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			var m Media
			if err := get(tx, k, &m); err != nil {
				return nil, err
			}
			if err := deleteMedia(tx, &m, time.Time{}); err != nil {
				return nil, err
			}
			ids = append(ids, m.ID)
		}
	}
	return ids, err
}

func removeWatermarks(tx kv.Tx, user string, n int) (int, error) {
	keys, err := some(tx, keyWatermark(user, ""), n)
	for _, k := range keys {
		var w Watermark
		if err := get(tx, k, &w); err != nil {
			return 0, err
		}
		if err := changeWatermark(tx, &w, nil); err != nil {
			return 0, err
		}
	}
	return n - len(keys), err
}

func removeSessions(tx kv.Tx, user string, n int) (int, error) {
	prefix := sessionsOf(user)
	keys, err := some(tx, prefix, n)
	for _, k := range keys {
		x := Session{ID: string(k[len(prefix):]), User: user}
		if err := get(tx, keySession(x.ID), &x); err != nil && !errors.Is(err, ErrNotFound) {
			return 0, err
		}
		if err := deleteSession(tx, x); err != nil {
			return 0, err
		}
	}
	return n - len(keys), err
}

func removeAPIKeys(tx kv.Tx, user string, n int) (int, error) {
	prefix := keysOfUser(user)
	keys, err := some(tx, prefix, n)
	for _, k := range keys {
		id := string(k[len(prefix):])
		var a APIKey
		if err := get(tx, keyAPIKey(id), &a); err != nil && !errors.Is(err, ErrNotFound) {
			return 0, err
		}
		for _, k := range [][]byte{keyAPIKeyHash(a.Hash), keyAPIKey(id), k} {
			if err := tx.Delete(k); err != nil {
				return 0, err
			}
		}
	}
	return n - len(keys), err
}

func removeIdentities(tx kv.Tx, user string, n int) (int, error) {
	keys, err := some(tx, identitiesOf(user), n)
	for _, k := range keys {
		var x Identity
		if err := get(tx, k, &x); err != nil {
			return 0, err
		}
		if err := deleteIdentity(tx, x); err != nil {
			return 0, err
		}
	}
	return n - len(keys), err
}

// removeKeys deletes what is kept under a user's id and leads nowhere else.
func removeKeys(tx kv.Tx, user string, n int) (int, error) {
	for _, f := range ofUser {
		keys, err := some(tx, key(f, user), n)
		if err != nil {
			return 0, err
		}
		for _, k := range keys {
			if err := tx.Delete(k); err != nil {
				return 0, err
			}
		}
		if n -= len(keys); n == 0 {
			break
		}
	}
	return n, nil
}

// dropBlob puts a blob that one record alone had, if any, into the trash.
func dropBlob(tx kv.Tx, blob string) error {
	if blob == "" {
		return nil
	}
	if err := tx.Delete(keyBlob(blob)); err != nil {
		return err
	}
	return tx.Put(keyTrashed(blob), nil)
}
