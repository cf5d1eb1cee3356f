package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"picora/store/kv"
)

// ErrPathTaken means that a collection has another document at that path.
var ErrPathTaken = errors.New("path taken")

// NewDoc is a document on its way into the store.
type NewDoc struct {
	Media
	// Keep is how many revisions are kept when the document takes another's place.
	Keep int
	// Settle, which may be nil, completes the record when it is known whose place it
	// takes: old is nil for none. It may be called again.
	Settle func(m, old *Media)
	// May decides, nil for yes, on how far the user has come without the new document and
	// the one that it replaces. It may be called again.
	May func(Standing) error
}

// PutDoc adds the document, whose ID the caller made, unless the user has one with the
// same hash: then that comes back, and fresh is false. The document that is at its path
// in its collection ends: its content becomes a revision of the new one, or, with Keep
// 0, goes. ErrPathTaken when that is no text. ErrExists when the id is taken: try another.
func (s *Store) PutDoc(ctx context.Context, d NewDoc) (out Media, replaced string, fresh bool, err error) {
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		out, replaced, fresh = d.Media, "", false
		if err := notGone(tx, out.User); err != nil {
			return err
		}
		there, err := mediaOf(tx, out.User, Doc, out.Hash)
		if err == nil {
			out = there
			return nil
		}
		if !errors.Is(err, ErrNotFound) {
			return err
		}
		for _, k := range [][]byte{keyMediaID(out.ID), keyTrashID(out.ID)} {
			if taken, err := has(tx, k); err != nil || taken {
				return or(err, fmt.Errorf("store: document %s: %w", out.ID, ErrExists))
			}
		}
		old, err := docAt(tx, out.User, out.Collection, out.Text.Path)
		if err != nil {
			return err
		}
		if old != nil && old.Text.Format != "" && old.Text.Format != "markdown" && old.Text.Format != "typst" {
			return fmt.Errorf("store: document %s is a file: %w", old.ID, ErrPathTaken) // no text is a later one of it
		}
		if err := s.allowDoc(tx, &d, old); err != nil {
			return err
		}
		s.succeed(&out, old)
		if d.Settle != nil {
			d.Settle(&out, old)
		}
		if old != nil {
			replaced = old.ID
			if err := replaceDoc(tx, old, d.Keep, out.Updated); err != nil {
				return err
			}
		}
		fresh = true
		return change(tx, nil, &out)
	})
	return out, replaced, fresh && err == nil, err
}

// allowDoc asks whether there is room for the document.
func (s *Store) allowDoc(tx kv.Reader, d *NewDoc, old *Media) error {
	if d.May == nil {
		return nil
	}
	st, err := standing(tx, d.User, s.Now())
	if err != nil {
		return fmt.Errorf("store: the owner of %s: %w", d.ID, err)
	}
	if old != nil {
		st.Count[Doc].add(old, -1)
	}
	return d.May(st)
}

// succeed gives m what it has from the document whose place it takes.
func (s *Store) succeed(m, old *Media) {
	m.Created = s.Now()
	m.Updated, m.Text.Written = m.Created, m.Created
	m.Text.Lineage, m.Text.Version = m.ID, 1
	if m.Text.Origin == "" {
		m.Text.Origin = UploadOrigin
	}
	if old == nil {
		return
	}
	m.Created = old.Created // it is the same document to people
	m.Text.Lineage, m.Text.Version = old.Text.Lineage, old.Text.Version+1
	if m.Text.Origin == UploadOrigin {
		m.Text.Origin = SyncOrigin
	}
}

// replaceDoc ends the record of a document that another takes the place of.
func replaceDoc(tx kv.Tx, old *Media, keep int, at time.Time) error {
	if err := changeAt(tx, old, nil, at); err != nil {
		return err
	}
	for _, p := range old.Parts {
		if err := dropBlob(tx, p.Blob); err != nil {
			return err
		}
	}
	if keep < 1 {
		return dropBlob(tx, old.Blob)
	}
	return keepRevision(tx, old, keep)
}

// docAt finds the document at a path; nil when there is none, or no path.
func docAt(tx kv.Reader, user, collection, path string) (*Media, error) {
	if collection == "" || path == "" {
		return nil, nil
	}
	id, err := getKey(tx, keyDocPath(user, collection, path))
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	m, err := mediaByID(tx, string(id))
	return &m, err
}

// DocAt finds the user's document at that path of a collection.
func (s *Store) DocAt(ctx context.Context, user, collection, path string) (m Media, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		found, err := docAt(tx, user, collection, path)
		if err != nil || found == nil {
			return or(err, ErrNotFound)
		}
		m = *found
		return nil
	})
	return m, err
}

// pathFree refuses a document at a path where another is.
func pathFree(tx kv.Reader, m *Media) error {
	if m == nil || m.Kind != Doc || m.Trashed() {
		return nil
	}
	there, err := docAt(tx, m.User, m.Collection, m.Text.Path)
	if err != nil || there == nil || there.ID == m.ID {
		return err
	}
	return fmt.Errorf("store: document %s: %w", m.ID, ErrPathTaken)
}

// docEntries adds the index entries that documents alone have.
func docEntries(e map[string]string, m *Media) {
	if m.Collection != "" && m.Text.Path != "" {
		e[string(keyDocPath(m.User, m.Collection, m.Text.Path))] = m.ID
	}
}

// ListUpdated is ListMedia for one kind, in another order: what changed last comes first.
func (s *Store) ListUpdated(ctx context.Context, user string, q Query) (page Page, err error) {
	prefix := changesOf(user, q.Kind)
	r := backFrom(prefix, q.After)
	err = s.db.View(ctx, func(tx kv.Reader) error {
		page = Page{Items: make([]Media, 0, q.Limit)}
		looked, last := 0, ""
		for e, err := range tx.Scan(r) {
			if err != nil {
				return err
			}
			if looked++; looked > mostLooked {
				page.Next = last
				return nil
			}
			var m Media
			if err := get(tx, keyPlace(user, string(e.Value)), &m); err != nil {
				return err
			}
			if q.takes(&m) {
				if len(page.Items) == q.Limit {
					page.Next = last
					return nil
				}
				page.Items = append(page.Items, m)
			}
			last = string(e.Key[len(prefix):])
		}
		return nil
	})
	return page, err
}
