package strip

import (
	"bytes"
	"encoding/binary"
	"testing"

	"picora/media"
)

var le = binary.LittleEndian

// bmpInfo makes a header of 40 bytes.
func bmpInfo(w, h int32, bits uint16, coding uint32) []byte {
	b := le.AppendUint32(le.AppendUint32(le.AppendUint32(nil, 40), uint32(w)), uint32(h))
	b = le.AppendUint16(le.AppendUint16(b, 1), bits)
	b = le.AppendUint32(le.AppendUint32(b, coding), 0)
	b = append(b, make([]byte, 16)...)
	if bits <= 8 {
		b = append(b, make([]byte, 4<<bits)...)
	}
	return b
}

// bmpFile makes a file of a header and n bytes of pixels.
func bmpFile(dib []byte, n int) []byte {
	b := le.AppendUint32([]byte("BM"), uint32(14+len(dib)+n))
	b = le.AppendUint32(append(b, 0, 0, 0, 0), uint32(14+len(dib)))
	return slicesJoin(b, dib, bytes.Repeat([]byte{0xAB}, n))
}

// bmpGap moves the pixels behind something.
func bmpGap(file []byte, hidden string) []byte {
	at := le.Uint32(file[10:])
	out := slicesJoin(file[:at], []byte(hidden), file[at:])
	le.PutUint32(out[10:], at+uint32(len(hidden)))
	return out
}

func TestBMP(t *testing.T) {
	core := slicesJoin(le.AppendUint32(nil, 12), []byte{3, 0, 2, 0, 1, 0, 24, 0})
	v5 := append(bmpInfo(3, 2, 24, 0), make([]byte, 84)...)
	v5[0] = 124
	copy(v5[56:], "DEBM")
	le.PutUint32(v5[112:], 124+24)
	le.PutUint32(v5[116:], uint32(len(iccText)))
	for name, c := range map[string]struct {
		file  []byte
		width int
		icc   bool
		whole bool
	}{
		"24 bits":           {bmpFile(bmpInfo(3, 2, 24, 0), 24), 3, false, true},
		"top down":          {bmpFile(bmpInfo(3, -2, 24, 0), 24), 3, false, true},
		"1 bit":             {bmpFile(bmpInfo(33, 2, 1, 0), 16), 33, false, true},
		"OS/2":              {bmpFile(core, 24), 3, false, true},
		"run lengths":       {bmpFile(bmpInfo(3, 2, 8, bmpRLE8), 7), 3, false, true},
		"masks":             {bmpFile(append(bmpInfo(3, 2, 32, bmpMasks), make([]byte, 12)...), 24), 3, false, true},
		"profile":           {append(bmpFile(v5, 24), iccText...), 3, true, false},
		"after the end":     {append(bmpFile(bmpInfo(3, 2, 24, 0), 24), secret...), 3, false, false},
		"in its length":     {append(bmpFile(bmpInfo(3, 2, 24, 0), 24+40), secret...), 3, false, false},
		"in front":          {bmpGap(bmpFile(bmpInfo(3, 2, 24, 0), 24), secret), 3, false, false},
		"in front and back": {append(bmpGap(bmpFile(bmpInfo(3, 2, 4, 0), 8), secret), secret...), 3, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			rep, out := walk(t, media.BMP, c.file)
			if rep.Width != c.width || rep.Height != 2 || rep.ICC != c.icc || (rep.Plan == nil) != c.whole {
				t.Errorf("report %+v", rep)
			}
			if bytes.Contains(out, []byte(secret)) || int(le.Uint32(out[2:])) != len(out) || c.icc != bytes.HasSuffix(out, []byte(iccText)) {
				t.Errorf("delivered %q", out)
			}
		})
	}
}

func TestBMPRefused(t *testing.T) {
	good := bmpFile(bmpInfo(3, 2, 24, 0), 24)
	edit := func(at int, v byte) []byte {
		b := bytes.Clone(good)
		b[at] = v
		return b
	}
	for _, c := range []struct {
		name  string
		file  []byte
		kind  error
		words string
	}{
		{"empty", nil, media.ErrCorrupt, "cut off"},
		{"signature", edit(0, 'X'), media.ErrCorrupt, "signature"},
		{"header", edit(14, 41), media.ErrCorrupt, "signature"},
		{"bits", edit(28, 23), media.ErrCorrupt, "header"},
		{"a JPEG in it", edit(30, 4), media.ErrUnsupported, "save it as PNG"},
		{"no width", edit(18, 0), media.ErrCorrupt, "zero"},
		{"negative width", bmpFile(bmpInfo(-3, 2, 24, 0), 24), media.ErrCorrupt, "zero"},
		{"pixels in the header", edit(10, 20), media.ErrCorrupt, "pixels"},
		{"run lengths without a length", slicesJoin([]byte("BM"), make([]byte, 8), bmpFile(bmpInfo(3, 2, 8, bmpRLE8), 7)[10:]), media.ErrCorrupt, "length of its pixels"},
		{"bomb", bmpFile(bmpInfo(60000, -60000, 1, 0), 9), media.ErrTooManyPixels, "3600 megapixels"},
		{"largest", bmpFile(bmpInfo(1<<31-1, -1<<31, 32, 0), 9), media.ErrCorrupt, "impossible"},
	} {
		t.Run(c.name, func(t *testing.T) { refused(t, media.BMP, c.file, c.kind, c.words) })
	}
	cutEverywhere(t, media.BMP, good, false)
}

// bmpIcon makes a bitmap as icons have it, with its mask.
func bmpIcon(w, h int) []byte {
	return slicesJoin(bmpInfo(int32(w), int32(2*h), 32, 0), bytes.Repeat([]byte{0xAB}, 4*w*h), make([]byte, (w+31)/32*4*h))
}

// icoFile makes an icon of pictures.
func icoFile(pictures ...[]byte) []byte {
	out := le.AppendUint16([]byte{0, 0, 1, 0}, uint16(len(pictures)))
	at := 6 + 16*len(pictures)
	for _, p := range pictures {
		out = append(out, 16, 16, 0, 0, 1, 0, 32, 0)
		out = le.AppendUint32(le.AppendUint32(out, uint32(len(p))), uint32(at))
		at += len(p)
	}
	return slicesJoin(out, slicesJoin(pictures...))
}

func TestICO(t *testing.T) {
	plain := pngWith(t, nil, nil)
	dirty := pngWith(t, pngChunk("tEXt", []byte(secret)), pngChunk("eXIf", exif(le, 1)))
	clean := icoFile(bmpIcon(16, 16), plain, bmpIcon(4, 4))
	rep, _ := walk(t, media.ICO, clean)
	if rep.Width != 24 || rep.Height != 16 || rep.Frames != 1 || rep.Plan != nil {
		t.Errorf("report %+v", rep)
	}
	gap := icoFile(bmpIcon(4, 4))
	gap = slicesJoin(gap[:22], []byte(secret), gap[22:])
	le.PutUint32(gap[18:], uint32(22+len(secret)))
	reserved := append(bytes.Clone(clean), secret...)
	reserved[9] = 'G'
	twice := slicesJoin(clean[:6], clean[6:22], clean[6:22], clean[38:54], clean[54:])
	for name, file := range map[string][]byte{
		"PNG first":      icoFile(dirty, bmpIcon(16, 16), dirty),
		"PNG last":       icoFile(bmpIcon(16, 16), dirty),
		"in a gap":       gap,
		"after the end":  append(bytes.Clone(clean), secret...),
		"behind the PNG": icoFile(append(bytes.Clone(plain), secret...), plain),
		"behind a mask":  icoFile(append(bmpIcon(4, 4), secret...)),
		"reserved":       reserved,
		"two for one":    append(twice, secret...),
	} {
		t.Run(name, func(t *testing.T) {
			_, out := gone(t, media.ICO, file)
			if out[9] != 0 {
				t.Error("a reserved byte is delivered")
			}
			for e := out[6:][:16*int(out[4])]; len(e) > 0; e = e[16:] { // every picture is where the directory says
				p := out[le.Uint32(e[12:]):][:le.Uint32(e[8:])]
				if bytes.HasPrefix(p, []byte(pngSignature)) {
					samePixels(t, plain, p)
				} else if p[0] != 40 {
					t.Errorf("a picture begins with %q", p[:8])
				}
			}
		})
	}
}

func TestICORefused(t *testing.T) {
	good := icoFile(bmpIcon(4, 4), pngWith(t, nil, nil))
	edit := func(at int, v ...byte) []byte {
		b := bytes.Clone(good)
		copy(b[at:], v)
		return b
	}
	bomb := pngWith(t, nil, nil)
	bomb = slicesJoin(bomb[:8], ihdr(30000, 30000, "\x08\x06\x00\x00\x00"), bomb[33:])
	for _, c := range []struct {
		name  string
		file  []byte
		kind  error
		words string
	}{
		{"empty", nil, media.ErrCorrupt, "cut off"},
		{"cursor", edit(2, 2), media.ErrCorrupt, "signature"},
		{"in the directory", edit(18, 30), media.ErrCorrupt, "signature"},
		{"upon each other", edit(34, good[18], good[19]), media.ErrCorrupt, "upon each other"},
		{"cut inside", edit(14, 50, 0), media.ErrCorrupt, "cut off"},
		{"longer than it says", edit(30, 50, 0), media.ErrCorrupt, "longer"},
		{"too many", edit(4, maxIcons+1), media.ErrUnsupported, "too many"},
		{"bomb", icoFile(bomb), media.ErrTooManyPixels, "900 megapixels"},
		{"bitmap bomb", icoFile(bmpInfo(60000, 120000, 32, 0)), media.ErrTooManyPixels, "3600 megapixels"},
	} {
		t.Run(c.name, func(t *testing.T) { refused(t, media.ICO, c.file, c.kind, c.words) })
	}
	refused(t, media.ICO, icoFile(make([][]byte, 0, 1)...), media.ErrCorrupt, "signature")
	many := make([][]byte, maxIcons+1)
	for i := range many {
		many[i] = bmpIcon(1, 1)
	}
	refused(t, media.ICO, icoFile(many...), media.ErrUnsupported, "too many pictures")
	cutEverywhere(t, media.ICO, good, false)
}

// tiffFile makes a picture of 3 x 2 grey pixels. Its directory comes first,
// made by dirs if given.
func tiffFile(order binary.AppendByteOrder, dirs func(binary.AppendByteOrder, ...entry) []byte) []byte {
	if dirs == nil {
		dirs = func(o binary.AppendByteOrder, e ...entry) []byte { return directory(o, 8, e...) }
	}
	make := func(at uint32) []byte {
		return append(tiffHead(order), dirs(order,
			long(order, tagWidth, 3), long(order, tagHeight, 2), long(order, tagStripOffsets, at),
			entry{tagOrientation, typeShort, 1, order.AppendUint16(nil, 6)}, long(order, tagStripCounts, 6))...)
	}
	return append(make(uint32(len(make(0)))), "pixels"...)
}

func TestTIFF(t *testing.T) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		rep, _ := walk(t, media.TIFF, tiffFile(order, nil))
		if rep.Width != 3 || rep.Height != 2 || rep.Orientation != 6 || rep.Plan != nil {
			t.Errorf("report %+v", rep)
		}
		// The directory behind the pixels, as most programs write it.
		ifd := directory(order, 14, long(order, tagWidth, 3), long(order, tagHeight, 2), long(order, tagStripOffsets, 8), long(order, tagStripCounts, 6))
		head := tiffHead(order)
		order.(binary.ByteOrder).PutUint32(head[4:], 14)
		file := slicesJoin(head, []byte("pixels"), ifd)
		if rep, _ := walk(t, media.TIFF, file); rep.Width != 3 || rep.Orientation != 1 {
			t.Errorf("report %+v", rep)
		}
		cutEverywhere(t, media.TIFF, file[:len(file)-4], false) // it ends with where the next directory is
		cutEverywhere(t, media.TIFF, tiffFile(order, nil), false)
	}
}

func TestTIFFRefused(t *testing.T) {
	o := binary.LittleEndian
	size := []entry{long(o, tagWidth, 3), long(o, tagHeight, 2)}
	file := func(e ...entry) []byte { return append(tiffHead(o), directory(o, 8, append(size, e...)...)...) }
	strips := long(o, tagStripOffsets, 8)
	for _, c := range []struct {
		name  string
		file  []byte
		kind  error
		words string
	}{
		{"empty", nil, media.ErrCorrupt, "cut off"},
		{"large", []byte("II+\x00\x08\x00\x00\x00\x00\x00"), media.ErrCorrupt, "signature"},
		{"Canon", []byte("II*\x00\x10\x00\x00\x00CR\x02\x00"), media.ErrCorrupt, "signature"},
		{"directory in the header", []byte("II*\x00\x04\x00\x00\x00\x00\x00"), media.ErrCorrupt, "directory"},
		{"directory outside", []byte("II*\x00\xFF\x00\x00\x00\x00\x00"), media.ErrCorrupt, "cut off"},
		{"no picture", file(), media.ErrCorrupt, "no picture"},
		{"strip outside", file(strips, long(o, tagStripCounts, 1000)), media.ErrCorrupt, "cut off"},
		{"DNG", file(strips, entry{tagDNG, 1, 4, []byte{1, 4, 0, 0}}), media.ErrUnsupported, "Raw camera"},
		{"Nikon", file(strips, long(o, tagNewSubfile, 1), long(o, tagSubIFDs, 8)), media.ErrUnsupported, "Raw camera"},
		{"bomb", append(tiffHead(o), directory(o, 8, long(o, tagWidth, 60000), long(o, tagHeight, 60000), strips)...), media.ErrTooManyPixels, "3600 megapixels"},
		{"no width", append(tiffHead(o), directory(o, 8, strips)...), media.ErrCorrupt, "zero"},
	} {
		t.Run(c.name, func(t *testing.T) { refused(t, media.TIFF, c.file, c.kind, c.words) })
	}
}
