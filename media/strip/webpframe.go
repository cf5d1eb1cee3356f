package strip

import (
	"encoding/binary"
	"time"

	"picora/media"
)

// animationFrame keeps a frame: its place and the chunks of its picture. What
// else is in it goes, and then its length changes (RFC 9649 section 2.7.2).
func (w *webp) animationFrame(c webpChunk) error {
	head, err := w.take(16)
	if err != nil {
		return err
	}
	x, y := 2*uint24(head), 2*uint24(head[3:])
	width, height := uint24(head[6:])+1, uint24(head[9:])+1
	if c.size < 16 || x+width > int64(w.rep.Width) || y+height > int64(w.rep.Height) {
		return media.Corrupt("the WebP is damaged: a frame does not fit the picture")
	}
	w.frames++
	if err := w.frame(w.frames); err != nil {
		return err
	}
	w.lasts(time.Duration(uint24(head[12:])) * time.Millisecond)
	sealed := w.sealed
	mark := w.mark()
	kept, err := w.frameChunks(c, width, height)
	if err != nil {
		return err
	}
	if kept == c.size+c.size&1 {
		w.rewind(mark, sealed)
		return w.keep(c.off, c.end-c.off)
	}
	out := binary.LittleEndian.AppendUint32([]byte("ANMF"), uint32(kept))
	return w.insert(mark, append(out, head...))
}

// frameChunks keeps the chunks of a frame's picture and returns how long the
// frame's data is then.
func (w *webp) frameChunks(frame webpChunk, width, height int64) (kept int64, err error) {
	kept = 16
	image := false
	for limit := frame.end - frame.size&1; w.pos < limit; {
		c, err := w.chunk(limit)
		if err != nil {
			return 0, err
		}
		keep := !image && c.kind == "ALPH"
		if !image && (c.kind == "VP8 " || c.kind == "VP8L") {
			image, keep = true, true
			fw, fh, err := w.bitstream(c)
			if err != nil {
				return 0, err
			}
			if fw != width || fh != height {
				return 0, w.misfit()
			}
		}
		if !keep {
			err = w.skip(c.end - w.pos)
		} else if err = w.copy(c); err == nil {
			kept += c.end - c.off
		}
		if err != nil {
			return 0, err
		}
	}
	if !image {
		return 0, media.Corrupt("the WebP is damaged: a frame has no picture")
	}
	return kept, w.skip(frame.end - w.pos)
}
