package disk

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// Whatever the lengths of the writes are, and wherever they begin, the file is what was
// written.
func TestAWriterWritesWhatItGets(t *testing.T) {
	want := make([]byte, 24<<20)
	rand.NewChaCha8([32]byte{1}).Read(want)
	for name, c := range map[string]struct {
		lengths []int // in turn
		shift   int   // of the memory
		cannot  bool
		passed  bool // some of it passes the page cache
	}{
		"blocks":                   {lengths: []int{1 << 20}, passed: true},
		"blocks and rests":         {lengths: []int{1<<20 + 1, 1<<20 - 1}},
		"small ones":               {lengths: []int{100 << 10}},
		"odd ones":                 {lengths: []int{300<<10 + 7, 5, 3 << 20, 4084, 1 << 20}, passed: true},
		"memory at odd places":     {lengths: []int{1 << 20}, shift: 1},
		"a file system that can't": {lengths: []int{1 << 20}, cannot: true},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "f")
			passed, off := false, 0
			for _, end := range []int{10 << 20, 16<<20 + 5, len(want)} { // as pieces of an upload
				f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY, 0o600)
				if err != nil {
					t.Fatal(err)
				}
				w := NewWriter(f, int64(off))
				can := w.pass(true)
				w.pass(false)
				w.cannot = w.cannot || c.cannot
				for n := 0; off < end; n++ {
					length := min(c.lengths[n%len(c.lengths)], end-off)
					p := make([]byte, c.shift+length)[c.shift:]
					copy(p, want[off:])
					if k, err := w.Write(p); k != length || err != nil {
						t.Fatalf("%d of %d bytes at %d: %v", k, length, off, err)
					}
					off += length
					passed = passed || w.direct
				}
				if err := f.Close(); err != nil {
					t.Fatal(err)
				}
				if !can {
					c.passed = false
				}
			}
			got, err := os.ReadFile(file)
			if err != nil || len(got) != len(want) || sha256.Sum256(got) != sha256.Sum256(want) {
				t.Errorf("the file has %d bytes, %v, and others: %t", len(got), err, !bytes.Equal(got, want))
			}
			if c.passed && !passed {
				t.Error("nothing passed the page cache")
			}
		})
	}
}

func TestAWriterSaysThatTheDiskIsFull(t *testing.T) {
	f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, at := range []int64{0, beginning} {
		if n, err := NewWriter(f, at).Write(make([]byte, 1<<20)); n != 0 || !errors.Is(err, unix.ENOSPC) {
			t.Errorf("at %d: %d bytes, %v", at, n, err)
		}
	}
}
