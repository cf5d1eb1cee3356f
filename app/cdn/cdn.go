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
	"picora/app/notice"
	"picora/app/saveas"
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
	films   *cache       // records of videos, and where the pieces of their tracks lie
	usage   *usage.Usage // nil: nobody counts

	transforms string // who may have which, see config.Images
	variants   map[string]media.Query

	redirects bool // see UseRedirects
}

// New puts the surface together. CacheBytes is the memory for small files.
func New(l *library.Library, a *access.Rule, s *auth.Signer, cacheBytes int64) *CDN {
	d := &CDN{library: l, access: a, signer: s, small: newCache(cacheBytes), films: newCache(filmMemory)}
	l.OnEdit(func(id string) { d.small.drop(id); d.films.drop(id) })
	l.OnForget(func() { d.small.forget(); d.films.forget() })
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

// UseRedirects leads clients to the store of the blobs for large files that are open to
// all. It is called before the start.
func (d *CDN) UseRedirects() { d.redirects = true }

// Mount adds the routes.
func (d *CDN) Mount(r fiber.Router) {
	for _, route := range Routes() {
		r.Get(route, d.serve)
	}
}

// serve handles GET and HEAD of all addresses.
func (d *CDN) serve(c *fiber.Ctx) error {
	at, ok := split(c.Path())
	if !ok {
		return refuse(c, store.ErrNotFound)
	}
	if at.kind == store.Video {
		return d.serveFilm(c, at)
	}
	e, err := d.find(c, at)
	if err != nil {
		return refuse(c, err)
	}
	var q media.Query
	if at.kind == store.Image {
		q, err = d.query(c)
	} else {
		err = noQuery(c)
	}
	if err != nil {
		return refuse(c, err)
	}
	p, err := d.allowed(c, &e.media, at.part)
	if err != nil {
		return refuse(c, err)
	}
	if q.Asked() && transforms(&e.media, &q) {
		return d.sendVariant(c, e, q, p)
	}
	if e.file.open == nil && e.file.bytes == nil {
		return d.pending(c, e)
	}
	if e.changes {
		p = mayChange(p)
	}
	return send(c, &e.file, p)
}

// find reads the entry of a file from memory or from the store.
func (d *CDN) find(c *fiber.Ctx, at address) (*entry, error) {
	key := at.key(c.Path())
	e, ok := d.small.get(key)
	if !ok {
		e = &entry{edits: d.small.begin(at.id)}
		m, err := d.library.Any(c.UserContext(), at.id)
		if err != nil {
			return nil, err
		}
		if m.Kind != at.kind {
			return nil, store.ErrNotFound
		}
		if at.part == "" && m.Ext != at.ext { // nor is it kept: there are as many as somebody thinks of
			return nil, store.ErrNotFound
		}
		if err := d.fill(c.UserContext(), e, &m, at); err != nil {
			return nil, err
		}
		if e.file.open != nil || e.file.bytes != nil {
			d.small.put(key, e)
		}
	}
	if at.part == "" && e.media.Ext != at.ext {
		return nil, store.ErrNotFound
	}
	return e, nil
}

// fill describes the file at the address of m.
func (d *CDN) fill(ctx context.Context, e *entry, m *store.Media, at address) error {
	e.media = *m
	e.media.Plan = nil                                        // parsed into the delivery
	e.media.Sound, e.media.Text = store.Sound{}, store.Text{} // nobody asks here
	if at.part != "" {
		if err := d.part(e, m, at); err != nil {
			return err
		}
	} else if err := d.original(e, m); err != nil {
		return err
	}
	f := &e.file
	f.changed, f.modified = m.Updated, httpDate(m.Updated) // not Created: an edit may change what is delivered
	f.served = d.meter(m)
	if f.open == nil || f.size > smallFile || !d.small.on() {
		return nil
	}
	if err := f.read(ctx); err != nil {
		return err
	}
	f.open = nil // and with it the plan
	if !e.changes && f.saveAs == "" && access.Open(m) {
		e.header = plainHeader(f, false)
	}
	return nil
}

// original describes the file of m itself.
func (d *CDN) original(e *entry, m *store.Media) error {
	v, err := d.library.Delivery(m)
	if err != nil {
		return err
	}
	if m.Kind == store.Doc { // its hash is that of its source
		v = d.library.Part(store.Part{Blob: m.Blob, Size: m.BlobSize})
	}
	e.file.size, e.file.mime, e.file.etag = v.Size, m.MIME, v.ETag
	e.file.open = func(ctx context.Context, off, n int64) (*library.Content, error) {
		return d.library.Open(ctx, v, off, n)
	}
	d.elsewhere(&e.file, m, v)
	if m.Kind == store.Doc {
		e.changes = true // with its next revision
		e.file.saveAs = saveas.Attachment(m.Filename)
		if strings.HasPrefix(m.MIME, "text/") {
			e.file.mime = m.MIME + "; charset=utf-8"
		}
	}
	return nil
}

// part describes a file that was made of m's, or came inside it.
func (d *CDN) part(e *entry, m *store.Media, at address) error {
	p, ok := m.Part(at.part)
	if at.part == store.CoverPart && at.kind == store.Audio && (!ok || at.ext == "svg") {
		b, tag := drawing(m.MIME)
		e.file.size, e.file.mime, e.file.etag, e.file.bytes = int64(len(b)), media.SVG.MIME, tag, b
		return nil
	}
	if !ok && at.part == store.PeaksPart && !m.Sound.Measured {
		return nil // not yet
	}
	if !ok {
		return store.ErrNotFound
	}
	v := d.library.Part(p)
	e.file.size, e.file.mime, e.file.etag = v.Size, p.MIME, v.ETag
	e.file.open = func(ctx context.Context, off, n int64) (*library.Content, error) {
		return d.library.Open(ctx, v, off, n)
	}
	d.elsewhere(&e.file, m, v)
	e.changes = at.part == store.SoundPart || at.kind == store.Doc
	return nil
}

// Plain finds a small file that is open to all and in memory, by the target of the
// request: the header of its whole answer, but for the lines that differ from answer
// to answer, its bytes, and what counts those that are sent. For all else the header is
// nil, and serve answers.
func (d *CDN) Plain(target, accept string) (header, body []byte, served *usage.Meter) {
	path, query, _ := strings.Cut(target, "?")
	at, ok := split(path)
	if !ok || at.kind == store.Video {
		return nil, nil, nil
	}
	key := at.key(path)
	if query != "" {
		key = target
	}
	e, ok := d.small.get(key)
	if ok && e.auto {
		e, ok = d.small.get(forClient(target, accept))
	}
	if !ok || e.header == nil || at.part == "" && e.media.Ext != at.ext {
		return nil, nil, nil
	}
	return e.header, e.file.bytes, e.file.served
}

// pending answers that the file is still being made, and has it made next.
func (d *CDN) pending(c *fiber.Ctx, e *entry) error {
	d.library.HearSoon(e.media.ID)
	h := &c.Response().Header
	h.Set(fiber.HeaderCacheControl, "no-store")
	h.Set(fiber.HeaderRetryAfter, "2")
	security(h)
	return c.Status(fiber.StatusAccepted).JSON(map[string]any{"status": "processing", "progress": d.library.Hearing(e.media.ID)})
}

// refuse answers an error with one plain sentence, and a browser that opens the link
// as a page with a page.
func refuse(c *fiber.Ctx, err error) error {
	f := fault.From(err)
	status := fiber.StatusInternalServerError
	switch f.Code {
	case fault.NotFound:
		if errors.Is(err, errMissingBytes) {
			slog.Error("the bytes of a file are missing", "id", c.GetRespHeader(fiber.HeaderXRequestID), "path", c.Path(), "err", err)
		}
		status = fiber.StatusNotFound
		if !errors.Is(err, errNoFilm) {
			f = fault.New(fault.NotFound, "There is no such file here. It may have been deleted.")
		}
	case fault.Forbidden, fault.Unauthorized, fault.KeyRevoked:
		status = fiber.StatusForbidden
	case fault.Suspended:
		status = fiber.StatusUnavailableForLegalReasons
	case fault.InvalidParams:
		status = fiber.StatusBadRequest
	case fault.Busy:
		status = fiber.StatusServiceUnavailable
		c.Set(fiber.HeaderRetryAfter, "2")
	default:
		slog.Error("file not served", "id", c.GetRespHeader(fiber.HeaderXRequestID), "path", c.Path(), "err", err)
	}
	h := &c.Response().Header
	for _, name := range []string{fiber.HeaderETag, fiber.HeaderLastModified, fiber.HeaderAcceptRanges, fiber.HeaderContentRange, fiber.HeaderContentEncoding} {
		h.Del(name) // of the file that was to be sent
	}
	h.Set(fiber.HeaderCacheControl, "no-store")
	h.Set("X-Picora-Error", string(f.Code))
	security(h)
	c.Status(status)
	c.Append(fiber.HeaderVary, fiber.HeaderAccept, fiber.HeaderAcceptLanguage)
	if notice.Wanted(c.Get(fiber.HeaderAccept)) {
		b, err := notice.Notice{Status: status, Text: f.Message, Request: requestOf(c, status)}.Page(c.Get(fiber.HeaderAcceptLanguage))
		if err == nil {
			h.Set(fiber.HeaderContentSecurityPolicy, notice.Policy)
			h.SetContentType(fiber.MIMETextHTMLCharsetUTF8)
			return c.Send(b)
		}
	}
	h.SetContentType(fiber.MIMETextPlainCharsetUTF8)
	return c.SendString(f.Message + "\n")
}

// requestOf is the request's id where the log has more to say than the answer.
func requestOf(c *fiber.Ctx, status int) string {
	if status != fiber.StatusInternalServerError {
		return ""
	}
	return c.GetRespHeader(fiber.HeaderXRequestID)
}

var errMissingBytes = errors.New("cdn: the file's bytes are missing")
