package blobtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"picora/store/blob"
)

func testRanges(t *testing.T, s blob.Store) {
	const size = 1000
	key, b := blob.NewKey(epoch), content(1, size)
	put(t, s, key, b)
	for _, c := range []struct {
		name   string
		off, n int64
		want   []byte
		err    error
	}{
		{"all", 0, -1, b, nil},
		{"all, counted", 0, size, b, nil},
		{"the first byte", 0, 1, b[:1], nil},
		{"the last byte", size - 1, 1, b[size-1:], nil},
		{"the middle", 300, 400, b[300:700], nil},
		{"to the end", 300, -1, b[300:], nil},
		{"past the end", 300, size, b[300:], nil},
		{"far past the end", 300, math.MaxInt64, b[300:], nil},
		{"any negative length", 300, math.MinInt64, b[300:], nil},
		{"nothing", 300, 0, nil, nil},
		{"nothing at the end", size, 0, nil, nil},
		{"from the end on", size, -1, nil, nil},
		{"from the end on, counted", size, 10, nil, nil},
		{"from past the end on", size + 1, -1, nil, blob.ErrRange},
		{"nothing past the end", size + 1, 0, nil, blob.ErrRange},
		{"from far past the end on", math.MaxInt64, math.MaxInt64, nil, blob.ErrRange},
		{"from before the start", -1, 10, nil, blob.ErrRange},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := read(t.Context(), s, key, c.off, c.n)
			if !errors.Is(err, c.err) || !bytes.Equal(got, c.want) {
				t.Errorf("%d bytes and %v, want %d and %v", len(got), err, len(c.want), c.err)
			}
			checkFiler(t, s, key, c.off, c.n, c.want)
		})
	}
}

// checkFiler reads what the reader's file holds, if it has one.
func checkFiler(t *testing.T, s blob.Store, key string, off, n int64, want []byte) {
	t.Helper()
	r, err := s.Open(t.Context(), key, off, n)
	if err != nil {
		return
	}
	defer r.Close()
	filer, ok := r.(blob.Filer)
	if !ok {
		return
	}
	f, at, length := filer.File()
	got, err := io.ReadAll(io.NewSectionReader(f, at, length))
	if err != nil || !bytes.Equal(got, want) || at != off {
		t.Errorf("the file gives %d bytes from %d on and %v, want %d", len(got), at, err, len(want))
	}
	f.Seek(3, io.SeekStart) // as sendfile might leave it
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the reader then gives %d bytes and %v, want %d", len(got), err, len(want))
	}
}

func testDelete(t *testing.T, s blob.Store) {
	key, other := blob.NewKey(epoch), blob.NewKey(epoch)
	if err := s.Delete(t.Context(), key); err != nil {
		t.Errorf("Delete of what never was: %v", err)
	}
	wantNothing(t, s, key)
	put(t, s, key, content(1, 100))
	put(t, s, other, content(2, 100))
	for range 2 {
		if err := s.Delete(t.Context(), key); err != nil {
			t.Errorf("Delete: %v", err)
		}
		wantNothing(t, s, key)
	}
	wantContent(t, s, other, content(2, 100))
}

func testInvalidKeys(t *testing.T, s blob.Store) {
	good := blob.NewKey(epoch)
	for _, key := range []string{
		"", "x", ".", "..", "../x", "/etc/passwd", "/" + good[1:], "../" + good[3:], good[:23] + "/..",
		good[:25], good + "0", good + "/", strings.ToUpper(good[:25]) + "A", good[:25] + "\x00", good[:25] + "u",
		good[:10] + "/" + good[11:], good[:4] + "\\" + good[5:], "8" + good[1:], strings.Repeat("0", 5000),
	} {
		for name, call := range calls(s) {
			if err := call(t.Context(), key); !errors.Is(err, blob.ErrKey) {
				t.Errorf("%s of %.40q gives %v, want ErrKey", name, key, err)
			}
		}
	}
	for _, bound := range []string{"../x", "/", "A", "8", good + "0", "\x00", "0u"} {
		if err := failure(s.List(t.Context(), bound, "")); !errors.Is(err, blob.ErrKey) {
			t.Errorf("List with the prefix %q gives %v, want ErrKey", bound, err)
		}
		if err := failure(s.List(t.Context(), "", bound)); !errors.Is(err, blob.ErrKey) {
			t.Errorf("List after %q gives %v, want ErrKey", bound, err)
		}
	}
	if got := keys(t, s.List(t.Context(), "", "")); len(got) != 0 {
		t.Errorf("List finds %q", got)
	}
}

func testCancelled(t *testing.T, s blob.Store) {
	key := blob.NewKey(epoch)
	put(t, s, key, content(1, 100))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range calls(s) {
		if err := call(ctx, key); !errors.Is(err, context.Canceled) {
			t.Errorf("%s gives %v, want context.Canceled", name, err)
		}
	}
	if err := failure(s.List(ctx, "", "")); !errors.Is(err, context.Canceled) {
		t.Errorf("List gives %v, want context.Canceled", err)
	}
	if _, err := s.Free(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Free gives %v, want context.Canceled", err)
	}
	wantContent(t, s, key, content(1, 100))
}

func testFree(t *testing.T, s blob.Store) {
	free, err := s.Free(t.Context())
	if err != nil || free <= 0 {
		t.Errorf("Free gives %d, %v", free, err)
	}
}
