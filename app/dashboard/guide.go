package dashboard

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// contents is the page that lists the others: its headings and links are the navigation.
const contents = "index"

//go:embed guide.html
var guideFrame string

// guide is the book in web/guide: Markdown, which is made into pages when the first is
// asked for.
type guide struct {
	read func() (*book, error)
}

type book struct {
	frame    *template.Template
	files    fs.FS
	pages    map[string]*chapter
	groups   []group
	sections []section
}

// group is a part of the navigation.
type group struct {
	Title string
	Links []entry
}

type entry struct{ Name, Title string }

// chapter is a page of the guide.
type chapter struct {
	Name, Title, Lang string
	Top, HTML         template.HTML // the title, and what is under it
	Headings          []heading     // of the second level
}

type heading struct{ ID, Title string }

func newGuide(files fs.FS) *guide {
	return &guide{sync.OnceValues(func() (*book, error) { return readBook(files) })}
}

func readBook(files fs.FS) (*book, error) {
	b := &book{files: files, pages: map[string]*chapter{}}
	var err error
	if b.frame, err = template.New("guide").Parse(guideFrame); err != nil {
		return nil, err
	}
	names, err := fs.Glob(files, "*.md")
	if err != nil {
		return nil, err
	}
	for _, file := range names {
		src, err := fs.ReadFile(files, file)
		if err != nil {
			return nil, err
		}
		if err := b.add(strings.TrimSuffix(file, ".md"), src); err != nil {
			return nil, fmt.Errorf("guide: %s: %w", file, err)
		}
	}
	return b, nil
}

// add makes a page of src.
func (b *book) add(name string, src []byte) error {
	md := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithParserOptions(parser.WithAutoHeadingID()))
	doc := md.Parser().Parse(text.NewReader(src))
	p := &chapter{Name: name, Lang: "en"}
	if strings.HasSuffix(name, "zh-CN") {
		p.Lang = "zh-CN"
	}
	b.take(p, doc, src)
	var out bytes.Buffer
	if err := md.Renderer().Render(&out, src, doc); err != nil {
		return err
	}
	top, rest, _ := strings.Cut(out.String(), "</h1>\n")
	p.Top, p.HTML = template.HTML(top+"</h1>"), template.HTML(reachable.Replace(rest))
	b.pages[name] = p
	return nil
}

// reachable lets who has no mouse scroll what may be wider than the page.
var reachable = strings.NewReplacer(
	"<table>", `<div class="scroll" role="group" aria-label="Table" tabindex="0"><table>`, "</table>", "</table></div>",
	"<pre>", `<pre tabindex="0">`)

// take reads what doc has for the navigation and the search, and has its links lead to
// pages.
func (b *book) take(p *chapter, doc ast.Node, src []byte) {
	for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
		if h, ok := n.(*ast.Heading); ok {
			id, _ := h.AttributeString("id")
			title := plain(h, src)
			switch {
			case h.Level == 1 && p.Title == "":
				p.Title = title
			case h.Level == 2:
				p.Headings = append(p.Headings, heading{string(id.([]byte)), title})
			}
			if p.Name == contents && h.Level == 2 {
				b.groups = append(b.groups, group{Title: title})
			}
			b.sections = append(b.sections, section{page: p, id: string(id.([]byte)), title: title, level: h.Level})
			continue
		}
		if len(b.sections) > 0 && b.sections[len(b.sections)-1].page == p {
			s := &b.sections[len(b.sections)-1]
			s.text += plain(n, src) + " "
		}
		_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
			if entering {
				b.lead(p, n, src)
			}
			return ast.WalkContinue, nil
		})
	}
}

// lead turns links between the files into links between the pages.
func (b *book) lead(p *chapter, n ast.Node, src []byte) {
	switch n := n.(type) {
	case *ast.Link:
		to := string(n.Destination)
		file, anchor, _ := strings.Cut(to, "#")
		if name, ok := strings.CutSuffix(file, ".md"); ok && !strings.Contains(to, ":") {
			n.Destination = []byte(strings.TrimSuffix("/guide/"+name+"#"+anchor, "#"))
			if p.Name == contents && len(b.groups) > 0 {
				g := &b.groups[len(b.groups)-1]
				g.Links = append(g.Links, entry{name, plain(n, src)})
			}
		} else if strings.Contains(to, "://") {
			n.SetAttributeString("rel", []byte("noreferrer"))
		}
	case *ast.Image:
		if !strings.Contains(string(n.Destination), ":") {
			n.Destination = append([]byte("/guide/"), n.Destination...)
		}
		n.SetAttributeString("loading", []byte("lazy"))
	}
}

// plain is what n says.
func plain(n ast.Node, src []byte) string {
	var out strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.Text:
			if entering {
				out.Write(n.Segment.Value(src))
				if n.SoftLineBreak() || n.HardLineBreak() {
					out.WriteByte(' ')
				}
			}
		case *ast.String:
			if entering {
				out.Write(n.Value)
			}
		case *ast.AutoLink:
			if entering {
				out.Write(n.Label(src))
			}
		default:
			if !entering && n.Type() == ast.TypeBlock {
				out.WriteByte(' ')
			} else if entering && n.Type() == ast.TypeBlock && n.FirstChild() == nil {
				out.Write(n.Lines().Value(src))
			}
		}
		return ast.WalkContinue, nil
	})
	return strings.Join(strings.Fields(out.String()), " ")
}

// guidePage handles GET /guide and what is under it.
func (d *Dashboard) guidePage(c *fiber.Ctx) error {
	b, err := d.guide.read()
	if err != nil {
		return err
	}
	name := c.Params("name")
	if query := c.Query("q"); name == "" && query != "" {
		return b.sendFound(c, query)
	}
	if name == "" {
		name = contents
	}
	if page, ok := b.pages[name]; ok {
		return b.sendPage(c, view{Page: page, Groups: b.groups})
	}
	return b.sendFile(c, name)
}

// view is what the frame shows.
type view struct {
	Page   *chapter
	Groups []group
	Query  string
	Found  []found
}

// Around are the pages before and after this one.
func (v view) Around() (around [2]*entry) {
	var before *entry
	for i := range v.Groups {
		for j := range v.Groups[i].Links {
			at := &v.Groups[i].Links[j]
			if before != nil && before.Name == v.Page.Name {
				around[1] = at
			}
			if at.Name == v.Page.Name {
				around[0] = before
			}
			before = at
		}
	}
	return around
}

func (b *book) sendPage(c *fiber.Ctx, v view) error {
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer")
	c.Set(fiber.HeaderContentSecurityPolicy, guidePolicy)
	var out bytes.Buffer
	if err := b.frame.Execute(&out, v); err != nil {
		return err
	}
	return sendTagged(c, out.Bytes())
}

// sendFile sends a style, script or picture of the guide.
func (b *book) sendFile(c *fiber.Ctx, name string) error {
	kind := assetType(name)
	if kind == "" || !fs.ValidPath(name) {
		return fiber.ErrNotFound
	}
	bytes, err := fs.ReadFile(b.files, name)
	if errors.Is(err, fs.ErrNotExist) {
		return fiber.ErrNotFound
	}
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, kind)
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	return sendTagged(c, bytes)
}

// sendTagged sends b, unless the client has it.
func sendTagged(c *fiber.Ctx, b []byte) error {
	tag := etag(b)
	c.Set(fiber.HeaderCacheControl, "no-cache")
	c.Set(fiber.HeaderETag, tag)
	if c.Get(fiber.HeaderIfNoneMatch) == tag {
		return c.SendStatus(fiber.StatusNotModified)
	}
	if strings.HasPrefix(string(c.Response().Header.ContentType()), "text/") {
		return sendPage(c, b)
	}
	return c.Send(b)
}
