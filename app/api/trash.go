package api

import (
	"encoding/base64"

	"github.com/gofiber/fiber/v2"

	"picora/app/library"
	"picora/store"
)

// trashed is an entry of the trash. Its links are dead, so it has none.
type trashed struct {
	mediaItem
	HasThumbnail  bool    `json:"hasThumbnail"`
	ThumbHash     *string `json:"thumbhash"`
	DominantColor *string `json:"dominantColor"`
	DeletedAt     string  `json:"deletedAt"`
	PurgeAt       string  `json:"purgeAt"`
}

func (a *API) trashed(c *fiber.Ctx, m *store.Media) (trashed, error) {
	e, err := a.entry(c, m)
	e.URL, e.PlaybackURL, e.ThumbnailURL, e.Status, e.Progress = nil, nil, nil, "trashed", nil
	return trashed{
		mediaItem: e, HasThumbnail: library.HasThumbnail(m),
		ThumbHash: orNull(base64.StdEncoding.EncodeToString(m.Look.ThumbHash)), DominantColor: orNull(m.Look.Colour),
		DeletedAt: stamp(m.Deleted), PurgeAt: stamp(m.Deleted.Add(library.TrashKept)),
	}, err
}

// getTrashThumbnail handles GET /v1/trash/:id/thumbnail: for the owner alone, who looks for
// something to bring back. Nobody keeps it, for links to what is in the trash are dead.
func (a *API) getTrashThumbnail(c *fiber.Ctx) error {
	id, err := mediaID(c)
	if err != nil {
		return err
	}
	m, err := a.library.FromTrash(c.UserContext(), caller(c).User, id)
	if err != nil {
		return err
	}
	t, err := a.library.Thumbnail(c.UserContext(), &m, a.thumb)
	if err != nil {
		return err
	}
	h := &c.Response().Header
	h.Set(fiber.HeaderCacheControl, "private, no-store")
	h.Set(fiber.HeaderContentType, t.MIME)
	h.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	h.Set(fiber.HeaderContentSecurityPolicy, "sandbox; default-src 'none'; style-src 'unsafe-inline'") // an SVG has styles
	if c.Method() == fiber.MethodHead {
		c.Response().SkipBody = true
		h.SetContentLength(int(t.Size))
		return t.Close()
	}
	return c.SendStream(&download{t.Content, c.Context().Conn(), a.usage.Meter(m.User, m.Kind), 0}, int(t.Size))
}

// listTrash handles GET /v1/trash.
func (a *API) listTrash(c *fiber.Ctx) error {
	limit, err := pageSize(c)
	if err != nil {
		return err
	}
	user := caller(c).User
	after, err := a.unseal(user, "trash", c.Query("cursor"))
	if err != nil {
		return err
	}
	p, err := a.library.ListTrash(c.UserContext(), user, after, limit)
	if err != nil {
		return err
	}
	items := make([]trashed, len(p.Items))
	for i := range p.Items {
		if items[i], err = a.trashed(c, &p.Items[i]); err != nil {
			return err
		}
	}
	var total int64
	for k := range kindNames {
		n, err := a.library.Count(c.UserContext(), user, k)
		if err != nil {
			return err
		}
		total += n.Trash
	}
	return list(c, page{items: items, keys: []string{"items"}, next: a.seal(user, "trash", p.Next), total: &total})
}

// restoreTrash handles POST /v1/trash/:id/restore.
func (a *API) restoreTrash(c *fiber.Ctx) error {
	id, err := mediaID(c)
	if err != nil {
		return err
	}
	m, err := a.library.Restore(c.UserContext(), caller(c).User, id)
	if err != nil {
		return err
	}
	out, err := a.mediaItem(c, &m)
	if err != nil {
		return err
	}
	return ok(c, out)
}

// purgeTrash handles DELETE /v1/trash/:id.
func (a *API) purgeTrash(c *fiber.Ctx) error {
	id, err := mediaID(c)
	if err != nil {
		return err
	}
	gone, err := a.library.Purge(c.UserContext(), caller(c).User, id)
	if err != nil {
		return err
	}
	if len(gone) == 0 {
		return store.ErrNotFound
	}
	return ok(c, nil)
}

// emptyTrash handles DELETE /v1/trash: what the body names, or all.
func (a *API) emptyTrash(c *fiber.Ctx) error {
	var in struct {
		IDs *[]string `json:"ids"`
	}
	if err := readJSON(c, &in, true); err != nil {
		return err
	}
	out := struct {
		Deleted int  `json:"deleted"`
		Failed  int  `json:"failed"`
		More    bool `json:"hasMore"`
	}{}
	var err error
	if in.IDs == nil {
		out.Deleted, out.More, err = a.library.EmptyBin(c.UserContext(), caller(c).User)
	} else if err = checkCount("ids", len(*in.IDs), 100); err == nil {
		var gone []string
		gone, err = a.library.Purge(c.UserContext(), caller(c).User, *in.IDs...)
		out.Deleted, out.Failed = len(gone), len(*in.IDs)-len(gone)
	}
	if err != nil {
		return err
	}
	return ok(c, out)
}
