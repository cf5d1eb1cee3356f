package strip

import (
	"math"
	"slices"
	"time"

	"picora/media"
)

// movie is what a moov box says of a sequence of pictures (ISO/IEC 14496-12
// section 8.2, ISO/IEC 23008-12 section 7).
type movie struct {
	parts  []span // where the frames are
	tracks int
	frames int // of the first track
}

// track is what is known of a track while it is read.
type track struct {
	handler       string
	width, height int64
	scale, length uint64 // its time: units in a second, units
	chunks        []int64
	runs          []run
	size          int64 // of every frame, when they are alike
	sizes         []int64
	frames        int
}

// run says how many frames the chunks have from the one of that number, which
// counts from 1.
type run struct{ first, frames int64 }

// movieBoxes are the boxes that stay in a moov: true for those that hold others.
var movieBoxes = map[string]bool{
	"mvhd": false, "trak": true, "tkhd": false, "tref": false, "edts": true, "elst": false, "mdia": true, "mdhd": false,
	"hdlr": false, "minf": true, "vmhd": false, "nmhd": false, "dinf": true, "dref": false, "stbl": true, "stsd": false, "stts": false, "ctts": false,
	"cslg": false, "stsc": false, "stsz": false, "stz2": false, "stco": false, "co64": false, "stss": false, "sdtp": false, "sbgp": false, "sgpd": false,
}

// moov reads the moov box.
func (h *heif) moov(size int64) error {
	if size > maxMovie {
		return errIndex
	}
	at := h.pos
	b, err := h.take(int(size))
	if err != nil {
		return err
	}
	h.movie, h.end = &movie{}, h.pos
	if err := each(b, at, func(x box) error { return h.movieBox(x, nil, 0) }); err != nil {
		return err
	}
	if h.movie.tracks == 0 {
		return media.Corrupt("the picture is damaged: there is no picture in it")
	}
	h.settle()
	return nil
}

// movieBox handles a box in the moov, which is in a track when t is not nil.
func (h *heif) movieBox(x box, t *track, depth int) error {
	holds, known := movieBoxes[x.kind]
	if !known || depth > 8 || x.kind == "trak" && t != nil {
		h.free(x)
		return nil
	}
	if holds {
		own := t
		if x.kind == "trak" {
			own = &track{}
		}
		if err := x.children(0, func(c box) error { return h.movieBox(c, own, depth+1) }); err != nil {
			return err
		}
		if x.kind == "trak" {
			return h.track(own)
		}
		return nil
	}
	f := fields{b: x.b}
	version, _ := f.version()
	switch x.kind {
	case "mvhd", "tkhd", "mdhd": // when it was made and changed
		if times := f.bytes(8 + 8*int(version&1)); !f.short {
			h.clear(x.at+4, times)
		}
	case "hdlr":
		if len(x.b) > 24 {
			h.clear(x.at+24, x.b[24:])
		}
	}
	if t != nil {
		t.read(x.kind, &f, version)
	}
	if f.short {
		return errIndex
	}
	return nil
}

// read takes from a box of a track what says where its frames are.
func (t *track) read(kind string, f *fields, version byte) {
	wide := 4 + 4*int(version&1)
	switch kind {
	case "tkhd":
		f.bytes(len(f.b) - f.n - 8)
		t.width, t.height = int64(f.uint(4)>>16), int64(f.uint(4)>>16)
	case "mdhd":
		t.scale, t.length = f.uint(4), f.uint(wide)
	case "hdlr":
		f.uint(4)
		t.handler = string(f.bytes(4))
	case "stco", "co64":
		size := 4
		if kind == "co64" {
			size = 8
		}
		for range f.uint(4) {
			if t.chunks = append(t.chunks, int64(f.uint(size)&math.MaxInt64)); f.short {
				return
			}
		}
	case "stsc":
		for range f.uint(4) {
			if t.runs = append(t.runs, run{int64(f.uint(4)), int64(f.uint(4))}); f.short {
				return
			}
			f.uint(4)
		}
	case "stsz":
		t.size = int64(f.uint(4))
		t.frames = int(f.uint(4))
		for range t.frames {
			if t.size != 0 || f.short {
				return
			}
			t.sizes = append(t.sizes, int64(f.uint(4)))
		}
	}
}

// track notes where the frames of a track are.
func (h *heif) track(t *track) error {
	m := h.movie
	if !slices.Contains([]string{"pict", "auxv", "vide"}, t.handler) {
		return media.Unsupported("this picture comes with sound or other tracks, which are not supported; save it as a picture or upload a GIF, WebP or AVIF")
	}
	if err := h.frame(max(t.frames, 1)); err != nil {
		return err
	}
	if len(t.runs) == 0 || t.frames == 0 {
		return errIndex
	}
	var frame int64
	for n, at := range t.chunks {
		for len(t.runs) > 1 && t.runs[1].first <= int64(n)+1 {
			t.runs = t.runs[1:]
		}
		count := t.runs[0].frames
		size, ok := t.bytes(frame, count)
		if !ok || at > 1<<62 {
			return errIndex
		}
		frame += count
		m.parts = append(m.parts, span{at, at + size})
	}
	if frame != int64(t.frames) {
		return errIndex
	}
	if m.tracks++; m.tracks > 1 { // it is the transparency of the first
		h.rep.Frames = m.frames
		return nil
	}
	m.frames = t.frames
	return h.play(t)
}

// bytes is how long count frames are together, from the one of that number.
func (t *track) bytes(frame, count int64) (n int64, ok bool) {
	if frame+count > int64(t.frames) {
		return 0, false
	}
	if t.size != 0 {
		return t.size * count, true
	}
	for _, size := range t.sizes[frame : frame+count] {
		n += size
	}
	return n, true
}

// play notes how long the frames of a track take and how large they are.
func (h *heif) play(t *track) error {
	const longest = 1 << 20 // seconds; a length that is not known is beyond
	if seconds := float64(t.length) / float64(max(t.scale, 1)); seconds < longest {
		h.rep.Duration = time.Duration(seconds * float64(time.Second))
	}
	if h.meta != nil {
		return h.check(t.width, t.height)
	}
	return h.walker.size(t.width, t.height)
}
