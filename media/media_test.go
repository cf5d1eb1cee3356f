package media

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestReason(t *testing.T) {
	for _, c := range []struct {
		err    error
		kind   error
		reason string
	}{
		{Corrupt("it is cut off"), ErrCorrupt, "it is cut off"},
		{fmt.Errorf("add: %w", Unsupported("not taken")), ErrUnsupported, "not taken"},
		{TooManyPixels(30000, 30000, 100_000_000), ErrTooManyPixels, "the picture has 30000 x 30000 pixels, which is 900 megapixels; the limit is 100 megapixels"},
		{TooManyPixels(1234, 1000, 1_200_000), ErrTooManyPixels, "the picture has 1234 x 1000 pixels, which is 1.2 megapixels; the limit is 1.2 megapixels"},
		{errors.New("other"), nil, ""},
		{nil, nil, ""},
	} {
		if got := Reason(c.err); got != c.reason {
			t.Errorf("Reason(%v) = %q, want %q", c.err, got, c.reason)
		}
		if c.kind != nil && !errors.Is(c.err, c.kind) {
			t.Errorf("%v is not %v", c.err, c.kind)
		}
	}
}

// Headers of pictures.
const (
	bmpHead = "BM\x46\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00\x02\x00\x00\x00\x02\x00\x00\x00\x01\x00\x18\x00"
	icoHead = "\x00\x00\x01\x00\x01\x00\x10\x10\x00\x00\x01\x00\x20\x00\x68\x04\x00\x00\x16\x00\x00\x00"
)

// ftyp makes the first box of a file of that brand, minor version and
// compatible brands.
func ftyp(brands string) string {
	return string([]byte{0, 0, 0, byte(8 + len(brands))}) + "ftyp" + brands
}

func TestSniff(t *testing.T) {
	const svg = `<svg xmlns="http://www.w3.org/2000/svg">`
	const doctype = `<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">`
	for _, c := range []struct {
		head string
		want Type
	}{
		{"\xFF\xD8\xFF\xE0\x00\x10JFIF", JPEG},
		{"\x89PNG\r\n\x1a\n\x00\x00\x00\x0DIHDR", PNG},
		{"GIF87a", GIF},
		{"GIF89a", GIF},
		{"RIFF\x10\x00\x00\x00WEBPVP8 ", WebP},
		{svg, SVG},
		{"<svg>", SVG},
		{"<svg/>", SVG},
		{"<svg", SVG},
		{"\xEF\xBB\xBF \r\n\t" + svg, SVG},
		{`<?xml version="1.0"?>` + "\n" + svg, SVG},
		{`<?xml version="1.0"?><!-- a > b --><?xml-stylesheet x?>` + doctype + svg, SVG},
		{`<!DOCTYPE svg [ <!ENTITY a "b>"> ] >` + svg, SVG},
		{"<!doctype svg>\n<s:svg>", SVG},
		{ftyp("avif\x00\x00\x00\x00mif1miaf"), AVIF},
		{ftyp("avis\x00\x00\x00\x00msf1"), AVIF},
		{ftyp("mif1\x00\x00\x00\x00avifmiaf"), AVIF},
		{ftyp("heic\x00\x00\x00\x00mif1heic"), HEIC},
		{ftyp("mif1\x00\x00\x00\x00heix"), HEIC},
		{ftyp("hevc\x00\x00\x00\x00"), HEIC},
		{ftyp("mif1\x00\x00\x00\x00miaf") + "heic", HEIF},
		{ftyp("msf1\x00\x00\x00\x00"), HEIF},
		{bmpHead, BMP},
		{"BM\x00\x00\x00\x00\x00\x00\x00\x00\x1a\x00\x00\x00\x0c\x00\x00\x00\x03\x00\x02\x00\x01\x00\x18\x00\x00\x00\x00\x00", BMP},
		{"II*\x00\x08\x00\x00\x00", TIFF},
		{"MM\x00*\x00\x00\x00\x08\x00\x0a", TIFF},
		{icoHead, ICO},
		{`<?xml version="1.0"?><!--` + strings.Repeat("x", SniffLen), SVG},
	} {
		if got, err := Sniff([]byte(c.head)); got != c.want || err != nil {
			t.Errorf("Sniff(%.60q) = %v, %v, want %v", c.head, got, err, c.want)
		}
	}
}

func TestSniffRefused(t *testing.T) {
	for _, c := range []struct{ head, words string }{
		{ftyp("jxl \x00\x00\x00\x00"), "JPEG XL pictures are not supported yet; upload JPEG, PNG, GIF, WebP, AVIF, HEIC, TIFF, BMP, ICO or SVG."},
		{ftyp("crx \x00\x00\x00\x00"), "Canon raw pictures"},
		{ftyp("isom\x00\x00\x02\x00isomiso2avc1mp41"), "MP4 videos"},
		{ftyp("isomavif"), "MP4 videos"},
		{ftyp("qt  \x00\x00\x00\x00qt  "), "QuickTime (MOV) videos"},
		{ftyp("M4A \x00\x00\x00\x00"), "M4A files"},
		{"\x00\x00\x00\x01ftypisom", "MP4 videos"},
		{"BM\x00\x00", "not known here"}, {"BMW is a maker of cars, and this a text about it", "not known here"},
		{bmpHead[:14] + "\x29" + bmpHead[15:], "not known here"}, {bmpHead[:26] + "\x02" + bmpHead[27:], "not known here"},
		{"II*\x00\x10\x00\x00\x00CR\x02\x00", "Raw camera pictures"}, {"IIU\x00\x18\x00\x00\x00", "Raw camera pictures"},
		{"FUJIFILMCCD-RAW 0201", "Raw camera pictures"}, {"II+\x00\x08\x00\x00\x00", "BigTIFF"}, {"MM\x00+\x00\x08\x00\x00", "BigTIFF"},
		{"MM\x00*", "not known here"},
		{"\x00\x00\x02" + icoHead[3:], "CUR cursors"},
		{"\x00\x00\x01\x00\x01", "not known here"},
		{icoHead[:4] + "\x00" + icoHead[5:], "not known here"}, {icoHead[:10] + "\x02" + icoHead[11:], "not known here"},
		{icoHead[:12] + "\x21" + icoHead[13:], "not known here"}, {icoHead[:14] + "\x00\x00" + icoHead[16:], "not known here"},
		{icoHead[:18] + "\x15" + icoHead[19:], "not known here"},
		{"\xFF\x0A", "JPEG XL"}, {"\x00\x00\x00\x0CJXL \r\n\x87\n", "JPEG XL"},
		{"%PDF-1.7", "PDF documents"},
		{"\x1A\x45\xDF\xA3", "WebM and Matroska videos"},
		{"RIFF\x10\x00\x00\x00WAVE", "WAV files"}, {"RIFF\x10\x00\x00\x00AVI ", "AVI videos"},
		{"ID3\x04", "MP3 files"}, {"\xFF\xFB\x90", "MP3 files"}, {"\xFF\xF1\x50", "AAC files"},
		{"fLaC", "FLAC files"}, {"OggS", "Ogg files"},
		{"PK\x03\x04", "ZIP archives"}, {"\x1F\x8B\x08", "gzip"},
		{strings.Repeat("x", 257) + "ustar", "TAR archives"},
		{"<!DOCTYPE html><svg>", "HTML"}, {"<HTML>", "HTML"}, {"  <script>", "HTML"}, {"<!-- x --><body >", "HTML"},
		{`<?xml version="1.0"?><!DOCTYPE html PUBLIC "x"><html>`, "HTML"},
		{`<?xml version="1.0"?><rss>`, "XML files other than SVG"},
		{"<svgx>", "not known here; upload JPEG"}, {"<!--", "not known here"}, {"<", "not known"},
		{"hello", "not known here"}, {"\xFF\xD8", "not known here"},
		{"\xFF\xFE<\x00", "UTF-16"}, {"\xFE\xFF\x00<", "UTF-16"},
	} {
		typ, err := Sniff([]byte(c.head))
		if !errors.Is(err, ErrUnsupported) || typ != (Type{}) || !strings.Contains(Reason(err), c.words) {
			t.Errorf("Sniff(%.60q) = %v, %v, want a refusal with %q", c.head, typ, err, c.words)
		}
	}
	if _, err := Sniff(nil); !errors.Is(err, ErrCorrupt) || Reason(err) != "the file is empty" {
		t.Errorf("Sniff(nil) = %v", err)
	}
	for _, s := range signatures { // every prefix of every signature
		for n := range s.bytes {
			Sniff([]byte(strings.Repeat("\x00", s.at) + s.bytes[:n]))
		}
	}
}
