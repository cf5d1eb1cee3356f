package scrub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"picora/store"
	"picora/store/blob"
)

// Phase is what a run is doing.
type Phase string

// The phases, in their order.
const (
	Recheck Phase = "recheck" // what was wrong before is looked at again
	Look    Phase = "look"    // is everything there, and nothing else?
	Read    Phase = "read"    // bytes are compared with what they were
	Newest  Phase = "new"     // what came lately is read for the first time
	Mend    Phase = "mend"    // what can be is put right
	Bin     Phase = "bin"     // what is nobody's is put into the bin, and deleted
	Done    Phase = "done"
)

const (
	// portion is how many files a step looks at, and readPortion how many it reads: then
	// the place is kept.
	portion, readPortion = 500, 50
	// awayAgain is when a storage that is away is tried again, at most mostAway times.
	awayAgain, mostAway = time.Minute, 60
)

// A step does a portion of a phase, behind the place, and says where it came; more is false
// at the phase's end.
type step func(ctx context.Context, r *Run) (place string, more bool, err error)

// phases does what r has left to do.
func (x *Scrub) phases(ctx context.Context, r *Run) error {
	pace := pacer{nightly: r.By == Nightly}
	order := []struct {
		phase Phase
		do    step
	}{
		{Recheck, func(ctx context.Context, r *Run) (string, bool, error) { return x.recheck(ctx, r, &pace) }},
		{Look, func(ctx context.Context, r *Run) (string, bool, error) { return x.look(ctx, r, &pace) }},
		{Read, func(ctx context.Context, r *Run) (string, bool, error) { return x.read(ctx, r, &pace) }},
		{Newest, func(ctx context.Context, r *Run) (string, bool, error) { return x.readNew(ctx, r, &pace) }},
		{Mend, x.mend}, {Bin, x.bin},
	}
	if r.Phase == "" {
		known, err := x.store.CountFindings(ctx)
		if err != nil {
			return err
		}
		x.note(r, func() { r.Phase, r.Known = Recheck, int64(known.All()) })
	}
	for i, p := range order {
		if r.Phase != p.phase {
			continue
		}
		next := Done
		if i+1 < len(order) {
			next = order[i+1].phase
		}
		if err := x.phase(ctx, r, p.do, next); err != nil {
			return fmt.Errorf("scrub: %s: %w", p.phase, err)
		}
	}
	return nil
}

// phase does a phase, portion by portion, after which next is to be done. A storage that is
// away is waited for.
func (x *Scrub) phase(ctx context.Context, r *Run, do step, next Phase) error {
	for away, more := 0, true; more; {
		if !x.isUnder(r) {
			return errReplaced
		}
		if err := context.Cause(ctx); err != nil {
			return err
		}
		place, is, err := do(ctx, r)
		if errors.Is(err, blob.ErrUnavailable) && ctx.Err() == nil && away < mostAway {
			away++
			slog.Warn("the check of the files waits for the storage", "err", err)
			x.note(r, func() { r.Waits++ })
			sleep(ctx, x.again)
			continue
		}
		if err != nil {
			return err
		}
		away, more = 0, is
		x.note(r, func() {
			if r.Place = place; !more {
				r.Phase, r.Place = next, ""
			}
		})
		if err := x.save(ctx); err != nil {
			return err
		}
	}
	return nil
}

// isUnder reports whether r is still the run under way.
func (x *Scrub) isUnder(r *Run) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.state.Run == r
}

// note changes the run, which others read meanwhile.
func (x *Scrub) note(r *Run, change func()) {
	x.mu.Lock()
	defer x.mu.Unlock()
	change()
}

// recheck forgets findings that are no more.
func (x *Scrub) recheck(ctx context.Context, r *Run, pace *pacer) (string, bool, error) {
	list, err := x.store.ListFindings(ctx, 0, r.Place, readPortion)
	for i := range list {
		f := &list[i]
		right, err := x.right(ctx, f, pace)
		if err != nil {
			return "", false, err
		}
		if right {
			slog.Info("a file is right again", "blob", f.Blob, "was", f.Problem.String())
			if err := x.store.DropFinding(ctx, f.Blob); err != nil {
				return "", false, err
			}
		}
	}
	if err != nil || len(list) == 0 {
		return "", false, err
	}
	return list[len(list)-1].Blob, true, nil
}

// right reports whether what was found is so no more.
func (x *Scrub) right(ctx context.Context, f *store.Finding, pace *pacer) (bool, error) {
	k, err := x.store.KeptBlob(ctx, f.Blob)
	kept := err == nil
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return false, err
	}
	if kept == (f.Problem == store.Orphan) {
		return true, nil // somebody has it now, or nobody any more
	}
	if kept {
		exam, err := x.library.Examine(ctx, &k, pace.reads(ctx))
		return err == nil && exam.Problem == 0, err
	}
	_, err = x.blobs.Stat(ctx, f.Blob)
	if errors.Is(err, blob.ErrNotFound) {
		return true, nil
	}
	return false, err
}

// found notes what is wrong with a blob, unless it is so no more. What is beyond
// store.MostFindings is only counted.
func (x *Scrub) found(ctx context.Context, r *Run, f store.Finding) error {
	if r.Known+r.Fresh >= store.MostFindings {
		_, err := x.store.Finding(ctx, f.Blob)
		if errors.Is(err, store.ErrNotFound) {
			x.note(r, func() { r.Fresh++ })
		}
		if err != nil {
			return ignore(err, store.ErrNotFound)
		}
	}
	fresh, kept, err := x.store.NoteFinding(ctx, f)
	if err != nil || !kept || !fresh {
		return err
	}
	slog.Warn("something is wrong with a file", "blob", f.Blob, "problem", f.Problem.String(), "detail", f.Detail)
	x.note(r, func() { r.Fresh++ })
	return nil
}

// ignore is err, unless it is that one.
func ignore(err, one error) error {
	if errors.Is(err, one) {
		return nil
	}
	return err
}

// sleep waits, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// pacer has a night's run leave the machine to others: half of the time, and most of what a
// disk can read. Somebody who waits for a run has it go on.
type pacer struct{ nightly bool }

// mostRate is how many bytes a second a night's run reads at most.
const mostRate = 32 << 20

// reads is a pace for reading.
func (p *pacer) reads(ctx context.Context) func(int) error {
	last := time.Now()
	return func(n int) error {
		if p.nightly {
			took := time.Since(last)
			sleep(ctx, max(took, time.Duration(n)*time.Second/mostRate-took))
		}
		last = time.Now()
		return context.Cause(ctx)
	}
}

// rest waits as long as what began then took.
func (p *pacer) rest(ctx context.Context, began time.Time) {
	if p.nightly {
		sleep(ctx, time.Since(began))
	}
}
