package store

import (
	"context"
	"errors"
	"time"

	"picora/store/kv"
)

// The trash that users see: records that were deleted and may come back. (What is in
// Store.Trash are blobs whose records are gone.) A record there is in no index but the
// trash's own, so whatever asks for records does not find it; it keeps its id and its
// blobs, and counts for the quota.

// TrashMedia puts those of the user's records whose ids are given into the trash. Ids
// that are not theirs, and those in the trash, are passed over.
func (s *Store) TrashMedia(ctx context.Context, user string, ids []string) (trashed []Media, err error) {
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		trashed = nil
		for _, id := range ids {
			old, err := ownMedia(tx, user, id)
			if errors.Is(err, ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			m := old
			m.Deleted = s.Now()
			if err := change(tx, &old, &m); err != nil {
				return err
			}
			trashed = append(trashed, m)
		}
		return nil
	})
	return trashed, err
}

// RestoreMedia brings those of the user's records back whose ids are given. One whose
// collection is gone, or does not take it any more, or has another document at its path,
// is in none then. Ids that are not
// in the user's trash are passed over.
func (s *Store) RestoreMedia(ctx context.Context, user string, ids []string) (restored []Media, err error) {
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		restored = nil
		for _, id := range ids {
			old, err := ownTrash(tx, user, id)
			if errors.Is(err, ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			m := old
			m.Deleted, m.Updated = time.Time{}, s.Now()
			if err := comeBack(tx, &m); err != nil {
				return err
			}
			if err := change(tx, &old, &m); err != nil {
				return err
			}
			restored = append(restored, m)
		}
		return nil
	})
	return restored, err
}

// comeBack leaves a record that comes out of the trash where it was, if it can be there.
func comeBack(tx kv.Reader, m *Media) (err error) {
	if m.Collection, err = stillTakes(tx, m); err != nil {
		return err
	}
	err = pathFree(tx, m)
	if errors.Is(err, ErrPathTaken) {
		m.Collection, m.Text.Path = "", ""
		return nil
	}
	return err
}

// stillTakes is the record's collection when that would take it, else none.
func stillTakes(tx kv.Reader, m *Media) (string, error) {
	if m.Collection == "" {
		return "", nil
	}
	c, err := liveCollection(tx, m.User, m.Collection)
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	if err != nil || !c.Takes(m.Kind) {
		return "", err
	}
	return m.Collection, nil
}

// PurgeMedia ends those of the user's records for good whose ids are given and which are
// in the trash. Others are passed over.
func (s *Store) PurgeMedia(ctx context.Context, user string, ids []string) (purged []Media, err error) {
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		purged = nil
		for _, id := range ids {
			m, err := ownTrash(tx, user, id)
			if errors.Is(err, ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			if err := deleteMedia(tx, &m, time.Time{}); err != nil { // it went when it went into the trash
				return err
			}
			purged = append(purged, m)
		}
		return nil
	})
	return purged, err
}

// TrashedMedia finds a record of the user's in the trash.
func (s *Store) TrashedMedia(ctx context.Context, user, id string) (m Media, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		m, err = ownTrash(tx, user, id)
		return err
	})
	return m, err
}

// AnyMedia finds a record, also in the trash. ErrNotFound.
func (s *Store) AnyMedia(ctx context.Context, id string) (m Media, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		m, err = anyMedia(tx, id)
		return err
	})
	return m, err
}

// ListTrash reads one page of the user's trash, what was deleted last first. After is
// the Page.Next of the page before.
func (s *Store) ListTrash(ctx context.Context, user, after string, limit int) (page Page, err error) {
	prefix := keySpot(user, "")
	err = s.db.View(ctx, func(tx kv.Reader) error {
		page = Page{Items: make([]Media, 0, limit)}
		for e, err := range tx.Scan(backFrom(prefix, after)) {
			if err != nil {
				return err
			}
			if len(page.Items) == limit {
				page.Next = spot(&page.Items[limit-1])
				return nil
			}
			var m Media
			if err := get(tx, e.Key, &m); err != nil {
				return err
			}
			page.Items = append(page.Items, m)
		}
		return nil
	})
	return page, err
}

// OldTrash lists up to limit records that went into the trash before that time, the
// oldest first, whoever owns them, by the owners' ids.
func (s *Store) OldTrash(ctx context.Context, before time.Time, limit int) (ids map[string][]string, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		ids = map[string][]string{}
		n := 0
		for e, err := range tx.Scan(between(keyTrashPlaces, time.Time{}, before)) {
			if err != nil || n == limit {
				return err
			}
			n++
			user := string(e.Value)
			ids[user] = append(ids[user], string(e.Key[len(keyTrashPlaces)+8:]))
		}
		return nil
	})
	return ids, err
}

// ownTrash finds a record of the user's in the trash.
func ownTrash(tx kv.Reader, user, id string) (m Media, err error) {
	at, err := getKey(tx, keyTrashID(id))
	if err != nil {
		return m, err
	}
	if err = get(tx, keySpot(string(at), id), &m); err == nil && m.User != user {
		return Media{}, ErrNotFound
	}
	return m, err
}
