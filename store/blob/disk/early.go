package disk

import (
	"os"

	"golang.org/x/sys/unix"
)

// A Writer writes a long file from an offset on, and has the kernel bring the bytes to the
// disk as they come: else all of them would wait in memory for the fsync at the end, while
// the disk had nothing to do. That fsync is still the caller's.
type Writer struct {
	file  *os.File
	at    int64 // where the next byte goes
	begun int64 // the disk was told of the bytes before
}

// early is how many bytes the disk is told of at once. A file that is shorter is left to
// its fsync.
const early = 1 << 20

// NewWriter returns a Writer of f that begins at the byte off.
func NewWriter(f *os.File, off int64) *Writer { return &Writer{f, off, off} }

// Write implements io.Writer.
func (w *Writer) Write(p []byte) (int, error) {
	n, err := w.file.WriteAt(p, w.at)
	w.at += int64(n)
	if end := w.at &^ (early - 1); end-w.begun >= early {
		// Some file systems cannot. Nothing is lost: the fsync does it all.
		unix.SyncFileRange(int(w.file.Fd()), w.begun, end-w.begun, unix.SYNC_FILE_RANGE_WRITE)
		w.begun = end
	}
	return n, err
}
