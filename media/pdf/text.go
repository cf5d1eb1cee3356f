package pdf

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// clean makes a page's text one that can be searched and shown: valid, without control
// characters, words that a line ends within put together again.
func clean(s string) string {
	var b strings.Builder
	last := '\n'
	runes := []rune(strings.ToValidUTF8(s, ""))
	for i := 0; i < len(runes); i++ {
		r := runes[i]
		switch {
		case r == '\u00ad' || r == '\ufffe' || r == '\u0002': // hyphens at a line's end, as PDFium tells them
			for i+1 < len(runes) && (runes[i+1] == '\r' || runes[i+1] == '\n') {
				i++
			}
			continue
		case r == '\r' || r == '\n':
			for i+1 < len(runes) && (runes[i+1] == '\r' || runes[i+1] == '\n') {
				i++
			}
			if ideograph(last) && i+1 < len(runes) && ideograph(runes[i+1]) {
				continue
			}
			r = '\n'
		case r == '\t':
			r = ' '
		case unicode.IsControl(r), r == '\ufeff', r == unicode.ReplacementChar, unicode.Is(unicode.Co, r):
			continue
		case r >= 0x2e80 && r <= 0x2fdf || r >= 0xf900 && r <= 0xfaff || r >= 0xfb00 && r <= 0xfb06:
			// Radicals and ligatures, which fonts have in place of what people type.
			b.WriteString(norm.NFKC.String(string(r)))
			last = r
			continue
		}
		b.WriteRune(r)
		last = r
	}
	return strings.TrimSpace(b.String())
}

func ideograph(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana)
}

// count counts words: runs of letters and digits, and each Chinese character.
func count(s string) (n int) {
	in := false
	for _, r := range s {
		switch {
		case ideograph(r):
			n++
			in = false
		case unicode.IsLetter(r), unicode.IsDigit(r):
			if !in {
				n++
			}
			in = true
		case r == '\'' || r == '’' || r == '-' || unicode.IsMark(r):
		default:
			in = false
		}
	}
	return n
}

// oneLine is s as one line of at most so many runes.
func oneLine(s string, most int) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, ""), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if r := []rune(s); len(r) > most {
		s = string(r[:most])
	}
	return s
}
