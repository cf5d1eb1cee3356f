package boltkv

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"go.etcd.io/bbolt"

	"picora/store/kv"
)

// sample returns a database with a tree of several pages, an overflowing value
// and free pages.
func sample(t *testing.T) []byte {
	t.Helper()
	db := open(t)
	fill(t, db, 4000)
	if err := put(db, "large", strings.Repeat("x", kv.MaxValue)); err != nil {
		t.Fatal(err)
	}
	var data bytes.Buffer
	if err := db.Snapshot(context.Background(), &data); err != nil {
		t.Fatal(err)
	}
	return data.Bytes()
}

func write(t *testing.T, data []byte) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "damaged.db")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// eachPage calls fn with every page of a type, but the meta pages.
func eachPage(data []byte, flags uint16, fn func(page []byte)) {
	for at := 2 * os.Getpagesize(); at < len(data); at += os.Getpagesize() {
		page := data[at : at+os.Getpagesize()]
		right := binary.NativeEndian.Uint64(page) == uint64(at/os.Getpagesize())
		if right && binary.NativeEndian.Uint16(page[8:]) == flags {
			fn(page)
		}
	}
}

func TestDamageIsAnError(t *testing.T) {
	page, whole := os.Getpagesize(), sample(t)
	for name, damage := range map[string]func(data []byte) []byte{
		"not a database":          func([]byte) []byte { return []byte(strings.Repeat("hello ", 10_000)) },
		"a few bytes":             func([]byte) []byte { return []byte("hello") },
		"less than two pages":     func(d []byte) []byte { return d[:page+100] },
		"cut after the meta page": func(d []byte) []byte { return d[:2*page] },
		"cut in the middle":       func(d []byte) []byte { return d[:20*page+100] },
		"both meta pages zeroed":  func(d []byte) []byte { clear(d[:2*page]); return d },
		"all pages zeroed":        func(d []byte) []byte { clear(d[2*page:]); return d },
		"wrong page numbers": func(d []byte) []byte {
			eachPage(d, leafFlag, func(p []byte) { p[0]++ })
			return d
		},
		"wrong types": func(d []byte) []byte {
			eachPage(d, branchFlag, func(p []byte) { p[8] = 0x77 })
			return d
		},
		"too many elements": func(d []byte) []byte {
			eachPage(d, leafFlag, func(p []byte) { p[10], p[11] = 0xff, 0xff })
			return d
		},
		"branch without elements": func(d []byte) []byte {
			eachPage(d, branchFlag, func(p []byte) { p[10], p[11] = 0, 0 })
			return d
		},
		"endless overflow": func(d []byte) []byte {
			eachPage(d, leafFlag, func(p []byte) { binary.NativeEndian.PutUint32(p[12:], 1<<31) })
			return d
		},
		"branches pointing at themselves": func(d []byte) []byte {
			eachPage(d, branchFlag, func(p []byte) { copy(p[24:32], p[:8]) })
			return d
		},
		"branches pointing far away": func(d []byte) []byte {
			eachPage(d, branchFlag, func(p []byte) { p[30] = 0x7f })
			return d
		},
		"keys out of bounds": func(d []byte) []byte {
			eachPage(d, leafFlag, func(p []byte) { p[23] = 0xff })
			return d
		},
		"keys out of order": func(d []byte) []byte {
			eachPage(d, leafFlag, func(p []byte) { p[10] = max(p[10], 2); copy(p[32:48], p[16:32]) })
			return d
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, damage(bytes.Clone(whole)))
			for range 2 { // again: the first must have let go of the file
				db, err := Open(path, Options{})
				if err == nil {
					_ = db.Close()
				}
				if !errors.Is(err, ErrCorrupt) || !strings.Contains(fmt.Sprint(err), path) {
					t.Fatalf("open: %v, want ErrCorrupt with the name of the file", err)
				}
			}
		})
	}
}

// TestRandomDamage flips bytes; a file that still opens must be readable to the
// end or fail with an error.
func TestRandomDamage(t *testing.T) {
	whole := sample(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range 40 {
		data := bytes.Clone(whole)
		for range 1 + rnd.IntN(40) {
			at := rnd.IntN(len(data)/os.Getpagesize()) * os.Getpagesize()
			data[at+rnd.IntN(200)] ^= byte(1 + rnd.IntN(255))
		}
		db, err := Open(write(t, data), Options{})
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Errorf("round %d: %v", i, err)
			}
			continue
		}
		if _, err := count(db); err != nil && !errors.Is(err, ErrCorrupt) {
			t.Errorf("round %d: %v", i, err)
		}
		if err := db.Close(); err != nil {
			t.Errorf("round %d: close: %v", i, err)
		}
	}
}

func TestFileCutWhileOpenIsAnError(t *testing.T) {
	db := open(t)
	fill(t, db, 5000)
	if err := os.Truncate(db.path, int64(4*os.Getpagesize())); err != nil {
		t.Fatal(err)
	}
	if _, err := count(db); !errors.Is(err, ErrCorrupt) {
		t.Errorf("view: %v, want ErrCorrupt", err)
	}
	if err := put(db, "000001", "1"); !errors.Is(err, ErrCorrupt) {
		t.Errorf("update: %v, want ErrCorrupt", err)
	}
}

func TestFailedCommit(t *testing.T) {
	noRoom := &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	for _, c := range []struct {
		name  string
		err   error
		is    error
		stays bool // broken
	}{
		{"full disk", noRoom, syscall.ENOSPC, false},
		{"full disk whose cause bbolt has lost", fmt.Errorf("file resize error: %s", noRoom), syscall.ENOSPC, false},
		{"failing disk", syscall.EIO, syscall.EIO, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := open(t)
			real := db.commit
			db.commit = func(*bbolt.Tx) error { return c.err }
			err := db.Update(context.Background(), func(tx kv.Tx) error {
				tx.OnCommit(func() { t.Error("hook ran") })
				return tx.Put([]byte("a"), nil)
			})
			if !errors.Is(err, c.is) {
				t.Errorf("update: %v, want %v", err, c.is)
			}
			db.commit = real
			if err := put(db, "b", ""); (err != nil) != c.stays {
				t.Errorf("next update: %v", err)
			}
			want := 1
			if c.stays {
				want = 0
			}
			if n, err := count(db); n != want || err != nil {
				t.Errorf("%d entries, %v; want %d", n, err, want)
			}
		})
	}
}

func TestPanicInCommitIsAnError(t *testing.T) {
	db := open(t)
	db.commit = func(*bbolt.Tx) error { panic("page 7 already freed") }
	for range 2 {
		if err := put(db, "a", ""); !errors.Is(err, ErrCorrupt) {
			t.Errorf("update: %v, want ErrCorrupt", err)
		}
	}
}
