package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"picora/media/wall"
	"picora/media/worker/wire"
)

// How long a child may take until it is ready, and one that prepares something.
const (
	startTime   = 20 * time.Second
	prepareTime = time.Minute
)

// spaces are the namespaces that a child is started in, best first: the first ones
// that the host allows. In a user namespace of its own even root has no rights.
var spaces = []struct {
	flags  uintptr
	report wall.Report
}{
	{unix.CLONE_NEWUSER | unix.CLONE_NEWNET | unix.CLONE_NEWIPC, wall.Report{
		{Name: "no network", Stands: true, Detail: "a network namespace with nothing in it"},
		{Name: "no rights", Stands: true, Detail: "a user namespace in which it is nobody"},
	}},
	{unix.CLONE_NEWNET | unix.CLONE_NEWIPC, wall.Report{
		{Name: "no network", Stands: true, Detail: "a network namespace with nothing in it"},
		{Name: "no rights", Detail: "this host allows no user namespaces; a worker has the server's rights"},
	}},
	{0, wall.Report{
		{Name: "no network", Detail: "this host allows no namespaces (user.max_user_namespaces, AppArmor or a container)"},
		{Name: "no rights", Detail: "a worker has the server's rights"},
	}},
}

// A launcher starts children, all from one thread of the system: a child dies when
// the thread ends that started it (PDEATHSIG), and threads of Go come and go.
type launcher struct {
	program  string
	starts   chan func()
	children sync.WaitGroup
	space    atomic.Int32 // index of spaces
}

func newLauncher(program string) *launcher {
	l := &launcher{program: program, starts: make(chan func())}
	if program == "" {
		l.program = self()
	}
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for start := range l.starts {
			start()
		}
	}()
	return l
}

// close waits until all children are gone, and ends the thread.
func (l *launcher) close() {
	l.children.Wait()
	close(l.starts)
}

// start returns a new child that is ready for a job; ErrBusy when it is not in time.
func (p *Pool) start(ctx context.Context, hello wire.Hello) (*process, error) {
	c, space, err := p.launch.start()
	if err != nil {
		return nil, fmt.Errorf("worker: cannot start: %w", err)
	}
	stop := context.AfterFunc(ctx, c.kill)
	patience := startTime
	if hello.Prepare != "" {
		patience = prepareTime
	}
	c.conn.SetDeadline(time.Now().Add(patience))
	var ready wire.Ready
	err = wire.Send(c.conn, hello)
	if err == nil {
		var message []byte
		if message, err = wire.Receive(c.conn, c.buf); err == nil {
			err = json.Unmarshal(message, &ready)
		}
	}
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		late := errors.Is(ctx.Err(), context.DeadlineExceeded)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			late, err = true, fmt.Errorf("%w: it was not ready in %v", wire.ErrRogue, patience)
		}
		if err = c.autopsy(ctx, "start", err); late || errors.Is(err, ErrMemory) { // which is no job's fault
			err = fmt.Errorf("%w: %v", ErrBusy, err)
		}
		return nil, err
	}
	c.conn.SetDeadline(time.Time{})
	c.walls = append(append(wall.Report{}, spaces[space].report...), ready.Walls...)
	return c, nil
}

// start starts a process in the best namespaces that the host allows, and says
// which.
func (l *launcher) start() (c *process, space int32, err error) {
	for space = l.space.Load(); ; space++ {
		started := make(chan struct{})
		l.starts <- func() {
			defer close(started)
			c, err = spawn(l.program, spaces[space].flags)
		}
		<-started
		if err == nil || int(space) == len(spaces)-1 || !forbidden(err) {
			break
		}
	}
	if err != nil {
		return nil, 0, err
	}
	l.space.Store(space)
	l.children.Go(c.wait)
	return c, space, nil
}

// forbidden tells whether a host's answer means that it will never allow this.
func forbidden(err error) bool {
	for _, e := range []error{unix.EPERM, unix.EACCES, unix.EINVAL, unix.ENOSPC, unix.EUSERS, unix.ENOSYS} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// spawn starts the program once more, with nothing but the socket.
func spawn(program string, flags uintptr) (*process, error) {
	ours, theirs, err := pair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	c := &process{conn: ours, said: new(tail), done: make(chan struct{}), buf: make([]byte, wire.MaxMessage)}
	c.cmd = exec.Command(program, "worker")
	c.cmd.Args[0] = "picora"
	c.cmd.Env = []string{}
	c.cmd.Dir = "/"
	c.cmd.Stdin = strings.NewReader("") // not /dev/null, which an empty chroot lacks
	c.cmd.Stdout, c.cmd.Stderr = c.said, c.said
	c.cmd.ExtraFiles = []*os.File{theirs} // becomes wire.Socket
	c.cmd.SysProcAttr = &unix.SysProcAttr{Setpgid: true, Pdeathsig: unix.SIGKILL, Cloneflags: flags}
	if err := c.cmd.Start(); err != nil {
		ours.Close()
		return nil, err
	}
	var limit unix.Rlimit
	unix.Prlimit(c.cmd.Process.Pid, unix.RLIMIT_CPU, nil, &limit)
	c.cpuMax = limit.Max
	return c, nil
}

// self is the path of this program. What /proc gives stays right when the file
// is replaced by a newer one; without /proc (an empty chroot) it is the name that
// the program was called by.
func self() string {
	const exe = "/proc/self/exe"
	if _, err := os.Stat(exe); err == nil {
		return exe
	}
	name, err := exec.LookPath(os.Args[0])
	if err == nil {
		name, err = filepath.Abs(name)
	}
	if err != nil {
		return exe // the error of the start then names it
	}
	return name
}

// pair returns the two ends of a socket that keeps messages apart.
func pair() (*net.UnixConn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("socketpair: %w", err)
	}
	theirs := os.NewFile(uintptr(fds[1]), "socket of a worker")
	f := os.NewFile(uintptr(fds[0]), "socket to a worker")
	defer f.Close()
	conn, err := net.FileConn(f)
	if err != nil {
		theirs.Close()
		return nil, nil, err
	}
	return conn.(*net.UnixConn), theirs, nil
}

// wait waits for the end of the child, and then ends what it may have started: the
// group is killed while the child's number still stands for it.
func (c *process) wait() {
	pid := c.cmd.Process.Pid
	for errors.Is(unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil), unix.EINTR) {
	}
	unix.Kill(-pid, unix.SIGKILL)
	c.cmd.Wait() // how it ended is in ProcessState
	c.conn.Close()
	close(c.done)
}
