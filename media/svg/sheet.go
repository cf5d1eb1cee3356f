package svg

import "strings"

// rule is a selector and the elements that its declarations refer to.
type rule struct {
	selector string
	refs     []ref
}

// ref is a reference to an element from a property.
type ref struct{ property, id string }

// sheet rewrites a style sheet.
type sheet struct {
	out   strings.Builder
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
		if !s.rule(strings.Join(strings.Fields(css[:i]), " "), css[i+1:end], depth) {
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
	inner := &sheet{}
	if !inner.list(block, depth+1) {
		return false
	}
	if inner.out.Len() > 0 {
		s.out.WriteString("@" + strings.ToLower(name) + " " + rest + "{" + inner.out.String() + "}")
		s.rules = append(s.rules, inner.rules...)
	}
	return true
}

// plain writes a selector with its declarations.
func (s *sheet) plain(sel, decls string) {
	if decls == "" {
		return
	}
	s.out.WriteString(sel + "{" + decls + "}")
	if refs := declared(decls); len(refs) > 0 {
		s.rules = append(s.rules, rule{sel, refs})
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

// declared returns the references in declarations that are clean.
func declared(decls string) []ref {
	var out []ref
	for decl := range strings.SplitSeq(decls, ";") {
		property, value, _ := strings.Cut(decl, ":")
		for _, id := range references(value) {
			out = append(out, ref{property, id})
		}
	}
	return out
}

// references returns the names in all url(#name) of a value.
func references(v string) []string {
	var out []string
	for {
		i := strings.Index(v, "(")
		if i < 0 {
			return out
		}
		fn := v[:i]
		v = v[i+1:]
		if !endsInURL(fn) {
			continue
		}
		if name, n := reference(v); n > 0 {
			out = append(out, name)
			v = v[n:]
		}
	}
}
