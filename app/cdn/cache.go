package cdn

import (
	"hash/maphash"
	"sync"

	"github.com/maypok86/otter/v2"

	"picora/app/library"
	"picora/store"
)

// smallFile is the largest file that is kept in memory, in bytes.
const smallFile = 64 << 10

// entry is what serving a file needs.
type entry struct {
	media    store.Media
	delivery library.Delivery
	modified string // Last-Modified
	bytes    []byte // the whole delivery, when it is small
	header   []byte // see Plain; when it is small and open to all
}

// weight is about how many bytes of memory the entry takes.
func (e *entry) weight() int {
	n := len(e.bytes) + len(e.header) + e.delivery.Weight() + 2048
	for _, list := range [][]string{e.media.Tags, e.media.Referers} {
		for _, s := range list {
			n += len(s) + 16
		}
	}
	return n
}

// cache keeps entries within a budget of bytes. A file that was changed or
// deleted is never served from it: drop bars entries that were read before.
type cache struct {
	entries *otter.Cache[string, *entry]
	seed    maphash.Seed
	shards  [64]shard
}

// shard counts the edits of the files that hash to it.
type shard struct {
	mu    sync.Mutex
	edits uint64
}

func newCache(budget int64) *cache {
	c := &cache{seed: maphash.MakeSeed()}
	if budget > 0 {
		c.entries = otter.Must(&otter.Options[string, *entry]{
			MaximumWeight: uint64(budget),
			Weigher:       func(_ string, e *entry) uint32 { return uint32(e.weight()) },
		})
	}
	return c
}

func (c *cache) on() bool { return c.entries != nil }

func (c *cache) get(id string) (*entry, bool) {
	if c.entries == nil {
		return nil, false
	}
	return c.entries.GetIfPresent(id)
}

func (c *cache) shard(id string) *shard { return &c.shards[maphash.String(c.seed, id)%64] }

// filling is an entry on its way into the cache.
type filling struct {
	c     *cache
	id    string
	edits uint64
}

// begin is called before the record is read.
func (c *cache) begin(id string) filling {
	s := c.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	return filling{c, id, s.edits}
}

// done keeps the entry unless its file, or a neighbour in the shard, was edited
// since begin.
func (f filling) done(e *entry) {
	if !f.c.on() {
		return
	}
	s := f.c.shard(f.id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.edits == f.edits {
		f.c.entries.Set(f.id, e)
	}
}

// drop forgets a file that was edited.
func (c *cache) drop(id string) {
	s := c.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.edits++
	if c.on() {
		c.entries.Invalidate(id)
	}
}
