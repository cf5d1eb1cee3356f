// Package jobs is the work that nobody waits for: what a crash left is removed,
// what removed accounts left, and the bytes of deleted records.
package jobs

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"picora/app/library"
)

const (
	settleEvery = 20 * time.Second // how much of the past a start after a crash looks through
	trashEvery  = 10 * time.Minute // another try after a failure
	removeEvery = 5 * time.Minute  // the same for removed accounts, whose marks end some minutes later
)

// Jobs runs the work on a library.
type Jobs struct {
	library *library.Library
	mark    string // file with the time before which uploads are settled
	start   time.Time
}

// New returns the work on l. Uploads that began before start can have been cut
// off only by a crash.
func New(l *library.Library, mark string, start time.Time) *Jobs {
	return &Jobs{l, mark, start}
}

// Run works until ctx ends. Failures are logged; what is deleted is tried again,
// the sweep at the next start.
func (j *Jobs) Run(ctx context.Context) error {
	var removals sync.WaitGroup
	removals.Go(func() { j.removeAccounts(ctx) }) // a million pictures take their time
	removals.Go(func() { j.followCollections(ctx) })
	removals.Go(func() { j.purge(ctx) })
	defer removals.Wait()
	j.sweep(ctx)
	settle, trash := time.NewTicker(settleEvery), time.NewTicker(trashEvery)
	defer settle.Stop()
	defer trash.Stop()
	for {
		j.emptyTrash(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-settle.C:
			j.Settle()
		case <-trash.C:
		case <-j.library.Trashed:
		}
	}
}

// Settle notes that the uploads until now have their records. It is the last
// thing at a stop, too: the next start then has nothing to look through.
func (j *Jobs) Settle() {
	if err := j.library.Settle(j.mark); err != nil {
		slog.Warn("the mark of settled uploads was not written", "err", err)
	}
}

func (j *Jobs) sweep(ctx context.Context) {
	n, err := j.library.Sweep(ctx, j.mark, j.start)
	if err != nil && ctx.Err() == nil {
		slog.Warn("the sweep after the start did not finish", "err", err)
	}
	if n > 0 {
		slog.Info("removed what a crash left", "blobs", n)
	}
}

func (j *Jobs) emptyTrash(ctx context.Context) {
	if _, err := j.library.EmptyTrash(ctx); err != nil && ctx.Err() == nil {
		slog.Warn("deleted files keep their bytes until the next try", "err", err)
	}
}

func (j *Jobs) removeAccounts(ctx context.Context) {
	again := time.NewTicker(removeEvery)
	defer again.Stop()
	for {
		if err := j.library.FinishRemovals(ctx); err != nil && ctx.Err() == nil {
			slog.Warn("what a removed account left stays until the next try", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		case <-j.library.Removed:
		}
	}
}
