package av

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/asticode/go-astiav"

	"picora/media"
)

// As is how decoded sound is wanted. What is zero stays as the file's first frame has it.
type As struct {
	Rate     int // hertz
	Channels int // 1 or 2
}

// Heard is what was decoded.
type Heard struct {
	Seconds        float64 // in all, counted in the file's own samples
	Frames         int64
	Bad            int64 // packets that could not be decoded
	Rate, Channels int   // as given to the listener
}

// player decodes the sound of a file into frames of interleaved doubles that are all alike, whatever changes in the file.
type player struct {
	s       *Sound
	decoder *astiav.CodecContext
	convert *astiav.SoftwareResampleContext
	as      As
	model   *astiav.Frame // how frames are to be; nil before the first
	layout  astiav.ChannelLayout
	heard   Heard
	frame   *astiav.Frame // as decoded
	out     *astiav.Frame // as wanted
	listen  func(*astiav.Frame) error
}

var errHeardEnough = errors.New("av: heard enough")

// play decodes all of the file, and gives each piece to listen, whose frame is good until it returns.
func (s *Sound) play(ctx context.Context, as As, progress func(float64), listen func(*astiav.Frame) error) (Heard, error) {
	d := &player{s: s, as: as, listen: listen, frame: astiav.AllocFrame(), out: astiav.AllocFrame()}
	defer d.free()
	if err := d.open(); err != nil {
		return d.heard, err
	}
	packet := astiav.AllocPacket()
	defer packet.Free()
	for n := 0; ; n++ {
		if ctx.Err() != nil {
			return d.heard, ctx.Err()
		}
		err := s.in.format.ReadFrame(packet)
		if err != nil {
			break // the end; a file that is cut off is heard as far as it goes
		}
		if packet.StreamIndex() == s.stream.Index() {
			err = d.decode(packet)
		}
		packet.Unref()
		if errors.Is(err, errHeardEnough) {
			return d.heard, nil
		}
		if err != nil {
			return d.heard, err
		}
		if n%16 == 0 {
			progress(s.part())
		}
	}
	if s.in.readErr != nil {
		return d.heard, fmt.Errorf("av: read: %w", s.in.readErr)
	}
	if err := d.decode(nil); err != nil && !errors.Is(err, errHeardEnough) {
		return d.heard, err
	}
	if d.convert != nil && d.convert.Delay(int64(d.model.SampleRate())) > 0 { // what its filter still holds
		if err := d.give(nil); err != nil && !errors.Is(err, errHeardEnough) {
			return d.heard, err
		}
	}
	if d.heard.Frames == 0 {
		return d.heard, media.Corrupt(errNoSound)
	}
	progress(1)
	return d.heard, nil
}

func (d *player) open(more ...string) error {
	p := d.s.stream.CodecParameters()
	codec := astiav.FindDecoder(p.CodecID())
	if codec == nil {
		return media.Unsupported(errUnknownVariant)
	}
	d.decoder = astiav.AllocCodecContext(codec)
	if err := p.ToCodecContext(d.decoder); err != nil {
		return d.s.in.refuse("decode", err)
	}
	base := d.s.stream.TimeBase()
	options, err := dictionary(append(more, "threads", "1", "pkt_timebase", fmt.Sprintf("%d/%d", base.Num(), base.Den()), "max_samples", fmt.Sprint(1<<20))...)
	if err != nil {
		return err
	}
	defer options.Free()
	if err := d.decoder.Open(codec, options); err != nil {
		return d.s.in.refuse("decode", err)
	}
	return nil
}

func (d *player) free() {
	d.frame.Free()
	d.out.Free()
	if d.model != nil {
		d.model.Free()
	}
	if d.decoder != nil {
		d.decoder.Free()
	}
	if d.convert != nil {
		d.convert.Free()
	}
}

// decode gives a packet, or nil for the end, to the decoder, and what comes out to the listener. A packet that cannot be
// decoded is counted and left out, as players do.
func (d *player) decode(packet *astiav.Packet) error {
	if err := d.decoder.SendPacket(packet); err != nil && !errors.Is(err, astiav.ErrEof) {
		return d.bad(err)
	}
	for {
		switch err := d.decoder.ReceiveFrame(d.frame); {
		case errors.Is(err, astiav.ErrEof), errors.Is(err, astiav.ErrEagain):
			return nil
		case err != nil:
			return d.bad(err)
		}
		rate, n := d.frame.SampleRate(), d.frame.NbSamples()
		var err error
		if rate > 0 && n > 0 && d.frame.ChannelLayout().Channels() > 0 {
			d.heard.Seconds += float64(n) / float64(rate)
			d.heard.Frames++
			usual(d.frame)
			err = d.give(d.frame)
		}
		d.frame.Unref()
		if err != nil {
			return err
		}
	}
}

func (d *player) bad(err error) error {
	if errors.Is(err, astiav.Error(-int(syscall.ENOMEM))) {
		return fmt.Errorf("av: decode: %w", syscall.ENOMEM)
	}
	d.heard.Bad++
	return nil
}

// give converts a frame, or what is left for nil, and hands it on.
func (d *player) give(f *astiav.Frame) error {
	if d.model == nil {
		d.like(f)
	}
	if d.convert == nil {
		d.convert = astiav.AllocSoftwareResampleContext()
	}
	d.out.SetSampleFormat(astiav.SampleFormatDbl)
	d.out.SetSampleRate(d.model.SampleRate())
	d.out.SetChannelLayout(d.layout)
	err := d.convert.ConvertFrame(f, d.out)
	if errors.Is(err, astiav.ErrInputChanged) && f != nil {
		d.out.Unref()
		d.convert.Free()
		d.convert = nil
		return d.give(f)
	}
	if err != nil {
		return fmt.Errorf("av: resample: %v: %w", err, media.Unsupported(errUnknownVariant))
	}
	defer d.out.Unref()
	if d.out.NbSamples() == 0 {
		return nil
	}
	return d.listen(d.out)
}

// like settles how all frames are to be, by the first.
func (d *player) like(f *astiav.Frame) {
	d.model = astiav.AllocFrame()
	d.model.SetSampleRate(f.SampleRate())
	if d.as.Rate > 0 {
		d.model.SetSampleRate(d.as.Rate)
	}
	d.model.SetChannelLayout(f.ChannelLayout())
	switch d.as.Channels {
	case 1:
		d.model.SetChannelLayout(astiav.ChannelLayoutMono)
	case 2:
		d.model.SetChannelLayout(astiav.ChannelLayoutStereo)
	}
	d.layout = d.model.ChannelLayout()
	d.heard.Rate, d.heard.Channels = d.model.SampleRate(), d.layout.Channels()
}

// Listen decodes the sound, and gives it as interleaved samples, full scale being 1, which are good until listen returns.
// It stops when listen says false.
func (s *Sound) Listen(ctx context.Context, as As, progress func(float64), listen func(samples []float64, channels int) bool) (Heard, error) {
	return s.play(ctx, as, progress, func(f *astiav.Frame) error {
		if !listen(samplesOf(f), f.ChannelLayout().Channels()) {
			return errHeardEnough
		}
		return nil
	})
}
