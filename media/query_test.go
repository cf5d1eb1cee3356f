package media_test

import (
	"errors"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"picora/media"
)

func parse(query string) (q media.Query, err error) {
	var p media.QueryParser
	vs, err := url.ParseQuery(query)
	if err != nil {
		return q, err
	}
	for name, values := range vs {
		for _, v := range values {
			if err := p.Add(name, v); err != nil {
				return q, err
			}
		}
	}
	return p.Query()
}

func TestTransformsAreRead(t *testing.T) {
	for query, want := range map[string]media.Query{
		"":                                  {},
		"w=1":                               {Spec: media.Spec{Width: 1}},
		"w=4096&h=4096&fit=cover":           {Spec: media.Spec{Width: 4096, Height: 4096, Fit: media.Cover}},
		"w=10&dpr=1.5":                      {Spec: media.Spec{Width: 15}},
		"h=2048&dpr=2":                      {Spec: media.Spec{Height: 4096}},
		"fmt=jpg&q=100":                     {Spec: media.Spec{Format: "jpeg", Quality: 100}},
		"fmt=auto":                          {Auto: true},
		"w=9&h=9&fit=cover&crop=smart":      {Spec: media.Spec{Width: 9, Height: 9, Fit: media.Cover, Smart: true}},
		"w=9&h=9&fit=cover&crop=0.5%2C0.25": {Spec: media.Spec{Width: 9, Height: 9, Fit: media.Cover, Focus: &media.Point{X: 500, Y: 250}}},
		"blur=0.3&bg=%23FA0&rot=270":        {Spec: media.Spec{Blur: 0.3, Background: "ffaa00", Rotate: 270}},
		"wm=V1StGXR8_Z5jdHi6B-myT":          {Watermark: "V1StGXR8_Z5jdHi6B-myT"},
		"variant=thumb":                     {Variant: "thumb"},
		"variant=thumb&preview=1":           {Variant: "thumb", Preview: true},
	} {
		got, err := parse(query)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", query, got, err)
		}
		if got.Asked() != (query != "") {
			t.Errorf("%s: Asked is %v", query, got.Asked())
		}
	}
}

func TestTransformsAreRefused(t *testing.T) {
	for query, words := range map[string]string{
		"w=0": "w is a whole number from 1 to 4096", "w=4097": "4096", "w=-1": "whole", "w=1.5": "whole", "w=": "whole", "w=%2B1": "whole",
		"w=99999999999999999999": "whole", "h=x": "h is", "q=0": "q is", "q=101": "1 to 100",
		"fit=crop": "fit is", "fit=": "fit is", "w=1&fit=Cover": "fit is", "fit=inside": "give w",
		"fmt=gif": "fmt is", "fmt=WEBP": "fmt is", "fmt=": "fmt is",
		"w=1&dpr=0.5": "dpr is", "w=1&dpr=5": "dpr is", "w=4000&dpr=2": "times dpr", "dpr=2": "give one",
		"w=1&h=1&fit=cover&crop=1": "crop is", "w=1&h=1&fit=cover&crop=2,0": "crop is", "w=1&h=1&fit=cover&crop=0.1,NaN": "crop is",
		"w=1&h=1&crop=smart": "fit=cover", "w=1&h=1&fit=cover&crop=,": "crop is", "w=1&h=1&fit=cover&crop=1e-3,0": "crop is",
		"blur=0": "blur is", "blur=101": "blur is", "blur=Inf": "blur is", "blur=1.2345": "blur is", "blur=0x1p1": "blur is",
		"bg=white": "bg is", "bg=ffff": "bg is", "bg=%2Bfffff": "bg is", "bg=": "bg is",
		"rot=45": "rot is", "rot=-90": "rot is", "preview=0": "preview is", "preview=true": "preview is",
		"variant=A": "variant is", "variant=": "variant is", "variant=a/b": "variant is", "variant=thumb&w=10": "alone", "variant=thumb&preview=1&q=3": "alone",
		"wm=": "wm is", "wm=V1StGXR8_Z5jdHi6B-my": "wm is", "wm=V1StGXR8_Z5jdHi6B-myTT": "wm is", "wm=V1StGXR8_Z5jdHi6B.myT": "wm is",
		"wm=V1StGXR8_Z5jdHi6B-m%C3%BC": "wm is", "wm=V1StGXR8_Z5jdHi6B-myT&variant=thumb": "alone", "wm=V1StGXR8_Z5jdHi6B-myT&wm=V1StGXR8_Z5jdHi6B-myT": "twice",
		"w=1&w=2": "twice", "w=1&w=1": "twice",
	} {
		if got, err := parse(query); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %+v, %v, want %q", query, got, err, words)
		}
	}
	if _, err := parse("what=1"); !errors.Is(err, media.ErrNotParam) {
		t.Errorf("an unknown name: %v", err)
	}
}

func TestSpecsThatAskForTheSameHaveOneKey(t *testing.T) {
	same := [][2]string{{"w=10", "w=10&q=85"}, {"w=10", "w=10&fit=inside"}, {"w=10", "w=10&fit=cover"}, {"w=5&dpr=2", "w=10"}, {"bg=fff", "bg=FFFFFF"}}
	other := [][2]string{{"w=10", "w=11"}, {"w=10", "h=10"}, {"w=10&h=10", "w=10&h=10&fit=cover"}, {"w=10", "w=10&q=84"}, {"fmt=webp", "fmt=jpeg"}, {"rot=90", "rot=180"},
		{"w=1&h=1&fit=cover", "w=1&h=1&fit=cover&crop=smart"}, {"w=1&h=1&fit=cover&crop=0,0", "w=1&h=1&fit=cover&crop=0,1"}}
	key := func(query string) string {
		q, err := parse(query)
		if err != nil {
			t.Fatal(query, err)
		}
		return q.Key()
	}
	for _, p := range same {
		if key(p[0]) != key(p[1]) {
			t.Errorf("%s and %s have two keys", p[0], p[1])
		}
	}
	for _, p := range other {
		if key(p[0]) == key(p[1]) {
			t.Errorf("%s and %s have one key", p[0], p[1])
		}
	}
}

// FuzzQuery: what is taken is within the bounds that the makers of pictures rely on.
func FuzzQuery(f *testing.F) {
	f.Add("w=10&h=20&fit=cover&crop=0.5,0.5&dpr=2&q=80&fmt=webp")
	f.Add("blur=1.5&bg=fff&rot=90&preview=1")
	f.Add("variant=thumb")
	f.Add("wm=V1StGXR8_Z5jdHi6B-myT&w=10")
	f.Fuzz(func(t *testing.T, query string) {
		q, err := parse(query)
		if err != nil {
			return
		}
		for _, side := range []int{q.Width, q.Height} {
			if side < 0 || side > media.MaxSide {
				t.Errorf("%q: a side of %d", query, side)
			}
		}
		if q.Quality < 0 || q.Quality > 100 || q.Blur != 0 && !(q.Blur >= 0.3 && q.Blur <= 100) || q.Rotate%90 != 0 || q.Rotate < 0 || q.Rotate > 270 ||
			q.Background != "" && len(q.Background) != 6 || q.Focus != nil && (q.Focus.X < 0 || q.Focus.X > 1000 || q.Focus.Y < 0 || q.Focus.Y > 1000) {
			t.Errorf("%q: %+v", query, q)
		}
		if q.Watermark != "" && (len(q.Watermark) != 21 || q.Variant != "" || strings.ContainsAny(q.Watermark, "/.\x00")) {
			t.Errorf("%q: the watermark %q", query, q.Watermark)
		}
	})
}
