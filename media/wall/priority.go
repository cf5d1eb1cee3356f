package wall

import (
	"fmt"
	"os"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What x/sys does not name: the classes of sched(7) and ioprio_set(2).
const (
	schedIdle      = 5
	ioWhoProcess   = 1
	ioClassIdle    = 3 << 13
	niceWarm       = 5
	niceBackground = 19
)

// priority lets the server go first. Linux keeps it by thread and hands it on to
// the threads that a thread starts, so it is set until no new thread turns up.
func priority(l Limits) (string, error) {
	if l.Equal && !l.Background {
		return "as the server's", nil
	}
	set := func(tid int) error { return unix.Setpriority(unix.PRIO_PROCESS, tid, niceWarm) }
	detail := fmt.Sprintf("nice %d", niceWarm)
	if l.Background {
		set, detail = idle, "runs only when the machine has nothing else to do"
	}
	for done := map[int]bool{}; ; {
		before := len(done)
		tasks, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return "", fmt.Errorf("cannot list the threads: %w", err)
		}
		for _, t := range tasks {
			tid, err := strconv.Atoi(t.Name())
			if err != nil || done[tid] {
				continue
			}
			if err := set(tid); err != nil {
				return "", fmt.Errorf("cannot lower it: %w", err)
			}
			done[tid] = true
		}
		if len(done) == before {
			return detail, nil
		}
	}
}

// idle gives one thread the processor and the disk when nobody else wants them.
func idle(tid int) error {
	if err := unix.Setpriority(unix.PRIO_PROCESS, tid, niceBackground); err != nil {
		return err
	}
	if _, _, errno := unix.Syscall(unix.SYS_IOPRIO_SET, ioWhoProcess, uintptr(tid), ioClassIdle); errno != 0 {
		return errno
	}
	var none int32 // struct sched_param
	if _, _, errno := unix.Syscall(unix.SYS_SCHED_SETSCHEDULER, uintptr(tid), schedIdle, uintptr(unsafe.Pointer(&none))); errno != 0 {
		return errno
	}
	return nil
}
