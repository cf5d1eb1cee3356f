package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"picora/media/wall"
	"picora/media/worker/wire"
)

// A process is one child. It does one job at a time.
type process struct {
	cmd    *exec.Cmd
	conn   *net.UnixConn
	said   *tail
	done   chan struct{} // closed when it is gone; cmd.ProcessState is set then
	walls  wall.Report
	cpuMax uint64 // hard limit of its processor time, in seconds
	buf    []byte
	jobs   int         // done
	spoilt bool        // not fit for another job
	rest   *time.Timer // lets it go while it is idle
	stands atomic.Bool // it is ended because its job does not move
}

// An order is a Job made ready to send.
type order struct {
	wire.Job
	files []*os.File
	cpu   time.Duration
	time  time.Duration // by the clock; 0: until the context ends
}

func newOrder(job Job) (order, error) {
	o := order{Job: wire.Job{Kind: job.Kind, In: job.In != nil, Beside: job.Beside != nil, Out: job.Out != nil, More: len(job.More)}, cpu: orElse(job.CPU, time.Minute), time: job.Time}
	for _, f := range []*os.File{job.In, job.Beside, job.Out} {
		if f != nil {
			o.files = append(o.files, f)
		}
	}
	if len(job.More) > wire.MaxMore {
		return order{}, fmt.Errorf("worker: %s: %d outputs are too many", job.Kind, len(job.More))
	}
	o.files = append(o.files, job.More...)
	if job.Args == nil {
		return o, nil
	}
	args, err := json.Marshal(job.Args)
	if err != nil {
		return order{}, fmt.Errorf("worker: %s: %w", job.Kind, err)
	}
	o.Args = args
	return o, nil
}

// do has the child do the job. The error is errUnread when it was gone already.
func (c *process) do(ctx context.Context, o order, progress func(float64)) (json.RawMessage, error) {
	c.jobs++
	c.said.reset()
	o.ID = uint64(c.jobs)
	ctx, end := within(ctx, o.time)
	defer end()
	if deadline, ok := ctx.Deadline(); ok {
		o.Left = max(time.Until(deadline), 1)
	}
	if err := c.allow(o.cpu); err != nil {
		return nil, c.gone(ctx, o.Kind, err)
	}
	stop := context.AfterFunc(ctx, c.kill)
	err := wire.Send(c.conn, o.Job, o.files...)
	if errors.Is(err, wire.ErrTooLong) {
		c.spoilt = !stop()
		return nil, fmt.Errorf("worker: %s: %w", o.Kind, err)
	}
	if err != nil {
		stop()
		return nil, c.gone(ctx, o.Kind, err)
	}
	a, err := c.listen(o.ID, progress)
	c.spoilt = !stop() // then the child is being killed
	if err == nil && a.Problem != nil {
		err = problem(*a.Problem)
		if f, ok := errors.AsType[*Failure](err); ok && f.Kind == ErrCrashed {
			c.spoilt = true
		}
		return nil, err
	}
	if err != nil {
		return nil, c.autopsy(ctx, o.Kind, err)
	}
	return a.Result, nil
}

// allow lets the child use so much more processor time.
func (c *process) allow(cpu time.Duration) error {
	used, err := c.used()
	if err != nil {
		return err
	}
	seconds := (used + cpu + time.Second - 1) / time.Second
	limit := unix.Rlimit{Cur: min(uint64(seconds), c.cpuMax), Max: c.cpuMax}
	return unix.Prlimit(c.cmd.Process.Pid, unix.RLIMIT_CPU, &limit, nil)
}

// gone ends a child that did not take a job. That it died while it was idle is not
// the job's fault; that it never took one is an error.
func (c *process) gone(ctx context.Context, kind string, err error) error {
	c.kill()
	if failure := c.autopsy(ctx, kind, err); c.jobs == 1 || ctx.Err() != nil {
		return failure
	}
	return errUnread
}

// listen reads answers to the job up to the last one.
func (c *process) listen(id uint64, progress func(float64)) (wire.Answer, error) {
	start := time.Now()
	for n := 0; ; n++ {
		message, err := wire.Receive(c.conn, c.buf)
		if err != nil {
			return wire.Answer{}, err
		}
		a, err := parse(message, id)
		if err != nil || a.Progress == nil {
			return a, err
		}
		// A child sends ten reports a second.
		if float64(n) > 100+20*time.Since(start).Seconds() {
			return wire.Answer{}, fmt.Errorf("%w: progress without end", wire.ErrRogue)
		}
		if progress != nil {
			progress(*a.Progress)
		}
	}
}

// autopsy ends a child whose answer did not come or was none, and says why.
func (c *process) autopsy(ctx context.Context, kind string, err error) error {
	c.spoilt = true
	hangs := false
	if errors.Is(err, wire.ErrRogue) {
		c.kill()
	}
	select {
	case <-c.done:
	case <-time.After(3 * time.Second): // the socket is closed first, then the process ends
		hangs = true
		c.kill()
		<-c.done
	}
	f := c.cause(ctx, err, hangs)
	if f.cause != nil && errors.Is(f.cause, context.Canceled) {
		return f.cause
	}
	f.Stderr = c.said.String()
	slog.Warn("a worker was lost", "job", kind, "why", f.Error(), "pid", c.cmd.Process.Pid, "stderr", f.Stderr)
	return f
}

// cause is why the child, which is gone, gave no answer.
func (c *process) cause(ctx context.Context, err error, hangs bool) *Failure {
	status := c.cmd.ProcessState.Sys().(syscall.WaitStatus)
	switch {
	case ctx.Err() != nil:
		return &Failure{Kind: ErrTimeout, What: "the deadline came", cause: ctx.Err()}
	case c.stands.Load():
		return &Failure{Kind: ErrTimeout, What: "it worked on and on without progress"}
	case errors.Is(err, wire.ErrRogue):
		return &Failure{Kind: ErrCrashed, What: printable(err.Error())}
	case hangs:
		return &Failure{Kind: ErrCrashed, What: "closed its socket and went on"}
	case status.Signaled() && status.Signal() == unix.SIGXCPU:
		return &Failure{Kind: ErrTimeout, What: "its processor time was used up"}
	case shortOfMemory(c.said.String()):
		return &Failure{Kind: ErrMemory, What: "it got no more memory"}
	case status.Signaled() && status.Signal() == unix.SIGKILL:
		return &Failure{Kind: ErrMemory, What: "killed from outside, most likely by the kernel for want of memory"}
	}
	return &Failure{Kind: ErrCrashed, What: c.cmd.ProcessState.String()}
}

// silent tells whether the child lives and says nothing, as it must between jobs.
func (c *process) silent() (yes bool) {
	raw, err := c.conn.SyscallConn()
	if err != nil {
		return false
	}
	err = raw.Read(func(fd uintptr) bool {
		var b [1]byte
		_, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		yes = errors.Is(err, unix.EAGAIN)
		return true
	})
	return yes && err == nil
}

// memory is how many bytes the child holds, and how many count against its limit: Go
// gives memory back, but not its addresses. 0 when that cannot be told.
func (c *process) memory() (resident, counted int64) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", c.cmd.Process.Pid))
	var size, shared, text, library int64
	if err == nil {
		_, err = fmt.Sscan(string(b), &size, &resident, &shared, &text, &library, &counted)
	}
	if err != nil {
		return 0, 0
	}
	page := int64(os.Getpagesize())
	return resident * page, counted * page
}

// kill ends the child at once. It is called more than once.
func (c *process) kill() { c.cmd.Process.Kill() }
