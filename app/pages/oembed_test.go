package pages_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"picora/app/apptest"
	"picora/app/config"
	"picora/store"
)

type embed struct {
	Version, Type, Title, URL, HTML string
	Author                          string `json:"author_name"`
	Provider                        string `json:"provider_name"`
	Width, Height                   int
	Thumbnail                       string `json:"thumbnail_url"`
	ThumbnailWidth                  int    `json:"thumbnail_width"`
	ThumbnailHeight                 int    `json:"thumbnail_height"`
}

// describe asks how to embed an address.
func describe(t *testing.T, p *apptest.Picora, address, more string) (e embed) {
	t.Helper()
	r := get(p, "/oembed?format=json&url="+url.QueryEscape(address)+more, "Origin", "https://blog.example")
	if r.Status != 200 || r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Fatalf("%s: %d %v %s", address, r.Status, r.Header, r.Body)
	}
	if err := json.Unmarshal(r.Body, &e); err != nil || e.Version != "1.0" || e.Provider != "Picora" {
		t.Fatalf("%v %s", err, r.Body)
	}
	return e
}

func TestWhatCanBeEmbedded(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t)
	s := open(t, p)
	m := s.sound(wav(2), named(`A "tone" <b>`), s.part(store.CoverPart, "image/jpeg", apptest.JPEG(320, 200, 3)))
	frame := `<iframe src="` + p.URL + `/embed/audio/` + m.ID + `" width="600" height="160" title="A &#34;tone&#34; &lt;b&gt;"`
	for _, address := range []string{"/embed/audio/" + m.ID, "/audio/" + m.ID + ".wav", "/embed/audio/" + m.ID + "?t=5#x"} {
		e := describe(t, p, p.URL+address, "")
		if e.Type != "rich" || e.Title != `A "tone" <b>` || e.Author != "Nobody" || !strings.HasPrefix(e.HTML, frame) || e.Width != 600 || e.Height != 160 ||
			e.Thumbnail != p.URL+"/audio-cover/"+m.ID+".jpg" || e.ThumbnailWidth != 320 || e.ThumbnailHeight != 200 {
			t.Errorf("%s: %+v", address, e)
		}
	}
	if e := describe(t, p, p.URL+"/embed/audio/"+m.ID, "&maxwidth=300&maxheight=90"); e.Width != 300 || e.Height != 90 || !strings.Contains(e.HTML, `width="300" height="90"`) || e.Thumbnail != "" {
		t.Errorf("in a small box: %+v", e)
	}

	i := p.Add("a.png", apptest.PNG(40, 20, 1), "title", "Sea & sky")
	if e := describe(t, p, i.URL, ""); e.Type != "photo" || e.URL != i.URL || e.Width != 40 || e.Height != 20 || e.Title != "Sea & sky" || e.HTML != "" {
		t.Errorf("%+v", e)
	}
	if e := describe(t, p, i.URL, "&maxwidth=10"); e.Width != 8 || e.Height != 4 || !strings.HasPrefix(e.URL, i.URL+"?fit=fill&h=4&sig=") {
		t.Errorf("in a small box: %+v", e)
	}

	k := s.collection(map[string]any{"name": "Show", "isPublic": true})
	if e := describe(t, p, p.URL+"/c/"+k.Slug, ""); e.Type != "link" || e.Title != "Show" || e.Thumbnail != "" {
		t.Errorf("%+v", e)
	}
	if r := p.JSON("PATCH", "/v1/images/"+i.ID, map[string]any{"kbId": k.ID}); r.Status != 200 {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
	if e := describe(t, p, p.URL+"/c/"+k.Slug, ""); !strings.HasPrefix(e.Thumbnail, i.URL+"?") || e.ThumbnailWidth != 480 {
		t.Errorf("%+v", e)
	}
}

func TestWhatCannotBeEmbedded(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t)
	s := open(t, p)
	m, hidden := s.sound(wav(1)), s.sound(wav(2), private)
	closed := s.sound(wav(3), func(m *store.Media) { m.RequireSignature = true })
	k := s.collection(map[string]any{"name": "Show"})
	at := func(path string) string { return "/oembed?url=" + url.QueryEscape(p.URL+path) }
	for name, c := range map[string]struct {
		path   string
		status int
	}{
		"XML":                       {at("/embed/audio/"+m.ID) + "&format=xml", 501},
		"no address":                {"/oembed", 400},
		"another server":            {"/oembed?url=https%3A%2F%2Fexample.org%2Fembed%2Faudio%2F" + m.ID, 404},
		"another port":              {"/oembed?url=" + url.QueryEscape("http://127.0.0.1:1/embed/audio/"+m.ID), 404},
		"no web address":            {"/oembed?url=" + url.QueryEscape("ftp"+strings.TrimPrefix(p.URL, "http")+"/embed/audio/"+m.ID), 404},
		"nothing there":             {at("/embed/audio/" + store.NewID(store.IDLen)), 404},
		"the wrong ending":          {at("/audio/" + m.ID + ".mp3"), 404},
		"no ending":                 {at("/audio/" + m.ID), 404},
		"another page":              {at("/"), 404},
		"the API":                   {at("/v1/audio/" + m.ID), 404},
		"private":                   {at("/embed/audio/" + hidden.ID), 401},
		"private, by its file":      {at("/audio/" + hidden.ID + ".wav"), 401},
		"one that needs signatures": {at("/embed/audio/" + closed.ID), 401},
		"a hidden collection":       {at("/c/" + k.Slug), 404},
		"no number":                 {at("/embed/audio/"+m.ID) + "&maxwidth=wide", 400},
		"a width below one":         {at("/embed/audio/"+m.ID) + "&maxheight=0", 400},
	} {
		r := get(p, c.path)
		if r.Status != c.status || !strings.Contains(string(r.Body), `"success":false`) {
			t.Errorf("%s: %d, want %d: %s", name, r.Status, c.status, r.Body)
		}
	}
}

func TestTheAddressesOfBothHostsCanBeEmbedded(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t, func(c *config.Config) {
		c.Server.BaseURL, c.Server.MediaURL = "https://api.example", "https://files.example"
	})
	m := open(t, p).sound(wav(1))
	for _, address := range []string{"https://api.example/embed/audio/" + m.ID, "http://API.example/embed/audio/" + m.ID, "https://files.example/audio/" + m.ID + ".wav"} {
		r := get(p, "/oembed?url="+url.QueryEscape(address), "Host", "api.example")
		if r.Status != 200 || !strings.Contains(string(r.Body), "https://api.example/embed/audio/"+m.ID) {
			t.Errorf("%s: %d %s", address, r.Status, r.Body)
		}
	}
}

// TestThePageSaysWhereItsDescriptionIs: what the player's page links is what oEmbed answers.
func TestThePageSaysWhereItsDescriptionIs(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t)
	m := open(t, p).sound(wav(1))
	page := string(get(p, "/embed/audio/"+m.ID).Body)
	_, rest, found := strings.Cut(page, `<link rel="alternate" type="application/json+oembed" href="`)
	href, _, _ := strings.Cut(rest, `"`)
	if !found {
		t.Fatal("no link")
	}
	if r := get(p, strings.ReplaceAll(href, "&amp;", "&")); r.Status != 200 || !strings.Contains(string(r.Body), `"type":"rich"`) {
		t.Errorf("%s: %d %s", href, r.Status, r.Body)
	}
}
