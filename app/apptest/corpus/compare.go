package corpus

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const (
	// mostApart is how much further apart sound and pictures may be than in the source, in
	// seconds, and the pictures of two sizes from each other.
	mostApart = 0.040
	// mostLate is how much earlier or later all may be: a file does not say whether it begins
	// with its first sound, its first picture, or before them.
	mostLate = 0.1
)

// usualSSIM is reached by every case that says no other.
const usualSSIM = 0.93

// mostOff is how far the means of red, green and blue may be apart, of 255.
const mostOff = 6.0

// Figures are what was measured of a film.
type Figures struct {
	Apart  float64 // seconds that the sound is later than in the source
	Late   float64 // seconds that the pictures are later
	SSIM   float64 // the least of five times, of all rungs
	Colour float64 // the most of the same
}

// compared has the film shown and heard beside its source.
func compared(t testing.TB, c Case, f Film) (all []string) {
	figures, all := Measure(t, c, f)
	t.Logf("%s: %d rungs, %.2f s; sound %+.3f s, pictures %+.3f s, SSIM %.3f, colour %.1f", c.Name, len(f.Rungs), f.Duration, figures.Apart, figures.Late, figures.SSIM, figures.Colour)
	return all
}

// Measure compares a film with its source, and tells in what it falls short.
func Measure(t testing.TB, c Case, f Film) (m Figures, all []string) {
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	filter := ""
	if c.Interlaced {
		filter = "yadif"
	}
	m.SSIM = 1
	for i, r := range f.Rungs {
		w, h := small(r)
		source, err := sources.frames(c.File(t), w, h, filter)
		if err != nil {
			return m, append(all, err.Error())
		}
		shown, err := Decode(r.Path, w, h, true, "")
		if err != nil {
			say("%v", err)
			continue
		}
		if c.Least >= 0 {
			least, off := alike(source, shown)
			if least < orUsual(c.Least) {
				t.Logf("%s: %s: its pictures are at %.3f", c.Name, r.Name, firstTimes(shown))
			}
			m.SSIM, m.Colour = min(m.SSIM, least), max(m.Colour, off)
		}
		if c.Dark {
			continue
		}
		late, err := Apart(source.Claps(), shown.Claps())
		if i > 0 && math.Abs(late-m.Late) > mostApart {
			say("%s: pictures are %.3f s late, those of %s %.3f", r.Name, late, f.Rungs[0].Name, m.Late)
		}
		if m.Late = late; err != nil || math.Abs(late) > mostLate {
			say("%s: pictures are %.3f s late: %v", r.Name, late, err)
		}
		if i == 0 {
			m.Apart = heard(t, c, f, source.Claps(), shown.Claps(), say)
		}
	}
	if least := orUsual(c.Least); c.Least >= 0 && m.SSIM < least {
		say("SSIM is %.3f, less than %.3f", m.SSIM, least)
	}
	if m.Colour > mostOff {
		say("the colours are off by %.1f", m.Colour)
	}
	if f.MP4 != "" {
		w, h := small(f.Rungs[0])
		source, err := sources.frames(c.File(t), w, h, filter)
		if err != nil {
			return m, append(all, err.Error())
		}
		all = append(all, fallback(t, c, f, source)...)
	}
	return m, all
}

// firstTimes are when the first pictures are shown.
func firstTimes(f Frames) (all []float64) {
	for _, frame := range f.All[:min(len(f.All), 20)] {
		all = append(all, frame.At)
	}
	return all
}

// small is the size in which a rung is compared: its own, or 160 pixels at most.
func small(r Track) (w, h int) {
	most := max(r.Width, r.Height)
	if most <= 160 {
		return r.Width, r.Height
	}
	return max(r.Width*160/most, 1), max(r.Height*160/most, 1)
}

// decoded are the sources that were decoded, of which several are compared with several
// films.
type decoded struct {
	mu     sync.Mutex
	shown  map[string]func() (Frames, error)
	heards map[string]func() ([]float64, error)
}

var sources = decoded{shown: map[string]func() (Frames, error){}, heards: map[string]func() ([]float64, error){}}

func (d *decoded) frames(path string, w, h int, filter string) (Frames, error) {
	d.mu.Lock()
	key := fmt.Sprint(path, w, h, filter)
	if d.shown[key] == nil {
		d.shown[key] = sync.OnceValues(func() (Frames, error) { return Decode(path, w, h, false, filter) })
	}
	do := d.shown[key]
	d.mu.Unlock()
	return do()
}

func (d *decoded) beeps(path string) ([]float64, error) {
	d.mu.Lock()
	if d.heards[path] == nil {
		d.heards[path] = sync.OnceValues(func() ([]float64, error) { return Beeps(path, 0, false) })
	}
	do := d.heards[path]
	d.mu.Unlock()
	return do()
}

func orUsual(least float64) float64 {
	if least == 0 {
		return usualSSIM
	}
	return least
}

// alike is the least SSIM, and the most that colours are off, of five times. A source's
// picture may be shown one picture earlier or later.
func alike(source, shown Frames) (least, off float64) {
	least = 1
	for _, part := range []float64{0.05, 0.3, 0.5, 0.7, 0.95} {
		want := source.All[int(part*float64(len(source.All)))]
		at, best, colour := shown.At(want.At+0.005), 0.0, 255.0
		for i := max(0, at-1); i <= min(at+1, len(shown.All)-1); i++ {
			if s := SSIM(want.Pix, shown.All[i].Pix, source.Width, source.Height); s > best {
				best, colour = s, ColourOff(want.Pix, shown.All[i].Pix)
			}
		}
		least, off = min(least, best), max(off, colour)
	}
	return least, off
}

// heard is how much later the first sound is than in the source, against the pictures.
func heard(t testing.TB, c Case, f Film, clapsIn, clapsOut []float64, say func(string, ...any)) float64 {
	if c.Mute || len(f.Sounds) == 0 {
		return 0
	}
	in, err := sources.beeps(c.File(t))
	if err != nil {
		say("%v", err)
		return 0
	}
	return apart(f.Sounds[0].Path, in, clapsIn, clapsOut, "the first sound", say)
}

// apart is how much later the sound of a file is, against its pictures, than in the source.
func apart(path string, beepsIn, clapsIn, clapsOut []float64, what string, say func(string, ...any)) float64 {
	out, err := Beeps(path, 0, true)
	if err != nil {
		say("%v", err)
		return 0
	}
	sounds, err := Apart(beepsIn, out)
	if err != nil {
		say("%s: %v", what, err)
		return 0
	}
	pictures, err := Apart(clapsIn, clapsOut)
	if err != nil || math.Abs(sounds-pictures) > mostApart {
		say("%s is %.3f s later than the pictures (%v)", what, sounds-pictures, err)
	}
	return sounds - pictures
}

// fallback checks the one MP4 that is played without HLS.
func fallback(t testing.TB, c Case, f Film, source Frames) (all []string) {
	say := func(format string, args ...any) { all = append(all, "the MP4: "+fmt.Sprintf(format, args...)) }
	b, err := os.ReadFile(f.MP4)
	if err != nil {
		return []string{err.Error()}
	}
	if order := boxes(b); !strings.HasPrefix(order, "ftyp moov ") || strings.Contains(order, "moof") || !strings.Contains(order, "mdat") {
		say("its boxes are %s", order)
	}
	p, err := Probe(f.MP4)
	if err != nil {
		return []string{err.Error()}
	}
	kinds := ""
	for _, s := range p.Streams {
		kinds += s.Codec + " "
	}
	want := "h264 "
	if len(f.Sounds) > 0 {
		want += "aac "
	}
	if kinds != want {
		say("it has %s, not %s", kinds, want)
	}
	if c.Seconds > 0 && math.Abs(float64(p.Format.Duration)-c.Seconds) > 0.1 {
		say("it lasts %.3f s, not %.3f", p.Format.Duration, c.Seconds)
	}
	if c.Mute || c.Dark || len(f.Sounds) == 0 {
		return all
	}
	shown, err := Decode(f.MP4, source.Width, source.Height, true, "")
	if err != nil {
		return append(all, err.Error())
	}
	in, err := sources.beeps(c.File(t))
	if err != nil {
		return append(all, err.Error())
	}
	apart(f.MP4, in, source.Claps(), shown.Claps(), "its sound", say)
	return all
}

// boxes are the names of the boxes of an MP4, in their order.
func boxes(b []byte) (names string) {
	for len(b) >= 8 {
		n := uint64(binary.BigEndian.Uint32(b))
		if n == 1 && len(b) >= 16 {
			n = binary.BigEndian.Uint64(b[8:])
		}
		names += string(b[4:8]) + " "
		if n < 8 || n > uint64(len(b)) {
			return names + "?"
		}
		b = b[n:]
	}
	return names
}

var cueTime = regexp.MustCompile(`(?m)^(?:(\d+):)?(\d\d):(\d\d\.\d{3}) --> `)

// captions checks the captions that were in the file.
func captions(c Case, f Film) (all []string) {
	if len(f.Captions) != len(c.Captions) {
		return []string{fmt.Sprintf("there are %d captions, not %d", len(f.Captions), len(c.Captions))}
	}
	for _, path := range f.Captions {
		b, err := os.ReadFile(path)
		if err != nil {
			return []string{err.Error()}
		}
		var at []float64
		for _, m := range cueTime.FindAllSubmatch(b, -1) {
			minutes, _ := strconv.ParseFloat(string(m[2]), 64)
			seconds, _ := strconv.ParseFloat(string(m[3]), 64)
			at = append(at, 60*minutes+seconds)
		}
		if len(at) != 2 || math.Abs(at[0]-0.5) > 0.05 || math.Abs(at[1]-2.6) > 0.05 || !bytes.HasPrefix(b, []byte("WEBVTT")) ||
			!bytes.Contains(b, []byte("words")) || !bytes.Contains(b, []byte("第二")) {
			all = append(all, fmt.Sprintf("the captions are %q", b))
		}
	}
	return all
}
