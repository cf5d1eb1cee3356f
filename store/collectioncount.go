package store

import (
	"errors"
	"fmt"

	"picora/store/kv"
)

// countCollection keeps the counts of collections when the media record old becomes m.
// Nothing comes into a collection that is not there or does not take it.
func countCollection(tx kv.Tx, old, m *Media) error {
	from, to := within(old), within(m)
	if from == to && from != "" && old.Public == m.Public && old.Size == m.Size {
		return nil
	}
	if from != "" {
		c := Collection{}
		err := get(tx, keyCollection(old.User, from), &c)
		if errors.Is(err, ErrNotFound) {
			err = nil // nobody counts what a collection had that is gone
		} else if err == nil {
			c.count(old, -1)
			if from == to {
				c.count(m, +1)
			}
			err = put(tx, keyCollection(old.User, from), &c)
		}
		if err != nil || from == to {
			return err
		}
	}
	if to == "" {
		return nil
	}
	c, err := liveCollection(tx, m.User, to)
	if errors.Is(err, ErrNotFound) {
		return ErrCollection
	}
	if err != nil {
		return err
	}
	if !c.Takes(m.Kind) {
		return fmt.Errorf("store: collection %s: %w", to, ErrKind)
	}
	c.count(m, +1)
	if m.Updated.After(c.Updated) {
		c.Updated = m.Updated
	}
	return put(tx, keyCollection(c.User, c.ID), &c)
}

// within is the collection that counts m; empty: none.
func within(m *Media) string {
	if m == nil || m.Trashed() {
		return ""
	}
	return m.Collection
}

func (c *Collection) count(m *Media, sign int64) {
	for len(c.Counts) <= int(m.Kind) {
		c.Counts = append(c.Counts, Count{})
	}
	c.Counts[m.Kind].add(m, sign)
}
