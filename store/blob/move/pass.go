package move

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"picora/store/blob"
)

// A Pass copies blobs from one store to another, in the order of their keys, and reads
// each back to compare it.
type Pass struct {
	From, To blob.Store
	After    string // up to this key all is done
	// Compare has blobs that are in To already compared, too. Otherwise one of the same
	// size is passed over.
	Compare bool
	Keep    int64 // bytes that stay free in To

	// Stale, unless it is nil, is told of blobs that are in To only.
	Stale func(ctx context.Context, key string) error

	Live *atomic.Int64 // counts the bytes of blobs that are not done yet

	// Done is told of what is done: all blobs up to a key, how many those are since the last
	// call, and their bytes. An error of it ends the pass.
	Done func(ctx context.Context, key string, blobs int, bytes int64) error
}

// A Failure says that one blob cannot be copied, while others can.
type Failure struct {
	Key string
	Err error
}

func (f *Failure) Error() string { return "the file " + f.Key + ": " + f.Err.Error() }

// Unwrap gives what is the matter.
func (f *Failure) Unwrap() error { return f.Err }

const (
	together   = 4         // blobs that are copied at a time
	tries      = 3         // copies of a blob that comes back as other bytes
	batchBlobs = 64        // after so many blobs, or bytes, it is noted how far the pass is
	batchBytes = 256 << 20 //
)

// errDiffers says that a store gives back other bytes than it got.
var errDiffers = errors.New("what is read back is not what was written")

// Run copies what there is to copy. Failures are blobs that it left out, of which it
// returns the number and the first. An error says that it cannot go on for now: another
// Run may begin behind the last key that Done was told.
func (p *Pass) Run(ctx context.Context) (copied, failed int, first *Failure, err error) {
	var b batch
	flush := func() error {
		if len(b.blobs) == 0 {
			return nil
		}
		if err := p.copy(ctx, &b); err != nil {
			return err
		}
		copied += len(b.blobs) - len(b.failed)
		if failed += len(b.failed); first == nil && len(b.failed) > 0 {
			first = b.failed[0]
		}
		p.Live.Store(0)
		err := p.Done(ctx, b.blobs[len(b.blobs)-1].Key, len(b.blobs), b.bytes)
		b = batch{blobs: b.blobs[:0]}
		return err
	}
	defer p.Live.Store(0)
	for f, err := range besides(ctx, p.From, p.To, "", p.After) {
		if err != nil {
			return copied, failed, first, err
		}
		if f.first == nil && p.Stale != nil {
			if err := p.Stale(ctx, f.second.Key); err != nil {
				return copied, failed, first, err
			}
		}
		if f.first == nil || !p.Compare && f.second != nil && f.first.Size == f.second.Size {
			continue
		}
		b.blobs = append(b.blobs, *f.first)
		b.bytes += f.first.Size
		if len(b.blobs) < batchBlobs && b.bytes < batchBytes {
			continue
		}
		if err := flush(); err != nil {
			return copied, failed, first, err
		}
	}
	err = flush()
	return copied, failed, first, err
}

// batch is what is copied between two calls of Done.
type batch struct {
	blobs []blob.Info
	bytes int64

	mu     sync.Mutex
	failed []*Failure
}

// copy copies the batch, some blobs at a time. When one says that a store is away no other
// is begun, but those under way may be large, and may end well.
func (p *Pass) copy(ctx context.Context, b *batch) error {
	var g errgroup.Group
	var stop atomic.Bool
	g.SetLimit(together)
	for _, i := range b.blobs {
		g.Go(func() error {
			if stop.Load() || ctx.Err() != nil {
				return ctx.Err()
			}
			err := p.carry(ctx, i)
			if f, ok := errors.AsType[*Failure](err); ok {
				b.mu.Lock()
				defer b.mu.Unlock()
				b.failed = append(b.failed, f)
				return nil
			}
			if err != nil {
				stop.Store(true)
			}
			return err
		})
	}
	return g.Wait()
}

// carry copies one blob and compares it.
func (p *Pass) carry(ctx context.Context, i blob.Info) error {
	if free, err := p.To.Free(ctx); err != nil {
		return err
	} else if free-i.Size < p.Keep {
		return fmt.Errorf("%w: %d bytes are free, %d of them stay so", blob.ErrNoSpace, free, p.Keep)
	}
	for range tries {
		want, err := p.send(ctx, i.Key)
		if errors.Is(err, blob.ErrNotFound) { // deleted meanwhile
			return p.To.Delete(ctx, i.Key)
		}
		if err != nil {
			return err
		}
		got, err := sum(ctx, p.To, i.Key)
		switch {
		case err == nil && got == want:
			return p.confirm(ctx, i.Key)
		case err != nil && !errors.Is(err, blob.ErrNotFound):
			return err
		}
		if err := p.To.Delete(ctx, i.Key); err != nil {
			return err
		}
	}
	return &Failure{i.Key, errDiffers}
}

// confirm takes a copy back whose blob was deleted while it was copied. A byte is read,
// because services answer a HEAD of a bucket that is gone as if only the object was.
func (p *Pass) confirm(ctx context.Context, key string) error {
	r, err := p.From.Open(ctx, key, 0, 1)
	if errors.Is(err, blob.ErrNotFound) {
		return p.To.Delete(ctx, key)
	}
	if err != nil {
		return ofSource(ctx, key, err)
	}
	return r.Close()
}

// send puts a blob into the target, if it is not there, and returns the sum of what the
// source has.
func (p *Pass) send(ctx context.Context, key string) (s [sha256.Size]byte, err error) {
	r, err := p.From.Open(ctx, key, 0, -1)
	if err != nil {
		return s, ofSource(ctx, key, err)
	}
	defer r.Close()
	m := &meter{r: r, h: sha256.New(), live: p.Live}
	_, err = p.To.Put(ctx, key, m)
	if errors.Is(err, blob.ErrExists) { // of an earlier run
		_, err = io.Copy(io.Discard, m)
	}
	if m.err != nil {
		return s, ofSource(ctx, key, m.err)
	}
	return [sha256.Size]byte(m.h.Sum(nil)), err
}

// ofSource is an error of the source. One that is not of the whole store is the blob's own.
func ofSource(ctx context.Context, key string, err error) error {
	if ctx.Err() != nil || errors.Is(err, blob.ErrUnavailable) || errors.Is(err, blob.ErrNotFound) {
		return err
	}
	return &Failure{key, err}
}

// meter sums and counts what is read, and keeps the reader's own error.
type meter struct {
	r    io.Reader
	h    hash.Hash
	live *atomic.Int64
	err  error
}

func (m *meter) Read(b []byte) (int, error) {
	n, err := m.r.Read(b)
	m.h.Write(b[:n])
	m.live.Add(int64(n))
	if err != nil && err != io.EOF {
		m.err = err
	}
	return n, err
}

// sum is the sum of what a store gives.
func sum(ctx context.Context, at blob.Store, key string) (s [sha256.Size]byte, err error) {
	r, err := at.Open(ctx, key, 0, -1)
	if err != nil {
		return s, err
	}
	defer r.Close()
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return s, err
	}
	return [sha256.Size]byte(h.Sum(nil)), nil
}

// Difference is what a pass would find.
type Difference struct {
	Blobs, Bytes int64 // in the source
	There        int64 // of them, in the target with the same size
	Missing      int64 // bytes that are to be copied
	Others       int64 // blobs in the target that the source does not have
}

// Compare counts what is in one store, and in the other of it.
func Compare(ctx context.Context, from, to blob.Store) (d Difference, err error) {
	for f, err := range besides(ctx, from, to, "", "") {
		switch {
		case err != nil:
			return d, err
		case f.first == nil:
			d.Others++
			continue
		case f.second != nil && f.first.Size == f.second.Size:
			d.There++
		default:
			d.Missing += f.first.Size
		}
		d.Blobs++
		d.Bytes += f.first.Size
	}
	return d, nil
}
