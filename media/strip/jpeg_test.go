package strip

import (
	"bytes"
	"encoding/binary"
	"image"
	"strings"
	"testing"

	"picora/media"
)

// jfif is a JFIF segment with a thumbnail of n pixels by one.
func jfif(n byte, thumbnail string) []byte {
	return seg(mAPP0, "JFIF\x00\x01\x02\x00\x00\x48\x00\x48"+string(n)+"\x01"+thumbnail)
}

func TestJPEGMetadata(t *testing.T) {
	motion := "\xFF\xD8" + secret + " a motion photo's video"
	hidden := []struct {
		name string
		seg  []byte
	}{
		{"EXIF", seg(mAPP1, exifPrefix+string(exif(binary.LittleEndian, 1)))},
		{"EXIF twice", slicesJoin(seg(mAPP1, exifPrefix+secret), seg(mAPP1, exifPrefix+secret))},
		{"XMP", seg(mAPP1, "http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta>"+secret)},
		{"IPTC", seg(0xED, "Photoshop 3.0\x008BIM\x04\x04"+secret)},
		{"MPF", seg(mAPP2, "MPF\x00"+secret)},
		{"short APP2", slicesJoin(seg(mAPP2, ""), seg(mCOM, secret))},
		{"JFXX thumbnail", seg(mAPP0, "JFXX\x00\x10"+secret)},
		{"JFIF thumbnail", jfif(7, secret)},
		{"long JFIF", seg(mAPP0, "JFIF\x00\x01\x02\x00\x00\x48\x00\x48\x00\x00"+secret)},
		{"other APP0", seg(mAPP0, "AVI1"+secret)},
		{"Ducky", seg(0xEC, "Ducky"+secret)},
		{"APP15", seg(mAPPF, secret)},
		{"comment", seg(mCOM, secret)},
		{"empty comment", slicesJoin(seg(mCOM, ""), seg(mCOM, secret))},
		{"long Adobe", seg(mAPPE, "Adobe\x00\x64\x00\x00\x00\x00\x01"+secret)},
		{"other APP14", seg(mAPPE, secret)},
		{"between segments", []byte("\x00" + secret + "\xFF\x00")},
		{"fill bytes", slicesJoin([]byte("\xFF\xFF\xFF"), seg(mCOM, secret))},
	}
	for _, c := range hidden {
		t.Run(c.name, func(t *testing.T) {
			rep, _ := stripped(t, media.JPEG, jpegWith(t, c.seg))
			if rep.Width != 24 || rep.Height != 16 || rep.Orientation != 1 || rep.Frames != 1 {
				t.Errorf("report %+v", rep)
			}
		})
	}
	t.Run("after the end", func(t *testing.T) {
		stripped(t, media.JPEG, append(jpegWith(t), motion...))
	})
	t.Run("between scans", func(t *testing.T) {
		_, out := stripped(t, media.JPEG, progressive(seg(mCOM, secret)))
		if !bytes.Equal(out, progressive(nil)) {
			t.Error("more than the comment is gone")
		}
	})
}

func TestJPEGKept(t *testing.T) {
	for name, file := range map[string][]byte{
		"plain":       jpegWith(t),
		"JFIF":        jpegWith(t, seg(mAPP0, "JFIF\x00\x01\x02\x00\x00\x48\x00\x48\x00\x00")),
		"ICC":         jpegWith(t, seg(mAPP2, iccPrefix+"\x01\x02"+iccText), seg(mAPP2, iccPrefix+"\x02\x02"+iccText)),
		"Adobe":       jpegWith(t, seg(mAPPE, "Adobe\x00\x64\x00\x00\x00\x00\x01")),
		"grey":        encode(t, media.JPEG, image.NewGray(image.Rect(0, 0, 9, 9))),
		"progressive": progressive(nil),
		"restarts":    restarts(),
	} {
		rep, _ := walk(t, media.JPEG, file)
		if rep.Plan != nil {
			t.Errorf("%s: plan %v of %d, want the file as it is", name, rep.Plan, len(file))
		}
	}
	_, out := stripped(t, media.JPEG, jpegWith(t, seg(mCOM, secret), seg(mAPP2, iccPrefix+"\x01\x01"+iccText)))
	if !bytes.Contains(out, []byte(iccText)) {
		t.Error("the colour profile is gone")
	}
}

func TestJPEGOrientation(t *testing.T) {
	head := seg(mAPP0, "JFIF\x00\x01\x02\x00\x00\x48\x00\x48\x00\x00")
	for o := uint16(2); o <= 8; o++ {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			exif := seg(mAPP1, exifPrefix+string(exif(order, o)))
			minimal := seg(mAPP1, exifPrefix+string(minimalEXIF(int(o))))
			for name, segments := range map[string][][]byte{
				"alone":        {exif},
				"behind JFIF":  {head, exif},
				"before JFIF":  {exif, head},
				"far behind":   {seg(mCOM, secret), head, seg(mAPP2, iccPrefix+"\x01\x01"+iccText), exif},
				"two of them":  {head, exif, minimal},
				"minimal late": {seg(mAPP2, iccPrefix+"\x01\x01"+iccText), minimal, seg(mCOM, secret)},
			} {
				rep, out := stripped(t, media.JPEG, jpegWith(t, segments...))
				if rep.Orientation != int(o) {
					t.Errorf("%s: orientation %d, want %d", name, rep.Orientation, o)
				}
				at := 2
				if bytes.HasPrefix(out[2:], head) {
					at += len(head)
				}
				if !bytes.HasPrefix(out[at:], minimal) {
					t.Errorf("%s: the orientation is not at the head: %q", name, out[:64])
				}
			}
		}
	}
}

// TestJPEGBadOrientation has EXIF that says nothing useful.
func TestJPEGBadOrientation(t *testing.T) {
	good := exif(binary.BigEndian, 6)
	edit := func(at int, v byte) []byte {
		b := bytes.Clone(good)
		b[at] = v
		return b
	}
	for i, b := range [][]byte{
		nil, good[:7], good[:9], good[:30], edit(0, 'X'), edit(4, 0xFF), edit(31, 0), edit(31, 9),
		edit(25, 4), edit(29, 2), edit(7, 200), edit(23, 0x13),
	} {
		if o := orientationOf(b); o != 1 {
			t.Errorf("%d: orientation %d, want 1", i, o)
		}
	}
	if o := orientationOf(append([]byte(exifPrefix), good...)); o != 6 {
		t.Errorf("with a prefix: orientation %d, want 6", o)
	}
	late := progressive(seg(mAPP1, exifPrefix+string(good)))
	if rep, _ := walk(t, media.JPEG, late); rep.Orientation != 1 {
		t.Errorf("EXIF behind a scan counts: %d", rep.Orientation)
	}
}

func TestJPEGRefused(t *testing.T) {
	plain := jpegWith(t)
	sof := bytes.Index(plain, []byte{0xFF, mSOF0})
	edit := func(at int, v ...byte) []byte {
		b := bytes.Clone(plain)
		copy(b[at:], v)
		return b
	}
	for _, c := range []struct {
		name  string
		file  []byte
		kind  error
		words string
	}{
		{"empty", nil, media.ErrCorrupt, "cut off"},
		{"not one", []byte("GIF89a"), media.ErrCorrupt, "start marker"},
		{"no picture", []byte("\xFF\xD8\xFF\xD9"), media.ErrCorrupt, "no picture"},
		{"lossless", edit(sof+1, 0xC3), media.ErrUnsupported, "lossless"},
		{"arithmetic", edit(sof+1, 0xC9), media.ErrUnsupported, "arithmetic"},
		{"12 bits", edit(sof+4, 12), media.ErrUnsupported, "12 bits"},
		{"zero width", edit(sof+7, 0, 0), media.ErrCorrupt, "zero"},
		{"zero height, no DNL", edit(sof+5, 0, 0), media.ErrCorrupt, "zero"},
		{"huge", edit(sof+5, 0xFF, 0xFF, 0xFF, 0xFF), media.ErrTooManyPixels, "4294 megapixels; the limit is 100 megapixels"},
		{"components", edit(sof+9, 4), media.ErrCorrupt, "wrong length"},
		{"two SOF", slicesJoin(plain[:sof], plain[sof:sof+19], plain[sof:]), media.ErrCorrupt, "two frame headers"},
		{"no SOF", slicesJoin(plain[:sof], plain[sof+19:]), media.ErrCorrupt, "frame header is missing"},
		{"second SOI", jpegWith(t, []byte{0xFF, mSOI}), media.ErrCorrupt, "second picture"},
		{"reserved marker", jpegWith(t, seg(0x42, "x")), media.ErrCorrupt, "unknown marker 0x42"},
		{"bad length", jpegWith(t, []byte{0xFF, mCOM, 0, 1}), media.ErrCorrupt, "impossible length"},
		{"early DNL", jpegWith(t, seg(mDNL, "\x00\x10")), media.ErrCorrupt, "misplaced"},
		{"too many scans", progressive(bytes.Repeat(slicesJoin(seg(mSOS, "\x01\x01\x00\x01\x05\x00"), []byte{0x0F}), maxScans)), media.ErrCorrupt, "too many scans"},
		{"too many blocks", jpegWith(t, bytes.Repeat(slicesJoin(seg(mCOM, "x"), seg(mDRI, "\x00\x00")), maxPieces)), media.ErrCorrupt, "too many metadata blocks"},
	} {
		t.Run(c.name, func(t *testing.T) { refused(t, media.JPEG, c.file, c.kind, c.words) })
	}
}

func TestJPEGLines(t *testing.T) {
	b := restarts()
	sof := bytes.Index(b, []byte{0xFF, mSOF0})
	copy(b[sof+5:], []byte{0, 0})
	rep, _ := walk(t, media.JPEG, slicesJoin(b[:len(b)-2], seg(mDNL, "\x00\x10"), b[len(b)-2:]))
	if rep.Width != 16 || rep.Height != 16 {
		t.Errorf("%d x %d, want 16 x 16", rep.Width, rep.Height)
	}
}

func TestJPEGCut(t *testing.T) {
	cutEverywhere(t, media.JPEG, jpegWith(t, seg(mAPP1, exifPrefix+string(exif(binary.BigEndian, 6)))), false)
	cutEverywhere(t, media.JPEG, progressive(nil), false)
}

// TestScanBoundary has the buffer end at each place around a marker.
func TestScanBoundary(t *testing.T) {
	plain := progressive(nil)
	sos := bytes.Index(plain, []byte{0xFF, mSOS})
	for n := bufferSize - sos - 40; n < bufferSize-sos+10; n++ {
		data := []byte(strings.Repeat("\x12\xFF\x00\x34\xFF\xD3", n/6+1))[:n]
		for len(data) > 0 && data[len(data)-1] == 0xFF {
			data = data[:len(data)-1]
		}
		file := slicesJoin(plain[:sos], plain[sos:sos+10], data, plain[sos+11:])
		rep, err := Walk(bytes.NewReader(file), media.JPEG, Limits{})
		if err != nil || rep.Plan != nil || rep.Size != int64(len(file)) {
			t.Fatalf("%d: %+v, %v", n, rep, err)
		}
	}
}

// handmade is the start of a grey JPEG of 16 x 16 with one-bit Huffman codes:
// a zero bit is a block without change.
func handmade(sof byte, rest ...[]byte) []byte {
	table := func(class string) []byte { return seg(mDHT, class+"\x01"+strings.Repeat("\x00", 15)+"\x00") }
	return slicesJoin([]byte{0xFF, mSOI}, seg(mDQT, "\x00"+strings.Repeat("\x01", 64)),
		seg(sof, "\x08\x00\x10\x00\x10\x01\x01\x11\x00"), table("\x00"), table("\x10"), slicesJoin(rest...), []byte{0xFF, mEOI})
}

// progressive has three scans; between is put behind the first.
func progressive(between []byte) []byte {
	scan := func(from, to byte) []byte {
		return append(seg(mSOS, "\x01\x01\x00"+string([]byte{from, to})+"\x00"), 0x0F)
	}
	return handmade(mSOF2, scan(0, 0), between, scan(1, 5), scan(6, 63))
}

// restarts has a restart marker behind each block.
func restarts() []byte {
	return handmade(mSOF0, seg(mDRI, "\x00\x01"), seg(mSOS, "\x01\x01\x00\x00\x3F\x00"),
		[]byte("\x3F\xFF\xD0\x3F\xFF\xD1\x3F\xFF\xD2\x3F"))
}

func TestHandmade(t *testing.T) {
	for i, b := range [][]byte{progressive(nil), restarts()} {
		if _, _, err := image.Decode(bytes.NewReader(b)); err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
}

// BenchmarkJPEG walks one long scan of noise, with a 0xFF in every 256 bytes.
func BenchmarkJPEG(b *testing.B) {
	plain := progressive(nil)
	sos := bytes.Index(plain, []byte{0xFF, mSOS})
	data := make([]byte, 64<<20)
	seed := uint32(1)
	for i := range data {
		seed = seed*1664525 + 1013904223
		if data[i] = byte(seed >> 24); i > 0 && data[i-1] == 0xFF {
			data[i] = 0
		}
	}
	data[len(data)-1] = 0
	file := slicesJoin(plain[:sos+10], data, plain[sos+11:])
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		if _, err := Walk(bytes.NewReader(file), media.JPEG, Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}
