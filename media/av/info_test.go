package av

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// peak returns the most memory that this process has had, in bytes.
func peak(t *testing.T) int {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(b), "VmHWM:")
	n, err := strconv.Atoi(strings.Fields(after)[0])
	if err != nil {
		t.Fatal(err)
	}
	return n << 10
}

func info(t *testing.T, b []byte) Info {
	t.Helper()
	in, err := Open(bytes.NewReader(b), int64(len(b)), Limits{Pixels: million})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	i, err := in.Info()
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range in.Pictures() { // looking must not eat the pictures
		if err != nil {
			t.Error(err)
		}
	}
	return i
}

func TestInfoOfAFilm(t *testing.T) {
	b := bytes.Clone(file(t, "clip.mp4"))
	matrix := inside(b, "tkhd")[40:] // 90 degrees clockwise
	copy(matrix, bytes.Join([][]byte{u32(0, 1<<16, 0), u32(-1<<16, 0, 0)}, nil))
	i := info(t, b)
	if i.Container != "mov" || i.Width != 64 || i.Height != 48 || i.Duration != 400*time.Millisecond || i.BitRate < 10_000 {
		t.Errorf("%+v", i)
	}
	if got := i.Tags["title"]; got != "A clip of  tests" {
		t.Errorf("title %q", got)
	}
	if len(i.Streams) != 2 {
		t.Fatalf("%d streams", len(i.Streams))
	}
	v, a := i.Streams[0], i.Streams[1]
	if v.Kind != "video" || v.Codec != "h264" || v.Profile != "High" || v.Rotation != 90 || v.Frames != 4 || v.FrameRate != [2]int{10, 1} ||
		v.Aspect != [2]int{1, 1} || v.PixelFormat != "yuv420p" || v.Depth != 8 || v.Matrix != "bt709" || v.Primaries != "bt709" || v.FullRange || !v.Default {
		t.Errorf("%+v", v)
	}
	if a.Kind != "audio" || a.Codec != "aac" || a.Profile != "LC" || a.Channels != 1 || a.SampleRate != 48000 || a.Language != "deu" {
		t.Errorf("%+v", a)
	}
}

func TestInfoOfStills(t *testing.T) {
	grid, _ := grid2(t)
	for name, c := range map[string]struct {
		b                    []byte
		container            string
		width, height, depth int
	}{
		"grid":      {grid, "mov", 100, 90, 8},
		"deep AVIF": {file(t, "deep.avif"), "mov", 128, 64, 10},
		"AVIF grid": {file(t, "gridalpha.avif"), "mov", 256, 128, 8},
		"PNG":       {pngFile(3, 2, 16, 0, 0, chunk("IDAT", deflate(make([]byte, 14))...)), "png", 3, 2, 16},
	} {
		i := info(t, c.b)
		if i.Container != c.container || i.Width != c.width || i.Height != c.height || i.Duration != 0 || i.Streams[0].Depth != c.depth {
			t.Errorf("%s: %+v", name, i)
		}
	}
}

func TestTagsAreBoundedText(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain", " a\x00\x1b[2Jb\r\n": "a  [2Jb", "\xff\xfe": "", "grün": "grün", strings.Repeat("ü", 3000): strings.Repeat("ü", 512),
	} {
		if got := clean(in, 1024); got != want || !utf8.ValidString(got) {
			t.Errorf("%.20q: %.20q", in, got)
		}
	}
}

func TestVersion(t *testing.T) {
	if !strings.HasPrefix(Version(), "7.1") || !strings.Contains(Configuration(), "--disable-network") {
		t.Error(Version(), Configuration())
	}
	if strings.Contains(Configuration(), os.Getenv("HOME")) || !strings.HasPrefix(Configuration(), "--prefix=/picora ") {
		t.Errorf("a path of this machine: %s", Configuration())
	}
}
