package library

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"picora/app/fault"
	"picora/store"
)

// OnForget has fn called when so many records ended at once that a cache does better
// to forget all it has. It is set once, before the start.
func (l *Library) OnForget(fn func()) { l.onForget = fn }

// RemoveAccount ends an account. When it returns, no credential of the user opens
// anything, and all links to their files are dead. What they left is deleted a little
// later, by FinishRemovals; a crash changes nothing about that.
func (l *Library) RemoveAccount(ctx context.Context, user string) error {
	_, err := l.store.BeginRemoval(ctx, user)
	if errors.Is(err, store.ErrLastAdmin) {
		return fault.New(fault.Invalid, "This is the only administrator of the server. Make somebody else one first.")
	}
	if err != nil {
		return err
	}
	l.onForget() // after the mark: what is read from now on is not found
	signal(l.Removed)
	return nil
}

// signal leaves a signal in a channel that has room for one.
func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default: // somebody is on the way
	}
}

const (
	// removeBatch is how many things of a removed account one transaction deletes.
	removeBatch = 200
	// requestMost is longer than a request takes that is no upload.
	requestMost = 10 * time.Minute
)

// FinishRemovals deletes what removed accounts left. One that fails is left for the
// next time, and does not keep the others.
func (l *Library) FinishRemovals(ctx context.Context) error {
	list, err := l.store.Removals(ctx)
	if err != nil {
		return fmt.Errorf("library: removed accounts: %w", err)
	}
	var failed error
	for _, r := range list {
		if err := l.finishRemoval(ctx, r); err != nil {
			failed = fmt.Errorf("library: removed account %s: %w", r.User, err)
		}
	}
	return failed
}

func (l *Library) finishRemoval(ctx context.Context, r store.Removal) error {
	for more := true; more; {
		media, next, err := l.store.RemoveSome(ctx, r.User, removeBatch)
		if err != nil {
			return err
		}
		l.dropVariants(media)
		if len(media) > 0 {
			l.signalTrash()
		}
		if more = next; ctx.Err() != nil {
			return ctx.Err()
		}
	}
	// A request that was let in before may still be at work: its record is refused as
	// long as the mark stands.
	if !r.Began.Before(l.intakes.oldest()) || l.store.Now().Sub(r.Began) < requestMost {
		return nil
	}
	_, err := l.store.EndRemoval(ctx, r.User)
	return err
}

// dropVariants forgets what was made of media that are gone.
func (l *Library) dropVariants(media []string) {
	if l.variants == nil {
		return
	}
	for _, id := range media {
		if err := l.variants.cache.Drop(id); err != nil { // nobody is given it any more
			slog.Warn("pictures made of a deleted one were left in the cache", "id", id, "err", err)
		}
	}
}
