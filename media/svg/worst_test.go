package svg

import (
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"picora/media"
)

// fill repeats what unit makes of a running number up to size bytes, between
// two other parts.
func fill(front string, unit func(i int) string, back string) string {
	var b strings.Builder
	b.WriteString(front)
	for i := 0; b.Len() < worstSize-4000-len(head)-len(back); i++ {
		b.WriteString(unit(i))
	}
	b.WriteString(back)
	return b.String()
}

// same repeats a text that fits MaxBytes in halves.
func same(s string) func(int) string { return func(int) string { return s } }

// name is a short one of that number.
func name(i int) string {
	b := []byte{byte('a' + i%26)}
	for i /= 26; i > 0; i /= 36 {
		b = append(b, "0123456789abcdefghijklmnopqrstuvwxyz"[i%36])
	}
	return string(b)
}

func numbered(format string) func(int) string {
	return func(i int) string { return strings.ReplaceAll(format, "$", name(i)) }
}

// TestWorst has files of 2 MiB (less with the race detector) made to cost as much as they can. Each has to
// stay within bounds of memory and of time; whether it is refused is open.
func TestWorst(t *testing.T) {
	const most = 100 << 20
	half := func(unit string) string { return strings.Repeat(unit, (worstSize/2-1000)/len(unit)) }
	names := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(strings.ReplaceAll(format, "$", name(i)))
		}
		return b.String()
	}
	dot := base64.StdEncoding.EncodeToString([]byte("GIF89a\x01\x00\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02L\x01\x00;"))
	for what, body := range map[string]string{
		"selectors by references": `<style>` + half("a,") + `a{` + half("fill:url(#l0);") + `}</style><mask id="l0"/>`,
		"small product":           `<style>` + strings.Repeat("a,", 3500) + `a{` + strings.Repeat("fill:url(#a);", 500) + `}</style><mask id="a"/>` + strings.Repeat(`<g/>`, 300),
		"other names":             `<style>` + names(200_000, "$,") + `a{` + names(60_000, "x:url(#$);") + `}</style>` + names(20_000, `<g id="$"/>`),
		"other references":        fill(`<style>g{fill:`, numbered("url(#$)"), `}</style>`+names(50_000, `<g id="$"/>`)),
		"dead references":         fill(`<style>g{fill:`, numbered("url(#$)"), `}</style>`),
		"live names":              fill(`<mask id="l0"/><style>`, numbered("$,"), `a{fill:url(#l0)}</style>`),
		"selector of words":       fill(`<mask id="l0"/><style>`, same("a "), `a{fill:url(#l0)}</style>`),
		"selector of other words": fill(`<mask id="l0"/><style>é `, same("a "), `a{fill:url(#l0)}</style>`),
		"live rules":              fill(`<mask id="l0"/><style>`, numbered(`${x:url(#l0)}`), `</style>`),
		"rules and classes":       `<mask id="l0"/><style>` + strings.Repeat(`.a{x:url(#l0)}`, 60_000) + `</style>` + strings.Repeat(`<g class="a a a a a"/>`, 40_000),
		"rules":                   fill(`<style>`, same(`a{b:c}`), `</style>`),
		"rules in media":          fill(`<style>@media a{@media a{@media a{`, same(`a{b:c}`), `}}}</style>`),
		"media":                   fill(`<style>`, same(`@media a{@media a{@media a{b{c:d}}}}`), `</style>`),
		"declarations":            fill(`<style>a{`, same(`b:c;`), `}</style>`),
		"style":                   fill(`<g style="`, same(`b:c;`), `"/>`),
		"style of references":     fill(`<mask id="a"/><g style="a:`, same(`url(#a)`), `"/>`),
		"references":              fill(`<mask id="a"/><g fill="`, same(`url(#a)`), `"/>`),
		"other references here":   fill(`<g fill="`, numbered(`url(#$)`), `"/>`),
		"marker":                  fill(`<marker id="a"/><g d="`+strings.Repeat("h1", 1000)+`" marker="`, same(`url(#a)`), `"/>`),
		"classes":                 fill(`<mask id="a"/><style>.a{x:url(#a)}</style><g class="`, same(`a `), `"/>`),
		"other classes":           fill(`<mask id="a"/><style>.a{x:url(#a)}</style><g class="`, numbered(`$ `), `"/>`),
		"ids":                     fill(`<mask id="a"/><style>.a{x:url(#a)}</style>`, numbered(`<g id="$"/>`), ``),
		"elements":                fill(``, same(`<g/>`), ``),
		"elements, long":          fill(``, same(`<g id="abcdefghi"/>`), ``),
		"links":                   fill(``, same(`<a/>`), ``),
		"dropped":                 fill(``, same(`<x/>`), ``),
		"dropped, attribute":      fill(``, same(`<x a=""/>`), ``),
		"dropped images":          fill(``, same(`<image x=""/>`), ``),
		"dropped, inside":         fill(`<x>`, same(`<x/>`), `</x>`),
		"dropped, nested":         fill(``, same(`<x>`), ``),
		"nested":                  fill(``, same(`<g>`), ``),
		"attributes of one":       fill(`<g `, numbered(`$="" `), `/>`),
		"attributes of no one":    fill(`<x `, same(`a=""`), `/>`),
		"attributes of many":      fill(``, same(`<g `+names(256, `$=""`)+`/>`), ``),
		"attributes of images":    fill(``, same(`<image `+names(250, `$=""`)+`x="" y="" width="" height="" opacity=""/>`), ``),
		"namespaces":              fill(``, same(`<g `+names(200, `xmlns:$="a"`)+`/>`), ``),
		"namespaces, nested":      fill(strings.Repeat(`<g xmlns:a="b">`, 190), same(`<a:b a:c=""/>`), ``),
		"namespaces of one":       fill(`<g `, numbered(`xmlns:$=""`), `/>`),
		"encodings":               fill(``, same(`<?xml encoding="a"?>`), ``),
		"comments":                fill(``, same(`<!---->`), ``),
		"comments in a sheet":     fill(`<style>`, same(`/**/`), `</style>`),
		"directives":              fill(``, same(`<!a>`), ``),
		"entities":                fill(`<text>`, same(`&lt;`), `</text>`),
		"entities in attributes":  fill(`<g id="`, same(`&#60;`), `"/>`),
		"quotes":                  fill(`<text>`, same(`"`), `</text>`),
		"text":                    fill(`<text>`, same(`x`), `</text>`),
		"texts":                   fill(`<text>`, same(`x<!---->`), `</text>`),
		"sections":                fill(`<style>`, same(`<![CDATA[x]]>`), `</style>`),
		"sheets":                  fill(`<mask id="a"/>`, same(`<style>a{b:url(#a)}</style>`), ``),
		"points":                  fill(`<path d="`, same(`h1`), `"/>`),
		"values":                  fill(`<animate attributeName="x" values="`, same(`1;`), `"/>`),
		"functions":               fill(`<g fill="`, same(`rgb()`), `"/>`),
		"open functions":          fill(`<g fill="`, same(`rgb(`), `"/>`),
		"strings":                 fill(`<g fill="`, same(`''`), `"/>`),
		"url and spaces":          fill(`<g fill="url(#a)`, same(` `), `"/>`),
		"spaces in url":           fill(`<g id="`, same(`url( `), `"/>`),
		"pictures":                fill(``, same(`<image href="data:image/gif;base64,`+dot+`"/>`), ``),
		"pictures, damaged":       fill(``, same(`<image href="data:image/gif;base64,R0lGODlh"/>`), ``),
		"pictures, escaped":       fill(``, same(`<image href="data:image/gif;base64,R0lGODlhA%51"/>`), ``),
		"picture":                 fill(`<image href="data:image/gif;base64,`, same(`R0lG`), `"/>`),
		"picture with comments": `<image href="data:image/gif;base64,` + base64.StdEncoding.EncodeToString([]byte(
			"GIF89a\x01\x00\x01\x00\x00\x00\x00"+strings.Repeat("!\xFE\x01x\x00!\xF9\x04\x00\x00\x00\x00\x00", 110_000)+",\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02L\x01\x00;")) + `"/>`,
		"picture of blocks": `<image href="data:image/gif;base64,` + base64.StdEncoding.EncodeToString([]byte(
			"GIF89a\x01\x00\x01\x00\x00\x00\x00"+strings.Repeat("!\xFF\x01x\x00", 300_000)+",\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02L\x01\x00;")) + `"/>`,
		"chains": deepChain(),
	} {
		t.Run(what, func(t *testing.T) {
			in := head + body + `</svg>`
			if len(in) > MaxBytes {
				t.Fatalf("%d bytes", len(in))
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			_, err := Sanitize(strings.NewReader(in))
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			used := after.TotalAlloc - before.TotalAlloc
			t.Logf("%d MB, stack %d MB, %v, %v", used>>20, after.StackSys>>20, took, err)
			if used > most || what == "selectors by references" && used > 64<<20 || took > time.Minute { // up to 0.3 s on an idle machine
				t.Errorf("%d MB in %v", used>>20, took)
			}
		})
	}
}

// deepChain refers from the bottom of each tower of groups to the next tower.
func deepChain() string {
	var b strings.Builder
	for i := range 490 {
		fmt.Fprintf(&b, `<g id="n%d">%s<use href="#n%d"/>%s</g>`, i, strings.Repeat("<g>", 190), i+1, strings.Repeat("</g>", 190))
	}
	return b.String()
}

func TestCrowded(t *testing.T) {
	attrs := strings.Repeat(`a="" `, maxAttrs+1)
	for in, want := range map[string]bool{
		`<a ` + attrs + `/>`:                             true,
		`<b/><!-- < --><a ` + attrs:                      true,
		`<a ` + attrs[5:] + `/><b c=""/>`:                false,
		`<!-- <a ` + attrs + `-->`:                       false,
		`<![CDATA[<a ` + attrs + `]]>`:                   false,
		`<a b="` + strings.Repeat("=>", 999) + `"/>`:     false,
		`<a>` + strings.Repeat("=", 999) + `</a>`:        false,
		`<?a ` + attrs + `?><!a><!--`:                    false,
		`<a b='` + strings.Repeat(`"=`, 999) + `'>'</a>`: false,
	} {
		if crowded([]byte(in)) != want {
			t.Errorf("crowded(%.40q) = %v", in, !want)
		}
	}
	refuse(t, head+`<x `+attrs+`/></svg>`, media.ErrUnsupported, "attributes")
	refuse(t, head+strings.Repeat(`<x>`, maxDepth)+strings.Repeat(`</x>`, maxDepth)+`</svg>`, media.ErrUnsupported, "nests")
	refuse(t, head+strings.Repeat(`<x/>`, maxTags+1)+`</svg>`, media.ErrUnsupported, "elements")
	refuse(t, head+`<x><y></y>`, media.ErrCorrupt, "EOF")
}
