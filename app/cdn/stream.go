package cdn

import (
	"bufio"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"picora/app/library"
	"picora/app/usage"
	"picora/store/blob"
)

// stream sends content to a connection piece by piece, each with a deadline of
// its own: a reader may be slow, but one that takes less than 2 KB a second is cut.
type stream struct {
	*library.Content
	conn   net.Conn
	served *usage.Meter
}

const (
	chunk        = 256 << 10 // bytes
	moved        = 1 << 20   // bytes that the kernel moves at once: each time costs
	chunkTimeout = 2 * time.Minute
)

// WriteTo is what the server calls with its buffered connection.
func (s *stream) WriteTo(w io.Writer) (int64, error) {
	bw, ok := w.(*bufio.Writer)
	if !ok {
		n, err := s.Content.WriteTo(w)
		s.served.Add(n)
		return n, err
	}
	return s.Content.WriteTo(&chunked{bw, s.conn, s.served})
}

// Read is for a server that does not call WriteTo.
func (s *stream) Read(p []byte) (int, error) {
	n, err := s.Content.Read(p)
	s.served.Add(int64(n))
	return n, err
}

// chunked empties the buffer before a stretch of a file, for only then does
// bufio hand the file to the connection, which lets the kernel copy it
// (sendfile).
type chunked struct {
	w      *bufio.Writer
	conn   net.Conn
	served *usage.Meter // counts what the connection took, chunk by chunk
}

func (c *chunked) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.served.Add(int64(n))
	return n, err
}

func (c *chunked) ReadFrom(r io.Reader) (total int64, err error) {
	lr, ok := r.(*io.LimitedReader)
	if !ok {
		return io.Copy(struct{ io.Writer }{c}, r)
	}
	if err := c.w.Flush(); err != nil {
		return 0, err
	}
	if _, local := lr.R.(*os.File); !local {
		return c.relay(lr)
	}
	for left := lr.N; left > 0; {
		c.conn.SetWriteDeadline(time.Now().Add(chunkTimeout))
		n, err := c.w.ReadFrom(&io.LimitedReader{R: lr.R, N: min(left, chunk)})
		total, left = total+n, left-n
		c.served.Add(n)
		if err != nil || n == 0 {
			return total, err
		}
	}
	return total, nil
}

// relayed are buffers for bytes that come from elsewhere: so large, each is a call of the
// system or two.
var relayed = sync.Pool{New: func() any { b := make([]byte, 128<<10); return &b }}

// relay is ReadFrom of what is no file.
func (c *chunked) relay(r *io.LimitedReader) (total int64, err error) {
	b := relayed.Get().(*[]byte)
	defer relayed.Put(b)
	mover, moves := r.R.(blob.Mover)
	for {
		c.conn.SetWriteDeadline(time.Now().Add(moved / chunk * chunkTimeout))
		if moves && c.w.Flush() == nil { // an error stays until the next write
			n, _ := mover.Move(c.w, min(r.N, moved)) // and so does this one
			total, r.N = total+n, r.N-n
			c.served.Add(n)
			if n > 0 {
				continue
			}
		}
		n, err := r.Read(*b)
		if n > 0 {
			k, e := c.w.Write((*b)[:n])
			total += int64(k)
			c.served.Add(int64(k))
			if e != nil {
				return total, e
			}
		}
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}
