package check

import (
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
)

// Answer is what a server says to a GET.
type Answer struct {
	Status int
	Type   string // Content-Type
	Body   []byte
}

// Stream is a whole stream, as its master playlist leads through it.
type Stream struct {
	Faults    []string
	Addresses []string // all that were asked for, in order
	Master    *Playlist
	Tracks    map[string]*Track // by the address of the media playlist

	get func(address string) (Answer, error)
}

// Track is a media playlist and all that it leads to.
type Track struct {
	*Playlist
	Kind string // PICTURES, AUDIO or SUBTITLES
	File []byte // the initialisation section and all segments
	CMAF CMAF   // of pictures and sounds
}

func (s *Stream) fault(format string, args ...any) {
	s.Faults = append(s.Faults, fmt.Sprintf(format, args...))
}

// Walk reads the master playlist at the address, and all that it leads to, and tells what
// is wrong: in each, and between them.
func Walk(address string, get func(address string) (Answer, error)) *Stream {
	s := &Stream{Tracks: map[string]*Track{}, get: get}
	s.Master = s.playlist(address)
	if !s.Master.Master {
		s.fault("%s is no master playlist", address)
		return s
	}
	for _, r := range s.Master.Renditions {
		s.track(address, r["URI"], r["TYPE"])
	}
	for _, v := range s.Master.Variants {
		t := s.track(address, v.URI, "PICTURES")
		s.rates(address, v, t)
	}
	s.together()
	return s
}

// fetch reads what uri means in the playlist at base.
func (s *Stream) fetch(base, uri string) (address string, a Answer) {
	b, err := url.Parse(base)
	if err != nil {
		s.fault("%s: %v", base, err)
		return uri, a
	}
	u, err := b.Parse(uri)
	if err != nil {
		s.fault("%s leads to %q: %v", base, uri, err)
		return uri, a
	}
	s.Addresses = append(s.Addresses, u.String())
	a, err = s.get(u.String())
	if err != nil || a.Status != 200 || len(a.Body) == 0 {
		s.fault("%s: status %d, %d bytes, %v", u, a.Status, len(a.Body), err)
	}
	return u.String(), a
}

func (s *Stream) playlist(address string) *Playlist {
	_, a := s.fetch(address, "")
	kind, _, _ := strings.Cut(strings.ToLower(a.Type), ";")
	if kind != "application/vnd.apple.mpegurl" && kind != "audio/mpegurl" {
		s.fault("%s is of the type %q (RFC 8216, 4)", address, a.Type)
	}
	p := Parse(string(a.Body))
	for _, f := range p.Faults {
		s.fault("%s: %s", address, f)
	}
	return p
}

// track reads a media playlist and its segments, each once.
func (s *Stream) track(base, uri, kind string) *Track {
	b, _ := url.Parse(base) // it was fetched
	u, err := b.Parse(uri)
	if err != nil {
		s.fault("%s leads to %q: %v", base, uri, err)
		return &Track{Playlist: &Playlist{}}
	}
	address := u.String()
	if t := s.Tracks[address]; t != nil {
		if t.Kind != kind {
			s.fault("%s is both %s and %s", address, t.Kind, kind)
		}
		return t
	}
	t := &Track{Playlist: s.playlist(address), Kind: kind}
	s.Tracks[address] = t
	if t.Master {
		s.fault("%s is no media playlist", address)
		return t
	}
	if kind == "SUBTITLES" {
		s.captions(address, t)
		return t
	}
	if t.Map == "" {
		s.fault("%s has no EXT-X-MAP (RFC 8216, 3.3)", address)
	} else {
		_, a := s.fetch(address, t.Map)
		t.File = append(t.File, a.Body...)
	}
	init := len(t.File)
	for _, piece := range t.Segments {
		_, a := s.fetch(address, piece.URI)
		t.File = append(t.File, a.Body...)
	}
	s.boxes(address, t, init)
	return t
}

func (s *Stream) captions(address string, t *Track) {
	for _, piece := range t.Segments {
		_, a := s.fetch(address, piece.URI)
		if kind, _, _ := strings.Cut(a.Type, ";"); kind != "text/vtt" || !strings.HasPrefix(string(a.Body), "WEBVTT") {
			s.fault("%s leads to captions of the type %q: %.20q (RFC 8216, 3.5)", address, a.Type, a.Body)
		}
		t.File = append(t.File, a.Body...)
	}
}

// boxes compares what the playlist says of the segments with what they are.
func (s *Stream) boxes(address string, t *Track, init int) {
	var err error
	if t.CMAF, err = ReadCMAF(t.File); err != nil {
		s.fault("%s: %v (RFC 8216, 3.3)", address, err)
		return
	}
	x := t.CMAF.Index
	if x.Init != int64(init) || len(x.Segments) != len(t.Segments) {
		s.fault("%s: %d segments after %d bytes, the boxes say %d after %d", address, len(t.Segments), init, len(x.Segments), x.Init)
		return
	}
	at := 0.0
	for i, piece := range t.Segments {
		if math.Abs(piece.Duration-x.Segments[i].Duration) > 0.05 || math.Abs(at-t.CMAF.Starts[i]) > 0.1 {
			s.fault("%s: segment %d of %f seconds at %f, the boxes say %f at %f (RFC 8216, 4.3.2.1)", address, i, piece.Duration, at, x.Segments[i].Duration, t.CMAF.Starts[i])
		}
		at += piece.Duration
	}
}

// peak is the peak segment bit rate: the largest of contiguous segments that last 0.5 to
// 1.5 times the target duration (RFC 8216, 4.1).
func (t *Track) peak() (most float64) {
	x := t.CMAF.Index.Segments
	for i := range x {
		var bits, seconds float64
		for _, piece := range x[i:] {
			bits, seconds = bits+8*float64(piece.Size), seconds+piece.Duration
			if seconds > 1.5*float64(t.Target) {
				break
			}
			if seconds >= 0.5*float64(t.Target) {
				most = max(most, bits/seconds)
			}
		}
	}
	return most
}

func (t *Track) average() float64 {
	var bits float64
	for _, piece := range t.CMAF.Index.Segments {
		bits += 8 * float64(piece.Size)
	}
	return bits / max(t.CMAF.Index.Duration(), 0.001)
}

// rates compares what the master says of a variant with what it is: with the largest of the
// sounds that go with it (RFC 8216, 4.3.4.2).
func (s *Stream) rates(master string, v Variant, t *Track) {
	if len(t.CMAF.Index.Segments) == 0 {
		return // which was said
	}
	peak, average, codecs := t.peak(), t.average(), []string{t.CMAF.Codecs}
	var peakSound, averageSound float64
	b, _ := url.Parse(master)
	for _, r := range s.Master.Group("AUDIO", v.Attributes["AUDIO"]) {
		if u, err := b.Parse(r["URI"]); err == nil && s.Tracks[u.String()] != nil {
			sound := s.Tracks[u.String()]
			peakSound, averageSound = max(peakSound, sound.peak()), max(averageSound, sound.average())
			codecs = append(codecs, sound.CMAF.Codecs)
		}
	}
	var said, saidAverage float64
	fmt.Sscan(v.Attributes["BANDWIDTH"], &said) // its form was checked
	fmt.Sscan(v.Attributes["AVERAGE-BANDWIDTH"], &saidAverage)
	if real := peak + peakSound; said < 0.99*real || said > 1.5*real+50_000 {
		s.fault("%s says BANDWIDTH=%.0f of %s, which is %.0f (RFC 8216, 4.3.4.2)", master, said, v.URI, real)
	}
	if real := average + averageSound; saidAverage != 0 && math.Abs(saidAverage-real) > 0.1*real {
		s.fault("%s says AVERAGE-BANDWIDTH=%.0f of %s, which is %.0f (RFC 8216, 4.3.4.2)", master, saidAverage, v.URI, real)
	}
	for _, c := range codecs {
		if !slices.Contains(strings.Split(strings.ToLower(v.Attributes["CODECS"]), ","), c) {
			s.fault("%s says CODECS=%s of %s, which has %s (RFC 8216, 4.3.4.2)", master, v.Attributes["CODECS"], v.URI, c)
		}
	}
}

// together checks what all tracks must have in common (RFC 8216, 6.2.4).
func (s *Stream) together() {
	var first *Track
	for address, t := range s.Tracks {
		if t.Kind == "SUBTITLES" || t.Master {
			continue
		}
		if first == nil || t.Kind == "PICTURES" && first.Kind != "PICTURES" {
			first = t
		}
		if t.Target != first.Target {
			s.fault("%s: a target duration of %d, elsewhere %d (RFC 8216, 6.2.4)", address, t.Target, first.Target)
		}
	}
	for address, t := range s.Tracks {
		if t.Kind != "PICTURES" || first == nil {
			continue
		}
		same := len(t.Segments) == len(first.Segments)
		for i := range t.Segments {
			same = same && math.Abs(t.Segments[i].Duration-first.Segments[i].Duration) < 0.05
		}
		if !same {
			s.fault("%s is cut at other times than other pictures (RFC 8216, 6.2.4)", address)
		}
	}
}
