// Package move is a blob store whose blobs can be moved to another store while it is in
// use. It is over one store at rest, and over two while a move is under way:
//
//	copying:  puts and reads go to the source; a Pass copies what is there
//	switched: puts go to the target, reads ask the target and then the source; a Pass
//	          copies what the source got last
//
// Deletes go to both stores all the while. A blob is therefore in one of the two at every
// moment, and whoever reads need not know of the move.
package move

import (
	"context"
	"errors"
	"io"
	"iter"
	"sync"
	"time"

	"picora/store/blob"
)

// Store keeps blobs in one store, or in two during a move.
type Store struct {
	mu   sync.RWMutex
	v    *view
	puts map[blob.Store]int // under way, by where they go
}

// A view is where blobs are for a while.
type view struct {
	from, to blob.Store // to is nil at rest
	switched bool       // puts go to to
	deletes  int        // under way that began under this view
}

var _ blob.Store = (*Store)(nil)

// New returns the store at rest over another.
func New(at blob.Store) *Store {
	return &Store{v: &view{from: at}, puts: map[blob.Store]int{}}
}

// Begin starts a move to another store: deletes go there, too, when it returns.
func (s *Store) Begin(ctx context.Context, to blob.Store) error {
	return s.set(ctx, func(v view) view { return view{from: v.from, to: to} })
}

// Switch has puts go to the target, and reads ask there first. Puts to the source that
// began before go on: see Settled.
func (s *Store) Switch(ctx context.Context) error {
	return s.set(ctx, func(v view) view { return view{from: v.from, to: v.to, switched: true} })
}

// Back undoes a move. Before the switch the source is all there was. After it, source and
// target change places: what was put meanwhile is to be moved back.
func (s *Store) Back(ctx context.Context) error {
	return s.set(ctx, func(v view) view {
		if !v.switched {
			return view{from: v.from}
		}
		return view{from: v.to, to: v.from, switched: true}
	})
}

// End rests at the target. The source is not asked any more.
func (s *Store) End(ctx context.Context) error {
	return s.set(ctx, func(v view) view { return view{from: v.to} })
}

// set changes the view and waits for the deletes that began under the old one: they may
// miss a store that the new one knows, or come to the two in the other order.
func (s *Store) set(ctx context.Context, next func(view) view) error {
	s.mu.Lock()
	old := s.v
	v := next(*old)
	v.deletes = 0
	s.v = &v
	s.mu.Unlock()
	return s.wait(ctx, func() bool { return old.deletes == 0 })
}

// Moving reports whether a move is under way.
func (s *Store) Moving() bool { return s.view().to != nil }

// Settled waits until no put to the source is under way, which is so some time after the
// switch.
func (s *Store) Settled(ctx context.Context) error {
	return s.wait(ctx, func() bool { return s.puts[s.v.from] == 0 })
}

// wait returns when ok, which is asked under the lock.
func (s *Store) wait(ctx context.Context, ok func() bool) error {
	for {
		s.mu.RLock()
		done := ok()
		s.mu.RUnlock()
		if done {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (s *Store) view() *view {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.v
}

// writes is where puts go.
func (v *view) writes() blob.Store {
	if v.switched {
		return v.to
	}
	return v.from
}

// beginPut is where a put goes, which is under way until end.
func (s *Store) beginPut() (at blob.Store, end func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at = s.v.writes()
	s.puts[at]++
	return at, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.puts[at]--; s.puts[at] == 0 {
			delete(s.puts, at)
		}
	}
}

// Put implements blob.Store. After the switch it does not ask whether the source has the
// key: keys are made for one blob each.
func (s *Store) Put(ctx context.Context, key string, r io.Reader) (blob.Info, error) {
	at, end := s.beginPut()
	defer end()
	return at.Put(ctx, key, r)
}

// PutFile implements blob.Store.
func (s *Store) PutFile(ctx context.Context, key, path string) (blob.Info, error) {
	at, end := s.beginPut()
	defer end()
	return at.PutFile(ctx, key, path)
}

// Open implements blob.Store.
func (s *Store) Open(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	return find(ctx, s.view(), func(at blob.Store) (io.ReadCloser, error) { return at.Open(ctx, key, off, n) })
}

// Stat implements blob.Store.
func (s *Store) Stat(ctx context.Context, key string) (blob.Info, error) {
	return find(ctx, s.view(), func(at blob.Store) (blob.Info, error) { return at.Stat(ctx, key) })
}

// find asks the source, or the target and then the source: also when the target cannot
// answer, as a blob is the same wherever it is.
func find[T any](ctx context.Context, v *view, ask func(blob.Store) (T, error)) (T, error) {
	if !v.switched {
		return ask(v.from)
	}
	got, err := ask(v.to)
	if err == nil || errors.Is(err, blob.ErrKey) || errors.Is(err, blob.ErrRange) || ctx.Err() != nil {
		return got, err
	}
	got, second := ask(v.from)
	if errors.Is(second, blob.ErrNotFound) {
		return got, err
	}
	return got, second
}

// Delete implements blob.Store. The source comes first: a Pass that has just copied the
// blob looks whether the source still has it.
func (s *Store) Delete(ctx context.Context, key string) error {
	s.mu.Lock()
	v := s.v
	v.deletes++
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		v.deletes--
	}()
	err := v.from.Delete(ctx, key)
	if v.to != nil {
		err = errors.Join(err, v.to.Delete(ctx, key))
	}
	return err
}

// Reads is the store that is asked first.
func (s *Store) Reads() blob.Store { return s.view().writes() }

// Presign implements blob.Presigner. Nobody else is asked for a blob that may be in either
// of two stores.
func (s *Store) Presign(ctx context.Context, key, mime, saveAs string, life time.Duration) (string, error) {
	v := s.view()
	p, ok := v.from.(blob.Presigner)
	if v.switched || !ok {
		return "", nil
	}
	return p.Presign(ctx, key, mime, saveAs, life)
}

// List implements blob.Store.
func (s *Store) List(ctx context.Context, prefix, after string) iter.Seq2[blob.Info, error] {
	v := s.view()
	if !v.switched {
		return v.from.List(ctx, prefix, after)
	}
	return func(yield func(blob.Info, error) bool) {
		for f, err := range besides(ctx, v.to, v.from, prefix, after) {
			i := f.first
			if i == nil {
				i = f.second
			}
			if err != nil {
				yield(blob.Info{}, err)
				return
			}
			if !yield(*i, nil) {
				return
			}
		}
	}
}

// Free implements blob.Store: of where puts go.
func (s *Store) Free(ctx context.Context) (int64, error) { return s.view().writes().Free(ctx) }

// Total is the size of what Free is of in bytes, 0 when it is not known.
func (s *Store) Total(ctx context.Context) (int64, error) {
	d, ok := s.view().writes().(interface {
		Total(context.Context) (int64, error)
	})
	if !ok {
		return 0, ctx.Err()
	}
	return d.Total(ctx)
}
