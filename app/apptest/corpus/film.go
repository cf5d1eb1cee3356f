package corpus

import (
	"fmt"
	"math"
	"os"
	"testing"

	"picora/media/hls"
)

// Film is what was made of a case: files, and what was said of them.
type Film struct {
	Duration float64
	Rungs    []Track // at least one
	Sounds   []Track
	MP4      string   // path, or empty
	Captions []string // paths of WebVTT
}

// Track is one track of a Film.
type Track struct {
	Name, Path      string
	Width, Height   int
	Rate            float64
	Codecs          string
	Peak, Average   int64 // bits a second
	Copied          bool
	Channels        int
	Lang            string
	starts, keys    []float64
	begins, lasting float64
}

// Check reports everything in which the film is not what the case says.
func Check(t testing.TB, c Case, f Film) {
	t.Helper()
	for _, problem := range Problems(t, c, f) {
		t.Errorf("%s: %s", c.Name, problem)
	}
}

// Problems is Check that tells.
func Problems(t testing.TB, c Case, f Film) []string {
	t.Helper()
	all := declared(c, f)
	if len(f.Rungs) > 0 {
		all = append(all, compared(t, c, f)...)
	}
	return all
}

// declared holds what was said of the film against what ffprobe says of its files.
func declared(c Case, f Film) (all []string) {
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if len(f.Rungs) == 0 {
		return []string{"there are no pictures"}
	}
	if c.Seconds > 0 && math.Abs(f.Duration-c.Seconds) > 0.1 {
		say("it is said to last %.3f s, and lasts %.3f", f.Duration, c.Seconds)
	}
	for i := range f.Rungs {
		all = append(all, rung(c, &f.Rungs[i])...)
	}
	for i := range f.Sounds {
		all = append(all, sound(c, &f.Sounds[i])...)
	}
	all = append(all, aligned(f.Rungs)...)
	all = append(all, lasts(c, f)...)
	if c.Sounds != nil && len(f.Sounds) != len(c.Sounds) {
		say("it has %d sounds, not %d", len(f.Sounds), len(c.Sounds))
	} else {
		for i, s := range c.Sounds {
			if got := f.Sounds[i]; got.Channels != s.Channels || !sameLanguage(got.Lang, s.Lang) {
				say("sound %d has %d channels and is %q, not %+v", i, got.Channels, got.Lang, s)
			}
		}
	}
	return append(all, captions(c, f)...)
}

var languages = map[string]string{"eng": "en", "ger": "de", "deu": "de", "und": ""}

func sameLanguage(a, b string) bool {
	short := func(l string) string {
		if s, ok := languages[l]; ok {
			return s
		}
		return l
	}
	return short(a) == short(b)
}

// lasts checks how long the tracks are together.
func lasts(c Case, f Film) (all []string) {
	end := 0.0
	for _, t := range append(f.Rungs[:1:1], f.Sounds...) {
		end = max(end, t.begins+t.lasting)
	}
	if c.Seconds > 0 && math.Abs(end-c.Seconds) > 0.1 {
		all = append(all, fmt.Sprintf("its tracks end at %.3f s, not at %.3f", end, c.Seconds))
	}
	for _, r := range f.Rungs[1:] {
		if one := f.Rungs[0]; math.Abs(r.begins+r.lasting-one.begins-one.lasting) > 0.1 {
			all = append(all, fmt.Sprintf("%s ends at %.3f s, %s at %.3f", r.Name, r.begins+r.lasting, one.Name, one.begins+one.lasting))
		}
	}
	return all
}

// segments checks the index of a track against what is in the file, and notes where the
// segments begin.
func segments(t *Track, packets []Packet, slack float64) (all []string) {
	say := func(format string, args ...any) {
		all = append(all, t.Name+": "+fmt.Sprintf(format, args...))
	}
	file, err := os.Open(t.Path)
	if err != nil {
		return []string{err.Error()}
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return []string{err.Error()}
	}
	x, err := hls.ReadIndex(file, info.Size())
	if err != nil {
		say("its index: %v", err)
		return all
	}
	t.begins, t.lasting = Begins(packets), Ends(packets)-Begins(packets)
	if off := math.Abs(x.Duration() - t.lasting); off > 0.1 {
		say("the segments last %.3f s, the packets %.3f", x.Duration(), t.lasting)
	}
	at, from, sum := x.Init, t.begins, int64(0)
	for n, s := range x.Segments {
		first := firstFrom(packets, at)
		switch {
		case first == nil || int64(first.Pos) >= at+s.Size:
			say("segment %d has no packet", n)
		case !first.Key():
			say("segment %d does not begin with a key frame", n)
		case math.Abs(earliest(packets, at, at+s.Size)-from) > slack:
			say("segment %d begins at %.3f s, not at %.3f", n, earliest(packets, at, at+s.Size), from)
		}
		t.starts = append(t.starts, from)
		sum += s.Size
		at, from = at+s.Size, from+s.Duration
	}
	if peak := peakOf(x.Segments); float64(t.Peak) < 0.98*peak {
		say("its segments have %.0f bits a second, more than the %d it is said to have", peak, t.Peak)
	}
	if average := float64(sum) * 8 / max(x.Duration(), 0.04); t.Average > 0 && math.Abs(average-float64(t.Average)) > 0.1*average {
		say("it has %.0f bits a second on average, not %d", average, t.Average)
	}
	return all
}

// peakOf is the highest bit rate of segments that follow each other and last as long as
// half to one and a half of the longest together (RFC 8216 section 4.1).
func peakOf(all []hls.Segment) (peak float64) {
	longest := 0.0
	for _, s := range all {
		longest = max(longest, math.Round(s.Duration))
	}
	for i := range all {
		bits, lasts := 0.0, 0.0
		for _, s := range all[i:] {
			bits, lasts = bits+8*float64(s.Size), lasts+s.Duration
			if lasts >= longest/2 && lasts <= 1.5*longest {
				peak = max(peak, bits/lasts)
			}
		}
	}
	return peak
}

// firstFrom is the first packet behind a place in the file.
func firstFrom(packets []Packet, pos int64) *Packet {
	var first *Packet
	for i, p := range packets {
		if int64(p.Pos) >= pos && (first == nil || p.Pos < first.Pos) {
			first = &packets[i]
		}
	}
	return first
}

// earliest is the earliest time of the packets that lie between two places.
func earliest(packets []Packet, from, to int64) float64 {
	at := math.Inf(1)
	for _, p := range packets {
		if int64(p.Pos) >= from && int64(p.Pos) < to {
			at = min(at, float64(p.PTS))
		}
	}
	return at
}

// rung checks one size of the pictures.
func rung(c Case, t *Track) (all []string) {
	say := func(format string, args ...any) {
		all = append(all, t.Name+": "+fmt.Sprintf(format, args...))
	}
	p, err := Probe(t.Path)
	if err != nil {
		return []string{err.Error()}
	}
	if len(p.Streams) != 1 || p.Streams[0].Codec != "h264" || p.Streams[0].PixFmt != "yuv420p" && !t.Copied {
		say("its streams are %+v", p.Streams)
		return all
	}
	s := p.Streams[0]
	if s.Width != t.Width || s.Height != t.Height || s.Width%2+s.Height%2 != 0 || s.Aspect != "" && s.Aspect != "1:1" || len(s.Side) > 0 {
		say("it is %d x %d (%s, %v), and said to be %d x %d", s.Width, s.Height, s.Aspect, s.Side, t.Width, t.Height)
	}
	if c.Noted && t.Copied {
		say("the pictures of a damaged file are delivered as they are")
	}
	if off := math.Abs(float64(c.Width)*float64(s.Height)/float64(c.Height) - float64(s.Width)); off > 2.01 {
		say("%d x %d has not the proportions of %d x %d", s.Width, s.Height, c.Width, c.Height)
	}
	if min(s.Width, s.Height) > min(c.Width, c.Height)+1 {
		say("%d x %d is more than there is", s.Width, s.Height)
	}
	if why := avc(s, t.Codecs); why != "" {
		say("%s", why)
	}
	if s.Field != "progressive" && s.Field != "" && s.Field != "unknown" {
		say("it is interlaced: %s", s.Field)
	}
	if s.Trans == "smpte2084" || s.Trans == "arib-std-b67" {
		say("it is not tone-mapped: %s", s.Trans)
	}
	all = append(all, segments(t, p.Packets, 0.002)...)
	for _, packet := range p.Packets {
		if packet.Key() {
			t.keys = append(t.keys, float64(packet.PTS))
		}
	}
	rate := rateOf(p.Packets, c.Moving)
	if c.Rate > 0 && len(p.Packets) > 5 && (math.Abs(rate-c.Rate) > 0.05*c.Rate || math.Abs(t.Rate-c.Rate) > 0.05*c.Rate) {
		say("it has %.2f pictures a second and is said to have %.2f, not %.2f", rate, t.Rate, c.Rate)
	}
	return all
}

// rateOf is how many pictures a second there are, up to that time (0: to the end).
func rateOf(packets []Packet, until float64) float64 {
	n, begin := 0, Begins(packets)
	if until == 0 {
		return float64(len(packets)) / max(Ends(packets)-begin, 0.001)
	}
	for _, p := range packets {
		if float64(p.PTS) < until-0.001 {
			n++
		}
	}
	return float64(n) / max(until-begin, 0.001)
}

// sound checks one sound track.
func sound(_ Case, t *Track) (all []string) {
	p, err := Probe(t.Path)
	if err != nil {
		return []string{err.Error()}
	}
	if len(p.Streams) != 1 || p.Streams[0].Codec != "aac" || p.Streams[0].Channels != t.Channels || t.Codecs != "mp4a.40.2" {
		return []string{fmt.Sprintf("%s: said to be %s with %d channels, it is %+v", t.Name, t.Codecs, t.Channels, p.Streams)}
	}
	return segments(t, p.Packets, 0.03) // a frame of AAC is 21 ms
}

// aligned checks that players can change between the sizes at each segment.
func aligned(rungs []Track) (all []string) {
	var first *Track
	for i := range rungs {
		r := &rungs[i]
		if one := &rungs[0]; !same(r.starts, one.starts) {
			all = append(all, fmt.Sprintf("the segments of %s begin at %.3f, those of %s at %.3f", r.Name, r.starts, one.Name, one.starts))
		}
		if r.Copied {
			continue
		}
		if first == nil {
			first = r
		}
		if !same(r.keys, first.keys) {
			all = append(all, fmt.Sprintf("the key frames of %s are at %.3f, those of %s at %.3f", r.Name, r.keys, first.Name, first.keys))
		}
	}
	return all
}

func same(a, b []float64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if math.Abs(a[i]-b[i]) > 0.0015 {
			return false
		}
	}
	return true
}
