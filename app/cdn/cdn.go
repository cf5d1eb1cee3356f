// Package cdn serves the files themselves: who may have one, what is said about
// it in the header, ranges, and the memory for small files.
package cdn

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"github.com/gofiber/fiber/v2"

	"picora/app/access"
	"picora/app/auth"
	"picora/app/fault"
	"picora/app/library"
	"picora/app/usage"
	"picora/media"
	"picora/store"
)

// CDN serves files.
type CDN struct {
	library *library.Library
	access  *access.Rule
	signer  *auth.Signer
	small   *cache
	usage   *usage.Usage // nil: nobody counts

	transforms string // who may have which, see config.Images
	variants   map[string]media.Query
}

// New puts the surface together. CacheBytes is the memory for small files.
func New(l *library.Library, a *access.Rule, s *auth.Signer, cacheBytes int64) *CDN {
	d := &CDN{library: l, access: a, signer: s, small: newCache(cacheBytes)}
	l.OnEdit(d.small.drop)
	l.OnForget(d.small.forget)
	return d
}

// UseTransforms serves pictures in other sizes and formats, to those whom the policy
// (see config.Images) lets have them. It is called before the start.
func (d *CDN) UseTransforms(policy string, variants map[string]media.Query) {
	d.transforms, d.variants = policy, variants
}

// UseMeters counts what is served. It is called before the start.
func (d *CDN) UseMeters(u *usage.Usage) { d.usage = u }

// meter counts what is served of m.
func (d *CDN) meter(m *store.Media) *usage.Meter {
	if d.usage == nil {
		return nil
	}
	return d.usage.Meter(m.User, m.Kind)
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
	var q media.Query
	if err == nil {
		q, err = d.query(c)
	}
	if err != nil {
		return refuse(c, err)
	}
	p, err := d.allowed(c, &e.media)
	if err != nil {
		return refuse(c, err)
	}
	if q.Asked() && transforms(&e.media, &q) {
		return d.sendVariant(c, e, q, p)
	}
	return send(c, &e.file, p)
}

// find reads the entry of a file from memory or from the store.
func (d *CDN) find(c *fiber.Ctx, id string) (*entry, error) {
	if e, ok := d.small.get(id); ok {
		return e, nil
	}
	e := &entry{edits: d.small.begin(id)}
	m, err := d.library.Any(c.UserContext(), id)
	if err != nil {
		return nil, err
	}
	v, err := d.library.Delivery(&m)
	if err != nil {
		return nil, err
	}
	e.media = m
	e.media.Plan = nil // parsed into the delivery
	e.file = file{
		size: v.Size, mime: m.MIME, etag: v.ETag,
		changed: m.Updated, modified: httpDate(m.Updated), // not Created: an edit may change what is delivered
		open: func(ctx context.Context, off, n int64) (*library.Content, error) {
			return d.library.Open(ctx, v, off, n)
		},
		served: d.meter(&m),
	}
	if v.Size <= smallFile && d.small.on() {
		if err := e.file.read(c.UserContext()); err != nil {
			return nil, err
		}
		e.file.open = nil // and with it the plan
		if access.Open(&m) {
			e.header = plainHeader(&e.file, false)
		}
	}
	d.small.put(id, e)
	return e, nil
}

// Plain finds a small file that is open to all and in memory, by the target of the
// request: the header of its whole answer, but for the lines that differ from answer
// to answer, its bytes, and what counts those that are sent. For all else the header is
// nil, and serve answers.
func (d *CDN) Plain(target, accept string) (header, body []byte, served *usage.Meter) {
	path, query, _ := strings.Cut(target, "?")
	id, ext, ok := split(path)
	if !ok {
		return nil, nil, nil
	}
	key := id
	if query != "" {
		key = target
	}
	e, ok := d.small.get(key)
	if ok && e.auto {
		e, ok = d.small.get(forClient(target, accept))
	}
	if !ok || e.header == nil || e.media.Ext != ext {
		return nil, nil, nil
	}
	return e.header, e.file.bytes, e.file.served
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
	case fault.Busy:
		status = fiber.StatusServiceUnavailable
		c.Set(fiber.HeaderRetryAfter, "2")
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
