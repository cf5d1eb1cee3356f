// Package disk keeps blobs in a folder of the local file system.
//
//	blobs/<4>/<2>/<key>   what is stored; 4 and 2 are how many of the key's first
//	                      characters name the folders
//	tmp/<key>.part        what is being stored
//
// Keys begin with their time, so a folder of the first kind holds what came in
// 12.4 days (2^30 ms) and one of the second what came in 17.5 minutes (2^20 ms).
// Uploads that happen together therefore share a folder, and with it the fsync
// that makes their names durable; see folders.go.
//
// Everything happens under an os.Root: no key and no symbolic link in the tree
// leads out of it.
package disk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync/atomic"

	"picora/store/blob"
)

const (
	blobsDir = "blobs"
	tempDir  = "tmp"
	partial  = ".part" // the ending of a temp file
)

// A Store keeps blobs in one folder, of which it must be the only user.
type Store struct {
	root      *os.Root
	dir       *os.File // the folder itself: every upload asks for the space that is left
	folders   *folders
	puts      atomic.Int64
	fileSyncs atomic.Int64
}

var _ blob.Store = (*Store)(nil)

// Open returns the store in the folder dir, which is made when it is missing.
// It fails when the folder cannot be written, unless only for want of space:
// a full disk must still be served from, and emptied.
func Open(dir string) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("blob: cannot use the folder %s: %w", dir, err)
	}
	if err := makeDurable(dir); err != nil {
		return nil, fmt.Errorf("blob: cannot make the folder %s: %w", dir, err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("blob: cannot use the folder %s: %w", dir, err)
	}
	f, err := root.Open(".")
	if err != nil {
		root.Close()
		return nil, fmt.Errorf("blob: cannot use the folder %s: %w", dir, err)
	}
	s := &Store{root: root, dir: f, folders: newFolders(root)}
	if err := s.prepare(); err != nil {
		s.Close()
		return nil, fmt.Errorf("blob: cannot write in the folder %s: %w", dir, err)
	}
	return s, nil
}

// prepare makes the two trees and tries in them what Put will do.
func (s *Store) prepare() error {
	for _, name := range []string{blobsDir, tempDir} {
		if err := s.root.Mkdir(name, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	if err := syncDir(s.root, "."); err != nil {
		return err
	}
	if err := s.try(); !errors.Is(noSpace(err), blob.ErrNoSpace) {
		return err
	}
	return nil
}

// try makes a file in one tree and moves it to the other, which tells whether
// they lie on one file system, as they must. What a crash leaves of it among the
// blobs is overwritten by the next Open.
func (s *Store) try() error {
	const from, to = tempDir + "/check" + partial, blobsDir + "/check" + partial
	f, err := s.root.OpenFile(from, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	f.Close()
	if err := s.root.Rename(from, to); err != nil {
		s.root.Remove(from)
		return err
	}
	return s.root.Remove(to)
}

// Close releases the folder. Readers that are open stay valid.
func (s *Store) Close() error { return errors.Join(s.dir.Close(), s.root.Close()) }

// Stat implements blob.Store.
func (s *Store) Stat(ctx context.Context, key string) (blob.Info, error) {
	if err := check(ctx, key); err != nil {
		return blob.Info{}, err
	}
	fi, err := s.root.Lstat(place(key))
	if errors.Is(err, fs.ErrNotExist) || err == nil && !fi.Mode().IsRegular() {
		return blob.Info{}, fmt.Errorf("%w: %s", blob.ErrNotFound, key)
	}
	if err != nil {
		return blob.Info{}, fmt.Errorf("blob: stat %s: %w", key, err)
	}
	return info(key, fi), nil
}

// Delete implements blob.Store. It does not fsync: a power failure may bring the
// blob back, and then the queue it was deleted from has it deleted again. Nor
// does it remove a folder it has emptied: a Put may be about to move its file
// there, and an empty folder per 17 minutes costs next to nothing.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := check(ctx, key); err != nil {
		return err
	}
	if err := s.root.Remove(place(key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("blob: delete %s: %w", key, err)
	}
	return nil
}

// Free implements blob.Store: the space that the file system leaves to users
// other than root.
func (s *Store) Free(ctx context.Context) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	free, _, err := room(s.dir)
	if err != nil {
		return 0, fmt.Errorf("blob: free space: %w", err)
	}
	return free, nil
}

// Total is the size of the file system in bytes, 0 when it is not known.
func (s *Store) Total(ctx context.Context) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	_, total, err := room(s.dir)
	if err != nil {
		return 0, fmt.Errorf("blob: size of the disk: %w", err)
	}
	return total, nil
}

// Sweep removes the temp files that a crash left and returns how many. Call it
// before the first Put: it takes the file of a running Put for a leftover, and
// that Put fails.
func (s *Store) Sweep(ctx context.Context) (n int, err error) {
	left, err := names(s.root, tempDir)
	if err != nil {
		return 0, fmt.Errorf("blob: sweep: %w", err)
	}
	for _, name := range left {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		name = path.Join(tempDir, name)
		if fi, err := s.root.Lstat(name); err != nil || !fi.Mode().IsRegular() || !strings.HasSuffix(name, partial) {
			continue
		}
		if err := s.root.Remove(name); err != nil {
			return n, fmt.Errorf("blob: sweep: %w", err)
		}
		n++
	}
	return n, nil
}

// Stats counts the work of a Store since Open.
type Stats struct {
	Puts      int64 // blobs stored
	FileSyncs int64 // fsyncs of contents: one per Put
	DirSyncs  int64 // fsyncs of folders: fewer than Puts when these are concurrent
}

// Stats returns the counters. They are read one after the other, so a Put that
// runs may be seen in some and not yet in others.
func (s *Store) Stats() Stats {
	return Stats{Puts: s.puts.Load(), FileSyncs: s.fileSyncs.Load(), DirSyncs: s.folders.syncs.Load()}
}

// check comes first in every method with a key.
func check(ctx context.Context, key string) error {
	if !blob.ValidKey(key) {
		return fmt.Errorf("%w: %q", blob.ErrKey, key)
	}
	return ctx.Err()
}

// place is the file of a valid key, under the root.
func place(key string) string { return path.Join(home(key), key) }

// home is the folder of a valid key, under the root.
func home(key string) string { return path.Join(blobsDir, key[:4], key[4:6]) }

func info(key string, fi fs.FileInfo) blob.Info {
	return blob.Info{Key: key, Size: fi.Size(), Modified: fi.ModTime().UTC()}
}
