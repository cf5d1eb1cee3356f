package words

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// longestKey is how much of a name lists are sorted by, in bytes of the key.
const longestKey = 120

// SortKey writes a name so that keys sort as people expect: without regard to case and
// accents, and numbers by their value. It contains no NUL.
func SortKey(name string) string {
	var b strings.Builder
	digits := ""
	flush := func() {
		if digits != "" {
			d := strings.TrimLeft(digits, "0")
			b.WriteByte('0')
			b.WriteByte(byte(min(len(d)+1, 255)))
			b.WriteString(d)
			digits = ""
		}
	}
	for _, r := range norm.NFKD.String(name) {
		if b.Len()+len(digits) >= longestKey {
			break
		}
		switch {
		case r >= '0' && r <= '9':
			digits += string(r)
			continue
		case unicode.Is(unicode.Mn, r), unicode.IsControl(r):
			continue
		}
		flush()
		b.WriteRune(unicode.ToLower(r))
	}
	flush()
	return b.String()
}
