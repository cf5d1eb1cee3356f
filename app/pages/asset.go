package pages

import (
	"bytes"
	"compress/gzip"
	"path"
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"
)

// smallest is how many bytes a style or script has that is worth compressing.
const smallest = 1 << 10

// zipped are the styles and scripts as gzip, by their names, from the first request on.
var zipped = sync.OnceValue(func() map[string][]byte {
	all := map[string][]byte{}
	list, _ := files.ReadDir("assets")
	for _, f := range list {
		b, err := files.ReadFile(path.Join("assets", f.Name()))
		if ext := path.Ext(f.Name()); err != nil || len(b) < smallest || ext != ".js" && ext != ".css" {
			continue
		}
		var z bytes.Buffer
		w, _ := gzip.NewWriterLevel(&z, gzip.BestCompression) // a level there is, and a buffer does not fail
		w.Write(b)
		w.Close()
		all[f.Name()] = z.Bytes()
	}
	return all
})

// asset handles GET /page/:name: styles and scripts of the pages.
func (p *Pages) asset(c *fiber.Ctx) error {
	name := path.Base("/" + c.Params("name"))
	b, err := files.ReadFile(path.Join("assets", name))
	if err != nil {
		return fiber.ErrNotFound
	}
	if ext := strings.TrimPrefix(path.Ext(name), "."); ext == "jpg" {
		c.Type(ext)
	} else {
		c.Type(ext, "utf-8")
	}
	c.Set(fiber.HeaderCacheControl, "no-cache")
	if name == hlsScript { // its version is in its name
		c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	}
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	if z, has := zipped()[name]; has {
		c.Append(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
		if takesGzip(c.Get(fiber.HeaderAcceptEncoding)) {
			c.Set(fiber.HeaderContentEncoding, "gzip")
			b = z
		}
	}
	return c.Send(b)
}

// takesGzip reads Accept-Encoding (RFC 9110, section 12.5.3) as far as gzip goes.
func takesGzip(accept string) bool {
	for one := range strings.SplitSeq(accept, ",") {
		coding, weight, _ := strings.Cut(strings.TrimSpace(one), ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		q, weighed := strings.CutPrefix(strings.ReplaceAll(weight, " ", ""), "q=")
		return !weighed || strings.Trim(q, "0.") != ""
	}
	return false
}
