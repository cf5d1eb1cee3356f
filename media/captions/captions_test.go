package captions_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"picora/media"
	"picora/media/captions"
)

const most = 100

func vtt(t testing.TB, in string) string {
	t.Helper()
	list, err := captions.Parse([]byte(in), most)
	if err != nil {
		t.Fatalf("%q: %v", in, err)
	}
	return written(t, list)
}

func written(t testing.TB, list []captions.Cue) string {
	t.Helper()
	var out bytes.Buffer
	if err := captions.Write(&out, list); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestParseGivesCleanWebVTT(t *testing.T) {
	const one = "WEBVTT\n\n00:00:01.000 --> 00:00:02.500\n"
	for _, c := range []struct{ name, in, want string }{
		{"SubRip", "1\n00:00:01,000 --> 00:00:02,500\nHello\nworld\n\n2\n00:00:03,000 --> 00:00:04,000\nBye\n",
			one + "Hello\nworld\n\n00:00:03.000 --> 00:00:04.000\nBye\n"},
		{"Windows' line ends and a mark", "\uFEFF1\r\n00:00:01,000 --> 00:00:02,500\r\nHello\r\n\r\n", one + "Hello\n"},
		{"old Mac's line ends", "1\r00:00:01,000 --> 00:00:02,500\rHello\r", one + "Hello\n"},
		{"no empty lines, no numbers", "00:00:01,000 --> 00:00:02,500\nA\n00:00:03,000 --> 00:00:04,000\nB",
			one + "A\n\n00:00:03.000 --> 00:00:04.000\nB\n"},
		{"an empty line in a cue, a number as text", "1\n00:00:01,000 --> 00:00:02,500\nA\n\nB\n42\n\n2\n00:00:03,000 --> 00:00:04,000\nC\n",
			one + "A\nB\n42\n\n00:00:03.000 --> 00:00:04.000\nC\n"},
		{"short times, coordinates", "1\n0:01.0 --> 0:02,5 X1:100 X2:200\nHi\n", one + "Hi\n"},
		{"tags", "1\n00:00:01,000 --> 00:00:02,500\n<I>a <b>b</I> c</b> <font color=\"#f00\">d</font><script>alert(1)</script>\n", one + "<i>a <b>b</b></i><b> c</b> dalert(1)\n"},
		{"no tags", "1\n00:00:01,000 --> 00:00:02,500\n1 < 2 && 3 > 2, AT&T <3 --> x\n", one + "1 &lt; 2 &amp;&amp; 3 &gt; 2, AT&amp;T &lt;3 --&gt; x\n"},
		{"at the top", "1\n00:00:01,000 --> 00:00:02,500\n{\\an8}{\\i1}Up{\\i0} there\n", "WEBVTT\n\n00:00:01.000 --> 00:00:02.500 line:0\n<i>Up</i> there\n"},
		{"out of order", "1\n00:00:03,000 --> 00:00:04,000\nB\n\n2\n00:00:01,000 --> 00:00:02,500\nA\n", one + "A\n\n00:00:03.000 --> 00:00:04.000\nB\n"},
		{"nothing to see, ends before it begins", "1\n00:00:01,000 --> 00:00:02,500\nA\n\n2\n00:00:03,000 --> 00:00:03,000\nB\n\n3\n00:00:05,000 --> 00:00:06,000\n<i> </i>\n", one + "A\n"},
		{"WebVTT", "WEBVTT - a film\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:0\n\nNOTE a\nremark --> not a cue\n\nSTYLE\n::cue { background: url(http://x/) }\n\nid\n00:01.000 --> 00:02.500 line:-1 align:middle region:r position:50%,center evil:1\n<v Ann>Hi <c.red>there</c> &amp; <00:00:01.500>you<ruby>x<rt>y</rt></ruby>\n",
			"WEBVTT\n\n00:00:01.000 --> 00:00:02.500 line:-1 align:center position:50%,center\nHi there &amp; youxy\n"},
		{"WebVTT's entities", "WEBVTT\n\n00:00:01.000 --> 00:00:02.500\n&lt;b&gt;&#60;i&#62;&nbsp;x&#10;&#10;y\n", one + "&lt;b&gt;&lt;i&gt;\u00a0x\ny\n"},
		{"long", "1\n100:00:00,000 --> 100:00:02,000\nno\n\n2\n99:00:00,000 --> 99:00:02,000\nyes\n", "WEBVTT\n\n99:00:00.000 --> 99:00:02.000\nyes\n"},
	} {
		if got := vtt(t, c.in); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

func TestParseReadsEveryUsualEncoding(t *testing.T) {
	const in = "1\r\n00:00:01,000 --> 00:00:02,500\r\n"
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"UTF-8":                  {[]byte(in + "café 你好"), "café 你好"},
		"UTF-16LE with its mark": {wide(binary.LittleEndian, "\uFEFF"+in+"café 你好"), "café 你好"},
		"UTF-16BE with its mark": {wide(binary.BigEndian, "\uFEFF"+in+"café 你好"), "café 你好"},
		"UTF-16LE":               {wide(binary.LittleEndian, in+"你好"), "你好"},
		"UTF-16BE":               {wide(binary.BigEndian, in+"你好"), "你好"},
		"GBK":                    {[]byte(in + "\xC4\xE3\xBA\xC3"), "你好"},
		"Windows-1252":           {[]byte(in + "caf\xE9 \x80 5"), "café € 5"},
	} {
		list, err := captions.Parse(c.b, most)
		if err != nil || len(list) != 1 || list[0].Text != c.want {
			t.Errorf("%s: %+v, %v", name, list, err)
		}
	}
}

func wide(order binary.AppendByteOrder, s string) (b []byte) {
	for _, u := range utf16.Encode([]rune(s)) {
		b = order.AppendUint16(b, u)
	}
	return b
}

func TestParseRefuses(t *testing.T) {
	many := strings.Repeat("1\n00:00:01,000 --> 00:00:02,500\nHi\n\n", most+1)
	for in, words := range map[string]string{
		"":                             "there are no captions in the file; upload SRT or WebVTT.",
		"WEBVTT\n\nNOTE nothing\n":     "there are no captions",
		"just a text\nof two lines\n":  "there are no captions",
		"1\n00:00:01 -> 00:00:02\nx\n": "there are no captions",
		"\xFF\xD8\xFF\xE0\x00\x10JFIF": "there are no captions",
		"[Script Info]\nTitle: x\n":    "SubStation Alpha captions (ASS) are not taken; upload SRT or WebVTT.",
		"<?xml version=\"1.0\"?><tt/>": "Captions in XML",
		many:                           "the file has 101 captions; the limit is 100",
	} {
		if list, err := captions.Parse([]byte(in), most); err == nil || !strings.Contains(media.Reason(err), words) {
			t.Errorf("%.40q: %v, %v", in, list, err)
		}
	}
}

func TestFormatsInsideFilms(t *testing.T) {
	if text, place := captions.ASS(`3,0,Default,Ann, the first,0,0,0,,{\an8\b1}Bold{\b0}, 1 < 2\Nnext {note}`); text != "<b>Bold</b>, 1 &lt; 2\nnext {note}" && place != "line:0" {
		t.Errorf("%q %q", text, place)
	}
	if text, _ := captions.ASS(`1,0,Default,,0,0,0,,{\p1}m 0 0 l 100 0{\p0}`); text != "" {
		t.Errorf("a drawing is %q", text)
	}
	if text := captions.MovText([]byte("\x00\x07a <b> c\x00\x00\x00\x16styl")); text != "a &lt;b&gt; c" {
		t.Errorf("%q", text)
	}
	if text := captions.MovText([]byte{0, 0}); text != "" {
		t.Errorf("%q", text)
	}
	if text := captions.MovText([]byte{0xFF, 0xFF, 'x'}); text != "x" {
		t.Errorf("%q", text)
	}
}

var allowed = regexp.MustCompile(`</?[biu]>|&(amp|lt|gt);`)

// FuzzParse checks that whatever is uploaded, what comes out is safe, and reads as the same.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"1\n00:00:01,000 --> 00:00:02,500\nHello <i>x", "WEBVTT\n\n00:01.000 --> 00:02.000 line:0\n<v A>b&amp;", "\xFF\xFE1\x00", "{\\an8}{\\i1}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := captions.Parse(b, most)
		if err != nil {
			if media.Reason(err) == "" || !errors.Is(err, media.ErrCorrupt) && !errors.Is(err, media.ErrUnsupported) {
				t.Fatal(err)
			}
			return
		}
		for _, c := range list {
			if c.End <= c.Start || strings.ContainsAny(allowed.ReplaceAllString(c.Text, ""), "<>&\r\x00") || strings.Contains(c.Text, "\n\n") || len(c.Text) > 20_000 {
				t.Fatalf("%+v", c)
			}
			for _, tag := range []string{"b", "i", "u"} {
				if strings.Count(c.Text, "<"+tag+">") != strings.Count(c.Text, "</"+tag+">") {
					t.Fatalf("%+v", c)
				}
			}
		}
		again, err := captions.Parse([]byte(written(t, list)), most)
		if err != nil || len(again) != len(list) {
			t.Fatalf("%v: %+v, %+v", err, list, again)
		}
		if short := func(c captions.Cue) bool { return len(c.Text) < 900 }; !slices.EqualFunc(list, again, func(a, b captions.Cue) bool { return a == b || !short(a) }) {
			t.Fatalf("%+v\n%+v", list, again)
		}
	})
}

// FuzzEmbedded checks the formats of films the same way.
func FuzzEmbedded(f *testing.F) {
	f.Add([]byte("1,0,Default,,0,0,0,,{\\i1}x{\\i0}\\Ny<"))
	f.Add([]byte("\x00\x03abc"))
	f.Fuzz(func(t *testing.T, b []byte) {
		ass, place := captions.ASS(string(b))
		if place != "" && place != "line:0" && place != "line:50%" {
			t.Fatal(place)
		}
		for _, s := range []string{ass, captions.MovText(b)} {
			if strings.ContainsAny(allowed.ReplaceAllString(s, ""), "<>&\r\x00") || strings.Contains(s, "\n\n") {
				t.Fatalf("%q", s)
			}
		}
	})
}
