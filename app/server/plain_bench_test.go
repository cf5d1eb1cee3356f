package server_test

import (
	"bufio"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"

	"picora/app/apptest"
)

// BenchmarkPlain asks for a small file in memory over one connection: what is measured
// is the server's way from Read to writev, and two times the loopback.
func BenchmarkPlain(b *testing.B) {
	p := apptest.Start(b)
	img := p.Add("a.jpg", apptest.JPEG(40, 40, 1))
	req := []byte(request("GET", img.URL[strings.LastIndex(img.URL, "/"):], "", ""))
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.URL, "http://"))
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	r := bufio.NewReaderSize(conn, 64<<10)
	ask := func() {
		if _, err := conn.Write(req); err != nil {
			b.Fatal(err)
		}
		n := 0
		for {
			line, err := r.ReadSlice('\n')
			if err != nil {
				b.Fatal(err)
			}
			if v, ok := strings.CutPrefix(string(line), "Content-Length: "); ok {
				n, _ = strconv.Atoi(strings.TrimSpace(v))
			}
			if len(line) == 2 {
				break
			}
		}
		if _, err := io.CopyN(io.Discard, r, int64(n)); err != nil {
			b.Fatal(err)
		}
	}
	ask()
	ask()
	b.ReportAllocs()
	for b.Loop() {
		ask()
	}
}
