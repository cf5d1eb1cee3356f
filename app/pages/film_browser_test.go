package pages_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"picora/app/apptest"
	"picora/app/apptest/browser"
	"picora/store"
)

// feature is a film with all that a player shows.
func feature(t testing.TB, p *apptest.Picora, edit ...func(*store.Media)) store.Media {
	t.Helper()
	f := apptest.MakeFilm(t, apptest.FilmSpec{Seconds: 12, Rungs: []int{240, 360, 480}, Sounds: 2, Text: true, Segment: 4})
	return p.AddFilm(f, append([]func(*store.Media){func(m *store.Media) {
		m.Title = "Of harbours, and of what ships bring home in winter"
		m.Film.Chapters = []store.Chapter{{Start: 0, End: 3, Title: "Leaving"}, {Start: 3, End: 9, Title: "第二章 海上"}, {Start: 9, End: 12, Title: "What ships bring"}}
	}}, edit...)...)
}

const (
	video = `document.querySelector("video")`
	// levels counts the level switches of hls.js, which later scripts read. It climbs however
	// slowly the first of the three pieces came: there is hardly another to learn from.
	spy = `(() => { let hls; window.levels = []; Object.defineProperty(window, "Hls", {get: () => hls, set: (v) => {
		hls = class extends v { constructor(c) { super({...c, abrBandWidthUpFactor: 10}); window.player = this; this.on(v.Events.LEVEL_SWITCHED, (_, d) => levels.push(Math.min(this.levels[d.level].width, this.levels[d.level].height))); } };
	}}); })()`
)

// watch opens the page, with the spy.
func watch(t *testing.T, b *browser.Browser, url string, v browser.View) *browser.Tab {
	t.Helper()
	tab := b.New(t, v)
	tab.Before(spy)
	tab.Go(url)
	return tab
}

// painted reports whether the middle of the picture is not black.
const painted = `(() => { const c = new OffscreenCanvas(16, 9), g = c.getContext("2d"); g.drawImage(` + video + `, 0, 0, 16, 9); return g.getImageData(0, 0, 16, 9).data.some((v, i) => i % 4 < 3 && v > 90) })()`

func TestTheVideoPlayer(t *testing.T) {
	p := apptest.Start(t)
	m := feature(t, p)
	tab := watch(t, browser.Start(t), p.URL+"/embed/video/"+m.ID, browser.View{Width: 1280, Height: 800})
	tab.Until(video + `.readyState >= 2`)
	around := func(on bool) { browser.Eval[any](tab, fmt.Sprintf(video+`.loop = %t`, on)) } // a slow machine is not at its end too soon
	around(true)

	t.Run("before it plays, only the first piece is fetched, small", func(t *testing.T) {
		var pieces []string
		for _, r := range tab.Requests() {
			if strings.HasSuffix(r, ".m4s") && !strings.Contains(r, "/sound-") {
				pieces = append(pieces, r[strings.Index(r, m.ID)+len(m.ID):])
			}
		}
		if len(pieces) != 1 || !strings.HasPrefix(pieces[0], "/360p/") {
			t.Errorf("%q", pieces)
		}
	})
	t.Run("a click plays it, and it climbs", func(t *testing.T) {
		tab.Do(chromedp.Click(".big"))
		tab.Until(video + `.currentTime > 0.3 && !` + video + `.paused && ` + painted)
		tab.Until(`document.querySelector(".play").getAttribute("aria-label") === "Pause"`)
		tab.Until(`levels.at(-1) === 480`)
		if got := browser.Eval[int](tab, `levels[0]`); got != 360 {
			t.Errorf("it began with %dp", got)
		}
		tab.Until(video + `.videoHeight === 480`)
	})
	t.Run("a click on the pictures pauses it", func(t *testing.T) {
		tab.Do(chromedp.MouseClickXY(400, 200))
		tab.Until(video + `.paused`)
		tab.Screenshot("film-paused")
	})
	t.Run("the storyboard shows under the pointer", func(t *testing.T) {
		at := browser.Eval[[]float64](tab, `(r => [r.left + r.width * 0.6, r.top + r.height / 2])(document.querySelector(".line").getBoundingClientRect())`)
		move(tab, at[0], at[1])
		tab.Until(`(i => i.complete && i.naturalWidth === 320 && !i.parentNode.hidden && i.parentNode.offsetWidth > 100)(document.querySelector(".sheet img"))`)
		tab.Until(`document.querySelector(".peek").innerText.replace(/\s+/g, " ") === "第二章 海上 0:07"`)
		tab.Screenshot("film-storyboard")
		tab.Do(chromedp.MouseClickXY(at[0], at[1]))
		tab.Until(`Math.abs(` + video + `.currentTime - 7.2) < 0.2 && !` + video + `.seeking`)
		tab.Until(`document.querySelector(".seek").getAttribute("aria-valuetext") === "7 s of 12 s, 第二章 海上"`)
		if n := browser.Eval[int](tab, `document.querySelectorAll(".mark").length`); n != 2 {
			t.Errorf("%d chapters are marked", n)
		}
	})
	t.Run("keys do what they say", func(t *testing.T) {
		browser.Eval[any](tab, `document.querySelector(".stage").focus()`)
		for _, c := range []struct{ keys, want string }{
			{"3", `Math.abs(` + video + `.currentTime - 3.6) < 0.1`},
			{kb.ArrowRight, `Math.abs(` + video + `.currentTime - 8.6) < 0.1`},
			{kb.ArrowLeft, `Math.abs(` + video + `.currentTime - 3.6) < 0.1`},
			{"j", video + `.currentTime === 0`},
			{"l", `Math.abs(` + video + `.currentTime - 10) < 0.1`},
			{kb.Home, video + `.currentTime === 0`},
			{kb.End, video + `.currentTime > 11.5`},
			{"m", video + `.muted`},
			{"m", `!` + video + `.muted`},
			{kb.ArrowDown, `Math.abs(` + video + `.volume - 0.9) < 0.01`},
			{kb.ArrowUp, video + `.volume === 1`},
			{">", video + `.playbackRate === 1.25`},
			{"<", video + `.playbackRate === 1`},
			{"f", `document.fullscreenElement === document.querySelector(".stage") && document.querySelector(".full").ariaLabel === "Leave full screen"`},
			{"f", `!document.fullscreenElement`},
			{"?", `!document.querySelector(".help").hidden`},
			{"3", `!document.querySelector(".help").hidden && Math.abs(` + video + `.currentTime - 3.6) > 1`}, // the help has the keys
			{kb.Escape, `document.querySelector(".help").hidden`},
			{"1", `Math.abs(` + video + `.currentTime - 1.2) < 0.1`},
			{" ", `!` + video + `.paused`},
			{"k", video + `.paused`},
		} {
			press(tab, c.keys)
			tab.Until(c.want)
		}
	})
	t.Run("all controls are reached by Tab, and named", func(t *testing.T) {
		browser.Eval[any](tab, `document.querySelector(".seek").focus()`)
		var seen []string
		for range 8 {
			seen = append(seen, browser.Eval[string](tab, `document.activeElement.getAttribute("aria-label") || ""`))
			if width := browser.Eval[string](tab, `(e => { const s = getComputedStyle(e); return e.matches(":focus-visible") ? s.outlineStyle : "none" })(document.activeElement)`); width != "solid" && len(seen) > 1 {
				t.Errorf("%s shows no focus: %s", seen[len(seen)-1], width)
			}
			press(tab, kb.Tab)
		}
		if got := strings.Join(seen, ", "); !strings.HasPrefix(got, "Position, Play, Mute, Volume, Captions, Settings, ") || !strings.Contains(got, "Full screen") {
			t.Error(got)
		}
	})
	t.Run("captions, in two languages", func(t *testing.T) {
		browser.Eval[any](tab, `document.activeElement.blur()`)
		showing := func(text string) string {
			return `[...` + video + `.textTracks].filter(t => t.mode !== "disabled").flatMap(t => [...(t.activeCues || [])]).map(c => c.text).join() === "` + text + `" && document.querySelector(".text:not(.high)").innerText.trim() === "` + text + `"`
		}
		press(tab, "0", "c")
		tab.Until(showing("Hello, this is a caption. 1"))
		tab.Until(`document.querySelector(".said").textContent.startsWith("Captions: The")`)
		tab.Screenshot("film-captions")
		tab.Do(chromedp.Click("button.captions"))
		tab.Until(`document.querySelectorAll(".menu button").length === 3`)
		tab.Screenshot("film-captions-menu")
		press(tab, kb.ArrowDown, kb.Enter)
		tab.Until(showing("你好，这是字幕。 1"))
		tab.Until(`document.querySelector(".menu").hidden && document.activeElement === document.querySelector("button.captions")`)
		press(tab, "c")
		tab.Until(showing(""))
		press(tab, "c")
		tab.Until(showing("你好，这是字幕。 1")) // the language that it last was
		press(tab, "c")
	})
	t.Run("another quality, while it plays", func(t *testing.T) {
		choose(tab, "Quality", "240p")
		press(tab, "k")
		tab.Until(`levels.at(-1) === 240`)
		tab.Until(video + `.videoHeight === 240`)
		press(tab, "k")
		tab.Do(chromedp.Click(".settings"))
		tab.Until(`document.querySelector(".menu").innerText.includes("240p")`)
		tab.Screenshot("film-settings")
		press(tab, kb.Escape)
		tab.Until(`document.querySelector(".menu").hidden`)
		choose(tab, "Quality", "Auto")
	})
	t.Run("another sound, and another speed", func(t *testing.T) {
		choose(tab, "Sound", "中文")
		tab.Until(`player.audioTrack === 1`)
		choose(tab, "Speed", "1.5×")
		tab.Until(video + `.playbackRate === 1.5`)
	})
	t.Run("a chapter begins at a click, and it plays to the end", func(t *testing.T) {
		around(false)
		tab.Do(chromedp.Click(".chapters li:nth-child(3) button"))
		tab.Until(video + `.currentTime >= 9`)
		tab.Until(video + `.ended`)
		tab.Until(`document.querySelector(".big").getAttribute("aria-label") === "Play again"`)
		tab.Screenshot("film-ended")
		around(true)
		tab.Do(chromedp.Click(".big"))
		tab.Until(video + `.currentTime > 0.1 && ` + video + `.currentTime < 5 && !` + video + `.ended`)
	})
	t.Run("the controls hide", func(t *testing.T) {
		move(tab, 400, 200)
		tab.Until(`document.querySelector(".stage").classList.contains("idle")`)
		shown := moment(tab, `!document.querySelector(".stage").classList.contains("idle")`)
		move(tab, 410, 210)
		tab.Until(shown)
	})
	quiet(t, tab, p.URL)
}

func TestFingersOnTheVideoPlayer(t *testing.T) {
	p := apptest.Start(t)
	m := feature(t, p)
	tab := watch(t, browser.Start(t), p.URL+"/embed/video/"+m.ID+"?loop=1", browser.View{Phone: true})
	tab.Until(video + `.readyState >= 2`)
	// The second one of two is 100 ms behind the first, however long the browser takes for it.
	taps := func(n int, x, y float64) {
		for i, begin := 0, time.Now(); i < n; i++ {
			touch := input.DispatchTouchEventParams{Type: input.DispatchTouchEventTypeTouchStart, TouchPoints: []*input.TouchPoint{{X: x, Y: y}}}
			for j, e := range []input.DispatchTouchEventParams{touch, {Type: input.DispatchTouchEventTypeTouchEnd, TouchPoints: []*input.TouchPoint{}}} {
				e.Timestamp = input.TimeSinceEpoch(float64(begin.UnixMilli())/1000 + 0.05*float64(2*i+j))
				browser.Call(tab, input.DispatchTouchEvent, e)
			}
		}
	}
	tap := func(x, y float64) { taps(1, x, y) }
	const idle = `document.querySelector(".stage").classList.contains("idle")`
	tap(60, 60)
	tab.Until(`!` + video + `.paused && ` + video + `.currentTime > 0.1`)
	t.Run("one shows the controls, and one more hides them", func(t *testing.T) {
		tab.Until(idle)
		shown := moment(tab, `!`+idle)
		tap(195, 60)
		tab.Until(shown)
		tap(195, 60)
		tab.Until(idle + ` && !` + video + `.paused`)
	})
	t.Run("two at a side seek", func(t *testing.T) {
		browser.Eval[any](tab, video+`.currentTime = 1`)
		taps(2, 370, 100)
		tab.Until(video + `.currentTime > 10 && document.querySelector(".flash").textContent === "+10"`)
		taps(2, 20, 100)
		tab.Until(video + `.currentTime < 9 && document.querySelector(".flash").textContent === "−10"`)
	})
	t.Run("a menu comes from below", func(t *testing.T) {
		at := browser.Eval[[]float64](tab, `(r => [r.left + 20, r.top + 20])(document.querySelector(".settings").getBoundingClientRect())`)
		tap(at[0], at[1])
		tab.Until(`!document.querySelector(".menu").hidden && Math.abs(document.querySelector(".menu").getBoundingClientRect().bottom - innerHeight) < 2`)
		tab.Screenshot("film-phone-menu")
		tap(100, 60)
		tab.Until(`document.querySelector(".menu").hidden && !` + video + `.paused`)
	})
	quiet(t, tab, p.URL)
}

// moment has the page watch its classes for what is so for a moment only, and returns what is
// true when it was.
func moment(tab *browser.Tab, so string) string {
	browser.Eval[any](tab, `(() => { window.seen = false; new MutationObserver(() => { window.seen ||= `+so+` }).observe(document.body, {attributes: true, subtree: true, attributeFilter: ["class"]}) })()`)
	return `window.seen`
}

// move moves the mouse.
func move(tab *browser.Tab, x, y float64) {
	tab.Do(chromedp.MouseEvent("mouseMoved", x, y))
}

// choose takes an item of a page of the settings.
func choose(tab *browser.Tab, page, item string) {
	find := func(text string) string {
		return `[...document.querySelectorAll(".menu button")].find(b => b.firstChild.textContent.startsWith("` + text + `"))`
	}
	tab.Do(chromedp.Click(".settings"))
	tab.Until(find(page) + ` !== undefined`)
	browser.Eval[any](tab, find(page)+`.click()`)
	tab.Until(find(item) + ` !== undefined`)
	browser.Eval[any](tab, find(item)+`.click()`)
	press(tab, kb.Escape)
	tab.Until(`document.querySelector(".menu").hidden`)
	browser.Eval[any](tab, `document.activeElement.blur()`)
}
