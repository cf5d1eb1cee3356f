package library

import (
	"context"
	"fmt"
	"slices"
	"time"

	"picora/store"
)

// TrashKept is how long what is in the trash can come back.
const TrashKept = 30 * 24 * time.Hour

// tombstonesKept is how long programs that follow changes are told what was deleted.
const tombstonesKept = 30 * 24 * time.Hour

// Throw puts those of the user's records whose ids are given into the trash, and says
// which. Their links are dead when it returns.
func (l *Library) Throw(ctx context.Context, user string, ids ...string) (thrown []string, err error) {
	gone, err := l.store.TrashMedia(ctx, user, ids)
	if err != nil {
		return nil, err
	}
	for _, m := range gone {
		l.onEdit(m.ID)
		l.forgetFilm(m.ID)
		thrown = append(thrown, m.ID)
	}
	return thrown, nil
}

// Discard is Throw or, for good, Remove.
func (l *Library) Discard(ctx context.Context, user string, trash bool, ids ...string) ([]string, error) {
	if trash {
		return l.Throw(ctx, user, ids...)
	}
	return l.Remove(ctx, user, ids...)
}

// Restore brings a record of the user's back out of the trash.
func (l *Library) Restore(ctx context.Context, user, id string) (store.Media, error) {
	back, err := l.restore(ctx, user, []string{id})
	if err != nil {
		return store.Media{}, err
	}
	if len(back) == 0 {
		return store.Media{}, store.ErrNotFound
	}
	return back[0], nil
}

// RestoreMany brings those of the user's records back whose ids are given, and says
// which. When it fails half-way, those before it are back.
func (l *Library) RestoreMany(ctx context.Context, user string, ids []string) (restored []string, err error) {
	restored = []string{}
	for some := range slices.Chunk(unique(ids), batchStep) {
		back, err := l.restore(ctx, user, some)
		if err != nil {
			return restored, err
		}
		for i := range back {
			restored = append(restored, back[i].ID)
		}
	}
	return restored, nil
}

func (l *Library) restore(ctx context.Context, user string, ids []string) ([]store.Media, error) {
	back, err := l.store.RestoreMedia(ctx, user, ids)
	if err != nil || len(back) == 0 {
		return nil, err
	}
	for i := range back {
		l.onEdit(back[i].ID)
	}
	signal(l.arrived) // one may have gone before anybody looked at it
	l.hearSoon("")
	if l.films != nil {
		signal(l.films.arrived)
	}
	return back, nil
}

// ListTrash reads one page of the user's trash, what was deleted last first.
func (l *Library) ListTrash(ctx context.Context, user, after string, limit int) (store.Page, error) {
	return l.store.ListTrash(ctx, user, after, limit)
}

// Purge ends records for good that are in the user's trash, and says which.
func (l *Library) Purge(ctx context.Context, user string, ids ...string) (purged []string, err error) {
	gone, err := l.store.PurgeMedia(ctx, user, ids)
	for _, m := range gone {
		purged = append(purged, m.ID)
	}
	if len(gone) > 0 {
		l.dropVariants(purged)
		l.signalTrash()
	}
	return purged, err
}

// purgeStep is how many records end in one transaction, and purgeRounds how many of
// those one request makes.
const (
	purgeStep   = 200
	purgeRounds = 50
)

// EmptyBin ends all that is in the user's trash, or as much of it as one request may;
// more says that there is more.
func (l *Library) EmptyBin(ctx context.Context, user string) (n int, more bool, err error) {
	for range purgeRounds {
		page, err := l.store.ListTrash(ctx, user, "", purgeStep)
		if err != nil || len(page.Items) == 0 {
			return n, false, err
		}
		ids := make([]string, len(page.Items))
		for i := range page.Items {
			ids[i] = page.Items[i].ID
		}
		purged, err := l.Purge(ctx, user, ids...)
		if n += len(purged); err != nil {
			return n, true, err
		}
	}
	return n, true, nil
}

// PurgeOld ends what has been in anybody's trash too long, and returns how many.
func (l *Library) PurgeOld(ctx context.Context) (n int, err error) {
	for ctx.Err() == nil {
		old, err := l.store.OldTrash(ctx, l.store.Now().Add(-TrashKept), purgeStep)
		if err != nil || len(old) == 0 {
			return n, err
		}
		before := n
		for user, ids := range old {
			purged, err := l.Purge(ctx, user, ids...)
			if err != nil {
				return n, fmt.Errorf("library: old trash of %s: %w", user, err)
			}
			n += len(purged)
		}
		if n == before { // it would be the same for ever
			return n, fmt.Errorf("library: %d accounts have old trash that does not end", len(old))
		}
	}
	return n, ctx.Err()
}

// ForgetOld deletes the tombstones that were kept long enough.
func (l *Library) ForgetOld(ctx context.Context) error {
	users, err := l.store.Users(ctx)
	if err != nil {
		return err
	}
	before := l.store.Now().Add(-tombstonesKept)
	for i := range users {
		for more := true; more; {
			if more, err = l.store.Forget(ctx, users[i].ID, before, purgeStep); err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
	}
	return nil
}
