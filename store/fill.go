package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"picora/store/kv"
)

// A migration is one transaction, so what has to be written for every record of a large
// database is too much for it. It leaves the mark "vf" instead, and Open then writes the
// indexes in portions, each a transaction that also notes how far it is: a start that
// is cut off goes on where it was.

// fillPortion is how many records are entered in one transaction.
const fillPortion = 500

// fill enters records without a number into the indexes that schema 5 brought.
func (s *Store) fill(ctx context.Context) error {
	begin, n := time.Now(), 0
	for more := true; more; {
		err := s.db.Update(ctx, func(tx kv.Tx) (err error) {
			more, err = fillSome(tx)
			return err
		})
		if err != nil {
			return fmt.Errorf("store: indexes of media: %w", err)
		}
		if !more {
			break
		}
		if n += fillPortion; n%100_000 == 0 {
			slog.Info("the indexes of the files are being written", "files", n)
		}
	}
	if took := time.Since(begin); took > time.Second {
		slog.Info("the indexes of the files were written", "took", took.Round(time.Millisecond))
	}
	return nil
}

func fillSome(tx kv.Tx) (more bool, err error) {
	at, err := getKey(tx, keyFill)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	r := kv.Prefix(keyPlace("", ""))
	if len(at) > 0 {
		r.From = append(at, 0)
	}
	var keys [][]byte
	for e, err := range tx.Scan(r) {
		if err != nil {
			return false, err
		}
		if keys = append(keys, bytes.Clone(e.Key)); len(keys) == fillPortion {
			break
		}
	}
	for _, k := range keys {
		var m Media
		if err := get(tx, k, &m); err != nil {
			return false, err
		}
		if err := enter(tx, &m); err != nil {
			return false, err
		}
	}
	if len(keys) < fillPortion {
		return true, tx.Delete(keyFill)
	}
	return true, tx.Put(keyFill, keys[fillPortion-1])
}

// filled are the families of entries that schema 5 brought.
var filled = []string{"mh", "mg", "ms", "mn", "mr", "mu"}

func enter(tx kv.Tx, m *Media) error {
	if m.Number != 0 {
		return nil
	}
	if err := tx.Delete(mediaOfHash(m.User, m.Hash)); err != nil { // as schema 4 had it
		return err
	}
	if err := number(tx, nil, m, time.Time{}); err != nil {
		return err
	}
	for k, v := range entries(m) {
		for _, f := range filled {
			if k[:2] != f {
				continue
			}
			if err := tx.Put([]byte(k), []byte(v)); err != nil {
				return err
			}
		}
	}
	if err := mark(tx, nil, m); err != nil {
		return err
	}
	return put(tx, keyMedia(m), m)
}
