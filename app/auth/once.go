package auth

import (
	"sync"
	"time"
)

// maxBegun bounds what somebody began and has not ended: anybody may begin to sign in.
const maxBegun = 20_000

// begun keeps what somebody began until they end it, once, within an age. When there
// is too much, the oldest goes: its person begins again.
type begun[T any] struct {
	age   time.Duration
	mu    sync.Mutex
	m     map[string]T
	queue []begunAt // in the order of time; of some, T was taken
}

type begunAt struct {
	key string
	at  time.Time
}

func newBegun[T any](age time.Duration) *begun[T] {
	return &begun[T]{age: age, m: map[string]T{}}
}

func (b *begun[T]) put(key string, v T, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forget(now)
	if len(b.queue) >= maxBegun {
		delete(b.m, b.queue[0].key)
		b.queue = b.queue[1:]
	}
	b.m[key] = v
	b.queue = append(b.queue, begunAt{key, now})
}

// take returns what was put under key, which nobody gets again.
func (b *begun[T]) take(key string, now time.Time) (v T, found bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forget(now)
	v, found = b.m[key]
	delete(b.m, key)
	return v, found
}

func (b *begun[T]) forget(now time.Time) {
	for len(b.queue) > 0 && now.Sub(b.queue[0].at) > b.age {
		delete(b.m, b.queue[0].key)
		b.queue = b.queue[1:]
	}
}
