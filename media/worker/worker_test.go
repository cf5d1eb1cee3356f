package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"picora/media"
	"picora/media/wall"
	"picora/media/worker"
	"picora/media/worker/wire"
)

func limits() wall.Limits { return wall.Limits{Memory: memoryLimit, Output: 1 << 20, Files: 64} }

// pool is a pool for one test.
func pool(t testing.TB, o worker.Options) *worker.Pool {
	t.Helper()
	if o.Workers == 0 {
		o.Workers = 1
	}
	if o.Warm == (wall.Limits{}) {
		o.Warm = limits()
	}
	if o.Long == (wall.Limits{}) {
		o.Long = limits()
		o.Long.Background = true
	}
	p := worker.New(o)
	t.Cleanup(p.Close)
	return p
}

func do(p *worker.Pool, kind string, args any) (string, error) {
	result, err := p.Do(context.Background(), worker.Job{Kind: kind, Args: args})
	return string(result), err
}

// works fails the test when the pool does not do a job.
func works(t testing.TB, p *worker.Pool) {
	t.Helper()
	if got, err := do(p, "ping", "hello"); err != nil || got != `"hello"` {
		t.Fatalf("the next job: %s, %v", got, err)
	}
}

func TestAChildCopiesAFile(t *testing.T) {
	p := pool(t, worker.Options{})
	in := file(t, strings.Repeat("picture", 1000))
	out := file(t, "")
	got, err := p.Do(context.Background(), worker.Job{Kind: "copy", In: in, Out: out})
	if err != nil || string(got) != "7000" {
		t.Fatalf("%s, %v", got, err)
	}
	if b, _ := os.ReadFile(out.Name()); len(b) != 7000 {
		t.Fatalf("the copy has %d bytes", len(b))
	}
	before, _ := do(p, "descriptors", nil)
	for range 100 {
		in.Seek(0, io.SeekStart)
		out.Seek(0, io.SeekStart)
		if _, err := p.Do(context.Background(), worker.Job{Kind: "copy", In: in, Out: out}); err != nil {
			t.Fatal(err)
		}
	}
	if after, _ := do(p, "descriptors", nil); after != before {
		t.Errorf("the child keeps files: %s, before %s", after, before)
	}
}

func TestAJobHasManyOutputs(t *testing.T) {
	p := pool(t, worker.Options{})
	for _, n := range []int{0, 1, wire.MaxMore} {
		outs := make([]*os.File, n)
		for i := range outs {
			outs[i] = file(t, "")
		}
		b, err := p.Run(context.Background(), worker.Job{Kind: "spread", In: file(t, "one"), Out: file(t, ""), More: outs}, nil)
		if err != nil || string(b) != fmt.Sprint(n) {
			t.Fatalf("%d outputs: %s, %v", n, b, err)
		}
		for i, f := range outs {
			if b, err := os.ReadFile(f.Name()); err != nil || string(b) != fmt.Sprint(i) {
				t.Errorf("output %d of %d: %q, %v", i, n, b, err)
			}
		}
	}
	if _, err := p.Run(context.Background(), worker.Job{Kind: "spread", More: make([]*os.File, wire.MaxMore+1)}, nil); err == nil {
		t.Error("too many outputs are taken")
	}
}

func TestASecondInputComesWithAJob(t *testing.T) {
	p := pool(t, worker.Options{})
	out := file(t, "")
	if _, err := p.Do(context.Background(), worker.Job{Kind: "copy", In: file(t, "one"), Beside: file(t, "two"), Out: out}); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(out.Name()); string(b) != "onetwo" {
		t.Fatalf("the output is %q", b)
	}
}

func TestAnOutputIsLimitedWithAnError(t *testing.T) {
	p := pool(t, worker.Options{})
	_, err := p.Do(context.Background(), worker.Job{Kind: "copy", In: file(t, strings.Repeat("x", 2<<20)), Out: file(t, "")})
	if !errors.Is(err, worker.ErrFailed) || !strings.Contains(err.Error(), "file too large") {
		t.Fatal(err)
	}
}

// file is an open temporary file, at its beginning.
func file(t *testing.T, content string) *os.File {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestAChildKnowsNothing(t *testing.T) {
	t.Setenv("PICORA_SECRET", "of the server")
	got, err := do(pool(t, worker.Options{}), "environment", nil)
	if want, _ := json.Marshal(`[] ["picora" "worker"] "/" false`); err != nil || got != string(want) {
		t.Fatalf("%s, %v", got, err)
	}
}

func TestRefusalsTravelWithTheirSentences(t *testing.T) {
	p := pool(t, worker.Options{})
	first, _ := do(p, "pid", nil)
	for kind, want := range map[string]error{
		"corrupt": media.Corrupt("the end of the file is missing"), "unsupported": media.Unsupported("this is no picture"),
		"pixels": media.TooManyPixels(30000, 30000, 100_000_000),
	} {
		_, err := do(p, "refuse", kind)
		if media.Reason(err) != media.Reason(want) || media.Reason(err) == "" {
			t.Errorf("%s: the reason is %q", kind, media.Reason(err))
		}
		for _, sentinel := range []error{media.ErrCorrupt, media.ErrUnsupported, media.ErrTooManyPixels} {
			if errors.Is(err, sentinel) != errors.Is(want, sentinel) {
				t.Errorf("%s: %v is %v", kind, err, sentinel)
			}
		}
	}
	if last, err := do(p, "pid", nil); last != first || err != nil {
		t.Errorf("a refusal cost the child: %s then %s, %v", first, last, err)
	}
}

func TestFailuresOfHandlers(t *testing.T) {
	p := pool(t, worker.Options{})
	first, _ := do(p, "pid", nil)
	for kind, want := range map[string]struct {
		is   error
		says string
	}{
		"fail":             {worker.ErrFailed, "worker: failed: a bug [31m of ours"},
		"enomem":           {worker.ErrMemory, "worker: out of memory: av: cannot allocate memory"},
		"no such":          {worker.ErrFailed, `no such job: "no such"`},
		"long":             {worker.ErrFailed, "the result is too long"},
		"open":             {worker.ErrFailed, ""},
		"a kind too long.": {nil, ""},
	} {
		var args any = "/nowhere"
		if want.is == nil {
			args = strings.Repeat("x", 100<<10)
		}
		_, err := do(p, kind, args)
		if err == nil || want.is != nil && !errors.Is(err, want.is) || !strings.Contains(err.Error(), want.says) {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if last, err := do(p, "pid", nil); last != first || err != nil {
		t.Errorf("a failure cost the child: %s then %s, %v", first, last, err)
	}
}

func TestProgressOfALongJob(t *testing.T) {
	p := pool(t, worker.Options{})
	var seen []float64
	start := time.Now()
	got, err := p.Run(context.Background(), worker.Job{Kind: "progress"}, func(part float64) { seen = append(seen, part) })
	if err != nil || string(got) != `"done"` {
		t.Fatalf("%s, %v", got, err)
	}
	if took := time.Since(start); len(seen) < 2 || len(seen) > int(took/(100*time.Millisecond))+1 {
		t.Errorf("%v gave %d reports: %v", took, len(seen), seen)
	}
}

func TestChildrenAreReplaced(t *testing.T) {
	t.Run("after so many jobs", func(t *testing.T) {
		p := pool(t, worker.Options{Jobs: 3})
		pids := map[string]int{}
		for range 9 {
			pid, err := do(p, "pid", nil)
			if err != nil {
				t.Fatal(err)
			}
			pids[pid]++
		}
		if len(pids) != 3 {
			t.Errorf("9 jobs by %v", pids)
		}
	})
	t.Run("when they grew", func(t *testing.T) {
		p := pool(t, worker.Options{Resident: 150 << 20})
		first, _ := do(p, "pid", nil)
		do(p, "use", 10)
		if same, _ := do(p, "pid", nil); same != first {
			t.Errorf("replaced after 10 MiB")
		}
		do(p, "use", 200)
		if other, err := do(p, "pid", nil); other == first || err != nil {
			t.Errorf("kept after 200 MiB (%v)", err)
		}
	})
	t.Run("when they had no work", func(t *testing.T) {
		p := pool(t, worker.Options{Idle: 50 * time.Millisecond})
		pid, _ := do(p, "pid", nil)
		until(t, "the idle child ends", func() bool { _, err := os.Stat("/proc/" + pid); return err != nil })
		works(t, p)
	})
	t.Run("when they died in idleness", func(t *testing.T) {
		p := pool(t, worker.Options{})
		pid, _ := do(p, "pid", nil)
		var n int
		json.Unmarshal([]byte(pid), &n)
		unix.Kill(n, unix.SIGKILL)
		until(t, "it is gone", func() bool { _, err := os.Stat("/proc/" + pid); return err != nil })
		works(t, p)
	})
}

// until waits for a thing that happens soon.
func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	for start := time.Now(); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Since(start) > time.Minute {
			t.Fatalf("not in a minute: %s", what)
		}
	}
}

func TestTheQueueIsBounded(t *testing.T) {
	p := pool(t, worker.Options{Workers: 2, Queue: 3})
	var busy, done int
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			_, err := do(p, "sleep", 600)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				done++
			case errors.Is(err, worker.ErrBusy):
				busy++
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if done != 5 || busy != 15 {
		t.Errorf("%d jobs were done and %d sent away; want 5 and 15", done, busy)
	}
	long, end := context.WithCancel(context.Background())
	for range 2 {
		all.Go(func() { p.Do(long, worker.Job{Kind: "sleep", Args: 60_000}) })
	}
	until(t, "a deadline that comes while waiting", func() bool { // once both sleep
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		_, err := p.Do(ctx, worker.Job{Kind: "ping"})
		return errors.Is(err, worker.ErrBusy) && errors.Is(err, context.DeadlineExceeded)
	})
	end()
	all.Wait()
	works(t, p)
}

func TestWaitingIsNotTheTimeOfAJob(t *testing.T) {
	p := pool(t, worker.Options{})
	if _, err := p.Do(context.Background(), worker.Job{Kind: "sleep", Args: 60_000, Time: 300 * time.Millisecond}); !errors.Is(err, worker.ErrTimeout) {
		t.Errorf("a job that takes longer: %v", err)
	}
	long, end := context.WithCancel(context.Background())
	defer end()
	go p.Do(long, worker.Job{Kind: "sleep", Args: 60_000})
	until(t, "a job that waits longer", func() bool {
		_, err := p.Do(context.Background(), worker.Job{Kind: "ping", Time: 50 * time.Millisecond})
		return errors.Is(err, worker.ErrBusy)
	})
	time.AfterFunc(7*time.Second, end)
	if _, err := p.Do(context.Background(), worker.Job{Kind: "sleep", Args: 7000, Time: 12 * time.Second}); err != nil { // 14 seconds together
		t.Errorf("a job that waits and works for less each: %v", err)
	}
}

func TestAWorkerThatIsNotReadyIsNoJobsFault(t *testing.T) {
	program := filepath.Join(t.TempDir(), "slow")
	if err := os.WriteFile(program, []byte("#!/bin/sh\nexec /bin/sleep 60\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	p := pool(t, worker.Options{Program: program})
	for name, do := range map[string]func(context.Context) error{
		"warm": func(ctx context.Context) error {
			_, err := p.Do(ctx, worker.Job{Kind: "ping"})
			return err
		},
		"long": func(ctx context.Context) error {
			_, err := p.Run(ctx, worker.Job{Kind: "ping"}, nil)
			return err
		},
	} {
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		if err := do(ctx); !errors.Is(err, worker.ErrBusy) || errors.Is(err, worker.ErrTimeout) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
}

func TestACancelledJobEnds(t *testing.T) {
	var outcomes sync.Map
	p := pool(t, worker.Options{Observe: func(kind string, o worker.Outcome, _ time.Duration) { outcomes.Store(kind, o) }})
	for name, run := range map[string]func(context.Context, worker.Job) (json.RawMessage, error){
		"warm": p.Do,
		"long": func(ctx context.Context, j worker.Job) (json.RawMessage, error) { return p.Run(ctx, j, nil) },
	} {
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(100*time.Millisecond, cancel)
		start := time.Now()
		_, err := run(ctx, worker.Job{Kind: "sleep", Args: 60_000})
		if !errors.Is(err, context.Canceled) || time.Since(start) > 30*time.Second {
			t.Errorf("%s: %v after %v", name, err, time.Since(start))
		}
		if o, _ := outcomes.Load("sleep"); o != worker.Cancelled {
			t.Errorf("%s: the outcome is %v", name, o)
		}
	}
	works(t, p)
}
