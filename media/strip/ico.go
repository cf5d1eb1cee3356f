package strip

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"picora/media"
)

// maxIcons bounds the pictures of an icon. Real ones have up to twenty.
const maxIcons = 64

// ico walks an ICO: a directory, and pictures that are PNG files or bitmaps
// without the file header. Those are delivered one behind the other, each
// stripped, and the directory is written anew if that moves them.
type ico struct{ *walker }

// icon is one entry of the directory.
type icon struct {
	entry     []byte // 16 bytes, which are written anew
	off, size int64
}

func (w *ico) walk() error {
	head, err := w.take(6)
	if err != nil {
		return err
	}
	count := int(binary.LittleEndian.Uint16(head[4:]))
	if count > maxIcons {
		return media.Unsupported("the icon has too many pictures")
	}
	table, err := w.take(16 * count)
	if err != nil {
		return err
	}
	old := append(head, table...)
	if t, _ := media.Sniff(old); t != media.ICO {
		return media.Corrupt("the ICO is damaged: its signature is wrong")
	}
	dir := bytes.Clone(old)
	icons := make([]icon, count)
	for i := range icons {
		e := dir[6+16*i:][:16]
		icons[i] = icon{e, int64(binary.LittleEndian.Uint32(e[12:])), int64(binary.LittleEndian.Uint32(e[8:]))}
	}
	slices.SortStableFunc(icons, func(a, b icon) int { return cmp.Compare(a.off, b.off) })
	if err := w.icons(icons, int64(len(dir))); err != nil {
		return err
	}
	if !bytes.Equal(dir, old) {
		return w.insert(0, dir)
	}
	first := w.pieces
	w.pieces = nil
	if err := w.keep(0, int64(len(dir))); err != nil {
		return err
	}
	w.pieces = append(w.pieces, first...)
	return nil
}

// icons keeps the pictures and writes into their entries where they are then.
func (w *ico) icons(icons []icon, at int64) error {
	var width, height int64
	for i, x := range icons {
		x.entry[3] = 0
		if i > 0 && x.off == icons[i-1].off && x.size == icons[i-1].size {
			copy(x.entry[8:], icons[i-1].entry[8:]) // the same picture for two entries
			continue
		}
		if x.off < w.pos {
			return media.Corrupt("the ICO is damaged: its pictures lie upon each other")
		}
		if err := w.skip(x.off - w.pos); err != nil {
			return err
		}
		before := w.pieces.Size()
		w.mark()
		if err := w.icon(x); err != nil {
			return err
		}
		size := w.pieces.Size() - before
		binary.LittleEndian.PutUint32(x.entry[8:], uint32(size))
		binary.LittleEndian.PutUint32(x.entry[12:], uint32(at))
		at += size
		if w.pos > x.off+x.size {
			return media.Corrupt("the ICO is damaged: a picture in it is longer than it says")
		}
		if err := w.skip(x.off + x.size - w.pos); err != nil {
			return err
		}
		if n := int64(w.rep.Width); n*int64(w.rep.Height) > width*height {
			width, height = n, int64(w.rep.Height)
		}
	}
	w.rep = Report{Width: int(width), Height: int(height), Orientation: 1, Frames: 1, Facts: w.rep.Facts, ICC: w.rep.ICC}
	return nil
}

// icon keeps one picture.
func (w *ico) icon(x icon) error {
	if b, _ := w.br.Peek(len(pngSignature)); string(b) == pngSignature {
		return (&png{walker: w.walker}).walk()
	}
	d, err := w.dib()
	if err != nil {
		return err
	}
	if d.coding != bmpPlain && d.coding != bmpMasks {
		return media.Unsupported("this kind of icon is shown by no browser; save it as PNG")
	}
	// The height counts the mask too, which has a bit for each pixel.
	d.height /= 2
	if err := w.walker.size(d.width, d.height); err != nil {
		return err
	}
	mask := dib{width: d.width, height: d.height, bits: 1}
	if d.head+d.pixels() > x.size {
		return media.Corrupt("the ICO is damaged: a picture in it is cut off")
	}
	n := min(x.size, d.head+d.pixels()+mask.pixels()) // some leave the mask out
	if err := w.skip(x.off + n - w.pos); err != nil {
		return err
	}
	return w.keep(x.off, n)
}
