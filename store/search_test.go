package store

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"picora/store/kv"
	"picora/store/kv/boltkv"
	"picora/store/words"
)

// BenchmarkFiltered reads the first page of lists that the index of words restricts and
// another index sorts, of many files and of few. "make bench-library" asks for them over
// HTTP, of a million.
func BenchmarkFiltered(b *testing.B) {
	public := true
	for _, files := range []int{1000, 300_000} {
		s, user := filledStore(b, files)
		for _, q := range []struct {
			name string
			Query
		}{
			{"all-by-size", Query{Sort: BySize}},
			{"public-by-size", Query{Public: &public, Sort: BySize}},
			{"tag-by-name", Query{Tag: "t1", Sort: ByName}},
			{"tag-and-public-by-size", Query{Tag: "t1", Public: &public, Sort: BySize}},
			{"rare-tag-by-name", Query{Tag: "rare", Sort: ByName}},
		} {
			q.Limit = 50
			b.Run(fmt.Sprint(q.name, "-of-", files), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if page, err := s.ListMedia(b.Context(), user, q.Query); err != nil || len(page.Items) == 0 {
						b.Fatal(len(page.Items), err)
					}
				}
			})
		}
	}
}

// filledStore makes a store of so many records of somebody, and indexes them.
func filledStore(b testing.TB, files int) (s *Store, user string) {
	db, err := boltkv.Open(filepath.Join(b.TempDir(), "t.db"), boltkv.Options{})
	if err != nil {
		b.Fatal(err)
	}
	if s, err = Open(context.Background(), db, b.TempDir()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	ctx := context.Background()
	user = NewID(IDLen)
	r := rand.New(rand.NewPCG(1, 2))
	for first := 0; first < files; first += 500 {
		if err := db.Update(ctx, func(tx kv.Tx) error {
			for i := first; i < first+500; i++ {
				m := media(user, i)
				m.Created = time.UnixMilli(1_700_000_000_000 + int64(i)*7).UTC()
				m.Kind, m.Size, m.Public = []Kind{Image, Image, Image, Audio, Doc}[r.IntN(5)], r.Int64N(8_000_000), r.IntN(4) > 0
				m.Filename = fmt.Sprintf("%08x.jpg", r.Uint32())
				if r.IntN(40) == 0 {
					m.Tags = append(m.Tags, "t1")
				}
				if i%500 == 0 {
					m.Tags = append(m.Tags, "rare")
				}
				if err := change(tx, nil, &m); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
	for more := true; more; {
		if more, err = s.Index(ctx, user); err != nil {
			b.Fatal(err)
		}
	}
	return s, user
}

// TestHitsAreFoundAsAskedFor has a search that stops counting early tell of every record
// what a search that finds all of them tells, and what the record itself does.
func TestHitsAreFoundAsAskedFor(t *testing.T) {
	s, user := filledStore(t, 9000)
	public := true
	err := s.db.Update(t.Context(), func(tx kv.Tx) error { // since then, some changed
		for n := uint32(5); n < 9000; n += 1000 {
			old, err := numbered(tx, user, n)
			if err != nil {
				return err
			}
			m := old
			m.Public, m.Tags = !m.Public, []string{"t1"}
			if err := change(tx, &old, &m); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []Query{{Public: &public}, {Tag: "t1"}, {Tag: "t1", Public: &public}, {Kind: Audio, Tag: "rare"}, {Tag: "none"}, {Words: words.Query("jpg"), Tag: "t1"}, {}} {
		err := s.db.View(t.Context(), func(tx kv.Reader) error {
			var sets [2]*hitSet
			for i, most := range []int{0, math.MaxInt} {
				r, err := newSearch(tx, user, &q)
				if err != nil {
					return err
				}
				if sets[i], _, err = r.all(most); err != nil {
					return err
				}
			}
			if q.Public != nil && sets[0].chunks[0] != nil {
				t.Error("all was found at once")
			}
			for n := range uint32(9002) {
				some, err := sets[0].has(n)
				if err != nil {
					return err
				}
				all, _ := sets[1].has(n)
				is, err := sets[1].isHit(n)
				if some != all || some != is || err != nil {
					t.Fatalf("%+v: is %d a hit? %v, %v and %v, %v", q, n, some, all, is, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
