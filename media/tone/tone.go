// Package tone turns the colours of HDR and wide-gamut video into those of ordinary
// screens, as a table: plain Go, and nothing of a file comes here but three facts.
package tone

import "math"

// Transfer is how numbers mean light.
type Transfer int

// The transfers of video that is not shown as it is.
const (
	SDR Transfer = iota // BT.1886
	PQ                  // SMPTE ST 2084
	HLG                 // ARIB STD-B67, ITU-R BT.2100
)

// Gamut is the primaries of the colours; all have the white of D65.
type Gamut int

// The gamuts that are known.
const (
	BT709 Gamut = iota
	BT2020
	P3
)

// A Source is what is turned into BT.709.
type Source struct {
	Transfer Transfer
	Gamut    Gamut
	Peak     float64 // cd/m² of the brightest that is in it; 0: unknown. Of PQ.
}

// What counts as white on an ordinary screen: the level of white paper and captions in HDR
// (ITU-R BT.2408 section 2), so that what is not brighter than that looks as if it had been
// made for SDR.
const white = 203.0

// usualPeak is what films are made for where they do not say (BT.2408), and what BT.2100
// defines HLG's gamma of 1.2 for.
const usualPeak = 1000.0

// peaks that are believed.
const minPeak, maxPeak = 400.0, 4000.0

// Cube is a table of n by n by n colours, red counted fastest, then green, then blue: for
// each the red, green and blue (full range, 65535 is 1) that it becomes.
func Cube(s Source, n int) []uint16 {
	light := make([]float64, n) // of each number, white of an ordinary screen being 1
	for i := range light {
		light[i] = s.light(float64(i) / float64(n-1))
	}
	peak := s.peak() / white
	out := make([]uint16, 0, 3*n*n*n)
	for b := range n {
		for g := range n {
			for r := range n {
				c := s.show([3]float64{light[r], light[g], light[b]}, peak)
				for _, v := range c {
					out = append(out, uint16(math.Round(65535*math.Pow(v, 1/2.4)))) // BT.1886, inverse
				}
			}
		}
	}
	return out
}

// Colour is what becomes of one colour, all numbers from 0 to 1.
func (s Source) Colour(r, g, b float64) [3]float64 {
	c := s.show([3]float64{s.light(r), s.light(g), s.light(b)}, s.peak()/white)
	for i, v := range c {
		c[i] = math.Pow(v, 1/2.4)
	}
	return c
}

func (s Source) peak() float64 {
	if s.Transfer != PQ || s.Peak == 0 {
		return usualPeak
	}
	return max(minPeak, min(maxPeak, s.Peak))
}

// light is what a number of one channel means: of PQ display light, of HLG that of the
// scene, both in units of white; of SDR what a screen shows.
func (s Source) light(v float64) float64 {
	switch s.Transfer {
	case PQ:
		return pq(v) / white
	case HLG:
		return hlg(v)
	}
	return math.Pow(v, 2.4)
}

// show turns light into that of an ordinary screen, 0 to 1.
func (s Source) show(c [3]float64, peak float64) [3]float64 {
	if s.Transfer == HLG {
		// The OOTF of BT.2100 table 5: what a screen of 1000 cd/m² makes of the scene.
		y := luma2020(c)
		gain := 0.0
		if y > 0 {
			gain = math.Pow(y, 0.2) * usualPeak / white
		}
		c = scaled(c, gain)
	}
	if s.Transfer != SDR {
		// By the brightest channel, all by the same factor: colours keep their hue.
		if most := max(c[0], c[1], c[2]); most > 0 {
			c = scaled(c, squeeze(most, peak)/most)
		}
	}
	return inside(to709(c, s.Gamut))
}

func scaled(c [3]float64, by float64) [3]float64 {
	return [3]float64{c[0] * by, c[1] * by, c[2] * by}
}

func luma2020(c [3]float64) float64 { return 0.2627*c[0] + 0.6780*c[1] + 0.0593*c[2] }

// pq is the EOTF of SMPTE ST 2084 (BT.2100 table 4), in cd/m².
func pq(v float64) float64 {
	p := math.Pow(v, 1/m2)
	return 10000 * math.Pow(max(p-c1, 0)/(c2-c3*p), 1/m1)
}

// unpq is its inverse.
func unpq(l float64) float64 {
	y := math.Pow(l/10000, m1)
	return math.Pow((c1+c2*y)/(1+c3*y), m2)
}

const (
	m1 = 2610.0 / 16384
	m2 = 2523.0 / 4096 * 128
	c1 = 3424.0 / 4096
	c2 = 2413.0 / 4096 * 32
	c3 = 2392.0 / 4096 * 32
)

// hlg is the inverse OETF of HLG (BT.2100 table 5), 0 to 1.
func hlg(v float64) float64 {
	const a = 0.17883277
	const b = 1 - 4*a
	c := 0.5 - a*math.Log(4*a)
	if v <= 0.5 {
		return v * v / 3
	}
	return (math.Exp((v-c)/a) + b) / 12
}

// squeeze is the EETF of ITU-R BT.2390 section 5.4.1: what is dark stays, what is brighter
// than the knee is bent so that the peak becomes white. Light is in units of white.
func squeeze(l, peak float64) float64 {
	if peak <= 1 {
		return min(l, 1)
	}
	top := unpq(peak * white)
	e := min(unpq(l*white)/top, 1)
	most := unpq(white) / top
	knee := 1.5*most - 0.5
	if e > knee {
		t := (e - knee) / (1 - knee)
		t2, t3 := t*t, t*t*t
		e = (2*t3-3*t2+1)*knee + (t3-2*t2+t)*(1-knee) + (-2*t3+3*t2)*most
	}
	return pq(e*top) / white
}

// matrices are those of linear light to BT.709: ITU-R BT.2087 section 4, and of SMPTE EG
// 432-1's primaries the same way.
var matrices = map[Gamut][3][3]float64{
	BT2020: {{1.660491, -0.587641, -0.072850}, {-0.124550, 1.132900, -0.008349}, {-0.018151, -0.100579, 1.118730}},
	P3:     {{1.224940, -0.224940, 0}, {-0.042057, 1.042057, 0}, {-0.019638, -0.078636, 1.098274}},
}

func to709(c [3]float64, g Gamut) [3]float64 {
	m, other := matrices[g]
	if !other {
		return c
	}
	var out [3]float64
	for i, row := range m {
		out[i] = row[0]*c[0] + row[1]*c[1] + row[2]*c[2]
	}
	return out
}

// inside brings a colour that no ordinary screen can show to the nearest of the same
// brightness and hue, by taking saturation from it.
func inside(c [3]float64) [3]float64 {
	y := max(0, min(1, 0.2126*c[0]+0.7152*c[1]+0.0722*c[2]))
	keep := 1.0
	for _, v := range c {
		switch {
		case v < 0:
			keep = min(keep, y/(y-v))
		case v > 1:
			keep = min(keep, (1-y)/(v-y))
		}
	}
	for i, v := range c {
		c[i] = max(0, min(1, y+keep*(v-y)))
	}
	return c
}
