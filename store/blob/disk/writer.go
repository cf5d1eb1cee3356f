package disk

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// A Writer writes a long file from an offset on, and keeps little of it in memory: what
// begins and ends at whole blocks goes past the page cache (O_DIRECT), which costs a third
// of the processor time and drives out nobody else's pages. Where that does not work, the
// kernel is told to bring the bytes to the disk as they come. Else all of them would wait
// in memory for the fsync at the end, while the disk had nothing to do. That fsync is still
// the caller's.
type Writer struct {
	file   *os.File
	at     int64 // where the next byte goes
	begun  int64 // the disk was told of the bytes before
	direct bool  // it passes the cache
	cannot bool  // its file system, or we, have no way past the cache
}

const (
	// early is how many bytes the disk is told of at once. A file that is shorter is left to
	// its fsync.
	early = 1 << 20
	// Block is what the memory, the offset and the length of a write past the cache are whole
	// multiples of (open(2), O_DIRECT; file systems may ask for less).
	Block = 4096
	// straight is how many bytes are worth a write past the cache, which waits for the disk.
	straight = 512 << 10
	// beginning is how much of a file is left in the cache: it is read soon, to see what the
	// file is.
	beginning = 8 << 20
)

// NewWriter returns a Writer of f that begins at the byte off. Nobody else may write by f,
// which belongs to the Writer until it is closed.
func NewWriter(f *os.File, off int64) *Writer { return &Writer{file: f, at: off, begun: off} }

// Write implements io.Writer. Memory that begins at a multiple of Block, as large slices
// do, is fastest.
func (w *Writer) Write(p []byte) (n int, err error) {
	if k := len(p) &^ (Block - 1); w.at >= beginning && w.at%Block == 0 && k >= straight && w.pass(true) {
		n, err = w.file.WriteAt(p[:k], w.at)
		w.at += int64(n)
		w.begun = w.at
		if errors.Is(err, unix.EINVAL) { // whatever it does not like: it need not go this way
			w.cannot, err = true, nil
		}
		if err != nil {
			return n, err
		}
	}
	if n == len(p) {
		return n, nil
	}
	w.pass(false)
	m, err := w.file.WriteAt(p[n:], w.at)
	w.at += int64(m)
	if end := w.at &^ (early - 1); end-w.begun >= early {
		// Some file systems cannot. Nothing is lost: the fsync does it all.
		unix.SyncFileRange(int(w.file.Fd()), w.begun, end-w.begun, unix.SYNC_FILE_RANGE_WRITE)
		w.begun = end
	}
	return n + m, err
}

// pass has what is written go past the cache, or not, and reports whether it does.
func (w *Writer) pass(past bool) bool {
	if past == w.direct || past && w.cannot {
		return w.direct
	}
	flags, err := unix.FcntlInt(w.file.Fd(), unix.F_GETFL, 0)
	if past {
		flags |= unix.O_DIRECT
	} else {
		flags &^= unix.O_DIRECT
	}
	if err == nil {
		_, err = unix.FcntlInt(w.file.Fd(), unix.F_SETFL, flags)
	}
	if err != nil {
		w.cannot = true
		return w.direct
	}
	w.direct = past
	return past
}
