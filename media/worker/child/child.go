// Package child is the inside of a worker: it builds the walls and then does one
// job after the other. It does not trust what it decodes; nobody trusts it.
package child

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"picora/media"
	"picora/media/wall"
	"picora/media/worker/wire"
)

// Files are those of a job, nil where it has none. Their position may be anywhere, and
// they are closed when the job's handler returns.
type Files struct {
	In, Beside, Out *os.File
	More            []*os.File // further outputs
}

// A Handler does the jobs of one kind. The context
// ends with the job's deadline, at which the process is ended in any case. It may
// report progress, 0 to 1, as often as it likes. The result is sent as JSON. Of the
// errors, the refusals of package media, syscall.ENOMEM and the end of the context
// are told apart, and so is a disk that is full (ENOSPC, EDQUOT). A panic ends the process, which is reported as a crash.
type Handler func(ctx context.Context, args json.RawMessage, files Files, progress func(float64)) (any, error)

const (
	// Between progress reports that are sent.
	progressEvery = 100 * time.Millisecond
	// Memory that is free for this long is given back to the system, if it is much.
	restful   = 300 * time.Millisecond
	muchSpare = 2 << 20
)

// Serve does the jobs that come through the socket (descriptor 3) until it is
// closed, with the handlers by kind, to which it adds "ping" (answers its
// arguments) and "try" (answers wall.Try). It fails at once when descriptor 3 is
// not such a socket.
func Serve(handlers map[string]Handler) error { return ServePrepared(handlers, nil) }

// ServePrepared is Serve of a worker that gets something ready, by its name, when the
// server's greeting asks for it: what the walls would forbid, such as code that is
// made now. Nothing foreign is there yet.
func ServePrepared(handlers map[string]Handler, prepare map[string]func() error) error {
	conn, err := socket()
	if err != nil {
		return err
	}
	defer conn.Close()
	buf := make([]byte, wire.MaxMessage)
	own := findProgram() // the walls hide where it is
	if err := settle(conn, buf, prepare); err != nil {
		return err
	}
	s := &server{conn: conn, handlers: handlers, program: own}
	s.program.unmap()
	for {
		message, files, err := s.next(buf)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = s.work(message, files)
		}
		if err != nil {
			return fmt.Errorf("worker: %w", err)
		}
	}
}

// socket is the connection to the server.
func socket() (*net.UnixConn, error) {
	kind, err := unix.GetsockoptInt(wire.Socket, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil || kind != unix.SOCK_SEQPACKET {
		return nil, errors.New("the server starts workers itself; this is not a command for people")
	}
	unix.CloseOnExec(wire.Socket)
	f := os.NewFile(wire.Socket, "socket of the worker")
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	conn, ok := c.(*net.UnixConn)
	if !ok {
		return nil, errors.New("worker: not a unix socket")
	}
	return conn, nil
}

// settle makes the process what the server's greeting asks for.
func settle(conn *net.UnixConn, buf []byte, prepare map[string]func() error) error {
	message, err := wire.Receive(conn, buf)
	if err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	var hello wire.Hello
	if err := json.Unmarshal(message, &hello); err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	if get, known := prepare[hello.Prepare]; known {
		if err := get(); err != nil {
			return fmt.Errorf("worker: %w", err)
		}
	}
	runtime.GOMAXPROCS(max(hello.Threads, 1))
	if hello.Limits.Memory > 0 {
		debug.SetMemoryLimit(hello.Limits.Memory / 2) // the other half is C's
	}
	return wire.Send(conn, wire.Ready{Walls: wall.Apply(hello.Limits)})
}

type server struct {
	conn     *net.UnixConn
	handlers map[string]Handler
	program  program
	worked   bool // since memory was last given back
}

// next waits for a job. When none comes for a while after the last one, memory
// that is free is given back, and so are pages of the program.
func (s *server) next(buf []byte) ([]byte, []*os.File, error) {
	if s.worked {
		s.conn.SetReadDeadline(time.Now().Add(restful))
		message, files, err := wire.ReceiveFiles(s.conn, buf)
		s.conn.SetReadDeadline(time.Time{})
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return message, files, err
		}
		s.worked = false
		if spare() > muchSpare {
			debug.FreeOSMemory()
		}
		s.program.unmap()
	}
	return wire.ReceiveFiles(s.conn, buf)
}

// spare is how many bytes of the Go heap are mapped and hold nothing that is in
// use, or held nothing at the last collection.
func spare() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/free:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64() + sample[1].Value.Uint64()
}

// work does the job of a message and answers it.
func (s *server) work(message []byte, files []*os.File) error {
	defer func() {
		for _, f := range files {
			f.Close()
		}
		s.worked = true
	}()
	var job wire.Job
	if err := json.Unmarshal(message, &job); err != nil {
		return err
	}
	var given Files
	rest := files
	for _, f := range []struct {
		comes bool
		to    **os.File
	}{{job.In, &given.In}, {job.Beside, &given.Beside}, {job.Out, &given.Out}} {
		if f.comes && len(rest) > 0 {
			*f.to, rest = rest[0], rest[1:]
		}
	}
	given.More = rest[:min(max(job.More, 0), len(rest))]
	ctx, cancel := context.Background(), context.CancelFunc(func() {})
	if job.Left > 0 {
		ctx, cancel = context.WithTimeout(ctx, job.Left)
	}
	defer cancel()
	r := &reporter{conn: s.conn, id: job.ID}
	result, err := s.handler(job.Kind)(ctx, job.Args, given, r.report)
	r.end()
	return s.answer(job.ID, result, err)
}

func (s *server) handler(kind string) Handler {
	if h, ok := s.handlers[kind]; ok {
		return h
	}
	return func(_ context.Context, args json.RawMessage, _ Files, _ func(float64)) (any, error) {
		switch kind {
		case "ping":
			return args, nil
		case "try":
			return wall.Try(), nil
		}
		return nil, fmt.Errorf("no such job: %q", kind)
	}
}

// answer sends how a job ended.
func (s *server) answer(id uint64, result any, err error) error {
	a := wire.Answer{ID: id}
	if err == nil {
		a.Result, err = json.Marshal(result)
	}
	if err != nil {
		a.Result, a.Problem = nil, problem(err)
	}
	err = wire.Send(s.conn, a)
	if errors.Is(err, wire.ErrTooLong) {
		err = wire.Send(s.conn, wire.Answer{ID: id, Problem: &wire.Problem{Kind: wire.Failed, Text: "the result is too long"}})
	}
	return err
}

// problem is what the server is told of an error.
func problem(err error) *wire.Problem {
	for _, p := range []struct {
		is   error
		kind string
	}{
		{media.ErrCorrupt, wire.Corrupt},
		{media.ErrUnsupported, wire.Unsupported},
		{media.ErrTooManyPixels, wire.Pixels},
	} {
		if errors.Is(err, p.is) {
			return &wire.Problem{Kind: p.kind, Text: media.Reason(err)}
		}
	}
	switch {
	case errors.Is(err, syscall.ENOMEM):
		return &wire.Problem{Kind: wire.Memory, Text: err.Error()}
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return &wire.Problem{Kind: wire.Space, Text: err.Error()}
	case errors.Is(err, context.DeadlineExceeded):
		return &wire.Problem{Kind: wire.Timeout, Text: err.Error()}
	}
	return &wire.Problem{Kind: wire.Failed, Text: err.Error()}
}

// A reporter sends the progress of one job, now and then.
type reporter struct {
	conn *net.UnixConn
	id   uint64

	mu    sync.Mutex
	last  time.Time
	ended bool
}

func (r *reporter) report(part float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended || time.Since(r.last) < progressEvery || !(part >= 0 && part <= 1) {
		return
	}
	r.last = time.Now()
	wire.Send(r.conn, wire.Answer{ID: r.id, Progress: &part}) // a lost server is noticed by the answer
}

// end keeps goroutines that outlive their job from reporting.
func (r *reporter) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
}
