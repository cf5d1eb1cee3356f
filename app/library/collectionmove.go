package library

import (
	"context"
	"errors"
	"time"

	"picora/app/fault"
	"picora/store"
)

// Move puts those of the user's records of that kind into the collection, or out of all
// when its id is empty. Those that it could not are missed.
func (l *Library) Move(ctx context.Context, user string, k store.Kind, ids []string, collection string) (moved []string, missed []store.Missed, err error) {
	ms, missed, err := l.store.MoveMedia(ctx, user, k, ids, collection)
	moved = []string{}
	for i := range ms {
		l.onEdit(ms[i].ID)
		moved = append(moved, ms[i].ID)
	}
	return moved, missed, err
}

// keptCollections is how long a deleted collection can come back, as long as what is in
// the trash.
const keptCollections = 30 * 24 * time.Hour

// What one request does of the work of a collection with much in it; the rest is done
// after the answer.
const (
	followStep   = 200 // records in a transaction
	followRounds = 5
)

// RemoveCollection deletes the user's collection. What is in it may go into the trash
// with it when cascade is set, else there may be nothing.
func (l *Library) RemoveCollection(ctx context.Context, user, id string, cascade bool) error {
	_, err := l.store.DeleteCollection(ctx, user, id, cascade)
	if errors.Is(err, store.ErrNotEmpty) {
		return fault.New(fault.CollectionNotEmpty, "There is something in this collection. Move it out first, or delete it with the collection: ?cascade=true.")
	}
	if err != nil {
		return err
	}
	return l.follow(ctx, id, followRounds)
}

// RestoreCollection brings the user's deleted collection back, with what went with it.
func (l *Library) RestoreCollection(ctx context.Context, user store.User, id string) (store.Collection, error) {
	_, err := l.store.RestoreCollection(ctx, user.ID, id, func(have int) error { return l.mayCollect(user, have) })
	if err != nil {
		return store.Collection{}, err
	}
	if err := l.follow(ctx, id, followRounds); err != nil {
		return store.Collection{}, err
	}
	return l.store.OwnCollection(ctx, user.ID, id)
}

// follow has what is in a collection follow it, that many times some of it; of the rest
// it tells who does it later.
func (l *Library) follow(ctx context.Context, id string, rounds int) error {
	for range rounds {
		media, more, err := l.store.FollowCollection(ctx, id, followStep)
		if err != nil {
			return err
		}
		for i := range media {
			l.onEdit(media[i].ID)
		}
		if !more {
			return nil
		}
	}
	signal(l.Collected)
	return nil
}

// FollowCollections finishes what requests began.
func (l *Library) FollowCollections(ctx context.Context) error {
	for {
		ids, err := l.store.Following(ctx)
		if err != nil || len(ids) == 0 {
			return err
		}
		for _, id := range ids {
			for more := true; more; {
				var media []store.Media
				if media, more, err = l.store.FollowCollection(ctx, id, followStep); err != nil {
					return err
				}
				for i := range media {
					l.onEdit(media[i].ID)
				}
				if err := ctx.Err(); err != nil {
					return err
				}
			}
		}
	}
}

// PurgeCollections ends those collections for good that were deleted long ago.
func (l *Library) PurgeCollections(ctx context.Context) error {
	for {
		n, err := l.store.PurgeCollections(ctx, l.store.Now().Add(-keptCollections), followStep)
		if err != nil || n < followStep {
			return err
		}
	}
}
