package store

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"picora/store/kv"
	"picora/store/kv/boltkv"
)

// BenchmarkRecount counts 50,000 records anew while somebody uploads, and reports how
// long an upload's transaction took at most.
func BenchmarkRecount(b *testing.B) {
	db, err := boltkv.Open(filepath.Join(b.TempDir(), "t.db"), boltkv.Options{})
	if err != nil {
		b.Fatal(err)
	}
	s, err := Open(context.Background(), db, b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	const records = 50_000
	ctx, user := context.Background(), NewID(IDLen)
	for first := 0; first < records; first += 500 {
		if err := db.Update(ctx, func(tx kv.Tx) error {
			for i := range 500 {
				m := media(user, first+i, "a", "b")
				m.Created = time.UnixMilli(1_700_000_000_000 + int64(first+i)*7).UTC()
				m.Plan = make([]byte, 120)
				if err := change(tx, nil, &m); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
	stop, longest := make(chan struct{}), make(chan time.Duration)
	go func() {
		var most time.Duration
		for n := records; ; n++ {
			select {
			case <-stop:
				longest <- most
				return
			default:
			}
			start := time.Now()
			if _, _, err := s.CreateMedia(ctx, media(user, n)); err != nil {
				b.Error(err)
			}
			most = max(most, time.Since(start))
		}
	}()
	for b.Loop() {
		if drift, err := s.Recount(ctx, user); err != nil || len(drift) > 0 {
			b.Fatal(drift, err)
		}
	}
	close(stop)
	b.ReportMetric(float64((<-longest).Microseconds())/1000, "ms/upload-max")
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/recount")
}
