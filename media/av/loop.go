package av

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync/atomic"

	"github.com/asticode/go-astiav"
	"golang.org/x/sync/errgroup"

	"picora/media"
)

// A sink makes something of the decoded frames of one stream. It has a goroutine of its
// own, which alone calls it.
type sink interface {
	// take is given each frame in order, and nil at the end. The frame's time (Pts, and the
	// duration, where it is known) is in the stream's time base, counted from the film's
	// origin, and grows from picture to picture; some of a sound's first may be negative. The frame
	// may be read until take returns; Ref or Clone it to keep it, and never change its data.
	take(f *astiav.Frame) error
	// free frees what the sink took, after the end or instead of it.
	free()
}

// A packetSink makes something of the packets of one stream, as they are.
type packetSink interface {
	// packet is given each packet in the file's order, with times as in sink, and nil at
	// the end. The packet may be read until it returns.
	packet(p *astiav.Packet) error
	free()
}

// loop reads a film once, decodes each stream that a sink wants once, and gives what comes
// out to all sinks.
type loop struct {
	film  *Film
	lanes map[int]*lane // by stream
	cut   bool          // the file could not be read to its end
	until atomic.Int64  // where the pictures, else the sounds, have been read to: microseconds
}

// lane is one stream, and who wants something of it.
type lane struct {
	stream  *astiav.Stream
	sinks   []sink
	packets []packetSink
	base    astiav.Rational // of decoded pictures
	decoder *astiav.CodecContext
	queue   chan *astiav.Packet
	to      []chan *astiav.Frame // to the sinks

	timed  atomic.Bool  // packets say when they are shown; in AVI they do not
	begin  atomic.Int64 // the first packet's time
	late   int64        // by how much the decoder of pictures without times gives them too late
	last   int64        // the time of the last frame, and how long it lasts
	lasts  int64
	frames int64
	bad    atomic.Int64 // packets that could not be decoded
}

// How much waits between the steps, so that all processors are busy and memory is bounded.
const (
	packetsAhead = 16
	framesAhead  = 4
)

func newLoop(f *Film) *loop { return &loop{film: f, lanes: map[int]*lane{}} }

// lane is that of a stream.
func (l *loop) lane(s *astiav.Stream) *lane {
	if l.lanes[s.Index()] == nil {
		l.lanes[s.Index()] = &lane{stream: s, base: l.film.base, last: noTime}
		l.lanes[s.Index()].begin.Store(noTime)
	}
	return l.lanes[s.Index()]
}

// free frees all sinks.
func (l *loop) free() {
	for _, n := range l.lanes {
		for _, s := range n.sinks {
			s.free()
		}
		for _, s := range n.packets {
			s.free()
		}
		n.close()
	}
}

// close closes the decoder.
func (n *lane) close() {
	if n.decoder != nil {
		n.decoder.Free()
		n.decoder = nil
	}
}

// run does the work. A file that is damaged gives what can be saved.
func (l *loop) run(ctx context.Context) error {
	for _, s := range l.film.in.format.Streams() {
		if n := l.lanes[s.Index()]; n == nil {
			s.SetDiscard(astiav.DiscardAll)
		} else if err := n.open(l.film); err != nil && s.CodecParameters().MediaType() == astiav.MediaTypeAudio && media.Reason(err) != "" {
			n.close() // a sound that nobody can hear is no reason to see nothing
		} else if err != nil {
			return err
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, n := range l.lanes {
		n.start(ctx, g)
	}
	g.Go(func() error { return l.read(ctx) })
	err := g.Wait()
	for _, n := range l.lanes {
		n.drain()
	}
	return err
}

// read gives packets to the lanes.
func (l *loop) read(ctx context.Context) error {
	defer func() {
		for _, n := range l.lanes {
			close(n.queue)
		}
	}()
	p := astiav.AllocPacket()
	defer p.Free()
	for {
		err := l.film.next(ctx, p)
		if errors.Is(err, io.EOF) || errors.Is(err, errCutOff) {
			l.cut = err == errCutOff
			break
		}
		if err != nil {
			return err
		}
		if n := l.lanes[p.StreamIndex()]; n != nil {
			if err := n.give(ctx, p); err != nil {
				return err
			}
			l.reached(p, n.stream)
		}
		p.Unref()
	}
	for _, n := range l.lanes {
		if err := n.give(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

// reached notes how far the file has been read.
func (l *loop) reached(p *astiav.Packet, s *astiav.Stream) {
	if p.Pts() == noTime || s.Index() != l.film.video.Index() && l.lanes[l.film.video.Index()] != nil {
		return
	}
	end := rescale(p.Pts()+max(p.Duration(), 0), s.TimeBase(), micro)
	l.until.Store(max(l.until.Load(), end))
}

// give gives a packet, or nil for the end, to those who want it. One that is cut counts as
// bad. One of nothing is none: in Theora and AVI it says that the picture before stays.
func (n *lane) give(ctx context.Context, p *astiav.Packet) error {
	if p != nil && p.Size() == 0 {
		return nil
	}
	if p != nil && p.Flags().Has(astiav.PacketFlagCorrupt) {
		n.bad.Add(1)
		return nil
	}
	if p != nil {
		n.timed.CompareAndSwap(false, p.Pts() != noTime)
		if p.Dts() != noTime {
			n.begin.CompareAndSwap(noTime, p.Dts())
		}
	}
	for _, s := range n.packets {
		if err := s.packet(p); err != nil {
			return err
		}
	}
	if n.decoder == nil {
		return nil
	}
	if p != nil {
		p = p.Clone()
	}
	select {
	case n.queue <- p:
		return nil
	case <-ctx.Done():
		if p != nil {
			p.Free()
		}
		return ctx.Err()
	}
}

// open opens the decoder, if frames are wanted.
func (n *lane) open(f *Film) error {
	n.queue = make(chan *astiav.Packet, packetsAhead)
	if len(n.sinks) == 0 {
		return nil
	}
	p := n.stream.CodecParameters()
	codec := astiav.FindDecoder(p.CodecID())
	if codec == nil {
		return media.Unsupported(fmt.Sprintf("the file has %s, which is not supported", p.CodecID().Name()))
	}
	n.decoder = astiav.AllocCodecContext(codec)
	if err := p.ToCodecContext(n.decoder); err != nil {
		return f.in.refuse("decode", err)
	}
	base := n.stream.TimeBase()
	more := []string{"threads", "1", "max_samples", fmt.Sprint(1 << 20)}
	if p.MediaType() == astiav.MediaTypeVideo {
		more = []string{"threads", fmt.Sprint(decoderThreads(p.Width(), p.Height())), "max_pixels", fmt.Sprint(f.in.limits.Pixels)}
	}
	options, err := dictionary(append(more, "pkt_timebase", fmt.Sprintf("%d/%d", base.Num(), base.Den()))...)
	if err != nil {
		return err
	}
	defer options.Free()
	if err := n.decoder.Open(codec, options); err != nil {
		return f.in.refuse("decode", err)
	}
	return nil
}

// decoderThreads keeps the memory of large pictures small: each thread holds some.
func decoderThreads(w, h int) int {
	most := 16
	if w*h > 1920*1200 {
		most = 6
	}
	return min(runtime.NumCPU(), most)
}

// start starts the decoder and its sinks.
func (n *lane) start(ctx context.Context, g *errgroup.Group) {
	for _, s := range n.sinks {
		to := make(chan *astiav.Frame, framesAhead)
		n.to = append(n.to, to)
		g.Go(func() error { return feed(to, s) })
	}
	if n.decoder != nil {
		g.Go(func() error { return n.decode(ctx) })
		return
	}
	for _, to := range n.to { // there is nothing but the end
		to <- nil
		close(to)
	}
}

// feed gives frames to a sink until the end, or until there come no more.
func feed(from <-chan *astiav.Frame, s sink) error {
	for f := range from {
		err := s.take(f)
		if f != nil {
			f.Free()
		}
		if f == nil || err != nil {
			return err
		}
	}
	return nil
}

// drain frees what an error has left in the queues.
func (n *lane) drain() {
	for p := range n.queue {
		if p != nil {
			p.Free()
		}
	}
	for _, to := range n.to {
		for f := range to {
			if f != nil {
				f.Free()
			}
		}
	}
}
