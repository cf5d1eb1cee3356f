package cdn

import (
	"context"
	"hash/maphash"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"picora/app/library"
	"picora/app/usage"
	"picora/store"
)

// smallFile is the largest file that is kept in memory, in bytes.
const smallFile = 64 << 10

// file is what an answer sends.
type file struct {
	size     int64 // bytes
	mime     string
	etag     string
	changed  time.Time
	modified string // Last-Modified, which says changed; empty: nothing is said
	saveAs   string // Content-Disposition, when it is not to be shown
	coding   string // Content-Encoding; empty: none
	bytes    []byte // all of it, when it is small; else open gives them
	open     func(ctx context.Context, off, n int64) (*library.Content, error)
	served   *usage.Meter // counts the bytes that are sent
	// elsewhere makes an address outside from which clients get the file; nil: there is
	// none.
	elsewhere func(ctx context.Context, f *file) (string, error)
}

// entry is what serving an address needs.
type entry struct {
	media store.Media
	file  file
	// header is that of a plain answer (see Plain), when the file is small and open
	// to all.
	header []byte
	// changes says that the address may have other bytes one day.
	changes bool
	auto    bool    // the address has other files for clients that show other formats
	pieces  *pieces // of a track of a video

	edits uint64 // of the media's shard when the record was read
}

// weight is about how many bytes of memory the entry takes.
func (e *entry) weight() int {
	n := len(e.file.bytes) + len(e.header) + 2048 + 128*len(e.media.Parts) + 192*len(e.media.Film.Tracks)
	if e.pieces != nil {
		n += 16 * len(e.pieces.seconds)
	}
	for _, list := range [][]string{e.media.Tags, e.media.Referers} {
		for _, s := range list {
			n += len(s) + 16
		}
	}
	return n
}

// cache keeps entries within a budget of bytes, by address or by the id of their
// media. An entry whose media was changed or deleted since its record was read is
// never given.
type cache struct {
	entries *otter.Cache[string, *entry]
	seed    maphash.Seed
	// shards count the edits of the media that hash to them. Neighbours of an edited
	// one are read again.
	shards [1024]atomic.Uint64
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

func (c *cache) shard(id string) *atomic.Uint64 {
	return &c.shards[maphash.String(c.seed, id)%uint64(len(c.shards))]
}

func (c *cache) get(key string) (*entry, bool) {
	if c.entries == nil {
		return nil, false
	}
	e, ok := c.entries.GetIfPresent(key)
	if !ok || e.edits != c.shard(e.media.ID).Load() {
		return nil, false
	}
	return e, true
}

// begin is the count of edits that an entry for the media must carry. It is called
// before the record is read.
func (c *cache) begin(id string) uint64 { return c.shard(id).Load() }

// put keeps an entry.
func (c *cache) put(key string, e *entry) {
	if c.on() {
		c.entries.Set(key, e)
	}
}

// drop forgets all of a media that was edited.
func (c *cache) drop(id string) { c.shard(id).Add(1) }

// forget drops everything. What is still in memory is never given.
func (c *cache) forget() {
	for i := range c.shards {
		c.shards[i].Add(1)
	}
}
