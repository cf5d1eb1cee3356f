package corpus

import "math"

// luma is how bright each pixel is.
func luma(rgb []byte) []byte {
	out := make([]byte, len(rgb)/3)
	for i := range out {
		out[i] = byte((299*int(rgb[3*i]) + 587*int(rgb[3*i+1]) + 114*int(rgb[3*i+2])) / 1000)
	}
	return out
}

func mean(pix []byte) float64 {
	sum := 0
	for _, p := range pix {
		sum += int(p)
	}
	return float64(sum) / float64(max(len(pix), 1))
}

// SSIM is how alike two pictures are: 1 when they are the same (Wang et al. 2004, over
// squares of 8 pixels at every fourth pixel, of the brightness).
func SSIM(a, b []byte, w, h int) float64 {
	x, y := luma(a), luma(b)
	const side, step = 8, 4
	sum, n := 0.0, 0
	for top := 0; top+side <= h; top += step {
		for left := 0; left+side <= w; left += step {
			sum += similar(x, y, top*w+left, w, side)
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}

// similar is the SSIM of one square.
func similar(x, y []byte, at, w, side int) float64 {
	const c1, c2 = (0.01 * 255) * (0.01 * 255), (0.03 * 255) * (0.03 * 255)
	var sx, sy, sxx, syy, sxy float64
	for row := range side {
		for i := at + row*w; i < at+row*w+side; i++ {
			p, q := float64(x[i]), float64(y[i])
			sx, sy, sxx, syy, sxy = sx+p, sy+q, sxx+p*p, syy+q*q, sxy+p*q
		}
	}
	n := float64(side * side)
	mx, my := sx/n, sy/n
	vx, vy, cov := sxx/n-mx*mx, syy/n-my*my, sxy/n-mx*my
	return (2*mx*my + c1) * (2*cov + c2) / ((mx*mx + my*my + c1) * (vx + vy + c2))
}

// ColourOff is how far the colours of two pictures are apart: the largest difference of
// the means of red, green and blue.
func ColourOff(a, b []byte) float64 {
	var off [3]float64
	for i := range min(len(a), len(b)) {
		off[i%3] += float64(a[i]) - float64(b[i])
	}
	n := float64(len(a) / 3)
	return max(math.Abs(off[0]/n), math.Abs(off[1]/n), math.Abs(off[2]/n))
}
