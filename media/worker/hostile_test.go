package worker_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"picora/media/wall"
	"picora/media/worker"
)

// stands skips the test when the host lacks the wall.
func stands(t *testing.T, p *worker.Pool, name string) {
	t.Helper()
	walls, err := p.Walls(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range walls {
		if w.Name == name && w.Stands {
			return
		}
	}
	t.Skipf("this host does not give the wall %q: %v", name, walls)
}

func TestAChildReachesNothing(t *testing.T) {
	p := pool(t, worker.Options{})
	stands(t, p, "system calls")
	database := filepath.Join(t.TempDir(), "picora.db")
	if err := os.WriteFile(database, []byte("secrets"), 0o644); err != nil {
		t.Fatal(err)
	}
	first, _ := do(p, "pid", nil)
	tests := []struct {
		name, kind string
		args       any
	}{
		{"the database", "open", database},
		{"the password file", "open", "/etc/passwd"},
		{"its own program", "open", "/proc/self/exe"},
		{"its memory", "open", "/proc/self/mem"},
		{"a TCP socket", "socket", [2]int{unix.AF_INET, unix.SOCK_STREAM}},
		{"a UDP socket", "socket", [2]int{unix.AF_INET6, unix.SOCK_DGRAM}},
		{"a unix socket", "socket", [2]int{unix.AF_UNIX, unix.SOCK_STREAM}},
		{"a netlink socket", "socket", [2]int{unix.AF_NETLINK, unix.SOCK_RAW}},
		{"a new process", "fork", nil},
		{"a copy of itself", "fork raw", nil},
		{"another program", "exec", nil},
		{"a signal to its parent", "kill parent", nil},
		{"a signal to everybody", "kill all", nil},
		{"the parent's memory", "trace", nil},
		{"more processor time", "more processor time", nil},
		{"new code", "new code", nil},
		{"shared memory", "shared memory", nil},
		{"a file in memory", "memory file", nil},
	}
	for _, test := range tests {
		_, err := do(p, test.kind, test.args)
		if !errors.Is(err, worker.ErrFailed) || !strings.Contains(err.Error(), "not permitted") {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	if last, err := do(p, "pid", nil); last != first || err != nil {
		t.Errorf("the child is another one: %s then %s, %v", first, last, err)
	}
}

func TestWhatGoesWrongIsContainedAndToldApart(t *testing.T) {
	tests := []struct {
		kind string
		is   error
		says string
	}{
		{"panic", worker.ErrCrashed, "exit status 2"},
		{"nil", worker.ErrCrashed, "exit status 2"},
		{"exit", worker.ErrCrashed, "exit status 0"},
		{"segfault", worker.ErrCrashed, "signal: segmentation fault"},
		{"sigkill", worker.ErrMemory, "killed from outside"},
		{"flood stdout", worker.ErrCrashed, "signal: broken pipe"},
		{"flood stderr", worker.ErrCrashed, "signal: broken pipe"},
		{"10 GB", worker.ErrMemory, "got no more memory"},
		{"10 GB mapped", worker.ErrMemory, "cannot allocate memory"},
		{"spin", worker.ErrTimeout, "processor time"},
		{"sleep", worker.ErrTimeout, "deadline"},
		{"full", worker.ErrSpace, "no space left"},

		{"garbage", worker.ErrCrashed, "not a message"},
		{"empty", worker.ErrCrashed, "closed its socket"},
		{"huge", worker.ErrCrashed, "too long"},
		{"files", worker.ErrCrashed, "with files"},
		{"wrong id", worker.ErrCrashed, "another job"},
		{"two things", worker.ErrCrashed, "says 2 things"},
		{"nothing", worker.ErrCrashed, "says 0 things"},
		{"unknown", worker.ErrCrashed, "unknown field"},
		{"too much", worker.ErrCrashed, "done to"},
		{"not a reason", worker.ErrCrashed, "no sentence"},
		{"new kind", worker.ErrCrashed, "no kind of problem"},
		{"endless", worker.ErrCrashed, "progress without end"},
		{"hang up", worker.ErrCrashed, "closed its socket"},
	}
	var last worker.Outcome
	outcomes := map[error]worker.Outcome{worker.ErrCrashed: worker.Crashed, worker.ErrMemory: worker.NoMemory, worker.ErrTimeout: worker.TimedOut, worker.ErrSpace: worker.Failed}
	p := pool(t, worker.Options{Jobs: 1, Observe: func(_ string, o worker.Outcome, _ time.Duration) { last = o }})
	for _, test := range tests {
		t.Run(test.kind, func(t *testing.T) {
			if memoryLimit < 0 && strings.HasPrefix(test.kind, "10 GB") {
				t.Skip("memory cannot be limited under the race detector")
			}
			job := worker.Job{Kind: test.kind, Args: 60_000, CPU: 2 * time.Second, Time: 30 * time.Second}
			if test.kind == "sleep" {
				job.Time = 300 * time.Millisecond
			}
			start := time.Now()
			_, err := p.Do(context.Background(), job)
			if !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.says) || last != outcomes[test.is] {
				t.Errorf("%v (%s)", err, last)
			}
			if took := time.Since(start); took > 2*time.Minute {
				t.Errorf("took %v", took)
			}
			works(t, p)
		})
	}
}

func TestACrashKeepsItsReason(t *testing.T) {
	_, err := do(pool(t, worker.Options{}), "panic", nil)
	f, ok := errors.AsType[*worker.Failure](err)
	if !ok || !strings.Contains(f.Stderr, "the decoder is wrong") || !strings.Contains(f.Stderr, "goroutine") {
		t.Fatalf("%v: %q", err, f.Stderr)
	}
}

func TestAForgedAnswerReachesNoJob(t *testing.T) {
	p := pool(t, worker.Options{})
	if got, err := do(p, "twice", nil); err != nil || got != `"first"` {
		t.Fatalf("%s, %v", got, err)
	}
	time.Sleep(3 * time.Second) // the child comes to its second answer
	works(t, p)
}

func TestProcessorTimeIsCountedForEachJob(t *testing.T) {
	p := pool(t, worker.Options{})
	first, _ := do(p, "pid", nil)
	for range 3 { // more together than one may use
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		if _, err := p.Do(ctx, worker.Job{Kind: "use seconds", Args: 600, CPU: time.Second}); err != nil {
			t.Fatal(err)
		}
		cancel()
	}
	if last, _ := do(p, "pid", nil); last != first {
		t.Error("the child was replaced")
	}
}

func TestMemoryIsGivenBackAfterABigJob(t *testing.T) {
	if memoryLimit < 0 {
		t.Skip("the race detector keeps memory")
	}
	p := pool(t, worker.Options{Resident: 1 << 30})
	pid, _ := do(p, "pid", nil)
	if _, err := do(p, "use", 100); err != nil {
		t.Fatal(err)
	}
	until(t, "less than 30 MiB resident", func() bool { return resident(t, pid) < 30<<20 })
	if same, _ := do(p, "pid", nil); same != pid {
		t.Fatal("the child was replaced")
	}
}

// resident is how many bytes of memory a process holds.
func resident(t testing.TB, pid string) int {
	t.Helper()
	b, err := os.ReadFile("/proc/" + pid + "/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(b))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

func TestALongJobMustMoveInItsOwnTime(t *testing.T) {
	p := pool(t, worker.Options{Long: wall.Limits{Memory: 1 << 30, Output: 1 << 30, Files: 64, Equal: true}})
	const stall = 2 * time.Second
	for _, c := range []struct {
		name, kind string
		args       any
		ends       bool
	}{
		{"one that moves takes as long as it takes", "climb", nil, false},
		{"one that has no processor is not at fault", "sleep", 3000, false},
		{"one that stops moving is ended", "climb", 0.3, true},
		{"one that never moves is ended", "spin", nil, true},
	} {
		_, err := p.Run(context.Background(), worker.Job{Kind: c.kind, Args: c.args, Stall: stall}, nil)
		if got := errors.Is(err, worker.ErrTimeout) && strings.Contains(err.Error(), "without progress"); got != c.ends || err != nil && !got {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
