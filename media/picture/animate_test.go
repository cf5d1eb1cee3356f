package picture

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/disintegration/imaging"

	"picora/media"
	"picora/media/webp"
)

func TestAnimations(t *testing.T) {
	const n, w, h = 5, 96, 64
	for name, src := range map[string]Source{"GIF": gifOf(t, n, w, h), "WebP": animatedWebP(t, n, w, h), "APNG": apngOf(t, n, w, h)} {
		for _, format := range []string{"webp", "gif"} {
			spec := media.Spec{Width: 48, Format: format, Quality: 90, Fast: true}
			out, m := made(t, src, spec)
			if name == "WebP" && format == "webp" {
				if h, err := webp.ReadHeader(out.Data); err != nil || h.Loops != 2 {
					t.Errorf("it runs %d times, want 2; %v", h.Loops, err)
				}
			}
			length := (50 + 60 + 70 + 80 + 90) * time.Millisecond
			if m.Frames != n || m.Width != 48 || m.Height != 32 || m.Duration != length {
				t.Fatalf("%s to %s: %+v", name, format, m)
			}
			i := 0
			for p, err := range frames(out, Limits{}) {
				if err != nil {
					t.Fatal(err)
				}
				if want := time.Duration(50+10*i) * time.Millisecond; p.duration != want {
					t.Errorf("%s to %s: frame %d is shown for %v, want %v", name, format, i, p.duration, want)
				}
				want := moving(i, n, w, h)
				if name == "GIF" {
					want = imaging.Clone(paletted(want))
				}
				if s := ssim(t, imaging.Clone(p.image), imaging.Resize(want, 48, 32, imaging.Lanczos)); s < 0.8 {
					t.Errorf("%s to %s: frame %d has SSIM %.3f", name, format, i, s)
				}
				i++
			}
			if i != n {
				t.Errorf("%s to %s: %d frames", name, format, i)
			}
			spec.Still = true
			if _, m := made(t, src, spec); m.Frames != 1 || m.Duration != 0 {
				t.Errorf("%s to %s, still: %+v", name, format, m)
			}
		}
		if _, m := made(t, src, media.Spec{Format: "jpeg"}); m.Frames != 1 {
			t.Errorf("%s to jpeg: %+v", name, m)
		}
		for _, l := range []Limits{{Frames: n - 1}, {Work: n*w*h - 1}, {Pixels: w*h - 1}} {
			_, err := Make(context.Background(), src, media.Spec{Format: "webp"}, l, &bytes.Buffer{})
			if err == nil || media.Reason(err) == "" || l.Pixels > 0 && !errors.Is(err, media.ErrTooManyPixels) {
				t.Errorf("%s beyond %+v: %v", name, l, err)
			}
			if _, err := Make(context.Background(), src, media.Spec{Format: "webp", Still: true}, l, &bytes.Buffer{}); (err != nil) != (l.Pixels > 0) {
				t.Errorf("%s beyond %+v, its first frame: %v", name, l, err)
			}
		}
	}
}
