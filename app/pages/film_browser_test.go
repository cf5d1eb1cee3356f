package pages_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
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
	// levels counts the level switches of hls.js, which later scripts read.
	spy = `(() => { let hls; window.levels = []; Object.defineProperty(window, "Hls", {get: () => hls, set: (v) => {
		hls = class extends v { constructor(c) { super(c); window.player = this; this.on(v.Events.LEVEL_SWITCHED, (_, d) => levels.push(Math.min(this.levels[d.level].width, this.levels[d.level].height))); } };
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
		tab.Do(chromedp.Click(".chapters li:nth-child(3) button"))
		tab.Until(video + `.currentTime >= 9 && !` + video + `.paused`)
		tab.Until(video + `.ended`)
		tab.Until(`document.querySelector(".big").getAttribute("aria-label") === "Play again"`)
		tab.Screenshot("film-ended")
		tab.Do(chromedp.Click(".big"))
		tab.Until(video + `.currentTime > 0.1 && ` + video + `.currentTime < 5 && !` + video + `.ended`)
	})
	t.Run("the controls hide", func(t *testing.T) {
		move(tab, 400, 200)
		tab.Until(`document.querySelector(".stage").classList.contains("idle")`)
		move(tab, 410, 210)
		tab.Until(`!document.querySelector(".stage").classList.contains("idle")`)
	})
	quiet(t, tab, p.URL)
}

func TestFingersOnTheVideoPlayer(t *testing.T) {
	p := apptest.Start(t)
	m := feature(t, p)
	tab := watch(t, browser.Start(t), p.URL+"/embed/video/"+m.ID+"?loop=1", browser.View{Phone: true})
	tab.Until(video + `.readyState >= 2`)
	tap := func(x, y float64) {
		touch := input.DispatchTouchEventParams{Type: input.DispatchTouchEventTypeTouchStart, TouchPoints: []*input.TouchPoint{{X: x, Y: y}}}
		browser.Call(tab, input.DispatchTouchEvent, touch)
		browser.Call(tab, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: input.DispatchTouchEventTypeTouchEnd, TouchPoints: []*input.TouchPoint{}})
	}
	const idle = `document.querySelector(".stage").classList.contains("idle")`
	tap(60, 60)
	tab.Until(`!` + video + `.paused && ` + video + `.currentTime > 0.1`)
	t.Run("one shows the controls, and one more hides them", func(t *testing.T) {
		tab.Until(idle)
		tap(195, 60)
		tab.Until(`!` + idle)
		tap(195, 60)
		tab.Until(idle + ` && !` + video + `.paused`)
	})
	t.Run("two at a side seek", func(t *testing.T) {
		browser.Eval[any](tab, video+`.currentTime = 1`)
		tap(370, 100)
		tap(370, 100)
		tab.Until(video + `.currentTime > 10 && document.querySelector(".flash").textContent === "+10"`)
		tap(20, 100)
		tap(20, 100)
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

// TestASeekShowsItsPictureSoon measures from the seek to the picture.
func TestASeekShowsItsPictureSoon(t *testing.T) {
	p := apptest.Start(t)
	m := p.AddFilm(apptest.MakeFilm(t, apptest.FilmSpec{Seconds: 24, Rungs: []int{360}, Sounds: 1, Segment: 4}))
	tab := watch(t, browser.Start(t), p.URL+"/embed/video/"+m.ID+"?autoplay=1", browser.View{Width: 1280, Height: 720})
	tab.Until(video + `.currentTime > 0.2`)
	took := browser.Eval[[]float64](tab, `(async () => {
		const v = `+video+`, took = [];
		v.pause();
		for (const to of [19.3, 5.7, 13.9, 22.1, 1.7]) {
			const begin = performance.now();
			v.currentTime = to;
			await new Promise((done) => { const frame = (_, f) => Math.abs(f.mediaTime - to) < 0.1 ? done() : v.requestVideoFrameCallback(frame); v.requestVideoFrameCallback(frame); });
			took.push(Math.round(performance.now() - begin));
		}
		return took })()`)
	slices.Sort(took)
	t.Logf("from a seek to its picture, ms: %v, at %v", took, browser.Eval[[]int](tab, `levels`))
	if len(took) != 5 {
		t.Error("not all seeks showed a picture")
	}
	quiet(t, tab, p.URL)
}

func TestAVideoThatIsPreparedTurnsIntoThePlayer(t *testing.T) {
	p := apptest.Start(t)
	f := apptest.MakeFilm(t, apptest.DefaultFilm)
	whole := p.AddFilm(f)
	m := p.AddFilm(f, waiting)
	b := browser.Start(t)
	tab := watch(t, b, p.URL+"/embed/video/"+m.ID, browser.View{})
	tab.Until(`document.body.innerText.includes("This video is being prepared.")`)
	tab.Screenshot("film-prepared")
	p.ChangeFilm(m.ID, func(m *store.Media) {
		m.Parts = whole.Parts
		m.Film = whole.Film
		m.Film.State = store.FilmPlayable
		m.Film.DropTrack("360p")
	})
	for !slices.ContainsFunc(tab.Requests(), func(r string) bool { return strings.HasSuffix(r, ".m3u8") }) {
		time.Sleep(20 * time.Millisecond) // while it loads anew, nothing can be asked of the page
	}
	tab.Until(`document.querySelector("video") !== null && ` + video + `.readyState >= 2`)
	t.Run("and a size that joins is taken while it plays", func(t *testing.T) {
		tab.Do(chromedp.Click(".big"))
		tab.Until(video + `.currentTime > 0.5`)
		browser.Eval[any](tab, video+`.loop = true`)
		p.ChangeFilm(m.ID, func(m *store.Media) { m.Film = whole.Film })
		tab.Until(`player.levels.length === 2 && ` + video + `.videoHeight === 360 && !` + video + `.paused && document.querySelector(".still") === null`)
	})
	quiet(t, tab, p.URL)
	failed := p.AddFilm(f, waiting, func(m *store.Media) { m.Film.State = store.FilmFailed })
	tab = b.Open(t, p.URL+"/embed/video/"+failed.ID, browser.View{Width: 600, Height: 400, Language: "zh-CN"})
	tab.Until(`document.body.innerText.includes("该视频无法播放")`)
	tab.Screenshot("film-failed")
}

func TestTheVideoPlayerWithoutMediaSource(t *testing.T) {
	p := apptest.Start(t)
	m := feature(t, p)
	b := browser.Start(t)
	for name, without := range map[string]string{
		"the browser itself plays HLS": `delete window.MediaSource`,
		"the MP4":                      `delete window.MediaSource; HTMLMediaElement.prototype.canPlayType = () => ""`,
	} {
		t.Run(name, func(t *testing.T) {
			tab := b.New(t, browser.View{})
			tab.Before(without)
			tab.Go(p.URL + "/embed/video/" + m.ID + "?t=8.5")
			if name != "the MP4" && browser.Eval[string](tab, video+`.canPlayType("application/vnd.apple.mpegurl")`) == "" {
				t.Skip("this Chromium plays no HLS of its own")
			}
			tab.Until(video + `.readyState >= 1 && Math.abs(` + video + `.currentTime - 8.5) < 0.2`)
			tab.Do(chromedp.Click(".big"))
			tab.Until(video + `.ended`)
			want := map[string]string{"the MP4": "/video.mp4"}[name]
			if src := browser.Eval[string](tab, video+`.currentSrc`); !strings.Contains(src, want) || strings.HasPrefix(src, "blob:") {
				t.Errorf("it played %s", src)
			}
			press(tab, "3")
			tab.Until(`Math.abs(` + video + `.currentTime - 3.6) < 0.1 && ` + painted)
			quiet(t, tab, p.URL)
		})
	}
}

func TestWhyAVideoIsNotShown(t *testing.T) {
	p := apptest.Start(t)
	b := browser.Start(t)
	m := p.AddFilm(nil)
	for status, want := range map[int]string{
		451: "watched more than its owner's account allows", 403: "Its link may have expired", 404: "may have been deleted", 0: "The connection was lost", 500: "The connection was lost",
	} {
		tab := b.New(t, browser.View{})
		tab.Before(fmt.Sprintf(`(() => { const open = XMLHttpRequest.prototype.open; XMLHttpRequest.prototype.open = function (m, u, ...r) { return open.call(this, m, %d ? "/embed/none?" : "http://127.0.0.1:1/", ...r) };
			Object.defineProperty(XMLHttpRequest.prototype, "status", {get() { return this.readyState > 1 ? %d : 0 }}) })()`, status, status))
		tab.Go(p.URL + "/embed/video/" + m.ID)
		tab.Until(`document.querySelector(".error").innerText.includes("` + want + `")`)
		if status == 451 {
			tab.Screenshot("film-suspended")
		}
	}
}

func TestTheVideoPlayerInAFrameOfAnotherSite(t *testing.T) {
	p := apptest.Start(t)
	m := feature(t, p)
	strict := feature(t, p, func(m *store.Media) { m.Restricted, m.Referers = true, []string{"localhost"} })
	// Frames of other sites are processes of their own, which the tab tells nothing of. So
	// what they ask for is seen on its way.
	target, err := url.Parse(p.URL)
	if err != nil {
		t.Fatal(err)
	}
	answers := make(chan string, 1000)
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = r.In.Host },
		ModifyResponse: func(r *http.Response) error {
			answers <- fmt.Sprintf("%d %s", r.StatusCode, r.Request.URL.Path)
			return nil
		},
	})
	defer proxy.Close()
	blog := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<body style="margin:20px;font:16px sans-serif"><link rel="icon" href="data:,"><p>A post</p><iframe src="%s/embed/video/%s?autoplay=1" width="480" height="270" style="border:0" allow="autoplay; fullscreen"></iframe>
			<p>One that only this page may show</p><iframe src="%[1]s/embed/video/%[3]s?autoplay=1&amp;t=3" width="320" height="180" style="border:0" allow="autoplay"></iframe>`, proxy.URL, m.ID, strict.ID)
	}))
	defer blog.Close()
	tab := browser.Start(t).Open(t, strings.Replace(blog.URL, "127.0.0.1", "localhost", 1), browser.View{Width: 700, Height: 620})
	playing := map[string]bool{}
	for len(playing) < 2 { // the second piece comes when it plays
		a := <-answers
		if !slices.Contains([]string{"200", "206", "304"}, a[:3]) {
			t.Fatal(a)
		}
		for _, id := range []string{m.ID, strict.ID} {
			if strings.Contains(a, id) && strings.Contains(a, "p/") && strings.HasSuffix(a, "-2.m4s") {
				playing[id] = true
			}
		}
	}
	if said := tab.Said(); len(said) > 0 {
		t.Errorf("the browser complains: %q", said)
	}
	tab.Screenshot("film-framed")
}

// The looks, for people to look at (see Screenshot), and what can be measured of them.
func TestTheVideoPlayerFitsItsFrame(t *testing.T) {
	p := apptest.Start(t)
	m := feature(t, p)
	upright := feature(t, p, func(m *store.Media) { m.Width, m.Height, m.Film.Chapters = 720, 1280, nil })
	made := p.AddFilm(apptest.MakeFilm(t, apptest.DefaultFilm), waiting)
	b := browser.Start(t)
	for name, c := range map[string]struct {
		view  browser.View
		m     store.Media
		query string
		frame bool
	}{
		"desk":          {browser.View{Width: 1280, Height: 720}, m, "?t=2", false},
		"desk-dark":     {browser.View{Width: 1280, Height: 720, Dark: true}, m, "?t=2", false},
		"phone":         {browser.View{Phone: true}, m, "?t=5", false},
		"phone-dark":    {browser.View{Phone: true, Dark: true}, m, "", false},
		"phone-upright": {browser.View{Phone: true}, upright, "?t=5", false},
		"phone-made":    {browser.View{Phone: true}, made, "", false},
		"frame":         {browser.View{Width: 480, Height: 270}, m, "?t=5", true},
		"frame-tiny":    {browser.View{Width: 240, Height: 135}, m, "?t=5", true},
		"frame-made":    {browser.View{Width: 480, Height: 270}, made, "", true},
		"frame-auto":    {browser.View{Width: 480, Height: 270}, m, "?autoplay=1&t=1", true},
		"frame-bare":    {browser.View{Width: 480, Height: 270}, m, "?autoplay=1&muted=1&loop=1&controls=0", true},
		"chinese":       {browser.View{Width: 1280, Height: 720, Language: "zh-CN"}, m, "?theme=dark&t=4", false},
	} {
		t.Run(name, func(t *testing.T) {
			tab := b.New(t, c.view)
			tab.Go(p.URL + "/embed/video/" + c.m.ID + c.query)
			if c.frame { // as the script finds out
				browser.Eval[any](tab, `document.querySelector(".film").classList.add("framed")`)
			}
			if c.m.ID != made.ID {
				tab.Until(video + `.readyState >= 2 && !` + video + `.seeking`)
				if strings.Contains(c.query, "autoplay") {
					tab.Until(video + `.currentTime > 1 && ` + video + `.muted`)
				}
			}
			tab.Screenshot("film-" + name)
			if over := browser.Eval[[]float64](tab, `[document.documentElement.scrollWidth - innerWidth, document.documentElement.scrollHeight - innerHeight]`); over[0] > 0 || over[1] > 0 && c.frame {
				t.Errorf("it is larger than its frame by %v", over)
			}
			if small := browser.Eval[[]string](tab, `[...document.querySelectorAll("button,input")].filter(e => e.offsetParent && (e.offsetHeight < 24 || e.offsetWidth < 24)).map(e => e.className)`); len(small) > 0 {
				t.Errorf("too small to hit: %q", small)
			}
			quiet(t, tab, p.URL)
		})
	}
}
