package library

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestNamesAreMadeSafe(t *testing.T) {
	long := strings.Repeat("x", 300)
	cases := []struct{ in, want string }{
		{"photo.png", "photo.png"},
		{"my photo (1).jpeg", "my photo (1).jpeg"},
		{"фото 写真 🏖.png", "фото 写真 🏖.png"},
		{".hidden", ".hidden"},
		{"a.tar.gz", "a.tar.gz"},
		{`"quoted".png`, `"quoted".png`},
		{"../../etc/passwd", "passwd"},
		{"/etc/passwd", "passwd"},
		{`..\..\windows\win.ini`, "win.ini"},
		{`C:\fakepath\a.png`, "a.png"},
		{`a/b\c.png`, "c.png"},
		{"dir/", "dir"},
		{"", "untitled.png"},
		{".", "untitled.png"},
		{"..", "untitled.png"},
		{"/", "untitled.png"},
		{"\\", "untitled.png"},
		{"../..", "untitled.png"},
		{". .", "untitled.png"},
		{"   ", "untitled.png"},
		{"\x00", "untitled.png"},
		{".\u200b.", "untitled.png"},
		{"a\x00.png", "a.png"},
		{"a\r\nX-Evil: 1\r\n\r\n.png", "aX-Evil: 1.png"},
		{"a\tb\x7f\u0085.png", "ab.png"},
		{"photo\u202egnp.exe", "photognp.exe"},
		{"\ufeffa\u2066b\u200d.png", "ab.png"},
		{"a\u2028b\u2029.png", "ab.png"},
		{"a\xff\xfe.png", "a.png"},
		{"\xc0\xae\xc0\xae/a.png", "a.png"},
		{"  a.png  ", "a.png"},
		{long + ".png", long[:251] + ".png"},
		{long, long[:255]},
		{"a." + long, "a." + long[:253]},
		{strings.Repeat("é", 200) + ".png", strings.Repeat("é", 125) + ".png"},
		{strings.Repeat("🏖", 100), strings.Repeat("🏖", 63)},
	}
	for _, c := range cases {
		if got := CleanName(c.in, "png"); got != c.want {
			t.Errorf("%q: %q, want %q", c.in, got, c.want)
		}
	}
}

func FuzzCleanName(f *testing.F) {
	for _, s := range []string{"a.png", "../a", `..\a`, "", ".", "a\x00b", "\xff", "a\u202eb", strings.Repeat("é", 200) + ".png", "a." + strings.Repeat("b", 300), "/", "a/..", ". .", "\u200b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got := CleanName(name, "png")
		switch {
		case got == "" || got == "." || got == "..":
			t.Errorf("%q: %q is no name", name, got)
		case len(got) > 255:
			t.Errorf("%q: %d bytes", name, len(got))
		case !utf8.ValidString(got):
			t.Errorf("%q: %q is no UTF-8", name, got)
		case strings.ContainsAny(got, `/\`):
			t.Errorf("%q: %q has a separator", name, got)
		case strings.ContainsFunc(got, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }):
			t.Errorf("%q: %q has a control character", name, got)
		}
		if utf8.ValidString(name) && len(name) <= 200 && !strings.ContainsAny(name, `/\`) && strings.TrimFunc(name, func(r rune) bool { return r == '.' || r == ' ' }) != "" &&
			!strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) && got != strings.TrimSpace(name) {
			t.Errorf("the harmless %q became %q", name, got)
		}
	})
}
