package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"picora/store/kv"
)

//go:generate go tool msgp -tests=false -io=false -o collectiontype_gen.go

//msgp:timezone utc

// CollectionType is a type of collections that a user made.
type CollectionType struct {
	ID          string `msg:"id"`
	User        string `msg:"user"`
	Name        string `msg:"name"`
	Slug        string `msg:"slug"` // no other of the user's has it
	Allowed     []Kind `msg:"allowed"`
	Icon        string `msg:"icon"`
	Description string `msg:"desc"`

	Created time.Time `msg:"created"`
}

// ErrInUse says that there are collections of a type that is to be deleted.
var ErrInUse = fmt.Errorf("store: in use")

// CreateCollectionType adds t under a new id. ErrExists when the user has one with that
// slug. May decides, nil for yes, on how many the user has, in the transaction.
func (s *Store) CreateCollectionType(ctx context.Context, t CollectionType, may func(have int) error) (CollectionType, error) {
	t.ID, t.Created = NewID(IDLen), s.Now()
	err := s.db.Update(ctx, func(tx kv.Tx) error {
		if err := notGone(tx, t.User); err != nil {
			return err
		}
		all, err := collectionTypes(tx, t.User)
		if err != nil {
			return err
		}
		if err := may(len(all)); err != nil {
			return err
		}
		for _, other := range all {
			if other.Slug == t.Slug {
				return fmt.Errorf("store: collection type %s: %w", t.Slug, ErrExists)
			}
		}
		return put(tx, keyCollectionType(t.User, t.ID), &t)
	})
	return t, err
}

// CollectionTypes lists the user's types, the oldest first.
func (s *Store) CollectionTypes(ctx context.Context, user string) (all []CollectionType, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		all, err = collectionTypes(tx, user)
		return err
	})
	slices.SortFunc(all, func(a, b CollectionType) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
	return all, err
}

// DeleteCollectionType ends a type of the user's. ErrInUse when a collection has it,
// even a deleted one, which may come back.
func (s *Store) DeleteCollectionType(ctx context.Context, user, id string) error {
	return s.db.Update(ctx, func(tx kv.Tx) error {
		if there, err := has(tx, keyCollectionType(user, id)); err != nil || !there {
			return or(err, ErrNotFound)
		}
		all, err := collections(tx, user)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(all, func(c Collection) bool { return c.CustomType == id }) {
			return ErrInUse
		}
		return tx.Delete(keyCollectionType(user, id))
	})
}

func collectionTypes(tx kv.Reader, user string) (all []CollectionType, err error) {
	for e, err := range tx.Scan(kv.Prefix(keyCollectionType(user, ""))) {
		if err != nil {
			return nil, err
		}
		var t CollectionType
		if _, err := t.UnmarshalMsg(e.Value); err != nil {
			return nil, fmt.Errorf("store: record under %q is damaged: %w", e.Key, err)
		}
		all = append(all, t)
	}
	return all, nil
}
