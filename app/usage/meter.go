package usage

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
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
	user  string
	all   *meters
}

// Add counts n bytes.
func (m *Meter) Add(n int64) {
	if m == nil || n <= 0 {
		return
	}
	m.bytes.Add(n)
	if m.gone.Load() {
		m.all.add(m.user, m.bytes.Swap(0))
	}
}

// meters are the users' meters, one each.
type meters struct {
	mu sync.Mutex
	of map[string]*Meter
}

// Meter is what counts for the user.
func (u *Usage) Meter(user string) *Meter { return u.meters.get(user) }

func (s *meters) get(user string) *Meter {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.of[user]
	if m == nil {
		m = &Meter{user: user, all: s}
		s.of[user] = m
	}
	return m
}

func (s *meters) add(user string, n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.of[user]
	if m == nil {
		m = &Meter{user: user, all: s}
		s.of[user] = m
	}
	m.bytes.Add(n) // it cannot be forgotten while we have the lock
}

// pending is what was served of the user since the last flush.
func (s *meters) pending(user string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.of[user]; m != nil {
		return m.bytes.Load()
	}
	return 0
}

// take empties the meters, and forgets idle ones when there are too many.
func (s *meters) take() map[string]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := map[string]int64{}
	for user, m := range s.of {
		n := m.bytes.Swap(0)
		if n == 0 && len(s.of) > idleMeters {
			m.gone.Store(true)
			delete(s.of, user)
			n = m.bytes.Swap(0) // what came before it was gone
		}
		if n > 0 {
			taken[user] = n
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
	part := map[string]int64{}
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
				u.meters.add(user, n)
			}
			after = nil // of what is not written nobody is told
		}
		for i := range after {
			u.warn(ctx, &after[i])
		}
		clear(part)
	}
}
