package pages_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"picora/app/apptest"
	"picora/app/apptest/browser"
)

// mp3 is an episode as people make them: with a cover, a title and chapters.
func mp3(t *testing.T, cover []byte) []byte {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	meta := ";FFMETADATA1\ntitle=Of ships\nartist=Harbour Radio\ntrack=3\n" +
		"[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=4000\ntitle=Leaving\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=4000\nEND=10000\ntitle=Arriving\n"
	out := filepath.Join(dir, "e.mp3")
	cmd := exec.Command("ffmpeg", "-v", "error", "-i", write("a.wav", wav(10)), "-i", write("c.jpg", cover), "-i", write("meta", []byte(meta)),
		"-map", "0", "-map", "1", "-map_metadata", "2", "-map_chapters", "2", "-c:a", "libmp3lame", "-b:a", "64k", "-c:v", "copy", "-disposition:v", "attached_pic", "-id3v2_version", "3", out)
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, b)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestFromAnUploadToAPodcast: nothing here is put into the store behind the server's back.
func TestFromAnUploadToAPodcast(t *testing.T) {
	p := apptest.StartWithWorkers(t)
	s := open(t, p)
	k := s.collection(map[string]any{"name": "Harbour Radio", "isPublic": true, "feed": map[string]any{"category": "Places & Travel"}})
	file := mp3(t, apptest.JPEG(1500, 1500, 9))
	body, contentType := apptest.Form("e12.mp3", file, "kbId", k.ID)
	r := p.Do("POST", "/v1/audio", bytes.NewReader(body), "Content-Type", contentType)
	if r.Status != 201 {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
	var a struct {
		ID, URL string
	}
	r.Data(t, &a)
	cover := p.Add("cover.png", apptest.PNG(700, 500, 4), "kbId", k.ID)
	if r := p.JSON("PATCH", "/v1/collections/"+k.ID, map[string]any{"coverId": cover.ID}); r.Status != 200 {
		t.Fatalf("%d %s", r.Status, r.Body)
	}

	t.Run("the feed passes the rules", func(t *testing.T) {
		f := parse(t, p, k.FeedURL)
		i := f.Items[0]
		if len(f.Items) != 1 || i.Title != "Of ships" || i.ITunesExt.Episode != "3" || i.ITunesExt.Duration != "10" || i.Enclosures[0].Type != "audio/mpeg" || i.Enclosures[0].URL != a.URL ||
			!strings.Contains(i.Description, "0:04 Arriving") || i.ITunesExt.Image == "" || !strings.Contains(f.ITunesExt.Image, cover.ID) {
			t.Errorf("%+v %+v", i, i.ITunesExt)
		}
		if got := get(p, i.Enclosures[0].URL); got.Status != 200 || !bytes.Equal(got.Body[:3], []byte("ID3")) {
			t.Errorf("the enclosure: %d", got.Status)
		}
	})
	t.Run("the private feed passes the rules, without other means", func(t *testing.T) {
		for _, path := range []string{"/v1/audio/" + a.ID, "/v1/images/" + cover.ID} {
			if r := p.JSON("PATCH", path, map[string]any{"isPublic": false}); r.Status != 200 {
				t.Fatalf("%d %s", r.Status, r.Body)
			}
		}
		renew(t, p, &k)
		if f := parse(t, p, k.PrivateFeedURL); len(f.Items) != 1 {
			t.Errorf("%d episodes", len(f.Items))
		}
		if r := get(p, a.URL); r.Status != 403 {
			t.Errorf("without the feed: %d", r.Status)
		}
	})
	t.Run("the player shows the waveform when it is made, by a signed link", func(t *testing.T) {
		r := p.JSON("POST", "/v1/audio/"+a.ID+"/sign", map[string]any{})
		var signed struct{ EmbedURL string }
		r.Data(t, &signed)
		if !strings.HasPrefix(signed.EmbedURL, p.URL+"/embed/audio/"+a.ID+"?sig=") {
			t.Fatalf("%s", r.Body)
		}
		tab := browser.Start(t).Open(t, signed.EmbedURL, browser.View{Width: 720, Height: 240})
		tab.Until(`document.querySelector(".drawn") !== null && ` + audio + `.readyState > 0`)
		tab.Until(`(h => new Set(h).size >= h.length / 3)(` + heights + `)`)
		tab.Do(chromedp.Click(".play"))
		tab.Until(audio + `.currentTime > 0.3`)
		press(tab, "5")
		tab.Until(audio + `.currentTime >= 5 && document.querySelector(".chapter").textContent === "Arriving"`)
		tab.Screenshot("player-whole")
		quiet(t, tab, p.URL)
	})
}
