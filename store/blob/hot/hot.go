// Package hot keeps on the local disk the small blobs of a store that is far away.
//
// What is kept is a blob and its sum behind it, so that a file which a power failure tore
// is noticed. It goes when the blob is deleted, or when the room is needed for others that
// were asked for later.
package hot

import (
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"os"
	"sync"

	"picora/store/blob"
	"picora/store/blob/disk"
	"picora/store/cache"
)

// Small is the largest blob that is kept, in bytes.
const Small = 1 << 20

// Options of a Store.
type Options struct {
	Folder  string // of the files; made when it is missing
	Max     int64  // bytes of the disk that they may take; 0: none is kept
	MinFree int64  // bytes of the disk that they leave free
	// Far reports whether the store is far away now; nil: it always is.
	Far func() bool
}

// Store is a store that is far away, with its small blobs at hand. What is read whole is
// kept; parts of blobs and large ones are read where they are.
type Store struct {
	blob.Store
	o     Options
	files *cache.Cache // nil: none is kept

	mu      sync.Mutex
	running map[string]*fetch
}

// fetch brings a blob. There is one at a time of each.
type fetch struct {
	ended chan struct{}
	gone  bool // the blob was deleted meanwhile
}

// Open returns far with the files in the folder before it.
func Open(far blob.Store, o Options) (*Store, error) {
	s := &Store{Store: far, o: o, running: map[string]*fetch{}}
	if err := os.MkdirAll(o.Folder, 0o700); err != nil {
		return nil, fmt.Errorf("hot: %w", err)
	}
	if o.Max <= 0 {
		return s, nil
	}
	files, err := cache.Open(o.Folder, o.Max)
	if err != nil {
		return nil, fmt.Errorf("hot: %w", err)
	}
	s.files = files
	return s, nil
}

// Behind is the store that is far away: see blob.Behind.
func (s *Store) Behind() blob.Store { return s.Store }

func (s *Store) far() bool { return s.o.Far == nil || s.o.Far() }

// Close lets go of the folder. Readers that are open stay valid.
func (s *Store) Close() error {
	if s.files == nil {
		return nil
	}
	return s.files.Close()
}

// Open implements blob.Store.
func (s *Store) Open(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	if s.files == nil || !s.far() || !blob.ValidKey(key) || off < 0 || n == 0 || ctx.Err() != nil {
		return s.Store.Open(ctx, key, off, n)
	}
	if r, err := s.near(key, off, n); r != nil || err != nil {
		return r, err
	}
	if off > 0 || n < 0 || n > Small {
		return s.Store.Open(ctx, key, off, n)
	}
	s.mu.Lock()
	f, busy := s.running[key]
	if !busy {
		f = &fetch{ended: make(chan struct{})}
		s.running[key] = f
	}
	s.mu.Unlock()
	if !busy {
		return s.bring(ctx, f, key, n)
	}
	select {
	case <-f.ended:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if r, err := s.near(key, off, n); r != nil || err != nil {
		return r, err
	}
	return s.Store.Open(ctx, key, off, n) // it is larger, or it could not be brought
}

// near opens a blob that is at hand; nil when it is not.
func (s *Store) near(key string, off, n int64) (io.ReadCloser, error) {
	f, err := s.files.Get(group(key), key)
	if err != nil {
		return nil, nil // and if the disk is damaged, the blob is still where it is
	}
	size, err := whole(f)
	if err != nil {
		f.Close()
		slog.Warn("a blob that was kept at hand is damaged, and is fetched again", "blob", key, "err", err)
		s.files.Remove(group(key), key) // else it is found to be damaged again
		return nil, nil
	}
	if off > size {
		f.Close()
		return nil, fmt.Errorf("%w: byte %d of %d in %s", blob.ErrRange, off, size, key)
	}
	if n < 0 || n > size-off {
		n = size - off
	}
	return section(f, off, n), nil
}

// bring reads the first n bytes of a blob, and keeps them if there are no more. It ends f.
func (s *Store) bring(ctx context.Context, f *fetch, key string, n int64) (io.ReadCloser, error) {
	ended := false
	end := func(keep func()) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if ended {
			return
		}
		if keep != nil && !f.gone {
			keep()
		}
		ended = true
		delete(s.running, key)
		close(f.ended)
	}
	defer end(nil) // also when the far store panics
	// Another may have brought it since it was looked for.
	if r, err := s.near(key, 0, n); r != nil || err != nil {
		return r, err
	}
	if free, _, err := disk.Room(s.o.Folder); err != nil || free < s.o.MinFree+n {
		return s.Store.Open(ctx, key, 0, n)
	}
	r, err := s.Store.Open(ctx, key, 0, n+1) // one more shows that there is more
	if err != nil {
		return nil, err
	}
	defer r.Close()
	file, err := s.files.Create()
	if err != nil {
		return s.Store.Open(ctx, key, 0, n)
	}
	sum := crc32.New(castagnoli)
	size, err := io.Copy(io.MultiWriter(file, sum), r)
	if err == nil && size <= n {
		_, err = file.Write(sum.Sum(nil))
	}
	if err != nil { // which of the two failed shows when it is read again
		file.Discard()
		file.Close()
		return s.Store.Open(ctx, key, 0, n)
	}
	kept := false
	if size <= n {
		end(func() { kept = file.Place(group(key), key) == nil })
	}
	if !kept {
		file.Discard() // its name only
	}
	return section(file.File, 0, min(n, size)), nil
}

// Delete implements blob.Store.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := s.Store.Delete(ctx, key); err != nil || s.files == nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.running[key]; f != nil {
		f.gone = true
	}
	return s.files.Remove(group(key), key)
}

// Free implements blob.Store. The local disk counts as well: the files are on it, and what
// else the server keeps beside its blobs.
func (s *Store) Free(ctx context.Context) (int64, error) {
	far, err := s.Store.Free(ctx)
	if err != nil {
		return 0, err
	}
	if !s.far() {
		return far, nil
	}
	here, _, err := disk.Room(s.o.Folder)
	if err != nil {
		return 0, fmt.Errorf("hot: free space: %w", err)
	}
	return min(far, here), nil
}

// Total is the size in bytes of the disk that Free is of: the local one, if the store is
// far away.
func (s *Store) Total(ctx context.Context) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if d, ok := s.Store.(interface {
		Total(context.Context) (int64, error)
	}); ok && !s.far() {
		return d.Total(ctx)
	}
	_, total, err := disk.Room(s.o.Folder)
	if err != nil {
		return 0, fmt.Errorf("hot: size of the disk: %w", err)
	}
	return total, nil
}

// Shrink deletes about n bytes of what is at hand, and returns how many.
func (s *Store) Shrink(n int64) int64 {
	if s.files == nil {
		return 0
	}
	before, _ := s.files.Size()
	s.files.Shrink(n)
	after, _ := s.files.Size()
	return before - after
}
