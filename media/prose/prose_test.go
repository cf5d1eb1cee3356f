package prose

import (
	"strings"
	"testing"
)

func TestOnlyWhatRenderMakesIsInert(t *testing.T) {
	for page, inert := range map[string]bool{
		`<p id="s-a">x <a href="#s-a">y</a> <a href="https://a.example" rel="nofollow">z</a></p><img src="/a.png" alt="" loading="lazy"/>`: true,
		`<script>x</script>`: false, `<p onclick="x">`: false, `<p style="x">`: false, `<a href="javascript:x">`: false, `<a href="/logout">`: false,
		`<img src="//evil.example/x">`: false, `<img src="data:image/svg+xml;base64,x">`: false, `<!-- x -->`: false, `<svg>`: false, `<form>`: false, `<iframe>`: false,
	} {
		if err := Inert(page); (err == nil) != inert {
			t.Errorf("%s: %v", page, err)
		}
	}
}

func TestFrontMatterIsNoText(t *testing.T) {
	for in, want := range map[string]string{
		"---\na: b\n---\ntext": "text", "---\r\na: b\r\n---\r\ntext": "text", "+++\na=1\n+++\ntext": "text", "\ufeff---\na: b\n...\ntext": "text",
		"---\nnever ends": "---\nnever ends", "text\n---\n": "text\n---\n", "": "",
	} {
		if got := string(Body([]byte(in))); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func FuzzRender(f *testing.F) {
	for _, s := range []string{"# a\n\n[x](javascript:y) ![z](//e.example/a)", "<svg><style><a id='</style><img onerror=x>'>", "a[^1]\n\n[^1]: b", "|a|\n|-|\n|b|", "- [x] c", "---\nt: x\n---\n<p id=x>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 4<<10 || strings.Count(text, ">") > 500 {
			return // what is slow is a worker's matter
		}
		page, err := Render([]byte(text), []string{"own.example"})
		if err != nil {
			return
		}
		if err := Inert(page.HTML); err != nil {
			t.Errorf("%q gives %q: %v", text, page.HTML, err)
		}
	})
}
