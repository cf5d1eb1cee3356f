package jobs

import (
	"context"
	"log/slog"
	"time"
)

// purgeEvery is how often what is old enough is looked for.
const purgeEvery = time.Hour

// purge ends what was in the trash too long, and forgets what was deleted long ago.
func (j *Jobs) purge(ctx context.Context) {
	again := time.NewTicker(purgeEvery)
	defer again.Stop()
	for {
		j.Purge(ctx)
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		}
	}
}

// Purge is the work of one hour.
func (j *Jobs) Purge(ctx context.Context) {
	n, err := j.library.PurgeOld(ctx)
	if n > 0 {
		slog.Info("deleted what was in the trash for 30 days", "files", n)
	}
	if err != nil && ctx.Err() == nil {
		slog.Warn("what was in the trash for 30 days is still there; it is tried again in an hour", "err", err)
	}
	if err := j.library.ForgetOld(ctx); err != nil && ctx.Err() == nil {
		slog.Warn("what was deleted 30 days ago is still remembered; it is tried again in an hour", "err", err)
	}
}
