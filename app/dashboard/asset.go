package dashboard

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// assetTypes are the media types of files by what their names end in.
var assetTypes = map[string]string{
	"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml", "json": "application/json",
	"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp", "woff2": "font/woff2", "wasm": "application/wasm",
}

// assetType is the media type of the file of that name; "" is one that nobody gets.
func assetType(name string) string { return assetTypes[name[strings.LastIndexByte(name, '.')+1:]] }

// asset handles GET /assets/:name, a file whose name changes with its bytes. Most are
// kept compressed.
func (d *Dashboard) asset(c *fiber.Ctx) error {
	name := c.Params("name")
	kind := assetType(name)
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
	c.Append(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
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

// sendPage sends b, which is made of text, compressed to who takes that.
func sendPage(c *fiber.Ctx, b []byte) error {
	c.Append(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
	if !takesGzip(c) {
		return c.Send(b)
	}
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	w.Write(b)
	w.Close() // a buffer does not fail
	c.Set(fiber.HeaderContentEncoding, "gzip")
	return c.Send(z.Bytes())
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
