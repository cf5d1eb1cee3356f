// Package storage is where files are kept: on a disk or in a bucket, as the settings say,
// or the database once they were moved. It moves them while the server runs.
package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"picora/app/config"
	"picora/store"
	"picora/store/blob"
	"picora/store/blob/hot"
	"picora/store/blob/move"
)

// Storage is where files are kept, and moves them.
type Storage struct {
	cfg   config.Config
	store *store.Store
	blobs *move.Store // nil before Open
	hot   *hot.Store  // blobs with small files at hand while they are in a bucket; nil before Open

	// turn is held by who works on a move: the one who carries it on, or ends it.
	turn sync.Mutex

	mu      sync.Mutex // guards what follows
	state   state
	stores  map[string]opened // in use, by the place as state has it
	retired []opened          // open until Close
	news    progress
	halt    context.CancelFunc // ends the work of who has the turn; nil: nobody has

	live atomic.Int64  // bytes of files that are being copied
	wake chan struct{} // there is a move, or an end of one
}

// setting is where the database keeps the state.
const setting = "blobs"

// state is what the database remembers. Places are as encode writes them.
type state struct {
	At       string    `json:"at,omitempty"` // where the files are; empty: where the settings say
	To       string    `json:"to,omitempty"` // where they are being moved; empty: nowhere
	Switched bool      `json:"switched,omitempty"`
	Done     string    `json:"done,omitempty"` // up to this key all are copied
	Files    int64     `json:"files,omitempty"`
	Bytes    int64     `json:"bytes,omitempty"`
	Left     string    `json:"left,omitempty"` // the files were moved away from there
	Moved    time.Time `json:"moved,omitzero"`
	Ours     []string  `json:"ours,omitempty"` // places that have, or had, files of ours only
}

// New reads where the files are. Nothing is opened.
func New(ctx context.Context, cfg config.Config, s *store.Store) (*Storage, error) {
	v := &Storage{cfg: cfg, store: s, stores: map[string]opened{}, wake: make(chan struct{}, 1)}
	b, err := s.Setting(ctx, setting)
	if errors.Is(err, store.ErrNotFound) {
		return v, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(b, &v.state); err != nil {
		return nil, fmt.Errorf("storage: where the files are, in the database: %w", err)
	}
	return v, nil
}

// at is where the files are, or those that were not moved yet.
func (v *Storage) at(st *state) (Place, error) {
	if st.At == "" {
		return Configured(&v.cfg)
	}
	return decode(st.At, &v.cfg)
}

// near is the files, with small ones at hand while they are in a bucket.
type near struct {
	*hot.Store
	moving *move.Store
}

// Presign implements blob.Presigner.
func (n near) Presign(ctx context.Context, key, mime, saveAs string, life time.Duration) (string, error) {
	return n.moving.Presign(ctx, key, mime, saveAs, life)
}

// Blobs is the store of the files, after Open. It stays the same when they are moved.
func (v *Storage) Blobs() blob.Store { return near{v.hot, v.blobs} }

// Elsewhere is where clients are led to for files, scheme://host; empty: nowhere. A move to a
// bucket changes that with the next start.
func (v *Storage) Elsewhere(ctx context.Context) (origin string, err error) {
	if v.cfg.S3.Serve != "redirect" {
		return "", nil
	}
	address, err := v.blobs.Presign(ctx, blob.NewKey(time.Now()), "", "", time.Minute)
	if err != nil || address == "" {
		return "", err
	}
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	return u.Scheme + "://" + u.Host, nil
}

// isFar reports whether files are in a bucket.
func (v *Storage) isFar() bool {
	_, far := v.blobs.Reads().(blob.Presigner)
	return far
}

// Open opens the places, which nobody must use before. A bucket that takes uploads is
// tried: an error names the setting that is wrong.
func (v *Storage) Open(ctx context.Context) error {
	st := v.snapshot()
	at, err := v.at(&st)
	if err != nil {
		return err
	}
	if st.At != "" {
		if err := there(at); err != nil {
			return err
		}
	}
	from, err := v.use(ctx, at, !st.Switched)
	if err != nil {
		return err
	}
	v.blobs = move.New(from)
	o := hot.Options{Folder: v.cfg.Server.Data, MinFree: v.cfg.Blobs.MinFreeBytes, Far: v.isFar}
	if v.cfg.S3.Endpoint != "" {
		o.Folder, o.Max = filepath.Join(o.Folder, "hot"), v.cfg.S3.CacheBytes
	}
	if v.hot, err = hot.Open(v.blobs, o); err != nil {
		return err
	}
	if st.To == "" {
		return v.warn(at)
	}
	to, err := v.target(ctx, &st)
	if err != nil && st.Switched {
		return err
	}
	if err != nil { // nobody needs it yet
		slog.Error("the files are not moved on for now: the target cannot be opened", "err", err)
		return nil
	}
	slog.Info("goes on moving the files", "from", at.String(), "to", v.name(st.To), "files", st.Files)
	if err := v.blobs.Begin(ctx, to); err != nil || !st.Switched {
		return err
	}
	return v.blobs.Switch(ctx)
}

// target opens where files are being moved.
func (v *Storage) target(ctx context.Context, st *state) (opened, error) {
	p, err := decode(st.To, &v.cfg)
	if err == nil {
		err = there(p)
	}
	if err != nil {
		return nil, err
	}
	return v.use(ctx, p, st.Switched)
}

// name is a place of the state, for people.
func (v *Storage) name(place string) string {
	p, err := decode(place, &v.cfg)
	if err != nil {
		return place
	}
	return p.String()
}

// warn tells who looks after the server that the settings say another place.
func (v *Storage) warn(at Place) error {
	says, err := Configured(&v.cfg)
	if err == nil && says != at {
		slog.Warn("the settings do not say where the files are: they were moved, and the server goes on with where they are",
			"files", at.String(), "settings", says.String(), "set", strings.Join(advise(at, &v.cfg), ", "))
	}
	return err
}

// use opens a place once, and removes what a crash left there of uploads that did not
// finish. One that takes uploads is tried; another may be away.
func (v *Storage) use(ctx context.Context, p Place, takes bool) (s opened, err error) {
	name := encode(p, &v.cfg)
	v.tell(func() { s = v.stores[name] })
	if s != nil {
		return s, nil
	}
	if s, err = open(ctx, p, &v.cfg, takes); err != nil {
		return nil, err
	}
	v.tell(func() { v.stores[name] = s })
	n, err := s.Sweep(ctx)
	if n > 0 {
		slog.Info("removed what uploads left that did not finish", "place", p.String(), "files", n)
	}
	if err != nil && !takes {
		slog.Warn("what uploads left was not removed", "place", p.String(), "err", err)
		err = nil
	}
	return s, err
}

// retire has a place opened anew when it is needed again: its owner may empty it.
func (v *Storage) retire(name string) {
	v.tell(func() {
		if s := v.stores[name]; s != nil {
			v.retired = append(v.retired, s) // somebody may still read there
			delete(v.stores, name)
		}
	})
}

func (v *Storage) tell(f func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	f()
}

// Close closes the places.
func (v *Storage) Close() (err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.hot != nil {
		err = v.hot.Close()
	}
	for _, s := range slices.AppendSeq(v.retired, maps.Values(v.stores)) {
		if c, ok := s.(io.Closer); ok {
			err = errors.Join(err, c.Close())
		}
	}
	return err
}

func (v *Storage) snapshot() state {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.state
}

// keep has the database remember a new state.
func (v *Storage) keep(ctx context.Context, st state) error {
	b, err := json.Marshal(st)
	if err != nil {
		return err
	}
	if err := v.store.PutSetting(ctx, setting, b); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.state = st
	return nil
}
