package strip

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
)

// sample reads a file that avifenc or heif-enc made.
func sample(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func be16(v uint16) []byte { return binary.BigEndian.AppendUint16(nil, v) }
func be32(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }

// bx makes a box.
func bx(kind string, parts ...[]byte) []byte {
	body := slicesJoin(parts...)
	return slicesJoin(be32(uint32(8+len(body))), []byte(kind), body)
}

// fullbx makes a box with a version.
func fullbx(kind string, version byte, parts ...[]byte) []byte {
	return bx(kind, []byte{version, 0, 0, 0}, slicesJoin(parts...))
}

// still is a picture to make: item 1, with item 2 for its transparency, item 3 a
// thumbnail, item 4 EXIF, item 5 XMP.
type still struct {
	brand     string
	version   byte // of the boxes that grew
	mdatFirst bool
	inside    bool   // EXIF and XMP are in idat
	turn      []byte // pairs: 0 and an angle, 1 and an axis, 9 and anything for a clean aperture of 20 x 10
	exif      []byte
	props     []byte // further properties
	meta      []byte // further boxes in meta
	front     []byte // behind ftyp
	back      []byte // at the end
	ispe      [2]uint32
	refs      []byte // further references
	move      int64  // added to where the picture is
	grid      []byte // when set, item 1 is a grid, and this is its data
}

const (
	heifPixels = "these are pixels"
	heifAlpha  = "this is alpha"
	heifThumb  = "thumb " + secret
	heifXMP    = "<x:xmpmeta>" + secret
)

func (s still) id(n uint32) []byte {
	if s.version > 1 {
		return be32(n)
	}
	return be16(uint16(n))
}

func (s still) infe(n uint32, kind, said string) []byte {
	version := byte(2)
	if s.version > 1 {
		version = 3
	}
	return fullbx("infe", version, s.id(n), be16(0), []byte(kind), []byte(said+"\x00"))
}

func (s still) file() []byte {
	if s.brand == "" {
		s.brand = "avif"
	}
	if s.exif == nil {
		s.exif = factsEXIF(binary.BigEndian)
	}
	if s.ispe == [2]uint32{} {
		s.ispe = [2]uint32{64, 48}
	}
	ftyp := bx("ftyp", []byte(s.brand), be32(0), []byte("mif1"+s.brand))
	data := []string{heifPixels, heifAlpha, heifThumb, "\x00\x00\x00\x06Exif\x00\x00" + string(s.exif), heifXMP}
	if s.grid != nil {
		data[0] = string(s.grid)
	}
	var mdat, idat []byte
	var at [5]int
	for i, d := range data {
		if i >= 3 && s.inside {
			at[i] = len(idat)
			idat = append(idat, d...)
			continue
		}
		at[i] = len(mdat)
		mdat = append(mdat, d...)
	}
	index := func(base int) []byte {
		return s.index(func(i int) (method, off, n int) {
			if i >= 3 && s.inside {
				return 1, at[i], len(data[i])
			}
			return 0, base + at[i], len(data[i])
		}, idat)
	}
	if s.mdatFirst {
		base := len(ftyp) + len(s.front) + 8
		return slicesJoin(ftyp, s.front, bx("mdat", mdat), index(base), s.back)
	}
	base := len(ftyp) + len(s.front) + len(index(0)) + 8
	return slicesJoin(ftyp, s.front, index(base), bx("mdat", mdat), s.back)
}

// index makes the meta box.
func (s still) index(place func(i int) (method, off, n int), idat []byte) []byte {
	kind := "av01"
	if s.brand != "avif" {
		kind = "hvc1"
	}
	first := kind
	if s.grid != nil {
		first = "grid"
	}
	props := slicesJoin(
		fullbx("ispe", 0, be32(s.ispe[0]), be32(s.ispe[1])),
		fullbx("auxC", 0, []byte(alphaKinds[0]+"\x00")),
		bx("colr", []byte("prof"+iccText)),
		bx("udes", []byte(secret)),
	)
	assoc := []byte{1, 3, 4}
	for i := 0; i+1 < len(s.turn); i += 2 {
		assoc = append(assoc, byte(5+i/2)|0x80)
		switch s.turn[i] {
		case 0:
			props = append(props, bx("irot", s.turn[i+1:i+2])...)
		case 1:
			props = append(props, bx("imir", s.turn[i+1:i+2])...)
		default:
			props = append(props, bx("clap", be32(40), be32(2), be32(10), be32(1), make([]byte, 16))...)
		}
	}
	props = append(props, s.props...)
	ipma := fullbx("ipma", min(s.version, 1), be32(3), s.ipmaID(1), []byte{byte(len(assoc))}, assoc, s.ipmaID(2), []byte{2, 1, 2}, s.ipmaID(3), []byte{1, 1})
	count := be16(5)
	if s.version > 1 {
		count = be32(5)
	}
	iloc := slicesJoin([]byte{0x44, 0}, count)
	for i := range 5 {
		method, off, n := place(i)
		if i == 0 {
			off += int(s.move)
		}
		iloc = append(iloc, s.id(uint32(i+1))...)
		if s.version > 0 {
			iloc = append(iloc, be16(uint16(method))...)
		}
		iloc = slicesJoin(iloc, be16(0), be16(1), be32(uint32(off)), be32(uint32(n)))
	}
	ref := func(kind string, from uint32) []byte {
		return bx(kind, s.id(from), be16(1), s.id(1))
	}
	pitm, refs := byte(0), byte(0)
	if s.version > 1 {
		pitm, refs = 1, 1
	}
	parts := [][]byte{
		fullbx("hdlr", 0, be32(0), []byte("pict"), make([]byte, 12), []byte(secret+"\x00")),
		fullbx("pitm", pitm, s.id(1)),
		fullbx("iinf", 0, be16(5), s.infe(1, first, secret), s.infe(2, kind, ""), s.infe(3, kind, ""),
			s.infe(4, "Exif", ""), s.infe(5, "mime", "\x00application/rdf+xml")),
		fullbx("iloc", s.version, iloc),
		bx("iprp", bx("ipco", props), ipma),
		fullbx("iref", refs, ref("auxl", 2), ref("thmb", 3), ref("cdsc", 4), ref("cdsc", 5), s.refs),
		s.meta,
	}
	if idat != nil {
		parts = append(parts, bx("idat", idat))
	}
	return fullbx("meta", 0, parts...)
}

func (s still) ipmaID(n uint32) []byte {
	if s.version > 0 {
		return be32(n)
	}
	return be16(uint16(n))
}

// sequence makes frames of 4 bytes, in a chunk of three and one of the rest.
func (s still) sequence(handler string, frames uint32) []byte {
	moov := func(base uint32) []byte {
		times := bytes.Repeat([]byte{7}, 8)
		return bx("moov", fullbx("mvhd", 0, times, make([]byte, 88)), bx("udta", []byte(secret)), bx("trak",
			fullbx("tkhd", 0, times, make([]byte, 64), be32(64<<16), be32(48<<16)),
			bx("meta", []byte(secret)),
			bx("mdia",
				fullbx("mdhd", 0, times, be32(10), be32(4), be32(0)),
				fullbx("hdlr", 0, be32(0), []byte(handler), make([]byte, 12), []byte(secret+"\x00")),
				bx("minf", bx("stbl",
					fullbx("stsz", 0, be32(4), be32(frames)),
					fullbx("stsc", 0, be32(2), be32(1), be32(3), be32(1), be32(2), be32(1), be32(1)),
					fullbx("stco", 0, be32(2), be32(base), be32(base+12+uint32(len(secret)))),
				)))))
	}
	ftyp := bx("ftyp", []byte("avis\x00\x00\x00\x00"))
	base := uint32(len(ftyp) + len(moov(0)) + 8)
	return slicesJoin(ftyp, moov(base), bx("mdat", []byte("frm1frm2frm3"+secret+"frm4"+secret)))
}
