// Package scrub looks for files that are missing, damaged or nobody's, and puts right what
// can be: every night, and when somebody asks. What it finds stands in the store until it is
// right again.
package scrub

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"picora/app/config"
	"picora/app/fault"
	"picora/app/library"
	"picora/store"
	"picora/store/blob"
)

// Kept is how long a file that is nobody's is kept before it is deleted.
const Kept = 30 * 24 * time.Hour

// Who began a run.
const (
	Nightly = "nightly"
	Command = "cli"
)

// Run is one check of the files.
type Run struct {
	By     string    `json:"by"`     // Nightly, Command, or a user's id
	Repair bool      `json:"repair"` // puts right what can be
	Began  time.Time `json:"began"`
	Ended  time.Time `json:"ended,omitzero"`

	Phase Phase  `json:"phase"`
	Place string `json:"place"` // how far the phase is: a key
	Since string `json:"since"` // the key before which the last nightly run saw all

	Files int64 `json:"files"` // that were looked for
	Bytes int64 `json:"bytes"` // of those
	// Share is how much of all bytes is to be read, from 0 to 1; ReadBytes is what was.
	Share     float64 `json:"share"`
	Read      int64   `json:"read"` // files
	ReadBytes int64   `json:"readBytes"`

	Known    int64    `json:"known"` // findings at the beginning
	Fresh    int64    `json:"fresh"` // findings that were not known before
	Repaired int64    `json:"repaired"`
	Deleted  int64    `json:"deleted"`           // files of nobody's whose time was over
	Held     bool     `json:"held,omitempty"`    // so many are nobody's that none is to be deleted
	Stopped  bool     `json:"stopped,omitempty"` // somebody ended it
	Waits    int      `json:"waits,omitempty"`   // for a storage that was away
	Error    string   `json:"error,omitempty"`   // why it did not come to its end
	Repairs  []Repair `json:"repairs,omitempty"` // the first MostRepairs
}

// Repair is a file that was put right.
type Repair struct {
	Media   string `json:"media"` // empty: it is no media record's
	User    string `json:"user"`
	Role    string `json:"role"`    // see store.Kept
	Problem string `json:"problem"` // what was wrong
	How     string `json:"how"`     // see library.Mend
}

// MostRepairs is how many repairs a run tells one by one.
const MostRepairs = 100

// Cycle is how far the nights have come that read all files, a part each.
type Cycle struct {
	Place string    `json:"place"`          // the key of the last file that was read
	Done  time.Time `json:"done,omitzero"`  // when all had been read the last time
	Began time.Time `json:"began,omitzero"` // when the first of this time was
}

// State is what is kept across restarts.
type State struct {
	Run   *Run  `json:"run,omitempty"`  // the one under way
	Last  *Run  `json:"last,omitempty"` // the last that ended
	Cycle Cycle `json:"cycle"`
	// Night is when the last nightly run began, or the server was new.
	Night time.Time `json:"night"`
}

// setting is where the store keeps the State.
const setting = "scrub.state"

// Scrub checks the files of a server.
type Scrub struct {
	store   *store.Store
	blobs   blob.Store
	library *library.Library
	config  config.Scrub
	wake    chan struct{} // has room for one signal: there is a run
	least   int64         // bytes that a night reads at least
	again   time.Duration // when a storage that is away is tried again

	saving sync.Mutex // held while the state is written, so that an older one never comes later

	mu    sync.Mutex
	state State
	stop  context.CancelCauseFunc // of the run under way
}

// New goes on with what the store knows of earlier checks.
func New(ctx context.Context, s *store.Store, b blob.Store, l *library.Library, c config.Scrub) (*Scrub, error) {
	x := &Scrub{store: s, blobs: b, library: l, config: c, wake: make(chan struct{}, 1), least: leastRead, again: awayAgain}
	kept, err := s.Setting(ctx, setting)
	if errors.Is(err, store.ErrNotFound) {
		x.state.Night = time.Now().UTC()
		return x, x.save(ctx)
	}
	if err == nil {
		err = json.Unmarshal(kept, &x.state)
	}
	return x, err
}

// save keeps the state. Who calls it has no lock.
func (x *Scrub) save(ctx context.Context) error {
	x.saving.Lock()
	defer x.saving.Unlock()
	x.mu.Lock()
	b, err := json.Marshal(&x.state)
	x.mu.Unlock()
	if err != nil {
		return err
	}
	return x.store.PutSetting(context.WithoutCancel(ctx), setting, b)
}

// Status is the state as it is now, which is the caller's, when the next night's run is due
// (zero: never), and what is known to be wrong.
func (x *Scrub) Status(ctx context.Context) (s State, next time.Time, found store.Findings, err error) {
	found, err = x.store.CountFindings(ctx)
	x.mu.Lock()
	defer x.mu.Unlock()
	s = x.state
	if s.Run != nil {
		r := *s.Run
		s.Run = &r
	}
	if x.config.Hour >= 0 {
		next = x.due(time.Now())
	}
	return s, next, found, err
}

var errRunning = fault.New(fault.Conflict, "The files are being checked already. Wait for the end of that, or stop it.")

// Start has all files checked, and read, soon, and returns that run. It takes the place of a
// night's run.
func (x *Scrub) Start(ctx context.Context, by string, repair bool) (Run, error) {
	x.mu.Lock()
	if r := x.state.Run; r != nil && r.By != Nightly {
		x.mu.Unlock()
		return Run{}, errRunning
	}
	run := Run{By: by, Repair: repair, Began: time.Now().UTC(), Share: 1}
	begun := run
	x.begin(&begun)
	x.mu.Unlock()
	err := x.save(ctx)
	x.signal()
	return run, err
}

// signal wakes who does the runs.
func (x *Scrub) signal() {
	select {
	case x.wake <- struct{}{}:
	default: // somebody is on the way
	}
}

// begin makes r the run under way. The caller has the lock.
func (x *Scrub) begin(r *Run) {
	x.state.Run = r
	if x.stop != nil {
		x.stop(errReplaced)
		x.stop = nil
	}
}

var (
	errReplaced = errors.New("scrub: another run takes its place")
	errStopped  = errors.New("scrub: stopped")
)

// Stop ends the run under way. What it found stays.
func (x *Scrub) Stop(ctx context.Context) error {
	x.mu.Lock()
	r := x.state.Run
	if r == nil {
		x.mu.Unlock()
		return fault.New(fault.Conflict, "The files are not being checked.")
	}
	if x.stop != nil {
		x.stop(errStopped)
		x.mu.Unlock()
		return nil
	}
	x.mu.Unlock()
	return x.finish(ctx, r, errStopped)
}

// finish ends the run, because of err when that is one.
func (x *Scrub) finish(ctx context.Context, r *Run, err error) error {
	x.mu.Lock()
	if x.state.Run != r {
		x.mu.Unlock()
		return nil
	}
	r.Ended = time.Now().UTC()
	switch {
	case errors.Is(err, errStopped):
		r.Stopped = true
	case err != nil:
		r.Error = err.Error()
	}
	x.state.Last, x.state.Run = r, nil
	x.mu.Unlock()
	found, counting := x.store.CountFindings(ctx)
	log := slog.Info
	if found.All() > 0 || err != nil || counting != nil {
		log = slog.Warn
	}
	log("checked the files", "by", r.By, "files", r.Files, "read", r.Read, "bytes", r.ReadBytes, "missing", found.Missing, "corrupt", found.Corrupt, "orphans", found.Orphans,
		"new", r.Fresh, "repaired", r.Repaired, "deleted", r.Deleted, "took", r.Ended.Sub(r.Began).Round(time.Millisecond), "err", errors.Join(err, counting))
	if r.Fresh > 0 {
		x.tell(ctx, r, found)
	}
	return x.save(ctx)
}

// Work does the runs that are due, or asked for, until ctx ends.
func (x *Scrub) Work(ctx context.Context) {
	for ctx.Err() == nil {
		x.mu.Lock()
		r, now := x.state.Run, time.Now()
		wait := time.Duration(1<<63 - 1)
		if x.config.Hour >= 0 {
			wait = x.due(now).Sub(now)
		}
		x.mu.Unlock()
		if r != nil {
			x.run(ctx, r)
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-x.wake:
		case <-timer.C:
			x.night(ctx)
		}
		timer.Stop()
	}
}

// run does what r has left to do.
func (x *Scrub) run(ctx context.Context, r *Run) {
	inside, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	x.mu.Lock()
	x.stop = cancel
	x.mu.Unlock()
	err := x.phases(inside, r)
	x.mu.Lock()
	x.stop = nil
	x.mu.Unlock()
	if cause := context.Cause(inside); cause != nil {
		err = cause
	}
	if ctx.Err() != nil || errors.Is(err, errReplaced) {
		return // the next start goes on with it; or another is there
	}
	if err := x.finish(ctx, r, err); err != nil {
		slog.Warn("what a check of the files found was not noted", "err", err)
	}
}
