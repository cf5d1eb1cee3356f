package markdown

import (
	"bytes"
	"regexp"
)

// A parser needs hundreds of bytes of memory for each thing that a text is made of, and
// for some texts time that grows with the square of a paragraph's length. So a long text
// is parsed piece by piece, and one that cannot be cut, or has paragraphs that nobody
// would write, is not parsed at all.
const (
	pieceSize   = 48 << 10 // bytes after which a text is cut at the next good place
	pieceLines  = 50_000   // of a piece, but for those of code
	runLines    = 20_000   // lines without an empty one between
	runMarks    = 10_000   // marks in a paragraph
	lineDepth   = 64       // quotes and lists within each other
	paragraphed = "*_`[]<!&"
)

// cutter goes through the lines of a text.
type cutter struct {
	pieces [][]byte
	begin  int // of the piece
	lines  int // of it
	run    int // lines since an empty one
	marks  int // in the paragraph
	blank  bool
	fence  []byte // that code is between; nil outside
	until  []byte // that ends a piece of HTML; nil outside
}

var (
	fenceLine = regexp.MustCompile("^ {0,3}(`{3,}|~{3,})(.*)$")
	htmlLine  = regexp.MustCompile(`(?i)^ {0,3}<(pre|script|style|textarea|!--|\?|!\[CDATA\[)`)
	itemLine  = regexp.MustCompile(`^ {0,3}(?:[-*+]|#{1,6}) +\S`)
	depthLine = regexp.MustCompile(`^(?:[ \t]*(?:>|[-*+][ \t]|[0-9]{1,9}[.)][ \t]))*`)
	depthMark = regexp.MustCompile(`>|[-*+]|[0-9]+[.)]`)
	htmlEnds  = map[string]string{"pre": "</pre>", "script": "</script>", "style": "</style>", "textarea": "</textarea>", "!--": "-->", "?": "?>", "![cdata[": "]]>"}
)

// cut cuts a text into pieces that can be parsed one by one: at an empty line that is
// followed by one that is not indented, and not within code or HTML.
func cut(src []byte) (pieces [][]byte, err error) {
	c := cutter{blank: true}
	for at := 0; at < len(src); {
		l, next := line(src, at)
		if c.fence == nil && c.until == nil && c.blank && at-c.begin >= pieceSize && len(l) > 0 && l[0] != ' ' && l[0] != '\t' {
			c.pieces = append(c.pieces, src[c.begin:at])
			c.begin, c.lines = at, 0
		}
		if err := c.look(l); err != nil {
			return nil, err
		}
		at = next
	}
	return append(c.pieces, src[c.begin:]), nil
}

func (c *cutter) look(l []byte) error {
	switch {
	case c.fence != nil:
		if m := fenceLine.FindSubmatch(l); m != nil && bytes.HasPrefix(m[1], c.fence) && len(bytes.TrimSpace(m[2])) == 0 {
			c.fence = nil
		}
		return nil
	case c.until != nil:
		if bytes.Contains(bytes.ToLower(l), c.until) {
			c.until = nil
		}
		return nil
	}
	if c.blank = len(l) == 0; c.blank {
		c.run, c.marks = 0, 0
		c.lines++
		return nil
	}
	if m := fenceLine.FindSubmatch(l); m != nil && (m[1][0] == '~' || bytes.IndexByte(m[2], '`') < 0) {
		c.fence = m[1]
	} else if m := htmlLine.FindSubmatch(l); m != nil {
		if end := []byte(htmlEnds[string(bytes.ToLower(m[1]))]); !bytes.Contains(bytes.ToLower(l), end) {
			c.until = end
		}
	}
	if itemLine.Match(l) {
		c.marks = 0
	}
	c.run++
	c.lines++
	for _, b := range l {
		if bytes.IndexByte([]byte(paragraphed), b) >= 0 {
			c.marks++
		}
	}
	if c.run > runLines || c.lines > pieceLines || c.marks > runMarks || deep(l) {
		return ErrIntricate
	}
	return nil
}

// deep reports whether a line begins with too many quotes and lists within each other.
func deep(l []byte) bool {
	head := depthLine.Find(l)
	return len(head) > lineDepth && len(depthMark.FindAll(head, lineDepth+1)) > lineDepth
}
