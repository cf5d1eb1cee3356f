package usage

import (
	"context"

	"picora/store"
)

// MayAddDoc refuses another document when the account has no room for one.
func (u *Usage) MayAddDoc(ctx context.Context, user string) error {
	return u.MayBegin(ctx, user, store.Doc, 1)
}

// PutDoc is the store's PutDoc within the owner's limits.
func (u *Usage) PutDoc(ctx context.Context, d store.NewDoc) (out store.Media, replaced string, fresh bool, err error) {
	d.May = func(st store.Standing) error { return u.room(&st, store.Doc, d.Size) }
	return u.store.PutDoc(ctx, d)
}
