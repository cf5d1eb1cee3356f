package tone_test

import (
	"math"
	"testing"

	"picora/media/tone"
)

func grey(s tone.Source, v float64) float64 { return s.Colour(v, v, v)[1] }

// TestKnownLevels has the levels of ITU-R BT.2408 table 1 and what BT.2390 makes of them.
func TestKnownLevels(t *testing.T) {
	code := func(light float64) float64 { return math.Pow(light, 1/2.4) }
	pq, hlg := tone.Source{Transfer: tone.PQ, Gamut: tone.BT2020}, tone.Source{Transfer: tone.HLG, Gamut: tone.BT2020}
	for _, c := range []struct {
		name string
		got  float64
		want float64
	}{
		{"PQ: black", grey(pq, 0), 0},
		{"PQ 38 %: 26 cd/m², a grey card", grey(pq, 0.38), code(26.0 / 203)},
		{"PQ 58 %: 203 cd/m², white paper", grey(pq, 0.5806), code(0.776)},
		{"PQ: 1000 cd/m²", grey(pq, 0.7518), 1},
		{"PQ: 10000 cd/m²", grey(pq, 1), 1},
		{"PQ of 203 cd/m² at most 400: white paper", grey(tone.Source{Transfer: tone.PQ, Gamut: tone.BT2020, Peak: 1}, 0.6526), 1}, // less than 400 is not believed
		{"HLG: black", grey(hlg, 0), 0},
		{"HLG 38 %: 26 cd/m²", grey(hlg, 0.38), code(26.0 / 203)},
		{"HLG 75 %: 203 cd/m²", grey(hlg, 0.75), code(0.776)},
		{"HLG: 1000 cd/m²", grey(hlg, 1), 1},
		{"SDR: grey", grey(tone.Source{Gamut: tone.P3}, 0.5), 0.5},
		{"BT.709 stays", tone.Source{}.Colour(0.3, 0.6, 0.9)[2], 0.9},
	} {
		if math.Abs(c.got-c.want) > 0.012 {
			t.Errorf("%s: %.3f, want %.3f", c.name, c.got, c.want)
		}
	}
}

func TestBrighterStaysBrighterAndInside(t *testing.T) {
	for _, s := range []tone.Source{{Transfer: tone.PQ, Gamut: tone.BT2020}, {Transfer: tone.PQ, Gamut: tone.P3, Peak: 4000}, {Transfer: tone.HLG, Gamut: tone.BT2020}, {Gamut: tone.BT2020}} {
		last := -1.0
		for i := range 256 {
			v := grey(s, float64(i)/255)
			if v < last {
				t.Fatalf("%+v: %d gives %v, less than %v", s, i, v, last)
			}
			last = v
		}
		for i := range 1000 {
			for _, v := range s.Colour(float64(i%10)/9, float64(i/10%10)/9, float64(i/100)/9) {
				if !(v >= 0 && v <= 1) {
					t.Fatalf("%+v: colour %d gives %v", s, i, v)
				}
			}
		}
	}
}

func TestCubeCountsRedFastest(t *testing.T) {
	const n = 5
	s := tone.Source{Gamut: tone.BT2020}
	cube := tone.Cube(s, n)
	if len(cube) != 3*n*n*n {
		t.Fatal(len(cube))
	}
	want := s.Colour(0.75, 0.25, 0.5)
	at := cube[3*(3+n*1+n*n*2):]
	for i, v := range want {
		if math.Abs(float64(at[i])/65535-v) > 1e-4 {
			t.Errorf("%v, want %v", at[:3], want)
		}
	}
}
