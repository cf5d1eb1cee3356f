package av

import (
	"fmt"
	"math"
	"strings"

	"github.com/asticode/go-astiav"

	"picora/media"
	"picora/media/tone"
)

// shape is how the pictures of a film are wanted.
type shape struct {
	width, height int     // even, as shown; zero: as the file has it
	maxRate       float64 // pictures a second at most; 0: as many as there are
	rgb           bool    // RGBA for what is drawn, instead of 4:2:0 for an encoder
}

// chain makes of a film's decoded frames what an encoder or a page can show: turned
// upright, with square pixels, in the size wanted, at most so many a second, in the colours of
// ordinary screens (BT.709, 8 bit 4:2:0, limited range; or RGBA). It follows when frames
// change. Frames come out in the time base in which they went in, with their times.
type chain struct {
	film    *Film
	shape   shape
	fields  bool // it makes whole pictures of half ones, and nothing else
	graph   *pictureGraph
	form    form
	next    float64 // when the next picture is due, in ticks
	between float64
}

func newChain(f *Film, s shape) *chain { return &chain{film: f, shape: s} }

// newFields makes whole pictures of interlaced ones, which stay what they are otherwise. It
// belongs in front of all chains of a film that is Interlaced by its Survey.
func newFields(f *Film) *chain { return &chain{film: f, fields: true} }

// pass gives a frame, which stays the caller's, or nil for the end to the chain, and what
// comes out to take, whose frame is good until it returns. A frame whose type is I
// (SetPictureType), as the first of a segment, is never left out for maxRate.
func (c *chain) pass(f *astiav.Frame, take func(*astiav.Frame) error) error {
	if f == nil {
		return c.end(take)
	}
	if c.tooSoon(f) {
		return nil
	}
	if is := c.formOf(f); c.graph == nil || is != c.form {
		if err := c.end(take); err != nil {
			return err
		}
		if err := c.build(f, is); err != nil {
			return err
		}
	}
	return c.graph.pass(f, c.finished(take))
}

// finished marks what comes out as what it is.
func (c *chain) finished(take func(*astiav.Frame) error) func(*astiav.Frame) error {
	return func(f *astiav.Frame) error {
		if !c.fields {
			f.SetSampleAspectRatio(astiav.NewRational(1, 1))
			ordinary(f, c.shape.rgb)
		}
		return take(f)
	}
}

// end drains and frees the graph.
func (c *chain) end(take func(*astiav.Frame) error) error {
	if c.graph == nil {
		return nil
	}
	err := c.graph.pass(nil, c.finished(take))
	c.free()
	return err
}

func (c *chain) free() {
	if c != nil && c.graph != nil {
		c.graph.free()
		c.graph = nil
	}
}

// formOf is what of a frame's form the graph depends on.
func (c *chain) formOf(f *astiav.Frame) form {
	is := formOf(f)
	is.interlaced = false
	return is
}

// tooSoon says whether a frame is left out, so that there are not more than maxRate. Of
// regular frames every second, third … is taken.
func (c *chain) tooSoon(f *astiav.Frame) bool {
	if c.shape.maxRate <= 0 || c.fields {
		return false
	}
	if c.between == 0 {
		base := c.film.base
		tick := float64(base.Num()) / float64(max(base.Den(), 1))
		c.between = c.film.step(c.shape.maxRate) / tick
		c.next = math.Inf(-1)
	}
	at := float64(f.Pts())
	if at < c.next-c.between/4 && f.PictureType() != astiav.PictureTypeI {
		return true
	}
	if c.next+c.between < at || c.next > at+c.between/4 { // a gap, or a picture that had to be
		c.next = at
	}
	c.next += c.between
	return false
}

// step is the time between pictures, in seconds, when there are to be at most so many a second.
func (f *Film) step(most float64) float64 {
	rate := f.seen.rate
	if rate <= most*1.01 || rate > 1000 {
		return 1 / (most * 1.01)
	}
	return math.Ceil(rate/most-0.01) / rate
}

// build makes the graph for frames like f.
func (c *chain) build(f *astiav.Frame, is form) error {
	description, table, err := c.describe(f, is)
	if err != nil {
		return err
	}
	g, err := newPictureGraph(description, f, c.film.base, table)
	if err != nil {
		return fmt.Errorf("%w: %w", err, media.Unsupported("the pictures are coded in a way that cannot be converted"))
	}
	c.graph, c.form = g, is
	return nil
}

// describe is the graph for frames like f, and the table of colours that it needs, if any.
func (c *chain) describe(f *astiav.Frame, is form) (string, *astiav.Frame, error) {
	if c.fields {
		deint := "all"
		if c.film.seen.order == fieldsSaid {
			deint = "interlaced" // of a mixed film those that say so
		}
		return "[in]bwdif=mode=send_frame:parity=auto:deint=" + deint + "[out]", nil, nil
	}
	t := c.film.seen.turn
	w, h := c.size(is, t)
	if t.swap {
		w, h = h, w
	}
	var list []string
	if sw, _ := shown(is.width, is.height, is.aspect); sw == is.width && even(is.width) == w && even(is.height) == h && (is.width != w || is.height != h) {
		list = append(list, fmt.Sprintf("crop=%d:%d:0:0", w, h)) // an odd line less is better than all of them blurred
	}
	k := c.film.seen.meaning(f)
	matrix, rng := k.matrixName(), "tv"
	if k.full {
		rng = "pc"
	}
	in := fmt.Sprintf("scale=w=%d:h=%d:flags=bicubic:in_color_matrix=%s:in_range=%s", w, h, matrix, rng)
	final := "out_color_matrix=bt709:out_range=tv,format=yuv420p"
	if c.shape.rgb {
		final = "out_range=pc,format=rgba"
	}
	if k.ordinary() {
		list = append(list, in+":"+final)
	} else {
		list = append(list, in+":out_range=pc,format=gbrp10le[main];[main][table]haldclut=clut=first:interp=tetrahedral,scale=in_range=pc:flags=bicubic:"+final)
	}
	list = append(list, t.filters()...)
	description := "[in]" + strings.Join(append(list, "setsar=1"), ",") + "[out]"
	if k.ordinary() {
		return description, nil, nil
	}
	from := k.source()
	from.Peak = c.film.seen.peakOf(f)
	table, err := c.film.seen.table(from)
	return description, table, err
}

// size is that of the pictures that come out, as shown.
func (c *chain) size(is form, t turn) (int, int) {
	if c.shape.width > 0 && c.shape.height > 0 {
		return c.shape.width, c.shape.height
	}
	w, h := shown(is.width, is.height, is.aspect)
	if t.swap {
		w, h = h, w
	}
	return even(w), even(h)
}

// cubeSide is how fine the tables of colours are: Hald level 8, whose pictures have
// haldSide pixels a side.
const (
	cubeSide = 64
	haldSide = 512
)

// table is the table of colours for such pictures, as haldclut reads it: a square picture.
func (s *seen) table(from tone.Source) (*astiav.Frame, error) {
	s.tables.Lock()
	defer s.tables.Unlock()
	if t := s.tables.made[from]; t != nil {
		return t, nil
	}
	t, err := hald(tone.Cube(from, cubeSide), haldSide)
	if err != nil {
		return nil, fmt.Errorf("av: table of colours: %w", err)
	}
	if s.tables.made == nil {
		s.tables.made = map[tone.Source]*astiav.Frame{}
	}
	s.tables.made[from] = t
	return t, nil
}
