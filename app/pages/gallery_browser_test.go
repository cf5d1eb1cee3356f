package pages_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"picora/app/apptest"
	"picora/app/apptest/browser"
	"picora/store"
)

// hills is a landscape as JPEG, another for each seed.
func hills(w, h, seed int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	hue := float64(seed) * 0.7
	for x := range w {
		far := 0.45 + 0.1*math.Sin(float64(x)/float64(w)*5+hue) + 0.05*math.Sin(float64(x)/float64(w)*13+2*hue)
		near := 0.7 + 0.12*math.Sin(float64(x)/float64(w)*4+3*hue)
		for y := range h {
			v := float64(y) / float64(h)
			c := color.RGBA{uint8(120 + 100*math.Sin(hue)*(1-v)), uint8(160 + 60*v), uint8(215 - 60*v*math.Cos(hue)), 255}
			switch {
			case v > near:
				c = color.RGBA{uint8(60 + 30*math.Sin(hue)), uint8(95 + 40*math.Cos(hue)), 60, 255}
			case v > far:
				c = color.RGBA{uint8(90 + 50*math.Cos(hue)), 130, uint8(130 + 40*math.Sin(hue)), 255}
			}
			img.Set(x, y, c)
		}
	}
	var b bytes.Buffer
	jpeg.Encode(&b, img, nil) // a bytes.Buffer does not fail
	return b.Bytes()
}

// exhibition is a public collection with so many pictures, the first of them the newest.
func exhibition(t testing.TB, p *apptest.Picora, pictures int) (id, slug string) {
	t.Helper()
	id, slug = collect(t, p, map[string]any{"name": "Summer on the coast", "description": "Two weeks of walking.\nAll in July.", "isPublic": true})
	sizes := [][2]int{{600, 400}, {400, 600}, {500, 500}, {900, 400}, {640, 480}, {1400, 900}}
	for n := range pictures {
		s := sizes[n%len(sizes)]
		p.Add(fmt.Sprintf("p%02d.jpg", n), hills(s[0], s[1], n), "kbId", id, "title", fmt.Sprintf("Walk, day %d", n))
	}
	return id, slug
}

// collect makes a collection.
func collect(t testing.TB, p *apptest.Picora, body any) (id, slug string) {
	t.Helper()
	var k struct{ ID, Slug string }
	p.JSON("POST", "/v1/collections", body).Data(t, &k)
	return k.ID, k.Slug
}

// seen waits until the looks of all pictures are known, for placeholders.
func seen(t testing.TB, p *apptest.Picora) {
	t.Helper()
	for end := time.Now().Add(5 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		list, err := p.App.Store().Unseen(t.Context(), 1)
		if err != nil || time.Now().After(end) {
			t.Fatal("the pictures are still to be looked at", err)
		}
		if len(list) == 0 {
			return
		}
	}
}

const shownPicture = `document.querySelector(".box[open] .stage img")`

func TestTheGalleryInABrowser(t *testing.T) {
	p := apptest.StartWithWorkers(t)
	id, slug := exhibition(t, p, 60)
	s := open(t, p)
	s.sound(wav(30), s.part(store.CoverPart, "image/jpeg", apptest.JPEG(300, 300, 7)), func(m *store.Media) {
		m.Title, m.Collection, m.Sound.Artist = "The sea at night, recorded from the pier", id, "Harbour Radio"
	})
	s.doc(func(m *store.Media) { m.Title, m.Collection = "Where we slept, and what it cost", id })
	seen(t, p)
	at := p.URL + "/c/" + slug
	b := browser.Start(t)

	t.Run("how it looks", func(t *testing.T) {
		for name, v := range map[string]browser.View{
			"desk-light": {}, "desk-dark": {Dark: true, Language: "zh-CN"}, "phone-light": {Phone: true}, "phone-dark": {Phone: true, Dark: true},
		} {
			tab := b.Open(t, at, v)
			tab.Until(`[...document.querySelectorAll(".tile img")].filter(i => i.getBoundingClientRect().top < innerHeight).every(i => i.complete && i.naturalWidth)`)
			tab.Screenshot("gallery-" + name)
			quiet(t, tab, p.URL)
			if wide := browser.Eval[bool](tab, `document.documentElement.scrollWidth > innerWidth`); wide {
				t.Errorf("%s: the page is wider than the screen", name)
			}
			tab.Do(chromedp.Click(".picture"))
			tab.Until(shownPicture + `?.complete && ` + shownPicture + `.naturalWidth > 0`)
			tab.Screenshot("gallery-box-" + name)
			quiet(t, tab, p.URL)
		}
	})

	t.Run("all pages follow", func(t *testing.T) {
		tab := b.Open(t, at, browser.View{})
		for browser.Eval[bool](tab, `!!document.querySelector(".more a")`) {
			browser.Eval[bool](tab, `(scrollTo(0, document.body.scrollHeight), true)`)
			time.Sleep(20 * time.Millisecond)
		}
		if n := browser.Eval[int](tab, `new Set([...document.querySelectorAll(".tile a")].map(a => a.href)).size`); n != 62 {
			t.Errorf("%d things of 62", n)
		}
		quiet(t, tab, p.URL)
	})

	t.Run("the keyboard", func(t *testing.T) {
		tab := b.Open(t, at, browser.View{})
		place := `document.querySelector(".place").textContent.split(" ")[0]`
		browser.Eval[bool](tab, `(document.querySelector(".picture").focus(), true)`)
		press(tab, kb.Enter)
		tab.Until(`document.querySelector(".box").open && ` + place + ` === "1"`)
		press(tab, kb.ArrowRight, kb.ArrowRight)
		tab.Until(place + ` === "3"`)
		press(tab, kb.ArrowLeft)
		tab.Until(place + ` === "2"`)
		press(tab, kb.End)
		tab.Until(`Number(` + place + `) >= 46`) // the second page came
		tab.Until(`!document.querySelector(".more a")`)
		press(tab, kb.End)
		tab.Until(place + ` === "60"`)
		press(tab, kb.ArrowRight)
		tab.Until(place + ` === "60" && document.querySelector(".after").disabled`)
		press(tab, kb.Home)
		tab.Until(place + ` === "1" && document.querySelector(".before").disabled`)
		press(tab, kb.ArrowRight)
		tab.Until(place + ` === "2" && location.hash === "#" + document.querySelectorAll(".picture")[1].id`)
		for range 9 {
			press(tab, kb.Tab)
			if behind := browser.Eval[bool](tab, `document.querySelector("main").contains(document.activeElement)`); behind {
				t.Error("the focus went behind the box")
			}
		}
		press(tab, kb.Escape)
		tab.Until(`!document.querySelector(".box").open && location.hash === ""`)
		if ok := browser.Eval[bool](tab, `document.activeElement === document.querySelectorAll(".picture")[1]`); !ok {
			t.Error("the focus is not on the picture that was shown")
		}
		quiet(t, tab, p.URL)
	})

	t.Run("back closes the box", func(t *testing.T) {
		tab := b.Open(t, at, browser.View{Phone: true})
		tab.Do(chromedp.Click(".picture"))
		tab.Until(`document.querySelector(".box").open`)
		browser.Eval[bool](tab, `(history.back(), true)`)
		tab.Until(`!document.querySelector(".box").open && location.pathname === "/c/` + slug + `"`)
	})

	t.Run("an address of a picture opens it", func(t *testing.T) {
		tab := b.Open(t, at, browser.View{})
		hash := browser.Eval[string](tab, `document.querySelectorAll(".picture")[4].id`)
		again := b.Open(t, at+"#"+hash, browser.View{})
		again.Until(`document.querySelector(".box").open && document.querySelector(".place").textContent.startsWith("5 ")`)
	})

	t.Run("a swipe turns", func(t *testing.T) {
		tab := b.Open(t, at, browser.View{Phone: true})
		tab.Do(chromedp.Click(".picture"))
		tab.Until(shownPicture + ` !== null`)
		swipe := `(from, to) => { const s = document.querySelector(".stage"), o = {isPrimary: true, pointerId: 9, pointerType: "touch", bubbles: true, clientY: 300};
			s.dispatchEvent(new PointerEvent("pointerdown", {...o, clientX: from})); s.dispatchEvent(new PointerEvent("pointerup", {...o, clientX: to, clientY: 310})); return true }`
		browser.Eval[bool](tab, `(`+swipe+`)(300, 100)`)
		tab.Until(`document.querySelector(".place").textContent.startsWith("2 ")`)
		browser.Eval[bool](tab, `(`+swipe+`)(100, 300)`)
		tab.Until(`document.querySelector(".place").textContent.startsWith("1 ")`)
		browser.Eval[bool](tab, `(`+swipe+`)(100, 120)`)
		tab.Until(`document.querySelector(".place").textContent.startsWith("1 ")`)
	})

	t.Run("what is to come is a blur", func(t *testing.T) {
		tab := b.Open(t, at, browser.View{})
		if n := browser.Eval[int](tab, `document.querySelectorAll(".picture canvas").length`); n == 0 {
			t.Error("there is no blur")
		}
		box := browser.Eval[[]float64](tab, `(() => { const h = [...document.querySelectorAll(".picture")].slice(0, 4).map(a => a.getBoundingClientRect()); return [h[0].top - h[1].top, h[0].height - h[1].height] })()`)
		if math.Abs(box[0]) > 1 || math.Abs(box[1]) > 2 {
			t.Errorf("the first row is not one: %v", box)
		}
	})
}

func TestAnEmptyGalleryInABrowser(t *testing.T) {
	p := apptest.Start(t)
	_, slug := collect(t, p, map[string]any{"name": "空相册", "isPublic": true})
	tab := browser.Start(t).Open(t, p.URL+"/c/"+slug, browser.View{Language: "zh-CN", Phone: true})
	if !strings.Contains(tab.Text(), "这里还没有内容") {
		t.Errorf("%q", tab.Text())
	}
	tab.Screenshot("gallery-empty")
	quiet(t, tab, p.URL)
}
