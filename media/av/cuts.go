package av

import (
	"slices"
	"sync/atomic"

	"github.com/asticode/go-astiav"
)

// cuts is where the segments of picture tracks begin, the same in all of a film: at multiples
// of a time or, where a track is copied, at the file's own key frames that are so long apart.
type cuts struct {
	every int64 // µs
	keys  bool

	list atomic.Pointer[[]int64] // of keys, as far as packets were read: µs
}

// slack is by how much times of the same picture differ when they are rounded: µs.
const slack = 1000

// see is told of each packet of the pictures before it is decoded.
func (c *cuts) see(p *astiav.Packet, base astiav.Rational) {
	if !c.keys || p.Pts() == noTime || !p.Flags().Has(astiav.PacketFlagKey) || p.Flags().Has(astiav.PacketFlagDiscard) {
		return
	}
	at := rescale(p.Pts(), base, micro)
	old := c.list.Load()
	if old == nil {
		c.list.Store(&[]int64{min(at, 0)}) // what is seen first is seen from the start
		return
	}
	if at < (*old)[len(*old)-1]+c.every-slack {
		return
	}
	list := append(slices.Clip(*old), at) // whoever has the old one keeps it
	c.list.Store(&list)
}

// cutter finds the first pictures of segments in one track.
type cutter struct {
	cuts  *cuts
	next  int
	begun bool
}

// first says whether a picture that is shown at that time (µs) begins a segment. Times grow.
func (c *cutter) first(at int64) (yes bool) {
	for {
		next, known := c.cuts.boundary(c.next)
		if !known || at < next-slack {
			break
		}
		c.next++
		yes = true
	}
	yes = yes || !c.begun
	c.begun = true
	return yes
}

func (c *cuts) boundary(i int) (int64, bool) {
	if !c.keys {
		return int64(i) * c.every, true
	}
	list := c.list.Load()
	if list == nil || i >= len(*list) {
		return 0, false
	}
	return (*list)[i], true
}
