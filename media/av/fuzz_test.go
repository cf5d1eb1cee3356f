package av

import (
	"bytes"
	"errors"
	"image/png"
	"regexp"
	"testing"

	"picora/media"
)

// FuzzPictures opens anything and looks at a few frames: no crash, and every refusal is one of the file.
func FuzzPictures(f *testing.F) {
	grid, _ := grid2(f)
	f.Add(grid)
	for _, n := range []string{"patches.avif", "gridalpha.avif", "deep.avif", "sequence.avif", "alpha.heic", "clip.mp4"} {
		f.Add(file(f, n))
	}
	var b bytes.Buffer
	if err := png.Encode(&b, spots(8, 8)); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte("GIF89a\x02\x00\x02\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x02\x00\x02\x00\x00\x02\x02\x84\x51\x00;"))
	f.Fuzz(func(t *testing.T, b []byte) {
		in, err := Open(bytes.NewReader(b), int64(len(b)), Limits{Pixels: 256 << 10})
		if err != nil {
			blame(t, err)
			return
		}
		defer in.Close()
		if _, err := in.Info(); err != nil {
			blame(t, err)
		}
		n := 0
		for p, err := range in.Pictures() {
			if err != nil {
				blame(t, err)
			} else if s := p.Image.Bounds().Size(); s.X*s.Y > 256<<10 || s.X*s.Y == 0 {
				t.Fatalf("a picture of %v", s)
			}
			if n++; n == 8 {
				break
			}
		}
	})
}

func blame(t *testing.T, err error) {
	for _, kind := range []error{media.ErrCorrupt, media.ErrUnsupported, media.ErrTooManyPixels} {
		if errors.Is(err, kind) {
			return
		}
	}
	t.Fatal(err)
}

// FuzzCodecs reads the parameter sets of foreign H.264: what it says is well-formed, or an error.
func FuzzCodecs(f *testing.F) {
	f.Add([]byte{1, 0x64, 0, 0x1F, 0xFF, 0xE1})
	f.Add([]byte{0, 0, 0, 1, 0x67, 0x42, 0xC0, 0x1E, 0xD9, 0, 0, 1, 0x68})
	f.Add([]byte{0, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := codecs(b)
		if (err == nil) != regexp.MustCompile(`^avc1\.[0-9a-f]{6}$`).MatchString(s) {
			t.Fatal(s, err)
		}
	})
}
