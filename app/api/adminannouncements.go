package api

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"picora/app/fault"
	"picora/store"
)

// announcement is one on the wire.
type announcement struct {
	ID        string  `json:"id"`
	Title     string  `json:"title"`
	Body      string  `json:"body"`
	Link      *string `json:"link"`
	Audience  string  `json:"audience"`
	SentTo    int     `json:"sentTo"`
	SentAt    *string `json:"sentAt"`
	CreatedBy string  `json:"createdBy"`
	CreatedAt string  `json:"createdAt"`
}

func wireAnnouncement(n *store.Announcement) announcement {
	return announcement{
		ID: n.ID, Title: n.Title, Body: n.Body, Link: orNull(n.Link), Audience: "all", SentTo: n.Sent, SentAt: stampOrNull(n.Done),
		CreatedBy: n.Creator, CreatedAt: stamp(n.Created),
	}
}

// listAnnouncements handles GET /v1/admin/announcements.
func (a *API) listAnnouncements(c *fiber.Ctx) error {
	limit, err := pageSize(c)
	if err != nil {
		return err
	}
	const name = "admin.announcements"
	after, err := a.unseal(caller(c).User, name, c.Query("cursor"))
	if err != nil {
		return err
	}
	found, next, err := a.store.Announcements(c.UserContext(), after, limit)
	if err != nil {
		return err
	}
	items := make([]announcement, len(found))
	for i := range found {
		items[i] = wireAnnouncement(&found[i])
	}
	return list(c, page{items: items, keys: []string{"items", "announcements"}, next: a.seal(caller(c).User, name, next)})
}

// createAnnouncement handles POST /v1/admin/announcements.
func (a *API) createAnnouncement(c *fiber.Ctx) error {
	in, err := readKnown(c, false, "title", "body", "link", "audience")
	if err != nil {
		return err
	}
	n, err := in.announcement()
	if err != nil {
		return err
	}
	n.Creator = caller(c).User
	if n, err = a.store.CreateAnnouncement(c.UserContext(), n); err != nil {
		return err
	}
	select {
	case a.announced <- struct{}{}:
	default: // the signal before this one was not taken yet
	}
	a.audit(c, "announcement.created", n.ID, map[string]string{"title": n.Title})
	return created(c, wireAnnouncement(&n))
}

func (f fields) announcement() (n store.Announcement, err error) {
	if n.Title, _, err = f.line("title", 200); err != nil {
		return n, err
	}
	if n.Title == "" {
		return n, fault.New(fault.Invalid, "An announcement needs a title of 1 to 200 characters.")
	}
	body, err := take[string](f, "body")
	if err != nil {
		return n, err
	}
	if body != nil {
		n.Body = strings.TrimSpace(*body)
	}
	if utf8.RuneCountInString(n.Body) > 5000 || strings.ContainsFunc(n.Body, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' }) {
		return n, fault.New(fault.Invalid, "body is a text of at most 5000 characters.")
	}
	if n.Link, _, err = f.line("link", 500); err != nil {
		return n, err
	}
	if n.Link != "" && !ownPath(n.Link) {
		return n, fault.New(fault.Invalid, "link is a path on this server, such as /settings.")
	}
	audience, err := take[string](f, "audience")
	if err == nil && audience != nil {
		err = oneOf("audience", *audience, "all")
	}
	return n, err
}

// ownPath reports whether a browser takes s for a path on the server that it is on. It
// takes a backslash for a slash, and two slashes at the beginning for another server.
func ownPath(s string) bool {
	return strings.HasPrefix(s, "/") && !strings.HasPrefix(s, "//") && !strings.ContainsRune(s, '\\')
}

// deleteAnnouncement handles DELETE /v1/admin/announcements/:id.
func (a *API) deleteAnnouncement(c *fiber.Ctx) error {
	id, err := id(c, store.IDLen)
	if err != nil {
		return err
	}
	if err := a.store.DeleteAnnouncement(c.UserContext(), id); err != nil {
		return err
	}
	a.audit(c, "announcement.deleted", id, nil)
	return ok(c, nil)
}
