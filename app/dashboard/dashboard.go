// Package dashboard serves what people open in a browser: for now a page that says
// that the server runs and how to point a client at it, and the one that sets it up.
package dashboard

import (
	"bytes"
	"html/template"

	"github.com/gofiber/fiber/v2"

	"picora/app/link"
)

// Pages are the files that browsers get.
type Pages struct {
	Start       string // a template that is given the request's link.Origin
	Setup       string
	SetupScript string
}

// Dashboard serves the pages.
type Dashboard struct {
	page, setup *template.Template
	script      string
}

// New parses the pages.
func New(p Pages) (*Dashboard, error) {
	start, err := template.New("start").Parse(p.Start)
	if err != nil {
		return nil, err
	}
	setup, err := template.New("setup").Parse(p.Setup)
	return &Dashboard{start, setup, p.SetupScript}, err
}

// Mount adds the routes.
func (d *Dashboard) Mount(r fiber.Router) {
	r.Get("/", d.start)
	r.Get("/robots.txt", d.robots)
	r.Get("/setup", d.setupPage)
	r.Get("/setup.js", d.setupScript)
}

// start handles GET /.
func (d *Dashboard) start(c *fiber.Ctx) error {
	var b bytes.Buffer
	if err := d.page.Execute(&b, link.Of(c.UserContext())); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	c.Set(fiber.HeaderCacheControl, "no-cache")
	c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer")
	return c.Send(b.Bytes())
}

// robots handles GET /robots.txt: pictures may be found, the API has nothing for
// a crawler.
func (d *Dashboard) robots(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, fiber.MIMETextPlainCharsetUTF8)
	return c.SendString("User-agent: *\nDisallow: /v1/\n")
}
