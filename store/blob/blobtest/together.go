package blobtest

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"picora/store/blob"
)

func testPutsTogether(t *testing.T, s blob.Store) { putAll(t, s, 0) }

// 26 hours apart is a folder each, and a few of the larger ones.
func testPutsApart(t *testing.T, s blob.Store) { putAll(t, s, 26*time.Hour) }

// putAll stores 64 blobs at the same time, their keys gap apart.
func putAll(t *testing.T, s blob.Store, gap time.Duration) {
	var all []string
	var puts sync.WaitGroup
	for i := range 64 {
		key := blob.NewKey(epoch.Add(time.Duration(i) * gap))
		all = append(all, key)
		puts.Go(func() {
			if _, err := s.Put(t.Context(), key, bytes.NewReader(content(uint64(i), i*1000))); err != nil {
				t.Errorf("Put: %v", err)
			}
		})
	}
	puts.Wait()
	for i, key := range all {
		wantContent(t, s, key, content(uint64(i), i*1000))
	}
	slices.Sort(all)
	if got := keys(t, s.List(t.Context(), "", "")); !slices.Equal(got, all) {
		t.Errorf("List gives %d keys, want %d", len(got), len(all))
	}
}

func testPutsOfOneKey(t *testing.T, s blob.Store) {
	for range 10 {
		key := blob.NewKey(epoch)
		var puts sync.WaitGroup
		var stored atomic.Int64
		stored.Store(-1)
		for i := range 8 {
			puts.Go(func() {
				_, err := s.Put(t.Context(), key, bytes.NewReader(content(uint64(i), 1000)))
				switch {
				case errors.Is(err, blob.ErrExists):
				case err != nil:
					t.Errorf("Put: %v", err)
				case !stored.CompareAndSwap(-1, int64(i)):
					t.Error("two Puts of one key succeeded")
				}
			})
		}
		puts.Wait()
		if stored.Load() < 0 {
			t.Fatal("no Put of the key succeeded")
		}
		wantContent(t, s, key, content(uint64(stored.Load()), 1000))
	}
}

func testReadsWhileDeleting(t *testing.T, s blob.Store) {
	b := content(1, 400_000)
	for range 8 {
		key := blob.NewKey(epoch)
		put(t, s, key, b)
		opened, err := s.Open(t.Context(), key, 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for range 20 {
					got, err := read(t.Context(), s, key, 0, -1)
					if err == nil && !bytes.Equal(got, b) {
						t.Errorf("a read while deleting gave %d other bytes", len(got))
					}
				}
			})
		}
		all.Go(func() {
			if err := s.Delete(t.Context(), key); err != nil {
				t.Errorf("Delete: %v", err)
			}
		})
		all.Wait()
		got, err := io.ReadAll(opened)
		if !bytes.HasPrefix(b, got) || err == nil && len(got) != len(b) {
			t.Errorf("an open reader gave %d bytes and %v", len(got), err)
		}
		opened.Close()
		wantNothing(t, s, key)
	}
}
