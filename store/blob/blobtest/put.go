package blobtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/iotest"

	"picora/store/blob"
)

func testWhole(t *testing.T, s blob.Store) {
	// Around the sizes a backend may use for its buffers.
	for i, size := range []int{1, 100_000, 32<<10 - 1, 32 << 10, 32<<10 + 1, 256 << 10, 288 << 10, 288<<10 + 1} {
		key, b := blob.NewKey(epoch), content(uint64(i), size)
		put(t, s, key, b)
		wantContent(t, s, key, b)
	}
}

func testEmpty(t *testing.T, s blob.Store) {
	key := blob.NewKey(epoch)
	put(t, s, key, nil)
	wantContent(t, s, key, nil)
}

func testLarge(t *testing.T, s blob.Store) {
	key, b := blob.NewKey(epoch), content(1, 5<<20+7)
	put(t, s, key, b)
	wantContent(t, s, key, b)
	got, err := read(t.Context(), s, key, 4<<20, 1000)
	if err != nil || !bytes.Equal(got, b[4<<20:4<<20+1000]) {
		t.Errorf("a range of it: %d bytes, %v", len(got), err)
	}
}

func testSmallReads(t *testing.T, s blob.Store) {
	b := content(2, 70_000)
	for name, r := range map[string]io.Reader{
		"byte by byte":                iotest.OneByteReader(bytes.NewReader(b)),
		"the last bytes with the end": iotest.DataErrReader(bytes.NewReader(b)),
		"in halves":                   iotest.HalfReader(bytes.NewReader(b)),
		"with reads of nothing":       &hesitant{r: bytes.NewReader(b)},
		"from a pipe":                 pipe(b),
	} {
		key := blob.NewKey(epoch)
		if _, err := s.Put(t.Context(), key, r); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		wantContent(t, s, key, b)
	}
}

// hesitant gives nothing every other time, which io.Reader allows.
type hesitant struct {
	r    io.Reader
	turn int
}

func (h *hesitant) Read(p []byte) (int, error) {
	if h.turn++; h.turn%2 == 1 {
		return 0, nil
	}
	return h.r.Read(p[:min(len(p), 999)])
}

func pipe(b []byte) io.Reader {
	r, w := io.Pipe()
	go func() {
		_, err := w.Write(b)
		w.CloseWithError(err)
	}()
	return r
}

func testFailingReader(t *testing.T, s blob.Store) {
	own := errors.New("the upload broke")
	for _, err := range []error{
		own,
		io.ErrUnexpectedEOF, // what net/http says of a body that was cut short
		fmt.Errorf("wrapped: %w", io.EOF),
	} {
		for _, size := range []int{0, 1, 32 << 10, 300_000, 2 << 20} {
			key := blob.NewKey(epoch)
			r := io.MultiReader(bytes.NewReader(content(3, size)), iotest.ErrReader(err))
			info, got := s.Put(t.Context(), key, r)
			if !errors.Is(got, err) || info != (blob.Info{}) {
				t.Errorf("after %d bytes Put gives %+v, %v, want %v", size, info, got, err)
			}
			wantNothing(t, s, key)
		}
	}
	if got := keys(t, s.List(t.Context(), "", "")); len(got) != 0 {
		t.Errorf("List finds %q", got)
	}
}

func testIdleReader(t *testing.T, s blob.Store) {
	key := blob.NewKey(epoch)
	_, err := s.Put(t.Context(), key, readerFunc(func([]byte) (int, error) { return 0, nil }))
	if !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("Put gives %v, want io.ErrNoProgress", err)
	}
	wantNothing(t, s, key)
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func testPanickingReader(t *testing.T, s blob.Store) {
	key := blob.NewKey(epoch)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		s.Put(t.Context(), key, readerFunc(func([]byte) (int, error) { panic("reader") }))
	}()
	wantNothing(t, s, key)
	put(t, s, key, content(4, 10))
}

func testCancelledPut(t *testing.T, s blob.Store) {
	key := blob.NewKey(epoch)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reads := 0
	_, err := s.Put(ctx, key, readerFunc(func(p []byte) (int, error) {
		if reads++; reads == 20 {
			cancel()
		}
		if reads > 10_000 {
			return 0, errors.New("read on after the context was cancelled")
		}
		return min(len(p), 40_000), nil
	}))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Put gives %v, want context.Canceled", err)
	}
	wantNothing(t, s, key)
}

func testPutTwice(t *testing.T, s blob.Store) {
	key, b := blob.NewKey(epoch), content(5, 1000)
	put(t, s, key, b)
	for _, again := range [][]byte{b, content(6, 2000), nil} {
		if _, err := s.Put(t.Context(), key, bytes.NewReader(again)); !errors.Is(err, blob.ErrExists) {
			t.Errorf("the second Put gives %v, want ErrExists", err)
		}
		wantContent(t, s, key, b)
	}
}

func testPutAfterFailure(t *testing.T, s blob.Store) {
	key := blob.NewKey(epoch)
	if _, err := s.Put(t.Context(), key, iotest.ErrReader(io.ErrClosedPipe)); err == nil {
		t.Fatal("Put of a failing reader gives no error")
	}
	b := content(7, 1000)
	put(t, s, key, b)
	wantContent(t, s, key, b)
}
