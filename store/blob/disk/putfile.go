package disk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"golang.org/x/sys/unix"

	"picora/store/blob"
)

// PutFile implements blob.Store. The blob is a second name (a hard link) of the file where
// the file system has those and the file lies on it; else its bytes are copied.
func (s *Store) PutFile(ctx context.Context, key, file string) (blob.Info, error) {
	if err := check(ctx, key); err != nil {
		return blob.Info{}, err
	}
	f, err := os.Open(file)
	if err != nil {
		return blob.Info{}, fmt.Errorf("blob: put %s: %w", key, err)
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return blob.Info{}, fmt.Errorf("blob: put %s: %w", key, err)
	}
	if !fi.Mode().IsRegular() || fi.Mode().Perm() != 0o600 { // a link would share more than its bytes
		return s.Put(ctx, key, f)
	}
	s.fileSyncs.Add(1)
	if err := datasync(f); err != nil {
		return blob.Info{}, fmt.Errorf("blob: put %s: %w", key, noSpace(err))
	}
	switch err := s.link(f, key); {
	case errors.Is(err, fs.ErrExist):
		return blob.Info{}, fmt.Errorf("%w: %s", blob.ErrExists, key)
	case errors.Is(err, unix.EXDEV), errors.Is(err, unix.EPERM), errors.Is(err, unix.ENOTSUP), errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EMLINK), errors.Is(err, fs.ErrNotExist):
		return s.Put(ctx, key, f)
	case err != nil:
		return blob.Info{}, fmt.Errorf("blob: put %s: %w", key, noSpace(err))
	}
	s.puts.Add(1)
	return info(key, fi), nil
}

// link gives the open file its place among the blobs for good.
func (s *Store) link(f *os.File, key string) error {
	at := s.folders.at(home(key))
	if err := s.folders.make(at); err != nil {
		return err
	}
	dir, err := s.root.Open(home(key))
	if errors.Is(err, fs.ErrNotExist) { // someone tidied up empty folders
		s.folders.forget(at)
		if err = s.folders.make(at); err == nil {
			dir, err = s.root.Open(home(key))
		}
	}
	if err != nil {
		return err
	}
	defer dir.Close()
	// By descriptor, not by path: it is the file that was looked at.
	err = unix.Linkat(unix.AT_FDCWD, fmt.Sprintf("/proc/self/fd/%d", f.Fd()), int(dir.Fd()), path.Base(place(key)), unix.AT_SYMLINK_FOLLOW)
	if err != nil {
		return os.NewSyscallError("linkat", err)
	}
	if err := s.folders.sync(at); err != nil {
		s.root.Remove(place(key))
		return err
	}
	return nil
}
