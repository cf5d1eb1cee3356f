package library

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"syscall"
	"testing"
	"testing/iotest"
)

// Pieces of any length, whole and broken off, give the file that was sent, and its sum
// without another reading.
func TestPiecesOfAnyLengthGiveTheFile(t *testing.T) {
	want := make([]byte, 80<<20)
	rand.NewChaCha8([32]byte{2}).Read(want)
	p := &pieces{dir: t.TempDir(), held: map[string]*piece{}}
	one := p.at("one")
	broken := errors.New("the connection broke")
	var noted []int64
	at := int64(0)
	for n := 0; at < int64(len(want)); n++ {
		length := min([]int64{1, 4095, 5<<20 + 77, 66 << 20, 1 << 20, 3000}[n%6], int64(len(want))-at)
		var in io.Reader = bytes.NewReader(want[at : at+length])
		if n%2 == 1 {
			in = io.MultiReader(in, iotest.ErrReader(broken))
		}
		now, err := p.write("one", one, at, in, func(now int64) { noted = append(noted, now) })
		if now != at+length || n%2 == 1 != errors.Is(err, broken) {
			t.Fatalf("%d bytes at %d: %d now, %v", length, at, now, err)
		}
		at = now
	}
	got, err := os.ReadFile(p.path("one"))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("the file has %d bytes, %v", len(got), err)
	}
	if sum := sha256.Sum256(want); one.hash == nil || one.hashed != at || !bytes.Equal(one.hash.Sum(nil), sum[:]) {
		t.Errorf("the sum of %d bytes is not the file's", one.hashed)
	}
	if len(noted) != 1 || noted[0] < pieceSync || noted[0] > pieceSync+7<<20 {
		t.Errorf("noted %v", noted)
	}
}

// A disk that is full ends a piece, whatever the sender still has.
func TestAFullDiskEndsAPiece(t *testing.T) {
	p := &pieces{dir: t.TempDir(), held: map[string]*piece{}}
	if err := os.Symlink("/dev/full", p.path("one")); err != nil {
		t.Skip(err)
	}
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip(err)
	}
	now, err := p.write("one", p.at("one"), 0, zeros{}, nil)
	if now != 0 || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%d bytes, %v", now, err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
