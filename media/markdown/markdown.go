// Package markdown reads what a text in Markdown says of itself, and finds the pictures
// that are embedded in it. It does not change the text: what it finds are places.
package markdown

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"golang.org/x/net/html"
)

// Facts is what a text says of itself.
type Facts struct {
	Title  string   // of the front matter
	Tags   []string // …
	Public *bool    // …

	Heading string // the first of the first level, without marks
	Words   int    // a Chinese or Japanese character is a word
	Images  int    // that it shows
	// Cover is the first address of a picture on the web, and CoverAt which of the pictures
	// that is, from 0.
	Cover    string
	CoverAt  int
	Embedded []Embedded // in the order of the text
	Warnings []string   // sentences for a person
}

// Embedded is a picture in the text itself: the address between Start and End is
// data:Type;base64, and what is from Data on.
type Embedded struct {
	Start, Data, End int    // bytes of the text
	Type             string // such as image/png, in lower case
	At               int    // which of the pictures that the text shows has it first, from 0
}

// ErrIntricate means that taking a text apart would cost too much.
var ErrIntricate = errors.New("markdown: too intricate")

// Read takes a text apart. When it is too intricate, or ctx ends before, what front matter
// and a count of words tell is there all the same.
func Read(ctx context.Context, src []byte) (f Facts, err error) {
	body := skipMark(src)
	body = f.frontMatter(src, body)
	w := walker{facts: &f, found: embedded(src, body), used: map[int]int{}}
	w.token = unused(src)
	if err := w.read(ctx, shorten(src, body, w.found, w.token)); err != nil {
		g := Facts{Title: f.Title, Tags: f.Tags, Public: f.Public, Warnings: f.Warnings, Words: Words(shorten(src, body, w.found, " "))}
		return g, err
	}
	f.Words = w.words.n
	for i, e := range w.found {
		if at, used := w.used[i]; used {
			e.At = at
			f.Embedded = append(f.Embedded, e)
		}
	}
	return f, nil
}

// read parses the text, piece by piece.
func (w *walker) read(ctx context.Context, src []byte) error {
	pieces, err := cut(src)
	if err != nil {
		return err
	}
	md := goldmark.DefaultParser()
	known := parser.NewContext()
	if len(pieces) > 1 {
		for _, p := range pieces { // addresses may be told anywhere in the text
			if ctx.Err() != nil {
				return ErrIntricate
			}
			if bytes.Contains(p, []byte("]:")) {
				md.Parse(text.NewReader(p), parser.WithContext(known))
			}
		}
	}
	for _, p := range pieces {
		if ctx.Err() != nil {
			return ErrIntricate
		}
		c := parser.NewContext()
		for _, r := range known.References() {
			c.AddReference(r)
		}
		w.src = p
		if err := ast.Walk(md.Parse(text.NewReader(p), parser.WithContext(c)), w.visit); err != nil {
			return err
		}
	}
	return nil
}

// skipMark is where the text begins behind a byte order mark.
func skipMark(src []byte) int {
	if bytes.HasPrefix(src, []byte("\xef\xbb\xbf")) {
		return 3
	}
	return 0
}

// dataURI is the beginning of an embedded picture behind its first word, which is data.
var dataURI = regexp.MustCompile(`(?i)^:(image/[a-z0-9.+-]{1,32})(?:;[a-z0-9=._-]{1,64}){0,3};base64,`)

// mostStart is how long such a beginning may be.
const mostStart = 256

// embedded finds everything from body on that looks like an embedded picture, wherever
// it stands.
func embedded(src []byte, body int) (list []Embedded) {
	for at := body; ; {
		n := bytes.IndexByte(src[at:], ':')
		if n < 0 {
			return list
		}
		colon := at + n
		at = colon + 1
		if colon-body < 4 || !bytes.EqualFold(src[colon-4:colon], []byte("data")) {
			continue
		}
		m := dataURI.FindSubmatchIndex(src[colon:min(colon+mostStart, len(src))])
		if m == nil {
			continue
		}
		e := Embedded{Start: colon - 4, Data: colon + m[1], Type: strings.ToLower(string(src[colon+m[2] : colon+m[3]]))}
		for e.End = e.Data; e.End < len(src) && base64Digit(src[e.End]); {
			e.End++
		}
		list = append(list, e)
		at = e.End
	}
}

func base64Digit(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '+' || c == '/' || c == '=' || c == '-' || c == '_'
}

// shorten is the text with a token and a number in the place of each embedded picture:
// the parser need not go through megabytes of base64, and what comes out of it as a
// picture's address tells which it is.
func shorten(src []byte, body int, found []Embedded, token string) (short []byte) {
	at := body
	for i, e := range found {
		short = append(short, src[at:e.Start]...)
		short = append(short, token...)
		short = appendNumber(short, i)
		at = e.End
	}
	return append(short, src[at:]...)
}

// walker goes through the parts of a text.
type walker struct {
	facts *Facts
	src   []byte
	token string
	found []Embedded
	used  map[int]int // by the number of what was found, the first picture that has it
	words counter
}

func (w *walker) visit(n ast.Node, entering bool) (ast.WalkStatus, error) {
	if n.Type() == ast.TypeBlock {
		w.words.pause()
	}
	if !entering {
		return ast.WalkContinue, nil
	}
	switch n := n.(type) {
	case *ast.Heading:
		if n.Level == 1 && w.facts.Heading == "" {
			w.facts.Heading = w.heading(n)
		}
	case *ast.Image:
		w.image(string(n.Destination))
		return ast.WalkSkipChildren, nil
	case *ast.AutoLink:
		return ast.WalkSkipChildren, nil
	case *ast.Text:
		w.words.add(n.Segment.Value(w.src))
		if n.SoftLineBreak() || n.HardLineBreak() {
			w.words.pause()
		}
	case *ast.String:
		w.words.add(n.Value)
	case *ast.RawHTML:
		var b bytes.Buffer
		for i := range n.Segments.Len() {
			s := n.Segments.At(i)
			b.Write(s.Value(w.src))
		}
		w.html(b.Bytes())
	case *ast.HTMLBlock:
		b := w.lines(n)
		if n.HasClosure() {
			b = append(b, n.ClosureLine.Value(w.src)...)
		}
		w.html(b)
	case *ast.CodeBlock, *ast.FencedCodeBlock:
		w.words.add(w.lines(n))
	}
	return ast.WalkContinue, nil
}

func (w *walker) lines(n ast.Node) []byte {
	var b bytes.Buffer
	for i := range n.Lines().Len() {
		s := n.Lines().At(i)
		b.Write(s.Value(w.src))
	}
	return b.Bytes()
}

// image notes a picture with that address.
func (w *walker) image(address string) {
	at := w.facts.Images
	w.facts.Images++
	if number, ours := strings.CutPrefix(address, w.token); ours {
		i, whole := readNumber(number)
		if whole && i < len(w.found) {
			if _, used := w.used[i]; !used {
				w.used[i] = at
			}
			return
		}
		if i < len(w.found) {
			w.warn("The embedded picture %d has characters that base64 does not have. It stays embedded.", at+1)
			return
		}
	}
	switch {
	case onWeb(address):
		if w.facts.Cover == "" {
			w.facts.Cover, w.facts.CoverAt = address, at
		}
	case local(address):
		w.warn("The picture %q is a file of yours that this server does not have. Upload it, and write its address here.", clip(address))
	}
}

// html looks at a piece of HTML: at its pictures and at its text.
func (w *walker) html(b []byte) {
	z := html.NewTokenizer(bytes.NewReader(b))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return
		case html.TextToken:
			w.words.add(z.Text())
		case html.StartTagToken, html.SelfClosingTagToken:
			name, more := z.TagName()
			img := string(name) == "img"
			for seen := false; img && more && !seen; {
				var k, v []byte
				k, v, more = z.TagAttr()
				if seen = string(k) == "src"; seen { // of two, the first counts
					w.image(strings.TrimSpace(string(v)))
				}
			}
		}
	}
}

// heading is the text of a heading.
func (w *walker) heading(h ast.Node) string {
	var b strings.Builder
	_ = ast.Walk(h, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // the function never fails
		switch n := n.(type) {
		case *ast.Text:
			if entering {
				b.Write(n.Segment.Value(w.src))
				if n.SoftLineBreak() {
					b.WriteByte(' ')
				}
			}
		case *ast.String:
			if entering {
				b.Write(n.Value)
			}
		case *ast.Image:
			return ast.WalkSkipChildren, nil
		}
		return ast.WalkContinue, nil
	})
	plain := html.UnescapeString(backslash.ReplaceAllString(b.String(), "$1"))
	return strings.Join(strings.FieldsFunc(plain, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
}

// backslash is a character with the mark that takes its meaning away.
var backslash = regexp.MustCompile("\\\\([!-/:-@\\[-`{-~])")
