package server

import (
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
