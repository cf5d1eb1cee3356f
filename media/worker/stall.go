package worker

import (
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// used is the processor time of all threads of the child, those that ended included. It has
// no children of its own: the walls forbid that.
func (c *process) used() (time.Duration, error) {
	// The clock of another process' time; see clock_getcpuclockid(3).
	var at unix.Timespec
	err := unix.ClockGettime(int32(^c.cmd.Process.Pid<<3|2), &at)
	return time.Duration(at.Nano()), err
}

// watchEvery is how often a job is looked at that must move.
const watchEvery = 2 * time.Second

// watch ends the child when it used so much processor time without progress. It returns
// what takes the progress, and what ends the watch.
func (c *process) watch(stall time.Duration, progress func(float64)) (report func(float64), stop func()) {
	var mu sync.Mutex
	most, at := -1.0, time.Duration(-1) // when it moved last, in the child's own time; -1: from the next look on
	tick := time.NewTicker(min(watchEvery, stall))
	end, ended := make(chan struct{}), make(chan struct{})
	look := func() {
		now, err := c.used()
		if err != nil {
			return // it is gone
		}
		mu.Lock()
		defer mu.Unlock()
		switch {
		case at < 0:
			at = now
		case now-at > stall:
			c.stands.Store(true)
			c.kill()
		}
	}
	go func() {
		defer close(ended)
		for look(); ; look() {
			select {
			case <-end:
				return
			case <-tick.C:
			}
		}
	}()
	report = func(p float64) {
		mu.Lock()
		if p > most {
			most, at = p, -1
		}
		mu.Unlock()
		if progress != nil {
			progress(p)
		}
	}
	return report, func() { tick.Stop(); close(end); <-ended }
}
