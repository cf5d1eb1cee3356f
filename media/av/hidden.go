package av

import (
	"bytes"
	"io"
)

// hidden is a HEIF file without what makes FFmpeg 7.1 refuse one: clean apertures (ISO/IEC 14496-12 section 12.1.4),
// which it takes for those of a video track, and thumbnails that are grids. Pictures therefore come uncut: whoever knows
// the aperture applies it.
type hidden struct {
	io.ReaderAt
	at []int64 // where the kinds of such boxes are
}

// hide looks for such boxes in the file's meta box.
func hide(r io.ReaderAt, size int64) io.ReaderAt {
	h := hidden{ReaderAt: r}
	if h.find(metaBox(r, size)); h.at == nil {
		return r
	}
	return &h
}

// find notes boxes by their length and kind: an aperture has 40 bytes, the reference of a thumbnail 14 or 18.
func (h *hidden) find(meta []byte, off int64) {
	for _, box := range []string{"\x28clap", "\x0ethmb", "\x12thmb"} {
		what := []byte("\x00\x00\x00" + box)
		for at := 0; ; at += len(what) {
			i := bytes.Index(meta[at:], what)
			if i < 0 {
				break
			}
			at += i
			h.at = append(h.at, off+int64(at)+4)
		}
	}
}

// ReadAt implements io.ReaderAt; such boxes are of the kind that means nothing.
func (h *hidden) ReadAt(b []byte, off int64) (int, error) {
	n, err := h.ReaderAt.ReadAt(b, off)
	for _, at := range h.at {
		for i, c := range []byte("free") {
			if p := at + int64(i) - off; p >= 0 && p < int64(n) {
				b[p] = c
			}
		}
	}
	return n, err
}
