// Package memkv keeps a kv.DB in memory, on a copy-on-write B-tree. It shows
// that the seam does not lean on bbolt, and makes tests that need a database
// quick. Nothing survives Close.
package memkv

import (
	"bytes"
	"context"
	"sync"

	"github.com/tidwall/btree"

	"picora/store/kv"
)

type tree = btree.BTreeG[kv.Entry]

// DB is a database in memory. Make one with New.
type DB struct {
	calls  int           // how often each update's function is run
	writer chan struct{} // holds one token: whoever takes it is the writer

	mu     sync.Mutex
	closed bool
	tree   *tree          // never changed, only replaced, so readers need no lock
	active sync.WaitGroup // transactions that Close waits for
}

var _ kv.DB = (*DB)(nil)

// Option changes how New makes a database.
type Option func(*DB)

// Retry makes Update run each function n times more than needed and throw away
// all results but the last, as an optimistic engine under contention would. It
// is for tests that prove functions bear being repeated.
func Retry(n int) Option {
	return func(d *DB) { d.calls += n }
}

// New returns an empty database.
func New(options ...Option) *DB {
	d := &DB{
		calls:  1,
		writer: make(chan struct{}, 1),
		tree:   btree.NewBTreeGOptions(less, btree.Options{NoLocks: true}),
	}
	d.writer <- struct{}{}
	for _, o := range options {
		o(d)
	}
	return d
}

func less(a, b kv.Entry) bool { return bytes.Compare(a.Key, b.Key) < 0 }

// View calls fn with a snapshot; see kv.DB.
func (d *DB) View(ctx context.Context, fn func(kv.Reader) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t, err := d.enter()
	if err != nil {
		return err
	}
	defer d.active.Done()
	r := &tx{tree: t}
	defer r.end()
	return fn(reader{r})
}

// Update calls fn, one update at a time, and keeps what it wrote if it returns
// nil; see kv.DB.
func (d *DB) Update(ctx context.Context, fn func(kv.Tx) error) error {
	hooks, err := d.update(ctx, fn)
	for _, hook := range hooks {
		hook()
	}
	return err
}

func (d *DB) update(ctx context.Context, fn func(kv.Tx) error) ([]func(), error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if _, err := d.enter(); err != nil {
		return nil, err
	}
	defer d.active.Done()
	select {
	case <-d.writer:
		defer func() { d.writer <- struct{}{} }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}

	for range d.calls - 1 {
		_, _ = d.attempt(fn)
	}
	t, err := d.attempt(fn)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	d.tree = t.tree
	d.mu.Unlock()
	return t.hooks, nil
}

// attempt runs fn on a copy of the tree and leaves it to the caller to keep it.
func (d *DB) attempt(fn func(kv.Tx) error) (*tx, error) {
	t := &tx{tree: d.tree.Copy(), writable: true}
	defer t.end()
	return t, fn(t)
}

// Close waits for running transactions and drops everything; see kv.DB.
func (d *DB) Close() error {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return kv.ErrClosed
	}
	d.closed = true
	d.mu.Unlock()
	d.active.Wait()
	d.tree = nil
	return nil
}

// enter counts a transaction in and returns the newest tree.
func (d *DB) enter() (*tree, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, kv.ErrClosed
	}
	d.active.Add(1)
	return d.tree, nil
}
