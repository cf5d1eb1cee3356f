package library

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"picora/app/config"
	"picora/media"
)

// rung is a size in which a video is made.
type rung struct {
	name          string // such as 720p: the shorter side
	width, height int    // pixels
	bits          int64  // a second, which the pictures do not exceed for long
	copied        bool   // the file's own pictures
}

// caps are the bit rates, in thousands of bits a second, that sizes do not exceed for long,
// by their shorter sides: of 16:9 at up to 35 pictures a second. Those between lie between.
var caps = []struct{ side, kbits float64 }{
	{144, 250}, {240, 400}, {360, 800}, {480, 1400}, {720, 2800}, {1080, 5000}, {1440, 9000}, {2160, 16000}, {4320, 48000},
}

const (
	// ownSize is how much larger than the rung below it a video must be to have a rung of
	// its own size.
	ownSize = 1.15
	// baseSide is the shorter side of the rung that is made first, at most.
	baseSide = 360
	// fastRate is the pictures a second from which on a size may have fastMore times as
	// many bits.
	fastRate, fastMore = 35, 1.4
)

// ladder are the rungs of a video, the smallest first; there is at least one. None is
// larger than the file.
func ladder(s *media.Survey, o *config.Video) (list []rung) {
	short, long := min(s.Width, s.Height), max(s.Width, s.Height)
	add := func(side int, copied bool) {
		r := rung{name: fmt.Sprintf("%dp", side), copied: copied, bits: rungBits(s, o, side)}
		r.width, r.height = side, even(float64(long)*float64(side)/float64(short))
		if s.Width > s.Height {
			r.width, r.height = r.height, r.width
		}
		list = append(list, r)
	}
	own := max(short/2*2, 2) // encoders want even sides
	top := o.Ladder[len(o.Ladder)-1]
	fits := s.Copy && float64(short) < ownSize*float64(top) && s.FrameRate < 1.05*float64(o.MaxFrameRate) &&
		float64(s.Peak) <= 2*float64(sizeBits(s, o, own))
	below := 0
	for _, side := range o.Ladder {
		if side <= short && !(fits && float64(short) < ownSize*float64(side)) { // else it would be the copy once more
			add(side, false)
			below = side
		}
	}
	if fits || short < top && float64(short) >= ownSize*float64(below) {
		add(own, fits)
		if fits {
			last := &list[len(list)-1]
			last.width, last.height = s.Width, s.Height
		}
	}
	return list
}

// even is the even number next to f, at least 2.
func even(f float64) int { return max(int(math.Round(f/2))*2, 2) }

// sizeBits is what a size of the video may have at most, in bits a second.
func sizeBits(s *media.Survey, o *config.Video, side int) int64 {
	i, _ := slices.BinarySearchFunc(caps, float64(side), func(c struct{ side, kbits float64 }, side float64) int { return cmp.Compare(c.side, side) })
	lo, hi := caps[max(min(i, len(caps)-1)-1, 0)], caps[min(i, len(caps)-1)]
	kbits := hi.kbits
	switch at := float64(side); {
	case hi.side < at, lo.side == hi.side: // beyond the table: by the number of pixels
		kbits *= (at / hi.side) * (at / hi.side)
	default:
		kbits = lo.kbits + (hi.kbits-lo.kbits)*(at-lo.side)/(hi.side-lo.side)
	}
	if wide := float64(max(s.Width, s.Height)) / float64(min(s.Width, s.Height)) * 9 / 16; wide > 1 {
		kbits *= min(wide, 4)
	}
	if min(s.FrameRate, float64(o.MaxFrameRate)) > fastRate {
		kbits *= fastMore
	}
	return int64(max(kbits, 100)) * 1000
}

// rungBits is sizeBits, and not far above what the file itself has: more bits would hold
// nothing that is in it.
func rungBits(s *media.Survey, o *config.Video, side int) int64 {
	most := sizeBits(s, o, side)
	if s.BitRate <= 0 {
		return most
	}
	more := 1.2
	switch s.Codec {
	case "hevc", "vp9", "av1", "vvc": // they say the same in fewer bits than H.264 does
		more = 2
	}
	return min(most, max(int64(float64(s.BitRate)*more), 100_000))
}

// base is the index of the rung that is made first: the largest of at most 360p, or the
// smallest.
func base(list []rung) (i int) {
	for n := range list {
		if min(list[n].width, list[n].height) <= baseSide {
			i = n
		}
	}
	return i
}
