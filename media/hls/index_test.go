package hls_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"picora/media/hls"
)

func track(x hls.Index) []byte {
	b := make([]byte, x.Init)
	for _, s := range x.Segments {
		b = append(b, make([]byte, s.Size)...)
	}
	return hls.AppendIndex(b, x)
}

func TestAnIndexIsReadAsItWasWritten(t *testing.T) {
	x := hls.Index{Init: 700, Segments: []hls.Segment{{40_000, 4}, {12, 4.004}, {9999, 1.5}}}
	b := track(x)
	got, err := hls.ReadIndex(bytes.NewReader(b), int64(len(b)))
	if err != nil || !reflect.DeepEqual(got, x) {
		t.Fatalf("%+v, %v", got, err)
	}
	if d := got.Duration(); d != 9.504 {
		t.Errorf("%f seconds", d)
	}
}

func TestAnIndexThatDoesNotFitIsRefused(t *testing.T) {
	good := track(hls.Index{Init: 100, Segments: []hls.Segment{{1000, 4}, {1000, 4}}})
	for name, b := range map[string][]byte{
		"empty":              {},
		"none":               make([]byte, 5000),
		"cut off":            good[:len(good)-3],
		"a byte too many":    append([]byte{0}, good...),
		"too few":            good[1:],
		"without the mark":   bytes.Replace(good, []byte("pidx01"), []byte("pidx99"), 1),
		"of no segments":     track(hls.Index{Init: 100}),
		"without beginning":  track(hls.Index{Segments: []hls.Segment{{1000, 4}}}),
		"of an endless one":  track(hls.Index{Init: 1, Segments: []hls.Segment{{1, 1e5}}}),
		"another box's size": append(bytes.Clone(good[:len(good)-4]), 0, 0, 0, 30),
	} {
		if x, err := hls.ReadIndex(bytes.NewReader(b), int64(len(b))); !errors.Is(err, hls.ErrIndex) {
			t.Errorf("%s: %+v, %v", name, x, err)
		}
	}
}

func FuzzReadIndex(f *testing.F) {
	f.Add(track(hls.Index{Init: 100, Segments: []hls.Segment{{1000, 4}, {30, 4}}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := hls.ReadIndex(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		sum := x.Init
		for _, s := range x.Segments {
			sum += s.Size
		}
		if sum >= int64(len(b)) || sum <= 0 {
			t.Errorf("%d of %d bytes", sum, len(b))
		}
	})
}

func TestAShortLastSegmentSetsNoBitRate(t *testing.T) {
	x := hls.Index{Init: 1, Segments: []hls.Segment{{100_000, 4}, {150_000, 4}, {20_000, 0.04}}}
	if peak, average := x.Rates(); peak < 336_000 || peak > 337_000 || average < 268_000 || average > 269_000 {
		t.Errorf("peak %d, average %d", peak, average)
	}
	if peak, average := (&hls.Index{}).Rates(); peak != 0 || average != 0 {
		t.Errorf("of nothing: %d, %d", peak, average)
	}
}
