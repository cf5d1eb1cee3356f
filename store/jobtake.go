package store

import (
	"context"
	"slices"
	"time"

	"picora/store/kv"
)

// TakeJob gives the next job that is due, which is the caller's for so long. ErrNotFound
// when there is none. A job whose lease ended is due; but not to the start of the server
// that has it, which is about to find out.
//
// Users take turns within a rank: turn says of each when the last one was, as a number that
// grows; the user with the lowest is next. With nil the jobs come in the order in which
// they are due.
func (s *Store) TakeJob(ctx context.Context, boot string, hold time.Duration, turn func(user string) int64) (j Job, err error) {
	now := s.Now()
	err = s.db.View(ctx, func(tx kv.Reader) error { // most often there is none: no need to write
		_, err := dueJob(tx, boot, now, turn)
		return err
	})
	if err != nil {
		return j, err
	}
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		old, err := dueJob(tx, boot, now, turn)
		if err != nil {
			return err
		}
		j = old
		j.State, j.Boot, j.Lease, j.Until = JobRunning, boot, NewID(IDLen), now.Add(hold)
		j.Attempts++
		if j.Started.IsZero() {
			j.Started = now
		}
		return changeJob(tx, &old, &j)
	})
	return j, err
}

func dueJob(tx kv.Reader, boot string, now time.Time, turn func(string) int64) (j Job, err error) {
	for _, rank := range []JobRank{RankFirst, RankRest} {
		users, err := dueUsers(tx, rank, now, turn != nil)
		if err != nil {
			return j, err
		}
		if turn != nil { // who waits the longest is the first of those with the same turn
			slices.SortStableFunc(users, func(a, b dueUser) int { return int(min(max(turn(a.user)-turn(b.user), -1), 1)) })
		}
		for _, u := range users {
			for _, id := range u.jobs {
				var j Job
				if err := get(tx, keyJob(u.user, id), &j); err != nil {
					return j, err
				}
				if j.State != JobRunning || j.Boot != boot {
					return j, nil
				}
			}
		}
	}
	return j, ErrNotFound
}

// dueUser is a user with jobs that are due, those that are due first in front.
type dueUser struct {
	user string
	jobs []string
}

const (
	// mostDue is how many jobs are looked at for whose turn it is.
	mostDue = 100_000
	// mostDueOf is how many of a user's are kept of those: one is taken, unless it is of
	// those that this start of the server lost.
	mostDueOf = 64
)

// dueUsers are the users with jobs of that rank that are due, or, when they take no turns,
// each job for itself.
func dueUsers(tx kv.Reader, rank JobRank, now time.Time, turns bool) (list []dueUser, err error) {
	prefix := jobsDue(rank)
	place := map[string]int{}
	n := 0
	for e, err := range tx.Scan(between(prefix, time.Time{}, now.Add(time.Millisecond))) {
		if err != nil {
			return nil, err
		}
		if n++; n > mostDue {
			break
		}
		user, id := string(e.Value), string(e.Key[len(prefix)+8:])
		i, known := place[user]
		if !known {
			gone, err := isGone(tx, user)
			if err != nil {
				return nil, err
			}
			if i = len(list); gone {
				i = -1
			} else {
				list = append(list, dueUser{user: user})
			}
			place[user] = i
		}
		if i >= 0 && turns && len(list[i].jobs) < mostDueOf {
			list[i].jobs = append(list[i].jobs, id)
		}
		if i >= 0 && !turns {
			list = append(list, dueUser{user, []string{id}})
		}
	}
	return list, nil
}
