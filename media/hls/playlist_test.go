package hls_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"picora/media/hls"
	"picora/media/hls/check"
)

func master(t testing.TB, m hls.Master) (string, *check.Playlist) {
	t.Helper()
	var b bytes.Buffer
	if err := m.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String(), check.Parse(b.String())
}

var (
	low  = hls.Variant{URI: "360p/media.m3u8", Codecs: "avc1.42c01e", Bandwidth: 800_000, Average: 600_000, Width: 640, Height: 360, FrameRate: 29.97}
	high = hls.Variant{URI: "720p/media.m3u8", Codecs: "avc1.64001f", Bandwidth: 2_800_000, Average: 2_000_000, Width: 1280, Height: 720, FrameRate: 29.97}
)

func TestAMasterPlaylistIsAsItIsReadByPlayers(t *testing.T) {
	text, p := master(t, hls.Master{
		Variants: []hls.Variant{low, high},
		Sounds: []hls.Rendition{
			{URI: "sound-1/media.m3u8", Lang: "en", Default: true, Codecs: "mp4a.40.2", Bandwidth: 130_000, Average: 128_000, Channels: 2},
			{URI: "sound-2/media.m3u8", Lang: "zh-Hans", Codecs: "mp4a.40.2", Bandwidth: 140_000, Average: 120_000, Channels: 1},
		},
		Texts: []hls.Rendition{{URI: "text-1/media.m3u8", Lang: "de", Forced: true}},
	})
	want := `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="sound-1/media.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="简体中文",LANGUAGE="zh-Hans",DEFAULT=NO,AUTOSELECT=YES,CHANNELS="1",URI="sound-2/media.m3u8"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="text",NAME="Deutsch",LANGUAGE="de",DEFAULT=NO,AUTOSELECT=YES,FORCED=YES,URI="text-1/media.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=940000,AVERAGE-BANDWIDTH=728000,CODECS="avc1.42c01e,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=29.970,AUDIO="sound",SUBTITLES="text"
360p/media.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=2940000,AVERAGE-BANDWIDTH=2128000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=29.970,AUDIO="sound",SUBTITLES="text"
720p/media.m3u8
`
	if text != want {
		t.Errorf("is\n%swant\n%s", text, want)
	}
	if len(p.Faults) > 0 {
		t.Errorf("%q", p.Faults)
	}
}

func TestRenditionsThatHaveMuchInCommonAreToldApart(t *testing.T) {
	_, p := master(t, hls.Master{
		Variants: []hls.Variant{low},
		Sounds: []hls.Rendition{
			{URI: "a", Lang: "en"}, {URI: "b", Lang: "EN", Default: true}, {URI: "c", Lang: "en", Default: true}, {URI: "d"}, {URI: "e"}, {URI: "f", Name: "English"}, {URI: "g", Lang: "x-klingon"},
		},
	})
	if len(p.Faults) > 0 {
		t.Errorf("%q", p.Faults)
	}
	var got []string
	for _, r := range p.Renditions {
		got = append(got, r["NAME"]+" "+r["DEFAULT"]+" "+r["AUTOSELECT"])
	}
	if s := strings.Join(got, "; "); s != "English NO NO; English 2 YES YES; English 3 NO NO; Track 4 NO YES; Track 5 NO NO; English 4 NO NO; x-klingon NO YES" {
		t.Error(s)
	}
}

func TestAFilmWithoutSoundNamesNoGroups(t *testing.T) {
	text, p := master(t, hls.Master{Variants: []hls.Variant{low}})
	if len(p.Faults) > 0 || strings.Contains(text, "AUDIO") || strings.Contains(text, "SUBTITLES") || !strings.Contains(text, "BANDWIDTH=800000,AVERAGE-BANDWIDTH=600000,CODECS=\"avc1.42c01e\"") {
		t.Errorf("%q\n%s", p.Faults, text)
	}
}

func TestNoTextBreaksAPlaylist(t *testing.T) {
	for _, evil := range []string{
		`a "quoted" name`, "two\nlines", "two\r\n#EXT-X-ENDLIST", `",URI="http://evil.example/x.m3u8`, "\x00\x1b[31m", "\u2028line", "\xff\xfe", "   ", "en us", "\uFEFFmark", "#EXTM3U", "中文，“引号”",
	} {
		text, p := master(t, hls.Master{Variants: []hls.Variant{low}, Texts: []hls.Rendition{{URI: "a?x=" + evil, Name: evil, Lang: evil}, {URI: "b", Name: evil}}})
		if len(p.Faults) > 0 || len(p.Renditions) != 2 || len(p.Variants) != 1 {
			t.Errorf("%q: %q\n%s", evil, p.Faults, text)
		}
		for _, r := range p.Renditions {
			if strings.Contains(r["URI"], "evil") && !strings.HasPrefix(r["URI"], "a?x=") {
				t.Errorf("%q leads elsewhere: %s", evil, r["URI"])
			}
		}
	}
}

func TestAListOfSegmentsIsAsItIsReadByPlayers(t *testing.T) {
	l := hls.List{Init: "ab-init.mp4", Target: hls.Target(4.004), Pieces: []hls.Piece{{"ab-0.m4s", 4.004}, {"ab-1.m4s", 4}, {"ab-2.m4s", 0.04}}}
	var b bytes.Buffer
	if err := l.Write(&b); err != nil {
		t.Fatal(err)
	}
	want := `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:4
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-MAP:URI="ab-init.mp4"
#EXTINF:4.004000,
ab-0.m4s
#EXTINF:4.000000,
ab-1.m4s
#EXTINF:0.040000,
ab-2.m4s
#EXT-X-ENDLIST
`
	if p := check.Parse(b.String()); b.String() != want || len(p.Faults) > 0 || math.Abs(p.Duration()-8.044) > 1e-9 {
		t.Errorf("%q, %f\n%s", p.Faults, p.Duration(), &b)
	}
}

func TestLanguagesHaveTheirOwnNames(t *testing.T) {
	for tag, want := range map[string]string{"en": "English", "en-GB": "English", "zh-Hant-TW": "繁體中文", "zh_CN": "简体中文", "pt-BR": "Português (Brasil)", "tlh": "tlh", "": ""} {
		if got := hls.Language(tag); got != want {
			t.Errorf("%s: %s, want %s", tag, got, want)
		}
	}
}

func FuzzMaster(f *testing.F) {
	f.Add("Name", "en", "a/media.m3u8", true)
	f.Add("\"\n#EXT-X-ENDLIST", "x\r", "#", false)
	f.Fuzz(func(t *testing.T, name, lang, uri string, forced bool) {
		if strings.TrimSpace(uri) == "" {
			return
		}
		text, p := master(t, hls.Master{Variants: []hls.Variant{low}, Texts: []hls.Rendition{{URI: "x" + uri, Name: name, Lang: lang, Forced: forced}, {URI: "x" + uri, Name: name, Lang: lang}}})
		if len(p.Faults) > 0 || len(p.Renditions) != 2 || len(p.Variants) != 1 {
			t.Errorf("%q\n%s", p.Faults, text)
		}
	})
}
