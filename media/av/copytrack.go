package av

import (
	"errors"
	"fmt"

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
	own   *astiav.Packet // the packet at hand, to be changed
}

var errNotCopied = errors.New("av: the pictures cannot be copied: some have no time, or are not to be shown")

// packet implements packetSink.
func (t *copyTrack) packet(p *astiav.Packet) error {
	if p == nil {
		return t.end()
	}
	if p.Pts() == noTime || p.Dts() == noTime || p.Flags().Has(astiav.PacketFlagDiscard) {
		return errNotCopied
	}
	key, begins := p.Flags().Has(astiav.PacketFlagKey), t.track == nil
	if begins {
		if !key {
			return nil // it cannot be seen
		}
		if err := t.open(); err != nil {
			return err
		}
	}
	if err := t.own.Ref(p); err != nil {
		return fmt.Errorf("av: copy: %w", err)
	}
	defer t.own.Unref()
	if begins && p.Pts() != 0 { // what is seen first is seen from the start
		t.own.SetDts(p.Dts() - max(p.Pts(), 0))
		t.own.SetPts(0)
	}
	if t.own.Duration() <= 0 && t.rate > 0 {
		t.own.SetDuration(int64(1/t.rate/seconds(1, t.track.base) + 0.5))
	}
	first := key && t.cut.first(rescale(p.Pts(), t.film.video.TimeBase(), micro))
	return t.track.write(t.own, first)
}

func (t *copyTrack) open() (err error) {
	p := t.film.video.CodecParameters()
	if p.CodecID() != astiav.CodecIDH264 {
		return errNotCopied
	}
	t.own = astiav.AllocPacket()
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
	t.made.FrameRate = frameRate(t.track.packets, seconds(t.track.end, t.track.base))
	return t.track.finish(t.made)
}

func (t *copyTrack) free() {
	t.track.free()
	if t.own != nil {
		t.own.Free()
	}
}
