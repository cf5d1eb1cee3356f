// Package svg makes a foreign SVG safe to deliver: as a picture, as a document
// opened by itself, and even pasted into a web page.
//
// It does not look for what is bad but rewrites what is known to be good: the
// file is parsed, the elements, attributes and style rules of the allow-lists
// in names.go go into a small tree, and the tree is written out in one
// canonical form. Nothing is copied as text, so tricks with entities, CDATA,
// comments, namespaces or encodings do not survive. Nothing outside the file
// is ever loaded, neither here nor by who shows the result: references are to
// the file's own elements or to raster pictures in it, which lose their
// metadata like any other upload.
//
// What is written is stable: sanitizing it again gives the same bytes.
package svg

import (
	"bytes"
	"fmt"
	"io"
	"unicode/utf8"

	"picora/media"
)

// Limits of one file. They are far above what drawings have and bound the
// memory and the time that a hostile one can take, here and in browsers.
const (
	MaxBytes      = 2 << 20 // size, before and after
	maxDepth      = 200     // nested elements
	maxNodes      = 100_000 // elements and texts
	maxTags       = 250_000 // elements, with those that are dropped
	maxAttrs      = 256     // attributes of one element
	maxExpansions = 100_000 // elements drawn again through references
)

// Sanitize reads an SVG to its end and returns it rewritten. A file that is
// refused gives a media.ErrCorrupt or media.ErrUnsupported with a
// media.Reason; errors of r are passed on.
func Sanitize(r io.Reader) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("svg: read: %w", err)
	}
	if err := readable(raw); err != nil {
		return nil, err
	}
	if crowded(raw) {
		return nil, errAttrs
	}
	root, rules, err := parse(bytes.TrimPrefix(raw, []byte("\xEF\xBB\xBF")))
	if err != nil {
		return nil, err
	}
	if err := bound(root, rules); err != nil {
		return nil, err
	}
	out := write(root)
	if len(out) > MaxBytes {
		return nil, errTooLarge
	}
	return out, nil
}

var errTooLarge = media.Unsupported(fmt.Sprintf("the SVG is larger than %d MiB", MaxBytes>>20))

// readable refuses what is too large or not UTF-8.
func readable(raw []byte) error {
	switch {
	case len(raw) > MaxBytes:
		return errTooLarge
	case len(raw) == 0:
		return media.Corrupt("the file is empty")
	case bytes.HasPrefix(raw, []byte("\xFE\xFF")), bytes.HasPrefix(raw, []byte("\xFF\xFE")), bytes.IndexByte(raw, 0) >= 0:
		return media.Unsupported("the SVG is not UTF-8 text; save it as UTF-8")
	case !utf8.Valid(raw):
		return media.Unsupported("the SVG is not UTF-8 text; save it as UTF-8")
	}
	return nil
}

// node is an element, or a text when it has no name.
type node struct {
	name  string
	text  string
	attrs []attr
	kids  []*node
}

// attr is an attribute under the name that it is written with.
type attr struct{ name, value string }

// attr returns the value of an attribute, or "".
func (n *node) attr(name string) string {
	for _, a := range n.attrs {
		if a.name == name {
			return a.value
		}
	}
	return ""
}
