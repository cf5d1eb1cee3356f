package library

import (
	"cmp"
	"context"
	"errors"
	"path"
	"strings"

	"picora/app/fault"
	"picora/store"
)

// DocQuery chooses documents of a user. Zero fields do not restrict.
type DocQuery struct {
	Sort       string // updated_at, created_at or title
	Text       string // in the title, the file's name or the path
	Tag        string
	Public     *bool
	Collection *string // its id; "": those that are in none
	Prefix     string  // of the path
	After      string
	Limit      int
}

// Docs reads one page of the user's documents. It may have fewer entries than the limit,
// or none, and yet a next page: it looks at a bounded number of records.
func (l *Library) Docs(ctx context.Context, user string, q DocQuery) (store.Page, error) {
	text := strings.ToLower(q.Text)
	in := store.Query{
		Kind: store.Doc, Tag: q.Tag, Public: q.Public, Collection: q.Collection, After: q.After, Limit: q.Limit,
		Match: func(m *store.Media) bool {
			where := DocPath(m)
			return strings.HasPrefix(where, q.Prefix) && strings.Contains(strings.ToLower(m.Title+"\n"+m.Filename+"\n"+where), text)
		},
	}
	if text != "" || q.Prefix != "" {
		l.scans <- struct{}{}
		defer func() { <-l.scans }()
	}
	switch q.Sort {
	case "updated_at":
		return l.store.ListUpdated(ctx, user, in)
	case "title":
		in.Sort, in.Ascending = store.ByName, true
	}
	return l.store.ListMedia(ctx, user, in)
}

// DocPath is the path of a document in its collection; empty when it is in none.
func DocPath(m *store.Media) string {
	if m.Collection == "" {
		return ""
	}
	return m.Text.Path
}

// DocChange is what is to be different about a document; nil leaves a thing alone.
type DocChange struct {
	Title      *string // empty: the name of the file
	Tags       *[]string
	Public     *bool
	Collection *string // empty: none
	Path       *string
}

// EditDoc applies the change to the user's document.
func (l *Library) EditDoc(ctx context.Context, user, id string, c DocChange) (m store.Media, err error) {
	if c == (DocChange{}) {
		return m, fault.New(fault.Invalid, "Say what is to be different: title, tags, isPublic, kbId or relativePath.")
	}
	if err := l.checkChange(ctx, user, &c); err != nil {
		return m, err
	}
	m, err = l.store.UpdateMedia(ctx, user, id, func(m *store.Media) error {
		if m.Kind != store.Doc {
			return store.ErrNotFound
		}
		return c.apply(m)
	})
	if err == nil {
		l.onEdit(id)
	}
	return m, err
}

// checkChange refuses what no document may be, and tidies the rest.
func (l *Library) checkChange(ctx context.Context, user string, c *DocChange) error {
	if c.Title != nil {
		t, err := docTitle(*c.Title)
		if err != nil {
			return err
		}
		c.Title = &t
	}
	if c.Tags != nil {
		tags, err := docTags(*c.Tags)
		if err != nil {
			return err
		}
		c.Tags = &tags
	}
	if c.Path != nil {
		where, err := docPath(*c.Path)
		if err != nil {
			return err
		}
		if where == "" {
			return fault.New(fault.Invalid, "relativePath is empty: leave it out, or take the document out of its collection with kbId null.")
		}
		c.Path = &where
	}
	if c.Collection != nil && *c.Collection != "" {
		return l.CollectionFor(ctx, user, *c.Collection, store.Doc)
	}
	return nil
}

func (c *DocChange) apply(m *store.Media) error {
	if c.Title != nil {
		m.Title = cmp.Or(*c.Title, strings.TrimSuffix(m.Filename, path.Ext(m.Filename)), m.Filename)
	}
	if c.Tags != nil {
		m.Tags = *c.Tags
	}
	if c.Public != nil {
		m.Public = *c.Public
	}
	was := DocPath(m)
	if c.Collection != nil {
		m.Collection = *c.Collection
	}
	switch {
	case c.Path != nil && m.Collection == "":
		return fault.New(fault.Invalid, "relativePath is a place in a collection: send kbId, too.")
	case c.Path != nil:
		m.Text.Path = *c.Path
	case m.Collection == "":
		m.Text.Path = ""
	case was == "":
		m.Text.Path = m.Filename
	}
	return nil
}

// RemoveDocs deletes those of the user's documents whose ids are given, and says which:
// for good, or into the trash.
func (l *Library) RemoveDocs(ctx context.Context, user string, hard bool, ids ...string) (deleted []string, err error) {
	var own []string
	for _, id := range ids {
		m, err := l.Own(ctx, user, id)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		if err == nil && m.Kind == store.Doc {
			own = append(own, id)
		}
	}
	return l.Discard(ctx, user, !hard, own...)
}
