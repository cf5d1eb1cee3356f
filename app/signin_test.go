package app_test

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"picora/app/apptest"
)

// peak is the most memory that the process had, in MB.
func peak(t *testing.T, pid int) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skip("there is no /proc here")
	}
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(b)
	n, err := strconv.Atoi(string(m[1]))
	if err != nil {
		t.Fatal(err)
	}
	return n >> 10
}

func TestTwoHundredSignInsAtOnceTakeNeitherTheMemoryNorTheServer(t *testing.T) {
	data := t.TempDir()
	if o := apptest.Run(t, "correct horse", "user", "add", "you@example.org", "--password-stdin", "--data", data); o.Status != 0 {
		t.Fatal(o.Stderr)
	}
	config := data + "/picora.toml"
	if err := os.WriteFile(config, []byte("[server]\ntrusted_proxies = [\"127.0.0.1\"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := apptest.Serve(t, data, "--config", config)
	before := peak(t, p.Pid())

	var all sync.WaitGroup
	var mu sync.Mutex
	answers := map[int]int{}
	for i := range 200 {
		all.Go(func() {
			password := "correct horse"
			if i%2 == 1 {
				password = "wrong"
			}
			r := p.JSON("POST", "/v1/auth/login", map[string]string{"email": fmt.Sprintf("%syou@example.org", strings.Repeat("x", i%3)), "password": password},
				"Authorization", "", "X-Forwarded-For", fmt.Sprintf("198.51.%d.%d", i/200, i%200))
			mu.Lock()
			defer mu.Unlock()
			answers[r.Status]++
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	var took []time.Duration
	for running := true; running; {
		begin := time.Now()
		if r := p.Do("GET", "/v1/setup", nil, "Authorization", ""); r.Status != http.StatusOK {
			t.Errorf("another request: %d", r.Status)
		}
		took = append(took, time.Since(begin))
		select {
		case <-done:
			running = false
		case <-time.After(10 * time.Millisecond):
		}
	}
	slices.Sort(took)
	after := peak(t, p.Pid())
	t.Logf("memory %d MB before, %d MB at most; answers %v; %d other requests, half within %s, the slowest %s",
		before, after, answers, len(took), took[len(took)/2], took[len(took)-1])
	if after >= 300 {
		t.Errorf("the server took %d MB", after)
	}
	for status := range answers {
		if status != 200 && status != 401 && status != 503 {
			t.Errorf("a sign-in was answered with %d", status)
		}
	}
	if answers[200]+answers[401] == 0 {
		t.Errorf("answers %v", answers)
	}
	if took[len(took)/2] > 20*time.Second {
		t.Errorf("half of the other requests took longer than %s", took[len(took)/2])
	}
}
