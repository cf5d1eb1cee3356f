package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"picora/store/kv"
	"picora/store/words"
)

// The index of words. A user's records have numbers, the newer the larger; 4096 of them
// are a chunk, and a posting is which records of a chunk have a token: so a search goes
// from chunk to chunk, the newest first, and stops when its page is full, and what is
// uploaded together is written together.
//
// A record's transaction leaves but a mark (or nothing: new records are those above the
// number up to which all is indexed). Indexing goes through the marks in portions.
// Searches look at marked and new records themselves, so the index is never behind for
// them. What was indexed of a record is kept beside the postings, to be taken out again.
//
// Tokens of words begin with a printing character; those below are of fields that lists
// are restricted by.

const (
	kindToken   = "\x01k" // and the kind, one byte
	publicToken = "\x01p" // and 0 or 1
	folderToken = "\x01c" // and the collection's id
	tagToken    = "\x01t" // and the tag as it is
)

const (
	chunkBits = 12
	chunkSize = 1 << chunkBits

	indexPortion = 256  // records that are indexed in one transaction
	textPortion  = 1300 // tokens of a text in one part: they fit into a value
	// mostFieldTokens, and those of tags, fit into a value.
	mostFieldTokens = 1000
	// MostTokens is how many different tokens of a document's text are indexed.
	MostTokens = 100_000
)

// fieldTokens are the tokens of all but the text of a document.
func fieldTokens(m *Media) []string {
	set := words.NewSet(mostFieldTokens)
	for _, text := range []string{m.Title, m.Filename, m.Sound.Title, m.Sound.Artist, m.Sound.Album, m.Text.Path} {
		set.Add(text)
	}
	for _, t := range m.Tags {
		set.Add(t)
		set.Put(tagToken + t)
	}
	set.Put(kindToken + string(byte(m.Kind)))
	set.Put(publicToken + bit(m.Public))
	set.Put(folderToken + m.Collection)
	return set.Sorted()
}

// mark notes what is to be indexed of a change.
func mark(tx kv.Tx, old, m *Media) error {
	owner := m
	if m == nil {
		owner = old
	}
	lives, lived := m != nil && !m.Trashed(), old != nil && !old.Trashed()
	if !lives && !lived {
		return nil
	}
	if gone, err := isGone(tx, owner.User); err != nil || gone {
		return err
	}
	switch {
	case old == nil: // its number says it
	case lives && lived && sameFields(old, m):
		if !newText(old, m) {
			return nil
		}
	default:
		if err := tx.Put(keyMark(owner.User, owner.Number), nil); err != nil {
			return err
		}
	}
	if lives && m.Kind == Doc && (!lived || newText(old, m)) {
		if err := tx.Put(keyTextMark(owner.User, owner.Number), nil); err != nil {
			return err
		}
	}
	if there, err := has(tx, keyUnindexed(owner.User)); err != nil || there {
		return err
	}
	return tx.Put(keyUnindexed(owner.User), nil)
}

func sameFields(a, b *Media) bool {
	return a.Title == b.Title && a.Filename == b.Filename && a.Public == b.Public && a.Collection == b.Collection && slices.Equal(a.Tags, b.Tags) &&
		a.Sound.Title == b.Sound.Title && a.Sound.Artist == b.Sound.Artist && a.Sound.Album == b.Sound.Album && a.Text.Path == b.Text.Path
}

// newText reports whether the text of a document is in another blob.
func newText(a, b *Media) bool {
	p, _ := a.Part(TextPart)
	q, _ := b.Part(TextPart)
	return b.Kind == Doc && (a.Blob != b.Blob || p.Blob != q.Blob)
}

// Unindexed lists up to limit users of whom something is to be indexed.
func (s *Store) Unindexed(ctx context.Context, limit int) (users []string, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		keys, err := some(tx, keyUnindexed(""), limit)
		users = nil
		for _, k := range keys {
			users = append(users, string(k[2:]))
		}
		return err
	})
	return users, err
}

// Index indexes some of the user's records, and says whether there are more. Texts of
// documents, see Texts, are apart.
func (s *Store) Index(ctx context.Context, user string) (more bool, err error) {
	s.indexing.Lock()
	defer s.indexing.Unlock()
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		more = false
		if gone, err := isGone(tx, user); err != nil || gone {
			return or(err, tx.Delete(keyUnindexed(user)))
		}
		var t tally
		if err := get(tx, keyTally(user), &t); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		done, err := indexedTo(tx, user)
		if err != nil {
			return err
		}
		w := newWriter(user)
		to := max(done, min(t.Number, done+indexPortion))
		for n := done + 1; n <= to; n++ {
			if _, err := w.refresh(tx, n); err != nil {
				return err
			}
		}
		marks, err := some(tx, keyMarks(user), indexPortion)
		if err != nil {
			return err
		}
		for _, k := range marks {
			whole, err := w.refresh(tx, numberOf(k[len(k)-4:]))
			if err != nil {
				return err
			}
			if !whole { // a long document: the rest in the next transaction
				break
			}
			if err := tx.Delete(k); err != nil {
				return err
			}
		}
		if err := w.write(tx); err != nil {
			return err
		}
		if to > done {
			if err := tx.Put(keyIndexed(user), []byte(four(to))); err != nil {
				return err
			}
		}
		if more = to < t.Number || len(marks) > 0; more {
			return nil
		}
		if texts, err := some(tx, keyTextMarks(user), 1); err != nil || len(texts) > 0 {
			return err
		}
		return tx.Delete(keyUnindexed(user))
	})
	return more, err
}

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
				} else if _, other := slices.BinarySearch(fields, t); !other {
					w.remove(t, m.Number)
				}
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
	for _, family := range []string{"sp", "sf", "sd"} {
		for more := true; more; {
			err := s.db.Update(ctx, func(tx kv.Tx) error {
				if err := tx.Delete(keyIndexed(user)); err != nil {
					return err
				}
				keys, err := some(tx, key(family, user), 1000)
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

// writer gathers changes of postings of one user.
type writer struct {
	user  string
	diffs map[string][]diff // by key
}

type diff struct {
	low uint16 // of the number, in its chunk
	in  bool
}

func newWriter(user string) *writer { return &writer{user, map[string][]diff{}} }

func (w *writer) add(token string, n uint32)    { w.change(token, n, true) }
func (w *writer) remove(token string, n uint32) { w.change(token, n, false) }

func (w *writer) change(token string, n uint32, in bool) {
	k := string(keyPosting(w.user, n>>chunkBits, token))
	w.diffs[k] = append(w.diffs[k], diff{uint16(n & (chunkSize - 1)), in})
}

// refresh indexes a record as it is now: all but the text of a document. It reports
// whether it came to an end.
func (w *writer) refresh(tx kv.Tx, n uint32) (whole bool, err error) {
	was, err := indexedFields(tx, w.user, n)
	if err != nil {
		return false, err
	}
	m, err := numbered(tx, w.user, n)
	if errors.Is(err, ErrNotFound) {
		return w.forget(tx, n, was)
	}
	if err != nil {
		return false, err
	}
	is := fieldTokens(&m)
	for _, t := range is {
		if _, same := slices.BinarySearch(was, t); !same {
			w.add(t, n)
		}
	}
	for _, t := range was {
		if _, same := slices.BinarySearch(is, t); same {
			continue
		}
		inText, err := w.inText(tx, &m, t)
		if err != nil {
			return false, err
		}
		if !inText {
			w.remove(t, n)
		}
	}
	if slices.Equal(was, is) {
		return true, nil
	}
	return true, tx.Put(keyFields(w.user, n), []byte(strings.Join(is, "\x00")))
}

// forget takes a record out of the index that is gone; a part of a long text at a time.
func (w *writer) forget(tx kv.Tx, n uint32, was []string) (whole bool, err error) {
	keys, err := some(tx, keyTextParts(w.user, n), 2)
	if err != nil {
		return false, err
	}
	if len(keys) > 0 {
		b, err := tx.Get(keys[0])
		if err != nil {
			return false, err
		}
		for _, t := range split(b) {
			w.remove(t, n)
		}
		if err := tx.Delete(keys[0]); err != nil || len(keys) > 1 {
			return false, err
		}
	}
	for _, t := range was {
		w.remove(t, n)
	}
	return true, tx.Delete(keyFields(w.user, n))
}

// inText reports whether the text of a document has the token.
func (w *writer) inText(tx kv.Reader, m *Media, token string) (bool, error) {
	if m.Kind != Doc {
		return false, nil
	}
	return textHas(tx, m.User, m.Number, words.Word{Text: token})
}

// textHas reports whether what is indexed of a document's text has the word.
func textHas(tx kv.Reader, user string, n uint32, w words.Word) (bool, error) {
	for e, err := range tx.Scan(kv.Prefix(keyTextParts(user, n))) {
		if err != nil {
			return false, err
		}
		if w.In(split(e.Value)) {
			return true, nil
		}
	}
	return false, nil
}

// write writes the postings.
func (w *writer) write(tx kv.Tx) error {
	for k, list := range w.diffs {
		old, err := getKey(tx, []byte(k))
		if err = ignoreNotFound(err); err != nil {
			return err
		}
		var s chunk
		if err := s.read(old); err != nil {
			return fmt.Errorf("store: record under %q is damaged: %w", k, err)
		}
		for _, d := range list {
			s.set(d.low, d.in)
		}
		switch b := s.bytes(); {
		case len(b) == 0:
			err = tx.Delete([]byte(k))
		case !bytes.Equal(b, old):
			err = tx.Put([]byte(k), b)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// chunk is a set of numbers of a chunk.
type chunk [chunkSize / 64]uint64

// read reads what bytes wrote: up to 255 numbers, two bytes each, or a bit for each.
func (c *chunk) read(b []byte) error {
	switch {
	case len(b) == chunkSize/8:
		for i := range c {
			c[i] = binary.BigEndian.Uint64(b[i*8:])
		}
		return nil
	case len(b)%2 != 0 || len(b) > chunkSize/8:
		return errors.New("no posting")
	}
	*c = chunk{}
	return c.merge(b)
}

// merge adds what bytes wrote.
func (c *chunk) merge(b []byte) error {
	if len(b) == chunkSize/8 {
		for i := range c {
			c[i] |= binary.BigEndian.Uint64(b[i*8:])
		}
		return nil
	}
	for ; len(b) >= 2; b = b[2:] {
		n := binary.BigEndian.Uint16(b)
		if n >= chunkSize {
			return errors.New("no posting")
		}
		c[n/64] |= 1 << (n % 64)
	}
	return nil
}

func (c *chunk) bytes() []byte {
	n := c.count()
	if n >= chunkSize/16 {
		b := make([]byte, 0, chunkSize/8)
		for _, w := range c {
			b = binary.BigEndian.AppendUint64(b, w)
		}
		return b
	}
	b := make([]byte, 0, 2*n)
	for i := range c {
		for w := c[i]; w != 0; w &= w - 1 {
			b = binary.BigEndian.AppendUint16(b, uint16(i*64+bits.TrailingZeros64(w)))
		}
	}
	return b
}

func (c *chunk) set(n uint16, in bool) {
	if in {
		c[n/64] |= 1 << (n % 64)
	} else {
		c[n/64] &^= 1 << (n % 64)
	}
}

func (c *chunk) has(n uint16) bool { return c[n/64]&(1<<(n%64)) != 0 }

// and keeps what both have, and reports whether there is any.
func (c *chunk) and(d *chunk) (some bool) {
	var all uint64
	for i := range c {
		c[i] &= d[i]
		all |= c[i]
	}
	return all != 0
}

func (c *chunk) count() (n int) {
	for _, w := range c {
		n += bits.OnesCount64(w)
	}
	return n
}

// indexedTo is the number up to which records are indexed, but for marked ones.
func indexedTo(tx kv.Reader, user string) (uint32, error) {
	b, err := getKey(tx, keyIndexed(user))
	if err != nil {
		return 0, ignoreNotFound(err)
	}
	if len(b) != 4 {
		return 0, fmt.Errorf("store: record under %q is damaged", keyIndexed(user))
	}
	return numberOf(b), nil
}

// indexedFields are the tokens of a record that are indexed, but for its text.
func indexedFields(tx kv.Reader, user string, n uint32) ([]string, error) {
	b, err := getKey(tx, keyFields(user, n))
	return split(b), ignoreNotFound(err)
}

func textPart(tx kv.Reader, user string, n uint32, part uint16) ([]string, error) {
	b, err := getKey(tx, keyText(user, n, part))
	return split(b), err
}

func split(b []byte) []string {
	if len(b) == 0 {
		return nil
	}
	return strings.Split(string(b), "\x00")
}

// numbered finds the user's record with that number, one that is not in the trash.
func numbered(tx kv.Reader, user string, n uint32) (m Media, err error) {
	at, err := getKey(tx, keyNumber(user, n))
	if err != nil {
		return m, err
	}
	return m, get(tx, keyPlace(user, string(at)), &m)
}

func ignoreNotFound(err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}
