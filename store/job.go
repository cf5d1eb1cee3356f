package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"picora/store/kv"
)

//go:generate go tool msgp -tests=false -io=false -o job_gen.go

//msgp:timezone utc

// Job is work on a media record that takes long. A video that is not finished has one, in
// the transaction that makes it so; it goes with the record.
type Job struct {
	ID    string   `msg:"id"`
	User  string   `msg:"user"` // the record's
	Media string   `msg:"media"`
	State JobState `msg:"state"`
	// Rank says what goes first, the lower: among jobs of one rank, the one that may
	// begin the earliest.
	Rank JobRank `msg:"rank"`
	// Attempts counts those that began since something was last finished.
	Attempts int `msg:"tries"`

	Created   time.Time `msg:"created"`
	Started   time.Time `msg:"started"` // the first time; zero: not yet
	Ended     time.Time `msg:"ended"`
	NotBefore time.Time `msg:"after"`

	// Of a job that runs: who has it. Boot is that start of the server, Lease is new each
	// time the job is taken, Until is when it ends unless it is renewed.
	Boot  string    `msg:"boot"`
	Lease string    `msg:"lease"`
	Until time.Time `msg:"until"`

	Step     string    `msg:"step"`     // what is being done; empty: nothing yet
	Progress float64   `msg:"progress"` // of the whole, 0 to 1; it is written rarely
	Error    string    `msg:"error"`    // what went wrong last
	Log      []JobLine `msg:"log"`      // the oldest first
}

// JobLine is something that happened to a job.
type JobLine struct {
	Time time.Time `msg:"t"`
	Text string    `msg:"s"`
}

// JobState is how far a job has come.
type JobState uint8

// The states of a Job.
const (
	JobWaiting JobState = 1
	JobRunning JobState = 2
	JobDone    JobState = 3
	JobFailed  JobState = 4
)

func (s JobState) String() string {
	switch s {
	case JobWaiting:
		return "waiting"
	case JobRunning:
		return "running"
	case JobDone:
		return "done"
	case JobFailed:
		return "failed"
	}
	return "unknown"
}

// Ended reports whether nothing is done any more.
func (s JobState) Ended() bool { return s == JobDone || s == JobFailed }

// JobRank is how soon a job's turn comes.
type JobRank uint8

// The ranks: somebody waits for the first, the second makes better what is there.
const (
	RankFirst JobRank = 0
	RankRest  JobRank = 1
)

// maxJobLog is how many lines of a log are kept, and maxJobLine how long one may be.
const (
	maxJobLog  = 50
	maxJobLine = 500
)

// ErrLeaseLost says that somebody else has the job now.
var ErrLeaseLost = errors.New("store: the job is somebody else's now")

// Say adds a line to the log.
func (j *Job) Say(at time.Time, format string, args ...any) {
	s := strings.ToValidUTF8(fmt.Sprintf(format, args...), "")
	if len(s) > maxJobLine {
		s = strings.ToValidUTF8(s[:maxJobLine], "")
	}
	from := max(len(j.Log)+1-maxJobLog, 0)
	j.Log = append(append(make([]JobLine, 0, maxJobLog), j.Log[from:]...), JobLine{at, s})
}

// unfinished reports whether there is work to do on the record.
func unfinished(m *Media) bool {
	return m != nil && m.Kind == Video && !m.Trashed() && (m.Film.State == FilmWaiting || m.Film.State == FilmPlayable)
}

// followFilm gives a video that is not finished its job, and takes the job of one away
// that is gone.
func followFilm(tx kv.Tx, old, m *Media) error {
	switch {
	case old != nil && old.Kind == Video && (m == nil || m.Trashed()):
		j, err := jobOf(tx, old.User, old.ID)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return changeJob(tx, &j, nil)
	case !unfinished(old) && unfinished(m):
		return openJob(tx, m)
	}
	return nil
}

// openJob has the job of m wait, one that ended before as well as a new one.
func openJob(tx kv.Tx, m *Media) error {
	j := Job{ID: NewID(IDLen), User: m.User, Media: m.ID, Created: m.Updated}
	old, err := jobOf(tx, m.User, m.ID)
	switch {
	case errors.Is(err, ErrNotFound):
	case err != nil:
		return err
	default:
		j.ID, j.Created, j.Log = old.ID, old.Created, old.Log
	}
	j.State, j.NotBefore = JobWaiting, m.Updated
	if m.Film.State == FilmPlayable {
		j.Rank = RankRest
	}
	if err == nil {
		return changeJob(tx, &old, &j)
	}
	return changeJob(tx, nil, &j)
}

// endJob ends the job of a video that is finished, unless it ended already.
func endJob(tx kv.Tx, old, m *Media, now time.Time) error {
	if !unfinished(old) || unfinished(m) {
		return nil
	}
	was, err := jobOf(tx, m.User, m.ID)
	if errors.Is(err, ErrNotFound) || err == nil && was.State.Ended() {
		return nil
	}
	if err != nil {
		return err
	}
	j := was
	j.end(JobDone, now)
	j.Progress = 1
	if m.Film.State == FilmFailed {
		j.State, j.Error = JobFailed, m.Film.Fault
	}
	return changeJob(tx, &was, &j)
}

func (j *Job) end(s JobState, now time.Time) {
	j.State, j.Ended, j.Step, j.Boot, j.Lease, j.Until = s, now, "", "", "", time.Time{}
}

// changeJob replaces the record old by j with its index entries; nil stands for none. It
// is the only writer of jobs.
func changeJob(tx kv.Tx, old, j *Job) error {
	if err := rewrite(tx, jobEntries(old), jobEntries(j)); err != nil {
		return err
	}
	if j == nil {
		return tx.Delete(keyJob(old.User, old.ID))
	}
	return put(tx, keyJob(j.User, j.ID), j)
}

func jobEntries(j *Job) map[string]string {
	if j == nil {
		return nil
	}
	e := map[string]string{
		string(keyJobID(j.ID)):            j.User,
		string(keyJobOf(j.User, j.Media)): j.ID,
		string(keyJobPlace(0, j)):         j.User,
		string(keyJobPlace(j.State, j)):   j.User,
	}
	if !j.State.Ended() {
		e[string(keyJobDue(j))] = j.User
	}
	return e
}

func jobOf(tx kv.Reader, user, media string) (j Job, err error) {
	id, err := getKey(tx, keyJobOf(user, media))
	if err != nil {
		return j, err
	}
	err = get(tx, keyJob(user, string(id)), &j)
	return j, err
}

func jobByID(tx kv.Reader, id string) (j Job, err error) {
	user, err := getKey(tx, keyJobID(id))
	if err != nil {
		return j, err
	}
	if err := notGone(tx, string(user)); err != nil {
		return j, err
	}
	err = get(tx, keyJob(string(user), id), &j)
	return j, err
}

// Job finds a job by its id.
func (s *Store) Job(ctx context.Context, id string) (j Job, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		j, err = jobByID(tx, id)
		return err
	})
	return j, err
}

// JobOf finds the job of a user's media record.
func (s *Store) JobOf(ctx context.Context, user, media string) (j Job, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		j, err = jobOf(tx, user, media)
		return err
	})
	return j, err
}

// Jobs reads one page of everybody's jobs in that state (zero: in any), the newest first.
// After is what the page before gave as next.
func (s *Store) Jobs(ctx context.Context, state JobState, after string, limit int) (list []Job, next string, err error) {
	prefix := jobPlaces(state)
	err = s.db.View(ctx, func(tx kv.Reader) error {
		list, next = nil, ""
		last := after
		for e, err := range tx.Scan(backFrom(prefix, after)) {
			if err != nil {
				return err
			}
			if len(list) == limit {
				next = last
				return nil
			}
			place := string(e.Key[len(prefix):])
			var j Job
			if err := get(tx, keyJob(string(e.Value), place[8:]), &j); err != nil {
				return err
			}
			last = place
			list = append(list, j)
		}
		return nil
	})
	return list, next, err
}

// CountJobs is how many jobs are in each state; those that ended are counted as long as
// they are kept.
func (s *Store) CountJobs(ctx context.Context) (n map[JobState]int, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		n = map[JobState]int{}
		for _, state := range []JobState{JobWaiting, JobRunning, JobDone, JobFailed} {
			for _, err := range tx.Scan(kv.Prefix(jobPlaces(state))) {
				if err != nil {
					return err
				}
				n[state]++
			}
		}
		return nil
	})
	return n, err
}

// FreeJobs has the jobs wait that other starts of the server had, and says how many those
// were: they are dead, as the database can be one server's only.
func (s *Store) FreeJobs(ctx context.Context, boot string) (n int, err error) {
	now := s.Now()
	prefix := jobPlaces(JobRunning)
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		n = 0
		keys, err := some(tx, prefix, math.MaxInt)
		if err != nil {
			return err
		}
		for _, k := range keys {
			old, err := jobAt(tx, k[len(prefix)+8:])
			if err != nil {
				return err
			}
			if old.Boot == boot {
				continue
			}
			j := old
			j.free(now)
			j.Say(now, "The server stopped in the middle; the work goes on after the last step that was finished.")
			if err := changeJob(tx, &old, &j); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}

// jobAt is jobByID for those of removed accounts, too.
func jobAt(tx kv.Reader, id []byte) (j Job, err error) {
	user, err := getKey(tx, keyJobID(string(id)))
	if err == nil {
		err = get(tx, keyJob(string(user), string(id)), &j)
	}
	return j, err
}

func (j *Job) free(notBefore time.Time) {
	j.State, j.NotBefore, j.Boot, j.Lease, j.Until = JobWaiting, notBefore, "", "", time.Time{}
}

// HoldJob lets edit change a job that was taken, and returns it as it is then. ErrNotFound
// when there is no such job any more, ErrLeaseLost when it is somebody else's, or waits.
func (s *Store) HoldJob(ctx context.Context, held *Job, edit func(*Job)) (j Job, err error) {
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		old, err := heldJob(tx, held)
		if err != nil {
			return err
		}
		j = old
		edit(&j)
		return changeJob(tx, &old, &j)
	})
	return j, err
}

// HeldJob reports whether a job that was taken is still the taker's, with the errors of
// HoldJob.
func (s *Store) HeldJob(ctx context.Context, held *Job) error {
	return s.db.View(ctx, func(tx kv.Reader) error {
		_, err := heldJob(tx, held)
		return err
	})
}

func heldJob(tx kv.Reader, held *Job) (Job, error) {
	j, err := jobByID(tx, held.ID)
	if err == nil && (j.State != JobRunning || j.Lease != held.Lease) {
		err = ErrLeaseLost
	}
	return j, err
}

// RenewJob keeps a job that was taken for so long from now, and lets edit change it.
func (s *Store) RenewJob(ctx context.Context, held *Job, hold time.Duration, edit func(*Job)) (Job, error) {
	return s.HoldJob(ctx, held, func(j *Job) {
		edit(j)
		j.Until = s.Now().Add(hold)
	})
}

// PutJobBack has a job that was taken wait until that time, and lets edit change it.
func (s *Store) PutJobBack(ctx context.Context, held *Job, notBefore time.Time, edit func(*Job)) (Job, error) {
	return s.HoldJob(ctx, held, func(j *Job) {
		edit(j)
		j.free(notBefore)
	})
}

// EditJob lets edit change a job, whoever has it.
func (s *Store) EditJob(ctx context.Context, id string, edit func(*Job)) error {
	return s.db.Update(ctx, func(tx kv.Tx) error {
		old, err := jobByID(tx, id)
		if err != nil {
			return err
		}
		j := old
		edit(&j)
		return changeJob(tx, &old, &j)
	})
}

// HurryJob has a job that waits begin now. ErrNotFound when there is none; one that does
// not wait stays as it is.
func (s *Store) HurryJob(ctx context.Context, id string) (j Job, err error) {
	now := s.Now()
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		old, err := jobByID(tx, id)
		if err != nil {
			return err
		}
		if j = old; j.State != JobWaiting {
			return nil
		}
		j.NotBefore, j.Attempts = now, 0
		return changeJob(tx, &old, &j)
	})
	return j, err
}
