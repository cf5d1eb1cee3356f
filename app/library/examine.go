package library

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"syscall"

	"picora/store"
	"picora/store/blob"
)

// Underway reports whether the blob is of an upload that has not ended: nobody knows yet
// whether it will have a record.
func (l *Library) Underway(blob string) bool {
	l.intakes.mu.Lock()
	defer l.intakes.mu.Unlock()
	_, running := l.intakes.running[blob]
	return running
}

// Exam is what was found of a blob.
type Exam struct {
	Size    int64         // bytes that are there
	Hash    []byte        // SHA-256 of all its bytes; nil when it is missing, or could not be read
	Problem store.Problem // 0: none
	Detail  string        // what is wrong, for people
}

// examineStep is how many bytes are read at a time.
const examineStep = 256 << 10

// Examine reads all of a blob, and says whether its bytes are what they were. Pace is told
// of the bytes as they are read; it may wait, and its error ends the reading. An error says
// nothing of the blob: the storage is away, or the context ended. A copy that is at hand is
// not asked.
func (l *Library) Examine(ctx context.Context, k *store.Kept, pace func(n int) error) (x Exam, err error) {
	r, err := blob.Behind(l.blobs).Open(ctx, k.Blob, 0, -1)
	if err != nil {
		return unreadable(ctx, x, err)
	}
	defer r.Close()
	hash, step := sha256.New(), make([]byte, examineStep)
	for {
		n, err := r.Read(step)
		hash.Write(step[:n])
		x.Size += int64(n)
		if n > 0 {
			if err := pace(n); err != nil {
				return x, err
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return unreadable(ctx, x, err)
		}
	}
	x.Hash = hash.Sum(nil)
	switch {
	case k.Size >= 0 && x.Size != k.Size:
		x.Problem, x.Detail = store.Corrupt, WrongSize(x.Size, k.Size)
	case k.Hash != nil && !bytes.Equal(x.Hash, k.Hash):
		x.Problem, x.Detail = store.Corrupt, "Its bytes are not those that were stored."
	}
	return x, nil
}

// WrongSize says what is wrong with a blob that has not as many bytes as it should.
func WrongSize(is, should int64) string {
	return fmt.Sprintf("It has %d bytes and should have %d.", is, should)
}

// unreadable tells a blob that cannot be read from a storage that cannot.
func unreadable(ctx context.Context, x Exam, err error) (Exam, error) {
	switch {
	case ctx.Err() != nil:
		return x, ctx.Err()
	case errors.Is(err, blob.ErrNotFound), errors.Is(err, blob.ErrKey):
		x.Problem = store.Missing
		return x, nil
	}
	for _, passing := range []error{blob.ErrUnavailable, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM} {
		if errors.Is(err, passing) {
			return x, err
		}
	}
	x.Problem, x.Detail = store.Corrupt, fmt.Sprintf("It cannot be read: %v.", err)
	return x, nil
}

// unpaced is a pace that does not wait.
func unpaced(int) error { return nil }

// intact reports whether the blob is a file with that hash.
func (l *Library) intact(ctx context.Context, blob string, hash []byte) (bool, error) {
	if blob == "" {
		return false, nil
	}
	x, err := l.Examine(ctx, &store.Kept{Blob: blob, Size: -1, Hash: hash}, unpaced)
	return err == nil && x.Problem == 0, err
}
