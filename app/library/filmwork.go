package library

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"picora/media"
	"picora/store"
)

// The steps of the work on a video, in their order: Film.Passes is how many are done.
const (
	surveyStep = iota // counts what is in the file
	firstStep         // the small size, sounds, captions, pictures: then it plays
	restStep          // the other sizes
	fileStep          // all in one file
	filmSteps
)

// stepNames are what the steps are called in lists.
var stepNames = [filmSteps]string{"survey", "first", "sizes", "file"}

// filmWork is one step of a job that a lane has.
type filmWork struct {
	job      store.Job
	media    store.Media
	survey   media.Survey // of all steps but the first
	rungs    []rung
	films    *films
	step     string
	finished bool   // nothing is left to be done
	made     string // what this step made, for the log

	share, before float64 // of the whole: this step, and what is done before it
	began         time.Time

	mu    sync.Mutex
	done  float64 // of this step, from 0 to 1
	moved time.Time
}

func newFilmWork(j store.Job, m store.Media, f *films) *filmWork {
	now := time.Now()
	w := &filmWork{job: j, media: m, films: f, began: now, moved: now}
	step := min(max(m.Film.Passes, 0), fileStep)
	w.step = stepNames[step]
	if len(m.Film.Survey) > 0 && json.Unmarshal(m.Film.Survey, &w.survey) == nil && w.survey.Width > 0 && w.survey.Height > 0 {
		w.rungs = ladder(&w.survey, &f.options)
		w.survey.Copy = w.rungs[len(w.rungs)-1].copied // whoever cuts segments must know it
	} else {
		w.step = stepNames[surveyStep]
	}
	shares := w.shares()
	for i, name := range stepNames {
		if name == w.step {
			w.share = shares[i]
			break
		}
		w.before += shares[i]
	}
	return w
}

// shares is how much of the whole each step takes, judged by the pixels that are read and
// written. Reading one costs less than writing it.
func (w *filmWork) shares() (s [filmSteps]float64) {
	const small, decode, encode = 0.02, 1, 2
	s[surveyStep], s[fileStep] = small, small
	var first, rest float64
	for i, r := range w.rungs {
		pixels := float64(r.width) * float64(r.height)
		switch {
		case r.copied:
		case i == base(w.rungs):
			first += encode * pixels
		default:
			rest += encode * pixels
		}
	}
	read := decode * float64(w.survey.Width) * float64(w.survey.Height)
	if first += read; rest > 0 {
		rest += read
	}
	s[firstStep], s[restStep] = 0.5, 0.5-2*small
	if sum := first + rest; sum > 0 {
		s[firstStep], s[restStep] = (1-2*small)*first/sum, (1-2*small)*rest/sum
	}
	return s
}

// report takes how much of this step is done, from a worker that nobody believes.
func (w *filmWork) report(p float64) {
	w.mu.Lock()
	if sensible(p, 0, 1) && p > w.done {
		w.done, w.moved = p, time.Now()
	}
	whole := w.before + w.share*w.done
	w.mu.Unlock()
	w.films.setProgress(w.job.Media, whole)
}

// surveyed takes what the first step found out.
func (w *filmWork) surveyed(s media.Survey) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.survey = s
}

// encodeAll has no size be the file's own pictures.
func (w *filmWork) encodeAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.survey.Copy = false
	w.rungs = ladder(&w.survey, &w.films.options)
}

// now is what is being done, and how much of the whole is done.
func (w *filmWork) now() (step string, whole float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.step, w.before + w.share*w.done
}

// still is how long nothing moved.
func (w *filmWork) still() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Since(w.moved)
}

// pace is how fast the work goes, in seconds of the video a second, and how long the rest
// of it will take; zero: nobody knows yet.
func (w *filmWork) pace() (speed float64, left time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	took := time.Since(w.began).Seconds()
	if w.done < 0.01 || took < 0.1 {
		return 0, 0
	}
	speed = w.done * w.survey.Duration / took
	rest := (1 - w.before - w.share*w.done) * took / max(w.share*w.done, 1e-9)
	return speed, time.Duration(min(max(rest, 0), 1e7) * float64(time.Second))
}

// summary is a line of the log about a step that is done.
func (w *filmWork) summary() string {
	took := time.Since(w.began)
	s := fmt.Sprintf("Step %s is done in %v", w.step, took.Round(100*time.Millisecond))
	if w.survey.Duration > 0 && took > 0 {
		s += fmt.Sprintf(", %.1f times as fast as it plays", w.survey.Duration/took.Seconds())
	}
	if w.made != "" {
		s += ": " + w.made
	}
	return strings.TrimSuffix(s, ".") + "."
}
