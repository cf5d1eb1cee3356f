package av

import (
	"errors"
	"math"

	"github.com/asticode/go-astiav"

	"picora/media"
)

// copyTrack takes H.264 over as it is. Segments begin at its key frames.
type copyTrack struct {
	film  *Film
	cut   cutter
	rate  float64 // pictures a second, about
	out   File
	mark  *mark
	made  *media.TrackMade
	track *track
	early []*astiav.Packet // those that wait for a time
	shift int64
	last  int64 // the last one's dts
	lasts int64 // a picture
}

var errNotCopied = errors.New("av: the pictures cannot be copied: some have no time")

// maxEarly is how many of the first packets may be without a time of decoding, as those of
// Matroska are whose pictures are shown later (H.264 annex A: 16).
const maxEarly = 32

// packet implements packetSink.
func (t *copyTrack) packet(p *astiav.Packet) error {
	if p == nil {
		return t.end()
	}
	if p.Pts() == noTime {
		return errNotCopied
	}
	if t.track == nil {
		if !p.Flags().Has(astiav.PacketFlagKey) || p.Flags().Has(astiav.PacketFlagDiscard) {
			return nil // it cannot be seen, or is not to be
		}
		if err := t.open(); err != nil {
			return err
		}
		t.shift = max(p.Pts(), 0) // what is seen first is seen from the start
	}
	own := p.Clone()
	if own.Duration() <= 0 {
		own.SetDuration(t.lasts)
	}
	if own.Dts() == noTime && t.track.packets == 0 {
		if t.early = append(t.early, own); len(t.early) > maxEarly {
			return errNotCopied
		}
		return nil
	}
	if err := t.catchUp(own.Dts()); err != nil {
		own.Free()
		return err
	}
	if own.Dts() == noTime {
		own.SetDts(min(t.last+t.lasts, own.Pts()))
	}
	return t.write(own)
}

// catchUp writes the packets that waited, each decoded before the next, which is to be decoded at
// that time.
func (t *copyTrack) catchUp(dts int64) error {
	n := int64(len(t.early))
	if n > 0 && dts == noTime {
		dts = t.early[0].Pts() + n*t.lasts
	}
	for i, p := range t.early {
		p.SetDts(min(dts-(n-int64(i))*t.lasts, p.Pts()))
		t.early[i] = nil
		if err := t.write(p); err != nil {
			return err
		}
	}
	t.early = nil
	return nil
}

// write writes a packet, and frees it.
func (t *copyTrack) write(p *astiav.Packet) error {
	defer p.Free()
	first := p.Flags().Has(astiav.PacketFlagKey) && t.cut.first(rescale(p.Pts(), t.film.video.TimeBase(), micro))
	if t.track.packets == 0 {
		p.SetPts(p.Pts() - t.shift)
		p.SetDts(p.Dts() - t.shift)
	}
	t.last = p.Dts()
	return t.track.write(p, first)
}

func (t *copyTrack) open() (err error) {
	p := t.film.video.CodecParameters()
	if p.CodecID() != astiav.CodecIDH264 {
		return errNotCopied
	}
	t.lasts = max(1, int64(math.Round(1/(max(t.rate, 1)*seconds(1, t.film.video.TimeBase())))))
	t.made.Encoder, t.made.Width, t.made.Height = "copy", p.Width(), p.Height()
	if t.made.Codecs, err = codecs(p.ExtraData()); err != nil {
		return err
	}
	t.track, err = newTrack(t.out, t.film.video.TimeBase(), t.mark, func(to *astiav.CodecParameters) error {
		if err := p.Copy(to); err != nil {
			return err
		}
		plain(to)
		return nil
	})
	return err
}

func (t *copyTrack) end() error {
	if t.track == nil {
		return media.Corrupt("no picture of the file can be decoded")
	}
	if err := t.catchUp(noTime); err != nil {
		return err
	}
	t.made.FrameRate = frameRate(t.track.packets, seconds(t.track.end, t.track.base))
	return t.track.finish(t.made)
}

func (t *copyTrack) free() {
	t.track.free()
	for _, p := range t.early {
		if p != nil {
			p.Free()
		}
	}
}
