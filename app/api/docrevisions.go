package api

import (
	"encoding/hex"

	"github.com/gofiber/fiber/v2"

	"picora/app/fault"
	"picora/store"
)

// revision is a revision on the wire (contract 13). Clients read every number as a whole
// one.
type revision struct {
	ID         string `json:"id"`
	Number     int    `json:"revNumber"`
	SizeBytes  int64  `json:"sizeBytes"`
	Origin     string `json:"origin"`
	SourceHash string `json:"sourceHash"`
	CreatedAt  string `json:"createdAt"`
}

func revisionOf(r *store.Revision) revision {
	return revision{r.ID, r.Number, r.Size, r.Origin, hex.EncodeToString(r.Hash), stamp(r.Created)}
}

// listRevisions handles GET /v1/docs/:id/revisions.
func (a *API) listRevisions(c *fiber.Ctx) error {
	if !store.ValidID(c.Params("id"), store.IDLen) { // 404 elsewhere; the contract says so here
		return fault.New(fault.Invalid, "The id of a document has %d letters, digits, hyphens and underscores.", store.IDLen)
	}
	m, err := a.ownDoc(c)
	if err != nil {
		return err
	}
	list, err := a.library.Revisions(c.UserContext(), &m)
	if err != nil {
		return err
	}
	out, total := make([]revision, len(list)), int64(0)
	for i := range list {
		out[i] = revisionOf(&list[i])
		total += list[i].Size
	}
	return ok(c, map[string]any{"revisions": out, "totalBytes": total})
}

// getRevision handles GET /v1/docs/:id/revisions/:revision.
func (a *API) getRevision(c *fiber.Ctx) error {
	_, r, err := a.revision(c)
	if err != nil {
		return err
	}
	text, err := a.library.RevisionText(c.UserContext(), &r)
	if err != nil {
		return err
	}
	return ok(c, struct {
		revision
		Content string `json:"content"`
	}{revisionOf(&r), string(text)})
}

// restoreRevision handles POST /v1/docs/:id/revisions/:revision/restore.
func (a *API) restoreRevision(c *fiber.Ctx) error {
	m, r, err := a.revision(c)
	if err != nil {
		return err
	}
	out, report, err := a.library.RestoreRevision(c.UserContext(), &m, &r)
	if err != nil {
		return err
	}
	return a.sendTaken(c, fiber.StatusOK, &out, &report)
}

// revision finds the document and the revision that the path names.
func (a *API) revision(c *fiber.Ctx) (m store.Media, r store.Revision, err error) {
	if m, err = a.ownDoc(c); err != nil {
		return m, r, err
	}
	id := c.Params("revision")
	if !store.ValidID(id, store.IDLen) {
		return m, r, fault.New(fault.NoRevision, "The document has no such revision.")
	}
	r, err = a.library.Revision(c.UserContext(), &m, id)
	return m, r, err
}

// deleteDocRevisions handles DELETE /v1/user/me/doc-revisions: a portion of them, for
// clients that call again while there are more.
func (a *API) deleteDocRevisions(c *fiber.Ctx) error {
	n, freed, more, err := a.library.DropRevisions(c.UserContext(), caller(c).User)
	if err != nil {
		return err
	}
	return ok(c, map[string]any{"deleted": n, "freedBytes": freed, "hasMore": more})
}
