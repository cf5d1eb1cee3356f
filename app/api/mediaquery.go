package api

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"picora/app/fault"
	"picora/store"
	"picora/store/words"
)

// mediaQuery reads the filters and the order of a list of that kind; 0: of the one that
// the request names, or all.
func mediaQuery(c *fiber.Ctx, only store.Kind) (q store.Query, err error) {
	if name := c.Query("type"); only != 0 {
		q.Kind = only
	} else if name != "" && name != "all" {
		if q.Kind = kindNamed(name); q.Kind == 0 {
			return q, fault.New(fault.Invalid, "type is image, video, audio or doc.")
		}
	}
	if q.Public, err = flag(c, "is_public", "isPublic"); err != nil {
		return q, err
	}
	if c.Context().QueryArgs().Has("kbId") { // an empty one means something
		kb := strings.Clone(c.Query("kbId"))
		q.Collection = &kb
	}
	if q.Tag = strings.Clone(c.Query("tag")); strings.ContainsRune(q.Tag, 0) || q.Collection != nil && strings.ContainsRune(*q.Collection, 0) {
		return q, fault.New(fault.Invalid, "A tag and a kbId have visible characters only.")
	}
	if text := strings.TrimSpace(c.Query("q")); text != "" {
		q.Words = words.Query(text)
		q.None = len(q.Words) == 0
	}
	mediaStatus(&q, c.Query("status"))
	return q, mediaOrder(c, &q)
}

// mediaStatus has the list hold what is in that state only. All but videos are ready.
func mediaStatus(q *store.Query, status string) {
	if status == "error" {
		status = "failed"
	}
	switch films := q.Kind == 0 || q.Kind == store.Video; {
	case status == "", status == "ready" && !films:
	case status == "ready":
		q.Match = func(m *store.Media) bool { return m.Kind != store.Video || m.Film.Plays() }
	case films && (status == "processing" || status == "failed"):
		q.Kind = store.Video
		q.Match = func(m *store.Media) bool { return filmStatus(&m.Film, "failed") == status }
	default:
		q.None = true
	}
}

// mediaOrder reads the order of a list: the newest, the largest, or the first of the
// alphabet begins it, unless order turns it round.
func mediaOrder(c *fiber.Ctx, q *store.Query) error {
	switch c.Query("sort") {
	case "", "created_at", "createdAt", "date":
	case "size", "sizeBytes", "size_bytes":
		q.Sort = store.BySize
	case "name", "title", "filename":
		q.Sort, q.Ascending = store.ByName, true
	default:
		return fault.New(fault.Invalid, "sort is created_at, size or name.")
	}
	switch c.Query("order") {
	case "":
	case "asc":
		q.Ascending = true
	case "desc":
		q.Ascending = false
	default:
		return fault.New(fault.Invalid, "order is asc or desc.")
	}
	return nil
}
