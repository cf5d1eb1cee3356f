package blobtest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"picora/store/blob"
)

// spread makes blobs over months, with several in some milliseconds and
// minutes, puts them in no order, and returns their keys in order.
func spread(t *testing.T, s blob.Store) []string {
	t.Helper()
	var all []string
	for _, gap := range []time.Duration{
		0, time.Millisecond, time.Second, time.Minute, 20 * time.Minute, 24 * time.Hour, 13 * 24 * time.Hour, 90 * 24 * time.Hour,
	} {
		for range 4 {
			all = append(all, blob.NewKey(epoch.Add(gap)))
		}
	}
	for i := range all {
		put(t, s, all[i*7%len(all)], []byte(all[i*7%len(all)])) // 7 and 32 share no factor
	}
	slices.Sort(all)
	return all
}

func testList(t *testing.T, s blob.Store) {
	if got := keys(t, s.List(t.Context(), "", "")); len(got) != 0 {
		t.Errorf("an empty store lists %q", got)
	}
	all := spread(t, s)
	bounds := []string{"", "0", "7", "7zzzzzzzzzzzzzzzzzzzzzzzzz", all[0][:1], blob.KeyAt(epoch), blob.KeyAt(epoch.Add(time.Hour))}
	for _, i := range []int{0, 9, 20, len(all) - 1} {
		for _, n := range []int{2, 4, 5, 6, 7, 10, 11, 25, 26} {
			bounds = append(bounds, all[i][:n])
		}
	}
	for _, prefix := range bounds {
		for _, after := range bounds {
			var want []string
			for _, key := range all {
				if strings.HasPrefix(key, prefix) && key > after {
					want = append(want, key)
				}
			}
			if got := keys(t, s.List(t.Context(), prefix, after)); !slices.Equal(got, want) {
				t.Errorf("List(%q, %q) gives %d keys, want %d:\n%q\n%q", prefix, after, len(got), len(want), got, want)
			}
		}
	}
	for info, err := range s.List(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		checkInfo(t, "List", info, info.Key, len(info.Key))
	}
}

func testListStops(t *testing.T, s blob.Store) {
	all := spread(t, s)
	// Page by page, as a caller with a cursor does.
	var got []string
	for after := ""; ; after = got[len(got)-1] {
		before := len(got)
		for info, err := range s.List(t.Context(), "", after) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, info.Key)
			if len(got) == before+5 {
				break
			}
		}
		if len(got) == before {
			break
		}
	}
	if !slices.Equal(got, all) {
		t.Errorf("the pages hold %q, want %q", got, all)
	}
	list := s.List(t.Context(), "", "")
	if a, b := keys(t, list), keys(t, list); !slices.Equal(a, b) {
		t.Errorf("a list walked twice gives %q and %q", a, b)
	}
}

func testListDeleting(t *testing.T, s blob.Store) {
	all := spread(t, s)
	ahead := all[1] // goes while the walk is just before it
	var got []string
	for info, err := range s.List(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		if info.Key != ahead { // it may be seen or not
			got = append(got, info.Key)
		}
		for _, key := range []string{info.Key, ahead} {
			if err := s.Delete(t.Context(), key); err != nil {
				t.Fatal(err)
			}
		}
	}
	if want := slices.Delete(slices.Clone(all), 1, 2); !slices.Equal(got, want) {
		t.Errorf("List gave %q, want %q", got, want)
	}
	if left := keys(t, s.List(t.Context(), "", "")); len(left) != 0 {
		t.Errorf("left are %q", left)
	}
}
