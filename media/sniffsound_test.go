package media

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// id3 is an ID3v2.3 tag of n bytes of padding.
func id3(n int) string {
	return "ID3\x03\x00\x00" + string([]byte{0, 0, byte(n >> 7), byte(n & 0x7F)}) + strings.Repeat("\x00", n)
}

func TestSniffSound(t *testing.T) {
	for _, c := range []struct {
		head string
		want Type
	}{
		{"\xFF\xFB\x90\x64", MP3}, {"\xFF\xFA\x90\x64", MP3}, {"\xFF\xF3\x80\x00", MP3}, {"\xFF\xF2\x80\x00", MP3},
		{"\xFF\xE3\x18\xC4", MP3}, {"\xFF\xE2\x18\xC4", MP3}, {"\xFF\xFB\x00\x00", MP3},
		{id3(20) + "\xFF\xFB\x90\x64", MP3}, {id3(20) + id3(7) + "\xFF\xFB\x90\x64", MP3}, {id3(20) + "\x00\x00\xFF\xFB", MP3},
		{id3(9000), MP3}, {id3(20), MP3}, {id3(20) + "fLaC", FLAC}, {"fLaC\x00\x00\x00\x22", FLAC},
		{"OggS\x00\x02", Ogg}, {"RIFF\x24\x00\x00\x00WAVEfmt ", WAV}, {"RF64\xFF\xFF\xFF\xFFWAVEds64", WAV}, {"BW64\xFF\xFF\xFF\xFFWAVEds64", WAV},
		{ftyp("M4A \x00\x00\x02\x00isomiso2"), M4A}, {ftyp("M4B \x00\x00\x00\x00"), M4A}, {ftyp("isom\x00\x00\x02\x00isomiso2mp41"), M4A},
		{ftyp("mp42\x00\x00\x00\x00"), M4A}, {ftyp("dash\x00\x00\x00\x00iso6mp41"), M4A},
	} {
		if got, err := SniffSound([]byte(c.head)); got != c.want || err != nil {
			t.Errorf("SniffSound(%.60q) = %v, %v, want %v", c.head, got, err, c.want)
		}
	}
	for _, want := range []Type{MP3, M4A, WAV, FLAC, Ogg} {
		if got, known := TypeOf(want.MIME); got != want || !known {
			t.Errorf("TypeOf(%q) = %v, %v", want.MIME, got, known)
		}
	}
}

func TestSniffSoundRefused(t *testing.T) {
	for _, c := range []struct{ head, words string }{
		{"\xFF\xF1\x50\x80", "Raw AAC (ADTS) is not taken"}, {"\xFF\xF9\x50\x80", "Raw AAC"}, {id3(20) + "\xFF\xF1\x50\x80", "Raw AAC"},
		{"FORM\x00\x00\x00\x24AIFF", "IFF and AIFF files are not taken as sound; upload MP3, M4A, WAV, FLAC or Ogg."},
		{"\x30\x26\xB2\x75\x8E\x66\xCF\x11", "Windows Media files"}, {"MThd\x00\x00\x00\x06", "MIDI files"}, {"caff", "CAF files"},
		{"\x1A\x45\xDF\xA3", "WebM and Matroska videos"}, {"RIFF\x24\x00\x00\x00AVI ", "AVI videos"}, {"%PDF-1.4", "PDF documents"},
		{ftyp("qt  \x00\x00\x00\x00qt  "), "QuickTime (MOV) videos"}, {ftyp("heic\x00\x00\x00\x00mif1"), "This is a picture (image/heic)"},
		{"\x89PNG\r\n\x1a\n", "This is a picture (image/png)"}, {"<svg>", "This is a picture"},
		{"This is a text.\n", "This is not an audio file that is known here; upload MP3"}, {"\xFF\xFEt\x00", "not an audio file"},
		{"ID3", "MP3 files"}, {"\xFF\xFB\xF0\x00", "MP3 files"}, {"\xFF\xFB\x9C\x00", "MP3 files"}, {id3(20) + "a text in disguise", "not an audio file"},
		{"\xFF\xEB\x90\x64", "MP3 files"}, {"RIFX\x00\x00\x00\x00WAVE", "not an audio file"}, {"", "the file is empty"},
	} {
		got, err := SniffSound([]byte(c.head))
		if err == nil || got != (Type{}) || !strings.Contains(Reason(err), c.words) {
			t.Errorf("SniffSound(%.60q) = %v, %v, want a refusal with %q", c.head, got, err, c.words)
		}
	}
}

// FuzzSniffSound checks that any bytes are one of our types or a refusal with a sentence.
func FuzzSniffSound(f *testing.F) {
	for _, s := range []string{"", "\xFF\xFB\x90\x64", id3(20) + "fLaC", "OggS", "RIFF....WAVE", ftyp("M4A \x00\x00\x00\x00"), "\xFF\xF1\x50\x80", "<svg>"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, head []byte) {
		got, err := SniffSound(head)
		if err == nil && !slices.Contains([]Type{MP3, M4A, WAV, FLAC, Ogg}, got) {
			t.Fatalf("%q is %+v", head, got)
		}
		if err != nil && (Reason(err) == "" || !errors.Is(err, ErrUnsupported) && !errors.Is(err, ErrCorrupt)) {
			t.Fatalf("%q is refused without a sentence: %v", head, err)
		}
	})
}
