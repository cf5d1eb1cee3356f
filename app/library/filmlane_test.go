package library

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"picora/app/config"
	"picora/media"
	"picora/media/worker"
	"picora/store"
)

// lane is a library whose lanes are the test itself.
func lane(t *testing.T) *shelf {
	t.Helper()
	s := newShelf(t)
	s.UseFilms(nil, config.Default().Video)
	return s
}

// taken is a video with a job that is taken the so-many-th time.
func (s *shelf) taken(state store.FilmState, attempts int) *filmWork {
	s.t.Helper()
	ctx := s.t.Context()
	key := s.put(time.Now())
	m := store.Media{
		ID: store.NewID(store.IDLen), User: cmp.Or(s.owner, store.NewID(store.IDLen)), Kind: store.Video, Blob: key, Filename: "a.mp4", Hash: []byte(strings.Repeat(key, 2))[:32],
		Film: store.Film{State: state, Passes: int(state), Note: "It is cut."},
	}
	m, _, err := s.store.CreateMedia(ctx, m)
	if err != nil {
		s.t.Fatal(err)
	}
	j, err := s.store.TakeJob(ctx, s.films.boot, time.Minute, nil)
	if err == nil {
		j, err = s.store.HoldJob(ctx, &j, func(j *store.Job) { j.Attempts = attempts })
	}
	if err != nil || j.Media != m.ID {
		s.t.Fatalf("took %+v, %v", j, err)
	}
	return newFilmWork(j, m, s.films)
}

func TestWhatBecomesOfAStepThatFailed(t *testing.T) {
	disk := fmt.Errorf("write: %w", io.ErrShortWrite)
	full := func(s *shelf) error { return s.filmHeadRoom(t.Context(), 1<<61) }
	for name, c := range map[string]struct {
		err      error
		make     func(*shelf) error // err, when it needs a library
		why      error
		state    store.FilmState
		attempts int
		stop     bool

		film  store.FilmState
		told  string // to the owner
		job   store.JobState
		again time.Duration
		count int // attempts that are counted afterwards
	}{
		"a damaged file fails at once":                {err: media.Corrupt("its index is cut off"), state: 1, attempts: 1, film: 4, told: "Its index is cut off.", job: 4, count: 1},
		"one that is too long, too":                   {err: filmTooLong(60), state: 1, attempts: 1, film: 4, told: "The video is longer than the 1 minute that one video of this account may last.", job: 4, count: 1},
		"a crash may be an accident":                  {err: worker.ErrCrashed, state: 1, attempts: 1, film: 1, job: 1, again: time.Minute, count: 1},
		"two are none":                                {err: worker.ErrCrashed, state: 1, attempts: 2, film: 4, told: "The file is damaged in a way that this server cannot work around.", job: 4, count: 2},
		"nor is nonsense":                             {err: errNonsense, state: 1, attempts: 2, film: 4, told: "The file is damaged in a way that this server cannot work around.", job: 4, count: 2},
		"too little memory":                           {err: worker.ErrMemory, state: 1, attempts: 2, film: 4, told: "The video takes more memory to work on than the server has for it.", job: 4, count: 2},
		"a standstill":                                {err: context.Canceled, why: errStalled, state: 1, attempts: 1, film: 1, job: 1, again: time.Minute, count: 1},
		"another one":                                 {err: context.Canceled, why: errStalled, state: 1, attempts: 2, film: 4, told: "The work on the video came to a standstill: the file may be damaged.", job: 4, count: 2},
		"a disk that fails has several tries":         {err: disk, state: 1, attempts: 3, film: 1, job: 1, again: 16 * time.Minute, count: 3},
		"ever further apart":                          {err: disk, state: 1, attempts: 4, film: 1, job: 1, again: time.Hour, count: 4},
		"but not without end":                         {err: disk, state: 1, attempts: 5, film: 4, told: "The server could not work on this video. Its administrator sees why in the list of jobs, and can have it tried again.", job: 4, count: 5},
		"a video that plays goes on playing":          {err: media.Corrupt("no"), state: 2, attempts: 1, film: 3, told: "It is cut. Not all of it could be made: No.", job: 4, count: 1},
		"a disk that is full is no try":               {make: full, state: 1, attempts: 5, film: 1, job: 1, again: time.Minute, count: 4},
		"nor is one that fills up on the way":         {err: &worker.Failure{Kind: worker.ErrSpace, What: "no space left on device"}, state: 1, attempts: 5, film: 1, job: 1, again: 5 * time.Minute, count: 4},
		"nor one that has no room for a record":       {err: fmt.Errorf("commit: %w", syscall.ENOSPC), state: 1, attempts: 5, film: 1, job: 1, again: 5 * time.Minute, count: 4},
		"nor is a stop of the server":                 {err: context.Canceled, stop: true, state: 1, attempts: 5, film: 1, job: 1, count: 4},
		"a pool that was closed is a stop":            {err: worker.ErrClosed, state: 1, attempts: 1, film: 1, job: 1, count: 0},
		"what came of somebody else's work is theirs": {err: context.Canceled, why: store.ErrLeaseLost, state: 1, attempts: 1, film: 1, job: 1, again: time.Minute, count: 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := lane(t)
			now := time.UnixMilli(1_700_000_000_000).UTC()
			s.store.Now = func() time.Time { return now }
			w := s.taken(c.state, c.attempts)
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			if c.stop {
				stop()
			}
			err := c.err
			if c.make != nil {
				if err = c.make(s); !errors.Is(err, errNoRoom) {
					t.Fatal(err)
				}
			}
			s.failed(ctx, w, err, c.why)
			m, err := s.store.Media(t.Context(), w.job.Media)
			if err != nil {
				t.Fatal(err)
			}
			told := m.Film.Fault
			if m.Film.State == store.FilmReady {
				told = m.Film.Note
			}
			if m.Film.State != c.film || told != c.told {
				t.Errorf("the film is in state %d, and its owner is told %q", m.Film.State, told)
			}
			j, err := s.store.Job(t.Context(), w.job.ID)
			if err != nil {
				t.Fatal(err)
			}
			if j.State != c.job || j.Attempts != c.count || c.job == store.JobWaiting && !j.NotBefore.Equal(now.Add(c.again)) {
				t.Errorf("the job is %v with %d attempts, to begin %v", j.State, j.Attempts, j.NotBefore.Sub(now))
			}
			if c.job == store.JobFailed && (j.Error == "" || len(j.Log) == 0) {
				t.Errorf("nobody is told why: %+v", j)
			}
		})
	}
}

func TestItsOwnerIsToldOfAVideoThatFailed(t *testing.T) {
	for name, c := range map[string]struct {
		state  store.FilmState
		locale string
		title  string
		told   string
		end    func(*shelf, *filmWork) error
	}{
		"nothing plays":           {store.FilmWaiting, "en", "A video could not be processed", "“a.mp4” cannot be played. Its index is cut off.", nil},
		"some of it does":         {store.FilmPlayable, "zh-CN", "有一个视频未能全部处理", "“a.mp4”可以播放，但并非所有清晰度都已生成。原因：Its index is cut off.", nil},
		"an administrator did it": {store.FilmWaiting, "en", "A video could not be processed", "“a.mp4” cannot be played. An administrator stopped the work on this video.", func(s *shelf, w *filmWork) error { return s.CancelJob(t.Context(), w.job.ID) }},
	} {
		s := lane(t)
		u, err := s.store.CreateUser(t.Context(), store.User{Email: "a@example.org", Locale: c.locale})
		if err != nil {
			t.Fatal(err)
		}
		s.owner = u.ID
		w := s.taken(c.state, 1)
		if c.end == nil {
			s.failed(t.Context(), w, media.Corrupt("its index is cut off"), nil)
		} else if err := c.end(s, w); err != nil {
			t.Fatal(err)
		}
		list, _, err := s.store.Notifications(t.Context(), u.ID, "", 10)
		if err != nil || len(list) != 1 || list[0].Title != c.title || list[0].Body != c.told || list[0].Link != "/item/"+w.media.ID {
			t.Errorf("%s: %+v, %v", name, list, err)
		}
		for range mostUntold { // whoever does not read them is told no more
			s.tellFilm(t.Context(), &w.media, "No.")
		}
		if n, err := s.store.Unread(t.Context(), u.ID); err != nil || n != mostUntold {
			t.Errorf("%s: %d wait to be read, %v", name, n, err)
		}
	}
}

func TestAVideoOnWhichTheServerDiesIsLeftAlone(t *testing.T) {
	s := lane(t)
	w := s.taken(store.FilmWaiting, s.films.options.Tries+mostStops+1)
	s.workOn(t.Context(), w.job)
	if m, err := s.store.Media(t.Context(), w.job.Media); err != nil || m.Film.State != store.FilmFailed || !strings.Contains(m.Film.Fault, "leaves it alone") {
		t.Errorf("the film is %+v, %v", m.Film, err)
	}
}

func TestAVideoThatWaitsForRoomSaysSoOnce(t *testing.T) {
	s := lane(t)
	w := s.taken(store.FilmWaiting, 1)
	for i := range int64(3) {
		s.failed(t.Context(), w, s.filmHeadRoom(t.Context(), (3+i)<<58), nil)
		if _, err := s.store.HurryJob(t.Context(), w.job.ID); err != nil {
			t.Fatal(err)
		}
		j, err := s.store.TakeJob(t.Context(), s.films.boot, time.Minute, nil)
		if err != nil {
			t.Fatal(err)
		}
		w = newFilmWork(j, w.media, s.films)
	}
	if len(w.job.Log) != 1 || !strings.HasPrefix(w.job.Log[0].Text, "Waiting for room on the disk: this step may need 1342177280 GB, and ") {
		t.Errorf("the log is %+v", w.job.Log)
	}
	if err := s.filmHeadRoom(t.Context(), 0); err != nil {
		t.Errorf("nothing needs room: %v", err)
	}
}

func TestWorkEndsThatNobodyWants(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(*shelf, *filmWork) error
		want error
	}{
		"the video is deleted": {func(s *shelf, w *filmWork) error {
			_, err := s.store.DeleteMedia(t.Context(), w.media.User, []string{w.media.ID})
			return err
		}, store.ErrNotFound},
		"it goes into the trash, and comes back": {func(s *shelf, w *filmWork) error {
			_, err := s.store.TrashMedia(t.Context(), w.media.User, []string{w.media.ID})
			if err == nil {
				_, err = s.store.RestoreMedia(t.Context(), w.media.User, []string{w.media.ID})
			}
			return err
		}, store.ErrNotFound},
		"its job is cancelled": {func(s *shelf, w *filmWork) error { return s.CancelJob(t.Context(), w.job.ID) }, store.ErrLeaseLost},
		"somebody else has taken it": {func(s *shelf, w *filmWork) error {
			if _, err := s.store.FreeJobs(t.Context(), "another"); err != nil {
				return err
			}
			_, err := s.store.TakeJob(t.Context(), "another", time.Minute, nil)
			return err
		}, store.ErrLeaseLost},
		"nothing moves": {func(s *shelf, w *filmWork) error { s.films.still = time.Nanosecond; return nil }, errStalled},
	} {
		s := lane(t)
		w := s.taken(store.FilmWaiting, 1)
		if err := c.do(s, w); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		s.guard(ctx, w, cancel) // it returns when it ended the work
		if err := context.Cause(ctx); !errors.Is(err, c.want) {
			t.Errorf("%s: the work ends with %v, want %v", name, err, c.want)
		}
	}
}

func TestProgressIsOfAllSteps(t *testing.T) {
	s := lane(t)
	survey := `{"Width":1920,"Height":1080,"FrameRate":25,"Duration":100,"Pictures":2500}`
	last := 0.0
	for passes := range filmSteps {
		m := store.Media{Film: store.Film{Passes: passes, Survey: []byte(survey)}}
		if passes == 0 {
			m.Film.Survey = nil
		}
		w := newFilmWork(store.Job{Media: "x"}, m, s.films)
		if w.step != stepNames[passes] {
			t.Errorf("after %d steps comes %s", passes, w.step)
		}
		_, at := w.now()
		if diff := at - last; diff < -1e-9 || diff > 1e-9 {
			t.Errorf("step %s begins at %g, the one before ended at %g", w.step, at, last)
		}
		for _, p := range []float64{0.5, 0.25, -1, 2, 1} { // a worker may say anything
			w.report(p)
			if now := s.FilmProgress("x"); now < at {
				t.Errorf("step %s goes back from %g to %g", w.step, at, now)
			}
			_, at = w.now()
		}
		last = at
	}
	if last < 1-1e-9 || last > 1+1e-9 {
		t.Errorf("all steps together are %g", last)
	}
}

func TestLanguagesOfFilms(t *testing.T) {
	for code, want := range map[string]string{"eng": "en", "chi": "zh", "zho": "zh", "de": "de", "yue": "yue", "und": "", "": "", "English": "", "e": "", `"x`: ""} {
		if got := language(code); got != want {
			t.Errorf("%q is %q, want %q", code, got, want)
		}
	}
}
