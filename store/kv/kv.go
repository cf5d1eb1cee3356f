// Package kv is the seam between Picora's records and the engine that keeps
// them: ordered keys, snapshots and transactions, and nothing else. Everything
// with a meaning (records, indexes, counters) is built above it, once.
//
// Engines live in the folders below: boltkv (one file, the default), memkv
// (memory). kvtest holds the behaviour every engine must pass. The contract is
// what a distributed engine could keep as well: small keys, small values, small
// transactions, and closures that may be run again.
package kv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
)

// Limits shared by every engine. Put refuses what exceeds them.
const (
	// MaxKey is the length of the longest key, in bytes. The shortest is 1.
	MaxKey = 1024
	// MaxValue is the length of the longest value, in bytes. The shortest is 0.
	MaxValue = 64 << 10
)

var (
	// ErrNotFound is returned by Get for a key that is not there.
	ErrNotFound = errors.New("kv: not found")
	// ErrClosed is returned by every call on a closed database, and by a
	// transaction that is used after its function returned.
	ErrClosed = errors.New("kv: closed")
	// ErrTooLarge is returned by Put for a key over MaxKey or a value over MaxValue.
	ErrTooLarge = errors.New("kv: too large")
	// ErrEmptyKey is returned by Put for a key of no bytes.
	ErrEmptyKey = errors.New("kv: empty key")
)

// Reader reads one consistent state of the database.
//
// The slices it returns are valid only until the function it was given to
// returns, and must never be modified: they may be the engine's own memory.
// Copy what is to be kept. A Reader is for one goroutine.
type Reader interface {
	// Get returns the value of key, or ErrNotFound. A key that Put would refuse
	// cannot be there, so it is not found rather than an error of its own.
	Get(key []byte) ([]byte, error)

	// Scan walks the entries of r in key order, or backwards when r says so. An
	// error is yielded at most once, as the last step. Breaking out early is free.
	//
	// Within an Update the entry just yielded may be overwritten or deleted
	// while the scan goes on. Whether a scan sees any other write made while it
	// runs differs between engines: collect first, then write.
	Scan(r Range) iter.Seq2[Entry, error]
}

// Tx reads and writes. It sees its own writes, in scans too.
type Tx interface {
	Reader

	// Put sets key to value, replacing what was there. Both are copied. It
	// returns ErrTooLarge or ErrEmptyKey for what is outside the limits.
	Put(key, value []byte) error

	// Delete removes key. A missing key is not an error.
	Delete(key []byte) error

	// OnCommit adds fn to what runs once, in order, after the transaction has
	// been committed, before Update returns, in the goroutine that called
	// Update. It does not run if the transaction fails. It may use the DB.
	OnCommit(fn func())
}

// DB is an ordered set of keys. It may be used by many goroutines at once.
type DB interface {
	// View calls fn with the newest committed state, which stays as it is while
	// fn runs, and returns its error. It returns ctx.Err() without calling fn
	// when ctx is already done; it does not interrupt fn. Keep it short, and do
	// not call Update or Close within it: an open reader can hold up a writer.
	View(ctx context.Context, fn func(Reader) error) error

	// Update calls fn and commits what it wrote if fn returns nil; when Update
	// returns nil the writes are as durable as the engine makes them. If fn
	// returns an error, nothing it wrote lands and Update returns that error.
	// If fn panics, nothing lands and the panic goes on in the caller.
	//
	// An engine may call fn more than once, in another goroutine, and only the
	// last call counts. So fn must have no effects outside the transaction that
	// a repetition would spoil: variables it sets must be set afresh on each
	// call, and what the world should notice belongs in OnCommit.
	//
	// Keep it small: the time of a transaction can grow with the square of its
	// size, so load more than some hundred entries in portions.
	//
	// If the commit fails, Update returns why; a full disk satisfies
	// errors.Is(err, syscall.ENOSPC). If ctx is done before fn has started, fn
	// is never called and Update returns ctx.Err(); after that the result is
	// waited for. Do not call Update or Close within fn: it waits for itself.
	Update(ctx context.Context, fn func(Tx) error) error

	// Close waits for running transactions and releases the database. Every
	// later call, Close included, returns ErrClosed.
	Close() error
}

// Snapshotter is a DB that can write a copy of itself while it is in use.
type Snapshotter interface {
	// Snapshot writes one consistent state to w, in the engine's own format. It
	// stops with ctx.Err() when ctx ends. Give it a fast local file: the copy
	// is a reader that stays open as long as w takes.
	Snapshot(ctx context.Context, w io.Writer) error
}

// Range is the keys From <= key < To, whichever way they are walked. An empty
// From has no lower bound and an empty To no upper one, so the zero Range is
// everything. Bounds need not be keys, nor keep to the limits of keys.
type Range struct {
	From, To []byte
	Reverse  bool // from the last key to the first
}

// Contains reports whether key lies in r.
func (r Range) Contains(key []byte) bool {
	return bytes.Compare(key, r.From) >= 0 && (len(r.To) == 0 || bytes.Compare(key, r.To) < 0)
}

// Entry is a key and its value. Reader says how long they live.
type Entry struct {
	Key, Value []byte
}

// Prefix returns the range of all keys that begin with p.
func Prefix(p []byte) Range {
	return Range{From: p, To: PrefixEnd(p)}
}

// PrefixEnd returns the smallest key that is greater than every key beginning
// with prefix, in memory of its own. It is nil, which a Range reads as "no
// upper bound", when there is none: for a prefix that is empty or all 0xff.
func PrefixEnd(prefix []byte) []byte {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] < 0xff {
			end := bytes.Clone(prefix[:i+1])
			end[i]++
			return end
		}
	}
	return nil
}

// CheckPut returns the error Put owes for key and value, nil if they are within
// the limits. It is for engines, so that all of them refuse the same.
func CheckPut(key, value []byte) error {
	switch {
	case len(key) == 0:
		return ErrEmptyKey
	case len(key) > MaxKey:
		return fmt.Errorf("%w: key of %d bytes, limit %d", ErrTooLarge, len(key), MaxKey)
	case len(value) > MaxValue:
		return fmt.Errorf("%w: value of %d bytes, limit %d", ErrTooLarge, len(value), MaxValue)
	}
	return nil
}
