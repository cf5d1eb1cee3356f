package pages_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"picora/app/apptest"
	"picora/app/apptest/browser"
	"picora/app/auth"
	"picora/app/config"
	"picora/store"
)

// TestASeekShowsItsPictureSoon measures from the seek to the picture.
func TestASeekShowsItsPictureSoon(t *testing.T) {
	p := apptest.Start(t)
	m := p.AddFilm(apptest.MakeFilm(t, apptest.FilmSpec{Seconds: 24, Rungs: []int{360}, Sounds: 1, Segment: 4}))
	tab := browser.Start(t).New(t, browser.View{Width: 1280, Height: 720})
	tab.Before(spy)
	tab.Before(`addEventListener("playing", () => { window.began ??= performance.now() }, true)`)
	tab.Go(p.URL + "/embed/video/" + m.ID + "?autoplay=1")
	tab.Until(video + `.currentTime > 0.2`)
	t.Logf("it plays %.0f ms after the page was asked for", browser.Eval[float64](tab, `began`))
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
	b := browser.Start(t)
	m := p.AddFilm(f, waiting) // which stays so for a minute
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
		browser.Eval[any](tab, video+`.loop = true`)
		tab.Do(chromedp.Click(".big"))
		tab.Until(video + `.currentTime > 0.5`)
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

func TestTheVideoPlayerWithFilesOnAnotherHost(t *testing.T) {
	var target atomic.Pointer[url.URL]
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target.Load()); r.Out.Host = r.In.Host }})
	defer proxy.Close()
	port := proxy.URL[strings.LastIndex(proxy.URL, ":"):]
	p := apptest.Start(t, func(c *config.Config) {
		c.Server.BaseURL, c.Server.MediaURL = "http://api.localhost"+port, "http://files.localhost"+port
	})
	at, err := url.Parse(p.URL)
	if err != nil {
		t.Fatal(err)
	}
	target.Store(at)
	m := p.AddFilm(nil, private)
	signer, err := auth.NewSigner(t.Context(), p.App.Store())
	if err != nil {
		t.Fatal(err)
	}
	b := browser.Start(t)
	tab := b.Open(t, "http://api.localhost"+port+"/embed/video/"+m.ID+"?autoplay=1&"+signer.Link(m.ID, time.Now().Add(time.Hour).Unix()), browser.View{})
	tab.Until(video + `.currentTime > 0.3`)
	press(tab, "c")
	tab.Until(`document.querySelector(".text:not(.high)").innerText.startsWith("Hello")`)
	spot := browser.Eval[[]float64](tab, `(r => [r.left + 50, r.top + r.height / 2])(document.querySelector(".line").getBoundingClientRect())`)
	move(tab, spot[0], spot[1])
	tab.Until(`document.querySelector(".sheet img").naturalWidth === 320`)
	if said := tab.Said(); len(said) > 0 {
		t.Errorf("the browser complains: %q", said)
	}
	for _, r := range tab.Requests() {
		if !strings.HasPrefix(r, "http://api.localhost"+port) && !strings.HasPrefix(r, "http://files.localhost"+port+"/video/") && !strings.HasPrefix(r, "blob:") {
			t.Errorf("it asked for %s", r)
		}
	}
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
