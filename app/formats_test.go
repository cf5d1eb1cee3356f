package app_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"picora/app/apptest"
	"picora/app/config"
)

// drawing is a picture of two colours, red to the left and blue to the right.
func drawing(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		c := color.NRGBA{200, 30, 30, 255}
		if i%w >= w/2 {
			c = color.NRGBA{30, 30, 200, 255}
		}
		m.SetNRGBA(i%w, i/w, c)
	}
	return m
}

// encoded encodes m in a format that x/image or the standard library writes.
func encoded(t *testing.T, format string, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	var err error
	switch format {
	case "bmp":
		err = bmp.Encode(&b, m)
	case "tiff":
		err = tiff.Encode(&b, m, &tiff.Options{Compression: tiff.Deflate})
	case "ico": // a directory with one PNG
		var p bytes.Buffer
		err = png.Encode(&p, m)
		fmt.Fprintf(&b, "\x00\x00\x01\x00\x01\x00%c%c\x00\x00\x01\x00\x20\x00", m.Bounds().Dx(), m.Bounds().Dy())
		n := p.Len()
		b.Write([]byte{byte(n), byte(n >> 8), byte(n >> 16), 0, 22, 0, 0, 0})
		b.Write(p.Bytes())
	case "png":
		err = png.Encode(&b, m)
	default:
		t.Fatal(format)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// fixture is a picture that another package made.
func fixture(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "media", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// seen is the wire's image, as far as these tests read it.
type seen struct {
	apptest.Image
	ThumbnailURL, ThumbHash, BlurHash, DominantColor string
	Frames                                           int
}

func TestEveryFormatIsTakenAndShown(t *testing.T) {
	p := apptest.StartWithWorkers(t)
	for _, c := range []struct {
		name      string
		data      []byte
		mime, ext string
		blobs     int
		w, h      int
	}{
		{"a.avif", fixture(t, "av/testdata/patches.avif"), "image/avif", "avif", 1, 128, 64},
		{"grid.avif", fixture(t, "av/testdata/gridalpha.avif"), "image/avif", "avif", 1, 256, 128},
		{"turned.avif", fixture(t, "strip/testdata/turned.avif"), "image/avif", "avif", 1, 0, 0},
		{"thumbnail.heic", fixture(t, "strip/testdata/thumbnail.heic"), "image/jpeg", "jpg", 2, 64, 48},
		{"IMG_0001.HEIC", fixture(t, "av/testdata/patches.heic"), "image/jpeg", "jpg", 2, 128, 64},
		{"alpha.heic", fixture(t, "av/testdata/alpha.heic"), "image/jpeg", "jpg", 2, 128, 64},
		{"a.bmp", encoded(t, "bmp", drawing(60, 40)), "image/bmp", "bmp", 1, 60, 40},
		{"scan.tif", encoded(t, "tiff", drawing(60, 41)), "image/jpeg", "jpg", 2, 60, 41},
		{"favicon.ico", encoded(t, "ico", drawing(32, 32)), "image/x-icon", "ico", 1, 32, 32},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := p.Upload(c.name, c.data)
			if r.Status != http.StatusCreated {
				t.Fatalf("%d %s", r.Status, r.Body)
			}
			var i seen
			r.Data(t, &i)
			if i.MIMEType != c.mime || !strings.HasSuffix(i.URL, "."+c.ext) || i.SizeBytes != int64(len(c.data)) {
				t.Errorf("%+v", i)
			}
			if c.w > 0 && (*i.Width != c.w || *i.Height != c.h) {
				t.Errorf("%d x %d, want %d x %d", *i.Width, *i.Height, c.w, c.h)
			}
			if i.ThumbHash == "" || i.BlurHash == "" || len(i.DominantColor) != 7 {
				t.Errorf("how it looks: %q %q %q", i.ThumbHash, i.BlurHash, i.DominantColor)
			}
			if n := len(p.Blobs()); n != c.blobs {
				t.Errorf("%d files are kept, want %d", n, c.blobs)
			}
			served(t, p, i.Image)
			if r := p.Do("GET", i.ThumbnailURL, nil, "Authorization", "", "Accept", "image/webp"); r.Status != 200 || r.Header.Get("Content-Type") != "image/webp" {
				t.Errorf("its thumbnail: %d %v", r.Status, r.Header)
			}
			again := p.Upload(c.name, c.data)
			if again.Status != http.StatusOK || again.Header.Get("X-Picora-Duplicate") != "true" {
				t.Errorf("again: %d %s", again.Status, again.Body)
			}
			if r := p.Do("DELETE", "/v1/images/"+i.ID, nil); r.Status != 200 {
				t.Errorf("delete: %d", r.Status)
			}
			emptied(t, p)
		})
	}
}

// emptied waits until the bytes of deleted pictures are gone.
func emptied(t *testing.T, p *apptest.Picora) {
	t.Helper()
	for end := time.Now().Add(time.Minute); len(p.Blobs()) > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("files are left: %v", p.Blobs())
		}
	}
}

func TestPicturesAreLookedAtAfterTheirUpload(t *testing.T) {
	p := apptest.StartWithWorkers(t)
	i := p.Add("a.png", encoded(t, "png", drawing(300, 200)))
	var s seen
	for end := time.Now().Add(time.Minute); s.ThumbHash == ""; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("nobody looked")
		}
		p.Do("GET", "/v1/images/"+i.ID, nil).Data(t, &s)
	}
	if s.BlurHash == "" || s.DominantColor != "#c81e1e" && s.DominantColor != "#1e1ec8" || s.UpdatedAt != s.CreatedAt {
		t.Errorf("%+v", s)
	}
}

// With no worker that works, what needs one is refused, and everything else goes on.
func TestWithoutWorkersOnlyThePlainFormatsAreTaken(t *testing.T) {
	p := apptest.Start(t)
	r := p.Upload("a.heic", fixture(t, "av/testdata/patches.heic"))
	if r.Status < 400 || r.Status == 507 {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	unharmed(t, p)
	p.Add("a.png", apptest.PNG(9, 9, 1))
}

func TestDamagedPicturesAreRefusedAndLeaveNothing(t *testing.T) {
	p := apptest.StartWithWorkers(t)
	files := map[string][]byte{
		"a.avif": fixture(t, "av/testdata/patches.avif"), "g.avif": fixture(t, "av/testdata/gridalpha.avif"), "s.avif": fixture(t, "av/testdata/sequence.avif"),
		"a.heic": fixture(t, "av/testdata/patches.heic"), "t.heic": fixture(t, "strip/testdata/thumbnail.heic"),
		"a.bmp": encoded(t, "bmp", drawing(20, 20)), "a.tiff": encoded(t, "tiff", drawing(20, 20)), "a.ico": encoded(t, "ico", drawing(16, 16)),
		"a.jpg": apptest.JPEG(40, 40, 1), "a.png": apptest.PNG(20, 20, 1), "a.gif": apptest.GIF(20, 20, 3, 1),
	}
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for n := range files {
			if !yield(n) {
				return
			}
		}
	}) {
		data := files[name]
		for n := 64; n < len(data)-8; n += 64 {
			if r := p.Upload(name, data[:n]); r.Status != http.StatusUnprocessableEntity || r.Code() != "VALIDATION_ERROR" {
				t.Errorf("%s cut to %d of %d bytes: %d %s", name, n, len(data), r.Status, r.Body)
			}
		}
		flips, taken := 40, 0
		random := rand.New(rand.NewPCG(1, uint64(len(data))))
		for range flips {
			bad := bytes.Clone(data)
			for range 1 + random.IntN(4) {
				bad[random.IntN(len(bad))] ^= 1 << random.IntN(8)
			}
			r := p.Upload(name, bad)
			switch r.Status {
			case http.StatusCreated, http.StatusOK:
				taken++
				var i seen
				r.Data(t, &i)
				if r := p.Do("GET", i.ThumbnailURL, nil); r.Status != 200 {
					t.Errorf("%s: a damaged picture's thumbnail: %d %s", name, r.Status, r.Body)
				}
				p.Do("DELETE", "/v1/images/"+i.ID, nil)
			case http.StatusUnprocessableEntity, http.StatusBadRequest:
			default:
				t.Errorf("%s with flipped bits: %d %s", name, r.Status, r.Body)
			}
		}
		t.Logf("%s: %d of %d damaged ones were taken", name, taken, flips)
	}
	emptied(t, p)
	unharmed(t, p)
}

func TestBombsAreRefused(t *testing.T) {
	p := apptest.StartWithWorkers(t, func(c *config.Config) { c.Upload.MaxMegapixels = 100 })
	bmpBomb := encoded(t, "bmp", drawing(4, 4))
	copy(bmpBomb[18:26], []byte{0x60, 0xEA, 0, 0, 0x60, 0xEA, 0, 0}) // 60000 x 60000
	for name, data := range map[string][]byte{
		"a.png": sizePNG(60000, 60000), "a.bmp": bmpBomb,
		"a.tif": bytes.Replace(encoded(t, "tiff", drawing(20, 20)), []byte("\x00\x01\x03\x00\x01\x00\x00\x00\x14\x00"), []byte("\x00\x01\x03\x00\x01\x00\x00\x00\xff\xff"), 1),
	} {
		r := p.Upload(name, data)
		if r.Status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", name, r.Status, r.Body)
		}
	}
	unharmed(t, p)
}

// A crash's leftovers are looked for from the oldest upload under way on: one that is
// never over would have good files taken for leftovers one day.
func TestUploadsOfTheSameFileAtOnceAreAllOver(t *testing.T) {
	p := apptest.StartWithWorkers(t)
	data := encoded(t, "tiff", drawing(300, 200))
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			if r := p.Upload("a.tiff", data); r.Status != http.StatusCreated && r.Status != http.StatusOK {
				t.Errorf("%d %s", r.Status, r.Body)
			}
		})
	}
	wg.Wait()
	after := time.Now()
	p.Add("b.png", apptest.PNG(9, 9, 1))
	if n := len(p.Blobs()); n != 3 {
		t.Errorf("%d files are kept, want 3", n)
	}
	p.Stop()
	b, err := os.ReadFile(filepath.Join(p.Data, "settled"))
	if err != nil {
		t.Fatal(err)
	}
	when, _, _ := strings.Cut(string(b), " ")
	if mark, err := time.Parse(time.RFC3339Nano, when); err != nil || mark.Before(after) {
		t.Errorf("the mark %q is from before %v: %v", b, after, err)
	}
}
