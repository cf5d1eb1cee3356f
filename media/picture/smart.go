package picture

import "image"

// attention finds the part of a little picture that catches the eye, w x h large, in
// parts of it. It returns where the part begins, between 0 and 1 of the room it has.
//
// What catches the eye are edges, strong colours and skin, as in smartcrop.js and
// libvips; the part with the most of them wins, and the one nearest to the middle
// among equals.
func attention(m *image.NRGBA, w, h float64) (x, y float64) {
	b := m.Rect.Size()
	columns, rows := make([]float64, b.X), make([]float64, b.Y)
	for py := range b.Y {
		for px := range b.X {
			s := salience(m, px, py)
			columns[px] += s
			rows[py] += s
		}
	}
	return window(columns, w), window(rows, h)
}

// salience is how much a pixel catches the eye, 0 to about 3.
func salience(m *image.NRGBA, x, y int) float64 {
	i := y*m.Stride + 4*x
	r, g, b, a := float64(m.Pix[i])/255, float64(m.Pix[i+1])/255, float64(m.Pix[i+2])/255, float64(m.Pix[i+3])/255
	most, least := max(r, g, b), min(r, g, b)
	s := 0.0
	if x > 0 && y > 0 && x < m.Rect.Dx()-1 && y < m.Rect.Dy()-1 { // Laplacian of brightness
		d := 4*light(m, i) - light(m, i-4) - light(m, i+4) - light(m, i-m.Stride) - light(m, i+m.Stride)
		s += min(max(d, -d), 1)
	}
	s += 0.3 * (most - least)
	if r > 0.35 && r > g && g > b && r-b > 0.08 && r-b < 0.6 && r-g < 0.35 { // skin, of any shade
		s += 0.6
	}
	return s * a
}

// light is the brightness of a pixel, 0 to 1.
func light(m *image.NRGBA, i int) float64 {
	return (0.299*float64(m.Pix[i]) + 0.587*float64(m.Pix[i+1]) + 0.114*float64(m.Pix[i+2])) * float64(m.Pix[i+3]) / (255 * 255)
}

// window returns where the window over a part of a line begins that has the largest
// sum, between 0 and 1 of the room it has.
func window(line []float64, part float64) float64 {
	n := max(1, int(part*float64(len(line))+0.5))
	room := len(line) - n
	if room <= 0 {
		return 0.5
	}
	best, at := -1.0, 0
	for i := range room + 1 {
		sum := 1e-6 // so that the middle wins where nothing catches the eye
		for _, v := range line[i : i+n] {
			sum += v
		}
		off := float64(2*i-room) / float64(room)
		if sum *= 1 - 0.02*off*off; sum > best {
			best, at = sum, i
		}
	}
	return float64(at) / float64(room)
}
