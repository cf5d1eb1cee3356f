package auth

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"picora/store"
)

const (
	useEvery = 5 * time.Minute // a key's last use is written at most so often
	useDelay = 5 * time.Second // uses are collected for so long
	mostUses = 10_000          // keys whose use waits to be written; more are written at a later use
)

// uses are last uses of keys that are not written yet. Requests only note them here;
// Background writes.
type uses struct {
	mu    sync.Mutex
	waits map[string]time.Time // by key id
	wake  chan struct{}
}

func newUses() *uses { return &uses{waits: map[string]time.Time{}, wake: make(chan struct{}, 1)} }

// note keeps that the key was used now, when the record does not know it well enough.
func (u *uses) note(k *store.APIKey, now time.Time) {
	if now.Sub(k.Used) < useEvery {
		return
	}
	u.mu.Lock()
	_, known := u.waits[k.ID]
	if known || len(u.waits) < mostUses {
		u.waits[k.ID] = now
	}
	u.mu.Unlock()
	if !known {
		select {
		case u.wake <- struct{}{}:
		default:
		}
	}
}

// Background writes last uses of keys until ctx ends.
func (a *Auth) Background(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.uses.wake:
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(useDelay):
		}
		a.Flush(context.WithoutCancel(ctx)) // a stop does not cut off what is being written
	}
}

// Wait returns when what requests left to be done has been done. It is for the stop, when
// no request runs any more.
func (a *Auth) Wait() { a.showing.Wait() }

// Flush writes the last uses that wait, all in one transaction; when that fails they go
// on waiting. At the stop it is called when nothing is used any more.
func (a *Auth) Flush(ctx context.Context) {
	a.uses.mu.Lock()
	waits := a.uses.waits
	a.uses.waits = map[string]time.Time{}
	a.uses.mu.Unlock()
	if len(waits) == 0 {
		return
	}
	if err := a.store.UseAPIKeys(ctx, waits, useEvery); err != nil {
		slog.Warn("last uses of API keys could not be written yet", "keys", len(waits), "err", err)
		a.uses.again(waits)
	}
}

// again has uses wait once more. Of a key that was used since, the later use counts.
func (u *uses) again(waits map[string]time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for id, at := range waits {
		if _, later := u.waits[id]; !later && len(u.waits) < mostUses {
			u.waits[id] = at
		}
	}
	select {
	case u.wake <- struct{}{}:
	default:
	}
}
