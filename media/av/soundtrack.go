package av

import (
	"errors"
	"fmt"

	"github.com/asticode/go-astiav"

	"picora/media"
)

// soundTrack makes a sound track: AAC-LC, mono or stereo, in step with the film. Where
// the file has no sound there is silence.
type soundTrack struct {
	args  media.TrackArgs
	base  astiav.Rational // of the frames' times
	every int64           // µs of a segment
	until int64           // µs: so long is the film, and the sound is to be; 0: unknown
	out   File
	mark  *mark
	made  *media.TrackMade

	rate     int // hertz, of what is made
	channels int
	convert  *soundGraph // follows what changes in the file
	is       soundForm
	even     *soundGraph // the frames that the encoder wants
	heard    int64       // samples of the file's rate that convert was given, from the film's start
	given    int64       // samples of the made rate that even was given
	encoder  *astiav.CodecContext
	packet   *astiav.Packet
	track    *track
	cut      int64 // how many segments have begun
}

// soundForm is what a graph has to know of the sound that it gets.
type soundForm struct {
	rate, channels, format int
	layout                 string
}

// What is filled with silence before the graph, which would hold all of it in memory.
const longGap = 1 // seconds

// take implements sink.
func (t *soundTrack) take(f *astiav.Frame) error {
	if f == nil {
		return t.end()
	}
	if err := t.follow(f); err != nil {
		return err
	}
	rate := int64(t.is.rate)
	at := rescale(f.Pts(), t.base, astiav.NewRational(1, t.is.rate))
	if end := at + int64(f.NbSamples()); end <= 0 || end < t.heard-longGap*rate {
		return nil // before the film, or a time that runs back
	}
	if t.until > 0 && at > t.heard+longGap*rate && rescale(at, astiav.NewRational(1, t.is.rate), micro) > t.until+maxLate {
		return nil // a time that lies
	}
	if err := t.silence(f, at-longGap*rate); err != nil {
		return err
	}
	f.SetPts(at)
	t.heard = max(t.heard, at+int64(f.NbSamples()))
	return t.convert.push(f, t.regular)
}

// maxLate is how long after the pictures a sound may come.
const maxLate = 600_000_000 // µs

// silence fills up to a sample, if that is far.
func (t *soundTrack) silence(like *astiav.Frame, to int64) error {
	n := int64(t.is.rate)
	for t.heard < to {
		s, err := silent(like, int(min(n, to-t.heard)))
		if err != nil {
			return err
		}
		s.SetPts(t.heard)
		t.heard += int64(s.NbSamples())
		err = t.convert.push(s, t.regular)
		s.Free()
		if err != nil {
			return err
		}
	}
	return nil
}

// silent is a frame of so many samples of silence in the form of another.
func silent(like *astiav.Frame, n int) (*astiav.Frame, error) {
	s := astiav.AllocFrame()
	s.SetSampleFormat(like.SampleFormat())
	s.SetSampleRate(like.SampleRate())
	s.SetChannelLayout(like.ChannelLayout())
	s.SetNbSamples(n)
	if err := errors.Join(s.AllocBuffer(0), s.SamplesFillSilence()); err != nil {
		s.Free()
		return nil, fmt.Errorf("av: silence: %w", err)
	}
	return s, nil
}

// follow has the graph be one for frames like f.
func (t *soundTrack) follow(f *astiav.Frame) error {
	is := soundForm{rate: f.SampleRate(), channels: f.ChannelLayout().Channels(), format: int(f.SampleFormat()), layout: f.ChannelLayout().String()}
	if t.convert != nil && is == t.is {
		return nil
	}
	if is.rate < minRate || is.rate > maxRate || is.channels < 1 || is.channels > maxChannels {
		return media.Unsupported(fmt.Sprintf("the sound has %d channels of %d Hz, which is not supported", is.channels, is.rate))
	}
	if t.convert == nil {
		t.settle(is)
	} else if err := t.leave(); err != nil {
		return err
	}
	t.heard = rescale(t.heard, astiav.NewRational(1, max(t.is.rate, 1)), astiav.NewRational(1, is.rate))
	t.is = is
	// Small steps of the file's clock are stretched away, larger ones filled or cut.
	what := fmt.Sprintf("aresample=%d:async=1000:min_comp=0.01:min_hard_comp=0.04:first_pts=%d,aformat=sample_fmts=fltp:channel_layouts=%s",
		t.rate, t.given, map[int]string{1: "mono", 2: "stereo"}[t.channels])
	if is.channels > t.channels { // several together may be louder than there is room for
		what += ",alimiter=level=0:latency=1:attack=5:release=50:limit=0.97,aformat=sample_fmts=fltp"
	}
	var err error
	if t.convert, err = newSoundGraph(what, f); err != nil {
		return fmt.Errorf("%w: %w", err, media.Unsupported(errUnknownVariant))
	}
	return nil
}

// settle decides, by the first frame, what is made.
func (t *soundTrack) settle(is soundForm) {
	t.rate = 48_000
	if is.rate%11_025 == 0 {
		t.rate = 44_100
	}
	t.channels = t.args.Channels
	if t.channels != 1 && t.channels != 2 {
		t.channels = min(is.channels, 2)
	}
}

// leave takes what the graph still holds, and ends it.
func (t *soundTrack) leave() error {
	err := t.convert.push(nil, t.regular)
	t.convert.free()
	t.convert = nil
	return err
}

// regular takes sound in the form in which it is made.
func (t *soundTrack) regular(f *astiav.Frame) (err error) {
	if t.even == nil {
		if t.even, err = newSoundGraph("asetnsamples=n=1024:p=0", f); err != nil {
			return err
		}
		if err := t.open(f); err != nil {
			return err
		}
	}
	f.SetPts(t.given)
	t.given += int64(f.NbSamples())
	return t.even.push(f, t.encode)
}

func (t *soundTrack) open(f *astiav.Frame) (err error) {
	t.packet = astiav.AllocPacket()
	bits := t.args.Bits
	if bits <= 0 {
		bits = 64_000 * int64(t.channels)
	}
	if t.encoder, err = openAAC(t.rate, f.ChannelLayout(), bits); err != nil {
		return err
	}
	t.track, err = newTrack(t.out, t.encoder.TimeBase(), t.mark, func(p *astiav.CodecParameters) error { return p.FromCodecContext(t.encoder) })
	return err
}

// openAAC opens an encoder of AAC-LC for planar floats.
func openAAC(rate int, layout astiav.ChannelLayout, bits int64) (*astiav.CodecContext, error) {
	codec := astiav.FindEncoderByName("aac")
	e := astiav.AllocCodecContext(codec)
	e.SetSampleFormat(astiav.SampleFormatFltp)
	e.SetSampleRate(rate)
	e.SetChannelLayout(layout)
	e.SetTimeBase(astiav.NewRational(1, rate))
	e.SetBitRate(bits)
	e.SetFlags(astiav.NewCodecContextFlags(astiav.CodecContextFlagGlobalHeader, astiav.CodecContextFlagBitexact))
	if err := e.Open(codec, nil); err != nil {
		e.Free()
		return nil, fmt.Errorf("av: aac: %w", err)
	}
	return e, nil
}

func (t *soundTrack) encode(f *astiav.Frame) error {
	return encode(t.encoder, f, t.packet, t.write)
}

func (t *soundTrack) write(p *astiav.Packet) error {
	first := t.cut == 0 && p.Pts() >= 0 || t.cut > 0 && p.Pts() >= rescale(t.cut*t.every, micro, t.encoder.TimeBase())
	if first {
		t.cut++
	}
	return t.track.write(p, first && t.cut > 1)
}

// end fills the film up, and finishes the track.
func (t *soundTrack) end() error {
	if t.convert == nil {
		t.made.Empty = true
		return nil
	}
	if err := t.leave(); err != nil {
		return err
	}
	if err := t.pad(); err != nil {
		return err
	}
	if t.even == nil {
		t.made.Empty = true
		return nil
	}
	if err := t.even.push(nil, t.encode); err != nil {
		return err
	}
	if err := t.encode(nil); err != nil {
		return err
	}
	t.track.end = min(t.track.end, t.given)
	t.made.Encoder, t.made.Codecs = "aac", "mp4a.40.2"
	return t.track.finish(t.made)
}

// pad adds silence where the sound ends before the pictures: players wait for a sound that
// does not come.
func (t *soundTrack) pad() error {
	to := rescale(t.until, micro, astiav.NewRational(1, t.rate))
	if t.even == nil || to < t.given+int64(t.rate)/2 {
		return nil
	}
	layout := astiav.ChannelLayoutStereo
	if t.channels == 1 {
		layout = astiav.ChannelLayoutMono
	}
	like := astiav.AllocFrame()
	defer like.Free()
	like.SetSampleFormat(astiav.SampleFormatFltp)
	like.SetSampleRate(t.rate)
	like.SetChannelLayout(layout)
	for t.given < to {
		s, err := silent(like, int(min(int64(t.rate), to-t.given)))
		if err != nil {
			return err
		}
		err = t.regular(s)
		s.Free()
		if err != nil {
			return err
		}
	}
	return nil
}

// free implements sink.
func (t *soundTrack) free() {
	t.convert.free()
	t.even.free()
	t.track.free()
	if t.encoder != nil {
		t.encoder.Free()
	}
	if t.packet != nil {
		t.packet.Free()
	}
}
