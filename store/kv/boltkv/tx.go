package boltkv

import (
	"bytes"
	"iter"

	"go.etcd.io/bbolt"

	"picora/store/kv"
)

// reader reads a bucket until end is called.
type reader struct {
	bucket   *bbolt.Bucket // nil when over
	writable bool          // someone in the group may have emptied pages
	writes   int           // so far; a write makes bbolt's cursors useless
	seeker   *bbolt.Cursor // of Get, kept for the next one
}

func (r *reader) end() { r.bucket = nil }

func (r *reader) Get(key []byte) ([]byte, error) {
	if r.bucket == nil {
		return nil, kv.ErrClosed
	}
	// Not Bucket.Get: it cannot tell an empty value from a missing one, and it
	// makes a cursor each time.
	if r.seeker == nil {
		r.seeker = r.bucket.Cursor()
	}
	k, v := r.seeker.Seek(key)
	if k == nil || !bytes.Equal(k, key) {
		return nil, kv.ErrNotFound
	}
	return v, nil
}

func (r *reader) Scan(in kv.Range) iter.Seq2[kv.Entry, error] {
	return func(yield func(kv.Entry, error) bool) {
		if r.bucket == nil {
			yield(kv.Entry{}, kv.ErrClosed)
			return
		}
		c := cursor{reader: r, bolt: r.bucket.Cursor(), writes: r.writes}
		k, v := c.first(in)
		for k != nil && in.Contains(k) {
			if !yield(kv.Entry{Key: k, Value: v}, nil) {
				return
			}
			if r.bucket == nil {
				yield(kv.Entry{}, kv.ErrClosed)
				return
			}
			k, v = c.after(k, in.Reverse)
		}
	}
}

// writer is a transaction of one update within a group. What it writes can be
// taken back, because others share the bbolt transaction with it.
type writer struct {
	reader
	undo  []former
	hooks []func()
}

// former is what a key had before it was written.
type former struct {
	key, value []byte // value is nil if the key was missing
}

func (w *writer) Put(key, value []byte) error {
	if w.bucket == nil {
		return kv.ErrClosed
	}
	if err := kv.CheckPut(key, value); err != nil {
		return err
	}
	w.remember(key, w.current(key))
	// A copy, because bbolt holds on to the value until the commit; never nil,
	// so that current can tell it from a missing one.
	return w.bucket.Put(key, append([]byte{}, value...))
}

func (w *writer) Delete(key []byte) error {
	if w.bucket == nil {
		return kv.ErrClosed
	}
	old := w.current(key)
	if old == nil {
		return nil // and nothing to commit for
	}
	w.remember(key, old)
	return w.bucket.Delete(key)
}

func (w *writer) OnCommit(fn func()) { w.hooks = append(w.hooks, fn) }

// current returns the value of key, never nil unless it is missing.
func (w *writer) current(key []byte) []byte {
	v, err := w.Get(key)
	if err == nil && v == nil {
		return []byte{}
	}
	return v
}

// remember notes that key, which had the value old, is about to be written. It
// does not copy old: that is the map's, which does not move before the commit,
// or what an earlier Put gave to bbolt.
func (w *writer) remember(key, old []byte) {
	w.writes++
	w.undo = append(w.undo, former{bytes.Clone(key), old})
}

// revert takes back everything written, newest first.
func (w *writer) revert() error {
	for i := len(w.undo) - 1; i >= 0; i-- {
		was := w.undo[i]
		var err error
		if was.value == nil {
			err = w.bucket.Delete(was.key)
		} else {
			err = w.bucket.Put(was.key, was.value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
