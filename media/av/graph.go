package av

import (
	"fmt"
	"image"

	"github.com/asticode/go-astiav"
)

// graph is a filter graph with one sink, fed with BGRA frames.
type graph struct {
	c       *astiav.FilterGraph
	sources []*astiav.BuffersrcFilterContext
	sink    *astiav.BuffersinkFilterContext
}

// newGraph makes a graph whose inputs, [in] and then [palette], have the sizes given, and whose output is [out].
func newGraph(description string, sizes ...image.Point) (*graph, error) {
	g := &graph{c: astiav.AllocFilterGraph()}
	if err := g.build(description, sizes); err != nil {
		g.free()
		return nil, fmt.Errorf("av: filter %s: %w", description, err)
	}
	return g, nil
}

func (g *graph) build(description string, sizes []image.Point) (err error) {
	g.c.SetThreadCount(1)
	// FFmpeg calls outputs what flows out of the sources.
	var outputs, last *astiav.FilterInOut
	for i, size := range sizes {
		s, err := g.source([]string{"in", "palette"}[i], size)
		if err != nil {
			return err
		}
		o := astiav.AllocFilterInOut()
		o.SetName([]string{"in", "palette"}[i])
		o.SetFilterContext(s.FilterContext())
		o.SetPadIdx(0)
		o.SetNext(nil)
		if last == nil {
			outputs = o
			defer outputs.Free() // with its chain
		} else {
			last.SetNext(o)
		}
		last = o
	}
	if g.sink, err = g.c.NewBuffersinkFilterContext(astiav.FindFilterByName("buffersink"), "out"); err != nil {
		return err
	}
	inputs := astiav.AllocFilterInOut()
	defer inputs.Free()
	inputs.SetName("out")
	inputs.SetFilterContext(g.sink.FilterContext())
	inputs.SetPadIdx(0)
	inputs.SetNext(nil)
	if err := g.c.Parse(description, inputs, outputs); err != nil {
		return err
	}
	return g.c.Configure()
}

func (g *graph) source(name string, size image.Point) (*astiav.BuffersrcFilterContext, error) {
	s, err := g.c.NewBuffersrcFilterContext(astiav.FindFilterByName("buffer"), name)
	if err != nil {
		return nil, err
	}
	p := astiav.AllocBuffersrcFilterContextParameters()
	defer p.Free()
	p.SetWidth(size.X)
	p.SetHeight(size.Y)
	p.SetPixelFormat(astiav.PixelFormatBgra)
	p.SetTimeBase(hundredths)
	p.SetSampleAspectRatio(astiav.NewRational(1, 1))
	p.SetColorRange(astiav.ColorRangeJpeg)
	p.SetColorSpace(astiav.ColorSpaceRgb)
	if err := s.SetParameters(p); err != nil {
		return nil, err
	}
	if err := s.Initialize(nil); err != nil {
		return nil, err
	}
	g.sources = append(g.sources, s)
	return s, nil
}

// add gives source i a frame, which stays the caller's; nil is the end.
func (g *graph) add(i int, f *astiav.Frame) error {
	if err := g.sources[i].AddFrame(f, astiav.NewBuffersrcFlags(astiav.BuffersrcFlagKeepRef)); err != nil {
		return fmt.Errorf("av: filter: %w", err)
	}
	return nil
}

func (g *graph) free() { g.c.Free() }
