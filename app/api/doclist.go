package api

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"picora/app/fault"
	"picora/app/library"
	"picora/app/link"
	"picora/store"
)

// listDocs handles GET /v1/docs.
func (a *API) listDocs(c *fiber.Ctx) error {
	q, err := docQuery(c)
	if err != nil {
		return err
	}
	user, name := caller(c).User, docListName(&q)
	after, err := a.unseal(user, name, c.Query("cursor"))
	if err != nil {
		return err
	}
	found, next, err := untilSome(after, func(after string) ([]store.Media, string, error) {
		q.After = after
		p, err := a.library.Docs(c.UserContext(), user, q)
		return p.Items, p.Next, err
	})
	if err != nil {
		return err
	}
	items := make([]doc, len(found))
	for i := range found {
		items[i] = a.docOf(link.Of(c.UserContext()), &found[i])
	}
	out := page{items: items, keys: []string{"items"}, next: a.seal(user, name, next)}
	if q.Text == "" && q.Tag == "" && q.Prefix == "" && q.Public == nil && q.Collection == nil {
		n, err := a.library.Count(c.UserContext(), user, store.Doc)
		if err != nil {
			return err
		}
		live := n.N - n.Trash
		out.total = &live
	}
	return list(c, out)
}

// docQuery reads the filters of a list of documents.
func docQuery(c *fiber.Ctx) (q library.DocQuery, err error) {
	q = library.DocQuery{Sort: c.Query("sort", "updated_at"), Text: c.Query("q"), Tag: c.Query("tag"), Prefix: c.Query("prefix")}
	switch q.Sort {
	case "updated_at", "created_at", "title":
	default:
		return q, fault.New(fault.Invalid, "sort is updated_at, created_at or title.")
	}
	for name, s := range map[string]string{"q": q.Text, "tag": q.Tag, "prefix": q.Prefix} {
		if strings.ContainsRune(s, 0) || utf8.RuneCountInString(s) > 1024 {
			return q, fault.New(fault.Invalid, "%s has at most 1024 visible characters.", name)
		}
	}
	if q.Public, err = flag(c, "isPublic", "is_public"); err != nil {
		return q, err
	}
	switch kb := c.Query("kbId"); {
	case kb == "null":
		q.Collection = new(string)
	case kb != "":
		if !store.ValidID(kb, store.IDLen) {
			return q, fault.New(fault.Invalid, "kbId is the id of a collection, or the word null.")
		}
		q.Collection = &kb
	}
	q.Limit, err = pageSize(c)
	return q, err
}

// docListName tells lists of documents apart, for their cursors.
func docListName(q *library.DocQuery) string {
	public, kb := "any", "any"
	if q.Public != nil {
		public = fmt.Sprint(*q.Public)
	}
	if q.Collection != nil {
		kb = "=" + *q.Collection
	}
	return fmt.Sprintf("%q", []string{"docs", q.Sort, q.Text, q.Tag, q.Prefix, public, kb})
}

// updateDoc handles PATCH /v1/docs/:id.
func (a *API) updateDoc(c *fiber.Ctx) error {
	id, err := id(c, store.IDLen)
	if err != nil {
		return err
	}
	var in fields
	if err := readJSON(c, &in, true); err != nil {
		return err
	}
	change, err := in.docChange()
	if err != nil {
		return err
	}
	m, err := a.library.EditDoc(c.UserContext(), caller(c).User, id, change)
	if err != nil {
		return err
	}
	return ok(c, a.docOf(link.Of(c.UserContext()), &m))
}

// docChange is what a PATCH says of a document. A null is an empty value: no title of its
// own, no tags, no collection.
func (f fields) docChange() (ch library.DocChange, err error) {
	if ch.Title, err = emptied[string](f, "title"); err != nil {
		return ch, err
	}
	if ch.Tags, err = emptied[[]string](f, "tags"); err != nil {
		return ch, err
	}
	if ch.Collection, err = emptied[string](f, "kbId"); err != nil {
		return ch, err
	}
	if ch.Path, err = take[string](f, "relativePath"); err != nil {
		return ch, err
	}
	ch.Public, err = take[bool](f, "isPublic", "is_public")
	return ch, err
}

// emptied is take, but a null that was sent is an empty value.
func emptied[T any](f fields, name string) (*T, error) {
	v, err := take[T](f, name)
	if _, given := f[name]; err == nil && v == nil && given {
		v = new(T)
	}
	return v, err
}

// hard reads whether something is to be deleted for good.
func hard(c *fiber.Ctx) (bool, error) {
	v, err := flag(c, "hard")
	return v != nil && *v, err
}

// deleteDoc handles DELETE /v1/docs/:id.
func (a *API) deleteDoc(c *fiber.Ctx) error {
	id, err := id(c, store.IDLen)
	if err != nil {
		return err
	}
	hard, err := hard(c)
	if err != nil {
		return err
	}
	gone, err := a.library.RemoveDocs(c.UserContext(), caller(c).User, hard, id)
	if err != nil {
		return err
	}
	if len(gone) == 0 {
		return store.ErrNotFound
	}
	return ok(c, nil)
}

// deleteDocs handles DELETE /v1/docs.
func (a *API) deleteDocs(c *fiber.Ctx) error {
	ids, err := docIDs(c)
	if err != nil {
		return err
	}
	hard, err := hard(c)
	if err != nil {
		return err
	}
	gone, err := a.library.RemoveDocs(c.UserContext(), caller(c).User, hard, ids...)
	if err != nil {
		return err
	}
	return ok(c, map[string]int{"deleted": len(gone), "failed": len(ids) - len(gone)})
}

// docIDs reads a body of 1 to 50 ids.
func docIDs(c *fiber.Ctx) ([]string, error) {
	var in struct {
		IDs []string `json:"ids"`
	}
	if err := readJSON(c, &in, false); err != nil {
		return nil, err
	}
	return in.IDs, checkCount("ids", len(in.IDs), 50)
}
