// Package limit holds the token buckets that keep one caller from taking the server
// for itself.
package limit

import (
	"math"
	"net/netip"
	"time"

	"golang.org/x/time/rate"

	"picora/app/config"
)

// Tier is a group of routes that share a bucket (contract, section 3).
type Tier uint8

// The tiers. Free routes cost nothing.
const (
	Free Tier = iota
	Read
	Mutation
	Upload
	SignIn // by address, not by caller
	Guess  // credentials that are none, by address; no route has it
	Hourly // everything of a caller; no route has it
	tiers
)

func (t Tier) String() string {
	return [...]string{"free", "read", "mutation", "upload", "auth", "auth", "hourly"}[t]
}

// Per is the time that a tier's number is of, as sentences say it.
func (t Tier) Per() string {
	if t == Hourly {
		return "hour"
	}
	return "minute"
}

// Caller is whose buckets a call is taken from: an account's, or, of somebody who is
// none, an address'.
type Caller struct {
	Account string
	Key     string // id of the API key; empty: a session
	Admin   bool   // administrators have ten times as much
	Address netip.Addr
}

// State is how much a caller has left.
type State struct {
	Limited   bool // false: nothing limits this; the rest says nothing
	OK        bool // the call may go on
	Tier      Tier
	Limit     int           // calls in a minute, or an hour
	Remaining int           // calls that may follow at once, no more than Limit
	Reset     time.Duration // until Remaining is Limit again
	Retry     time.Duration // of one that may not go on: until it may
}

// How much more than a key's everything of an account may be together, whatever the
// number of its keys, and an administrator's.
const (
	accountTimes = 2
	adminTimes   = 10
	guessTimes   = 10 // wrong credentials, of what may sign in: offices share an address
)

// most is how many callers' buckets each table keeps, some 500 bytes each. Beyond it
// the one goes that was used least lately, and is full when it comes back. That is
// safe: whoever would have theirs forgotten must be that many other callers meanwhile,
// who may do that many times more than the one regains. Strangers, who can be many at
// no cost, have a table of their own and push out each other only.
const most = 1 << 15

// Limiter holds everybody's buckets.
type Limiter struct {
	now       func() time.Time
	sizes     [tiers]size
	keys      *table[string]
	accounts  *table[string]
	addresses *table[netip.Prefix]
}

// size is that of a tier's buckets. A bucket holds a minute's number and the burst: a
// client may send a minute's worth at once, and goes on at the minute's rate.
type size struct {
	number, burst int
	each          time.Duration // between two tokens
}

// New returns the buckets that cfg describes, all full.
func New(cfg config.Limits, now func() time.Time) *Limiter {
	l := &Limiter{now: now, keys: newTable[string](most, true), accounts: newTable[string](most, true), addresses: newTable[netip.Prefix](most, false)}
	if !cfg.Enabled {
		return l
	}
	minute := func(number, burst int) size { return size{number, burst, time.Minute / time.Duration(max(number, 1))} }
	l.sizes = [tiers]size{
		Read:     minute(cfg.ReadPerMinute, cfg.ReadBurst),
		Mutation: minute(cfg.MutationPerMinute, cfg.MutationBurst),
		Upload:   minute(cfg.UploadPerMinute, cfg.UploadBurst),
		SignIn:   minute(cfg.SignInPerMinute, cfg.SignInBurst),
		Guess:    minute(cfg.SignInPerMinute*guessTimes, cfg.SignInBurst*guessTimes),
		Hourly:   {cfg.Hourly, 0, time.Hour / time.Duration(max(cfg.Hourly, 1))},
	}
	return l
}

// Take takes a call of the tier from the caller's buckets, or says why it may not.
func (l *Limiter) Take(c Caller, t Tier) State { return l.look(c, t, true) }

// Peek is Take that takes nothing.
func (l *Limiter) Peek(c Caller, t Tier) State { return l.look(c, t, false) }

// bucket is one of those that a call is taken from.
type bucket struct {
	*rate.Limiter
	tier   Tier
	number int // of the wire
}

func (l *Limiter) look(c Caller, t Tier, take bool) State {
	now := l.now()
	if t == Free || l.sizes[t].number == 0 && l.sizes[Hourly].number == 0 {
		return State{OK: true}
	}
	var room [4]bucket
	buckets := room[:0]
	if c.Account == "" {
		buckets = add(buckets, l, l.addresses, network(c.Address), t, 1, now)
	} else {
		times := 1
		if c.Admin {
			times = adminTimes
		}
		own := c.Key
		if own == "" {
			own = c.Account // all sessions together are like a key; no key has an account's id
		}
		buckets = add(buckets, l, l.keys, own, t, times, now)
		buckets = add(buckets, l, l.accounts, c.Account, t, times*accountTimes, now)
	}
	return spend(buckets, now, take)
}

// add finds the buckets of one caller: the tier's, and the hour's of those who are
// known. Addresses have none by the hour: many people may share one.
func add[K comparable](list []bucket, l *Limiter, in *table[K], k K, t Tier, times int, now time.Time) []bucket {
	of, hour := in.find(k, times, t, l, now)
	if of != nil {
		list = append(list, bucket{of, t, l.sizes[t].number * times})
	}
	if hour != nil {
		list = append(list, bucket{hour, Hourly, l.sizes[Hourly].number * times})
	}
	return list
}

// spend takes a token from each bucket when all have one. The state is the first
// bucket's, but that of the emptiest when there is too little; what remains is what
// all have. Two calls at the same moment may both find a token that only one gets:
// that one's tokens in the other buckets are lost, nobody gains any.
func spend(buckets []bucket, now time.Time, take bool) State {
	if len(buckets) == 0 {
		return State{OK: true}
	}
	s := State{Limited: true, OK: true, Remaining: math.MaxInt}
	var first float64
	for i, b := range buckets {
		tokens := b.TokensAt(now)
		if tokens < 1 {
			s.OK, take = false, false
			if wait := after(b, 1-tokens); wait > s.Retry {
				s.Retry = wait
				s.describe(b, tokens)
			}
		}
		if i == 0 && s.OK {
			first = tokens
			s.describe(b, tokens)
		}
		s.Remaining = min(s.Remaining, max(0, int(tokens)))
	}
	if take {
		for _, b := range buckets {
			s.OK = b.AllowN(now, 1) && s.OK
		}
		s.Remaining--
		s.describe(buckets[0], first-1)
		if !s.OK {
			s.Remaining, s.Retry = 0, time.Second
		}
	}
	s.Remaining = min(max(s.Remaining, 0), s.Limit)
	return s
}

// describe makes the state that of b.
func (s *State) describe(b bucket, tokens float64) {
	s.Tier, s.Limit = b.tier, b.number
	s.Reset = after(b, float64(b.number)-tokens)
}

// after is how long the bucket takes to get so many tokens.
func after(b bucket, tokens float64) time.Duration {
	if tokens <= 0 {
		return 0
	}
	return time.Duration(tokens / float64(b.Limit()) * float64(time.Second))
}

// network is what counts as one stranger: an IPv4 address, and of IPv6 the network of
// one line, within which its owner takes addresses as they like.
func network(a netip.Addr) netip.Prefix {
	bits := 64
	if a = a.Unmap().WithZone(""); a.Is4() {
		bits = 32
	}
	p, _ := a.Prefix(bits) // of no address: the zero prefix, which all of them share
	return p
}
