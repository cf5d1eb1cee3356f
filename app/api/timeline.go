package api

import (
	"strconv"

	"github.com/gofiber/fiber/v2"

	"picora/app/fault"
	"picora/store"
)

// How many entries a stretch of a timeline has: as a rule what fits into one page.
const (
	minBucket = 20
	maxBucket = 512
)

// bucket is a stretch of a list: the page that begins at its cursor, as long as count.
type bucket struct {
	Cursor string `json:"cursor"`
	Count  int    `json:"count"`
	Date   string `json:"date"`
}

// getTimeline handles GET /v1/media/timeline.
func (a *API) getTimeline(c *fiber.Ctx) error {
	q, err := mediaQuery(c, 0)
	if err != nil {
		return err
	}
	if q.Sort != store.ByDate {
		return fault.New(fault.Invalid, "A timeline is in the order of dates: leave sort out.")
	}
	if q.Match != nil {
		return fault.New(fault.Invalid, "A timeline does not know of status: leave it out, or list without a timeline.")
	}
	size := maxLimit
	if s := c.Query("size"); s != "" {
		if size, err = strconv.Atoi(s); err != nil || size < minBucket || size > maxBucket {
			return fault.New(fault.Invalid, "size is a whole number from %d to %d.", minBucket, maxBucket)
		}
	}
	user, name := caller(c).User, listName(c, "media", &q)
	t, err := a.library.Timeline(c.UserContext(), user, q, size)
	if err != nil {
		return err
	}
	out := struct {
		Buckets []bucket `json:"buckets"`
		Total   int      `json:"total"`
		Behind  bool     `json:"indexing"`
	}{make([]bucket, len(t.Buckets)), t.Total, t.Behind}
	for i, b := range t.Buckets {
		out.Buckets[i] = bucket{*a.seal(user, name, b.After), b.N, stamp(b.Date)}
	}
	return ok(c, out)
}
