package library

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"unicode/utf8"

	"picora/app/fault"
	"picora/store"
)

// BuiltinType is a type of collections that every account has.
type BuiltinType struct {
	Slug, Name string
	Allowed    []store.Kind
}

// BuiltinTypes are the types that there are without anybody making them. What a type
// takes may grow in each collection.
var BuiltinTypes = []BuiltinType{
	{"knowledge_base", "Knowledge base", Kinds},
	{"aigc", "AIGC", Kinds},
	{"comic", "Comic", []store.Kind{store.Doc, store.Image}},
	{"audio_drama", "Audio drama", []store.Kind{store.Doc, store.Image, store.Audio}},
	{"photo_album", "Photo album", []store.Kind{store.Image, store.Video}},
	{"album", "Album", []store.Kind{store.Image, store.Video, store.Audio}},
	{"comic_drama", "Comic drama", Kinds},
	{"movie", "Movie", Kinds},
	{"tv_series", "TV series", Kinds},
}

// Kinds are all kinds of media, in the order in which clients are told of them.
var Kinds = []store.Kind{store.Doc, store.Image, store.Video, store.Audio}

// customType is the type of collections whose type their user made.
const customType = "custom"

func typeNames() string {
	names := make([]string, len(BuiltinTypes))
	for i, t := range BuiltinTypes {
		names[i] = t.Slug
	}
	return strings.Join(names, ", ") + " or " + customType
}

// CollectionTypes lists the types that the user made, the oldest first.
func (l *Library) CollectionTypes(ctx context.Context, user string) ([]store.CollectionType, error) {
	return l.store.CollectionTypes(ctx, user)
}

// Limits of what a type says, in characters.
const (
	maxTypeName        = 60
	maxTypeIcon        = 64
	maxTypeDescription = 500
	// MostCollectionTypes is how many a user may have, whatever the plan says.
	MostCollectionTypes = 100
)

var typeSlug = regexp.MustCompile(`^[a-z0-9][a-z0-9_]{0,30}$`)

// AddCollectionType makes a type of the user's.
func (l *Library) AddCollectionType(ctx context.Context, user store.User, t store.CollectionType) (_ store.CollectionType, err error) {
	t.User = user.ID
	if t.Name, err = cleanLine("name", t.Name, 1, maxTypeName); err != nil {
		return t, err
	}
	if !typeSlug.MatchString(t.Slug) {
		return t, fault.New(fault.Invalid, "slug has 1 to 31 lower-case letters, digits and underscores, and begins with a letter or a digit.")
	}
	if len(t.Allowed) == 0 {
		return t, fault.New(fault.Invalid, "allowedResourceTypes needs at least one of doc, image, video and audio.")
	}
	if t.Icon, err = cleanLine("icon", t.Icon, 0, maxTypeIcon); err != nil {
		return t, err
	}
	if t.Description = strings.TrimSpace(t.Description); utf8.RuneCountInString(t.Description) > maxTypeDescription {
		return t, fault.New(fault.Invalid, "description has at most %d characters.", maxTypeDescription)
	}
	for _, b := range BuiltinTypes {
		if b.Slug == t.Slug || t.Slug == customType {
			return t, fault.New(fault.Conflict, "There is a type %s already: choose another slug.", t.Slug)
		}
	}
	out, err := l.store.CreateCollectionType(ctx, t, func(have int) error {
		if have >= MostCollectionTypes {
			return fault.New(fault.CustomTypeLimit, "Quota of collection types reached: an account has at most %d.", MostCollectionTypes)
		}
		return l.mayMakeType(user, have)
	})
	if errors.Is(err, store.ErrExists) {
		err = fault.New(fault.Conflict, "You have a type %s already: choose another slug.", t.Slug)
	}
	return out, err
}

func (l *Library) mayMakeType(user store.User, have int) error {
	if l.usage == nil {
		return nil
	}
	return l.usage.MayMakeType(user, have)
}

// RemoveCollectionType ends a type of the user's that no collection has.
func (l *Library) RemoveCollectionType(ctx context.Context, user, id string) error {
	err := l.store.DeleteCollectionType(ctx, user, id)
	if errors.Is(err, store.ErrInUse) {
		return fault.New(fault.Conflict, "There are collections of this type, perhaps among those deleted lately. Delete them first.")
	}
	return err
}
