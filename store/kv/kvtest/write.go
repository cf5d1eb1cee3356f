package kvtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"picora/store/kv"
)

func testReplace(t *testing.T, db kv.DB) {
	fill(t, db, "a", "b", "c")
	update(t, db, func(tx kv.Tx) error {
		return errors.Join(
			tx.Put([]byte("a"), []byte("new")),
			tx.Delete([]byte("b")),
			tx.Delete([]byte("missing")),
			tx.Delete(nil),
			tx.Delete(make([]byte, kv.MaxKey+1)),
			tx.Delete([]byte("c")),
			tx.Put([]byte("c"), []byte("back")),
			wantValue(tx, "a", "new"),
			wantMissing(tx, "b"),
		)
	})
	wantKeys(t, db, "a", "c")
	view(t, db, func(r kv.Reader) error {
		return errors.Join(wantValue(r, "a", "new"), wantValue(r, "c", "back"))
	})
}

func testCopies(t *testing.T, db kv.DB) {
	update(t, db, func(tx kv.Tx) error {
		key, value := []byte("k?"), []byte("v?")
		for i := range 10 {
			key[1], value[1] = byte('0'+i), byte('0'+i)
			if err := tx.Put(key, value); err != nil {
				return err
			}
		}
		key[1] = '3'
		err := tx.Delete(key)
		key[1], value[1] = '!', '!'
		return err
	})
	view(t, db, func(r kv.Reader) error {
		return errors.Join(wantValue(r, "k0", "v0"), wantValue(r, "k9", "v9"), wantMissing(r, "k3"), wantMissing(r, "k!"))
	})
}

func testScanOwnWrites(t *testing.T, db kv.DB) {
	fill(t, db, "a", "b", "c")
	err := db.Update(context.Background(), func(tx kv.Tx) error {
		if err := errors.Join(tx.Put([]byte("bb"), nil), tx.Delete([]byte("a")), tx.Put([]byte("d"), nil)); err != nil {
			return err
		}
		want := []string{"b", "bb", "c", "d"}
		return errors.Join(wantScan(tx, kv.Range{}, want), wantScan(tx, kv.Range{Reverse: true}, want))
	})
	if err != nil {
		t.Error(err)
	}
	wantKeys(t, db, "b", "bb", "c", "d")
}

// testScanDelete empties large parts of a database, which leaves engines with
// pages that hold nothing, and walks over them.
func testScanDelete(t *testing.T, db kv.DB) {
	const n = 3000
	name := func(i int) []byte { return fmt.Appendf(nil, "%06d", i) }
	update(t, db, func(tx kv.Tx) error {
		for i := range n {
			if err := tx.Put(name(i), bytes.Repeat([]byte("v"), 50)); err != nil {
				return err
			}
		}
		return nil
	})
	rollback := errors.New("undo")
	purge := func(in kv.Range, left ...string) {
		t.Helper()
		err := db.Update(context.Background(), func(tx kv.Tx) error {
			count := 0
			for e, err := range tx.Scan(in) {
				if err == nil {
					err = tx.Delete(e.Key)
				}
				if err != nil {
					return err
				}
				count++
			}
			if want := n - len(left); count != want {
				return fmt.Errorf("scan met %d entries, want %d", count, want)
			}
			back := kv.Range{Reverse: true}
			err := errors.Join(wantScan(tx, kv.Range{}, left), wantScan(tx, back, left))
			return errors.Join(err, rollback)
		})
		if err.Error() != rollback.Error() {
			t.Errorf("range %q..%q, reverse %v: %v", in.From, in.To, in.Reverse, err)
		}
	}
	purge(kv.Range{})
	purge(kv.Range{Reverse: true})
	purge(kv.Range{From: name(1)}, "000000")
	purge(kv.Range{From: name(1), Reverse: true}, "000000")
	purge(kv.Range{To: name(n - 1)}, "002999")
	purge(kv.Range{From: name(1), To: name(n - 1), Reverse: true}, "000000", "002999")
}

func testLimits(t *testing.T, db kv.DB) {
	key := bytes.Repeat([]byte("k"), kv.MaxKey)
	value := bytes.Repeat([]byte("v"), kv.MaxValue)
	update(t, db, func(tx kv.Tx) error {
		for i := range 20 {
			key[0] = byte('a' + i)
			if err := tx.Put(key, value); err != nil {
				return err
			}
		}
		for _, c := range []struct {
			key, value []byte
			want       error
		}{
			{nil, nil, kv.ErrEmptyKey},
			{append(key, 'k'), nil, kv.ErrTooLarge},
			{[]byte("k"), append(value, 'v'), kv.ErrTooLarge},
		} {
			if err := tx.Put(c.key, c.value); !errors.Is(err, c.want) {
				t.Errorf("put of %d and %d bytes: %v, want %v", len(c.key), len(c.value), err, c.want)
			}
		}
		return nil
	})
	view(t, db, func(r kv.Reader) error {
		n := 0
		for e, err := range r.Scan(kv.Range{}) {
			if err != nil || len(e.Key) != kv.MaxKey || !bytes.Equal(e.Value, value) {
				return fmt.Errorf("entry %d has %d and %d bytes, %w", n, len(e.Key), len(e.Value), err)
			}
			n++
		}
		if n != 20 {
			t.Errorf("%d entries, want 20", n)
		}
		return nil
	})
}

func testFailure(t *testing.T, db kv.DB) {
	fill(t, db, "a", "b")
	mine := errors.New("mine")
	err := db.Update(context.Background(), func(tx kv.Tx) error {
		tx.OnCommit(func() { t.Error("hook of a failed update ran") })
		return errors.Join(
			tx.Put([]byte("a"), []byte("1")), tx.Put([]byte("a"), []byte("2")),
			tx.Delete([]byte("b")), tx.Put([]byte("c"), nil), tx.Delete([]byte("c")), tx.Put([]byte("d"), nil),
			mine)
	})
	if !errors.Is(err, mine) {
		t.Errorf("update returned %v, want its own error", err)
	}
	wantKeys(t, db, "a", "b")
	if err := db.View(context.Background(), func(kv.Reader) error { return mine }); !errors.Is(err, mine) {
		t.Errorf("view returned %v, want its own error", err)
	}
	view(t, db, func(r kv.Reader) error { return wantValue(r, "a", "a") })
}

func testHooks(t *testing.T, db kv.DB) {
	var order []int
	update(t, db, func(tx kv.Tx) error {
		tx.OnCommit(func() {
			wantKeys(t, db, "a")
			order = append(order, 1)
		})
		tx.OnCommit(func() {
			fill(t, db, "b") // the database is free to be used
			order = append(order, 2)
		})
		return tx.Put([]byte("a"), nil)
	})
	update(t, db, func(tx kv.Tx) error {
		tx.OnCommit(func() { order = append(order, 3) }) // nothing written is a success too
		return nil
	})
	if fmt.Sprint(order) != "[1 2 3]" {
		t.Errorf("hooks ran as %v, want [1 2 3]", order)
	}
	wantKeys(t, db, "a", "b")
}
