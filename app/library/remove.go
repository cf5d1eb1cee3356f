package library

import (
	"context"
	"errors"
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
		l.forgetFilm(m.ID)
		deleted = append(deleted, m.ID)
	}
	l.dropVariants(deleted)
	if len(gone) > 0 {
		l.signalTrash()
	}
	return deleted, nil
}

// EmptySoon has blobs deleted whose records ended elsewhere than here.
func (l *Library) EmptySoon() { l.signalTrash() }

// signalTrash says that there may be blobs to delete.
func (l *Library) signalTrash() { signal(l.Trashed) }

// EmptyTrash deletes the bytes of removed records and returns how many blobs. One
// that cannot be deleted stays for the next time and does not keep the others.
func (l *Library) EmptyTrash(ctx context.Context) (n int, err error) {
	const batch = 256
	var failed error
	for after := ""; ; {
		blobs, err := l.store.Trash(ctx, after, batch)
		if err != nil || len(blobs) == 0 {
			return n, errors.Join(failed, err)
		}
		after = blobs[len(blobs)-1]
		var gone []string
		for _, b := range blobs {
			if err := l.blobs.Delete(ctx, b); err != nil {
				failed = fmt.Errorf("library: delete blob %s: %w", b, err) // the last one speaks for all
				continue
			}
			gone = append(gone, b)
		}
		if err := l.store.EmptyTrash(ctx, gone); err != nil {
			return n, err
		}
		n += len(gone)
	}
}
