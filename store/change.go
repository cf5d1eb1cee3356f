package store

import (
	"bytes"
	"errors"
	"time"

	"picora/store/kv"
)

// change replaces the record old by m with all its index entries and counts; nil
// stands for no record. It is the only writer of media keys. It gives m its numbers.
func change(tx kv.Tx, old, m *Media) error {
	at := time.Time{}
	if m != nil {
		at = m.Deleted
	}
	return changeAt(tx, old, m, at)
}

// changeAt is change for a record that ends at that time; zero: nobody is to be told.
func changeAt(tx kv.Tx, old, m *Media, at time.Time) error {
	if err := number(tx, old, m, at); err != nil {
		return err
	}
	if err := pathFree(tx, m); err != nil {
		return err
	}
	if err := rewrite(tx, entries(old), entries(m)); err != nil {
		return err
	}
	owner := m
	if owner == nil {
		owner = old
	}
	var c Count
	if err := get(tx, keyCount(owner.User, owner.Kind), &c); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	c.add(old, -1)
	c.add(m, +1)
	if err := put(tx, keyCount(owner.User, owner.Kind), &c); err != nil {
		return err
	}
	if err := follow(tx, owner, old, m); err != nil {
		return err
	}
	if err := countCollection(tx, old, m); err != nil {
		return err
	}
	if err := mark(tx, old, m); err != nil {
		return err
	}
	if err := followFilm(tx, old, m); err != nil {
		return err
	}
	if old != nil && (m == nil || !bytes.Equal(keyMedia(old), keyMedia(m))) {
		if err := tx.Delete(keyMedia(old)); err != nil {
			return err
		}
	}
	if m == nil {
		return nil
	}
	return put(tx, keyMedia(m), m)
}

// rewrite writes the difference of two sets of entries.
func rewrite(tx kv.Tx, was, is map[string]string) error {
	for k := range was {
		if _, kept := is[k]; !kept {
			if err := tx.Delete([]byte(k)); err != nil {
				return err
			}
		}
	}
	for k, v := range is {
		if w, same := was[k]; same && w == v {
			continue
		}
		if err := tx.Put([]byte(k), []byte(v)); err != nil {
			return err
		}
	}
	return nil
}

// entries are the index entries of a record.
func entries(m *Media) map[string]string {
	if m == nil {
		return nil
	}
	e := make(map[string]string, 16)
	for _, b := range m.Blobs() {
		e[string(keyBlob(b))] = m.ID
	}
	if m.Trashed() {
		e[string(keyTrashID(m.ID))] = m.User + timeKey(m.Deleted)
		e[string(keyTrashPlace(m))] = m.User
		return e
	}
	at, num := place(m), four(m.Number)
	e[string(keyMediaID(m.ID))] = m.User + timeKey(m.Created)
	e[string(keyMediaKind(m))] = ""
	e[string(keyMediaPublic(m))] = ""
	e[string(keyMediaCollection(m))] = ""
	e[string(keyMediaHash(m))] = ""
	e[string(keyMediaSize(m))] = num
	e[string(keyMediaName(m))] = num
	e[string(keyNumber(m.User, m.Number))] = at
	e[string(keyChange(m))] = at
	if m.Kind == Image && !m.Seen {
		e[string(keyMediaUnseen(m))] = m.User
	}
	if m.Unheard() {
		e[string(keyMediaUnheard(m))] = m.User
	}
	for _, t := range m.Tags {
		e[string(keyMediaTag(m, t))] = ""
	}
	if m.Kind == Doc {
		docEntries(e, m)
	}
	return e
}
