package pages_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/app/auth"
	"picora/app/config"
	"picora/store"
)

func TestWhoSeesThePlayer(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t)
	s := open(t, p)
	public, hidden := s.sound(wav(2)), s.sound(wav(3), private)
	strict := s.sound(wav(4), func(m *store.Media) { m.Restricted, m.Referers = true, []string{"friend.example", "*.many.example"} })
	picture := p.Add("a.png", apptest.PNG(4, 3, 1))
	signer, err := auth.NewSigner(t.Context(), p.App.Store())
	if err != nil {
		t.Fatal(err)
	}
	sign := func(id string, in time.Duration) string { return "?" + signer.Link(id, time.Now().Add(in).Unix()) }
	for _, c := range []struct {
		name, path string
		headers    []string
		status     int
	}{
		{"a public file", "/embed/audio/" + public.ID, nil, 200},
		{"a public file in somebody's frame", "/embed/audio/" + public.ID, []string{"Referer", "https://blog.example/post"}, 200},
		{"a private file", "/embed/audio/" + hidden.ID, nil, 403},
		{"a private file, asked by its owner's key", "/embed/audio/" + hidden.ID, []string{"Authorization", "Bearer " + p.Key}, 200},
		{"a private file with its signature", "/embed/audio/" + hidden.ID + sign(hidden.ID, time.Hour), nil, 200},
		{"a private file with the signature of another", "/embed/audio/" + hidden.ID + sign(public.ID, time.Hour), nil, 403},
		{"a private file with a signature that ended", "/embed/audio/" + hidden.ID + sign(hidden.ID, -time.Second), nil, 403},
		{"a restricted file without a referer", "/embed/audio/" + strict.ID, nil, 403},
		{"a restricted file in a stranger's frame", "/embed/audio/" + strict.ID, []string{"Referer", "https://blog.example/"}, 403},
		{"a restricted file in a friend's frame", "/embed/audio/" + strict.ID, []string{"Referer", "https://friend.example/x"}, 200},
		{"a restricted file in the frame of one of many", "/embed/audio/" + strict.ID, []string{"Referer", "https://a.many.example/x"}, 200},
		{"no such file", "/embed/audio/" + store.NewID(store.IDLen), nil, 404},
		{"a picture", "/embed/audio/" + picture.ID, nil, 404},
		{"nonsense", "/embed/audio/..%2f..%2fetc", nil, 404},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := get(p, c.path, c.headers...)
			if r.Status != c.status {
				t.Fatalf("%d, want %d: %s", r.Status, c.status, r.Body)
			}
			if r.Header.Get("Content-Type") != "text/html; charset=utf-8" {
				t.Errorf("content type %q", r.Header.Get("Content-Type"))
			}
			if c.status != 200 && r.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("a refusal is kept: %q", r.Header.Get("Cache-Control"))
			}
		})
	}
}

func TestThePlayerWorksWithoutItsScript(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t)
	m := open(t, p).sound(wav(2))
	r := get(p, "/embed/audio/"+m.ID)
	file := p.URL + "/audio/" + m.ID + ".wav"
	contains(t, r.Body, `<audio controls preload="metadata" src="`+file+`">`, ">A tone</h1>", ">Nobody</p>")
	if got := get(p, file); got.Status != 200 || len(got.Body) != 44+2*2*rate {
		t.Errorf("the file: %d, %d bytes", got.Status, len(got.Body))
	}
	contains(t, get(p, "/embed/audio/"+m.ID, "Accept-Language", "zh-CN,zh;q=0.9").Body, `<html lang="zh-CN">`, "播放位置")
}

func TestThePlayersPolicyIsStrict(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t, func(c *config.Config) {
		c.Server.BaseURL, c.Server.MediaURL = "http://api.example", "http://files.example"
	})
	s := open(t, p)
	ask := func(m store.Media, headers ...string) http.Header {
		r := get(p, "/embed/audio/"+m.ID, append(headers, "Host", "api.example")...)
		if r.Status != 200 {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
		return r.Header
	}
	csp := ask(s.sound(wav(1))).Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "media-src 'self' http://files.example", "connect-src 'self' http://files.example", "base-uri 'none'"} {
		if !strings.Contains(csp, want) {
			t.Errorf("%q is missing in %q", want, csp)
		}
	}
	if strings.Contains(csp, "unsafe") || strings.Contains(csp, "frame-ancestors") {
		t.Errorf("policy: %q", csp)
	}
	strict := s.sound(wav(2), func(m *store.Media) {
		m.Restricted, m.Referers = true, []string{"friend.example", "*.many.example", "self"}
	})
	h := ask(strict, "Referer", "https://friend.example/")
	// The frame's own requests name the player's page, which need not be among those.
	contains(t, get(p, "/embed/audio/"+strict.ID, "Host", "api.example", "Referer", "https://friend.example/").Body, `src="http://files.example/audio/`+strict.ID+`.wav?sig=`)
	if csp := h.Get("Content-Security-Policy"); !strings.HasSuffix(csp, "frame-ancestors friend.example:* *.many.example:* 'self' api.example:* *.api.example:* files.example:* *.files.example:*") {
		t.Errorf("the browser would let all pages frame it: %q", csp)
	}
	if !strings.Contains(h.Get("Vary"), "Referer") || h.Get("Cache-Control") != "private, no-store" {
		t.Errorf("shared caches would show it to all: %v", h)
	}
}

func TestWhatOpenedThePlayerOpensWhatItShows(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t)
	s := open(t, p)
	m := s.sound(wav(1), private, s.waveform(), s.part(store.CoverPart, "image/jpeg", apptest.JPEG(20, 20, 1)))
	signer, err := auth.NewSigner(t.Context(), p.App.Store())
	if err != nil {
		t.Fatal(err)
	}
	link := signer.Link(m.ID, time.Now().Add(time.Hour).Unix())
	r := get(p, "/embed/audio/"+m.ID+"?"+link)
	for _, path := range []string{"/audio/" + m.ID + ".wav", "/audio-cover/" + m.ID + ".jpg", "/audio-peaks/" + m.ID + ".json"} {
		sig, _, _ := strings.Cut(link, "&")
		contains(t, r.Body, path+"?"+sig)
		if with, without := get(p, path+"?"+link).Status, get(p, path).Status; with != 200 || without != 403 {
			t.Errorf("%s: %d with the signature, %d without", path, with, without)
		}
	}
	for _, leak := range []string{"og:", "oembed", "twitter:"} {
		if strings.Contains(string(r.Body), leak) {
			t.Errorf("a private page invites to quote it: %s", leak)
		}
	}
	if r.Header.Get("X-Robots-Tag") != "noindex" || r.Header.Get("Cache-Control") != "private, no-store" {
		t.Errorf("header: %v", r.Header)
	}
}

// TestHostileNamesStayTexts (threat 3).
func TestHostileNamesStayTexts(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t)
	s := open(t, p)
	for _, name := range hostile {
		m := s.sound(append(wav(1), name...), func(m *store.Media) {
			m.Title, m.Sound.Artist, m.Sound.Album = name, name, name
			m.Sound.Chapters = []store.Chapter{{Start: 0, Title: name}}
		})
		r := get(p, "/embed/audio/"+m.ID)
		for _, bad := range []string{"<script>alert", "<img src=x", `"onfocus="`, "</title><b>"} {
			if strings.Contains(string(r.Body), bad) {
				t.Errorf("%q is in the page of %q", bad, name)
			}
		}
	}
}

// hostile are names that people give files to see what happens.
var hostile = []string{
	`</title><b>x`, `<script>alert(1)</script>`, `]]><script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' "onfocus="alert(1)" autofocus x="`,
	`{{.Script}} ${alert(1)}`, "a\x00b\x01c\x1b[31m\x7f\u0085\u2028\ufffe\uffff", "🎙️ Épisode 👩‍👩‍👧 — 第一集", "שלום \u202eevil\u202c مرحبا", "&amp; &lt; &#x3c; & <", "\xff\xfe broken", "--> <!-- ]]> <![CDATA[",
}
