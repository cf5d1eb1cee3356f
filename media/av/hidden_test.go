package av

import (
	"bytes"
	"compress/zlib"
	"os"
	"reflect"
	"slices"
	"syscall"
	"testing"
)

// TestItemsInAnyOrder reverses the list of where a file's items are, as Sony's cameras
// write it: the picture is the same.
func TestItemsInAnyOrder(t *testing.T) {
	for _, name := range []string{"grid.avif", "gridalpha.avif", "alpha.avif", "alpha.heic"} {
		t.Run(name, func(t *testing.T) {
			b, err := os.ReadFile("testdata/" + name)
			if err != nil {
				t.Fatal(err)
			}
			want := one(t, b)
			turned := bytes.Clone(b)
			meta, off := metaBox(bytes.NewReader(b), int64(len(b)))
			found := 0
			boxes(meta[4:], func(kind string, places []byte) {
				if kind != "iloc" {
					return
				}
				ids, entries, head := itemPlaces(places)
				if found = len(ids); found < 2 {
					t.Fatalf("%d items: nothing can be turned round", found)
				}
				slices.Reverse(entries)
				copy(turned[int(off)+cap(meta)-cap(places)+head:], bytes.Join(entries, nil))
			})
			if bytes.Equal(turned, b) {
				t.Fatal("the file is as it was")
			}
			got := one(t, turned)
			if !reflect.DeepEqual(got.Image, want.Image) {
				t.Error("the picture is another")
			}
		})
	}
}

// TestPlacesThatAreNotWholeAreLeftAlone cuts the list of places at every byte.
func TestPlacesThatAreNotWholeAreLeftAlone(t *testing.T) {
	b, err := os.ReadFile("testdata/grid.avif")
	if err != nil {
		t.Fatal(err)
	}
	meta, _ := metaBox(bytes.NewReader(b), int64(len(b)))
	boxes(meta[4:], func(kind string, places []byte) {
		if kind != "iloc" {
			return
		}
		for n := range places {
			if ids, _, _ := itemPlaces(places[:n]); n < len(places) && len(ids) != 0 {
				t.Errorf("%d of %d bytes: items %v", n, len(places), ids)
			}
		}
		places = bytes.Clone(places)
		places[0] = 3 // a version that does not exist yet
		if ids, _, _ := itemPlaces(places); ids != nil {
			t.Errorf("version 3: items %v", ids)
		}
	})
}

// TestTextsAreNotInflated gives FFmpeg a text of 512 MB in 512 kB: it takes the picture
// at the price of one without.
func TestTextsAreNotInflated(t *testing.T) {
	var text bytes.Buffer
	text.WriteString("name\x00\x00")
	z := zlib.NewWriter(&text)
	for range 512 {
		z.Write(make([]byte, 1<<20))
	}
	z.Close()
	b := pngFile(1, 1, 8, 0, 0, chunk("zTXt", text.Bytes()...), chunk("IDAT", deflate([]byte{0, 9})...))
	var before, after syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &before)
	one(t, b)
	syscall.Getrusage(syscall.RUSAGE_SELF, &after)
	if grown := after.Maxrss - before.Maxrss; grown > 128<<10 {
		t.Errorf("the peak of memory grew by %d MB", grown>>10)
	}
}
