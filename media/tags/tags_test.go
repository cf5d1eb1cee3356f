package tags

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"picora/media"
)

// utf16 writes ASCII and Chinese as UTF-16.
func utf16(order binary.AppendByteOrder, bom bool, s string) string {
	var b []byte
	if bom {
		b = order.AppendUint16(b, 0xFEFF)
	}
	for _, r := range s {
		b = order.AppendUint16(b, uint16(r))
	}
	return string(b)
}

func safe(n int) []byte {
	return []byte{byte(n >> 21), byte(n >> 14 & 127), byte(n >> 7 & 127), byte(n & 127)}
}

// frame writes one of version 2.2, 2.3 or 2.4.
func frame(version int, name, body string, flags ...byte) string {
	if version == 2 {
		return name + string([]byte{byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}) + body
	}
	size := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	if version == 4 {
		size = safe(len(body))
	}
	return name + string(size) + string(append(flags, 0, 0)[:2]) + body
}

func id3(version int, flags byte, frames string) []byte {
	head := append([]byte("ID3"), byte(version), 0, flags)
	return append(append(head, safe(len(frames)+50)...), frames+strings.Repeat("\x00", 50)...)
}

func readID3(b []byte) Tags {
	b = append(bytes.Clone(b), "\xFF\xFB\x90\x64 sound"...)
	return Read(bytes.NewReader(b), int64(len(b)), media.MP3)
}

func TestID3v2(t *testing.T) {
	const gbk = "\xd6\xd0\xce\xc4" // 中文
	for _, c := range []struct {
		name string
		b    []byte
		want Tags
	}{
		{"version 2.2", id3(2, 0, frame(2, "TT2", "\x00A title")+frame(2, "TP1", "\x00Somebody")+frame(2, "TYE", "\x001999")+frame(2, "TRK", "\x005/9")),
			Tags{Title: "A title", Artist: "Somebody", Year: 1999, Track: 5}},
		{"version 2.3", id3(3, 0, frame(3, "TIT2", "\x00A title")+frame(3, "TPE1", "\x00Café")+frame(3, "TALB", "\x00Disc")+frame(3, "TCON", "\x00(17)")+frame(3, "TYER", "\x002006")),
			Tags{Title: "A title", Artist: "Café", Album: "Disc", Genre: "Rock", Year: 2006}},
		{"version 2.4", id3(4, 0, frame(4, "TIT2", "\x03中文 title")+frame(4, "TDRC", "\x032024-05-01T10:00")+frame(4, "TRCK", "\x0312")),
			Tags{Title: "中文 title", Year: 2024, Track: 12}},
		{"UTF-16", id3(3, 0, frame(3, "TIT2", "\x01"+utf16(binary.LittleEndian, true, "中文"))+frame(3, "TPE1", "\x01"+utf16(binary.BigEndian, true, "ab"))+frame(3, "TALB", "\x02"+utf16(binary.BigEndian, false, "cd\x00ef"))),
			Tags{Title: "中文", Artist: "ab", Album: "cd"}},
		{"Latin-1", id3(3, 0, frame(3, "TIT2", "\x00Beyonc\xe9 \xfcber na\xefve")), Tags{Title: "Beyoncé über naïve"}},
		{"GBK that claims to be Latin-1", id3(3, 0, frame(3, "TIT2", "\x00"+gbk+" 1")), Tags{Title: "中文 1"}},
		{"UTF-8 that claims to be Latin-1", id3(3, 0, frame(3, "TIT2", "\x00中文")), Tags{Title: "中文"}},
		{"controls and directions", id3(3, 0, frame(3, "TIT2", "\x03a\x1b[31m\r\nb\u202ec\ufeff")), Tags{Title: "a [31m  bc"}},
		{"two values", id3(4, 0, frame(4, "TPE1", "\x03One\x00Two")), Tags{Artist: "One"}},
		{"unsynchronised", id3(3, 0x80, frame(3, "TIT2", "\x01\xff\x00\xfea\x00b\x00")[:7]+"\x07\x00\x00\x01\xff\x00\xfea\x00b\x00"), Tags{Title: "ab"}},
		{"an extended header of 2.3", id3(3, 0x40, "\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00"+frame(3, "TIT2", "\x00x")), Tags{Title: "x"}},
		{"an extended header of 2.4", id3(4, 0x40, "\x00\x00\x00\x06\x01\x00"+frame(4, "TIT2", "\x00x")), Tags{Title: "x"}},
		{"a counted frame", id3(4, 0, frame(4, "TIT2", "\x00\x00\x00\x02\x00x", 0, 1)), Tags{Title: "x"}},
		{"plain lengths in 2.4, as iTunes wrote", id3(4, 0, frame(3, "TIT2", "\x00"+strings.Repeat("x", 299))+frame(3, "TPE1", "\x00y")), Tags{Title: strings.Repeat("x", MaxLength), Artist: "y"}},
		{"an encrypted frame", id3(3, 0, frame(3, "TIT2", "\x00secret", 0, 0x40)+frame(3, "TPE1", "\x00y")), Tags{Artist: "y"}},
		{"a frame longer than the tag", id3(3, 0, frame(3, "TPE1", "\x00y")+"TIT2\xff\xff\xff\xff\x00\x00\x00x"), Tags{Artist: "y"}},
		{"one that the library refuses, and one that it does not", id3(3, 0, frame(3, "TIT2", "\x01\xff\xfea")+frame(3, "TPE1", "\x00y")), Tags{Artist: "y"}},
		{"two tags", append(id3(3, 0, frame(3, "TIT2", "\x00x")), id3(4, 0, frame(4, "TPE1", "\x00y"))...), Tags{Title: "x", Artist: "y"}},
		{"a cover", id3(3, 0, frame(3, "APIC", "\x00image/png\x00\x04back\x00BACK")+frame(3, "APIC", "\x01image/jpeg\x00\x03\xff\xfea\x00\x00\x00FRONT")),
			Tags{Covers: []Cover{{"image/jpeg", 3, []byte("FRONT")}, {"image/png", 4, []byte("BACK")}}}},
		{"a cover of 2.2", id3(2, 0, frame(2, "PIC", "\x00PNG\x03d\x00DATA")), Tags{Covers: []Cover{{"PNG", 3, []byte("DATA")}}}},
		{"a link", id3(3, 0, frame(3, "APIC", "\x00-->\x00\x03\x00http://x/")), Tags{Covers: []Cover{{"-->", 3, []byte("http://x/")}}}},
		{"chapters", id3(3, 0, frame(3, "CHAP", "ch0\x00"+"\x00\x00\x00\x00\x00\x00\x03\xe8\xff\xff\xff\xff\xff\xff\xff\xff"+frame(3, "TIT2", "\x00Intro"))+
			frame(3, "CHAP", "ch1\x00"+"\x00\x00\x03\xe8\x00\x00\x07\xd0\xff\xff\xff\xff\xff\xff\xff\xff")),
			Tags{Chapters: []media.Chapter{{Start: 0, End: 1, Title: "Intro"}, {Start: 1, End: 2}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := readID3(c.b); fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", c.want) {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}

func TestID3v1(t *testing.T) {
	pad := func(s string, n int) string { return s + strings.Repeat("\x00", n-len(s)) }
	b := []byte("\xFF\xFB\x90\x64 sound TAG" + pad("\xd6\xd0\xce\xc4", 30) + pad("Beyonc\xe9", 30) + pad("Album\x00rubbish", 30) + "2001" + pad("", 29) + "\x07\x11")
	got := Read(bytes.NewReader(b), int64(len(b)), media.MP3)
	if got.Title != "中文" || got.Artist != "Beyoncé" || got.Album != "Album" || got.Year != 2001 || got.Track != 7 || got.Genre != "Rock" {
		t.Errorf("%+v", got)
	}
	both := append(id3(3, 0, frame(3, "TIT2", "\x00The newer")), b...)
	if got := Read(bytes.NewReader(both), int64(len(both)), media.MP3); got.Title != "The newer" || got.Track != 7 {
		t.Errorf("%+v", got)
	}
}

// block is one of FLAC's.
func block(kind byte, b []byte) []byte {
	return append([]byte{kind, byte(len(b) >> 16), byte(len(b) >> 8), byte(len(b))}, b...)
}

func vorbis(list ...string) []byte {
	b := binary.LittleEndian.AppendUint32(nil, 3)
	b = binary.LittleEndian.AppendUint32(append(b, "we."...), uint32(len(list)))
	for _, c := range list {
		b = append(binary.LittleEndian.AppendUint32(b, uint32(len(c))), c...)
	}
	return b
}

func flacCover(mime, data string) []byte {
	b := binary.BigEndian.AppendUint32(nil, 3)
	b = append(binary.BigEndian.AppendUint32(b, uint32(len(mime))), mime...)
	b = append(binary.BigEndian.AppendUint32(b, 4), "desc"...)
	b = append(b, make([]byte, 16)...)
	return append(binary.BigEndian.AppendUint32(b, uint32(len(data))), data...)
}

func TestFLAC(t *testing.T) {
	b := slices.Concat([]byte("fLaC"), block(0, make([]byte, 34)), block(4, vorbis("TITLE=中文", "artist=Me", "ALBUM=A", "genre=Pop", "TRACKNUMBER=3/12", "DATE=2006/05", "junk")), block(6|0x80, flacCover("image/png", "DATA")))
	for name, b := range map[string][]byte{"plain": b, "behind a tag": append(id3(3, 0, ""), b...)} {
		got := Read(bytes.NewReader(b), int64(len(b)), media.FLAC)
		want := Tags{Title: "中文", Artist: "Me", Album: "A", Genre: "Pop", Track: 3, Year: 2006, Covers: []Cover{{"image/png", 3, []byte("DATA")}}}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	lying := flacCover("image/png", "DATA")
	binary.BigEndian.PutUint32(lying[len(lying)-8:], 1<<31)
	b = slices.Concat([]byte("fLaC"), block(6, lying), block(4|0x80, vorbis("title=x", "metadata_block_picture="+base64.StdEncoding.EncodeToString(lying))))
	if got := Read(bytes.NewReader(b), int64(len(b)), media.FLAC); got.Title != "x" || len(got.Covers) > 0 {
		t.Errorf("%+v", got)
	}
}

func page(serial byte, packets ...[]byte) []byte {
	var lengths, body []byte
	for _, p := range packets {
		for n := len(p); ; n -= 255 {
			lengths = append(lengths, byte(min(n, 255)))
			if n < 255 {
				break
			}
		}
		body = append(body, p...)
	}
	return slices.Concat([]byte("OggS\x00\x02"), make([]byte, 8), []byte{serial}, make([]byte, 11), []byte{byte(len(lengths))}, lengths, body)
}

func TestOgg(t *testing.T) {
	comments := vorbis("TITLE=x", "METADATA_BLOCK_PICTURE="+base64.StdEncoding.EncodeToString(flacCover("image/jpeg", strings.Repeat("D", 400))))
	for name, head := range map[string]string{"Vorbis": "\x03vorbis", "Opus": "OpusTags", "FLAC": "\x04\x00\x00\x00", "Speex": ""} {
		b := slices.Concat(page(1, []byte("head")), page(2, []byte("other")), page(2, []byte("other")), page(1, append([]byte(head), comments...)))
		if got := Read(bytes.NewReader(b), int64(len(b)), media.Ogg); got.Title != "x" || len(got.Covers) != 1 || len(got.Covers[0].Data) != 400 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func box(name string, parts ...string) string {
	body := strings.Join(parts, "")
	return string(binary.BigEndian.AppendUint32(nil, uint32(8+len(body)))) + name + body
}

func TestMP4(t *testing.T) {
	data := func(kind byte, s string) string {
		return box("data", string([]byte{0, 0, 0, kind, 0, 0, 0, 0})+s)
	}
	list := box("ilst", box("\xa9nam", data(1, "中文")), box("\xa9ART", data(1, "Me")), box("trkn", data(0, "\x00\x00\x00\x05\x00\x09\x00\x00")),
		box("\xa9day", data(1, "2011-01-01T00:00:00Z")), box("covr", data(14, "PNG")), box("----", "\x00"), box("\xa9alb", data(99, "?")), box("\xa9gen", data(1, "Jazz")))
	for name, b := range map[string]string{
		"iTunes":    box("ftyp", "M4A \x00\x00\x00\x00") + box("free") + box("moov", box("udta", box("meta", "\x00\x00\x00\x00", box("hdlr", "x"), list))),
		"QuickTime": box("ftyp", "M4A \x00\x00\x00\x00") + box("moov", box("udta", box("meta", box("hdlr", "x"), list))),
	} {
		got := Read(strings.NewReader(b), int64(len(b)), media.M4A)
		want := Tags{Title: "中文", Artist: "Me", Genre: "Jazz", Track: 5, Year: 2011, Covers: []Cover{{"", 3, []byte("PNG")}}}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// Each of these took hours or gigabytes in the library.
func TestBombsTakeNoTime(t *testing.T) {
	many := strings.Repeat(frame(3, "TIT2", "\x00x"), 1_000_000)
	deep := strings.Repeat("\x00\x00\x10\x00moov\x00\x00\x10\x00udta", 1_000_000)
	big := id3(3, 0, "")
	copy(big[6:], "\x7F\x7F\x7F\x7F")
	flac := append([]byte("fLaC"), bytes.Repeat(block(6, flacCover("a", "b")), 100_000)...)
	start := time.Now()
	for _, c := range []struct {
		b []byte
		t media.Type
	}{
		{id3(3, 0, many), media.MP3}, {[]byte(box("ftyp", "M4A ") + deep), media.M4A}, {big, media.MP3}, {flac, media.FLAC},
		{bytes.Repeat(page(1, []byte("x"), bytes.Repeat([]byte("y"), 255*250)), 1000), media.Ogg},
	} {
		Read(bytes.NewReader(c.b), int64(len(c.b)), c.t)
	}
	if took := time.Since(start); took > 2*time.Minute {
		t.Errorf("%v", took)
	}
}

func TestWords(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain", "\xb8\xe8\xc7\xfa": "歌曲", "na\xefve": "naïve", "\xfcber \xe4hnlich \xdf": "über ähnlich ß", "中": "中", "\x93x\x94": "“x”",
		"01 \xb3\xc2\xde\xc8\xd1\xb8 - \xca\xae\xc4\xea": "01 陈奕迅 - 十年", "caf\xe9": "café",
	} {
		if got := Legacy(in); got != want {
			t.Errorf("Legacy(%q) = %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]int{"2006": 2006, "1 May 1998": 1998, "20060501": 0, "06": 0, "": 0, "9999": 0, "2024-01-01": 2024} {
		if got := Year(in); got != want {
			t.Errorf("Year(%q) = %d, want %d", in, got, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(id3(3, 0, frame(3, "TIT2", "\x00x")+frame(3, "CHAP", "ch0\x00"+strings.Repeat("\x00", 16))+frame(3, "APIC", "\x00image/png\x00\x03\x00D")), uint8(0))
	f.Add(id3(4, 0x80, frame(4, "TIT2", "\x01\xff\xfex\x00")), uint8(0))
	f.Add(id3(2, 0, frame(2, "PIC", "\x00PNG\x03d\x00DATA")), uint8(0))
	f.Add(slices.Concat([]byte("fLaC"), block(4, vorbis("TITLE=x")), block(6|0x80, flacCover("a", "b"))), uint8(1))
	f.Add(slices.Concat(page(1, []byte("head")), page(1, append([]byte("OpusTags"), vorbis("TITLE=x")...))), uint8(2))
	f.Add([]byte(box("ftyp", "M4A ")+box("moov", box("udta", box("meta", "\x00\x00\x00\x00", box("hdlr"), box("ilst", box("\xa9nam", box("data", "\x00\x00\x00\x01\x00\x00\x00\x00x"))))))), uint8(3))
	f.Fuzz(func(t *testing.T, b []byte, kind uint8) {
		got := Read(bytes.NewReader(b), int64(len(b)), []media.Type{media.MP3, media.FLAC, media.Ogg, media.M4A}[kind%4])
		for _, s := range []string{got.Title, got.Artist, got.Album, got.Genre} {
			if s != Clean(s) || len([]rune(s)) > MaxLength {
				t.Fatalf("%q", s)
			}
		}
		if len(got.Covers) > maxCovers || len(got.Chapters) > media.MaxChapters || got.Track < 0 || got.Year < 0 {
			t.Fatalf("%+v", got)
		}
		if at := Begin(bytes.NewReader(b), int64(len(b))); at < 0 || at > int64(len(b)) {
			t.Fatal(at)
		}
	})
}
