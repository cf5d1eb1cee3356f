package boltkv

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// bucketName is the one bucket everything is in: order within it is all we need.
var bucketName = []byte("kv")

const defaultTimeout = time.Second

// fillPercent is how full a page is left when it is split. Most of our keys
// ascend with time, so most pages are never added to again: at bbolt's half the
// file is 1.5 times as large.
const fillPercent = 0.8

// Open opens the database file at path, and makes it, readable by its owner
// only, if it is not there; its folder must be. Errors name the file. They
// satisfy errors.Is for ErrLocked and ErrCorrupt where they apply.
//
// Close writes down which pages are free. Without that, after a crash, bbolt reads
// every page in use to learn it (not writing the list with each commit makes
// commits cheaper), and we do before it, because it reads in a goroutine of its
// own where damage would end the process: expect a second or two per GB.
func Open(path string, opts Options) (*DB, error) {
	if opts.Timeout <= 0 {
		opts.Timeout = defaultTimeout
	}
	var size int64
	info, err := os.Stat(path)
	switch {
	case err == nil:
		size = info.Size()
	case !errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("boltkv: open: %w", err)
	}
	if size > 0 {
		if err := check(path, opts.Timeout); err != nil {
			return nil, openError(path, err)
		}
	}
	db, err := openBolt(path, bbolt.Options{
		Timeout:         opts.Timeout,
		NoFreelistSync:  true,
		FreelistType:    bbolt.FreelistMapType,
		InitialMmapSize: mapSize(opts.MapSize, size),
	})
	if err != nil {
		return nil, openError(path, err)
	}
	if err := prepare(db, path, size == 0); err != nil {
		_ = db.Close()
		return nil, openError(path, err)
	}
	return &DB{path: path, bolt: db, commit: (*bbolt.Tx).Commit}, nil
}

// prepare makes sure the bucket exists and that a new file is still in its
// folder after a power cut.
func prepare(db *bbolt.DB, path string, fresh bool) error {
	if fresh {
		if err := syncFolder(filepath.Dir(path)); err != nil {
			return err
		}
	}
	found := false
	err := onPanic(func() error {
		return db.View(func(t *bbolt.Tx) error {
			found = t.Bucket(bucketName) != nil
			return nil
		})
	})
	if err != nil || found {
		return err
	}
	return db.Update(func(t *bbolt.Tx) error {
		_, err := t.CreateBucket(bucketName)
		return err
	})
}

// openBolt opens the file and turns a panic into an error, letting go of the
// file, which bbolt does not do when it panics.
func openBolt(path string, opts bbolt.Options) (db *bbolt.DB, err error) {
	var file *os.File
	opts.OpenFile = func(name string, flag int, mode os.FileMode) (*os.File, error) {
		f, err := os.OpenFile(name, flag, mode)
		file = f
		return f, err
	}
	err = onPanic(func() error {
		db, err = bbolt.Open(path, 0o600, &opts)
		return err
	})
	if err != nil && file != nil {
		_ = file.Close() // twice unless it panicked, which is harmless
	}
	return db, err
}

// openError names the file and tells a locked and a damaged one apart from
// other failures.
func openError(path string, err error) error {
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return fmt.Errorf("%w: %s", ErrLocked, path)
	case errors.Is(err, ErrCorrupt):
		return fmt.Errorf("boltkv: open %s: %w", path, err)
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum), errors.Is(err, bolterrors.ErrVersionMismatch),
		strings.Contains(err.Error(), "file size too small"):
		return fmt.Errorf("boltkv: open %s: %w: %w", path, ErrCorrupt, err)
	}
	return fmt.Errorf("boltkv: open %s: %w", path, err)
}

// mapSize returns how much address space to reserve for a file of size bytes.
func mapSize(wanted, size int64) int {
	// Windows makes the file as large as its mapping, and 32-bit processes have
	// little address space to give away.
	if runtime.GOOS == "windows" || strconv.IntSize < 64 {
		return 0
	}
	return int(max(wanted, 2*size, 1<<30))
}

func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if runtime.GOOS == "windows" {
		return nil // cannot sync folders, and need not
	}
	return f.Sync()
}
