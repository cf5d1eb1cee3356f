package library

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"picora/app/fault"
	"picora/media"
	"picora/media/worker"
	"picora/store"
	"picora/store/cache"
)

// hearing is the lane in which audio is measured and made equally loud, one file at a
// time: both decode all of it. What is to be done is the store's to know, so a restart
// loses nothing.
type hearing struct {
	arrived chan struct{} // has room for one signal: there is something to do

	mu       sync.Mutex
	next     []string             // ids that somebody waits for
	progress map[string]float64   // of what is under way, from 0 to 1
	later    map[string]time.Time // not before: what failed, the file not being at fault
}

func newHearing() hearing {
	return hearing{arrived: make(chan struct{}, 1), progress: map[string]float64{}, later: map[string]time.Time{}}
}

const (
	// waitingMost is how many files can be done before their turn.
	waitingMost = 1000
	// measureTime bounds the work on one file, beside what it lasts.
	measureTime = 30 * time.Minute
	// hearAgain is when what failed is tried again.
	hearAgain = 5 * time.Minute

	// levelPeak is what no sample of a file that was made equally loud exceeds, in dBTP.
	levelPeak = -1
)

// HearSoon has the audio file measured, or made equally loud, next: somebody waits.
func (l *Library) HearSoon(id string) { l.hearSoon(id) }

// hearSoon says that there is something to do; an id is done next.
func (l *Library) hearSoon(id string) {
	h := &l.hearing
	h.mu.Lock()
	if id != "" && len(h.next) < waitingMost && !slices.Contains(h.next, id) {
		h.next = append(h.next, id)
	}
	h.mu.Unlock()
	signal(h.arrived)
}

// Hearing is how much is done of what is under way on the audio file, from 0 to 1.
func (l *Library) Hearing(id string) float64 {
	l.hearing.mu.Lock()
	defer l.hearing.mu.Unlock()
	return l.hearing.progress[id]
}

// Hear measures audio, and makes it equally loud, until ctx ends.
func (l *Library) Hear(ctx context.Context) {
	if l.variants == nil {
		return
	}
	for again := time.Duration(0); ; again = hearAgain {
		select {
		case <-ctx.Done():
			return
		case <-l.hearing.arrived:
		case <-time.After(again): // nothing is signalled across a restart or a failure
		}
		for {
			m, found := l.toHear(ctx)
			if !found {
				break
			}
			l.hearOne(ctx, &m)
		}
	}
}

// toHear finds the file that is next.
func (l *Library) toHear(ctx context.Context) (m store.Media, found bool) {
	h := &l.hearing
	for ctx.Err() == nil {
		h.mu.Lock()
		if len(h.next) == 0 {
			h.mu.Unlock()
			break
		}
		id := h.next[0]
		h.next = h.next[1:]
		h.mu.Unlock()
		if m, err := l.store.Media(ctx, id); err == nil && m.Unheard() && !h.waits(id) {
			return m, true
		}
	}
	list, err := l.store.Unheard(ctx, 100)
	if err != nil && ctx.Err() == nil {
		slog.Warn("audio to be measured was not found", "err", err)
	}
	for _, m := range list {
		if ctx.Err() == nil && !h.waits(m.ID) {
			return m, true
		}
	}
	return m, false
}

// waits reports whether the file failed lately.
func (h *hearing) waits(id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	until, failed := h.later[id]
	if failed && time.Now().After(until) {
		delete(h.later, id)
		failed = false
	}
	return failed
}

// hearOne does what is to be done for m.
func (l *Library) hearOne(ctx context.Context, m *store.Media) {
	h := &l.hearing
	report := func(p float64) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.progress[m.ID] = p
	}
	report(0)
	var err error
	if !m.Sound.Measured {
		err = l.measure(ctx, m, report)
	} else {
		err = l.level(ctx, m, report)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.progress, m.ID)
	if err != nil && ctx.Err() == nil && !errors.Is(err, store.ErrNotFound) {
		slog.Warn("an audio file is left alone for a while", "id", m.ID, "err", err)
		h.later[m.ID] = time.Now().Add(hearAgain)
	}
}

// measure finds out the waveform and the loudness of m. A file that cannot be measured
// stays without.
func (l *Library) measure(ctx context.Context, m *store.Media, progress func(float64)) error {
	ctx, cancel := context.WithTimeout(ctx, measureTime+lasts(m))
	defer cancel()
	var found media.Measure
	done, err := l.onSound(ctx, m, media.MeasureJob, l.soundArgs(m, -1), &found, progress, func(out *cache.File, made *store.Media) error {
		if !found.Silent && (!sensible(found.Loudness, -200, 50) || !sensible(found.TruePeak, -200, 50)) {
			return fmt.Errorf("%w: %+v", errNonsense, found)
		}
		n, err := rewind(out)
		if err != nil {
			return err
		}
		b, err := io.ReadAll(io.LimitReader(out, media.MaxWaveform+1))
		if err != nil || len(b) > media.MaxWaveform || !json.Valid(b) {
			return fmt.Errorf("%w: a waveform of %d bytes: %v", errNonsense, n, err)
		}
		return l.keepPart(ctx, made, store.PeaksPart, "application/json", out)
	})
	if err != nil {
		return err
	}
	return l.note(ctx, m.ID, done, func(now *store.Media) error {
		now.Sound.Measured = true
		if done == nil { // the file is at fault
			return nil
		}
		if !found.Silent {
			now.Sound.Loudness, now.Sound.TruePeak = found.Loudness, found.TruePeak
		}
		now.SetPart(done.Parts[0])
		return nil
	})
}

// errChanged says that what was made is not wanted any more.
var errChanged = errors.New("library: not wanted any more")

// level makes the file of m as loud as its owner wishes.
func (l *Library) level(ctx context.Context, m *store.Media, progress func(float64)) error {
	ctx, cancel := context.WithTimeout(ctx, measureTime+2*lasts(m))
	defer cancel()
	if err := l.Room(ctx, int64(m.Sound.Duration*32_000)); err != nil { // more than AAC takes
		return err
	}
	wish := m.Sound.Level
	args := media.LevelArgs{
		Sound: l.soundArgs(m, -1), Target: wish.Target, Peak: levelPeak,
		Measure: media.Measure{Silent: m.Sound.Loudness == 0, Loudness: m.Sound.Loudness, TruePeak: m.Sound.TruePeak},
	}
	var done *store.Media
	var err error
	if m.Sound.Loudness != 0 {
		done, err = l.onSound(ctx, m, media.LevelJob, args, nil, progress, func(out *cache.File, made *store.Media) error {
			head := make([]byte, media.SniffLen)
			if _, err := rewind(out); err != nil {
				return err
			}
			n, err := io.ReadFull(out, head)
			if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
				return fmt.Errorf("%w: %w", errNonsense, err)
			}
			if t, err := media.SniffSound(head[:n]); err != nil || t != media.M4A {
				return fmt.Errorf("%w: a file of another type: %v", errNonsense, err)
			}
			return l.keepPart(ctx, made, store.SoundPart, media.M4A.MIME, out)
		})
	}
	if err != nil {
		return err
	}
	err = l.note(ctx, m.ID, done, func(now *store.Media) error {
		if now.Sound.Level != wish {
			return errChanged
		}
		now.Sound.Level.State = store.LevelFailed
		if done != nil {
			now.Sound.Level.State = store.LevelMade
			now.SetPart(done.Parts[0])
		}
		return nil
	})
	if errors.Is(err, errChanged) {
		return nil
	}
	return err
}

// onSound has a worker do a long job on the file of m, whose answer is result, when it
// has one, and a file that keep stores as a part of made, a record of nothing else. Done
// is nil when the file of m is at fault.
func (l *Library) onSound(ctx context.Context, m *store.Media, kind string, args, result any, progress func(float64), keep func(*cache.File, *store.Media) error) (done *store.Media, err error) {
	in, err := l.source(ctx, m.Blob)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	out, err := l.variants.cache.Create()
	if err != nil {
		return nil, err
	}
	defer out.Close()
	defer out.Discard()
	answer, err := l.variants.pool.Run(ctx, worker.Job{Kind: kind, In: in.File, Out: out.File, Args: args}, progress)
	if err == nil && result != nil && json.Unmarshal(answer, result) != nil {
		err = errNonsense
	}
	made := &store.Media{}
	if err == nil {
		err = keep(out, made)
	}
	if errors.Is(err, errNonsense) || fileAtFault(err) && !errors.Is(ctx.Err(), context.Canceled) {
		slog.Info("an audio file could not be worked on", "id", m.ID, "job", kind, "err", err)
		return nil, nil
	}
	return made, err
}

// note writes down what was found out about a file, and the part that was made of it,
// which is deleted when that fails: the file is gone, or it is not wanted any more.
func (l *Library) note(ctx context.Context, id string, made *store.Media, edit func(*store.Media) error) error {
	ctx = context.WithoutCancel(ctx)
	_, err := l.store.NoteMedia(ctx, id, edit)
	if err == nil {
		l.onEdit(id)
		l.signalTrash()
	}
	if made == nil {
		return err
	}
	part := made.Parts[0].Blob
	defer l.intakes.end(part)
	if err != nil {
		err = l.discard(ctx, &store.Media{Blob: part}, err)
	}
	return err
}

// LevelSound has the user's audio file made as loud as target says, in LUFS.
func (l *Library) LevelSound(ctx context.Context, user, id string, target float64) (store.Media, error) {
	if l.variants == nil {
		return store.Media{}, errNoSound
	}
	m, err := l.editLevel(ctx, user, id, func(m *store.Media) error {
		if m.Sound.Measured && m.Sound.Loudness == 0 {
			return fault.New(fault.Invalid, "This file cannot be made louder or softer: it is silent, or its loudness could not be measured.")
		}
		if was := m.Sound.Level; was.Target == target && (was.State == store.LevelWanted || was.State == store.LevelMade) {
			return nil
		}
		m.Sound.Level = store.Level{State: store.LevelWanted, Target: target}
		m.DropPart(store.SoundPart)
		return nil
	})
	if err == nil && m.Unheard() {
		l.hearSoon(id)
	}
	return m, err
}

// DropLevel forgets the equally loud version of the user's audio file.
func (l *Library) DropLevel(ctx context.Context, user, id string) (store.Media, error) {
	return l.editLevel(ctx, user, id, func(m *store.Media) error {
		m.Sound.Level = store.Level{}
		m.DropPart(store.SoundPart)
		return nil
	})
}

func (l *Library) editLevel(ctx context.Context, user, id string, edit func(*store.Media) error) (store.Media, error) {
	m, err := l.store.NoteMedia(ctx, id, func(m *store.Media) error {
		if m.User != user || m.Kind != store.Audio {
			return store.ErrNotFound
		}
		return edit(m)
	})
	if err == nil {
		l.onEdit(id)
		l.signalTrash()
	}
	return m, err
}

// lasts is how long the sound of m is.
func lasts(m *store.Media) time.Duration {
	return time.Duration(m.Sound.Duration * float64(time.Second))
}
