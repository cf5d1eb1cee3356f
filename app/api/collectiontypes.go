package api

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"picora/app/library"
	"picora/store"
)

// collectionType is one on the wire.
type collectionType struct {
	ID                   string   `json:"id"`
	OwnerID              *string  `json:"ownerId"`
	Name                 string   `json:"name"`
	Slug                 string   `json:"slug"`
	AllowedResourceTypes []string `json:"allowedResourceTypes"`
	Icon                 *string  `json:"icon"`
	Description          *string  `json:"description"`
	SortOrder            int      `json:"sortOrder"`
	IsBuiltin            bool     `json:"isBuiltin"`
	CreatedAt            string   `json:"createdAt"`
}

// builtinSince is when the types came that are built in: clients want a time.
var builtinSince = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func wireCollectionType(t *store.CollectionType, order int) collectionType {
	return collectionType{
		ID: t.ID, OwnerID: orNull(t.User), Name: t.Name, Slug: t.Slug, AllowedResourceTypes: resourceTypes(t.Allowed),
		Icon: orNull(t.Icon), Description: orNull(t.Description), SortOrder: order, CreatedAt: stamp(t.Created),
	}
}

// listCollectionTypes handles GET /v1/collection-types.
func (a *API) listCollectionTypes(c *fiber.Ctx) error {
	own, err := a.library.CollectionTypes(c.UserContext(), caller(c).User)
	if err != nil {
		return err
	}
	items := []collectionType{}
	for i, b := range library.BuiltinTypes {
		items = append(items, collectionType{
			ID: "sct_" + b.Slug, Name: b.Name, Slug: b.Slug, AllowedResourceTypes: resourceTypes(b.Allowed),
			SortOrder: i + 1, IsBuiltin: true, CreatedAt: stamp(builtinSince),
		})
	}
	for i := range own {
		items = append(items, wireCollectionType(&own[i], len(library.BuiltinTypes)+i+1))
	}
	total := int64(len(items))
	return list(c, page{items: items, keys: []string{"items"}, total: &total})
}

// createCollectionType handles POST /v1/collection-types.
func (a *API) createCollectionType(c *fiber.Ctx) (err error) {
	var in fields
	if err := readJSON(c, &in, false); err != nil {
		return err
	}
	var t store.CollectionType
	for name, to := range map[string]*string{"name": &t.Name, "slug": &t.Slug, "icon": &t.Icon, "description": &t.Description} {
		s, err := take[string](in, name)
		if err != nil {
			return err
		}
		if s != nil {
			*to = *s
		}
	}
	if t.Allowed, err = in.kinds("allowedResourceTypes"); err != nil {
		return err
	}
	made, err := a.library.AddCollectionType(c.UserContext(), caller(c).Account, t)
	if err != nil {
		return err
	}
	own, err := a.library.CollectionTypes(c.UserContext(), caller(c).User)
	if err != nil {
		return err
	}
	order := len(library.BuiltinTypes)
	for i := range own {
		if own[i].ID == made.ID {
			order += i + 1
		}
	}
	return created(c, wireCollectionType(&made, order))
}

// deleteCollectionType handles DELETE /v1/collection-types/:id.
func (a *API) deleteCollectionType(c *fiber.Ctx) error {
	id, err := id(c, store.IDLen)
	if err != nil {
		return err
	}
	if err := a.library.RemoveCollectionType(c.UserContext(), caller(c).User, id); err != nil {
		return err
	}
	return ok(c, map[string]string{"id": id})
}
