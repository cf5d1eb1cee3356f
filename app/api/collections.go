package api

import (
	"errors"
	"fmt"

	"github.com/gofiber/fiber/v2"

	"picora/app/auth"
	"picora/app/fault"
	"picora/app/library"
	"picora/app/link"
	"picora/store"
)

// collection is one on the wire.
type collection struct {
	ID                   string           `json:"id"`
	Name                 string           `json:"name"`
	Slug                 string           `json:"slug"`
	CollectionType       string           `json:"collectionType"`
	AllowedResourceTypes []string         `json:"allowedResourceTypes"`
	CustomTypeID         *string          `json:"customTypeId"`
	KBType               string           `json:"kbType"`
	Description          *string          `json:"description"`
	DocCount             int64            `json:"docCount"`
	SizeBytes            int64            `json:"sizeBytes"`
	Counts               map[string]int64 `json:"counts"`
	IsDefault            bool             `json:"isDefault"`
	IsPublic             bool             `json:"isPublic"`
	CoverID              *string          `json:"coverId"`
	ThumbnailURL         *string          `json:"thumbnailUrl"`
	URL                  *string          `json:"url"`
	ShareURL             *string          `json:"shareUrl"`
	Feed                 feed             `json:"feed"`
	FeedURL              *string          `json:"feedUrl"`
	PrivateFeedURL       *string          `json:"privateFeedUrl"`
	CreatedAt            string           `json:"createdAt"`
	UpdatedAt            string           `json:"updatedAt"`
	DeletedAt            *string          `json:"deletedAt"`
}

// sendCollection answers with a record.
func (a *API) sendCollection(c *fiber.Ctx, send func(*fiber.Ctx, any) error, k *store.Collection) error {
	w, err := a.wireCollection(c, k)
	if err != nil {
		return err
	}
	return send(c, w)
}

// wireCollection writes a record.
func (a *API) wireCollection(c *fiber.Ctx, k *store.Collection) (collection, error) {
	out := collection{
		ID: k.ID, Name: k.Name, Slug: k.Slug, CollectionType: k.Type, AllowedResourceTypes: resourceTypes(k.Allowed),
		CustomTypeID: orNull(k.CustomType), KBType: k.KBType, Description: orNull(k.Description),
		DocCount: k.Count(store.Doc).N, SizeBytes: k.Total().Bytes, Counts: kindCounts(k),
		IsDefault: k.Default, IsPublic: k.Public, CoverID: orNull(k.Cover), CreatedAt: stamp(k.Created), UpdatedAt: stamp(k.Updated),
	}
	if k.Public && k.Live() {
		out.URL = orNull(link.Of(c.UserContext()).Page("/c/" + k.Slug))
	}
	wireFeed(c, k, &out)
	if k.Share != "" && k.Live() && caller(c).Need(auth.MediaRead) == nil { // it opens what is in it
		out.ShareURL = orNull(link.Of(c.UserContext()).Page("/c/" + k.Slug + "?key=" + k.Share))
	}
	if !k.Live() {
		out.DeletedAt = orNull(stamp(k.Deleted))
	}
	var err error
	if caller(c).Need(auth.MediaRead) == nil { // that of a private file has a signature
		out.ThumbnailURL, err = a.collectionThumbnail(c, k)
	}
	return out, err
}

// collectionThumbnail is the address of a small picture of the collection: the one that
// was chosen, the newest in it, or what stands for something else in it. Nil: there is none.
func (a *API) collectionThumbnail(c *fiber.Ctx, k *store.Collection) (*string, error) {
	m, err := a.library.CollectionCover(c.UserContext(), k)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	e, err := a.entry(c, &m)
	return e.ThumbnailURL, err
}

// kindCounts is how much of each kind is in the collection.
func kindCounts(k *store.Collection) map[string]int64 {
	n := map[string]int64{"total": k.Total().N}
	for _, kind := range library.Kinds {
		n[kindNames[kind]] = k.Count(kind).N
	}
	return n
}

// resourceTypes are the contract's words for the kinds, in its order.
func resourceTypes(kinds []store.Kind) []string {
	names := []string{}
	for _, k := range library.Kinds {
		for _, has := range kinds {
			if has == k {
				names = append(names, kindNames[k])
				break
			}
		}
	}
	return names
}

// kinds reads a list of such words; nil when there is none.
func (f fields) kinds(name string) (kinds []store.Kind, err error) {
	names, err := take[[]string](f, name)
	if err != nil || names == nil {
		return nil, err
	}
	for _, k := range library.Kinds {
		for _, n := range *names {
			if n == kindNames[k] {
				kinds = append(kinds, k)
				break
			}
		}
	}
	for _, n := range *names {
		if n != "doc" && n != "image" && n != "video" && n != "audio" {
			return nil, fault.New(fault.Invalid, "%s is a list of doc, image, video and audio.", name)
		}
	}
	if len(kinds) == 0 {
		return nil, fault.New(fault.Invalid, "%s needs at least one of doc, image, video and audio.", name)
	}
	return kinds, nil
}

// collectionChange reads what the body says of a collection.
func (f fields) collectionChange() (ch library.CollectionChange, err error) {
	for name, to := range map[string]**string{
		"name": &ch.Name, "slug": &ch.Slug, "collectionType": &ch.Type, "kbType": &ch.KBType,
	} {
		if *to, err = take[string](f, name); err != nil {
			return ch, err
		}
	}
	for name, to := range map[string]**string{"description": &ch.Description, "coverId": &ch.Cover, "customTypeId": &ch.CustomType} { // null clears these
		if *to, err = emptied[string](f, name); err != nil {
			return ch, err
		}
	}
	if ch.Shared, err = take[bool](f, "isShared", "is_shared"); err != nil {
		return ch, err
	}
	if ch.Allowed, err = f.kinds("allowedResourceTypes"); err != nil {
		return ch, err
	}
	if ch.Feed, err = f.feedChange(); err != nil {
		return ch, err
	}
	if ch.Default, err = take[bool](f, "isDefault", "is_default"); err != nil {
		return ch, err
	}
	ch.Public, err = take[bool](f, "isPublic", "is_public")
	return ch, err
}

// createCollection handles POST /v1/collections.
func (a *API) createCollection(c *fiber.Ctx) error {
	var in fields
	if err := readJSON(c, &in, false); err != nil {
		return err
	}
	change, err := in.collectionChange()
	if err != nil {
		return err
	}
	k, err := a.library.AddCollection(c.UserContext(), caller(c).Account, change)
	if err != nil {
		return err
	}
	return a.sendCollection(c, created, &k)
}

// listCollections handles GET /v1/collections.
func (a *API) listCollections(c *fiber.Ctx) (err error) {
	q := store.CollectionQuery{Type: c.Query("type"), KBType: c.Query("kbType")}
	switch sort := c.Query("sort"); sort {
	case "", "updated_at":
	case "name":
		q.ByName = true
	default:
		return fault.New(fault.Invalid, "sort is updated_at or name.")
	}
	deleted, err := flag(c, "includeDeleted", "include_deleted")
	if err != nil {
		return err
	}
	q.Deleted = deleted != nil && *deleted
	if q.Limit, err = pageSize(c); err != nil {
		return err
	}
	user, name := caller(c).User, fmt.Sprintf("collections %q %q %t %t", q.Type, q.KBType, q.Deleted, q.ByName)
	if q.After, err = a.unseal(user, name, c.Query("cursor")); err != nil {
		return err
	}
	ks, next, err := a.library.Collections(c.UserContext(), user, q)
	if err != nil {
		return err
	}
	items := make([]collection, len(ks))
	for i := range ks {
		if items[i], err = a.wireCollection(c, &ks[i]); err != nil {
			return err
		}
	}
	return list(c, page{items: items, keys: []string{"items"}, next: a.seal(user, name, next)})
}

// getCollection handles GET /v1/collections/:id.
func (a *API) getCollection(c *fiber.Ctx) error {
	k, err := a.ownCollection(c)
	if err != nil {
		return err
	}
	return a.sendCollection(c, ok, &k)
}

// ownCollection is the caller's collection that the path names, deleted or not.
func (a *API) ownCollection(c *fiber.Ctx) (store.Collection, error) {
	id, err := id(c, store.IDLen)
	if err != nil {
		return store.Collection{}, err
	}
	return a.library.Collection(c.UserContext(), caller(c).User, id)
}

// updateCollection handles PATCH /v1/collections/:id.
func (a *API) updateCollection(c *fiber.Ctx) error {
	id, err := id(c, store.IDLen)
	if err != nil {
		return err
	}
	var in fields
	if err := readJSON(c, &in, true); err != nil {
		return err
	}
	change, err := in.collectionChange()
	if err != nil {
		return err
	}
	k, err := a.library.EditCollection(c.UserContext(), caller(c).User, id, change)
	if err != nil {
		return err
	}
	return a.sendCollection(c, ok, &k)
}

// deleteCollection handles DELETE /v1/collections/:id.
func (a *API) deleteCollection(c *fiber.Ctx) error {
	id, err := id(c, store.IDLen)
	if err != nil {
		return err
	}
	cascade, err := flag(c, "cascade")
	if err != nil {
		return err
	}
	if err := a.library.RemoveCollection(c.UserContext(), caller(c).User, id, cascade != nil && *cascade); err != nil {
		return err
	}
	return ok(c, map[string]string{"id": id})
}

// restoreCollection handles POST /v1/collections/:id/restore.
func (a *API) restoreCollection(c *fiber.Ctx) error {
	id, err := id(c, store.IDLen)
	if err != nil {
		return err
	}
	k, err := a.library.RestoreCollection(c.UserContext(), caller(c).Account, id)
	if err != nil {
		return err
	}
	return a.sendCollection(c, ok, &k)
}
