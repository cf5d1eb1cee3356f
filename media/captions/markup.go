package captions

import (
	"html"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// Markup makes WebVTT cue text of text with tags as SubRip, WebVTT and HTML have them:
// b, i and u stay, other tags go, everything else is text. No line of it is empty.
func Markup(s string) string {
	var out strings.Builder
	var open []string
	for s != "" && out.Len() <= maxText {
		i := strings.IndexByte(s, '<')
		if i < 0 {
			i = len(s)
		}
		plain(&out, s[:i])
		if s = s[i:]; s == "" {
			break
		}
		name, end, length := tag(s)
		if length == 0 {
			out.WriteString("&lt;")
			s = s[1:]
			continue
		}
		open = put(&out, open, name, end)
		s = s[length:]
	}
	for _, name := range slices.Backward(open) {
		out.WriteString("</" + name + ">")
	}
	return tidy(out.String())
}

// put writes a tag that stays, so that all that are open are closed in the other order.
func put(out *strings.Builder, open []string, name string, end bool) []string {
	if name != "b" && name != "i" && name != "u" {
		return open
	}
	at := slices.Index(open, name)
	switch {
	case !end && at < 0:
		out.WriteString("<" + name + ">")
		return append(open, name)
	case end && at >= 0:
		for _, n := range slices.Backward(open[at:]) {
			out.WriteString("</" + n + ">")
		}
		for _, n := range open[at+1:] {
			out.WriteString("<" + n + ">")
		}
		return slices.Delete(open, at, at+1)
	}
	return open
}

// tag reads what may be a tag at the beginning of s: its name, and how long it is; 0 when it is none.
func tag(s string) (name string, end bool, length int) {
	const most = 300
	close := strings.IndexByte(s[:min(len(s), most)], '>')
	if close < 2 {
		return "", false, 0
	}
	body := s[1:close]
	if body[0] == '/' {
		body, end = body[1:], true
	}
	if body == "" || strings.Contains(body, "<") {
		return "", false, 0
	}
	if c := body[0]; !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' && strings.Contains(body, ":")) { // the last is a time of WebVTT
		return "", false, 0
	}
	i := strings.IndexFunc(body, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if i < 0 {
		i = len(body)
	}
	return strings.ToLower(body[:i]), end, close + 1
}

// plain writes text.
func plain(out *strings.Builder, s string) {
	room := maxText - out.Len()
	if room <= 0 {
		return
	}
	if len(s) > room {
		s = strings.ToValidUTF8(s[:room], "")
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t':
			return r
		case unicode.IsControl(r), r == utf8.RuneError, r == 0xFEFF, r == 0x2028, r == 0x2029:
			return -1
		}
		return r
	}, html.UnescapeString(s))
	out.WriteString(escaper.Replace(s))
}

// tidy takes empty lines away, which would end the cue, and text that is only markup.
func tidy(s string) string {
	var kept []string
	for l := range strings.SplitSeq(s, "\n") {
		if l = strings.TrimSpace(l); l != "" {
			kept = append(kept, l)
		}
	}
	s = strings.Join(kept, "\n")
	bare := s
	for _, t := range []string{"<b>", "<i>", "<u>", "</b>", "</i>", "</u>"} {
		bare = strings.ReplaceAll(bare, t, "")
	}
	if strings.TrimSpace(bare) == "" {
		return ""
	}
	return s
}

// Override reads the orders in braces of SubStation Alpha, which SubRip has as well: bold, italic and
// underline become tags, of the place it tells what WebVTT can say, and the rest goes.
func Override(s string) (text, place string) {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(s, "{\\")
		out.WriteString(before)
		if !found {
			break
		}
		orders, rest, closed := strings.Cut(after, "}")
		if !closed {
			out.WriteString("{\\" + after)
			break
		}
		for o := range strings.SplitSeq(orders, "\\") {
			o = strings.TrimSpace(o)
			switch {
			case o == "i1", o == "b1", o == "u1":
				out.WriteString("<" + o[:1] + ">")
			case o == "i0", o == "b0", o == "u0":
				out.WriteString("</" + o[:1] + ">")
			case o == "r":
				out.WriteString("</b></i></u>")
			case len(o) == 3 && strings.HasPrefix(o, "an") && place == "":
				switch {
				case o[2] >= '7' && o[2] <= '9':
					place = "line:0"
				case o[2] >= '4' && o[2] <= '6':
					place = "line:50%"
				}
			}
		}
		s = rest
	}
	return out.String(), place
}

// ASS makes cue text of an event of SubStation Alpha as Matroska has it: number, layer,
// style, name, three margins, effect, then the text. Drawings are no text.
func ASS(event string) (text, place string) {
	fields := strings.SplitN(event, ",", 9)
	s := fields[len(fields)-1]
	if i := strings.Index(s, "\\p"); i >= 0 && i+2 < len(s) && s[i+2] >= '1' && s[i+2] <= '9' && strings.Contains(s[:i], "{") {
		return "", ""
	}
	s, place = Override(s)
	s = strings.NewReplacer("\\N", "\n", "\\n", "\n", "\\h", " ").Replace(s)
	// What looks like a tag and is none of Override's is text in this format; Markup drops it all the same.
	return Markup(s), place
}

// MovText makes cue text of a sample of MPEG-4 timed text (ETSI TS 126 245 section 5.17): a
// length, the text, and boxes with styles, which are left out.
func MovText(b []byte) string {
	if len(b) < 2 {
		return ""
	}
	n := int(b[0])<<8 | int(b[1])
	b = b[2:]
	if n > len(b) {
		n = len(b)
	}
	return Markup(escaper.Replace(lines(decode(b[:n]))))
}
