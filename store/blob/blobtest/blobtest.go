// Package blobtest is what every backend of blob.Store must pass. A backend's
// own test calls Run, and adds only what is particular to it.
package blobtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"picora/store/blob"
)

// Run runs the suite. Each call of open gives an empty store, which open's own
// cleanup closes; everything in a store is the suite's.
func Run(t *testing.T, open func(t *testing.T) blob.Store) {
	for _, c := range []struct {
		name string
		test func(*testing.T, blob.Store)
	}{
		{"a blob comes back whole", testWhole},
		{"an empty blob comes back", testEmpty},
		{"a large blob comes back", testLarge},
		{"ranges", testRanges},
		{"small reads are put together", testSmallReads},
		{"a failing reader leaves nothing", testFailingReader},
		{"a reader that gives nothing is given up", testIdleReader},
		{"a panicking reader leaves nothing", testPanickingReader},
		{"a cancelled put leaves nothing", testCancelledPut},
		{"a cancelled context stops everything", testCancelled},
		{"a key is put once", testPutTwice},
		{"a key may be put again after a failure", testPutAfterFailure},
		{"a file is put", testPutFile},
		{"a deleted blob is gone", testDelete},
		{"invalid keys are refused", testInvalidKeys},
		{"list", testList},
		{"list stops when its consumer does", testListStops},
		{"list allows deletes under way", testListDeleting},
		{"free space", testFree},
		{"puts at the same time in one folder", testPutsTogether},
		{"puts at the same time in many folders", testPutsApart},
		{"puts of one key at the same time", testPutsOfOneKey},
		{"reads while deleting", testReadsWhileDeleting},
		{"any order of calls", testModel},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

// epoch is the time of the suite's first keys.
var epoch = time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC)

// content returns n bytes that only this seed gives.
func content(seed uint64, n int) []byte {
	var key [32]byte
	for i := range 8 {
		key[i] = byte(seed >> (8 * i))
	}
	b := make([]byte, n)
	rand.NewChaCha8(key).Read(b)
	return b
}

func put(t *testing.T, s blob.Store, key string, b []byte) {
	t.Helper()
	info, err := s.Put(t.Context(), key, bytes.NewReader(b))
	if err != nil {
		t.Fatalf("Put: %v", err)
	}
	checkInfo(t, "Put", info, key, len(b))
}

func checkInfo(t *testing.T, from string, info blob.Info, key string, size int) {
	t.Helper()
	if info.Key != key || info.Size != int64(size) {
		t.Errorf("%s says %+v, want key %s, size %d", from, info, key, size)
	}
	if age := time.Since(info.Modified); age < -time.Minute || age > time.Hour || info.Modified.Location() != time.UTC {
		t.Errorf("%s says it was modified at %v", from, info.Modified)
	}
}

func read(ctx context.Context, s blob.Store, key string, off, n int64) ([]byte, error) {
	r, err := s.Open(ctx, key, off, n)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(r)
	return b, errors.Join(err, r.Close())
}

func wantContent(t *testing.T, s blob.Store, key string, want []byte) {
	t.Helper()
	got, err := read(t.Context(), s, key, 0, -1)
	if err != nil {
		t.Errorf("Open %s: %v", key, err)
	} else if !bytes.Equal(got, want) {
		t.Errorf("%s came back as %d other bytes, want %d", key, len(got), len(want))
	}
	info, err := s.Stat(t.Context(), key)
	if err != nil {
		t.Errorf("Stat: %v", err)
	}
	checkInfo(t, "Stat", info, key, len(want))
}

// wantNothing checks that there is no such blob, by every way to find it.
func wantNothing(t *testing.T, s blob.Store, key string) {
	t.Helper()
	if _, err := s.Stat(t.Context(), key); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("Stat gives %v, want ErrNotFound", err)
	}
	if r, err := s.Open(t.Context(), key, 0, -1); !errors.Is(err, blob.ErrNotFound) || r != nil {
		t.Errorf("Open gives %v, %v, want nil, ErrNotFound", r, err)
	}
	if got := keys(t, s.List(t.Context(), key, "")); len(got) != 0 {
		t.Errorf("List finds %q, want nothing", got)
	}
}

func keys(t *testing.T, list iter.Seq2[blob.Info, error]) []string {
	t.Helper()
	var keys []string
	for info, err := range list {
		if err != nil {
			t.Fatalf("List: %v", err)
		}
		keys = append(keys, info.Key)
	}
	return keys
}

// calls is every method with a key, by name.
func calls(s blob.Store) map[string]func(context.Context, string) error {
	return map[string]func(context.Context, string) error{
		"Put": func(ctx context.Context, key string) error {
			_, err := s.Put(ctx, key, bytes.NewReader([]byte("x")))
			return err
		},
		"PutFile": func(ctx context.Context, key string) error {
			_, err := s.PutFile(ctx, key, os.DevNull)
			return err
		},
		"Open":   func(ctx context.Context, key string) error { _, err := read(ctx, s, key, 0, -1); return err },
		"Stat":   func(ctx context.Context, key string) error { _, err := s.Stat(ctx, key); return err },
		"Delete": s.Delete,
	}
}

// failure returns the error a walk ends with, if it does.
func failure(list iter.Seq2[blob.Info, error]) error {
	for _, err := range list {
		if err != nil {
			return err
		}
	}
	return nil
}
