package storage

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"picora/store/blob"
	"picora/store/blob/move"
)

// progress is what a move is doing, for who watches it. It is not remembered.
type progress struct {
	counting bool
	counted  bool // the numbers below are known
	files    int64
	bytes    int64
	waiting  string // why it does not go on for now
	failed   int    // files that cannot be copied
}

const (
	firstWait   = time.Second // after a failure; the next is twice as long
	longestWait = time.Minute
)

// Run carries moves on until ctx ends.
func (v *Storage) Run(ctx context.Context) {
	wait := firstWait
	for {
		before := v.snapshot()
		err := v.carry(ctx)
		if ctx.Err() != nil {
			return
		}
		var again <-chan time.Time
		if err != nil {
			if v.snapshot().Done != before.Done { // it went on for some time
				wait = firstWait
			}
			slog.Warn("moving the files waits", "for", wait.String(), "err", err)
			again = time.After(wait)
			wait = min(2*wait, longestWait)
		} else {
			wait = firstWait
		}
		select {
		case <-ctx.Done():
			return
		case <-again:
		case <-v.wake:
		}
	}
}

// carry works on the move there is until it is over, cannot go on for now, or is ended.
func (v *Storage) carry(ctx context.Context) error {
	v.turn.Lock()
	defer v.turn.Unlock()
	st := v.snapshot()
	if st.To == "" {
		return nil
	}
	inner, halt := context.WithCancel(ctx)
	defer halt()
	v.tell(func() { v.halt = halt })
	defer v.tell(func() { v.halt = nil })
	err := v.opened(inner)
	if err == nil {
		err = v.work(inner, st)
	}
	if inner.Err() != nil {
		return nil // who ended it wakes Run
	}
	v.tell(func() {
		if v.news.waiting = ""; err != nil {
			v.news.waiting = err.Error()
		}
	})
	return err
}

// work copies, switches and copies the rest.
func (v *Storage) work(ctx context.Context, st state) error {
	from, to, err := v.ends(ctx, &st)
	if err != nil {
		return err
	}
	p := move.Pass{From: from, To: to, Keep: v.keeps(st.To), Live: &v.live}
	if !st.Switched {
		if err := v.copy(ctx, &st, p); err != nil {
			return err
		}
		st.Switched = true
		if err := v.keep(ctx, st); err != nil {
			return err
		}
		if err := v.blobs.Switch(ctx); err != nil {
			return err
		}
		slog.Info("uploads go to the new place; what came last is copied", "to", v.name(st.To))
	}
	if err := v.blobs.Settled(ctx); err != nil {
		return err
	}
	if err := v.rest(ctx, &st, p, true); err != nil {
		return err
	}
	moved := state{At: st.To, Left: st.At, Moved: v.store.Now(), Ours: st.Ours}
	if err := v.keep(context.WithoutCancel(ctx), moved); err != nil {
		return err
	}
	v.tell(func() { v.news = progress{} })
	if err := v.blobs.End(ctx); err != nil {
		return err
	}
	v.retire(st.At)
	at, err := v.at(&moved)
	if err != nil {
		return err
	}
	slog.Info("the files have moved", "to", at.String(), "files", st.Files, "bytes", st.Bytes)
	return v.warn(at)
}

// ends opens the two places of a move.
func (v *Storage) ends(ctx context.Context, st *state) (from, to opened, err error) {
	at, err := v.at(st)
	if err != nil {
		return nil, nil, err
	}
	if from, err = v.use(ctx, at, false); err != nil {
		return nil, nil, err
	}
	if to, err = v.target(ctx, st); err != nil {
		return nil, nil, err
	}
	if !v.blobs.Moving() {
		return from, to, v.blobs.Begin(ctx, to)
	}
	return from, to, nil
}

// keeps is the room that stays free in a place, in bytes.
func (v *Storage) keeps(place string) int64 {
	if p, err := decode(place, &v.cfg); err == nil && p.Folder != "" {
		return v.cfg.Blobs.MinFreeBytes
	}
	return 0
}

// copy copies and compares what there is, until the target has all that the source had a
// moment ago.
func (v *Storage) copy(ctx context.Context, st *state, p move.Pass) error {
	if err := v.count(ctx, st, p); err != nil {
		return err
	}
	p.Compare, p.After, p.Stale = true, st.Done, v.stale(st, p.To)
	p.Done = func(ctx context.Context, key string, files int, bytes int64) error {
		st.Done, st.Files, st.Bytes = key, st.Files+int64(files), st.Bytes+bytes
		v.tell(func() { v.news.waiting = "" })
		return v.keep(ctx, *st)
	}
	if _, _, _, err := p.Run(ctx); err != nil {
		return err
	}
	return v.rest(ctx, st, p, false)
}

// stale removes what is in the target only, before anything is put there: it was deleted
// in the source since it was copied, in this move or before. Nil when it may be another's.
func (v *Storage) stale(st *state, to blob.Store) func(context.Context, string) error {
	if !slices.Contains(st.Ours, st.To) {
		return nil
	}
	return func(ctx context.Context, key string) error {
		known, err := v.store.HasBlob(ctx, key)
		if err != nil || known {
			return err
		}
		return to.Delete(ctx, key)
	}
}

// rest copies what the target lacks: files that came since, some of which have older keys
// as they took long to come, and those that could not be copied before. To the end: until
// there is nothing of it.
func (v *Storage) rest(ctx context.Context, st *state, p move.Pass, toTheEnd bool) error {
	p.Compare, p.After = false, ""
	p.Done = func(_ context.Context, _ string, files int, bytes int64) error {
		st.Files, st.Bytes = st.Files+int64(files), st.Bytes+bytes
		v.tell(func() { v.state.Files, v.state.Bytes = st.Files, st.Bytes })
		return nil
	}
	for {
		copied, failed, first, err := p.Run(ctx)
		v.tell(func() { v.news.failed = failed })
		switch {
		case err != nil:
			return err
		case failed > 0:
			return fmt.Errorf("%d files cannot be copied; the first is %s: %w", failed, v.whose(ctx, first.Key), first.Err)
		case copied == 0 || !toTheEnd:
			return nil
		}
	}
}

// whose is a file for people: what it is called, and by whom it is.
func (v *Storage) whose(ctx context.Context, key string) string {
	k, err := v.store.KeptBlob(ctx, key)
	if err != nil { // nobody's, or it went just now
		return key
	}
	u, err := v.store.User(ctx, k.User)
	if err != nil {
		u.Email = k.User
	}
	return fmt.Sprintf("%q (%s) of %s, %s", k.Name, k.ID, u.Email, key)
}

// count finds out how much there is to do, once.
func (v *Storage) count(ctx context.Context, st *state, p move.Pass) error {
	v.mu.Lock()
	counted := v.news.counted
	v.news.counting = !counted
	v.mu.Unlock()
	if counted {
		return nil
	}
	defer v.tell(func() { v.news.counting = false })
	var files, bytes int64
	for i, err := range p.From.List(ctx, "", st.Done) {
		if err != nil {
			return err
		}
		files, bytes = files+1, bytes+i.Size
	}
	v.tell(func() { v.news.counted, v.news.files, v.news.bytes = true, st.Files+files, st.Bytes+bytes })
	return nil
}
