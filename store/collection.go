package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"picora/store/kv"
)

//go:generate go tool msgp -tests=false -io=false -o collection_gen.go

//msgp:timezone utc

// Collection is a group of a user's media: an album, a show, a knowledge base.
type Collection struct {
	ID          string `msg:"id"`
	User        string `msg:"user"`
	Name        string `msg:"name"`
	Slug        string `msg:"slug"`    // in its page's address; nobody else's
	Type        string `msg:"type"`    // in the contract's words, such as photo_album
	CustomType  string `msg:"custom"`  // id of the CollectionType, when Type is custom
	KBType      string `msg:"kbtype"`  // creator or output
	Allowed     []Kind `msg:"allowed"` // what it takes
	Description string `msg:"desc"`
	Default     bool   `msg:"default"` // the user's; of one at most
	Public      bool   `msg:"public"`  // everybody may open its page, and see what is public in it
	// Share opens the page of a collection, and all that is in it, to whoever has it; empty: nobody.
	Share string `msg:"share"`
	Cover string `msg:"cover"` // id of the picture that stands for it; empty: the newest
	Feed  Feed   `msg:"feed"`

	Counts []Count `msg:"counts"` // by Kind, of what is in it and not in the trash

	Created time.Time `msg:"created"`
	Updated time.Time `msg:"updated"` // when it was changed, or something came into it
	Deleted time.Time `msg:"deleted"` // zero: it was not
}

// Feed is what a podcast feed says of a collection. Empty texts say nothing.
type Feed struct {
	Author   string `msg:"author"`
	Email    string `msg:"email"` // of the owner, for directories
	Category string `msg:"cat"`   // one of Apple's, or of their subcategories
	Language string `msg:"lang"`  // as zh-CN
	Link     string `msg:"link"`  // of the show's site
	Explicit bool   `msg:"explicit"`
	Serial   bool   `msg:"serial"` // its episodes are meant to be heard in turn
	// Token opens a feed with all audio in the collection, and signs the addresses in it;
	// empty: there is no such feed.
	Token string `msg:"token"`
}

// Count is how much of a kind is in the collection.
func (c *Collection) Count(k Kind) Count {
	if int(k) < len(c.Counts) {
		return c.Counts[k]
	}
	return Count{}
}

// Total is how much is in the collection.
func (c *Collection) Total() (t Count) {
	for _, n := range c.Counts {
		t.N, t.Public, t.Bytes = t.N+n.N, t.Public+n.Public, t.Bytes+n.Bytes
	}
	return t
}

// Takes reports whether media of that kind may be put into the collection.
func (c *Collection) Takes(k Kind) bool { return slices.Contains(c.Allowed, k) }

// Live reports whether the collection was not deleted.
func (c *Collection) Live() bool { return c.Deleted.IsZero() }

// MostCollections is how many a user may have, deleted ones included, whatever the plan says: a list is
// sorted in memory.
const MostCollections = 10_000

// ErrCollection says that media cannot be put into a collection: it is not there, not
// the user's, or was deleted.
var ErrCollection = fmt.Errorf("store: collection: %w", ErrNotFound)

// ErrKind says that a collection does not take media of that kind.
var ErrKind = errors.New("store: the collection takes no such media")

// ErrNotEmpty says that something is in a collection that is to be deleted.
var ErrNotEmpty = errors.New("store: collection is not empty")

// CreateCollection adds c under a new id. ErrExists when the slug is taken. May
// decides, nil for yes, on how many the user has, in the transaction.
func (s *Store) CreateCollection(ctx context.Context, c Collection, may func(have int) error) (Collection, error) {
	c.ID, c.Created, c.Counts = NewID(IDLen), s.Now(), nil
	c.Updated = c.Created
	err := s.db.Update(ctx, func(tx kv.Tx) error {
		if err := notGone(tx, c.User); err != nil {
			return err
		}
		all, err := collections(tx, c.User)
		if err != nil {
			return err
		}
		if may != nil {
			if err := may(countLive(all)); err != nil {
				return err
			}
		}
		if len(all) >= MostCollections {
			return ErrFull
		}
		if c.CustomType != "" {
			if there, err := has(tx, keyCollectionType(c.User, c.CustomType)); err != nil || !there {
				return or(err, ErrNotFound)
			}
		}
		if c.Default {
			if err := noDefault(tx, all); err != nil {
				return err
			}
		}
		return changeCollection(tx, nil, &c)
	})
	return c, err
}

// Collection finds a collection by its id, whoever owns it, deleted or not.
func (s *Store) Collection(ctx context.Context, id string) (c Collection, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		c, err = collectionByID(tx, id)
		return err
	})
	return c, err
}

// CollectionBySlug finds a collection by its slug, whoever owns it, deleted or not.
func (s *Store) CollectionBySlug(ctx context.Context, slug string) (c Collection, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		id, err := getKey(tx, keyCollectionSlug(slug))
		if err != nil {
			return err
		}
		c, err = collectionByID(tx, string(id))
		return err
	})
	return c, err
}

// OwnCollection finds a collection of the user's, deleted or not.
func (s *Store) OwnCollection(ctx context.Context, user, id string) (c Collection, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error { return get(tx, keyCollection(user, id), &c) })
	return c, err
}

// UpdateCollection lets edit change the user's collection, as UpdateMedia does; one
// that was deleted is not found. ErrExists when another has the slug.
func (s *Store) UpdateCollection(ctx context.Context, user, id string, edit func(*Collection) error) (c Collection, err error) {
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		old, err := liveCollection(tx, user, id)
		if err != nil {
			return err
		}
		c = old
		c.Allowed = slices.Clone(old.Allowed)
		if err := edit(&c); err != nil {
			return err
		}
		if same, err := sameRecord(&old, &c); same || err != nil {
			return err
		}
		if c.Default && !old.Default {
			all, err := collections(tx, user)
			if err == nil {
				err = noDefault(tx, all)
			}
			if err != nil {
				return err
			}
		}
		c.Updated = s.Now()
		return changeCollection(tx, &old, &c)
	})
	return c, err
}

func countLive(all []Collection) (n int) {
	for i := range all {
		if all[i].Live() {
			n++
		}
	}
	return n
}

func sameRecord(a, b record) (bool, error) {
	x, err := a.MarshalMsg(nil)
	if err != nil {
		return false, err
	}
	y, err := b.MarshalMsg(nil)
	return string(x) == string(y), err
}

// noDefault takes the default away from those of a user's collections that have it.
func noDefault(tx kv.Tx, all []Collection) error {
	for i := range all {
		if old := all[i]; old.Default {
			all[i].Default = false
			if err := changeCollection(tx, &old, &all[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// collections are all of a user's, deleted ones included.
func collections(tx kv.Reader, user string) (all []Collection, err error) {
	for e, err := range tx.Scan(kv.Prefix(keyCollection(user, ""))) {
		if err != nil {
			return nil, err
		}
		var c Collection
		if _, err := c.UnmarshalMsg(e.Value); err != nil {
			return nil, fmt.Errorf("store: record under %q is damaged: %w", e.Key, err)
		}
		all = append(all, c)
	}
	return all, nil
}

func collectionByID(tx kv.Reader, id string) (c Collection, err error) {
	user, err := getKey(tx, keyCollectionID(id))
	if err != nil {
		return c, err
	}
	if err := notGone(tx, string(user)); err != nil {
		return c, err
	}
	err = get(tx, keyCollection(string(user), id), &c)
	return c, err
}

// liveCollection is the user's collection; one that was deleted is not found.
func liveCollection(tx kv.Reader, user, id string) (c Collection, err error) {
	if err = get(tx, keyCollection(user, id), &c); err == nil && !c.Live() {
		err = ErrNotFound
	}
	return c, err
}

// changeCollection replaces the record old by c with its index entries; nil stands for
// no record. It and countCollection are the only writers of collections' keys.
func changeCollection(tx kv.Tx, old, c *Collection) error {
	if c != nil && (old == nil || old.Slug != c.Slug) {
		if id, err := has(tx, keyCollectionID(c.Slug)); err != nil || id { // pages are found by ids, too
			return or(err, fmt.Errorf("store: slug %s: %w", c.Slug, ErrExists))
		}
		if taken, err := has(tx, keyCollectionSlug(c.Slug)); err != nil || taken {
			return or(err, fmt.Errorf("store: slug %s: %w", c.Slug, ErrExists))
		}
		if err := tx.Put(keyCollectionSlug(c.Slug), []byte(c.ID)); err != nil {
			return err
		}
	}
	if old != nil && (c == nil || old.Slug != c.Slug) {
		if err := tx.Delete(keyCollectionSlug(old.Slug)); err != nil {
			return err
		}
	}
	if old != nil && !old.Live() && (c == nil || c.Live()) {
		if err := tx.Delete(keyDeletedCollection(old)); err != nil {
			return err
		}
	}
	if c != nil && !c.Live() {
		if err := tx.Put(keyDeletedCollection(c), []byte(c.User)); err != nil {
			return err
		}
	}
	if c == nil {
		for _, k := range [][]byte{keyCollectionID(old.ID), keyCollectionWork(old.ID), keyCollection(old.User, old.ID)} {
			if err := tx.Delete(k); err != nil {
				return err
			}
		}
		return nil
	}
	if old == nil {
		if err := tx.Put(keyCollectionID(c.ID), []byte(c.User)); err != nil {
			return err
		}
	}
	return put(tx, keyCollection(c.User, c.ID), c)
}

// removeCollections deletes collections of a removed account, whose media are gone.
func removeCollections(tx kv.Tx, user string, n int) (int, error) {
	keys, err := some(tx, keyCollection(user, ""), n)
	for _, k := range keys {
		var c Collection
		if err := get(tx, k, &c); err != nil {
			return 0, err
		}
		if err := changeCollection(tx, &c, nil); err != nil {
			return 0, err
		}
	}
	return n - len(keys), err
}
