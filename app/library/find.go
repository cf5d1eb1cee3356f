package library

import (
	"context"
	"errors"

	"picora/store"
)

// Own finds a record of the user's; store.ErrNotFound when it is not theirs.
func (l *Library) Own(ctx context.Context, user, id string) (store.Media, error) {
	m, err := l.store.Media(ctx, id)
	if err == nil && m.User != user {
		return store.Media{}, store.ErrNotFound
	}
	return m, err
}

// Any finds a record, whoever owns it.
func (l *Library) Any(ctx context.Context, id string) (store.Media, error) {
	return l.store.Media(ctx, id)
}

// List reads one page of the user's records, newest first. A query with a Match
// reads as many records as it takes; few of these run at a time.
func (l *Library) List(ctx context.Context, user string, q store.Query) (store.Page, error) {
	if q.Match != nil {
		l.scans <- struct{}{}
		defer func() { <-l.scans }()
	}
	return l.store.ListMedia(ctx, user, q)
}

// Timeline cuts the list of the user's records that List gives, in the order of dates,
// into stretches of size.
func (l *Library) Timeline(ctx context.Context, user string, q store.Query, size int) (store.Timeline, error) {
	l.scans <- struct{}{}
	defer func() { <-l.scans }()
	return l.store.MediaTimeline(ctx, user, q, size)
}

// Count is how much of a kind the user has.
func (l *Library) Count(ctx context.Context, user string, k store.Kind) (store.Count, error) {
	return l.store.Count(ctx, user, k)
}

// ByHash finds the user's record of that kind and content, one that is not in the
// trash. Ok is false when there is none.
func (l *Library) ByHash(ctx context.Context, user string, k store.Kind, hash []byte) (m store.Media, ok bool, err error) {
	m, err = l.store.MediaByHash(ctx, user, k, hash)
	if errors.Is(err, store.ErrNotFound) {
		return m, false, nil
	}
	return m, err == nil, err
}
