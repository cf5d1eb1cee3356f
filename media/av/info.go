package av

import (
	"math"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/asticode/go-astiav"
)

// Info is what a file says of itself. What it does not say is zero.
type Info struct {
	Container string        // FFmpeg's name: "mov", "matroska", "gif", "png" …
	Duration  time.Duration // 0 for stills and where it is unknown
	BitRate   int64         // bits a second, of all streams
	// Width and Height are those of the picture in pixels, tiles put together, not turned; 0 when there is none.
	Width, Height int
	Streams       []Stream // the first 64
	ICC           []byte   // the profile of a HEIF picture; others give theirs with the picture
	Tags          Tags
}

// Stream is one of a file's streams.
type Stream struct {
	Kind                        string // "video", "audio", "subtitle", "data" or "attachment"
	Codec                       string // FFmpeg's name: "h264", "aac", "gif" …
	Profile                     string // "High", "LC" …
	Language                    string // as the file writes it, most often ISO 639-2
	Duration                    time.Duration
	BitRate                     int64 // bits a second
	Frames                      int64 // where the container counts them
	Width, Height               int   // pixels, not turned
	PixelFormat                 string
	Depth                       int    // bits of a sample
	Aspect                      [2]int // of a pixel, width to height; zero when unknown
	FrameRate                   [2]int // frames a second as a fraction
	Primaries, Transfer, Matrix string // FFmpeg's names of ITU-T H.273's code points
	FullRange                   bool   // samples use all values
	Rotation                    int    // degrees clockwise that it has to be turned by for showing
	Channels, SampleRate        int    // SampleRate in hertz
	Default                     bool   // shown when nobody chooses
	Attached                    bool   // a cover, not a film
	Tags                        Tags
}

// Tags are the words a file carries about itself (title, artist, date, encoder …), at most 64, each at most 1024 bytes
// of valid UTF-8 without control characters. Keys are lower-case.
type Tags map[string]string

// Info looks into the file for its facts, decoding a little where the container does not tell.
func (in *Input) Info() (Info, error) {
	if !in.informed {
		if err := findInfo(in.format, in.limits.Pixels); err != nil {
			return Info{}, in.refuse("probe", err)
		}
		in.informed = true
	}
	out := Info{
		Container: in.container(),
		Duration:  ticks(in.format.Duration(), astiav.NewRational(1, 1_000_000)),
		BitRate:   max(0, in.format.BitRate()),
		Tags:      tags(in.format.Metadata()),
	}
	if _, colour, _ := in.items(); colour != nil {
		out.Width, out.Height, out.Duration, out.BitRate, out.ICC = colour.w, colour.h, 0, 0, in.itemICC()
	} else if s, err := in.stream(); err == nil {
		out.Width, out.Height = s.CodecParameters().Width(), s.CodecParameters().Height()
	}
	for i, s := range in.format.Streams() {
		if i < 64 {
			out.Streams = append(out.Streams, in.describe(s))
		}
	}
	return out, nil
}

func (in *Input) describe(s *astiav.Stream) Stream {
	p := s.CodecParameters()
	facts := parametersOf(p)
	out := Stream{
		Codec:    p.CodecID().Name(),
		Kind:     p.MediaType().String(),
		Profile:  facts.profile,
		Depth:    facts.depth,
		Duration: ticks(s.Duration(), s.TimeBase()),
		BitRate:  max(0, p.BitRate()),
		Frames:   max(0, s.NbFrames()),
		Default:  s.DispositionFlags().Has(astiav.DispositionFlagDefault),
		Attached: s.DispositionFlags().Has(astiav.DispositionFlagAttachedPic),
		Tags:     tags(s.Metadata()),
	}
	out.Language = out.Tags["language"]
	switch p.MediaType() {
	case astiav.MediaTypeVideo:
		out.Width, out.Height, out.Rotation = p.Width(), p.Height(), facts.rotation
		out.PixelFormat = p.PixelFormat().Name()
		out.Primaries, out.Transfer, out.Matrix = facts.names()
		out.FullRange = facts.full
		out.Aspect = fraction(in.format.GuessSampleAspectRatio(s, nil))
		out.FrameRate = fraction(in.format.GuessFrameRate(s, nil))
	case astiav.MediaTypeAudio:
		out.SampleRate = p.SampleRate()
		if l := p.ChannelLayout(); l.Valid() {
			out.Channels = l.Channels()
		}
	}
	return out
}

func fraction(r astiav.Rational) [2]int {
	if r.Num() <= 0 || r.Den() <= 0 || r.Num() == math.MaxInt32 {
		return [2]int{}
	}
	return [2]int{r.Num(), r.Den()}
}

// tags copies a dictionary, bounded and cleaned: what is in it are words of a stranger.
func tags(d *astiav.Dictionary) Tags {
	if d == nil {
		return nil
	}
	out := Tags{}
	every := astiav.NewDictionaryFlags(astiav.DictionaryFlagIgnoreSuffix)
	for e := d.Get("", nil, every); e != nil && len(out) < 64; e = d.Get("", e, every) {
		key, value := strings.ToLower(clean(e.Key(), 64)), clean(e.Value(), 1024)
		if key != "" && value != "" {
			out[key] = value
		}
	}
	return out
}

// clean makes at most n bytes of plain text.
func clean(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s[:min(len(s), 4*n)], ""))
	for len(s) > n {
		_, last := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-last]
	}
	return strings.TrimSpace(s)
}

// ticks returns how long n units of a time base are.
func ticks(n int64, base astiav.Rational) time.Duration {
	if n <= 0 || base.Den() <= 0 || base.Num() <= 0 {
		return 0
	}
	d := float64(n) * float64(base.Num()) / float64(base.Den()) * float64(time.Second)
	if d >= math.MaxInt64 {
		return 0
	}
	return time.Duration(math.Round(d))
}
