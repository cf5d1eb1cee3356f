package av

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/asticode/go-astiav"

	"picora/media"
	words "picora/media/tags"
)

// What is told of a file at most, so that a worker's answer stays small.
const (
	maxSounds   = 32
	maxCaptions = 64
)

// What is decoded at most for looking.
const (
	lookPackets = 400
	lookBytes   = 64 << 20
	lookFrames  = 60 // for telling half pictures from whole ones
)

// Look tells what a video file says of itself, and tries whether its first pictures can be
// decoded. It reads only the beginning, and what the container keeps at the end. Nothing
// else can be done with the film after.
func (f *Film) Look(ctx context.Context) (media.Video, error) {
	if err := f.playable(); err != nil {
		return media.Video{}, err
	}
	t := &trial{film: f}
	if err := t.run(ctx); err != nil {
		return media.Video{}, err
	}
	p := f.video.CodecParameters()
	said := rawTags(f.in.format.Metadata())
	v := media.Video{
		Container: f.in.container(), Duration: f.duration(), BitRate: max(0, f.in.format.BitRate()),
		Codec: p.CodecID().Name(), Profile: parametersOf(p).profile,
		FrameRate: f.average(), Rotation: f.seen.turn.degrees(), Interlaced: t.interlaced(),
		Depth: t.depth, HDR: t.colours.hdr(),
		Title: cleaned(said["title"]), Created: created(said["creation_time"]),
	}
	v.Width, v.Height = shown(t.form.width, t.form.height, t.form.aspect)
	if f.seen.turn.swap {
		v.Width, v.Height = v.Height, v.Width
	}
	f.others(&v)
	for _, c := range chaptersOf(f.in.format, media.MaxChapters) {
		v.Chapters = append(v.Chapters, media.Chapter{Start: c.Start, End: c.End, Title: cleaned(c.Title)})
	}
	v.Chapters = media.Chapters(v.Chapters, cmp.Or(v.Duration, math.MaxFloat64))
	return v, nil
}

// playable refuses pictures that nobody here can decode, by what their head says.
func (f *Film) playable() error {
	p := f.video.CodecParameters()
	switch {
	case f.seen.locked:
		return media.Unsupported("the video is locked by copy protection (DRM)")
	case p.CodecID() == astiav.CodecIDNone || astiav.FindDecoder(p.CodecID()) == nil:
		name := p.CodecID().Name()
		if name == "none" || name == "" || strings.HasPrefix(name, "unknown") {
			name = "a way that is not known"
		}
		return media.Unsupported("the pictures of the video are coded in " + name + ", which is not supported; convert it to H.264 in MP4")
	case f.seen.dolby == 5:
		return media.Unsupported("the video is Dolby Vision profile 5, whose colours only a Dolby screen can show; export it as HDR10 or SDR")
	case f.seen.declared.strange():
		return media.Unsupported("the colours of the video are coded in a way that is not supported")
	}
	return nil
}

// longestFilm is more than a film lasts, in seconds: a file that says so does not know.
const longestFilm = 1_000_000

// duration is how long the file says it is, in seconds; 0: it does not.
func (f *Film) duration() float64 {
	d := ticks(f.in.format.Duration(), micro).Seconds()
	// Matroska tells when it ends, on a clock that need not begin at zero.
	if begin := float64(f.origin) / 1e6; strings.HasPrefix(f.in.container(), "matroska") && begin > 1 && d > begin {
		d -= begin
	}
	if d > longestFilm {
		return 0
	}
	return math.Round(d*1000) / 1000
}

// average is how many pictures a second there are by the file's own word.
func (f *Film) average() float64 {
	if r := fraction(f.video.AvgFrameRate()); r[1] > 0 && r[0] <= 1000*r[1] {
		return math.Round(float64(r[0])/float64(r[1])*1000) / 1000
	}
	if f.seen.rate <= 1000 {
		return math.Round(f.seen.rate*1000) / 1000
	}
	return 0
}

// others tells the tracks beside the pictures.
func (f *Film) others(v *media.Video) {
	for _, s := range f.in.format.Streams() {
		p, d := s.CodecParameters(), s.DispositionFlags()
		if astiav.FindDecoder(p.CodecID()) == nil {
			continue
		}
		said := rawTags(s.Metadata())
		lang := language(said["language"])
		switch name := trackTitle(said); {
		case p.MediaType() == astiav.MediaTypeAudio && p.SampleRate() > 0 && p.ChannelLayout().Channels() > 0 && len(v.Sounds) < maxSounds:
			v.Sounds = append(v.Sounds, media.VideoSound{
				Stream: s.Index(), Codec: p.CodecID().Name(), Channels: p.ChannelLayout().Channels(),
				Lang: lang, Title: name, Default: d.Has(astiav.DispositionFlagDefault),
			})
		case p.MediaType() == astiav.MediaTypeSubtitle && isText(p.CodecID()) && len(v.Captions) < maxCaptions:
			v.Captions = append(v.Captions, media.VideoCaption{
				Stream: s.Index(), Codec: p.CodecID().Name(), Lang: lang, Title: name, Forced: d.Has(astiav.DispositionFlagForced),
			})
		}
	}
}

// isText says whether captions are text, not pictures of it.
func isText(id astiav.CodecID) bool {
	return slices.Contains([]astiav.CodecID{astiav.CodecIDSubrip, astiav.CodecIDSrt, astiav.CodecIDAss, astiav.CodecIDSsa, astiav.CodecIDMovText, astiav.CodecIDWebvtt}, id)
}

// trackTitle is what the maker called a track; what programs write there on their own is left out.
func trackTitle(said map[string]string) string {
	for _, key := range []string{"title", "name", "handler_name"} {
		s := cleaned(said[key])
		low := strings.ToLower(s)
		if s != "" && !strings.Contains(low, "handler") && !strings.Contains(low, "core media") && !strings.HasPrefix(low, "gpac") && !strings.HasPrefix(low, "mainconcept") {
			return s
		}
	}
	return ""
}

// language is a code of ISO 639, lower-case, with what follows it (BCP 47); empty: unknown.
func language(s string) string {
	s = strings.ToLower(strings.ReplaceAll(strings.TrimSpace(s), "_", "-"))
	first, _, _ := strings.Cut(s, "-")
	if len(first) < 2 || len(first) > 3 || len(s) > 16 || slices.Contains([]string{"und", "mul", "zxx", "mis", "qaa"}, first) {
		return ""
	}
	for _, r := range s {
		if r != '-' && (r < 'a' || r > 'z') && (r < '0' || r > '9') {
			return ""
		}
	}
	return s
}

func cleaned(s string) string { return words.Clean(words.Legacy(s)) }

// created reads when the file says it was made. Programs without a clock write 1904 or 1970.
func created(s string) string {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.Year() < 1980 || t.Year() > 2200 {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// trial decodes the first pictures.
type trial struct {
	film    *Film
	frames  int
	form    form
	depth   int
	colours colours
	said    int // frames that say that they are interlaced
	idet    *idet
	packets int
	bytes   int64
}

// run decodes until there is enough to tell.
func (t *trial) run(ctx context.Context) error {
	l := newLoop(t.film)
	defer l.free()
	lane := l.lane(t.film.video)
	lane.sinks, lane.packets = append(lane.sinks, t), append(lane.packets, (*trialPackets)(t))
	if err := l.run(ctx); err != nil && !errors.Is(err, errEnough) {
		return err
	}
	if t.frames == 0 {
		return media.Corrupt("no picture of the video can be decoded: the file is damaged or incomplete")
	}
	if t.colours.strange() {
		return media.Unsupported("the colours of the video are coded in a way that is not supported")
	}
	return t.film.in.tooLarge(t.form.width, t.form.height)
}

// take looks at a picture.
func (t *trial) take(f *astiav.Frame) error {
	if f == nil {
		return nil
	}
	if t.frames++; t.frames == 1 {
		t.form, t.colours = formOf(f), t.film.seen.meaning(f)
		t.depth = depth(frameC(f).format)
		if t.film.seen.order != fieldsNone && t.form.height >= 200 && t.form.height <= 1200 {
			t.idet = newIdet(f, t.film.base)
		}
	}
	if formOf(f).interlaced {
		t.said++
	}
	if t.idet == nil || t.frames >= lookFrames {
		return errEnough
	}
	return t.idet.take(f)
}

func (t *trial) free() {
	if t.idet != nil {
		t.idet.free()
	}
}

// interlaced says whether there are half pictures: those that are seen count more than what the
// file says, for broadcasts and cameras call whole pictures interlaced.
func (t *trial) interlaced() bool {
	said := t.film.seen.order == fieldsSaid || t.said > 0
	if t.idet == nil {
		return said
	}
	half, whole := t.idet.half, t.idet.whole
	if said {
		return whole < 10 || half*9 > whole
	}
	return half >= 8 && half > 2*whole
}

// trialPackets keeps a trial from reading all of a file of which nothing can be decoded.
type trialPackets trial

func (t *trialPackets) packet(p *astiav.Packet) error {
	if p == nil {
		return nil
	}
	t.bytes += int64(p.Size())
	if t.packets++; t.packets > lookPackets || t.bytes > lookBytes {
		return errEnough
	}
	return nil
}

func (t *trialPackets) free() {}

// idet counts pictures of which every other line is of another time, with FFmpeg's filter of that name.
type idet struct {
	graph       *pictureGraph
	half, whole int
}

func newIdet(f *astiav.Frame, base astiav.Rational) *idet {
	g, err := newPictureGraph("[in]idet[out]", f, base, nil)
	if err != nil {
		return nil // a form of pictures that it does not know
	}
	return &idet{graph: g}
}

func (d *idet) take(f *astiav.Frame) error {
	return d.graph.pass(f, func(f *astiav.Frame) error {
		e := f.Metadata()
		if e == nil {
			return nil
		}
		switch found := e.Get("lavfi.idet.multiple.current_frame", nil, 0); {
		case found == nil:
		case found.Value() == "tff", found.Value() == "bff":
			d.half++
		case found.Value() == "progressive":
			d.whole++
		}
		return nil
	})
}

func (d *idet) free() { d.graph.free() }
