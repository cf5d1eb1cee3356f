package storage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"picora/app/config"
	"picora/app/fault"
	"picora/store"
	"picora/store/blob"
	"picora/store/blob/blobtest"
	"picora/store/kv/memkv"
)

// home is a data folder with its database.
type home struct {
	t   *testing.T
	cfg config.Config
	db  *store.Store
}

func newHome(t *testing.T) *home {
	t.Helper()
	cfg := config.Default()
	cfg.Server.Data, cfg.Blobs.MinFreeBytes = t.TempDir(), 0
	db, err := store.Open(t.Context(), memkv.New(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return &home{t, cfg, db}
}

// run opens the storage, as a start of the server does, until the function that it returns.
func (h *home) run() (v *Storage, stop func()) {
	h.t.Helper()
	v, err := New(h.t.Context(), h.cfg, h.db)
	if err == nil {
		err = v.Open(h.t.Context())
	}
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var g sync.WaitGroup
	g.Go(func() { v.Run(ctx) })
	stop = sync.OnceFunc(func() { cancel(); g.Wait(); v.Close() })
	h.t.Cleanup(stop)
	return v, stop
}

func status(t *testing.T, v *Storage) Status {
	t.Helper()
	s, err := v.Status()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func until(t *testing.T, v *Storage, what string, ok func(s Status) bool) (s Status) {
	t.Helper()
	for end := time.Now().Add(3 * time.Minute); ; time.Sleep(5 * time.Millisecond) {
		if s = status(t, v); ok(s) {
			return s
		}
		if time.Now().After(end) {
			t.Fatalf("%s: %+v", what, s)
		}
	}
}

// files are blobs with what is in them.
type files map[string][]byte

func (f files) put(t *testing.T, b blob.Store, n, size int) {
	t.Helper()
	for range n {
		key := blob.NewKey(time.Now())
		data := bytes.Repeat([]byte(key+" "), 1+size/27)
		if _, err := b.Put(t.Context(), key, bytes.NewReader(data)); err != nil {
			t.Fatal(err)
		}
		f[key] = data
	}
}

func (f files) check(t *testing.T, b blob.Store) {
	t.Helper()
	for key, want := range f {
		r, err := b.Open(t.Context(), key, 0, -1)
		if err != nil {
			t.Error(err)
			continue
		}
		got, err := io.ReadAll(r)
		r.Close()
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes instead of %d, %v", key, len(got), len(want), err)
		}
	}
	n := 0
	for _, err := range b.List(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != len(f) {
		t.Errorf("%d files are listed, not %d", n, len(f))
	}
}

func TestABucketThatIsAwayDuringAMove(t *testing.T) {
	t.Parallel()
	g, h := blobtest.StartS3(t), newHome(t)
	h.cfg.S3 = config.S3{Endpoint: "http://" + g.Addr, Region: "us-east-1", AccessKey: g.Access, SecretKey: g.Secret, PathStyle: true, Serve: "proxy"}
	v, stop := h.run()
	f := files{}
	f.put(t, v.Blobs(), 1000, 20_000)
	plan, err := v.Plan(t.Context(), "s3://media/x")
	if err != nil || plan.Files != 1000 || plan.There != 0 || plan.Copy != plan.Bytes || plan.To != "s3://media/x/" {
		t.Errorf("%+v %v", plan, err)
	}
	if err := v.Start(t.Context(), "s3://media/x"); err != nil {
		t.Fatal(err)
	}
	g.Stop() // long before all are copied
	s := until(t, v, "nobody says that it waits", func(s Status) bool { return s.Waiting != "" })
	if s.Phase != "copying" || s.AllFiles != 1000 || !strings.Contains(s.Waiting, "cannot be reached") {
		t.Errorf("%+v", s)
	}
	f.put(t, v.Blobs(), 3, 100) // nobody else waits
	f.check(t, v.Blobs())
	stop()
	v, _ = h.run() // nor does a start
	f.put(t, v.Blobs(), 3, 100)
	until(t, v, "nobody says that it waits", func(s Status) bool { return s.Waiting != "" })
	g.Start()
	s = until(t, v, "the move does not end", func(s Status) bool { return s.To == "" })
	if s.At != "s3://media/x/" || s.Left != "disk:"+h.cfg.Server.Data || s.Moved.IsZero() ||
		!slices.Equal(s.Set, []string{`blobs.backend = "s3"`, `s3.bucket = "media"`, `s3.prefix = "x/"`}) {
		t.Errorf("%+v", s)
	}
	f.put(t, v.Blobs(), 3, 100)
	f.check(t, v.Blobs())
}

// slow begins a put that ends when the function it returns is called, with an error if
// there is one.
func slow(t *testing.T, b blob.Store, f files) (finish func(error)) {
	t.Helper()
	r, w := io.Pipe()
	key := blob.NewKey(time.Now())
	var g sync.WaitGroup
	g.Go(func() {
		if _, err := b.Put(context.Background(), key, r); err != nil {
			delete(f, key)
		}
	})
	if _, err := w.Write([]byte("slow")); err != nil {
		t.Fatal(err)
	}
	f[key] = []byte("slow")
	return func(err error) {
		w.CloseWithError(err)
		g.Wait()
		if _, there := f[key]; there != (err == nil) {
			t.Errorf("the slow put is there: %v", there)
		}
	}
}

func TestAMoveIsEndedBeforeAndAfterTheSwitch(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	v, stop := h.run()
	data, other := "disk:"+h.cfg.Server.Data, t.TempDir()
	f := files{}
	f.put(t, v.Blobs(), 20, 1000)
	finish := slow(t, v.Blobs(), f) // the switch waits for it
	if err := v.Start(t.Context(), "disk:"+other); err != nil {
		t.Fatal(err)
	}
	if err := v.Start(t.Context(), "disk:"+other); err != nil {
		t.Errorf("the same again: %v", err)
	}
	if err := v.Start(t.Context(), "disk:"+t.TempDir()); fault.From(err).Code != fault.Conflict {
		t.Errorf("another one: %v", err)
	}
	until(t, v, "the switch does not come", func(s Status) bool { return s.Phase == "switching" })
	f.put(t, v.Blobs(), 20, 1000) // in the other folder only
	if err := v.Cancel(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.put(t, v.Blobs(), 5, 1000)
	finish(nil)
	s := until(t, v, "the move back does not end", func(s Status) bool { return s.To == "" })
	if s.At != data || len(s.Set) != 0 {
		t.Errorf("%+v", s)
	}
	f.check(t, v.Blobs())
	if err := v.Cancel(t.Context()); fault.From(err).Code != fault.NotFound {
		t.Errorf("there is no move: %v", err)
	}

	// Before the switch: what was copied stays in the target.
	h.cfg.Blobs.MinFreeBytes = 1 << 62 // so that it waits
	stop()
	v, stop = h.run()
	third := t.TempDir()
	if err := v.Start(t.Context(), "disk:"+third); err != nil {
		t.Fatal(err)
	}
	s = until(t, v, "it does not wait", func(s Status) bool { return s.Waiting != "" })
	if !strings.Contains(s.Waiting, "no space left") {
		t.Errorf("%+v", s)
	}
	if err := v.Cancel(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := status(t, v); s.At != data || s.To != "" || s.Left != "" {
		t.Errorf("%+v", s)
	}
	f.check(t, v.Blobs())

	// A stop in the middle of the switch, and a cancel while nobody runs.
	stop()
	h.cfg.Blobs.MinFreeBytes = 0
	v, stop = h.run()
	finish = slow(t, v.Blobs(), f)
	if err := v.Start(t.Context(), "disk:"+third); err != nil {
		t.Fatal(err)
	}
	until(t, v, "the switch does not come", func(s Status) bool { return s.Phase == "switching" })
	f.put(t, v.Blobs(), 5, 1000)
	stop() // while the switch waits: it could end behind the slow put
	finish(errors.New("the server stops"))
	closed, err := New(t.Context(), h.cfg, h.db)
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.Cancel(t.Context()); err != nil {
		t.Fatal(err)
	}
	v, _ = h.run()
	if s := until(t, v, "the move does not end", func(s Status) bool { return s.To == "" }); s.At != data {
		t.Errorf("%+v", s)
	}
	f.check(t, v.Blobs())
}

func TestPlacesThatAreRefused(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	v, _ := h.run()
	f := files{}
	f.put(t, v.Blobs(), 1, 10)
	alias := filepath.Join(t.TempDir(), "alias")
	if err := os.Symlink(h.cfg.Server.Data, alias); err != nil {
		t.Fatal(err)
	}
	foreign := newHome(t)
	w, stop := foreign.run()
	files{}.put(t, w.Blobs(), 1, 10)
	stop()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for to, want := range map[string]string{
		"":                                "no place",
		"ftp://host":                      "no place",
		"/srv":                            "no place",
		"disk:srv":                        "slash",
		"disk:":                           "already",
		"disk:" + h.cfg.Server.Data + "/": "already",
		"disk:" + alias:                   "by another name",
		"disk:" + foreign.cfg.Server.Data: "another Picora",
		"disk:" + file:                    "cannot be moved",
		"s3://media/x":                    "s3.endpoint",
		"s3:":                             "s3.bucket",
	} {
		for name, do := range map[string]func() error{
			"start": func() error { return v.Start(t.Context(), to) },
			"plan":  func() error { _, err := v.Plan(t.Context(), to); return err },
		} {
			if err := do(); err == nil && name == "plan" && want == "already" {
				continue
			} else if e := (*fault.Error)(nil); !errors.As(err, &e) || !strings.Contains(e.Message, want) {
				t.Errorf("%s %q: %v does not say %q", name, to, err, want)
			}
		}
	}
	if s := status(t, v); s.To != "" {
		t.Errorf("%+v", s)
	}
	// A plan leaves nothing.
	empty := filepath.Join(t.TempDir(), "a", "b")
	if p, err := v.Plan(t.Context(), "disk:"+empty); err != nil || p.Files != 1 || p.Free <= 0 {
		t.Errorf("%+v %v", p, err)
	}
	if _, err := os.Stat(empty); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the plan left a folder: %v", err)
	}
	f.check(t, v.Blobs())
}

func TestTheDatabaseKnowsWhereFilesAre(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	v, stop := h.run()
	f, other := files{}, t.TempDir()
	f.put(t, v.Blobs(), 3, 10)
	if err := v.Use(t.Context(), "disk:"+other); err == nil {
		t.Error("the server runs")
	}
	if err := v.Start(t.Context(), "disk:"+other); err != nil {
		t.Fatal(err)
	}
	until(t, v, "the move does not end", func(s Status) bool { return s.To == "" })
	stop()
	v, stop = h.run() // with the old settings
	if s := status(t, v); s.At != "disk:"+other || !slices.Equal(s.Set, []string{fmt.Sprintf("blobs.folder = %q", other)}) {
		t.Errorf("%+v", s)
	}
	f.check(t, v.Blobs())
	stop()
	h.cfg.Blobs.Folder = other
	v, stop = h.run()
	if s := status(t, v); len(s.Set) != 0 || s.Settings != s.At || s.Remove != "rm -r '"+h.cfg.Server.Data+"/blobs'" {
		t.Errorf("%+v", s)
	}
	stop()

	// The disk is not mounted: no empty folder takes its place.
	if err := os.Rename(other, other+".away"); err != nil {
		t.Fatal(err)
	}
	v, err := New(t.Context(), h.cfg, h.db)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Open(t.Context()); err == nil || !strings.Contains(err.Error(), "mounted") {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(other); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder was made: %v", err)
	}
	// Brought elsewhere by other means.
	if err := v.Use(t.Context(), "disk:"+filepath.Join(t.TempDir())); err == nil || !strings.Contains(err.Error(), "no files") {
		t.Errorf("%v", err)
	}
	if err := v.Use(t.Context(), "disk:"+other+".away"); err != nil {
		t.Fatal(err)
	}
	v, _ = h.run()
	f.check(t, v.Blobs())
}

// broken is a place where one file cannot be read.
type broken struct {
	opened
	key string
}

func (b broken) Open(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	if key == b.key {
		return nil, errors.New("a bad sector")
	}
	return b.opened.Open(ctx, key, off, n)
}

func TestAFileThatCannotBeReadIsNamed(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	v, _ := h.run()
	f := files{}
	f.put(t, v.Blobs(), 5, 10)
	u, err := h.db.CreateUser(t.Context(), store.User{Email: "amy@example.org"})
	if err != nil {
		t.Fatal(err)
	}
	bad := slices.Sorted(maps.Keys(f))[2]
	_, _, err = h.db.CreateMedia(t.Context(), store.Media{User: u.ID, Kind: store.Image, Filename: "holiday.jpg", MIME: "image/jpeg", Size: 10, Hash: make([]byte, 32), Blob: bad})
	if err != nil {
		t.Fatal(err)
	}
	v.tell(func() { v.stores["disk:"] = broken{v.stores["disk:"], bad} })
	other := t.TempDir()
	if err := v.Start(t.Context(), "disk:"+other); err != nil {
		t.Fatal(err)
	}
	s := until(t, v, "nobody says that it cannot be read", func(s Status) bool { return s.Waiting != "" })
	for _, want := range []string{"1 files", `"holiday.jpg"`, "amy@example.org", bad, "a bad sector"} {
		if !strings.Contains(s.Waiting, want) {
			t.Errorf("%q does not say %q", s.Waiting, want)
		}
	}
	if there, err := filepath.Glob(filepath.Join(other, "blobs", "*", "*", "*")); err != nil || len(there) != 4 || s.Failed != 1 || s.Phase != "copying" {
		t.Errorf("%d files there, %v, %+v", len(there), err, s)
	}
	if err := v.Blobs().Delete(t.Context(), bad); err != nil {
		t.Fatal(err)
	}
	delete(f, bad)
	until(t, v, "the move does not end", func(s Status) bool { return s.To == "" && s.At == "disk:"+other })
	f.check(t, v.Blobs())
}
