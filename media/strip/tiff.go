package strip

import (
	"io"

	"picora/media"
)

// tiffWindow is how much of a TIFF is read from its first directory on. What it
// tells of elsewhere is not known.
const tiffWindow = 1 << 20

// tiff walks a TIFF (TIFF 6.0): it finds the first directory and reads on to the
// end. Its pictures and its metadata may be anywhere, so nothing is stripped:
// a TIFF is delivered as what is made of it, never as it is.
type tiff struct {
	*walker
	width, height   int64
	reduced, others bool // a small copy of a picture that is elsewhere
	offsets, counts field
}

func (t *tiff) walk() error {
	start, _ := t.br.Peek(10) // an error comes again
	head, err := t.take(8)
	if err != nil {
		return err
	}
	order := byteOrder(head)
	if got, _ := media.Sniff(start); got != media.TIFF {
		return media.Corrupt("the TIFF is damaged: its signature is wrong")
	}
	at := int64(order.Uint32(head[4:]))
	if at < 8 {
		return media.Corrupt("the TIFF is damaged: its directory is missing")
	}
	if err := t.skip(at - t.pos); err != nil {
		return err
	}
	b, err := t.upTo(tiffWindow)
	if err != nil {
		return err
	}
	d := tiffData{order: order, b: b, base: uint64(at)}
	if err := t.directory(d); err != nil {
		return err
	}
	if err := t.drain(); err != nil {
		return err
	}
	if t.end(d) > uint64(t.pos) {
		return errCut
	}
	return t.keep(0, t.pos)
}

// upTo reads n bytes, or up to the end of the file.
func (t *tiff) upTo(n int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(t.br, n))
	t.pos += int64(len(b))
	return b, cut(err)
}

// directory reads what the first directory says.
func (t *tiff) directory(d tiffData) error {
	if n := d.slice(d.base, 2); n == nil || d.slice(d.base+2, 12*uint64(d.order.Uint16(n))) == nil {
		return errCut
	}
	raw := false
	d.directory(d.base, func(x field) {
		switch x.tag {
		case tagNewSubfile:
			t.reduced = d.number(x, 0)&1 != 0
		case tagSubIFDs:
			t.others = true
		case tagWidth:
			t.width = int64(d.number(x, 0))
		case tagHeight:
			t.height = int64(d.number(x, 0))
		case tagStripOffsets, tagTileOffsets:
			t.offsets = x
		case tagStripCounts, tagTileCounts:
			t.counts = x
		case tagICC:
			t.rep.ICC = true
		case tagDNG:
			raw = true
		}
	})
	if raw || t.reduced && t.others {
		return media.Unsupported("Raw camera pictures are not supported; save it as JPEG or TIFF")
	}
	if t.offsets.count == 0 {
		return media.Corrupt("the TIFF is damaged: there is no picture in it")
	}
	o, facts := d.facts(d.base)
	t.rep.Orientation = o
	t.note(facts)
	return t.size(t.width, t.height)
}

// end is where the last strip or tile ends, as far as that is known.
func (t *tiff) end(d tiffData) (end uint64) {
	for i := range int(min(t.offsets.count, t.counts.count)) {
		if t.offsets.value == nil || t.counts.value == nil {
			return end
		}
		end = max(end, uint64(d.number(t.offsets, i))+uint64(d.number(t.counts, i)))
	}
	return end
}
