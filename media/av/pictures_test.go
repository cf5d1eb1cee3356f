package av

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/asticode/go-astiav"
	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"picora/media"
)

func TestMain(m *testing.M) {
	astiav.SetLogLevel(astiav.LogLevelQuiet) // most files here are meant to be wrong
	os.Exit(m.Run())
}

const million = 1_000_000

// decode returns all pictures of a file, or the error that came instead of one.
func decode(b []byte, l Limits) (all []Picture, err error) {
	in, err := Open(bytes.NewReader(b), int64(len(b)), l)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	for p, err := range in.Pictures() {
		if err != nil {
			return all, err
		}
		all = append(all, p)
	}
	return all, nil
}

// one returns the only picture of a file.
func one(t *testing.T, b []byte) Picture {
	t.Helper()
	all, err := decode(b, Limits{Pixels: million})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 1 || all[0].Duration != 0 {
		t.Fatalf("%d pictures, the first for %v; want one still", len(all), all[0].Duration)
	}
	return all[0]
}

// near tells whether two colours differ by at most d of 255 in each channel.
func near(a, b color.Color, d int) bool {
	x, y := color.NRGBAModel.Convert(a).(color.NRGBA), color.NRGBAModel.Convert(b).(color.NRGBA)
	if x.A == 0 && y.A == 0 {
		return true
	}
	for _, c := range [][2]uint8{{x.R, y.R}, {x.G, y.G}, {x.B, y.B}, {x.A, y.A}} {
		if n := int(c[0]) - int(c[1]); n > d || n < -d {
			return false
		}
	}
	return true
}

// patches are the colours of the fixtures of that name, row by row.
var patches = [8]color.NRGBA{
	{255, 0, 0, 255}, {0, 255, 0, 255}, {0, 0, 255, 255}, {255, 255, 255, 255},
	{0, 0, 0, 255}, {128, 128, 128, 255}, {200, 100, 50, 255}, {50, 150, 200, 255},
}

func TestColoursAndPlacesOfHEICAndAVIF(t *testing.T) {
	for _, c := range []struct {
		file        string
		scale       int
		alpha, gray bool
		deep        bool
	}{
		{file: "patches.avif", scale: 1},
		{file: "limited709.avif", scale: 1},
		{file: "deep.avif", scale: 1, deep: true},
		{file: "gray.avif", scale: 1, gray: true},
		{file: "alpha.avif", scale: 1, alpha: true},
		{file: "grid.avif", scale: 2},
		{file: "gridalpha.avif", scale: 2, alpha: true},
		{file: "patches.heic", scale: 1},
		{file: "alpha.heic", scale: 1, alpha: true},
	} {
		t.Run(c.file, func(t *testing.T) {
			p := one(t, file(t, c.file))
			if got, want := p.Image.Bounds().Size(), image.Pt(128*c.scale, 64*c.scale); got != want {
				t.Fatalf("size %v, want %v", got, want)
			}
			if _, deep := p.Image.(*image.NRGBA64); deep != c.deep {
				t.Errorf("%T", p.Image)
			}
			for i, want := range patches {
				x, y := (i%4*32+16)*c.scale, (i/4*32+16)*c.scale
				if c.gray {
					g := (299*int(want.R) + 587*int(want.G) + 114*int(want.B) + 500) / 1000
					want = color.NRGBA{uint8(g), uint8(g), uint8(g), 255}
				}
				if c.alpha && i%4 >= 2 {
					want.A = uint8(i / 4 * 128)
				}
				if got := p.Image.At(x, y); !near(got, want, 4) {
					t.Errorf("patch %d is %v, want %v", i, color.NRGBAModel.Convert(got), want)
				}
			}
		})
	}
}

// coded returns the picture of a tile fixture as it lies in the file, and what its decoder needs.
func coded(t testing.TB, name string) (picture, hvcC []byte) {
	b := file(t, name)
	return inside(b, "mdat"), inside(b, "hvcC")
}

// grid2 is a HEIC of four tiles of 64 x 64, cut to 100 x 90.
func grid2(t testing.TB) ([]byte, heic) {
	h := heic{columns: 2, width: 100, height: 90, icc: []byte("a profile, more or less")}
	var hvcC []byte
	for _, name := range []string{"red", "lime", "blue", "white"} {
		var b []byte
		b, hvcC = coded(t, "tile-"+name+".heic")
		h.tiles = append(h.tiles, b)
	}
	return h.bytes(hvcC), h
}

func TestTilesOfHEIC(t *testing.T) {
	b, h := grid2(t)
	p := one(t, b)
	if got := p.Image.Bounds().Size(); got != image.Pt(100, 90) {
		t.Fatalf("size %v", got)
	}
	for _, c := range []struct{ x, y, patch int }{
		{0, 0, 0}, {63, 63, 0}, {64, 0, 1}, {99, 63, 1}, {0, 64, 2}, {63, 89, 2}, {64, 64, 3}, {99, 89, 3},
	} {
		if got := p.Image.At(c.x, c.y); !near(got, patches[c.patch], 4) {
			t.Errorf("at %d, %d: %v, want %v", c.x, c.y, got, patches[c.patch])
		}
	}
	if !bytes.Equal(p.ICC, h.icc) {
		t.Errorf("profile %q", p.ICC)
	}
}

func TestPNG(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	sample := make([]byte, 37*23*8)
	for i := range sample {
		sample[i] = byte(random.Uint32())
	}
	at := func(x, y int) []byte { return sample[(y*37+x)*8:] }
	palette := chunk("PLTE", sample[:768]...)
	for _, c := range []struct {
		name        string
		depth, kind byte
		pixel       int
		more        []byte
	}{
		{"gray", 8, 0, 1, nil}, {"gray of 16 bits", 16, 0, 2, nil},
		{"gray and alpha", 8, 4, 2, nil}, {"gray and alpha of 16 bits", 16, 4, 4, nil},
		{"RGB", 8, 2, 3, nil}, {"RGB of 16 bits", 16, 2, 6, nil},
		{"RGBA", 8, 6, 4, nil}, {"RGBA of 16 bits", 16, 6, 8, nil},
		{"palette", 8, 3, 1, palette}, {"palette with alpha", 8, 3, 1, append(palette, chunk("tRNS", sample[768:900]...)...)},
		{"RGB with a transparent colour", 8, 2, 3, chunk("tRNS", 0, sample[0], 0, sample[1], 0, sample[2])},
	} {
		for interlace, pack := range []func(w, h, pixel int, at func(x, y int) []byte) []byte{rows, adam7} {
			t.Run(fmt.Sprint(c.name, " interlace ", interlace), func(t *testing.T) {
				b := pngFile(37, 23, c.depth, c.kind, byte(interlace), c.more, chunk("IDAT", deflate(pack(37, 23, c.pixel, at))...))
				want, err := png.Decode(bytes.NewReader(b))
				if err != nil {
					t.Fatal(err)
				}
				same(t, one(t, b).Image, want, c.depth == 16)
			})
		}
	}
}

// same fails unless the pictures agree in every pixel; those of 16 bits may differ by 1 of 65535, which is rounding.
func same(t *testing.T, got, want image.Image, deep bool) {
	t.Helper()
	if got.Bounds().Size() != want.Bounds().Size() {
		t.Fatalf("size %v, want %v", got.Bounds(), want.Bounds())
	}
	for y := range want.Bounds().Dy() {
		for x := range want.Bounds().Dx() {
			g, w := got.At(x, y), want.At(want.Bounds().Min.X+x, want.Bounds().Min.Y+y)
			if deep {
				g, w := color.NRGBA64Model.Convert(g).(color.NRGBA64), color.NRGBA64Model.Convert(w).(color.NRGBA64)
				for _, c := range [][2]uint16{{g.R, w.R}, {g.G, w.G}, {g.B, w.B}, {g.A, w.A}} {
					if d := int(c[0]) - int(c[1]); (d > 1 || d < -1) && w.A > 0 {
						t.Fatalf("at %d, %d: %v, want %v", x, y, g, w)
					}
				}
			} else if !near(g, w, 0) {
				t.Fatalf("at %d, %d: %v, want %v", x, y, g, w)
			}
		}
	}
}

// spots is a picture of every alpha and many colours.
func spots(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		x, y := i%w, i/w
		m.SetNRGBA(x, y, color.NRGBA{uint8(x * 255 / w), uint8(y * 255 / h), uint8((x + y) * 255 / (w + h)), uint8(255 - i*255/(w*h))})
	}
	return m
}

func TestBMPAndTIFFAndICO(t *testing.T) {
	m := spots(33, 21)
	opaque := image.NewRGBA(m.Rect)
	for i := range m.Pix {
		opaque.Pix[i] = m.Pix[i] | byte(255*(i%4/3))
	}
	var b bytes.Buffer
	if err := bmp.Encode(&b, opaque); err != nil {
		t.Fatal(err)
	}
	same(t, one(t, b.Bytes()).Image, opaque, false)
	for _, c := range []tiff.CompressionType{tiff.Uncompressed, tiff.Deflate} {
		b.Reset()
		if err := tiff.Encode(&b, m, &tiff.Options{Compression: c}); err != nil {
			t.Fatal(err)
		}
		same(t, one(t, b.Bytes()).Image, m, false)
	}
	b.Reset()
	b.Write([]byte{0, 0, 1, 0, 3, 0})
	var entries bytes.Buffer
	for _, n := range []int{16, 48, 32} {
		at := 6 + 3*16 + entries.Len()
		before := entries.Len()
		if err := png.Encode(&entries, spots(n, n)); err != nil {
			t.Fatal(err)
		}
		size := entries.Len() - before
		b.Write([]byte{byte(n), byte(n), 0, 0, 1, 0, 32, 0, byte(size), byte(size >> 8), 0, 0, byte(at), byte(at >> 8), 0, 0})
	}
	b.Write(entries.Bytes())
	same(t, one(t, b.Bytes()).Image, spots(48, 48), false)
}

func TestProfileOfPNG(t *testing.T) {
	icc := bytes.Repeat([]byte("profile "), 100)
	b := pngFile(1, 1, 8, 0, 0, chunk("iCCP", append([]byte("name\x00\x00"), deflate(icc)...)...), chunk("IDAT", deflate([]byte{0, 9})...))
	if got := one(t, b).ICC; !bytes.Equal(got, icc) {
		t.Errorf("%d bytes of profile, want %d", len(got), len(icc))
	}
}

// animation is three frames of 4 x 4: blue, a red square in it, and a hole or green where that was.
func TestAnimationsAreComposited(t *testing.T) {
	blue, red, green := color.NRGBA{0, 0, 255, 255}, color.NRGBA{255, 0, 0, 255}, color.NRGBA{0, 255, 0, 255}
	solid := func(c color.NRGBA, n int) []byte {
		return deflate(rows(n, n, 4, func(int, int) []byte { return []byte{c.R, c.G, c.B, c.A} }))
	}
	control := func(sequence, n, at int, dispose, blend byte) []byte {
		return chunk("fcTL", append(append(u32(sequence, n, n, at, at), u16(1, 10)...), dispose, blend)...)
	}
	apng := pngFile(4, 4, 8, 6, 0, chunk("acTL", u32(3, 0)...), control(0, 4, 0, 0, 0), chunk("IDAT", solid(blue, 4)...),
		control(1, 2, 1, 1, 0), chunk("fdAT", append(u32(2), solid(red, 2)...)...),
		control(3, 1, 0, 0, 0), chunk("fdAT", append(u32(4), solid(green, 1)...)...))
	palette := color.Palette{color.NRGBA{}, blue, red, green}
	frame := func(x, n int, c uint8) *image.Paletted {
		m := image.NewPaletted(image.Rect(x, x, x+n, x+n), palette)
		for i := range m.Pix {
			m.Pix[i] = c
		}
		return m
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, &gif.GIF{Image: []*image.Paletted{frame(0, 4, 1), frame(1, 2, 2), frame(0, 1, 3)}, Delay: []int{10, 10, 10},
		Disposal: []byte{gif.DisposalNone, gif.DisposalBackground, gif.DisposalNone}}); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"APNG": apng, "GIF": b.Bytes()} {
		all, err := decode(b, Limits{Pixels: million})
		if err != nil || len(all) != 3 {
			t.Fatalf("%s: %d frames, %v", name, len(all), err)
		}
		want := [3][3]color.Color{{blue, blue, blue}, {blue, red, blue}, {green, color.NRGBA{}, blue}}
		for i, p := range all {
			if p.Duration != 100*time.Millisecond {
				t.Errorf("%s: frame %d for %v", name, i, p.Duration)
			}
			for j, at := range []int{0, 1, 3} {
				if got := p.Image.At(at, at); !near(got, want[i][j], 0) {
					t.Errorf("%s: frame %d at %d: %v, want %v", name, i, at, got, want[i][j])
				}
			}
		}
	}
	all, err := decode(file(t, "sequence.avif"), Limits{Pixels: million})
	if err != nil || len(all) != 2 || all[1].Duration != 100*time.Millisecond || !near(all[1].Image.At(16, 16), color.NRGBA{0, 255, 255, 255}, 4) {
		t.Errorf("AVIF sequence: %d frames, %v", len(all), err)
	}
}

func TestCutFilesAreRefused(t *testing.T) {
	grid, _ := grid2(t)
	files := map[string][]byte{"grid": grid}
	for _, n := range []string{"patches.avif", "gridalpha.avif", "deep.avif", "sequence.avif", "alpha.heic"} {
		files[n] = file(t, n)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, spots(60, 40)); err != nil {
		t.Fatal(err)
	}
	files["PNG"] = bytes.Clone(b.Bytes()[:b.Len()-12]) // without the end, which holds nothing
	b.Reset()
	if err := bmp.Encode(&b, spots(60, 40)); err != nil {
		t.Fatal(err)
	}
	files["BMP"] = b.Bytes()
	for name, b := range files {
		for cut := 0; cut < len(b); cut += 1 + len(b)/100 {
			_, err := decode(b[:cut], Limits{Pixels: million})
			if !errors.Is(err, media.ErrCorrupt) && !errors.Is(err, media.ErrUnsupported) {
				t.Fatalf("%s cut to %d of %d: %v", name, cut, len(b), err)
			}
		}
	}
}

func TestTooManyPixelsAreRefusedBeforeMemoryIsTaken(t *testing.T) {
	picture, hvcC := coded(t, "tile-red.heic")
	for name, b := range map[string][]byte{
		"HEIC": heic{tiles: [][]byte{picture}, width: 60000, height: 60000}.bytes(hvcC),
		"grid": heic{tiles: [][]byte{picture}, columns: 1, width: 60000, height: 60000}.bytes(hvcC),
		"PNG":  pngFile(60000, 60000, 8, 6, 0, chunk("IDAT", deflate(make([]byte, 1<<20))...)),
		"GIF":  append([]byte("GIF89a\xff\xff\xff\xff\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00"), 2, 2, 0x4c, 1, 0, ';'),
	} {
		before := peak(t)
		_, err := decode(b, Limits{Pixels: million})
		if !errors.Is(err, media.ErrTooManyPixels) && !errors.Is(err, media.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
		if grown := peak(t) - before; grown > 64<<20 {
			t.Errorf("%s: %d MiB of memory", name, grown>>20)
		}
	}
}

// broken fails after a while, as a disk may.
type broken struct{ r *bytes.Reader }

var errDisk = errors.New("disk gone")

func (b broken) ReadAt(p []byte, at int64) (int, error) {
	if at >= 1024 {
		return 0, errDisk
	}
	return b.r.ReadAt(p[:min(int64(len(p)), 1024-at)], at)
}

func TestErrorsOfTheReaderAreNotTheFiles(t *testing.T) {
	b := file(t, "clip.mp4")
	in, err := Open(broken{bytes.NewReader(b)}, int64(len(b)), Limits{})
	if err == nil {
		defer in.Close()
		for _, e := range in.Pictures() {
			err = e
		}
	}
	if !errors.Is(err, errDisk) || errors.Is(err, media.ErrCorrupt) {
		t.Error(err)
	}
}

func TestInputsDoNotDisturbEachOther(t *testing.T) {
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 5 {
				for _, n := range []string{"gridalpha.avif", "patches.heic", "clip.mp4"} {
					if _, err := decode(file(t, n), Limits{Pixels: million}); err != nil {
						t.Error(n, err)
					}
				}
			}
		})
	}
	wg.Wait()
}

func TestALimitAboveFFmpegsOwnIsNone(t *testing.T) {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 9, 9))); err != nil {
		t.Fatal(err)
	}
	if all, err := decode(b.Bytes(), Limits{Pixels: 10_000 * million}); err != nil || len(all) != 1 {
		t.Errorf("%d pictures, %v", len(all), err)
	}
}
