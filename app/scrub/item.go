package scrub

import (
	"context"
	"errors"
	"math"
	"time"

	"picora/store"
)

// Item is a finding, and whose file it is about.
type Item struct {
	store.Finding
	Kept store.Kept // of an orphan: nothing
	// Ends is when an orphan is deleted; zero: it is not to be.
	Ends time.Time
}

// Findings lists up to limit findings of that problem (zero: of any). After is what the page
// before gave as next.
func (x *Scrub) Findings(ctx context.Context, p store.Problem, after string, limit int) (list []Item, next string, err error) {
	found, err := x.store.ListFindings(ctx, p, after, limit+1)
	if err != nil {
		return nil, "", err
	}
	if len(found) > limit {
		found = found[:limit]
		next = found[limit-1].Blob
	}
	for _, f := range found {
		i := Item{Finding: f}
		if i.Kept, err = x.store.KeptBlob(ctx, f.Blob); err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, "", err
		}
		if !f.Binned.IsZero() {
			i.Ends = f.Binned.Add(Kept)
		}
		list = append(list, i)
	}
	return list, next, nil
}

// ToRead is how many bytes the run reads about, zero as long as that is not known.
func (r *Run) ToRead() int64 {
	if r.Phase == "" || r.Phase == Recheck || r.Phase == Look {
		return 0
	}
	return min(r.target(leastRead), r.Bytes)
}

// target is how many bytes the run is to read, when it is known how many there are, but for
// a small part that is at least so many.
func (r *Run) target(least int64) int64 {
	switch {
	case r.Share <= 0:
		return 0
	case r.Share >= 1:
		return math.MaxInt64
	}
	return max(int64(float64(r.Bytes)*r.Share), least)
}
