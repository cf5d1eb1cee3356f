package markdown

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Words counts the words of a text that is no Markdown.
func Words(text []byte) int {
	var c counter
	c.add(text)
	return c.n
}

// counter counts words that come in pieces.
type counter struct {
	n  int
	in bool // a word that has been counted
}

// add counts the words of a piece that goes on where the one before ended.
func (c *counter) add(b []byte) {
	for len(b) > 0 {
		if ch := b[0]; ch < utf8.RuneSelf {
			b = b[1:]
			switch {
			case ch >= 'a' && ch <= 'z' || ch >= 'A' && ch <= 'Z' || ch >= '0' && ch <= '9':
				if !c.in {
					c.n++
				}
				c.in = true
			case ch != '\'' && ch != '-' && ch != '_': // these are within a word
				c.in = false
			}
			continue
		}
		r, n := utf8.DecodeRune(b)
		b = b[n:]
		switch {
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana):
			c.n++
			c.in = false
		case unicode.IsLetter(r) || unicode.IsNumber(r):
			if !c.in {
				c.n++
			}
			c.in = true
		case unicode.Is(unicode.Mn, r) || r == '’' || r == '\u00ad':
		default:
			c.in = false
		}
	}
}

// pause ends a word.
func (c *counter) pause() { c.in = false }

// onWeb reports whether an address is one that other people's browsers can open.
func onWeb(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (strings.EqualFold(u.Scheme, "http") || strings.EqualFold(u.Scheme, "https")) && u.Host != ""
}

// local reports whether an address is that of a file on the author's disk.
func local(address string) bool {
	if address == "" || strings.HasPrefix(address, "//") || strings.HasPrefix(address, "#") {
		return false
	}
	scheme, _, found := strings.Cut(address, ":")
	if !found || strings.ContainsAny(scheme, `/\?#.`) {
		return true
	}
	return strings.EqualFold(scheme, "file") || len(scheme) == 1 // a drive
}

// mostWarnings is how many sentences one text gets.
const mostWarnings = 50

func (w *walker) warn(format string, args ...any) { w.facts.warn(format, args...) }

func (f *Facts) warn(format string, args ...any) {
	if len(f.Warnings) < mostWarnings {
		f.Warnings = append(f.Warnings, fmt.Sprintf(format, args...))
	}
}

// clip is the beginning of an address, for a warning.
func clip(s string) string {
	s = strings.ToValidUTF8(s, "")
	if utf8.RuneCountInString(s) <= 100 {
		return s
	}
	return string([]rune(s)[:100]) + "…"
}

// unused is an address, but for its end, that is not in the text. It is one of data like
// those that it stands for, so that the parser treats it alike.
func unused(src []byte) string {
	for {
		if s := "data:" + strings.ToLower(rand.Text()) + "-"; !bytes.Contains(src, []byte(s)) {
			return s
		}
	}
}

// appendNumber writes the number of an embedded picture, and a mark of its end.
func appendNumber(b []byte, n int) []byte { return append(strconv.AppendInt(b, int64(n), 10), 'z') }

// readNumber reads what appendNumber wrote; whole says that nothing follows it. What is no
// such number is larger than any.
func readNumber(s string) (n int, whole bool) {
	digits, rest, found := strings.Cut(s, "z")
	n, err := strconv.Atoi(digits)
	if !found || err != nil || n < 0 {
		return int(^uint(0) >> 1), false
	}
	return n, rest == ""
}
