package picture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"testing"

	"github.com/corona10/goimagehash"
	"github.com/disintegration/imaging"

	"picora/media"
	"picora/media/jpeg"
)

var types = map[string]media.Type{"jpeg": media.JPEG, "png": media.PNG, "webp": media.WebP, "avif": media.AVIF, "gif": media.GIF}

// made makes something and gives the file.
func made(t testing.TB, src Source, spec media.Spec) (Source, media.Made) {
	t.Helper()
	var b bytes.Buffer
	m, err := Make(context.Background(), src, spec, Limits{}, &b)
	if err != nil {
		t.Fatalf("%+v: %v", spec, err)
	}
	if got, err := media.Sniff(b.Bytes()); err != nil || got != types[spec.Format] || got.MIME != m.MIME {
		t.Fatalf("%+v: a file of %v (%v), said to be %s", spec, got, err, m.MIME)
	}
	return Source{Data: b.Bytes(), Type: types[spec.Format]}, m
}

// pixels decodes a file's first picture.
func pixels(t testing.TB, src Source) *image.NRGBA {
	t.Helper()
	m, err := render(context.Background(), src, media.Spec{Format: "png"}, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// alike fails unless two pictures look the same: in their perceptual hash and, more
// closely, in structure and mean colour.
func alike(t *testing.T, what string, got, want *image.NRGBA) {
	t.Helper()
	a, err := goimagehash.PerceptionHash(got)
	if err != nil {
		t.Fatal(err)
	}
	b, err := goimagehash.PerceptionHash(want)
	if err != nil {
		t.Fatal(err)
	}
	if d, err := a.Distance(b); err != nil || d > 8 { // of 64 bits
		t.Errorf("%s: hashes are %d apart, %v", what, d, err)
	}
	if s := ssim(t, got, want); s < 0.9 {
		t.Errorf("%s: SSIM %.3f", what, s)
	}
	var off float64
	for i := range want.Rect.Dy() {
		for k, v := range want.Pix[i*want.Stride:][:4*want.Rect.Dx()] {
			d := float64(v) - float64(got.Pix[i*got.Stride+k])
			off += max(d, -d)
		}
	}
	if off /= float64(len(want.Pix)); off > 4 {
		t.Errorf("%s: colours are %.1f apart", what, off)
	}
}

func TestEveryFitInEveryFormat(t *testing.T) {
	src := pngOf(t, scene(240, 120, true))
	m := scene(240, 120, true)
	canvas := func(c color.Color, part *image.NRGBA) *image.NRGBA {
		return imaging.Paste(imaging.New(90, 90, c), part, image.Pt(0, 22))
	}
	for _, format := range []string{"jpeg", "png", "webp", "avif", "gif"} {
		background := color.NRGBA{}
		if format == "jpeg" {
			background = color.NRGBA{255, 255, 255, 255}
		}
		for fit, want := range map[media.Fit]*image.NRGBA{
			media.Cover:   imaging.Resize(imaging.CropCenter(m, 120, 120), 90, 90, imaging.Lanczos),
			media.Contain: canvas(background, imaging.Resize(m, 90, 45, imaging.Lanczos)),
			media.Fill:    imaging.Resize(m, 90, 90, imaging.Lanczos),
			media.Inside:  imaging.Resize(m, 90, 45, imaging.Lanczos),
			media.Outside: imaging.Resize(m, 180, 90, imaging.Lanczos),
			"":            imaging.Resize(m, 90, 45, imaging.Lanczos),
		} {
			if format == "jpeg" {
				flatten(want, background)
			}
			out, made := made(t, src, media.Spec{Width: 90, Height: 90, Fit: fit, Format: format, Quality: 90})
			got := pixels(t, out)
			if size := want.Rect.Size(); got.Rect.Size() != size || made.Width != size.X || made.Height != size.Y || made.Frames != 1 || made.Duration != 0 {
				t.Errorf("%s %s: %v and %+v, want %v", fit, format, got.Rect, made, size)
				continue
			}
			flatten(got, color.NRGBA{255, 255, 255, 255})
			flatten(want, color.NRGBA{255, 255, 255, 255})
			alike(t, fmt.Sprintf("%s %s", fit, format), got, want)
		}
	}
}

func TestSizes(t *testing.T) {
	for _, c := range []struct {
		w, h int
		fit  media.Fit
		want image.Point
	}{
		{0, 0, "", image.Pt(60, 40)},
		{30, 0, media.Cover, image.Pt(30, 20)},
		{0, 10, media.Fill, image.Pt(15, 10)},
		{600, 0, media.Contain, image.Pt(60, 40)},
		{600, 600, media.Inside, image.Pt(60, 40)},
		{600, 600, media.Outside, image.Pt(60, 40)},
		{600, 600, media.Cover, image.Pt(600, 600)},
		{600, 600, media.Contain, image.Pt(600, 600)},
		{600, 300, media.Fill, image.Pt(600, 300)},
		{7, 7, media.Inside, image.Pt(7, 5)},
		{1, 1, media.Inside, image.Pt(1, 1)},
		{4096, 1, media.Outside, image.Pt(60, 40)},
		{4096, 1, media.Cover, image.Pt(4096, 1)},
		{20, 20, media.Outside, image.Pt(30, 20)},
	} {
		for _, src := range []Source{pngOf(t, scene(60, 40, false)), jpegOf(t, scene(60, 40, false), jpeg.Options{Quality: 90}), webpOf(t, scene(60, 40, false))} {
			_, made := made(t, src, media.Spec{Width: c.w, Height: c.h, Fit: c.fit, Format: "jpeg"})
			if got := image.Pt(made.Width, made.Height); got != c.want {
				t.Errorf("%s %d x %d %q: %v, want %v", src.Type.Ext, c.w, c.h, c.fit, got, c.want)
			}
		}
	}
}

// turned gives the file's pixels of a picture that is shown as m, by what EXIF says
// of the sides that row 0 and column 0 are.
func turned(m *image.NRGBA, orientation int) *image.NRGBA {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	size := image.Pt(w, h)
	if orientation >= 5 {
		size = image.Pt(h, w)
	}
	out := image.NewNRGBA(image.Rectangle{Max: size})
	for r := range size.Y {
		for c := range size.X {
			at := [9]image.Point{1: {c, r}, 2: {w - 1 - c, r}, 3: {w - 1 - c, h - 1 - r}, 4: {c, h - 1 - r},
				5: {r, c}, 6: {w - 1 - r, c}, 7: {w - 1 - r, h - 1 - c}, 8: {r, h - 1 - c}}[orientation]
			out.SetNRGBA(c, r, m.NRGBAAt(at.X, at.Y))
		}
	}
	return out
}

func TestOrientation(t *testing.T) {
	shown := scene(160, 120, false)
	for o := 1; o <= 8; o++ {
		stored := turned(shown, o)
		for _, src := range []Source{jpegOf(t, stored, jpeg.Options{Quality: 95}), avifOf(t, stored), webpOf(t, stored), pngOf(t, stored)} {
			src.Orientation = o
			what := fmt.Sprintf("%s, orientation %d", src.Type.Ext, o)
			out, _ := made(t, src, media.Spec{Width: 80, Format: "png"})
			alike(t, what, pixels(t, out), imaging.Resize(shown, 80, 60, imaging.Lanczos))

			out, _ = made(t, src, media.Spec{Width: 60, Height: 20, Fit: media.Fill, Rotate: 90, Format: "png"})
			alike(t, what+", turned", pixels(t, out), imaging.Resize(imaging.Rotate270(shown), 60, 20, imaging.Lanczos))

			focus := &media.Point{X: 0, Y: 1000} // the blue corner
			out, _ = made(t, src, media.Spec{Width: 30, Height: 30, Fit: media.Cover, Focus: focus, Format: "png"})
			alike(t, what+", focus", pixels(t, out), imaging.Resize(imaging.Crop(shown, image.Rect(0, 0, 120, 120)), 30, 30, imaging.Lanczos))
		}
	}
}

func TestRotate(t *testing.T) {
	m := scene(60, 40, false)
	for degrees, want := range map[int]*image.NRGBA{90: imaging.Rotate270(m), 180: imaging.Rotate180(m), 270: imaging.Rotate90(m)} {
		out, _ := made(t, pngOf(t, m), media.Spec{Rotate: degrees, Format: "png"})
		if got := pixels(t, out); !bytes.Equal(got.Pix, want.Pix) {
			t.Errorf("%d degrees: %v", degrees, got.Rect)
		}
	}
}

func TestPicturesOfEveryKind(t *testing.T) {
	m := scene(120, 80, false)
	deep := image.NewNRGBA64(m.Rect)
	for y := range 80 {
		for x := range 120 {
			deep.Set(x, y, m.At(x, y))
		}
	}
	for name, src := range map[string]Source{
		"PNG": pngOf(t, m), "PNG of 16 bits": pngOf(t, deep), "PNG, paletted": pngOf(t, paletted(m)), "PNG, Adam7": adam7Of(t, m),
		"GIF": gifOf(t, 1, 120, 80), "WebP": webpOf(t, m), "AVIF": avifOf(t, m),
		"JPEG": jpegOf(t, m, jpeg.Options{Quality: 95}), "JPEG, progressive": jpegOf(t, m, jpeg.Options{Quality: 95, Progressive: true}),
	} {
		want := m
		switch name {
		case "PNG, paletted":
			want = imaging.Clone(paletted(m))
		case "GIF":
			want = imaging.Clone(paletted(moving(0, 1, 120, 80)))
		}
		alike(t, name, pixels(t, src), want)
		out, _ := made(t, src, media.Spec{Width: 60, Format: "png", Fast: true})
		alike(t, name+", halved", pixels(t, out), imaging.Resize(want, 60, 40, imaging.Lanczos))
	}
}

func TestTransparency(t *testing.T) {
	m := scene(120, 80, true)
	gif, _ := made(t, pngOf(t, m), media.Spec{Format: "gif"})
	for name, src := range map[string]Source{"PNG": pngOf(t, m), "paletted": pngOf(t, paletted(m)), "WebP": webpOf(t, m), "AVIF": avifOf(t, m), "GIF": gif} {
		for _, format := range []string{"png", "webp", "avif", "gif"} {
			out, _ := made(t, src, media.Spec{Width: 60, Format: format})
			got := pixels(t, out)
			if a, b := got.NRGBAAt(30, 20), got.NRGBAAt(5, 5); a.A != 0 || b.A != 255 || b.R < 200 {
				t.Errorf("%s to %s: %v and %v", name, format, a, b)
			}
			out, _ = made(t, src, media.Spec{Width: 60, Format: format, Background: "00ff80"})
			if c := pixels(t, out).NRGBAAt(30, 20); c.A != 255 || c.R > 30 || c.G < 225 || c.B < 100 || c.B > 156 {
				t.Errorf("%s to %s on a colour: %v", name, format, c)
			}
		}
		out, _ := made(t, src, media.Spec{Width: 60, Format: "jpeg"})
		if c := pixels(t, out).NRGBAAt(30, 20); c.R < 230 || c.G < 230 || c.B < 230 {
			t.Errorf("%s to jpeg: %v", name, c)
		}
	}
}

func TestHEIC(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "av", "testdata", "patches.heic"))
	if err != nil {
		t.Fatal(err)
	}
	src := Source{Data: data, Type: media.HEIC}
	for o := 1; o <= 8; o++ {
		src.Orientation = o
		out, _ := made(t, src, media.Spec{Format: "png"})
		src.Orientation = 1
		alike(t, fmt.Sprint("HEIC, orientation ", o), turned(pixels(t, out), o), pixels(t, src))
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, src := range []Source{pngOf(t, scene(9, 9, false)), animatedWebP(t, 2, 9, 9)} {
		if _, err := Make(ctx, src, media.Spec{Format: "webp"}, Limits{}, &bytes.Buffer{}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", src.Type.Ext, err)
		}
	}
}
