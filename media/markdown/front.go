package markdown

import (
	"bytes"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxFront is how large front matter may be, in bytes.
const maxFront = 64 << 10

// frontMatter reads the YAML at the beginning of the text, and returns where the rest
// begins. Texts without it are untouched.
func (f *Facts) frontMatter(src []byte, at int) (body int) {
	from, to, body := front(src, at)
	if body == at {
		return at
	}
	var n yaml.Node
	if err := yaml.Unmarshal(src[from:to], &n); err != nil {
		f.warn("The front matter is no YAML that can be read, and was passed over.")
		return body
	}
	if n.Kind != yaml.DocumentNode || len(n.Content) != 1 || n.Content[0].Kind != yaml.MappingNode {
		return body // empty, or a list, or a text
	}
	// Values are looked at as they stand: nothing is followed, so nothing grows.
	fields := n.Content[0].Content
	for i := 0; i+1 < len(fields); i += 2 {
		key, v := fields[i], fields[i+1]
		switch strings.ToLower(key.Value) {
		case "title":
			if v.Kind == yaml.ScalarNode && v.Tag != "!!null" {
				f.Title = strings.TrimSpace(v.Value)
			}
		case "tags":
			f.Tags = tagsOf(v)
		case "public":
			var b bool
			if v.Kind != yaml.ScalarNode || v.Decode(&b) != nil {
				f.warn("public in the front matter is neither true nor false, and was passed over.")
				continue
			}
			f.Public = &b
		}
	}
	return body
}

// tagsOf reads a list of tags, or a text with commas between them.
func tagsOf(v *yaml.Node) (tags []string) {
	switch v.Kind {
	case yaml.SequenceNode:
		for _, n := range v.Content {
			if n.Kind == yaml.ScalarNode && n.Tag != "!!null" && strings.TrimSpace(n.Value) != "" {
				tags = append(tags, strings.TrimSpace(n.Value))
			}
		}
	case yaml.ScalarNode:
		for t := range strings.SplitSeq(v.Value, ",") {
			if t = strings.TrimSpace(t); t != "" && v.Tag != "!!null" {
				tags = append(tags, t)
			}
		}
	}
	return tags
}

// front finds the front matter: between a first line of --- and a later one of --- or
// three dots. Body is at when there is none.
func front(src []byte, at int) (from, to, body int) {
	first, rest := line(src, at)
	if string(first) != "---" {
		return at, at, at
	}
	from = rest
	for next := rest; next < len(src) && next-from <= maxFront; {
		l, after := line(src, next)
		if string(l) == "---" || string(l) == "..." {
			return from, next, after
		}
		next = after
	}
	return at, at, at
}

// line is the line from at on, without spaces at its end, and where the next begins.
func line(src []byte, at int) (l []byte, next int) {
	n := bytes.IndexByte(src[at:], '\n')
	if n < 0 {
		return bytes.TrimRight(src[at:], " \t\r"), len(src)
	}
	return bytes.TrimRight(src[at:at+n], " \t\r"), at + n + 1
}
