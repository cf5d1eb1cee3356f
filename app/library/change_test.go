package library

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"picora/app/fault"
	"picora/store"
)

// refused checks that err is a refusal that a client may read.
func refused(t *testing.T, what string, err error) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != fault.Invalid || f.Message == "" {
		t.Errorf("%s: %v, want a %s", what, err, fault.Invalid)
	}
}

// numbered is n different words.
func numbered(n int, end string) (s []string) {
	for i := range n {
		s = append(s, "w"+strconv.Itoa(i)+end)
	}
	return s
}

func TestTags(t *testing.T) {
	cases := []struct {
		name     string
		in, want []string
		ok       bool
	}{
		{"none", nil, nil, true},
		{"some", []string{"sea", "2026"}, []string{"sea", "2026"}, true},
		{"in their order, once", []string{"b", "a", "b"}, []string{"b", "a"}, true},
		{"with space around", []string{" sea ", "sea"}, []string{"sea"}, true},
		{"capitals are other tags", []string{"Sea", "sea"}, []string{"Sea", "sea"}, true},
		{"64 characters", []string{strings.Repeat("é", 64)}, []string{strings.Repeat("é", 64)}, true},
		{"65 characters", []string{strings.Repeat("é", 65)}, nil, false},
		{"empty", []string{""}, nil, false},
		{"only space", []string{"a", "  "}, nil, false},
		{"a NUL", []string{"a\x00b"}, nil, false},
		{"a line end", []string{"a\nb"}, nil, false},
		{"no UTF-8", []string{"a\xff"}, nil, false},
		{"markup, which is text", []string{"<b>"}, []string{"<b>"}, true},
		{"50", numbered(50, ""), numbered(50, ""), true},
		{"51", numbered(51, ""), nil, false},
		{"51 of which two are one", append(numbered(50, ""), "w0"), numbered(50, ""), true},
	}
	for _, c := range cases {
		m, in := store.Media{Tags: []string{"old"}}, slices.Clone(c.in)
		err := (&Change{Tags: &in}).Apply(&m)
		if !c.ok {
			refused(t, c.name, err)
			if !slices.Equal(m.Tags, []string{"old"}) {
				t.Errorf("%s: refused, yet the tags are %q", c.name, m.Tags)
			}
			continue
		}
		if err != nil || !slices.Equal(m.Tags, c.want) {
			t.Errorf("%s: %q %v, want %q", c.name, m.Tags, err, c.want)
		}
	}
}

func TestReferers(t *testing.T) {
	good := map[string]string{
		"self": "self", "SELF": "self", "Example.ORG": "example.org", " example.org ": "example.org", "*.example.org": "*.example.org",
		"localhost": "localhost", "192.0.2.1": "192.0.2.1", "xn--bcher-kva.example": "xn--bcher-kva.example",
		strings.Repeat("a", 253): strings.Repeat("a", 253),
	}
	for in, want := range good {
		m := store.Media{}
		err := (&Change{Referers: &Referers{true, []string{in, in}}}).Apply(&m)
		if err != nil || !m.Restricted || !slices.Equal(m.Referers, []string{want}) {
			t.Errorf("%q: %v %q %v", in, m.Restricted, m.Referers, err)
		}
	}
	for _, in := range []string{
		"", " ", "*", "*.", "**.example.org", "*.*.org", "a.*.org", "example.*", "*example.org", ".example.org", "*..example.org",
		"https://example.org", "example.org/", "example.org:443", "user@example.org", "a?b", "a#b", "a%41", "a b", `a\b`, "a\x00b", "a\nb",
		strings.Repeat("a", 254),
	} {
		m := store.Media{Referers: []string{"old"}}
		refused(t, strconv.Quote(in), (&Change{Referers: &Referers{true, []string{"example.org", in}}}).Apply(&m))
		if m.Restricted || !slices.Equal(m.Referers, []string{"old"}) {
			t.Errorf("%q: refused, yet the rule is %q", in, m.Referers)
		}
	}
	refused(t, "101 entries", (&Change{Referers: &Referers{true, numbered(101, ".org")}}).check())
	if err := (&Change{Referers: &Referers{true, numbered(100, ".org")}}).check(); err != nil {
		t.Errorf("100 entries: %v", err)
	}
}

func TestWhoIsAllowedByReferers(t *testing.T) {
	own := func(host string) bool { return host == "pics.example.net" }
	cases := []struct {
		restricted bool
		list       []string
		host       string
		want       bool
	}{
		{false, nil, "", true},
		{false, []string{"a.org"}, "b.org", true},
		{true, nil, "a.org", false},
		{true, nil, "", false},
		{true, []string{"a.org"}, "", false},
		{true, []string{"a.org"}, "A.ORG", true},
		{true, []string{"a.org"}, "b.a.org", false},
		{true, []string{"*.a.org"}, "b.a.org", true},
		{true, []string{"*.a.org"}, "c.B.A.org", true},
		{true, []string{"*.a.org"}, "a.org", false},
		{true, []string{"*.a.org"}, "ba.org", false},
		{true, []string{"*.a.org"}, "*.a.org", true}, // no browser sends that
		{true, []string{"self"}, "pics.example.net", true},
		{true, []string{"self"}, "self", false},
		{true, []string{"self"}, "a.org", false},
	}
	for _, c := range cases {
		if got := RefererAllowed(&store.Media{Restricted: c.restricted, Referers: c.list}, c.host, own); got != c.want {
			t.Errorf("%v %q from %q: %v", c.restricted, c.list, c.host, got)
		}
	}
}

func TestTitles(t *testing.T) {
	for in, want := range map[string]string{
		"": "", " a b ": "a b", "a\xffb": "ab", strings.Repeat("é", 255): strings.Repeat("é", 255), "<script>": "<script>",
	} {
		m := store.Media{Title: "old"}
		if err := (&Change{Title: &in}).Apply(&m); err != nil || m.Title != want {
			t.Errorf("%q: %q %v", in, m.Title, err)
		}
	}
	long := strings.Repeat("é", 256)
	refused(t, "256 characters", (&Change{Title: &long}).check())
}

func TestAnEmptyChangeChangesNothing(t *testing.T) {
	m := store.Media{Title: "a", Tags: []string{"b"}, Public: true, Restricted: true, Referers: []string{"c.org"}, RequireSignature: true, KeepMetadata: true}
	was := m
	if err := (&Change{}).Apply(&m); err != nil {
		t.Fatal(err)
	}
	if m.Title != was.Title || !slices.Equal(m.Tags, was.Tags) || !m.Public || !m.Restricted || !slices.Equal(m.Referers, was.Referers) || !m.RequireSignature || !m.KeepMetadata {
		t.Errorf("%+v, want %+v", m, was)
	}
	no := false
	if err := (&Change{Public: &no, RequireSignature: &no, KeepMetadata: &no, Referers: &Referers{}}).Apply(&m); err != nil || m.Public || m.RequireSignature || m.KeepMetadata || m.Restricted || m.Title != "a" {
		t.Errorf("%+v %v", m, err)
	}
}
