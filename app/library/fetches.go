package library

import (
	"context"
	"slices"
	"sync"

	"picora/app/fetch"
)

const (
	fetchesAtOnce = 8
	fetchesOfUser = 2 // at once
)

// fetches is whose turn it is to be fetched. A user has at most maxOpenUploads in it.
type fetches struct {
	from *fetch.Client
	news chan struct{} // has room for one signal: somebody's turn may have come

	mu      sync.Mutex
	waiting []asked
	running map[string]int           // how many, by user
	ends    map[string]chan struct{} // of those that wait or run, by upload: closed at the end
	stopped bool
}

type asked struct{ user, id string }

func newFetches(c *fetch.Client) *fetches {
	return &fetches{from: c, news: make(chan struct{}, 1), running: map[string]int{}, ends: map[string]chan struct{}{}}
}

// put has the upload fetched, once.
func (f *fetches) put(user, id string) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ends[id] != nil || f.stopped {
		return
	}
	f.ends[id] = make(chan struct{})
	f.waiting = append(f.waiting, asked{user, id})
	signal(f.news)
}

// next takes the first that may run now.
func (f *fetches) next() (a asked, found bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := 0
	for _, n := range f.running {
		all += n
	}
	if all >= fetchesAtOnce {
		return a, false
	}
	for i, a := range f.waiting {
		if f.running[a.user] < fetchesOfUser {
			f.waiting = slices.Delete(f.waiting, i, i+1)
			f.running[a.user]++
			return a, true
		}
	}
	return a, false
}

func (f *fetches) end(a asked) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.running[a.user]--; f.running[a.user] == 0 {
		delete(f.running, a.user)
	}
	close(f.ends[a.id])
	delete(f.ends, a.id)
	signal(f.news)
}

// run has do fetch what is asked for until ctx ends. What waits then is taken up at the
// next start.
func (f *fetches) run(ctx context.Context, do func(ctx context.Context, user, id string)) {
	var all sync.WaitGroup
	for ctx.Err() == nil {
		for a, found := f.next(); found; a, found = f.next() {
			all.Go(func() {
				defer f.end(a)
				do(ctx, a.user, a.id)
			})
		}
		select {
		case <-ctx.Done():
		case <-f.news:
		}
	}
	all.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stopped = true
	for _, a := range f.waiting {
		close(f.ends[a.id]) // who waits for it is answered
		delete(f.ends, a.id)
	}
	f.waiting = nil
}

// over is closed when the upload is neither fetched nor waiting to be.
func (f *fetches) over(id string) <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if end := f.ends[id]; end != nil {
		return end
	}
	end := make(chan struct{})
	close(end)
	return end
}

func (f *fetches) waits(id string) bool {
	if f == nil {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.ContainsFunc(f.waiting, func(a asked) bool { return a.id == id })
}
