package av

import (
	"errors"
	"fmt"
	"image"
	"iter"
	"time"

	"github.com/asticode/go-astiav"

	"picora/media"
)

// Picture is one decoded frame.
type Picture struct {
	// Image is *image.NRGBA, or *image.NRGBA64 where the file has more than 8 bits a sample. It is not turned: the
	// orientation is for the caller to apply. Its rows may be longer than its width.
	Image    image.Image
	Duration time.Duration // how long an animation shows it; 0 in a still
	ICC      []byte        // the file's profile, or nil
	// Primaries and Transfer name the colours when there is no profile, as FFmpeg does ("bt709", "smpte432",
	// "smpte2084" …); "" when the file does not say, which means sRGB.
	Primaries, Transfer string
}

// Pictures returns the frames of the file's picture: one of a still, all of an animation or a film, composited as they
// are shown. A frame stays valid. An error is the last thing that comes: media.Corrupt, media.Unsupported or
// media.TooManyPixels when the file is to blame. It can be used once.
func (in *Input) Pictures() iter.Seq2[Picture, error] {
	return func(yield func(Picture, error) bool) {
		if places, colour, alpha := in.items(); colour != nil {
			yield(in.still(places, colour, alpha))
			return
		}
		if err := in.frames(func(p Picture) bool { return yield(p, nil) }); err != nil {
			yield(Picture{}, err)
		}
	}
}

// stream returns the one to show: of an icon the largest, else a film before a still or a cover, and the default one.
func (in *Input) stream() (best *astiav.Stream, err error) {
	score := func(s *astiav.Stream) (n int) {
		if in.container() == "ico" {
			return in.icon(s.Index())
		}
		if !s.DispositionFlags().Has(astiav.DispositionFlagAttachedPic) {
			n += 4
		}
		if s.NbFrames() > 1 {
			n += 2
		}
		if s.DispositionFlags().Has(astiav.DispositionFlagDefault) {
			n++
		}
		return n
	}
	for _, s := range in.format.Streams() {
		if s.CodecParameters().MediaType() == astiav.MediaTypeVideo && (best == nil || score(s) > score(best)) {
			best = s
		}
	}
	if best == nil {
		return nil, media.Unsupported("there is no picture in the file")
	}
	return best, in.tooLarge(best.CodecParameters().Width(), best.CodecParameters().Height())
}

// icon returns how good the entry of an icon's directory is that became a stream: its pixels, then its bits a pixel.
// FFmpeg forgets the size of entries that are PNGs.
func (in *Input) icon(i int) int {
	var e [16]byte
	if _, err := in.r.ReadAt(e[:], 6+16*int64(i)); err != nil {
		return 0
	}
	side := func(b byte) int { return int(b-1) + 1 } // 0 means 256
	return side(e[0])*side(e[1])<<8 + int(e[6])
}

// frames decodes one stream until show says false.
func (in *Input) frames(show func(Picture) bool) error {
	s, err := in.stream()
	if err != nil {
		return err
	}
	for _, other := range in.format.Streams() {
		if other.Index() != s.Index() {
			other.SetDiscard(astiav.DiscardAll)
		}
	}
	d, err := in.decoder(s)
	if err != nil {
		return err
	}
	defer d.free()
	icc := parametersOf(s.CodecParameters()).icc
	shown := false
	for more := true; more; {
		packet, err := in.packet()
		more = !errors.Is(err, astiav.ErrEof)
		if err != nil && more {
			return in.refuse("read", err)
		}
		if more && packet.StreamIndex() != s.Index() {
			packet.Free()
			continue
		}
		err = d.decode(packet, func(f *astiav.Frame) (bool, error) {
			l := &layer{}
			if err := l.paint(d, f, 0, 0); err != nil {
				return false, err
			}
			p := l.picture(nil)
			if in.moves() {
				p.Duration = ticks(l.duration, s.TimeBase())
			}
			if p.ICC == nil {
				p.ICC = icc
			}
			icc, shown = p.ICC, true // APNG gives it with the first frame
			return show(p), nil
		})
		if errors.Is(err, errEnough) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	if !shown {
		return media.Corrupt("there is no whole picture in the file")
	}
	return nil
}

// moves tells whether the container can hold more than a still; FFmpeg gives stills the length of a film's frame.
func (in *Input) moves() bool {
	switch in.container() {
	case "png", "jpeg", "bmp", "tiff", "ico":
		return false
	}
	return true
}

// packet reads the next one, whole; Free it. A cut packet is an error: decoders make half a picture of it.
func (in *Input) packet() (*astiav.Packet, error) {
	p := astiav.AllocPacket()
	if err := in.format.ReadFrame(p); err != nil {
		p.Free()
		if in.readErr != nil {
			return nil, in.readErr
		}
		return nil, err
	}
	if p.Flags().Has(astiav.PacketFlagCorrupt) {
		p.Free()
		return nil, astiav.ErrInvaliddata
	}
	return p, nil
}

var errEnough = errors.New("av: enough pictures")

// decoder is an open decoder of one stream.
type decoder struct {
	in       *Input
	context  *astiav.CodecContext
	declared colours
	heif     bool // an item, not a track
	convert  converter
}

func (in *Input) decoder(s *astiav.Stream) (*decoder, error) {
	p := s.CodecParameters()
	codec := astiav.FindDecoder(p.CodecID())
	if codec == nil {
		return nil, in.refuse("decode", astiav.ErrDecoderNotFound)
	}
	context := astiav.AllocCodecContext(codec)
	d := &decoder{in: in, context: context}
	if i := s.Index(); i < len(in.declared) {
		d.declared = in.declared[i]
	} else {
		d.declared = unspecified
	}
	if err := p.ToCodecContext(context); err != nil {
		d.free()
		return nil, in.refuse("decode", err)
	}
	strict := "crccheck+bitstream+buffer+explode"
	if p.CodecID() == astiav.CodecIDTiff {
		strict = "bitstream+buffer" // "explode" refuses every tag it does not know
	}
	options, err := dictionary("threads", "1", "max_pixels", fmt.Sprint(in.limits.Pixels), "err_detect", strict)
	if err != nil {
		d.free()
		return nil, err
	}
	defer options.Free()
	if err := context.Open(codec, options); err != nil {
		d.free()
		return nil, in.refuse("decode", err)
	}
	return d, nil
}

func (d *decoder) free() {
	d.context.Free()
	d.convert.free()
}

// decode frees the packet, and calls show with each frame that it brings; no packet means the end. show says whether
// it wants more; when not, errEnough comes back.
func (d *decoder) decode(packet *astiav.Packet, show func(*astiav.Frame) (bool, error)) error {
	err := d.context.SendPacket(packet)
	if packet != nil {
		packet.Free()
	}
	if err != nil && !errors.Is(err, astiav.ErrEof) {
		return d.in.refuse("decode", err)
	}
	f := astiav.AllocFrame()
	defer f.Free()
	for {
		switch err := d.context.ReceiveFrame(f); {
		case errors.Is(err, astiav.ErrEof), errors.Is(err, astiav.ErrEagain):
			return nil
		case err != nil:
			return d.in.refuse("decode", err)
		}
		more, err := show(f)
		if err != nil {
			return err
		}
		if !more {
			return errEnough
		}
		f.Unref()
	}
}
