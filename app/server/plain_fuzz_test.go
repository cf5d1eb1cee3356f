package server

import (
	"bufio"
	"bytes"
	"testing"

	"github.com/valyala/fasthttp"
)

// FuzzParsePlain: what is taken for a plain request is one to the framework too,
// with the same address, the same host, and nothing behind it.
func FuzzParsePlain(f *testing.F) {
	for _, s := range []string{
		"GET /a.jpg HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /a.jpg HTTP/1.1\r\nHost: a:80\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n",
		"GET /a.jpg HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		"GET /a.jpg HTTP/1.1\r\nHost: a\r\nRange: bytes=0-1\r\n\r\n",
		"GET /a.jpg HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n",
		"GET /a b HTTP/1.1\r\nHost: a\r\nAccept: x\r\n y\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, ok := parsePlain(b)
		if !ok {
			return
		}
		var h fasthttp.RequestHeader
		br := bufio.NewReaderSize(bytes.NewReader(b), readBuffer)
		if err := h.Read(br); err != nil {
			t.Fatalf("%q: %v", b, err)
		}
		if br.Buffered() != 0 || !h.IsGet() || h.ContentLength() > 0 || h.ConnectionClose() ||
			!bytes.Equal(h.RequestURI(), r.target) || !bytes.Equal(h.Host(), r.host) || !bytes.Equal(h.Peek("Accept"), r.accept) {
			t.Fatalf("%q is %q %q to the framework, with %d bytes behind", b, h.RequestURI(), h.Host(), br.Buffered())
		}
		for k := range h.All() {
			if name := string(k); name == "Range" || len(name) > 3 && name[:3] == "If-" || name == "Transfer-Encoding" {
				t.Fatalf("%q has %s", b, name)
			}
		}
	})
}
