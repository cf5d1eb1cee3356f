package library

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"picora/store/blob"
)

// A crash between a blob's rename and its record's commit leaves a blob without
// a record. Such a blob is younger than every upload that was finished, so
// Picora keeps a mark of the time before which all uploads are settled, and
// looks only at younger blobs. The mark is a file beside the blobs, not a
// record: an older copy of the database that somebody restores then does not
// make the pictures that it does not know into orphans.

// skew is how far a clock may have been set back without a blob being missed.
const skew = 10 * time.Minute

// Settle moves the mark in the file to the start of the oldest upload under way.
func (l *Library) Settle(file string) error {
	t, news := l.intakes.settled()
	if !news {
		return nil
	}
	return writeMark(file, t)
}

// Sweep deletes the orphans that a crash left, and returns how many. It looks at
// blobs that were begun before the process's start only, so uploads may run.
func (l *Library) Sweep(ctx context.Context, file string, start time.Time) (n int, err error) {
	since, ok, err := readMark(file)
	if err != nil {
		return 0, err
	}
	if !ok { // a new folder, or one whose mark was lost: delete nothing
		return 0, writeMark(file, start)
	}
	for info, err := range l.blobs.List(ctx, "", blob.KeyAt(since.Add(-skew))) {
		if err != nil {
			return n, fmt.Errorf("library: sweep: %w", err)
		}
		if !blob.Time(info.Key).Before(start) {
			break
		}
		known, err := l.store.HasBlob(ctx, info.Key)
		if err != nil {
			return n, err
		}
		if known {
			continue
		}
		if err := l.blobs.Delete(ctx, info.Key); err != nil {
			return n, fmt.Errorf("library: sweep %s: %w", info.Key, err)
		}
		n++
	}
	return n, writeMark(file, start)
}

func readMark(file string) (t time.Time, ok bool, err error) {
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return t, false, nil
	}
	if err != nil {
		return t, false, err
	}
	t, err = time.Parse(time.RFC3339Nano, strings.TrimSpace(string(b)))
	return t, err == nil, nil
}

func writeMark(file string, t time.Time) error {
	err := os.WriteFile(file+".part", []byte(t.UTC().Format(time.RFC3339Nano)+"\n"), 0o600)
	if err != nil {
		return err
	}
	return os.Rename(file+".part", file)
}
