package picture

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/draw"
	"io"

	"picora/media/strip"
)

// heif returns a HEIF file as FFmpeg 7.1 can read it, and the part of its picture that
// is shown; empty: all of it. FFmpeg takes the clean aperture of a picture (ISO/IEC
// 14496-12 section 12.1.4) for that of a video track, and knows no thumbnails
// that are grids; both make it refuse the file. So it is kept from seeing them, and the
// picture is cut afterwards.
func heif(src Source, max Limits) (r io.ReaderAt, shown image.Rectangle, err error) {
	rep, err := strip.Walk(bytes.NewReader(src.Data), src.Type, strip.Limits{MaxPixels: max.Pixels})
	if err != nil {
		return nil, shown, err
	}
	h := hidden{data: src.Data}
	for at := 0; at+8 <= len(src.Data); {
		size := int(binary.BigEndian.Uint32(src.Data[at:]))
		if string(src.Data[at+4:at+8]) == "meta" && size >= 8 && size <= len(src.Data)-at {
			h.hide(at, at+size)
		}
		if size < 8 || size > len(src.Data)-at {
			break // to the end of the file, or of 64 bits: nothing of interest follows
		}
		at += size
	}
	return &h, rep.Aperture, nil
}

// hidden is a file with other kinds of some boxes.
type hidden struct {
	data []byte
	at   []int // where the kinds are
}

// hide makes the apertures and the references of thumbnails between two places boxes
// of no meaning. An aperture is 40 bytes long, a reference to one item 14 or 18.
func (h *hidden) hide(from, to int) {
	for _, box := range []string{"\x28clap", "\x0ethmb", "\x12thmb"} {
		what := []byte("\x00\x00\x00" + box)
		for at := from; ; at += len(what) {
			i := bytes.Index(h.data[at:to], what)
			if i < 0 {
				break
			}
			at += i
			h.at = append(h.at, at+4)
		}
	}
}

// ReadAt implements io.ReaderAt.
func (h *hidden) ReadAt(b []byte, off int64) (n int, err error) {
	if off < 0 || off >= int64(len(h.data)) {
		return 0, io.EOF
	}
	n = copy(b, h.data[off:])
	for _, at := range h.at {
		for i, c := range []byte("free") {
			if p := int64(at+i) - off; p >= 0 && p < int64(n) {
				b[p] = c
			}
		}
	}
	if n < len(b) {
		err = io.EOF
	}
	return n, err
}

// cut is the part of m, with its origin at zero.
func cut(m image.Image, part image.Rectangle) image.Image {
	if part.Empty() || part == m.Bounds() || !part.In(m.Bounds()) {
		return m
	}
	var out draw.Image = image.NewNRGBA(image.Rectangle{Max: part.Size()})
	if _, deep := m.(*image.NRGBA64); deep {
		out = image.NewNRGBA64(image.Rectangle{Max: part.Size()})
	}
	draw.Draw(out, out.Bounds(), m, part.Min, draw.Src)
	return out
}
