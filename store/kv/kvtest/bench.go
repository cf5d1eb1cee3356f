package kvtest

import (
	"bytes"
	"context"
	"encoding/binary"
	"sync/atomic"
	"testing"

	"picora/store/kv"
)

// counters is what an engine's Stats may look like to have its grouping reported:
// commits and updates so far.
type counters interface {
	Counters() (commits, updates uint64)
}

// Bench measures reads, and updates by one caller and by 64 at once. An update
// is what an upload writes: a record of 350 bytes and four index keys. If db has
// Counters, commits per update are reported with it.
func Bench(b *testing.B, open func(b *testing.B) kv.DB) {
	b.Run("update/solo", func(b *testing.B) { benchUpdate(b, open(b), 0) })
	b.Run("update/64", func(b *testing.B) { benchUpdate(b, open(b), 64) })
	b.Run("get", func(b *testing.B) { benchGet(b, open(b)) })
	b.Run("scan20", func(b *testing.B) { benchScan(b, open(b)) })
}

// record writes what an upload does.
func record(tx kv.Tx, n uint64) error {
	var id [8]byte
	binary.BigEndian.PutUint64(id[:], n)
	if err := tx.Put(append([]byte("media/"), id[:]...), bytes.Repeat([]byte("r"), 350)); err != nil {
		return err
	}
	for _, index := range []string{"user/", "kind/", "tag/a/", "tag/b/"} {
		if err := tx.Put(append([]byte(index), id[:]...), nil); err != nil {
			return err
		}
	}
	return nil
}

func benchUpdate(b *testing.B, db kv.DB, callers int) {
	defer db.Close()
	var n atomic.Uint64
	one := func() {
		id := n.Add(1)
		if err := db.Update(context.Background(), func(tx kv.Tx) error { return record(tx, id) }); err != nil {
			b.Error(err)
		}
	}
	report := grouping(db)
	b.ReportAllocs()
	b.ResetTimer()
	if callers == 0 {
		for range b.N {
			one()
		}
	} else {
		parallel(b.N, callers, one)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "updates/s")
	report(b)
}

// parallel calls fn n times, from a number of goroutines.
func parallel(n, callers int, fn func()) {
	var left atomic.Int64
	left.Store(int64(n))
	done := make(chan struct{})
	for range callers {
		go func() {
			for left.Add(-1) >= 0 {
				fn()
			}
			done <- struct{}{}
		}()
	}
	for range callers {
		<-done
	}
}

// grouping starts counting commits, if the engine does.
func grouping(db kv.DB) (report func(*testing.B)) {
	c, ok := db.(counters)
	if !ok {
		return func(*testing.B) {}
	}
	commits, updates := c.Counters()
	return func(b *testing.B) {
		nowCommits, nowUpdates := c.Counters()
		b.ReportMetric(float64(nowCommits-commits)/float64(nowUpdates-updates), "commits/update")
	}
}

const benchRecords = 10_000

// load fills the database in portions: bbolt splits pages only at a commit, so
// one large transaction takes time by the square of its size.
func load(b *testing.B, db kv.DB) {
	const portion = 200
	for from := uint64(0); from < benchRecords; from += portion {
		update(b, db, func(tx kv.Tx) error {
			for n := from; n < from+portion; n++ {
				if err := record(tx, n); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

func benchGet(b *testing.B, db kv.DB) {
	defer db.Close()
	load(b, db)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		view(b, db, func(r kv.Reader) error {
			key := append([]byte("media/"), 0, 0, 0, 0, 0, 0, 0, 0)
			binary.BigEndian.PutUint64(key[6:], uint64(i)*7919%benchRecords)
			_, err := r.Get(key)
			return err
		})
	}
}

// benchScan reads a page of 20 from an index, newest first.
func benchScan(b *testing.B, db kv.DB) {
	defer db.Close()
	load(b, db)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		view(b, db, func(r kv.Reader) error {
			in := kv.Prefix([]byte("user/"))
			in.Reverse = true
			n := 0
			for e, err := range r.Scan(in) {
				if err != nil {
					return err
				}
				if _, err := r.Get(append([]byte("media/"), e.Key[len("user/"):]...)); err != nil {
					return err
				}
				if n++; n == 20 {
					break
				}
			}
			return nil
		})
	}
}
