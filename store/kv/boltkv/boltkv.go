// Package boltkv keeps a kv.DB in one bbolt file, and is the only importer of
// bbolt. One process may have the file open. Every update that returned nil has
// been written through to the disk; updates that run at the same time share one
// such write (group.go).
package boltkv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"go.etcd.io/bbolt"

	"picora/store/kv"
)

var (
	// ErrLocked is returned by Open when another process has the file open.
	ErrLocked = errors.New("boltkv: database is in use by another process")
	// ErrCorrupt is returned when the file is damaged or not a database.
	ErrCorrupt = errors.New("boltkv: database is damaged")
)

// Options are the settings of Open. The zero value is the default.
type Options struct {
	// Timeout is how long to wait for another process to let go of the file;
	// 1 s if zero.
	Timeout time.Duration
	// MapSize is how much address space to reserve for the file, in bytes. Once
	// the file outgrows it, a long reader and the next write wait for each other
	// and block everyone else, so it should be generous; it costs no memory. It
	// is never less than 1 GiB, nor than twice the file, which is the default.
	MapSize int64
}

// DB is an open database file. Get one with Open.
type DB struct {
	path string
	bolt *bbolt.DB
	// commit is bolt's own, except in tests of what happens when it fails.
	commit func(*bbolt.Tx) error
	// broken is why nothing may be written any more. Only the leader of a group
	// touches it, and leadership passes under mu.
	broken error

	mu      sync.Mutex
	closed  bool
	active  sync.WaitGroup // transactions that Close waits for
	queue   []*update      // waiting to be part of a group, oldest first
	leading bool           // someone runs a group and will see to the queue
	stats   Stats
}

var (
	_ kv.DB          = (*DB)(nil)
	_ kv.Snapshotter = (*DB)(nil)
)

// Stats counts what a DB has done since Open.
type Stats struct {
	Commits uint64 // commits written through to the disk
	Updates uint64 // updates that returned nil; Commits/Updates is the price of one
	Reruns  uint64 // functions called again because another one in the group panicked
}

// Stats returns the counters so far.
func (d *DB) Stats() Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stats
}

// Size returns the size of the file and how much of it is free for new data, in
// bytes. The file never shrinks: free space is reused, not given back. Pages
// that no write has reached yet are not counted as free.
func (d *DB) Size() (file, free int64, err error) {
	if err := d.enter(); err != nil {
		return 0, 0, err
	}
	defer d.active.Done()
	info, err := os.Stat(d.path)
	if err != nil {
		return 0, 0, fmt.Errorf("boltkv: %w", err)
	}
	s := d.bolt.Stats()
	return info.Size(), int64(s.FreePageN+s.PendingPageN) * int64(d.bolt.Info().PageSize), nil
}

// View calls fn with a snapshot; see kv.DB. A disk that fails under it, or
// damage it runs into, is ErrCorrupt instead of the end of the process.
func (d *DB) View(ctx context.Context, fn func(kv.Reader) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := d.enter(); err != nil {
		return err
	}
	defer d.active.Done()
	t, err := d.bolt.Begin(false)
	if err != nil {
		return fmt.Errorf("boltkv: begin: %w", err)
	}
	defer func() { _ = t.Rollback() }() // of a reader: cannot fail
	return onDamage(d.path, func() error {
		r := &reader{bucket: t.Bucket(bucketName)}
		defer r.end()
		return fn(r)
	})
}

// Snapshot writes a copy of the file to w; see kv.Snapshotter. The copy is a
// database for Open. Writers go on meanwhile, and the file grows by what they
// change, because the reader keeps old pages alive.
func (d *DB) Snapshot(ctx context.Context, w io.Writer) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := d.enter(); err != nil {
		return err
	}
	defer d.active.Done()
	t, err := d.bolt.Begin(false)
	if err != nil {
		return fmt.Errorf("boltkv: begin: %w", err)
	}
	defer func() { _ = t.Rollback() }()
	to := &ctxWriter{ctx: ctx, w: w}
	if _, err = t.WriteTo(to); to.err != nil {
		return to.err // bbolt does not wrap the cause
	}
	if err != nil {
		return fmt.Errorf("boltkv: snapshot of %s: %w", d.path, err)
	}
	return nil
}

// ctxWriter stops when its context ends, and remembers the first error.
type ctxWriter struct {
	ctx context.Context
	w   io.Writer
	err error
}

func (c *ctxWriter) Write(p []byte) (n int, err error) {
	if c.err = c.ctx.Err(); c.err == nil {
		n, c.err = c.w.Write(p)
	}
	return n, c.err
}

// Close waits for running transactions and closes the file; see kv.DB.
func (d *DB) Close() error {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return kv.ErrClosed
	}
	d.closed = true
	d.mu.Unlock()
	d.active.Wait()
	if err := errors.Join(d.writeFreelist(), d.bolt.Close()); err != nil {
		return fmt.Errorf("boltkv: close %s: %w", d.path, err)
	}
	return nil
}

// writeFreelist commits the list of free pages, so that the next Open need not
// search for them. A database whose last commit failed is left as it is.
func (d *DB) writeFreelist() error {
	d.mu.Lock()
	broken := d.broken != nil
	d.mu.Unlock()
	if broken {
		return nil
	}
	d.bolt.NoFreelistSync = false
	err := onDamage(d.path, func() error { return d.bolt.Update(func(*bbolt.Tx) error { return nil }) })
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return nil // the next Open takes longer
	}
	return err
}

// enter counts a transaction in, unless the database is closed.
func (d *DB) enter() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return kv.ErrClosed
	}
	d.active.Add(1)
	return nil
}
