package library

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"picora/app/fault"
	"picora/app/mail"
	"picora/media"
	"picora/store"
)

// Job is a job with the name of what it works on, and what only the lane knows that has it.
type Job struct {
	store.Job
	Name  string        // the record's title, or its file's name; empty: it has just gone
	Speed float64       // seconds of the video a second; 0: unknown, or it does not run
	Left  time.Duration // until all is made; 0: unknown
}

// live completes a job, also with what the lane knows that has it.
func (l *Library) live(ctx context.Context, j store.Job) Job {
	out := Job{Job: j}
	if m, err := l.store.Media(ctx, j.Media); err == nil {
		out.Name = cmp.Or(m.Title, m.Filename)
	}
	if l.films == nil || j.State != store.JobRunning {
		return out
	}
	l.films.mu.Lock()
	w := l.films.running[j.ID]
	l.films.mu.Unlock()
	if w != nil {
		out.Step, out.Progress = w.now()
		out.Speed, out.Left = w.pace()
	}
	return out
}

// Jobs reads one page of everybody's jobs in that state (zero: in any), the newest first.
func (l *Library) Jobs(ctx context.Context, state store.JobState, after string, limit int) (list []Job, next string, err error) {
	found, next, err := l.store.Jobs(ctx, state, after, limit)
	for _, j := range found {
		list = append(list, l.live(ctx, j))
	}
	return list, next, err
}

// Job finds a job.
func (l *Library) Job(ctx context.Context, id string) (Job, error) {
	j, err := l.store.Job(ctx, id)
	if err != nil {
		return Job{}, err
	}
	return l.live(ctx, j), nil
}

// RetryJob has a job begin now that waits, or again that ended without making everything.
func (l *Library) RetryJob(ctx context.Context, id string) (Job, error) {
	j, err := l.store.Job(ctx, id)
	if err != nil {
		return Job{}, err
	}
	if j.State == store.JobRunning {
		return Job{}, fault.New(fault.Conflict, "This job is being worked on.")
	}
	if _, err := l.RetryFilm(ctx, j.User, j.Media); err != nil {
		return Job{}, err
	}
	return l.Job(ctx, id)
}

// RetryFilm has a video of the user's worked on again that failed, or of which not all was
// made. One that waits for its next try has it now.
func (l *Library) RetryFilm(ctx context.Context, user, id string) (store.Media, error) {
	if l.films == nil {
		return store.Media{}, errNoFilm
	}
	m, err := l.store.NoteMedia(ctx, id, func(m *store.Media) error {
		f := &m.Film
		switch {
		case m.User != user || m.Kind != store.Video:
			return store.ErrNotFound
		case f.State == store.FilmWaiting || f.State == store.FilmPlayable:
			return nil
		case f.State == store.FilmReady && f.Passes >= filmSteps:
			return fault.New(fault.Conflict, "All of this video is made: there is nothing to try again.")
		case m.Blob == "":
			return fault.New(fault.Conflict, "The file of this video was not kept: upload it again.")
		case f.State == store.FilmReady:
			f.State = store.FilmPlayable
		default:
			f.State = store.FilmWaiting
		}
		var s media.Survey
		if json.Unmarshal(f.Survey, &s) != nil {
			s.Note = ""
		}
		f.Fault, f.Note = "", line(s.Note, 300)
		return nil
	})
	if err != nil {
		return m, err
	}
	if j, err := l.store.JobOf(ctx, user, id); err == nil {
		if _, err := l.store.HurryJob(ctx, j.ID); err != nil && !errors.Is(err, store.ErrNotFound) {
			return m, err
		}
	} else if !errors.Is(err, store.ErrNotFound) {
		return m, err
	}
	l.onEdit(id)
	signal(l.films.arrived)
	return m, nil
}

// CancelJob ends a job for good: the video stays as far as it is made.
func (l *Library) CancelJob(ctx context.Context, id string) error {
	j, err := l.store.Job(ctx, id)
	if err != nil {
		return err
	}
	if j.State.Ended() {
		return fault.New(fault.Conflict, "This job ended already.")
	}
	return l.endFilm(ctx, &j, j.Progress, "An administrator stopped the work on this video.", "stopped by an administrator")
}

// mostUntold is how many notifications may wait to be read when one more is left about a
// video: who sends hundreds of broken ones shall not lose what else there is to read.
const mostUntold = 50

// tellFilm tells the owner of a video that nothing, or no more, will be made of it. What
// fails is logged: the video itself says it as well.
func (l *Library) tellFilm(ctx context.Context, m *store.Media, why string) {
	u, err := l.store.User(ctx, m.User)
	if err != nil {
		return // gone
	}
	if n, err := l.store.Unread(ctx, m.User); err == nil && n >= mostUntold {
		return
	}
	name := m.Title
	if name == "" {
		name = m.Filename
	}
	t := mail.VideoFailed(mail.Language(u.Locale, ""), name, why)
	if m.Film.Plays() {
		t = mail.VideoIncomplete(mail.Language(u.Locale, ""), name, why)
	}
	if err := l.store.Notify(ctx, store.Notification{User: m.User, Type: "system", Title: t.Subject, Body: t.Body, Link: "/item/" + m.ID, About: store.AboutMedia}); err != nil {
		slog.Warn("a user was not told of a video that failed", "id", m.ID, "err", err)
	}
}

// endFilm ends the work on a video before all is made, and says why: to its owner, and in
// the list of jobs. One that plays already stays as it is.
func (l *Library) endFilm(ctx context.Context, j *store.Job, progress float64, say, why string) error {
	m, err := l.store.NoteMedia(ctx, j.Media, func(now *store.Media) error {
		if now.Film.Plays() {
			now.Film.State, now.Film.Note = store.FilmReady, join(now.Film.Note, "Not all of it could be made: "+say)
			return nil
		}
		now.Film.State, now.Film.Fault = store.FilmFailed, say
		return nil
	})
	if err != nil {
		return err
	}
	l.onEdit(m.ID)
	l.forgetFilm(m.ID)
	l.tellFilm(ctx, &m, say)
	return l.store.EditJob(ctx, j.ID, func(now *store.Job) {
		if now.State.Ended() {
			now.State, now.Error, now.Progress = store.JobFailed, why, progress
		}
		now.Say(l.store.Now(), "Ended: %s", why)
	})
}
