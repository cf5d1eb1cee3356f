package wall

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
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A wall cannot be taken down, so each is tried in a process of its own: this test
// program, started with "inside" and the wall's name.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "inside" {
		threads := startThreads()
		json.NewEncoder(os.Stdout).Encode(inside[os.Args[2]](threads))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// inside builds a wall and says what then happened on each thread that was there before.
var inside = map[string]func(threads) any{
	"Landlock":     func(t threads) any { return t.after(restrict) },
	"system calls": func(t threads) any { return t.after(filter) },
	"all": func(threads) any {
		return []Report{Apply(Limits{Memory: dataLimit, Output: 1 << 20, Files: 32}), Try()}
	},
	"limits": func(threads) any {
		_, err := limit(Limits{Memory: dataLimit, Output: 1 << 10, Files: 32})
		return words(err, tooMuchMemory(), tooLong(), tooManyFiles())
	},
	"priority": func(threads) any {
		_, err := priority(Limits{Background: true})
		return append(words(err), priorities()...)
	},
	"equal": func(threads) any {
		_, err := priority(Limits{Equal: true})
		return append(words(err), priorities()...)
	},
	"rest": func(threads) any {
		_, err1 := sacrifice()
		score, err2 := os.ReadFile("/proc/self/oom_score_adj")
		_, err3 := undumpable()
		dumpable, err4 := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
		return append(words(err1, err2, err3, err4), strings.TrimSpace(string(score)), strconv.Itoa(dumpable))
	},
}

// in runs this program inside the wall and decodes what it says into v.
func in(t *testing.T, wall string, v any) {
	t.Helper()
	out, err := exec.Command("/proc/self/exe", "inside", wall).Output()
	if err == nil {
		err = json.Unmarshal(out, v)
	}
	if err != nil {
		t.Fatalf("inside %s: %v\n%s", wall, err, out)
	}
}

// words are the errors as the test compares them: their errno.
func words(errs ...error) (list []string) {
	for _, err := range errs {
		word := "fine"
		if e, ok := errors.AsType[unix.Errno](err); ok {
			word = unix.ErrnoName(e)
		} else if err != nil {
			word = err.Error()
		}
		list = append(list, word)
	}
	return list
}

// attempts are what both Landlock and the filter hold back, in this order: a file
// that is read and one that is made, TCP, a signal to another process.
func attempts() []string {
	read := closed(os.Open("/etc/passwd"))
	write := closed(os.Create(filepath.Join(os.TempDir(), "picora-wall-test")))
	var plain net.ListenConfig
	plain.SetMultipathTCP(false) // which Landlock does not know
	tcp := closed(plain.Listen(context.Background(), "tcp4", "127.0.0.1:0"))
	return words(read, write, tcp, unix.Kill(os.Getppid(), 0), unix.Kill(os.Getpid(), 0))
}

// threads are threads of the system that were there before a wall.
type threads []chan func()

func startThreads() (list threads) {
	for range 2 {
		work := make(chan func())
		go func() {
			runtime.LockOSThread()
			for f := range work {
				f()
			}
		}()
		list = append(list, work)
	}
	return list
}

// after builds the wall and makes the attempts on every thread.
func (t threads) after(build func() (string, error)) (said [][]string) {
	if _, err := build(); err != nil {
		return [][]string{{err.Error()}}
	}
	for _, work := range t {
		done := make(chan []string)
		work <- func() { done <- attempts() }
		said = append(said, <-done)
	}
	return said
}

func TestAWallHoldsAllThreads(t *testing.T) {
	outside := attempts()
	os.Remove(filepath.Join(os.TempDir(), "picora-wall-test"))
	if want := []string{"fine", "fine", "fine", "fine", "fine"}; !slices.Equal(outside, want) {
		t.Fatalf("without a wall: %v", outside)
	}
	tests := []struct {
		wall string
		says []string
	}{
		{"Landlock", []string{"EACCES", "EACCES", "EACCES", "EPERM", "fine"}}, // version 6 and later
		{"system calls", []string{"EPERM", "EPERM", "EPERM", "EPERM", "fine"}},
	}
	for _, test := range tests {
		t.Run(test.wall, func(t *testing.T) {
			var said [][]string
			in(t, test.wall, &said)
			if len(said) == 1 {
				t.Skip("this host lacks it: ", said)
			}
			for i, words := range said {
				if test.wall == "Landlock" && !strings.Contains(whole(t), "no signals") {
					words = words[:2]
				}
				if !slices.Equal(words, test.says[:len(words)]) {
					t.Errorf("thread %d: %v, want %v", i, words, test.says)
				}
			}
		})
	}
}

// whole is what all walls together say of Landlock.
func whole(t *testing.T) string {
	var reports []Report
	in(t, "all", &reports)
	return reports[0][slices.IndexFunc(reports[0], func(w Wall) bool { return w.Name == "Landlock" })].Detail
}

func TestApplyReportsWhatTryFinds(t *testing.T) {
	var reports []Report
	in(t, "all", &reports)
	for _, w := range reports[0] {
		if w.Detail == "" {
			t.Errorf("%s: no detail", w.Name)
		}
		if !w.Stands {
			t.Logf("this host lacks %s: %s", w.Name, w.Detail)
		}
	}
	if filter := reports[0][len(reports[0])-1]; !filter.Stands {
		t.Skip("without the filter of system calls little is held back: ", filter)
	}
	for _, w := range reports[1] {
		if !w.Stands {
			t.Errorf("a worker could %s", w.Name)
		}
	}
	for _, w := range Try() {
		if w.Stands {
			t.Errorf("without a wall: %s: %s", w.Name, w.Detail)
		}
	}
}

func tooMuchMemory() error {
	_, err := unix.Mmap(-1, 0, 10<<30, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	return err
}

func tooLong() error {
	f, err := os.CreateTemp("", "picora-wall")
	if err != nil {
		return err
	}
	defer f.Close()
	os.Remove(f.Name())
	_, err = f.Write(make([]byte, 1<<11))
	return err
}

func tooManyFiles() error {
	for range 64 {
		if _, err := unix.Dup(1); err != nil {
			return err
		}
	}
	return nil
}

func TestLimits(t *testing.T) {
	var said []string
	in(t, "limits", &said)
	memory := "ENOMEM"
	if dataLimit < 0 {
		memory = "fine"
	}
	if want := []string{"fine", memory, "EFBIG", "EMFILE"}; !slices.Equal(said, want) {
		t.Errorf("%v, want %v", said, want)
	}
}

// priorities are the niceness and the scheduler of every thread.
func priorities() (list []string) {
	tasks, _ := os.ReadDir("/proc/self/task")
	for _, task := range tasks {
		tid, _ := strconv.Atoi(task.Name())
		nice, _ := unix.Getpriority(unix.PRIO_PROCESS, tid) // 20 - nice
		scheduler, _, _ := unix.Syscall(unix.SYS_SCHED_GETSCHEDULER, uintptr(tid), 0, 0)
		class, _, _ := unix.Syscall(unix.SYS_IOPRIO_GET, ioWhoProcess, uintptr(tid), 0)
		list = append(list, fmt.Sprint(20-nice, scheduler, class))
	}
	return list
}

func TestABackgroundProcessYieldsOnAllThreads(t *testing.T) {
	var said []string
	in(t, "priority", &said)
	if len(said) < 4 {
		t.Fatalf("too few threads: %v", said)
	}
	for _, s := range said[1:] {
		if want := fmt.Sprint(niceBackground, schedIdle, ioClassIdle); s != want {
			t.Errorf("a thread has %s, want %s", s, want)
		}
	}
}

func TestAProcessMayKeepItsPriority(t *testing.T) {
	own, err := unix.Getpriority(unix.PRIO_PROCESS, 0) // 20 - nice
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	in(t, "equal", &said)
	if len(said) < 2 {
		t.Fatalf("too few threads: %v", said)
	}
	for _, s := range said[1:] {
		if want := fmt.Sprint(20-own, 0, 0); s != want {
			t.Errorf("a thread has %s, want %s", s, want)
		}
	}
}

func TestAProcessIsSacrificedAndNotDumped(t *testing.T) {
	var said []string
	in(t, "rest", &said)
	if want := []string{"fine", "fine", "fine", "fine", "900", "0"}; !slices.Equal(said, want) {
		t.Errorf("%v, want %v", said, want)
	}
}
