package svg

import "strings"

// functions that may stand in a value. None loads anything but url, which is
// held to the file's own elements.
var functions = set(`
	url rgb rgba hsl hsla hwb lab lch oklab oklch color color-mix
	matrix matrix3d translate translatex translatey translatez translate3d
	scale scalex scaley scalez scale3d rotate rotatex rotatey rotatez rotate3d
	skew skewx skewy perspective
	calc min max clamp var cubic-bezier steps linear
	path circle ellipse polygon inset
	blur brightness contrast drop-shadow grayscale hue-rotate invert opacity
	saturate sepia`)

// safeValue says whether a CSS value consists of nothing but words, numbers,
// plain strings, known functions and references to the file's own elements.
// What is not understood is not safe: escapes, comments, blocks, colons.
func safeValue(v string) bool {
	depth := 0
	for i := 0; i < len(v); {
		n, ok := 1, true
		switch c := v[i]; {
		case wordByte(c):
			n, ok = word(v[i:])
		case c == '"' || c == '\'':
			n, ok = quoted(v[i:])
		case c == '(':
			depth++
			ok = !endsInURL(strings.TrimRight(v[:i], " \t\r\n"))
		case c == ')':
			depth--
			ok = depth >= 0
		case c == '/':
			ok = i+1 == len(v) || v[i+1] != '/' && v[i+1] != '*'
		default:
			ok = strings.IndexByte(" \t\r\n,+*!", c) >= 0
		}
		if !ok {
			return false
		}
		i += n
	}
	return depth == 0
}

// endsInURL says whether v ends in the name of the one function that loads.
func endsInURL(v string) bool { return len(v) >= 3 && strings.EqualFold(v[len(v)-3:], "url") }

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c >= 0x80 || strings.IndexByte("-_.#%", c) >= 0
}

// word reads a word, and for url also its argument; a word before a bracket
// has to be a known function.
func word(v string) (n int, ok bool) {
	for n < len(v) && wordByte(v[n]) {
		n++
	}
	if n == len(v) || v[n] != '(' {
		return n, true
	}
	name := strings.ToLower(v[:n])
	if name != "url" {
		return n, functions[name]
	}
	_, arg := reference(v[n+1:])
	return n + 1 + arg, arg > 0
}

// reference reads the argument of url( with the closing bracket: a fragment,
// with or without quotes. It returns the fragment's name and how many bytes
// were read, 0 when it is anything else.
func reference(v string) (name string, n int) {
	rest := strings.TrimLeft(v, " \t\r\n")
	quote := ""
	if rest != "" && (rest[0] == '"' || rest[0] == '\'') {
		quote, rest = rest[:1], rest[1:]
	}
	rest, ok := strings.CutPrefix(rest, "#")
	size := fragment(rest)
	if !ok || size == 0 {
		return "", 0
	}
	name = rest[:size]
	rest, ok = strings.CutPrefix(rest[size:], quote)
	if !ok {
		return "", 0
	}
	rest, ok = strings.CutPrefix(strings.TrimLeft(rest, " \t\r\n"), ")")
	if !ok {
		return "", 0
	}
	return name, len(v) - len(rest)
}

// quoted reads a string, such as the name of a font.
func quoted(v string) (n int, ok bool) {
	end := strings.IndexByte(v[1:], v[0])
	if end < 0 || strings.ContainsAny(v[1:1+end], "\\<>(){}@;\r\n\"'") {
		return 0, false
	}
	return end + 2, true
}

// cleanDeclarations returns the declarations of a rule or a style attribute
// that are understood. It parts them at every semicolon: one inside a string
// leaves two halves of which neither is.
func cleanDeclarations(s string) string {
	var out strings.Builder
	out.Grow(len(s))
	for decl := range strings.SplitSeq(blankComments(s), ";") {
		name, value, ok := strings.Cut(decl, ":")
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		if ok && property(name) && value != "" && safeValue(value) {
			if out.Len() > 0 {
				out.WriteByte(';')
			}
			out.WriteString(name)
			out.WriteByte(':')
			out.WriteString(value)
		}
	}
	return out.String()
}

// property says whether a name is that of a property. Two run code in old
// browsers; src is that of @font-face.
func property(name string) bool {
	if name == "" || name == "src" || strings.Contains(name, "behavior") || strings.Contains(name, "binding") {
		return false
	}
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// blankComments puts a space for each comment, which is what it is to CSS. What
// is left of comment signs after that is refused where values are checked.
func blankComments(s string) string {
	if !strings.Contains(s, "/*") {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for {
		before, rest, ok := strings.Cut(s, "/*")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		_, after, ok := strings.Cut(rest, "*/")
		if !ok {
			b.WriteString("/*")
			b.WriteString(rest)
			return b.String()
		}
		b.WriteByte(' ')
		s = after
	}
}
