package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"picora/store/kv"
)

// UpdateMany lets edit change those of the user's records whose ids are given, all in one
// transaction: of each it says that it is as edit wants it, or why not. Edit may refuse a
// record with a reason, and may run more than once.
func (s *Store) UpdateMany(ctx context.Context, user string, ids []string, edit func(*Media) (refused string)) (changed []Media, missed []Missed, err error) {
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		changed, missed = nil, nil
		for _, id := range ids {
			m, refused, err := updateOne(tx, user, id, s.Now(), edit)
			if err != nil {
				return fmt.Errorf("store: media %s: %w", id, err)
			}
			if refused != "" {
				missed = append(missed, Missed{id, refused})
				continue
			}
			changed = append(changed, m)
		}
		return nil
	})
	return changed, missed, err
}

// updateOne finds out whether a record may be what edit makes of it before anything is
// written: what change refuses would undo the others.
func updateOne(tx kv.Tx, user, id string, now time.Time, edit func(*Media) string) (m Media, refused string, err error) {
	old, err := ownMedia(tx, user, id)
	if errors.Is(err, ErrNotFound) {
		return m, "NOT_FOUND", nil
	}
	if err != nil {
		return m, "", err
	}
	m = old
	if refused = edit(&m); refused != "" {
		return m, refused, nil
	}
	if same, err := equal(&old, &m); same || err != nil {
		return m, "", err
	}
	m.Updated = now
	if err := pathFree(tx, &m); errors.Is(err, ErrPathTaken) {
		return m, "RelativePathTaken", nil
	} else if err != nil {
		return m, "", err
	}
	if m.Collection != "" && m.Collection != old.Collection {
		c, err := liveCollection(tx, user, m.Collection)
		if errors.Is(err, ErrNotFound) {
			return m, "", ErrCollection
		}
		if err != nil {
			return m, "", err
		}
		if !c.Takes(m.Kind) {
			return m, "KIND_NOT_TAKEN", nil
		}
	}
	return m, "", change(tx, &old, &m)
}
