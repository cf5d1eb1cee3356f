package svg

import (
	"strings"
	"testing"
)

// TestRealFiles has drawings as programs write them; what is visible stays.
func TestRealFiles(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"Inkscape", `<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<!-- Created with Inkscape (http://www.inkscape.org/) -->
<svg width="210mm" height="297mm" viewBox="0 0 210 297" version="1.1" id="svg5" inkscape:version="1.1"
   sodipodi:docname="drawing.svg" inkscape:export-filename="C:\Users\anna\drawing.png"
   xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape"
   xmlns:sodipodi="http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd"
   xmlns:xlink="http://www.w3.org/1999/xlink" xmlns="http://www.w3.org/2000/svg" xmlns:svg="http://www.w3.org/2000/svg">
  <sodipodi:namedview id="namedview7" pagecolor="#ffffff"><inkscape:grid type="xygrid"/></sodipodi:namedview>
  <defs id="defs2">
    <linearGradient inkscape:collect="always" id="g1"><stop style="stop-color:#0000ff;stop-opacity:1" offset="0" id="stop1" /></linearGradient>
    <linearGradient xlink:href="#g1" id="g2" x1="30" y1="50" x2="90" y2="50" gradientUnits="userSpaceOnUse"/>
  </defs>
  <metadata id="m"><rdf:RDF xmlns:rdf="urn:rdf"><cc:Work xmlns:cc="urn:cc">Anna</cc:Work></rdf:RDF></metadata>
  <g inkscape:label="Layer 1" inkscape:groupmode="layer" id="layer1">
    <rect style="fill:url(#g2);stroke-width:0.264583" id="rect31" width="60.5" height="40" x="30" y="30" />
    <text xml:space="preserve" style="font-size:10px;line-height:1.25;font-family:sans-serif;-inkscape-font-specification:'sans-serif, Normal'" x="3" y="9" id="t"><tspan sodipodi:role="line" id="ts" x="3" y="9">Hello  &amp; bye</tspan></text>
  </g>
</svg>`,
			`<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="210mm" height="297mm" viewBox="0 0 210 297" version="1.1" id="svg5"><defs id="defs2"><linearGradient id="g1"><stop style="stop-color:#0000ff;stop-opacity:1" offset="0" id="stop1"/></linearGradient><linearGradient xlink:href="#g1" id="g2" x1="30" y1="50" x2="90" y2="50" gradientUnits="userSpaceOnUse"/></defs><g id="layer1"><rect style="fill:url(#g2);stroke-width:0.264583" id="rect31" width="60.5" height="40" x="30" y="30"/><text xml:space="preserve" style="font-size:10px;line-height:1.25;font-family:sans-serif;-inkscape-font-specification:'sans-serif, Normal'" x="3" y="9" id="t"><tspan id="ts" x="3" y="9">Hello  &amp; bye</tspan></text></g></svg>`},
		{"Illustrator", `<?xml version="1.0" encoding="utf-8"?>
<!-- Generator: Adobe Illustrator 25.0 -->
<svg version="1.1" id="Layer_1" xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" x="0px" y="0px"
	 viewBox="0 0 100 100" style="enable-background:new 0 0 100 100;" xml:space="preserve">
<style type="text/css">
	.st0{clip-path:url(#SVGID_2_);}
	.st1{fill:#E30613;stroke:#FFFFFF;stroke-width:2;stroke-miterlimit:10;}
	.st2{font-family:'MyriadPro-Regular';}
	.st3{fill:url(#SVGID_3_);}
</style>
<switch><foreignObject requiredExtensions="http://ns.adobe.com/AdobeIllustrator/10.0/" x="0" y="0" width="1" height="1"></foreignObject>
<g><defs><rect id="SVGID_1_" width="100" height="100"/></defs>
<clipPath id="SVGID_2_"><use xlink:href="#SVGID_1_" style="overflow:visible;"/></clipPath>
<g class="st0"><path class="st1" d="M10,10c0-5.5,4.5-10,10-10
	h60"/></g>
<text transform="matrix(1 0 0 1 10 20)" class="st2">Text</text></g></switch></svg>`,
			`<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" version="1.1" id="Layer_1" x="0px" y="0px" viewBox="0 0 100 100" style="enable-background:new 0 0 100 100" xml:space="preserve"><style type="text/css">.st0{clip-path:url(#SVGID_2_)}.st1{fill:#E30613;stroke:#FFFFFF;stroke-width:2;stroke-miterlimit:10}.st2{font-family:'MyriadPro-Regular'}.st3{fill:url(#SVGID_3_)}</style><switch><g><defs><rect id="SVGID_1_" width="100" height="100"/></defs><clipPath id="SVGID_2_"><use xlink:href="#SVGID_1_" style="overflow:visible"/></clipPath><g class="st0"><path class="st1" d="M10,10c0-5.5,4.5-10,10-10  h60"/></g><text transform="matrix(1 0 0 1 10 20)" class="st2">Text</text></g></switch></svg>`},
		{"icon", `<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" class="feather feather-x" role="img" aria-label="Close"><title>Close</title><line x1="18" y1="6" x2="6" y2="18"></line><polyline points="1,2 3.5,-4"/></svg>`,
			`<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" class="feather feather-x" role="img" aria-label="Close"><title>Close</title><line x1="18" y1="6" x2="6" y2="18"/><polyline points="1,2 3.5,-4"/></svg>`},
		{"filter and animation", `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><filter id="f" x="-20%"><feGaussianBlur in="SourceAlpha" stdDeviation="2 3"/><feColorMatrix type="matrix" values="0 0 0 0 0 0 0 0 .5 0"/><feMerge><feMergeNode/></feMerge></filter><g filter="url(#f)"><circle r="4" transform="rotate(45) translate (1,2)"><animate attributeName="r" values="4;5;4" keyTimes="0;.5;1" dur="2s" begin="0s;x.end+1s" repeatCount="indefinite"/><animateTransform attributeName="transform" type="rotate" from="0 4 4" to="360 4 4" dur="1s"/><animateMotion path="M0,0 5,5"><mpath href="#p"/></animateMotion></circle></g></svg>`, ``},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := c.want
			if want == "" {
				want = c.in // already as it should be
			}
			if got := clean(t, c.in); got != want {
				t.Errorf("gives %s\nwant  %s", got, want)
			}
		})
	}
}

func TestSize(t *testing.T) {
	for _, c := range []struct {
		attrs string
		w, h  int
	}{
		{`width="24" height="12"`, 24, 12},
		{`width="10.4px" height=" 10.6PX "`, 10, 11},
		{`width="72pt" height="1in"`, 96, 96},
		{`width="25.4mm" height="2.54cm"`, 96, 96},
		{`width="1pc" height="40Q"`, 16, 38},
		{`width="100%" height="100%" viewBox="0 0 30 20"`, 30, 20},
		{`viewBox="-5,-5, 30.2 20"`, 30, 20},
		{`width="60" viewBox="0 0 30 20"`, 60, 40},
		{`height="40" viewBox="0 0 30 20"`, 60, 40},
		{`width="60"`, 0, 0},
		{`width="2em" height="2em"`, 0, 0},
		{`width="-5" height="5" viewBox="0 0 0 3"`, 0, 0},
		{`width="NaN" height="Inf" viewBox="0 0 3"`, 0, 0},
		{`width="1e9" height="0.001"`, maxSide, 1},
		{``, 0, 0},
	} {
		if w, h := Size([]byte(`<svg ` + c.attrs + `/>`)); w != c.w || h != c.h {
			t.Errorf("%s: %d x %d, want %d x %d", c.attrs, w, h, c.w, c.h)
		}
	}
	for _, b := range []string{"", "<", "x"} {
		if w, h := Size([]byte(b)); w != 0 || h != 0 {
			t.Errorf("%q: %d x %d", b, w, h)
		}
	}
	if w, h := Size([]byte(clean(t, `<svg width="7" height="8"/>`))); w != 7 || h != 8 {
		t.Errorf("sanitized: %d x %d", w, h)
	}
}

// tower makes levels of elements that each refer ten times to the level below.
func tower(levels int, level func(i int, inner string) string, refer func(i int) string) string {
	var b strings.Builder
	b.WriteString(`<rect id="l0"/>`)
	for i := 1; i <= levels; i++ {
		b.WriteString(level(i, strings.Repeat(refer(i-1), 10)))
	}
	return b.String()
}
