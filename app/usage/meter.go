package usage

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"picora/store"
)

const (
	flushEvery = 5 * time.Second // what a crash loses
	flushStep  = 500             // users in a transaction
	// idleMeters is how many meters are kept although nothing of their users was
	// served lately.
	idleMeters = 10_000
)

// Meter counts bytes that are served of one user's files. Whoever serves often keeps
// it: counting is an addition, and waits for nothing. A nil Meter counts nothing.
type Meter struct {
	bytes atomic.Int64 // since the last flush
	gone  atomic.Bool  // it was forgotten; another stands for the user now
	key   meterKey
	all   *meters
}

// meterKey is what a meter counts: files of the user's that are played (audio, video),
// or the others.
type meterKey struct {
	user   string
	played bool
}

// Add counts n bytes.
func (m *Meter) Add(n int64) {
	if m == nil || n <= 0 {
		return
	}
	m.bytes.Add(n)
	if m.gone.Load() {
		m.all.add(m.key, m.bytes.Swap(0))
	}
}

// meters are the users' meters, one each.
type meters struct {
	mu sync.Mutex
	of map[meterKey]*Meter
}

// Meter is what counts files of the kind for the user.
func (u *Usage) Meter(user string, k store.Kind) *Meter {
	u.meters.mu.Lock()
	defer u.meters.mu.Unlock()
	return u.meters.get(meterKey{user, k == store.Audio || k == store.Video})
}

// get is for who has the lock.
func (s *meters) get(key meterKey) *Meter {
	m := s.of[key]
	if m == nil {
		m = &Meter{key: key, all: s}
		s.of[key] = m
	}
	return m
}

func (s *meters) add(key meterKey, n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.get(key).bytes.Add(n) // it cannot be forgotten while we have the lock
}

// pending is what was served of the user since the last flush.
func (s *meters) pending(user string) (p store.Sent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.of[meterKey{user, false}]; m != nil {
		p.Served = m.bytes.Load()
	}
	if m := s.of[meterKey{user, true}]; m != nil {
		p.Played = m.bytes.Load()
	}
	return p
}

// take empties the meters, and forgets idle ones when there are too many.
func (s *meters) take() map[string]store.Sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := map[string]store.Sent{}
	for key, m := range s.of {
		n := m.bytes.Swap(0)
		if n == 0 && len(s.of) > idleMeters {
			m.gone.Store(true)
			delete(s.of, key)
			n = m.bytes.Swap(0) // what came before it was gone
		}
		if n > 0 {
			sent := taken[key.user]
			if key.played {
				sent.Played += n
			} else {
				sent.Served += n
			}
			taken[key.user] = sent
		}
	}
	return taken
}

// Run writes the meters down every few seconds until ctx ends. What was served after
// that is Flush's.
func (u *Usage) Run(ctx context.Context) {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			u.Flush(ctx)
		}
	}
}

// Flush writes the meters down. What cannot be written is kept for the next time.
func (u *Usage) Flush(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	taken := u.meters.take()
	part := map[string]store.Sent{}
	for user, n := range taken {
		part[user] = n
		delete(taken, user)
		if len(part) < flushStep && len(taken) > 0 {
			continue
		}
		after, err := u.store.AddServed(ctx, part)
		if err != nil {
			slog.Warn("the bytes that were served could not be written down yet", "err", err)
			for user, n := range part {
				u.meters.add(meterKey{user, false}, n.Served)
				u.meters.add(meterKey{user, true}, n.Played)
			}
			after = nil // of what is not written nobody is told
		}
		for i := range after {
			u.warn(ctx, &after[i])
		}
		clear(part)
	}
}
