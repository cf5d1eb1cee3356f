package library

import (
	"context"
	"slices"
	"unicode/utf8"

	"picora/app/fault"
	"picora/store"
)

// Limits of a video's tags, as maxTags and maxTag (contract 11).
const (
	maxVideoTags = 10
	maxVideoTag  = 32
)

// batchStep is how many records change in one transaction, which others wait for.
const batchStep = 50

// Batch is what is to be different about several records; nil and empty leave a thing alone.
type Batch struct {
	IDs        []string
	Public     *bool
	Add        []string // tags
	Remove     []string
	Collection *string // id; empty: none
	NoDocs     bool    // documents are not the caller's to change
}

// EditMany applies the change to those of the user's records that can be so, and says
// which could not and why. When it fails half-way, those before it are changed.
func (l *Library) EditMany(ctx context.Context, user string, b Batch) (changed []string, missed []store.Missed, err error) {
	if b.Public == nil && b.Collection == nil && len(b.Add)+len(b.Remove) == 0 {
		return nil, nil, fault.New(fault.Invalid, "Say what is to be different: isPublic, addTags, removeTags or kbId.")
	}
	if b.Add, err = cleanTags(b.Add); err != nil {
		return nil, nil, err
	}
	if b.Collection != nil && *b.Collection != "" {
		c, err := l.store.OwnCollection(ctx, user, *b.Collection)
		if err != nil || !c.Live() {
			return nil, nil, store.ErrCollection
		}
	}
	changed = []string{}
	for ids := range slices.Chunk(unique(b.IDs), batchStep) {
		media, not, err := l.store.UpdateMany(ctx, user, ids, b.apply)
		if err != nil {
			return changed, missed, err
		}
		for i := range media {
			l.onEdit(media[i].ID)
			changed = append(changed, media[i].ID)
		}
		missed = append(missed, not...)
	}
	return changed, missed, nil
}

// apply writes the change into m, or says why m cannot be so.
func (b *Batch) apply(m *store.Media) (refused string) {
	if m.Kind == store.Doc && b.NoDocs {
		return "SCOPE_MISSING"
	}
	if b.Public != nil {
		m.Public = *b.Public
	}
	tags := slices.DeleteFunc(slices.Clone(m.Tags), func(t string) bool { return slices.Contains(b.Remove, t) })
	for _, t := range b.Add {
		if !slices.Contains(tags, t) {
			tags = append(tags, t)
		}
	}
	if !slices.Equal(tags, m.Tags) {
		if m.Tags = tags; len(b.Add) > 0 && !tagsFit(m) {
			return "TAGS_DO_NOT_FIT"
		}
	}
	if b.Collection == nil || *b.Collection == m.Collection {
		return ""
	}
	if m.Kind == store.Doc {
		if err := (&DocChange{Collection: b.Collection}).apply(m); err != nil {
			return "RelativePathTaken"
		}
		return ""
	}
	m.Collection = *b.Collection
	return ""
}

// tagsFit reports whether a record of its kind may have so many tags that are so long.
func tagsFit(m *store.Media) bool {
	many, long := maxTags, maxTag
	switch m.Kind {
	case store.Video:
		many, long = maxVideoTags, maxVideoTag
	case store.Doc:
		many, long = maxDocTags, maxDocTag
	}
	return len(m.Tags) <= many && !slices.ContainsFunc(m.Tags, func(t string) bool { return utf8.RuneCountInString(t) > long })
}

// unique leaves out what is there twice.
func unique(ids []string) []string {
	seen := make(map[string]bool, len(ids))
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		was := seen[id]
		seen[id] = true
		return was
	})
}
