package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

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
// are restricted by, and of how words begin: too many words do for a search to read the
// postings of all.

const (
	kindToken   = "\x01k" // and the kind, one byte
	publicToken = "\x01p" // and 0 or 1
	folderToken = "\x01c" // and the collection's id
	tagToken    = "\x01t" // and the tag as it is

	beginToken = "\x02" // and what words.Beginnings says
)

func isField(token string) bool { return strings.HasPrefix(token, kindToken[:1]) }

const (
	chunkBits = 12
	chunkSize = 1 << chunkBits

	indexPortion = 256 // records that are indexed in one transaction at most
	indexLeast   = 32  // … at least
	// longIndex is how long such a transaction should take, which others wait for.
	longIndex   = 8 * time.Millisecond
	textPortion = 500 // tokens of a text in one part: they fit into a value
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
		w, begin, portion := newWriter(user), time.Now(), s.portion()
		defer func() { s.pace(time.Since(begin)) }()
		to := max(done, min(t.Number, done+uint32(portion)))
		for n := done + 1; n <= to; n++ {
			if _, err := w.refresh(tx, n); err != nil {
				return err
			}
		}
		marks, err := some(tx, keyMarks(user), portion)
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

// portion is how many records are to be indexed in the next transaction.
func (s *Store) portion() int { return max(s.paced, indexLeast) }

// pace notes how long a transaction took, and makes the next shorter or longer.
func (s *Store) pace(took time.Duration) {
	switch {
	case took > longIndex:
		s.paced = max(s.portion()/2, indexLeast)
	case took < longIndex/2:
		s.paced = min(s.portion()*2, indexPortion)
	}
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
	if slices.Equal(was, is) {
		return true, nil
	}
	before, now := withBeginnings(was), withBeginnings(is)
	for t := range now {
		if !before[t] {
			w.add(t, n)
		}
	}
	for t := range before {
		if now[t] {
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
	return true, tx.Put(keyFields(w.user, n), []byte(strings.Join(is, "\x00")))
}

// withBeginnings are the tokens, and how those of words begin.
func withBeginnings(tokens []string) map[string]bool {
	all := make(map[string]bool, 3*len(tokens))
	for _, t := range tokens {
		all[t] = true
		if !isField(t) {
			words.Beginnings(t, func(b string) { all[beginToken+b] = true })
		}
	}
	return all
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
		for t := range withBeginnings(split(b)) {
			w.remove(t, n)
		}
		if err := tx.Delete(keys[0]); err != nil || len(keys) > 1 {
			return false, err
		}
	}
	for t := range withBeginnings(was) {
		w.remove(t, n)
	}
	return true, tx.Delete(keyFields(w.user, n))
}

// inText reports whether the text of a document has the token.
func (w *writer) inText(tx kv.Reader, m *Media, token string) (bool, error) {
	if m.Kind != Doc {
		return false, nil
	}
	if begin, is := strings.CutPrefix(token, beginToken); is {
		return textHas(tx, m.User, m.Number, words.Word{Text: begin, Prefix: true})
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
