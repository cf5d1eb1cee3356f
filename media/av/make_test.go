package av

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"os"
	"testing"
)

// file returns a fixture; testdata/README.md says what they are.
func file(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// chunk returns a chunk of a PNG.
func chunk(kind string, body ...byte) []byte {
	b := append([]byte(kind), body...)
	out := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	return binary.BigEndian.AppendUint32(append(out, b...), crc32.ChecksumIEEE(b))
}

func u32(v ...int) (b []byte) {
	for _, n := range v {
		b = binary.BigEndian.AppendUint32(b, uint32(n))
	}
	return b
}

func u16(v ...int) (b []byte) {
	for _, n := range v {
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	}
	return b
}

func deflate(b []byte) []byte {
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	_, _ = w.Write(b)
	_ = w.Close()
	return z.Bytes()
}

// pngFile returns a PNG of chunks between the header and the end.
func pngFile(w, h int, depth, kind, interlace byte, chunks ...[]byte) []byte {
	b := append([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", append(u32(w, h), depth, kind, 0, 0, interlace)...)...)
	return append(append(b, bytes.Join(chunks, nil)...), chunk("IEND")...)
}

// rows returns packed rows of a PNG, each with filter 0.
func rows(w, h, pixel int, at func(x, y int) []byte) (b []byte) {
	for y := range h {
		b = append(b, 0)
		for x := range w {
			b = append(b, at(x, y)[:pixel]...)
		}
	}
	return b
}

// adam7 returns the rows of the seven passes of an interlaced PNG.
func adam7(w, h, pixel int, at func(x, y int) []byte) (b []byte) {
	for _, p := range [7][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}} {
		pw, ph := (w-p[0]+p[2]-1)/p[2], (h-p[1]+p[3]-1)/p[3]
		if pw > 0 && ph > 0 {
			b = append(b, rows(pw, ph, pixel, func(x, y int) []byte { return at(p[0]+x*p[2], p[1]+y*p[3]) })...)
		}
	}
	return b
}

// box returns a box of ISO/IEC 14496-12.
func box(kind string, bodies ...[]byte) []byte {
	body := bytes.Join(bodies, nil)
	return append(append(u32(8+len(body)), kind...), body...)
}

// heic describes a HEIC that heic.bytes writes: a grid of tiles of 64 x 64, or one of them.
type heic struct {
	tiles         [][]byte // coded pictures, as "tile-red.heic" has them
	columns       int      // 0: no grid, the first tile is the picture
	width, height int      // of the picture
	icc           []byte
}

// inside returns the body of the first box of a kind, wherever it is in a file.
func inside(b []byte, kind string) []byte {
	i := bytes.Index(b, []byte(kind))
	return b[i+4 : i-4+int(binary.BigEndian.Uint32(b[i-4:]))]
}

func (h heic) bytes(hvcC []byte) []byte {
	full := func(version byte, b ...[]byte) []byte { return append([]byte{version, 0, 0, 0}, bytes.Join(b, nil)...) }
	infe := func(id int, kind string) []byte {
		return box("infe", full(2, u16(id, 0), []byte(kind), []byte{0}))
	}
	var entries, mdat []byte
	var ids, lengths []int
	for i, t := range h.tiles {
		ids, lengths = append(ids, i+2), append(lengths, len(t))
		entries = append(entries, infe(i+2, "hvc1")...)
		mdat = append(mdat, t...)
	}
	primary := 2
	properties := [][]byte{box("hvcC", hvcC), box("ispe", full(0, u32(64, 64))), box("ispe", full(0, u32(h.width, h.height)))}
	if h.icc != nil {
		properties = append(properties, box("colr", []byte("prof"), h.icc))
	}
	var refs []byte
	if h.columns > 0 {
		primary = 1
		ids, lengths = append(ids, 1), append(lengths, 8)
		entries = append(entries, infe(1, "grid")...)
		mdat = append(mdat, 0, 0, byte(len(h.tiles)/h.columns-1), byte(h.columns-1))
		mdat = append(mdat, u16(h.width, h.height)...)
		refs = box("iref", full(0, box("dimg", u16(1, len(h.tiles)), u16(ids[:len(h.tiles)]...))))
	}
	var links []byte
	for i, id := range ids {
		own := []byte{2, 1, 2}
		switch {
		case id == 1:
			own = []byte{1, 3}
		case h.columns == 0 && i == 0:
			own = []byte{2, 1, 3}
		}
		if h.icc != nil {
			own[0]++
			own = append(own, 4)
		}
		links = append(append(links, u16(id)...), own...)
	}
	ftyp := box("ftyp", []byte("heic"), u32(0), []byte("mif1heic"))
	meta := func(at int) []byte {
		var places []byte
		for i, id := range ids {
			places = append(append(places, u16(id, 0, 1)...), u32(at, lengths[i])...)
			at += lengths[i]
		}
		return box("meta", full(0, box("hdlr", full(0, u32(0), []byte("pict"), u32(0, 0, 0), []byte{0})), box("pitm", full(0, u16(primary))),
			box("iloc", full(0, []byte{0x44, 0}, u16(len(ids)), places)), box("iinf", full(0, u16(len(ids)), entries)), refs,
			box("iprp", box("ipco", properties...), box("ipma", full(0, u32(len(ids)), links)))))
	}
	at := len(ftyp) + len(meta(0)) + 8
	return bytes.Join([][]byte{ftyp, meta(at), box("mdat", mdat)}, nil)
}
