package library

import (
	"context"
	"crypto/rand"
	"errors"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"picora/app/fault"
	"picora/store"
)

// Limits of what a collection says, in characters.
const (
	maxCollectionName = 120
	maxDescription    = 4000
	maxSlug           = 64
)

// CollectionChange is what is to be different about a collection, or what a new one is
// to be; nil leaves a thing alone.
type CollectionChange struct {
	Name, Slug, Description  *string
	Type, CustomType, KBType *string
	Allowed                  []store.Kind
	Default, Public          *bool
	Shared                   *bool   // whoever has a link may see its page and all in it
	Cover                    *string // id of a picture of the user's; empty: none
	Feed                     *FeedChange
}

// AddCollection makes a collection of the user's.
func (l *Library) AddCollection(ctx context.Context, user store.User, ch CollectionChange) (store.Collection, error) {
	c := store.Collection{User: user.ID, Type: "knowledge_base", KBType: "creator"}
	if ch.Name == nil {
		return c, fault.New(fault.Invalid, "A collection needs a name.")
	}
	if err := l.typeOf(ctx, &c, ch); err != nil {
		return c, err
	}
	if err := l.applyCollection(ctx, &c, ch); err != nil {
		return c, err
	}
	may := func(have int) error { return l.mayCollect(user, have) }
	if ch.Slug != nil {
		c, err := l.store.CreateCollection(ctx, c, may)
		return c, explainCollection(err)
	}
	base := Slug(c.Name)
	c.Slug = base
	out, err := l.store.CreateCollection(ctx, c, may)
	for try := 0; try < 5 && errors.Is(err, store.ErrExists); try++ {
		c.Slug = base + "-" + randomSlug(4+try)
		out, err = l.store.CreateCollection(ctx, c, may)
	}
	return out, explainCollection(err)
}

func (l *Library) mayCollect(user store.User, have int) error {
	if l.usage == nil {
		return nil
	}
	return l.usage.MayCollect(user, have)
}

// explainCollection says what the store's errors mean here.
func explainCollection(err error) error {
	switch {
	case errors.Is(err, store.ErrExists):
		return &fault.Error{Code: fault.Conflict, Message: "This slug is taken: slugs are unique on the server. Choose another, or leave it out.", Cause: err}
	case errors.Is(err, store.ErrFull):
		return fault.New(fault.CollectionLimit, "Collection quota reached: an account has at most %d, with those that were deleted lately.", store.MostCollections)
	}
	return err
}

// typeOf sets the type of a new collection, and what it takes.
func (l *Library) typeOf(ctx context.Context, c *store.Collection, ch CollectionChange) error {
	if ch.Type != nil {
		c.Type = *ch.Type
	}
	if ch.KBType != nil {
		c.KBType = *ch.KBType
	}
	if c.KBType != "creator" && c.KBType != "output" {
		return fault.New(fault.Invalid, "kbType is creator or output.")
	}
	custom := ch.CustomType != nil && *ch.CustomType != ""
	switch {
	case c.Type == customType && !custom:
		return fault.New(fault.Invalid, "A collection of the type custom needs a customTypeId: see GET /v1/collection-types.")
	case c.Type == customType:
		own, err := l.store.CollectionTypes(ctx, c.User)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(own, func(t store.CollectionType) bool { return t.ID == *ch.CustomType })
		if i < 0 {
			return fault.New(fault.Invalid, "customTypeId: you have no such type of collections. See GET /v1/collection-types.")
		}
		c.CustomType, c.Allowed = own[i].ID, own[i].Allowed
	case custom:
		return fault.New(fault.Invalid, "customTypeId is for collections whose collectionType is custom.")
	default:
		i := slices.IndexFunc(BuiltinTypes, func(t BuiltinType) bool { return t.Slug == c.Type })
		if i < 0 {
			return fault.New(fault.Invalid, "collectionType is %s.", typeNames())
		}
		c.Allowed = BuiltinTypes[i].Allowed
	}
	return nil
}

// EditCollection applies the change to the user's collection.
func (l *Library) EditCollection(ctx context.Context, user, id string, ch CollectionChange) (store.Collection, error) {
	c, err := l.store.UpdateCollection(ctx, user, id, func(c *store.Collection) error {
		immutable := func(field string) error {
			return fault.New(fault.CollectionImmutable, "A collection keeps its type: %s cannot change. Make another collection and move what is in this one.", field)
		}
		switch {
		case ch.Type != nil && *ch.Type != c.Type:
			return immutable("collectionType")
		case ch.CustomType != nil && *ch.CustomType != c.CustomType:
			return immutable("customTypeId")
		case ch.KBType != nil && *ch.KBType != c.KBType:
			return immutable("kbType")
		}
		for _, k := range c.Allowed {
			if ch.Allowed != nil && !slices.Contains(ch.Allowed, k) {
				return fault.New(fault.CollectionImmutable, "allowedResourceTypes can only grow: a collection goes on taking what it took.")
			}
		}
		return l.applyCollection(ctx, c, ch)
	})
	return c, explainCollection(err)
}

// applyCollection checks the change and writes it into c, all but the type.
func (l *Library) applyCollection(ctx context.Context, c *store.Collection, ch CollectionChange) (err error) {
	if ch.Name != nil {
		if c.Name, err = cleanLine("name", *ch.Name, 1, maxCollectionName); err != nil {
			return err
		}
	}
	if ch.Description != nil {
		d := strings.TrimSpace(*ch.Description)
		if utf8.RuneCountInString(d) > maxDescription || !utf8.ValidString(d) {
			return fault.New(fault.Invalid, "description has at most %d characters.", maxDescription)
		}
		c.Description = d
	}
	if ch.Slug != nil {
		if !slugForm.MatchString(*ch.Slug) {
			return fault.New(fault.Invalid, "slug has 2 to %d lower-case letters, digits and hyphens, and begins with a letter or a digit.", maxSlug)
		}
		c.Slug = *ch.Slug
	}
	if ch.Allowed != nil {
		c.Allowed = ch.Allowed
	}
	if ch.Default != nil {
		c.Default = *ch.Default
	}
	if ch.Public != nil {
		c.Public = *ch.Public
	}
	switch {
	case ch.Shared == nil:
	case !*ch.Shared:
		c.Share = ""
	case c.Share == "":
		c.Share = store.NewID(shareLength)
	}
	if ch.Cover != nil && *ch.Cover != "" {
		if m, err := l.Own(ctx, c.User, *ch.Cover); errors.Is(err, store.ErrNotFound) || err == nil && m.Kind != store.Image {
			return fault.New(fault.Invalid, "coverId: you have no such picture.")
		} else if err != nil {
			return err
		}
	}
	if ch.Cover != nil {
		c.Cover = *ch.Cover
	}
	if ch.Feed != nil {
		return ch.Feed.Apply(&c.Feed)
	}
	return nil
}

// Collection finds a collection of the user's, deleted or not.
func (l *Library) Collection(ctx context.Context, user, id string) (store.Collection, error) {
	return l.store.OwnCollection(ctx, user, id)
}

// CollectionFor checks that media of that kind can go into the collection with that id.
// The store decides again, for good, when they do.
func (l *Library) CollectionFor(ctx context.Context, user, id string, k store.Kind) error {
	c, err := l.store.OwnCollection(ctx, user, id)
	switch {
	case errors.Is(err, store.ErrNotFound) || err == nil && !c.Live():
		return store.ErrCollection
	case err == nil && !c.Takes(k):
		return store.ErrKind
	}
	return err
}

// ShownCollection finds a collection that has a page, by its slug or its id.
func (l *Library) ShownCollection(ctx context.Context, name string) (c store.Collection, err error) {
	err = store.ErrNotFound
	if store.ValidID(name, store.IDLen) {
		c, err = l.store.Collection(ctx, name)
	}
	if errors.Is(err, store.ErrNotFound) && slugForm.MatchString(name) {
		c, err = l.store.CollectionBySlug(ctx, name)
	}
	if err == nil && !c.Live() {
		err = store.ErrNotFound
	}
	return c, err
}

// Collections reads a page of the user's collections.
func (l *Library) Collections(ctx context.Context, user string, q store.CollectionQuery) ([]store.Collection, string, error) {
	return l.store.ListCollections(ctx, user, q)
}

// shareLength is how many characters of six bits the key of a collection has.
const shareLength = 32

var slugForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,63}$`)

// Slug makes a slug of a name. One of which hardly anything would be left, such as a
// Chinese one, gives letters by chance.
func Slug(name string) string {
	var b strings.Builder
	lost := 0
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case unicode.IsLetter(r):
			lost++
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() == 48 {
			break
		}
	}
	s := strings.Trim(b.String(), "-")
	if len(s) < 3 || lost > len(s)/2 {
		return randomSlug(8)
	}
	return s
}

// randomSlug is n lower-case letters and digits, without those that look alike.
func randomSlug(n int) string {
	const letters = "abcdefghjkmnpqrstuvwxyz23456789x"
	b := make([]byte, n)
	rand.Read(b) // never fails
	for i := range b {
		b[i] = letters[b[i]&31]
	}
	return string(b)
}

// cleanLine checks a text of one line.
func cleanLine(field, s string, least, most int) (string, error) {
	s = strings.TrimSpace(s)
	if n := utf8.RuneCountInString(s); n < least || n > most || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return "", fault.New(fault.Invalid, "%s has %d to %d visible characters.", field, least, most)
	}
	return s, nil
}

// CollectionCover is the record that stands for the collection: the picture that its owner
// chose, else the newest picture in it, else the newest of anything. store.ErrNotFound when
// it is empty.
func (l *Library) CollectionCover(ctx context.Context, c *store.Collection) (store.Media, error) {
	if c.Cover != "" {
		m, err := l.Own(ctx, c.User, c.Cover)
		if err == nil && m.Kind == store.Image || err != nil && !errors.Is(err, store.ErrNotFound) {
			return m, err
		}
	}
	if c.Total().N == 0 || !c.Live() {
		return store.Media{}, store.ErrNotFound
	}
	q := store.Query{Collection: &c.ID, Limit: 1}
	if c.Count(store.Image).N > 0 {
		q.Kind = store.Image
	}
	p, err := l.List(ctx, c.User, q)
	if err == nil && len(p.Items) == 0 {
		err = store.ErrNotFound
	}
	if err != nil {
		return store.Media{}, err
	}
	return p.Items[0], nil
}
