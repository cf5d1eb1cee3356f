package library

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"time"

	"picora/app/config"
	"picora/app/fault"
	"picora/media"
	"picora/media/strip"
	"picora/media/worker"
	"picora/store"
	"picora/store/blob"
	"picora/store/cache"
)

// variants makes pictures of pictures: once, however many ask at the same time, and
// not again as long as the cache has them.
type variants struct {
	pool    *worker.Pool
	cache   *cache.Cache
	options config.Images

	mu      sync.Mutex
	flights map[string]*flight // by key
	slots   chan struct{}      // one for each that is at work
	slow    map[string]bool    // waiting for, or made in, the background
	failed  map[string]time.Time
	later   chan func(context.Context)
}

// flight is a picture that is being made.
type flight struct {
	done chan struct{}
	made *os.File // open, when it is made
	err  error
}

// failureHolds is how long a failure is remembered, so that a picture which ends
// workers does not end one with each request.
const failureHolds = time.Minute

// laterMost is how many pictures may wait for the background. A picture that
// finds no place is asked for again.
const laterMost = 1000

// UseWorkers lets the library make pictures, with the pool, and keep them in the
// cache. It is called once, before the start.
func (l *Library) UseWorkers(p *worker.Pool, c *cache.Cache, o config.Images) {
	l.variants = &variants{
		pool: p, cache: c, options: o,
		flights: map[string]*flight{}, slots: make(chan struct{}, cmp.Or(o.Workers, runtime.NumCPU())), slow: map[string]bool{}, failed: map[string]time.Time{},
		later: make(chan func(context.Context), laterMost),
	}
}

// A Variant is a picture that was made of a record's.
type Variant struct {
	Size    int64 // bytes
	ETag    string
	MIME    string
	Interim bool // a better one is being made

	file *os.File
}

// ErrNotMade says that a picture cannot be made, now or ever.
var ErrNotMade = errors.New("library: the picture was not made")

// formats are the types that are made.
var formats = map[string]media.Type{"jpeg": media.JPEG, "png": media.PNG, "webp": media.WebP, "gif": media.GIF, "avif": {MIME: "image/avif", Ext: "avif"}}

// Variant makes the picture that spec, whose Format is set, makes of m's, or finds it.
// AVIF takes long: it is made in the background, and until it is there the answer is
// a WebP, which is Interim. Errors: ErrNotMade, fault.Busy, and the context's.
func (l *Library) Variant(ctx context.Context, m *store.Media, spec media.Spec) (*Variant, error) {
	v := l.variants
	key := variantKey(m, spec)
	if f, err := v.cache.Get(m.ID, key); err == nil {
		return newVariant(f, key, spec)
	}
	if spec.Format == "avif" {
		v.makeLater(m.ID, key, func(ctx context.Context) error {
			f, err := l.make(ctx, m, spec, key, func(ctx context.Context, j worker.Job) (json.RawMessage, error) {
				return v.pool.Run(ctx, j, nil)
			})
			if err == nil {
				f.Close()
			}
			return err
		})
		instead := spec
		instead.Format = "webp"
		out, err := l.Variant(ctx, m, instead)
		if err == nil {
			out.Interim = true
		}
		return out, err
	}
	f, err := l.makeOnce(ctx, m, spec, key)
	switch {
	case err == nil:
		return newVariant(f, key, spec)
	case fault.From(err).Code == fault.Busy || ctx.Err() != nil:
		return nil, err
	}
	return nil, fmt.Errorf("%w: %w", ErrNotMade, err)
}

// variantKey names what spec makes of m's content.
func variantKey(m *store.Media, spec media.Spec) string {
	sum := sha256.Sum256(append([]byte(spec.Key()), m.Hash...))
	return hex.EncodeToString(sum[:16])
}

func newVariant(f *os.File, key string, spec media.Spec) (*Variant, error) {
	fi, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	return &Variant{Size: fi.Size(), ETag: `"` + key + `"`, MIME: formats[spec.Format].MIME, file: f}, nil
}

// Open reads n bytes from off on; off+n is at most its Size. Closing the
// content closes the variant.
func (v *Variant) Open(off, n int64) *Content {
	return &Content{pieces: strip.Plan{{Off: off, Len: n}}, blob: whole{v.file, v.Size}}
}

// Close frees a variant that is not opened.
func (v *Variant) Close() {
	if v.file != nil {
		v.file.Close()
	}
}

// whole is a file as a blob.Filer.
type whole struct {
	file *os.File
	size int64
}

func (w whole) Read(p []byte) (int, error)       { return w.file.Read(p) }
func (w whole) Close() error                     { return w.file.Close() }
func (w whole) File() (f *os.File, off, n int64) { return w.file, 0, w.size }

var _ blob.Filer = whole{}

// makeOnce makes the picture unless somebody does already, and waits for it. The
// picture is made to its end when those who wait for it leave: it will be asked for.
func (l *Library) makeOnce(ctx context.Context, m *store.Media, spec media.Spec, key string) (*os.File, error) {
	v := l.variants
	for range 3 {
		fl, first, err := v.board(key)
		if err != nil {
			return nil, err
		}
		if first {
			go l.fly(fl, m, spec, key)
		}
		select {
		case <-fl.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if first || fl.err != nil {
			return fl.made, fl.err
		}
		// The file is the first one's, who moves its position.
		if f, err := v.cache.Get(m.ID, key); !errors.Is(err, fs.ErrNotExist) {
			return f, err
		}
		// The cache is too small to keep it.
	}
	return nil, errBusy
}

// board finds the flight of a key, or begins one.
func (v *variants) board(key string) (fl *flight, first bool, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if fl, running := v.flights[key]; running {
		return fl, false, nil
	}
	if until, bad := v.failed[key]; bad && time.Now().Before(until) {
		return nil, false, errFailedBefore
	}
	if len(v.flights) >= v.options.Queue {
		return nil, false, errBusy
	}
	fl = &flight{done: make(chan struct{})}
	v.flights[key] = fl
	return fl, true, nil
}

var (
	errBusy         = fault.New(fault.Busy, "The server is making too many pictures just now. Try again in a moment.")
	errFailedBefore = errors.New("library: making it failed a moment ago")
)

// fly makes the picture of a flight.
func (l *Library) fly(fl *flight, m *store.Media, spec media.Spec, key string) {
	v := l.variants
	most := time.Duration(v.options.Timeout)
	select { // the time of waiting is not that of working
	case v.slots <- struct{}{}:
		if fl.made, fl.err = v.cache.Get(m.ID, key); fl.err != nil { // else a flight ended between the caller's look and this one
			fl.made, fl.err = l.make(context.Background(), m, spec, key, func(ctx context.Context, j worker.Job) (json.RawMessage, error) {
				j.Time = most
				return v.pool.Do(ctx, j)
			})
		}
		<-v.slots
	case <-time.After(most):
		fl.err = errBusy
	}
	if errors.Is(fl.err, worker.ErrBusy) {
		fl.err = errBusy
	} else if fl.err != nil {
		slog.Warn("a picture was not made", "id", m.ID, "spec", spec.Key(), "err", fl.err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.flights, key)
	if fl.err != nil && fl.err != errBusy {
		v.remember(key, failureHolds)
	}
	close(fl.done)
}

// remember notes a failure for so long. The caller has the lock.
func (v *variants) remember(key string, d time.Duration) {
	now := time.Now()
	for k, until := range v.failed {
		if now.After(until) {
			delete(v.failed, k)
		}
	}
	if len(v.failed) >= 1000 { // a flood of them: forgetting costs a worker's time each
		clear(v.failed)
	}
	v.failed[key] = now.Add(d)
}

// make has a worker make the picture, and keeps it. The file is open for reading.
func (l *Library) make(ctx context.Context, m *store.Media, spec media.Spec, key string,
	do func(context.Context, worker.Job) (json.RawMessage, error)) (f *os.File, err error) {
	if err := l.Room(ctx, 0); err != nil {
		return nil, err
	}
	in, err := l.source(ctx, m.Blob)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	var mark local
	if spec.Mark != nil && spec.Mark.Picture != "" {
		if mark, err = l.source(ctx, spec.Mark.Picture); err != nil {
			return nil, err
		}
		defer mark.Close()
	}
	scratch, err := l.variants.cache.Create()
	if err != nil {
		return nil, err
	}
	defer scratch.Close()
	defer scratch.Discard()
	result, err := do(ctx, worker.Job{Kind: media.MakeJob, In: in.File, Beside: mark.File, Out: scratch.File, Args: media.MakeArgs{File: l.fileArgs(m), Spec: spec}})
	if err != nil {
		return nil, err
	}
	var made media.Made
	if err := json.Unmarshal(result, &made); err != nil {
		return nil, fmt.Errorf("library: a worker's answer: %w", err)
	}
	if made.MIME != formats[spec.Format].MIME {
		return nil, fmt.Errorf("library: a worker made %q of %q", made.MIME, spec.Format)
	}
	return l.keep(ctx, m.ID, key, scratch.File)
}

// keep puts a copy of the file that a worker wrote into the cache: a worker that was
// taken over could still write into its own.
func (l *Library) keep(ctx context.Context, id, key string, made *os.File) (*os.File, error) {
	if _, err := made.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	out, err := l.variants.cache.Create()
	if err != nil {
		return nil, err
	}
	if _, err = io.Copy(out, made); err == nil {
		err = out.Keep(id, key)
	}
	if err != nil {
		out.Discard()
		out.Close()
		return nil, err
	}
	if _, err := l.store.AnyMedia(ctx, id); errors.Is(err, store.ErrNotFound) { // deleted meanwhile
		return out.File, l.variants.cache.Drop(id)
	}
	return out.File, nil
}

func (l *Library) fileArgs(m *store.Media) media.FileArgs {
	return media.FileArgs{MIME: m.MIME, Orientation: m.Orientation, MaxPixels: l.maxPixels()}
}

// shrink gives up pictures of about n bytes, for files that cannot be made again, and
// returns how many bytes it gave up.
func (v *variants) shrink(n int64) int64 {
	before, _ := v.cache.Size()
	v.cache.Shrink(n)
	after, _ := v.cache.Size()
	return before - after
}
