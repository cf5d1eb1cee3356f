package limit

import (
	"hash/maphash"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/time/rate"
)

// shards is how many parts a table has, each with its own lock.
const shards = 64

// table finds callers' buckets, and forgets callers when there are too many.
type table[K comparable] struct {
	seed   maphash.Seed
	hourly bool // its callers have a bucket for the hour
	shards [shards]shard[K]
}

type shard[K comparable] struct {
	mu  sync.Mutex
	lru *simplelru.LRU[owner[K], *buckets]
}

// owner is whose buckets they are, and how many times the common size they have: who
// becomes an administrator, or ceases to be one, begins with others.
type owner[K comparable] struct {
	id    K
	times int
}

// buckets are one caller's, made when they are first needed.
type buckets struct {
	of    [tiers]*rate.Limiter
	moved int64 // when the caller was last put before all others, in seconds
}

func newTable[K comparable](most int, hourly bool) *table[K] {
	t := &table[K]{seed: maphash.MakeSeed(), hourly: hourly}
	for i := range t.shards {
		t.shards[i].lru, _ = simplelru.NewLRU[owner[K], *buckets](most/shards, nil) // fails for a size of 0 only
	}
	return t
}

// find returns the bucket of the tier and that of the hour, nil where there is no
// limit, or none by the hour.
func (t *table[K]) find(id K, times int, tier Tier, l *Limiter, now time.Time) (of, hour *rate.Limiter) {
	k := owner[K]{id, times}
	s := &t.shards[maphash.Comparable(t.seed, id)%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	b, found := s.lru.Peek(k)
	if !found {
		b = &buckets{moved: now.Unix()}
		s.lru.Add(k, b)
	} else if second := now.Unix(); b.moved != second { // once a second is order enough, and moving costs
		b.moved = second
		s.lru.Get(k)
	}
	of = b.bucket(tier, times, l)
	if t.hourly && (tier == Read || tier == Mutation || tier == Upload) {
		hour = b.bucket(Hourly, times, l)
	}
	return of, hour
}

func (b *buckets) bucket(t Tier, times int, l *Limiter) *rate.Limiter {
	size := l.sizes[t]
	if b.of[t] == nil && size.number > 0 {
		b.of[t] = rate.NewLimiter(rate.Every(size.each)*rate.Limit(times), (size.number+size.burst)*times)
	}
	return b.of[t]
}

// len is how many callers the table knows.
func (t *table[K]) len() (n int) {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		n += s.lru.Len()
		s.mu.Unlock()
	}
	return n
}
