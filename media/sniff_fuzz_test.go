package media

import (
	"errors"
	"slices"
	"testing"
)

// FuzzSniff checks that any bytes are one of our types or a refusal with a
// sentence.
func FuzzSniff(f *testing.F) {
	for _, s := range []string{"", "\xff\xd8\xff\xe0", "\x89PNG\r\n\x1a\n", "GIF89a", "RIFF....WEBPVP8 ", "\xef\xbb\xbf<?xml ?><!-- --><!DOCTYPE svg [<!ENTITY a \"b\">]><svg", "....ftypavif", "<html>", "II*\x00\x08\x00\x00\x00", "MM\x00*\x00\x00\x00\x08", ftyp("avif\x00\x00\x00\x00"), bmpHead, icoHead} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, head []byte) {
		got, err := Sniff(head)
		if err == nil && !slices.Contains([]Type{JPEG, PNG, GIF, WebP, AVIF, HEIC, HEIF, BMP, TIFF, ICO, SVG}, got) {
			t.Fatalf("%q is %+v", head, got)
		}
		if err != nil && (Reason(err) == "" || !errors.Is(err, ErrUnsupported) && !errors.Is(err, ErrCorrupt)) {
			t.Fatalf("%q is refused without a sentence: %v", head, err)
		}
	})
}
