package probe

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"picora/media"
)

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestProbe(t *testing.T) {
	deep := image.NewNRGBA64(image.Rect(0, 0, 30, 20))
	for name, c := range map[string]struct {
		data          []byte
		mime          string
		width, height int
		frames, depth int
		alpha         bool
		colour        string
	}{
		"AVIF":           {fixture(t, "av/testdata/patches.avif"), "image/avif", 128, 64, 1, 8, false, "bt709"},
		"deep AVIF":      {fixture(t, "av/testdata/deep.avif"), "image/avif", 128, 64, 1, 10, false, "bt709"},
		"turned AVIF":    {fixture(t, "strip/testdata/turned.avif"), "image/avif", 24, 32, 1, 8, false, ""},
		"animated AVIF":  {fixture(t, "av/testdata/sequence.avif"), "image/avif", 128, 64, 2, 8, false, "bt709"},
		"HEIC":           {fixture(t, "av/testdata/patches.heic"), "image/heic", 128, 64, 1, 8, false, ""},
		"HEIC with more": {fixture(t, "strip/testdata/thumbnail.heic"), "image/heic", 64, 48, 1, 8, false, ""},
		"deep PNG":       {encodePNG(t, deep, nil), "image/png", 30, 20, 1, 16, true, ""},
		"PNG with a profile": {encodePNG(t, image.NewGray(image.Rect(0, 0, 9, 9)), chunk("iCCP", "Display P3\x00\x00")),
			"image/png", 9, 9, 1, 8, false, "Display P3"},
		"SVG": {[]byte(`<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"/>`), "image/svg+xml", 20, 10, 1, 0, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := Probe(c.data, 0)
			if err != nil {
				t.Fatal(err)
			}
			if f.MIME != c.mime || f.Width != c.width || f.Height != c.height || f.Frames != c.frames || f.Depth != c.depth || f.Alpha != c.alpha {
				t.Errorf("%+v", f)
			}
			if c.colour != "" && f.Colour != c.colour {
				t.Errorf("colour %q", f.Colour)
			}
		})
	}
}

func encodePNG(t *testing.T, m image.Image, more []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	const header = 8 + 25
	return append(append(bytes.Clone(b.Bytes()[:header]), more...), b.Bytes()[header:]...)
}

func TestProbeFilm(t *testing.T) {
	f, err := Probe(fixture(t, "av/testdata/clip.mp4"), 0)
	if err != nil {
		t.Fatal(err)
	}
	if f.MIME != "video/mp4" || f.Width != 64 || f.Height != 48 || len(f.Streams) != 2 || f.Duration < 350*time.Millisecond || f.Duration > 500*time.Millisecond || f.BitRate == 0 {
		t.Errorf("%+v", f)
	}
	if v := f.Streams[0]; v.Kind != "video" || v.Codec != "h264" || v.FrameRate != 10 {
		t.Errorf("%+v", v)
	}
	if a := f.Streams[1]; a.Kind != "audio" || a.Codec != "aac" || a.Channels != 1 || a.SampleRate != 48000 {
		t.Errorf("%+v", a)
	}
}

func TestProbeRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		data []byte
		kind error
	}{
		"nothing":         {nil, media.ErrUnsupported},
		"text":            {[]byte(strings.Repeat("hello ", 100)), media.ErrUnsupported},
		"a page":          {[]byte("<html><body>hello</body></html>"), media.ErrUnsupported},
		"half a picture":  {fixture(t, "av/testdata/patches.avif")[:300], media.ErrCorrupt},
		"half a film":     {fixture(t, "av/testdata/clip.mp4")[:100], media.ErrUnsupported},
		"a playlist":      {[]byte("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"), media.ErrUnsupported},
		"a list of files": {[]byte("ffconcat version 1.0\nfile /etc/passwd\n"), media.ErrUnsupported},
		"a large picture": {fixture(t, "av/testdata/patches.avif"), media.ErrTooManyPixels},
		"a large HEIC":    {fixture(t, "av/testdata/patches.heic"), media.ErrTooManyPixels},
	} {
		limit := int64(0)
		if c.kind == media.ErrTooManyPixels {
			limit = 1000
		}
		if f, err := Probe(c.data, limit); !errors.Is(err, c.kind) && !(name == "nothing" && errors.Is(err, media.ErrCorrupt)) || media.Reason(err) == "" {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
	}
}

func chunk(kind, body string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	return append(append(append(b, kind...), body...), 0, 0, 0, 0)
}

func TestProfilesAreNamed(t *testing.T) {
	profile := func(desc string) []byte {
		b := make([]byte, 128, 200)
		b = binary.BigEndian.AppendUint32(b, 1)
		b = append(b, "desc\x00\x00\x00\x90"...)
		b = binary.BigEndian.AppendUint32(b, uint32(len(desc)))
		return append(b, desc...)
	}
	for want, desc := range map[string]string{
		"Adobe RGB (1998)": "desc\x00\x00\x00\x00\x00\x00\x00\x11Adobe RGB (1998)\x00",
		"P3":               "mluc\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x0cenUS\x00\x00\x00\x04\x00\x00\x00\x1c\x00P\x003",
		"":                 "desc\x00\x00\x00\x00\xff\xff\xff\xffx",
	} {
		if got := description(profile(desc)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func FuzzProbe(f *testing.F) {
	for _, name := range []string{"av/testdata/patches.avif", "av/testdata/alpha.heic", "av/testdata/clip.mp4", "strip/testdata/thumbnail.heic", "picture/testdata/cmyk.jpg"} {
		f.Add(fixture(f, name))
	}
	f.Add(fixture(f, "picture/testdata/p3.icc"))
	f.Fuzz(func(t *testing.T, data []byte) {
		facts, err := Probe(data, 1e6)
		if err == nil && (facts.MIME == "" || facts.Width*facts.Height > 1e6 && facts.Frames > 0) {
			t.Errorf("%+v", facts)
		}
		description(data)
		pngProfile(data)
	})
}
