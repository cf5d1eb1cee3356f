package cdn

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"picora/app/access"
	"picora/app/fault"
	"picora/app/library"
	"picora/media"
	"picora/store"
)

// Policies for pictures that were made, see access.Policy.
const (
	// interim is for one that stands in for a better one, which is being made.
	interim access.Policy = "public, max-age=60"
	// preview is for what is only looked at, once.
	preview access.Policy = "no-store"
	// revised is for what its owner may change under its address: a picture with a
	// watermark, a document.
	revised access.Policy = "public, no-cache"
	// revisedPerPage is the same where only some pages may show it.
	revisedPerPage access.Policy = "private, no-cache"
)

// mayChange is the policy p for a file whose address may have other bytes one day.
func mayChange(p access.Policy) access.Policy {
	switch p {
	case access.Immutable:
		return revised
	case access.PerPage:
		return revisedPerPage
	}
	return p
}

// idle are the parameters that change nothing.
var idle = []string{"v", "t", "fbclid", "gclid", "msclkid", "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"}

// query reads the parameters of an address. One that means nothing here is refused, so
// that a mistyped one is not taken for the picture that was meant. The signature
// what people add to get past caches, and what others add to links to see who follows them,
// are let through.
func (d *CDN) query(c *fiber.Ctx) (q media.Query, err error) {
	var p media.QueryParser
	for k, v := range c.Context().QueryArgs().All() {
		switch name := string(k); {
		case name == "sig", name == "exp", slices.Contains(idle, name):
		default:
			if err := p.Add(name, string(v)); errors.Is(err, media.ErrNotParam) {
				return q, fault.New(fault.InvalidParams, "The parameter %q means nothing here.", k)
			} else if err != nil {
				return q, fault.New(fault.InvalidParams, "The parameters make no picture: %v.", err)
			}
		}
	}
	if q, err = p.Query(); err != nil {
		return q, fault.New(fault.InvalidParams, "The parameters make no picture: %v.", err)
	}
	if !q.Asked() {
		return q, nil
	}
	if d.variants == nil {
		return q, fault.New(fault.InvalidParams, "This server does not make pictures of pictures.")
	}
	if q.Variant == "" {
		return q, nil
	}
	v, known := d.variants[q.Variant]
	if !known {
		return q, fault.New(fault.InvalidParams, "This server has no variant %q.", q.Variant)
	}
	v.Variant, v.Preview = q.Variant, q.Preview
	return v, nil
}

// noQuery refuses what query does, of files of which no others are made.
func noQuery(c *fiber.Ctx) error {
	for k := range c.Context().QueryArgs().All() {
		if name := string(k); name != "sig" && name != "exp" && !slices.Contains(idle, name) {
			return fault.New(fault.InvalidParams, "The parameter %q means nothing here.", k)
		}
	}
	return nil
}

// transforms reports whether q makes another picture of m. An SVG has every size
// already, but no watermark.
func transforms(m *store.Media, q *media.Query) bool {
	return m.MIME != media.SVG.MIME || q.Format != "" || q.Watermark != ""
}

// sendVariant answers with the picture that q makes of the entry's.
func (d *CDN) sendVariant(c *fiber.Ctx, e *entry, q media.Query, p access.Policy) error {
	if e.media.MIME == media.SVG.MIME {
		return refuse(c, fault.New(fault.InvalidParams, "An SVG is a drawing, not pixels: this server does not convert it. Leave fmt and wm out."))
	}
	forAll, err := d.mayTransform(c, &e.media, &q)
	if err != nil {
		return refuse(c, err)
	}
	accept := c.Get(fiber.HeaderAccept)
	spec := q.Spec
	switch {
	case q.Auto:
		spec.Format = autoFormat(&e.media, accept)
		c.Response().Header.Add(fiber.HeaderVary, fiber.HeaderAccept)
	case spec.Format == "":
		spec.Format = ownFormat(&e.media)
	}
	changed := e.media.Created
	if q.Watermark != "" {
		w, err := d.watermark(c, &e.media, q.Watermark)
		if err != nil {
			return refuse(c, err)
		}
		spec.Mark = library.Mark(&w)
		if w.Updated.After(changed) {
			changed = w.Updated
		}
	}
	v, err := d.library.Variant(c.UserContext(), &e.media, spec)
	if errors.Is(err, library.ErrNotMade) && spec.Mark != nil { // the original would give away what the mark protects
		err = &fault.Error{Code: fault.Busy, Message: "The picture with its watermark could not be made. Try again in a minute.", Cause: err}
	} else if errors.Is(err, library.ErrNotMade) {
		return d.sendInstead(c, e, p)
	}
	if err != nil {
		return refuse(c, err)
	}
	f := &file{
		size: v.Size, mime: v.MIME, etag: v.ETag, changed: changed, modified: httpDate(changed),
		open:   func(_ context.Context, off, n int64) (*library.Content, error) { return v.Open(off, n), nil },
		served: d.meter(&e.media),
	}
	switch {
	case q.Preview:
		p = preview
	case q.Watermark != "" && p != access.Personal: // nor is it kept in memory
		p = mayChange(p)
	case p == access.Immutable && v.Interim:
		p = interim
	case p == access.Immutable && forAll && v.Size <= smallFile && d.small.on():
		if err := f.read(c.UserContext()); err != nil {
			return refuse(c, err)
		}
		d.keepPlain(string(c.Request().RequestURI()), accept, e, f, q.Auto)
	}
	if err := send(c, f, p); err != nil {
		return err
	}
	if !c.Response().IsBodyStream() {
		v.Close() // nothing was opened, or it is read
	}
	return nil
}

// sendInstead answers with the picture itself where another of it cannot be made, but
// only those who may have it: a signature for a small or blurred one opens no more.
func (d *CDN) sendInstead(c *fiber.Ctx, e *entry, p access.Policy) error {
	args := c.Context().QueryArgs()
	own := access.Open(&e.media) || d.access.Owner(c, e.media.User) || d.signer.LinkValid(e.media.ID, string(args.Peek("sig")), string(args.Peek("exp")), time.Now())
	if !own && p == access.Personal {
		return refuse(c, fault.New(fault.Busy, "This picture cannot be made just now. Try again in a moment."))
	}
	if p == access.Immutable {
		p = interim
	}
	return send(c, &e.file, p)
}

// watermark finds a watermark of the owner of m's. Others' are none.
func (d *CDN) watermark(c *fiber.Ctx, m *store.Media, id string) (store.Watermark, error) {
	w, err := d.library.Watermark(c.UserContext(), m.User, id)
	if errors.Is(err, store.ErrNotFound) {
		err = fault.New(fault.InvalidParams, "The owner of this picture has no watermark %q.", id)
	}
	return w, err
}

// keepPlain keeps an answer that is the same to all, for Plain.
func (d *CDN) keepPlain(target, accept string, e *entry, f *file, auto bool) {
	if len(target) > 200 {
		return
	}
	f.open = nil
	plain := &entry{media: e.media, edits: e.edits, file: *f, header: plainHeader(f, auto)}
	if auto {
		d.small.put(target, &entry{media: e.media, edits: e.edits, auto: true})
		target = forClient(target, accept)
	}
	d.small.put(target, plain)
}

// forClient is the key of what clients with that Accept get of an automatic format.
func forClient(target, accept string) string { return target + "\x00" + bestFormat(accept) }

// mayTransform decides who may have which picture made, and says whether all may who
// know the address.
func (d *CDN) mayTransform(c *fiber.Ctx, m *store.Media, q *media.Query) (forAll bool, err error) {
	switch {
	case d.transforms == "any", d.transforms == "named" && q.Variant != "", d.signed(c, m):
		return true, nil
	case d.access.Owner(c, m.User):
		return false, nil
	case q.Variant != "":
		return false, fault.New(fault.Forbidden, "This server makes variants for signed links only.")
	}
	return false, fault.New(fault.Forbidden, "This server makes pictures in sizes of its own choice: ask for ?variant=%s, or for a signed link.",
		strings.Join(d.variantNames(), ", "))
}

func (d *CDN) variantNames() (names []string) {
	for n := range d.variants {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// signed reports whether the request's parameters carry a signature of all of them.
func (d *CDN) signed(c *fiber.Ctx, m *store.Media) bool {
	if !c.Context().QueryArgs().Has("sig") {
		return false
	}
	params, err := url.ParseQuery(string(c.Context().QueryArgs().QueryString()))
	for _, name := range idle {
		params.Del(name)
	}
	return err == nil && d.signer.TransformValid(m.ID, params, time.Now())
}

// ownFormat is the format that a picture keeps when no other is asked for.
func ownFormat(m *store.Media) string {
	switch m.MIME {
	case media.JPEG.MIME:
		return "jpeg"
	case media.GIF.MIME:
		return "gif"
	case media.WebP.MIME:
		return "webp"
	case "image/avif":
		return "avif"
	}
	return "png"
}

// autoFormat is the best format of m for a client. One that takes neither AVIF nor
// WebP takes what every browser ever did.
func autoFormat(m *store.Media, accept string) string {
	best := bestFormat(accept)
	switch {
	case best == "avif" && m.Frames > 1:
		return "webp" // what is made as AVIF does not move
	case best != "":
		return best
	case m.Frames > 1:
		return "gif"
	case m.MIME == media.JPEG.MIME || m.Seen && m.Look.Colour != "" && !m.Look.Alpha:
		return "jpeg"
	}
	return "png"
}

// bestFormat is the best format that a client says it shows: "avif", "webp", or ""
// for neither. A type counts only by its name: */* is said by programs that show
// nothing.
func bestFormat(accept string) (best string) {
	for part := range strings.SplitSeq(accept, ",") {
		name, params, _ := strings.Cut(part, ";")
		if q, given := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q="); given {
			if weight, err := strconv.ParseFloat(q, 64); err != nil || weight == 0 {
				continue
			}
		}
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "image/avif":
			return "avif"
		case "image/webp":
			best = "webp"
		}
	}
	return best
}
