package dashboard

import (
	"bytes"

	"github.com/gofiber/fiber/v2"
)

// setupPolicy lets the page run its one script and ask this server, and nothing else.
const setupPolicy = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// setupPage handles GET /setup: the form for the first account. It is the same before
// and after; the API says whether it is of use.
func (d *Dashboard) setupPage(c *fiber.Ctx) error {
	var b bytes.Buffer
	if err := d.setup.Execute(&b, nil); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	c.Set(fiber.HeaderCacheControl, "no-store") // the address has the token in it
	c.Set(fiber.HeaderContentSecurityPolicy, setupPolicy)
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer") // the token
	return c.Send(b.Bytes())
}

// setupScript handles GET /setup.js.
func (d *Dashboard) setupScript(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, "text/javascript; charset=utf-8")
	c.Set(fiber.HeaderCacheControl, "no-cache")
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	return c.SendString(d.script)
}
