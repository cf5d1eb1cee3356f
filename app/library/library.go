// Package library is what Picora does: add, find, change, open and remove
// media. It knows no HTTP; every way in and out of the program ends here.
package library

import (
	"context"
	"fmt"
	"sync"
	"time"

	"picora/app/config"
	"picora/app/fault"
	"picora/app/usage"
	"picora/media/worker"
	"picora/store"
	"picora/store/blob"
)

// Library holds what the operations need.
type Library struct {
	store   *store.Store
	blobs   blob.Store
	upload  config.Upload
	minFree int64

	usage    *usage.Usage  // nil: everybody may have everything
	variants *variants     // nil: no pictures are made
	arrived  chan struct{} // has room for one signal: there is a picture to look at
	hearing  hearing
	prose    proseSlots
	pdfs     *worker.Pool // nil: no PDFs are taken
	films    *films       // nil: no videos are taken
	pieces   *pieces      // nil: no uploads come in pieces
	fetches  *fetches     // nil: nothing is fetched from other servers

	scans   chan struct{} // one for each long search that runs
	readers chan struct{} // one for each document that is taken apart
	intakes intakes
	token   string // of this start's mark, see settle.go
	onEdit  func(id string)
	// Removed has room for one signal: accounts were removed.
	Removed  chan struct{}
	onForget func()
	probing  sync.Mutex // held by a trial of the storage
	// Collected has room for one signal: what is in some collections is to follow them.
	Collected chan struct{}
	// Trashed has room for one signal: blobs wait to be deleted.
	Trashed chan struct{}
}

// New puts a library together. Upload bounds what it takes in; minFree is the
// room in bytes that it leaves on the disk.
func New(s *store.Store, b blob.Store, upload config.Upload, minFree int64) *Library {
	return &Library{
		store: s, blobs: b, upload: upload, minFree: minFree,
		intakes: intakes{running: map[string]room{}},
		onEdit:  func(string) {},
		Removed: make(chan struct{}, 1), onForget: func() {},
		arrived: make(chan struct{}, 1), hearing: newHearing(),
		prose:   make(proseSlots, proseAtOnce),
		scans:   make(chan struct{}, 2),
		Trashed: make(chan struct{}, 1), Collected: make(chan struct{}, 1),
		readers: make(chan struct{}, 2),
	}
}

// UseLimits keeps uploads within what their owners' plans allow. It is called before the
// start.
func (l *Library) UseLimits(u *usage.Usage) { l.usage = u }

// OnEdit has fn called whenever a record was changed or deleted, before the
// operation returns. It is for caches, and is set once, before the start.
func (l *Library) OnEdit(fn func(id string)) { l.onEdit = fn }

// MaxUpload is the largest file that is taken, in bytes.
func (l *Library) MaxUpload() int64 { return l.upload.MaxBytes }

// maxPixels is the largest picture that is taken, in pixels.
func (l *Library) maxPixels() int64 { return int64(l.upload.MaxMegapixels) * 1_000_000 }

// Room refuses an upload of n bytes, 0 when unknown, when the disk would keep
// less than its floor after it and the uploads under way. Surfaces ask before
// they read a body.
func (l *Library) Room(ctx context.Context, n int64) error {
	free, err := l.blobs.Free(ctx)
	if err != nil {
		return fmt.Errorf("library: free space: %w", err)
	}
	lack := l.minFree - (free - l.intakes.expected() - max(n, 0))
	if lack > 0 && l.variants != nil {
		lack -= l.variants.shrink(lack)
	}
	if b, ok := l.blobs.(interface{ Shrink(n int64) int64 }); ok && lack > 0 {
		lack -= b.Shrink(lack)
	}
	if lack > 0 {
		return fault.New(fault.StorageFull, "The server's disk is nearly full: it takes no more files until its owner makes room.")
	}
	return nil
}

// Disk is how many bytes the disk of the files has free and altogether; a total of 0 is
// unknown.
func (l *Library) Disk(ctx context.Context) (free, total int64, err error) {
	if free, err = l.blobs.Free(ctx); err != nil {
		return 0, 0, fmt.Errorf("library: free space: %w", err)
	}
	if d, ok := l.blobs.(interface {
		Total(context.Context) (int64, error)
	}); ok {
		total, err = d.Total(ctx)
	}
	return free, total, err
}

// TooLarge is the refusal of a file above MaxUpload.
func (l *Library) TooLarge() error {
	return fault.New(fault.Invalid, "The file is larger than the %s that this server takes.", size(l.upload.MaxBytes))
}

func size(n int64) string {
	switch {
	case n >= 1<<30 && n%(1<<30) == 0:
		return fmt.Sprintf("%d GB", n>>30)
	case n >= 1<<20:
		return fmt.Sprintf("%d MB", n>>20)
	case n >= 1<<10:
		return fmt.Sprintf("%d KB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}

// intakes knows the uploads under way, by the key of the blob that they write.
type intakes struct {
	mu      sync.Mutex
	running map[string]room
	since   bool // an upload began since the last call of settled
}

// room is the bytes that an upload is said to bring, and those that came.
type room struct{ said, came int64 }

// begin makes a blob key for an upload of n bytes, 0 when unknown, and counts it
// as running until end.
func (i *intakes) begin(n int64) (key string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	key = blob.NewKey(time.Now())
	i.running[key] = room{said: n}
	i.since = true
	return key
}

// arrived notes that n bytes of an upload have come: they are on the disk, and no
// more room need be kept for them.
func (i *intakes) arrived(key string, n int64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.running[key] = room{i.running[key].said, n}
}

// expected is how many bytes the uploads under way are still to bring.
func (i *intakes) expected() (n int64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, r := range i.running {
		n += max(r.said-r.came, 0)
	}
	return n
}

func (i *intakes) end(key string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.running, key)
}

// oldest is the time before which no upload is under way.
func (i *intakes) oldest() time.Time {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.first()
}

// settled is the time before which no upload is under way, and whether any has
// begun since the last call.
func (i *intakes) settled() (t time.Time, news bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	t, news = i.first(), i.since
	i.since = len(i.running) > 0
	return t, news
}

// first is when the first of the uploads under way began; now when none is. The
// caller has the lock.
func (i *intakes) first() time.Time {
	t := time.Now()
	for k := range i.running {
		if s := blob.Time(k); s.Before(t) {
			t = s
		}
	}
	return t
}
