package s3

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"sync"

	"github.com/minio/minio-go/v7"

	"picora/store/blob"
)

// Without TLS, what the service sends need not pass through us: the kernel moves it from
// one connection to the other. The client of HTTP, which counts the bytes of an answer, is
// told afterwards.

// line is a connection without TLS.
type line struct {
	*net.TCPConn
	reads int   // how often it was read from
	last  int   // bytes that came with the last time
	moved int64 // bytes that were moved, and are not yet counted
}

func (l *line) Read(p []byte) (n int, err error) {
	if l.moved > 0 {
		n = int(min(int64(len(p)), l.moved))
		l.moved -= int64(n)
		return n, nil
	}
	n, err = l.TCPConn.Read(p)
	l.reads, l.last = l.reads+1, n
	return n, err
}

// transport is minio's, with lines.
func transport(tls bool) (http.RoundTripper, error) {
	t, err := minio.DefaultTransport(tls)
	if err != nil {
		return nil, err
	}
	t.MaxIdleConnsPerHost = 64
	dial := t.DialContext
	if !tls {
		t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := dial(ctx, network, address)
			if tcp, ok := c.(*net.TCPConn); ok {
				return &line{TCPConn: tcp}, nil
			}
			return c, err
		}
	}
	return t, nil
}

// readBuffer is the size of the transport's buffer for what it reads. Larger reads pass it
// by when it is empty.
const readBuffer = 4 << 10

// least is how many bytes are worth moving at once.
const least = 64 << 10

// withLine is the reader's context for an answer, of which it notes the connection.
func (r *reader) withLine() context.Context {
	r.line, r.straight = nil, false
	return httptrace.WithClientTrace(r.ctx, &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { r.line, _ = i.Conn.(*line) }})
}

// sized forgets the connection of an answer whose bytes are not all that comes by it.
func (r *reader) sized(h http.Header) {
	if n, err := strconv.ParseInt(h.Get("Content-Length"), 10, 64); err != nil || n != r.left {
		r.line = nil
	}
}

// take reads from the answer, and notes whether all that was read of its connection has
// been taken.
func (r *reader) take(p []byte) (int, error) {
	if r.line == nil {
		return r.body.Read(p)
	}
	before := r.line.reads
	n, err := r.body.Read(p)
	switch read := r.line.reads - before; {
	case read == 1 && len(p) >= readBuffer && r.line.last == n:
		r.straight = true
	case read > 0:
		r.straight = false
	}
	return n, err
}

var _ blob.Mover = (*reader)(nil)

// Move implements blob.Mover.
func (r *reader) Move(w io.ReaderFrom, n int64) (int64, error) {
	if n = min(n, r.left); r.body == nil || r.line == nil || !r.straight || n < least {
		return 0, nil
	}
	moved, err := w.ReadFrom(&io.LimitedReader{R: r.line.TCPConn, N: n})
	r.at += moved
	r.left -= moved
	if err != nil || moved < n {
		// What was on its way is lost, and with it the place: ask for the rest.
		r.body.Close()
		r.body = nil
		r.again++
		return moved, err
	}
	r.again = 0
	r.line.moved = moved
	return moved, r.count(moved)
}

var nothing = sync.Pool{New: func() any { b := make([]byte, 128<<10); return &b }}

// count has the client of HTTP count n bytes that it does not get.
func (r *reader) count(n int64) error {
	b := nothing.Get().(*[]byte)
	defer nothing.Put(b)
	for n > 0 {
		k, err := r.body.Read((*b)[:min(n, int64(len(*b)))])
		if n -= int64(k); n > 0 && err != nil {
			return explain(r.ctx, "get "+r.key, err)
		}
	}
	return nil
}
