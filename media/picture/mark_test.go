package picture

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"testing"

	"picora/media"
)

// flat is a picture of one colour.
func flat(w, h int, c color.NRGBA) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		copy(m.Pix[4*i:], []uint8{c.R, c.G, c.B, c.A})
	}
	return m
}

var (
	grey = color.NRGBA{100, 100, 100, 255}
	red  = color.NRGBA{250, 0, 0, 255}
)

// marked is what a mark makes of a picture.
func marked(t testing.TB, m *image.NRGBA, mark media.Mark, stamp *image.NRGBA, spec media.Spec) *image.NRGBA {
	t.Helper()
	src := pngOf(t, m)
	if stamp != nil {
		mark.Picture = "x"
		src.Mark = pngOf(t, stamp).Data
	}
	spec.Mark = &mark
	if spec.Format == "" {
		spec.Format = "png"
	}
	out, _ := made(t, src, spec)
	return pixels(t, out)
}

// changed is the part of m that is not of one colour.
func changed(m *image.NRGBA, c color.NRGBA) (r image.Rectangle) {
	for y := range m.Rect.Dy() {
		for x := range m.Rect.Dx() {
			if m.NRGBAAt(x, y) != c {
				r = r.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return r
}

func TestAMarkIsAtItsPlace(t *testing.T) {
	for i, place := range media.Places {
		mark := media.Mark{Scale: 0.2, Place: place, Margin: 0.1, Opacity: 1}
		m := marked(t, flat(200, 100, grey), mark, flat(10, 5, red), media.Spec{})
		corner := image.Pt([]int{10, 80, 150}[i%3], []int{10, 40, 70}[i/3])
		want := image.Rectangle{corner, corner.Add(image.Pt(40, 20))}
		if got := changed(m, grey); got != want || m.NRGBAAt(corner.X+20, corner.Y+10) != red {
			t.Errorf("%s: at %v, want %v", place, got, want)
		}
		mark.Text, mark.Colour = "Mark", "fa0000"
		m = marked(t, flat(200, 100, grey), mark, nil, media.Spec{})
		got := changed(m, grey)
		dx, dy := got.Dx(), got.Dy()
		want = image.Rect(0, 0, dx, dy).Add(image.Pt([]int{10, (200 - dx) / 2, 190 - dx}[i%3], []int{10, (100 - dy) / 2, 90 - dy}[i/3]))
		if off := got.Min.Sub(want.Min); dx < 40 || dy < 10 || off.X*off.X > 4 || off.Y*off.Y > 4 {
			t.Errorf("%s: the text is at %v, want %v", place, got, want)
		}
	}
}

func TestOpacity(t *testing.T) {
	m := marked(t, flat(100, 100, grey), media.Mark{Scale: 0.5, Place: "center", Opacity: 0.5}, flat(9, 9, red), media.Spec{})
	if got := m.NRGBAAt(50, 50); !near(got, color.NRGBA{175, 50, 50, 255}, 1) {
		t.Errorf("half: %v", got)
	}
	half := color.NRGBA{250, 0, 0, 128}
	m = marked(t, flat(100, 100, grey), media.Mark{Scale: 0.5, Place: "center", Opacity: 0.5}, flat(9, 9, half), media.Spec{})
	if got := m.NRGBAAt(50, 50); !near(got, color.NRGBA{138, 75, 75, 255}, 1) {
		t.Errorf("half of what is half transparent: %v", got)
	}
}

// Over a transparent picture a mark keeps its colour; only what is seen of the
// picture mixes with it.
func TestAMarkOverTransparency(t *testing.T) {
	mark := media.Mark{Scale: 0.5, Place: "center", Opacity: 0.5}
	m := marked(t, flat(100, 100, color.NRGBA{}), mark, flat(9, 9, red), media.Spec{})
	if got := m.NRGBAAt(50, 50); !near(got, color.NRGBA{250, 0, 0, 128}, 1) || m.NRGBAAt(5, 5).A != 0 {
		t.Errorf("over nothing: %v, beside it %v", got, m.NRGBAAt(5, 5))
	}
	m = marked(t, flat(100, 100, color.NRGBA{0, 0, 200, 128}), mark, flat(9, 9, red), media.Spec{})
	if got := m.NRGBAAt(50, 50); !near(got, color.NRGBA{167, 0, 66, 192}, 1) {
		t.Errorf("over half of blue: %v", got)
	}
	m = marked(t, flat(100, 100, color.NRGBA{}), mark, flat(9, 9, red), media.Spec{Background: "0000c8"})
	if got := m.NRGBAAt(50, 50); !near(got, color.NRGBA{125, 0, 100, 255}, 1) {
		t.Errorf("over a background: %v", got)
	}
}

func TestTilesCoverThePicture(t *testing.T) {
	m := marked(t, flat(300, 200, grey), media.Mark{Scale: 0.1, Place: "top", Margin: 0.05, Opacity: 1, Tiled: true}, flat(30, 10, red), media.Spec{})
	for _, p := range []image.Point{{25, 15}, {65, 15}, {5, 35}, {45, 35}, {275, 195}, {285, 35}} {
		if m.NRGBAAt(p.X, p.Y) != red {
			t.Errorf("no tile at %v", p)
		}
	}
	for _, p := range []image.Point{{45, 15}, {5, 5}, {25, 25}, {25, 35}} {
		if m.NRGBAAt(p.X, p.Y) != grey {
			t.Errorf("no gap at %v", p)
		}
	}
}

func TestAMarkTurnsClockwise(t *testing.T) {
	stamp := flat(40, 10, red)
	for x := range 20 { // its left half
		for y := range 10 {
			stamp.SetNRGBA(x, y, color.NRGBA{0, 0, 250, 255})
		}
	}
	m := marked(t, flat(100, 100, grey), media.Mark{Scale: 0.4, Place: "center", Opacity: 1, Rotate: 90}, stamp, media.Spec{})
	if got := changed(m, grey); got != image.Rect(45, 30, 55, 70) || m.NRGBAAt(50, 35).B != 250 || m.NRGBAAt(50, 65) != red {
		t.Errorf("a quarter: %v, %v above %v", got, m.NRGBAAt(50, 35), m.NRGBAAt(50, 65))
	}
	m = marked(t, flat(100, 100, grey), media.Mark{Scale: 0.4, Place: "center", Opacity: 1, Rotate: -45}, stamp, media.Spec{})
	if m.NRGBAAt(40, 60).B != 250 || m.NRGBAAt(60, 40) != red || m.NRGBAAt(60, 60) != grey {
		t.Error("it does not rise to the right")
	}
}

// However large it is to be, and however small the picture, a mark goes in whole.
func TestAMarkGoesIn(t *testing.T) {
	for _, mark := range []media.Mark{
		{Scale: 1, Margin: 0.25}, {Scale: 1, Rotate: 30}, {Scale: 0.005}, {Scale: 1, Tiled: true},
		{Scale: 1, Text: "a text that is much too long for this"}, {Scale: 0.005, Text: "a"}, {Scale: 0.3, Text: "Ågj", Rotate: 45, Margin: 0.1},
	} {
		mark.Place, mark.Opacity, mark.Colour = "center", 1, "ff0000"
		for _, size := range []image.Point{{400, 20}, {20, 400}, {1, 1}, {2, 1}, {1, 300}} {
			stamp := flat(30, 30, red)
			if mark.Text != "" {
				stamp = nil
			}
			m := marked(t, flat(size.X, size.Y, grey), mark, stamp, media.Spec{})
			margin := int(mark.Margin * float64(min(size.X, size.Y)))
			r := changed(m, grey)
			if m.Rect.Size() != size || mark.Text == "" && r.Empty() || !r.In(image.Rect(margin-1, margin-1, size.X-margin+1, size.Y-margin+1)) {
				t.Errorf("%+v on %v: at %v", mark, size, r)
			}
		}
	}
}

func TestEveryFrameIsMarked(t *testing.T) {
	mark := media.Mark{Scale: 0.25, Place: "bottom-right", Opacity: 1, Picture: "x"}
	for _, src := range []Source{gifOf(t, 4, 64, 48), apngOf(t, 4, 64, 48), animatedWebP(t, 4, 64, 48)} {
		src.Mark = pngOf(t, flat(16, 16, red)).Data
		for _, format := range []string{"gif", "webp"} {
			out, m := made(t, src, media.Spec{Format: format, Quality: 100, Mark: &mark})
			if m.Frames != 4 {
				t.Fatalf("%v as %s: %d frames", src.Type, format, m.Frames)
			}
			n := 0
			for p, err := range frames(out, Limits{}) {
				if err != nil {
					t.Fatal(err)
				}
				b := p.image.Bounds()
				if c := p.image.(*image.NRGBA).NRGBAAt(b.Max.X-8, b.Max.Y-8); !near(c, red, 12) {
					t.Errorf("%v as %s: frame %d has %v", src.Type, format, n, c)
				}
				n++
			}
			if n != 4 {
				t.Errorf("%v as %s: %d frames are there", src.Type, format, n)
			}
		}
	}
}

// Size, turning and blur are the picture's, not the mark's.
func TestAMarkIsDrawnLast(t *testing.T) {
	mark := media.Mark{Scale: 0.5, Place: "top-left", Opacity: 1}
	src := scene(300, 200, false)
	m := marked(t, src, mark, flat(8, 8, red), media.Spec{Width: 100, Height: 80, Fit: media.Contain, Background: "00ff00", Rotate: 90, Blur: 5})
	if m.Rect.Size() != image.Pt(100, 80) {
		t.Fatal(m.Rect)
	}
	for _, p := range []image.Point{{0, 0}, {49, 49}} {
		if m.NRGBAAt(p.X, p.Y) != red {
			t.Errorf("at %v: %v", p, m.NRGBAAt(p.X, p.Y))
		}
	}
	if c := m.NRGBAAt(50, 50); c == red {
		t.Errorf("beside it: %v", c)
	}
}

func TestMarksAreChecked(t *testing.T) {
	good := media.Mark{Text: "a", Colour: "ffffff", Scale: 0.1, Place: "top", Opacity: 1}
	for _, spoil := range []func(*media.Mark){
		func(m *media.Mark) { m.Text = "" }, func(m *media.Mark) { m.Picture = "x" }, func(m *media.Mark) { m.Colour = "red" },
		func(m *media.Mark) { m.Scale = 0 }, func(m *media.Mark) { m.Scale = 1.1 }, func(m *media.Mark) { m.Place = "above" },
		func(m *media.Mark) { m.Margin = -1 }, func(m *media.Mark) { m.Opacity = 0 }, func(m *media.Mark) { m.Rotate = 181 },
	} {
		bad := good
		spoil(&bad)
		if _, err := Make(context.Background(), pngOf(t, flat(9, 9, grey)), media.Spec{Format: "png", Mark: &bad}, Limits{}, &bytes.Buffer{}); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
	good.Text, good.Picture = "", "x"
	src := pngOf(t, flat(9, 9, grey))
	for _, file := range [][]byte{nil, []byte("no picture"), src.Data[:40]} {
		src.Mark = file
		if _, err := Make(context.Background(), src, media.Spec{Format: "png", Mark: &good}, Limits{}, &bytes.Buffer{}); err == nil {
			t.Errorf("the file %.20q is drawn", file)
		}
	}
}
