package media

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

var videoTypes = []Type{MP4, MOV, ThreeGP, MKV, WebM, AVI, MPEGTS, MPEGPS, FLV, WMV, OggVideo}

// transport is the beginning of a transport stream, with packets of that many bytes whose
// sync byte stands at.
func transport(size, at, packets int) string {
	b := make([]byte, size*packets)
	for i := range packets {
		b[at+i*size] = 0x47
	}
	return string(b)
}

// ebml is the header of a Matroska file.
func ebml(docType string) string {
	return "\x1A\x45\xDF\xA3\x9F\x42\x86\x81\x01\x42\xF7\x81\x01\x42\x82" + string([]byte{byte(0x80 | len(docType))}) + docType + "\x42\x87\x81\x04"
}

func TestSniffVideo(t *testing.T) {
	for _, c := range []struct {
		head string
		want Type
	}{
		{ftyp("isom\x00\x00\x02\x00isomiso2avc1mp41"), MP4}, {ftyp("mp42\x00\x00\x00\x00"), MP4}, {ftyp("M4V \x00\x00\x00\x01"), MP4},
		{ftyp("dash\x00\x00\x00\x00iso6mp41"), MP4}, {ftyp("M4A \x00\x00\x02\x00isomiso2"), MP4}, {ftyp("mp42\x00\x00\x00\x00mif1heic"), MP4},
		{ftyp("qt  \x20\x05\x03\x00qt  "), MOV}, {"\x00\x00\x00\x08wide\x00\x00\x12\x34mdat", MOV}, {"\x00\x00\x12\x34moov\x00\x00\x00\x6Cmvhd", MOV},
		{"\x00\x00\x00\x01mdat\x00\x00\x00\x00\x00\x12\x34\x56", MOV},
		{ftyp("3gp4\x00\x00\x02\x00isom3gp4"), ThreeGP}, {ftyp("3g2a\x00\x00\x00\x00"), ThreeGP},
		{ebml("matroska"), MKV}, {ebml("webm"), WebM}, {ebml("webm\x00"), WebM},
		{"RIFF\x24\x00\x00\x00AVI LIST", AVI}, {transport(188, 0, 6), MPEGTS}, {transport(192, 4, 6), MPEGTS}, {transport(188, 77, 6), MPEGTS},
		{"\x00\x00\x01\xBA\x44\x00\x04\x00", MPEGPS}, {"\x00\x00\x01\xBA\x21\x00\x01\x00", MPEGPS}, {"FLV\x01\x05\x00", FLV},
		{"\x30\x26\xB2\x75\x8E\x66\xCF\x11\xA6\xD9\x00\xAA\x00\x62\xCE\x6C", WMV}, {"OggS\x00\x02", OggVideo},
	} {
		if got, err := SniffVideo([]byte(c.head)); got != c.want || err != nil {
			t.Errorf("SniffVideo(%.60q) = %v, %v, want %v", c.head, got, err, c.want)
		}
	}
	for _, want := range videoTypes {
		if got, known := TypeOf(want.MIME); got != want || !known {
			t.Errorf("TypeOf(%q) = %v, %v", want.MIME, got, known)
		}
	}
}

func TestSniffVideoRefused(t *testing.T) {
	for _, c := range []struct{ head, words string }{
		{"#EXTM3U\n#EXT-X-VERSION:3\nhttp://example.com/a.ts\n", "Playlists (M3U) are not taken; upload MP4"},
		{"\xEF\xBB\xBF\n#EXTM3U\n", "Playlists (M3U)"}, {"ffconcat version 1.0\nfile /etc/passwd\n", "Playlists are not taken"},
		{"<?xml version=\"1.0\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\">", "Playlists (DASH)"}, {"<MPD>", "Playlists (DASH)"},
		{"<?xml version=\"1.0\"?><smil/>", "XML files are not taken"}, {"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n", "Descriptions of streams (SDP)"},
		{"<!DOCTYPE html><html>", "Web pages (HTML)"}, {"<html>", "Web pages"}, {"just words, G after G\n", "This is a text, not a video"},
		{strings.Repeat("G", 4096), "This is a text"}, {"[playlist]\nFile1=http://x/\n", "Playlists"}, {"WEBVTT\n\n", "Subtitles are not taken"},
		{"\x89PNG\r\n\x1a\n", "This is a picture (image/png)"}, {"GIF89a", "This is a picture (image/gif)"}, {ftyp("heic\x00\x00\x00\x00mif1"), "This is a picture (image/heic)"},
		{ftyp("avis\x00\x00\x00\x00avif"), "This is a picture (image/avif)"}, {ftyp("crx \x00\x00\x00\x01crx isom"), "Canon raw pictures"}, {"<svg>", "This is a picture"},
		{"\xFF\xFB\x90\x64", "This is sound (audio/mpeg): upload it as audio"}, {"fLaC\x00\x00\x00\x22", "This is sound (audio/flac)"},
		{"%PDF-1.4", "PDF documents are not taken as video"}, {"PK\x03\x04", "ZIP archives"}, {"\x7FELF\x02", "Programs"},
		{"\x00\x00\x01\xB3\x14\x00", "MPEG videos without a container"}, {"\x00\x00\x00\x01\x67\x64", "H.264 and H.265 videos without a container"},
		{ebml("evil"), "begins like a Matroska video, but is none"}, {"\x1A\x45\xDF\xA3", "begins like a Matroska video"},
		{"\x00\x00\x01\xBA\xFF", "the file begins like one of the MPEG videos, but is none"}, {"\x30\x26\xB2\x75\x8E\x66\xCF\x11", "Windows Media files, but is none"},
		{"\x00\x00\x00\x04moov", "the file begins like one of the QuickTime videos"}, {"\x01\x02\x03", "This is not a video that is known here"}, {"", "the file is empty"},
	} {
		got, err := SniffVideo([]byte(c.head))
		if err == nil || got != (Type{}) || !strings.Contains(Reason(err), c.words) {
			t.Errorf("SniffVideo(%.60q) = %v, %v, want a refusal with %q", c.head, got, err, c.words)
		}
	}
}

// FuzzSniffVideo checks that any bytes are one of our types or a refusal with a sentence.
func FuzzSniffVideo(f *testing.F) {
	for _, s := range []string{"", ftyp("isom\x00\x00\x00\x00"), ebml("webm"), transport(188, 0, 6), "OggS\x00", "#EXTM3U", "<MPD>", "\x00\x00\x01\xBA\x44"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, head []byte) {
		got, err := SniffVideo(head)
		if err == nil && !slices.Contains(videoTypes, got) {
			t.Fatalf("%q is %+v", head, got)
		}
		if err != nil && (Reason(err) == "" || !errors.Is(err, ErrUnsupported) && !errors.Is(err, ErrCorrupt)) {
			t.Fatalf("%q is refused without a sentence: %v", head, err)
		}
	})
}
