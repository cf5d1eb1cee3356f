// Package worker has media work done by confined children of this program, so
// that a decoder that is taken over, crashes, hangs or eats memory takes nothing
// with it. Warm children do short jobs one after the other; a long job gets a
// child of its own. Package child is their inside, package wall what confines them.
package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	"picora/media/wall"
	"picora/media/worker/wire"
)

// A Job is one piece of work for a worker. Its deadline is that of the context, and Time.
type Job struct {
	Kind string   // which handler does it
	Args any      // sent as JSON, at most wire.MaxMessage with the rest
	In   *os.File // read-only; shared with the worker, its position included
	// Beside is another input, such as the picture of a watermark.
	Beside *os.File
	Out    *os.File   // writable
	More   []*os.File // further outputs, at most wire.MaxMore
	// Time is how long, by the clock, it may wait for its turn (else ErrBusy), and how long
	// it may then take (else ErrTimeout); 0: until the context ends. The start of a worker
	// counts to neither: what a busy machine takes is not the job's fault.
	Time time.Duration
	CPU  time.Duration // of processor time that it may use; 0: a minute, and for long jobs a day
	// Stall is the processor time that a long job may use without progress; 0: as much as
	// it likes. By the clock a child of low priority may stand still for hours, and not be
	// at fault.
	Stall time.Duration
}

// Options are the measures of a Pool. Zero values mean the defaults.
type Options struct {
	Program  string        // path of a program whose command "worker" is a child; default: this one
	Workers  int           // warm children at most; default: the number of processors
	Queue    int           // jobs that may wait for one; default 64
	Jobs     int           // after so many a child is replaced; default 500
	Resident int64         // bytes of memory at which a child is replaced after a job, as it is when half of its limit is used; default 192 MiB
	Idle     time.Duration // after which a child without work is let go; default 5 minutes

	// Prepare names what warm children get ready before their walls stand (see
	// child.ServePrepared), with the walls' rights and before any foreign byte; it may
	// take a minute. Empty: nothing.
	Prepare string

	Warm wall.Limits // default: 1 GiB of memory, 1 GiB a file, 64 descriptors
	Long wall.Limits // default: 2 GiB of memory, 64 GiB a file, 64 descriptors, in the background

	// Observe is told of each job's end: its kind, how it went, and how long it took,
	// waiting included. It must be quick and may be called by several goroutines.
	Observe func(kind string, outcome Outcome, took time.Duration)
}

// A Pool has jobs done. Its methods may be called by several goroutines.
type Pool struct {
	o       Options
	slots   chan struct{} // one for each warm child at work
	waiting chan struct{} // one for each job that waits or is at work
	launch  *launcher
	stop    context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup // jobs

	mu     sync.Mutex
	idle   []*process // the last one was used last
	closed bool
}

// New returns a pool. It starts no child before there is work.
func New(o Options) *Pool {
	o = o.withDefaults()
	p := &Pool{o: o, slots: make(chan struct{}, o.Workers), waiting: make(chan struct{}, o.Workers+o.Queue), launch: newLauncher(o.Program)}
	p.stop, p.cancel = context.WithCancel(context.Background())
	return p
}

func (o Options) withDefaults() Options {
	o.Workers = orElse(o.Workers, runtime.NumCPU())
	o.Queue = orElse(o.Queue, 64)
	o.Jobs = orElse(o.Jobs, 500)
	o.Resident = orElse(o.Resident, 192<<20)
	o.Idle = orElse(o.Idle, 5*time.Minute)
	o.Warm = orElse(o.Warm, wall.Limits{Memory: 1 << 30, Output: 1 << 30, Files: 64})
	o.Long = orElse(o.Long, wall.Limits{Memory: 2 << 30, Output: 64 << 30, Files: 64, Background: true})
	if o.Observe == nil {
		o.Observe = func(string, Outcome, time.Duration) {}
	}
	return o
}

func orElse[T comparable](v, instead T) T {
	var zero T
	if v == zero {
		return instead
	}
	return v
}

// Do has a warm child do the job, and waits for one until ctx ends. It returns the
// result as the child wrote it, which must be decoded with distrust. Errors are the
// refusals of package media, ErrBusy, ErrTimeout, ErrMemory, ErrSpace, ErrCrashed, ErrFailed,
// ErrClosed, and context.Canceled.
func (p *Pool) Do(ctx context.Context, job Job) (json.RawMessage, error) {
	return p.observe(ctx, job, func(ctx context.Context, order order) (json.RawMessage, error) {
		if err := p.queue(ctx, job.Time); err != nil {
			return nil, err
		}
		defer func() { <-p.slots; <-p.waiting }()
		for {
			c, err := p.take(ctx)
			if err != nil {
				return nil, err
			}
			result, err := c.do(ctx, order, nil)
			p.put(c)
			if err != errUnread {
				return result, err
			}
		}
	})
}

// Run has a new child do the job, at the lowest priority, and reports its progress
// (0 to 1), at most a few times a second. The errors are those of Do; how many run at
// once is the caller's business.
func (p *Pool) Run(ctx context.Context, job Job, progress func(float64)) (json.RawMessage, error) {
	if job.CPU == 0 {
		job.CPU = 24 * time.Hour
	}
	return p.observe(ctx, job, func(ctx context.Context, order order) (json.RawMessage, error) {
		c, err := p.start(ctx, wire.Hello{Limits: p.o.Long, Threads: runtime.NumCPU()})
		if err != nil {
			return nil, err
		}
		defer c.kill()
		if job.Stall > 0 {
			var stop func()
			progress, stop = c.watch(job.Stall, progress)
			defer stop()
		}
		return c.do(ctx, order, progress)
	})
}

// Walls starts a child if none is warm, and returns which walls stand around it.
func (p *Pool) Walls(ctx context.Context) (wall.Report, error) {
	ctx, leave, err := p.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	c, err := p.take(ctx)
	if err != nil {
		return nil, err
	}
	defer p.put(c)
	return c.walls, nil
}

// observe does the job with do and tells how it ended.
func (p *Pool) observe(ctx context.Context, job Job, do func(context.Context, order) (json.RawMessage, error)) (result json.RawMessage, err error) {
	start := time.Now()
	defer func() { p.o.Observe(job.Kind, outcome(err), time.Since(start)) }()
	order, err := newOrder(job)
	if err != nil {
		return nil, err
	}
	ctx, leave, err := p.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	result, err = do(ctx, order)
	if errors.Is(err, context.Canceled) && p.stop.Err() != nil {
		err = ErrClosed
	}
	return result, err
}

// enter returns a context that Close ends, and holds Close up until leave is called.
func (p *Pool) enter(ctx context.Context) (inside context.Context, leave func(), err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, nil, ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	p.running.Add(1)
	inside, cancel := context.WithCancel(ctx)
	forget := context.AfterFunc(p.stop, cancel)
	return inside, func() { forget(); cancel(); p.running.Done() }, nil
}

// queue waits for the right to use a warm child, at most for so long; 0: until ctx ends.
func (p *Pool) queue(ctx context.Context, most time.Duration) error {
	ctx, stop := within(ctx, most)
	defer stop()
	select {
	case p.waiting <- struct{}{}:
	default:
		return ErrBusy
	}
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		<-p.waiting
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return fmt.Errorf("%w: %w", ErrBusy, ctx.Err())
		}
		return ctx.Err()
	}
}

// within is a context that ends after d at the latest; 0: when ctx does.
func within(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if d == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, d)
}

// take returns the warm child that was used last, or a new one.
func (p *Pool) take(ctx context.Context) (*process, error) {
	for {
		p.mu.Lock()
		last := len(p.idle) - 1
		if last < 0 {
			p.mu.Unlock()
			return p.start(ctx, wire.Hello{Limits: p.o.Warm, Threads: 1, Prepare: p.o.Prepare})
		}
		c := p.idle[last]
		p.idle = p.idle[:last]
		p.mu.Unlock()
		c.rest.Stop()
		if c.silent() {
			return c, nil
		}
		c.kill() // it died, or says what nobody asked
	}
}

// put keeps the child for the next job, if it is fit for that.
func (p *Pool) put(c *process) {
	resident, counted := c.memory()
	worn := c.spoilt || c.jobs >= p.o.Jobs || resident > p.o.Resident || p.o.Warm.Memory > 0 && counted > p.o.Warm.Memory/2
	p.mu.Lock()
	defer p.mu.Unlock()
	if worn || p.closed {
		c.kill()
		return
	}
	p.idle = append(p.idle, c)
	c.rest = time.AfterFunc(p.o.Idle, func() { p.release(c) })
}

// release lets a child go that had no work for long.
func (p *Pool) release(c *process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, other := range p.idle {
		if other == c {
			p.idle = append(p.idle[:i], p.idle[i+1:]...)
			c.kill()
			return
		}
	}
}

// Close ends the jobs that run, and all children. It returns when they are gone.
func (p *Pool) Close() {
	p.mu.Lock()
	again := p.closed
	p.closed = true
	p.mu.Unlock()
	if again {
		return
	}
	p.cancel()
	p.running.Wait()
	p.mu.Lock()
	for _, c := range p.idle {
		c.rest.Stop()
		c.kill()
	}
	p.idle = nil
	p.mu.Unlock()
	p.launch.close()
}
