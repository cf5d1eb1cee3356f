package worker_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"picora/media/worker"
)

// serve is the server that is killed: it has a warm child at work, one idle, and
// one at a long job, and says their numbers.
func serve() {
	p := worker.New(worker.Options{Workers: 2, Warm: limits(), Long: limits()})
	busy, _ := do(p, "pid", nil)
	go do(p, "spin", nil)
	time.Sleep(200 * time.Millisecond)
	idle, _ := do(p, "pid", nil)
	p.Run(context.Background(), worker.Job{Kind: "tell pid and sleep"}, func(pid float64) {
		fmt.Println(busy, idle, int(pid*1e9))
	})
}

func TestChildrenDieWithTheServer(t *testing.T) {
	cmd := exec.Command("/proc/self/exe", "server")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	pids := strings.Fields(line)
	if err != nil || len(pids) != 3 {
		t.Fatalf("the server said %q, %v", line, err)
	}
	for _, pid := range pids {
		if !alive(pid) {
			t.Fatalf("%s of %v is not there", pid, pids)
		}
	}
	cmd.Process.Kill()
	cmd.Wait()
	start := time.Now()
	for _, pid := range pids {
		until(t, pid+" ends", func() bool { return !alive(pid) })
	}
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("children outlived the server by %v", took)
	}
}

// alive tells whether a process runs; one that nobody waited for does not.
func alive(pid string) bool {
	b, err := os.ReadFile("/proc/" + pid + "/stat")
	return err == nil && !strings.Contains(string(b), ") Z ")
}

func TestNothingIsLeftAfterClose(t *testing.T) {
	goroutines, descriptors := runtime.NumGoroutine(), len(openDescriptors())
	p := worker.New(worker.Options{Workers: 3, Warm: limits(), Long: limits()})
	var all sync.WaitGroup
	for i := range 30 {
		kind := []string{"ping", "panic", "garbage", "exit", "sleep"}[i%5]
		all.Go(func() { do(p, kind, 60_000) }) // the sleepers are ended by Close
	}
	all.Go(func() { p.Run(context.Background(), worker.Job{Kind: "sleep", Args: 60_000}, nil) })
	time.Sleep(300 * time.Millisecond)
	p.Close()
	p.Close()
	all.Wait()
	if _, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); err != unix.ECHILD {
		t.Errorf("children are left: %v", err)
	}
	if _, err := do(p, "ping", nil); !errors.Is(err, worker.ErrClosed) {
		t.Errorf("a job after Close: %v", err)
	}
	if _, err := p.Walls(context.Background()); !errors.Is(err, worker.ErrClosed) {
		t.Errorf("walls after Close: %v", err)
	}
	until(t, fmt.Sprintf("%d goroutines and %d descriptors as before", goroutines, descriptors), func() bool {
		return runtime.NumGoroutine() <= goroutines && len(openDescriptors()) <= descriptors
	})
}
