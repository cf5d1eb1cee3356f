package api

import (
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"picora/app/byterange"
	"picora/app/library"
	"picora/app/saveas"
	"picora/app/usage"
	"picora/store"
)

// getOriginal handles GET /v1/images/:id/original.
func (a *API) getOriginal(c *fiber.Ctx) error {
	id, err := id(c, store.ImageIDLen)
	if err != nil {
		return err
	}
	m, err := a.library.Own(c.UserContext(), caller(c).User, id)
	if err != nil {
		return err
	}
	return a.sendOriginal(c, &m)
}

// sendOriginal answers with m's file as it was uploaded. It is never shown in a browser,
// only saved: the page's origin is the API's.
func (a *API) sendOriginal(c *fiber.Ctx, m *store.Media) error {
	size := a.library.Original(m).Size
	s, whole, unmet := byterange.Parse(c.Get(fiber.HeaderRange), size)
	h := &c.Response().Header
	h.Set(fiber.HeaderCacheControl, "private, no-store")
	h.Set(fiber.HeaderAcceptRanges, "bytes")
	if unmet {
		h.Set(fiber.HeaderContentRange, "bytes */"+strconv.FormatInt(size, 10))
		return c.SendStatus(fiber.StatusRequestedRangeNotSatisfiable)
	}
	h.Set(fiber.HeaderContentType, fiber.MIMEOctetStream)
	h.Set(fiber.HeaderContentDisposition, saveas.Attachment(m.Filename))
	h.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	h.Set(fiber.HeaderContentSecurityPolicy, "sandbox; default-src 'none'")
	if whole {
		s = byterange.Span{N: size}
	} else {
		c.Status(fiber.StatusPartialContent)
		h.Set(fiber.HeaderContentRange, fmt.Sprintf("bytes %d-%d/%d", s.Off, s.Off+s.N-1, size))
	}
	if c.Method() == fiber.MethodHead {
		c.Response().SkipBody = true
		h.SetContentLength(int(s.N))
		return nil
	}
	content, err := a.library.OpenOriginal(c.UserContext(), m, s.Off, s.N)
	if err != nil {
		return err
	}
	return c.SendStream(&download{content, c.Context().Conn(), a.usage.Meter(m.User, m.Kind), 0}, int(s.N))
}

// download is content whose connection may take its time, as long as it takes some: a
// deadline for the whole would cut a large file off.
type download struct {
	content *library.Content
	conn    net.Conn
	served  *usage.Meter // counts what was read to be sent
	fresh   int          // bytes since the deadline was moved
}

const (
	downloadStep = 256 << 10 // bytes
	downloadTime = 2 * time.Minute
)

func (d *download) Read(p []byte) (int, error) {
	if d.fresh <= 0 {
		d.fresh = downloadStep
		if err := d.conn.SetWriteDeadline(time.Now().Add(downloadTime)); err != nil {
			return 0, err
		}
	}
	n, err := d.content.Read(p)
	d.served.Add(int64(n))
	d.fresh -= n
	return n, err
}

func (d *download) Close() error { return d.content.Close() }

var _ io.ReadCloser = &download{}
