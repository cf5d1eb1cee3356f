package s3

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"picora/store/blob"
	"picora/store/blob/blobtest"
)

// connected are the two ends of a connection.
func connected(t *testing.T) (here, there *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	a, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a.(*net.TCPConn), b.(*net.TCPConn)
}

func TestBytesAreMovedFromConnectionToConnection(t *testing.T) {
	t.Parallel()
	g := blobtest.StartS3(t)
	s := open(t, options(g))
	key, want := blob.NewKey(time.Now()), content(12<<20)
	if _, err := s.Put(t.Context(), key, bytes.NewReader(want)); err != nil {
		t.Fatal(err)
	}
	for round := range 5 {
		off := round * 100_001
		r, err := s.Open(t.Context(), key, int64(off), -1)
		if err != nil {
			t.Fatal(err)
		}
		w, end := connected(t)
		got := make(chan []byte)
		go func() {
			b, _ := io.ReadAll(end)
			got <- b
		}()
		random, moved, ended := rand.New(rand.NewPCG(uint64(round), 1)), int64(0), false
		for step := 0; !ended; step++ {
			if round >= 3 && step == 4 {
				g.Stop() // in the middle
				g.Start()
			}
			n, err := r.(blob.Mover).Move(w, int64(random.IntN(2<<20)))
			if moved += n; err != nil {
				t.Logf("round %d: moved %d bytes: %v", round, n, err) // the next Read asks for the rest
			}
			size := 1 + random.IntN(100) // as small as to be read ahead
			if random.IntN(3) > 0 {
				size = readBuffer + random.IntN(100<<10)
			}
			b := make([]byte, size)
			k, err := r.Read(b)
			if _, err := w.Write(b[:k]); err != nil {
				t.Fatal(err)
			}
			if ended = err == io.EOF; err != nil && !ended {
				t.Fatalf("round %d: %v", round, err)
			}
		}
		r.Close()
		w.Close()
		if b := <-got; !bytes.Equal(b, want[off:]) {
			t.Errorf("round %d: %d bytes arrived, of %d", round, len(b), len(want)-off)
		}
		if moved < 1<<20 {
			t.Errorf("round %d: only %d bytes were moved", round, moved)
		}
	}

	// Whoever does not take it any more is told, and what is read then is right.
	r, err := s.Open(t.Context(), key, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b := make([]byte, 32<<10)
	at, err := io.ReadFull(r, b)
	if err != nil {
		t.Fatal(err)
	}
	w, end := connected(t)
	end.SetLinger(0)
	end.Close()
	for err == nil && at < len(want)/2 {
		var moved int64
		if moved, err = r.(blob.Mover).Move(w, 1<<20); moved == 0 && err == nil {
			k, e := r.Read(b)
			if e != nil {
				t.Fatal(e)
			}
			moved = int64(k)
		}
		at += int(moved)
	}
	n, e := io.ReadFull(r, b)
	if e != nil || err == nil || !bytes.Equal(b[:n], want[at:at+n]) {
		t.Errorf("%d bytes from %d on: %v, after %v", n, at, e, err)
	}
}
