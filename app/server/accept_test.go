package server

import (
	"errors"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/valyala/fasthttp"
	"golang.org/x/sys/unix"
)

// failing is a listener that fails with each of the errors, then accepts.
type failing struct {
	net.Listener
	errs []error
}

func (f *failing) Accept() (net.Conn, error) {
	if len(f.errs) == 0 {
		c, _ := net.Pipe()
		return c, nil
	}
	err := f.errs[0]
	f.errs = f.errs[1:]
	return nil, err
}

func TestAShortageDoesNotEndTheAccepting(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED} {
		err := &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", errno)}
		l := &listener{Listener: &failing{errs: []error{err, err}}}
		if c, err := l.Accept(); c == nil || err != nil {
			t.Errorf("%v: %v, %v", errno, c, err)
		}
		l = &listener{Listener: &failing{errs: []error{err, net.ErrClosed}}}
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("closed after %v: %v", errno, err)
		}
	}
}

func TestConnectionsLeaveDescriptorsForFiles(t *testing.T) {
	for descriptors, want := range map[uint64]int{0: 32, 64: 32, 1024: 736, 20000: 14968, 1 << 20: fasthttp.DefaultConcurrency, 1<<64 - 1: fasthttp.DefaultConcurrency} {
		if got := connectionsWithin(descriptors); got != want {
			t.Errorf("%d descriptors: %d connections, want %d", descriptors, got, want)
		}
	}
	if got := New(Options{}).app.Server().Concurrency; got != connections() {
		t.Errorf("the server takes %d connections, not %d", got, connections())
	}
}

func TestConnectionsHoldLittleThatIsNotOnItsWay(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	client, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	c, err := (&listener{Listener: ln, server: New(Options{})}).Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	raw, err := c.(*conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		n, err := unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT)
		if err != nil || n != unsent {
			t.Errorf("%d bytes, %v, want %d", n, err, unsent)
		}
	})
}
