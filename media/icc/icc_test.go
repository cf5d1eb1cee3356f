package icc

import (
	"image"
	"image/color"
	"testing"
)

// near compares two colours with a tolerance.
func near(a, b color.NRGBA, by int) bool {
	off := func(x, y uint8) bool { return int(x)-int(y) > by || int(y)-int(x) > by }
	return !off(a.R, b.R) && !off(a.G, b.G) && !off(a.B, b.B) && a.A == b.A
}

// The expected values are those of the spaces' definitions, worked out by matrix and
// curve; what sRGB cannot show is cut off.
func TestRGB(t *testing.T) {
	for name, c := range map[string]struct {
		profile  []byte
		in, want color.NRGBA
	}{
		"P3 red is redder than sRGB's": {displayP3(), color.NRGBA{255, 0, 0, 255}, color.NRGBA{255, 0, 0, 255}},
		"P3 a soft red":                {displayP3(), color.NRGBA{200, 100, 80, 255}, color.NRGBA{215, 93, 73, 255}},
		"P3 transparent":               {displayP3(), color.NRGBA{200, 100, 80, 7}, color.NRGBA{215, 93, 73, 7}},
		"P3 gray":                      {displayP3(), color.NRGBA{77, 77, 77, 255}, color.NRGBA{77, 77, 77, 255}},
		"Adobe a green":                {adobeRGB(), color.NRGBA{120, 180, 90, 255}, color.NRGBA{81, 181, 83, 255}},
		"Adobe gray":                   {adobeRGB(), color.NRGBA{128, 128, 128, 255}, color.NRGBA{129, 129, 129, 255}},
		"sRGB stays as it is":          {srgb(), color.NRGBA{201, 17, 93, 255}, color.NRGBA{201, 17, 93, 255}},
		"gray of gamma 1.8":            {gray(1.8), color.NRGBA{100, 100, 100, 255}, color.NRGBA{119, 119, 119, 255}},
		"gray stays gray, alpha stays": {gray(2.2), color.NRGBA{200, 200, 200, 9}, color.NRGBA{201, 201, 201, 9}},
	} {
		m := image.NewNRGBA(image.Rect(0, 0, 3, 2))
		m64 := image.NewNRGBA64(m.Rect)
		for y := range 2 {
			for x := range 3 {
				m.Set(x, y, c.in)
				m64.SetNRGBA64(x, y, color.NRGBA64{uint16(c.in.R) * 257, uint16(c.in.G) * 257, uint16(c.in.B) * 257, uint16(c.in.A) * 257})
			}
		}
		if got := ToSRGB(c.profile, m); got != m || !near(got.NRGBAAt(2, 1), c.want, 1) {
			t.Errorf("%s: %v, want %v", name, got.NRGBAAt(2, 1), c.want)
		}
		if got := ToSRGB(c.profile, m64).NRGBAAt(2, 1); !near(got, c.want, 1) {
			t.Errorf("%s in 16 bits: %v, want %v", name, got, c.want)
		}
	}
}

func TestCMYK(t *testing.T) {
	for name, c := range map[string]struct {
		profile []byte
		in      color.CMYK
		want    color.NRGBA
		by      int
	}{
		"paper":               {press(), color.CMYK{}, color.NRGBA{255, 255, 255, 255}, 2},
		"black ink":           {press(), color.CMYK{K: 255}, color.NRGBA{0, 0, 0, 255}, 2},
		"half black":          {press(), color.CMYK{K: 128}, color.NRGBA{118, 118, 118, 255}, 3}, // Lab 50
		"magenta":             {press(), color.CMYK{M: 255}, color.NRGBA{222, 0, 122, 255}, 40},
		"yellow":              {press(), color.CMYK{Y: 255}, color.NRGBA{240, 226, 20, 255}, 25},
		"no profile, magenta": {nil, color.CMYK{M: 255}, color.NRGBA{255, 0, 255, 255}, 0},
		"no profile, mixed":   {nil, color.CMYK{100, 50, 0, 51}, color.NRGBA{124, 164, 204, 255}, 0},
		"a profile of RGB":    {adobeRGB(), color.CMYK{M: 255}, color.NRGBA{255, 0, 255, 255}, 0},
	} {
		m := image.NewCMYK(image.Rect(0, 0, 4, 4))
		for i := range 16 {
			m.SetCMYK(i%4, i/4, c.in)
		}
		if got := ToSRGB(c.profile, m.SubImage(image.Rect(1, 1, 3, 4))); got.Rect != image.Rect(0, 0, 2, 3) || !near(got.NRGBAAt(1, 2), c.want, c.by) {
			t.Errorf("%s: %v, want %v", name, got.NRGBAAt(1, 2), c.want)
		}
	}
}

func TestABadProfileIsIgnored(t *testing.T) {
	damaged := adobeRGB()
	copy(damaged[128:], "\xFF\xFF\xFF\xFF")
	link := adobeRGB()
	copy(link[12:], "link")
	for name, p := range map[string][]byte{
		"none": nil, "text": []byte("hello"), "damaged": damaged, "a device link": link, "of CMYK": press(),
		"too large": append(adobeRGB(), make([]byte, maxProfile)...), "cut off": adobeRGB()[:200],
	} {
		m := image.NewNRGBA(image.Rect(0, 0, 1, 1))
		m.SetNRGBA(0, 0, color.NRGBA{120, 180, 90, 255})
		if got := ToSRGB(p, m).NRGBAAt(0, 0); got != (color.NRGBA{120, 180, 90, 255}) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestSixteenBitsAreRounded(t *testing.T) {
	m := image.NewNRGBA64(image.Rect(0, 0, 65536, 1))
	for i := range 65536 {
		m.SetNRGBA64(i, 0, color.NRGBA64{uint16(i), 0, 0, 65535})
	}
	out := ToSRGB(nil, m)
	for i := range 65536 {
		if want := uint8((i + 128) / 257); out.NRGBAAt(i, 0).R != want {
			t.Fatalf("%d became %d, want %d", i, out.NRGBAAt(i, 0).R, want)
		}
	}
}

func TestOtherKindsOfPictures(t *testing.T) {
	g := image.NewGray(image.Rect(0, 0, 2, 2))
	g.Pix[3] = 200
	if got := ToSRGB(nil, g).NRGBAAt(1, 1); got != (color.NRGBA{200, 200, 200, 255}) {
		t.Errorf("gray: %v", got)
	}
	if got := ToSRGB(nil, image.NewNRGBA(image.Rectangle{})); !got.Rect.Empty() {
		t.Errorf("empty: %v", got.Rect)
	}
}

func FuzzToSRGB(f *testing.F) {
	for _, p := range [][]byte{srgb(), displayP3(), adobeRGB(), gray(1.8), press()} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, profile []byte) {
		m := image.NewNRGBA(image.Rect(0, 0, 3, 2))
		for i := range m.Pix {
			m.Pix[i] = uint8(i * 11)
		}
		out := ToSRGB(profile, m)
		for i := 3; i < len(out.Pix); i += 4 {
			if out.Pix[i] != uint8(i*11) {
				t.Fatal("transparency changed")
			}
		}
		ToSRGB(profile, image.NewNRGBA64(m.Rect))
		ToSRGB(profile, image.NewCMYK(m.Rect))
	})
}

func BenchmarkCMYK(b *testing.B) {
	p, m := press(), image.NewCMYK(image.Rect(0, 0, 500, 400))
	for i := range m.Pix {
		m.Pix[i] = uint8(i * 7)
	}
	for b.Loop() {
		ToSRGB(p, m)
	}
}

func BenchmarkRGB(b *testing.B) {
	p, m := adobeRGB(), image.NewNRGBA(image.Rect(0, 0, 400, 300))
	for b.Loop() {
		ToSRGB(p, m)
	}
}

func BenchmarkNeutral(b *testing.B) {
	p, m := srgb(), image.NewNRGBA(image.Rect(0, 0, 400, 300))
	for b.Loop() {
		ToSRGB(p, m)
	}
}
