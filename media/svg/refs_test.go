package svg

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"picora/media"
)

// TestBombs has small files that are huge when drawn.
func TestBombs(t *testing.T) {
	wrap := func(element string) func(int, string) string {
		return func(i int, inner string) string {
			return fmt.Sprintf(`<%s id="l%d">%s</%s>`, element, i, inner, element)
		}
	}
	format := func(f string) func(int) string { return func(i int) string { return fmt.Sprintf(f, i) } }
	for name, body := range map[string]string{
		"use":              tower(9, wrap("g"), format(`<use href="#l%d"/>`)),
		"use, xlink":       tower(9, wrap("symbol"), format(`<use xlink:href="#l%d"/>`)),
		"use, two hrefs":   tower(9, wrap("g"), format(`<use href="#none" xlink:href="#l%d"/>`)),
		"pattern":          tower(9, wrap("pattern"), format(`<rect fill="url(#l%d)"/>`)),
		"mask, style":      tower(9, wrap("mask"), format(`<rect style="opacity:1;mask:url('#l%d')"/>`)),
		"inherited":        tower(9, wrap("pattern"), func(i int) string { return fmt.Sprintf(`<g fill="url(#l%d)"><rect/><rect/></g>`, i) }),
		"marker":           tower(1, wrap("marker"), format(`<use href="#l%d"/>`)) + `<path marker-mid="url(#l1)" d="` + strings.Repeat("h1v1", 20_000) + `"/>`,
		"sheet, class":     sheetOf(9, `.c%d{fill:url(#l%d)}`) + tower(9, wrap("pattern"), format(`<rect class="x c%d"/>`)),
		"sheet, id":        `<style>#me{fill:url(#l9)}g#me,*{mask:url(#l9)}</style>` + tower(5, wrap("g"), format(`<use href="#l%d"/>`)) + `<g id="l9">` + strings.Repeat(`<rect/>`, 900) + `</g>` + strings.Repeat(`<path/>`, 900),
		"sheet, often":     `<style>a,.b,rect{filter:` + strings.Repeat("url(#l0) ", 300) + `}</style><filter id="l0">` + strings.Repeat(`<feFlood/>`, 400) + `</filter><rect/>`,
		"backwards":        reversed(),
		"through image":    `<filter id="l0">` + strings.Repeat(`<feFlood/>`, 400) + `</filter>` + strings.Repeat(`<rect filter="url(#l0)"/>`, 300),
		"filter on filter": tower(9, wrap("filter"), format(`<feImage href="#l%d"/>`)),
	} {
		t.Run(name, func(t *testing.T) { refuse(t, head+body+`</svg>`, media.ErrUnsupported, "repeats parts of itself") })
	}
}

// sheetOf makes a style sheet of numbered rules.
func sheetOf(n int, rule string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, rule, i, i)
	}
	return "<style>" + b.String() + "</style>"
}

// reversed has each level in front of the one it refers to.
func reversed() string {
	out := ""
	for i := range 9 {
		out = fmt.Sprintf(`<g id="r%d">%s</g>`, i+1, strings.Repeat(fmt.Sprintf(`<use href="#r%d"/>`, i), 10)) + out
	}
	return out + `<rect id="r0"/>`
}

func TestCircles(t *testing.T) {
	refuse(t, head+`<g id="a"><use href="#a"/></g></svg>`, media.ErrCorrupt, "without end")
	refuse(t, head+`<g id="a"><use href="#b"/></g><g id="b"><use href="#a"/></g></svg>`, media.ErrCorrupt, "without end")
	for _, fine := range []string{
		`<pattern id="a"><rect fill="url(#a)"/></pattern>`,
		`<linearGradient id="a" href="#a"/>`,
		`<rect id="a"><animate attributeName="x" href="#a"/></rect>`,
		`<style>*{mask:url(#m)}</style><mask id="m"><rect/></mask>`,
	} {
		if got := inside(t, fine); got != fine {
			t.Errorf("%s gives %s", fine, got)
		}
	}
	var chain strings.Builder
	for i := range 2 * maxChain {
		fmt.Fprintf(&chain, `<g id="n%d"><use href="#n%d"/></g>`, i, i+1)
	}
	refuse(t, head+chain.String()+`</svg>`, media.ErrUnsupported, "chain")
}

// TestManyReferences has large honest drawings.
func TestManyReferences(t *testing.T) {
	for name, body := range map[string]string{
		"glyphs":     `<symbol id="l0"><path d="M0 0"/></symbol>` + strings.Repeat(`<use href="#l0" x="1.5" y="2.5"/>`, 5_000),
		"gradients":  `<linearGradient id="l0">` + strings.Repeat(`<stop/>`, 20) + `</linearGradient>` + strings.Repeat(`<rect fill="url(#l0)"/>`, 6_000),
		"long paths": `<clipPath id="l0"><rect/></clipPath>` + strings.Repeat(`<path style="clip-path:url(#l0)" d="`+strings.Repeat("h1v1", 500)+`"/>`, 150),
	} {
		t.Run(name, func(t *testing.T) { inside(t, body) })
	}
}

// TestTime has files that would take long if anything were quadratic.
func TestTime(t *testing.T) {
	for name, body := range map[string]string{
		"rules that fit all": "<style>" + strings.Repeat("*{x:url(#l0)}", 20_000) + "</style>" + `<mask id="l0"/>` + strings.Repeat("<g/>", 20_000),
		"text in bits":       "<text>" + strings.Repeat("x<!---->", 30_000) + "</text>",
		"sheet in bits":      "<style>" + strings.Repeat("x<!---->", 30_000) + "</style>",
		"brackets":           `<rect fill="` + strings.Repeat("(", 300_000) + `"/>`,
		"comments":           `<rect style="` + strings.Repeat("/*", 300_000) + `"/>`,
		"open media":         "<style>" + strings.Repeat("@media a{", 60_000) + "</style>",
		"urls":               `<rect fill="` + strings.Repeat("url(#a)", 80_000) + `"/>`,
		"spaces":             `<rect fill="` + strings.Repeat("( ", 300_000) + `"/>`,
		"attributes":         strings.Repeat(`<g `+attributes(200)+`/>`, 200),
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			Sanitize(strings.NewReader(head + body + `</svg>`))
			if took := time.Since(start); took > time.Minute {
				t.Errorf("took %v", took)
			} else {
				t.Log(took)
			}
		})
	}
}
