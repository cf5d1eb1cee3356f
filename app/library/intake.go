package library

import (
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

// intake is a reader that passes a body through while another goroutine hashes
// and examines the same bytes. It gives io.EOF only when the body ended well, was
// found whole, and atEnd agreed: what reads it may then keep what it read.
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
	report  *strip.Report
	failure error // of the examination; read it after done
	failed  chan struct{}
}

// progressStep is how many bytes pass between two looks at limits. The first
// look is made at the first byte.
const progressStep = 16 << 20

// chunkSize is how many bytes are handed over at once. Reads of a form bring 4 KB
// each; handing each over would cost more than hashing it.
const chunkSize = 64 << 10

var chunks = sync.Pool{New: func() any {
	b := make([]byte, 0, chunkSize+4<<10)
	return &b
}}

// newIntake starts the examination of src as a file of type t.
func newIntake(src io.Reader, t media.Type, max strip.Limits) *intake {
	in := &intake{
		src: src, hash: sha256.New(),
		free: make(chan *[]byte, 2), full: make(chan *[]byte, 2),
		done: make(chan struct{}), failed: make(chan struct{}),
		chunk: chunks.Get().(*[]byte),
	}
	in.free <- chunks.Get().(*[]byte)
	go in.examine(t, max)
	return in
}

// examine feeds the hash and, through a pipe, the walker.
func (in *intake) examine(t media.Type, max strip.Limits) {
	defer close(in.done)
	pr, pw := io.Pipe()
	walked := make(chan struct{})
	go func() {
		defer close(walked)
		in.report, in.failure = walk(pr, t, max)
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
		in.full <- in.chunk
		in.chunk = <-in.free
	}
	return nil
}

// end hands over the last chunk and waits for the verdict.
func (in *intake) end() {
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
