package jobs

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"picora/app/usage"
	"picora/store"
)

// nightlyAt is the hour, local time, at which counts are compared with the records.
const nightlyAt = 3

const (
	nightlyLast = "nightly.last"   // the setting with the time of the last check
	tooOld      = 25 * time.Hour   // a check from before that is made up for
	startFirst  = 30 * time.Second // a start has better things to do at once
)

// Nightly compares all accounts' counts with their records every night until ctx ends,
// and soon when the server was off in the nights before.
func Nightly(ctx context.Context, s *store.Store, u *usage.Usage) { nightly(ctx, s, u, time.After) }

func nightly(ctx context.Context, s *store.Store, u *usage.Usage, after func(time.Duration) <-chan time.Time) {
	now := s.Now().Local()
	at := due(now, lastCheck(ctx, s))
	for {
		select {
		case <-ctx.Done():
			return
		case <-after(at.Sub(now)):
			Recount(ctx, s, u)
		}
		now = s.Now().Local()
		at = next(now)
	}
}

// due is when the first check after a start is, when the last one was at that time.
func due(now, last time.Time) time.Time {
	if at := next(now); now.Sub(last) <= tooOld || at.Sub(now) < startFirst {
		return at
	}
	return now.Add(startFirst)
}

// lastCheck is when the counts were last compared; never, when nobody knows.
func lastCheck(ctx context.Context, s *store.Store) (at time.Time) {
	b, err := s.Setting(ctx, nightlyLast)
	if err == nil {
		err = at.UnmarshalText(b)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		slog.Warn("the time of the last nightly check cannot be read", "err", err)
	}
	return at
}

// noteCheck keeps that the counts were compared now.
func noteCheck(ctx context.Context, s *store.Store) error {
	b, err := s.Now().UTC().MarshalText()
	if err != nil {
		return err
	}
	return s.PutSetting(ctx, nightlyLast, b)
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
func Recount(ctx context.Context, s *store.Store, u *usage.Usage) {
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
	if err := noteCheck(ctx, s); err != nil {
		slog.Warn("the time of the nightly check was not noted", "err", err)
	}
	slog.Info("compared the accounts' counts with their records", "accounts", users, "repaired", len(repaired), "took", time.Since(start).Round(time.Millisecond))
}
