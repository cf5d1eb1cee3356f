package store

import (
	"fmt"
	"math/bits"

	"picora/store/kv"
)

// hitSet knows which records are hits, and finds that out as it is asked.
type hitSet struct {
	*search
	chunks []*chunk // those that were found
}

// find finds the hits of a chunk.
func (h *hitSet) find(c uint32) error {
	if h.chunks[c] != nil {
		return nil
	}
	h.chunks[c] = &chunk{}
	return h.hits(c, h.chunks[c])
}

// has reports whether a record is a hit.
func (h *hitSet) has(n uint32) (bool, error) {
	c, low := n>>chunkBits, uint16(n&(chunkSize-1))
	if c >= uint32(len(h.chunks)) {
		return false, nil
	}
	// Where the index says it all, a bit can be looked at where it lies.
	if h.chunks[c] == nil && h.read && len(h.words)+len(h.kinds)+len(h.marked[c]) == 0 && c<<chunkBits+chunkSize-1 <= h.indexed {
		for i := range h.fields {
			if !written(h.fields[i].row[c], low) {
				return false, nil
			}
		}
		return true, nil
	}
	err := h.find(c)
	return h.chunks[c].has(low), err
}

// hits sets h, which is empty, to the records of a chunk that have all the tokens.
func (s *search) hits(c uint32, h *chunk) error {
	if c <= s.indexed>>chunkBits {
		if err := s.postings(c, h); err != nil {
			return err
		}
	}
	own := func(n uint32) error { // the index is not right about it
		is, err := s.isHit(n)
		h.set(uint16(n&(chunkSize-1)), is)
		return err
	}
	for _, n := range s.marked[c] {
		if err := own(n); err != nil {
			return err
		}
	}
	from := max(s.indexed+1, c<<chunkBits) // new ones
	if s.last > mostFresh {
		from = max(from, s.last-mostFresh+1)
	}
	for n := from; n <= min(s.last, c<<chunkBits+chunkSize-1); n++ {
		if err := own(n); err != nil {
			return err
		}
	}
	return nil
}

// postings sets h to what the index says of a chunk.
func (s *search) postings(c uint32, h *chunk) error {
	for i := range s.kinds { // a record has one
		if err := s.posting(c, &s.kinds[i], h); err != nil {
			return err
		}
	}
	first, then := s.words, s.fields
	if s.read { // these are at hand
		first, then = s.fields, s.words
	}
	begun := false
	for _, list := range [...][]token{first, then} {
		for i := range list {
			if !begun {
				begun = true
				if err := s.posting(c, &list[i], h); err != nil || h.empty() {
					return err
				}
				continue
			}
			s.spare = chunk{}
			if err := s.posting(c, &list[i], &s.spare); err != nil || !h.and(&s.spare) {
				return err
			}
		}
	}
	return nil
}

// posting adds to d which records of a chunk have the token.
func (s *search) posting(c uint32, t *token, d *chunk) error {
	s.looked++
	if t.row != nil {
		return d.merge(t.row[c])
	}
	k := keyPosting(s.user, c, t.key)
	if !t.scan {
		b, err := getKey(s.tx, k)
		if err != nil {
			return ignoreNotFound(err)
		}
		return d.merge(b)
	}
	for e, err := range s.tx.Scan(kv.Prefix(k)) {
		if err != nil {
			return err
		}
		s.looked++
		if s.begun--; s.begun < 0 {
			return nil
		}
		if err := d.merge(e.Value); err != nil {
			return fmt.Errorf("store: record under %q: %w", e.Key, err)
		}
	}
	return nil
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
		if there, err := textHas(s.tx, s.user, n, w.Word); err != nil || !there {
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
