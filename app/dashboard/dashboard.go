// Package dashboard serves what people open in a browser: the dashboard, which web/
// is built to, and the guide.
package dashboard

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"html/template"
	"io"
	"io/fs"
	"strings"

	"github.com/gofiber/fiber/v2"

	"picora/app/link"
)

// Files are what browsers get.
type Files struct {
	Dashboard fs.FS // web/dist; without index.html when it was not built
	Guide     fs.FS // Markdown
}

// pagePaths are the first segments of the dashboard's addresses, as in web/src/routes.ts.
var pagePaths = []string{
	"item", "upload", "collections", "trash", "usage", "keys", "notifications", "settings", "admin",
	"login", "register", "forgot", "setup",
}

// Dashboard serves the pages.
type Dashboard struct {
	files   Files
	index   []byte // nil: not built
	tag     string // of index
	unbuilt *template.Template
}

//go:embed unbuilt.html
var unbuilt string

// New reads the page that all of the dashboard begins with.
func New(files Files) (*Dashboard, error) {
	d := &Dashboard{files: files}
	var err error
	if d.unbuilt, err = template.New("unbuilt").Parse(unbuilt); err != nil {
		return nil, err
	}
	d.index, err = fs.ReadFile(files.Dashboard, "index.html")
	if errors.Is(err, fs.ErrNotExist) {
		return d, nil
	}
	sum := sha256.Sum256(d.index)
	d.tag = `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	return d, err
}

// Mount adds the routes.
func (d *Dashboard) Mount(r fiber.Router) {
	r.Get("/", d.page)
	for _, p := range pagePaths {
		r.Get("/"+p, d.page)
		r.Get("/"+p+"/*", d.page)
	}
	r.Get("/assets/:name", d.asset)
	r.Get("/robots.txt", d.robots)
}

// policy lets a page run the dashboard's own scripts and show what this server has, its
// media host included, and nothing else. Frames of blob: show documents, and have this
// policy, too.
func policy(o link.Origin) string {
	own := "'self'"
	if o.Media != o.API {
		own += " " + o.Media
	}
	return "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src " + own + " data: blob:; media-src " + own + " blob:; " +
		"connect-src " + own + "; font-src 'self'; frame-src 'self' blob:; worker-src 'self' blob:; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

// page handles the address of every page: the dashboard finds out which it is.
func (d *Dashboard) page(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer") // the link to the first account has a token in it
	c.Set(fiber.HeaderCacheControl, "no-cache")
	if d.index == nil {
		return d.sendUnbuilt(c)
	}
	c.Set(fiber.HeaderContentSecurityPolicy, policy(link.Of(c.UserContext())))
	c.Set(fiber.HeaderETag, d.tag)
	if c.Get(fiber.HeaderIfNoneMatch) == d.tag {
		return c.SendStatus(fiber.StatusNotModified)
	}
	return c.Send(d.index)
}

// sendUnbuilt answers when the dashboard was not built.
func (d *Dashboard) sendUnbuilt(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	var b bytes.Buffer
	if err := d.unbuilt.Execute(&b, link.Of(c.UserContext())); err != nil {
		return err
	}
	return c.Send(b.Bytes())
}

// assetTypes are the media types of files by what their names end in.
var assetTypes = map[string]string{
	"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml", "json": "application/json",
	"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp", "woff2": "font/woff2", "wasm": "application/wasm",
}

// asset handles GET /assets/:name, a file whose name changes with its bytes. Most are
// kept compressed.
func (d *Dashboard) asset(c *fiber.Ctx) error {
	name := c.Params("name")
	kind := assetTypes[name[strings.LastIndexByte(name, '.')+1:]]
	if kind == "" || !fs.ValidPath("assets/"+name) {
		return fiber.ErrNotFound
	}
	b, packed, err := d.read("assets/"+name, takesGzip(c))
	if err != nil {
		return fiber.ErrNotFound // a page of an older version asks; it is told to load anew
	}
	if packed {
		c.Set(fiber.HeaderContentEncoding, "gzip")
	}
	c.Set(fiber.HeaderContentType, kind)
	c.Set(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
	c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	return c.Send(b)
}

// takesGzip reports whether the client takes gzip, as all browsers do. One that weighs its
// encodings gets the plain file, which is never wrong.
func takesGzip(c *fiber.Ctx) bool {
	for one := range strings.SplitSeq(c.Get(fiber.HeaderAcceptEncoding), ",") {
		if strings.EqualFold(strings.TrimSpace(one), "gzip") {
			return true
		}
	}
	return false
}

// read is a file of the dashboard; packed: still compressed.
func (d *Dashboard) read(name string, gzipped bool) (b []byte, packed bool, err error) {
	if b, err = fs.ReadFile(d.files.Dashboard, name); err == nil {
		return b, false, nil
	}
	if b, err = fs.ReadFile(d.files.Dashboard, name+".gz"); err != nil || gzipped {
		return b, true, err
	}
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, false, err
	}
	b, err = io.ReadAll(r)
	return b, false, err
}

// robots handles GET /robots.txt: pictures may be found, the API has nothing for
// a crawler.
func (d *Dashboard) robots(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, fiber.MIMETextPlainCharsetUTF8)
	return c.SendString("User-agent: *\nDisallow: /v1/\n")
}
