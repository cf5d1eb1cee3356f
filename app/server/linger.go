package server

import (
	"errors"
	"io"
	"net"
	"time"
)

// lingerTime is how long a refused body may go on arriving after its answer.
const lingerTime = 5 * time.Second

// listener makes every connection able to linger.
type listener struct{ net.Listener }

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if t, ok := c.(*net.TCPConn); ok && err == nil {
		return &conn{TCPConn: t}, nil
	}
	return c, err
}

// conn is a connection that may be closed while its client still sends. Closing
// with unread bytes makes the kernel send a reset, which can overtake the answer
// on its way: the client then reports a broken connection instead of the reason.
// The embedded connection keeps its ReadFrom, and with it sendfile.
type conn struct {
	*net.TCPConn
	unread bool // the client was answered in the middle of its body

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
// 9.6). The server calls it from the connection's own goroutine.
func (c *conn) Close() error {
	if c.unread && c.CloseWrite() == nil {
		c.unread = false
		c.SetReadDeadline(time.Now().Add(lingerTime))
		io.Copy(io.Discard, struct{ io.Reader }{c.TCPConn}) // its end is what matters
	}
	return c.TCPConn.Close()
}
