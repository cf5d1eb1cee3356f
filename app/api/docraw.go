package api

import (
	"encoding/hex"
	"strings"

	"github.com/gofiber/fiber/v2"

	"picora/app/fault"
	"picora/store"
)

// getDocRaw handles GET /v1/docs/:id/raw.
func (a *API) getDocRaw(c *fiber.Ctx) error {
	m, err := a.readableDoc(c)
	if err != nil {
		return err
	}
	if !isText(&m) {
		return fault.New(fault.NotFound, "This document is a file and has no text here.")
	}
	d, err := a.library.Delivery(&m)
	if err != nil {
		return err
	}
	describeDoc(c, &m, d.ETag)
	if tagMatches(c.Get(fiber.HeaderIfNoneMatch), d.ETag) {
		c.Status(fiber.StatusNotModified)
		return nil
	}
	h := &c.Response().Header
	h.SetContentType(m.MIME + "; charset=utf-8")
	if c.Method() == fiber.MethodHead {
		c.Response().SkipBody = true
		h.SetContentLength(int(d.Size))
		return nil
	}
	content, err := a.library.Open(c.UserContext(), d, 0, d.Size)
	if err != nil {
		return err
	}
	return c.SendStream(&download{content, c.Context().Conn(), a.usage.Meter(m.User, m.Kind), 0}, int(d.Size))
}

// describeDoc says what a document's text is, how long it may be kept, and that it is
// never a page.
func describeDoc(c *fiber.Ctx, m *store.Media, tag string) {
	h := &c.Response().Header
	h.Set(fiber.HeaderCacheControl, "no-store")
	if m.Public {
		h.Set(fiber.HeaderCacheControl, "public, max-age=300")
	}
	h.Set(fiber.HeaderETag, tag)
	h.Set("X-Source-Hash", hex.EncodeToString(m.Hash))
	h.Set("X-Updated-At", stamp(m.Updated))
	h.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	h.Set(fiber.HeaderContentSecurityPolicy, "sandbox; default-src 'none'")
}

// tagMatches reports whether a list of entity tags has ours, in the weak comparison
// (RFC 9110, section 13.1.2).
func tagMatches(list, tag string) bool {
	for t := range strings.SplitSeq(list, ",") {
		if t = strings.TrimPrefix(strings.TrimSpace(t), "W/"); t == "*" || t == tag {
			return true
		}
	}
	return false
}
