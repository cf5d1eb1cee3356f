package store

import (
	"context"

	"picora/store/kv"
)

// Unheard reports whether there is work to do on the sound of m: it was not measured
// yet, or is to be made equally loud.
func (m *Media) Unheard() bool {
	return m != nil && m.Kind == Audio && (!m.Sound.Measured || m.Sound.Level.State == LevelWanted)
}

// Unheard lists up to limit audio files that are to be measured or made equally loud,
// the oldest first.
func (s *Store) Unheard(ctx context.Context, limit int) (list []Media, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		list = nil
		for e, err := range tx.Scan(kv.Prefix(keyUnheard)) {
			if err != nil || len(list) == limit {
				return err
			}
			var m Media
			if err := get(tx, keyPlace(string(e.Value), string(e.Key[len(keyUnheard):])), &m); err != nil {
				return err
			}
			list = append(list, m)
		}
		return nil
	})
	return list, err
}

// NoteMedia lets edit write down what was found out about a record or made of it, which
// is no change in the owner's eyes: Updated stays. Blobs that the record loses go into
// the trash. Edit may run more than once; its error undoes everything.
func (s *Store) NoteMedia(ctx context.Context, id string, edit func(*Media) error) (Media, error) {
	return s.noteMedia(ctx, id, mediaByID, edit)
}

func (s *Store) noteMedia(ctx context.Context, id string, find func(kv.Reader, string) (Media, error), edit func(*Media) error) (m Media, err error) {
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		old, err := find(tx, id)
		if err != nil {
			return err
		}
		if err := notGone(tx, old.User); err != nil {
			return err
		}
		m = old
		if err := edit(&m); err != nil {
			return err
		}
		if err := change(tx, &old, &m); err != nil {
			return err
		}
		if err := endJob(tx, &old, &m, s.Now()); err != nil {
			return err
		}
		kept := map[string]bool{}
		for _, b := range m.Blobs() {
			kept[b] = true
		}
		for _, b := range old.Blobs() {
			if kept[b] {
				continue
			}
			if err := tx.Put(keyTrashed(b), nil); err != nil {
				return err
			}
		}
		return nil
	})
	return m, err
}
