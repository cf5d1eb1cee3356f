package limit

import (
	"hash/maphash"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/time/rate"
)

// shards is how many parts a table has, each with its own lock.
const shards = 64

// table finds callers' buckets, and forgets callers when there are too many.
type table[K comparable] struct {
	seed   maphash.Seed
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
type buckets [tiers]*rate.Limiter

func newTable[K comparable](most int) *table[K] {
	t := &table[K]{seed: maphash.MakeSeed()}
	for i := range t.shards {
		t.shards[i].lru, _ = simplelru.NewLRU[owner[K], *buckets](most/shards, nil) // fails for a size of 0 only
	}
	return t
}

// find returns the bucket of the tier and that of the hour, nil where there is no
// limit, or none by the hour.
func (t *table[K]) find(id K, times int, tier Tier, l *Limiter) (of, hour *rate.Limiter) {
	k := owner[K]{id, times}
	s := &t.shards[maphash.Comparable(t.seed, id)%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	b, found := s.lru.Get(k)
	if !found {
		b = new(buckets)
		s.lru.Add(k, b)
	}
	of = b.of(tier, times, l)
	if tier == Read || tier == Mutation || tier == Upload {
		hour = b.of(Hourly, times, l)
	}
	return of, hour
}

func (b *buckets) of(t Tier, times int, l *Limiter) *rate.Limiter {
	size := l.sizes[t]
	if b[t] == nil && size.number > 0 {
		b[t] = rate.NewLimiter(rate.Every(size.each)*rate.Limit(times), (size.number+size.burst)*times)
	}
	return b[t]
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
