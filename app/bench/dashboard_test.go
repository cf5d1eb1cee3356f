//go:build bench

package bench_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"picora/store"
	"picora/store/kv/boltkv"
)

// TestDashboardFill is no measurement: "make bench-dashboard" has it multiply what the
// first account of a data folder has, which no server may have open, to that many files,
// uploaded evenly over the last eight years. The copies share their originals' bytes;
// the originals are in the trash then.
func TestDashboardFill(t *testing.T) {
	data := os.Getenv("PICORA_FILL")
	if data == "" {
		t.Skip("PICORA_FILL is the data folder to fill")
	}
	n, err := strconv.ParseInt(os.Getenv("PICORA_FILL_FILES"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	db, err := boltkv.Open(filepath.Join(data, "picora.db"), boltkv.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s, err := store.Open(ctx, db, filepath.Join(data, "backups"))
	if err != nil {
		t.Fatal(err)
	}
	users, err := s.Users(ctx)
	if err != nil || len(users) == 0 {
		t.Fatal("no account", err)
	}
	user := users[0].ID
	originals, err := s.ListMedia(ctx, user, store.Query{Limit: 500})
	if err != nil || len(originals.Items) == 0 {
		t.Fatal("nothing to copy", err)
	}
	var next, ticks atomic.Int64
	const years = 8 * 365 * 24 * time.Hour
	begin := time.Now()
	first := begin.Add(-years)
	step := years / time.Duration(n+n/50)
	s.Now = func() time.Time {
		return first.Add(time.Duration(ticks.Add(1)) * step).UTC().Truncate(time.Millisecond)
	}
	var wg sync.WaitGroup
	for range 256 {
		wg.Go(func() {
			for i := next.Add(1); i <= n; i = next.Add(1) {
				m := originals.Items[int(i*7919)%len(originals.Items)]
				h := sha256.Sum256(fmt.Append(nil, "copy", i))
				m.ID, m.Hash, m.Number, m.Seq, m.Collection = store.NewID(len(m.ID)), h[:], 0, 0, ""
				m.Filename = fmt.Sprintf("IMG_%07d.%s", i, m.Ext)
				m.Title = fmt.Sprintf("%s %d", m.Name(), i)
				if _, _, err := s.CreateMedia(ctx, m); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	s.Now = time.Now
	var ids []string
	for _, m := range originals.Items { // they are younger than their copies, though those came after them
		ids = append(ids, m.ID)
	}
	if _, err := s.TrashMedia(ctx, user, ids); err != nil {
		t.Fatal(err)
	}
	written := time.Since(begin)
	for more := true; more && !t.Failed(); {
		if more, err = s.Index(ctx, user); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d files written in %.0f s, indexed in %.0f s", n, written.Seconds(), (time.Since(begin) - written).Seconds())
}
