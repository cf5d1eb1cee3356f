package av

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/asticode/go-astiav"

	"picora/media"
)

// A Part is a file to be joined, of so many bytes.
type Part struct {
	io.ReaderAt
	Size int64
}

// Join writes the tracks in parts, as Tracks wrote them, into one empty MP4 with its tables in
// front and without tags. Nothing is decoded. A track that is longer than so many
// seconds is refused; 0: none is.
func Join(ctx context.Context, parts []Part, most float64, out File, progress func(float64)) error {
	j := &joint{most: most, to: cursor{f: out}, again: cursor{f: out}}
	defer j.free()
	if err := j.begin(parts); err != nil {
		return err
	}
	if err := j.copy(ctx, progress); err != nil {
		return err
	}
	if err := j.format.WriteTrailer(); err != nil {
		return j.failed(err)
	}
	j.writer.Flush()
	if j.to.err != nil {
		return j.failed(j.to.err)
	}
	progress(1)
	return nil
}

// joint is an MP4 that is made of tracks.
type joint struct {
	most   float64
	arms   []*arm
	format *astiav.FormatContext
	writer *astiav.IOContext
	reader *astiav.IOContext
	to     cursor
	again  cursor
}

// arm is one of the tracks.
type arm struct {
	in     *Input
	stream *astiav.Stream // of the new file
	base   astiav.Rational
	packet *astiav.Packet // the next
	ahead  *astiav.Packet // the one after it: fragments do not tell how long their last packet lasts
	more   bool           // there is one after it
	lasts  int64
	at     float64 // seconds: the next one's time
	ended  bool
}

func (j *joint) begin(parts []Part) (err error) {
	if j.format, err = astiav.AllocOutputFormatContext(nil, "mp4", ""); err != nil {
		return fmt.Errorf("av: mp4: %w", err)
	}
	if j.writer, err = astiav.AllocIOContext(64<<10, true, nil, j.to.seek, j.to.write); err != nil {
		return fmt.Errorf("av: mp4: %w", err)
	}
	j.format.SetPb(j.writer)
	if j.reader, err = astiav.AllocIOContext(64<<10, false, j.again.read, j.again.seek, nil); err != nil {
		return fmt.Errorf("av: mp4: %w", err)
	}
	reopenWith(j.format, j.reader)
	for _, p := range parts {
		if err := j.add(p); err != nil {
			return err
		}
	}
	options, err := dictionary("movflags", "+faststart", "fflags", "+bitexact")
	if err != nil {
		return err
	}
	defer options.Free()
	if err := j.format.WriteHeader(options); err != nil {
		return j.failed(err)
	}
	return allUsed(options)
}

func (j *joint) add(p Part) error {
	in, err := open(p, p.Size, Limits{buffer: filmBuffer}, astiav.FindInputFormat("mov"))
	if err != nil {
		return err
	}
	a := &arm{in: in, packet: astiav.AllocPacket(), ahead: astiav.AllocPacket()}
	j.arms = append(j.arms, a)
	if len(in.format.Streams()) != 1 {
		return media.Corrupt("a track has not one stream")
	}
	from := in.format.Streams()[0]
	a.base = from.TimeBase()
	a.stream = j.format.NewStream(nil)
	a.stream.SetTimeBase(a.base)
	if err := from.CodecParameters().Copy(a.stream.CodecParameters()); err != nil {
		return fmt.Errorf("av: mp4: %w", err)
	}
	a.stream.CodecParameters().SetCodecTag(0)
	if err := a.read(); err != nil {
		return err
	}
	return a.next()
}

// next goes to the next packet.
func (a *arm) next() error {
	a.packet.Unref()
	if !a.more {
		a.ended = true
		return nil
	}
	a.packet.MoveRef(a.ahead)
	if err := a.read(); err != nil {
		return err
	}
	if a.more {
		a.lasts = max(0, a.ahead.Dts()-a.packet.Dts())
	}
	a.packet.SetDuration(a.lasts)
	a.at = seconds(a.packet.Dts(), a.base)
	return nil
}

// read reads a packet ahead.
func (a *arm) read() error {
	err := a.in.format.ReadFrame(a.ahead)
	if a.more = err == nil; !a.more {
		if errors.Is(err, astiav.ErrEof) && a.in.readErr == nil {
			return nil
		}
		return a.in.refuse("read", err)
	}
	if a.ahead.Dts() == noTime {
		return media.Corrupt("a track has packets without a time")
	}
	return nil
}

// together is how long pieces of one track are written before the other's turn: seconds.
const together = 0.5

// copy writes the packets of the arms in turns.
func (j *joint) copy(ctx context.Context, progress func(float64)) error {
	now := 0
	for n := 0; ; n++ {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		for i, a := range j.arms {
			if mine := j.arms[now]; !a.ended && (mine.ended || a.at < mine.at-together) {
				now = i
			}
		}
		a := j.arms[now]
		if a.ended {
			return nil
		}
		if j.most > 0 && a.at > j.most {
			return media.Unsupported("a track is longer than it may be")
		}
		a.packet.SetStreamIndex(a.stream.Index())
		a.packet.RescaleTs(a.base, a.stream.TimeBase())
		if err := j.format.WriteFrame(a.packet); err != nil {
			return j.failed(err)
		}
		if err := a.next(); err != nil {
			return err
		}
		if n%64 == 0 {
			progress(0.95 * float64(j.arms[0].in.at) / float64(max(j.arms[0].in.size, 1)))
		}
	}
}

func (j *joint) failed(err error) error {
	return fmt.Errorf("av: mp4: %w", cmp.Or(j.to.err, err))
}

func (j *joint) free() {
	for _, a := range j.arms {
		a.packet.Free()
		a.ahead.Free()
		a.in.Close()
	}
	if j.format != nil {
		j.format.Free()
	}
	for _, c := range []*astiav.IOContext{j.writer, j.reader} {
		if c != nil {
			c.Free()
		}
	}
}
