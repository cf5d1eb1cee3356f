package pages_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/mmcdole/gofeed"

	"picora/app/apptest"
	"picora/store"
)

// parse reads a feed as podcast programs do, after it passed the rules.
func parse(t *testing.T, p *apptest.Picora, address string) *gofeed.Feed {
	t.Helper()
	r := get(p, address)
	if r.Status != 200 || r.Header.Get("Content-Type") != "application/rss+xml; charset=utf-8" {
		t.Fatalf("%d %q %s", r.Status, r.Header.Get("Content-Type"), r.Body)
	}
	for _, problem := range checkFeed(p, address, r.Body) {
		t.Error(problem)
	}
	f, err := gofeed.NewParser().ParseString(string(r.Body))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func titles(f *gofeed.Feed) (list []string) {
	for _, i := range f.Items {
		list = append(list, i.Title)
	}
	return list
}

func named(title string) func(*store.Media) { return func(m *store.Media) { m.Title = title } }

func TestAShowIsWhatItsOwnerSays(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t)
	s := open(t, p)
	k := s.collection(map[string]any{"name": "Harbour & Radio", "slug": "harbour", "description": "All that\nships bring.", "isPublic": true, "feed": map[string]any{
		"author": "Ann", "email": "ann@example.org", "category": "Books", "language": "de-CH", "link": "https://example.org/show", "explicit": true, "type": "serial",
	}})
	cover := apptest.JPEG(500, 500, 3)
	first := s.sound(wav(2), in(k.ID), named("One"))
	p.Advance(time.Hour)
	s.sound(wav(3), in(k.ID), named("Two"), s.part(store.CoverPart, "image/jpeg", cover), func(m *store.Media) {
		m.Sound.Track, m.Sound.Artist, m.Sound.Album = 2, "Bea", "Second season"
		m.Sound.Chapters = []store.Chapter{{Start: 0, Title: "Begin"}, {Start: 1.5, Title: "<End>"}}
	})
	for _, name := range []string{k.ID, "harbour"} {
		r := get(p, "/feed/"+name+".xml")
		if problems := checkFeed(p, k.FeedURL, r.Body); len(problems) != 1 || !strings.Contains(problems[0], "a picture of 500 x 500") {
			t.Errorf("only the show's picture, that of an episode, is smaller than Apple wants: %q", problems)
		}
	}
	f, err := gofeed.NewParser().ParseString(string(get(p, k.FeedURL).Body))
	if err != nil {
		t.Fatal(err)
	}
	x := f.ITunesExt
	if f.Title != "Harbour & Radio" || f.Description != "All that\nships bring." || f.Language != "de-CH" || f.Link != "https://example.org/show" ||
		x.Author != "Ann" || x.Owner.Email != "ann@example.org" || x.Categories[0].Text != "Arts" || x.Categories[0].Subcategory.Text != "Books" || x.Explicit != "true" || x.Type != "serial" {
		t.Errorf("%+v %+v", f, x)
	}
	if got := titles(f); !slices.Equal(got, []string{"Two", "One"}) {
		t.Errorf("not the newest first: %q", got)
	}
	i := f.Items[0]
	if e := i.Enclosures[0]; e.Length != fmt.Sprint(44+3*2*rate) || e.Type != "audio/wav" || i.ITunesExt.Duration != "3" || i.ITunesExt.Episode != "2" || i.ITunesExt.Author != "Bea" ||
		!strings.HasSuffix(i.ITunesExt.Image, ".jpg") || i.Description != "Bea · Second season\n0:00 Begin\n0:01 <End>" {
		t.Errorf("%+v %+v %+v", i, i.ITunesExt, e)
	}
	if f.Items[1].GUID != first.ID || !f.Items[1].PublishedParsed.Equal(first.Created.Truncate(time.Second)) {
		t.Errorf("%+v", f.Items[1])
	}
	var chapters struct {
		Version  string
		Chapters []struct {
			StartTime float64
			Title     string
		}
	}
	r := get(p, i.Extensions["podcast"]["chapters"][0].Attrs["url"])
	if err := json.Unmarshal(r.Body, &chapters); err != nil || chapters.Version != "1.2.0" || len(chapters.Chapters) != 2 || chapters.Chapters[1].StartTime != 1.5 || chapters.Chapters[1].Title != "<End>" {
		t.Errorf("%v %s", err, r.Body)
	}
}

func TestWhatIsInAFeed(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t)
	s := open(t, p)
	k := s.collection(map[string]any{"name": "Show", "isPublic": true})
	other := s.collection(map[string]any{"name": "Another", "isPublic": true})
	s.sound(wav(1), in(k.ID), named("public"))
	s.sound(wav(2), in(k.ID), named("private"), private)
	s.sound(wav(3), in(k.ID), named("signed"), func(m *store.Media) { m.RequireSignature = true })
	s.sound(wav(4), in(k.ID), named("restricted"), func(m *store.Media) { m.Restricted = true })
	s.sound(wav(5), in(other.ID), named("elsewhere"))
	s.sound(wav(6), named("alone"))
	trashed := s.sound(wav(7), in(k.ID), named("trashed"))
	if r := p.Do("DELETE", "/v1/audio/"+trashed.ID+"?trash=true", nil); r.Status > 299 {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
	if got := titles(parse(t, p, k.FeedURL)); !slices.Equal(got, []string{"public"}) {
		t.Errorf("everybody gets %q", got)
	}
	renew(t, p, &k)
	got := titles(parse(t, p, k.PrivateFeedURL))
	if slices.Sort(got); !slices.Equal(got, []string{"private", "public", "restricted", "signed"}) {
		t.Errorf("friends get %q", got)
	}
	if r := p.JSON("PATCH", "/v1/collections/"+k.ID, map[string]any{"isPublic": false}); r.Status != 200 {
		t.Fatal(r.Status)
	}
	for _, path := range []string{k.FeedURL, "/feed/show.xml"} {
		if r := get(p, path); r.Status != 404 {
			t.Errorf("the feed of a collection that is not public any more: %d", r.Status)
		}
	}
	if r := get(p, k.PrivateFeedURL); r.Status != 200 || !strings.Contains(r.Header.Get("Cache-Control"), "private") || r.Header.Get("X-Robots-Tag") != "noindex" || !strings.Contains(string(r.Body), "<itunes:block>Yes<") {
		t.Errorf("the private feed: %d %v", r.Status, r.Header)
	}
}

func renew(t *testing.T, p *apptest.Picora, k *collection) {
	t.Helper()
	r := p.JSON("POST", "/v1/collections/"+k.ID+"/feed-token", "")
	if r.Status != 200 {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
	*k = collection{}
	r.Data(t, k)
}

// TestANewTokenEndsTheOldFeed with all that its subscribers have of it.
func TestANewTokenEndsTheOldFeed(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t)
	s := open(t, p)
	k := s.collection(map[string]any{"name": "Show"})
	m := s.sound(wav(2), in(k.ID), private, s.part(store.CoverPart, "image/jpeg", apptest.JPEG(1400, 1400, 3)), s.waveform(), func(m *store.Media) {
		m.Sound.Chapters = []store.Chapter{{Title: "Begin"}}
	})
	renew(t, p, &k)
	item := func() *gofeed.Item {
		t.Helper()
		list := parse(t, p, k.PrivateFeedURL).Items
		return list[slices.IndexFunc(list, func(i *gofeed.Item) bool { return i.GUID == m.ID })]
	}
	addresses := func() []string {
		i := item()
		return []string{k.PrivateFeedURL, i.Enclosures[0].URL, i.ITunesExt.Image, i.Link, i.Extensions["podcast"]["chapters"][0].Attrs["url"]}
	}
	answer := func(list []string, status ...int) {
		t.Helper()
		for _, a := range list {
			if r := get(p, a); !slices.Contains(status, r.Status) {
				t.Errorf("%s: %d, want one of %d", a, r.Status, status)
			}
		}
	}
	old := addresses()
	answer(old, 200)
	if b := get(p, old[3]).Body; !strings.Contains(string(b), old[1]) {
		t.Error("the player of an episode does not get the file as the feed does")
	}
	u, _ := url.Parse(old[1])
	if u.Query().Get("sig") == "" || u.Query().Has("exp") {
		t.Errorf("the address does not last: %s", old[1])
	}
	p.Advance(400 * 24 * time.Hour)
	answer(old, 200)
	token := strings.TrimSuffix(k.PrivateFeedURL, ".xml")
	last := "x"
	if strings.HasSuffix(token, last) { // as one random token in 64
		last = "y"
	}
	answer([]string{
		token[:len(token)-1] + last + ".xml",
		token[:len(token)-1] + ".xml",
		token + "x.xml",
		p.URL + "/feed/" + k.ID + ".xml",
		p.URL + "/feed/" + k.ID + "..xml",
		p.URL + "/feed/" + k.Slug + strings.TrimPrefix(k.PrivateFeedURL, p.URL+"/feed/"+k.ID),
	}, 404)

	// The signature opens this file and no other.
	another := s.sound(wav(3), in(k.ID), private)
	answer([]string{"/audio/" + another.ID + ".wav?" + u.RawQuery}, 403)

	renew(t, p, &k)
	answer(old, 403, 404)
	current := addresses()
	answer(current, 200)

	// What leaves the collection leaves the feed, and its address dies.
	theirs := parse(t, p, k.PrivateFeedURL).Items[0].Enclosures[0].URL
	answer([]string{theirs}, 200)
	if r := p.JSON("PATCH", "/v1/audio/"+another.ID, map[string]any{"kbId": nil}); r.Status != 200 {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
	if got := parse(t, p, k.PrivateFeedURL).Items; len(got) != 1 {
		t.Errorf("%d episodes", len(got))
	}
	answer([]string{theirs}, 403)

	if r := p.Do("DELETE", "/v1/collections/"+k.ID+"/feed-token", nil); r.Status != 200 || !strings.Contains(string(r.Body), `"privateFeedUrl":null`) {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	answer(current, 403, 404)
}

func TestAFeedOfADeletedCollectionIsGone(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t)
	s := open(t, p)
	k := s.collection(map[string]any{"name": "Show", "isPublic": true})
	renew(t, p, &k)
	m := s.sound(wav(1), in(k.ID), private)
	enclosure := parse(t, p, k.PrivateFeedURL).Items[0].Enclosures[0].URL
	if r := p.Do("DELETE", "/v1/collections/"+k.ID+"?cascade=true", nil); r.Status != 200 {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
	for _, path := range []string{k.FeedURL, k.PrivateFeedURL, enclosure, "/audio/" + m.ID + ".wav"} {
		if r := get(p, path); r.Status != 404 && r.Status != 403 {
			t.Errorf("%s: %d", path, r.Status)
		}
	}
}

// TestHostileNamesStayTextsInFeeds (threat 3).
func TestHostileNamesStayTextsInFeeds(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t)
	s := open(t, p)
	k := s.collection(map[string]any{"name": `]]><script>&amp;"'`, "description": strings.Join(hostile[:6], "\n"), "isPublic": true, "feed": map[string]any{"author": `"><x y="`}})
	for i, name := range hostile {
		p.Advance(time.Second)
		s.sound(append(wav(1), byte(i)), in(k.ID), func(m *store.Media) {
			m.Title, m.Filename, m.Sound.Artist, m.Sound.Album = name, name+".wav", name, name
			m.Sound.Chapters = []store.Chapter{{Start: 0, Title: name}}
		})
	}
	f := parse(t, p, k.FeedURL)
	if f.Title != `]]><script>&amp;"'` || f.ITunesExt.Author != `"><x y="` || !strings.Contains(f.Description, `<script>alert(1)</script>`) {
		t.Errorf("%q %q %q", f.Title, f.ITunesExt.Author, f.Description)
	}
	if len(f.Items) != len(hostile) {
		t.Fatalf("%d of %d episodes", len(f.Items), len(hostile))
	}
	for i, name := range hostile {
		got := f.Items[len(hostile)-1-i].Title
		if got == "" || !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return unicode.IsControl(r) || r == utf8.RuneError }) {
			t.Errorf("%q became %q", name, got)
		}
		if strings.IndexFunc(name, unicode.IsControl) < 0 && utf8.ValidString(name) && !strings.ContainsRune(name, '\u202e') && got != name {
			t.Errorf("%q became %q", name, got)
		}
	}
	parse(t, p, k.FeedURL)
}

func TestFeedsAreReadAgainOnlyWhenTheyChanged(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t)
	s := open(t, p)
	k := s.collection(map[string]any{"name": "Show", "isPublic": true})
	m := s.sound(wav(1), in(k.ID))
	r := get(p, k.FeedURL)
	tag, date := r.Header.Get("ETag"), r.Header.Get("Last-Modified")
	if tag == "" || date == "" || r.Header.Get("Cache-Control") != "public, max-age=300" {
		t.Fatalf("%v", r.Header)
	}
	status := func(want int, headers ...string) {
		t.Helper()
		if r := get(p, k.FeedURL, headers...); r.Status != want || want == 304 && len(r.Body) > 0 {
			t.Errorf("%q: %d, want %d", headers, r.Status, want)
		}
	}
	status(304, "If-None-Match", tag)
	status(304, "If-None-Match", `"x", W/`+tag)
	status(304, "If-Modified-Since", date)
	status(200, "If-None-Match", `"x"`, "If-Modified-Since", date)
	p.Advance(time.Minute)
	if r := p.JSON("PATCH", "/v1/audio/"+m.ID, map[string]any{"title": "Renamed"}); r.Status != 200 {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
	status(200, "If-None-Match", tag)
	status(200, "If-Modified-Since", date)
	tag = get(p, k.FeedURL).Header.Get("ETag")
	if r := p.Do("DELETE", "/v1/audio/"+m.ID, nil); r.Status != 204 {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
	status(200, "If-None-Match", tag)
	if r := p.Do("HEAD", k.FeedURL, nil, "Authorization", ""); r.Status != 200 || r.Header.Get("Content-Length") == "0" {
		t.Errorf("HEAD: %d %v", r.Status, r.Header)
	}
}

func TestAFeedHasTheNewestThreeHundred(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t)
	s := open(t, p)
	k := s.collection(map[string]any{"name": "Show", "isPublic": true})
	tone := wav(1)
	for i := range 305 {
		p.Advance(time.Second)
		s.sound(append(tone, byte(i), byte(i>>8)), in(k.ID), named(fmt.Sprint("Episode ", i+1)))
	}
	f, err := gofeed.NewParser().ParseString(string(get(p, k.FeedURL).Body))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(f.Items); n != 300 || f.Items[0].Title != "Episode 305" || f.Items[299].Title != "Episode 6" {
		t.Errorf("%d episodes, from %q to %q", n, f.Items[0].Title, f.Items[n-1].Title)
	}
}

// What few programs play goes out as what many do, when there is such a file.
func TestARenditionIsTheEnclosureOfRareTypes(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t)
	s := open(t, p)
	k := s.collection(map[string]any{"name": "Show", "isPublic": true})
	s.sound(wav(1), in(k.ID), s.part(store.SoundPart, "audio/mp4", []byte("not really AAC")))
	f := parse(t, p, k.FeedURL)
	if e := f.Items[0].Enclosures[0]; !strings.Contains(e.URL, "/audio-level/") || e.Length != "14" || e.Type != "audio/mp4" {
		t.Errorf("%+v", e)
	}
}
