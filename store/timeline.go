package store

import (
	"context"
	"errors"
	"math"
	"time"

	"picora/store/kv"
)

//msgp:ignore Bucket Timeline

// Bucket is a stretch of a list in the order of dates: the page after After, as long as N.
type Bucket struct {
	After string // Query.After
	N     int
	Date  time.Time // of its first
}

// Timeline is all of a list in stretches, so that who shows it knows how long it is and
// can begin to read anywhere.
type Timeline struct {
	Buckets []Bucket
	Total   int
	Behind  bool // the index has more to learn: the next timeline may be longer
}

// MediaTimeline cuts what q asks for, in the order of dates, into stretches of size. Its
// cost goes with the number of stretches: no record is read but those that changed lately.
// A q.Match is not asked.
func (s *Store) MediaTimeline(ctx context.Context, user string, q Query, size int) (t Timeline, err error) {
	if q.None {
		return t, nil
	}
	q.Sort, q.Match = ByDate, nil
	err = s.db.View(ctx, func(tx kv.Reader) error {
		s, err := newSearch(tx, user, &q)
		if err != nil {
			return err
		}
		t, err = s.timeline(size)
		return err
	})
	return t, err
}

func (s *search) timeline(size int) (t Timeline, err error) {
	hits, _, err := s.all(math.MaxInt)
	if err != nil {
		return t, err
	}
	t.Behind = s.last-s.indexed > mostFresh
	after := four(0)
	if !s.q.Ascending {
		after = four(min(s.last, math.MaxUint32-1) + 1)
	}
	for c := range s.chunks(1, s.last, !s.q.Ascending) {
		for n := range hits.chunks[c].numbers(c, !s.q.Ascending) {
			if k := len(t.Buckets); k == 0 || t.Buckets[k-1].N == size {
				at, err := getKey(s.tx, keyNumber(s.user, n))
				if errors.Is(err, ErrNotFound) { // the index did not learn of its end
					continue
				}
				if err != nil {
					return t, err
				}
				t.Buckets = append(t.Buckets, Bucket{After: after, Date: timeOf(at[:8])})
			}
			t.Buckets[len(t.Buckets)-1].N++
			t.Total++
			after = four(n)
		}
	}
	return t, nil
}
