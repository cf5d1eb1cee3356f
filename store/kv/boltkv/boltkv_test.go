package boltkv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"picora/store/kv"
	"picora/store/kv/kvtest"
)

func open(t testing.TB) *DB {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "picora.db"))
}

func openAt(t testing.TB, path string) *DB {
	t.Helper()
	db, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func put(db kv.DB, key, value string) error {
	return db.Update(context.Background(), func(tx kv.Tx) error { return tx.Put([]byte(key), []byte(value)) })
}

// fill writes n entries, enough of them for a tree of several pages.
func fill(t testing.TB, db kv.DB, n int) {
	t.Helper()
	err := db.Update(context.Background(), func(tx kv.Tx) error {
		for i := range n {
			if err := tx.Put(fmt.Appendf(nil, "%06d", i), bytes.Repeat([]byte("v"), 100)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func count(db kv.DB) (n int, err error) {
	err = db.View(context.Background(), func(r kv.Reader) error {
		n = 0
		for _, err := range r.Scan(kv.Range{}) {
			if err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}

func TestConformance(t *testing.T) {
	kvtest.Run(t, func(t *testing.T) kv.DB { return open(t) })
}

func BenchmarkBolt(b *testing.B) {
	kvtest.Bench(b, func(b *testing.B) kv.DB { return counted{open(b)} })
}

// counted shows the benchmark how many commits were shared.
type counted struct{ *DB }

func (c counted) Counters() (commits, updates uint64) {
	s := c.Stats()
	return s.Commits, s.Updates
}

func TestReopenSeesEverything(t *testing.T) {
	path := filepath.Join(t.TempDir(), "picora.db")
	db := openAt(t, path)
	fill(t, db, 1000)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("file mode is %v, %v; want 0600", info.Mode(), err)
	}
	db = openAt(t, path)
	if n, err := count(db); n != 1000 || err != nil {
		t.Errorf("%d entries after reopening, %v; want 1000", n, err)
	}
	if err := put(db, "more", "1"); err != nil {
		t.Error(err)
	}
}

func TestSecondOpenIsLocked(t *testing.T) {
	db := open(t)
	start := time.Now()
	_, err := Open(db.path, Options{Timeout: 60 * time.Millisecond})
	if !errors.Is(err, ErrLocked) {
		t.Errorf("second open: %v, want ErrLocked", err)
	}
	if waited := time.Since(start); waited > 20*time.Second {
		t.Errorf("second open took %v", waited)
	}
}

func TestOpenNeedsTheFolder(t *testing.T) {
	_, err := Open(filepath.Join(t.TempDir(), "missing", "picora.db"), Options{})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("open without a folder: %v", err)
	}
}

func TestSnapshotIsADatabase(t *testing.T) {
	db := open(t)
	fill(t, db, 1000)
	path := filepath.Join(t.TempDir(), "copy.db")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Snapshot(context.Background(), f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := count(openAt(t, path)); n != 1000 || err != nil {
		t.Errorf("%d entries in the copy, %v; want 1000", n, err)
	}
}

// stopper cancels its context at the first write.
type stopper struct{ cancel func() }

func (s stopper) Write(p []byte) (int, error) { s.cancel(); return len(p), nil }

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

var errFull = errors.New("full")

func TestSnapshotStops(t *testing.T) {
	db := open(t)
	fill(t, db, 1000)
	ctx, cancel := context.WithCancel(context.Background())
	if err := db.Snapshot(ctx, stopper{cancel}); !errors.Is(err, context.Canceled) {
		t.Errorf("snapshot whose context ended: %v", err)
	}
	if err := db.Snapshot(context.Background(), full{}); !errors.Is(err, errFull) {
		t.Errorf("snapshot to a full disk: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.Snapshot(context.Background(), full{}); !errors.Is(err, kv.ErrClosed) {
		t.Errorf("snapshot after close: %v", err)
	}
}

func TestSizeTellsFreeSpace(t *testing.T) {
	db := open(t)
	fill(t, db, 5000)
	_, before, err := db.Size()
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(context.Background(), func(tx kv.Tx) error {
		for e := range tx.Scan(kv.Range{}) {
			if err := tx.Delete(e.Key); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	file, free, err := db.Size()
	if err != nil || file <= 0 || free < before+400_000 {
		t.Errorf("size %d, free %d (%d before), %v; want most of 500 kB free", file, free, before, err)
	}
}
