package cdn

import (
	"context"
	"log/slog"
	"time"

	"github.com/gofiber/fiber/v2"

	"picora/app/access"
	"picora/app/library"
	"picora/media"
	"picora/store"
)

const (
	// redirectFrom is the least size of files that clients are led elsewhere for, in
	// bytes. For smaller ones the way there takes longer than the bytes.
	redirectFrom = 1 << 20
	// redirectLife is how long an address elsewhere is valid. It goes on when the file
	// is made private meanwhile.
	redirectLife = time.Hour
	// redirectKept is how long a browser may keep to such an address, where the file
	// never changes: never so long that the address is over in the middle of a film.
	redirectKept = "private, max-age=300"
)

// elsewhere lets clients be led elsewhere for f, all of the delivery v of m, where everybody
// may have it and it is there as it is sent. An SVG may hold what other hosts take for a
// page.
func (d *CDN) elsewhere(f *file, m *store.Media, v library.Delivery) {
	if !d.redirects || f.size < redirectFrom || !v.Whole() || !access.Open(m) || f.mime == media.SVG.MIME {
		return
	}
	f.elsewhere = func(ctx context.Context, f *file) (string, error) {
		return d.library.Presign(ctx, v, f.mime, f.saveAs, redirectLife)
	}
}

// redirect leads the client elsewhere for f, and reports whether it did. The span that was
// asked for counts as served: what the client takes of it nobody tells us.
//
// Scripts read files from here: the store may not let other sites' scripts read, which the
// browser finds out only there. So the answer is not the same for all, and is for the
// client's own cache.
func redirect(c *fiber.Ctx, f *file, p access.Policy, s span) bool {
	if f.elsewhere == nil || p == access.Personal || c.Context().IsHead() || !plainly(c) {
		return false
	}
	to, err := f.elsewhere(c.UserContext(), f)
	if err != nil {
		slog.Warn("a client is not led elsewhere for a file, but gets it from here", "path", c.Path(), "err", err)
		return false
	}
	if to == "" { // not now
		return false
	}
	h := &c.Response().Header
	for _, name := range []string{fiber.HeaderETag, fiber.HeaderLastModified, fiber.HeaderAcceptRanges, fiber.HeaderContentDisposition} {
		h.Del(name) // of the file
	}
	h.SetContentType(fiber.MIMETextPlainCharsetUTF8)
	h.Set(fiber.HeaderCacheControl, "no-store")
	if p == access.Immutable {
		h.Set(fiber.HeaderCacheControl, redirectKept)
	}
	h.Set(fiber.HeaderReferrerPolicy, "no-referrer")
	h.Set(fiber.HeaderLocation, to)
	c.Append(fiber.HeaderVary, fiber.HeaderOrigin, "Sec-Fetch-Mode")
	c.Status(fiber.StatusFound)
	f.served.Add(s.n)
	return true
}

// plainly reports whether a browser asks to show the file, or a program that is none.
func plainly(c *fiber.Ctx) bool {
	switch c.Get("Sec-Fetch-Mode") {
	case "navigate", "no-cors":
		return true
	case "":
		return c.Get(fiber.HeaderOrigin) == ""
	}
	return false
}
