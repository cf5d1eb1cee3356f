package strip

import (
	"encoding/binary"
	"image"
	"testing"
)

func TestTheApertureLiesAroundItsMiddle(t *testing.T) {
	for _, c := range []struct {
		name       string
		w, h       int64
		x, y, over int32 // offsets of the middle, as fractions of over
		want       image.Rectangle
	}{
		{"in the middle", 50, 40, 0, 0, 1, image.Rect(25, 30, 75, 70)},
		{"the upper left corner, as encoders of odd sizes write it", 99, 99, -1, -1, 2, image.Rect(0, 0, 99, 99)},
		{"to the right and up", 50, 40, 20, -30, 1, image.Rect(45, 0, 95, 40)},
		{"out of the picture", 50, 40, 1000, -1000, 1, image.Rect(50, 0, 100, 40)},
		{"without a denominator", 50, 40, 7, 7, 0, image.Rect(25, 30, 75, 70)},
	} {
		var b []byte
		for _, v := range []int64{c.w, 1, c.h, 1, int64(c.x), int64(c.over), int64(c.y), int64(c.over)} {
			b = binary.BigEndian.AppendUint32(b, uint32(v))
		}
		if got := shown(b, 100, 100, c.w, c.h); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
