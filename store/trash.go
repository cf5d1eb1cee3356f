package store

import (
	"context"

	"picora/store/kv"
)

// Trash lists up to limit blobs, those behind the key after, whose records are gone and whose bytes are to be
// deleted. A record's end and its blob's place here are one transaction, so a
// crash cannot leave bytes that nobody knows of.
func (s *Store) Trash(ctx context.Context, after string, limit int) (blobs []string, err error) {
	r := kv.Prefix(keyTrash)
	if after != "" {
		r.From = append(keyTrashed(after), 0) // the next possible key
	}
	err = s.db.View(ctx, func(tx kv.Reader) error {
		blobs = nil
		for e, err := range tx.Scan(r) {
			if err != nil || len(blobs) == limit {
				return err
			}
			blobs = append(blobs, string(e.Key[len(keyTrash):]))
		}
		return nil
	})
	return blobs, err
}

// EmptyTrash forgets blobs that have been deleted, and what was known of their bytes.
func (s *Store) EmptyTrash(ctx context.Context, blobs []string) error {
	return s.db.Update(ctx, func(tx kv.Tx) error {
		for _, b := range blobs {
			for _, k := range [][]byte{keyTrashed(b), keySum(b), keyFinding(b)} {
				if err := tx.Delete(k); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// HasBlob reports whether a record, or the trash, knows the blob.
func (s *Store) HasBlob(ctx context.Context, blob string) (known bool, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		if known, err = has(tx, keyBlob(blob)); known || err != nil {
			return err
		}
		known, err = has(tx, keyTrashed(blob))
		return err
	})
	return known, err
}
