package library

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"picora/app/usage"
	"picora/store"
	"picora/store/blob/disk"
)

// pieces are the files of uploads that come in pieces, in a folder of this machine: each
// has the name of its upload, and as many bytes as have come.
type pieces struct {
	dir string

	mu   sync.Mutex
	held map[string]*piece // by upload: what is known of it since the start
}

// piece is what is known of an upload besides its record and its file.
type piece struct {
	busy  bool          // somebody writes to it, or finishes it
	heard atomic.Int64  // when its last bytes came, in Unix milliseconds
	cut   func()        // ends the request that writes; nil: it is being finished
	over  chan struct{} // closed when nobody is busy with it any more

	// hash is the SHA-256 of the first hashed bytes. It is nil when they were not all seen
	// by this process: then the file is read once more at the end.
	hash   hash.Hash
	hashed int64

	room *usage.Reservation // of the whole length; nil: not reserved, or no limits. Under pieces.mu.
}

// quiet is how long the sender of a piece may be silent before another request for the
// same upload takes its place: the connection is dead, most likely.
const quiet = 2 * time.Second

// patience is how long a request waits for another one's end before it is refused.
const patience = 200 * time.Millisecond

// errAtWork says that another request is at work on an upload.
var errAtWork = errors.New("library: another request is at work on the upload")

func (p *pieces) path(id string) string { return filepath.Join(p.dir, id) }

// at is what is known of an upload. The caller has mu.
func (p *pieces) at(id string) *piece {
	one := p.held[id]
	if one == nil {
		one = &piece{}
		p.held[id] = one
	}
	return one
}

// take makes the caller the only one at work on the upload. A sender that is silent is cut
// off, and any sender with force. For others it waits a moment: somebody who only looks, or
// who is about to see that his connection broke, is soon gone.
func (p *pieces) take(id string, force bool, cut func()) (*piece, error) {
	for range 10 {
		p.mu.Lock()
		one := p.at(id)
		if !one.busy {
			one.busy, one.cut, one.over = true, cut, make(chan struct{})
			one.heard.Store(time.Now().UnixMilli())
			p.mu.Unlock()
			return one, nil
		}
		over, interrupt := one.over, one.cut
		p.mu.Unlock()
		wait := patience
		if interrupt != nil && (force || time.Since(time.UnixMilli(one.heard.Load())) >= quiet) {
			interrupt()
			wait = 5 * time.Second
		}
		select {
		case <-over:
		case <-time.After(wait):
			return nil, errAtWork
		}
	}
	return nil, errAtWork
}

// release lets others work on the upload.
func (p *pieces) release(one *piece) {
	p.mu.Lock()
	defer p.mu.Unlock()
	one.busy, one.cut = false, nil
	close(one.over)
}

// setRoom keeps that room for the upload, instead of what was kept for it; nil: none.
func (p *pieces) setRoom(id string, room *usage.Reservation) {
	p.mu.Lock()
	one := p.at(id)
	old := one.room
	one.room = room
	p.mu.Unlock()
	old.Release()
}

// holdRoom keeps room for an upload that has none.
func (p *pieces) holdRoom(id string, hold func() *usage.Reservation) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if one := p.at(id); one.room == nil {
		one.room = hold()
	}
}

// forget removes the file of an upload and what is known of it.
func (p *pieces) forget(id string) error {
	p.mu.Lock()
	one := p.held[id]
	delete(p.held, id)
	p.mu.Unlock()
	if one != nil {
		one.room.Release()
	}
	err := os.Remove(p.path(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// size is how many bytes of an upload are there.
func (p *pieces) size(id string) (int64, error) {
	fi, err := os.Stat(p.path(id))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil // it is made when the first bytes come
	}
	if err != nil {
		return 0, err
	}
	return fi.Size(), nil
}

// write appends what r has to the file of an upload, which has at bytes, and makes it
// durable, also what came before an error of r. It returns how many bytes there are now.
// Meanwhile arrived, unless nil, hears now and then how many are on the disk.
func (p *pieces) write(id string, one *piece, at int64, r io.Reader, arrived func(now int64)) (now int64, err error) {
	f, err := os.OpenFile(p.path(id), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return at, err
	}
	defer f.Close()
	if at == 0 {
		one.hash, one.hashed = sha256.New(), 0
	}
	h := one.hash
	if one.hashed != at {
		h = nil
	}
	one.hash = nil // until what is written is known to be what was hashed
	out := newBehind(f, p.dir, at, h, arrived)
	defer out.end() // also when r panics, before the file is closed
	now = at
	in := heard{r, func() { one.heard.Store(time.Now().UnixMilli()) }}
	for first := true; err == nil && !out.failed.Load(); first = false {
		one.heard.Store(time.Now().Add(syncTime).UnixMilli()) // it is the sender who waits
		b := out.buffer()
		one.heard.Store(time.Now().UnixMilli())
		room := len(b.all) - int(now%pieceBuffer) // so the next one begins with a block, and one ends at pieceSync
		k, begun := 0, time.Now()
		for k < room && err == nil && (k == 0 || !first && time.Since(begun) < pieceTime) {
			var m int
			m, err = in.Read(b.all[k:min(k+pieceRead, room)])
			k += m
		}
		now += int64(k)
		out.take(b, k)
	}
	one.heard.Store(time.Now().Add(syncTime).UnixMilli())
	there, lost := out.end()
	if err == io.EOF {
		err = nil
	}
	if lost != nil {
		return there, errors.Join(lost, p.cutTo(id, one, there)) // not what r says: its faults are the sender's
	}
	one.hash, one.hashed = h, now
	return now, err
}

// sync brings the file of an upload to the disk.
func (p *pieces) sync(id string) error {
	f, err := os.OpenFile(p.path(id), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return errors.Join(f.Sync(), syncFolder(p.dir))
}

// sum is the SHA-256 of the whole file.
func (p *pieces) sum(ctx context.Context, id string, one *piece, size int64) ([]byte, error) {
	if one.hash != nil && one.hashed == size {
		return one.hash.Sum(nil), nil
	}
	f, err := os.Open(p.path(id))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h := sha256.New()
	b := make([]byte, pieceRead)
	for {
		n, err := f.Read(b)
		h.Write(b[:n])
		if err == io.EOF {
			return h.Sum(nil), nil
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			return nil, err
		}
	}
}

// cutTo takes back what is behind the first n bytes.
func (p *pieces) cutTo(id string, one *piece, n int64) error {
	one.hash = nil
	return os.Truncate(p.path(id), n)
}

// join makes the file of an upload of those of others, one behind the other. It is there
// when it is whole and on the disk.
func (p *pieces) join(ctx context.Context, id string, parts []store.Upload) (err error) {
	name := p.path(id) + ".join"
	out, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		out.Close()
		if err != nil {
			os.Remove(name)
		}
	}()
	for i := range parts {
		if err := ctx.Err(); err != nil {
			return err
		}
		in, err := os.Open(p.path(parts[i].ID))
		if err != nil {
			return err
		}
		n, err := io.Copy(out, in) // the kernel copies, or shares the blocks
		in.Close()
		if err != nil {
			return err
		}
		if n != parts[i].Length {
			return fmt.Errorf("library: the part %s has %d bytes, not %d", parts[i].ID, n, parts[i].Length)
		}
	}
	if err := out.Sync(); err != nil {
		return err
	}
	if err := os.Rename(name, p.path(id)); err != nil {
		return err
	}
	return syncFolder(p.dir)
}

const (
	// pieceRead is how many bytes are read at once.
	pieceRead = 128 << 10
	// pieceBuffer is how many bytes are written at once. What comes first is at once, so that
	// it is seen; what a slow sender sends, when more comes after pieceTime.
	pieceBuffer = 1 << 20
	pieceTime   = time.Second
	// pieceSync is how many bytes of a piece are brought to the disk at once.
	pieceSync = 64 << 20
	// syncTime is how long that may take until the sender is taken for dead.
	syncTime = time.Minute
)

// buffer holds bytes that came.
type buffer struct {
	all  []byte
	n    int          // how many came
	uses atomic.Int32 // who still reads them
}

// spare are for the buffers of senders that have one: when the disk is slower than all of
// them, memory does not grow with their number fourfold.
var spare = make(chan struct{}, 64)

var pieceBuffers = sync.Pool{New: func() any { return &buffer{all: make([]byte, pieceBuffer)} }}

// behind writes buffers to a file, and hashes them, while the next ones are filled.
type behind struct {
	free, full, toHash chan *buffer
	taken              int // buffers, of cap(free)
	ended              bool
	failed             atomic.Bool // nothing more is written
	done               sync.WaitGroup

	// Of who writes, until done.
	file    *os.File
	dir     string
	arrived func(now int64)
	now     int64 // bytes that are written
	there   int64 // bytes that are on the disk
	err     error
}

// newBehind returns a behind for a file that has at bytes, and for h, unless that is nil.
func newBehind(f *os.File, dir string, at int64, h hash.Hash, arrived func(now int64)) *behind {
	const buffers = 4 // one is filled, one hashed, one written, and one evens out
	w := &behind{
		free: make(chan *buffer, buffers), full: make(chan *buffer, buffers),
		file: f, dir: dir, arrived: arrived, now: at, there: at,
	}
	w.done.Go(w.write)
	if h != nil {
		w.toHash = make(chan *buffer, buffers)
		w.done.Go(func() {
			for b := range w.toHash {
				h.Write(b.all[:b.n])
				w.used(b)
			}
		})
	}
	return w
}

// buffer is the next one to be filled. It waits for one when all are in use.
func (w *behind) buffer() *buffer {
	select {
	case b := <-w.free:
		return b
	default:
	}
	if w.taken > 0 {
		if w.taken == cap(w.free) {
			return <-w.free
		}
		select {
		case spare <- struct{}{}:
		default:
			return <-w.free
		}
	}
	w.taken++
	return pieceBuffers.Get().(*buffer)
}

// take takes a buffer with n bytes.
func (w *behind) take(b *buffer, n int) {
	b.n = n
	if w.toHash == nil {
		b.uses.Store(1)
	} else {
		b.uses.Store(2)
		w.toHash <- b
	}
	w.full <- b
}

func (w *behind) used(b *buffer) {
	if b.uses.Add(-1) == 0 {
		w.free <- b
	}
}

func (w *behind) write() {
	to := disk.NewWriter(w.file, w.now)
	for b := range w.full {
		if w.err == nil {
			var n int
			n, w.err = to.Write(b.all[:b.n])
			w.now += int64(n)
			if w.err != nil {
				w.reach() // what came before stays
			} else if w.now-w.there >= pieceSync && w.reach() {
				w.tell()
			}
			w.failed.Store(w.err != nil)
		}
		w.used(b)
	}
	if w.err == nil {
		w.reach()
	}
}

// tell says how much is on the disk. A panic ends the piece, as it would in the request's own
// goroutine, and not the program.
func (w *behind) tell() {
	if w.arrived == nil {
		return
	}
	defer func() {
		if v := recover(); v != nil {
			w.err = fmt.Errorf("library: panic: %v\n%s", v, debug.Stack())
		}
	}()
	w.arrived(w.there)
}

// reach brings what is written to the disk, and reports whether it could.
func (w *behind) reach() bool {
	err := w.file.Sync()
	if err == nil && w.there == 0 {
		err = syncFolder(w.dir)
	}
	if err == nil {
		w.there = w.now
	}
	w.err = errors.Join(w.err, err)
	return err == nil
}

// end waits until all is written, and returns how many bytes of the file are on the disk.
// With an error, what is behind them is worth nothing: of a failed fsync, the next one would
// not say so again. It may be called again.
func (w *behind) end() (there int64, err error) {
	if w.ended {
		return w.there, w.err
	}
	w.ended = true
	close(w.full)
	if w.toHash != nil {
		close(w.toHash)
	}
	w.done.Wait()
	for range w.taken - 1 {
		<-spare
	}
	for range len(w.free) { // all, unless r panicked with one
		pieceBuffers.Put(<-w.free)
	}
	return w.there, w.err
}

// heard tells when bytes come.
type heard struct {
	io.Reader
	tell func()
}

func (h heard) Read(b []byte) (int, error) {
	n, err := h.Reader.Read(b)
	if n > 0 {
		h.tell()
	}
	return n, err
}

func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
