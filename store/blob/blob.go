// Package blob is the seam between Picora and whatever keeps the bytes of its
// media: a local disk today, S3 and its kin next to it. A blob is immutable: it
// is stored once under a key that was made for it and never written again, so
// different content always has a different key and a reader may cache for ever.
//
// The suite in blobtest is the binding text: what it checks, a backend promises.
package blob

import (
	"context"
	"errors"
	"io"
	"iter"
	"os"
	"time"
)

// The errors a caller may want to tell apart; every backend wraps them, so test
// with errors.Is. Anything else is a failure of the backend.
var (
	// ErrNotFound says that there is no blob with that key.
	ErrNotFound = errors.New("blob: not found")
	// ErrExists says that a Put met its key already stored, or being stored.
	ErrExists = errors.New("blob: exists already")
	// ErrNoSpace says that the backend is full, or its owner's quota is.
	ErrNoSpace = errors.New("blob: no space left")
	// ErrUnavailable says that the backend cannot be reached, or does not do its work now.
	ErrUnavailable = errors.New("blob: the storage cannot be reached")
	// ErrKey says that a key was not made by NewKey. The backend was not asked.
	ErrKey = errors.New("blob: invalid key")
	// ErrRange says that a read would begin before the first byte or past the end.
	ErrRange = errors.New("blob: range outside the blob")
)

// A Store keeps blobs. It is safe for concurrent use. Every method returns
// ErrKey for an invalid key and the context's error when the context is done
// before the work began.
type Store interface {
	// Put stores everything r holds under key, whole or not at all: when it
	// returns nil the blob survives a power failure, when it returns an error
	// there is nothing to be found. An error of r other than io.EOF aborts and
	// comes back wrapped. A key that is stored, or being stored, gives
	// ErrExists; a full backend ErrNoSpace. The context is looked at between two
	// reads of r; a Read that blocks is for its owner to interrupt.
	Put(ctx context.Context, key string, r io.Reader) (Info, error)

	// PutFile is Put of a complete local file. A backend on the same disk may take the
	// bytes without copying them, so nobody writes to the file any more. It is the
	// caller's to remove, whatever came of it.
	PutFile(ctx context.Context, key, path string) (Info, error)

	// Open reads n bytes from the byte off on, to the end when n < 0. A range
	// that reaches past the end is cut there; off may be the size (no bytes) but
	// not more, nor negative (ErrRange). ErrNotFound when there is no such blob.
	// The caller closes the reader and keeps ctx alive until then. A blob
	// deleted while it is read gives its bytes or an error, never other bytes.
	//
	// The reader may implement Filer or Mover.
	Open(ctx context.Context, key string, off, n int64) (io.ReadCloser, error)

	// Stat describes one blob, or returns ErrNotFound.
	Stat(ctx context.Context, key string) (Info, error)

	// Delete removes a blob; one that is missing is not an error. It may be
	// undone by a power failure, so a caller who must be sure deletes from a
	// durable queue.
	Delete(ctx context.Context, key string) error

	// List walks the blobs whose keys start with prefix and are greater than
	// after, in ascending order of keys, which is the order of their making.
	// Both may be empty or the beginning of a key; anything else gives ErrKey. An
	// error ends the walk. Blobs put or deleted meanwhile may be seen or not.
	List(ctx context.Context, prefix, after string) iter.Seq2[Info, error]

	// Free returns how many bytes may still be written, math.MaxInt64 when the
	// backend cannot say. It is a hint: others may write too.
	Free(ctx context.Context) (int64, error)
}

// Info describes a stored blob.
type Info struct {
	Key      string
	Size     int64     // bytes
	Modified time.Time // when the backend stored it, UTC; Time(Key) is when the key was made
}

// A Filer is a reader over a section of a local file, so that a server can hand
// the section to the kernel (sendfile) instead of copying it. The reader of
// Store.Open may implement it.
type Filer interface {
	// File returns the open file and the section of it that was asked for: n
	// bytes from the byte off on, never past the file's end as it was at Open.
	// The file belongs to the reader and is valid until its Close. Its own offset
	// is not used by the reader: the caller may move it.
	File() (f *os.File, off, n int64)
}

// A Mover is a reader of bytes that come by a connection, so that a server can have the
// kernel move them to another (splice). The reader of Store.Open may implement it.
type Mover interface {
	// Move has w read at most n of the next bytes from the connection, and returns how many
	// those were. When there are none, or after an error, the next are to be Read, which
	// tells what is wrong, if anything; later Move may work again.
	Move(w io.ReaderFrom, n int64) (int64, error)
}

// A Presigner is a Store whose service gives blobs to others than Picora. A Store may be one.
type Presigner interface {
	// Presign returns an address from which whoever knows it may read the blob, for as long
	// as life. The service says there that the bytes are of the type mime, and, when saveAs is
	// not empty, that this is their Content-Disposition. Whether there is such a blob is not
	// asked. The address is empty when nobody else gives the blob now.
	Presign(ctx context.Context, key, mime, saveAs string, life time.Duration) (string, error)
}

// Behind is the store that has the blobs of s: s itself, unless it may answer from copies
// of them and says with a method Behind what is behind it.
func Behind(s Store) Store {
	if front, ok := s.(interface{ Behind() Store }); ok {
		return front.Behind()
	}
	return s
}
