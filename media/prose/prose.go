// Package prose makes Markdown a page that people read: HTML in which nothing is
// active and which asks nobody else for anything. It is work for a worker, for some
// Markdown takes minutes or gigabytes; whoever gets the answer looks at it with Inert.
package prose

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/util"
)

// Page is a document made HTML.
type Page struct {
	HTML     string
	Lead     string    // its first words, without marks; empty: it has none
	Headed   bool      // it begins with a heading of the first level
	Contents []Heading // in order
}

// Heading is a heading of a page.
type Heading struct {
	Level int // 1 to 6
	ID    string
	Text  string
}

// MaxHTML is how long a page may be, in bytes. Its document is shorter.
const MaxHTML = 16 << 20

// ErrTooMuch says that a document makes a page that is too long.
var ErrTooMuch = errors.New("prose: the page is too long")

// notes begins the ids of footnotes. No other id does.
const notes = "note-"

var markdown = goldmark.New(
	goldmark.WithExtensions(
		extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)),
		extension.Strikethrough, extension.Linkify, extension.TaskList, extension.DefinitionList,
		extension.NewFootnote(extension.WithFootnoteIDPrefix(notes)),
		extension.NewCJK(extension.WithEastAsianLineBreaks(extension.EastAsianLineBreaksCSS3Draft)),
	),
	goldmark.WithRendererOptions(
		html.WithUnsafe(), // what is unsafe is taken out afterwards
		renderer.WithNodeRenderers(util.Prioritized(boxes{}, 1)),
	),
)

// Render makes Markdown a page. Pictures are shown that come from the hosts in own;
// others become links.
func Render(source []byte, own []string) (page Page, err error) {
	defer func() {
		if p := recover(); p != nil { // html.Parse panics at what is nested too deeply
			page, err = Page{}, fmt.Errorf("prose: %v", p)
		}
	}()
	var raw bytes.Buffer
	if err := markdown.Convert(Body(source), &bounded{&raw, MaxHTML}); err != nil {
		return Page{}, err
	}
	var safe bytes.Buffer
	if err := policy.SanitizeReaderToWriter(&raw, &bounded{&safe, MaxHTML}); err != nil {
		return Page{}, err
	}
	return finish(&safe, own)
}

// Body is the document without what stands before it for programs (front matter), as
// valid UTF-8.
func Body(source []byte) []byte {
	source = bytes.ToValidUTF8(bytes.TrimPrefix(source, []byte("\ufeff")), []byte("\ufffd"))
	first, rest, _ := bytes.Cut(source, []byte("\n"))
	fence := string(bytes.TrimRight(first, " \t\r"))
	if fence != "---" && fence != "+++" {
		return source
	}
	for left := rest; len(left) > 0 && len(rest)-len(left) < 64<<10; {
		var line []byte
		line, left, _ = bytes.Cut(left, []byte("\n"))
		if end := string(bytes.TrimRight(line, " \t\r")); end == fence || fence == "---" && end == "..." {
			return left
		}
	}
	return source
}

// boxes writes the boxes of task lists as text: a page has no form controls.
type boxes struct{}

func (boxes) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(east.KindTaskCheckBox, func(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			mark := "☐ "
			if n.(*east.TaskCheckBox).IsChecked {
				mark = "☑ "
			}
			w.WriteString(`<span class="task">` + mark + `</span>`) // the buffer's error comes with its flush
		}
		return ast.WalkContinue, nil
	})
}

// bounded is a writer that fails when too much is written.
type bounded struct {
	io.Writer
	left int
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, ErrTooMuch
	}
	return b.Writer.Write(p)
}

// WriteString keeps io.WriteString from going round Write.
func (b *bounded) WriteString(s string) (int, error) { return b.Write([]byte(s)) }

// oneLine is a text with its white space made single spaces, of at most so many runes.
func oneLine(text string, most int) string {
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > most {
		text = strings.TrimRight(string(r[:most-1]), " ,.;:，。；：、") + "…"
	}
	return text
}

func listed(list []string, s string) bool {
	return slices.ContainsFunc(list, func(l string) bool { return strings.EqualFold(l, s) })
}
