// Package kvtest is the behaviour every engine behind kv must show, and the
// benchmarks to compare engines by. An engine's own test calls Run and Bench.
package kvtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"picora/store/kv"
)

// Run tests the engine. open must return an empty database each time; Run closes
// it, unless the test did.
func Run(t *testing.T, open func(t *testing.T) kv.DB) {
	for _, c := range []struct {
		name string
		test func(*testing.T, kv.DB)
	}{
		{"get returns what was put", testGet},
		{"put replaces and delete removes", testReplace},
		{"slices given to put may be reused", testCopies},
		{"scan keeps to bounds and order", testScan},
		{"scan stops when told", testScanStops},
		{"scan sees writes of its own transaction", testScanOwnWrites},
		{"scanned entries may be deleted on the way", testScanDelete},
		{"limits hold and one more is refused", testLimits},
		{"a finished transaction is closed", testOver},
		{"views are isolated", testIsolation},
		{"a failing update leaves nothing", testFailure},
		{"a panic leaves nothing and is passed on", testPanic},
		{"goexit in an update harms nobody", testGoexit},
		{"a context that is done stops an update before it starts", testContext},
		{"a context that ends while waiting gives the place up", testContextWaiting},
		{"commit hooks run once, in order, after success", testHooks},
		{"concurrent updates all land", testConcurrent},
		{"failing siblings spoil nothing", testSiblings},
		{"views and updates run side by side", testViewsAndUpdates},
		{"close waits, and everything after it fails", testClose},
		{"random histories match a model", testModel},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := open(t)
			t.Cleanup(func() {
				if err := db.Close(); err != nil && !errors.Is(err, kv.ErrClosed) {
					t.Errorf("close: %v", err)
				}
			})
			c.test(t, db)
		})
	}
}

func update(t testing.TB, db kv.DB, fn func(kv.Tx) error) {
	t.Helper()
	if err := db.Update(context.Background(), fn); err != nil {
		t.Fatalf("update: %v", err)
	}
}

func view(t testing.TB, db kv.DB, fn func(kv.Reader) error) {
	t.Helper()
	if err := db.View(context.Background(), fn); err != nil {
		t.Fatalf("view: %v", err)
	}
}

// fill puts each key with itself as its value.
func fill(t testing.TB, db kv.DB, keys ...string) {
	t.Helper()
	update(t, db, func(tx kv.Tx) error {
		for _, k := range keys {
			if err := tx.Put([]byte(k), []byte(k)); err != nil {
				return err
			}
		}
		return nil
	})
}

// keys returns the keys of a range as strings.
func keys(r kv.Reader, in kv.Range) (found []string, err error) {
	for e, err := range r.Scan(in) {
		if err != nil {
			return nil, err
		}
		found = append(found, string(e.Key))
	}
	return found, nil
}

// wantKeys checks all keys of the database as committed.
func wantKeys(t testing.TB, db kv.DB, want ...string) {
	t.Helper()
	view(t, db, func(r kv.Reader) error {
		got, err := keys(r, kv.Range{})
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("keys are %q, want %q", got, want)
		}
		return err
	})
}

// wantValue returns an error unless key has the value want.
func wantValue(r kv.Reader, key, want string) error {
	v, err := r.Get([]byte(key))
	if err != nil {
		return fmt.Errorf("get %q: %w", key, err)
	}
	if !bytes.Equal(v, []byte(want)) {
		return fmt.Errorf("%q is %q, want %q", key, v, want)
	}
	return nil
}

// wantMissing returns an error unless key is not there.
func wantMissing(r kv.Reader, key string) error {
	if v, err := r.Get([]byte(key)); !errors.Is(err, kv.ErrNotFound) {
		return fmt.Errorf("%q is %q, %w; want it missing", key, v, err)
	}
	return nil
}
