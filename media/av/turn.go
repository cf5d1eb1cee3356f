package av

import "math"

// turn is how decoded pictures are to be turned for showing: first the two axes are
// swapped or not, then the result is mirrored.
type turn struct {
	swap, left, down bool // swapped; mirrored left to right; mirrored top to bottom
}

// turnOf reads a display matrix (ISO/IEC 14496-12 section 6.2.2, as FFmpeg's
// libavutil/display.h has it) as the nearest of the eight turns.
func turnOf(m [9]int32) turn {
	a, b, c, d := float64(m[0]), float64(m[1]), float64(m[3]), float64(m[4])
	if math.Abs(b)+math.Abs(c) > math.Abs(a)+math.Abs(d) {
		return turn{swap: true, left: c < 0, down: b < 0}
	}
	return turn{left: a < 0, down: d < 0}
}

// degrees is how far the picture is turned clockwise; that it is mirrored as well does not show.
func (t turn) degrees() int {
	switch t {
	case turn{swap: true, left: true}, turn{swap: true, left: true, down: true}:
		return 90
	case turn{left: true, down: true}:
		return 180
	case turn{swap: true, down: true}, turn{swap: true}:
		return 270
	}
	return 0
}

// filters are those that turn the pictures.
func (t turn) filters() (list []string) {
	if t.swap {
		dir := map[[2]bool]string{{false, false}: "cclock_flip", {true, false}: "clock", {false, true}: "cclock", {true, true}: "clock_flip"}[[2]bool{t.left, t.down}]
		return []string{"transpose=" + dir}
	}
	if t.left {
		list = append(list, "hflip")
	}
	if t.down {
		list = append(list, "vflip")
	}
	return list
}

// shown is the size that pictures of w x h have on a screen, with pixels of the aspect
// given (width to height; zero: square): not turned.
func shown(w, h int, aspect [2]int) (int, int) {
	x, y := aspect[0], aspect[1]
	if x <= 0 || y <= 0 || x > 8*y || y > 8*x { // more than that is a mistake
		return w, h
	}
	return max(1, int(math.Round(float64(w)*float64(x)/float64(y)))), h
}

// even is the nearest smaller size that 4:2:0 can have.
func even(n int) int { return max(2, n&^1) }
