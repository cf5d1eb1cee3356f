package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"sort"

	"picora/store/kv"
	"picora/store/words"
)

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

// addBeginnings adds how a word begins.
func (w *writer) addBeginnings(token string, n uint32) {
	words.Beginnings(token, func(b string) { w.add(beginToken+b, n) })
}

func (w *writer) change(token string, n uint32, in bool) {
	k := string(keyPosting(w.user, n>>chunkBits, token))
	w.diffs[k] = append(w.diffs[k], diff{uint16(n & (chunkSize - 1)), in})
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
	*c = chunk{}
	return c.merge(b)
}

// merge adds what bytes wrote.
func (c *chunk) merge(b []byte) error {
	if len(b) == chunkSize/8 {
		for i := range c {
			c[i] |= binary.BigEndian.Uint64(b)
			b = b[8:]
		}
		return nil
	}
	if len(b)%2 != 0 || len(b) > chunkSize/8 {
		return errors.New("no posting")
	}
	for ; len(b) > 0; b = b[2:] {
		n := binary.BigEndian.Uint16(b)
		if n >= chunkSize {
			return errors.New("no posting")
		}
		c[n/64] |= 1 << (n % 64)
	}
	return nil
}

// written reports whether a number is in what bytes wrote, without reading it all.
func written(b []byte, n uint16) bool {
	if len(b) == chunkSize/8 {
		return b[n/64*8+7-n%64/8]&(1<<(n%8)) != 0
	}
	i := sort.Search(len(b)/2, func(i int) bool { return binary.BigEndian.Uint16(b[2*i:]) >= n })
	return 2*i < len(b) && binary.BigEndian.Uint16(b[2*i:]) == n
}

// bytes writes the set, its numbers ascending.
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

func (c *chunk) empty() bool { return *c == chunk{} }

func (c *chunk) count() (n int) {
	for _, w := range c {
		n += bits.OnesCount64(w)
	}
	return n
}
