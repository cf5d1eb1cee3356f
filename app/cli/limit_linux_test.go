package cli_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Anybody can open connections until there is no descriptor left. The limit is
// lowered while the server runs, so that it cannot prepare for it.
func TestTheServerOutlivesMoreConnectionsThanDescriptors(t *testing.T) {
	p := serve(t)
	limit := unix.Rlimit{Cur: 40, Max: 40}
	if err := unix.Prlimit(p.Pid(), unix.RLIMIT_NOFILE, &limit, nil); err != nil {
		t.Fatal(err)
	}
	var open []net.Conn
	for range 80 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.URL, "http://"))
		if err != nil {
			t.Fatal(err) // the system accepts for the server
		}
		defer conn.Close()
		open = append(open, conn)
	}
	for deadline := time.Now().Add(time.Minute); !strings.Contains(p.Stderr(), "too many open files"); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the descriptors did not run out, so this test shows nothing")
		}
	}
	time.Sleep(100 * time.Millisecond) // more tries
	for _, conn := range open {
		conn.Close()
	}
	if r := p.Do("GET", "/v1/images", nil); r.Status != 200 {
		t.Errorf("afterwards: %d %s", r.Status, r.Body)
	}
	if n := strings.Count(p.Stderr(), "connections have to wait"); n != 1 {
		t.Errorf("that was said %d times", n)
	}
	p.Terminate()
}
