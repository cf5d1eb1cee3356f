package api

import (
	"strconv"

	"github.com/gofiber/fiber/v2"

	"picora/app/fault"
	"picora/store"
)

// uploadAvatar handles POST /v1/user/me/avatar.
func (a *API) uploadAvatar(c *fiber.Ctx) error {
	f, err := a.openForm(c, func(length int) error { return a.avatarRoom(c.UserContext(), length) })
	if err != nil {
		if e := fault.From(err); e.Code == fault.Invalid { // 400 here (contract 7)
			return fault.New(fault.BadRequest, "%s", e.Message)
		}
		return err
	}
	defer f.close()
	u, err := a.library.SetAvatar(c.UserContext(), caller(c).User, f.file, f.rest)
	if err != nil {
		return err
	}
	return ok(c, map[string]string{"avatarUrl": a.avatar(c, u)})
}

// removeAvatar handles DELETE /v1/user/me/avatar.
func (a *API) removeAvatar(c *fiber.Ctx) error {
	if err := a.library.RemoveAvatar(c.UserContext(), caller(c).User); err != nil {
		return err
	}
	return ok(c, nil)
}

// getAvatar handles GET /v1/user/avatar/:id, which answers everybody: pages show it.
func (a *API) getAvatar(c *fiber.Ctx) error {
	id, err := id(c, store.IDLen)
	if err != nil {
		return err
	}
	v, err := a.library.Avatar(c.UserContext(), id)
	if err != nil {
		return err
	}
	h := &c.Response().Header
	h.Set(fiber.HeaderCacheControl, "public, max-age=3600")
	h.Set(fiber.HeaderETag, v.ETag)
	h.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	h.Set(fiber.HeaderContentSecurityPolicy, "sandbox; default-src 'none'")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	if c.Get(fiber.HeaderIfNoneMatch) == v.ETag {
		return c.SendStatus(fiber.StatusNotModified)
	}
	h.Set(fiber.HeaderContentType, v.MIME)
	h.Set(fiber.HeaderContentLength, strconv.Itoa(len(v.Bytes)))
	return c.Send(v.Bytes)
}
