package library

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"picora/app/config"
	"picora/store"
	"picora/store/kv/memkv"
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
		t.Fatal(err)
	}
	now, err := p.write("one", p.at("one"), 0, zeros{}, nil)
	if now != 0 || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%d bytes, %v", now, err)
	}
}

// A reader that panics leaves no one at work on the file, and no sum of bytes that are not
// in it.
func TestAPanicWhileAPieceComesLeavesNothingAtWork(t *testing.T) {
	p := &pieces{dir: t.TempDir(), held: map[string]*piece{}}
	one := p.at("one")
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		p.write("one", one, 0, io.MultiReader(io.LimitReader(zeros{}, 3<<20), panics{}), nil)
	}()
	at, err := p.size("one")
	if err != nil || at > 3<<20 || one.hash != nil {
		t.Errorf("%d bytes, %v, a sum: %t", at, err, one.hash != nil)
	}
	if now, err := p.write("one", one, at, io.LimitReader(zeros{}, 10), func(int64) {}); now != at+10 || err != nil || one.hash != nil {
		t.Errorf("%d bytes behind %d, %v", now, at, err)
	}
	if len(spare) != 0 {
		t.Errorf("%d buffers are in use", len(spare))
	}
}

func TestAPanicOfWhoIsToldEndsThePiece(t *testing.T) {
	p := &pieces{dir: t.TempDir(), held: map[string]*piece{}}
	now, err := p.write("one", p.at("one"), 0, zeros{}, func(int64) { panic("told") })
	if now < pieceSync || err == nil || !strings.Contains(err.Error(), "told") {
		t.Errorf("%d bytes, %v", now, err)
	}
	if size, err := p.size("one"); size != now || err != nil {
		t.Errorf("the file has %d bytes, not %d, %v", size, now, err)
	}
}

type panics struct{}

func (panics) Read([]byte) (int, error) { panic("read") }

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// An upload that gets its next piece while it is about to expire stays.
func TestAnUploadThatGoesOnDoesNotExpire(t *testing.T) {
	s, err := store.Open(t.Context(), memkv.New(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	l := New(s, nil, config.Default().Upload, 0)
	if err := l.UseUploads(t.Context(), t.TempDir(), "this run"); err != nil {
		t.Fatal(err)
	}
	u, err := s.CreateUpload(t.Context(), store.Upload{User: "u", Length: 1, Expires: s.Now().Add(-time.Second)}, 1)
	if err != nil {
		t.Fatal(err)
	}
	sender, err := l.pieces.take(u.ID, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(patience/4, func() {
		s.ChangeUpload(t.Context(), u.User, u.ID, func(u *store.Upload) { u.Expires = s.Now().Add(time.Hour) })
		l.pieces.release(sender)
	})
	if n, err := l.ExpireUploads(t.Context()); n != 0 || err != nil {
		t.Errorf("%d expired, %v", n, err)
	}
	if _, err := s.Upload(t.Context(), u.User, u.ID); err != nil {
		t.Error(err)
	}
}
