package av

import (
	"fmt"
	"math"

	"github.com/asticode/go-astiav"

	"picora/media"
)

// rung is one size.
type rung struct {
	args    media.TrackArgs
	job     media.TracksArgs
	rate    float64         // pictures a second, about
	base    astiav.Rational // of the pictures that come, and of the track
	out     File
	mark    *mark
	made    *media.TrackMade
	gate    *chain // leaves out what is more than its rate
	smaller *pictureGraph
	queue   chan *astiav.Frame

	encoder *astiav.CodecContext
	packet  *astiav.Packet
	track   *track
	firsts  []int64 // when the segments begin whose first picture is in the encoder
	lasts   int64   // how long a picture is shown where the file does not say
}

// scale gives a picture in the rung's size, to be freed unless it is f.
func (r *rung) scale(f *astiav.Frame) (made *astiav.Frame, err error) {
	if f.Width() == r.args.Width && f.Height() == r.args.Height {
		return f, nil
	}
	if r.smaller == nil {
		what := fmt.Sprintf("[in]scale=w=%d:h=%d:flags=bicubic,setsar=1[out]", r.args.Width, r.args.Height)
		if r.smaller, err = newPictureGraph(what, f, r.base, nil); err != nil {
			return nil, err
		}
	}
	err = r.smaller.pass(f, func(f *astiav.Frame) error { made = f.Clone(); return nil })
	if err == nil && made == nil {
		err = fmt.Errorf("av: filter: no picture")
	}
	return made, err
}

// run encodes until the queue ends.
func (r *rung) run(stop <-chan struct{}) error {
	var failed error
	for f := range r.queue {
		select {
		case <-stop: // what waits is thrown away
		default:
			if failed == nil {
				failed = r.encode(f)
			}
		}
		f.Free()
		if failed != nil {
			break
		}
	}
	select {
	case <-stop:
		return failed
	default:
	}
	if failed != nil {
		return failed
	}
	return r.finish()
}

func (r *rung) open(f *astiav.Frame) error {
	r.packet = astiav.AllocPacket()
	var err error
	if r.encoder, r.made.Encoder, err = openX264(x264Args{
		width: f.Width(), height: f.Height(), base: r.base, rate: r.rate,
		quality: r.args.Quality, maxBits: r.args.MaxBits, preset: r.job.Preset, threads: r.job.Threads,
		gop: 2.5 * r.job.Segment, encoder: r.args.Encoder,
	}); err != nil {
		return err
	}
	r.lasts = max(1, int64(math.Round(1/(max(r.rate, 1)*seconds(1, r.base)))))
	r.made.Width, r.made.Height = f.Width(), f.Height()
	if r.made.Codecs, err = codecs(r.encoder.ExtraData()); err != nil {
		return err
	}
	r.track, err = newTrack(r.out, r.base, r.mark, func(p *astiav.CodecParameters) error { return p.FromCodecContext(r.encoder) })
	return err
}

func (r *rung) encode(f *astiav.Frame) error {
	if r.track == nil {
		if err := r.open(f); err != nil {
			return err
		}
	}
	if f.PictureType() == astiav.PictureTypeI {
		r.firsts = append(r.firsts, f.Pts())
	}
	if d := durationOf(f); d < r.lasts*9/10 || d > 100*r.lasts { // short where others were left out
		setDuration(f, r.lasts)
	}
	return encode(r.encoder, f, r.packet, r.write)
}

func (r *rung) write(p *astiav.Packet) error {
	first := len(r.firsts) > 0 && p.Pts() == r.firsts[0]
	if first {
		r.firsts = r.firsts[1:]
		if !p.Flags().Has(astiav.PacketFlagKey) {
			return fmt.Errorf("av: encode: %s did not make a key frame of the first picture of a segment", r.made.Encoder)
		}
	}
	return r.track.write(p, first)
}

func (r *rung) finish() error {
	if r.track == nil {
		return fmt.Errorf("av: encode: no pictures")
	}
	if err := encode(r.encoder, nil, r.packet, r.write); err != nil {
		return err
	}
	r.made.FrameRate = frameRate(r.track.packets, seconds(r.track.end, r.base))
	return r.track.finish(r.made)
}

// frameRate is how many pictures a second there are.
func frameRate(n int64, seconds float64) float64 {
	if seconds <= 0 {
		return 0
	}
	return math.Round(1000*float64(n)/seconds) / 1000
}

func (r *rung) free() {
	if r.queue != nil { // closed, by now
		for f := range r.queue {
			f.Free()
		}
	}
	if r.smaller != nil {
		r.smaller.free()
	}
	r.track.free()
	if r.encoder != nil {
		r.encoder.Free()
	}
	if r.packet != nil {
		r.packet.Free()
	}
}
