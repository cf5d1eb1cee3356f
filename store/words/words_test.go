package words

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func tokens(text string) []string {
	s := NewSet(1000)
	s.Add(text)
	return s.Sorted()
}

func TestTokens(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"words lose case and accents", "Crème BRÛLÉE", "brulee creme"},
		{"letters that do not decompose are spelt", "Straße Ærø Łódź", "aero lodz strasse"},
		{"a number is apart from the letters beside it", "IMG0012b.jpg", "0012 b img jpg"},
		{"humps begin words, and the whole does", "myScreenShot", "myscreenshot screenshot shot"},
		{"capitals alone are no humps", "README NASA", "nasa readme"},
		{"Chinese is pairs, and the last character", "海边日落", "日落 海边 落 边日"},
		{"one character", "海", "海"},
		{"scripts side by side", "Tokyo東京2024", "2024 tokyo 京 東京"},
		{"full width is the same", "ＡＢＣ１", "1 abc"},
		{"a symbol is a word", "party🎉🎉now", "now party 🎉"},
		{"Cyrillic, Arabic and Korean are words", "Море بحر 바다", "بحر море " + strings.Join(tokens("바다"), " ")},
		{"nothing", " \x00-_/\u0301", ""},
		{"bytes that are no text", "a\xff\xfeb", "a b"},
	} {
		want := strings.Fields(c.want)
		slices.Sort(want)
		if got := tokens(c.text); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", c.name, got, want)
		}
	}
}

func TestQueriesFindWhatTheyAreOf(t *testing.T) {
	for _, c := range []struct {
		text, query string
		found       bool
	}{
		{"Holiday by the Sea", "sea", true}, {"Holiday by the Sea", "holi se", true}, {"Holiday by the Sea", "liday", false},
		{"ScreenShot2024.png", "screenshot", true}, {"ScreenShot2024.png", "shot 2024", true}, {"ScreenShot2024.png", "ScreenShot2024.png", true},
		{"海边日落", "日落", true}, {"海边日落", "边", true}, {"海边日落", "海边日落", true}, {"海边日落", "海日", false}, {"海边日落", "落", true},
		{"crème", "creme", true}, {"creme", "CRÈME", true}, {"Jürgen", "jurg", true}, {"바다", "바", true},
		{strings.Repeat("x", 100), strings.Repeat("x", 90), true}, {"a b", "!!", false},
	} {
		all := tokens(c.text)
		query := Query(c.query)
		found := len(query) > 0
		for _, w := range query {
			found = found && w.In(all)
		}
		if found != c.found {
			t.Errorf("%q in %q: %v; %v in %q", c.query, c.text, found, query, all)
		}
	}
	if n := len(Query(strings.Repeat("a1 ", 1) + "b c d e f g h i j k l m n o p")); n != mostWords {
		t.Errorf("%d words", n)
	}
}

func FuzzTokens(f *testing.F) {
	for _, s := range []string{"Crème 海边 IMG_0012", "\xff\x00", "🎉", "ﬀİŉ", "e\u0301\u0301"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		all := tokens(s)
		for _, tok := range all {
			if tok == "" || len(tok) > Longest || !utf8.ValidString(tok) || strings.ContainsRune(tok, 0) || tok[0] < ' ' {
				t.Fatalf("token %q of %q", tok, s)
			}
		}
		if len(all) < 900 {
			for _, w := range Query(s) {
				if !w.In(all) {
					t.Fatalf("%v does not find itself: %q", w, all)
				}
			}
		}
	})
}

func TestNamesSortAsPeopleExpect(t *testing.T) {
	for _, c := range [][2]string{{"img 9", "IMG 10"}, {"a", "B"}, {"Ärger", "arm"}, {"zebra", "海"}, {"img", "img 1"}, {"file2b", "file10a"}, {"1", "a"}, {"v1.9", "v1.10"}, {"x", "x y"}} {
		if a, b := SortKey(c[0]), SortKey(c[1]); a >= b || strings.ContainsRune(a+b, 0) {
			t.Errorf("%q (%q) does not stand before %q (%q)", c[0], a, c[1], b)
		}
	}
	if a, b := SortKey("e\u0301"), SortKey("\u00c9"); a != b {
		t.Errorf("%q %q", a, b)
	}
	if k := SortKey(strings.Repeat("9", 5000) + strings.Repeat("\u6d77", 500)); len(k) > longestKey+8 || SortKey("") != "" {
		t.Error(len(k))
	}
}
