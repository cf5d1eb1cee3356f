package scrub

import (
	"context"
	"log/slog"
	"time"

	"picora/app/mail"
	"picora/store"
	"picora/store/blob"
)

const (
	// tooOld is how long after the last night's run another one is made up for.
	tooOld = 25 * time.Hour
	// startFirst is how long after the server's start that is: it has better things to do
	// at once.
	startFirst = 10 * time.Minute
	// leastRead is how many bytes a night reads at least.
	leastRead = 64 << 20
	// mostNights is how many nights that were missed one makes up for.
	mostNights = 7
)

// due is when the next night's run is: at the hour, or soon when the server was off in the
// nights before. The caller has the lock.
func (x *Scrub) due(now time.Time) time.Time {
	at := atHour(now.Local(), x.config.Hour)
	if now.Sub(x.state.Night) > tooOld {
		return now.Add(min(startFirst, at.Sub(now)))
	}
	return at
}

// atHour is when it is that hour again.
func atHour(now time.Time, hour int) time.Time {
	t := time.Date(now.Year(), now.Month(), now.Day(), hour, 0, 0, 0, now.Location())
	if !t.After(now) {
		t = time.Date(now.Year(), now.Month(), now.Day()+1, hour, 0, 0, 0, now.Location())
	}
	return t
}

// night begins a night's run, unless another is under way: it looks for all files, and reads
// as many as let all be read within the days of the settings.
func (x *Scrub) night(ctx context.Context) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.state.Run != nil {
		return
	}
	now := time.Now().UTC()
	r := &Run{By: Nightly, Repair: true, Began: now, Since: blob.KeyAt(x.state.Night.Add(-time.Hour))}
	if x.config.ReadDays > 0 {
		nights := min(max(now.Sub(x.state.Night).Hours()/24, 1), mostNights)
		r.Share = nights / float64(x.config.ReadDays)
	}
	x.state.Night = now
	x.begin(r)
}

// tell notifies the administrators of what a run found that was not known.
func (x *Scrub) tell(ctx context.Context, r *Run, found store.Findings) {
	admins, err := x.store.Admins(ctx)
	for i := range admins {
		u := &admins[i]
		t := mail.FilesDamaged(mail.Language(u.Locale, ""), found.Missing, found.Corrupt, found.Orphans, int(r.Repaired))
		if err = x.store.Notify(ctx, store.Notification{User: u.ID, Type: "system", Title: t.Subject, Body: t.Body, Link: "/admin"}); err != nil {
			break
		}
	}
	if err != nil {
		slog.Warn("administrators were not told of what a check of the files found", "err", err)
	}
}
