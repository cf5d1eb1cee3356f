package worker

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"picora/media"
	"picora/media/worker/wire"
)

// FuzzAnswer reads what a child that was taken over may say. Whatever it is, it is
// one of the answers that there are, or an error that is not the file's fault.
func FuzzAnswer(f *testing.F) {
	half := 0.5
	for _, a := range []wire.Answer{
		{ID: 7, Result: json.RawMessage(`{"width":1}`)},
		{ID: 7, Progress: &half},
		{ID: 7, Problem: &wire.Problem{Kind: wire.Corrupt, Text: "the end is missing"}},
		{ID: 7, Problem: &wire.Problem{Kind: wire.Pixels, Text: "too many"}},
		{ID: 7, Problem: &wire.Problem{Kind: wire.Failed, Text: "a\x1b[2Jb\xff" + strings.Repeat("ü", 600)}},
	} {
		b, err := json.Marshal(a)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(append(b, b...))
		f.Add(b[:len(b)/2])
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		a, err := parse(message, 7)
		if err != nil {
			if !errors.Is(err, wire.ErrRogue) {
				t.Fatalf("%v", err)
			}
			return
		}
		if a.ID != 7 || a.Progress != nil && (*a.Progress < 0 || *a.Progress > 1) || a.Result != nil && !json.Valid(a.Result) {
			t.Fatalf("%+v", a)
		}
		if a.Problem == nil {
			return
		}
		err = problem(*a.Problem)
		if outcome(err) == Done || len(err.Error()) > maxFailure+100 || strings.ContainsAny(err.Error(), "\x1b\n\x00") || !utf8.ValidString(err.Error()) {
			t.Fatalf("%q", err)
		}
		if r := media.Reason(err); r != "" && (r != a.Problem.Text || !sentence(r) || outcome(err) != Refused) {
			t.Fatalf("the reason %q of %+v", r, a.Problem)
		}
	})
}

func TestATailKeepsBothEnds(t *testing.T) {
	tests := []struct {
		name  string
		write []string
		want  string
	}{
		{"nothing", nil, ""},
		{"a little", []string{"panic: ", "x"}, "panic: x"},
		{"as much as fits", []string{strings.Repeat("a", tailPart), strings.Repeat("b", tailPart)}, strings.Repeat("a", tailPart) + strings.Repeat("b", tailPart)},
		{"more", []string{strings.Repeat("a", tailPart), strings.Repeat("-", 3*tailPart), strings.Repeat("b", tailPart)},
			strings.Repeat("a", tailPart) + "\n...\n" + strings.Repeat("b", tailPart)},
		{"at once", []string{"a" + strings.Repeat("b", 5*tailPart) + "c"}, "a" + strings.Repeat("b", tailPart-1) + "\n...\n" + strings.Repeat("b", tailPart-1) + "c"},
	}
	tail := new(tail)
	for _, test := range tests {
		tail.reset()
		for _, s := range test.write {
			if n, err := tail.Write([]byte(s)); n != len(s) || err != nil {
				t.Fatal(n, err)
			}
		}
		if got := tail.String(); got != test.want {
			t.Errorf("%s: %q", test.name, got)
		}
	}
	if _, err := tail.Write(make([]byte, tailFlood)); err == nil {
		t.Error("a flood is read to its end")
	}
}
