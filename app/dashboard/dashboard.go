// Package dashboard serves what people open in a browser: the dashboard, which web/
// is built to, the guide, and the reference of the API.
package dashboard

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"html/template"
	"io/fs"

	"github.com/gofiber/fiber/v2"

	"picora/app/link"
)

// Files are what browsers get.
type Files struct {
	Dashboard fs.FS // web/dist; without index.html when it was not built
	Guide     fs.FS // Markdown, and what its pages show
}

// pages are the addresses of the dashboard's pages, as in web/src/routes.ts.
var pages = []string{
	"/item/:id", "/upload", "/collections", "/collections/:id", "/trash", "/usage", "/keys", "/keys/:id", "/notifications",
	"/settings/:section?", "/admin/:section?/:id?", "/login", "/register", "/forgot", "/setup",
}

// Paths are the routes that are for people alone: the API's document does not list them.
func Paths() []string { return append([]string{"/assets/:name"}, pages...) }

// Dashboard serves the pages.
type Dashboard struct {
	files     Files
	index     document
	home      document // index for who is signed in: it names the files of the library
	reference document
	unbuilt   *template.Template
	guide     *guide
}

// document is a page that was built; without bytes when it was not.
type document struct {
	html []byte
	tag  string
}

//go:embed unbuilt.html
var unbuilt string

// New reads the pages that the others begin with.
func New(files Files) (*Dashboard, error) {
	d := &Dashboard{files: files, guide: newGuide(files.Guide)}
	var err error
	if d.unbuilt, err = template.New("unbuilt").Parse(unbuilt); err != nil {
		return nil, err
	}
	if d.index, err = readDocument(files.Dashboard, "index.html"); err != nil {
		return nil, err
	}
	if d.home, err = readDocument(files.Dashboard, "home.html"); err != nil {
		return nil, err
	}
	d.reference, err = readDocument(files.Dashboard, "reference.html")
	return d, err
}

func readDocument(from fs.FS, name string) (document, error) {
	b, err := fs.ReadFile(from, name)
	if errors.Is(err, fs.ErrNotExist) {
		return document{}, nil
	}
	return document{b, etag(b)}, err
}

func etag(b []byte) string {
	sum := sha256.Sum256(b)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
}

// Mount adds the routes.
func (d *Dashboard) Mount(r fiber.Router) {
	r.Get("/", d.homePage)
	for _, p := range pages {
		r.Get(p, d.page)
	}
	r.Get("/assets/:name", d.asset)
	r.Get("/guide", d.guidePage)
	r.Get("/guide/:name", d.guidePage)
	r.Get("/reference", d.referencePage)
	r.Get("/robots.txt", d.robots)
}

// page handles the address of every page: the dashboard finds out which it is.
func (d *Dashboard) page(c *fiber.Ctx) error {
	return d.send(c, d.index, policy(link.Of(c.UserContext())))
}

// homePage handles GET /. The mark of a session tells no more than which files come first.
func (d *Dashboard) homePage(c *fiber.Ctx) error {
	c.Vary(fiber.HeaderCookie)
	if c.Cookies("signed_in") == "" || d.home.html == nil {
		return d.page(c)
	}
	return d.send(c, d.home, policy(link.Of(c.UserContext())))
}

// referencePage handles GET /reference: the API's document, to read and to try.
func (d *Dashboard) referencePage(c *fiber.Ctx) error {
	return d.send(c, d.reference, referencePolicy)
}

func (d *Dashboard) send(c *fiber.Ctx, page document, policy string) error {
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer") // the link to the first account has a token in it
	c.Set(fiber.HeaderCacheControl, "no-cache")
	if page.html == nil {
		return d.sendUnbuilt(c)
	}
	c.Set(fiber.HeaderContentSecurityPolicy, policy)
	c.Set("Cross-Origin-Opener-Policy", "same-origin")
	c.Set(fiber.HeaderETag, page.tag)
	if c.Get(fiber.HeaderIfNoneMatch) == page.tag {
		return c.SendStatus(fiber.StatusNotModified)
	}
	return sendPage(c, page.html)
}

// sendUnbuilt answers when the dashboard was not built.
func (d *Dashboard) sendUnbuilt(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentSecurityPolicy, unbuiltPolicy)
	var b bytes.Buffer
	if err := d.unbuilt.Execute(&b, link.Of(c.UserContext())); err != nil {
		return err
	}
	return c.Send(b.Bytes())
}

// robots handles GET /robots.txt: pictures may be found, the API has nothing for
// a crawler.
func (d *Dashboard) robots(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, fiber.MIMETextPlainCharsetUTF8)
	return c.SendString("User-agent: *\nDisallow: /v1/\n")
}
