package library

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"

	"picora/app/fault"
	"picora/media"
	"picora/media/worker"
	"picora/store"
	"picora/store/cache"
)

const (
	// segmentLength is how long the pieces of a track are, in seconds.
	segmentLength = 4
	// mostSounds and mostCaptions are how many of a file's are kept.
	mostSounds, mostCaptions = 8, 12
	// maxSurvey is the largest survey that is kept, in bytes.
	maxSurvey = 16 << 10
	// joinSide is the shorter side of the pictures in the one file, at most.
	joinSide = 720

	stillSide     = 720 // pixels, the shorter side at most
	boardSide     = 160 // pixels, the longer side of a picture on a sheet
	boardColumns  = 5
	boardRows     = 5
	boardPictures = 200 // about so many at most
	previewSide   = 240 // pixels, the shorter side at most
	previewLength = 6   // seconds
	previewCRF    = 28
)

// filmStep does the step of the work that is next, and notes what came of it at once.
func (l *Library) filmStep(ctx context.Context, w *filmWork) error {
	if w.media.Blob == "" {
		return fault.New(fault.Invalid, "The file was not kept, so nothing more can be made of it.")
	}
	var err error
	switch w.step {
	case stepNames[surveyStep]:
		err = l.surveyFilm(ctx, w)
	case stepNames[firstStep]:
		err = l.firstTracks(ctx, w)
	case stepNames[restStep]:
		err = l.otherTracks(ctx, w)
	default:
		err = l.joinFilm(ctx, w)
	}
	if err == nil && !w.finished {
		w.report(1)
	}
	return err
}

// noteFilm writes down what a step made and found out. The parts that it made are deleted
// when that fails: the video is gone, or somebody else did the step.
func (l *Library) noteFilm(ctx context.Context, w *filmWork, made *filmMade, edit func(now *store.Media) error) error {
	ctx = context.WithoutCancel(ctx)
	m, err := l.store.NoteMedia(ctx, w.media.ID, func(now *store.Media) error {
		if now.Film.Passes != w.media.Film.Passes {
			return store.ErrLeaseLost
		}
		made.putInto(now)
		return edit(now)
	})
	if err != nil {
		return l.dropMade(ctx, made, err)
	}
	for _, p := range made.parts {
		l.intakes.end(p.Blob)
	}
	w.media = m
	if w.finished {
		l.forgetFilm(m.ID)
	}
	l.onEdit(m.ID)
	l.signalTrash()
	return nil
}

// dropMade deletes what was made, because of err.
func (l *Library) dropMade(ctx context.Context, made *filmMade, err error) error {
	for _, p := range made.parts {
		// A commit may fail after the record is on the disk. See discard.
		known, e := l.store.HasBlob(ctx, p.Blob)
		if e == nil && !known {
			e = l.blobs.Delete(ctx, p.Blob)
		}
		err = errors.Join(err, e)
		l.intakes.end(p.Blob)
	}
	return err
}

// surveyFilm counts what is in the file.
func (l *Library) surveyFilm(ctx context.Context, w *filmWork) error {
	in, err := l.source(ctx, w.media.Blob)
	if err != nil {
		return err
	}
	defer in.Close()
	args := l.filmArgs(&w.media, l.filmSeconds(ctx, w.media.User))
	answer, err := l.films.pool.Run(ctx, worker.Job{Kind: media.SurveyJob, In: in.File, Args: args, CPU: filmCPU, Stall: l.films.stall}, w.report)
	if err != nil {
		return err
	}
	var s media.Survey
	if json.Unmarshal(answer, &s) != nil {
		return errNonsense
	}
	whole := s.Video
	if err := trustSurvey(&s); err != nil {
		return err
	}
	if args.MaxSeconds > 0 && s.Duration > args.MaxSeconds+1 {
		return filmTooLong(int64(args.MaxSeconds))
	}
	kept, err := json.Marshal(&s)
	if err != nil || len(kept) > maxSurvey {
		return fmt.Errorf("%w: a survey of %d bytes: %v", errNonsense, len(kept), err)
	}
	w.surveyed(s)
	return l.noteFilm(ctx, w, &filmMade{}, func(now *store.Media) error {
		if err := describeFilm(now, &whole); err != nil {
			return err
		}
		now.Film.Note, now.Film.Survey, now.Film.Passes = line(s.Note, 300), kept, firstStep
		return nil
	})
}

// filmSeconds is how long a video of the user's may be; negative: any. A plan that has no
// video any more does not take back what it let in.
func (l *Library) filmSeconds(ctx context.Context, user string) int64 {
	if l.usage == nil {
		return -1
	}
	_, seconds, err := l.usage.Video(ctx, user)
	if err != nil {
		return -1
	}
	return seconds
}

// firstTracks makes what is needed for the video to play, and what costs little beside it.
func (l *Library) firstTracks(ctx context.Context, w *filmWork) error {
	outs, rest := l.firstOutputs(w)
	made, err := l.makeTracks(ctx, w, outs)
	if err == nil && made.bad && w.survey.Copy {
		// Players stop at pictures that decoders here leave out: nothing is copied of such a file.
		if err = l.dropMade(ctx, &made, nil); err == nil {
			w.encodeAll()
			outs, rest = l.firstOutputs(w)
			made, err = l.makeTracks(ctx, w, outs)
		}
	}
	if err != nil {
		return err
	}
	kept, err := json.Marshal(&w.survey)
	if err != nil {
		return l.dropMade(context.WithoutCancel(ctx), &made, err)
	}
	return l.noteFilm(ctx, w, &made, func(now *store.Media) error {
		now.Film.State, now.Film.Fault, now.Film.Note = store.FilmPlayable, "", join(now.Film.Note, made.note)
		if made.duration > 0 && made.duration < now.Film.Duration-1 {
			now.Film.Duration = made.duration
		}
		now.Film.Passes, now.Film.Survey = restStep, kept
		if rest == 0 {
			now.Film.Passes = fileStep
		}
		return nil
	})
}

// firstOutputs are those of firstTracks, and how many sizes there are beside them.
func (l *Library) firstOutputs(w *filmWork) (outs []output, rest int) {
	first := base(w.rungs)
	for i, r := range w.rungs {
		if i == first || r.copied {
			outs = append(outs, l.picture(w, r))
		} else {
			rest++
		}
	}
	outs = append(outs, beside(w)...)
	if rest == 0 {
		outs = append(outs, preview(w))
	}
	return outs, rest
}

// otherTracks makes the sizes that are still missing.
func (l *Library) otherTracks(ctx context.Context, w *filmWork) error {
	var outs []output
	for _, r := range w.rungs {
		if _, there := w.media.Film.Track(r.name); !there {
			outs = append(outs, l.picture(w, r))
		}
	}
	outs = append(outs, preview(w))
	made, err := l.makeTracks(ctx, w, outs)
	if err != nil {
		return err
	}
	return l.noteFilm(ctx, w, &made, func(now *store.Media) error {
		now.Film.Note, now.Film.Passes = join(now.Film.Note, made.note), fileStep
		return nil
	})
}

// joinFilm makes one file of a size and the first sound. It is the last step.
func (l *Library) joinFilm(ctx context.Context, w *filmWork) error {
	var pictures, sound string
	best := 0
	for _, t := range w.media.Film.Tracks {
		side := min(t.Width, t.Height)
		if t.Kind == store.PictureTrack && (pictures == "" || side > best && side <= joinSide || best > joinSide && side < best) {
			pictures, best = t.Name, side
		}
		if t.Kind == store.SoundTrack && sound == "" {
			sound = t.Name
		}
	}
	part, there := w.media.Part(pictures)
	if !there {
		return errors.New("library: a video without pictures")
	}
	in, err := l.source(ctx, part.Blob)
	if err != nil {
		return err
	}
	defer in.Close()
	size := part.Size
	job := worker.Job{Kind: media.JoinJob, In: in.File, Args: media.JoinArgs{MaxSeconds: maxSeconds}, CPU: filmCPU, Stall: l.films.stall}
	if heard, there := w.media.Part(sound); there {
		beside, err := l.source(ctx, heard.Blob)
		if err != nil {
			return err
		}
		defer beside.Close()
		job.Beside = beside.File
		size += heard.Size
	}
	if err := l.filmHeadRoom(ctx, 2*size); err != nil {
		return err
	}
	out, err := l.variants.cache.Create()
	if err != nil {
		return err
	}
	defer out.Close()
	out.Discard() // its name: the file is there as long as it is open
	job.Out = out.File
	if _, err := l.films.pool.Run(ctx, job, w.report); err != nil {
		return err
	}
	var made filmMade
	if err := l.keepOutput(ctx, &made, &output{name: store.FilePart, kind: fileOut}, &media.TrackMade{}, out); err != nil {
		return l.dropMade(context.WithoutCancel(ctx), &made, err)
	}
	w.finished = true
	return l.noteFilm(ctx, w, &made, func(now *store.Media) error {
		now.Film.State, now.Film.Passes, now.Film.Survey = store.FilmReady, filmSteps, nil
		if !l.films.options.KeepOriginal {
			now.Blob, now.BlobSize = "", 0
		}
		return nil
	})
}

// filmHeadRoom reports errNoRoom when the disk has not so many bytes to spare.
func (l *Library) filmHeadRoom(ctx context.Context, bytes int64) error {
	err := l.Room(ctx, bytes)
	if err != nil && fault.From(err).Code == fault.StorageFull {
		free, _, _ := l.Disk(ctx) // for the message only
		return &fault.Error{Code: fault.StorageFull, Cause: errNoRoom, Message: fmt.Sprintf(
			"Waiting for room on the disk: this step may need %s, and %s are free, of which %s are to stay so.", size(roundMB(bytes)), size(roundMB(free)), size(roundMB(l.minFree)))}
	}
	return err
}

// roundMB is whole megabytes, so that a message does not change with every byte.
func roundMB(n int64) int64 { return (n + 1<<20 - 1) >> 20 << 20 }

// output is one output of a step.
type output struct {
	name  string // of the part
	kind  string // of media.TrackArgs, or fileOut
	args  media.TrackArgs
	track store.Track // what is known of it before
	bytes int64       // that it may have, about
}

// fileOut is all of a video in one file.
const fileOut = "file"

func newOutput(name string, args media.TrackArgs, t store.Track, bits float64, w *filmWork) output {
	t.Name = name
	return output{name: name, kind: args.Kind, args: args, track: t, bytes: int64(bits * w.survey.Duration / 8)}
}

func (l *Library) picture(w *filmWork, r rung) output {
	o := l.films.options
	args := media.TrackArgs{Kind: media.PictureTrack, Width: r.width, Height: r.height, MaxRate: float64(o.MaxFrameRate), Quality: float64(o.Quality), MaxBits: r.bits, Copy: r.copied}
	bits := float64(r.bits)
	if r.copied {
		bits = float64(max(w.survey.BitRate, r.bits))
	}
	return newOutput(r.name, args, store.Track{Kind: store.PictureTrack, Copied: r.copied}, bits, w)
}

func preview(w *filmWork) output {
	width, height := within(w.survey.Width, w.survey.Height, previewSide)
	args := media.TrackArgs{Kind: media.PreviewOut, Width: width, Height: height, Quality: previewCRF, MaxBits: 600_000, Length: previewLength}
	return newOutput(store.PreviewPart, args, store.Track{}, 0, w)
}

// beside are the outputs that cost little: picture, storyboard, sounds, captions.
func beside(w *filmWork) []output {
	s := &w.survey
	width, height := within(s.Width, s.Height, stillSide)
	boardWidth, boardHeight := boardSide, even(boardSide*float64(s.Height)/float64(s.Width))
	if s.Height > s.Width {
		boardWidth, boardHeight = even(boardSide*float64(s.Width)/float64(s.Height)), boardSide
	}
	list := []output{
		newOutput(store.PosterPart, media.TrackArgs{Kind: media.PosterOut, Width: width, Height: height}, store.Track{}, 0, w),
		newOutput(store.BoardPart, media.TrackArgs{
			Kind: media.BoardOut, Width: boardWidth, Height: boardHeight, Columns: boardColumns, Rows: boardRows,
			Every: max(math.Ceil(s.Duration/boardPictures), 1),
		}, store.Track{}, 0, w),
	}
	for i, sound := range s.Sounds {
		channels, bits := 2, int64(128_000)
		if sound.Channels == 1 {
			channels, bits = 1, 72_000
		}
		t := store.Track{Kind: store.SoundTrack, Channels: channels, Lang: language(sound.Lang), Label: sound.Title, Default: sound.Default}
		list = append(list, newOutput(fmt.Sprintf("sound-%d", i+1),
			media.TrackArgs{Kind: media.SoundTrack, Stream: sound.Stream, Bits: bits, Channels: channels}, t, float64(bits), w))
	}
	for i, c := range s.Captions {
		t := store.Track{Kind: store.TextTrack, Lang: language(c.Lang), Label: c.Title}
		if c.Forced && t.Label == "" {
			t.Label = "Forced"
		}
		list = append(list, newOutput(fmt.Sprintf("text-%d", i+1), media.TrackArgs{Kind: media.CaptionTrack, Stream: c.Stream}, t, 1000, w))
	}
	return list
}

// within is a size with its shorter side no longer than that, in even numbers.
func within(w, h, side int) (int, int) {
	scale := min(float64(side)/float64(min(w, h)), 1)
	return even(float64(w) * scale), even(float64(h) * scale)
}

// makeTracks has a worker make outputs, and keeps them as blobs. On an error nothing is
// kept.
func (l *Library) makeTracks(ctx context.Context, w *filmWork, outs []output) (made filmMade, err error) {
	need, most := int64(0), int64(0)
	for _, o := range outs {
		need += o.bytes
		most = max(most, o.bytes)
	}
	if err := l.filmHeadRoom(ctx, need+most); err != nil { // each is copied once
		return made, err
	}
	in, err := l.source(ctx, w.media.Blob)
	if err != nil {
		return made, err
	}
	defer in.Close()
	args := media.TracksArgs{Video: l.filmArgs(&w.media, -1), Survey: w.survey, Segment: segmentLength, Preset: l.films.options.Preset}
	files := make([]*cache.File, len(outs))
	more := make([]*os.File, len(outs))
	for i := range outs {
		args.Outputs = append(args.Outputs, outs[i].args)
		if files[i], err = l.variants.cache.Create(); err != nil {
			return made, err
		}
		defer files[i].Close()
		files[i].Discard() // its name: the file is there as long as it is open
		more[i] = files[i].File
	}
	answer, err := l.films.pool.Run(ctx, worker.Job{Kind: media.TracksJob, In: in.File, More: more, Args: args, CPU: filmCPU, Stall: l.films.stall}, w.report)
	if err != nil {
		return made, err
	}
	var done media.TracksMade
	if json.Unmarshal(answer, &done) != nil || len(done.Outputs) != len(outs) || !sensible(done.Duration, 0, maxSeconds) {
		return made, errNonsense
	}
	made.note, made.duration, made.bad = line(done.Note, 300), done.Duration, done.Bad > 0
	for i := range outs {
		err = ctx.Err()
		if err == nil {
			err = l.keepOutput(ctx, &made, &outs[i], &done.Outputs[i], files[i])
		}
		if err != nil {
			return filmMade{}, l.dropMade(context.WithoutCancel(ctx), &made, err)
		}
		files[i].Truncate(0) // the disk has it twice no longer than needed; failing that, until the end
	}
	w.made = made.names()
	return made, nil
}

// names lists what was made, for the log.
func (made *filmMade) names() string {
	var names []string
	for _, p := range made.parts {
		names = append(names, p.Name)
	}
	return strings.Join(names, ", ")
}
