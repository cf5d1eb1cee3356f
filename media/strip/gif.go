package strip

import (
	"encoding/binary"
	"time"

	"picora/media"
)

// Block introducers and extension labels of the GIF89a specification.
const (
	gifExtension = 0x21
	gifImage     = 0x2C
	gifTrailer   = 0x3B
	gifControl   = 0xF9
	gifApp       = 0xFF
)

// gif walks a GIF, as leniently as browsers do: GIF89a sections 15 to 27.
type gif struct {
	*walker
	frames         int
	maxW, maxH     int64 // of the screen and all frames
	firstW, firstH int64
	delay          time.Duration // of the next frame
}

func (g *gif) walk() error {
	head, err := g.take(13)
	if err != nil {
		return err
	}
	if v := string(head[:6]); v != "GIF87a" && v != "GIF89a" {
		return media.Corrupt("the GIF is damaged: its signature is wrong")
	}
	g.maxW, g.maxH = int64(binary.LittleEndian.Uint16(head[6:])), int64(binary.LittleEndian.Uint16(head[8:]))
	screenW, screenH := g.maxW, g.maxH
	g.rep.Loops = 1 // unless it says otherwise
	if err := g.skip(tableSize(head[10])); err != nil {
		return err
	}
	if err := g.keep(0, g.pos); err != nil {
		return err
	}
	if err := g.blocks(); err != nil {
		return err
	}
	if g.frames == 0 {
		return media.Corrupt("the GIF is damaged: there is no picture in it")
	}
	if screenW == 0 {
		screenW = g.firstW
	}
	if screenH == 0 {
		screenH = g.firstH
	}
	return g.walker.size(screenW, screenH)
}

// tableSize is the length of the colour table that a packed field announces.
func tableSize(packed byte) int64 {
	if packed&0x80 == 0 {
		return 0
	}
	return 3 << (packed&7 + 1)
}

// blocks walks to the trailer. Where the trailer is missing, or something
// stands that is no block, browsers show what came before; so that is
// delivered, with a trailer.
func (g *gif) blocks() error {
	for {
		end, err := g.atEnd()
		if err != nil {
			return err
		}
		if end {
			if g.frames == 0 {
				return errCut
			}
			return g.put([]byte{gifTrailer})
		}
		off := g.pos
		c, err := g.byte()
		if err != nil {
			return err
		}
		switch c {
		case gifTrailer:
			return g.keep(off, 1)
		case gifExtension:
			err = g.extension(off)
		case gifImage:
			err = g.image(off)
		default:
			return g.put([]byte{gifTrailer})
		}
		if err != nil {
			return err
		}
	}
}

// image keeps one frame: descriptor, colour table, LZW data.
func (g *gif) image(off int64) error {
	b, err := g.take(9)
	if err != nil {
		return err
	}
	field := func(i int) int64 { return int64(binary.LittleEndian.Uint16(b[i:])) }
	if g.frames == 0 {
		g.firstW, g.firstH = field(4), field(6)
	}
	g.maxW, g.maxH = max(g.maxW, field(0)+field(4)), max(g.maxH, field(2)+field(6))
	if err := g.check(max(g.maxW, 1), max(g.maxH, 1)); err != nil {
		return err
	}
	g.frames++
	if err := g.frame(g.frames); err != nil {
		return err
	}
	g.lasts(g.delay)
	g.delay = 0
	if err := g.skip(tableSize(b[8]) + 1); err != nil { // with the LZW code size
		return err
	}
	if err := g.skipBlocks(); err != nil {
		return err
	}
	return g.keep(off, g.pos-off)
}

// skipBlocks passes over sub-blocks up to the empty one.
func (g *gif) skipBlocks() error {
	for {
		n, err := g.byte()
		if err != nil || n == 0 {
			return err
		}
		if err := g.skip(int64(n)); err != nil {
			return err
		}
	}
}

// extension handles an extension: graphic control, loop and colour profile
// stay; comments, plain text (which nobody draws), XMP and the rest go.
func (g *gif) extension(off int64) error {
	label, err := g.byte()
	if err != nil {
		return err
	}
	if label != gifControl && label != gifApp {
		return g.skipBlocks()
	}
	first, err := g.subBlock()
	if err != nil || len(first) == 0 {
		return err
	}
	switch {
	case label == gifControl:
		return g.control(off, first)
	case string(first) == "NETSCAPE2.0" || string(first) == "ANIMEXTS1.0":
		return g.loop(off, first)
	case string(first) == "ICCRGBG1012":
		if err := g.skipBlocks(); err != nil {
			return err
		}
		g.rep.ICC = true
		return g.keep(off, g.pos-off)
	}
	return g.skipBlocks()
}

// subBlock reads one sub-block; an empty one ends the block.
func (g *gif) subBlock() ([]byte, error) {
	n, err := g.byte()
	if err != nil {
		return nil, err
	}
	return g.take(int(n))
}

// control keeps a graphic control extension: four bytes and no more.
func (g *gif) control(off int64, first []byte) error {
	next, err := g.subBlock()
	if err != nil {
		return err
	}
	if len(next) > 0 {
		if err := g.skipBlocks(); err != nil {
			return err
		}
	}
	if len(first) >= 4 {
		g.delay = time.Duration(binary.LittleEndian.Uint16(first[1:])) * 10 * time.Millisecond
	}
	switch {
	case len(first) < 4:
		return nil
	case len(first) == 4 && len(next) == 0:
		return g.keep(off, g.pos-off)
	}
	return g.put([]byte{gifExtension, gifControl, 4, first[0], first[1], first[2], first[3], 0})
}

// loop keeps the loop count of an animation: a sub-block of three bytes, the
// first of them 1.
func (g *gif) loop(off int64, app []byte) error {
	var count []byte
	blocks := 0
	for {
		b, err := g.subBlock()
		if err != nil {
			return err
		}
		if len(b) == 0 {
			break
		}
		blocks++
		if count == nil && len(b) == 3 && b[0]&7 == 1 {
			count = b
		}
	}
	if count == nil {
		return nil
	}
	// Browsers take the count for that of repetitions; 0 is for ever.
	if g.rep.Loops = int(binary.LittleEndian.Uint16(count[1:])); g.rep.Loops > 0 {
		g.rep.Loops++
	}
	if blocks == 1 {
		return g.keep(off, g.pos-off)
	}
	out := append([]byte{gifExtension, gifApp, byte(len(app))}, app...)
	return g.put(append(append(out, 3), append(count, 0)...))
}
