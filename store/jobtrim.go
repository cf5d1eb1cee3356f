package store

import (
	"context"
	"time"

	"picora/store/kv"
)

// TrimJobs forgets jobs that ended: those that were created before that time, and all but
// the newest most of a state. It returns how many.
func (s *Store) TrimJobs(ctx context.Context, before time.Time, most int) (n int, err error) {
	const batch = 1000 // of a transaction
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		n = 0
		for _, state := range []JobState{JobDone, JobFailed} {
			var old []Job
			seen := 0
			for e, err := range tx.Scan(backFrom(jobPlaces(state), "")) {
				if err != nil {
					return err
				}
				seen++
				place := e.Key[len(jobPlaces(state)):]
				if seen <= most && !timeOf(place[:8]).Before(before) || len(old) == batch {
					continue
				}
				var j Job
				if err := get(tx, keyJob(string(e.Value), string(place[8:])), &j); err != nil {
					return err
				}
				old = append(old, j)
			}
			for i := range old {
				if err := changeJob(tx, &old[i], nil); err != nil {
					return err
				}
			}
			n += len(old)
		}
		return nil
	})
	return n, err
}
