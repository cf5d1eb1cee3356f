package jobs

import (
	"context"
	"log/slog"
	"time"

	"picora/store"
)

const (
	announceBatch = 50               // users that one transaction notifies
	announceEvery = 10 * time.Minute // another try after a failure
)

// Announce sends what administrators announce to everybody, until ctx ends. News has a
// signal when there is something new; what a stop cut off goes on at the start.
func Announce(ctx context.Context, s *store.Store, news <-chan struct{}) {
	again := time.NewTicker(announceEvery)
	defer again.Stop()
	for {
		for more := true; more && ctx.Err() == nil; {
			var err error
			if more, err = s.SendAnnouncements(ctx, announceBatch); err != nil {
				if more = false; ctx.Err() == nil {
					slog.Warn("an announcement was not sent to everybody yet", "err", err)
				}
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		case <-news:
		}
	}
}

const (
	// AuditAge is how long the audit log keeps a line.
	AuditAge   = 400 * 24 * time.Hour
	auditEvery = 6 * time.Hour
)

// KeepAudit removes lines of the audit log that are older than AuditAge, until ctx ends.
func KeepAudit(ctx context.Context, s *store.Store) {
	again := time.NewTicker(auditEvery)
	defer again.Stop()
	for {
		if n, err := s.DeleteEvents(ctx, s.Now().Add(-AuditAge)); err != nil && ctx.Err() == nil {
			slog.Warn("old lines of the audit log stay until the next try", "err", err)
		} else if n > 0 {
			slog.Info("removed old lines of the audit log", "lines", n)
		}
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		}
	}
}
