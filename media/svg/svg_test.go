package svg

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"image"
	"image/png"
	"strings"
	"testing"

	"picora/media"
)

const head = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">`

// clean sanitizes and checks what holds for every file: the result is stable.
func clean(t testing.TB, in string) string {
	t.Helper()
	out, err := Sanitize(strings.NewReader(in))
	if err != nil {
		t.Fatalf("Sanitize(%.200q): %v", in, err)
	}
	again, err := Sanitize(bytes.NewReader(out))
	if err != nil {
		t.Fatalf("Sanitize of its own output %.300q: %v", out, err)
	}
	if !bytes.Equal(out, again) {
		t.Fatalf("not stable:\n%.500q\n%.500q", out, again)
	}
	return string(out)
}

// inside sanitizes a body and returns what is left of it.
func inside(t testing.TB, body string) string {
	t.Helper()
	out := clean(t, head+body+`</svg>`)
	_, out, _ = strings.Cut(out, ">")
	return strings.TrimSuffix(out, "</svg>")
}

// TestAttacks has what must vanish, and what must be left.
func TestAttacks(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"script", `<script>alert(1)</script>`, ``},
		{"script in a group", `<g><script href="https://evil/x.js"/></g>`, `<g/>`},
		{"script, prefixed", `<x:script xmlns:x="http://www.w3.org/2000/svg">alert(1)</x:script>`, ``},
		{"script, HTML", `<script xmlns="http://www.w3.org/1999/xhtml">alert(1)</script>`, ``},
		{"script, mixed case", `<ScRiPt>alert(1)</ScRiPt>`, ``},
		{"script in CDATA", `<text><![CDATA[<script>alert(1)</script>]]></text>`, `<text>&lt;script&gt;alert(1)&lt;/script&gt;</text>`},
		{"script in title", `<title><script>alert(1)</script>ok</title>`, `<title>ok</title>`},
		{"HTML in desc", `<desc><img xmlns="http://www.w3.org/1999/xhtml" src="x" onerror="alert(1)"/></desc>`, `<desc/>`},
		{"breakout of title", `<title>&lt;/title&gt;&lt;script&gt;</title>`, `<title>&lt;/title&gt;&lt;script&gt;</title>`},
		{"handlers", `<rect onload="x()" onclick="y()" OnError="z()" width="1"/>`, `<rect width="1"/>`},
		{"handler, prefixed", `<rect xmlns:s="http://www.w3.org/2000/svg" s:onload="x()" s:width="1"/>`, `<rect/>`},
		{"handler, xml prefix", `<rect xml:onload="x()" xml:base="https://evil/"/>`, `<rect/>`},
		{"foreignObject", `<foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" src="https://evil"/></foreignObject>`, ``},
		{"HTML elements", `<iframe/><embed/><object/><audio/><video/><canvas/><body/><handler/><link/><meta/>`, ``},
		{"fonts", `<font><font-face><font-face-src><font-face-uri href="https://evil"/></font-face-src></font-face></font>`, ``},
		{"link", `<a href="javascript:alert(1)"><rect width="1"/><a><path d="M0 0"/></a></a>`, `<rect width="1"/><path d="M0 0"/>`},
		{"link in text", `<text>a<a xlink:href="https://evil">b</a>c</text>`, `<text>abc</text>`},
		{"use, external", `<use href="https://evil/x.svg#a"/><use xlink:href="x.svg#a"/><use href="//evil#a"/>`, `<use/><use/><use/>`},
		{"use, data", `<use href="data:image/svg+xml;base64,PHN2Zy8+#x"/>`, `<use/>`},
		{"use, remapped", `<use xmlns:q="http://www.w3.org/1999/xlink" q:href="javascript:x" /><use xmlns:xlink="urn:x" xlink:href="#a"/>`, `<use/><use/>`},
		{"use, escaped name", `<use href="#%61"/><use href="#a b"/><use href="#"/>`, `<use/><use/><use/>`},
		{"use, remapped and fine", `<use xmlns:q="http://www.w3.org/1999/xlink" q:href=" #a "/>`, `<use xlink:href="#a"/>`},
		{"image, external", `<image href="https://evil/x.png"/><image xlink:href="file:///etc/passwd"/><image/>`, ``},
		{"image, SVG", `<image href="data:image/svg+xml;base64,PHN2Zy8+"/><image href="data:image/svg+xml,%3Csvg/%3E"/>`, ``},
		{"image, HTML", `<image href="data:text/html;base64,PHNjcmlwdD4="/><image href="data:image/png;base64,PHNjcmlwdD4="/>`, ``},
		{"image, not base64", `<image href="data:image/png;base64,%%%"/><image href="data:image/png;base64,!"/><image href="data:image/png,x"/>`, ``},
		{"feImage", `<filter><feImage href="https://evil/x.png"/><feImage href="#a"/></filter>`, `<filter><feImage/><feImage href="#a"/></filter>`},
		{"javascript", `<use href="javascript:x"/><use href=" java&#10;script:x"/><use href="&#x6A;avascript:x"/>`, `<use/><use/><use/>`},
		{"url in attributes", `<rect fill="url(https://evil)" filter='url("//evil#a")' mask="url(#a" stroke="u\rl(x)"/>`, `<rect/>`},
		{"url, fine", `<rect fill="url(#a)" mask="url( '#b' ) none" stroke="URL(&quot;#c&quot;)"/>`, `<rect fill="url(#a)" mask="url( '#b' ) none" stroke="URL(&quot;#c&quot;)"/>`},
		{"other functions", `<rect fill="image(x)" mask="image-set(x)" clip-path="src('x')" filter="element(#a)" stroke="-webkit-cross-fade(x)"/>`, `<rect/>`},
		{"attributes as text", `<rect id="url(//evil)" class="a javascript : b" role="x&lt;y" aria-label="ok" aria-x.y="no"/>`, `<rect aria-label="ok"/>`},
		{"unknown attributes", `<rect href2="x" data-x="y" srcdoc="z" formaction="x" ping="x"/>`, `<rect/>`},
		{"style attribute", `<rect style="fill:red;background:url(//evil);behavior:url(#x);-moz-binding:url(#x);stroke:/**/blue;x:expression(y);width:1"/>`, `<rect style="fill:red;stroke:blue;width:1"/>`},
		{"style, split tokens", `<rect style="fill:u/**/rl(x);stroke:url/**/(x);color:&quot;/*&quot; url(//evil) &quot;*/&quot;"/>`, `<rect style="color:&quot; &quot;"/>`},
		{"style, escapes", `<rect style="fill:\75rl(//evil);src:url(#a);x:javascript:y"/>`, `<rect/>`},
		{"style, half a string", `<rect style="fill:'a;stroke:b';color:red"/>`, `<rect style="color:red"/>`},
		{"set href", `<use href="#a"><set attributeName="href" to="javascript:x"/><animate attributeName="xlink:href" values="x;javascript:y"/></use>`, `<use href="#a"/>`},
		{"animate handler", `<rect><animate attributeName="onload" to="x"/><set attributeName="style" to="x"/><set attributeName=" fill" to="x"/><set to="x"/></rect>`, `<rect><set attributeName="fill" to="x"/></rect>`},
		{"animate values", `<rect><animate attributeName="fill" values="red;url(//evil);blue" from="url(//evil)" dur="1s"/></rect>`, `<rect><animate attributeName="fill" dur="1s"/></rect>`},
		{"comment and PI", `<!-- <script> --><?xml-stylesheet href="https://evil/x.css"?><?php x ?><rect/>`, `<rect/>`},
		{"other namespaces", `<sodipodi:namedview xmlns:sodipodi="urn:s"><rect/></sodipodi:namedview><rect xmlns=""/><metadata><rdf:RDF xmlns:rdf="urn:r"/></metadata>`, ``},
		{"undeclared prefix", `<foo:rect/><svg:rect/>`, ``},
		{"text outside text", `<g>alert(1)<rect/>x</g>`, `<g><rect/></g>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := inside(t, c.in); got != c.want {
				t.Errorf("%s\ngives %s\nwant  %s", c.in, got, c.want)
			}
		})
	}
}

func TestStyleSheets(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"classes", `.st0 { fill : #FFF ; } .st1,.st2>a{stroke:url(#a)}`, `.st0{fill:#FFF}.st1,.st2&gt;a{stroke:url(#a)}`},
		{"CDATA", `<![CDATA[ .a{fill:red} ]]>`, `.a{fill:red}`},
		{"CDATA, nested", `<![CDATA[.a{fill:red}]]>]]&gt;<![CDATA[</style><script>]]>`, ``},
		{"breakout", `.a{fill:red}&lt;/style&gt;&lt;script&gt;alert(1)&lt;/script&gt;`, ``},
		{"elements inside", `.a{<script>x</script>fill:red}`, `.a{fill:red}`},
		{"comments", `/* x */ .a{/* url( */fill:red}`, `.a{fill:red}`},
		{"open comment", `.a{fill:red} /* x`, ``},
		{"split import", `@imp/**/ort url(//evil); .a{fill:red}`, `.a{fill:red}`},
		{"import", `@import url("//evil/x.css"); @import '//evil'; @charset "x"; .a{fill:red}`, `.a{fill:red}`},
		{"import with semicolon", `@import url(//evil;x); .a{fill:red}`, ``},
		{"escaped import", `@\69mport url(//evil);`, ``},
		{"font", `@font-face{font-family:x;src:url(//evil)} .a{fill:red}`, `.a{fill:red}`},
		{"external", `.a{fill:url(//evil)} .b{background:url(data:image/png;base64,x);fill:red}`, `.b{fill:red}`},
		{"media", `@media (min-width:1px) and print{.a{fill:red;x:url(//y)}} @MEDIA x{}`, `@media (min-width:1px) and print{.a{fill:red}}`},
		{"keyframes", `@keyframes spin{0%{transform:rotate(0deg)}to{transform:rotate(360deg)}}`, `@keyframes spin{0%{transform:rotate(0deg)}to{transform:rotate(360deg)}}`},
		{"deep media", `@media a{@media a{@media a{@media a{.x{fill:red}}}}}`, ``},
		{"nesting", `.a{.b{fill:red}}`, ``},
		{"open block", `.a{fill:red`, ``},
		{"closed twice", `.a{fill:red}}`, ``},
		{"selector in quotes", `a[b="}"]{fill:red}`, ``},
		{"no selector", `{fill:red}`, ``},
		{"no block", `.a;.b{fill:red}`, ``},
		{"variables", `:root{--c:#fff}.a{fill:var(--c)!important}`, `:root{--c:#fff}.a{fill:var(--c)!important}`},
		{"expression", `.a{width:expression(alert(1));behavior:x}`, ``},
		{"HTML comment", `&lt;!-- .a{fill:red} --&gt;`, ``},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := c.want
			if want != "" {
				want = "<style>" + want + "</style>"
			}
			if got := inside(t, "<style>"+c.in+"</style>"); got != want {
				t.Errorf("%s\ngives %s\nwant  %s", c.in, got, want)
			}
		})
	}
	if got := inside(t, `<style type="text/x-less">.a{fill:red}</style>`); got != "" {
		t.Errorf("a sheet of another kind: %s", got)
	}
}

func TestRefused(t *testing.T) {
	deep := strings.Repeat("<g>", maxDepth) + strings.Repeat("</g>", maxDepth)
	for _, c := range []struct {
		name, in string
		kind     error
		words    string
	}{
		{"empty", ``, media.ErrCorrupt, "empty"},
		{"nothing", ` <!-- --> `, media.ErrCorrupt, "no svg element"},
		{"text first", `x<svg/>`, media.ErrCorrupt, "text in front"},
		{"HTML", `<html><svg/></html>`, media.ErrCorrupt, "not an svg element"},
		{"other namespace", `<svg xmlns="http://www.w3.org/1999/xhtml"/>`, media.ErrCorrupt, "not an svg element"},
		{"undeclared prefix", `<svg:svg/>`, media.ErrCorrupt, "not an svg element"},
		{"upper case", `<SVG xmlns="http://www.w3.org/2000/svg"/>`, media.ErrCorrupt, "not an svg element"},
		{"cut off", head + `<g>`, media.ErrCorrupt, "not well-formed XML: unexpected EOF in line 1"},
		{"mismatch", head + `<g></h></svg>`, media.ErrCorrupt, "not well-formed"},
		{"entity", `<!DOCTYPE svg [<!ENTITY x "y">]>` + head + `&x;</svg>`, media.ErrUnsupported, "entities"},
		{"external entity", `<!DOCTYPE svg [<!EnTiTy x SYSTEM "file:///etc/passwd">]>` + head + `</svg>`, media.ErrUnsupported, "entities"},
		{"parameter entity", `<!DOCTYPE svg [<!ENTITY % x SYSTEM "http://evil">%x;]>` + head + `</svg>`, media.ErrUnsupported, "entities"},
		{"late doctype", head + `<!DOCTYPE x [<!ENTITY x "y">]></svg>`, media.ErrUnsupported, "entities"},
		{"undeclared entity", head + `<text>&nbsp;</text></svg>`, media.ErrCorrupt, "not well-formed"},
		{"twice", head + `<rect x="1" x="2"/></svg>`, media.ErrCorrupt, `"x" twice`},
		{"UTF-16", "\xFE\xFF\x00<", media.ErrUnsupported, "UTF-8"},
		{"UTF-16 without mark", "<\x00s\x00", media.ErrUnsupported, "UTF-8"},
		{"Latin-1", head + "<text>\xE4</text></svg>", media.ErrUnsupported, "UTF-8"},
		{"declared Latin-1", `<?xml version="1.0" encoding="ISO-8859-1"?>` + head + "<text>ä</text></svg>", media.ErrUnsupported, `"ISO-8859-1"; save it as UTF-8`},
		{"control character", head + "<text>\x01</text></svg>", media.ErrCorrupt, "not well-formed"},
		{"too large", head + strings.Repeat(" ", MaxBytes) + `</svg>`, media.ErrUnsupported, "larger than 2 MiB"},
		{"too large when written", head + "<text>" + strings.Repeat(">", MaxBytes/2) + `</text></svg>`, media.ErrUnsupported, "larger than 2 MiB"},
		{"too deep", head + deep + `</svg>`, media.ErrUnsupported, "nests more than 200"},
		{"too deep in links", head + strings.ReplaceAll(deep, "g>", "a>") + `</svg>`, media.ErrUnsupported, "nests more than 200"},
		{"too many elements", head + strings.Repeat("<g/>", maxNodes+1) + `</svg>`, media.ErrUnsupported, "more than 100000 elements"},
		{"too many attributes", head + `<g ` + attributes(maxAttrs+1) + `/></svg>`, media.ErrUnsupported, "attributes"},
	} {
		t.Run(c.name, func(t *testing.T) { refuse(t, c.in, c.kind, c.words) })
	}
}

func refuse(t *testing.T, in string, kind error, words string) {
	t.Helper()
	out, err := Sanitize(strings.NewReader(in))
	if !errors.Is(err, kind) || !strings.Contains(media.Reason(err), words) {
		t.Errorf("Sanitize = %.100q, %v, want %v with %q", out, err, kind, words)
	}
}

func attributes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ` a%d=""`, i)
	}
	return b.String()
}

// TestProlog has what may stand around the root.
func TestProlog(t *testing.T) {
	want := `<svg xmlns="http://www.w3.org/2000/svg" width="1"><rect/></svg>`
	for _, in := range []string{
		`<svg width="1"><rect/></svg>`,
		"\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"no\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1\">\n <rect/> </svg>\n",
		`<?xml version="1.0" encoding="ISO-8859-1"?><svg width="1"><rect/></svg>`,
		`<!-- Generator --><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd"><svg width="1"><rect/></svg>`,
		`<?xml-stylesheet href="https://evil/x.css"?><svg width="1"><rect/></svg>`,
		`<svg:svg xmlns:svg="http://www.w3.org/2000/svg" width="1"><svg:rect/></svg:svg>`,
		`<svg width="1"><rect/></svg><script>alert(1)</script>`,
		`<svg width="1" onload="alert(1)"><rect/></svg> PK rubbish <`,
	} {
		if got := clean(t, in); got != want {
			t.Errorf("%s\ngives %s\nwant  %s", in, got, want)
		}
	}
}

// TestRaster has a picture inside the drawing, with metadata.
func TestRaster(t *testing.T) {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 3, 3))); err != nil {
		t.Fatal(err)
	}
	plain := base64.StdEncoding.EncodeToString(b.Bytes())
	want := `<image href="data:image/png;base64,` + plain + `"/>`
	dirty := base64.RawStdEncoding.EncodeToString(append(b.Bytes(), "GPS 52.5163N"...))
	for _, in := range []string{
		"data:image/png;base64," + plain,
		" DATA:image/jpg; base64," + plain[:40] + "\n\t " + plain[40:],
		"data:image/png;base64," + strings.NewReplacer("+", "%2B", "/", "%2F", "=", "%3D").Replace(plain),
		"data:image/gif;base64," + dirty,
	} {
		if got := inside(t, `<image href="`+in+`"/>`); got != want {
			t.Errorf("%.60s gives %s", in, got)
		}
	}
	if got := inside(t, `<image href="data:image/png;base64,`+plain[:60]+`"/>`); got != "" {
		t.Errorf("a picture that is cut off gives %s", got)
	}
}

func TestReadError(t *testing.T) {
	broken := errors.New("the wire was cut")
	if _, err := Sanitize(failing{broken}); !errors.Is(err, broken) || media.Reason(err) != "" {
		t.Errorf("Sanitize = %v, want the reader's error", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
