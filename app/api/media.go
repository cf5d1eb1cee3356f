package api

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"picora/app/fault"
	"picora/store"
)

// listMedia handles GET /v1/media: all kinds in one list. Pictures are the only
// kind yet; a filter for another kind finds nothing.
func (a *API) listMedia(c *fiber.Ctx) error {
	q := store.Query{Kind: store.Image}
	public, err := flag(c, "is_public", "isPublic")
	if err != nil {
		return err
	}
	text, kind, status, kb := strings.ToLower(c.Query("q")), c.Query("type"), c.Query("status"), c.Query("kbId")
	switch kind {
	case "", "image", "video", "audio":
	default:
		return fault.New(fault.Invalid, "type is image, video or audio.")
	}
	if kind == "video" || kind == "audio" || status != "" && status != "ready" || kb != "" {
		q.None = true
	}
	q.Public = public
	if text != "" {
		q.Match = func(m *store.Media) bool {
			return strings.Contains(strings.ToLower(m.Title+"\n"+m.Filename), text)
		}
	}
	filter := []string{"media", kind, status, kb, text, ""}
	if public != nil && *public {
		filter[5] = "public"
	} else if public != nil {
		filter[5] = "private"
	}
	return a.sendList(c, q, filter, "items")
}

// getMedia handles GET /v1/media/:id.
func (a *API) getMedia(c *fiber.Ctx) error { return a.getImage(c) }

// deleteMedia handles DELETE /v1/media.
func (a *API) deleteMedia(c *fiber.Ctx) error {
	var in struct {
		Items []struct {
			ID   string `json:"id"`
			Type string `json:"type"`
		} `json:"items"`
	}
	if err := readJSON(c, &in, false); err != nil {
		return err
	}
	if err := checkCount("items", len(in.Items), 100); err != nil {
		return err
	}
	type failed struct {
		ID     string `json:"id"`
		Type   string `json:"type"`
		Reason string `json:"reason"`
	}
	var ids []string
	for _, it := range in.Items {
		if it.ID == "" || it.Type == "" {
			return fault.New(fault.Invalid, "Each of items needs an id and a type.")
		}
		if it.Type == "image" {
			ids = append(ids, it.ID)
		}
	}
	gone, err := a.library.Remove(c.UserContext(), caller(c).User, ids...)
	if err != nil {
		return err
	}
	deleted, missed := map[string]bool{}, []failed{}
	for _, id := range gone {
		deleted[id] = true
	}
	for _, it := range in.Items {
		if it.Type != "image" || !deleted[it.ID] {
			missed = append(missed, failed{it.ID, it.Type, "NOT_FOUND"})
		}
	}
	return ok(c, map[string]any{"deleted": append([]string{}, gone...), "failed": missed})
}
