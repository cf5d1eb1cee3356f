package store

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"picora/store/kv"
)

// CollectionQuery chooses collections of a user. Empty fields do not restrict.
type CollectionQuery struct {
	Type, KBType string
	Deleted      bool // deleted ones, too
	ByName       bool // by name, else the one that changed last first
	After        string
	Limit        int
}

// ListCollections reads a page of the user's collections; next is empty on the last.
func (s *Store) ListCollections(ctx context.Context, user string, q CollectionQuery) (list []Collection, next string, err error) {
	var all []Collection
	err = s.db.View(ctx, func(tx kv.Reader) error {
		all, err = collections(tx, user)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	all = slices.DeleteFunc(all, func(c Collection) bool {
		return !q.Deleted && !c.Live() || q.Type != "" && c.Type != q.Type || q.KBType != "" && c.KBType != q.KBType || q.After != "" && q.place(&c) <= q.After
	})
	slices.SortFunc(all, func(a, b Collection) int { return cmp.Compare(q.place(&a), q.place(&b)) })
	if len(all) > q.Limit {
		all = all[:q.Limit]
		next = q.place(&all[q.Limit-1])
	}
	return all, next, nil
}

// place is where c stands in the list; places compare as texts.
func (q CollectionQuery) place(c *Collection) string {
	if q.ByName {
		return strings.ToLower(c.Name) + "\x00" + c.ID
	}
	return timeKey(time.UnixMilli(^c.Updated.UnixMilli())) + c.ID // the latest first
}
