package svg

import "bytes"

// passed are the parts of a file that are no tags.
var passed = []struct{ start, end string }{{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?", "?>"}}

// crowded says whether a tag has more than maxAttrs attributes. The XML decoder
// would first take all of them in, with far more memory than the file has.
func crowded(raw []byte) bool {
next:
	for {
		i := bytes.IndexByte(raw, '<')
		if i < 0 {
			return false
		}
		raw = raw[i:]
		for _, p := range passed {
			if rest, ok := bytes.CutPrefix(raw, []byte(p.start)); ok {
				_, raw, _ = bytes.Cut(rest, []byte(p.end))
				continue next
			}
		}
		equals, n := tag(raw)
		if equals > maxAttrs {
			return true
		}
		raw = raw[n:]
	}
}

// tag returns how many equals signs outside quotes the tag at the start of raw
// has, and how long it is.
func tag(raw []byte) (equals, n int) {
	quote := byte(0)
	for i, c := range raw {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '=':
			equals++
		case c == '>':
			return equals, i + 1
		}
	}
	return equals, len(raw)
}
