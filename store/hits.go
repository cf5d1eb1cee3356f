package store

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"picora/store/kv"
	"picora/store/words"
)

// hits are the records of a chunk that have all the tokens.
func (s *search) hits(c uint32) (h chunk, err error) {
	if c <= s.indexed>>chunkBits {
		if h, err = s.postings(c); err != nil {
			return h, err
		}
	}
	own := func(n uint32) error { // the index is not right about it
		is, err := s.isHit(n)
		h.set(uint16(n&(chunkSize-1)), is)
		return err
	}
	for _, n := range s.marked[c] {
		if err := own(n); err != nil {
			return h, err
		}
	}
	from := max(s.indexed+1, c<<chunkBits) // new ones
	if s.last > mostFresh {
		from = max(from, s.last-mostFresh+1)
	}
	for n := from; n <= min(s.last, c<<chunkBits+chunkSize-1); n++ {
		if err := own(n); err != nil {
			return h, err
		}
	}
	return h, nil
}

// postings are what the index says of a chunk.
func (s *search) postings(c uint32) (h chunk, err error) {
	first := true
	narrow := func(d *chunk) bool {
		if first {
			h, first = *d, false
			return h != chunk{}
		}
		return h.and(d)
	}
	fields := make([]words.Word, len(s.fields))
	for i, t := range s.fields {
		fields[i].Text = t
	}
	if len(s.words)+len(fields) == 0 {
		return s.anyKind(c)
	}
	all := slices.Concat(s.words, fields)
	if s.rows != nil { // fields are at hand
		all = slices.Concat(fields, s.words)
	}
	for _, w := range all {
		d, err := s.posting(c, w)
		if err != nil || !narrow(&d) {
			return chunk{}, err
		}
	}
	return h, nil
}

// posting is which records of a chunk have a word.
func (s *search) posting(c uint32, w words.Word) (d chunk, err error) {
	if w.Short() {
		w = words.Word{Text: beginToken + w.Text}
	}
	s.looked++
	if rows, read := s.rows[w.Text]; read {
		if b, there := rows[c]; there {
			err = d.read(b)
		}
		return d, err
	}
	k := keyPosting(s.user, c, w.Text)
	if !w.Prefix {
		b, err := s.tx.Get(k)
		if errors.Is(err, kv.ErrNotFound) {
			return d, nil
		}
		if err != nil {
			return d, err
		}
		return d, d.read(b)
	}
	for e, err := range s.tx.Scan(kv.Prefix(k)) {
		if err != nil {
			return d, err
		}
		s.looked++
		if s.begun--; s.begun < 0 {
			return d, nil
		}
		if err := d.merge(e.Value); err != nil {
			return d, fmt.Errorf("store: record under %q: %w", e.Key, err)
		}
	}
	return d, nil
}

// isHit looks at the record itself. The text of a document is as it was indexed.
func (s *search) isHit(n uint32) (bool, error) {
	m, err := numbered(s.tx, s.user, n)
	if err != nil {
		return false, ignoreNotFound(err)
	}
	if !s.wants(&m) {
		return false, nil
	}
	tokens := fieldTokens(&m)
	for _, w := range s.words {
		if w.In(tokens) {
			continue
		}
		if m.Kind != Doc {
			return false, nil
		}
		if there, err := textHas(s.tx, s.user, n, w); err != nil || !there {
			return false, err
		}
	}
	return true, nil
}

// numbers are the numbers in the set.
func (c *chunk) numbers(of uint32, reverse bool) func(yield func(uint32) bool) {
	return func(yield func(uint32) bool) {
		for i := range c {
			if reverse {
				i = len(c) - 1 - i
			}
			for w := c[i]; w != 0; {
				b := bits.TrailingZeros64(w)
				if reverse {
					b = 63 - bits.LeadingZeros64(w)
				}
				w &^= 1 << b
				if !yield(of<<chunkBits + uint32(i*64+b)) {
					return
				}
			}
		}
	}
}
