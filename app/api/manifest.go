package api

import (
	"strconv"

	"github.com/gofiber/fiber/v2"

	"picora/app/fault"
	"picora/store"
)

// manifestItem is what a collection's manifest says of something in it.
type manifestItem struct {
	ResourceType string  `json:"resourceType"`
	ID           string  `json:"id"`
	Name         string  `json:"name"`
	SourceHash   *string `json:"sourceHash"`
	SizeBytes    int64   `json:"sizeBytes"`
	UpdatedAt    string  `json:"updatedAt"`
}

// The pages of a manifest are larger than those of other lists (contract 18.3).
const mostManifest = 1000

// getManifest handles GET /v1/collections/:id/manifest: all that is in a collection, for
// programs that keep a copy of it.
func (a *API) getManifest(c *fiber.Ctx) error {
	k, err := a.ownCollection(c)
	if err != nil {
		return err
	}
	if !k.Live() {
		return store.ErrNotFound
	}
	if c.Query("version") != "3" {
		return fault.New(fault.Invalid, "version is 3: this server knows no other manifest.")
	}
	limit := mostManifest
	if s := c.Query("limit"); s != "" {
		if limit, err = strconv.Atoi(s); err != nil || limit < 1 {
			return fault.New(fault.Invalid, "limit is a whole number from 1 to %d.", mostManifest)
		}
		limit = min(limit, mostManifest)
	}
	list := "manifest " + k.ID
	after, err := a.unseal(k.User, list, c.Query("cursor"))
	if err != nil {
		return err
	}
	p, err := a.library.List(c.UserContext(), k.User, store.Query{Collection: &k.ID, After: after, Limit: limit})
	if err != nil {
		return err
	}
	items := make([]manifestItem, len(p.Items))
	for i := range p.Items {
		m := &p.Items[i]
		items[i] = manifestItem{kindNames[m.Kind], m.ID, m.Filename, hexOrNull(m.Hash), m.Size, stamp(m.Updated)}
	}
	next := a.seal(k.User, list, p.Next)
	return ok(c, map[string]any{
		"protocolVersion": 3, "collectionId": k.ID, "items": items, "counts": kindCounts(&k),
		"nextCursor": next, "hasMore": next != nil, "serverTime": stamp(a.store.Now()),
	})
}
