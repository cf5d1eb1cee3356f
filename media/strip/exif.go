package strip

import (
	"bytes"
	"encoding/binary"
)

// exifPrefix starts the EXIF segment of a JPEG. Some writers put it in front of
// the EXIF of a PNG or a WebP too, where it does not belong.
const exifPrefix = "Exif\x00\x00"

// maxEXIF is how much of an EXIF chunk is read to find the orientation. What
// is longer carries a preview and is dropped unread.
const maxEXIF = 1 << 20

// orientation finds the orientation tag in EXIF data: a TIFF header and its
// first directory (CIPA DC-008 4.5 and 4.6.4, TIFF 6.0 section 2). It returns
// 1 when there is none or the data is damaged, as browsers do.
func orientation(b []byte) int {
	b = bytes.TrimPrefix(b, []byte(exifPrefix))
	order := byteOrder(b)
	if order == nil {
		return 1
	}
	at := uint64(order.Uint32(b[4:]))
	if at+2 > uint64(len(b)) {
		return 1
	}
	entries := b[at+2:]
	for range order.Uint16(b[at:]) {
		if len(entries) < 12 {
			return 1
		}
		if order.Uint16(entries) == 0x0112 {
			return orientationOf(order, entries)
		}
		entries = entries[12:]
	}
	return 1
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

// orientationOf reads the value of the tag: one SHORT from 1 to 8.
func orientationOf(order binary.ByteOrder, entry []byte) int {
	const short = 3
	v := order.Uint16(entry[8:])
	if order.Uint16(entry[2:]) != short || order.Uint32(entry[4:]) != 1 || v < 1 || v > 8 {
		return 1
	}
	return int(v)
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
