package letters

import (
	"image"
	"testing"
)

func TestTheFontHasTheseAlphabets(t *testing.T) {
	for text, want := range map[string]rune{
		"© 2026 Jörg Ångström": 0, "Ελλάδα": 0, "Москва Київ": 0, "Łódź, Iași": 0, "“quoted” – €5": 0,
		"海 by me": '海', "한국": '한', "שלום": 'ש', "a🌊": '🌊', "a\u200bb": '\u200b', "a\nb": '\n', "a\x00": 0,
	} {
		r, lacks := Lacks(text)
		if want != 0 && (!lacks || r != want) || want == 0 && lacks && text != "a\x00" {
			t.Errorf("%q: %q, %v", text, r, lacks)
		}
	}
}

// What is drawn fills its picture, whatever the size: nothing is cut off, and nothing is
// left around it.
func TestALineFillsItsPicture(t *testing.T) {
	for _, text := range []string{"Ågjpq", "j", "©", "ÅÄ, Ö"} {
		l, err := New(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, size := range []float64{1, 7.3, 40, 300} {
			m, err := l.Draw(size)
			if err != nil {
				t.Fatal(err)
			}
			w, h := l.Size(size)
			if b := m.Rect; float64(b.Dx())-w >= 1.001 || float64(b.Dy())-h >= 1.001 {
				t.Errorf("%q at %g: %v for %g x %g", text, size, b, w, h)
			}
			if ink := ink(m); size >= 40 && !image.Rect(1, 1, m.Rect.Max.X-1, m.Rect.Max.Y-1).In(ink) {
				t.Errorf("%q at %g: %v of %v is drawn", text, size, ink, m.Rect)
			}
		}
	}
}

// ink is where something is drawn.
func ink(m *image.Alpha) (r image.Rectangle) {
	for i, v := range m.Pix {
		if v > 0 {
			x, y := i%m.Stride, i/m.Stride
			r = r.Union(image.Rect(x, y, x+1, y+1))
		}
	}
	return r
}
