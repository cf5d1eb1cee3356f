package library

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"runtime/debug"
	"sync"

	"picora/media"
	"picora/media/strip"
)

// intake is a reader that passes a body through and has the same bytes hashed and
// examined, those of a long body by another goroutine as they come. It gives
// io.EOF only when the body ended well, was found whole, and atEnd agreed: what
// reads it may then keep what it read.
type intake struct {
	src      io.Reader
	n        int64               // bytes passed through
	progress func(n int64) error // asked every progressStep bytes
	atEnd    func(hash []byte, r *strip.Report) error

	chunk  *[]byte      // being filled
	free   chan *[]byte // to fill next
	full   chan *[]byte // to examine, in order
	done   chan struct{}
	closed bool
	err    error // what Read returned

	hash    hash.Hash
	look    func(io.Reader) (*strip.Report, error) // nil: the bytes are only hashed
	report  *strip.Report
	failure error // of the examination; read it after done
	failed  chan struct{}
}

// progressStep is how many bytes pass between two looks at limits. The first
// look is made at the first byte.
const progressStep = 16 << 20

// chunkSize is how many bytes are handed over at once. Reads of a form bring 4 KB
// each; handing each over would cost more than hashing it. A body that fits into
// one chunk is examined where it is read: most pictures of a page do, and two
// goroutines more would cost them more than they gain.
const chunkSize = 128 << 10

var chunks = sync.Pool{New: func() any {
	b := make([]byte, 0, chunkSize+4<<10)
	return &b
}}

// newIntake makes a reader of src that examines it as a file of type t.
func newIntake(src io.Reader, t media.Type, max strip.Limits) *intake {
	return &intake{
		src: src, hash: sha256.New(),
		look:   func(r io.Reader) (*strip.Report, error) { return walk(r, t, max) },
		failed: make(chan struct{}),
		chunk:  chunks.Get().(*[]byte),
	}
}

// newSoundIntake makes a reader of src that only hashes it: a worker looks into audio
// when all of it is there.
func newSoundIntake(src io.Reader) *intake {
	in := newIntake(src, media.Type{}, strip.Limits{})
	in.look = nil
	return in
}

// begin starts the examination of a body that is longer than a chunk.
func (in *intake) begin() {
	in.free, in.full, in.done = make(chan *[]byte, 2), make(chan *[]byte, 2), make(chan struct{})
	in.free <- chunks.Get().(*[]byte)
	go in.examine()
}

// examine feeds the hash and, through a pipe, the walker, if there is one.
func (in *intake) examine() {
	defer close(in.done)
	if in.look == nil {
		for b := range in.full {
			in.hash.Write(*b)
			*b = (*b)[:0]
			in.free <- b
		}
		return
	}
	pr, pw := io.Pipe()
	walked := make(chan struct{})
	go func() {
		defer close(walked)
		in.report, in.failure = in.look(pr)
		if in.failure != nil {
			close(in.failed)
		}
		pr.CloseWithError(errStopped)
	}()
	for b := range in.full {
		in.hash.Write(*b)
		pw.Write(*b) // fails only when the walker has its verdict
		*b = (*b)[:0]
		in.free <- b
	}
	if in.closed {
		pw.Close()
	} else {
		pw.CloseWithError(errStopped)
	}
	<-walked
}

// walk is strip.Walk; a fault in it, which runs outside the request's goroutine,
// must end this upload and not the program.
func walk(r io.Reader, t media.Type, max strip.Limits) (rep *strip.Report, err error) {
	defer func() {
		if p := recover(); p != nil {
			rep, err = nil, fmt.Errorf("library: panic: %v\n%s", p, debug.Stack())
		}
	}()
	return strip.Walk(r, t, max)
}

var errStopped = errors.New("library: stopped")

// Read passes bytes through and copies them for the examination. Its first error
// is its last word.
func (in *intake) Read(p []byte) (n int, err error) {
	if in.err == nil {
		n, in.err = in.read(p)
	}
	return n, in.err
}

func (in *intake) read(p []byte) (int, error) {
	select {
	case <-in.failed:
		return 0, in.failure
	default:
	}
	n, err := in.src.Read(p)
	if n > 0 {
		if e := in.pass(p[:n]); e != nil {
			return 0, e
		}
	}
	if err == io.EOF {
		if e := in.finish(); e != nil {
			return 0, e
		}
	}
	return n, err
}

func (in *intake) pass(p []byte) error {
	if in.progress != nil && (in.n == 0 || in.n/progressStep != (in.n+int64(len(p)))/progressStep) {
		if err := in.progress(in.n + int64(len(p))); err != nil {
			return err
		}
	}
	in.n += int64(len(p))
	*in.chunk = append(*in.chunk, p...)
	if len(*in.chunk) >= chunkSize {
		if in.full == nil {
			in.begin()
		}
		in.full <- in.chunk
		in.chunk = <-in.free
	}
	return nil
}

// end hands over the last chunk and waits for the verdict. A body in one chunk is
// examined here, unless it was broken off.
func (in *intake) end() {
	if in.full == nil {
		if in.closed {
			in.hash.Write(*in.chunk)
			if in.look != nil {
				in.report, in.failure = in.look(bytes.NewReader(*in.chunk))
			}
		}
		*in.chunk = (*in.chunk)[:0]
		chunks.Put(in.chunk)
		return
	}
	in.full <- in.chunk
	close(in.full)
	<-in.done
	for range 2 {
		chunks.Put(<-in.free)
	}
}

// finish waits for the examination and asks atEnd.
func (in *intake) finish() error {
	if in.closed {
		return nil
	}
	if in.progress != nil {
		if err := in.progress(in.n); err != nil {
			return err
		}
	}
	in.closed = true
	in.end()
	if in.failure != nil {
		return in.failure
	}
	return in.atEnd(in.hash.Sum(nil), in.report)
}

// stop ends the examination of a body that was not read to its end.
func (in *intake) stop() {
	if !in.closed {
		in.end()
		in.closed = true
	}
}
