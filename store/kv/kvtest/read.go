package kvtest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"picora/store/kv"
)

func testGet(t *testing.T, db kv.DB) {
	view(t, db, func(r kv.Reader) error { return wantMissing(r, "a") })
	update(t, db, func(tx kv.Tx) error {
		return errors.Join(
			tx.Put([]byte("a"), []byte("1")),
			tx.Put([]byte("empty"), nil),
			tx.Put([]byte("\x00\xff"), []byte("\xff\x00")),
			wantValue(tx, "a", "1"),
			wantValue(tx, "empty", ""),
		)
	})
	view(t, db, func(r kv.Reader) error {
		return errors.Join(
			wantValue(r, "a", "1"),
			wantValue(r, "empty", ""),
			wantValue(r, "\x00\xff", "\xff\x00"),
			wantMissing(r, "b"),
			wantMissing(r, "A"),
			wantMissing(r, "a\x00"),
			wantMissing(r, ""),
			wantMissing(r, strings.Repeat("a", kv.MaxKey+1)),
		)
	})
}

func testScan(t *testing.T, db kv.DB) {
	view(t, db, func(r kv.Reader) error {
		got, err := keys(r, kv.Range{Reverse: true})
		if len(got) > 0 {
			t.Errorf("an empty database has keys %q", got)
		}
		return err
	})
	fill(t, db, "b", "a", "d", "c", "bb", "\xff\xff", "b\xff")
	cases := []struct {
		from, to string
		want     []string
	}{
		{"", "", []string{"a", "b", "bb", "b\xff", "c", "d", "\xff\xff"}},
		{"b", "", []string{"b", "bb", "b\xff", "c", "d", "\xff\xff"}},
		{"", "c", []string{"a", "b", "bb", "b\xff"}},
		{"b", "c", []string{"b", "bb", "b\xff"}},
		{"ba", "bz", []string{"bb"}},
		{"aa", "b", nil},
		{"c", "c", nil},
		{"d", "a", nil},
		{"e", "", []string{"\xff\xff"}},
		{"", "a", nil},
		{"\xff\xff\xff", "", nil},
		{"", "\xff\xff\xff", []string{"a", "b", "bb", "b\xff", "c", "d", "\xff\xff"}},
		{"a", strings.Repeat("z", 2*kv.MaxKey), []string{"a", "b", "bb", "b\xff", "c", "d"}},
	}
	check := func(r kv.Reader) error {
		for _, c := range cases {
			for _, reverse := range []bool{false, true} {
				in := kv.Range{From: []byte(c.from), To: []byte(c.to), Reverse: reverse}
				if err := wantScan(r, in, c.want); err != nil {
					return err
				}
			}
		}
		return wantScan(r, kv.Prefix([]byte("b")), []string{"b", "bb", "b\xff"})
	}
	view(t, db, check)
	update(t, db, func(tx kv.Tx) error { return check(tx) })
}

// wantScan compares a scan with want, which is in ascending order.
func wantScan(r kv.Reader, in kv.Range, want []string) error {
	if in.Reverse {
		want = slices.Clone(want)
		slices.Reverse(want)
	}
	got, err := keys(r, in)
	if err != nil {
		return err
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("scan of %q..%q, reverse %v: %q, want %q", in.From, in.To, in.Reverse, got, want)
	}
	return nil
}

func testScanStops(t *testing.T, db kv.DB) {
	fill(t, db, "a", "b", "c")
	view(t, db, func(r kv.Reader) error {
		scan := r.Scan(kv.Range{})
		for range 2 { // a sequence can be walked again
			for e, err := range scan {
				if err != nil || string(e.Key) != "a" || string(e.Value) != "a" {
					t.Errorf("first entry is %q, %v", e, err)
				}
				break
			}
		}
		return nil
	})
}

func testOver(t *testing.T, db kv.DB) {
	fill(t, db, "a", "b")
	var reader kv.Reader
	view(t, db, func(r kv.Reader) error { reader = r; return nil })
	var tx kv.Tx
	update(t, db, func(w kv.Tx) error { tx = w; return nil })
	for _, r := range []kv.Reader{reader, tx} {
		if _, err := r.Get([]byte("a")); !errors.Is(err, kv.ErrClosed) {
			t.Errorf("get after the transaction: %v", err)
		}
		if _, err := keys(r, kv.Range{}); !errors.Is(err, kv.ErrClosed) {
			t.Errorf("scan after the transaction: %v", err)
		}
	}
	if err := tx.Put([]byte("a"), nil); !errors.Is(err, kv.ErrClosed) {
		t.Errorf("put after the transaction: %v", err)
	}
	if err := tx.Delete([]byte("a")); !errors.Is(err, kv.ErrClosed) {
		t.Errorf("delete after the transaction: %v", err)
	}
	wantKeys(t, db, "a", "b")
}
