package av

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/asticode/go-astiav"

	"picora/media"
)

// tracksJob is what is made of a film in one decoding.
type tracksJob struct {
	film   *Film
	args   media.TracksArgs
	loop   *loop
	cuts   *cuts
	ladder *ladder
	marks  []*mark // of picture tracks or, if there are none, of sounds
	sounds []*mark
	made   media.TracksMade
}

// Tracks makes the outputs that a asks for, each in its file, from one reading of the film.
// What cannot be decoded is left out, and said in the Note. Nothing else can be done with
// the film after. Errors that are the file's fault are media.ErrCorrupt or
// media.ErrUnsupported.
func (f *Film) Tracks(ctx context.Context, a media.TracksArgs, outs []File, progress func(float64)) (media.TracksMade, error) {
	if len(outs) != len(a.Outputs) {
		return media.TracksMade{}, fmt.Errorf("av: %d files for %d outputs", len(outs), len(a.Outputs))
	}
	if !(a.Segment >= 0.5 && a.Segment <= 60) {
		return media.TracksMade{}, fmt.Errorf("av: segments of %v s", a.Segment)
	}
	j := &tracksJob{
		film: f, args: a, loop: newLoop(f),
		cuts: &cuts{every: int64(math.Round(a.Segment * 1e6)), keys: a.Survey.Copy},
		made: media.TracksMade{Outputs: make([]media.TrackMade, len(a.Outputs))},
	}
	defer j.loop.free()
	for i := range a.Outputs {
		if err := j.add(a.Outputs[i], outs[i], &j.made.Outputs[i]); err != nil {
			return media.TracksMade{}, err
		}
	}
	pictures := j.loop.lane(f.video) // always read, for the boundaries and the duration
	pictures.packets = append([]packetSink{watch{j.cuts, f.video.TimeBase()}}, pictures.packets...)
	stop := j.report(progress)
	err := j.loop.run(ctx)
	stop()
	if err != nil {
		return media.TracksMade{}, err
	}
	j.conclude()
	progress(1)
	return j.made, nil
}

// add adds what makes an output.
func (j *tracksJob) add(a media.TrackArgs, out File, made *media.TrackMade) error {
	switch a.Kind {
	case media.PictureTrack:
		m := &mark{}
		j.marks = append(j.marks, m)
		if a.Copy {
			n := j.loop.lane(j.film.video)
			n.packets = append(n.packets, &copyTrack{film: j.film, cut: cutter{cuts: j.cuts}, rate: j.args.Survey.FrameRate, out: out, mark: m, made: made})
			return nil
		}
		return j.addRung(a, out, m, made)
	case media.SoundTrack:
		s, err := j.film.stream(a.Stream, astiav.MediaTypeAudio)
		if err != nil {
			return err
		}
		m := &mark{}
		j.sounds = append(j.sounds, m)
		n := j.loop.lane(s)
		n.sinks = append(n.sinks, &soundTrack{
			args: a, base: s.TimeBase(), every: j.cuts.every, until: int64(j.args.Survey.Duration * 1e6),
			out: out, mark: m, made: made,
		})
		return nil
	}
	return j.addSmall(a, out, made)
}

// addSmall adds what makes a small thing beside the tracks.
func (j *tracksJob) addSmall(a media.TrackArgs, out File, made *media.TrackMade) error {
	pictures := j.loop.lane(j.film.video)
	switch a.Kind {
	case media.PosterOut:
		pictures.sinks = append(pictures.sinks, newPoster(j.film, a, j.args.Survey, out, made))
	case media.BoardOut:
		pictures.sinks = append(pictures.sinks, newBoard(j.film, a, j.args.Survey, out, made))
	case media.PreviewOut:
		pictures.sinks = append(pictures.sinks, newPreview(j.film, a, j.args, out, made))
	case media.CaptionTrack:
		s, err := j.film.stream(a.Stream, astiav.MediaTypeSubtitle)
		if err != nil {
			return err
		}
		n := j.loop.lane(s)
		n.packets = append(n.packets, &textTrack{stream: s, out: out, made: made})
	default:
		return fmt.Errorf("av: no such output: %q", a.Kind)
	}
	return nil
}

// addRung adds a size to the ladder.
func (j *tracksJob) addRung(a media.TrackArgs, out File, m *mark, made *media.TrackMade) error {
	if a.Width <= 0 || a.Height <= 0 {
		a.Width, a.Height = even(j.args.Survey.Width), even(j.args.Survey.Height)
	}
	if a.Width%2 != 0 || a.Height%2 != 0 || a.Width > 16384 || a.Height > 16384 {
		return fmt.Errorf("av: pictures of %d x %d", a.Width, a.Height)
	}
	if j.ladder == nil {
		j.ladder = newLadder(j.film, j.cuts, j.args.Survey)
		n := j.loop.lane(j.film.video)
		n.sinks = append(n.sinks, j.ladder)
	}
	rate := j.args.Survey.FrameRate
	if rate <= 0 {
		rate = j.film.seen.rate
	}
	if rate <= 0 {
		rate = 25
	}
	if a.MaxRate > 0 {
		rate = min(rate, a.MaxRate)
	}
	j.ladder.add(&rung{args: a, job: j.args, rate: rate, base: j.film.base, out: out, mark: m, made: made})
	return nil
}

// watch tells the boundaries of the packets that come.
type watch struct {
	cuts *cuts
	base astiav.Rational
}

func (w watch) packet(p *astiav.Packet) error {
	if p != nil {
		w.cuts.see(p, w.base)
	}
	return nil
}

func (w watch) free() {}

// report tells the progress from what has been written, until it is stopped.
func (j *tracksJob) report(progress func(float64)) (stop func()) {
	whole := j.args.Survey.Duration * 1e6
	if whole <= 0 {
		return func() {}
	}
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-end:
				return
			case <-tick.C:
				progress(min(0.999, max(0, float64(j.written())/whole)))
			}
		}
	}()
	return func() { close(end); <-ended }
}

// written is how far the output has come that is the slowest: µs.
func (j *tracksJob) written() int64 {
	marks := j.marks
	if len(marks) == 0 {
		marks = j.sounds
	}
	if len(marks) == 0 {
		return j.loop.until.Load()
	}
	at := int64(math.MaxInt64)
	for _, m := range marks {
		at = min(at, m.at.Load())
	}
	return at
}

// conclude says how much could be read, and what not.
func (j *tracksJob) conclude() {
	var end float64
	for _, n := range j.loop.lanes {
		if n.last != noTime {
			end = max(end, seconds(n.last+n.lasts, n.stream.TimeBase()))
		}
	}
	if end == 0 {
		end = float64(j.loop.until.Load()) / 1e6
	}
	j.made.Duration = end
	// Where the sound is not wanted, it may go on for longer.
	all := len(j.args.Survey.Sounds) == 0 || len(j.sounds) > 0
	pictures := j.loop.lanes[j.film.video.Index()]
	bad := pictures.bad.Load()
	j.made.Bad = bad
	switch {
	case j.loop.cut, all && end > 0 && end < j.args.Survey.Duration-2:
		j.made.Note = fmt.Sprintf("The file is damaged: %s of it could be read.", spoken(end))
	case bad > 2 && bad*1000 > pictures.frames:
		j.made.Note = fmt.Sprintf("The file is damaged: %d of its pictures could not be decoded.", bad)
	}
}

// spoken writes a length of time for people: "1 h 2 min", "9 min 30 s", "12.5 s".
func spoken(s float64) string {
	switch d := time.Duration(math.Round(s)) * time.Second; {
	case s < 60:
		return fmt.Sprintf("%.3g s", math.Round(s*10)/10)
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	default:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
}
