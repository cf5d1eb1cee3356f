package library

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"picora/app/fault"
	"picora/store"
)

func TestLanguagesAreWrittenInOneWay(t *testing.T) {
	for in, want := range map[string]string{
		"en": "en", "EN": "en", "eng": "en", "pt-br": "pt-BR", "ZH-HANS-cn": "zh-Hans-CN", "es-419": "es-419", "sl-rozaj-biske": "sl-rozaj-biske",
		"de-CH-1901": "de-CH-1901", "en-x-SDH": "en-x-sdh", "und": "und", "ger": "de", "DEU-at": "de-AT", "x": "", "": "", "e": "", "12": "", "en-": "", "-en": "",
		"en--US": "", "en_US": "", "english language": "", "toolonglanguage": "", "en-waytoolongsubtag": "", "ä": "", "en-\n": "", "../..": "",
		"en" + strings.Repeat("-abcdefgh", 4): "",
	} {
		got, ok := Language(in)
		if got != want && ok || ok != (want != "") {
			t.Errorf("%q: %q, %v, want %q", in, got, ok, want)
		}
	}
}

func FuzzLanguage(f *testing.F) {
	for _, s := range []string{"en", "zh-hans-CN", "en-x-a", "de-1901", "ENG", "a-b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := Language(s)
		if !ok {
			return
		}
		if again, ok := Language(got); !ok || again != got {
			t.Errorf("%q is written %q, and that %q", s, got, again)
		}
		if strings.Trim(got, "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") != "" || len(got) > 35 {
			t.Errorf("%q cannot stand in an address", got)
		}
	})
}

func TestCaptionsTakeThePlaceOfThoseInTheirLanguage(t *testing.T) {
	m := store.Media{Parts: []store.Part{{Name: "text-1", Blob: "a"}, {Name: "text-2", Blob: "b"}, {Name: "720p", Blob: "c"}}}
	m.Film.Tracks = []store.Track{{Name: "720p", Kind: store.PictureTrack, Default: true}, {Name: "text-1", Kind: store.TextTrack, Lang: "en", Default: true}, {Name: "text-2", Kind: store.TextTrack}}
	was := m.Film.Tracks
	names := func() (s string) {
		for _, t := range m.Film.Tracks {
			s += fmt.Sprintf("%s:%v ", t.Name, t.Default)
		}
		return s
	}
	for _, step := range []struct {
		track store.Track
		want  string
	}{
		{store.Track{Name: "text-de", Kind: store.TextTrack, Lang: "de"}, "720p:true text-1:true text-2:false text-de:false "},
		{store.Track{Name: "text-en", Kind: store.TextTrack, Lang: "en", Default: true}, "720p:true text-2:false text-de:false text-en:true "},
		{store.Track{Name: "text-de", Kind: store.TextTrack, Lang: "de", Default: true}, "720p:true text-2:false text-en:false text-de:true "},
	} {
		if err := setCaptions(&m, step.track); err != nil || names() != step.want {
			t.Errorf("%s: %s, %v", step.track.Name, names(), err)
		}
	}
	if _, there := m.Part("text-1"); there || !was[1].Default {
		t.Errorf("the old captions stay, or the old record changed: %+v, %+v", m.Parts, was)
	}
	for i := range maxCaptionTracks {
		err := setCaptions(&m, store.Track{Name: fmt.Sprint("t", i), Kind: store.TextTrack, Lang: fmt.Sprintf("x%c", 'a'+i)})
		if f, is := errors.AsType[*fault.Error](err); (i >= maxCaptionTracks-3) != is || is && f.Code != fault.Invalid {
			t.Fatalf("language %d: %v", i, err)
		}
	}
}
