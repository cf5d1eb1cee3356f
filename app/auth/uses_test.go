package auth

import (
	"context"
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"picora/store"
	"picora/store/kv"
	"picora/store/kv/boltkv"
	"picora/store/kv/memkv"
)

// counted counts what is asked of a database.
type counted struct {
	kv.DB
	views, updates atomic.Int64
}

func (c *counted) View(ctx context.Context, fn func(kv.Reader) error) error {
	c.views.Add(1)
	return c.DB.View(ctx, fn)
}

func (c *counted) Update(ctx context.Context, fn func(kv.Tx) error) error {
	c.updates.Add(1)
	return c.DB.Update(ctx, fn)
}

// keyed is an Auth with an account and a key of theirs.
func keyed(t testing.TB, db kv.DB) (a *Auth, s *store.Store, count *counted, plain string, k store.APIKey) {
	t.Helper()
	ctx := context.Background()
	count = &counted{DB: db}
	s, err := store.Open(ctx, count, filepath.Join(t.TempDir(), "backups"))
	if err != nil {
		t.Fatal(err)
	}
	if a, err = New(s, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	u, err := s.CreateUser(ctx, store.User{Email: "a@example.org", Plan: "pro"})
	if err != nil {
		t.Fatal(err)
	}
	if plain, k, err = a.NewKey(ctx, u.ID, "PicGo", nil); err != nil {
		t.Fatal(err)
	}
	return a, s, count, plain, k
}

func TestARequestWithAKeyReadsTheStoreOnceAndWritesNothing(t *testing.T) {
	ctx := context.Background()
	a, _, count, plain, _ := keyed(t, memkv.New())
	views, updates := count.views.Load(), count.updates.Load()
	for range 100 {
		if _, err := a.Bearer(ctx, "Bearer "+plain); err != nil {
			t.Fatal(err)
		}
	}
	if v, u := count.views.Load()-views, count.updates.Load()-updates; v != 100 || u != 0 {
		t.Errorf("100 requests were %d reads and %d writes", v, u)
	}
}

func TestAKeysLastUseIsWrittenOnceInFiveMinutes(t *testing.T) {
	ctx := context.Background()
	a, s, count, plain, k := keyed(t, memkv.New())
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	s.Now = func() time.Time { return now }
	use := func() {
		t.Helper()
		if _, err := a.Bearer(ctx, "Bearer "+plain); err != nil {
			t.Fatal(err)
		}
	}
	used := func() time.Time {
		t.Helper()
		k, err := s.APIKey(ctx, k.ID)
		if err != nil {
			t.Fatal(err)
		}
		return k.Used
	}
	updates := count.updates.Load()
	for range 60 { // ten minutes
		use()
		a.Flush(ctx)
		now = now.Add(10 * time.Second)
	}
	if n := count.updates.Load() - updates; n != 2 {
		t.Errorf("ten minutes of use were %d writes, want 2", n)
	}
	if age := now.Sub(used()); age > useEvery+10*time.Second {
		t.Errorf("the last use known is %s old", age)
	}
	now = now.Add(time.Hour)
	last := now
	use() // not written by the request
	if used().Equal(last) {
		t.Error("the request wrote it")
	}
	a.Flush(ctx) // as at the stop
	if !used().Equal(last) {
		t.Errorf("used %s, want %s", used(), last)
	}
	now = now.Add(time.Hour)
	if err := s.RevokeAPIKey(ctx, k.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Bearer(ctx, "Bearer "+plain); err == nil {
		t.Fatal("a revoked key is good")
	}
	a.Flush(ctx)
	if !used().Equal(last) {
		t.Error("a refused key counts as used")
	}
}

func TestUsesThatWaitAreBounded(t *testing.T) {
	u := newUses()
	for range 3 * mostUses {
		u.note(&store.APIKey{ID: store.NewID(store.IDLen)}, time.Now())
	}
	if len(u.waits) != mostUses {
		t.Errorf("%d wait", len(u.waits))
	}
}

func TestBackgroundWritesWithoutBeingAsked(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	a, s, _, plain, k := keyed(t, memkv.New())
	done := make(chan struct{})
	go func() { a.Background(ctx); close(done) }()
	if _, err := a.Bearer(ctx, "Bearer "+plain); err != nil {
		t.Fatal(err)
	}
	for range 600 { // a minute at most; five seconds in fact
		if now, err := s.APIKey(ctx, k.ID); err != nil {
			t.Fatal(err)
		} else if !now.Used.IsZero() {
			stop()
			<-done
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Error("the use was never written")
}

// BenchmarkKey is what every request with an API key costs: who it is, and whether it
// may, on a database of 10,000 keys.
func BenchmarkKey(b *testing.B) {
	ctx := context.Background()
	db, err := boltkv.Open(filepath.Join(b.TempDir(), "picora.db"), boltkv.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	a, s, count, plain, k := keyed(b, db)
	fill(b, s, k.User, 10_000)
	views := count.views.Load()
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		who, err := a.Bearer(ctx, "Bearer "+plain)
		if err == nil {
			err = who.Need(MediaWrite)
		}
		if err != nil {
			b.Fatal(err)
		}
		n++
	}
	b.ReportMetric(float64(count.views.Load()-views)/float64(n), "views/op")
}

// fill adds keys, a thousand in a transaction.
func fill(b *testing.B, s *store.Store, user string, n int) {
	b.Helper()
	done := make(chan error, n)
	for range n {
		go func() {
			plain := keyPrefix + store.NewID(keyRandom)
			_, err := s.CreateAPIKey(context.Background(), store.APIKey{User: user, Name: "x", Hash: hashKey(plain), Scopes: []string{"read_write_delete"}}, -1)
			done <- err
		}()
	}
	for range n {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
}

// failing is a database whose writes fail for a while.
type failing struct {
	kv.DB
	off bool
}

func (f *failing) Update(ctx context.Context, fn func(kv.Tx) error) error {
	if f.off {
		return errors.New("the disk is full")
	}
	return f.DB.Update(ctx, fn)
}

func TestUsesThatCannotBeWrittenGoOnWaiting(t *testing.T) {
	ctx := context.Background()
	db := &failing{DB: memkv.New()}
	a, s, _, plain, k := keyed(t, db)
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	s.Now = func() time.Time { return now }
	used := func() time.Time {
		t.Helper()
		k, err := s.APIKey(ctx, k.ID)
		if err != nil {
			t.Fatal(err)
		}
		return k.Used
	}
	if _, err := a.Bearer(ctx, "Bearer "+plain); err != nil {
		t.Fatal(err)
	}
	db.off = true
	a.Flush(ctx)
	if len(a.uses.wake) != 1 {
		t.Error("nobody will try again")
	}
	db.off = false
	a.Flush(ctx)
	if !used().Equal(now) {
		t.Errorf("used %s, want %s", used(), now)
	}
	a.uses.waits = map[string]time.Time{"a": now}
	old := map[string]time.Time{"a": now.Add(-time.Hour)}
	for range 2 * mostUses {
		old[store.NewID(store.IDLen)] = now
	}
	if a.uses.again(old); len(a.uses.waits) != mostUses || !a.uses.waits["a"].Equal(now) {
		t.Errorf("%d wait, the first since %s", len(a.uses.waits), a.uses.waits["a"])
	}
}
