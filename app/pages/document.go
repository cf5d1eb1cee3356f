package pages

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/gofiber/fiber/v2"

	"picora/app/access"
	"picora/app/library"
	"picora/app/link"
	"picora/app/usage"
	"picora/media"
	"picora/media/prose"
	"picora/store"
)

// reading is what the page of a document shows.
type reading struct {
	Title, URL, Lead, Cover string
	Script                  string // language of the text, as its letters tell it; empty: unknown
	Tags                    []string
	Updated                 time.Time
	Filename, Size          string
	Download                string

	Headed   bool // the text begins with a title of its own
	Contents []prose.Heading
	HTML     template.HTML // of Markdown, made harmless
	Plain    bool          // Text is shown in its place
	Text     string
	Note     string // before the text

	PDF   bool
	Pages int
}

const (
	// contentsFrom is how many headings a document has that begins with their list.
	contentsFrom = 4
	// contentsLevel is the last level that is listed, and contentsMost how many are.
	contentsLevel = 3
	contentsMost  = 300
)

// document handles GET /d/:id.
func (p *Pages) document(c *fiber.Ctx) error {
	ctx := c.UserContext()
	id := c.Params("id")
	if !store.ValidID(id, store.IDLen) {
		return refuse(c, store.ErrNotFound)
	}
	m, err := p.library.Any(ctx, id)
	if err == nil && m.Kind != store.Doc {
		err = store.ErrNotFound
	}
	if err != nil {
		return refuse(c, err)
	}
	policy, err := p.access.Allowed(c, &m, nil)
	if err != nil {
		return refuse(c, err)
	}
	tag := documentTag(c, &m)
	c.Set(fiber.HeaderETag, tag)
	c.Set(fiber.HeaderCacheControl, string(policy))
	if policy == access.Immutable { // of files; this one's text stays, its look does not
		c.Set(fiber.HeaderCacheControl, "public, max-age=300")
	}
	if !access.Open(&m) {
		c.Set("X-Robots-Tag", "noindex")
	}
	c.Append(fiber.HeaderVary, fiber.HeaderAcceptLanguage)
	if strings.Contains(c.Get(fiber.HeaderIfNoneMatch), tag) {
		c.Status(fiber.StatusNotModified)
		return nil
	}
	turn := p.sheets.turn(ctx)
	defer turn.end()
	data, err := p.read(ctx, &m, string(c.Request().URI().QueryString()), turn.begin)
	if err != nil {
		return refuseDocument(c, err)
	}
	if data.Plain && m.MIME == "text/markdown" { // it may be laid out the next time
		c.Response().Header.Del(fiber.HeaderETag)
		c.Set(fiber.HeaderCacheControl, "no-store")
	}
	if err := render(c, fiber.StatusOK, "document", link.Of(ctx).Sources(), false, false, data); err != nil {
		return err
	}
	n := len(c.Response().Body())
	if c.Method() == fiber.MethodHead {
		return nil
	}
	if err := p.sheets.send(c); err != nil {
		return refuseDocument(c, err)
	}
	p.usage.Meter(m.User, m.Kind).Add(int64(n))
	return nil
}

// refuseDocument is refuse of what was about to be answered as a document.
func refuseDocument(c *fiber.Ctx, err error) error {
	c.Response().Header.Del(fiber.HeaderETag)
	return refuse(c, err)
}

// look changes when the pages' templates do.
var look = func() string {
	h := sha256.New()
	for _, name := range []string{"frame.html", "document.html"} {
		b, _ := files.ReadFile(name) // it is embedded
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil))
}()

// documentTag changes when the page does.
func documentTag(c *fiber.Ctx, m *store.Media) string {
	sum := sha256.Sum256(fmt.Append(nil, look, m.Blob, m.Updated.UnixNano(), language(c), link.Of(c.UserContext()), string(c.Request().URI().QueryString())))
	return `"` + hex.EncodeToString(sum[:12]) + `"`
}

// read puts together what the page of m shows. The query is that of the page, whose
// signature opens the file, too. Begin is asked before its text is read into memory.
func (p *Pages) read(ctx context.Context, m *store.Media, query string, begin func() error) (*reading, error) {
	o := link.Of(ctx)
	r := &reading{
		Title: m.Title, URL: o.Page("/d/" + m.ID), Cover: m.Text.Cover, Tags: m.Tags, Updated: m.Updated.UTC(),
		Filename: m.Filename, Size: usage.Size(m.Size), Download: signed(o.Doc(m.ID, m.Ext), query),
		PDF: m.MIME == media.PDFDocument.MIME, Pages: m.Text.Pages,
	}
	if r.Title == "" {
		r.Title = m.Filename
	}
	if u, err := url.Parse(r.Cover); err != nil || u.Scheme != "http" && u.Scheme != "https" {
		r.Cover = ""
	}
	if r.PDF {
		if _, has := m.Part(store.CoverPart); has {
			r.Cover = signed(o.DocCover(m.ID), query)
		} else {
			r.Note = "There is no preview of this PDF."
		}
		r.Script = letters(r.Title)
		return r, nil
	}
	err := p.layOut(ctx, m, r, begin)
	r.Script = letters(r.Title + r.Lead)
	return r, err
}

// layOut is the text of r: laid out if it is Markdown and can be, else as it is.
func (p *Pages) layOut(ctx context.Context, m *store.Media, r *reading, begin func() error) error {
	r.Plain, r.Note = true, "This is the document's source text."
	if m.MIME == "text/markdown" {
		page, err := p.library.Prose(ctx, m, link.Of(ctx).Hosts(), begin)
		if err == nil {
			r.Plain, r.Note = false, ""
			r.HTML, r.Lead, r.Headed, r.Contents = template.HTML(page.HTML), page.Lead, page.Headed, contents(page.Contents)
			return nil
		}
		if !errors.Is(err, library.ErrNoProse) {
			return err
		}
		r.Note = "This document is too intricate to be laid out here. This is its text."
	}
	if err := begin(); err != nil {
		return err
	}
	text, err := p.library.ReadDoc(ctx, m)
	r.Text = string(prose.Body(text))
	return err
}

// contents are the headings that are listed.
func contents(all []prose.Heading) (list []prose.Heading) {
	for _, h := range all {
		if h.Level <= contentsLevel && len(list) < contentsMost {
			list = append(list, h)
		}
	}
	if len(list) < contentsFrom {
		return nil
	}
	return list
}

// signed is the address with the signature of the page's query, if it has one.
func signed(address, query string) string {
	q, err := url.ParseQuery(query)
	if err != nil || q.Get("sig") == "" {
		return address
	}
	kept := url.Values{"sig": q["sig"]}
	if q.Has("exp") {
		kept["exp"] = q["exp"]
	}
	return address + "?" + kept.Encode()
}

// letters tells by its letters in which language a text is, as far as that changes how
// letters are drawn.
func letters(text string) string {
	han := 0
	for _, r := range text {
		switch {
		case unicode.In(r, unicode.Hiragana, unicode.Katakana):
			return "ja"
		case unicode.Is(unicode.Hangul, r):
			return "ko"
		case unicode.Is(unicode.Han, r):
			han++
		}
	}
	if han > 2 {
		return "zh-CN"
	}
	return ""
}
