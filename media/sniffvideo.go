package media

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// insteadVideo is how every refusal of SniffVideo ends.
const insteadVideo = "; upload MP4, MOV, MKV, WebM, AVI, 3GP, MPEG, WMV, FLV or Ogg video."

// SniffVideo tells the container of a video file from its first bytes, as Sniff does that
// of a picture. Whether there are moving pictures in it is VideoJob's to tell: MP4,
// Matroska, Ogg and ASF hold sound alone as well.
func SniffVideo(head []byte) (Type, error) {
	if len(head) == 0 {
		return Type{}, Corrupt("the file is empty")
	}
	head = head[:min(len(head), SniffLen)]
	switch {
	case len(head) >= 12 && string(head[4:8]) == "ftyp":
		return sniffFilm(head)
	case isQuickTime(head):
		return MOV, nil
	case bytes.HasPrefix(head, []byte("\x1A\x45\xDF\xA3")):
		return sniffMatroska(head)
	case riff(head) == "AVI ":
		return AVI, nil
	case isTransport(head):
		return MPEGTS, nil
	case isProgram(head):
		return MPEGPS, nil
	case bytes.HasPrefix(head, []byte("FLV\x01")):
		return FLV, nil
	case bytes.HasPrefix(head, []byte("\x30\x26\xB2\x75\x8E\x66\xCF\x11\xA6\xD9\x00\xAA\x00\x62\xCE\x6C")):
		return WMV, nil
	case bytes.HasPrefix(head, []byte("OggS\x00")):
		return OggVideo, nil
	}
	return Type{}, notVideo(head)
}

// sniffFilm tells MP4, QuickTime and 3GP from the pictures that begin like them. The
// first brand decides: films of phones name those of pictures among the others.
func sniffFilm(head []byte) (Type, error) {
	switch major := string(head[8:12]); {
	case major == "qt  ":
		return MOV, nil
	case strings.HasPrefix(major, "3g"):
		return ThreeGP, nil
	default:
		for _, known := range brands {
			if known.brand == major && known.typ != (Type{}) {
				return Type{}, Unsupported("This is a picture (" + known.typ.MIME + ")" + insteadVideo)
			}
			if known.brand == major && !strings.HasPrefix(major, "M4") {
				return Type{}, Unsupported(known.plural + " are not taken as video" + insteadVideo)
			}
		}
	}
	return MP4, nil
}

// isQuickTime says whether a QuickTime file without a brand starts here: with a box that
// they begin with, of a length that can be.
func isQuickTime(b []byte) bool {
	if len(b) < 8 || b[0] > 0x7F {
		return false
	}
	switch string(b[4:8]) {
	case "moov", "mdat", "wide", "free", "skip", "pnot":
		size := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
		return size >= 8 || size < 2 // 0: to the end, 1: the length follows
	}
	return false
}

// sniffMatroska tells WebM from other Matroska by the DocType in the EBML header
// (RFC 8794 section 11.2.7).
func sniffMatroska(head []byte) (Type, error) {
	_, after, found := bytes.Cut(head[:min(len(head), 256)], []byte("\x42\x82"))
	if found && len(after) > 1 && after[0]&0x80 != 0 {
		n := int(after[0] & 0x7F)
		name := string(bytes.TrimRight(after[1:min(len(after), 1+n)], "\x00"))
		switch name {
		case "webm":
			return WebM, nil
		case "matroska":
			return MKV, nil
		}
	}
	return Type{}, Unsupported("This begins like a Matroska video, but is none" + insteadVideo)
}

// isTransport says whether an MPEG transport stream starts here, with packets of 188
// bytes (ISO/IEC 13818-1 section 2.4.3.2), or of 192 with the time in front as cameras
// and Blu-ray discs have it. It may start within a packet.
func isTransport(b []byte) bool {
	const packets = 5
	for _, size := range []int{188, 192} {
		for at := 0; at < size && at+size*(packets-1) < len(b); at++ {
			n := 0
			for n < packets && b[at+n*size] == 0x47 {
				n++
			}
			if n == packets {
				return !isText(b[:at+size])
			}
		}
	}
	return len(b) == 188 && b[0] == 0x47
}

// isText says whether nothing in b is what only binary files have.
func isText(b []byte) bool {
	return bytes.IndexFunc(b, func(r rune) bool { return r < 0x20 && !strings.ContainsRune("\t\n\r\f", r) || r == utf8.RuneError }) < 0
}

// isProgram says whether an MPEG program stream starts here: a pack header of MPEG-1
// (ISO/IEC 11172-1 section 2.4.3.2) or MPEG-2 (13818-1 section 2.5.3.3).
func isProgram(b []byte) bool {
	return len(b) >= 5 && string(b[:4]) == "\x00\x00\x01\xBA" && (b[4]&0xF1 == 0x21 || b[4]&0xC4 == 0x44)
}

// foreignFilms are types that are taken for videos, but not taken.
var foreignFilms = []struct{ bytes, plural string }{
	{"\x00\x00\x01\xB3", "MPEG videos without a container"},
	{"\x00\x00\x00\x01", "H.264 and H.265 videos without a container"},
	{"DKIF", "IVF videos"},
	{".RMF", "RealMedia videos"},
	{"YUV4MPEG2", "YUV4MPEG videos"},
	{"\x06\x0E\x2B\x34", "MXF videos"},
	{"FWS", "Flash programs"}, {"CWS", "Flash programs"}, {"ZWS", "Flash programs"},
	{"#EXTM3U", "Playlists (M3U)"}, {"ffconcat", "Playlists"}, {"[playlist]", "Playlists"},
	{"v=0", "Descriptions of streams (SDP)"}, {"WEBVTT", "Subtitles"},
}

// notVideo is why a file is no video that is taken.
func notVideo(head []byte) error {
	text := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xEF\xBB\xBF")), space)
	for _, f := range foreignFilms {
		if bytes.HasPrefix(text, []byte(f.bytes)) {
			return Unsupported(f.plural + " are not taken" + insteadVideo)
		}
	}
	if t, err := Sniff(head); err == nil {
		return Unsupported("This is a picture (" + t.MIME + ")" + insteadVideo)
	}
	if t, err := SniffSound(head); err == nil {
		return Unsupported("This is sound (" + t.MIME + "): upload it as audio" + insteadVideo)
	}
	rest, doctype := prologue(text)
	switch name := foreign(head); {
	case strings.HasSuffix(name, "videos"), strings.HasPrefix(name, "Windows Media"):
		return Corrupt("the file begins like one of the " + name + ", but is none")
	case name != "":
		return Unsupported(name + " are not taken as video" + insteadVideo)
	case bytes.Contains(head[:min(len(head), 1024)], []byte("<MPD")):
		return Unsupported("Playlists (DASH) are not taken: they hold no pictures themselves" + insteadVideo)
	case doctype == "html" || isHTML(rest):
		return Unsupported("Web pages (HTML) are not taken" + insteadVideo)
	case bytes.HasPrefix(text, []byte("<?xml")):
		return Unsupported("XML files are not taken" + insteadVideo)
	case isText(head):
		return Unsupported("This is a text, not a video" + insteadVideo)
	}
	return Unsupported("This is not a video that is known here" + insteadVideo)
}
