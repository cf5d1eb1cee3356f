package svg

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"picora/media"
)

// FuzzSanitize holds Sanitize to its promises on any bytes: it refuses them
// with a sentence, or what it returns is stable and has nothing in it that
// could run or load anything.
func FuzzSanitize(f *testing.F) {
	for _, s := range []string{
		`<svg/>`,
		head + `<g onload="x"><rect style="fill:url(#a);x:u/**/rl(//y)"/></g></svg>`,
		head + `<style>@import "x"; .a{fill:red} @media p{.b{stroke:url('#c')}}</style><text>a<![CDATA[<b>]]>&amp;</text></svg>`,
		head + `<use xlink:href="#a"/><image href="data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="/></svg>`,
		`<!DOCTYPE svg><x:svg xmlns:x="http://www.w3.org/2000/svg"><x:set attributeName="x" to="1;2"/><x:script/><x:a><x:title>t</x:title></x:a></x:svg>`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		out, err := Sanitize(bytes.NewReader(in))
		if err != nil {
			if media.Reason(err) == "" || !errors.Is(err, media.ErrCorrupt) && !errors.Is(err, media.ErrUnsupported) {
				t.Fatalf("an error without a sentence: %v", err)
			}
			return
		}
		again, err := Sanitize(bytes.NewReader(out))
		if err != nil || !bytes.Equal(out, again) {
			t.Fatalf("not stable: %v\n%q\n%q", err, out, again)
		}
		inspect(t, out)
		Size(out)
	})
}

// inspect reads a result with no knowledge of how it was made. It looks for
// what is forbidden, the other way round from the allow-lists.
func inspect(t *testing.T, out []byte) {
	t.Helper()
	dec := xml.NewDecoder(bytes.NewReader(out))
	style := false
	for {
		tok, err := dec.Token()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatalf("not well-formed: %v in %q", err, out)
		}
		switch tok := tok.(type) {
		case xml.ProcInst, xml.Directive, xml.Comment:
			t.Fatalf("%T in %q", tok, out)
		case xml.CharData:
			if style {
				inspectCSS(t, string(tok))
			}
		case xml.StartElement:
			style = tok.Name.Local == "style"
			inspectElement(t, tok)
		case xml.EndElement:
			style = false
		}
	}
}

func inspectElement(t *testing.T, el xml.StartElement) {
	t.Helper()
	switch strings.ToLower(el.Name.Local) {
	case "script", "foreignobject", "iframe", "embed", "object", "audio", "video", "handler", "a", "link", "meta", "html", "body", "metadata":
		t.Fatalf("element %s", el.Name.Local)
	}
	if el.Name.Space != nsSVG {
		t.Fatalf("element of the namespace %q", el.Name.Space)
	}
	for _, a := range el.Attr {
		name, value := strings.ToLower(a.Name.Local), strings.ToLower(a.Value)
		squeezed := strings.Join(strings.Fields(value), "")
		switch {
		case a.Name.Space == "xmlns" || a.Name.Local == "xmlns":
			if value != nsSVG && value != nsXLink {
				t.Fatalf("namespace %q", value)
			}
			continue
		case strings.HasPrefix(name, "on"), name == "base", name == "src", name == "action":
			t.Fatalf("attribute %s", name)
		case name == "href":
			if !strings.HasPrefix(value, "#") && !(strings.HasPrefix(value, "data:image/") && !strings.HasPrefix(value, "data:image/svg")) {
				t.Fatalf("reference to %q", value)
			}
			continue
		case name == "attributename" && (strings.Contains(value, "href") || strings.HasPrefix(squeezed, "on") || squeezed == "style"):
			t.Fatalf("animation of %q", value)
		case strings.Contains(squeezed, "javascript:"):
			t.Fatalf("attribute %s is %q", name, a.Value)
		}
		inspectCSS(t, a.Value)
	}
}

// inspectCSS looks for what loads or runs anything in CSS.
func inspectCSS(t *testing.T, css string) {
	t.Helper()
	lower := strings.ToLower(css)
	for _, bad := range []string{"@import", "@font-face", "\\", "<", "/*", "expression(", "image(", "image-set(", "src(", "-moz-binding:", "javascript:"} {
		if strings.Contains(lower, bad) {
			t.Fatalf("%q in the style %q", bad, css)
		}
	}
	for _, part := range strings.Split(lower, "url")[1:] {
		part = strings.TrimLeft(part, " \t\r\n")
		if arg, ok := strings.CutPrefix(part, "("); ok && !strings.HasPrefix(strings.TrimLeft(arg, " \t\r\n'\""), "#") {
			t.Fatalf("a foreign reference in the style %q", css)
		}
	}
}
