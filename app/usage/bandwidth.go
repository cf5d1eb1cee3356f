package usage

import (
	"context"
	"sync"
	"time"

	"picora/app/fault"
	"picora/store"
)

// Bandwidth is how much of an account's videos is delivered, which follows from what was
// played of its audio and video this month (contract 4).
type Bandwidth uint8

// The states of a Bandwidth.
const (
	Ok        Bandwidth = iota // all of it
	Degraded                   // above the limit: the small pictures only
	Suspended                  // above 120 % of it: nothing
)

// ErrSuspended is the refusal of a Suspended account's videos.
var ErrSuspended = fault.New(fault.Suspended, "Bandwidth quota exceeded by more than 20 %%: the videos of this account are not delivered before next month, or until the administrator upgrades its plan.")

// Names of the states on the wire.
var bandwidths = [...]string{"ok", "degraded", "suspended"}

func (b Bandwidth) String() string { return bandwidths[b] }

const (
	// bandwidthFor is how old an answer of Bandwidth may be: segments ask for each.
	bandwidthFor = 5 * time.Second
	// bandwidthMost is how many accounts' states are kept.
	bandwidthMost = 10_000
)

// states are the accounts' states, as they were a moment ago.
type states struct {
	mu sync.Mutex
	of map[string]state
}

type state struct {
	Bandwidth
	at time.Time
}

// Bandwidth says how much of the user's videos is delivered. It is some seconds old at
// most.
func (u *Usage) Bandwidth(ctx context.Context, user string) (Bandwidth, error) {
	now := u.store.Now()
	if s, known := u.states.get(user); known && now.Sub(s.at).Abs() < bandwidthFor {
		return s.Bandwidth, nil
	}
	st, err := u.Standing(ctx, user)
	if err != nil {
		return Ok, err
	}
	b := u.BandwidthOf(&st)
	u.states.set(user, state{b, now})
	return b, nil
}

// BandwidthOf is Bandwidth of somebody who stands there. Accounts that may have none at
// all, such as those whose plan has ended, are not asked how much it is: what they have
// can be read.
func (u *Usage) BandwidthOf(st *store.Standing) Bandwidth {
	limit := float64(u.Limits(st.User).MediaBandwidthBytes)
	switch used := float64(st.Month.Played); {
	case limit <= 0 || used <= limit:
		return Ok
	case used <= 1.2*limit:
		return Degraded
	}
	return Suspended
}

func (s *states) get(user string) (state, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	is, known := s.of[user]
	return is, known
}

func (s *states) set(user string, is state) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil || len(s.of) >= bandwidthMost {
		s.of = map[string]state{} // all are asked for again, at a few microseconds each
	}
	s.of[user] = is
}
