package store

import (
	"context"
	"errors"
	"slices"
	"strings"

	"picora/store/kv"
	"picora/store/words"
)

// Texts lists up to limit documents of the user's whose text is to be indexed.
func (s *Store) Texts(ctx context.Context, user string, limit int) (list []Media, err error) {
	var dead [][]byte
	err = s.db.View(ctx, func(tx kv.Reader) error {
		list, dead = nil, nil
		keys, err := some(tx, keyTextMarks(user), limit)
		if err != nil {
			return err
		}
		for _, k := range keys {
			m, err := numbered(tx, user, numberOf(k[len(k)-4:]))
			if errors.Is(err, ErrNotFound) {
				dead = append(dead, k)
				continue
			}
			if err != nil {
				return err
			}
			list = append(list, m)
		}
		return nil
	})
	if err != nil || len(dead) == 0 {
		return list, err
	}
	return list, s.db.Update(ctx, func(tx kv.Tx) error {
		for _, k := range dead {
			if live, err := has(tx, keyNumber(user, numberOf(k[len(k)-4:]))); err != nil || live {
				return err
			}
			if err := tx.Delete(k); err != nil {
				return err
			}
		}
		return nil
	})
}

// IndexText makes tokens, sorted and each once, the text of the document, in place of
// what was its text before. It is done in portions; one that is cut off is in Texts
// still, and what came of it is put right by the next. ErrNotFound when the document
// went, or has another text by now.
func (s *Store) IndexText(ctx context.Context, m *Media, tokens []string) error {
	s.indexing.Lock()
	defer s.indexing.Unlock()
	have := map[string]bool{}
	for part := uint16(0); ; part++ {
		more := true
		err := s.text(ctx, m, func(tx kv.Tx, w *writer) error {
			list, err := textPart(tx, m.User, m.Number, part)
			if more = err == nil; !more {
				return ignoreNotFound(err)
			}
			fields, err := indexedFields(tx, m.User, m.Number)
			if err != nil {
				return err
			}
			kept := make([]string, 0, len(list))
			for _, t := range list {
				_, keep := slices.BinarySearch(tokens, t)
				if keep {
					kept = append(kept, t)
					w.addBeginnings(t, m.Number) // an update that was cut off may have removed them
					continue
				}
				if _, other := slices.BinarySearch(fields, t); !other {
					w.remove(t, m.Number)
				}
				words.Beginnings(t, func(b string) {
					if other := (words.Word{Text: b, Prefix: true}); !other.In(tokens) && !other.In(fields) {
						w.remove(beginToken+b, m.Number)
					}
				})
			}
			for _, t := range kept {
				have[t] = true
			}
			return tx.Put(keyText(m.User, m.Number, part), []byte(strings.Join(kept, "\x00")))
		})
		if err != nil {
			return err
		}
		if !more {
			return s.addText(ctx, m, part, slices.DeleteFunc(slices.Clone(tokens), func(t string) bool { return have[t] }))
		}
	}
}

// addText adds tokens of a text behind the parts that there are.
func (s *Store) addText(ctx context.Context, m *Media, part uint16, tokens []string) error {
	for list := range slices.Chunk(tokens, textPortion) {
		err := s.text(ctx, m, func(tx kv.Tx, w *writer) error {
			for _, t := range list {
				w.add(t, m.Number)
				w.addBeginnings(t, m.Number)
			}
			return tx.Put(keyText(m.User, m.Number, part), []byte(strings.Join(list, "\x00")))
		})
		if err != nil {
			return err
		}
		part++
	}
	return s.text(ctx, m, func(tx kv.Tx, w *writer) error { return tx.Delete(keyTextMark(m.User, m.Number)) })
}

// text does something to the text of a document that is still as it was.
func (s *Store) text(ctx context.Context, m *Media, do func(kv.Tx, *writer) error) error {
	return s.db.Update(ctx, func(tx kv.Tx) error {
		if err := notGone(tx, m.User); err != nil {
			return err
		}
		now, err := numbered(tx, m.User, m.Number)
		if err != nil {
			return err
		}
		if newText(m, &now) {
			return ErrNotFound
		}
		w := newWriter(m.User)
		if err := do(tx, w); err != nil {
			return err
		}
		return w.write(tx)
	})
}

// Reindex has all of a user's records indexed anew. It forgets the old index in
// portions; searches find the newest records only until Index has been through.
func (s *Store) Reindex(ctx context.Context, user string) error {
	s.indexing.Lock()
	defer s.indexing.Unlock()
	for _, family := range []string{"sp", "sx", "sf", "sd"} {
		for more := true; more; {
			err := s.db.Update(ctx, func(tx kv.Tx) error {
				if err := tx.Delete(keyIndexed(user)); err != nil {
					return err
				}
				keys, err := some(tx, key(family, user), indexPortion)
				more = len(keys) > 0
				for _, k := range keys {
					if err := tx.Delete(k); err != nil {
						return err
					}
				}
				return or(err, tx.Put(keyUnindexed(user), nil))
			})
			if err != nil {
				return err
			}
		}
	}
	return s.markTexts(ctx, user)
}

// markTexts has the texts of all of a user's documents indexed.
func (s *Store) markTexts(ctx context.Context, user string) error {
	for after, more := "", true; more; {
		err := s.db.Update(ctx, func(tx kv.Tx) error {
			q := Query{Kind: Doc, Limit: 500, After: after}
			page, err := listMedia(tx, user, &q)
			if err != nil {
				return err
			}
			for i := range page.Items {
				if err := tx.Put(keyTextMark(user, page.Items[i].Number), nil); err != nil {
					return err
				}
			}
			after, more = page.Next, page.Next != ""
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
