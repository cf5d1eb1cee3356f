package library

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"regexp"
	"time"

	"picora/media"
	"picora/media/worker"
	"picora/store"
)

// makeLater has what make does done in the background, unless it waits there already.
func (v *variants) makeLater(id, key string, make func(context.Context) error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if until, bad := v.failed[key]; v.slow[key] || bad && time.Now().Before(until) {
		return
	}
	task := func(ctx context.Context) {
		err := make(ctx)
		if err != nil && ctx.Err() == nil {
			slog.Warn("a picture was not made in the background", "id", id, "err", err)
		}
		v.mu.Lock()
		defer v.mu.Unlock()
		delete(v.slow, key)
		switch {
		case errors.Is(err, worker.ErrBusy): // the machine, not the picture
			v.remember(key, failureHolds)
		case err != nil:
			v.remember(key, lateHolds)
		}
	}
	select {
	case v.later <- task:
		v.slow[key] = true
	default: // too many wait; who asks again may have more luck
	}
}

// lateTimeout bounds what is made in the background, and lateHolds is how long a failure
// of that is remembered: others wait for the same lane.
const (
	lateTimeout = 10 * time.Minute
	lateHolds   = 6 * time.Hour
)

// Background does what was put off until ctx ends: pictures that take long, and a look
// at new pictures. It gives way to pictures that somebody waits for.
func (l *Library) Background(ctx context.Context) {
	v := l.variants
	if v == nil {
		return
	}
	for again := time.Duration(0); ; {
		select {
		case <-ctx.Done():
			return
		case task := <-v.later:
			late, cancel := context.WithTimeout(ctx, lateTimeout)
			task(late)
			cancel()
		case <-l.arrived:
			again = 0
		case <-time.After(again):
			again = 10 * time.Minute // nothing is signalled across a restart or a failure
		}
		for l.look(ctx) {
		}
	}
}

// lookBatch is how many pictures are looked at before their looks are written down.
const lookBatch = 16

// look finds out how some new pictures look, and reports whether there may be more.
func (l *Library) look(ctx context.Context) (more bool) {
	list, err := l.store.Unseen(ctx, lookBatch)
	if err != nil {
		slog.Warn("new pictures were not found", "err", err)
		return false
	}
	looks := map[string]store.Look{}
	for i := range list {
		if !l.variants.quiet(ctx) {
			break
		}
		k, err := l.lookAt(ctx, &list[i])
		if err != nil && !fileAtFault(err) { // later, perhaps
			if ctx.Err() == nil {
				slog.Warn("new pictures are not looked at for a while", "err", err)
			}
			break
		}
		if err != nil { // it stays without; another try would end no better
			slog.Info("a picture could not be looked at", "id", list[i].ID, "err", err)
		}
		looks[list[i].ID] = k
	}
	if len(looks) == 0 {
		return false
	}
	if err := l.store.SetLooks(context.WithoutCancel(ctx), looks); err != nil {
		slog.Warn("the looks of pictures were not written down", "err", err)
		return false
	}
	for id := range looks {
		l.onEdit(id) // caches know whether it has transparent parts
	}
	return len(looks) == lookBatch && ctx.Err() == nil
}

// fileAtFault reports whether a worker's failure will most likely come again with the
// same file.
func fileAtFault(err error) bool {
	for _, e := range []error{media.ErrCorrupt, media.ErrUnsupported, media.ErrTooManyPixels, worker.ErrCrashed, worker.ErrTimeout, worker.ErrMemory, worker.ErrFailed} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// quiet waits until nobody waits for a picture; false when ctx ended.
func (v *variants) quiet(ctx context.Context) bool {
	for {
		v.mu.Lock()
		n := len(v.flights)
		v.mu.Unlock()
		if n == 0 || ctx.Err() != nil {
			return ctx.Err() == nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

var colour = regexp.MustCompile(`^#[0-9a-f]{6}$`)

// lookAt has a worker look at a picture.
func (l *Library) lookAt(ctx context.Context, m *store.Media) (k store.Look, err error) {
	in, err := l.source(ctx, m.Blob)
	if err != nil {
		return k, err
	}
	defer in.Close()
	result, err := l.variants.pool.Do(ctx, worker.Job{Kind: media.LookJob, In: in.File, Args: l.fileArgs(m), Time: time.Minute})
	if err != nil {
		return k, err
	}
	var look media.Look
	if err := json.Unmarshal(result, &look); err != nil {
		return k, err
	}
	if len(look.ThumbHash) > 64 || len(look.BlurHash) > 128 || !colour.MatchString(look.Colour) {
		return k, errors.New("library: a worker's answer makes no sense")
	}
	return store.Look{ThumbHash: look.ThumbHash, BlurHash: look.BlurHash, Colour: look.Colour, Alpha: look.Alpha}, nil
}
