package apptest_test

import (
	"bytes"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"picora/app/apptest"
	"picora/media/hls"
	"picora/store"
)

func TestAFilmIsAsItsRecordSays(t *testing.T) {
	f := apptest.MakeFilm(t, apptest.DefaultFilm)
	for _, track := range f.Media.Film.Tracks {
		b := f.Parts[track.Name].Data
		if track.Kind == store.TextTrack {
			if !bytes.HasPrefix(b, []byte("WEBVTT\n")) {
				t.Errorf("%s: %.20q", track.Name, b)
			}
			continue
		}
		x, err := hls.ReadIndex(bytes.NewReader(b), int64(len(b)))
		if err != nil || math.Abs(x.Duration()-6) > 0.1 || len(x.Segments) < 3 || len(x.Segments) > 4 {
			t.Errorf("%s: %+v, %v", track.Name, x, err)
		}
		file := filepath.Join(t.TempDir(), "a.mp4")
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("ffprobe", "-v", "error", "-show_entries", "stream=codec_name,height", "-of", "csv=p=0", file).CombinedOutput()
		want := map[string]string{"240p": "h264,240", "360p": "h264,360", "sound-1": "aac", "sound-2": "aac"}[track.Name]
		if err != nil || strings.TrimSpace(string(out)) != want {
			t.Errorf("%s: %s, %v", track.Name, out, err)
		}
	}
}

func TestAFilmInAServer(t *testing.T) {
	p := apptest.Start(t)
	m := p.AddFilm(nil, func(m *store.Media) { m.Public = false; m.DropPart(store.PreviewPart) })
	if _, ok := m.Part(store.PreviewPart); ok || m.Public || len(p.Blobs()) != 10 {
		t.Errorf("%v %d blobs: %v", m.Public, len(p.Blobs()), m.Parts)
	}
	n := p.SetFilmPart(m.ID, store.PosterPart, apptest.FilmPart{MIME: "image/jpeg", Data: apptest.JPEG(20, 20, 1)})
	was, _ := m.Part(store.PosterPart)
	is, _ := n.Part(store.PosterPart)
	if was.Blob == is.Blob || is.Size == 0 {
		t.Errorf("%v, then %v", was, is)
	}
}
