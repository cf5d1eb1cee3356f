package av

import (
	"bytes"
	"os"
	"reflect"
	"slices"
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
