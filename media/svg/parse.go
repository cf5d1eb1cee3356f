package svg

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"picora/media"
)

// parser builds the tree of what may stay.
type parser struct {
	dec   *xml.Decoder
	bare  bool    // the file declares no namespace
	open  []*node // elements that are open; nil stands for none yet
	nodes int
	tags  int
	rules []rule
}

// parse reads raw up to the end of its root element; what follows that is
// dropped like the rest behind any other picture.
func parse(raw []byte) (*node, []rule, error) {
	p := &parser{dec: xml.NewDecoder(bytes.NewReader(raw))}
	ascii := !slices.ContainsFunc(raw, func(c byte) bool { return c >= 0x80 })
	p.dec.CharsetReader = func(charset string, r io.Reader) (io.Reader, error) {
		if !ascii {
			return nil, media.Unsupported(fmt.Sprintf("the SVG says that it is written in %.40q; save it as UTF-8", charset))
		}
		return r, nil // plain ASCII, the same in every encoding
	}
	root, err := p.root()
	if err == nil {
		err = p.body(root)
	}
	if err != nil {
		return nil, nil, plain(err)
	}
	return root, p.rules, nil
}

// plain makes a sentence of what the XML decoder says.
func plain(err error) error {
	if media.Reason(err) != "" {
		return err
	}
	if syntax, ok := errors.AsType[*xml.SyntaxError](err); ok {
		return media.Corrupt(fmt.Sprintf("the SVG is not well-formed XML: %s in line %d", syntax.Msg, syntax.Line))
	}
	if err == io.EOF {
		return media.Corrupt("there is no svg element in the file")
	}
	return media.Corrupt("the SVG is not well-formed XML")
}

// root reads up to and with the start of the root element.
func (p *parser) root() (*node, error) {
	for {
		tok, err := p.dec.Token()
		if err != nil {
			return nil, err
		}
		switch tok := tok.(type) {
		case xml.Directive:
			if err := directive(tok); err != nil {
				return nil, err
			}
		case xml.CharData:
			if len(bytes.TrimSpace(tok)) > 0 {
				return nil, media.Corrupt("the SVG is not well-formed XML: text in front of its root")
			}
		case xml.StartElement:
			p.bare = tok.Name.Space == ""
			if tok.Name.Local != "svg" || !p.ours(tok.Name.Space) {
				return nil, media.Corrupt("the root of the file is not an svg element of the SVG namespace")
			}
			attrs, err := p.attrs(tok)
			return &node{name: "svg", attrs: attrs}, err
		}
	}
}

// directive drops a DOCTYPE but refuses one that declares entities: they can
// grow without bound and stand for what other programs would read.
func directive(d xml.Directive) error {
	if bytes.Contains(bytes.ToUpper(d), []byte("!ENTITY")) {
		return media.Unsupported("the SVG declares entities, which are not supported; save it as plain SVG (in Illustrator: without \"Preserve Illustrator Editing Capabilities\")")
	}
	return nil
}

// ours says whether a namespace is SVG. In a file without namespaces, no
// namespace is.
func (p *parser) ours(space string) bool {
	return space == nsSVG || space == "" && p.bare
}

// body reads what is in the root.
func (p *parser) body(root *node) error {
	p.open = []*node{root}
	for len(p.open) > 0 {
		tok, err := p.dec.Token()
		if err == io.EOF {
			return media.Corrupt("the SVG is cut off: its end is missing")
		}
		if err != nil {
			return err
		}
		switch tok := tok.(type) {
		case xml.Directive:
			err = directive(tok)
		case xml.CharData:
			err = p.text(string(tok))
		case xml.StartElement:
			err = p.start(tok)
		case xml.EndElement:
			p.end()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) top() *node { return p.open[len(p.open)-1] }

// text adds text to the open element if it means something there.
func (p *parser) text(s string) error {
	top := p.top()
	if !textual[top.name] || s == "" {
		return nil
	}
	top.kids = append(top.kids, &node{text: s})
	return p.count()
}

// count counts one more node.
func (p *parser) count() error {
	if p.nodes++; p.nodes > maxNodes {
		return media.Unsupported(fmt.Sprintf("the SVG has more than %d elements", maxNodes))
	}
	return nil
}

// start opens an element, or passes over it and all that is in it.
func (p *parser) start(tok xml.StartElement) error {
	if err := p.tag(); err != nil {
		return err
	}
	top, name := p.top(), tok.Name.Local
	if !p.ours(tok.Name.Space) || leaves[top.name] || name != "a" && !elements[name] {
		return p.skip()
	}
	if len(p.open) >= maxDepth {
		return errDeep
	}
	if name == "a" {
		p.open = append(p.open, top) // its contents become those of its parent
		return nil
	}
	attrs, err := p.attrs(tok)
	if err != nil {
		return err
	}
	n := &node{name: name, attrs: attrs}
	if !n.sound() {
		return p.skip()
	}
	top.kids = append(top.kids, n)
	p.open = append(p.open, n)
	return p.count()
}

// tag counts one more element, kept or not.
func (p *parser) tag() error {
	if p.tags++; p.tags > maxTags {
		return media.Unsupported(fmt.Sprintf("the SVG has more than %d elements", maxTags))
	}
	return nil
}

// skip reads to the end of an element that is dropped.
func (p *parser) skip() error {
	for depth := 1; depth > 0; {
		tok, err := p.dec.Token()
		if err != nil {
			return err
		}
		switch tok.(type) {
		case xml.StartElement:
			if err := p.tag(); err != nil {
				return err
			}
			if depth++; depth+len(p.open) > maxDepth {
				return errDeep
			}
		case xml.EndElement:
			depth--
		}
	}
	return nil
}

var (
	errDeep  = media.Unsupported(fmt.Sprintf("the SVG nests more than %d elements", maxDepth))
	errAttrs = media.Unsupported(fmt.Sprintf("the SVG has an element with more than %d attributes", maxAttrs))
)

// sound says whether an element is worth something with the attributes that
// are left to it.
func (n *node) sound() bool {
	switch {
	case n.name == "image":
		return n.attr("href") != "" || n.attr("xlink:href") != ""
	case animations[n.name]:
		// cssAttrs and the shapes; so neither href nor style nor on*.
		name := n.attr("attributeName")
		return cssAttrs[name] || name == "d" || name == "points"
	case n.name == "style":
		kind := n.attr("type")
		return kind == "" || kind == "text/css"
	}
	return true
}

// end closes an element.
func (p *parser) end() {
	n := p.top()
	p.open = p.open[:len(p.open)-1]
	if n.name != "style" {
		return
	}
	var text strings.Builder
	for _, kid := range n.kids { // parted by comments, which are dropped
		text.WriteString(kid.text)
	}
	css, rules := cleanSheet(text.String())
	p.rules = append(p.rules, rules...)
	n.kids = []*node{{text: css}}
	if css == "" { // nothing was opened since its parent
		top := p.top()
		top.kids = top.kids[:len(top.kids)-1]
	}
}

// attrs returns the attributes of an element that may stay.
func (p *parser) attrs(tok xml.StartElement) ([]attr, error) {
	if len(tok.Attr) > maxAttrs {
		return nil, errAttrs
	}
	var out []attr
	for i, a := range tok.Attr {
		if slices.ContainsFunc(tok.Attr[:i], func(b xml.Attr) bool { return b.Name == a.Name }) {
			return nil, media.Corrupt(fmt.Sprintf("the SVG is not well-formed XML: an element has the attribute %.40q twice", a.Name.Local))
		}
		name := attrName(a.Name)
		if name == "" {
			continue
		}
		value, ok := cleanAttr(tok.Name.Local, name, a.Value)
		if ok && !slices.ContainsFunc(out, func(b attr) bool { return b.name == name }) {
			out = append(out, attr{name, value})
		}
	}
	return out, nil
}

// attrName returns the name under which an attribute is looked up and written,
// "" when its namespace is foreign.
func attrName(n xml.Name) string {
	switch {
	case n.Space == "" && !strings.Contains(n.Local, ":"):
		return n.Local
	case n.Local == "href" && (n.Space == nsXLink || n.Space == "xlink"): // the second: not declared
		return "xlink:href"
	case n.Space == nsXML:
		return "xml:" + n.Local
	}
	return ""
}
