// Package wall takes from a process what it does not need: memory without end,
// files, the network, other processes. A worker builds the walls around itself
// before it sees a foreign byte, and none can be taken down again. Descriptors
// that are open stay open; they are how a worker gets its input and output.
//
// Linux only. What the kernel lacks is left out and said in the Report.
package wall

import (
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Limits are the figures of the walls.
type Limits struct {
	Memory     int64 `json:"memory"`     // bytes of private memory that can be written (RLIMIT_DATA); 0: no limit
	Output     int64 `json:"output"`     // bytes of one file that is written (RLIMIT_FSIZE); 0: no limit
	Files      int64 `json:"files"`      // open descriptors (RLIMIT_NOFILE); 0: no limit
	Background bool  `json:"background"` // runs when nothing else wants the machine
	Equal      bool  `json:"equal"`      // keeps the priority that it was started with
}

// A Wall says whether one wall stands.
type Wall struct {
	Name   string `json:"name"`
	Stands bool   `json:"stands"`
	Detail string `json:"detail"` // what it holds back, or why it is missing
}

// A Report says which walls stand.
type Report []Wall

// Apply builds every wall that the kernel offers around this process, all of its
// threads and all that it starts later. Once it has returned, the process opens no
// file and no socket and starts no program.
func Apply(l Limits) Report {
	steps := []struct {
		name  string
		build func() (detail string, err error)
	}{
		// The order matters: the first four open files.
		{"first to go when memory is short", sacrifice},
		{"limits", func() (string, error) { return limit(l) }},
		{"low priority", func() (string, error) { return priority(l) }},
		{"Landlock", restrict},
		{"no core dump", undumpable},
		{"system calls", filter},
	}
	report := make(Report, 0, len(steps))
	for _, s := range steps {
		detail, err := s.build()
		if err != nil {
			detail = err.Error()
		}
		report = append(report, Wall{Name: s.name, Stands: err == nil, Detail: detail})
	}
	return report
}

// limit sets the limits of resources. That of processor time is moved from outside
// before each job, and ends the process with SIGXCPU, which Go would ignore. A file
// that grows too large is an error of write (EFBIG), as Go ignores SIGXFSZ.
func limit(l Limits) (string, error) {
	signal.Ignore(unix.SIGXFSZ) // C code too gets the error, not the signal
	if err := defaultAction(unix.SIGXCPU); err != nil {
		return "", fmt.Errorf("cannot let the limit of processor time end the process: %w", err)
	}
	var told []string
	for _, r := range []struct {
		resource int
		value    int64
		says     string
	}{
		{unix.RLIMIT_DATA, l.Memory, fmt.Sprintf("%d MiB of memory", l.Memory>>20)},
		{unix.RLIMIT_FSIZE, l.Output, fmt.Sprintf("%d MiB a file", l.Output>>20)},
		{unix.RLIMIT_NOFILE, l.Files, fmt.Sprintf("%d descriptors", l.Files)},
	} {
		if r.value <= 0 {
			continue
		}
		v := uint64(r.value)
		if err := unix.Setrlimit(r.resource, &unix.Rlimit{Cur: v, Max: v}); err != nil {
			return "", fmt.Errorf("cannot limit to %s: %w", r.says, err)
		}
		told = append(told, r.says)
	}
	return strings.Join(append(told, "processor time for each job"), ", "), nil
}

// defaultAction gives the signal back to the kernel. Package os/signal can only
// give it back to the Go runtime, which ignores it.
func defaultAction(sig syscall.Signal) error {
	var action [4]uint64 // struct sigaction of the kernel, all zero: SIG_DFL
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// sacrifice has the kernel end this process before others when memory runs out.
func sacrifice() (string, error) {
	if err := os.WriteFile("/proc/self/oom_score_adj", []byte("900"), 0); err != nil {
		return "", fmt.Errorf("cannot tell the kernel: %w", err)
	}
	return "the kernel ends a worker before it ends the server", nil
}

// undumpable keeps the process' memory out of core files, those that a pipe takes
// included, and out of the reach of processes of the same user.
func undumpable() (string, error) {
	none := unix.Rlimit{}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &none); err != nil {
		return "", fmt.Errorf("cannot forbid core files: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return "", fmt.Errorf("cannot hide the memory: %w", err)
	}
	return "and no look into its memory by other processes of the user", nil
}
