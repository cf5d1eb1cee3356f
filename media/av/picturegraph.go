package av

import (
	"errors"
	"fmt"

	"github.com/asticode/go-astiav"
)

// pictureGraph is a filter graph of pictures.
type pictureGraph struct {
	c      *astiav.FilterGraph
	source *astiav.BuffersrcFilterContext
	sink   *astiav.BuffersinkFilterContext
	base   astiav.Rational
	out    *astiav.Frame
}

// newPictureGraph makes a graph for frames like f, from [in] to [out], with a picture that
// does not change at [table] if there is one.
func newPictureGraph(description string, f *astiav.Frame, base astiav.Rational, table *astiav.Frame) (*pictureGraph, error) {
	g := &pictureGraph{c: astiav.AllocFilterGraph(), out: astiav.AllocFrame(), base: base}
	if err := g.build(description, f, table); err != nil {
		g.free()
		return nil, fmt.Errorf("av: filter %s: %w", description, err)
	}
	return g, nil
}

func (g *pictureGraph) build(description string, f, table *astiav.Frame) (err error) {
	g.c.SetThreadCount(1)
	if g.source, err = sourceOf(g.c, "in", f, g.base); err != nil {
		return err
	}
	outputs := flow("in", g.source.FilterContext()) // FFmpeg calls outputs what flows out of the sources
	defer outputs.Free()                            // with its chain
	var fixed *astiav.BuffersrcFilterContext
	if table != nil {
		if fixed, err = sourceOf(g.c, "table", table, g.base); err != nil {
			return err
		}
		outputs.SetNext(flow("table", fixed.FilterContext()))
	}
	if g.sink, err = g.c.NewBuffersinkFilterContext(astiav.FindFilterByName("buffersink"), "out"); err != nil {
		return err
	}
	inputs := flow("out", g.sink.FilterContext())
	defer inputs.Free()
	if err := g.c.Parse(description, inputs, outputs); err != nil {
		return err
	}
	if err := g.c.Configure(); err != nil || table == nil {
		return err
	}
	return errors.Join(
		fixed.AddFrame(table, astiav.NewBuffersrcFlags(astiav.BuffersrcFlagKeepRef)),
		fixed.AddFrame(nil, astiav.NewBuffersrcFlags()))
}

func flow(name string, c *astiav.FilterContext) *astiav.FilterInOut {
	o := astiav.AllocFilterInOut()
	o.SetName(name)
	o.SetFilterContext(c)
	o.SetPadIdx(0)
	o.SetNext(nil)
	return o
}

// sourceOf is where frames like f go into a graph.
func sourceOf(g *astiav.FilterGraph, name string, f *astiav.Frame, base astiav.Rational) (*astiav.BuffersrcFilterContext, error) {
	s, err := g.NewBuffersrcFilterContext(astiav.FindFilterByName("buffer"), name)
	if err != nil {
		return nil, err
	}
	p := astiav.AllocBuffersrcFilterContextParameters()
	defer p.Free()
	p.SetWidth(f.Width())
	p.SetHeight(f.Height())
	p.SetPixelFormat(f.PixelFormat())
	p.SetTimeBase(base)
	if r := f.SampleAspectRatio(); r.Num() > 0 && r.Den() > 0 {
		p.SetSampleAspectRatio(r)
	}
	p.SetColorRange(f.ColorRange())
	p.SetColorSpace(f.ColorSpace())
	return s, errors.Join(s.SetParameters(p), s.Initialize(nil))
}

// pass gives a frame, which stays the caller's, or nil for the end to the graph, and what
// comes out to take.
func (g *pictureGraph) pass(f *astiav.Frame, take func(*astiav.Frame) error) error {
	if err := g.source.AddFrame(f, astiav.NewBuffersrcFlags(astiav.BuffersrcFlagKeepRef)); err != nil {
		return fmt.Errorf("av: filter: %w", err)
	}
	for {
		err := g.sink.GetFrame(g.out, astiav.NewBuffersinkFlags())
		if errors.Is(err, astiav.ErrEagain) || errors.Is(err, astiav.ErrEof) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("av: filter: %w", err)
		}
		if to := g.sink.TimeBase(); to != g.base { // bwdif halves it
			g.out.SetPts(rescale(g.out.Pts(), to, g.base))
			setDuration(g.out, rescale(durationOf(g.out), to, g.base))
		}
		err = take(g.out)
		g.out.Unref()
		if err != nil {
			return err
		}
	}
}

func (g *pictureGraph) free() {
	g.out.Free()
	g.c.Free()
}
