package picture

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/disintegration/imaging"
	"github.com/galdor/go-thumbhash"

	"picora/media"
	"picora/media/jpeg"
)

func TestADraftLooksLikeAFullReduction(t *testing.T) {
	m := noise(800, 600, false)
	for w := 400; w > 5; w /= 2 { // as in photographs, the coarser the stronger
		m = imaging.Overlay(m, imaging.Resize(noise(w, w*3/4, false), 800, 600, imaging.Linear), image.Point{}, 0.5)
	}
	draw.Draw(m, image.Rect(50, 50, 750, 250), imaging.Resize(scene(120, 80, false), 700, 200, imaging.Lanczos), image.Point{}, draw.Src)
	src := jpegOf(t, m, jpeg.Options{Quality: 90})
	full, err := jpeg.Decode(src.Data, 8)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []int{80, 160, 320, 500} {
		got, err := render(context.Background(), src, media.Spec{Width: w, Format: "png"}, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if s := ssim(t, got, imaging.Resize(full, w, 0, imaging.Lanczos)); s < 0.99 {
			t.Errorf("%d pixels wide: SSIM %.4f", w, s)
		}
	}
}

func TestCropIsWhereItShouldBe(t *testing.T) {
	m := scene(300, 100, false)
	for name, c := range map[string]struct {
		spec media.Spec
		left int
	}{
		"middle":       {media.Spec{}, 100},
		"left":         {media.Spec{Focus: &media.Point{X: 0, Y: 0}}, 0},
		"right":        {media.Spec{Focus: &media.Point{X: 1000, Y: 500}}, 200},
		"a third":      {media.Spec{Focus: &media.Point{X: 400, Y: 500}}, 70},
		"out of range": {media.Spec{Focus: &media.Point{X: 5000, Y: -900}}, 200},
	} {
		c.spec.Width, c.spec.Height, c.spec.Fit, c.spec.Format = 100, 100, media.Cover, "png"
		out, _ := made(t, pngOf(t, m), c.spec)
		if want := imaging.Crop(m, image.Rect(c.left, 0, c.left+100, 100)); !bytes.Equal(pixels(t, out).Pix, want.Pix) {
			t.Errorf("%s: not the part from %d", name, c.left)
		}
	}
}

func TestSmartCropKeepsTheSubject(t *testing.T) {
	for _, x := range []int{30, 220, 480} {
		m := imaging.New(600, 200, color.NRGBA{150, 160, 170, 255})
		draw.Draw(m, image.Rect(x, 60, x+80, 140), imaging.Resize(noise(40, 40, false), 80, 80, imaging.NearestNeighbor), image.Point{}, draw.Src)
		for _, o := range []int{1, 4, 6, 7} {
			src := pngOf(t, turned(m, o))
			src.Orientation = o
			out, _ := made(t, src, media.Spec{Width: 200, Height: 200, Fit: media.Cover, Smart: true, Format: "png"})
			got, seen := pixels(t, out), 0
			for i := 0; i < len(got.Pix); i += 4 {
				if c := got.Pix[i:]; c[0] != 150 || c[1] != 160 || c[2] != 170 {
					seen++
				}
			}
			if seen < 80*80*95/100 {
				t.Errorf("subject at %d, orientation %d: %d of its 6400 pixels are left", x, o, seen)
			}
		}
	}
	out, _ := made(t, pngOf(t, scene(90, 30, false)), media.Spec{Width: 30, Height: 30, Fit: media.Cover, Smart: true, Format: "png"})
	if got := pixels(t, out); got.Rect.Dx() != 30 {
		t.Error(got.Rect)
	}
	flat := imaging.New(90, 30, color.NRGBA{9, 9, 9, 255})
	if x, _ := attention(flat, 1.0/3, 1); x != 0.5 {
		t.Errorf("of a flat picture the part at %.2f", x)
	}
}

func TestBlur(t *testing.T) {
	m := image.NewNRGBA(image.Rect(0, 0, 128, 128))
	draw.Draw(m, m.Rect, image.Black, image.Point{}, draw.Src)
	draw.Draw(m, image.Rect(64, 0, 128, 128), image.White, image.Point{}, draw.Src)
	for _, sigma := range []float64{0.5, 1.9, 4, 9.5, 30} {
		out, _ := made(t, pngOf(t, m), media.Spec{Blur: sigma, Format: "png"})
		got, want := pixels(t, out), imaging.Blur(m, sigma)
		for x := range 128 {
			if d := int(got.NRGBAAt(x, 64).R) - int(want.NRGBAAt(x, 64).R); max(d, -d) > 12 {
				t.Errorf("sigma %v: pixel %d is %d, want %d", sigma, x, got.NRGBAAt(x, 64).R, want.NRGBAAt(x, 64).R)
				break
			}
		}
	}
}

func TestProfiles(t *testing.T) {
	m := imaging.New(64, 64, color.NRGBA{200, 100, 80, 255})
	p3, err := os.ReadFile(filepath.Join("testdata", "p3.icc"))
	if err != nil {
		t.Fatal(err)
	}
	data := jpegOf(t, m, jpeg.Options{Quality: 95}).Data
	size := len(p3) + 16
	segment := append([]byte{0xFF, 0xE2, byte(size >> 8), byte(size)}, "ICC_PROFILE\x00\x01\x01"...)
	j := Source{Type: media.JPEG, Data: bytes.Join([][]byte{data[:2], segment, p3, data[2:]}, nil)}
	w := webpOf(t, m)
	icc := append([]byte("ICCP\x00\x00\x00\x00"), p3...)
	icc[4], icc[5] = byte(len(p3)), byte(len(p3)>>8)
	if len(p3)%2 == 1 {
		icc = append(icc, 0)
	}
	w.Data = bytes.Join([][]byte{w.Data[:12], []byte("VP8X\x0A\x00\x00\x00\x20\x00\x00\x00\x3F\x00\x00\x3F\x00\x00"), icc, w.Data[12:]}, nil)
	n := len(w.Data) - 8
	w.Data[4], w.Data[5] = byte(n), byte(n>>8)
	deflate := bytesOf(t, func(b *bytes.Buffer) error { return zlibTo(b, p3) })
	pn := pngOf(t, m)
	pn.Data = insert(pn.Data, chunk("iCCP", append([]byte("x\x00\x00"), deflate...)))
	for _, src := range []Source{j, w, pn} {
		for _, side := range []int{0, 16} {
			out, _ := made(t, src, media.Spec{Width: side, Format: "png"})
			if c := pixels(t, out).NRGBAAt(8, 8); !near(c, color.NRGBA{215, 93, 73, 255}, 3) {
				t.Errorf("%s at %d: %v, want 215 93 73", src.Type.Ext, side, c)
			}
		}
	}
}

// near compares two colours with a tolerance.
func near(a, b color.NRGBA, by uint8) bool {
	return max(a.R, b.R)-min(a.R, b.R) <= by && max(a.G, b.G)-min(a.G, b.G) <= by && max(a.B, b.B)-min(a.B, b.B) <= by && a.A == b.A
}

func TestCMYK(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "cmyk.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	for _, width := range []int{0, 4} {
		out, _ := made(t, Source{Data: data, Type: media.JPEG}, media.Spec{Width: width, Format: "png"})
		got := pixels(t, out)
		if left, right := got.NRGBAAt(0, 0), got.NRGBAAt(got.Rect.Dx()-1, 0); !near(left, color.NRGBA{50, 140, 185, 255}, 4) || !near(right, color.NRGBA{255, 255, 255, 255}, 4) {
			t.Errorf("%d wide: %v and %v", width, left, right)
		}
	}
}

func TestLookAt(t *testing.T) {
	for _, c := range []struct {
		m      *image.NRGBA
		alpha  bool
		colour string
		blur   byte // the size flag: (x - 1) + 9 (y - 1), in base 83
	}{
		{scene(300, 200, false), false, "", 'L'},
		{scene(200, 300, true), true, "", 'T'},
		{imaging.New(500, 10, color.NRGBA{18, 52, 86, 255}), false, "#123456", 'L'},
		{image.NewNRGBA(image.Rect(0, 0, 5, 5)), true, "#000000", 'L'},
	} {
		look, err := LookAt(context.Background(), pngOf(t, c.m), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if look.Alpha != c.alpha || c.colour != "" && look.Colour != c.colour || len(look.BlurHash) != 28 || look.BlurHash[0] != c.blur {
			t.Errorf("%+v", look)
		}
		shown, err := thumbhash.DecodeImage(look.ThumbHash)
		if err != nil || len(look.ThumbHash) > 25 {
			t.Fatalf("%d bytes, %v", len(look.ThumbHash), err)
		}
		if b := shown.Bounds(); (b.Dx() > b.Dy()) != (c.m.Rect.Dx() > c.m.Rect.Dy()) {
			t.Errorf("the thumb is %v of %v", b, c.m.Rect)
		}
	}
}

func TestBombsAreRefusedBeforeTheyTakeMemory(t *testing.T) {
	head := []byte("\x00\x00\xEA\x60\x00\x00\xEA\x60\x08\x02\x00\x00\x00") // 60000 x 60000
	p := Source{Type: media.PNG, Data: append([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", head)...)}
	p.Data = append(p.Data, chunk("IDAT", deflated(pngOf(t, scene(9, 9, false)).Data))...)
	p.Data = append(p.Data, chunk("IEND", nil)...)
	j := jpegOf(t, scene(64, 64, false), jpeg.Options{Quality: 80})
	at := bytes.Index(j.Data, []byte{0xFF, 0xC0}) + 5
	copy(j.Data[at:], "\xFF\xFF\xFF\xFF")
	g := gifOf(t, 2, 32, 32)
	copy(g.Data[6:], "\xFF\xFF\xFF\xFF")
	w := animatedWebP(t, 2, 32, 32)
	copy(w.Data[24:], "\xFF\x3F\x00\xFF\x3F\x00")
	for _, src := range []Source{p, j, g, w} {
		for _, format := range []string{"jpeg", "webp"} {
			start, before := time.Now(), memory()
			_, err := Make(context.Background(), src, media.Spec{Width: 10, Format: format}, Limits{Pixels: 50_000_000}, &bytes.Buffer{})
			if err == nil || media.Reason(err) == "" || time.Since(start) > time.Minute || memory()-before > 8<<20 {
				t.Errorf("%s to %s: %v after %v, %d bytes taken", src.Type.Ext, format, err, time.Since(start), memory()-before)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	ctx, good := context.Background(), pngOf(t, scene(20, 20, false))
	for _, s := range []media.Spec{
		{}, {Format: "bmp"}, {Format: "png", Width: -1}, {Format: "png", Height: media.MaxSide + 1}, {Format: "png", Fit: "crop"},
		{Format: "png", Quality: 101}, {Format: "png", Blur: 0.1}, {Format: "png", Blur: 1000}, {Format: "png", Rotate: 45},
		{Format: "png", Background: "red"}, {Format: "png", Background: "1234567"}, {Format: "png", Background: "+12345"},
	} {
		var b bytes.Buffer
		if _, err := Make(ctx, good, s, Limits{}, &b); err == nil || media.Reason(err) != "" || b.Len() > 0 {
			t.Errorf("%+v: %v", s, err)
		}
	}
	for name, src := range map[string]Source{
		"text": {Data: []byte("hello"), Type: media.PNG}, "a cut JPEG": {Data: jpegOf(t, scene(64, 64, false), jpeg.Options{Quality: 80}).Data[:700], Type: media.JPEG},
		"a cut PNG": {Data: good.Data[:len(good.Data)/2], Type: media.PNG}, "nothing": {Type: media.WebP},
	} {
		if _, err := Make(ctx, src, media.Spec{Format: "png"}, Limits{}, &bytes.Buffer{}); media.Reason(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	long := pngOf(t, imaging.New(20000, 1, color.White))
	if _, err := Make(ctx, long, media.Spec{Format: "webp"}, Limits{}, &bytes.Buffer{}); !errors.Is(err, media.ErrUnsupported) || !strings.Contains(media.Reason(err), "16383") {
		t.Errorf("a WebP of 20000 pixels: %v", err)
	}
}

func TestMap(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	for _, want := range []string{"hello", ""} {
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		data, release, err := Map(f)
		f.Close()
		if want == "" {
			if !errors.Is(err, media.ErrCorrupt) {
				t.Error(err)
			}
			continue
		}
		if err != nil || string(data) != want || release() != nil {
			t.Errorf("%q, %v", data, err)
		}
	}
}

func FuzzMake(f *testing.F) {
	for i, src := range []Source{
		jpegOf(f, scene(33, 20, false), jpeg.Options{Quality: 80}), pngOf(f, scene(20, 33, true)), pngOf(f, paletted(scene(9, 9, true))),
		webpOf(f, scene(30, 20, true)), animatedWebP(f, 3, 24, 16), gifOf(f, 3, 24, 16), apngOf(f, 3, 24, 16), adam7Of(f, scene(11, 7, false)),
	} {
		f.Add(src.Data, uint8(i), uint16(16*i), uint16(40))
	}
	formats, fits := []string{"jpeg", "png", "webp", "gif"}, []media.Fit{"", media.Cover, media.Contain, media.Fill, media.Outside}
	f.Fuzz(func(t *testing.T, data []byte, choice uint8, w, h uint16) {
		typ, err := media.Sniff(data)
		if err != nil || typ == media.SVG {
			return
		}
		spec := media.Spec{
			Width: int(w % 64), Height: int(h % 64), Format: formats[choice%4], Fit: fits[choice/4%5], Smart: choice&64 > 0, Fast: true,
		}
		var b bytes.Buffer
		m, err := Make(context.Background(), Source{Data: data, Type: typ, Orientation: int(w/64%8) + 1}, spec, Limits{Pixels: 1 << 16, Frames: 20, Work: 1 << 18}, &b)
		if err != nil {
			return
		}
		if got, err := media.Sniff(b.Bytes()); err != nil || got.MIME != m.MIME || m.Width < 1 || m.Height < 1 || m.Frames < 1 {
			t.Fatalf("%+v, %v", m, err)
		}
		if spec.Format == "png" {
			if c, err := png.DecodeConfig(&b); err != nil || c.Width != m.Width || c.Height != m.Height {
				t.Fatalf("%+v, said to be %+v, %v", c, m, err)
			}
		}
	})
}
