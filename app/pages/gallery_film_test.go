package pages_test

import (
	"regexp"
	"strings"
	"testing"

	"picora/app/apptest"
	"picora/store"
)

func TestAGalleryShowsVideosThatPlay(t *testing.T) {
	p := apptest.Start(t)
	k, _ := collect(t, p, map[string]any{"name": "Films", "slug": "films", "isPublic": true})
	here := func(m *store.Media) { m.Collection, m.Title = k, "<b>At sea</b>" }
	plays := p.AddFilm(nil, here)
	bare := p.AddFilm(nil, here, func(m *store.Media) { m.DropPart(store.PosterPart) })
	waits := p.AddFilm(nil, here, func(m *store.Media) { m.Film.State = store.FilmWaiting })
	secret := p.AddFilm(nil, here, private)
	r := get(p, "/c/films")
	contains(t, r.Body, "3 videos", "&lt;b&gt;At sea&lt;/b&gt;", `<span class="sub" dir="auto">0:06</span>`, `href="`+p.URL+"/embed/video/"+plays.ID+`"`, `src="`+p.URL+"/video/"+plays.ID+`/poster.jpg"`)
	for name, absent := range map[string]string{"one that does not play": waits.ID, "a private one": secret.ID, "a poster that there is not": bare.ID + "/poster.jpg"} {
		if strings.Contains(string(r.Body), absent) {
			t.Errorf("%s is shown", name)
		}
	}
	contains(t, get(p, "/c/films", "Accept-Language", "zh-CN").Body, "3 个视频")

	var c struct{ ShareURL string }
	p.JSON("PATCH", "/v1/collections/"+k, map[string]any{"isPublic": false, "isShared": true}).Data(t, &c)
	whole := strings.ReplaceAll(string(get(p, c.ShareURL).Body), "&amp;", "&")
	poster := regexp.MustCompile(`src="([^"]+` + secret.ID + `/poster\.jpg[^"]*)"`).FindStringSubmatch(whole)
	if poster == nil {
		t.Fatalf("who has the key does not see the private one: %s", whole)
	}
	if got := get(p, poster[1]); got.Status != 200 {
		t.Errorf("its poster is refused: %d", got.Status)
	}
}
