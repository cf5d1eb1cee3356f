package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"picora/store/blob"
)

// datasync makes the contents of a file durable. fdatasync leaves out only what
// reading the bytes back does not need, such as the time of the last write; the
// size and where the bytes lie are flushed with them, so a new file comes back
// whole.
func datasync(f *os.File) error {
	for {
		err := unix.Fdatasync(int(f.Fd()))
		if err != unix.EINTR {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}

// syncDir makes the names in a folder under root durable.
func syncDir(root *os.Root, name string) error {
	f, err := root.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// makeDurable makes a folder and those above it that are missing, and fsyncs
// where it adds a name. Folders that are there are left alone: the user may not
// be allowed to open them.
func makeDurable(dir string) error {
	fi, err := os.Stat(dir)
	if err == nil && !fi.IsDir() {
		return unix.ENOTDIR
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := makeDurable(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	up, err := os.Open(filepath.Dir(dir))
	if err != nil {
		return err
	}
	defer up.Close()
	return up.Sync()
}

// Room is how many bytes the file system of the folder dir has left for users other than
// root, and how many it has altogether.
func Room(dir string) (free, total int64, err error) {
	f, err := os.Open(dir)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	return room(f)
}

// room is Room of a folder that is open.
func room(dir *os.File) (free, total int64, err error) {
	raw, err := dir.SyscallConn() // unlike Fd, also right beside Close
	if err != nil {
		return 0, 0, err
	}
	var st unix.Statfs_t
	stat := func(fd uintptr) {
		for err = unix.EINTR; err == unix.EINTR; {
			err = unix.Fstatfs(int(fd), &st)
		}
	}
	if err := raw.Control(stat); err != nil {
		return 0, 0, err
	}
	if err != nil {
		return 0, 0, os.NewSyscallError("fstatfs", err)
	}
	unit := uint64(st.Frsize)
	return int64(min(st.Bavail*unit, math.MaxInt64)), int64(min(st.Blocks*unit, math.MaxInt64)), nil
}

// noSpace wraps an error of a full disk, or a used-up disk quota, so that it is
// blob.ErrNoSpace too. Others, and nil, it returns as they are.
func noSpace(err error) error {
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		return fmt.Errorf("%w: %w", blob.ErrNoSpace, err)
	}
	return err
}
