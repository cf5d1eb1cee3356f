package prose

import (
	"bufio"
	"io"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// prefix begins the ids that a document gives itself, so that none is one of the
// page around it.
const prefix = "s-"

// finish makes HTML without anything active a page: headings that can be linked to,
// links that vouch for nothing, pictures of ours only.
func finish(r io.Reader, own []string) (Page, error) {
	around := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	nodes, err := html.ParseFragment(r, around)
	if err != nil {
		return Page{}, err
	}
	f := finisher{own: own, taken: map[string]int{}}
	for _, n := range nodes {
		around.AppendChild(n)
	}
	f.children(around, false)
	var out strings.Builder
	w := bufio.NewWriter(&bounded{&out, MaxHTML})
	for n := range around.ChildNodes() {
		if err := html.Render(w, n); err != nil {
			return Page{}, err
		}
	}
	if err := w.Flush(); err != nil {
		return Page{}, err
	}
	f.page.HTML = out.String()
	f.page.Headed = headed(around)
	return f.page, nil
}

type finisher struct {
	own   []string
	taken map[string]int // ids of headings
	page  Page
}

func (f *finisher) children(n *html.Node, linked bool) {
	for c := n.FirstChild; c != nil; {
		next := c.NextSibling // c may be replaced
		if c.Type == html.ElementNode {
			f.element(c, linked)
		} else if c.Type != html.TextNode {
			n.RemoveChild(c)
		}
		c = next
	}
}

// element finishes an element, which may be inside a link.
func (f *finisher) element(n *html.Node, linked bool) {
	if id := attribute(n, "id"); id != "" && !strings.HasPrefix(id, notes) {
		set(n, "id", prefix+id)
	}
	switch n.DataAtom {
	case atom.Img:
		f.picture(n, linked)
		return
	case atom.A:
		link(n)
		linked = attribute(n, "href") != ""
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		f.heading(n)
	case atom.P:
		if f.page.Lead == "" {
			f.page.Lead = oneLine(text(n), 200)
		}
	}
	f.children(n, linked)
}

func (f *finisher) heading(n *html.Node) {
	t := oneLine(text(n), 200)
	id := prefix + slug(t)
	if k := f.taken[id]; k > 0 {
		f.taken[id]++
		id += "-" + strconv.Itoa(k)
	}
	f.taken[id]++
	set(n, "id", id)
	if t != "" {
		f.page.Contents = append(f.page.Contents, Heading{int(n.Data[1] - '0'), id, t})
	}
}

// slug is how links name a heading, as on GitHub.
func slug(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r), unicode.IsNumber(r), r == '-', r == '_':
			return unicode.ToLower(r)
		case r == ' ':
			return '-'
		}
		return -1
	}, text)
}

// link leaves a link its address when it leads somewhere from here: into the page, to
// another site, to a letter. What is relative was so on its author's disk.
func link(n *html.Node) {
	href := attribute(n, "href")
	u, err := url.Parse(href)
	switch {
	case err != nil || href == "":
		unset(n, "href")
	case strings.HasPrefix(href, "#"):
		if to := u.Fragment; !strings.HasPrefix(to, notes) {
			set(n, "href", "#"+prefix+strings.ToLower(to))
		}
	case (u.Scheme == "http" || u.Scheme == "https") && u.Host != "":
		set(n, "href", u.String())
		set(n, "rel", "nofollow ugc noopener noreferrer")
	case u.Scheme == "" && u.Host != "":
		u.Scheme = "https"
		set(n, "href", u.String())
		set(n, "rel", "nofollow ugc noopener noreferrer")
	case u.Scheme == "mailto" && u.Opaque != "":
		set(n, "href", "mailto:"+u.Opaque) // without headers: no copies to others, no text that the reader did not write
		set(n, "rel", "nofollow ugc noopener noreferrer")
	default:
		unset(n, "href")
	}
}

// picture shows what comes from here. What comes from elsewhere would tell others who
// reads; it becomes a link, or inside a link its description.
func (f *finisher) picture(n *html.Node, linked bool) {
	src := attribute(n, "src")
	u, err := url.Parse(src)
	if err == nil && f.ours(u) {
		set(n, "loading", "lazy")
		set(n, "decoding", "async")
		return
	}
	if err == nil && u.Scheme == "" && u.Host != "" {
		u.Scheme = "https"
	}
	outside := err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
	label := oneLine(attribute(n, "alt"), 300)
	if label == "" && outside {
		label = u.Host
	}
	instead := &html.Node{Type: html.ElementNode, Data: "span", DataAtom: atom.Span}
	if outside && !linked {
		instead = &html.Node{Type: html.ElementNode, Data: "a", DataAtom: atom.A}
		set(instead, "href", u.String())
		set(instead, "rel", "nofollow ugc noopener noreferrer")
	}
	set(instead, "class", "elsewhere")
	instead.AppendChild(&html.Node{Type: html.TextNode, Data: label})
	n.Parent.InsertBefore(instead, n)
	n.Parent.RemoveChild(n)
}

func (f *finisher) ours(u *url.URL) bool {
	switch u.Scheme {
	case "data":
		return pictures.MatchString(u.String())
	case "http", "https":
		return listed(f.own, u.Host)
	}
	return u.Scheme == "" && u.Host == "" && pictures.MatchString(u.Path)
}

// headed reports whether the first thing in n is a heading of the first level.
func headed(n *html.Node) bool {
	for c := range n.ChildNodes() {
		if c.Type == html.ElementNode {
			return c.DataAtom == atom.H1
		}
		if strings.TrimSpace(c.Data) != "" {
			return false
		}
	}
	return false
}

// text is what n says, without its notes' numbers.
func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode && !strings.HasPrefix(attribute(d.Parent, "class"), "footnote") {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func set(n *html.Node, name, value string) {
	unset(n, name)
	n.Attr = append(n.Attr, html.Attribute{Key: name, Val: value})
}

func unset(n *html.Node, name string) {
	kept := n.Attr[:0]
	for _, a := range n.Attr {
		if a.Key != name {
			kept = append(kept, a)
		}
	}
	n.Attr = kept
}
