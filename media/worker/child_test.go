package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"picora/media"
	"picora/media/worker/child"
)

// The test program plays three parts: the tests, the child with the handlers of
// this file, and a server that is killed (server_test.go).
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "worker":
			if err := child.Serve(handlers); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			os.Exit(0)
		case "server":
			serve()
		}
	}
	slog.SetDefault(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}

// A deed is a handler that needs its arguments only.
type deed func(args json.RawMessage) (any, error)

var handlers = map[string]child.Handler{"copy": copyFile, "spread": spread, "progress": progress, "climb": climb, "tell pid and sleep": tellPid}

func init() {
	for _, deeds := range []map[string]deed{plain, crimes, lies} {
		for kind, do := range deeds {
			handlers[kind] = func(_ context.Context, args json.RawMessage, _ child.Files, _ func(float64)) (any, error) {
				return do(args)
			}
		}
	}
}

func copyFile(_ context.Context, _ json.RawMessage, f child.Files, _ func(float64)) (any, error) {
	n, err := io.Copy(f.Out, f.In)
	if f.Beside == nil || err != nil {
		return n, err
	}
	more, err := io.Copy(f.Out, f.Beside)
	return n + more, err
}

// spread writes the number of each further output into it.
func spread(_ context.Context, _ json.RawMessage, f child.Files, _ func(float64)) (any, error) {
	for i, out := range f.More {
		if _, err := fmt.Fprint(out, i); err != nil {
			return nil, err
		}
	}
	return len(f.More), nil
}

// climb uses 1.5 s of processor time and reports where it is, up to the end or, with
// arguments, up to that part.
func climb(_ context.Context, args json.RawMessage, _ child.Files, report func(float64)) (any, error) {
	most := 1.0
	json.Unmarshal(args, &most)
	for start := cpu(); most < 1 || cpu()-start < 1500*time.Millisecond; { // one that stands never ends
		report(min(float64(cpu()-start)/1.5e9, most))
	}
	return "done", nil
}

// cpu is the processor time of this process.
func cpu() time.Duration {
	var at unix.Timespec
	unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &at)
	return time.Duration(at.Nano())
}

func progress(_ context.Context, _ json.RawMessage, _ child.Files, report func(float64)) (any, error) {
	for i := range 30 {
		report(float64(i) / 30)
		time.Sleep(10 * time.Millisecond)
	}
	return "done", nil
}

// tellPid reports the process' number, in billions, as progress.
func tellPid(_ context.Context, _ json.RawMessage, _ child.Files, report func(float64)) (any, error) {
	report(float64(os.Getpid()) / 1e9)
	time.Sleep(time.Minute)
	return nil, nil
}

// plain are what sound handlers do.
var plain = map[string]deed{
	"pid": func(json.RawMessage) (any, error) { return os.Getpid(), nil },
	"environment": func(json.RawMessage) (any, error) {
		dir, err := os.Readlink("/proc/self/cwd")
		return fmt.Sprintf("%q %q %q %v", os.Environ(), os.Args, dir, err != nil), nil
	},
	"descriptors": func(json.RawMessage) (any, error) { return openDescriptors(), nil },
	"refuse": func(args json.RawMessage) (any, error) {
		switch string(args) {
		case `"corrupt"`:
			return nil, fmt.Errorf("probe: %w", media.Corrupt("the end of the file is missing"))
		case `"unsupported"`:
			return nil, media.Unsupported("this is no picture")
		}
		return nil, media.TooManyPixels(30000, 30000, 100_000_000)
	},
	"fail":   func(json.RawMessage) (any, error) { return nil, errors.New("a bug\x1b[31m\nof ours") },
	"enomem": func(json.RawMessage) (any, error) { return nil, fmt.Errorf("av: %w", syscall.ENOMEM) },
	"long":   func(json.RawMessage) (any, error) { return string(make([]byte, 100<<10)), nil },
	"use": func(args json.RawMessage) (any, error) { // so many MiB for a moment
		var n int
		json.Unmarshal(args, &n)
		b := make([]byte, n<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		return len(b), nil
	},
	"sleep": func(args json.RawMessage) (any, error) { // milliseconds
		var n int
		json.Unmarshal(args, &n)
		time.Sleep(time.Duration(n) * time.Millisecond)
		return os.Getpid(), nil
	},
}

func openDescriptors() (list []int) {
	for fd := range 100 {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil {
			list = append(list, fd)
		}
	}
	return list
}

// crimes are what a child must not be able to do, and ways to go down.
var crimes = map[string]deed{
	"open": func(args json.RawMessage) (any, error) {
		var path string
		json.Unmarshal(args, &path)
		b, err := os.ReadFile(path)
		return len(b), err
	},
	"socket": func(args json.RawMessage) (any, error) {
		var a [2]int
		json.Unmarshal(args, &a)
		return unix.Socket(a[0], a[1], 0)
	},
	"fork":        func(json.RawMessage) (any, error) { return syscall.ForkExec("/proc/self/exe", []string{"x"}, nil) },
	"fork raw":    func(json.RawMessage) (any, error) { return fork(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0) },
	"exec":        func(json.RawMessage) (any, error) { return nil, syscall.Exec("/proc/self/exe", []string{"x"}, nil) },
	"kill parent": func(json.RawMessage) (any, error) { return nil, unix.Kill(os.Getppid(), unix.SIGTERM) },
	"kill all":    func(json.RawMessage) (any, error) { return nil, unix.Kill(-1, unix.SIGTERM) },
	"trace":       func(json.RawMessage) (any, error) { return nil, unix.PtraceAttach(os.Getppid()) },
	"more processor time": func(json.RawMessage) (any, error) {
		return nil, unix.Setrlimit(unix.RLIMIT_CPU, &unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY})
	},
	"new code": func(json.RawMessage) (any, error) {
		return unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
	},
	"shared memory": func(json.RawMessage) (any, error) {
		return unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANON)
	},
	"memory file":  func(json.RawMessage) (any, error) { return unix.MemfdCreate("x", 0) },
	"10 GB":        func(json.RawMessage) (any, error) { return eat(10 << 10), nil },
	"10 GB mapped": func(json.RawMessage) (any, error) { return mapMemory(10 << 10) },
	"use seconds": func(args json.RawMessage) (any, error) { // milliseconds of processor time
		var n int
		json.Unmarshal(args, &n)
		for start := time.Now(); time.Since(start) < time.Duration(n)*time.Millisecond; {
		}
		return n, nil
	},
	"spin": func(json.RawMessage) (any, error) {
		for n := 0; ; n++ {
			if n < 0 {
				return n, nil // in 200 years
			}
		}
	},
	"full":  func(json.RawMessage) (any, error) { return nil, fmt.Errorf("write: %w", unix.ENOSPC) },
	"panic": func(json.RawMessage) (any, error) { panic("the decoder is wrong") },
	"exit":  func(json.RawMessage) (any, error) { os.Exit(0); return nil, nil },
	"nil": func(json.RawMessage) (any, error) {
		*(*int)(unsafe.Add(unsafe.Pointer(nil), 1)) = 1
		return nil, nil
	},
	"segfault": func(json.RawMessage) (any, error) { return nil, dieOf(unix.SIGSEGV) },
	"sigkill":  func(json.RawMessage) (any, error) { return nil, unix.Kill(os.Getpid(), unix.SIGKILL) },
	"flood stdout": func(json.RawMessage) (any, error) {
		b := make([]byte, 1<<20)
		for range 100 {
			os.Stdout.Write(b)
		}
		return "done", nil
	},
	"flood stderr": func(json.RawMessage) (any, error) {
		for b := make([]byte, 1<<16); ; {
			os.Stderr.Write(b)
		}
	},
}

func eat(mib int) (n int) {
	var kept [][]byte
	for range mib / 64 {
		b := make([]byte, 64<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		kept = append(kept, b)
	}
	for _, b := range kept {
		n += len(b)
	}
	return n
}

func mapMemory(mib int) (any, error) {
	for n := range mib / 64 {
		if _, err := unix.Mmap(-1, 0, 64<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON); err != nil {
			return nil, fmt.Errorf("after %d MiB: %w", n*64, err)
		}
	}
	return "all of it", nil
}

func fork(call, a, b uintptr) (any, error) {
	pid, _, errno := syscall.RawSyscall(call, a, b, 0)
	if errno != 0 {
		return nil, errno
	}
	if pid == 0 {
		syscall.RawSyscall(syscall.SYS_EXIT_GROUP, 0, 0, 0)
	}
	return pid, nil
}

// dieOf ends the process with the signal, as C code would, without Go's handler.
func dieOf(sig syscall.Signal) error {
	var action [4]uint64
	unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0)
	if err := unix.Kill(os.Getpid(), sig); err != nil {
		return err
	}
	time.Sleep(time.Minute) // another thread may be the one that the signal reaches
	return errors.New("the signal did nothing")
}

// lies are what a child says that was taken over. Each has the first job of its child.
var lies = map[string]deed{
	"garbage":    func(json.RawMessage) (any, error) { return say("\x00\xff{{{") },
	"empty":      func(json.RawMessage) (any, error) { return say("") },
	"huge":       func(json.RawMessage) (any, error) { return say(string(make([]byte, 150<<10))) },
	"wrong id":   func(json.RawMessage) (any, error) { return say(`{"id":2,"result":1}`) },
	"two things": func(json.RawMessage) (any, error) { return say(`{"id":1,"result":1,"progress":0.5}`) },
	"nothing":    func(json.RawMessage) (any, error) { return say(`{"id":1}`) },
	"unknown":    func(json.RawMessage) (any, error) { return say(`{"id":1,"result":1,"path":"/etc"}`) },
	"too much":   func(json.RawMessage) (any, error) { return say(`{"id":1,"progress":1e300}`) },
	"not a reason": func(json.RawMessage) (any, error) {
		return say(`{"id":1,"problem":{"kind":"corrupt","text":"\u001b[2J"}}`)
	},
	"new kind": func(json.RawMessage) (any, error) { return say(`{"id":1,"problem":{"kind":"fine","text":""}}`) },
	"endless": func(json.RawMessage) (any, error) {
		for {
			unix.Write(socket(), []byte(`{"id":1,"progress":0.5}`))
		}
	},
	"files": func(json.RawMessage) (any, error) {
		unix.Sendmsg(socket(), []byte(`{"id":1,"result":1}`), unix.UnixRights(0), nil, 0)
		select {}
	},
	"hang up": func(json.RawMessage) (any, error) {
		unix.Shutdown(socket(), unix.SHUT_RDWR)
		time.Sleep(time.Hour)
		return nil, nil
	},
	// The right answer and then one to a job that is still to come.
	"twice": func(json.RawMessage) (any, error) {
		unix.Write(socket(), []byte(`{"id":1,"result":"first"}`))
		return say(`{"id":2,"result":"forged"}`)
	},
}

// say sends the text as it is and then stays alive.
func say(text string) (any, error) {
	unix.Write(socket(), []byte(text))
	time.Sleep(time.Hour)
	return nil, nil
}

// socket is the descriptor of the child's connection.
func socket() int {
	for fd := range 100 {
		if kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE); err == nil && kind == unix.SOCK_SEQPACKET {
			return fd
		}
	}
	panic("no socket")
}
