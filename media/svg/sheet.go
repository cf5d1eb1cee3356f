package svg

import (
	"bytes"
	"iter"
	"strings"
)

// rule is a selector and its declarations, with references among them.
type rule struct{ selector, decls string }

// sheet rewrites a style sheet.
type sheet struct {
	out   bytes.Buffer
	rules []rule
}

// cleanSheet returns what of a style sheet may stay: rules and, around them,
// @media, @supports and @keyframes. Other at-rules are dropped: they load
// something or do nothing. Of a sheet whose structure is in doubt nothing
// stays.
func cleanSheet(css string) (string, []rule) {
	css = blankComments(css)
	if strings.ContainsAny(css, "\\<") || strings.Contains(css, "/*") {
		return "", nil
	}
	s := &sheet{}
	s.out.Grow(len(css))
	if !s.list(css, 0) {
		return "", nil
	}
	return s.out.String(), s.rules
}

// list reads rules up to the end of css; false when in doubt.
func (s *sheet) list(css string, depth int) bool {
	for {
		css = strings.TrimLeft(css, " \t\r\n")
		if css == "" {
			return true
		}
		i := strings.IndexAny(css, "{};")
		if i < 0 || css[i] == '}' {
			return false
		}
		if css[i] == ';' {
			if css[0] != '@' {
				return false
			}
			css = css[i+1:] // @import, @charset, @namespace
			continue
		}
		end := closing(css, i)
		if end < 0 {
			return false
		}
		if !s.rule(squeeze(css[:i]), css[i+1:end], depth) {
			return false
		}
		css = css[end+1:]
	}
}

// closing returns where the bracket at i is closed, or -1.
func closing(css string, i int) int {
	depth := 0
	for ; i < len(css); i++ {
		switch css[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// rule writes one rule with what is left of its block.
func (s *sheet) rule(prelude, block string, depth int) bool {
	if !strings.HasPrefix(prelude, "@") {
		if strings.ContainsAny(block, "{}") || !selector(prelude) {
			return false
		}
		s.plain(prelude, cleanDeclarations(block))
		return true
	}
	name, rest, _ := strings.Cut(prelude[1:], " ")
	switch strings.ToLower(name) {
	case "media", "supports", "keyframes", "-webkit-keyframes":
	default:
		return true
	}
	if depth > 2 || !selector(rest) {
		return false
	}
	before := s.out.Len()
	s.out.WriteString("@" + strings.ToLower(name) + " " + rest + "{")
	empty := s.out.Len()
	if !s.list(block, depth+1) {
		return false
	}
	if s.out.Len() == empty {
		s.out.Truncate(before)
	} else {
		s.out.WriteByte('}')
	}
	return true
}

// squeeze makes one space of each run of white space and none at the ends.
func squeeze(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for word := range strings.FieldsSeq(s) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(word)
	}
	return b.String()
}

// plain writes a selector with its declarations.
func (s *sheet) plain(sel, decls string) {
	if decls == "" {
		return
	}
	for _, part := range []string{sel, "{", decls, "}"} {
		s.out.WriteString(part)
	}
	for range declared(decls) {
		s.rules = append(s.rules, rule{sel, decls})
		return
	}
}

// selector says whether s has only what selectors, conditions of @media and
// names of @keyframes are made of.
func selector(s string) bool {
	for _, c := range []byte(s) {
		if !wordByte(c) && strings.IndexByte(" ,>+~*:()[]=", c) < 0 {
			return false
		}
	}
	return s != "" && !strings.Contains(strings.ToLower(s), "url(")
}

// declared returns the references in declarations that are clean: a property
// and the name of an element.
func declared(decls string) iter.Seq2[string, string] {
	return func(yield func(property, id string) bool) {
		for decl := range strings.SplitSeq(decls, ";") {
			property, value, _ := strings.Cut(decl, ":")
			for id := range references(value) {
				if !yield(property, id) {
					return
				}
			}
		}
	}
}

// references returns the names in all url(#name) of a value.
func references(v string) iter.Seq[string] {
	return func(yield func(id string) bool) {
		for {
			fn, rest, ok := strings.Cut(v, "(")
			if !ok {
				return
			}
			v = rest
			if !endsInURL(fn) {
				continue
			}
			name, n := reference(v)
			if n > 0 && !yield(name) {
				return
			}
			v = v[n:]
		}
	}
}
