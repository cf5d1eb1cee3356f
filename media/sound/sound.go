// Package sound does the worker's work with audio files: what they are, how loud they
// are, what they look like, and a copy that is as loud as others. Nothing of a file is
// in memory but the piece at hand.
package sound

import (
	"context"
	"fmt"
	"io"
	"math"

	"picora/media"
	"picora/media/av"
	"picora/media/tags"
)

// A File is one to read, of so many bytes.
type File struct {
	io.ReaderAt
	Size int64
}

// part is the file without what stands in front of the sound.
type part struct {
	*io.SectionReader
	typ   media.Type
	begin int64
}

// behind finds the sound, and what type it has if args' is right as far as it goes.
func behind(f File, args media.SoundArgs) (part, error) {
	t, known := media.TypeOf(args.MIME)
	if !known {
		return part{}, fmt.Errorf("sound: %q is no sound", args.MIME)
	}
	p := part{typ: t}
	if t == media.MP3 || t == media.FLAC {
		p.begin = tags.Begin(f, f.Size)
	}
	p.SectionReader = io.NewSectionReader(f, p.begin, f.Size-p.begin)
	head := make([]byte, media.SniffLen)
	const tag = "ID3\x03\x00\x00\x00\x00\x00\x00" // an empty one, where there was one
	n := 0
	if p.begin > 0 {
		n = copy(head, tag)
	}
	more, err := p.ReadAt(head[n:], 0)
	if err != nil && err != io.EOF {
		return p, err
	}
	if p.begin > 0 && more == 0 {
		return p, media.Corrupt("there is no sound in the file, only its tag")
	}
	is, err := media.SniffSound(head[:n+more])
	if err != nil {
		return p, err
	}
	if is != t && (t != media.MP3 || is != media.FLAC) {
		return p, fmt.Errorf("sound: %s is called %s", is.MIME, t.MIME)
	}
	p.typ = is
	return p, nil
}

// open opens the sound, and refuses films.
func (p part) open() (*av.Sound, av.SoundInfo, error) { return p.openAs(false) }

func (p part) openAs(uncut bool) (*av.Sound, av.SoundInfo, error) {
	s, err := av.OpenSound(p, p.Size(), p.typ, uncut)
	if err != nil {
		return nil, av.SoundInfo{}, err
	}
	info := s.Info(media.MaxChapters)
	if info.Film {
		s.Close()
		return nil, info, media.Unsupported("there are moving pictures in the file: upload it as a video")
	}
	return s, info, nil
}

// Read tells what a file is, and writes the picture inside it to out. Errors that are the
// file's fault are media.ErrCorrupt, media.ErrUnsupported or media.ErrTooManyPixels and
// carry a media.Reason.
func Read(ctx context.Context, f File, args media.SoundArgs, out io.Writer, progress func(float64)) (media.Sound, error) {
	p, err := behind(f, args)
	if err != nil {
		return media.Sound{}, err
	}
	if err := p.try(ctx); err != nil {
		return media.Sound{}, err
	}
	length, info, err := p.count(ctx, progress)
	if err != nil {
		return media.Sound{}, err
	}
	if err := p.judge(length, info, args); err != nil {
		return media.Sound{}, err
	}
	told := tags.Read(f, f.Size, p.typ)
	is := media.Sound{
		MIME: p.typ.MIME, Codec: info.Codec, Channels: info.Channels, SampleRate: info.SampleRate,
		Duration: math.Round(length.Seconds*1000) / 1000, BitRate: int64(math.Round(float64(length.Bytes) * 8 / length.Seconds)),
	}
	describe(&is, told, info)
	is.Cover, err = cover(ctx, told.Covers, args.MaxPixels, out)
	return is, err
}

// try decodes the beginning.
func (p part) try(ctx context.Context) error {
	s, _, err := p.open()
	if err != nil {
		return err
	}
	defer s.Close()
	n := 0
	_, err = s.Listen(ctx, av.As{}, func(float64) {}, func([]float64, int) bool { n++; return n < 8 })
	return err
}

// count tells how long the sound is. An M4A is counted uncut first: when its tables lie, its edit lists, which are
// made of the same times, are not believed either.
func (p part) count(ctx context.Context, progress func(float64)) (av.Length, av.SoundInfo, error) {
	s, info, err := p.openAs(true)
	if err != nil {
		return av.Length{}, info, err
	}
	l, sure, err := s.Count(ctx, progress)
	s.Close()
	if err != nil {
		return l, info, err
	}
	switch {
	case !sure:
		l.Seconds, err = p.heard(ctx, progress)
	case p.typ == media.M4A:
		if s, info, err = p.open(); err != nil {
			return l, info, err
		}
		defer s.Close()
		cut := l.Cut
		l, _, err = s.Count(ctx, progress)
		l.Cut = cut
	}
	return l, info, err
}

// heard counts by decoding everything.
func (p part) heard(ctx context.Context, progress func(float64)) (float64, error) {
	s, _, err := p.openAs(true)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	h, err := s.Listen(ctx, av.As{}, progress, func([]float64, int) bool { return true })
	return h.Seconds, err
}

// judge refuses what is not whole, is something else, or is too long.
func (p part) judge(l av.Length, info av.SoundInfo, args media.SoundArgs) error {
	most := args.MaxSeconds
	switch {
	case l.Packets == 0 || !(l.Seconds >= 0.001):
		return media.Corrupt("there is no sound in the file")
	case l.Cut && (p.typ == media.FLAC || p.typ == media.M4A), p.typ == media.FLAC && promised(p) > math.Round(l.Seconds*float64(info.SampleRate)):
		return media.Corrupt("the file is incomplete: its end is missing")
	case p.typ == media.MP3 && l.Bytes*8 < p.Size():
		return media.Corrupt("most of the file is no MP3")
	case most > 0 && l.Seconds > float64(most)+0.5: // a limit of an hour takes what is an hour by its maker's count
		return media.TooLong("sound", l.Seconds, float64(most))
	}
	return nil
}

// promised is how many samples a FLAC says it has, 0 when it does not (RFC 9639 section 8.2).
func promised(p part) float64 {
	var b [26]byte
	if _, err := p.ReadAt(b[:], 0); err != nil || b[4]&0x7F != 0 {
		return 0
	}
	n := int64(b[21] & 0x0F)
	for _, c := range b[22:26] {
		n = n<<8 | int64(c)
	}
	return float64(n)
}
