package av

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/asticode/go-astiav"

	"picora/media"
)

// Sound is an open audio file. It is not safe for concurrent use.
type Sound struct {
	in     *Input
	stream *astiav.Stream
	uncut  bool
	most   int64 // where the file has been read to
}

// SoundInfo is what an audio file says of itself.
type SoundInfo struct {
	Codec                string // FFmpeg's name
	Channels, SampleRate int
	Film                 bool              // there are moving pictures, beside or instead of the sound
	Tags                 map[string]string // as written, in whatever encoding, at most 64 of at most 4 KB; keys are lower-case
	Chapters             []Chapter
}

// Chapter is a stretch of a file that has a name. Times are in seconds.
type Chapter struct {
	Start, End float64
	Title      string // as written
}

// soundFormats are FFmpeg's names of the types that are taken.
var soundFormats = map[media.Type]string{media.MP3: "mp3", media.M4A: "mov", media.WAV: "wav", media.FLAC: "flac", media.Ogg: "ogg"}

// What a file may ask for.
const (
	maxChannels       = 64
	minRate, maxRate  = 1000, 768_000
	soundPixels       = 1 << 26 // FFmpeg does not look at covers, and films are refused
	packetsAtOnce     = 500     // between looks at the context
	errNoSound        = "there is no sound in the file"
	errUnknownVariant = "the sound is coded in a way that is not supported"
)

// OpenSound opens the size bytes of r, which are of type t; ID3v2 tags do not belong in front of them. Errors are those
// of r, media.Corrupt and media.Unsupported. Uncut, an M4A is read without its edit lists, which say what of it is to be
// heard.
func OpenSound(r io.ReaderAt, size int64, t media.Type, uncut bool) (*Sound, error) {
	known := astiav.FindInputFormat(soundFormats[t])
	if known == nil {
		return nil, fmt.Errorf("av: %s is no sound", t.MIME)
	}
	var more []string
	if t == media.M4A && uncut {
		more = []string{"ignore_editlist", "1"}
	}
	in, err := open(r, size, Limits{Pixels: soundPixels}, known, more...)
	if err != nil {
		return nil, err
	}
	s := &Sound{in: in, uncut: uncut}
	if err := s.choose(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Close frees what OpenSound took.
func (s *Sound) Close() { s.in.Close() }

// choose looks for the stream to hear.
func (s *Sound) choose() error {
	if err := findInfo(s.in.format, s.in.limits.Pixels); err != nil {
		return s.in.refuse("probe", err)
	}
	for _, c := range s.in.format.Streams() {
		if c.CodecParameters().MediaType() != astiav.MediaTypeAudio {
			c.SetDiscard(astiav.DiscardAll)
			continue
		}
		if s.stream == nil || c.DispositionFlags().Has(astiav.DispositionFlagDefault) && !s.stream.DispositionFlags().Has(astiav.DispositionFlagDefault) {
			s.stream = c
		}
	}
	if s.stream == nil {
		if s.film() {
			return media.Unsupported("this is a film without sound: upload it as a video")
		}
		return media.Corrupt(errNoSound)
	}
	p := s.stream.CodecParameters()
	switch rate, channels := p.SampleRate(), p.ChannelLayout().Channels(); {
	case s.film():
	case p.CodecID() == astiav.CodecIDNone || astiav.FindDecoder(p.CodecID()) == nil:
		return media.Unsupported(errUnknownVariant)
	case rate == 0 || channels == 0:
		return media.Corrupt(errNoSound)
	case rate < minRate || rate > maxRate || channels > maxChannels:
		return media.Unsupported(fmt.Sprintf("the sound has %d channels of %d Hz, which is not supported", channels, rate))
	}
	for _, c := range s.in.format.Streams() {
		if c.Index() != s.stream.Index() {
			c.SetDiscard(astiav.DiscardAll)
		}
	}
	return nil
}

// film says whether there are moving pictures.
func (s *Sound) film() bool {
	for _, c := range s.in.format.Streams() {
		if c.CodecParameters().MediaType() == astiav.MediaTypeVideo && !c.DispositionFlags().Has(astiav.DispositionFlagAttachedPic) {
			return true
		}
	}
	return false
}

// Info returns what the file says of itself, with its first n chapters.
func (s *Sound) Info(n int) SoundInfo {
	p := s.stream.CodecParameters()
	out := SoundInfo{
		Codec: p.CodecID().Name(), Channels: p.ChannelLayout().Channels(), SampleRate: p.SampleRate(), Film: s.film(),
		Tags: rawTags(s.in.format.Metadata()), Chapters: chaptersOf(s.in.format, n),
	}
	for k, v := range rawTags(s.stream.Metadata()) { // Ogg's are there
		if out.Tags[k] == "" {
			out.Tags[k] = v
		}
	}
	return out
}

// rawTags copies a dictionary, bounded.
func rawTags(d *astiav.Dictionary) map[string]string {
	out := map[string]string{}
	if d == nil {
		return out
	}
	every := astiav.NewDictionaryFlags(astiav.DictionaryFlagIgnoreSuffix)
	for e := d.Get("", nil, every); e != nil && len(out) < 64; e = d.Get("", e, every) {
		if k, v := strings.ToLower(clean(e.Key(), 64)), e.Value(); k != "" && v != "" {
			out[k] = strings.Clone(v[:min(len(v), 4<<10)])
		}
	}
	return out
}

// Length is what was counted of a file's sound.
type Length struct {
	Seconds float64
	Bytes   int64 // of the coded sound
	Packets int64
	Cut     bool // the file ends in the middle of something, or has less than its index says
}

// Count reads all of the file and counts how long it is, without decoding. No header is believed: when packets do not
// tell for themselves, and the container's tables tell something that their coding does not, sure is false. Nothing else
// can be done with the file after.
func (s *Sound) Count(ctx context.Context, progress func(float64)) (l Length, sure bool, err error) {
	p := s.stream.CodecParameters()
	rate := float64(max(p.SampleRate(), 1))
	packet, last := astiav.AllocPacket(), astiav.AllocPacket()
	defer packet.Free()
	defer last.Free()
	longest := int64(1) << 40
	if p.CodecID() == astiav.CodecIDVorbis && s.in.container() == "ogg" { // of its last packet, the page tells
		longest = 4096
	}
	var w walked
	for err == nil {
		if ctx.Err() != nil {
			return l, false, ctx.Err()
		}
		err = walk(s.in.format, packet, last, s.stream.Index(), packetsAtOnce, longest, &w)
		progress(s.part())
	}
	if s.in.readErr != nil {
		return l, false, s.in.refuse("read", err)
	}
	told := seconds(w.ticks, s.stream.TimeBase())
	l = Length{Bytes: w.bytes, Packets: w.packets, Seconds: max(0, told-float64(w.skipped)/rate), Cut: !errors.Is(err, astiav.ErrEof)}
	indexed := s.in.container() == "mov" && s.uncut && frameSize(p) > 0 // without frames, the index counts samples
	l.Cut = l.Cut || indexed && s.stream.NbFrames() > w.packets ||
		p.CodecID() == astiav.CodecIDFlac && w.packets > 0 && !s.whole(last)
	sure = w.blanks == 0
	if s.in.container() == "mov" {
		coded := float64(w.packets-w.dropped) * float64(frameSize(p)) / rate
		sure = sure && math.Abs(told-coded) < 0.09 // the last packet may be short
	}
	return l, sure, nil
}

// whole says whether a packet that stands for itself can be decoded without a doubt.
func (s *Sound) whole(p *astiav.Packet) bool {
	d := player{s: s}
	if err := d.open("err_detect", "crccheck+bitstream+buffer+explode"); err != nil {
		return false
	}
	defer d.decoder.Free()
	f := astiav.AllocFrame()
	defer f.Free()
	return errors.Join(d.decoder.SendPacket(p), d.decoder.SendPacket(nil), d.decoder.ReceiveFrame(f)) == nil
}

func seconds(ticks int64, base astiav.Rational) float64 {
	return float64(ticks) * float64(base.Num()) / float64(max(base.Den(), 1))
}

// part is how much of the file has been read.
func (s *Sound) part() float64 {
	s.most = max(s.most, s.in.at)
	return min(1, float64(s.most)/float64(max(s.in.size, 1)))
}
