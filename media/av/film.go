package av

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/asticode/go-astiav"

	"picora/media"
)

// Film is an open video file: moving pictures, with or without sounds and captions. It is
// not safe for concurrent use.
type Film struct {
	in    *Input
	video *astiav.Stream
	// origin is where the file's time begins, in microseconds of its own clock: all tracks
	// count from there, so they keep their places to each other. It is a function of the file
	// alone, and so the same in all jobs.
	origin int64
	base   astiav.Rational // the time base of decoded pictures
	clock  clock
	seen   seen
	damage damage
	ends   int // how often the reader was at the end since the last packet
}

// filmFormats are FFmpeg's names of the types that are taken.
var filmFormats = map[media.Type]string{
	media.MP4: "mov", media.MOV: "mov", media.ThreeGP: "mov", media.MKV: "matroska", media.WebM: "matroska", media.AVI: "avi",
	media.MPEGTS: "mpegts", media.MPEGPS: "mpeg", media.FLV: "flv", media.WMV: "asf", media.OggVideo: "ogg",
}

var errNoPictures = "there are no moving pictures in the file"

const (
	filmBuffer = 64 << 10 // bytes read at once: films are large
	// nearStart is how much a sound may begin before the pictures without moving the origin:
	// what encoders of sound put in front, which nobody hears.
	nearStart = 50_000 // µs
)

var micro = astiav.NewRational(1, 1_000_000)

// OpenFilm opens the size bytes of r, whose container is l's or else told by its content, and looks for
// the facts of its streams. r is read piece by piece. Errors are those of r,
// media.Corrupt, media.Unsupported and media.TooManyPixels.
func OpenFilm(r io.ReaderAt, size int64, l Limits) (*Film, error) {
	l.buffer = filmBuffer
	var known *astiav.InputFormat
	if name := filmFormats[l.Type]; name != "" {
		known = astiav.FindInputFormat(name)
	}
	f := &Film{}
	switch filmFormats[l.Type] {
	case "mov":
		size, f.damage = mend(r, size)
	case "matroska":
		r, f.damage.short = matroska(r, size)
	}
	in, err := open(r, size, l, known)
	if err != nil {
		return nil, err
	}
	f.in = in
	err = f.choose()
	if l.Type == media.MPEGPS && !l.mapped && in.readErr == nil && (f.video == nil || f.video.CodecParameters().CodecID() == astiav.CodecIDNone) {
		f.Close()
		l.mapped = true
		return OpenFilm(withMap(r), size+mapLen, l)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Close frees what OpenFilm took.
func (f *Film) Close() {
	f.seen.forget()
	f.in.Close()
}

// choose looks for the pictures to see, and for the origin.
func (f *Film) choose() error {
	if err := findInfo(f.in.format, f.in.limits.Pixels); err != nil {
		return f.in.refuse("probe", err)
	}
	f.in.informed = true
	for _, s := range f.in.format.Streams() {
		if moving(s) && (f.video == nil || better(s, f.video)) {
			f.video = s
		}
	}
	if f.video == nil {
		return media.Unsupported(errNoPictures)
	}
	p := f.video.CodecParameters()
	if err := f.in.tooLarge(p.Width(), p.Height()); err != nil {
		return err
	}
	f.see()
	f.clock = clock{jumps: f.in.container() == "mpegts" || f.in.container() == "mpeg"}
	f.origin = startOf(f.video)
	f.base = baseFor(f.video.TimeBase())
	for _, s := range f.in.format.Streams() {
		if s.CodecParameters().MediaType() == astiav.MediaTypeAudio {
			if at := startOf(s); at < f.origin-nearStart && at > f.origin-maxLead {
				f.origin = at
			}
		}
	}
	return nil
}

// maxLead is how long a sound may run before there are pictures; a file that says more lies.
const maxLead = 600_000_000 // µs

// moving says whether a stream has moving pictures, not a cover.
func moving(s *astiav.Stream) bool {
	d := s.DispositionFlags()
	return s.CodecParameters().MediaType() == astiav.MediaTypeVideo &&
		!d.Has(astiav.DispositionFlagAttachedPic) && !d.Has(astiav.DispositionFlagTimedThumbnails)
}

// better says whether one stream of pictures goes before another: one that can be decoded, the default one, the larger one.
func better(a, b *astiav.Stream) bool {
	rank := func(s *astiav.Stream) (n int) {
		if astiav.FindDecoder(s.CodecParameters().CodecID()) != nil {
			n += 2
		}
		if s.DispositionFlags().Has(astiav.DispositionFlagDefault) {
			n++
		}
		return n
	}
	size := func(s *astiav.Stream) int { return s.CodecParameters().Width() * s.CodecParameters().Height() }
	if x, y := rank(a), rank(b); x != y {
		return x > y
	}
	return size(a) > size(b)
}

// baseFor is the time base of a stream's pictures once they are decoded: the stream's own,
// unless it is so fine that encoders have trouble with it, or so coarse that no picture can
// be shown between two of its own, as that of an AVI of few pictures.
func baseFor(b astiav.Rational) astiav.Rational {
	if tick := seconds(1, b); tick < 1e-6 || tick > 0.05 {
		return astiav.NewRational(1, 90_000)
	}
	return b
}

// startOf is when a stream begins, in microseconds; 0 where it does not say.
func startOf(s *astiav.Stream) int64 {
	if s.StartTime() == noTime {
		return 0
	}
	return rescale(s.StartTime(), s.TimeBase(), micro)
}

// noTime is FFmpeg's time of what has none.
const noTime = math.MinInt64

// stream finds a stream by its index, if it is of that type.
func (f *Film) stream(i int, t astiav.MediaType) (*astiav.Stream, error) {
	all := f.in.format.Streams()
	if i < 0 || i >= len(all) || all[i].CodecParameters().MediaType() != t {
		return nil, fmt.Errorf("av: stream %d is no %v", i, t)
	}
	return all[i], nil
}

// next reads a packet of a stream that is not discarded into p, with its times counted
// from the origin. It reports io.EOF at the end, and errCutOff where the file is damaged so
// that nothing more can be read.
func (f *Film) next(ctx context.Context, p *astiav.Packet) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := f.in.format.ReadFrame(p)
	for errors.Is(err, astiav.ErrEof) && f.in.readErr == nil && f.again() {
		err = f.in.format.ReadFrame(p)
	}
	switch {
	case f.in.readErr != nil:
		return fmt.Errorf("av: read: %w", f.in.readErr)
	case errors.Is(err, astiav.ErrEof):
		return io.EOF
	case err != nil:
		return errCutOff
	}
	f.ends = 0
	streams := f.in.format.Streams()
	if p.StreamIndex() >= len(streams) { // it came up later, and nobody asked for it
		return nil
	}
	s := streams[p.StreamIndex()]
	f.clock.mend(p, s)
	shift := rescale(f.origin, micro, s.TimeBase())
	if p.Pts() != noTime {
		p.SetPts(p.Pts() - shift)
	}
	if p.Dts() != noTime {
		p.SetDts(p.Dts() - shift)
	}
	return nil
}

var errCutOff = errors.New("av: the file is damaged")

// clock makes one line of times that jump, as those of recorded broadcasts do.
type clock struct {
	jumps bool // the container allows it
	shift int64
	last  map[int]int64 // where each stream has come to
}

// jump is the step from one packet of a stream to the next that is taken for another
// clock's, and back the one to what was: two recordings one behind the other.
const (
	jump = 10_000_000 // µs
	back = 1_000_000  // more than pictures that are coded in another order go back
)

func (c *clock) mend(p *astiav.Packet, s *astiav.Stream) {
	if t := s.CodecParameters().MediaType(); !c.jumps || t != astiav.MediaTypeVideo && t != astiav.MediaTypeAudio {
		return
	}
	at := p.Dts()
	if at == noTime {
		at = p.Pts()
	}
	if at == noTime {
		return
	}
	now := rescale(at, s.TimeBase(), micro) + c.shift
	if last, known := c.last[s.Index()]; known && (now < last-back || now > last+jump) {
		c.shift += last - now
		now = last
	}
	if c.last == nil {
		c.last = map[int]int64{}
	}
	c.last[s.Index()] = now + rescale(max(p.Duration(), 0), s.TimeBase(), micro)
	if c.shift == 0 {
		return
	}
	shift := rescale(c.shift, micro, s.TimeBase())
	if p.Pts() != noTime {
		p.SetPts(p.Pts() + shift)
	}
	if p.Dts() != noTime {
		p.SetDts(p.Dts() + shift)
	}
}
