package jpeg

import (
	"bytes"
	"encoding/binary"

	"picora/media"
)

// Header is what a JPEG says of itself before its first scan.
type Header struct {
	Width, Height int  // pixels, as stored
	Components    int  // 1 gray, 3 colour, 4 CMYK or YCCK
	Progressive   bool // needs memory for all coefficients to decode
	Adobe         bool // has Adobe's segment; then four components are stored inverted
	ICC           []byte
}

// maxICC bounds a profile; those of printing presses have two or three megabytes.
const maxICC = 4 << 20

// ReadHeader reads a JPEG's segments up to the first scan (ITU-T T.81, annex B). What
// libjpeg-turbo cannot decode is media.ErrUnsupported: lossless, hierarchical and
// 12-bit pictures.
func ReadHeader(data []byte) (Header, error) {
	var h Header
	damaged := media.Corrupt("the JPEG is damaged: its header cannot be read")
	if !bytes.HasPrefix(data, []byte{0xFF, 0xD8}) {
		return h, damaged
	}
	var icc [256][]byte
	for pos := 2; ; {
		next := bytes.IndexByte(data[pos:], 0xFF) // there may be stray bytes
		if next < 0 || pos+next+4 > len(data) {
			return h, damaged
		}
		pos += next + 1
		marker := data[pos]
		switch {
		case marker == 0x00 || marker == 0xFF || marker == 0x01 || marker >= 0xD0 && marker <= 0xD8:
			continue // filling, or a marker without a segment
		case marker == 0xD9:
			return h, damaged
		}
		size := int(binary.BigEndian.Uint16(data[pos+1:]))
		if size < 2 || pos+1+size > len(data) {
			return h, damaged
		}
		segment := data[pos+3 : pos+1+size]
		pos += 1 + size
		if marker == 0xDA {
			break
		}
		if err := h.segment(marker, segment, &icc); err != nil {
			return h, err
		}
	}
	if h.Width == 0 || h.Height == 0 {
		return h, damaged
	}
	if h.ICC = bytes.Join(icc[:], nil); len(h.ICC) > maxICC {
		h.ICC = nil
	}
	return h, nil
}

// segment takes what a segment tells.
func (h *Header) segment(marker byte, b []byte, icc *[256][]byte) error {
	switch {
	case marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC:
		return h.frame(marker, b)
	case marker == 0xE2 && len(b) > 14 && bytes.HasPrefix(b, []byte("ICC_PROFILE\x00")):
		icc[b[12]] = b[14:] // ICC.1, annex B.4: number, count, piece
	case marker == 0xEE && len(b) >= 12 && bytes.HasPrefix(b, []byte("Adobe")):
		h.Adobe = true
	}
	return nil
}

// frame reads a start of frame (T.81, B.2.2).
func (h *Header) frame(marker byte, b []byte) error {
	switch {
	case len(b) < 6:
		return media.Corrupt("the JPEG is damaged: its header cannot be read")
	case marker != 0xC0 && marker != 0xC1 && marker != 0xC2 && marker != 0xC9 && marker != 0xCA:
		return media.Unsupported("lossless and hierarchical JPEGs cannot be decoded here")
	case b[0] != 8:
		return media.Unsupported("JPEGs with more than 8 bits per colour cannot be decoded here")
	case b[5] != 1 && b[5] != 3 && b[5] != 4:
		return media.Unsupported("a JPEG has one, three or four colour components; this one has another number")
	}
	h.Height = int(binary.BigEndian.Uint16(b[1:]))
	h.Width = int(binary.BigEndian.Uint16(b[3:]))
	h.Components = int(b[5])
	h.Progressive = marker == 0xC2 || marker == 0xCA
	return nil
}
