package picture

import (
	"image"
	"math"
)

// resize gives m a size, with Lanczos' filter of three lobes. The result is always a
// copy. It does what imaging.Resize does, several times quicker and in a few rows of
// memory: colours are whole numbers, weighted by alpha, and two of them share a word.
func resize(m *image.NRGBA, to image.Point) *image.NRGBA {
	size := m.Rect.Size()
	for size.Y > 32*to.Y { // else the rows below would be many
		m = resize(m, image.Pt(min(size.X, to.X), (size.Y+15)/16))
		size = m.Rect.Size()
	}
	across, down := lanczos(size.X, to.X), lanczos(size.Y, to.Y)
	out := image.NewNRGBA(image.Rectangle{Max: to})
	most := 0
	for _, t := range down {
		most = max(most, len(t.weights))
	}
	ring := make([][]int64, most) // rows that are done across, by their number
	for i := range ring {
		ring[i] = make([]int64, 2*to.X)
	}
	source, sum := [2][]int64{make([]int64, size.X), make([]int64, size.X)}, make([]int64, 2*to.X)
	next := 0
	for y, t := range down {
		for next = max(next, t.first); next < t.first+len(t.weights); next++ {
			unpack(&source, m.Pix[next*m.Stride:][:4*size.X])
			mix(ring[next%most], &source, across)
		}
		clear(sum)
		for i, weight := range t.weights {
			row := ring[(t.first+i)%most][:len(sum)]
			for x := range sum {
				sum[x] += weight * row[x]
			}
		}
		pack(out.Pix[y*out.Stride:][:4*to.X], sum)
	}
	return out
}

// taps are the pixels of a line that make one pixel, and their weights, which add up
// to one.
type taps struct {
	first   int
	weights []int64
}

// one is the weight 1. With it, and colours times alpha of up to unit, a sum stays
// within 32 bits: the filter's positive weights add up to 1.3, its negative to -0.3.
const (
	bits = 14
	one  = 1 << bits
	unit = 255 * 255
)

// lanczos returns the taps of every pixel of a line of to pixels, made of from.
func lanczos(from, to int) []taps {
	out := make([]taps, to)
	step := float64(from) / float64(to)
	stretch := max(step, 1)
	for i := range out {
		middle := (float64(i)+0.5)*step - 0.5
		first := max(0, int(math.Ceil(middle-3*stretch)))
		last := min(from-1, int(math.Floor(middle+3*stretch)))
		values, sum := make([]float64, last-first+1), 0.0
		for k := range values {
			values[k] = lobe((float64(first+k) - middle) / stretch)
			sum += values[k]
		}
		out[i] = taps{first, make([]int64, len(values))}
		done, so := int64(0), 0.0
		for k, v := range values { // what rounding leaves is for the next, so that nothing is lost
			so += v
			w := int64(math.Round(so/sum*one)) - done
			out[i].weights[k] = w
			done += w
		}
	}
	return out
}

// lobe is Lanczos' filter.
func lobe(x float64) float64 {
	if x == 0 {
		return 1
	}
	if x <= -3 || x >= 3 {
		return 0
	}
	x *= math.Pi
	return 3 * math.Sin(x) * math.Sin(x/3) / (x * x)
}

// unpack makes two words of each pixel: red and blue, green and alpha. A word holds
// the first as its value and the second 32 bits higher, both times alpha.
func unpack(dst *[2][]int64, row []uint8) {
	red, green := dst[0], dst[1][:len(dst[0])]
	for i := range red {
		p := row[4*i : 4*i+4 : 4*i+4]
		a := int64(p[3])
		red[i] = (int64(p[0]) | int64(p[2])<<32) * a
		green[i] = (int64(p[1]) | 255<<32) * a
	}
}

// halves takes a word of sums apart, and brings them back to the scale of unit.
func halves(word int64) (low, high int64) {
	l := int64(int32(word)) // may be negative, and has then borrowed from the other
	h := (word - l) >> 32
	return min(max((l+one/2)>>bits, 0), unit), min(max((h+one/2)>>bits, 0), unit)
}

// mix makes a row of pixels of another.
func mix(dst []int64, src *[2][]int64, across []taps) {
	for x, t := range across {
		red, green := src[0][t.first:][:len(t.weights)], src[1][t.first:][:len(t.weights)]
		var rb, ga int64
		for k, w := range t.weights {
			rb += w * red[k]
			ga += w * green[k]
		}
		r, b := halves(rb)
		g, a := halves(ga)
		dst[2*x], dst[2*x+1] = r|b<<32, g|a<<32
	}
}

// pack makes pixels of sums.
func pack(row []uint8, sum []int64) {
	for x := range len(sum) / 2 {
		p := row[4*x : 4*x+4 : 4*x+4]
		r, b := halves(sum[2*x])
		g, a := halves(sum[2*x+1])
		p[3] = uint8((a + 127) / 255)
		switch {
		case a == unit:
			p[0], p[1], p[2] = uint8((r+127)/255), uint8((g+127)/255), uint8((b+127)/255)
		case p[3] > 0:
			p[0], p[1], p[2] = straight(r, a), straight(g, a), straight(b, a)
		}
	}
}

// straight is a colour without its alpha.
func straight(c, a int64) uint8 { return uint8(min((c*255+a/2)/a, 255)) }
