package library

import (
	"context"
	"fmt"
)

// Remove ends those of the user's records whose ids are given, and says which.
// Their links are dead when it returns; their bytes go a moment later.
func (l *Library) Remove(ctx context.Context, user string, ids ...string) (deleted []string, err error) {
	gone, err := l.store.DeleteMedia(ctx, user, ids)
	if err != nil {
		return nil, err
	}
	for _, m := range gone {
		l.onEdit(m.ID)
		deleted = append(deleted, m.ID)
	}
	if len(gone) > 0 {
		select {
		case l.Trashed <- struct{}{}:
		default: // somebody is on the way
		}
	}
	return deleted, nil
}

// EmptyTrash deletes the bytes of removed records and returns how many blobs.
func (l *Library) EmptyTrash(ctx context.Context) (n int, err error) {
	const batch = 256
	for {
		blobs, err := l.store.Trash(ctx, batch)
		if err != nil || len(blobs) == 0 {
			return n, err
		}
		for _, b := range blobs {
			if err := l.blobs.Delete(ctx, b); err != nil {
				return n, fmt.Errorf("library: delete blob %s: %w", b, err)
			}
		}
		if err := l.store.EmptyTrash(ctx, blobs); err != nil {
			return n, err
		}
		n += len(blobs)
	}
}
