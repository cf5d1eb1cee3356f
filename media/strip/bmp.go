package strip

import (
	"bytes"
	"encoding/binary"
	"slices"

	"picora/media"
)

// bmp walks a BMP: a file header, a DIB header, colours, pixels ([MS-WMF]
// 2.2.2.9, [MS-GDI] BITMAPFILEHEADER). It has no metadata; what stands behind
// the pixels goes.
type bmp struct{ *walker }

var errDIB = media.Corrupt("the bitmap is damaged: its header is wrong")

// dib is the header of a bitmap in a BMP or an icon.
type dib struct {
	width, height int64 // as shown
	bits          int64 // of a pixel
	coding        int64
	head          int64 // length of the header, with colour masks and colours
	coded         int64 // length of the pixels as the header says it
	profile       span  // of a colour profile, from the header's start
}

// Codings of pixels. The others are whole JPEG or PNG files, for printers, and
// those of OS/2.
const (
	bmpPlain  = 0
	bmpRLE8   = 1
	bmpRLE4   = 2
	bmpMasks  = 3
	bmpMasks4 = 6
)

func (w *bmp) walk() error {
	start, _ := w.br.Peek(30) // an error comes again
	b, err := w.take(14)
	if err != nil {
		return err
	}
	if t, _ := media.Sniff(start); t != media.BMP {
		return media.Corrupt("the BMP is damaged: its signature is wrong")
	}
	d, err := w.dib()
	if err != nil {
		return err
	}
	if err := w.size(d.width, d.height); err != nil {
		return err
	}
	declared, pixels := int64(binary.LittleEndian.Uint32(b[2:])), int64(binary.LittleEndian.Uint32(b[10:]))
	if pixels < w.pos {
		return media.Corrupt("the BMP is damaged: its pixels are not where they can be")
	}
	from := min(14+d.head, pixels) // some have fewer colours than they say
	end := pixels + d.pixels()
	if d.coding == bmpRLE8 || d.coding == bmpRLE4 {
		if d.coded == 0 {
			d.coded = declared - pixels
		}
		if d.coded <= 0 {
			return media.Corrupt("the BMP is damaged: the length of its pixels is missing")
		}
		end = pixels + d.coded
	}
	if p := d.profile; p.to > p.from && 14+p.from >= end {
		// The header says where it is, so nothing in front of it may go.
		end, from, w.rep.ICC = 14+p.to, pixels, true
	}
	if err := w.skip(end - w.pos); err != nil {
		return err
	}
	return w.deliver(b, from, pixels, end)
}

// deliver keeps the headers up to from, and the pixels up to end.
func (w *bmp) deliver(old []byte, from, pixels, end int64) error {
	head := append([]byte("BM"), make([]byte, 12)...)
	binary.LittleEndian.PutUint32(head[2:], uint32(from+end-pixels))
	binary.LittleEndian.PutUint32(head[10:], uint32(from))
	err := w.keep(0, 14)
	if !bytes.Equal(head, old) {
		w.pieces = Plan{{Data: head}}
	}
	if err == nil {
		err = w.keep(14, from-14)
	}
	if err == nil {
		err = w.keep(pixels, end-pixels)
	}
	return err
}

// dib reads the header of a bitmap.
func (w *walker) dib() (d dib, err error) {
	length, err := w.take(4)
	if err != nil {
		return d, err
	}
	n := binary.LittleEndian.Uint32(length)
	if !slices.Contains([]uint32{12, 40, 52, 56, 64, 108, 124}, n) {
		return d, errDIB
	}
	rest, err := w.take(int(n) - 4)
	if err != nil {
		return d, err
	}
	return parseDIB(append(length, rest...))
}

// parseDIB reads a header of one of the lengths that there are.
func parseDIB(b []byte) (d dib, err error) {
	n := len(b)
	field := func(i int) int64 { return int64(binary.LittleEndian.Uint32(b[i:])) }
	var colours, planes int64
	size := int64(4) // of a colour
	if n == 12 {
		planes, size = field(8)&0xFFFF, 3
		d.width, d.height, d.bits = field(4)&0xFFFF, field(4)>>16, field(8)>>16
	} else {
		planes = field(12) & 0xFFFF
		d.width, d.height, d.bits = int64(int32(field(4))), int64(int32(field(8))), field(12)>>16
		d.coding, d.coded, colours = field(16), field(20), field(32)
	}
	d.height = max(d.height, -d.height) // negative: the first row is the top one
	if d.coding > bmpMasks && d.coding != bmpMasks4 || d.coding == bmpMasks && n == 64 {
		return d, media.Unsupported("this kind of BMP is shown by no browser; save it as PNG")
	}
	if planes != 1 || !slices.Contains([]int64{1, 2, 4, 8, 16, 24, 32}, d.bits) || colours > 1<<16 {
		return d, errDIB
	}
	if colours == 0 && d.bits <= 8 {
		colours = 1 << d.bits
	}
	d.head = int64(n) + colours*size
	if n == 40 && d.coding >= bmpMasks {
		d.head += 12
		if d.coding == bmpMasks4 {
			d.head += 4
		}
	}
	if n == 124 && string(b[56:60]) == "DEBM" { // MBED the other way round; LINK names a file
		d.profile = span{field(112), field(112) + field(116)}
	}
	return d, nil
}

// pixels is the length of pixels that are not compressed: rows of whole 32 bits.
func (d dib) pixels() int64 { return (d.width*d.bits + 31) / 32 * 4 * d.height }
