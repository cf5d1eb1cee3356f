package jobs

import (
	"context"
	"log/slog"
	"time"

	"picora/app/library"
	"picora/store"
)

const expireEvery = time.Hour

// Expire removes sessions, codes and uploads that ended by themselves, at once and then every
// hour until ctx ends. Nobody waits for it: what has expired is refused all the same.
func Expire(ctx context.Context, s *store.Store, l *library.Library) {
	tick := time.NewTicker(expireEvery)
	defer tick.Stop()
	for {
		for _, of := range []struct {
			what   string
			remove func(context.Context) (int, error)
		}{{"sessions", s.DeleteExpiredSessions}, {"codes", s.DeleteExpiredCodes}, {"uploads", l.ExpireUploads}} {
			if n, err := of.remove(ctx); err != nil && ctx.Err() == nil {
				slog.Warn("what has expired was not removed; it is tried again in an hour", "what", of.what, "err", err)
			} else if n > 0 {
				slog.Debug("removed what has expired", "what", of.what, "n", n)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
