package media

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// SniffLen is how many bytes Sniff looks at. Only SVG needs more than 32: its
// prologue may be long.
const SniffLen = 4096

// instead is how every refusal ends: with what to do.
const instead = "; upload JPEG, PNG, GIF, WebP, AVIF, HEIC, TIFF, BMP, ICO or SVG."

// Sniff tells a file's type from its first bytes, up to SniffLen of them. Names
// and declared types play no part: they are the sender's claim. A type that is
// not taken is ErrUnsupported with a sentence that names it.
func Sniff(head []byte) (Type, error) {
	if len(head) == 0 {
		return Type{}, Corrupt("the file is empty")
	}
	head = head[:min(len(head), SniffLen)]
	switch {
	case bytes.HasPrefix(head, []byte("\xFF\xD8\xFF")):
		return JPEG, nil
	case bytes.HasPrefix(head, []byte("\x89PNG\r\n\x1a\n")):
		return PNG, nil
	case bytes.HasPrefix(head, []byte("GIF87a")), bytes.HasPrefix(head, []byte("GIF89a")):
		return GIF, nil
	case riff(head) == "WEBP":
		return WebP, nil
	case isBMP(head):
		return BMP, nil
	case isICO(head):
		return ICO, nil
	case isTIFF(head):
		return TIFF, nil
	case bytes.HasPrefix(head, []byte("\xFF\xFE")), bytes.HasPrefix(head, []byte("\xFE\xFF")):
		return Type{}, Unsupported("Text in UTF-16 is not supported; if this is an SVG, save it as UTF-8.")
	}
	name := ""
	if len(head) >= 12 && string(head[4:8]) == "ftyp" {
		var t Type
		if t, name = brand(head); t != (Type{}) {
			return t, nil
		}
	} else {
		name = foreign(head)
	}
	if name != "" {
		return Type{}, Unsupported(name + " are not supported yet" + instead)
	}
	return sniffText(head)
}

// riff returns the form type of a RIFF file.
func riff(b []byte) string {
	if len(b) < 12 || string(b[:4]) != "RIFF" {
		return ""
	}
	return string(b[8:12])
}

// isBMP says whether a BMP starts here: "BM" is too little, the header behind it
// has to make sense.
func isBMP(b []byte) bool {
	if len(b) < 30 || string(b[:2]) != "BM" {
		return false
	}
	planes := b[26:28]
	switch size := binary.LittleEndian.Uint32(b[14:]); size {
	case 12:
		planes = b[22:24]
	case 40, 52, 56, 64, 108, 124:
	default:
		return false
	}
	return string(planes) == "\x01\x00"
}

// isICO says whether an icon starts here: four bytes that many files begin with,
// and a first entry that makes sense.
func isICO(b []byte) bool {
	if len(b) < 22 || string(b[:4]) != "\x00\x00\x01\x00" {
		return false
	}
	count, planes, bits := binary.LittleEndian.Uint16(b[4:]), binary.LittleEndian.Uint16(b[10:]), binary.LittleEndian.Uint16(b[12:])
	size, at := binary.LittleEndian.Uint32(b[14:]), binary.LittleEndian.Uint32(b[18:])
	return count > 0 && planes <= 1 && bits <= 32 && size > 0 && at >= 6+16*uint32(count)
}

// isTIFF says whether a TIFF starts here, and none of the raw formats that can
// be told from their first bytes. The others are for package strip.
func isTIFF(b []byte) bool {
	if len(b) < 8 || string(b[:4]) != "II*\x00" && string(b[:4]) != "MM\x00*" {
		return false
	}
	return len(b) < 10 || string(b[8:10]) != "CR"
}

// signatures of types that are known but not taken; the first that fits counts.
var signatures = []struct {
	at            int
	bytes, plural string
}{
	{0, "II*\x00", "Raw camera pictures"},
	{0, "IIU\x00", "Raw camera pictures"},
	{0, "IIRO", "Raw camera pictures"},
	{0, "IIRS", "Raw camera pictures"},
	{0, "MMOR", "Raw camera pictures"},
	{0, "FUJIFILMCCD-RAW", "Raw camera pictures"},
	{0, "II+\x00", "BigTIFF pictures"},
	{0, "MM\x00+", "BigTIFF pictures"},
	{0, "\x00\x00\x02\x00", "CUR cursors"},
	{0, "\xFF\x0A", "JPEG XL pictures"},
	{0, "\x00\x00\x00\x0CJXL \r\n\x87\n", "JPEG XL pictures"},
	{0, "\x00\x00\x00\x0CjP  \r\n\x87\n", "JPEG 2000 pictures"},
	{0, "\xFF\x4F\xFF\x51", "JPEG 2000 pictures"},
	{0, "8BPS", "Photoshop files"},
	{0, "gimp xcf", "GIMP files"},
	{0, "qoif", "QOI pictures"},
	{0, "\x76\x2F\x31\x01", "OpenEXR pictures"},
	{0, "#?RADIANCE", "Radiance HDR pictures"},
	{0, "%PDF-", "PDF documents"},
	{0, "%!PS", "PostScript files"},
	{0, "\x1A\x45\xDF\xA3", "WebM and Matroska videos"},
	{0, "FLV\x01", "Flash videos"},
	{0, "\x00\x00\x01\xBA", "MPEG videos"},
	{0, "\x00\x00\x01\xB3", "MPEG videos"},
	{0, "\x30\x26\xB2\x75\x8E\x66\xCF\x11", "Windows Media files"},
	{4, "moov", "QuickTime videos"},
	{4, "mdat", "QuickTime videos"},
	{4, "wide", "QuickTime videos"},
	{0, "ID3", "MP3 files"},
	{0, "fLaC", "FLAC files"},
	{0, "OggS", "Ogg files"},
	{0, "FORM", "IFF and AIFF files"},
	{0, "caff", "CAF files"},
	{0, "MThd", "MIDI files"},
	{0, "PK\x03\x04", "ZIP archives and office documents"},
	{0, "PK\x05\x06", "ZIP archives and office documents"},
	{0, "\x1F\x8B", "Files compressed with gzip (such as .svgz)"},
	{0, "Rar!\x1A\x07", "RAR archives"},
	{0, "7z\xBC\xAF\x27\x1C", "7-Zip archives"},
	{0, "BZh", "bzip2 archives"},
	{0, "\xFD7zXZ\x00", "XZ archives"},
	{0, "\x28\xB5\x2F\xFD", "Zstandard archives"},
	{257, "ustar", "TAR archives"},
	{0, "MZ", "Programs"},
	{0, "\x7FELF", "Programs"},
	{0, "wOFF", "Fonts"},
	{0, "wOF2", "Fonts"},
	{0, "OTTO", "Fonts"},
	{0, "\x00\x01\x00\x00\x00", "Fonts"},
}

// foreign names the type of a file that is known but not taken.
func foreign(b []byte) string {
	switch riff(b) {
	case "WAVE":
		return "WAV files"
	case "AVI ":
		return "AVI videos"
	case "ACON":
		return "Animated cursors"
	}
	for _, s := range signatures {
		if len(b) > s.at && bytes.HasPrefix(b[s.at:], []byte(s.bytes)) {
			return s.plural
		}
	}
	return mpegAudio(b)
}

// mpegAudio knows the frame header of an MP3 or AAC stream without a tag.
func mpegAudio(b []byte) string {
	switch {
	case len(b) < 2 || b[0] != 0xFF || b[1]&0xE0 != 0xE0:
		return ""
	case b[1]&0xF6 == 0xF0:
		return "AAC files"
	case b[1]&0x06 == 0x02:
		return "MP3 files"
	}
	return ""
}

// brands of the ISO base media file format; the first that fits counts.
var brands = []struct {
	brand  string
	typ    Type
	plural string // of what is not taken
}{
	{"avif", AVIF, ""}, {"avis", AVIF, ""},
	{"heic", HEIC, ""}, {"heix", HEIC, ""}, {"heim", HEIC, ""}, {"heis", HEIC, ""}, {"hevc", HEIC, ""}, {"hevx", HEIC, ""},
	{"mif1", HEIF, ""}, {"msf1", HEIF, ""},
	{"crx ", Type{}, "Canon raw pictures"}, {"jxl ", Type{}, "JPEG XL pictures"}, {"qt  ", Type{}, "QuickTime (MOV) videos"},
	{"M4A ", Type{}, "M4A files"}, {"M4B ", Type{}, "M4A files"},
}

// brand tells a file by its major and compatible brands: its type, or what it is
// called. A general major brand
// (mif1) goes with a telling compatible one (avif), so all are looked at, the
// telling first.
func brand(b []byte) (Type, string) {
	size := int(b[0])<<24 | int(b[1])<<16 | int(b[2])<<8 | int(b[3])
	all := b[8:max(12, min(len(b), size, 128))]
	for _, known := range brands {
		for i := 0; i+4 <= len(all); i += 4 {
			if i != 4 && string(all[i:i+4]) == known.brand { // 4 is the minor version
				return known.typ, known.plural
			}
		}
	}
	return Type{}, "MP4 videos"
}

// sniffText tells an SVG from HTML, other XML and everything else.
func sniffText(head []byte) (Type, error) {
	text := bytes.TrimPrefix(head, []byte("\xEF\xBB\xBF"))
	rest, doctype := prologue(text)
	switch {
	case doctype == "html" || isHTML(rest):
		return Type{}, Unsupported("Web pages (HTML) are not supported" + instead)
	case isSVG(rest), len(rest) == 0 && len(head) == SniffLen && bytes.HasPrefix(text, []byte("<?xml")):
		// In the second case the prologue is longer than what there is to see;
		// package svg, which reads all of it, has the last word.
		return SVG, nil
	case bytes.HasPrefix(bytes.TrimLeft(text, space), []byte("<?xml")):
		return Type{}, Unsupported("XML files other than SVG are not supported" + instead)
	}
	return Type{}, Unsupported("This type of file is not known here" + instead)
}

const space = " \t\r\n"

// prologue passes over what may stand in front of an XML root: space, the XML
// declaration, comments, a DOCTYPE. It returns what is left, empty when the
// prologue does not end, and the name in the DOCTYPE in lower case.
func prologue(b []byte) (rest []byte, doctype string) {
	for {
		b = bytes.TrimLeft(b, space)
		end := ""
		switch {
		case bytes.HasPrefix(b, []byte("<?")):
			end = "?>"
		case bytes.HasPrefix(b, []byte("<!--")):
			end = "-->"
		case len(b) >= 9 && strings.EqualFold(string(b[:9]), "<!doctype"):
			if f := strings.FieldsFunc(string(b[9:]), func(r rune) bool { return strings.ContainsRune(space+">[", r) }); len(f) > 0 {
				doctype = strings.ToLower(f[0])
			}
			end = ">"
			if i := bytes.IndexAny(b, "[>"); i >= 0 && b[i] == '[' {
				end = "]"
			}
		case len(b) > 0 && b[0] == '>' && doctype != "": // behind an internal subset
			b = b[1:]
			continue
		default:
			return b, doctype
		}
		_, after, found := bytes.Cut(b, []byte(end))
		if !found {
			return nil, doctype
		}
		b = after
	}
}

// isSVG says whether an element named svg, with or without a prefix, starts here.
func isSVG(b []byte) bool {
	if len(b) == 0 || b[0] != '<' {
		return false
	}
	name := b[1:]
	if i := bytes.IndexAny(name, space+"/>"); i >= 0 {
		name = name[:i]
	}
	if i := bytes.IndexByte(name, ':'); i >= 0 {
		name = name[i+1:]
	}
	return string(name) == "svg"
}

// isHTML says whether one of the elements starts here that browsers take for a
// web page (WHATWG MIME Sniffing 7.1).
func isHTML(b []byte) bool {
	for _, tag := range []string{"html", "head", "body", "script", "iframe", "h1", "div", "font", "table", "a", "style", "title", "b", "br", "p", "meta", "link"} {
		n := len(tag) + 1
		if len(b) > n && b[0] == '<' && strings.EqualFold(string(b[1:n]), tag) && strings.IndexByte(space+"/>", b[n]) >= 0 {
			return true
		}
	}
	return false
}
