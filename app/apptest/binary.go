package apptest

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Binary builds the program, once in a test process, and returns its path.
func Binary(t testing.TB) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// build leaves the program in one place for all test processes, which may run at
// the same time: each builds its own and moves it there.
var build = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("picora-apptest-%d", os.Getuid()))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	path := filepath.Join(dir, "picora")
	mine := fmt.Sprintf("%s-%d", path, os.Getpid())
	if out, err := exec.Command("go", "build", "-o", mine, "picora").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, os.Rename(mine, path)
})

// Output is what a command said and how it ended.
type Output struct {
	Stdout, Stderr string
	Status         int
}

// Run runs the program with the arguments and ends when it does.
func Run(t testing.TB, stdin string, args ...string) (o Output) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := command(t, args)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	err := cmd.Start()
	if err != nil {
		t.Fatal(err)
	}
	stuck := time.AfterFunc(3*time.Minute, func() { cmd.Process.Kill() })
	defer stuck.Stop()
	if err := cmd.Wait(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	return Output{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// command is a run of the program that the tester's own settings do not reach.
func command(t testing.TB, args []string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(Binary(t), args...)
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "PICORA_") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	return cmd
}

// Process is the real program, serving in a process of its own. Of Picora's
// methods those work that need neither App nor Stop.
type Process struct {
	*Picora
	cmd    *exec.Cmd
	stderr output
	ended  chan struct{}
}

// output collects what the process says.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// Spawn starts "picora serve" on the data folder and a free port, with further
// arguments, and waits for neither its health nor its end.
func Spawn(t testing.TB, data string, args ...string) *Process {
	t.Helper()
	p := &Process{Picora: &Picora{Data: data, t: t}, ended: make(chan struct{})}
	p.cmd = command(t, append([]string{"serve", "--data", data, "--listen", "127.0.0.1:0"}, args...))
	p.cmd.Env = append(p.cmd.Env, "PICORA_LIMITS_ENABLED=false")
	p.cmd.Stderr = &p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.cmd.Wait() // its status is in ProcessState
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.cmd.Process.Kill() // no more than its end is needed
		<-p.ended
		if t.Failed() {
			t.Logf("picora serve said:\n%s", p.Stderr())
		}
	})
	return p
}

var listening = regexp.MustCompile(`url=http://localhost:(\d+)`)

// Serve is Spawn that waits until the server is healthy.
func Serve(t testing.TB, data string, args ...string) *Process {
	t.Helper()
	p := Spawn(t, data, args...)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(2 * time.Millisecond) {
		if m := listening.FindStringSubmatch(p.Stderr()); m != nil {
			p.URL = "http://127.0.0.1:" + m[1]
			if res, err := http.Get(p.URL + "/health"); err == nil {
				res.Body.Close()
				return p
			}
		}
		select {
		case <-p.ended:
			t.Fatalf("picora serve ended with %s:\n%s", p.cmd.ProcessState, p.Stderr())
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("picora serve did not become healthy:\n%s", p.Stderr())
		}
	}
}

// Stderr is what the process has said so far.
func (p *Process) Stderr() string { return p.stderr.String() }

// Pid is the process's id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Signal sends the process a signal.
func (p *Process) Signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// Wait waits for the process to end and returns its status, -1 after a signal
// that it did not catch.
func (p *Process) Wait(within time.Duration) int {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(within):
		p.t.Fatalf("picora serve still runs after %s", within)
	}
	return p.cmd.ProcessState.ExitCode()
}

// Terminate stops the process as systemd would; it must end well.
func (p *Process) Terminate() {
	p.t.Helper()
	http.DefaultClient.CloseIdleConnections()
	p.Signal(syscall.SIGTERM)
	if status := p.Wait(time.Minute); status != 0 {
		p.t.Fatalf("picora serve ended with %d", status)
	}
}
