package av

import (
	"image"
	"io"
	"math"

	"github.com/asticode/go-astiav"

	"picora/media"
	"picora/media/jpeg"
)

// Where pictures for a poster are looked for, and how.
const (
	posterFrom, posterTo = 0.05, 0.60 // of the film
	posterTries          = 14
	posterSide           = 1280 // pixels at most, of the longer side
	posterQuality        = 85
	glance               = 160 // pixels of the longer side: what is judged
	calm                 = 0.3 // seconds before and behind that are compared
)

// poster finds the picture that stands for a film: one that is neither black nor white, not of a
// flash or a fade, with contrast, and sharp.
type poster struct {
	film  *Film
	out   io.WriterAt
	made  *media.TrackMade
	small *stills
	large *stills

	times []float64 // in seconds, when to look
	step  float64
	try   []look // at hand: before, the one in question, behind
	kept  *astiav.Frame
	best  *image.NRGBA
	score float64
	start float64
}

// look is what a picture is like, all from 0 to 1.
type look struct{ light, contrast, detail, colour float64 }

func newPoster(f *Film, a media.TrackArgs, s media.Survey, out io.WriterAt, made *media.TrackMade) *poster {
	w, h := even(s.Width), even(s.Height)
	if a.Width > 0 && a.Height > 0 {
		w, h = even(min(a.Width, w)), even(min(a.Height, h))
	}
	w, h = fit(w, h, posterSide)
	gw, gh := fit(w, h, glance)
	p := &poster{film: f, out: out, made: made, small: newStills(f, s.Interlaced, gw, gh), large: newStills(f, s.Interlaced, w, h), score: math.Inf(-1)}
	from, to := s.Duration*posterFrom, s.Duration*posterTo
	p.step = min(calm, (to-from)/(3*posterTries))
	p.times = append(p.times, 0) // in case there is no other
	for i := range posterTries {
		p.times = append(p.times, from+(to-from)*float64(i)/posterTries)
	}
	return p
}

// take implements sink.
func (p *poster) take(f *astiav.Frame) error {
	if f == nil {
		return p.finish()
	}
	at := seconds(f.Pts(), p.film.base)
	if len(p.times) == 0 || at < p.times[0]+float64(len(p.try))*p.step {
		return nil
	}
	m, err := p.small.draw(f)
	if err != nil || m == nil {
		return err
	}
	p.try = append(p.try, judge(m))
	if len(p.try) == 2 || p.best == nil {
		p.keep(f)
	}
	if len(p.try) == 3 || p.best == nil {
		return p.decide()
	}
	return nil
}

func (p *poster) keep(f *astiav.Frame) {
	p.drop()
	p.kept = f.Clone()
}

func (p *poster) drop() {
	if p.kept != nil {
		p.kept.Free()
		p.kept = nil
	}
}

// decide compares the picture at hand with the best.
func (p *poster) decide() error {
	defer func() { p.drop(); p.try = p.try[:0]; p.times = p.times[1:] }()
	middle := p.try[min(1, len(p.try)-1)]
	score := middle.score()
	for _, other := range p.try {
		if math.Abs(other.light-middle.light) > 0.08 {
			score -= 1 // a flash, a fade or a cut
		}
	}
	if p.best == nil {
		score -= 0.2 // the very first picture, if no other is as good
	}
	if score <= p.score || p.kept == nil {
		return nil
	}
	m, err := p.large.draw(p.kept)
	if err != nil || m == nil {
		return err
	}
	p.best, p.score, p.start = m, score, max(0, seconds(p.kept.Pts(), p.film.base))
	return nil
}

// judge looks at a small picture.
func judge(m *image.NRGBA) (l look) {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	row, before := make([]float64, w), make([]float64, w)
	var squares, edges float64
	for y := range h {
		for x := range w {
			c := m.Pix[y*m.Stride+4*x:][:3]
			r, g, b := float64(c[0])/255, float64(c[1])/255, float64(c[2])/255
			v := 0.2126*r + 0.7152*g + 0.0722*b
			row[x] = v
			l.light += v
			squares += v * v
			l.colour += max(r, g, b) - min(r, g, b)
			if x > 0 {
				edges += math.Abs(v - row[x-1])
			}
			if y > 0 {
				edges += math.Abs(v - before[x])
			}
		}
		row, before = before, row
	}
	n := float64(w * h)
	l.light /= n
	l.colour /= n
	l.detail = edges / n
	l.contrast = math.Sqrt(max(0, squares/n-l.light*l.light))
	return l
}

// score is how good a picture is by itself, the best having about 2.
func (l look) score() float64 {
	s := min(l.contrast/0.22, 1) + 0.8*min(l.detail/0.08, 1) + 0.2*min(l.colour/0.25, 1)
	switch {
	case l.light < 0.06 || l.light > 0.94, l.contrast < 0.03:
		s -= 2
	case l.light < 0.14 || l.light > 0.86:
		s -= 0.6
	}
	return s
}

func (p *poster) finish() error {
	if len(p.try) > 0 {
		if err := p.decide(); err != nil {
			return err
		}
	}
	if p.best == nil {
		p.made.Empty = true
		return nil
	}
	p.made.Width, p.made.Height, p.made.Start = p.best.Rect.Dx(), p.best.Rect.Dy(), round3(p.start)
	p.made.Encoder = "jpeg"
	return jpeg.Encode(io.NewOffsetWriter(p.out, 0), p.best, jpeg.Options{Quality: posterQuality})
}

func (p *poster) free() {
	p.drop()
	p.small.free()
	p.large.free()
}
