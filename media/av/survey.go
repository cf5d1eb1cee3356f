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

// counts is what was counted of a film.
type counts struct {
	film     *Film
	bytes    int64 // of all packets of pictures and sound
	read     int64 // of all packets
	pictures int64
	corrupt  int64
	ended    bool // the last packet is a piece of one
	seen     stretch
	heard    stretch
	others   stretch // captions and what else there is, which a file's duration counts in
	steps    steps
	keys     keys
	peak     window
	changes  bool // the parameters of the pictures change
	cut      bool
	packets  map[int]int64 // by stream
}

// stretch is from when to when a kind of stream goes: µs.
type stretch struct {
	from, to int64
	any      bool
}

func (s *stretch) add(from, to int64) {
	if !s.any || from < s.from {
		s.from = from
	}
	if !s.any || to > s.to {
		s.to = to
	}
	s.any = true
}

// Survey reads all packets of the film, decodes none, and counts. v is what Look told of the
// same file. Nothing else can be done with the film after.
func (f *Film) Survey(ctx context.Context, v media.Video, progress func(float64)) (media.Survey, error) {
	c := &counts{film: f, peak: window{length: 2_000_000}, packets: map[int]int64{}}
	if err := c.walk(ctx, progress); err != nil {
		return media.Survey{}, err
	}
	if c.pictures == 0 || !c.seen.any {
		return media.Survey{}, media.Corrupt("there are no pictures in the file")
	}
	c.steps.end()
	out := media.Survey{Video: v, Pictures: c.pictures, VariableRate: c.steps.vary(), KeyEvery: round3(float64(c.keys.longest) / 1e6)}
	whole := c.seen
	if c.heard.any {
		whole.add(c.heard.from, c.heard.to)
	}
	// Tracks count from the film's origin; what lies in front of it is not shown.
	out.Duration = round3(float64(whole.to-max(whole.from, 0)) / 1e6)
	if out.Duration <= 0 {
		out.Duration = 0.001
	}
	out.BitRate = int64(float64(c.bytes) * 8 / out.Duration)
	out.FrameRate = round3(c.rate(v.FrameRate))
	out.Peak = max(c.peak.most(), 1)
	out.Chapters = media.Chapters(v.Chapters, out.Duration)
	out.Note = c.note(v)
	out.Copy = out.Note == "" && c.copies(v)
	progress(1)
	return out, nil
}

func round3(f float64) float64 { return math.Round(f*1000) / 1000 }

// rate is how many pictures a second there are; that of one picture is the file's word.
func (c *counts) rate(said float64) float64 {
	if length := float64(c.seen.to-c.seen.from) / 1e6; c.pictures > 1 && length > 0 {
		return min(float64(c.pictures)/length, 1000)
	}
	return said
}

// mostAgain is how many times as much as there is in a file may be read of it: an edit list
// can have a second last for days.
const mostAgain = 4

// walk reads the packets.
func (c *counts) walk(ctx context.Context, progress func(float64)) error {
	p := astiav.AllocPacket()
	defer p.Free()
	streams := c.film.in.format.Streams()
	for n := 0; ; n++ {
		err := c.film.next(ctx, p)
		if errors.Is(err, io.EOF) || errors.Is(err, errCutOff) {
			c.cut = err == errCutOff
			return nil
		}
		if err != nil {
			return err
		}
		if i := p.StreamIndex(); i < len(streams) {
			c.packet(p, streams[i])
		}
		p.Unref()
		if c.read > mostAgain*c.film.in.size+1<<20 {
			return media.Unsupported("the file plays the same pieces over and over: it is many times as long as what is in it")
		}
		if n%256 == 0 {
			progress(min(0.999, float64(c.film.in.at)/float64(max(c.film.in.size, 1))))
		}
	}
}

// packet counts one.
func (c *counts) packet(p *astiav.Packet, s *astiav.Stream) {
	c.read += int64(p.Size())
	if s.Index() != c.film.video.Index() && s.CodecParameters().MediaType() != astiav.MediaTypeAudio {
		c.beside(p, s)
		return
	}
	c.bytes += int64(p.Size())
	c.packets[s.Index()]++
	if c.ended = p.Flags().Has(astiav.PacketFlagCorrupt); c.ended {
		c.corrupt++
	}
	if p.Flags().Has(astiav.PacketFlagDiscard) {
		return // an edit list leaves it out
	}
	at := p.Pts()
	if at == noTime {
		at = p.Dts()
	}
	if at == noTime {
		if s.Index() == c.film.video.Index() {
			c.pictures++ // of AVI and others: it is shown when its turn comes
		}
		return
	}
	from := rescale(at, s.TimeBase(), micro)
	to := from + rescale(max(p.Duration(), 0), s.TimeBase(), micro)
	if s.Index() != c.film.video.Index() {
		c.heard.add(from, to)
		return
	}
	c.pictures++
	c.seen.add(from, to)
	c.steps.add(from)
	c.keys.add(from, p.Flags().Has(astiav.PacketFlagKey))
	c.peak.add(from, int64(p.Size()))
	c.changes = c.changes || c.pictures > 1 && changesParameters(p)
}

// beside notes when a packet is over that is neither seen nor heard.
func (c *counts) beside(p *astiav.Packet, s *astiav.Stream) {
	if p.Pts() != noTime {
		from := rescale(p.Pts(), s.TimeBase(), micro)
		c.others.add(from, from+rescale(max(p.Duration(), 0), s.TimeBase(), micro))
	}
}

// missing says whether the file ends before what its tables tell of.
func (c *counts) missing() bool {
	if !c.film.damage.media {
		return c.film.damage.tables
	}
	for _, s := range c.film.in.format.Streams() {
		if n := c.packets[s.Index()]; n > 0 && indexed(s) > n {
			return true
		}
	}
	return false
}

// note says what is wrong with the file.
func (c *counts) note(v media.Video) string {
	have := float64(max(c.seen.to, c.heard.to)) / 1e6
	all := max(have, float64(c.others.to)/1e6) // captions may outlast all that is seen
	switch {
	case c.cut || v.Duration-all > max(1.5, 0.02*v.Duration), c.film.damage.short && v.Duration-have > 0.1:
		if v.Duration > have+1 {
			return fmt.Sprintf("The end of the file is missing: %s of %s could be read.", spoken(have), spoken(v.Duration))
		}
		return fmt.Sprintf("The file is damaged: %s of it could be read.", spoken(have))
	case c.ended, c.missing():
		return fmt.Sprintf("The end of the file is missing: %s could be read.", spoken(have))
	case c.corrupt > 0:
		return "Some parts of the file are damaged."
	}
	return ""
}

// maxKeyEvery is how far key frames may be apart in pictures that are delivered as they are,
// in seconds: a segment is as long at least.
const maxKeyEvery = 8.0

// What of H.264 every device plays (ITU-T H.264 annex A).
const (
	baseline, mainProfile, highProfile = 66, 77, 100
	constrained                        = 1 << 9 // FFmpeg's flag beside baseline
	maxLevel                           = 52
)

// copies says whether the pictures can be delivered as they are. Whether they have too many
// bits for that is for who plans the sizes.
func (c *counts) copies(v media.Video) bool {
	p := c.film.video.CodecParameters()
	extra := p.ExtraData()
	profile := int(p.Profile()) &^ constrained
	tail := float64(max(c.seen.to, c.heard.to)-c.keys.last) / 1e6 // a picture that stands is repeated, which a copy cannot
	switch {
	case p.CodecID() != astiav.CodecIDH264 || len(extra) < 7 || extra[0] != 1: // only an avcC: a stream may change its own
		return false
	case profile != baseline && profile != mainProfile && profile != highProfile, int(p.Level()) < 9 || int(p.Level()) > maxLevel:
		return false
	case p.PixelFormat() != astiav.PixelFormatYuv420P || c.film.seen.declared.full || v.HDR != "" || !c.film.seen.declared.ordinary():
		return false
	case v.Interlaced || c.film.seen.order == fieldsSaid || c.film.seen.turn != turn{}:
		return false
	case v.Width != p.Width() || v.Height != p.Height() || v.Width%2 != 0 || v.Height%2 != 0: // square, and no odd sizes
		return false
	case c.changes || c.steps.unsure > 0:
		return false
	case c.heard.any && c.heard.to > c.seen.to+2*shortEnd: // the last picture has to stay longer
		return false
	}
	return c.keys.first && !c.keys.open && float64(c.keys.longest)/1e6 <= maxKeyEvery && tail <= maxKeyEvery
}
