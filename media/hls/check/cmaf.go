package check

import (
	"encoding/binary"
	"errors"
	"fmt"

	"picora/media/hls"
)

// CMAF is what walking the boxes of a fragmented MP4 tells of a track.
type CMAF struct {
	Index  hls.Index
	Codecs string    // RFC 6381
	Starts []float64 // of the segments, seconds as their first fragments say it
}

var errCMAF = errors.New("no CMAF track")

// ReadCMAF walks a track's file without its index: what a player has that takes the
// initialisation section and all segments. A segment begins with each styp or, where there is none, with each moof.
func ReadCMAF(b []byte) (c CMAF, err error) {
	defer func() {
		if recover() != nil { // boxes that end too early
			err = errCMAF
		}
	}()
	var scale, byDefault float64
	for rest := b; len(rest) > 0; {
		size, kind := int(binary.BigEndian.Uint32(rest)), string(rest[4:8])
		if size < 8 || size > len(rest) {
			return c, fmt.Errorf("%w: a box %s of %d bytes in %d", errCMAF, kind, size, len(rest))
		}
		box := rest[8:size]
		rest = rest[size:]
		switch kind {
		case "ftyp":
			c.Index.Init += int64(size)
		case "moov":
			c.Index.Init += int64(size)
			scale = float64(binary.BigEndian.Uint32(find(box, "trak", "mdia", "mdhd")[12:]))
			byDefault = float64(binary.BigEndian.Uint32(find(box, "mvex", "trex")[12:]))
			c.Codecs = codecs(find(box, "trak", "mdia", "minf", "stbl", "stsd")[8:])
		case "styp", "moof", "mdat":
			n := len(c.Index.Segments)
			if kind == "styp" || kind == "moof" && (n == 0 || c.Index.Segments[n-1].Duration > 0) {
				c.Index.Segments = append(c.Index.Segments, hls.Segment{})
				n++
			}
			c.Index.Segments[n-1].Size += int64(size)
			if kind != "moof" {
				continue
			}
			if len(c.Starts) < n {
				c.Starts = append(c.Starts, start(find(box, "traf", "tfdt"))/scale)
			}
			c.Index.Segments[n-1].Duration += ticks(find(box, "traf"), byDefault) / scale
		default:
			return c, fmt.Errorf("%w: a box %s", errCMAF, kind)
		}
	}
	if len(c.Starts) != len(c.Index.Segments) || c.Index.Init == 0 || len(c.Index.Segments) == 0 {
		return c, errCMAF
	}
	return c, nil
}

// find goes down the boxes of these kinds; nil when one is not there.
func find(b []byte, kinds ...string) []byte {
	for _, want := range kinds {
		var found []byte
		for rest := b; len(rest) >= 8 && found == nil; {
			size := int(binary.BigEndian.Uint32(rest))
			if size < 8 {
				panic(errCMAF)
			}
			if string(rest[4:8]) == want {
				found = rest[8:size]
			}
			rest = rest[size:]
		}
		b = found
	}
	return b
}

// start is the time of a fragment's first sample, from its tfdt box.
func start(tfdt []byte) float64 {
	if tfdt[0] == 1 {
		return float64(binary.BigEndian.Uint64(tfdt[4:]))
	}
	return float64(binary.BigEndian.Uint32(tfdt[4:]))
}

// ticks adds up the durations of the samples of a traf box.
func ticks(traf []byte, each float64) (sum float64) {
	head := find(traf, "tfhd")
	flags, at := binary.BigEndian.Uint32(head)&0xffffff, 8
	for _, field := range []struct{ flag, size uint32 }{{1, 8}, {2, 4}} {
		if flags&field.flag != 0 {
			at += int(field.size)
		}
	}
	if flags&8 != 0 {
		each = float64(binary.BigEndian.Uint32(head[at:]))
	}
	run := find(traf, "trun")
	flags, count := binary.BigEndian.Uint32(run)&0xffffff, binary.BigEndian.Uint32(run[4:])
	if flags&0x100 == 0 {
		return each * float64(count)
	}
	at, step := 8, 0
	for _, flag := range []uint32{1, 4} {
		if flags&flag != 0 {
			at += 4
		}
	}
	for _, flag := range []uint32{0x100, 0x200, 0x400, 0x800} {
		if flags&flag != 0 {
			step += 4
		}
	}
	for i := range int(count) {
		sum += float64(binary.BigEndian.Uint32(run[at+i*step:]))
	}
	return sum
}

// codecs names the first sample entry, H.264 or AAC.
func codecs(entries []byte) string {
	if string(entries[4:8]) == "mp4a" {
		return "mp4a.40.2"
	}
	avcc := find(entries[8+78:], "avcC")
	return fmt.Sprintf("avc1.%02x%02x%02x", avcc[1], avcc[2], avcc[3])
}
