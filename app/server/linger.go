package server

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"
	"golang.org/x/sys/unix"
)

// lingerTime is how long a refused body may go on arriving after its answer.
const lingerTime = 5 * time.Second

// listener makes every connection able to linger, and outlives a shortage.
type listener struct {
	net.Listener
	server *Server
	warned time.Time
}

// unsent is how many bytes that are not on their way yet a connection may hold. What is
// above it costs memory for a slow reader and time for a fast one: it is then sent in small
// portions, whenever an acknowledgement comes, instead of by who writes. 128 KiB are on
// their way in a millisecond at 1 Gbit/s.
const unsent = 128 << 10

// short has a connection hold little that is not on its way (TCP_NOTSENT_LOWAT, see
// tcp_notsent_lowat in Linux's ip-sysctl). On a system that cannot it holds more.
func short(t *net.TCPConn) {
	if c, err := t.SyscallConn(); err == nil {
		c.Control(func(fd uintptr) {
			unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsent)
		})
	}
}

// Accept waits for the next connection, through any shortage of descriptors or
// memory: the server would end, and anybody can bring one about by opening
// connections.
func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	for wait := 5 * time.Millisecond; passing(err); wait = min(2*wait, time.Second) {
		if time.Since(l.warned) > time.Minute {
			l.warned = time.Now()
			slog.Warn("connections have to wait", "err", err)
		}
		time.Sleep(wait)
		c, err = l.Listener.Accept()
	}
	if t, ok := c.(*net.TCPConn); ok && err == nil {
		short(t)
		return l.server.arrival(&conn{TCPConn: t, server: l.server}), nil
	}
	return c, err
}

// passing reports whether a later try to accept a connection may succeed.
func passing(err error) bool {
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// connections is how many may be open at a time.
func connections() int {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return fasthttp.DefaultConcurrency
	}
	return connectionsWithin(uint64(l.Cur))
}

// connectionsWithin leaves a part of the descriptors to the files that requests
// read and write, and to the rest of the program.
func connectionsWithin(descriptors uint64) int {
	const rest = 32
	return int(min(max(descriptors/4*3, 2*rest)-rest, fasthttp.DefaultConcurrency))
}

// conn is a connection that may be closed while its client still sends. Closing
// with unread bytes makes the kernel send a reset, which can overtake the answer
// on its way: the client then reports a broken connection instead of the reason.
// The embedded connection keeps its ReadFrom, and with it sendfile.
type conn struct {
	*net.TCPConn
	server  *Server
	fresh   bool   // it has not been read from
	whole   bool   // the last read brought one header, from its beginning to its end, and no more
	atStart bool   // the next bytes begin a request
	unread  bool   // the client was answered in the middle of its body
	head    []byte // of the last plain answer, to be used again

	readBy, writeBy time.Time // the deadlines that are set
}

// SetReadDeadline sets the deadline unless one is set that is hardly earlier:
// the server moves it with every request, and each move costs as much as the
// rest of a header.
func (c *conn) SetReadDeadline(t time.Time) error {
	return coarse(&c.readBy, t, c.TCPConn.SetReadDeadline)
}

// SetWriteDeadline sets the deadline for writing in the same way.
func (c *conn) SetWriteDeadline(t time.Time) error {
	return coarse(&c.writeBy, t, c.TCPConn.SetWriteDeadline)
}

// SetDeadline sets both deadlines.
func (c *conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// coarse moves a deadline only when it moves by more than a tenth of a second or
// to an earlier time.
func coarse(set *time.Time, t time.Time, move func(time.Time) error) error {
	if d := t.Sub(*set); !set.IsZero() && !t.IsZero() && d >= 0 && d < 100*time.Millisecond {
		return nil
	}
	*set = t
	return move(t)
}

// Close ends the connection. One with an unread body is closed for writing
// first, and what still arrives is thrown away for a while (RFC 9112, section
// 9.6). The server calls it from the connection's own goroutine, or from another
// when the connection is idle, and then nothing is unread.
func (c *conn) Close() error {
	c.server.settled(c)
	if c.unread && c.CloseWrite() == nil {
		c.unread = false
		c.SetReadDeadline(time.Now().Add(lingerTime))
		io.Copy(io.Discard, struct{ io.Reader }{c.TCPConn}) // its end is what matters
	}
	return c.TCPConn.Close()
}

// The framework takes a connection for busy until it has read a request from it. One
// that a browser opened ahead would hold up the stop as long as requests may take.

// arrival notes a new connection.
func (s *Server) arrival(c *conn) *conn {
	c.fresh = true
	s.freshMu.Lock()
	defer s.freshMu.Unlock()
	s.fresh[c] = struct{}{}
	return c
}

// settled forgets a connection: the framework knows now how busy it is.
func (s *Server) settled(c *conn) {
	s.freshMu.Lock()
	defer s.freshMu.Unlock()
	delete(s.fresh, c)
}

// dismiss ends the connections from which the framework has read nothing. Those that
// come later see that the server is stopping.
func (s *Server) dismiss() {
	s.freshMu.Lock()
	defer s.freshMu.Unlock()
	for c := range s.fresh {
		c.TCPConn.SetReadDeadline(time.Now()) // it may have closed itself
	}
}
