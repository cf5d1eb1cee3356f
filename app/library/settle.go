package library

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"picora/store"
	"picora/store/blob"
)

// A crash between a blob's rename and its record's commit leaves a blob without
// a record. Such a blob is younger than every upload that was finished, so
// Picora keeps a mark of the time before which all uploads are settled, and
// looks only at younger blobs.
//
// Somebody may put an older copy of the database back, which does not know newer
// pictures: these must not pass for orphans. So the mark is a file beside the
// blobs, not a record, and it carries a token that is new with each start and
// that the database must have, too.

// tokenSetting is where the database keeps the token, and after it the one
// before: a crash may come between the two places.
const tokenSetting = "settled.token"

// Settle moves the mark in the file to the start of the oldest upload under way.
// It does nothing before Sweep.
func (l *Library) Settle(file string) error {
	t, news := l.intakes.settled()
	if !news || l.token == "" {
		return nil
	}
	return writeMark(file, t, l.token)
}

// Sweep deletes the orphans that a crash left, and returns how many. It looks at
// blobs that were begun before the process's start only, so uploads may run.
func (l *Library) Sweep(ctx context.Context, file string, start time.Time) (n int, err error) {
	since, token, err := readMark(file)
	if err != nil {
		return 0, err
	}
	known, err := l.store.Setting(ctx, tokenSetting)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return 0, err
	}
	if len(token) == store.IDLen && strings.Contains(string(known), token) {
		if n, err = l.sweepSince(ctx, since, start); err != nil {
			return n, err
		}
	}
	fresh := store.NewID(store.IDLen)
	if err := l.store.PutSetting(ctx, tokenSetting, []byte(fresh+" "+token)); err != nil {
		return n, err
	}
	l.token = fresh
	return n, writeMark(file, start, fresh)
}

func (l *Library) sweepSince(ctx context.Context, since, start time.Time) (n int, err error) {
	for info, err := range l.blobs.List(ctx, "", blob.KeyAt(since)) {
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
	return n, nil
}

// readMark reads the mark; the token is empty when there is none, or none that
// makes sense.
func readMark(file string) (t time.Time, token string, err error) {
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return t, "", nil
	}
	if err != nil {
		return t, "", err
	}
	when, token, _ := strings.Cut(strings.TrimSpace(string(b)), " ")
	if t, err = time.Parse(time.RFC3339Nano, when); err != nil {
		return t, "", nil
	}
	return t, token, nil
}

func writeMark(file string, t time.Time, token string) error {
	err := os.WriteFile(file+".part", fmt.Appendf(nil, "%s %s\n", t.UTC().Format(time.RFC3339Nano), token), 0o600)
	if err != nil {
		return err
	}
	return os.Rename(file+".part", file)
}
