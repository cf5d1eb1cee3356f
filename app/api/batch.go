package api

import (
	"github.com/gofiber/fiber/v2"

	"picora/app/auth"
	"picora/app/library"
)

// mostInBatch is how many records one request changes.
const mostInBatch = 500

// notDone is a record that a request could not do what it was to do with, and why.
type notDone struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

// updateMany handles PATCH /v1/media.
func (a *API) updateMany(c *fiber.Ctx) error {
	b, err := readBatch(c)
	if err != nil {
		return err
	}
	who := caller(c)
	b.NoDocs = who.Need(auth.KBWrite) != nil
	changed, missed, err := a.library.EditMany(c.UserContext(), who.User, b)
	if err != nil {
		return err
	}
	failed := []notDone{}
	for _, m := range missed {
		failed = append(failed, notDone{m.ID, m.Reason})
	}
	return ok(c, map[string]any{"updated": changed, "failed": failed})
}

func readBatch(c *fiber.Ctx) (b library.Batch, err error) {
	var in fields
	if err := readJSON(c, &in, false); err != nil {
		return b, err
	}
	for name, to := range map[string]*[]string{"ids": &b.IDs, "addTags": &b.Add, "removeTags": &b.Remove} {
		list, err := take[[]string](in, name)
		if err != nil {
			return b, err
		}
		if list != nil {
			*to = *list
		}
	}
	if b.Public, err = take[bool](in, "isPublic", "is_public"); err != nil {
		return b, err
	}
	if b.Collection, err = emptied[string](in, "kbId"); err != nil {
		return b, err
	}
	return b, checkCount("ids", len(b.IDs), mostInBatch)
}

// restoreMany handles POST /v1/trash/restore.
func (a *API) restoreMany(c *fiber.Ctx) error {
	var in struct {
		IDs []string `json:"ids"`
	}
	if err := readJSON(c, &in, false); err != nil {
		return err
	}
	if err := checkCount("ids", len(in.IDs), mostInBatch); err != nil {
		return err
	}
	restored, err := a.library.RestoreMany(c.UserContext(), caller(c).User, in.IDs)
	if err != nil {
		return err
	}
	back, failed := map[string]bool{}, []notDone{}
	for _, id := range restored {
		back[id] = true
	}
	for _, id := range in.IDs {
		if !back[id] {
			back[id] = true // say it once
			failed = append(failed, notDone{id, "NOT_FOUND"})
		}
	}
	return ok(c, map[string]any{"restored": restored, "failed": failed})
}
