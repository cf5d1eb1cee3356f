package tags

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// MaxLength is how many characters of a text are told.
const MaxLength = 255

// Clean makes a stranger's words fit to be shown: valid UTF-8 on one line, without
// control characters and what turns the direction of text around, not too long.
func Clean(s string) string {
	s = s[:min(len(s), 16*MaxLength)]
	s = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError, r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069, r == 0xFEFF:
			return -1
		case unicode.IsControl(r), unicode.IsSpace(r):
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	s = strings.TrimSpace(s)
	if r := []rune(s); len(r) > MaxLength {
		s = strings.TrimSpace(string(r[:MaxLength]))
	}
	return s
}

// Legacy reads a text whose encoding nobody states or states wrongly: most often it is UTF-8,
// Chinese (GBK), or that of Western Windows.
func Legacy(b string) string {
	if utf8.ValidString(b) {
		return b
	}
	if looksChinese(b) {
		if s, err := simplifiedchinese.GBK.NewDecoder().String(b); err == nil {
			return s
		}
	}
	s, err := charmap.Windows1252.NewDecoder().String(b)
	if err != nil {
		return ""
	}
	return s
}

// looksChinese says whether every byte above ASCII belongs to a pair of GBK, most of them
// to the common characters (GB 2312). In Western texts such letters stand alone.
func looksChinese(b string) bool {
	pairs, common := 0, 0
	for i := 0; i < len(b); i++ {
		if b[i] < 0x80 {
			continue
		}
		if i+1 == len(b) || b[i] == 0x80 || b[i] == 0xFF || b[i+1] < 0x40 || b[i+1] == 0x7F || b[i+1] == 0xFF {
			return false
		}
		pairs++
		if b[i] >= 0xA1 && b[i] <= 0xF7 && b[i+1] >= 0xA1 {
			common++
		}
		i++
	}
	return common*3 >= pairs*2
}

// latin undoes what a library made of bytes that it took for Latin-1, and reads them anew.
func latin(s string) string {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xFF {
			return s
		}
		b = append(b, byte(r))
	}
	return Legacy(string(b))
}

func asIs(s string) string { return s }
