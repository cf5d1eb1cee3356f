package strip

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"time"

	"picora/media"
)

const pngSignature = "\x89PNG\r\n\x1a\n"

// pngKept says which chunks stay and how long they are: exactly n bytes, at
// most -n where it is negative, any length where it is 0. All but the first
// four are ancillary (PNG 3rd ed. clause 11): they say how the picture looks.
// One of the wrong length says nothing and goes.
var pngKept = map[string]int64{
	"IHDR": 13, "PLTE": -768, "IDAT": 0, "IEND": 0,
	"tRNS": -256, "gAMA": 4, "cHRM": 32, "sRGB": 1, "iCCP": -maxICC, "cICP": 4,
	"mDCV": 24, "cLLI": 8, "sBIT": -4, "bKGD": -6, "pHYs": 9, "hIST": -512, "sPLT": 0,
	"acTL": 8, "fcTL": 26, "fdAT": 0,
}

// maxICC bounds a colour profile, which is compressed. Those of programs have a few kB, of presses up to 2 MB.
const maxICC = 4 << 20

// kept says whether a chunk may stay.
func kept(c chunk) bool {
	n, ok := pngKept[c.kind]
	return ok && (n == 0 || n == c.size || c.size <= -n)
}

// png walks a PNG, animated or not: PNG 3rd ed. clauses 5 and 11.
type png struct {
	*walker
	header   bool
	data     bool // an IDAT was seen
	animated bool // an acTL was seen before it
	exif     bool // the orientation is settled
	frames   int
}

// chunk is a chunk whose length and type have been read.
type chunk struct {
	kind string
	off  int64 // of its length field
	size int64
}

func (p *png) walk() error {
	sig, err := p.take(len(pngSignature))
	if err != nil {
		return err
	}
	if string(sig) != pngSignature {
		return media.Corrupt("the PNG is damaged: its signature is wrong")
	}
	if err := p.keep(p.pos-int64(len(sig)), int64(len(sig))); err != nil {
		return err
	}
	for {
		c, err := p.chunk()
		if err != nil {
			return err
		}
		if err := p.one(c); err != nil {
			return err
		}
		if c.kind == "IEND" {
			return p.end()
		}
	}
}

// chunk reads a chunk's length and type.
func (p *png) chunk() (chunk, error) {
	c := chunk{off: p.pos}
	b, err := p.take(8)
	if err != nil {
		return c, err
	}
	c.size, c.kind = int64(binary.BigEndian.Uint32(b)), string(b[4:])
	if c.size > 1<<31-1 || !letters(c.kind) {
		return c, media.Corrupt("the PNG is damaged: a chunk has an impossible length or type")
	}
	if !p.header && c.kind != "IHDR" {
		if c.kind == "CgBI" {
			return c, media.Unsupported("this PNG was made for iPhone apps and is shown by no browser; save it as an ordinary PNG")
		}
		return c, media.Corrupt("the PNG is damaged: its header is missing")
	}
	return c, nil
}

// letters says whether a chunk type is four ASCII letters.
func letters(kind string) bool {
	for _, c := range []byte(kind) {
		if c|0x20 < 'a' || c|0x20 > 'z' {
			return false
		}
	}
	return true
}

// one handles the rest of a chunk.
func (p *png) one(c chunk) error {
	switch c.kind {
	case "IHDR":
		return p.ihdr(c)
	case "eXIf":
		return p.exifChunk(c)
	case "fcTL":
		return p.fctl(c)
	case "PLTE", "IDAT", "IEND":
		if !kept(c) || c.kind == "IEND" && c.size != 0 {
			return media.Corrupt(fmt.Sprintf("the PNG is damaged: its %s chunk is too long", c.kind))
		}
		p.data = p.data || c.kind == "IDAT"
		return p.critical(c)
	}
	if c.kind[0]&0x20 == 0 {
		return media.Unsupported(fmt.Sprintf("this PNG needs an extension (%s) that no browser has", c.kind))
	}
	keep := kept(c)
	switch c.kind {
	case "acTL":
		keep = keep && !p.data // later ones do not count, clause 11.3.6.1
		p.animated = p.animated || keep
	case "fdAT":
		keep = keep && p.animated
	case "iCCP":
		p.rep.ICC = true
	}
	if c.kind == "acTL" && keep {
		return p.actl(c)
	}
	if err := p.skip(c.size + 4); err != nil || !keep {
		return err
	}
	return p.keepChunk(c)
}

func (p *png) keepChunk(c chunk) error { return p.keep(c.off, c.size+12) }

// critical keeps a chunk that decoders cannot do without, if its checksum is
// right: it is where damage shows.
func (p *png) critical(c chunk) error {
	sum := crc32.NewIEEE()
	io.WriteString(sum, c.kind)
	for left := c.size; left > 0; {
		buf, err := p.window(left)
		if err != nil {
			return err
		}
		sum.Write(buf)
		left -= int64(len(buf))
		if err := p.skip(int64(len(buf))); err != nil {
			return err
		}
	}
	return p.checked(c, sum.Sum32())
}

// checked reads the checksum behind a chunk and keeps the chunk.
func (p *png) checked(c chunk, sum uint32) error {
	b, err := p.take(4)
	if err != nil {
		return err
	}
	if binary.BigEndian.Uint32(b) != sum {
		return media.Corrupt(fmt.Sprintf("the PNG is damaged: the checksum of its %s chunk is wrong", c.kind))
	}
	return p.keepChunk(c)
}

// body reads a chunk's data.
func (p *png) body(c chunk) (b []byte, sum uint32, err error) {
	b, err = p.take(int(c.size))
	return b, crc32.Update(crc32.ChecksumIEEE([]byte(c.kind)), crc32.IEEETable, b), err
}

// ihdr reads the header (clause 11.2.1).
func (p *png) ihdr(c chunk) error {
	if p.header || c.size != 13 {
		return media.Corrupt("the PNG is damaged: its header is wrong")
	}
	p.header = true
	b, sum, err := p.body(c)
	if err != nil {
		return err
	}
	if err := p.checked(c, sum); err != nil {
		return err
	}
	if !validColour(b[8], b[9]) || b[10] != 0 || b[11] != 0 || b[12] > 1 {
		return media.Corrupt("the PNG is damaged: its header names a format that does not exist")
	}
	width, height := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	return p.walker.size(int64(width), int64(height))
}

// validColour is table 12 of clause 11.2.1.
func validColour(depth, colour byte) bool {
	depths := map[byte]string{0: "\x01\x02\x04\x08\x10", 2: "\x08\x10", 3: "\x01\x02\x04\x08", 4: "\x08\x10", 6: "\x08\x10"}
	return bytes.IndexByte([]byte(depths[colour]), depth) >= 0
}

// fctl checks that a frame lies on the canvas (clause 11.3.6.2) and counts it.
func (p *png) fctl(c chunk) error {
	if !p.animated {
		return p.skip(c.size + 4)
	}
	if !kept(c) {
		return media.Corrupt("the PNG is damaged: a frame has a header of the wrong length")
	}
	b, sum, err := p.body(c)
	if err != nil {
		return err
	}
	field := func(i int) int64 { return int64(binary.BigEndian.Uint32(b[i:])) }
	w, h, x, y := field(4), field(8), field(12), field(16)
	if w == 0 || h == 0 || x+w > int64(p.rep.Width) || y+h > int64(p.rep.Height) {
		return media.Corrupt("the PNG is damaged: a frame does not fit the picture")
	}
	p.frames++
	if err := p.frame(p.frames); err != nil {
		return err
	}
	over, under := binary.BigEndian.Uint16(b[20:]), binary.BigEndian.Uint16(b[22:])
	if under == 0 {
		under = 100
	}
	p.lasts(time.Duration(over) * time.Second / time.Duration(under))
	return p.checked(c, sum)
}

// actl reads how often the animation plays (clause 11.3.6.1).
func (p *png) actl(c chunk) error {
	b, err := p.take(int(c.size + 4))
	if err != nil {
		return err
	}
	p.rep.Loops = int(binary.BigEndian.Uint32(b[4:]))
	return p.keepChunk(c)
}

// exifChunk drops EXIF. An orientation other than upright stays, in an EXIF of
// its own at the same place; the first counts.
func (p *png) exifChunk(c chunk) error {
	if p.exif || c.size > maxEXIF {
		return p.skip(c.size + 4)
	}
	b, sum, err := p.body(c)
	if err != nil {
		return err
	}
	crc, err := p.take(4)
	if err != nil || binary.BigEndian.Uint32(crc) != sum {
		return err // decoders pass over it
	}
	o := p.learn(b)
	if o == 1 {
		return nil
	}
	p.exif, p.rep.Orientation = true, o
	if bytes.Equal(b, minimalEXIF(o)) {
		return p.keepChunk(c)
	}
	return p.put(pngChunk("eXIf", minimalEXIF(o)))
}

func (p *png) end() error {
	if !p.data {
		return media.Corrupt("the PNG is damaged: there is no picture in it")
	}
	return nil
}

// pngChunk writes a chunk.
func pngChunk(kind string, data []byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	out = append(out, kind...)
	out = append(out, data...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}
