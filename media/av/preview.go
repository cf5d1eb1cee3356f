package av

import (
	"cmp"
	"fmt"
	"math"

	"github.com/asticode/go-astiav"

	"picora/media"
)

// What a preview is where nobody says.
const (
	previewLength = 6.0  // seconds
	previewFrom   = 0.25 // of the film
	previewSide   = 480  // pixels of the longer side
	previewRate   = 30   // pictures a second at most
	previewCRF    = 28
)

// preview writes some seconds of the pictures as an MP4 with its tables in front.
type preview struct {
	film   *Film
	args   media.TrackArgs
	job    media.TracksArgs
	out    File
	made   *media.TrackMade
	fields *chain
	chain  *chain
	from   float64 // seconds
	to     float64
	first  int64         // the time of the first picture, in the film's time base
	lasts  int64         // how long a picture is shown where it does not say
	before *astiav.Frame // the last picture in front of from, which may still be shown then

	encoder *astiav.CodecContext
	packet  *astiav.Packet
	movie   *movie
	ended   bool
}

func newPreview(f *Film, a media.TrackArgs, job media.TracksArgs, out File, made *media.TrackMade) *preview {
	s := job.Survey
	if a.Width <= 0 || a.Height <= 0 {
		a.Width, a.Height = fit(s.Width, s.Height, previewSide)
	}
	if !(a.Length > 0) {
		a.Length = previewLength
	}
	a.Quality = cmp.Or(a.Quality, previewCRF)
	rate := float64(previewRate)
	if a.MaxRate > 0 {
		rate = min(rate, a.MaxRate)
	}
	p := &preview{film: f, args: a, job: job, out: out, made: made, chain: newChain(f, shape{width: even(a.Width), height: even(a.Height), maxRate: rate})}
	if s.Interlaced {
		p.fields = newFields(f)
	}
	p.from = max(0, min(s.Duration*previewFrom, s.Duration-a.Length))
	p.to = p.from + a.Length
	if s.FrameRate > 0 {
		rate = min(rate, s.FrameRate)
	}
	p.lasts = max(1, int64(1/(rate*max(seconds(1, f.base), 1e-9))))
	return p
}

// take implements sink.
func (p *preview) take(f *astiav.Frame) error {
	if p.ended {
		return nil
	}
	at := math.Inf(1)
	if f != nil {
		at = seconds(f.Pts(), p.film.base)
	}
	if at < p.from {
		p.drop()
		p.before = f.Clone()
		return nil
	}
	if p.before != nil && at > p.from+stands {
		p.before.SetPts(int64(p.from / seconds(1, p.film.base)))
		if err := p.show(p.before); err != nil {
			return err
		}
	}
	p.drop()
	if at >= p.to {
		return p.finish()
	}
	return p.show(f)
}

// stands is how long, in seconds, a picture is shown that has a place in the preview though
// it began before.
const stands = 0.5

func (p *preview) drop() {
	if p.before != nil {
		p.before.Free()
		p.before = nil
	}
}

func (p *preview) show(f *astiav.Frame) error {
	f.SetPictureType(astiav.PictureTypeNone)
	if p.fields != nil {
		return p.fields.pass(f, p.whole)
	}
	return p.whole(f)
}

func (p *preview) whole(f *astiav.Frame) error { return p.chain.pass(f, p.encode) }

func (p *preview) encode(f *astiav.Frame) error {
	if p.movie == nil {
		p.first = f.Pts()
		if err := p.open(f); err != nil {
			return err
		}
	}
	lasts := durationOf(f)
	if lasts <= 0 || lasts > 100*p.lasts {
		lasts = p.lasts
	}
	if rest := int64(p.to/seconds(1, p.film.base)) - f.Pts(); rest > 0 {
		lasts = min(lasts, rest)
	}
	f.SetPts(f.Pts() - p.first)
	setDuration(f, lasts)
	f.SetPictureType(astiav.PictureTypeNone)
	return encode(p.encoder, f, p.packet, p.write)
}

func (p *preview) open(f *astiav.Frame) (err error) {
	p.packet = astiav.AllocPacket()
	rate := min(cmp.Or(p.job.Survey.FrameRate, previewRate), previewRate)
	if p.encoder, p.made.Encoder, err = openX264(x264Args{
		width: f.Width(), height: f.Height(), base: p.film.base, rate: rate,
		quality: p.args.Quality, maxBits: p.args.MaxBits, preset: p.job.Preset, threads: 1, gop: p.args.Length,
	}); err != nil {
		return err
	}
	p.made.Width, p.made.Height = f.Width(), f.Height()
	p.made.Start = round3(seconds(p.first, p.film.base))
	if p.made.Codecs, err = codecs(p.encoder.ExtraData()); err != nil {
		return err
	}
	p.movie, err = newMovie(p.out, p.encoder)
	return err
}

func (p *preview) write(k *astiav.Packet) error { return p.movie.write(k, p.encoder.TimeBase()) }

func (p *preview) finish() error {
	p.ended = true
	if p.fields != nil {
		if err := p.fields.pass(nil, p.whole); err != nil {
			return err
		}
	}
	if err := p.chain.pass(nil, p.encode); err != nil {
		return err
	}
	if p.movie == nil {
		p.made.Empty = true
		return nil
	}
	if err := encode(p.encoder, nil, p.packet, p.write); err != nil {
		return err
	}
	return p.movie.finish()
}

func (p *preview) free() {
	p.drop()
	p.fields.free()
	p.chain.free()
	p.movie.free()
	if p.encoder != nil {
		p.encoder.Free()
	}
	if p.packet != nil {
		p.packet.Free()
	}
}

// movie is an MP4 of one stream that is written, with its tables in front.
type movie struct {
	format        *astiav.FormatContext
	writer, again *astiav.IOContext
	to, from      cursor
}

// newMovie begins a file for what e encodes.
func newMovie(out File, e *astiav.CodecContext) (m *movie, err error) {
	m = &movie{to: cursor{f: out}, from: cursor{f: out}}
	defer func() {
		if err != nil {
			m.free()
			m, err = nil, fmt.Errorf("av: mp4: %w", err)
		}
	}()
	if m.format, err = astiav.AllocOutputFormatContext(nil, "mp4", ""); err != nil {
		return m, err
	}
	if m.writer, err = astiav.AllocIOContext(64<<10, true, nil, m.to.seek, m.to.write); err != nil {
		return m, err
	}
	m.format.SetPb(m.writer)
	if m.again, err = astiav.AllocIOContext(64<<10, false, m.from.read, m.from.seek, nil); err != nil {
		return m, err
	}
	reopenWith(m.format, m.again)
	s := m.format.NewStream(nil)
	s.SetTimeBase(e.TimeBase())
	if err := s.CodecParameters().FromCodecContext(e); err != nil {
		return m, err
	}
	options, err := dictionary("movflags", "+faststart", "fflags", "+bitexact")
	if err != nil {
		return m, err
	}
	defer options.Free()
	if err := m.format.WriteHeader(options); err != nil {
		return m, err
	}
	return m, allUsed(options)
}

// write writes a packet, whose times it changes.
func (m *movie) write(p *astiav.Packet, base astiav.Rational) error {
	p.SetStreamIndex(0)
	p.RescaleTs(base, m.format.Streams()[0].TimeBase())
	if err := m.format.WriteInterleavedFrame(p); err != nil {
		return fmt.Errorf("av: mp4: %w", cmp.Or(m.to.err, err))
	}
	return nil
}

func (m *movie) finish() error {
	if err := m.format.WriteTrailer(); err != nil {
		return fmt.Errorf("av: mp4: %w", cmp.Or(m.to.err, err))
	}
	m.writer.Flush()
	return m.to.err
}

func (m *movie) free() {
	if m == nil {
		return
	}
	if m.format != nil {
		m.format.Free()
	}
	for _, c := range []*astiav.IOContext{m.writer, m.again} {
		if c != nil {
			c.Free()
		}
	}
}
