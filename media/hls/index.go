// Package hls is HTTP Live Streaming (RFC 8216) without the media themselves: where the
// pieces of a track lie in its one file, and the playlists that name them. It is plain Go.
//
// A track (a rendition's pictures, or a sound) is kept as one file: a fragmented MP4 whose
// fragments are the segments, and behind them, in a box that players pass over, the index.
// So a film of two hours is some ten files, not ten thousand.
package hls

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// Index says where the pieces of a track lie in its file: the first Init bytes are the
// initialisation section (ftyp and moov), the segments follow one behind the other.
type Index struct {
	Init     int64
	Segments []Segment
}

// Segment is one piece of a track.
type Segment struct {
	Size     int64   // bytes
	Duration float64 // seconds
}

// What an index may have: it is written by a worker, whom nobody trusts.
const (
	maxSegments = 50_000
	maxIndex    = 1 << 20  // bytes
	maxInit     = 1 << 20  // bytes
	maxSegment  = 1 << 30  // bytes
	maxDuration = 120.0    // seconds of one segment
	ticks       = 1e6      // of a second, in the file
	boxHeader   = 8        // size and type
	boxMark     = "pidx01" // so that it is no other's free box
	boxTail     = 4        // the box's size again: the index is found from the end
)

// ErrIndex is the error of a file that has no index, or one that makes no sense.
var ErrIndex = errors.New("hls: no index")

// AppendIndex appends the box with the index to b.
func AppendIndex(b []byte, x Index) []byte {
	at := len(b)
	b = append(b, 0, 0, 0, 0)
	b = append(b, "free"...)
	b = append(b, boxMark...)
	b = binary.AppendUvarint(b, uint64(x.Init))
	b = binary.AppendUvarint(b, uint64(len(x.Segments)))
	for _, s := range x.Segments {
		b = binary.AppendUvarint(b, uint64(s.Size))
		b = binary.AppendUvarint(b, uint64(math.Round(s.Duration*ticks)))
	}
	size := uint32(len(b) - at + boxTail)
	b = binary.BigEndian.AppendUint32(b, size)
	binary.BigEndian.PutUint32(b[at:], size)
	return b
}

// ReadIndex reads the index of a track's file of so many bytes. It reports ErrIndex unless
// the index covers the file exactly.
func ReadIndex(r io.ReaderAt, size int64) (x Index, err error) {
	var tail [boxTail]byte
	if size < boxHeader+int64(len(boxMark))+boxTail {
		return x, ErrIndex
	}
	if _, err := r.ReadAt(tail[:], size-boxTail); err != nil {
		return x, fmt.Errorf("hls: index: %w", err)
	}
	n := int64(binary.BigEndian.Uint32(tail[:]))
	if n > maxIndex || n > size || n < boxHeader+int64(len(boxMark))+boxTail {
		return x, ErrIndex
	}
	b := make([]byte, n)
	if _, err := r.ReadAt(b, size-n); err != nil && err != io.EOF {
		return x, fmt.Errorf("hls: index: %w", err)
	}
	if int64(binary.BigEndian.Uint32(b)) != n || string(b[4:boxHeader]) != "free" || string(b[boxHeader:boxHeader+len(boxMark)]) != boxMark {
		return x, ErrIndex
	}
	return parse(b[boxHeader+len(boxMark):n-boxTail], size-n)
}

// parse reads the numbers of an index over that many bytes of media.
func parse(b []byte, media int64) (x Index, err error) {
	next := func(most uint64) uint64 {
		v, n := binary.Uvarint(b)
		if n <= 0 || v > most {
			err = ErrIndex
			return 0
		}
		b = b[n:]
		return v
	}
	x.Init = int64(next(maxInit))
	count := next(maxSegments)
	if err != nil {
		return Index{}, err
	}
	sum := x.Init
	for range count {
		s := Segment{Size: int64(next(maxSegment)), Duration: float64(next(maxDuration*ticks)) / ticks}
		if err != nil {
			return Index{}, err
		}
		sum += s.Size
		x.Segments = append(x.Segments, s)
	}
	if sum != media || len(b) != 0 || x.Init == 0 || count == 0 {
		return Index{}, ErrIndex
	}
	return x, nil
}

// Duration is how long all segments last, in seconds.
func (x *Index) Duration() (sum float64) {
	for _, s := range x.Segments {
		sum += s.Duration
	}
	return sum
}

// Rates are the highest bit rate of any segments that follow each other and last from half
// to one and a half of the longest together, and that of all, in bits a second (RFC 8216
// section 4.1). So a last segment of one picture does not count as if it lasted.
func (x *Index) Rates() (peak, average int64) {
	var bytes int64
	var longest float64
	for _, s := range x.Segments {
		bytes += s.Size
		longest = max(longest, s.Duration)
	}
	length := x.Duration()
	if length <= 0 {
		return 0, 0
	}
	average = int64(math.Ceil(float64(bytes) * 8 / length))
	peak = average
	for i := range x.Segments {
		var b int64
		var d float64
		for _, s := range x.Segments[i:] {
			b += s.Size
			d += s.Duration
			if d > 1.5*longest {
				break
			}
			if d >= 0.5*longest {
				peak = max(peak, int64(math.Ceil(float64(b)*8/d)))
			}
		}
	}
	return peak, average
}
