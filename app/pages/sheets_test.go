package pages_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"picora/app/apptest"
)

// TestPagesThatNobodyTakesAreBounded: whoever asks for large pages and does not read them
// takes no more memory than there is for that, and gives it back.
func TestPagesThatNobodyTakesAreBounded(t *testing.T) {
	p := apptest.Start(t)                                   // no workers: it is shown as text
	d := add(t, p, "large.typ", strings.Repeat("'", 4<<20)) // each of five bytes in HTML
	ask := func() (net.Conn, *http.Response) {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprintf(conn, "GET /d/%s HTTP/1.1\r\nHost: a.example\r\n\r\n", d.ID); err != nil {
			t.Fatal(err)
		}
		r, err := http.ReadResponse(bufio.NewReaderSize(conn, 4096), nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.StatusCode == 503 && (r.Header.Get("Retry-After") == "" || r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("ETag") != "") {
			t.Errorf("%v", r.Header)
		}
		return conn, r
	}
	var conns []net.Conn
	taken, refused := 0, 0
	for range 10 {
		conn, r := ask()
		conns = append(conns, conn)
		switch r.StatusCode {
		case 200:
			taken++
		case 503:
			refused++
		default:
			t.Fatalf("%d", r.StatusCode)
		}
	}
	if taken < 4 || taken > 6 || refused != 10-taken {
		t.Errorf("%d of 20 MB each were sent, %d refused", taken, refused)
	}
	for _, c := range conns {
		c.Close()
	}
	for { // the server sees that they left
		conn, r := ask()
		if r.StatusCode == 200 {
			if n, err := io.Copy(io.Discard, r.Body); err != nil || n < 20<<20 {
				t.Errorf("%d bytes: %v", n, err)
			}
			conn.Close()
			return
		}
		conn.Close()
	}
}
