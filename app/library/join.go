package library

import (
	"context"
	"errors"

	"picora/app/fault"
	"picora/store"
)

const maxJoined = 1000 // parts of an upload

// JoinUploads makes an upload of complete parts, in their order, which are gone then.
func (l *Library) JoinUploads(ctx context.Context, u store.Upload, ids []string) (store.Upload, error) {
	if l.pieces == nil {
		return u, errNoUploads
	}
	if len(ids) == 0 || len(ids) > maxJoined {
		return u, fault.New(fault.BadRequest, "Upload-Concat: final; and the addresses of 1 to %d parts, with spaces between.", maxJoined)
	}
	parts := make([]store.Upload, 0, len(ids))
	for _, id := range ids {
		p, size, err := l.OwnUpload(ctx, u.User, id)
		switch {
		case errors.Is(err, store.ErrNotFound) || err == nil && !p.Partial():
			return u, fault.New(fault.Invalid, "There is no part %.40q.", id)
		case err != nil:
			return u, err
		case size != p.Length:
			return u, fault.New(fault.Invalid, "The part %s is not complete: %d of %d bytes are there.", id, size, p.Length)
		}
		u.Length += p.Length
		parts = append(parts, p)
	}
	for i := range parts {
		l.pieces.setRoom(parts[i].ID, nil) // the whole takes their place
	}
	hold := func() { // what could not be joined stays
		for i := range parts {
			l.pieces.setRoom(parts[i].ID, l.holdRoom(&parts[i]))
		}
	}
	u, err := l.StartUpload(ctx, u)
	if err != nil {
		hold()
		return u, err
	}
	one, err := l.pieces.take(u.ID, false, nil)
	if err != nil {
		return u, errLocked
	}
	defer l.pieces.release(one)
	if err := l.pieces.join(ctx, u.ID, parts); err != nil {
		err = errors.Join(err, l.endUpload(context.WithoutCancel(ctx), &u))
		hold()
		return u, err
	}
	for i := range parts {
		if err := l.endUpload(ctx, &parts[i]); err != nil {
			return u, err
		}
	}
	return l.finishUpload(ctx, u, one)
}
