package av

import (
	"errors"
	"fmt"
	"image"
	"io"
	"time"

	"github.com/asticode/go-astiav"
)

// maxPending is how many bytes of frames GIF keeps to choose the palette from. Longer animations get the palette of
// their beginning.
const maxPending = 64 << 20

// GIF writes an animation frame by frame, with one palette for all of it. Pixels that are less than half opaque become
// transparent. Close it, also after an error.
type GIF struct {
	w       io.Writer
	out     *output
	size    image.Point
	encoder *astiav.CodecContext
	pending []*astiav.Frame // until the palette is chosen
	colours *graph
	now     int64 // where the next frame begins, in hundredths of a second
	last    int64 // how long the last frame is shown
}

// NewGIF begins an animation of width x height pixels that is shown so many times; 0 means for ever.
func NewGIF(w io.Writer, width, height, times int) (*GIF, error) {
	g := &GIF{w: w, size: image.Pt(width, height)}
	var err error
	if g.out, err = create("gif"); err != nil {
		return nil, err
	}
	if err := g.begin(times); err != nil {
		g.free()
		return nil, err
	}
	return g, nil
}

func (g *GIF) begin(times int) error {
	codec := astiav.FindEncoderByName("gif")
	g.encoder = astiav.AllocCodecContext(codec)
	g.encoder.SetWidth(g.size.X)
	g.encoder.SetHeight(g.size.Y)
	g.encoder.SetPixelFormat(astiav.PixelFormatPal8)
	g.encoder.SetTimeBase(hundredths)
	if err := g.encoder.Open(codec, nil); err != nil {
		return fmt.Errorf("av: gif: %w", err)
	}
	s := g.out.format.NewStream(nil)
	s.SetTimeBase(hundredths)
	if err := s.CodecParameters().FromCodecContext(g.encoder); err != nil {
		return fmt.Errorf("av: gif: %w", err)
	}
	loop := times - 1 // the file counts repetitions
	switch times {
	case 0:
		loop = 0
	case 1:
		loop = -1
	}
	options, err := dictionary("loop", fmt.Sprint(loop))
	if err != nil {
		return err
	}
	defer options.Free()
	if err := g.out.format.WriteHeader(options); err != nil {
		return fmt.Errorf("av: gif: %w", err)
	}
	return allUsed(options)
}

var hundredths = astiav.NewRational(1, 100)

// Add adds a frame that is shown for d, at least 20 ms: browsers slow down what is faster.
func (g *GIF) Add(m *image.NRGBA, d time.Duration) error {
	if m.Rect.Size() != g.size {
		return fmt.Errorf("av: gif: a frame of %v in an animation of %v", m.Rect.Size(), g.size)
	}
	f, err := frame(m, astiav.PixelFormatBgra)
	if err != nil {
		return err
	}
	f.SetPts(g.now)
	g.last = max(2, int64((d+5*time.Millisecond)/(10*time.Millisecond)))
	g.now += g.last
	if g.colours != nil {
		defer f.Free()
		return g.write(f)
	}
	g.pending = append(g.pending, f)
	if len(g.pending)*4*g.size.X*g.size.Y < maxPending {
		return nil
	}
	return g.choose()
}

// choose makes the palette, and writes what waited for it.
func (g *GIF) choose() error {
	pick, err := newGraph("[in]palettegen[out]", g.size)
	if err != nil {
		return err
	}
	defer pick.free()
	for _, f := range g.pending {
		if err := pick.add(0, f); err != nil {
			return err
		}
	}
	if err := pick.add(0, nil); err != nil {
		return err
	}
	palette := astiav.AllocFrame()
	defer palette.Free()
	if err := pick.sink.GetFrame(palette, astiav.NewBuffersinkFlags()); err != nil {
		return fmt.Errorf("av: gif: palette: %w", err)
	}
	palette.SetPts(0)
	if g.colours, err = newGraph("[in][palette]paletteuse=diff_mode=rectangle[out]", g.size, image.Pt(16, 16)); err != nil {
		return err
	}
	if err := errors.Join(g.colours.add(1, palette), g.colours.add(1, nil)); err != nil {
		return err
	}
	for len(g.pending) > 0 {
		f := g.pending[0]
		g.pending = g.pending[1:]
		err := g.write(f)
		f.Free()
		if err != nil {
			return err
		}
	}
	return nil
}

// write puts a frame, or nil for the end, through the palette and into the file.
func (g *GIF) write(f *astiav.Frame) error {
	if err := g.colours.add(0, f); err != nil {
		return err
	}
	out := astiav.AllocFrame()
	defer out.Free()
	for {
		err := g.colours.sink.GetFrame(out, astiav.NewBuffersinkFlags())
		if errors.Is(err, astiav.ErrEagain) || errors.Is(err, astiav.ErrEof) {
			break
		}
		if err == nil {
			err = g.encode(out)
		}
		if err != nil {
			return fmt.Errorf("av: gif: %w", err)
		}
		out.Unref()
	}
	if f == nil {
		if err := g.encode(nil); err != nil {
			return fmt.Errorf("av: gif: %w", err)
		}
	}
	return g.out.drain(g.w)
}

func (g *GIF) encode(f *astiav.Frame) error {
	if err := g.encoder.SendFrame(f); err != nil {
		return err
	}
	for {
		p := astiav.AllocPacket()
		err := g.encoder.ReceivePacket(p)
		if err == nil {
			p.SetStreamIndex(0)
			err = g.out.format.WriteInterleavedFrame(p)
		}
		p.Free()
		if errors.Is(err, astiav.ErrEagain) || errors.Is(err, astiav.ErrEof) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// Close writes the end of the file, and frees what NewGIF took.
func (g *GIF) Close() error {
	defer g.free()
	if g.now == 0 {
		return errors.New("av: gif: no frames")
	}
	if g.colours == nil {
		if err := g.choose(); err != nil {
			return err
		}
	}
	if err := g.write(nil); err != nil {
		return err
	}
	if err := g.out.format.PrivateData().Options().Set("final_delay", fmt.Sprint(g.last), 0); err != nil {
		return fmt.Errorf("av: gif: %w", err)
	}
	if err := g.out.format.WriteTrailer(); err != nil {
		return fmt.Errorf("av: gif: %w", err)
	}
	return g.out.drain(g.w)
}

func (g *GIF) free() {
	for _, f := range g.pending {
		f.Free()
	}
	g.pending = nil
	if g.colours != nil {
		g.colours.free()
	}
	if g.encoder != nil {
		g.encoder.Free()
	}
	g.out.close()
}
