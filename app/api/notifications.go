package api

import (
	"slices"

	"github.com/gofiber/fiber/v2"

	"picora/app/fault"
	"picora/store"
)

// notification is a message on the wire (contract 18.2).
type notification struct {
	ID        string  `json:"id"`
	Type      string  `json:"type"`
	Title     string  `json:"title"`
	Body      string  `json:"body"`
	Link      *string `json:"link"`
	ReadAt    *string `json:"readAt"`
	CreatedAt string  `json:"createdAt"`
}

// listNotifications handles GET /v1/notifications.
func (a *API) listNotifications(c *fiber.Ctx) error {
	const name = "notifications"
	user := caller(c).User
	after, err := a.unseal(user, name, c.Query("cursor"))
	if err != nil {
		return err
	}
	limit, err := pageSize(c)
	if err != nil {
		return err
	}
	found, next, err := a.store.Notifications(c.UserContext(), user, after, limit)
	if err != nil {
		return err
	}
	items := make([]notification, len(found))
	for i, n := range found {
		items[i] = notification{ID: n.ID, Type: n.Type, Title: n.Title, Body: n.Body, Link: orNull(n.Link), CreatedAt: stamp(n.Created)}
		if !n.Read.IsZero() {
			items[i].ReadAt = orNull(stamp(n.Read))
		}
	}
	return list(c, page{items: items, keys: []string{"notifications", "items"}, next: a.seal(user, name, next)})
}

// countNotifications handles GET /v1/notifications/unread-count.
func (a *API) countNotifications(c *fiber.Ctx) error {
	n, err := a.store.Unread(c.UserContext(), caller(c).User)
	if err != nil {
		return err
	}
	return ok(c, map[string]int{"count": n})
}

// readNotifications handles POST /v1/notifications/read. What is wrong with the body is
// 400 (contract 18.2).
func (a *API) readNotifications(c *fiber.Ctx) error {
	var in struct {
		IDs []string `json:"ids"`
	}
	if err := readJSON(c, &in, false); err != nil {
		return fault.New(fault.BadRequest, "%s", fault.From(err).Message)
	}
	if err := checkCount("ids", len(in.IDs), 100); err != nil {
		return fault.New(fault.BadRequest, "%s", fault.From(err).Message)
	}
	return a.markRead(c, in.IDs)
}

// readAllNotifications handles POST /v1/notifications/read-all.
func (a *API) readAllNotifications(c *fiber.Ctx) error { return a.markRead(c, nil) }

// noticePreferences handles GET /v1/notifications/preferences.
func (a *API) noticePreferences(c *fiber.Ctx) error { return ok(c, noticesWanted(caller(c).Account)) }

// preferNotices handles PATCH /v1/notifications/preferences. What is left out stays.
func (a *API) preferNotices(c *fiber.Ctx) error {
	var in fields
	if err := readJSON(c, &in, true); err != nil {
		return err
	}
	wants := map[string]bool{}
	for _, about := range store.NoticesAbout {
		b, err := take[bool](in, about)
		if err != nil {
			return err
		}
		if b != nil {
			wants[about] = *b
		}
	}
	u, err := a.store.UpdateUser(c.UserContext(), caller(c).User, func(u *store.User) error {
		u.Muted = slices.DeleteFunc(slices.Clone(store.NoticesAbout), func(about string) bool {
			want, said := wants[about]
			return said && want || !said && !slices.Contains(u.Muted, about)
		})
		return nil
	})
	if err != nil {
		return err
	}
	return ok(c, noticesWanted(u))
}

// noticesWanted says of each kind of notifications whether the user wants them.
func noticesWanted(u store.User) map[string]bool {
	out := map[string]bool{}
	for _, about := range store.NoticesAbout {
		out[about] = !slices.Contains(u.Muted, about)
	}
	return out
}

func (a *API) markRead(c *fiber.Ctx, ids []string) error {
	n, err := a.store.MarkRead(c.UserContext(), caller(c).User, ids)
	if err != nil {
		return err
	}
	return ok(c, map[string]int{"updated": n})
}
