package markdown

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A picture of no meaning, as an address.
const dot = "data:image/png;base64,iVBORw0KGgo="

func TestPicturesAreFoundWhereverTheyAreShown(t *testing.T) {
	other := "DATA:image/JPEG;base64,/9j/4AA"
	for _, c := range []struct {
		name, text string
		found      []string // addresses, in the order of the text
		images     int
	}{
		{"inline", "![a](" + dot + ")", []string{dot}, 1},
		{"with a title", "![a](" + dot + " \"a (b) 'c'\")", []string{dot}, 1},
		{"in angle brackets", "![a](<" + dot + ">)", []string{dot}, 1},
		{"with brackets in the words", "![a [b](c) (d)](" + dot + ")", []string{dot}, 1},
		{"in a link", "[![a](" + dot + ")](https://example.org/x_(y))", []string{dot}, 1},
		{"by reference", "![a][b]\n\n[b]: " + dot + "\n", []string{dot}, 1},
		{"by reference in angle brackets", "![a][b]\n\n[b]: <" + dot + "> 'title'\n", []string{dot}, 1},
		{"by a short reference", "![b]\n\n[B]: " + dot + "\n", []string{dot}, 1},
		{"one reference twice", "![b] ![c][b]\n\n[b]: " + dot + "\n", []string{dot}, 2},
		{"a reference that nothing shows", "[link][b]\n\n[b]: " + dot + "\n", nil, 0},
		{"in a quote and a list", "> - ![a](" + dot + ")\n", []string{dot}, 1},
		{"two on a line", "![a](" + dot + ")![b](" + other + ")", []string{dot, other}, 2},
		{"with CRLF", "a\r\n![a](" + dot + ")\r\n![b](" + other + ")\r\n", []string{dot, other}, 2},
		{"after a byte order mark", "\ufeff![a](" + dot + ")", []string{dot}, 1},
		{"HTML, attributes in any order", "x <img width=1 alt='a>b' SRC=\"" + dot + "\" title=x> y", []string{dot}, 1},
		{"HTML without quotes", "x <img src=" + dot + "> y", []string{dot}, 1},
		{"HTML in single quotes, closed", "<img src='" + dot + "'/>", []string{dot}, 1},
		{"HTML in a block", "<div>\n<p><img\n src='" + dot + "'\n>\n</div>\n", []string{dot}, 1},
		{"HTML with another attribute first", "x <img data-src='" + dot + "' src='a.png'>", nil, 1},
		{"another element", "x <a href='" + dot + "'>", nil, 0},
		{"a comment", "<!-- <img src='" + dot + "'> ![a](" + dot + ") -->", nil, 0},
		{"a link", "[a](" + dot + ")", nil, 0},
		{"an automatic link", "<" + dot + ">", nil, 0},
		{"words", dot, nil, 0},
		{"a code span", "`![a](" + dot + ")`", nil, 0},
		{"a fence", "```\n![a](" + dot + ")\n```\n", nil, 0},
		{"a fence of waves with words", "~~~ md\n![a](" + dot + ")\n<img src='" + dot + "'>\n~~~\n![b](" + other + ")", []string{other}, 1},
		{"a fence without end", "```\n![a](" + dot + ")\n", nil, 0},
		{"indented code", "    ![a](" + dot + ")\n", nil, 0},
		{"a backslash before it", "\\![a](" + dot + ")", nil, 0},
		{"front matter", "---\nimage: '![a](" + dot + ")'\n---\n![a](" + other + ")", []string{other}, 1},
		{"something else behind it", "![a](" + dot + "&x)", nil, 1},
		{"another coding", "![a](data:image/svg+xml;utf8,<svg/>)", nil, 1},
		{"a parameter", "![a](data:image/png;charset=utf-8;base64,AAAA)", []string{"data:image/png;charset=utf-8;base64,AAAA"}, 1},
		{"nothing in it", "![a](data:image/png;base64,)", []string{"data:image/png;base64,"}, 1},
		{"cut off", "![a](" + dot, nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := Read(t.Context(), []byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			var found []string
			for _, e := range f.Embedded {
				found = append(found, c.text[e.Start:e.End])
				if !strings.EqualFold(c.text[e.Data-7:e.Data], "base64,") || e.Type != strings.ToLower(e.Type) || !strings.HasPrefix(e.Type, "image/") {
					t.Errorf("%+v", e)
				}
			}
			if !slices.Equal(found, c.found) || f.Images != c.images {
				t.Errorf("%q of %d pictures, want %q of %d", found, f.Images, c.found, c.images)
			}
		})
	}
}

// TestLongTextsAreReadInPieces: what a piece does not have, another may.
func TestLongTextsAreReadInPieces(t *testing.T) {
	var b strings.Builder
	for n := range 3000 {
		fmt.Fprintf(&b, "Paragraph %d with *marks* and ![p%d][r] and a [link](x).\n\n```\n\n![code](%s)\n\n```\n\n", n, n, dot)
		if n%100 == 0 {
			fmt.Fprintf(&b, "![inline](%s%d)\n\n<pre>\n\n# no heading\n\n</pre>\n\n", strings.TrimSuffix(dot, "="), n)
		}
	}
	b.WriteString("# The title\n\n[r]: " + dot + "\n")
	f, err := Read(t.Context(), []byte(b.String()))
	if err != nil || f.Images != 3030 || len(f.Embedded) != 31 || f.Heading != "The title" {
		t.Errorf("%d pictures, %d embedded, %q, %v", f.Images, len(f.Embedded), f.Heading, err)
	}
	if pieces, err := cut([]byte(b.String())); err != nil || len(pieces) < 4 || string(bytes.Join(pieces, nil)) != b.String() {
		t.Errorf("%d pieces: %v", len(pieces), err)
	}
}

// TestTextsThatNobodyWritesAreNotTakenApart: of these, a few megabytes would cost a
// parser gigabytes or hours.
func TestTextsThatNobodyWritesAreNotTakenApart(t *testing.T) {
	for _, s := range []string{"> ", "1. ", "- ", "[", "![", "<b>", "*a _b", "`a` ", "a\n", "# a\n", "[a](<b"} {
		f, err := Read(t.Context(), []byte("---\ntitle: T\n---\n"+strings.Repeat(s, 200_000/len(s)*2)))
		if !errors.Is(err, ErrIntricate) || f.Title != "T" {
			t.Errorf("%q: %v, %q", s, err, f.Title)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if f, err := Read(ctx, []byte("two words")); !errors.Is(err, ErrIntricate) || f.Words != 2 {
		t.Errorf("without time: %v, %d words", err, f.Words)
	}
}

func TestFrontMatter(t *testing.T) {
	yes, no := true, false
	for _, c := range []struct {
		name, text string
		title      string
		tags       []string
		public     *bool
		words      int
		warnings   int
	}{
		{"all of it", "---\ntitle: A title\ntags: [a, 'b c', 3]\npublic: true\nother: {x: 1}\n---\none two", "A title", []string{"a", "b c", "3"}, &yes, 2, 0},
		{"a list of lines, CRLF, a byte order mark", "\ufeff---\r\ntitle: \"A: title\"\r\ntags:\r\n  - a\r\n  - b\r\npublic: no\r\n---\r\none", "A: title", []string{"a", "b"}, &no, 1, 0},
		{"tags as a text", "---\ntags: a, b ,\n---\n", "", []string{"a", "b"}, nil, 0, 0},
		{"dots at the end", "---\ntitle: T\n...\none", "T", nil, nil, 1, 0},
		{"null", "---\ntitle: ~\ntags: null\n---\n", "", nil, nil, 0, 0},
		{"public is neither", "---\npublic: perhaps\n---\n", "", nil, nil, 0, 1},
		{"no YAML", "---\ntitle: [\n---\none", "", nil, nil, 1, 1},
		{"a list", "---\n- a\n---\none", "", nil, nil, 1, 0},
		{"nothing in it", "---\n---\none", "", nil, nil, 1, 0},
		{"without end", "---\ntitle: T\n\none", "", nil, nil, 3, 0},
		{"not at the beginning", "\n---\ntitle: T\n---\n", "", nil, nil, 2, 0},
		{"a line between", "----\ntitle: T\n---\n", "", nil, nil, 2, 0},
		{"an alias is not followed", "---\na: &x Secret\ntitle: *x\n---\n", "", nil, nil, 0, 0},
		{"a bomb", "---\na: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\ntags: *c\ntitle: T\n---\n", "T", nil, nil, 0, 0},
		{"more than 64 KB", "---\ntitle: T\nx: " + strings.Repeat("a", 65<<10) + "\n---\n", "", nil, nil, 4, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := Read(t.Context(), []byte(c.text))
			if err != nil || f.Title != c.title || !slices.Equal(f.Tags, c.tags) || (f.Public == nil) != (c.public == nil) || f.Public != nil && *f.Public != *c.public || f.Words != c.words || len(f.Warnings) != c.warnings {
				t.Errorf("%+v %v", f, err)
			}
		})
	}
}

func TestWordsAndWarnings(t *testing.T) {
	for text, want := range map[string]int{
		"":                               0,
		"one two-three it's":             3,
		"**bold**face `code` [link](to)": 3,
		"你好世界":                           4,
		"你好 world 世界":                    5,
		"ひらがな カタカナ":                      8,
		"한국어 단어":                         2,
		"a ![alt text](b.png) c":         2,
		"<https://example.org/a/b> x":    1,
		"```\ncode here\n```":            2,
		"<p>three words here</p>":        3,
		"ünïcödé e\u0301t":               2,
		"1.5 3":                          3,
	} {
		if f, err := Read(t.Context(), []byte(text)); err != nil || f.Words != want {
			t.Errorf("%q: %d words, want %d, %v", text, f.Words, want, err)
		}
	}
	for address, warned := range map[string]bool{
		"a.png": true, "../b/a.png": true, "/root.png": true, `C:\a.png`: true, "file:///a.png": true, "a.png?x=b:c": true,
		"https://example.org/a.png": false, "//example.org/a.png": false, "http://example.org": false, "cid:x": false, "": false,
	} {
		if f, err := Read(t.Context(), []byte("<img src='"+address+"'>")); err != nil || (len(f.Warnings) == 1) != warned {
			t.Errorf("%s: %q %v", address, f.Warnings, err)
		}
	}
}

func TestReadTypst(t *testing.T) {
	f := ReadTypst([]byte("#set document(author: \"x\", title: \"Thema\")\n= Kopf\r\nZwei Wörter #image(\"a.png\", width: 50%) #image(\"https://example.org/b.png\")\n"))
	if f.Title != "Thema" || f.Heading != "Kopf" || f.Images != 2 || f.Cover != "https://example.org/b.png" || len(f.Warnings) != 1 {
		t.Errorf("%+v", f)
	}
}

// FuzzRead looks for texts that are not taken apart in order: places outside the text, or
// not in order, or in code.
func FuzzRead(f *testing.F) {
	for _, s := range []string{
		"---\ntitle: &a [*a]\n---\n# T\n\n![a](" + dot + ") <img src=\"" + dot + "\">\n\n[a]: " + dot, "```\n" + dot + "\n```\n",
		"![](data:image/a;a=b;base64,AA==z)", "---\r\npublic: yes\r\n...\r\n", "\ufeff> - <pre>\n![a][]", "data:image/png;base64,data:image/png;base64,",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		before := slices.Clone(src)
		facts, err := Read(t.Context(), src)
		if !bytes.Equal(before, src) {
			t.Fatal("the text was changed")
		}
		if err != nil && !errors.Is(err, ErrIntricate) {
			t.Fatal(err)
		}
		at, rebuilt := 0, []byte(nil)
		for _, e := range facts.Embedded {
			if e.Start < at || e.Data <= e.Start || e.End < e.Data || e.End > len(src) || e.At < 0 || e.At >= facts.Images {
				t.Fatalf("%+v after %d in %d bytes", e, at, len(src))
			}
			if !dataURI.Match(src[e.Start+4:e.Data]) || bytes.ContainsAny(src[e.Data:e.End], " \n\"'()<>&") {
				t.Fatalf("no address: %q", src[e.Start:e.End])
			}
			rebuilt = append(append(rebuilt, src[at:e.Start]...), src[e.Start:e.End]...)
			at = e.End
		}
		if !bytes.Equal(append(rebuilt, src[at:]...), src) {
			t.Fatal("the pieces are not the text")
		}
		// With short addresses in the places of the embedded pictures, everything else is as
		// it was: the same words and as many pictures, none of which is embedded.
		at, rebuilt = 0, nil
		for i, e := range facts.Embedded {
			rebuilt = append(append(rebuilt, src[at:e.Start]...), fmt.Sprintf("https://example.org/%d.png", i)...)
			at = e.End
		}
		again, err2 := Read(t.Context(), append(rebuilt, src[at:]...))
		if err == nil && err2 == nil && (again.Images != facts.Images || len(again.Embedded) != 0 || again.Title != facts.Title) {
			t.Fatalf("%d pictures became %d, %d embedded", facts.Images, again.Images, len(again.Embedded))
		}
	})
}
