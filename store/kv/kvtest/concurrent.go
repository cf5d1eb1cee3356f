package kvtest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"picora/store/kv"
)

// increment adds one to a decimal counter.
func increment(tx kv.Tx, key string) error {
	n := 0
	v, err := tx.Get([]byte(key))
	switch {
	case err == nil:
		n, err = strconv.Atoi(string(v))
	case errors.Is(err, kv.ErrNotFound):
		err = nil
	}
	if err != nil {
		return err
	}
	return tx.Put([]byte(key), strconv.AppendInt(nil, int64(n+1), 10))
}

// hold blocks the database's writer until release is called, and returns once it
// is blocked. release waits for the blocking update to be over.
func hold(t *testing.T, db kv.DB) (release func()) {
	started, finish, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	var once sync.Once
	go func() {
		done <- db.Update(context.Background(), func(kv.Tx) error {
			once.Do(func() { close(started) })
			<-finish
			return nil
		})
	}()
	<-started
	return func() {
		close(finish)
		if err := <-done; err != nil {
			t.Errorf("blocking update: %v", err)
		}
	}
}

func testIsolation(t *testing.T, db kv.DB) {
	fill(t, db, "a", "b")
	view(t, db, func(r kv.Reader) error {
		done := make(chan error, 1)
		go func() {
			done <- db.Update(context.Background(), func(tx kv.Tx) error {
				return errors.Join(tx.Put([]byte("a"), []byte("2")), tx.Delete([]byte("b")), tx.Put([]byte("c"), nil))
			})
		}()
		if err := <-done; err != nil {
			return err
		}
		view(t, db, func(now kv.Reader) error {
			return errors.Join(wantValue(now, "a", "2"), wantMissing(now, "b"), wantValue(now, "c", ""))
		})
		return errors.Join(wantValue(r, "a", "a"), wantScan(r, kv.Range{}, []string{"a", "b"}))
	})
	wantKeys(t, db, "a", "c")
}

func testPanic(t *testing.T, db kv.DB) {
	fill(t, db, "a")
	for range 3 {
		func() {
			defer func() {
				if r := recover(); r != "boom" {
					t.Errorf("recovered %v, want boom", r)
				}
			}()
			_ = db.Update(context.Background(), func(tx kv.Tx) error {
				tx.OnCommit(func() { t.Error("hook of a panicking update ran") })
				_ = tx.Put([]byte("b"), nil)
				panic("boom")
			})
			t.Error("update returned after a panic")
		}()
	}
	func() {
		defer func() { _ = recover() }()
		view(t, db, func(kv.Reader) error { panic("boom") })
	}()
	fill(t, db, "c")
	wantKeys(t, db, "a", "c")
}

func testGoexit(t *testing.T, db kv.DB) {
	release := hold(t, db)
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			_ = db.Update(context.Background(), func(tx kv.Tx) error {
				if i%5 == 4 {
					_ = tx.Put([]byte("bad"), nil)
					runtime.Goexit()
				}
				return tx.Put(fmt.Appendf(nil, "%02d", i), nil)
			})
		})
	}
	release()
	group.Wait()
	fill(t, db, "after")
	view(t, db, func(r kv.Reader) error { return wantMissing(r, "bad") })
}

func testContext(t *testing.T, db kv.DB) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	called := false
	if err := db.Update(ctx, func(kv.Tx) error { called = true; return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("update: %v", err)
	}
	if err := db.View(ctx, func(kv.Reader) error { called = true; return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("view: %v", err)
	}
	if called {
		t.Error("a function was called although its context was done")
	}

	ctx, cancel = context.WithCancel(context.Background())
	defer cancel()
	err := db.Update(ctx, func(tx kv.Tx) error {
		cancel() // too late: it has started
		return tx.Put([]byte("a"), nil)
	})
	if err != nil {
		t.Errorf("update whose context ended after its start: %v", err)
	}
	wantKeys(t, db, "a")
}

func testContextWaiting(t *testing.T, db kv.DB) {
	release := hold(t, db)
	ctx, cancel := context.WithCancel(context.Background())
	errs := make(chan error)
	for range 10 {
		go func() {
			errs <- db.Update(ctx, func(tx kv.Tx) error {
				t.Error("function called after its context ended")
				return nil
			})
		}()
	}
	time.Sleep(5 * time.Millisecond) // lets most of them join the queue first
	cancel()
	for range 10 {
		if err := <-errs; !errors.Is(err, context.Canceled) {
			t.Errorf("update: %v, want cancelled", err)
		}
	}
	release()
	fill(t, db, "a")
	wantKeys(t, db, "a")
}

func testConcurrent(t *testing.T, db kv.DB) {
	const workers, each = 32, 20
	var group sync.WaitGroup
	var hooks atomic.Int64
	for w := range workers {
		group.Go(func() {
			for i := range each {
				err := db.Update(context.Background(), func(tx kv.Tx) error {
					tx.OnCommit(func() { hooks.Add(1) })
					return errors.Join(increment(tx, "count"), tx.Put(fmt.Appendf(nil, "k/%d/%d", w, i), nil))
				})
				if err != nil {
					t.Errorf("update: %v", err)
				}
			}
		})
	}
	group.Wait()
	if n := hooks.Load(); n != workers*each {
		t.Errorf("%d hooks ran, want %d", n, workers*each)
	}
	view(t, db, func(r kv.Reader) error {
		found, err := keys(r, kv.Prefix([]byte("k/")))
		if len(found) != workers*each {
			t.Errorf("%d keys, want %d", len(found), workers*each)
		}
		return errors.Join(err, wantValue(r, "count", strconv.Itoa(workers*each)))
	})
}

// testSiblings queues updates that succeed, fail after writing, and panic after
// writing, so that an engine that groups them has all kinds in one group.
func testSiblings(t *testing.T, db kv.DB) {
	const n = 90
	release := hold(t, db)
	mine := errors.New("mine")
	var group sync.WaitGroup
	var hooks atomic.Int64
	for i := range n {
		group.Go(func() {
			panicked := true
			var err error
			defer func() {
				if r := recover(); panicked != (i%3 == 2) || (panicked && r != i) {
					t.Errorf("update %d panicked with %v", i, r)
				}
				if !panicked && errors.Is(err, mine) != (i%3 == 1) {
					t.Errorf("update %d returned %v", i, err)
				}
			}()
			err = db.Update(context.Background(), func(tx kv.Tx) error {
				tx.OnCommit(func() { hooks.Add(1) })
				err := errors.Join(increment(tx, "count"), tx.Put(fmt.Appendf(nil, "k/%d", i), nil), tx.Delete([]byte("seed")))
				switch i % 3 {
				case 1:
					return mine
				case 2:
					panic(i)
				}
				return err
			})
			panicked = false
		})
	}
	time.Sleep(5 * time.Millisecond)
	release()
	group.Wait()
	if got := hooks.Load(); got != n/3 {
		t.Errorf("%d hooks ran, want %d", got, n/3)
	}
	view(t, db, func(r kv.Reader) error {
		found, err := keys(r, kv.Prefix([]byte("k/")))
		if len(found) != n/3 {
			t.Errorf("%d keys landed, want %d: %q", len(found), n/3, found)
		}
		return errors.Join(err, wantValue(r, "count", strconv.Itoa(n/3)))
	})
}

// testViewsAndUpdates moves one unit between two counters and checks in every
// view that none is ever missing.
func testViewsAndUpdates(t *testing.T, db kv.DB) {
	const moves = 100
	put := func(tx kv.Tx, a int) error {
		return errors.Join(tx.Put([]byte("a"), strconv.AppendInt(nil, int64(a), 10)),
			tx.Put([]byte("b"), strconv.AppendInt(nil, int64(moves-a), 10)))
	}
	update(t, db, func(tx kv.Tx) error { return put(tx, 0) })
	var stop atomic.Bool
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for !stop.Load() {
				view(t, db, func(r kv.Reader) error {
					a, err1 := r.Get([]byte("a"))
					b, err2 := r.Get([]byte("b"))
					x, _ := strconv.Atoi(string(a))
					y, _ := strconv.Atoi(string(b))
					if x+y != moves {
						t.Errorf("saw %d + %d, want %d", x, y, moves)
					}
					return errors.Join(err1, err2)
				})
			}
		})
	}
	for i := range moves {
		update(t, db, func(tx kv.Tx) error { return put(tx, i) })
	}
	stop.Store(true)
	readers.Wait()
}

func testClose(t *testing.T, db kv.DB) {
	release := hold(t, db)
	landed := make(chan error, 1)
	go func() {
		landed <- db.Update(context.Background(), func(tx kv.Tx) error { return tx.Put([]byte("a"), nil) })
	}()
	time.Sleep(5 * time.Millisecond)
	closed := make(chan error, 1)
	go func() { closed <- db.Close() }()
	select {
	case <-closed:
		t.Error("close did not wait for a running update")
	case <-time.After(20 * time.Millisecond):
	}
	release()
	if err := <-landed; err != nil && !errors.Is(err, kv.ErrClosed) {
		t.Errorf("update that waited while closing: %v", err)
	}
	if err := <-closed; err != nil {
		t.Errorf("close: %v", err)
	}
	for name, err := range map[string]error{
		"view":   db.View(context.Background(), func(kv.Reader) error { return nil }),
		"update": db.Update(context.Background(), func(kv.Tx) error { return nil }),
		"close":  db.Close(),
	} {
		if !errors.Is(err, kv.ErrClosed) {
			t.Errorf("%s after close: %v, want ErrClosed", name, err)
		}
	}
}
