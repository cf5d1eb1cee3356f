package markdown

import (
	"bytes"
	"regexp"
	"strings"
)

var (
	typstTitle   = regexp.MustCompile(`#set\s+document\([^()]*\btitle:\s*"([^"\\\n]{1,400})"`)
	typstHeading = regexp.MustCompile(`(?m)^=[ \t]+(\S[^\n]{0,400})`)
	typstImage   = regexp.MustCompile(`\bimage\(\s*"([^"\n]{1,1000})"`)
)

// ReadTypst is Read for the source of a Typst document, in which no pictures are embedded.
// It tells what can be told without carrying the source out.
func ReadTypst(src []byte) (f Facts) {
	src = src[skipMark(src):]
	if m := typstTitle.FindSubmatch(src); m != nil {
		f.Title = strings.TrimSpace(string(m[1]))
	}
	if m := typstHeading.FindSubmatch(src); m != nil {
		f.Heading = strings.TrimSpace(string(bytes.TrimRight(m[1], "\r")))
	}
	f.Words = Words(src)
	w := walker{facts: &f, token: "\x00"} // nothing is embedded: no address begins with NUL
	for _, m := range typstImage.FindAllSubmatch(src, -1) {
		w.image(string(m[1]))
	}
	return f
}
