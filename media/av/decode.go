package av

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/asticode/go-astiav"
)

// decode decodes the lane's packets until the end. What cannot be decoded is counted and
// left out, as players do.
func (n *lane) decode(ctx context.Context) error {
	defer func() {
		for _, to := range n.to {
			close(to)
		}
	}()
	f := astiav.AllocFrame()
	defer f.Free()
	for p := range n.queue {
		err := n.decoder.SendPacket(p)
		if p != nil {
			p.Free()
		}
		if err != nil && !errors.Is(err, astiav.ErrEof) {
			if err := n.failed(err); err != nil {
				return err
			}
		}
		if err := n.receive(ctx, f); err != nil {
			return err
		}
		if p == nil {
			return n.spread(ctx, nil)
		}
	}
	return nil
}

// receive takes what the decoder has ready.
func (n *lane) receive(ctx context.Context, f *astiav.Frame) error {
	for {
		err := n.decoder.ReceiveFrame(f)
		if errors.Is(err, astiav.ErrEof) || errors.Is(err, astiav.ErrEagain) {
			return nil
		}
		if err != nil {
			if err := n.failed(err); err != nil {
				return err
			}
			continue
		}
		if n.place(f) {
			n.frames++
			err = n.spread(ctx, f)
		}
		f.Unref()
		if err != nil {
			return err
		}
	}
}

// failed counts a packet, unless it is the machine that failed.
func (n *lane) failed(err error) error {
	if errors.Is(err, astiav.Error(-int(syscall.ENOMEM))) {
		return fmt.Errorf("av: decode: %w", syscall.ENOMEM)
	}
	n.bad.Add(1)
	return nil
}

// place says when a frame is to be shown or heard. It reports false for one that is not:
// pictures whose time does not grow.
func (n *lane) place(f *astiav.Frame) bool {
	at, lasts := timeOf(f)
	sound := n.stream.CodecParameters().MediaType() == astiav.MediaTypeAudio
	if sound {
		if f.SampleRate() <= 0 || f.NbSamples() <= 0 {
			return false
		}
		usual(f)
		lasts = rescale(int64(f.NbSamples()), astiav.NewRational(1, f.SampleRate()), n.stream.TimeBase())
	}
	if at == noTime {
		at = 0
		if n.last != noTime {
			at = n.last + max(n.lasts, 1)
		}
	}
	if begin := n.begin.Load(); !sound && n.last == noTime && !n.timed.Load() && begin != noTime {
		n.late = at - begin
	}
	at -= n.late
	if !sound && n.last != noTime && at <= n.last {
		return false
	}
	n.last, n.lasts = at, lasts
	if !sound && n.base != n.stream.TimeBase() {
		at, lasts = rescale(at, n.stream.TimeBase(), n.base), rescale(lasts, n.stream.TimeBase(), n.base)
	}
	f.SetPts(at)
	setDuration(f, lasts)
	return true
}

// spread gives a frame, or nil for the end, to all sinks.
func (n *lane) spread(ctx context.Context, f *astiav.Frame) error {
	for _, to := range n.to {
		var c *astiav.Frame
		if f != nil {
			c = f.Clone()
		}
		select {
		case to <- c:
		case <-ctx.Done():
			if c != nil {
				c.Free()
			}
			return ctx.Err()
		}
	}
	return nil
}
