package av

import (
	"context"
	"errors"
	"fmt"

	"github.com/asticode/go-astiav"

	"picora/media"
)

// Loudness is how loud a sound is by EBU R 128. A sound of less than 0.4 s has none, nor has silence: LUFS is -70 then.
type Loudness struct {
	LUFS float64 // integrated
	Peak float64 // true peak, dBTP; -Inf when nothing is heard
}

// meter is the filter that measures.
const meter = "ebur128@meter=peak=true:framelog=quiet"

// Measure decodes all of the sound once, and gives it as Listen does while the loudness is measured: that which it would
// have after l, whose zero value changes nothing.
func (s *Sound) Measure(ctx context.Context, l Level, progress func(float64), listen func(samples []float64, channels int)) (Loudness, Heard, error) {
	var g *soundGraph
	defer func() { g.free() }()
	heard, err := s.play(ctx, l.As, progress, func(f *astiav.Frame) error {
		listen(samplesOf(f), f.ChannelLayout().Channels())
		if g == nil {
			var err error
			if g, err = newSoundGraph(l.filters(f.SampleRate())+meter, f); err != nil {
				return fmt.Errorf("%w: %w", err, media.Unsupported("loudness cannot be measured of so many channels"))
			}
		}
		return g.pass(f, func(*astiav.Frame) error { return nil })
	})
	if err != nil {
		return Loudness{}, heard, err
	}
	if err := g.pass(nil, func(*astiav.Frame) error { return nil }); err != nil {
		return Loudness{}, heard, err
	}
	lufs, first := result(g.c, "ebur128@meter", "integrated")
	peak, second := result(g.c, "ebur128@meter", "true_peak")
	return Loudness{lufs, peak}, heard, errors.Join(first, second)
}

// soundGraph is a filter graph of sound, with one source and one sink.
type soundGraph struct {
	c      *astiav.FilterGraph
	source *astiav.BuffersrcFilterContext
	sink   *astiav.BuffersinkFilterContext
	rate   int
	now    int64 // samples that went in
	out    *astiav.Frame
}

// newSoundGraph makes a graph for frames like f.
func newSoundGraph(description string, f *astiav.Frame) (*soundGraph, error) {
	g := &soundGraph{c: astiav.AllocFilterGraph(), out: astiav.AllocFrame(), rate: f.SampleRate()}
	if err := g.build(description, f); err != nil {
		g.free()
		return nil, fmt.Errorf("av: filter %s: %w", description, err)
	}
	return g, nil
}

func (g *soundGraph) build(description string, f *astiav.Frame) (err error) {
	g.c.SetThreadCount(1)
	if g.source, err = g.c.NewBuffersrcFilterContext(astiav.FindFilterByName("abuffer"), "in"); err != nil {
		return err
	}
	p := astiav.AllocBuffersrcFilterContextParameters()
	defer p.Free()
	p.SetChannelLayout(f.ChannelLayout())
	p.SetSampleFormat(f.SampleFormat())
	p.SetSampleRate(g.rate)
	p.SetTimeBase(astiav.NewRational(1, g.rate))
	if err := errors.Join(g.source.SetParameters(p), g.source.Initialize(nil)); err != nil {
		return err
	}
	if g.sink, err = g.c.NewBuffersinkFilterContext(astiav.FindFilterByName("abuffersink"), "out"); err != nil {
		return err
	}
	// FFmpeg calls outputs what flows out of the sources.
	outputs, inputs := astiav.AllocFilterInOut(), astiav.AllocFilterInOut()
	defer outputs.Free()
	defer inputs.Free()
	outputs.SetName("in")
	outputs.SetFilterContext(g.source.FilterContext())
	inputs.SetName("out")
	inputs.SetFilterContext(g.sink.FilterContext())
	for _, o := range []*astiav.FilterInOut{outputs, inputs} {
		o.SetPadIdx(0)
		o.SetNext(nil)
	}
	if err := g.c.Parse("[in]"+description+"[out]", inputs, outputs); err != nil {
		return err
	}
	return g.c.Configure()
}

// pass gives a frame, which stays the caller's, or nil for the end to the graph, and what comes out to take.
func (g *soundGraph) pass(f *astiav.Frame, take func(*astiav.Frame) error) error {
	if f != nil {
		f.SetPts(g.now)
		g.now += int64(f.NbSamples())
	}
	return g.push(f, take)
}

// push is pass for a frame that has its time already, in samples.
func (g *soundGraph) push(f *astiav.Frame, take func(*astiav.Frame) error) error {
	if err := g.source.AddFrame(f, astiav.NewBuffersrcFlags(astiav.BuffersrcFlagKeepRef)); err != nil {
		return fmt.Errorf("av: filter: %w", err)
	}
	for {
		err := g.sink.GetFrame(g.out, astiav.NewBuffersinkFlags())
		if errors.Is(err, astiav.ErrEagain) || errors.Is(err, astiav.ErrEof) {
			return nil
		}
		if err == nil {
			err = take(g.out)
			g.out.Unref()
		}
		if err != nil {
			return fmt.Errorf("av: filter: %w", err)
		}
	}
}

func (g *soundGraph) free() {
	if g != nil {
		g.out.Free()
		g.c.Free()
	}
}
