package strip

import "encoding/binary"

// box is a box of the ISO base media file format that is in memory (ISO/IEC
// 14496-12 section 4.2).
type box struct {
	kind string
	off  int64  // of its header in the file
	at   int64  // of its payload in the file
	b    []byte // the payload
}

// boxHeader reads the header of a box at the start of b, 16 bytes if there are
// so many: its type, its whole length, how long the header is. A length of 0
// means up to the end of the file. ok is false for a length that cannot be.
func boxHeader(b []byte) (kind string, size int64, head int, ok bool) {
	if len(b) < 8 {
		return "", 0, 0, false
	}
	kind, size, head = string(b[4:8]), int64(binary.BigEndian.Uint32(b)), 8
	if size == 1 {
		if len(b) < 16 {
			return "", 0, 0, false
		}
		size, head = int64(binary.BigEndian.Uint64(b[8:])), 16
	}
	return kind, size, head, size == 0 && head == 8 || size >= int64(head) && size <= 1<<62
}

// each calls f for the boxes that fill b, which lies at an offset of the file.
func each(b []byte, at int64, f func(box) error) error {
	for len(b) > 0 {
		kind, size, head, ok := boxHeader(b)
		if !ok || size == 0 || size > int64(len(b)) {
			return errBox
		}
		if err := f(box{kind, at, at + int64(head), b[head:size]}); err != nil {
			return err
		}
		b, at = b[size:], at+size
	}
	return nil
}

// children calls f for the boxes in a box behind n bytes of its own.
func (x box) children(n int, f func(box) error) error {
	if len(x.b) < n {
		return errBox
	}
	return each(x.b[n:], x.at+int64(n), f)
}

// fields reads the fields of a box one after another. Behind the end every
// field is 0 and short is set.
type fields struct {
	b     []byte
	n     int // bytes read
	short bool
}

// uint reads a number of size bytes, 0 to 8.
func (f *fields) uint(size int) (v uint64) {
	for _, c := range f.bytes(size) {
		v = v<<8 | uint64(c)
	}
	return v
}

// bytes reads n bytes.
func (f *fields) bytes(n int) []byte {
	if n < 0 || n > len(f.b)-f.n {
		f.short = true
		return nil
	}
	f.n += n
	return f.b[f.n-n : f.n]
}

// id reads an item's number, which grew from 16 to 32 bits.
func (f *fields) id(long bool) uint32 {
	if long {
		return uint32(f.uint(4))
	}
	return uint32(f.uint(2))
}

// version reads the first four bytes of a full box: version and flags.
func (f *fields) version() (version byte, flags uint32) {
	v := f.uint(4)
	return byte(v >> 24), uint32(v & 0xFFFFFF)
}
