// Package cdn serves the files themselves: who may have one, what is said about
// it in the header, ranges, and the memory for small files.
package cdn

import (
	"errors"
	"log/slog"

	"github.com/gofiber/fiber/v2"

	"picora/app/auth"
	"picora/app/fault"
	"picora/app/library"
	"picora/store"
)

// CDN serves files.
type CDN struct {
	library *library.Library
	auth    *auth.Auth
	signer  *auth.Signer
	small   *cache
}

// New puts the surface together. CacheBytes is the memory for small files.
func New(l *library.Library, a *auth.Auth, s *auth.Signer, cacheBytes int64) *CDN {
	d := &CDN{l, a, s, newCache(cacheBytes)}
	l.OnEdit(d.small.drop)
	return d
}

// Route is the pattern of a file's address.
const Route = "/:id<len(11)>.:ext<betweenLen(2,5)>"

// Mount adds the routes.
func (d *CDN) Mount(r fiber.Router) {
	r.Get(Route, d.serve)
}

// IsFile reports whether the path has the shape of a file's address.
func IsFile(path string) bool {
	_, _, ok := split(path)
	return ok
}

// split takes the address /{id}.{ext} of a picture apart.
func split(path string) (id, ext string, ok bool) {
	const dot = 1 + store.ImageIDLen
	if len(path) < dot+3 || len(path) > dot+6 || path[0] != '/' || path[dot] != '.' {
		return "", "", false
	}
	id, ext = path[1:dot], path[dot+1:]
	return id, ext, store.ValidID(id, store.ImageIDLen)
}

// serve handles GET and HEAD /{id}.{ext}.
func (d *CDN) serve(c *fiber.Ctx) error {
	id, ext, ok := split(c.Path())
	if !ok {
		return refuse(c, store.ErrNotFound)
	}
	e, err := d.find(c, id)
	if err == nil && e.media.Ext != ext {
		err = store.ErrNotFound
	}
	if err == nil {
		err = checkQuery(c)
	}
	if err != nil {
		return refuse(c, err)
	}
	policy, err := d.allowed(c, &e.media)
	if err != nil {
		return refuse(c, err)
	}
	return d.send(c, e, policy)
}

// find reads the entry of a file from memory or from the store.
func (d *CDN) find(c *fiber.Ctx, id string) (*entry, error) {
	if e, ok := d.small.get(id); ok {
		return e, nil
	}
	fill := d.small.begin(id)
	m, err := d.library.Any(c.UserContext(), id)
	if err != nil {
		return nil, err
	}
	e := &entry{media: m}
	if e.delivery, err = d.library.Delivery(&m); err != nil {
		return nil, err
	}
	e.media.Plan = nil               // parsed into the delivery
	e.modified = httpDate(m.Updated) // not Created: an edit may change what is delivered
	if e.delivery.Size <= smallFile && d.small.on() {
		if e.bytes, err = d.read(c.UserContext(), e.delivery); err != nil {
			return nil, err
		}
		if open(&m) {
			e.header = plainHeader(e)
		}
	}
	fill.done(e)
	return e, nil
}

// Plain finds a small file that is open to all and in memory by the path of its
// address: the header of its whole answer, but for the lines that differ from
// answer to answer, and its bytes. For all else it returns nil, and serve answers.
func (d *CDN) Plain(path string) (header, body []byte) {
	id, ext, ok := split(path)
	if !ok {
		return nil, nil
	}
	e, ok := d.small.get(id)
	if !ok || e.header == nil || e.media.Ext != ext {
		return nil, nil
	}
	return e.header, e.bytes
}

// refuse answers an error with one plain sentence: people see these when a link
// is wrong, and programs see the status.
func refuse(c *fiber.Ctx, err error) error {
	f := fault.From(err)
	status := fiber.StatusInternalServerError
	switch f.Code {
	case fault.NotFound:
		if errors.Is(err, errMissingBytes) {
			slog.Error("the bytes of a file are missing", "id", c.GetRespHeader(fiber.HeaderXRequestID), "path", c.Path(), "err", err)
		}
		status, f = fiber.StatusNotFound, fault.New(fault.NotFound, "There is no such file here. It may have been deleted.")
	case fault.Forbidden, fault.Unauthorized, fault.KeyRevoked:
		status = fiber.StatusForbidden
	case fault.InvalidParams:
		status = fiber.StatusBadRequest
	default:
		slog.Error("file not served", "id", c.GetRespHeader(fiber.HeaderXRequestID), "path", c.Path(), "err", err)
	}
	h := &c.Response().Header
	for _, name := range []string{fiber.HeaderETag, fiber.HeaderLastModified, fiber.HeaderAcceptRanges, fiber.HeaderContentRange} {
		h.Del(name) // of the file that was to be sent
	}
	h.Set(fiber.HeaderCacheControl, "no-store")
	h.Set("X-Picora-Error", string(f.Code))
	security(h)
	c.Status(status)
	h.SetContentType(fiber.MIMETextPlainCharsetUTF8)
	return c.SendString(f.Message + "\n")
}

var errMissingBytes = errors.New("cdn: the file's bytes are missing")
