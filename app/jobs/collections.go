package jobs

import (
	"context"
	"log/slog"
	"time"
)

// followEvery is another try after a failure, and how often old collections are looked for.
const followEvery = time.Hour

// followCollections brings what is in deleted collections into the trash, and out of it
// again, and ends collections that were deleted long ago.
func (j *Jobs) followCollections(ctx context.Context) {
	again := time.NewTicker(followEvery)
	defer again.Stop()
	for {
		if err := j.library.FollowCollections(ctx); err != nil && ctx.Err() == nil {
			slog.Warn("what is in a deleted collection did not follow it; it is tried again", "err", err)
		}
		if err := j.library.PurgeCollections(ctx); err != nil && ctx.Err() == nil {
			slog.Warn("collections that were deleted long ago are still there; it is tried again", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		case <-j.library.Collected:
		}
	}
}
