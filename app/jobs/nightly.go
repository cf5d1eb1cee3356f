package jobs

import (
	"context"
	"log/slog"
	"time"

	"picora/app/usage"
)

// nightlyAt is the hour, local time, at which counts are compared with the records.
const nightlyAt = 3

// Nightly compares all accounts' counts with their records every night until ctx ends.
func Nightly(ctx context.Context, u *usage.Usage) {
	for {
		wait := time.NewTimer(time.Until(next(time.Now())))
		select {
		case <-ctx.Done():
			wait.Stop()
			return
		case <-wait.C:
			Recount(ctx, u)
		}
	}
}

// next is when it is three in the morning again.
func next(now time.Time) time.Time {
	t := time.Date(now.Year(), now.Month(), now.Day(), nightlyAt, 0, 0, 0, now.Location())
	if !t.After(now) {
		t = time.Date(now.Year(), now.Month(), now.Day()+1, nightlyAt, 0, 0, 0, now.Location())
	}
	return t
}

// Recount is the work of one night.
func Recount(ctx context.Context, u *usage.Usage) {
	start := time.Now()
	users, repaired, err := u.Recount(ctx, "", "nightly")
	for _, r := range repaired {
		slog.Warn("the counts of an account were wrong and were repaired", "user", r.User, "what", r.What)
	}
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		slog.Warn("the nightly check of the accounts' counts did not finish", "accounts", users, "err", err)
		return
	}
	slog.Info("compared the accounts' counts with their records", "accounts", users, "repaired", len(repaired), "took", time.Since(start).Round(time.Millisecond))
}
