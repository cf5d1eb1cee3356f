package library

import (
	"strings"
	"testing"

	"picora/store"
)

func TestTheKindOfAFileIsToldByHowItBegins(t *testing.T) {
	ftyp := func(brand string) string { return "\x00\x00\x00\x14ftyp" + brand + "\x00\x00\x02\x00isom" }
	for head, want := range map[string]store.Kind{
		"\x89PNG\r\n\x1a\n":                    store.Image,
		"<svg xmlns='x'>":                      store.Image,
		ftyp("avif"):                           store.Image,
		ftyp("M4A "):                           store.Audio,
		ftyp("M4B "):                           store.Audio,
		ftyp("M4V "):                           store.Video,
		ftyp("isom"):                           store.Video,
		ftyp("qt  "):                           store.Video,
		"OggS\x00\x02 vorbis":                  store.Audio,
		"OggS\x00\x02 theora":                  store.Video,
		"\x1A\x45\xDF\xA3\x9F\x42\x82\x84webm": store.Video,
		"FLV\x01":                              store.Video,
		"fLaC":                                 store.Audio,
		"ID3\x04\x00\x00\x00\x00\x7f\x7f":      store.Audio,
		"%PDF-1.7":                             store.Doc,
		"\r\n junk %PDF-1.4":                   store.Doc,
		"":                                     0,
		"\x00":                                 0,
		"some text":                            0,
		"<!doctype html>":                      0,
		"PK\x03\x04":                           0,
		strings.Repeat("\x00", 4096):           0,
	} {
		if k, err := kindOf([]byte(head)); k != want || (err == nil) != (want != 0) {
			t.Errorf("%.20q is %v, %v; want %v", head, k, err, want)
		}
	}
}
