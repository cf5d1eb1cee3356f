// Package pages is what people see who open a link that is no file: a document, a
// gallery, a player. Each page is whole: it asks no other server for anything.
package pages

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"log/slog"
	"strings"

	"github.com/gofiber/fiber/v2"

	"picora/app/access"
	"picora/app/auth"
	"picora/app/fault"
	"picora/app/library"
	"picora/app/usage"
	"picora/store"
)

// Pages serves the pages.
type Pages struct {
	library *library.Library
	access  *access.Rule
	usage   *usage.Usage
	signer  *auth.Signer

	pictures pictures
	sheets   sheets
}

// New puts the surface together.
func New(l *library.Library, a *access.Rule, u *usage.Usage) *Pages {
	return &Pages{library: l, access: a, usage: u, sheets: newSheets()}
}

// UseFeeds serves podcast feeds and oEmbed; s signs addresses in them. It is called
// before the start.
func (p *Pages) UseFeeds(s *auth.Signer) { p.signer = s }

// Mount adds the routes.
func (p *Pages) Mount(r fiber.Router) {
	r.Get("/page/:name", p.asset)
	r.Get("/d/:id", p.document)
	r.Get("/embed/audio/:id", p.player)
	r.Get("/embed/video/:id", p.film)
	r.Get("/embed/video/:id/state", p.filmState)
	if p.signer != nil {
		f := &feeds{library: p.library, usage: p.usage, signer: p.signer, writing: make(chan struct{}, feedsAtOnce)}
		r.Get("/oembed", f.oembed)
		r.Get("/feed/:name", f.feed)
		r.Get("/feed/:name/:id", f.chapters)
	}
	r.Get("/c/:slug", p.gallery)
}

// files are the templates, and under assets what they refer to.
//
//go:embed *.html assets
var files embed.FS

// templates are the pages; each defines "title" and "body", and fills the frame.
var templates = parse()

func parse() map[string]*template.Template {
	frame := template.Must(template.ParseFS(files, "frame.html"))
	all := map[string]*template.Template{}
	list, _ := files.ReadDir(".")
	for _, f := range list {
		if name := f.Name(); strings.HasSuffix(name, ".html") && name != "frame.html" {
			all[strings.TrimSuffix(name, ".html")] = template.Must(template.Must(frame.Clone()).ParseFS(files, name))
		}
	}
	return all
}

// page is what a template is given.
type page struct {
	Lang string // en or zh-CN
	Say  func(string) string
	Data any
}

// policy is what a page may do: show what this server has, and nothing else. Scripts
// are said apart.
const policy = "default-src 'none'; img-src 'self' data: MEDIA; media-src 'self' MEDIA; style-src 'self'; base-uri 'none'; form-action 'none'"

// render answers with a page. Files may come from the origins media as well.
func render(c *fiber.Ctx, status int, name, media string, scripts, framed bool, data any) error {
	lang := language(c)
	var b bytes.Buffer
	if err := templates[name].ExecuteTemplate(&b, "frame", page{lang, func(s string) string { return say(lang, s) }, data}); err != nil {
		return err
	}
	csp := strings.ReplaceAll(policy, "MEDIA", media)
	if scripts {
		csp += "; script-src 'self'; connect-src 'self' " + media
	}
	if !framed {
		csp += "; frame-ancestors 'none'"
	}
	c.Set(fiber.HeaderContentSecurityPolicy, csp)
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderReferrerPolicy, "same-origin") // files that only our pages may show look at it
	c.Append(fiber.HeaderVary, fiber.HeaderAcceptLanguage)
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	c.Status(status)
	return c.Send(b.Bytes())
}

// refuse answers an error with a page that says what is wrong.
func refuse(c *fiber.Ctx, err error) error {
	f := fault.From(err)
	status, text := fiber.StatusInternalServerError, f.Message
	switch {
	case errors.Is(err, store.ErrNotFound), f.Code == fault.NotFound:
		status, text = fiber.StatusNotFound, "There is no such page here. It may have been deleted."
	case f.Code == fault.Forbidden, f.Code == fault.Unauthorized, f.Code == fault.KeyRevoked:
		status = fiber.StatusForbidden
	case f.Code == fault.Busy:
		status = fiber.StatusServiceUnavailable
		c.Set(fiber.HeaderRetryAfter, "2")
	default:
		slog.Error("page not served", "id", c.GetRespHeader(fiber.HeaderXRequestID), "path", c.Path(), "err", err)
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set("X-Robots-Tag", "noindex")
	return render(c, status, "refused", "", false, true, text)
}
