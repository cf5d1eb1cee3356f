package worker

import (
	"errors"
	"sync"
)

const (
	tailPart  = 2 << 10 // bytes kept of each end
	tailFlood = 1 << 20 // bytes in one job after which nobody reads on
)

// A tail keeps the beginning and the end of what a child writes to its standard
// output and error during a job: a crash says its reason first. A child that writes without
// end is left alone with a closed pipe, which ends it.
type tail struct {
	mu    sync.Mutex
	first []byte
	last  []byte
	n     int // bytes of this job
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(b)
	if t.n += n; t.n > tailFlood {
		return 0, errors.New("worker: too much output")
	}
	head := min(len(b), tailPart-len(t.first))
	t.first = append(t.first, b[:head]...)
	t.last = append(t.last, b[head:]...)
	if over := len(t.last) - tailPart; over > 0 {
		t.last = append(t.last[:0], t.last[over:]...)
	}
	return n, nil
}

// reset forgets what was written before this job.
func (t *tail) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.first, t.last, t.n = t.first[:0], t.last[:0], 0
}

// String is what was kept, fit for a log.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	between := ""
	if t.n > len(t.first)+len(t.last) {
		between = "\n...\n"
	}
	return string(t.first) + between + string(t.last)
}
