package disk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"picora/store/blob"
)

// A File reads a section of a blob. It is not safe for concurrent use.
type File struct {
	file    *os.File
	section *io.SectionReader
	size    int64
}

var _ blob.Filer = (*File)(nil)

// Open implements blob.Store; the reader is a *File.
func (s *Store) Open(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	if err := check(ctx, key); err != nil {
		return nil, err
	}
	f, err := s.open(key, off, n)
	if err != nil {
		return nil, err // not f: a nil *File in an interface is not nil
	}
	return f, nil
}

func (s *Store) open(key string, off, n int64) (*File, error) {
	f, err := s.root.Open(place(key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s", blob.ErrNotFound, key)
	}
	if err != nil {
		return nil, fmt.Errorf("blob: open %s: %w", key, err)
	}
	fi, err := f.Stat()
	if err == nil && !fi.Mode().IsRegular() {
		err = fmt.Errorf("%w: %s", blob.ErrNotFound, key)
	}
	if err == nil && (off < 0 || off > fi.Size()) {
		err = fmt.Errorf("%w: byte %d of %d in %s", blob.ErrRange, off, fi.Size(), key)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	if n < 0 || n > fi.Size()-off {
		n = fi.Size() - off
	}
	return &File{file: f, section: io.NewSectionReader(f, off, n), size: fi.Size()}, nil
}

// Read implements io.Reader. It does not move the file's own offset.
func (f *File) Read(p []byte) (int, error) { return f.section.Read(p) }

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }

// File implements blob.Filer.
func (f *File) File() (file *os.File, off, n int64) {
	_, off, n = f.section.Outer()
	return f.file, off, n
}

// Size returns the size of the whole blob in bytes, not of the section.
func (f *File) Size() int64 { return f.size }
