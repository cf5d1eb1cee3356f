package av

import (
	"cmp"
	"math"
	"slices"
	"sync"

	"github.com/asticode/go-astiav"

	"picora/media"
)

// ladder makes all picture tracks that are encoded. Pictures are turned, coloured and
// scaled to the largest size once; each smaller one is made of the next larger. Every
// encoder has a goroutine of its own.
type ladder struct {
	film    *Film
	cut     cutter
	fields  *chain
	top     *chain
	rungs   []*rung // the largest first
	frames  int64
	last    *astiav.Frame // that the file has
	shown   int64         // µs, when the last one was shown; -1: none was
	length  int64         // µs of the film; 0: unknown
	until   int64         // the same or, when it is unknown, what is believed
	repeats int64
	ended   bool
	work    sync.WaitGroup
	stop    chan struct{} // closed when an encoder fails, or nobody wants more
	once    sync.Once
	err     error // of the encoder that failed first
}

// framesForEncoder is how many wait before each encoder.
const framesForEncoder = 6

// newLadder makes one for a film of which s is known.
func newLadder(f *Film, c *cuts, s media.Survey) *ladder {
	l := &ladder{film: f, cut: cutter{cuts: c}, stop: make(chan struct{}), shown: -1}
	l.length = int64(s.Duration * 1e6)
	l.until = cmp.Or(l.length, longest)
	if s.Interlaced {
		l.fields = newFields(f)
	}
	return l
}

// longest is how long a film is believed to be of which that is not known.
const longest = 48 * 3600 * 1_000_000 // µs

// add adds a rung, before anything is taken.
func (l *ladder) add(r *rung) { l.rungs = append(l.rungs, r) }

// begin puts the rungs in order.
func (l *ladder) begin() {
	slices.SortStableFunc(l.rungs, func(a, b *rung) int { return cmp.Compare(b.args.Width*b.args.Height, a.args.Width*a.args.Height) })
	first := l.rungs[0]
	rate := 0.0
	for _, r := range l.rungs { // the highest rate goes through the top, and those below leave out more
		if rate = max(rate, r.args.MaxRate); r.args.MaxRate <= 0 {
			rate = math.Inf(1)
		}
	}
	if math.IsInf(rate, 1) {
		rate = 0
	}
	l.top = newChain(l.film, shape{width: first.args.Width, height: first.args.Height, maxRate: rate})
	for _, r := range l.rungs {
		if r.args.MaxRate > 0 && r.args.MaxRate != rate {
			r.gate = newChain(l.film, shape{maxRate: r.args.MaxRate})
		}
		r.queue = make(chan *astiav.Frame, framesForEncoder)
		l.work.Go(func() {
			if err := r.run(l.stop); err != nil {
				l.fail(err)
			}
		})
	}
}

func (l *ladder) fail(err error) {
	l.once.Do(func() {
		l.err = err
		close(l.stop)
	})
}

// take implements sink.
func (l *ladder) take(f *astiav.Frame) error {
	if f == nil {
		return l.end()
	}
	at := rescale(f.Pts(), l.film.base, micro)
	if at < 0 || at > l.until+maxLate {
		return nil // before the film, or a time that lies
	}
	if l.frames == 0 {
		l.begin()
		f.SetPts(0) // what is seen first is seen from the start
	} else if err := l.fill(at); err != nil {
		return err
	}
	l.frames++
	if l.last != nil {
		l.last.Free()
	}
	l.last = f.Clone()
	return l.show(f)
}

// maxLate is how long after the film's end a picture or a sound may come that is believed.
const maxLate = 600_000_000 // µs

// fill shows the last picture again wherever a segment begins until then: a film may stand
// still for longer than a segment may last. Where the next picture follows soon it begins the
// segment itself: one more, shown for a moment, would cost as much as a key frame does.
func (l *ladder) fill(until int64) error {
	for {
		at, known := l.cut.cuts.boundary(l.cut.next)
		if !known || at >= until-soon {
			return nil
		}
		if err := l.again(at); err != nil {
			return err
		}
	}
}

// soon is how much later than planned a segment may begin: µs.
const soon = 250_000

// again shows the last picture at that time (µs).
func (l *ladder) again(at int64) error {
	f := l.last.Clone()
	defer f.Free()
	when := rescale(at, micro, l.film.base)
	if rescale(when, l.film.base, micro) < at-slack {
		when++ // a picture in front of a boundary would not begin the segment
	}
	f.SetPts(when)
	setDuration(f, 0)
	l.repeats++
	return l.show(f)
}

// show gives a picture to the chain.
func (l *ladder) show(f *astiav.Frame) error {
	at := rescale(f.Pts(), l.film.base, micro)
	if at <= l.shown && l.shown >= 0 {
		return nil
	}
	l.shown = at
	f.SetPictureType(astiav.PictureTypeNone) // the file's own say nothing to an encoder
	if l.cut.first(at) {
		f.SetPictureType(astiav.PictureTypeI)
	}
	if l.fields != nil {
		return l.fields.pass(f, l.whole)
	}
	return l.whole(f)
}

// stay shows the last picture until the film ends, where its sound goes on: players wait for
// pictures that do not come.
func (l *ladder) stay() error {
	if l.cut.cuts.keys || l.length < l.shown+shortEnd {
		return nil
	}
	step := int64(1e6 / max(l.rungs[0].rate, 1))
	for n, at := 0, l.shown+step; at <= l.length-step/2; n++ {
		if err := l.fill(at); err != nil {
			return err
		}
		if err := l.again(at); err != nil {
			return err
		}
		if at += step; n >= dense && l.length-at > rare+dense*step {
			at += rare - step
		}
	}
	return nil
}

// A picture that stays is shown again that often (µs) but, so that what decoders and players hold
// is short, so many times at the film's own rate at both ends.
const (
	rare  = 500_000
	dense = 8
)

// shortEnd is how much earlier than the film its pictures may end.
const shortEnd = 1_000_000 // µs

// whole takes whole pictures.
func (l *ladder) whole(f *astiav.Frame) error { return l.top.pass(f, l.down) }

// down gives a picture in the largest size to the encoders, each in its own.
func (l *ladder) down(f *astiav.Frame) error {
	var made []*astiav.Frame
	defer func() {
		for _, m := range made {
			m.Free()
		}
	}()
	for _, r := range l.rungs {
		smaller, err := r.scale(f)
		if err != nil {
			return err
		}
		if smaller != f {
			made = append(made, smaller)
		}
		f = smaller
		if err := l.give(r, f); err != nil {
			return err
		}
	}
	return nil
}

// give has an encoder wait for a frame.
func (l *ladder) give(r *rung, f *astiav.Frame) error {
	if r.gate != nil && r.gate.tooSoon(f) {
		return nil
	}
	c := f.Clone()
	select {
	case r.queue <- c:
		return nil
	case <-l.stop:
		c.Free()
		return l.err
	}
}

// end waits until all is written.
func (l *ladder) end() error {
	if l.frames == 0 {
		return media.Corrupt("no picture of the file can be decoded")
	}
	if err := l.stay(); err != nil {
		return err
	}
	if l.fields != nil {
		if err := l.fields.pass(nil, l.whole); err != nil {
			return err
		}
	}
	if err := l.top.pass(nil, l.down); err != nil {
		return err
	}
	l.close()
	select {
	case <-l.stop:
		return l.err
	default:
	}
	for _, r := range l.rungs {
		if l.repeats > 0 { // which are no pictures of the film
			r.made.FrameRate = math.Round(1000*r.rate) / 1000
		}
	}
	return nil
}

// close lets the encoders come to their end.
func (l *ladder) close() {
	if l.ended || l.frames == 0 {
		return
	}
	l.ended = true
	for _, r := range l.rungs {
		close(r.queue)
	}
	l.work.Wait()
}

// free implements sink.
func (l *ladder) free() {
	l.once.Do(func() { close(l.stop) })
	l.close()
	if l.last != nil {
		l.last.Free()
	}
	l.fields.free()
	l.top.free()
	for _, r := range l.rungs {
		r.free()
	}
}
