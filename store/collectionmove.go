package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"picora/store/kv"
)

//msgp:ignore Missed

// Missed is a record that was not moved, and why.
type Missed struct {
	ID     string
	Reason string // NOT_FOUND or RelativePathTaken
}

// MoveMedia puts those of the user's records of that kind whose ids are given into the
// collection, or out of all when its id is empty. ErrCollection when it is not there, and
// ErrKind when it does not take them; then nothing is moved.
func (s *Store) MoveMedia(ctx context.Context, user string, k Kind, ids []string, collection string) (moved []Media, missed []Missed, err error) {
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		moved, missed = nil, nil
		if collection != "" {
			c, err := liveCollection(tx, user, collection)
			if errors.Is(err, ErrNotFound) {
				return ErrCollection
			}
			if err != nil {
				return err
			}
			if !c.Takes(k) {
				return fmt.Errorf("store: collection %s: %w", collection, ErrKind)
			}
		}
		seen := map[string]bool{}
		for _, id := range ids {
			if seen[id] {
				continue
			}
			seen[id] = true
			old, err := ownMedia(tx, user, id)
			if errors.Is(err, ErrNotFound) || err == nil && old.Kind != k {
				missed = append(missed, Missed{id, "NOT_FOUND"})
				continue
			}
			if err != nil {
				return err
			}
			m := old
			if m.Collection != collection {
				m.Collection, m.Updated = collection, s.Now()
				if err := pathFree(tx, &m); errors.Is(err, ErrPathTaken) {
					missed = append(missed, Missed{id, "RelativePathTaken"})
					continue
				} else if err != nil {
					return err
				}
				if err := change(tx, &old, &m); err != nil {
					return err
				}
			}
			moved = append(moved, m)
		}
		return nil
	})
	return moved, missed, err
}

// DeleteCollection deletes the user's collection, which stays for a while and can come
// back. ErrNotEmpty when something is in it, unless that may go with it: then
// FollowCollection puts it into the trash.
func (s *Store) DeleteCollection(ctx context.Context, user, id string, cascade bool) (c Collection, err error) {
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		old, err := liveCollection(tx, user, id)
		if err != nil {
			return err
		}
		filled := old.Total().N > 0
		if filled && !cascade {
			return ErrNotEmpty
		}
		c = old
		c.Deleted, c.Default = s.Now(), false
		if filled {
			if err := tx.Put(keyCollectionWork(id), []byte(timeKey(c.Deleted)+user)); err != nil {
				return err
			}
		}
		return changeCollection(tx, &old, &c)
	})
	return c, err
}

// RestoreCollection brings the user's collection back; FollowCollection brings what
// went into the trash with it. May decides, nil for yes, on how many others the user has.
func (s *Store) RestoreCollection(ctx context.Context, user, id string, may func(have int) error) (c Collection, err error) {
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		var old Collection
		if err := get(tx, keyCollection(user, id), &old); err != nil {
			return err
		}
		if c = old; c.Live() {
			return nil
		}
		all, err := collections(tx, user)
		if err != nil {
			return err
		}
		if may != nil {
			if err := may(countLive(all)); err != nil {
				return err
			}
		}
		if err := tx.Put(keyCollectionWork(id), []byte(timeKey(c.Deleted)+user)); err != nil {
			return err
		}
		c.Deleted, c.Updated = time.Time{}, s.Now()
		return changeCollection(tx, &old, &c)
	})
	return c, err
}

// FollowCollection puts up to limit of the media in a deleted collection into the trash,
// as deleted when it was, or brings those back from there when it was restored. More
// says that there are others. A collection with nothing to do has none.
func (s *Store) FollowCollection(ctx context.Context, id string, limit int) (media []Media, more bool, err error) {
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		media, more = nil, false
		work, err := getKey(tx, keyCollectionWork(id))
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if len(work) <= 8 {
			return fmt.Errorf("store: record under %q is damaged", keyCollectionWork(id))
		}
		at, user := timeOf(work[:8]), string(work[8:])
		var c Collection
		if err := get(tx, keyCollection(user, id), &c); errors.Is(err, ErrNotFound) {
			return tx.Delete(keyCollectionWork(id))
		} else if err != nil {
			return err
		}
		if c.Live() {
			media, err = backFromTrash(tx, &c, at, limit, s.Now())
		} else {
			media, err = intoTrash(tx, &c, limit)
		}
		if more = len(media) == limit; err != nil || more {
			return err
		}
		return tx.Delete(keyCollectionWork(id))
	})
	return media, more, err
}

// intoTrash puts up to limit of what is in the collection into the trash with it.
func intoTrash(tx kv.Tx, c *Collection, limit int) (media []Media, err error) {
	page, err := listMedia(tx, c.User, &Query{Collection: &c.ID, Limit: limit})
	for _, old := range page.Items {
		m := old
		m.Deleted = c.Deleted
		if err := change(tx, &old, &m); err != nil {
			return nil, err
		}
		media = append(media, m)
	}
	return media, err
}

// backFromTrash brings up to limit media back that went into the trash with the collection.
func backFromTrash(tx kv.Tx, c *Collection, at time.Time, limit int, now time.Time) (media []Media, err error) {
	var list []Media
	for e, err := range tx.Scan(kv.Prefix(keySpot(c.User, timeKey(at)))) {
		if err != nil {
			return nil, err
		}
		var m Media
		if _, err := m.UnmarshalMsg(bytes.Clone(e.Value)); err != nil {
			return nil, fmt.Errorf("store: record under %q is damaged: %w", e.Key, err)
		}
		if m.Collection != c.ID {
			continue
		}
		if list = append(list, m); len(list) == limit {
			break
		}
	}
	for _, old := range list {
		m := old
		m.Deleted, m.Updated = time.Time{}, now
		if err := comeBack(tx, &m); err != nil {
			return nil, err
		}
		if err := change(tx, &old, &m); err != nil {
			return nil, err
		}
		media = append(media, m)
	}
	return media, nil
}

// Following lists collections whose contents are to follow them.
func (s *Store) Following(ctx context.Context) (ids []string, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		keys, err := some(tx, keyCollectionWorks, 1000)
		ids = nil
		for _, k := range keys {
			ids = append(ids, string(k[len(keyCollectionWorks):]))
		}
		return err
	})
	return ids, err
}

// PurgeCollections ends up to limit of the collections for good that were deleted before that time,
// the oldest first, and returns how many.
func (s *Store) PurgeCollections(ctx context.Context, before time.Time, limit int) (n int, err error) {
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		n = 0
		var list []Collection
		for e, err := range tx.Scan(between(keyDeletedCollections, time.Time{}, before)) {
			if err != nil {
				return err
			}
			if len(list) == limit {
				break
			}
			var c Collection
			if err := get(tx, keyCollection(string(e.Value), string(e.Key[len(keyDeletedCollections)+8:])), &c); err != nil {
				return err
			}
			if c.Total().N == 0 { // else its media are still on their way
				list = append(list, c)
			}
		}
		for i := range list {
			if err := changeCollection(tx, &list[i], nil); err != nil {
				return err
			}
		}
		n = len(list)
		return nil
	})
	return n, err
}
