package disk

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"sync"
	"sync/atomic"
)

// folders makes the folders of blobs durable, and shares the fsyncs that takes:
// a busy server stores many blobs in one folder at the same moment, and one
// fsync makes all their names durable.
type folders struct {
	root  *os.Root
	syncs atomic.Int64

	mu    sync.Mutex
	known map[string]*folder
}

// maxFolders bounds the folders kept in mind. Time-ordered keys need only the
// newest few; a restore walks through all.
const maxFolders = 1024

// A folder is one under blobs, or blobs itself. Two values for the same folder
// do no harm, they only share nothing.
type folder struct {
	name string  // under the root
	up   *folder // nil for blobs, which Open makes

	making sync.Mutex // guards made; a child's is taken before its parent's
	made   bool       // is there, and so is its name after a power failure

	turn sync.Mutex // held by the fsync that runs
	mu   sync.Mutex // guards next
	next *round     // the fsync that has not started yet, if one is wanted
}

// A round is one fsync of a folder; err is set before done is closed.
type round struct {
	done chan struct{}
	err  error
}

func newFolders(root *os.Root) *folders {
	return &folders{root: root, known: make(map[string]*folder)}
}

// at returns the folder with that name, which is blobs or below it.
func (t *folders) at(name string) *folder {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.known) >= maxFolders {
		// Forgetting costs two fsyncs per folder that is used again. Who holds a
		// folder goes on with it.
		clear(t.known)
	}
	return t.locate(name)
}

func (t *folders) locate(name string) *folder {
	f := t.known[name]
	if f == nil {
		f = &folder{name: name}
		if name != blobsDir {
			f.up = t.locate(path.Dir(name))
		}
		t.known[name] = f
	}
	return f
}

// make sees to it that f is there and will be after a power failure. A folder
// that is there already may have been made by a process that died before its
// fsync, so its parent is fsynced once all the same.
func (t *folders) make(f *folder) error {
	if f.up == nil {
		return nil
	}
	f.making.Lock()
	defer f.making.Unlock()
	if f.made {
		return nil
	}
	if err := t.make(f.up); err != nil {
		return err
	}
	if err := t.root.Mkdir(f.name, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := t.sync(f.up); err != nil {
		return err
	}
	f.made = true
	return nil
}

// forget has f and the folders above it made again, after someone removed them.
func (t *folders) forget(f *folder) {
	for ; f.up != nil; f = f.up {
		f.making.Lock()
		f.made = false
		f.making.Unlock()
	}
}

// sync returns after an fsync of f that started after the call. Callers who come
// while one runs cannot rely on that one, but all of them share the next.
func (t *folders) sync(f *folder) error {
	f.mu.Lock()
	r, first := f.next, f.next == nil
	if first {
		r = &round{done: make(chan struct{})}
		f.next = r
	}
	f.mu.Unlock()
	if !first {
		<-r.done
		return r.err
	}

	f.turn.Lock() // until the fsync before is over; meanwhile others join r
	defer f.turn.Unlock()
	f.mu.Lock()
	f.next = nil // who comes from here on waits for the round after
	f.mu.Unlock()
	t.syncs.Add(1)
	r.err = syncDir(t.root, f.name)
	close(r.done)
	return r.err
}
