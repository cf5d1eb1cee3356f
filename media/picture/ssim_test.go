package picture

import (
	"image"
	"math"
	"testing"
)

// ssim is the mean structural similarity of two pictures' brightness (Wang et al.
// 2004), over windows of 8 x 8 pixels, 4 apart.
func ssim(t testing.TB, a, b *image.NRGBA) float64 {
	t.Helper()
	if a.Rect.Size() != b.Rect.Size() {
		t.Fatalf("sizes %v and %v", a.Rect.Size(), b.Rect.Size())
	}
	var total, n float64
	for y := 0; y+8 <= a.Rect.Dy(); y += 4 {
		for x := 0; x+8 <= a.Rect.Dx(); x += 4 {
			var sa, sb, saa, sbb, sab float64
			for dy := range 8 {
				for dx := range 8 {
					p, q := 255*light(a, (y+dy)*a.Stride+4*(x+dx)), 255*light(b, (y+dy)*b.Stride+4*(x+dx))
					sa, sb, saa, sbb, sab = sa+p, sb+q, saa+p*p, sbb+q*q, sab+p*q
				}
			}
			ma, mb := sa/64, sb/64
			va, vb, cov := saa/64-ma*ma, sbb/64-mb*mb, sab/64-ma*mb
			const c1, c2 = 0.01 * 255 * 0.01 * 255, 0.03 * 255 * 0.03 * 255
			total += (2*ma*mb + c1) * (2*cov + c2) / ((ma*ma + mb*mb + c1) * (va + vb + c2))
			n++
		}
	}
	return total / math.Max(n, 1)
}
