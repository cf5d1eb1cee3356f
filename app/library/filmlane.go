package library

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"

	"picora/app/config"
	"picora/app/fault"
	"picora/media"
	"picora/media/worker"
	"picora/store"
)

// films is the work on videos: lanes take jobs out of the store's queue, a step of a video
// at a time, so what cannot be played yet goes before what can, and a restart loses no
// more than a step.
type films struct {
	pool    *worker.Pool
	options config.Video
	boot    string        // of this start of the server
	arrived chan struct{} // has room for one signal: there may be a job
	stall   time.Duration // of a worker's time: a step that does not move for so long is ended
	still   time.Duration // the same by the clock

	mu       sync.Mutex
	progress map[string]float64   // of what is not finished, from 0 to 1, by media id
	running  map[string]*filmWork // by the job's id
	turns    map[string]int64     // by user: when the last turn was, of all
	taken    int64                // turns
}

const (
	// filmHold is how long a lane has a job until it must renew that.
	filmHold = 2 * time.Minute
	// filmRenew is how often it does, and writes down how far it came.
	filmRenew = 20 * time.Second
	// filmWatch is how often a lane looks whether its video is still wanted.
	filmWatch = 300 * time.Millisecond
	// filmPoll is how often idle lanes look for what became due.
	filmPoll = time.Second
	// filmStall is more processor time than a step takes to make some progress, and
	// filmStill longer by the clock, on a machine so busy that a worker of the lowest
	// priority has a three hundredth of it.
	filmStall = 10 * time.Minute
	filmStill = 3 * time.Hour
	// filmCPU is the processor time of one step.
	filmCPU = 14 * 24 * time.Hour
	// roomAgain is when a video that the disk has no room for is looked at again.
	roomAgain = time.Minute
	// fullAgain is the same for one whose step filled the disk up, though there seemed to
	// be room: it may take long to come to that place once more.
	fullAgain = 5 * time.Minute
	// putAgain is when a job is put back that the store could not put back.
	putAgain = 5 * time.Second
	// suspectTries is how often a video is tried that a worker does not survive.
	suspectTries = 2
	// mostStops is how often the server may die on a step, beside its tries, until the
	// video is taken for the reason.
	mostStops = 5
	// jobsKept and jobsMost are how long, and how many, jobs are kept that ended.
	jobsKept = 30 * 24 * time.Hour
	jobsMost = 2000
)

var (
	errStalled = errors.New("library: no progress")
	errNoRoom  = errors.New("library: no room on the disk")
	errStops   = errors.New("library: the server died each time")
)

// UseFilms lets the library take videos, which the pool's workers work on. It needs
// UseWorkers. It is called once, before the start.
func (l *Library) UseFilms(p *worker.Pool, o config.Video) {
	l.films = &films{
		pool: p, options: o, boot: store.NewID(store.IDLen), arrived: make(chan struct{}, 1), stall: filmStall, still: filmStill,
		progress: map[string]float64{}, running: map[string]*filmWork{}, turns: map[string]int64{},
	}
}

// FilmProgress is how much is made of a video that is not finished, from 0 to 1.
func (l *Library) FilmProgress(id string) float64 {
	if l.films == nil {
		return 0
	}
	l.films.mu.Lock()
	defer l.films.mu.Unlock()
	return l.films.progress[id]
}

// Films works on videos until ctx ends.
func (l *Library) Films(ctx context.Context) {
	f := l.films
	if f == nil {
		return
	}
	if err := l.resumeFilms(ctx); err != nil && ctx.Err() == nil {
		slog.Error("the videos that a stop interrupted were not found", "err", err)
	}
	var lanes sync.WaitGroup
	for range f.options.Jobs {
		lanes.Go(func() { l.filmLane(ctx) })
	}
	lanes.Go(func() { l.trimJobs(ctx) })
	lanes.Wait()
}

// resumeFilms has the jobs wait that the stop of another server interrupted, and finds out
// how far they are.
func (l *Library) resumeFilms(ctx context.Context) error {
	n, err := l.store.FreeJobs(ctx, l.films.boot)
	if err != nil {
		return err
	}
	if n > 0 {
		slog.Info("the work on videos that a stop interrupted goes on", "videos", n)
	}
	for after := ""; ; {
		list, next, err := l.store.Jobs(ctx, store.JobWaiting, after, 100)
		if err != nil {
			return err
		}
		for i := range list {
			l.films.setProgress(list[i].Media, list[i].Progress)
		}
		if after = next; after == "" {
			return nil
		}
	}
}

func (f *films) setProgress(id string, p float64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.progress[id] = p
}

func (f *films) forget(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.progress, id)
}

// turn is when a user's last turn was, by number; 0: not since the start.
func (f *films) turn(user string) int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.turns[user]
}

// had notes that it was a user's turn. Of those who had theirs long ago it makes no
// difference when that was.
func (f *films) had(user string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.taken++
	f.turns[user] = f.taken
	if len(f.turns) > 2*mostTurns {
		maps.DeleteFunc(f.turns, func(_ string, at int64) bool { return at <= f.taken-mostTurns })
	}
}

// mostTurns is how many users' turns are known.
const mostTurns = 10_000

// forgetFilm forgets how far a video is that is gone.
func (l *Library) forgetFilm(id string) {
	if l.films != nil {
		l.films.forget(id)
	}
}

func (l *Library) trimJobs(ctx context.Context) {
	for {
		n, err := l.store.TrimJobs(ctx, l.store.Now().Add(-jobsKept), jobsMost)
		if err != nil && ctx.Err() == nil {
			slog.Warn("old jobs were not forgotten", "err", err)
		}
		wait := time.Hour
		if n > 0 {
			wait = time.Second // there may be more
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// filmLane works on one video at a time.
func (l *Library) filmLane(ctx context.Context) {
	f := l.films
	for ctx.Err() == nil {
		j, err := l.store.TakeJob(ctx, f.boot, filmHold, f.turn)
		if err == nil {
			f.had(j.User)
			signal(f.arrived) // for another lane
			l.workOn(ctx, j)
			continue
		}
		if !errors.Is(err, store.ErrNotFound) && ctx.Err() == nil {
			slog.Warn("no job could be taken", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-f.arrived:
		case <-time.After(filmPoll):
		}
	}
}

// workOn does the next step of a job.
func (l *Library) workOn(ctx context.Context, j store.Job) {
	m, err := l.store.Media(ctx, j.Media)
	if err != nil { // it goes with its job; what else it is, the next try says
		l.failed(ctx, newFilmWork(j, store.Media{ID: j.Media}, l.films), err, err)
		return
	}
	w := newFilmWork(j, m, l.films)
	if j.Attempts > l.films.options.Tries+mostStops { // a failure would have ended it before
		l.failed(ctx, w, errStops, nil)
		return
	}
	l.films.mu.Lock()
	l.films.running[j.ID] = w
	l.films.mu.Unlock()
	inside, cancel := context.WithCancelCause(ctx)
	var guard sync.WaitGroup
	guard.Go(func() { l.guard(inside, w, cancel) })
	err = l.filmStep(inside, w)
	why := context.Cause(inside)
	cancel(nil)
	guard.Wait()
	l.films.mu.Lock()
	delete(l.films.running, j.ID)
	l.films.mu.Unlock()
	if err != nil {
		l.failed(ctx, w, err, why)
		return
	}
	l.succeeded(ctx, w)
}

// guard ends the work when nobody wants it any more, or when it does not move, and keeps
// the job meanwhile.
func (l *Library) guard(ctx context.Context, w *filmWork, cancel context.CancelCauseFunc) {
	tick := time.NewTicker(filmWatch)
	defer tick.Stop()
	for renewed := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := l.store.HeldJob(ctx, &w.job)
		if err == nil && time.Since(renewed) > filmRenew {
			renewed = time.Now()
			step, progress := w.now()
			_, err = l.store.RenewJob(ctx, &w.job, filmHold, func(j *store.Job) { j.Step, j.Progress = step, progress })
		}
		switch {
		case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrLeaseLost):
			cancel(err)
			return
		case err != nil && ctx.Err() == nil:
			slog.Warn("a job was not renewed", "id", w.job.Media, "err", err)
		case w.still() > l.films.still:
			cancel(errStalled)
			return
		}
	}
}

// succeeded has the job wait for its next step, unless that was the last.
func (l *Library) succeeded(ctx context.Context, w *filmWork) {
	now := l.store.Now()
	if w.finished {
		l.films.forget(w.job.Media)
		return
	}
	l.putBack(ctx, w, w.job.Created, func(j *store.Job) {
		j.Attempts, j.Error, j.Step = 0, "", ""
		_, j.Progress = w.now()
		if w.media.Film.Plays() {
			j.Rank = store.RankRest
		}
		j.Say(now, "%s", w.summary())
	})
}

// putBack has a job wait until that time. While the store cannot write, the lane waits: to
// this start of the server a job that it has is not given again.
func (l *Library) putBack(ctx context.Context, w *filmWork, at time.Time, edit func(*store.Job)) {
	for {
		_, err := l.store.PutJobBack(context.WithoutCancel(ctx), &w.job, at, edit)
		switch {
		case errors.Is(err, store.ErrNotFound):
			l.films.forget(w.job.Media)
			return
		case err == nil, errors.Is(err, store.ErrLeaseLost):
			return
		}
		slog.Error("a job was not put back, which is tried again", "id", w.job.Media, "err", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(putAgain):
		}
	}
}

// failed decides what becomes of a step that ended with err; why is the end of its
// context, if that ended.
func (l *Library) failed(ctx context.Context, w *filmWork, err, why error) {
	stopping := ctx.Err() != nil || errors.Is(err, worker.ErrClosed)
	now := l.store.Now()
	for _, gone := range []error{store.ErrNotFound, store.ErrLeaseLost} {
		if errors.Is(why, gone) || errors.Is(err, gone) {
			l.putBack(ctx, w, now.Add(roomAgain), func(*store.Job) {}) // of an account that is being removed
			return
		}
	}
	if errors.Is(why, errStalled) {
		err = errStalled
	}
	again := func(at time.Time, count bool, format string, args ...any) {
		l.putBack(ctx, w, at, func(j *store.Job) {
			j.Step = ""
			_, j.Progress = w.now()
			if !count {
				j.Attempts--
			} else {
				j.Error = line(err.Error(), 300)
			}
			text, n, since := fmt.Sprintf(format, args...), len(j.Log), now
			if kind, _, _ := strings.Cut(text, ":"); !count && n > 0 && strings.HasPrefix(j.Log[n-1].Text, kind) { // it waits on, maybe with another figure
				since, j.Log = j.Log[n-1].Time, j.Log[:n-1]
			}
			j.Say(since, "%s", text)
		})
	}
	v := verdict(err)
	tries := l.films.options.Tries
	if v.suspect {
		tries = min(tries, suspectTries)
	}
	switch {
	case stopping:
		again(w.job.Created, false, "The server stops; the work goes on when it starts again.")
	case errors.Is(err, errNoRoom):
		again(now.Add(roomAgain), false, "%s", fault.From(err).Message)
	case errors.Is(err, worker.ErrSpace), fault.From(err).Code == fault.StorageFull:
		slog.Warn("the disk was full before a step of a video was done", "id", w.job.Media, "step", w.step, "err", err)
		again(now.Add(fullAgain), false, "Waiting for room on the disk: it was full before the step “%s” was done, which begins again.", w.step)
	case v.final || w.job.Attempts >= tries:
		l.giveUp(ctx, w, v.sentence, err)
	default:
		slog.Warn("a video will be tried again", "id", w.job.Media, "step", w.step, "attempt", w.job.Attempts, "err", err)
		wait := backOff(w.job.Attempts)
		again(now.Add(wait), true, "Attempt %d failed: %s. The next is in %v.", w.job.Attempts, line(err.Error(), 300), wait)
	}
}

// backOff is how long after so many failures the next try is: a minute, then four times
// as long each, up to an hour.
func backOff(failures int) time.Duration {
	wait := time.Minute
	for range min(failures-1, 3) {
		wait *= 4
	}
	return min(wait, time.Hour)
}

// judgement is what a failure means.
type judgement struct {
	final    bool   // it would come again: the file is at fault
	suspect  bool   // the file may be at fault
	sentence string // for its owner, when it is given up
}

func verdict(err error) judgement {
	switch {
	case errors.Is(err, media.ErrCorrupt), errors.Is(err, media.ErrUnsupported), errors.Is(err, media.ErrTooManyPixels):
		return judgement{final: true, sentence: sentence(media.Reason(err))}
	case fault.From(err).Code == fault.Invalid:
		return judgement{final: true, sentence: fault.From(err).Message}
	case errors.Is(err, worker.ErrCrashed), errors.Is(err, errNonsense):
		return judgement{suspect: true, sentence: "The file is damaged in a way that this server cannot work around."}
	case errors.Is(err, worker.ErrMemory):
		return judgement{suspect: true, sentence: "The video takes more memory to work on than the server has for it."}
	case errors.Is(err, errStalled), errors.Is(err, worker.ErrTimeout):
		return judgement{suspect: true, sentence: "The work on the video came to a standstill: the file may be damaged."}
	}
	if errors.Is(err, errStops) {
		return judgement{final: true, sentence: "The server stopped several times in the middle of the work on this video, and leaves it alone now."}
	}
	return judgement{sentence: "The server could not work on this video. Its administrator sees why in the list of jobs, and can have it tried again."}
}

// sentence makes a sentence of a reason.
func sentence(s string) string {
	s = line(s, 300)
	if s == "" {
		return "The file cannot be worked on."
	}
	if s[0] >= 'a' && s[0] <= 'z' {
		s = string(s[0]-'a'+'A') + s[1:]
	}
	if last := s[len(s)-1]; last != '.' && last != '!' && last != '?' {
		s += "."
	}
	return s
}

// giveUp ends the work on a video that cannot be done.
func (l *Library) giveUp(ctx context.Context, w *filmWork, say string, err error) {
	slog.Warn("a video was given up", "id", w.job.Media, "step", w.step, "attempts", w.job.Attempts, "err", err)
	_, progress := w.now()
	err = l.endFilm(context.WithoutCancel(ctx), &w.job, progress, say, line(err.Error(), 300))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		slog.Error("that a video was given up was not noted", "id", w.job.Media, "err", err)
		l.putBack(ctx, w, l.store.Now().Add(roomAgain), func(*store.Job) {})
	}
}

// join puts two sentences behind each other, each once.
func join(a, b string) string {
	switch {
	case a == "" || a == b:
		return b
	case b == "":
		return a
	}
	return a + " " + b
}
