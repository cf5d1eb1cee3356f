package strip

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"picora/media"
)

// entry is an entry of a directory to make.
type entry struct {
	tag, kind uint16
	count     uint32
	value     []byte
}

// ascii makes an entry of text.
func ascii(tag uint16, s string) entry {
	return entry{tag, typeASCII, uint32(len(s) + 1), []byte(s + "\x00")}
}

// long makes an entry of one number.
func long(order binary.AppendByteOrder, tag uint16, v uint32) entry {
	return entry{tag, typeLong, 1, order.AppendUint32(nil, v)}
}

// rationals makes an entry of fractions.
func rationals(order binary.AppendByteOrder, tag uint16, v ...uint32) entry {
	e := entry{tag: tag, kind: typeRational, count: uint32(len(v) / 2)}
	for _, n := range v {
		e.value = order.AppendUint32(e.value, n)
	}
	return e
}

// directory makes a directory that stands at an offset, with its values behind it.
func directory(order binary.AppendByteOrder, at int, entries ...entry) []byte {
	out := order.AppendUint16(nil, uint16(len(entries)))
	data := at + 2 + 12*len(entries) + 4
	var behind []byte
	for _, e := range entries {
		out = order.AppendUint32(order.AppendUint16(order.AppendUint16(out, e.tag), e.kind), e.count)
		if len(e.value) <= 4 {
			out = append(append(out, e.value...), make([]byte, 4-len(e.value))...)
			continue
		}
		out = order.AppendUint32(out, uint32(data+len(behind)))
		behind = append(behind, e.value...)
	}
	return append(order.AppendUint32(out, 0), behind...)
}

// tiffHead makes a header.
func tiffHead(order binary.AppendByteOrder) []byte {
	b := []byte("MM\x00*")
	if order.String() == "LittleEndian" {
		b = []byte("II*\x00")
	}
	return order.AppendUint32(b, 8)
}

// berlin is a place, as entries.
func berlin(order binary.AppendByteOrder) []entry {
	return []entry{ascii(1, "N"), rationals(order, 2, 52, 1, 30, 1, 5868, 100), ascii(3, "E"), rationals(order, 4, 13, 1, 22, 1, 3972, 100)}
}

// factsIFDs makes directories at offset 8 with a camera, a date and a place.
func factsIFDs(order binary.AppendByteOrder, more ...entry) []byte {
	return factsWith(order, berlin(order), more...)
}

func factsWith(order binary.AppendByteOrder, gps []entry, more ...entry) []byte {
	const room = 2000
	first := append(more, ascii(tagMake, "Acme"), ascii(tagModel, "Snap 5"), long(order, tagExifIFD, room), long(order, tagGPSIFD, 2*room))
	pad := func(b []byte, n int) []byte { return append(b, make([]byte, n-len(b))...) }
	return slicesJoin(
		pad(directory(order, 8, first...), room-8),
		pad(directory(order, room, ascii(tagTaken, "2024:05:06 07:08:09"), ascii(tagTakenOffset, "+02:00")), room),
		directory(order, 2*room, gps...))
}

func factsEXIF(order binary.AppendByteOrder) []byte {
	return append(tiffHead(order), factsIFDs(order)...)
}

// wantFacts checks that the facts are those.
func wantFacts(t *testing.T, f Facts) {
	t.Helper()
	if !f.Taken.Equal(time.Date(2024, 5, 6, 5, 8, 9, 0, time.UTC)) || f.Taken.Location() != time.UTC || f.Camera != "Acme Snap 5" {
		t.Errorf("taken %v by %q", f.Taken, f.Camera)
	}
	if f.Lat == nil || f.Long == nil || math.Abs(*f.Lat-52.5163) > 1e-6 || math.Abs(*f.Long-13.3777) > 1e-6 {
		t.Errorf("place %v %v", f.Lat, f.Long)
	}
}

func TestFacts(t *testing.T) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		e := factsEXIF(order)
		for typ, file := range map[media.Type][]byte{
			media.JPEG: jpegWith(t, seg(mAPP1, exifPrefix+string(e))),
			media.PNG:  pngWith(t, pngChunk("eXIf", e), nil),
			media.WebP: webpFile(vp8x(webpEXIF, 1, 1), webpLossy[12:], riffChunk("EXIF", e)),
			media.AVIF: still{exif: e}.file(),
			media.HEIC: still{brand: "heic", exif: e, version: 1, inside: true}.file(),
			media.TIFF: tiffFile(order, factsIFDs),
			media.ICO:  icoFile(pngWith(t, pngChunk("eXIf", e), nil)),
		} {
			t.Run(typ.Ext, func(t *testing.T) {
				rep, out := walk(t, typ, file)
				wantFacts(t, rep.Facts)
				if typ != media.TIFF && bytes.Contains(out, []byte("Acme")) {
					t.Error("the camera is delivered")
				}
			})
		}
	}
}

func TestPlace(t *testing.T) {
	o := binary.BigEndian
	good := berlin(o)
	with := func(i int, e entry) []entry {
		out := append([]entry{}, good...)
		out[i] = e
		return out
	}
	for name, c := range map[string]struct {
		gps       []entry
		lat, long float64
		ok        bool
	}{
		"north east":      {good, 52.5163, 13.3777, true},
		"south":           {with(0, ascii(1, "S")), -52.5163, 13.3777, true},
		"west":            {with(2, ascii(3, "W")), 52.5163, -13.3777, true},
		"pole":            {with(1, rationals(o, 2, 90, 1, 0, 1, 0, 1)), 90, 13.3777, true},
		"beyond the pole": {with(1, rationals(o, 2, 90, 1, 0, 1, 1, 1)), 0, 0, false},
		"beyond the date": {with(3, rationals(o, 4, 181, 1, 0, 1, 0, 1)), 0, 0, false},
		"no reference":    {with(0, ascii(1, "")), 0, 0, false},
		"odd reference":   {with(2, ascii(3, "N")), 0, 0, false},
		"zero below":      {with(1, rationals(o, 2, 52, 1, 30, 0, 0, 1)), 0, 0, false},
		"two numbers":     {with(1, rationals(o, 2, 52, 1, 30, 1)), 0, 0, false},
		"no longitude":    {good[:2], 0, 0, false},
		"far value":       {with(1, entry{2, typeRational, math.MaxUint32, make([]byte, 24)}), 0, 0, false},
	} {
		_, f := exifFacts(append(tiffHead(o), factsWith(o, c.gps)...))
		if (f.Lat != nil) != c.ok || (f.Long != nil) != c.ok || c.ok && (math.Abs(*f.Lat-c.lat) > 1e-6 || math.Abs(*f.Long-c.long) > 1e-6) {
			t.Errorf("%s: %v %v", name, f.Lat, f.Long)
		}
	}
}

func TestTaken(t *testing.T) {
	day := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	for _, c := range []struct {
		when, zone string
		want       time.Time
	}{
		{"2024:05:06 07:08:09", "", day},
		{"2024:05:06 07:08:09", "+02:00", day.Add(-2 * time.Hour)},
		{"2024:05:06 07:08:09", "-03:30", day.Add(3*time.Hour + 30*time.Minute)},
		{"2024:05:06 07:08:09", "nonsense", day},
		{"0000:00:00 00:00:00", "", time.Time{}},
		{"2024:13:06 07:08:09", "", time.Time{}},
		{"    :  :     :  :  ", "", time.Time{}},
		{"", "+02:00", time.Time{}},
	} {
		if got := taken(c.when, c.zone); got != c.want {
			t.Errorf("%q %q: %v, want %v", c.when, c.zone, got, c.want)
		}
	}
}

func TestCamera(t *testing.T) {
	for _, c := range []struct{ maker, model, want string }{
		{"Acme", "Snap 5", "Acme Snap 5"},
		{"Canon", "Canon EOS 5D", "Canon EOS 5D"},
		{"  NIKON\tCORPORATION ", "D 1\x00" + secret, "NIKON CORPORATION D 1"},
		{"", "Snap", "Snap"},
		{"Acme", "", "Acme"},
		{"A\x1b[31mc\u202eme\xff", "\u200bSnap", "A[31mcme Snap"},
		{strings.Repeat("é", 500), "", strings.Repeat("é", maxCamera)},
		{"", "", ""},
	} {
		e := directory(binary.BigEndian, 8, ascii(tagMake, c.maker), ascii(tagModel, c.model))
		if _, f := exifFacts(append(tiffHead(binary.BigEndian), e...)); f.Camera != c.want {
			t.Errorf("%q %q: %q, want %q", c.maker, c.model, f.Camera, c.want)
		}
	}
}

// TestEXIFLoop has directories that point to each other, and to themselves.
func TestEXIFLoop(t *testing.T) {
	o := binary.BigEndian
	entries := []entry{ascii(tagModel, "Loop"), long(o, tagExifIFD, 8), long(o, tagGPSIFD, 8)}
	for range 65000 {
		entries = append(entries, long(o, tagExifIFD, 8))
	}
	if _, f := exifFacts(append(tiffHead(o), directory(o, 8, entries...)...)); f.Camera != "Loop" {
		t.Errorf("%+v", f)
	}
}

// orientationOf is what EXIF data says of the orientation.
func orientationOf(b []byte) int {
	o, _ := exifFacts(b)
	return o
}

func FuzzEXIF(f *testing.F) {
	f.Add(factsEXIF(binary.LittleEndian))
	f.Add(factsEXIF(binary.BigEndian))
	f.Add(exif(binary.LittleEndian, 6))
	f.Fuzz(func(t *testing.T, b []byte) {
		o, x := exifFacts(b)
		if o < 1 || o > 8 {
			t.Fatalf("orientation %d", o)
		}
		if !utf8.ValidString(x.Camera) || strings.ContainsFunc(x.Camera, unicode.IsControl) || utf8.RuneCountInString(x.Camera) > 2*maxCamera+1 {
			t.Fatalf("camera %q", x.Camera)
		}
		if (x.Lat == nil) != (x.Long == nil) || x.Lat != nil && !(math.Abs(*x.Lat) <= 90 && math.Abs(*x.Long) <= 180) {
			t.Fatalf("place %v %v", x.Lat, x.Long)
		}
		if y := x.Taken.Year(); y < 0 || y > 10000 {
			t.Fatalf("taken %v", x.Taken)
		}
	})
}
