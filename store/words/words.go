// Package words cuts texts into what searches compare: words without case and accents,
// numbers, and pairs of characters where a script writes no spaces.
package words

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Longest is the longest token, in bytes. What is longer is cut, in texts as in queries.
const Longest = 48

// class is what kind of character a rune is; a token is of one class.
type class uint8

const (
	none class = iota
	letter
	digit
	ideograph // of a script without spaces between words
	symbol    // an emoji, say: a token by itself
)

func classOf(r rune) class {
	switch {
	case r < utf8.RuneSelf:
		switch {
		case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z':
			return letter
		case r >= '0' && r <= '9':
			return digit
		}
		return none
	case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana):
		return ideograph
	case unicode.IsLetter(r), unicode.Is(unicode.Mc, r):
		return letter
	case unicode.IsNumber(r):
		return digit
	case unicode.Is(unicode.So, r):
		return symbol
	}
	return none
}

// spelt are letters that no decomposition takes apart.
var spelt = map[rune]string{'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'ł': "l", 'đ': "d", 'ð': "d", 'þ': "th", 'ı': "i"}

// run is characters of one class that stand together.
type run struct {
	class class
	text  string // folded
	humps []int  // where in text a capital follows a small letter
}

// runs cuts a text.
func runs(text string, yield func(run)) {
	var b strings.Builder
	var humps []int
	now, small := none, false
	flush := func() {
		if b.Len() > 0 {
			yield(run{now, b.String(), humps})
		}
		b.Reset()
		humps, small = nil, false
	}
	add := func(r rune) {
		if r >= utf8.RuneSelf && unicode.Is(unicode.Mn, r) {
			return // an accent, whatever it stands on
		}
		c := classOf(r)
		if c != now || c == symbol {
			flush()
			now = c
		}
		if c == none {
			return
		}
		low := unicode.ToLower(r)
		if small && low != r {
			humps = append(humps, b.Len())
		}
		small = low == r
		if s, ok := spelt[low]; ok {
			b.WriteString(s)
			return
		}
		b.WriteRune(low)
	}
	for len(text) > 0 {
		plain := 0
		for plain < len(text) && text[plain] < utf8.RuneSelf {
			add(rune(text[plain]))
			plain++
		}
		if text = text[plain:]; text == "" {
			break
		}
		other := 0
		for other < len(text) && text[other] >= utf8.RuneSelf {
			other++
		}
		for _, r := range norm.NFKD.String(text[:other]) {
			if r == utf8.RuneError { // bytes that are no text
				r = ' '
			}
			add(r)
		}
		text = text[other:]
	}
	flush()
}

// Of gives yield every token of a text, some more than once.
func Of(text string, yield func(token string)) {
	runs(text, func(r run) {
		if r.class == ideograph {
			pairs(r.text, yield)
			return
		}
		yield(cut(r.text))
		for _, from := range r.humps { // found by the beginning of any part
			yield(cut(r.text[from:]))
		}
	})
}

// pairs gives every character with its next, and the last one alone: so each begins a
// token, and is found by itself as the beginning of one.
func pairs(text string, yield func(string)) {
	for from := range text {
		_, n := utf8.DecodeRuneInString(text[from:])
		_, m := utf8.DecodeRuneInString(text[from+n:])
		yield(text[from : from+n+m])
	}
}

// Beginnings gives the beginnings of a token that are so short that too many words have
// them: its first character, and, where words have more than two, the first two.
func Beginnings(token string, yield func(string)) {
	first, n := utf8.DecodeRuneInString(token)
	yield(token[:n])
	if _, m := utf8.DecodeRuneInString(token[n:]); m > 0 && classOf(first) != ideograph {
		yield(token[:n+m])
	}
}

// Short reports whether the word is one that Beginnings gives.
func (w Word) Short() (is bool) {
	if w.Prefix {
		Beginnings(w.Text, func(b string) { is = is || b == w.Text })
	}
	return is
}

func cut(token string) string {
	if len(token) <= Longest {
		return token
	}
	n := Longest
	for !utf8.RuneStart(token[n]) {
		n--
	}
	return token[:n]
}

// Word is what a query asks for.
type Word struct {
	Text   string
	Prefix bool // tokens that begin so are meant, too
}

// mostWords bounds a query; what is beyond does not restrict it.
const mostWords = 12

// Query cuts a query into words, all of which are to be found. It has none when the
// query has nothing that can be searched for.
func Query(text string) (list []Word) {
	add := func(w Word) {
		if len(list) < mostWords && !slices.Contains(list, w) {
			list = append(list, w)
		}
	}
	runs(text, func(r run) {
		switch {
		case r.class != ideograph:
			add(Word{cut(r.text), true})
		case utf8.RuneCountInString(r.text) == 1:
			add(Word{r.text, true})
		default:
			pairs(r.text, func(s string) {
				if utf8.RuneCountInString(s) == 2 {
					add(Word{s, false})
				}
			})
		}
	})
	return list
}

// In reports whether a sorted list of tokens has the word.
func (w Word) In(tokens []string) bool {
	i, found := slices.BinarySearch(tokens, w.Text)
	return found || w.Prefix && i < len(tokens) && strings.HasPrefix(tokens[i], w.Text)
}

// Set is a bounded set of tokens. The zero Set is empty.
type Set struct {
	all  map[string]struct{}
	most int
}

// NewSet makes a set that takes the first so many tokens.
func NewSet(most int) *Set { return &Set{map[string]struct{}{}, most} }

// Add takes the tokens of a text.
func (s *Set) Add(text string) {
	Of(text, func(t string) {
		if len(s.all) < s.most {
			s.all[strings.Clone(t)] = struct{}{}
		}
	})
}

// Put takes a token as it is.
func (s *Set) Put(token string) { s.all[token] = struct{}{} }

// Sorted lists the tokens.
func (s *Set) Sorted() []string {
	list := make([]string, 0, len(s.all))
	for t := range s.all {
		list = append(list, t)
	}
	slices.Sort(list)
	return list
}
