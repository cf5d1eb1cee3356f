package boltkv

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"picora/store/kv"
)

// block holds the writer until release, which returns when all of the queued
// updates are done; queue waits until each has joined the queue.
type block struct {
	db     *DB
	finish chan struct{}
	group  sync.WaitGroup
	queued int
}

func newBlock(t *testing.T, db *DB) *block {
	t.Helper()
	b := &block{db: db, finish: make(chan struct{})}
	started := make(chan struct{})
	b.group.Go(func() {
		_ = db.Update(context.Background(), func(kv.Tx) error {
			close(started)
			<-b.finish
			return nil
		})
	})
	<-started
	return b
}

func (b *block) queue(fn func()) {
	b.queued++
	b.group.Go(fn)
	for {
		b.db.mu.Lock()
		n := len(b.db.queue)
		b.db.mu.Unlock()
		if n >= b.queued {
			return
		}
		time.Sleep(50 * time.Microsecond)
	}
}

func (b *block) release() {
	close(b.finish)
	b.group.Wait()
}

func TestWaitingUpdatesShareACommit(t *testing.T) {
	db := open(t)
	b := newBlock(t, db)
	before := db.Stats()
	for i := range 100 {
		b.queue(func() {
			if err := put(db, fmt.Sprint(i), ""); err != nil {
				t.Error(err)
			}
		})
	}
	b.release()
	after := db.Stats()
	if n := after.Commits - before.Commits; n > 2 {
		t.Errorf("100 waiting updates took %d commits, want at most 2", n)
	}
	if n := after.Updates - before.Updates; n != 101 {
		t.Errorf("%d updates counted, want 101", n)
	}
	if n, err := count(db); n != 100 || err != nil {
		t.Errorf("%d entries, %v; want 100", n, err)
	}
}

func TestGroupsAreBoundedAndInOrder(t *testing.T) {
	db := open(t)
	b := newBlock(t, db)
	var mu sync.Mutex
	var order []int
	for i := range maxGroup + 10 {
		b.queue(func() {
			err := db.Update(context.Background(), func(tx kv.Tx) error {
				mu.Lock()
				order = append(order, i)
				mu.Unlock()
				return tx.Put(fmt.Append(nil, i), nil)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	b.release()
	if n := db.Stats().Commits; n != 2 {
		t.Errorf("%d commits, want 2", n)
	}
	for i, got := range order {
		if got != i {
			t.Fatalf("update %d ran as number %d", got, i)
		}
	}
}

// TestSiblings puts every way to end into one group.
func TestSiblings(t *testing.T) {
	db := open(t)
	if err := put(db, "old", "1"); err != nil {
		t.Fatal(err)
	}
	mine := errors.New("mine")
	b := newBlock(t, db)
	var good, hooks, panics atomic.Int64
	for i := range 40 {
		b.queue(func() {
			defer func() {
				if r := recover(); r != nil {
					panics.Add(1)
				}
			}()
			err := db.Update(context.Background(), func(tx kv.Tx) error {
				tx.OnCommit(func() { hooks.Add(1) })
				if i%4 > 0 {
					_ = tx.Put([]byte("old"), []byte("2"))
					_ = tx.Delete([]byte("old"))
					_ = tx.Put([]byte("bad"), []byte("2"))
				}
				switch i % 4 {
				case 1:
					return mine
				case 2:
					panic("boom")
				case 3:
					_ = tx.Put([]byte("old"), []byte("1"))
					_ = tx.Delete([]byte("bad"))
				}
				if _, err := tx.Get([]byte("bad")); !errors.Is(err, kv.ErrNotFound) {
					t.Errorf("update %d sees what a failed one wrote: %v", i, err)
				}
				return tx.Put(fmt.Append(nil, i), nil)
			})
			if err == nil {
				good.Add(1)
			} else if !errors.Is(err, mine) {
				t.Error(err)
			}
		})
	}
	before := db.Stats()
	b.release()
	after := db.Stats()
	if good.Load() != 20 || hooks.Load() != 20 || panics.Load() != 10 {
		t.Errorf("%d landed, %d hooks, %d panics; want 20, 20, 10", good.Load(), hooks.Load(), panics.Load())
	}
	if n := after.Commits - before.Commits; n != 1 {
		t.Errorf("%d commits, want 1", n)
	}
	if after.Reruns == 0 {
		t.Error("no function was called again after a panic in its group")
	}
	if n, err := count(db); n != 21 || err != nil {
		t.Errorf("%d entries, %v; want 21", n, err)
	}
}

func TestFailedCommitFailsTheGroup(t *testing.T) {
	db := open(t)
	db.commit = func(*bbolt.Tx) error { return syscall.ENOSPC }
	b := newBlock(t, db)
	var failed atomic.Int64
	for i := range 10 {
		b.queue(func() {
			if err := put(db, fmt.Sprint(i), ""); errors.Is(err, syscall.ENOSPC) {
				failed.Add(1)
			}
		})
	}
	b.release()
	if n := failed.Load(); n != 10 {
		t.Errorf("%d updates got the error, want 10", n)
	}
	if n, err := count(db); n != 0 || err != nil {
		t.Errorf("%d entries, %v; want none", n, err)
	}
}

func TestUpdateThatWritesNothingCostsNoCommit(t *testing.T) {
	db := open(t)
	for range 3 {
		err := db.Update(context.Background(), func(tx kv.Tx) error { return tx.Delete([]byte("missing")) })
		if err != nil {
			t.Fatal(err)
		}
	}
	if s := db.Stats(); s.Commits != 0 || s.Updates != 3 {
		t.Errorf("%+v, want no commit and 3 updates", s)
	}
}

func TestCancelledWaiterLeavesAtOnce(t *testing.T) {
	db := open(t)
	b := newBlock(t, db)
	ctx, cancel := context.WithCancel(context.Background())
	left := make(chan error, 1)
	b.queue(func() {
		left <- db.Update(ctx, func(kv.Tx) error {
			t.Error("function called after its context ended")
			return nil
		})
	})
	cancel()
	if err := <-left; !errors.Is(err, context.Canceled) { // while the writer is still held
		t.Errorf("update: %v, want cancelled", err)
	}
	b.release()
	if err := put(db, "a", ""); err != nil {
		t.Error(err)
	}
}
