package av

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"math"
	"testing"
	"time"
)

// psnr compares the colours (where both show any) and the alpha of two pictures, in dB.
func psnr(a, b *image.NRGBA) float64 {
	var sum float64
	for i := range a.Pix {
		d := float64(a.Pix[i]) - float64(b.Pix[i])
		if i%4 != 3 && a.Pix[i|3] == 0 {
			d = 0
		}
		sum += d * d
	}
	return 10 * math.Log10(255*255*float64(len(a.Pix))/sum)
}

func TestAVIFComesBack(t *testing.T) {
	for _, c := range []struct {
		name    string
		m       *image.NRGBA
		quality int
		least   float64
	}{
		{"alpha", spots(133, 77), 90, 38},
		{"an odd size, opaque", opaque(spots(133, 77)), 90, 38},
		{"low quality", opaque(spots(133, 77)), 30, 28},
		{"one pixel", opaque(spots(1, 1)), 100, 30},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b bytes.Buffer
			if err := EncodeAVIF(&b, c.m, c.quality, 8); err != nil {
				t.Fatal(err)
			}
			p := one(t, b.Bytes())
			got := p.Image.(*image.NRGBA)
			if got.Rect != c.m.Rect {
				t.Fatalf("size %v", got.Rect)
			}
			if got.Opaque() != c.m.Opaque() || p.Primaries != "bt709" || p.Transfer != "iec61966-2-1" {
				t.Errorf("opaque %v, %s, %s", got.Opaque(), p.Primaries, p.Transfer)
			}
			if n := psnr(c.m, got); n < c.least {
				t.Errorf("%.1f dB, want %.0f", n, c.least)
			}
		})
	}
	var low, high bytes.Buffer
	if err := EncodeAVIF(&low, opaque(spots(256, 256)), 20, 8); err != nil {
		t.Fatal(err)
	}
	if err := EncodeAVIF(&high, opaque(spots(256, 256)), 95, 8); err != nil {
		t.Fatal(err)
	}
	if low.Len()*2 > high.Len() {
		t.Errorf("quality 20 takes %d bytes, 95 takes %d", low.Len(), high.Len())
	}
	if err := EncodeAVIF(&low, &image.NRGBA{}, 20, 8); err == nil {
		t.Error("an empty picture was written")
	}
}

func opaque(m *image.NRGBA) *image.NRGBA {
	for i := 3; i < len(m.Pix); i += 4 {
		m.Pix[i] = 255
	}
	return m
}

// turning is frame i of an animation of a square that moves over a transparent ground.
func turning(n, i int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, n, n))
	for y := range n / 2 {
		for x := range n / 2 {
			m.SetNRGBA((x+i*5)%n, y, color.NRGBA{uint8(255 * x / n), uint8(i * 20), 200, 255})
		}
	}
	return m
}

func TestGIFComesBack(t *testing.T) {
	for times, loop := range map[int]int{0: 0, 1: -1, 4: 3} {
		t.Run(fmt.Sprint("shown ", times, " times"), func(t *testing.T) {
			var b bytes.Buffer
			g, err := NewGIF(&b, 64, 64, times)
			if err != nil {
				t.Fatal(err)
			}
			delays := []time.Duration{100, 70, 5, 1200}
			for i, d := range delays {
				if err := g.Add(turning(64, i), d*time.Millisecond); err != nil {
					t.Fatal(err)
				}
			}
			if err := g.Add(turning(32, 0), time.Second); err == nil {
				t.Error("a frame of another size was taken")
			}
			if err := g.Close(); err != nil {
				t.Fatal(err)
			}
			std, err := gif.DecodeAll(bytes.NewReader(b.Bytes()))
			if err != nil || std.LoopCount != loop || fmt.Sprint(std.Delay) != "[10 7 2 120]" {
				t.Fatalf("%+v, %v", std, err)
			}
			all, err := decode(b.Bytes(), Limits{Pixels: million})
			if err != nil || len(all) != len(delays) {
				t.Fatal(len(all), err)
			}
			for i, p := range all {
				if n := psnr(turning(64, i), p.Image.(*image.NRGBA)); n < 30 {
					t.Errorf("frame %d: %.1f dB", i, n)
				}
			}
		})
	}
}

func TestLongGIFTakesBoundedMemory(t *testing.T) {
	const side, frames = 1024, 60 // 240 MiB of pixels
	var b bytes.Buffer
	g, err := NewGIF(&b, side, side, 0)
	if err != nil {
		t.Fatal(err)
	}
	before := peak(t)
	for i := range frames {
		if err := g.Add(turning(side, i), 40*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	if grown := peak(t) - before; grown > 200<<20 {
		t.Errorf("%d MiB of memory", grown>>20)
	}
	n := 0
	in, err := Open(bytes.NewReader(b.Bytes()), int64(b.Len()), Limits{Pixels: 2 * million})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	for p, err := range in.Pictures() {
		if err != nil {
			t.Fatal(err)
		}
		if n == frames-1 {
			if d := psnr(turning(side, n), p.Image.(*image.NRGBA)); d < 28 {
				t.Errorf("the last frame: %.1f dB", d)
			}
		}
		n++
	}
	if n != frames {
		t.Errorf("%d frames", n)
	}
}

func TestGIFWithoutFrames(t *testing.T) {
	g, err := NewGIF(&bytes.Buffer{}, 8, 8, 0)
	if err != nil {
		t.Fatal(err)
	}
	if g.Close() == nil {
		t.Error("an animation without frames was written")
	}
}
