package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"picora/store/kv"
)

// Every change of a record that its owner can see takes the next number of the owner's
// sequence, and what went leaves a tombstone with such a number. So whoever has seen the
// changes up to a number asks for those beyond, and misses none: a number is given in the
// transaction that makes the change, and transactions end in the order of their numbers.

// Changed is a record as it is after its last change, or the end of one.
type Changed struct {
	Seq   uint64
	At    time.Time
	Kind  Kind
	ID    string
	Media *Media // nil: it is gone
}

// Since is a place among the changes. The zero Since is before the first.
type Since struct {
	Seq uint64
	// Floor is what was forgotten when its reader began. Tombstones up to it are of
	// records that the reader never saw.
	Floor uint64
}

// ErrForgotten says that tombstones after a place have been deleted already.
var ErrForgotten = errors.New("store: what changed since then is not known any more")

// mostChanges is how many entries are looked at for one page of changes.
const mostChanges = 20_000

// Changes reads up to limit changes of the user's records of a kind, 0 for all, after a
// place; next is the place after them, and more says that there may be others.
func (s *Store) Changes(ctx context.Context, user string, k Kind, after Since, limit int) (list []Changed, next Since, more bool, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		list, more, next = nil, false, after
		forgotten, err := forgottenOf(tx, user)
		switch {
		case err != nil:
			return err
		case after == Since{}:
			next.Floor = forgotten
		case forgotten > max(after.Seq, after.Floor):
			return ErrForgotten
		}
		stretches := changesAfter(user, k, after.Seq)
		graves, looked := len(stretches)-1, 0
		for e, err := range walkIndexes(tx, stretches, false, nil) {
			if err != nil {
				return err
			}
			if len(list) == limit || looked == mostChanges {
				more = true
				return nil
			}
			looked++
			next.Seq = binary.BigEndian.Uint64(e.rest)
			c := Changed{Seq: next.Seq}
			if e.of == graves {
				c.Kind, c.At, c.ID = Kind(e.value[0]), timeOf(e.value[1:9]), string(e.value[9:])
				if k != 0 && c.Kind != k {
					continue
				}
			} else {
				c.Media = new(Media)
				if err := get(tx, keyPlace(user, string(e.value)), c.Media); err != nil {
					return err
				}
				c.Kind, c.At, c.ID = c.Media.Kind, c.Media.Updated, c.Media.ID
			}
			list = append(list, c)
		}
		return nil
	})
	for from, to := 0, 0; from < len(list); from = to { // those of one moment, by id: the place is after all of them
		for to = from + 1; to < len(list) && list[to].At.Equal(list[from].At); to++ {
		}
		slices.SortFunc(list[from:to], func(a, b Changed) int { return strings.Compare(a.ID, b.ID) })
	}
	return list, next, more, err
}

// changesAfter are the parts of the indexes with the changes after a number, and last
// the tombstones.
func changesAfter(user string, k Kind, seq uint64) (list []stretch) {
	add := func(prefix []byte) {
		r := kv.Prefix(prefix)
		r.From = append(prefix[:len(prefix):len(prefix)], eight(seq+1)...)
		list = append(list, stretch{prefix, r})
	}
	for of := Image; of < kinds; of++ {
		if k == 0 || k == of {
			add(key("mu", user, string(byte(of))))
		}
	}
	add(key("md", user))
	return list
}

func forgottenOf(tx kv.Reader, user string) (uint64, error) {
	b, err := getKey(tx, keyForgotten(user))
	if errors.Is(err, ErrNotFound) {
		return 0, nil
	}
	if err == nil && len(b) != 8 {
		err = fmt.Errorf("store: record under %q is damaged", keyForgotten(user))
	}
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint64(b), nil
}

// Forget deletes up to limit of the user's tombstones from before that time, and
// reports whether there may be more.
func (s *Store) Forget(ctx context.Context, user string, before time.Time, limit int) (more bool, err error) {
	prefix := key("md", user)
	old := func(tx kv.Reader) (keys [][]byte, err error) {
		for e, err := range tx.Scan(kv.Prefix(prefix)) {
			if err != nil || len(keys) == limit || len(e.Value) < 9 || !timeOf(e.Value[1:9]).Before(before) {
				return keys, err
			}
			keys = append(keys, slices.Clone(e.Key))
		}
		return keys, nil
	}
	var keys [][]byte
	err = s.db.View(ctx, func(tx kv.Reader) error { // most users have none: no transaction that writes
		keys, err = old(tx)
		return err
	})
	if err != nil || len(keys) == 0 {
		return false, err
	}
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		keys, err := old(tx)
		more = len(keys) == limit
		if err != nil || len(keys) == 0 {
			return err
		}
		for _, k := range keys {
			if err := tx.Delete(k); err != nil {
				return err
			}
		}
		return tx.Put(keyForgotten(user), keys[len(keys)-1][len(prefix):])
	})
	return more, err
}
