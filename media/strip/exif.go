package strip

import (
	"bytes"
	"encoding/binary"
)

// exifPrefix starts the EXIF segment of a JPEG. Some writers put it in front of
// the EXIF of a PNG or a WebP too, where it does not belong.
const exifPrefix = "Exif\x00\x00"

// maxEXIF is how much of an EXIF chunk is read. What is longer carries a
// preview and is dropped unread.
const maxEXIF = 1 << 20

// Tags of the directories (TIFF 6.0, CIPA DC-008 4.6).
const (
	tagNewSubfile   = 0x00FE
	tagWidth        = 0x0100
	tagHeight       = 0x0101
	tagMake         = 0x010F
	tagModel        = 0x0110
	tagStripOffsets = 0x0111
	tagOrientation  = 0x0112
	tagStripCounts  = 0x0117
	tagTileOffsets  = 0x0144
	tagTileCounts   = 0x0145
	tagSubIFDs      = 0x014A
	tagICC          = 0x8773
	tagExifIFD      = 0x8769
	tagGPSIFD       = 0x8825
	tagTaken        = 0x9003
	tagTakenOffset  = 0x9011
	tagDNG          = 0xC612
)

// Types of values (TIFF 6.0 section 2).
const (
	typeASCII    = 2
	typeShort    = 3
	typeLong     = 4
	typeRational = 5
)

// typeSizes are the lengths of the thirteen types of values; 0 is none.
var typeSizes = [...]uint64{0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4}

// tiffData is a part of a TIFF structure: EXIF is one, and so is a TIFF file.
type tiffData struct {
	order binary.ByteOrder
	b     []byte
	base  uint64 // the offset of b[0], which offsets in b count from 0
}

// field is an entry of a directory.
type field struct {
	tag, kind uint16
	count     uint32
	value     []byte // count values, or nil when they are not in the data
}

// newEXIF reads the header of EXIF data; ok is false when b does not start
// with one.
func newEXIF(b []byte) (tiffData, bool) {
	b = bytes.TrimPrefix(b, []byte(exifPrefix))
	order := byteOrder(b)
	return tiffData{order: order, b: b}, order != nil
}

// byteOrder reads the TIFF header; nil when b does not start with one.
func byteOrder(b []byte) binary.ByteOrder {
	switch {
	case len(b) < 8:
		return nil
	case string(b[:4]) == "II*\x00":
		return binary.LittleEndian
	case string(b[:4]) == "MM\x00*":
		return binary.BigEndian
	}
	return nil
}

// slice returns the n bytes at an offset, or nil when they are not all there.
func (d tiffData) slice(off, n uint64) []byte {
	if off < d.base || off-d.base > uint64(len(d.b)) || n > uint64(len(d.b))-(off-d.base) {
		return nil
	}
	return d.b[off-d.base:][:n]
}

// directory calls f for the entries of the directory at an offset, as many as
// there are.
func (d tiffData) directory(at uint64, f func(field)) {
	head := d.slice(at, 2)
	if head == nil {
		return
	}
	for range d.order.Uint16(head) {
		e := d.slice(at+2, 12)
		if e == nil {
			return
		}
		x := field{tag: d.order.Uint16(e), kind: d.order.Uint16(e[2:]), count: d.order.Uint32(e[4:])}
		if int(x.kind) < len(typeSizes) {
			if size := typeSizes[x.kind] * uint64(x.count); size <= 4 {
				x.value = e[8:][:size]
			} else {
				x.value = d.slice(uint64(d.order.Uint32(e[8:])), size)
			}
		}
		f(x)
		at += 12
	}
}

// number returns the i-th of the SHORT or LONG values of a field, 0 when there
// is none.
func (d tiffData) number(x field, i int) uint32 {
	switch {
	case x.kind == typeShort && len(x.value) >= 2*i+2:
		return uint32(d.order.Uint16(x.value[2*i:]))
	case x.kind == typeLong && len(x.value) >= 4*i+4:
		return d.order.Uint32(x.value[4*i:])
	}
	return 0
}

// minimalEXIF is the EXIF that stays: a directory with nothing but the
// orientation.
func minimalEXIF(o int) []byte {
	return []byte{
		'M', 'M', 0, '*', 0, 0, 0, 8,
		0, 1,
		0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, byte(o), 0, 0,
		0, 0, 0, 0,
	}
}
