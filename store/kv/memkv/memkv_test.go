package memkv_test

import (
	"context"
	"testing"

	"picora/store/kv"
	"picora/store/kv/kvtest"
	"picora/store/kv/memkv"
)

func TestConformance(t *testing.T) {
	kvtest.Run(t, func(*testing.T) kv.DB { return memkv.New() })
}

func TestConformanceWithRetries(t *testing.T) {
	kvtest.Run(t, func(*testing.T) kv.DB { return memkv.New(memkv.Retry(2)) })
}

func TestRetryCallsAgainAndKeepsOneResult(t *testing.T) {
	db := memkv.New(memkv.Retry(2))
	calls, hooks := 0, 0
	err := db.Update(context.Background(), func(tx kv.Tx) error {
		calls++
		tx.OnCommit(func() { hooks++ })
		if _, err := tx.Get([]byte("a")); err == nil {
			t.Error("an earlier attempt left something")
		}
		return tx.Put([]byte("a"), nil)
	})
	if err != nil || calls != 3 || hooks != 1 {
		t.Errorf("%d calls, %d hooks, %v; want 3, 1 and no error", calls, hooks, err)
	}
}

func BenchmarkMemory(b *testing.B) {
	kvtest.Bench(b, func(*testing.B) kv.DB { return memkv.New() })
}
