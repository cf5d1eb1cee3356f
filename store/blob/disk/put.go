package disk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"sync"

	"picora/store/blob"
)

// Put implements blob.Store. The bytes go to a temp file, which is made durable
// and then moved to its place; last the folder is made durable.
func (s *Store) Put(ctx context.Context, key string, r io.Reader) (blob.Info, error) {
	if err := check(ctx, key); err != nil {
		return blob.Info{}, err
	}
	temp := path.Join(tempDir, key+partial)
	// O_EXCL makes the temp file the lock on its key: no other Put of it comes
	// this far until ours is moved or removed.
	f, err := s.root.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return blob.Info{}, fmt.Errorf("%w: %s is being stored", blob.ErrExists, key)
	}
	if err != nil {
		return blob.Info{}, fmt.Errorf("blob: put %s: %w", key, noSpace(err))
	}
	moved := false
	defer func() { // also when r panics
		f.Close()
		if !moved {
			s.root.Remove(temp)
		}
	}()

	// With the lock held and the place empty, the rename below overwrites nothing.
	if _, err := s.root.Lstat(place(key)); err == nil {
		return blob.Info{}, fmt.Errorf("%w: %s", blob.ErrExists, key)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return blob.Info{}, fmt.Errorf("blob: put %s: %w", key, err)
	}
	fi, err := s.write(ctx, f, r)
	if err != nil {
		return blob.Info{}, fmt.Errorf("blob: put %s: %w", key, err)
	}
	if moved, err = s.move(temp, key); err != nil {
		return blob.Info{}, fmt.Errorf("blob: put %s: %w", key, noSpace(err))
	}
	s.puts.Add(1)
	return info(key, fi), nil
}

// write fills f and makes it durable. Its last look at ctx is just before the
// file is moved: what is stored is not given up for a client who has left.
func (s *Store) write(ctx context.Context, f *os.File, r io.Reader) (fs.FileInfo, error) {
	if err := fill(ctx, f, r); err != nil {
		return nil, err
	}
	s.fileSyncs.Add(1)
	if err := datasync(f); err != nil {
		return nil, noSpace(err)
	}
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return fi, ctx.Err()
}

// move gives the temp file its place for good, and says whether it left its old
// one. When it fails, the blob is in neither.
func (s *Store) move(temp, key string) (moved bool, err error) {
	folder := s.folders.at(home(key))
	if err := s.folders.make(folder); err != nil {
		return false, err
	}
	err = s.root.Rename(temp, place(key))
	if errors.Is(err, fs.ErrNotExist) {
		// Someone tidied up empty folders.
		s.folders.forget(folder)
		if err := s.folders.make(folder); err != nil {
			return false, err
		}
		err = s.root.Rename(temp, place(key))
	}
	if err != nil {
		return false, err
	}
	if err := s.folders.sync(folder); err != nil {
		s.root.Remove(place(key))
		return true, err
	}
	return true, nil
}

// Most uploads are pictures and many are thumbnails, and an upload holds its
// buffer for as long as its client takes to send. So it starts with a small one
// and gets a large one when that was not enough.
const smallBuffer, largeBuffer = 32 << 10, 256 << 10

var (
	small = sync.Pool{New: func() any { b := make([]byte, smallBuffer); return &b }}
	large = sync.Pool{New: func() any { b := make([]byte, largeBuffer); return &b }}
)

// fill copies r to f. It is a loop of its own because io.Copy lets r and f
// choose another buffer, and would write each small piece the network brings.
func fill(ctx context.Context, f *os.File, r io.Reader) error {
	w := NewWriter(f, 0)
	for pool := &small; ; pool = &large {
		if more, err := fillOnce(ctx, w, r, pool); err != nil || !more {
			return err
		}
	}
}

// fillOnce copies one buffer from the pool, and says whether r may hold more.
func fillOnce(ctx context.Context, w *Writer, r io.Reader, pool *sync.Pool) (more bool, err error) {
	b := pool.Get().(*[]byte)
	defer pool.Put(b)
	n, err := blob.ReadFull(ctx, r, *b)
	if err != nil && err != io.EOF {
		return false, fmt.Errorf("read: %w", err)
	}
	if _, err := w.Write((*b)[:n]); err != nil {
		return false, noSpace(err)
	}
	return err == nil, nil
}
