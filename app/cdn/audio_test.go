package cdn_test

import (
	"strings"
	"testing"

	"picora/app/apptest"
	"picora/app/config"
	"picora/store"
)

// bare makes a record of an audio file of which there is nothing but the record.
func bare(t *testing.T, p *apptest.Picora, m store.Media) store.Media {
	t.Helper()
	m.ID, m.User, m.Kind, m.Public = store.NewID(store.IDLen), p.User, store.Audio, true
	m.Hash, m.Blob, m.Size, m.BlobSize = []byte(m.ID), "01aaaaaaaaaaaaaaaaaaaaaaaa", 5, 5
	m, _, err := p.App.Store().CreateMedia(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestAudioWithoutACoverHasADrawing(t *testing.T) {
	p := apptest.Start(t)
	seen := map[string]string{}
	for mime, name := range map[string]string{"audio/mpeg": "MP3", "audio/mp4": "M4A", "audio/wav": "WAV", "audio/flac": "FLAC", "audio/ogg": "OGG"} {
		m := bare(t, p, store.Media{MIME: mime, Ext: "x"})
		for _, ext := range []string{".svg", ".jpg"} {
			r := get(p, "GET", "/audio-cover/"+m.ID+ext)
			if r.Status != 200 || r.Header.Get("Content-Type") != "image/svg+xml" || !strings.Contains(string(r.Body), ">"+name+"</text>") || r.Header.Get("Cache-Control") != public {
				t.Errorf("%s%s: %d %v %.100s", mime, ext, r.Status, r.Header, r.Body)
			}
			seen[string(r.Body)] = name
			secured(t, mime, r.Header)
		}
	}
	if len(seen) != 5 {
		t.Errorf("%d drawings", len(seen))
	}
}

func TestAddressesOfPartsAreExact(t *testing.T) {
	p := apptest.Start(t)
	m := bare(t, p, store.Media{MIME: "audio/mpeg", Ext: "mp3", Sound: store.Sound{Measured: true}})
	for _, path := range []string{
		"/audio-cover/" + m.ID + ".png", "/audio-cover/" + m.ID, "/audio-cover/" + m.ID[:20] + ".jpg", "/audio-cover/" + m.ID + "x.jpg", "/audio-cover/" + m.ID + ".jpg/",
		"/audio-cover/x/" + m.ID + ".jpg", "//audio-cover/" + m.ID + ".jpg", "/AUDIO-COVER/" + m.ID + ".jpg", "/audio-cover/" + strings.ToLower(m.ID) + ".jpg" + "x",
		"/audio/" + m.ID + ".wav", "/audio/" + m.ID + ".", "/audio/.mp3", "/audio/" + m.ID + ".mp3.mp3", "/" + m.ID + ".mp3",
		"/audio-peaks/" + m.ID + ".json", "/audio-level/" + m.ID + ".m4a", "/doc/" + m.ID + ".mp3", "/doc-cover/" + m.ID + ".jpg", "/video/" + m.ID + ".mp3",
	} {
		if r := get(p, "GET", path); r.Status != 404 {
			t.Errorf("%s: %d %.100s", path, r.Status, r.Body)
		}
	}
}

func TestAWaveformThatIsBeingFoundOut(t *testing.T) {
	p := apptest.Start(t)
	m := bare(t, p, store.Media{MIME: "audio/mpeg", Ext: "mp3"})
	r := get(p, "GET", "/audio-peaks/"+m.ID+".json")
	if r.Status != 202 || r.Header.Get("Retry-After") != "2" || r.Header.Get("Cache-Control") != "no-store" || !strings.Contains(string(r.Body), `"status":"processing"`) {
		t.Errorf("%d %v %s", r.Status, r.Header, r.Body)
	}
	secured(t, "the waveform", r.Header)
	private := bare(t, p, store.Media{MIME: "audio/mpeg", Ext: "mp3"})
	if _, err := p.App.Store().UpdateMedia(t.Context(), p.User, private.ID, func(m *store.Media) error { m.Public = false; return nil }); err != nil {
		t.Fatal(err)
	}
	if r := get(p, "GET", "/audio-peaks/"+private.ID+".json"); r.Status != 403 {
		t.Errorf("of a private file: %d", r.Status)
	}
}

func TestPartsKeepToTheMediaHost(t *testing.T) {
	p := apptest.Start(t, func(c *config.Config) {
		c.Server.BaseURL, c.Server.MediaURL = "http://pics.example.org", "http://media.example.org"
		c.Server.TrustedProxies = []string{"127.0.0.0/8"}
	})
	m := bare(t, p, store.Media{MIME: "audio/mpeg", Ext: "mp3"})
	for range 2 { // the first brings it into memory
		for host, status := range map[string]int{"media.example.org": 200, "pics.example.org": 404} {
			if r := get(p, "GET", "/audio-cover/"+m.ID+".svg", "X-Forwarded-Host", host); r.Status != status {
				t.Errorf("at %s: %d", host, r.Status)
			}
		}
	}
}

func TestWhatIsPlayedCountsAsPlayed(t *testing.T) {
	p := apptest.Start(t)
	fs := files(t, p)
	p.App.Usage().Flush(t.Context())
	before, err := p.App.Store().Standing(t.Context(), p.User)
	if err != nil {
		t.Fatal(err)
	}
	var played int64
	for _, f := range fs {
		if strings.HasPrefix(f.path, "/audio") {
			get(p, "GET", f.path)
			get(p, "HEAD", f.path)
			played += int64(len(f.body))
		}
	}
	p.App.Usage().Flush(t.Context())
	after, err := p.App.Store().Standing(t.Context(), p.User)
	if err != nil || after.Month.Played-before.Month.Played != played || after.Month.Served != before.Month.Served {
		t.Errorf("%d of %d bytes were played, %d served: %v", after.Month.Played-before.Month.Played, played, after.Month.Served-before.Month.Served, err)
	}
}
