package icc

import (
	"bytes"
	"encoding/binary"
	"math"
)

// The profiles of the tests are written here, by the ICC's own description, so that
// they need no file and share no code with what reads them.

// profile assembles an ICC profile, version 2.4, of tags in order.
func profile(class, space, pcs string, names []string, tags [][]byte) []byte {
	head := make([]byte, 128)
	copy(head[8:], "\x02\x40\x00\x00"+class+space+pcs)
	copy(head[36:], "acsp")
	copy(head[68:], xyz(0.9642, 1, 0.8249)[8:])
	table := binary.BigEndian.AppendUint32(nil, uint32(len(names)))
	var body []byte
	for i, tag := range tags {
		table = append(table, names[i]...)
		table = binary.BigEndian.AppendUint32(table, uint32(128+4+12*len(names)+len(body)))
		table = binary.BigEndian.AppendUint32(table, uint32(len(tag)))
		body = append(body, tag...)
		body = append(body, make([]byte, -len(tag)&3)...)
	}
	p := bytes.Join([][]byte{head, table, body}, nil)
	binary.BigEndian.PutUint32(p, uint32(len(p)))
	return p
}

func fixed(v float64) uint32 { return uint32(int32(math.Round(v * 65536))) }

func xyz(x, y, z float64) []byte {
	b := []byte("XYZ \x00\x00\x00\x00")
	for _, v := range []float64{x, y, z} {
		b = binary.BigEndian.AppendUint32(b, fixed(v))
	}
	return b
}

// curve is a tone curve of 1024 points.
func curve(f func(float64) float64) []byte {
	b := []byte("curv\x00\x00\x00\x00\x00\x00\x04\x00")
	for i := range 1024 {
		b = binary.BigEndian.AppendUint16(b, uint16(math.Round(f(float64(i)/1023)*65535)))
	}
	return b
}

func gamma(g float64) func(float64) float64 {
	return func(v float64) float64 { return math.Pow(v, g) }
}

// srgbCurve is IEC 61966-2-1's.
func srgbCurve(v float64) float64 {
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}

// rgb is a profile of three colorants, given as the columns of the matrix to XYZ under
// D50, as such profiles have them.
func rgb(r, g, b [3]float64, tone func(float64) float64) []byte {
	trc := curve(tone)
	return profile("mntr", "RGB ", "XYZ ", []string{"wtpt", "rXYZ", "gXYZ", "bXYZ", "rTRC", "gTRC", "bTRC"},
		[][]byte{xyz(0.9642, 1, 0.8249), xyz(r[0], r[1], r[2]), xyz(g[0], g[1], g[2]), xyz(b[0], b[1], b[2]), trc, trc, trc})
}

// The matrices of widely used profiles.
func srgb() []byte {
	return rgb([3]float64{0.4361, 0.2225, 0.0139}, [3]float64{0.3851, 0.7169, 0.0971}, [3]float64{0.1431, 0.0606, 0.7141}, srgbCurve)
}

func displayP3() []byte {
	return rgb([3]float64{0.5151, 0.2412, -0.0011}, [3]float64{0.2920, 0.6922, 0.0419}, [3]float64{0.1571, 0.0666, 0.7841}, srgbCurve)
}

func adobeRGB() []byte {
	return rgb([3]float64{0.6097, 0.3111, 0.0195}, [3]float64{0.2053, 0.6257, 0.0609}, [3]float64{0.1492, 0.0632, 0.7446}, gamma(563.0/256))
}

func gray(g float64) []byte {
	return profile("mntr", "GRAY", "XYZ ", []string{"wtpt", "kTRC"}, [][]byte{xyz(0.9642, 1, 0.8249), curve(gamma(g))})
}

// press is a CMYK profile with a table of two points to a side (lut8Type): paper is
// Lab 100, black ink 0, and cyan, magenta and yellow have colours of their own that
// darken each other.
func press() []byte {
	lut := append([]byte("mft1\x00\x00\x00\x00\x04\x03\x02\x00"), make([]byte, 36)...)
	for i := range 9 { // the unit matrix, unused
		if i%4 == 0 {
			binary.BigEndian.PutUint32(lut[12+4*i:], 65536)
		}
	}
	linear := make([]byte, 256)
	for i := range linear {
		linear[i] = byte(i)
	}
	for range 4 {
		lut = append(lut, linear...)
	}
	for i := range 16 {
		l, a, b := 255.0, 128.0, 128.0
		for ink, lab := range [4][3]float64{{0.55, -35, -50}, {0.48, 75, -5}, {0.9, -5, 90}, {0, 0, 0}} {
			if i>>(3-ink)&1 == 1 {
				l, a, b = l*lab[0], a+lab[1], b+lab[2]
			}
		}
		if i&1 == 1 {
			a, b = 128, 128
		}
		lut = append(lut, byte(l), byte(min(max(a, 0), 255)), byte(min(max(b, 0), 255)))
	}
	for range 3 {
		lut = append(lut, linear...)
	}
	return profile("prtr", "CMYK", "Lab ", []string{"wtpt", "A2B0"}, [][]byte{xyz(0.9642, 1, 0.8249), lut})
}
