// Package cache keeps files that can be made again, such as pictures in other
// sizes, within a budget of bytes: what was not used for the longest time goes
// first. Files belong to a group, which is dropped as one.
//
//	<2>/<group>/<name>   a file; 2 is the group's first two characters
//	tmp/<n>              a file that is being made
//
// A file's time of change is when it was last used, to the hour, so the order
// outlives a restart. Nothing else is written down: a cache that is deleted is
// an empty one.
package cache

import (
	"cmp"
	"container/list"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const tempDir = "tmp"

// coarse is how old a file's time may grow before a use renews it.
const coarse = time.Hour

// Cache is a folder of files, of which it must be the only user. It is safe for
// concurrent use.
type Cache struct {
	root *os.Root
	max  int64

	mu     sync.Mutex
	items  map[string]*list.Element // of *item, by path
	order  *list.List               // the last used in front
	bytes  int64
	temps  int
	loaded chan struct{}
	closed bool
}

type item struct {
	path string
	size int64     // that it takes on the disk, about
	used time.Time // as the file's time says it
}

// Open returns the cache in the folder dir, which is made when it is missing. It
// keeps at most max bytes. What is there from before is found at once, and counted
// a little later.
func Open(dir string, max int64) (*Cache, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	c := &Cache{root: root, max: max, items: map[string]*list.Element{}, order: list.New(), loaded: make(chan struct{})}
	if err := errors.Join(root.RemoveAll(tempDir), root.Mkdir(tempDir, 0o700)); err != nil {
		root.Close()
		return nil, fmt.Errorf("cache: %w", err)
	}
	go c.load()
	return c, nil
}

// load counts what is there from before.
func (c *Cache) load() {
	defer close(c.loaded)
	var found []*item
	err := fs.WalkDir(c.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if c.isClosed() {
			return fs.SkipAll
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil // dropped meanwhile
		}
		if err != nil {
			return err
		}
		if d.IsDir() && name == tempDir {
			return fs.SkipDir
		}
		if d.Type().IsRegular() && strings.Count(name, "/") == 2 {
			if fi, err := d.Info(); err == nil {
				found = append(found, &item{name, taken(fi.Size()), fi.ModTime()})
			}
		}
		return nil
	})
	if err != nil {
		slog.Warn("the cache was not read to its end", "err", err)
	}
	slices.SortFunc(found, func(a, b *item) int { return cmp.Or(b.used.Compare(a.used), cmp.Compare(a.path, b.path)) })
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, it := range found {
		if _, err := c.root.Lstat(it.path); err == nil && c.items[it.path] == nil { // neither dropped nor made anew meanwhile
			c.items[it.path] = c.order.PushBack(it)
			c.bytes += it.size
		}
	}
	c.evict(c.max)
}

func (c *Cache) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// Close lets go of the folder.
func (c *Cache) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	<-c.loaded
	return c.root.Close()
}

// place is the path of a file. Group and name are made by programs: letters,
// digits, "_", "-" and, in a name, ".".
func place(group, name string) string { return path.Join(folder(group), name) }

func folder(group string) string { return path.Join(group[:2], group) }

// Get opens a file. fs.ErrNotExist when it is not there.
func (c *Cache) Get(group, name string) (*os.File, error) {
	p := place(group, name)
	f, err := c.root.Open(p)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.items[p]; e != nil {
		c.order.MoveToFront(e)
		if it := e.Value.(*item); now.Sub(it.used) > coarse {
			it.used = now
			c.root.Chtimes(p, now, now) // only an estimate is lost if it fails
		}
	}
	return f, nil
}

// A File is being made. It ends with Keep or Discard.
type File struct {
	*os.File
	c    *Cache
	name string
}

// Create begins a file.
func (c *Cache) Create() (*File, error) {
	c.mu.Lock()
	c.temps++
	name := path.Join(tempDir, strconv.Itoa(c.temps))
	c.mu.Unlock()
	f, err := c.root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	return &File{f, c, name}, nil
}

// Discard throws the file away; one that is still open can be read.
func (f *File) Discard() { f.c.root.Remove(f.name) }

// Keep puts the file in its place, over one that is there, and makes room for it.
// The file stays open.
func (f *File) Keep(group, name string) error {
	if err := f.Sync(); err != nil { // a power failure must not leave half of it under its name
		f.Discard()
		return fmt.Errorf("cache: keep %s: %w", place(group, name), err)
	}
	return f.Place(group, name)
}

// Place is Keep that does not wait for the disk, for files in which whoever reads them
// finds out whether a power failure left only half.
func (f *File) Place(group, name string) error {
	fi, err := f.Stat()
	c, p := f.c, place(group, name)
	c.mu.Lock() // folders come and go under the lock only
	defer c.mu.Unlock()
	if err == nil {
		err = c.root.MkdirAll(folder(group), 0o700)
	}
	if err == nil {
		err = c.root.Rename(f.name, p)
	}
	if err != nil {
		f.Discard()
		return fmt.Errorf("cache: keep %s: %w", p, err)
	}
	if e := c.items[p]; e != nil {
		c.forget(e)
	}
	it := &item{p, taken(fi.Size()), time.Now()}
	if it.size > c.max { // it would cost all others their place
		return c.root.Remove(p)
	}
	c.items[p] = c.order.PushFront(it)
	c.bytes += it.size
	c.evict(c.max)
	return nil
}

// taken is about how many bytes of the disk a file takes: whole blocks, and its entry.
func taken(size int64) int64 {
	const block, entry = 4096, 512
	return (size+block-1)/block*block + entry
}

// Shrink deletes files of about n bytes, those first that were not used for longest.
func (c *Cache) Shrink(n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.evict(max(0, c.bytes-n))
}

// evict deletes until no more than budget is left. The caller has the lock.
func (c *Cache) evict(budget int64) {
	for c.bytes > budget && c.order.Len() > 0 {
		e := c.order.Back()
		p := e.Value.(*item).path
		c.forget(e)
		if err := c.root.Remove(p); err != nil && !errors.Is(err, fs.ErrNotExist) {
			slog.Warn("a file of the cache was not deleted", "err", err)
		}
		c.root.Remove(path.Dir(p)) // fails unless it is empty
	}
}

// forget takes an item off the books. The caller has the lock.
func (c *Cache) forget(e *list.Element) {
	it := c.order.Remove(e).(*item)
	delete(c.items, it.path)
	c.bytes -= it.size
}

// Remove deletes one file; one that is missing is not an error.
func (c *Cache) Remove(group, name string) error {
	p := place(group, name)
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.items[p]; e != nil {
		c.forget(e)
	}
	if err := c.root.Remove(p); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cache: remove %s: %w", p, err)
	}
	c.root.Remove(path.Dir(p)) // fails unless it is empty
	return nil
}

// Drop deletes the files of a group.
func (c *Cache) Drop(group string) error {
	dir := folder(group)
	c.mu.Lock()
	defer c.mu.Unlock()
	entries, err := fs.ReadDir(c.root.FS(), dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cache: drop %s: %w", group, err)
	}
	for _, d := range entries {
		if e := c.items[path.Join(dir, d.Name())]; e != nil {
			c.forget(e)
		}
	}
	if err := c.root.RemoveAll(dir); err != nil {
		return fmt.Errorf("cache: drop %s: %w", group, err)
	}
	return nil
}

// Size is about how many bytes of the disk the files take, and how many files there are.
func (c *Cache) Size() (bytes int64, files int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes, c.order.Len()
}
