package cdn_test

import (
	"context"
	"net/url"
	"os/exec"
	"strings"
	"testing"

	"picora/app/apptest"
	"picora/store"
)

// everywhere asks for all parts of a film and wants the status.
func everywhere(t *testing.T, p *apptest.Picora, what string, list []part, query string, status int, policy string, headers ...string) {
	t.Helper()
	if query != "" {
		query = "?" + query
	}
	for _, part := range list {
		for _, method := range []string{"GET", "HEAD"} {
			r := ask(p, method, part.path+query, headers...)
			if r.Status != status || policy != "" && r.Header.Get("Cache-Control") != policy {
				t.Errorf("%s: %s %s: %d %q %.100s, want %d %q", what, method, part.path, r.Status, r.Header.Get("Cache-Control"), r.Body, status, policy)
			}
			if status >= 400 && (r.Header.Get("ETag") != "" || method == "GET" && !strings.HasSuffix(string(r.Body), ".\n")) {
				t.Errorf("%s: %s: %v %q", what, part.path, r.Header, r.Body)
			}
		}
		secured(t, what, ask(p, "GET", part.path+query, headers...).Header)
	}
}

func TestOneRuleSaysWhoMayHaveAllOfAFilm(t *testing.T) {
	p := apptest.Start(t)
	p.NewUser("other@example.org")
	m, other := p.AddFilm(nil), p.AddFilm(nil)
	list := parts(t, p, m)
	everywhere(t, p, "public", list, "", 200, "")
	edit := func(v any) {
		t.Helper()
		if r := p.JSON("PATCH", "/v1/videos/"+m.ID, v); r.Status != 200 {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
	}
	edit(map[string]any{"isPublic": false})
	sig, foreign := query(t, p, m.ID), query(t, p, other.ID)
	everywhere(t, p, "private", list, "", 403, "no-store")
	everywhere(t, p, "private, with a foreign signature", list, foreign, 403, "no-store")
	everywhere(t, p, "private, with a signature that was changed", list, sig+"0", 403, "no-store")
	everywhere(t, p, "private, with its signature", list, sig, 200, personal)
	everywhere(t, p, "private, with its owner's key", list, "", 200, personal, "Authorization", "Bearer "+p.Key)
	everywhere(t, p, "private, with another's key", list, "", 403, "no-store", "Authorization", "Bearer "+p.NewKey("other@example.org"))
	everywhere(t, p, "private, from our page", list, "", 403, "no-store", "Referer", p.URL+"/embed/video/"+m.ID)

	edit(map[string]any{"isPublic": true, "allowedReferers": []string{"blog.example.org"}})
	everywhere(t, p, "restricted, from nowhere", list, "", 403, "no-store")
	for _, part := range list {
		r := ask(p, "GET", part.path, "Referer", "https://blog.example.org/post")
		want := "private, no-cache"
		if part.policy == public {
			want = "private, max-age=3600"
		}
		if r.Status != 200 || r.Header.Get("Cache-Control") != want || !strings.Contains(r.Header.Get("Vary"), "Referer") {
			t.Errorf("from a page that may show it: %s: %d %v", part.path, r.Status, r.Header)
		}
	}
	everywhere(t, p, "restricted, from elsewhere", list, "", 403, "no-store", "Referer", "https://evil.example/")
	everywhere(t, p, "restricted, from elsewhere with a signature", list, sig, 200, personal, "Referer", "https://evil.example/")
}

func TestASignatureGoesWithEveryAddress(t *testing.T) {
	p := apptest.Start(t)
	m := p.AddFilm(nil, func(m *store.Media) { m.Public = false })
	sig := query(t, p, m.ID)
	for _, name := range []string{"index.m3u8", "360p/index.m3u8"} {
		s := walk(p, "/video/"+m.ID+"/"+name+"?"+sig)
		if len(s.Faults) > 0 || len(s.Addresses) < 20 {
			t.Errorf("%q", s.Faults)
		}
		for _, a := range s.Addresses {
			if !strings.Contains(a, sig) {
				t.Errorf("%s has no signature", a)
			}
		}
	}
	if out, err := exec.Command("ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", p.URL+"/video/"+m.ID+"/index.m3u8?"+sig).CombinedOutput(); err != nil || !strings.HasPrefix(string(out), "6.0") {
		t.Errorf("ffprobe: %s, %v", out, err)
	}
	board := ask(p, "GET", "/video/"+m.ID+"/storyboard.vtt?"+sig)
	if n := strings.Count(string(board.Body), "&"+sig+"#xywh="); n != 6 {
		t.Errorf("%d of 6 in\n%s", n, board.Body)
	}
	for name, r := range map[string]apptest.Response{
		"its owner's key": p.Do("GET", "/video/"+m.ID+"/index.m3u8?sig=x&exp=9999999999", nil), // which the address need not carry
		"being public":    ask(p, "GET", "/video/"+p.AddFilm(nil).ID+"/index.m3u8"),
	} {
		if r.Status != 200 || strings.Contains(string(r.Body), "sig=") {
			t.Errorf("opened by %s: %d\n%s", name, r.Status, r.Body)
		}
	}
	open := p.AddFilm(nil)
	if r := ask(p, "GET", "/video/"+open.ID+"/index.m3u8?"+query(t, p, open.ID)); r.Status != 200 || strings.Contains(string(r.Body), "sig=") {
		t.Errorf("a signature that was not needed: %d\n%s", r.Status, r.Body)
	}
}

func TestThePosterHasASignatureOfItsOwn(t *testing.T) {
	p := apptest.Start(t)
	m := p.AddFilm(nil, func(m *store.Media) { m.Public = false })
	var v struct{ ThumbnailURL string }
	p.Do("GET", "/v1/videos/"+m.ID, nil).Data(t, &v)
	u, err := url.Parse(v.ThumbnailURL)
	if err != nil || u.RawQuery == "" {
		t.Fatalf("%q %v", v.ThumbnailURL, err)
	}
	for name, status := range map[string]int{"poster.jpg": 200, "index.m3u8": 403, "video.mp4": 403, "preview.mp4": 403, "storyboard-0.jpg": 403} {
		if r := ask(p, "GET", "/video/"+m.ID+"/"+name+"?"+u.RawQuery); r.Status != status {
			t.Errorf("%s: %d", name, r.Status)
		}
	}
}

func TestWhatIsGoneIsGoneAtOnce(t *testing.T) {
	for name, end := range map[string]func(*apptest.Picora, store.Media) int{
		"trashed": func(p *apptest.Picora, m store.Media) int {
			return p.Do("DELETE", "/v1/videos/"+m.ID+"?trash=true", nil).Status
		},
		"deleted": func(p *apptest.Picora, m store.Media) int { return p.Do("DELETE", "/v1/videos/"+m.ID, nil).Status },
		"its owner removed": func(p *apptest.Picora, m store.Media) int {
			if err := p.App.Library().RemoveAccount(context.Background(), m.User); err != nil {
				return 500
			}
			return 200
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := apptest.Start(t)
			m := p.AddFilm(nil)
			list := parts(t, p, m)
			sig := query(t, p, m.ID)
			everywhere(t, p, "before", list, "", 200, "")
			if status := end(p, m); status != 200 {
				t.Fatal(status)
			}
			everywhere(t, p, "after", list, "", 404, "no-store")
			everywhere(t, p, "with a signature", list, sig, 404, "no-store")
			if name != "its owner removed" {
				everywhere(t, p, "with the owner's key", list, "", 404, "no-store", "Authorization", "Bearer "+p.Key)
			}
		})
	}
}
