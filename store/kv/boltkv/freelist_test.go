package boltkv

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"go.etcd.io/bbolt"

	"picora/store/kv"
)

// written runs the checker's question on the file at path.
func written(t *testing.T, path string) (listed bool, err error) {
	t.Helper()
	db, err := openBolt(path, bbolt.Options{ReadOnly: true, Timeout: defaultTimeout})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	err = db.View(func(tx *bbolt.Tx) error {
		size := int64(db.Info().PageSize)
		c := &checker{file: f, size: size, pages: uint64(tx.Size() / size)}
		listed, err = c.freelistWritten(tx.ID())
		return err
	})
	return listed, err
}

func TestCloseWritesWhichPagesAreFree(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	path := filepath.Join(dir, "t.db")
	for round := range 3 {
		db, err := Open(path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for n := range 300 {
			err := db.Update(ctx, func(tx kv.Tx) error {
				return errors.Join(tx.Put(fmt.Appendf(nil, "%d-%d", round, n), make([]byte, 2000)), tx.Delete(fmt.Appendf(nil, "%d-%d", round, n-20)))
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		crashed := filepath.Join(dir, "crashed.db")
		b, err := os.ReadFile(path) // nobody writes now: what a crash would leave
		if err != nil || os.WriteFile(crashed, b, 0o600) != nil {
			t.Fatal(err)
		}
		if listed, err := written(t, crashed); listed || err != nil {
			t.Fatalf("before Close: listed %v, %v", listed, err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if listed, err := written(t, path); !listed || err != nil {
			t.Fatalf("after Close: listed %v, %v", listed, err)
		}
	}
}

func TestADamagedListOfFreePagesIsNoticed(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "t.db")
	db, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 100 {
		if err := db.Update(ctx, func(tx kv.Tx) error { return tx.Put(fmt.Append(nil, n), make([]byte, 3000)) }); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const page = 4096
	list := -1
	for at := 2 * page; at < len(good); at += page {
		if binary.NativeEndian.Uint16(good[at+8:]) == freelistFlag && binary.NativeEndian.Uint64(good[at:]) == uint64(at/page) {
			list = at // the last one found may be an old one: damage all
			damaged := append([]byte(nil), good...)
			binary.NativeEndian.PutUint64(damaged[at+headerSize:], 1<<40)
			if err := os.WriteFile(path, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := written(t, path); errors.Is(err, ErrCorrupt) {
				return
			}
		}
	}
	t.Fatalf("no damage was noticed (last list at %d)", list)
}
