package server

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"picora/app/link"
	"picora/app/usage"
)

// Most requests of a media host ask for a small public file, and say nothing that
// would change the answer. Those are answered right where the connection reads
// them: parsing and building the same again, for every request, takes the
// framework as long as the kernel takes to send 20 KB. What is not exactly such a
// request goes on to the framework, bytes untouched, which says the same of a file.

// readBuffer is how many bytes of a request are read at a time, and the largest
// header that is taken.
const readBuffer = 16 << 10

// Read reads what the client sent. At the start of a request, it answers those
// that are plain, and returns with the first that is not.
//
// The start is known after a request whose bytes came in one read, with nothing behind
// its header, which spoke of no body: guard says so then. A connection's first request
// is always the framework's, which from then on knows the connection as one that may be
// idle.
func (c *conn) Read(p []byte) (int, error) {
	start := c.atStart && len(p) == readBuffer
	c.atStart = false
	if c.fresh {
		c.fresh = false
		defer c.server.settled(c)
		if c.server.stopping.Load() {
			return 0, io.EOF
		}
	}
	for {
		n, err := c.TCPConn.Read(p)
		if start && err == nil {
			answered, err := c.tryPlain(p[:n])
			if err != nil {
				return 0, err
			}
			if answered {
				continue
			}
		}
		// With its whole buffer the framework reads only when that is empty.
		c.whole = len(p) == readBuffer && n > 0 && bytes.Index(p[:n], []byte("\r\n\r\n")) == n-4
		return n, err
	}
}

// tryPlain answers a request that is plain. Stop waits for it.
func (c *conn) tryPlain(request []byte) (answered bool, err error) {
	c.server.answering.Add(1)
	defer c.server.answering.Add(-1)
	head, body, served := c.plain(request)
	if head == nil {
		return false, nil
	}
	return true, c.answer(head, body, served)
}

// plain finds the answer to the bytes of a plain request: its header without the
// lines that differ from answer to answer, its body, and what counts it. Nil is for all
// others.
func (c *conn) plain(request []byte) (head, body []byte, served *usage.Meter) {
	r, ok := parsePlain(request)
	if !ok || c.server.stopping.Load() || slog.Default().Enabled(context.Background(), slog.LevelDebug) {
		return nil, nil, nil
	}
	if l := c.server.options.Links; l.SeparateMedia() && !l.OnMedia(link.Request{Peer: c.peer(), Host: string(r.host)}) {
		return nil, nil, nil
	}
	return c.server.options.Plain(string(r.target), string(r.accept))
}

func (c *conn) peer() netip.Addr {
	a, _ := c.RemoteAddr().(*net.TCPAddr)
	return a.AddrPort().Addr().Unmap()
}

// answer writes a whole answer, with one system call and without a copy of body.
func (c *conn) answer(head, body []byte, served *usage.Meter) error {
	now := time.Now()
	c.SetWriteDeadline(now.Add(responseTime))
	b := append(c.head[:0], head...)
	b = append(append(b, "Date: "...), date(now)...)
	b = append(append(append(b, "\r\nX-Request-Id: "...), newRequestID()...), "\r\n\r\n"...)
	c.head = b
	parts := net.Buffers{b, body}
	n, err := parts.WriteTo(c.TCPConn)
	served.Add(n - int64(len(b)))
	if err != nil {
		return err
	}
	c.SetReadDeadline(now.Add(silence))
	c.server.metrics.files.Inc()
	return nil
}

// dated is a second and how a header writes it.
type dated struct {
	second int64
	text   string
}

var lastDate atomic.Pointer[dated]

// date is the value of Date (RFC 9110, section 6.6.1), made once a second.
func date(now time.Time) string {
	if d := lastDate.Load(); d != nil && d.second == now.Unix() {
		return d.text
	}
	d := &dated{now.Unix(), now.UTC().Format(http.TimeFormat)}
	lastDate.Store(d)
	return d.text
}

// plainRequest is what counts in a plain request.
type plainRequest struct{ target, host, accept []byte }

// parsePlain takes apart bytes that are exactly one request "GET path HTTP/1.1"
// with one host and no more than such fields as leave the answer to a GET for a
// public file as it is. It is strict: whatever is unusual is for the framework.
func parsePlain(b []byte) (r plainRequest, ok bool) {
	line, rest, found := bytes.Cut(b, []byte("\r\n"))
	line, get := bytes.CutPrefix(line, []byte("GET "))
	target, version := bytes.CutSuffix(line, []byte(" HTTP/1.1"))
	if !found || !get || !version || !visible(target) || target[0] != '/' || bytes.IndexByte(target, ' ') >= 0 {
		return r, false
	}
	r.target = target
	for {
		line, rest, found = bytes.Cut(rest, []byte("\r\n"))
		if !found {
			return r, false
		}
		if len(line) == 0 {
			return r, len(rest) == 0 && len(r.host) > 0
		}
		name, value, colon := bytes.Cut(line, []byte(": "))
		if !colon || !visible(value) {
			return r, false
		}
		switch {
		case bytes.EqualFold(name, []byte("Host")):
			if r.host != nil || !hostOnly(value) {
				return r, false
			}
			r.host = value
		case bytes.EqualFold(name, []byte("Accept")):
			if r.accept != nil {
				return r, false
			}
			r.accept = value
		case bytes.EqualFold(name, []byte("Connection")):
			if !bytes.EqualFold(value, []byte("keep-alive")) {
				return r, false
			}
		case !idle(name):
			return r, false
		}
	}
}

// visible reports whether a field's value is printable ASCII.
func visible(value []byte) bool {
	for _, c := range value {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return len(value) > 0
}

// hostOnly reports whether a value is made of what names, addresses and ports are.
func hostOnly(value []byte) bool {
	for _, c := range value {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || bytes.IndexByte([]byte(".-:[]_"), c) >= 0) {
			return false
		}
	}
	return true
}

// idle reports whether a field of a request has no say in how a public file is
// answered: those that browsers, feed readers and proxies send with every request.
func idle(name []byte) bool {
	for _, known := range idleFields {
		if bytes.EqualFold(name, known) {
			return true
		}
	}
	return false
}

var idleFields = [][]byte{
	[]byte("User-Agent"), []byte("Accept-Encoding"), []byte("Accept-Language"), []byte("Referer"),
	[]byte("Sec-Fetch-Dest"), []byte("Sec-Fetch-Mode"), []byte("Sec-Fetch-Site"), []byte("Sec-Fetch-Storage-Access"),
	[]byte("Sec-CH-UA"), []byte("Sec-CH-UA-Mobile"), []byte("Sec-CH-UA-Platform"), []byte("Sec-GPC"), []byte("DNT"),
	[]byte("Priority"), []byte("Cache-Control"), []byte("Pragma"), []byte("Save-Data"),
	[]byte("X-Forwarded-For"), []byte("X-Forwarded-Proto"), []byte("X-Real-IP"), []byte("Via"),
}
