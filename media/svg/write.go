package svg

import (
	"bytes"
	"strings"
)

// write serialises the tree in its one canonical form.
func write(root *node) []byte {
	var b bytes.Buffer
	b.WriteString(`<svg xmlns="` + nsSVG + `"`)
	if root.uses("xlink:href") {
		b.WriteString(` xmlns:xlink="` + nsXLink + `"`)
	}
	root.rest(&b)
	return b.Bytes()
}

// uses says whether an attribute occurs in the tree.
func (n *node) uses(name string) bool {
	for _, a := range n.attrs {
		if a.name == name {
			return true
		}
	}
	for _, kid := range n.kids {
		if kid.uses(name) {
			return true
		}
	}
	return false
}

func (n *node) write(b *bytes.Buffer) {
	if n.name == "" {
		escape.WriteString(b, n.text)
		return
	}
	b.WriteByte('<')
	b.WriteString(n.name)
	n.rest(b)
}

// rest writes an element from behind its name on.
func (n *node) rest(b *bytes.Buffer) {
	for _, a := range n.attrs {
		b.WriteByte(' ')
		b.WriteString(a.name)
		b.WriteString(`="`)
		escape.WriteString(b, a.value)
		b.WriteByte('"')
	}
	if len(n.kids) == 0 {
		b.WriteString("/>")
		return
	}
	b.WriteByte('>')
	for _, kid := range n.kids {
		kid.write(b)
	}
	b.WriteString("</" + n.name + ">")
}

// escape serves text and attribute values. A carriage return would be read
// back as a line feed.
var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\r", "&#13;")
