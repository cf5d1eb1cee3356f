package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"picora/store/kv"
)

//go:generate go tool msgp -tests=false -io=false -o revision_gen.go

//msgp:timezone utc

// Revision is a content that a document had before. Its blob is the one that the
// document's record had: it changes hands.
type Revision struct {
	ID       string `msg:"id"`
	User     string `msg:"user"`
	Lineage  string `msg:"lineage"`
	Number   int    `msg:"number"` // of the content, from 1
	Origin   string `msg:"origin"`
	Title    string `msg:"title"`
	Filename string `msg:"file"`
	MIME     string `msg:"mime"`
	Format   string `msg:"format"`
	Size     int64  `msg:"size"`
	// Rewritten is how many embedded pictures became hosted ones in it.
	Rewritten int       `msg:"rewritten"`
	Hash      []byte    `msg:"hash"` // SHA-256 of the content as it was uploaded
	Blob      string    `msg:"blob"`
	Created   time.Time `msg:"created"` // when it became the document's content
}

// keepRevision makes the content of a document, whose record has just gone, a revision,
// and deletes the oldest of its lineage above keep.
func keepRevision(tx kv.Tx, m *Media, keep int) error {
	r := Revision{
		ID: NewID(IDLen), User: m.User, Lineage: m.Text.Lineage, Number: m.Text.Version, Origin: m.Text.Origin,
		Title: m.Title, Filename: m.Filename, MIME: m.MIME, Format: m.Text.Format,
		Size: m.BlobSize, Rewritten: m.Text.Rewritten, Hash: m.Hash, Blob: m.Blob, Created: m.Text.Written,
	}
	if err := changeRevision(tx, nil, &r); err != nil {
		return err
	}
	list, err := revisions(tx, r.User, r.Lineage)
	if err != nil {
		return err
	}
	for _, old := range list[min(keep, len(list)):] {
		if err := changeRevision(tx, &old, nil); err != nil {
			return err
		}
	}
	return nil
}

// revisions are those of a lineage, the newest first.
func revisions(tx kv.Reader, user, lineage string) (list []Revision, err error) {
	for e, err := range tx.Scan(kv.Prefix(revisionsOf(user, lineage))) {
		if err != nil {
			return nil, err
		}
		var r Revision
		if _, err := r.UnmarshalMsg(e.Value); err != nil {
			return nil, fmt.Errorf("store: record under %q is damaged: %w", e.Key, err)
		}
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b Revision) int { return b.Number - a.Number })
	return list, nil
}

// changeRevision replaces a revision by another; nil stands for none. What it leaves
// goes into the trash.
func changeRevision(tx kv.Tx, old, r *Revision) error {
	owner := r
	if owner == nil {
		owner = old
	}
	var c Count
	if err := get(tx, keyRevisions(owner.User), &c); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if old != nil {
		c.N, c.Bytes = c.N-1, c.Bytes-old.Size
		if err := tx.Delete(keyRevision(old.User, old.Lineage, old.ID)); err != nil {
			return err
		}
		if err := dropBlob(tx, old.Blob); err != nil {
			return err
		}
	}
	if r != nil {
		c.N, c.Bytes = c.N+1, c.Bytes+r.Size
		if err := put(tx, keyRevision(r.User, r.Lineage, r.ID), r); err != nil {
			return err
		}
		if err := tx.Put(keyBlob(r.Blob), keyRevision(r.User, r.Lineage, r.ID)); err != nil {
			return err
		}
	}
	return put(tx, keyRevisions(owner.User), &c)
}

// dropRevisions ends those of a document that is deleted.
func dropRevisions(tx kv.Tx, user, lineage string) error {
	if lineage == "" {
		return nil
	}
	list, err := revisions(tx, user, lineage)
	if err != nil {
		return err
	}
	for i := range list {
		if err := changeRevision(tx, &list[i], nil); err != nil {
			return err
		}
	}
	return nil
}

// Revisions lists those of a lineage of the user's documents, the newest first.
func (s *Store) Revisions(ctx context.Context, user, lineage string) (list []Revision, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		list, err = revisions(tx, user, lineage)
		return err
	})
	return list, err
}

// Revision finds one of a lineage of the user's documents.
func (s *Store) Revision(ctx context.Context, user, lineage, id string) (r Revision, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		return get(tx, keyRevision(user, lineage, id), &r)
	})
	return r, err
}

// CountRevisions is how many revisions the user's documents have, and their bytes.
func (s *Store) CountRevisions(ctx context.Context, user string) (c Count, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		if err := get(tx, keyRevisions(user), &c); !errors.Is(err, ErrNotFound) {
			return err
		}
		return nil
	})
	return c, err
}

// DeleteRevisions deletes up to limit revisions of the user's documents, whichever, and
// reports whether there are more.
func (s *Store) DeleteRevisions(ctx context.Context, user string, limit int) (n int, freed int64, more bool, err error) {
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		n, freed, more = 0, 0, false
		keys, err := some(tx, keyAllRevisions(user), limit+1)
		if err != nil {
			return err
		}
		if more = len(keys) > limit; more {
			keys = keys[:limit]
		}
		for _, k := range keys {
			var r Revision
			if err := get(tx, k, &r); err != nil {
				return err
			}
			if err := changeRevision(tx, &r, nil); err != nil {
				return err
			}
			n, freed = n+1, freed+r.Size
		}
		return nil
	})
	if err != nil {
		return 0, 0, false, fmt.Errorf("store: revisions of %s: %w", user, err)
	}
	return n, freed, more, nil
}

func removeRevisions(tx kv.Tx, user string, n int) (int, error) {
	keys, err := some(tx, keyAllRevisions(user), n)
	for _, k := range keys {
		var r Revision
		if err := get(tx, k, &r); err != nil {
			return 0, err
		}
		if err := changeRevision(tx, &r, nil); err != nil {
			return 0, err
		}
	}
	return n - len(keys), err
}
