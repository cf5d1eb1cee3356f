package strip

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"
	"time"

	"picora/media"
)

func TestHEIFMetadata(t *testing.T) {
	hidden := slicesJoin(bx("uuid", []byte(secret)), bx("udta", []byte(secret)), bx("free", []byte(secret)), bx("moov", []byte(secret)))
	large := slicesJoin(be32(1), []byte("skip"), be32(0), be32(uint32(16+len(secret))), []byte(secret))
	for name, s := range map[string]still{
		"plain":          {},
		"version 1":      {version: 1},
		"version 2":      {version: 2},
		"data first":     {mdatFirst: true},
		"in the index":   {version: 1, inside: true},
		"boxes in front": {front: hidden},
		"boxes behind":   {back: hidden},
		"boxes in both":  {front: slicesJoin(hidden, large), back: slicesJoin(large, hidden), mdatFirst: true},
		"in meta":        {meta: hidden},
		"property":       {props: bx("udes", []byte(secret))},
		"after the end":  {back: []byte(secret)},
		"short rest":     {back: []byte("GPS")},
		"second data":    {back: bx("mdat", []byte(secret))},
	} {
		for brand, typ := range map[string]media.Type{"avif": media.AVIF, "heic": media.HEIC, "mif1": media.HEIF} {
			t.Run(name+" "+brand, func(t *testing.T) {
				s.brand = brand
				file := s.file()
				rep, out := gone(t, typ, file)
				if rep.Width != 64 || rep.Height != 48 || rep.Orientation != 1 || rep.Frames != 1 || !rep.ICC {
					t.Errorf("report %+v", rep)
				}
				if !bytes.Contains(out, []byte(heifPixels+heifAlpha)) || !bytes.Contains(out, []byte(iccText)) {
					t.Error("the picture is gone")
				}
				if bytes.Index(out, []byte(heifPixels)) != bytes.Index(file, []byte(heifPixels)) {
					t.Error("the picture has moved")
				}
				if bytes.Contains(out, []byte("Exif")) || bytes.Contains(out, []byte("mime")) || bytes.Contains(out, []byte("udes")) {
					t.Error("the index still has what is gone")
				}
				if bytes.Contains(out, []byte("xmp")) || bytes.Contains(out, []byte("Acme")) || len(out) > len(file) {
					t.Errorf("delivered: %q", out)
				}
				if s.mdatFirst != rep.Taken.IsZero() {
					t.Errorf("facts %+v", rep.Facts)
				}
			})
		}
	}
}

func TestHEIFOrientation(t *testing.T) {
	for _, c := range []struct {
		turn          []byte
		orientation   int
		width, height int
	}{
		{nil, 1, 64, 48},
		{[]byte{1, 1}, 2, 64, 48},
		{[]byte{0, 2}, 3, 64, 48},
		{[]byte{1, 0}, 4, 64, 48},
		{[]byte{0, 1, 1, 0}, 5, 64, 48},
		{[]byte{0, 3}, 6, 64, 48},
		{[]byte{0, 3, 1, 0}, 7, 64, 48},
		{[]byte{0, 1}, 8, 64, 48},
		{[]byte{0, 3, 1, 1}, 5, 64, 48},
		{[]byte{1, 1, 0, 1}, 5, 64, 48},
		{[]byte{1, 0, 1, 1}, 3, 64, 48},
		{[]byte{1, 1, 1, 1}, 1, 64, 48},
		{[]byte{9, 0}, 1, 20, 10},
		{[]byte{9, 0, 0, 3}, 6, 20, 10},
		{[]byte{0, 3, 9, 0}, 6, 10, 20},
	} {
		rep, _ := walk(t, media.AVIF, still{turn: c.turn}.file())
		if rep.Orientation != c.orientation || rep.Width != c.width || rep.Height != c.height {
			t.Errorf("%v: %d, %d x %d, want %+v", c.turn, rep.Orientation, rep.Width, rep.Height, c)
		}
	}
}

func TestHEIFSamples(t *testing.T) {
	for _, c := range []struct {
		name                               string
		typ                                media.Type
		width, height, orientation, frames int
		duration                           time.Duration
		facts, secret                      bool
	}{
		{"exif.avif", media.AVIF, 64, 48, 1, 1, 0, true, true},
		{"turned.avif", media.AVIF, 32, 24, 5, 1, 0, true, true},
		{"grid.avif", media.AVIF, 128, 96, 1, 1, 0, false, false},
		{"alpha.avif", media.AVIF, 64, 48, 1, 1, 0, false, false},
		{"sequence.avif", media.AVIF, 64, 48, 1, 3, 100 * time.Millisecond, false, false},
		{"thumbnail.heic", media.HEIC, 64, 48, 1, 1, 0, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := sample(t, c.name)
			if typ, err := media.Sniff(file); typ != c.typ || err != nil {
				t.Errorf("Sniff = %v, %v", typ, err)
			}
			if c.secret != bytes.Contains(file, []byte(secret)) {
				t.Fatal("the fixture's secret")
			}
			rep, out := walk(t, c.typ, file)
			if rep.Width != c.width || rep.Height != c.height || rep.Orientation != c.orientation || rep.Frames != c.frames || rep.Duration != c.duration {
				t.Errorf("report %+v", rep)
			}
			if bytes.Contains(out, []byte(secret)) || bytes.Contains(out, []byte("Acme")) || len(out) != len(file) {
				t.Errorf("delivered %q", out)
			}
			if c.facts {
				wantFacts(t, rep.Facts)
			}
		})
	}
	// The frames of a sequence are all there.
	file := sample(t, "sequence.avif")
	_, out := walk(t, media.AVIF, file)
	at := bytes.Index(file, []byte("mdat"))
	if !bytes.Equal(file[at:], out[at:]) {
		t.Error("the frames have changed")
	}
	// What is in none of them is not.
	file = append(file, bx("mdat", []byte(secret))...)
	gone(t, media.AVIF, file)
}

func TestHEIFRefused(t *testing.T) {
	good := still{}.file()
	swap := func(old, new string) []byte {
		b := bytes.Replace(good, []byte(old), []byte(new), 1)
		if bytes.Equal(b, good) {
			t.Fatalf("%q is not there", old)
		}
		return b
	}
	meta := func(parts ...[]byte) []byte {
		return slicesJoin(bx("ftyp", []byte("avif\x00\x00\x00\x00")), fullbx("meta", 0, parts...), bx("mdat"))
	}
	grid := func(w, h uint32) []byte { return slicesJoin([]byte{0, 1, 0, 0}, be32(w), be32(h)) }
	for _, c := range []struct {
		name  string
		file  []byte
		kind  error
		words string
	}{
		{"empty", nil, media.ErrCorrupt, "cut off"},
		{"another type", still{brand: "heic"}.file(), media.ErrCorrupt, "signature"},
		{"no index", good[:24], media.ErrCorrupt, "cut off"},
		{"bomb", still{ispe: [2]uint32{60000, 60000}}.file(), media.ErrTooManyPixels, "3600 megapixels"},
		{"largest", still{ispe: [2]uint32{math.MaxUint32, math.MaxUint32}}.file(), media.ErrCorrupt, "impossible"},
		{"no width", still{ispe: [2]uint32{0, 9}}.file(), media.ErrCorrupt, "zero"},
		{"grid bomb", still{grid: grid(60000, 60000)}.file(), media.ErrTooManyPixels, "3600 megapixels"},
		{"grid of another size", still{grid: grid(65, 48)}.file(), media.ErrCorrupt, "tiles"},
		{"outside", still{move: 1 << 20}.file(), media.ErrCorrupt, "outside"},
		{"in the index", still{move: -100}.file(), media.ErrCorrupt, "outside"},
		{"missing part", still{refs: bx("dimg", be16(1), be16(1), be16(77))}.file(), media.ErrCorrupt, "index"},
		{"metadata as a part", still{refs: bx("dimg", be16(1), be16(1), be16(4))}.file(), media.ErrCorrupt, "index"},
		{"no picture", swap("av01", "mime"), media.ErrCorrupt, "no picture"},
		{"no primary", swap("pitm", "free"), media.ErrCorrupt, "no picture"},
		{"no places", swap("iloc", "free"), media.ErrCorrupt, "outside"},
		{"two indexes", still{front: still{}.index(func(int) (int, int, int) { return 0, 0, 1 }, nil)}.file(), media.ErrCorrupt, ""},
		{"large index", slicesJoin(bx("ftyp", []byte("avif\x00\x00\x00\x00")), bx("meta", make([]byte, maxIndex+1))), media.ErrCorrupt, "index"},
		{"another version", meta(fullbx("iloc", 3, []byte{0x44, 0}, be32(0))), media.ErrCorrupt, "index"},
		{"long box", meta([]byte("\x00\x00\x00\xFFiinf")), media.ErrCorrupt, "impossible length"},
		{"short box", meta([]byte("\x00\x00\x00\x07iinf")), media.ErrCorrupt, "impossible length"},
		{"endless places", meta(fullbx("iloc", 0, []byte{0, 0}, be16(1), be16(1), be16(0), be16(0xFFFF))), media.ErrCorrupt, "index"},
		{"many boxes", slicesJoin(good, bytes.Repeat(bx("free"), maxBoxes)), media.ErrCorrupt, "pieces"},
		{"sound", still{}.sequence("soun", 4), media.ErrUnsupported, "sound"},
		{"more frames than there are", still{}.sequence("pict", 5), media.ErrCorrupt, "index"},
	} {
		t.Run(c.name, func(t *testing.T) { refused(t, media.AVIF, c.file, c.kind, c.words) })
	}
}

func TestHEIFSequence(t *testing.T) {
	rep, out := gone(t, media.AVIF, still{}.sequence("pict", 4))
	if rep.Frames != 4 || rep.Duration != 400*time.Millisecond || rep.Width != 64 || rep.Height != 48 {
		t.Errorf("report %+v", rep)
	}
	if !bytes.Contains(out, []byte("frm1frm2frm3\x00")) || !bytes.Contains(out, []byte("\x00frm4\x00")) || bytes.Contains(out, []byte{7, 7}) {
		t.Errorf("delivered %q", out)
	}
}

func TestHEIFCut(t *testing.T) {
	for _, s := range []still{{}, {mdatFirst: true}, {version: 2, inside: true}} {
		file := s.file()
		for n := range file {
			rep, err := Walk(bytes.NewReader(file[:n]), media.AVIF, Limits{})
			// Only what is not delivered may be missing: the EXIF behind the picture
			// is in the same box, so nothing.
			if err == nil || media.Reason(err) == "" {
				t.Errorf("cut at %d of %d: %+v, %v", n, len(file), rep, err)
			}
		}
	}
}

// TestHEIFCrowded has indexes made to be slow.
func TestHEIFCrowded(t *testing.T) {
	var items, places []byte
	for i := range uint32(200_000) {
		items = append(items, fullbx("infe", 3, be32(i), be16(0), []byte("av01"))...)
		places = append(places, slicesJoin(be32(i), be16(0), be16(0), be16(1), be32(i), be32(1))...)
	}
	ftyp := bx("ftyp", []byte("avif\x00\x00\x00\x00"))
	primary := fullbx("pitm", 0, be16(0))
	many := func(n int) []byte { // pieces of one item, in many mdat boxes
		meta := func(base uint32) []byte {
			var extents []byte
			for i := range uint32(n) {
				extents = append(extents, slicesJoin(be32(base+16*i+8), be32(4))...)
			}
			return fullbx("meta", 0, primary, fullbx("iinf", 0, be16(1), fullbx("infe", 2, be16(0), be16(0), []byte("av01\x00"))),
				fullbx("iloc", 0, []byte{0x44, 0}, be16(1), be16(0), be16(0), be16(uint16(n)), extents),
				bx("iprp", bx("ipco", fullbx("ispe", 0, be32(9), be32(9))), fullbx("ipma", 0, be32(1), be16(0), []byte{1, 1})))
		}
		base := uint32(len(ftyp) + len(meta(0)))
		return slicesJoin(ftyp, meta(base), bytes.Repeat(bx("mdat", []byte("data"+"GPS!")), n))
	}
	var some, somewhere, assoc []byte // 5000 items, all of them the transparency of the first
	for i := range uint32(5000) {
		some = append(some, fullbx("infe", 2, be16(uint16(i)), be16(0), []byte("av01\x00"))...)
		somewhere = slicesJoin(somewhere, be16(uint16(i)), be16(0), be16(1), be32(500_000+2*i), be32(1))
		assoc = slicesJoin(assoc, be16(uint16(i)), []byte{200, 1}, bytes.Repeat([]byte{1}, 198), []byte{2})
	}
	var refs []byte
	for i := range uint32(20_000) {
		refs = append(refs, bx("auxl", be16(uint16(i%5000)), be16(1), be16(0))...)
	}
	alphas := fullbx("meta", 0, primary, fullbx("iinf", 0, be16(5000), some), fullbx("iloc", 0, []byte{0x44, 0}, be16(5000), somewhere),
		bx("iprp", bx("ipco", fullbx("ispe", 0, be32(9), be32(9)), fullbx("auxC", 0, []byte(alphaKinds[0]+"\x00"))),
			fullbx("ipma", 0, be32(2000), assoc[:2000*203])), fullbx("iref", 0, refs))
	for name, file := range map[string][]byte{
		"alphas": slicesJoin(ftyp, alphas, bx("mdat", bytes.Repeat([]byte("GPS"), 100_000))),
		"items":  slicesJoin(ftyp, fullbx("meta", 0, primary, fullbx("iinf", 1, be32(200_000), items[:900_000])), bx("mdat", make([]byte, 200_000))),
		"places": slicesJoin(ftyp, fullbx("meta", 0, primary, fullbx("iloc", 2, []byte{0x44, 0}, be32(200_000), places[:900_000])), bx("mdat")),
		"pieces": many(1000),
		"more":   many(60_000),
	} {
		start := time.Now()
		rep, err := Walk(bytes.NewReader(file), media.AVIF, Limits{})
		if (err == nil) != (name == "pieces") {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && bytes.Contains(deliver(t, file, rep.Plan), []byte("GPS")) {
			t.Errorf("%s: a secret is delivered", name)
		}
		if took := time.Since(start); took > time.Minute {
			t.Errorf("%s: %v", name, took)
		}
	}
}

// TestHEIFLarge has metadata that no plan holds byte by byte.
func TestHEIFLarge(t *testing.T) {
	s := still{exif: append(factsEXIF(binary.LittleEndian), bytes.Repeat([]byte(secret), 20_000)...), front: bx("uuid", bytes.Repeat([]byte(secret), 100_000))}
	rep, _ := gone(t, media.AVIF, s.file())
	if n := len(rep.Plan.Marshal()); n > 1024 {
		t.Errorf("the plan takes up %d bytes", n)
	}
	back, err := Unmarshal(rep.Plan.Marshal())
	if err != nil || !bytes.Equal(deliver(t, s.file(), back), deliver(t, s.file(), rep.Plan)) {
		t.Errorf("the plan does not come back: %v", err)
	}
}
