package check_test

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"picora/media/hls/check"
)

const goodMaster = `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="a/media.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="Deutsch",LANGUAGE="de",DEFAULT=NO,AUTOSELECT=YES,CHANNELS="2",URI="b/media.m3u8"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="text",NAME="English",LANGUAGE="en",DEFAULT=NO,AUTOSELECT=YES,FORCED=YES,URI="c/media.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=940000,AVERAGE-BANDWIDTH=728000,CODECS="avc1.42c01e,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=29.970,AUDIO="sound",SUBTITLES="text"
360p/media.m3u8
`

const goodMedia = `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:4
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-MAP:URI="i.mp4"
#EXTINF:4.000000,
0.m4s
#EXTINF:2.5,
1.m4s
#EXT-X-ENDLIST
`

func TestGoodPlaylistsHaveNoFaults(t *testing.T) {
	if p := check.Parse(goodMaster); len(p.Faults) > 0 || !p.Master || len(p.Renditions) != 3 || p.Variants[0].URI != "360p/media.m3u8" || p.Variants[0].Attributes["RESOLUTION"] != "640x360" {
		t.Errorf("%+v", p)
	}
	if p := check.Parse(goodMedia); len(p.Faults) > 0 || p.Master || p.Duration() != 6.5 || p.Map != "i.mp4" || p.Target != 4 || !p.Ended {
		t.Errorf("%+v", p)
	}
	if p := check.Parse(strings.ReplaceAll(goodMedia, "\n", "\r\n")); len(p.Faults) != 1 { // the first line only
		t.Errorf("with CR LF: %q", p.Faults)
	}
}

func TestEachFaultIsFound(t *testing.T) {
	for _, c := range []struct{ name, in, old, new string }{
		{"no first line", goodMedia, "#EXTM3U\n", ""},
		{"a byte order mark", goodMedia, "#EXTM3U", "\uFEFF#EXTM3U"},
		{"no UTF-8", goodMaster, "Deutsch", "\xff"},
		{"a control character", goodMaster, "Deutsch", "Deu\x07tsch"},
		{"no target duration", goodMedia, "#EXT-X-TARGETDURATION:4\n", ""},
		{"two target durations", goodMedia, "#EXT-X-MEDIA-SEQUENCE:0", "#EXT-X-TARGETDURATION:4"},
		{"a target duration that is no whole number", goodMedia, "DURATION:4", "DURATION:4.5"},
		{"a segment longer than the target", goodMedia, "4.000000", "4.500000"},
		{"a segment of no time", goodMedia, "2.5,", "0,"},
		{"no comma", goodMedia, "2.5,", "2.5"},
		{"no number", goodMedia, "2.5,", "abc,"},
		{"a segment without EXTINF", goodMedia, "#EXTINF:2.5,\n", ""},
		{"EXTINF without a segment", goodMedia, "1.m4s\n", ""},
		{"a last EXTINF without a segment", goodMedia, "1.m4s\n#EXT-X-ENDLIST\n", ""},
		{"no end", goodMedia, "#EXT-X-ENDLIST\n", ""},
		{"something behind the end", goodMedia, "#EXT-X-ENDLIST\n", "#EXT-X-ENDLIST\n#EXTINF:1,\n2.m4s\n"},
		{"too low a version", goodMedia, "VERSION:7", "VERSION:5"},
		{"another type", goodMedia, "VOD", "DVD"},
		{"the sequence behind a segment", goodMedia, "#EXT-X-ENDLIST", "#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-ENDLIST"},
		{"a map without URI", goodMedia, `URI="i.mp4"`, `X="i.mp4"`},
		{"a map without quotes", goodMedia, `"i.mp4"`, `i.mp4`},
		{"a map behind a segment", goodMedia, "#EXT-X-ENDLIST", "#EXT-X-MAP:URI=\"i.mp4\"\n#EXT-X-ENDLIST"},
		{"a blank in a URI", goodMedia, "1.m4s", "1 2.m4s"},
		{"a tag without its value", goodMedia, "#EXT-X-VERSION:7", "#EXT-X-VERSION"},
		{"a tag with a value", goodMedia, "#EXT-X-ENDLIST", "#EXT-X-ENDLIST:1"},
		{"an unknown tag", goodMedia, "#EXT-X-ENDLIST", "#EXT-X-ENDLIST\n#EXT-X-END"},
		{"no segments", goodMedia, "#EXTINF:4.000000,\n0.m4s\n#EXTINF:2.5,\n1.m4s\n", ""},
		{"both kinds", goodMaster, "360p/media.m3u8", "360p/media.m3u8\n#EXT-X-TARGETDURATION:4"},
		{"neither kind", goodMaster, goodMaster[8:], ""},
		{"no bandwidth", goodMaster, "BANDWIDTH=940000,AVERAGE-BANDWIDTH", "AVERAGE-BANDWIDTH"},
		{"a bandwidth that is no number", goodMaster, "=940000", "=9e5"},
		{"no bandwidth to speak of", goodMaster, "=940000", "=0"},
		{"no codecs", goodMaster, `CODECS="avc1.42c01e,mp4a.40.2",`, ""},
		{"codecs without quotes", goodMaster, `"avc1.42c01e,mp4a.40.2"`, "avc1.42c01e"},
		{"no resolution", goodMaster, "RESOLUTION=640x360,", ""},
		{"an impossible resolution", goodMaster, "640x360", "640x"},
		{"an impossible frame rate", goodMaster, "29.970", "NaN"},
		{"no such group", goodMaster, `AUDIO="sound"`, `AUDIO="noise"`},
		{"a group that nobody uses", goodMaster, `,SUBTITLES="text"`, ""},
		{"a variant without URI", goodMaster, "360p/media.m3u8\n", ""},
		{"no variants", goodMaster, goodMaster[strings.Index(goodMaster, "#EXT-X-STREAM"):], ""},
		{"two of a name", goodMaster, "Deutsch", "English"},
		{"two by default", goodMaster, "DEFAULT=NO,AUTOSELECT=YES,CHANNELS", "DEFAULT=YES,AUTOSELECT=YES,CHANNELS"},
		{"by default, but not by itself", goodMaster, "DEFAULT=YES,AUTOSELECT=YES", "DEFAULT=YES,AUTOSELECT=NO"},
		{"two of a language", goodMaster, `"de"`, `"en"`},
		{"no name", goodMaster, `NAME="Deutsch",`, ""},
		{"an empty name", goodMaster, "Deutsch", ""},
		{"a forced sound", goodMaster, `CHANNELS="2"`, "FORCED=YES"},
		{"captions without URI", goodMaster, `,FORCED=YES,URI="c/media.m3u8"`, ""},
		{"perhaps", goodMaster, "DEFAULT=NO", "DEFAULT=MAYBE"},
		{"a quote that does not end", goodMaster, `URI="b/media.m3u8"`, `URI="b/media.m3u8`},
		{"a quote in a name", goodMaster, "Deutsch", `Deu"tsch`},
		{"an attribute twice", goodMaster, `LANGUAGE="de"`, `NAME="de"`},
		{"an attribute in small letters", goodMaster, "LANGUAGE=", "language="},
		{"a comma too many", goodMaster, `,URI="b/media.m3u8"`, `,URI="b/media.m3u8",`},
	} {
		damaged := strings.Replace(c.in, c.old, c.new, 1)
		if damaged == c.in {
			t.Fatalf("%s: nothing is damaged", c.name)
		}
		if p := check.Parse(damaged); len(p.Faults) == 0 {
			t.Errorf("%s was not found in\n%s", c.name, damaged)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(goodMaster)
	f.Add(goodMedia)
	f.Fuzz(func(t *testing.T, s string) { check.Parse(s) }) // does not fall
}

func FuzzReadCMAF(f *testing.F) {
	box := func(kind string, inside ...byte) []byte {
		return append(append(binary.BigEndian.AppendUint32(nil, uint32(len(inside)+8)), kind...), inside...)
	}
	f.Add(slices.Concat(box("ftyp", []byte("iso6")...), box("moov", box("trak")...), box("moof", box("traf")...), box("mdat", 1, 2, 3)))
	f.Add([]byte("\x00\x00\x00\x00moov"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := check.ReadCMAF(b)
		if err != nil {
			return
		}
		sum := c.Index.Init
		for _, s := range c.Index.Segments {
			sum += s.Size
		}
		if sum != int64(len(b)) || len(c.Starts) != len(c.Index.Segments) {
			t.Errorf("%+v of %d bytes", c, len(b))
		}
	})
}
