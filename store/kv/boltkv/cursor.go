package boltkv

import (
	"bytes"

	"go.etcd.io/bbolt"

	"picora/store/kv"
)

// cursor walks a bucket and, unlike bbolt's own, goes on correctly when the
// transaction writes meanwhile, and backwards over pages it has emptied.
type cursor struct {
	reader *reader
	bolt   *bbolt.Cursor
	writes int // reader.writes when bolt was last placed
}

// first goes to where a walk of r begins. The entry may lie outside r.
func (c *cursor) first(r kv.Range) (key, value []byte) {
	switch {
	case r.Reverse && len(r.To) == 0:
		return c.last()
	case r.Reverse:
		return c.before(r.To)
	case len(r.From) == 0:
		return c.bolt.First()
	}
	return c.bolt.Seek(r.From)
}

// after goes one step on from key, where the cursor is.
func (c *cursor) after(key []byte, reverse bool) (k, v []byte) {
	if c.writes == c.reader.writes {
		if !reverse {
			return c.bolt.Next()
		}
		return c.prev(key)
	}
	c.writes = c.reader.writes
	if reverse {
		return c.before(key)
	}
	if k, v = c.bolt.Seek(key); bytes.Equal(k, key) {
		return c.bolt.Next()
	}
	return k, v
}

// before goes to the last entry below key.
func (c *cursor) before(key []byte) (k, v []byte) {
	if k, _ := c.bolt.Seek(key); k == nil {
		return c.last() // all there is lies below key
	}
	return c.prev(key)
}

// prev goes back from the cursor's entry, which is key or the first after it.
// bbolt returns nil at a page that this transaction has emptied, as it does at
// the beginning, but can go on from there.
func (c *cursor) prev(key []byte) (k, v []byte) {
	if k, v = c.bolt.Prev(); k != nil || !c.reader.writable {
		return k, v
	}
	least, _ := c.reader.bucket.Cursor().First()
	if least == nil || bytes.Compare(least, key) >= 0 {
		return nil, nil
	}
	for k == nil {
		k, v = c.bolt.Prev()
	}
	return k, v
}

// last goes to the last entry. bbolt would look for ever for one in a tree of
// several pages that this transaction has emptied.
func (c *cursor) last() (k, v []byte) {
	if c.reader.writable {
		if k, _ := c.bolt.First(); k == nil {
			return nil, nil
		}
	}
	return c.bolt.Last()
}
