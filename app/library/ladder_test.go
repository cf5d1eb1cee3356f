package library

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"picora/app/config"
	"picora/media"
	"picora/store"
)

// told writes rungs as a line: name, size, thousands of bits, and an asterisk for a copy.
func told(list []rung) string {
	var words []string
	for _, r := range list {
		w := fmt.Sprintf("%s=%dx%d@%d", r.name, r.width, r.height, r.bits/1000)
		if r.copied {
			w += "*"
		}
		words = append(words, w)
	}
	return strings.Join(words, " ")
}

func TestTheLadderOfAVideo(t *testing.T) {
	usual := config.Default().Video
	few := usual
	few.Ladder = []int{480, 1080}
	half := usual
	half.MaxFrameRate = 30
	film := func(w, h int, fps float64) media.Survey {
		return media.Survey{Video: media.Video{Width: w, Height: h, FrameRate: fps, Codec: "mpeg4", BitRate: 1e9}}
	}
	copied := func(s media.Survey, peak int64) media.Survey {
		s.Copy, s.Peak, s.Codec = true, peak, "h264"
		return s
	}
	low := film(1920, 1080, 30)
	low.BitRate = 1_000_000
	tiny := film(320, 240, 30)
	tiny.BitRate = 20_000
	dense := low
	dense.Codec = "hevc"
	unknown := film(640, 360, 0)
	unknown.BitRate = 0
	for name, c := range map[string]struct {
		s    media.Survey
		o    config.Video
		want string
	}{
		"a film has all sizes up to its own":        {film(1920, 1080, 30), usual, "240p=426x240@400 360p=640x360@800 480p=854x480@1400 720p=1280x720@2800 1080p=1920x1080@5000"},
		"one held upright is named by its width":    {film(1080, 1920, 30), usual, "240p=240x426@400 360p=360x640@800 480p=480x854@1400 720p=720x1280@2800 1080p=1080x1920@5000"},
		"many pictures a second may have more bits": {film(640, 360, 60), usual, "240p=426x240@560 360p=640x360@1120"},
		"unless every other is left out":            {film(640, 360, 60), half, "240p=426x240@400 360p=640x360@800"},
		"a size between two has its own on top":     {film(1600, 900, 25), usual, "240p=426x240@400 360p=640x360@800 480p=854x480@1400 720p=1280x720@2800 900p=1600x900@3900"},
		"but not when it is next to one":            {film(848, 540, 25), usual, "240p=376x240@400 360p=566x360@800 480p=754x480@1400"},
		"one below all has its own size":            {film(176, 144, 15), usual, "144p=176x144@250"},
		"odd sides become even":                     {film(321, 181, 25), usual, "180p=320x180@306"},
		"a tiny one, too":                           {film(17, 1, 25), usual, "2p=34x2@100"},
		"nothing is larger than the ladder":         {film(3840, 2160, 30), few, "480p=854x480@1400 1080p=1920x1080@5000"},
		"a file of few bits does not become larger": {low, usual, "240p=426x240@400 360p=640x360@800 480p=854x480@1200 720p=1280x720@1200 1080p=1920x1080@1200"},
		"one of a better codec may":                 {dense, usual, "240p=426x240@400 360p=640x360@800 480p=854x480@1400 720p=1280x720@2000 1080p=1920x1080@2000"},
		"but some bits are needed":                  {tiny, usual, "240p=320x240@100"},
		"an unknown rate is no limit":               {unknown, usual, "240p=426x240@400 360p=640x360@800"},
		"what is right is copied":                   {copied(film(1280, 720, 30), 5_000_000), usual, "240p=426x240@400 360p=640x360@800 480p=854x480@1400 720p=1280x720@2800*"},
		"at its own size":                           {copied(film(1280, 738, 30), 5_000_000), usual, "240p=416x240@400 360p=624x360@800 480p=832x480@1400 738p=1280x738@2910*"},
		"but not with too many bits":                {copied(film(1280, 720, 30), 6_000_000), usual, "240p=426x240@400 360p=640x360@800 480p=854x480@1400 720p=1280x720@2800"},
		"nor with too many pictures":                {copied(film(640, 360, 60), 1_000_000), half, "240p=426x240@400 360p=640x360@800"},
		"nor when it is above the ladder":           {copied(film(3840, 2160, 30), 5_000_000), few, "480p=854x480@1400 1080p=1920x1080@5000"},
		"a band may, too":                           {film(640, 64, 25), usual, "64p=640x64@197"},
		"a wide one may have more bits":             {film(2560, 1080, 24), few, "480p=1138x480@1866 1080p=2560x1080@6666"},
	} {
		got := ladder(&c.s, &c.o)
		if told(got) != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, told(got), c.want)
		}
	}
}

func TestWhatIsMadeFirstIsSmall(t *testing.T) {
	for _, c := range []struct {
		sides string
		want  int
	}{{"240 360 480", 1}, {"240 300 720", 1}, {"480 720", 0}, {"180", 0}, {"240", 0}} {
		var list []rung
		for _, w := range strings.Fields(c.sides) {
			var side int
			fmt.Sscan(w, &side)
			list = append(list, rung{width: side * 2, height: side})
		}
		if got := base(list); got != c.want {
			t.Errorf("of %s, %d is first, want %d", c.sides, got, c.want)
		}
	}
}

func FuzzSurvey(f *testing.F) {
	f.Add([]byte(`{"Width":1920,"Height":1080,"FrameRate":25,"Duration":100,"Pictures":2500,"Copy":true,"Peak":3000000,"Sounds":[{"Stream":1,"Lang":"eng"}]}`))
	f.Add([]byte(`{"Width":1,"Height":32768,"FrameRate":1000,"Duration":1e7,"Pictures":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s media.Survey
		if json.Unmarshal(b, &s) != nil || trustSurvey(&s) != nil {
			return
		}
		o := config.Default().Video
		w := newFilmWork(store.Job{Media: "x"}, store.Media{Film: store.Film{Passes: 1, Survey: b}}, &films{options: o, progress: map[string]float64{}})
		if len(w.rungs) == 0 {
			t.Fatal("no size at all")
		}
		names := map[string]bool{}
		for _, r := range w.rungs {
			cannot := r.width < 2 || r.height < 2 || r.width%2 != 0 || r.height%2 != 0
			if names[r.name] || cannot && !r.copied || r.bits < 100_000 {
				t.Errorf("a size is %+v", r)
			}
			names[r.name] = true
		}
		for _, out := range beside(w) {
			if out.bytes < 0 || out.args.Kind == media.BoardOut && (out.args.Width < 2 || out.args.Height < 2) {
				t.Errorf("an output is %+v", out)
			}
		}
	})
}
