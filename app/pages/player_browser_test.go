package pages_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"picora/app/apptest"
	"picora/app/apptest/browser"
	"picora/store"
)

// episode is a sound with all that a player shows.
func episode(s *shelf) store.Media {
	return s.sound(wav(30), s.waveform(), s.part(store.CoverPart, "image/jpeg", apptest.JPEG(300, 300, 7)), func(m *store.Media) {
		m.Title = "Episode 12 — Of harbours, and of what ships bring home in winter"
		m.Sound.Artist, m.Sound.Album = "Harbour Radio", "Second season"
		m.Sound.Chapters = []store.Chapter{{Start: 0, End: 6, Title: "Hello"}, {Start: 6, End: 18, Title: "第一章 港口"}, {Start: 18, End: 30, Title: "What ships bring"}}
	})
}

// quiet fails where the page said anything, or asked anybody else.
func quiet(t *testing.T, tab *browser.Tab, origin string) {
	t.Helper()
	if said := tab.Said(); len(said) > 0 {
		t.Errorf("the browser complains: %q", said)
	}
	if out := tab.Outside(origin); len(out) > 0 {
		t.Errorf("it asked others: %q", out)
	}
}

const (
	audio = `document.querySelector("audio")`
	// colours is how many points of the waveform have which colour.
	colours = `(() => {
		const o = document.querySelector("canvas"), c = new OffscreenCanvas(o.width, o.height), g = c.getContext("2d", {willReadFrequently: true});
		g.drawImage(o, 0, 0);
		const d = g.getImageData(0, 0, o.width, o.height).data, n = {};
		for (let i = 0; i < d.length; i += 4) if (d[i + 3] > 200) { const k = [d[i], d[i + 1], d[i + 2]].join(); n[k] = (n[k] || 0) + 1; }
		return n; })()`
	// heights is how many points of every 40th column are painted.
	heights = `(() => {
		const o = document.querySelector("canvas"), c = new OffscreenCanvas(o.width, o.height), g = c.getContext("2d", {willReadFrequently: true});
		g.drawImage(o, 0, 0);
		const d = g.getImageData(0, 0, c.width, c.height).data, h = [];
		for (let x = 1; x < c.width; x += 15) { let n = 0; for (let y = 0; y < c.height; y++) if (d[4 * (y * c.width + x) + 3] > 100) n++; h.push(n); }
		return h; })()`
)

func press(tab *browser.Tab, keys ...string) {
	tab.Do(chromedp.KeyEvent(strings.Join(keys, "")))
}

func TestThePlayerPlaysSeeksAndShowsTheWaveform(t *testing.T) {
	p := apptest.Start(t)
	m := episode(open(t, p))
	tab := browser.Start(t).Open(t, p.URL+"/embed/audio/"+m.ID, browser.View{Width: 720, Height: 420})
	tab.Until(`document.querySelector(".drawn") !== null`)
	tab.Until(audio + `.readyState > 0`)

	t.Run("the waveform has heights of many kinds, in one colour", func(t *testing.T) {
		tab.Until(`(h => new Set(h).size >= h.length / 3 && Math.max(...h) > 30)(` + heights + `)`)
	})
	t.Run("it plays", func(t *testing.T) {
		tab.Do(chromedp.Click(".play"))
		tab.Until(audio + `.currentTime > 0.3 && !` + audio + `.paused`)
		if got := browser.Eval[string](tab, `document.querySelector(".play").getAttribute("aria-label")`); got != "Pause" {
			t.Errorf("the button says %q", got)
		}
		tab.Until(`Object.keys(` + colours + `).length >= 2`)
		if got := browser.Eval[string](tab, `navigator.mediaSession.metadata.title + "|" + navigator.mediaSession.metadata.artist`); got != m.Title+"|Harbour Radio" {
			t.Errorf("the system is told %q", got)
		}
		tab.Do(chromedp.Click(".play"))
		tab.Until(audio + `.paused`)
	})
	t.Run("a click on the waveform seeks", func(t *testing.T) {
		at := browser.Eval[[]float64](tab, `(r => [r.left + r.width * 0.75, r.top + r.height / 2])(document.querySelector(".wave").getBoundingClientRect())`)
		tab.Do(chromedp.MouseClickXY(at[0], at[1]))
		tab.Until(`Math.abs(` + audio + `.currentTime - 22.5) < 0.3`)
		tab.Until(`document.querySelector(".wave").getAttribute("aria-valuetext") === "22 s of 30 s, What ships bring"`)
	})
	t.Run("keys seek, play, and change the volume", func(t *testing.T) {
		browser.Eval[any](tab, `document.querySelector(".wave").focus()`)
		for _, c := range []struct{ keys, want string }{
			{"\u0302", `Math.abs(` + audio + `.currentTime - 17.5) < 0.3`}, // arrow left
			{"\u0303", `Math.abs(` + audio + `.currentTime - 22.5) < 0.3`}, // arrow right
			{"3", `Math.abs(` + audio + `.currentTime - 9) < 0.1`},
			{"\u0306", audio + `.currentTime === 0`}, // home
			{"\u0305", audio + `.currentTime > 29`},  // end
			{"m", audio + `.muted`},
			{"m", `!` + audio + `.muted`},
			{"\u0301", `Math.abs(` + audio + `.volume - 0.9) < 0.01`}, // arrow down
			{"\u0304", audio + `.volume === 1`},                       // arrow up
			{"1", `Math.abs(` + audio + `.currentTime - 3) < 0.1`},
			{" ", `!` + audio + `.paused`},
			{" ", audio + `.paused`},
		} {
			press(tab, c.keys)
			tab.Until(c.want)
		}
	})
	t.Run("a chapter begins at a click", func(t *testing.T) {
		tab.Do(chromedp.Click(".chapters summary"), chromedp.Click(".chapters li:nth-child(2) button"))
		tab.Until(audio + `.currentTime >= 6 && !` + audio + `.paused`)
		tab.Until(`document.querySelector(".chapters [aria-current]").textContent.includes("港口")`)
		tab.Screenshot("player-chapters")
	})
	t.Run("it can go faster", func(t *testing.T) {
		browser.Eval[any](tab, `(s => { s.value = "1.5"; s.dispatchEvent(new Event("change")) })(document.querySelector(".rate"))`)
		tab.Until(audio + `.playbackRate === 1.5`)
	})
	quiet(t, tab, p.URL)
}

func TestThePlayerWaitsForTheWaveform(t *testing.T) {
	p := apptest.Start(t)
	s := open(t, p)
	m := s.sound(wav(20))
	tab := browser.Start(t).Open(t, p.URL+"/embed/audio/"+m.ID, browser.View{Width: 600, Height: 160})
	tab.Until(audio + `.readyState > 0`)
	tab.Until(`new Set(` + heights + `).size === 1`) // a line
	tab.Do(chromedp.Click(".play"))
	tab.Until(audio + `.currentTime > 0.1`)
	press(tab, "5")
	tab.Until(audio + `.currentTime >= 10`)
	tab.Screenshot("player-line")
}

func TestThePlayerInAFrameOfAnotherSite(t *testing.T) {
	p := apptest.Start(t)
	s := open(t, p)
	m := episode(s)
	strict := s.sound(wav(5), s.waveform(), func(m *store.Media) { m.Restricted, m.Referers = true, []string{"127.0.0.1"} })
	blog := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		id := strings.TrimPrefix(r.URL.Path, "/")
		fmt.Fprintf(w, `<body style="margin:20px;font:16px sans-serif"><link rel="icon" href="data:,"><p>A post</p><iframe src="%s/embed/audio/%s" width="600" height="160" style="border:1px solid #ccc;border-radius:12px"></iframe>
			<p>A narrow one</p><iframe src="%[1]s/embed/audio/%[2]s" width="300" height="80" style="border:1px solid #ccc"></iframe>`, p.URL, id)
	}))
	defer blog.Close()
	b := browser.Start(t)
	elsewhere := strings.Replace(blog.URL, "127.0.0.1", "localhost", 1)
	tab := b.Open(t, elsewhere+"/"+m.ID, browser.View{Width: 700, Height: 420})
	frames := 0
	for _, r := range tab.Requests() {
		if strings.HasPrefix(r, p.URL+"/embed/") {
			frames++
		}
	}
	if frames != 2 {
		t.Errorf("requests: %q", tab.Requests())
	}
	if said := tab.Said(); len(said) > 0 {
		t.Errorf("the browser complains: %q", said)
	}
	tab.Screenshot("player-framed")
	// What the frame shows is seen from within: a page of another site cannot look.
	inside := b.Open(t, p.URL+"/embed/audio/"+strict.ID, browser.View{})
	if got := inside.Text(); !strings.Contains(got, "does not let this page show it") {
		t.Errorf("a restricted file, opened without a page: %q", got)
	}
}

// The looks, for people to look at (see Screenshot), and what can be measured of them.
func TestThePlayerFitsItsFrame(t *testing.T) {
	p := apptest.Start(t)
	s := open(t, p)
	m := episode(s)
	plain := s.sound(wav(7), func(m *store.Media) { m.Sound.Artist = "" }, s.waveform())
	b := browser.Start(t)
	for name, c := range map[string]struct {
		view  browser.View
		m     store.Media
		query string
		tall  bool // it may be higher than the frame
	}{
		"desk":         {browser.View{Width: 720, Height: 240}, m, "", false},
		"page":         {browser.View{Width: 1280, Height: 800}, m, "", false},
		"phone":        {browser.View{Phone: true}, m, "", true},
		"dark":         {browser.View{Width: 600, Height: 160, Dark: true}, m, "?t=12", true},
		"frame":        {browser.View{Width: 600, Height: 160}, plain, "?t=3", false},
		"narrow":       {browser.View{Width: 300, Height: 80}, m, "?t=20", false},
		"narrow-dark":  {browser.View{Width: 300, Height: 80}, m, "?t=20&theme=dark", false},
		"low":          {browser.View{Width: 640, Height: 90}, m, "?t=20", false},
		"narrow-tall":  {browser.View{Width: 320, Height: 240}, m, "", true},
		"square":       {browser.View{Width: 240, Height: 180}, m, "", true},
		"chinese":      {browser.View{Width: 600, Height: 200, Language: "zh-CN"}, m, "", true},
		"chinese-dark": {browser.View{Phone: true, Dark: true, Language: "zh-CN"}, m, "?t=9", true},
	} {
		t.Run(name, func(t *testing.T) {
			tab := b.Open(t, p.URL+"/embed/audio/"+c.m.ID+c.query, c.view)
			tab.Until(`document.querySelector(".drawn") !== null && ` + audio + `.readyState > 0`)
			tab.Until(`Math.max(...` + heights + `) > 12`)
			tab.Screenshot("player-" + name)
			if over := browser.Eval[[]float64](tab, `[document.documentElement.scrollWidth - innerWidth, document.documentElement.scrollHeight - innerHeight]`); over[0] > 0 || over[1] > 0 && !c.tall {
				t.Errorf("it is larger than its frame by %v", over)
			}
			if small := browser.Eval[[]string](tab, `[...document.querySelectorAll("button,select,.wave")].filter(e => e.offsetParent && !e.closest("details:not([open])") && (e.offsetHeight < 22 || e.offsetWidth < 24)).map(e => e.className)`); len(small) > 0 {
				t.Errorf("too small to hit: %q", small)
			}
			quiet(t, tab, p.URL)
		})
	}
}

func TestOnePlayerAtATime(t *testing.T) {
	p := apptest.Start(t)
	s := open(t, p)
	b := browser.Start(t)
	first := b.Open(t, p.URL+"/embed/audio/"+s.sound(wav(30)).ID, browser.View{})
	second := b.Open(t, p.URL+"/embed/audio/"+s.sound(wav(31)).ID, browser.View{})
	for _, tab := range []*browser.Tab{first, second} {
		tab.Until(audio + `.readyState > 0`)
		browser.Eval[any](tab, audio+`.play()`)
	}
	first.Until(audio + `.paused`)
	if browser.Eval[bool](second, audio+`.paused`) {
		t.Error("both stopped")
	}
}

func TestALongFileGoesOnWhereItWasLeft(t *testing.T) {
	p := apptest.Start(t)
	m := open(t, p).sound(wav(700))
	tab := browser.Start(t).Open(t, p.URL+"/embed/audio/"+m.ID, browser.View{})
	tab.Until(audio + `.readyState > 0`)
	press(tab, "5")
	tab.Until(audio + `.currentTime >= 350`)
	again := func() { tab.Do(chromedp.Navigate(p.URL + "/embed/audio/" + m.ID)) }
	again()
	tab.Until(audio + `.currentTime >= 350 && document.querySelector(".now").textContent === "5:50"`)
	press(tab, "0")
	tab.Until(audio + `.currentTime === 0`)
	again()
	tab.Until(audio + `.readyState > 0`)
	tab.Until(audio + `.currentTime === 0`)
}

func TestWhatCannotBePlayedSaysSo(t *testing.T) {
	p := apptest.Start(t)
	m := open(t, p).sound([]byte("this is no sound at all, but a text of some length"))
	for lang, want := range map[string]string{"en": "This audio cannot be played here.", "zh-CN": "此处无法播放该音频。"} {
		tab := browser.Start(t).Open(t, p.URL+"/embed/audio/"+m.ID, browser.View{Language: lang})
		tab.Until(`document.querySelector(".error").textContent === "` + want + `"`)
		if got := tab.Text(); !strings.Contains(got, want) {
			t.Errorf("the reader sees %q", got)
		}
		tab.Screenshot("player-failed-" + lang)
	}
}
