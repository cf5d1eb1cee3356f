package hot

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"picora/store/blob"
	"picora/store/blob/blobtest"
	"picora/store/blob/disk"
)

// far is a store that counts what is read of it.
type far struct {
	blob.Store
	opens atomic.Int64
	hold  chan struct{} // when there is one, reads wait until it is closed
}

func (f *far) Open(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	f.opens.Add(1)
	if f.hold != nil {
		<-f.hold
	}
	return f.Store.Open(ctx, key, off, n)
}

func newFar(t *testing.T) *far {
	t.Helper()
	d, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return &far{Store: d}
}

func open(t *testing.T, f *far, o Options) *Store {
	t.Helper()
	s, err := Open(f, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func put(t *testing.T, s blob.Store, b []byte) (key string) {
	t.Helper()
	key = blob.NewKey(time.Now())
	if _, err := s.Put(t.Context(), key, bytes.NewReader(b)); err != nil {
		t.Fatal(err)
	}
	return key
}

func read(t *testing.T, s blob.Store, key string, off, n int64) []byte {
	t.Helper()
	r, err := s.Open(t.Context(), key, off, n)
	if err != nil {
		t.Error(err)
		return nil
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Error(err)
	}
	return b
}

// content is n bytes that depend on each other's places.
func content(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 7 / 3 >> (i % 5))
	}
	return b
}

// kept are the files of the folder.
func kept(t *testing.T, folder string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestStore(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) blob.Store { return open(t, newFar(t), Options{Folder: t.TempDir(), Max: 64 << 20}) })
}

func TestWhatIsReadAgainIsAtHand(t *testing.T) {
	f, folder := newFar(t), t.TempDir()
	s := open(t, f, Options{Folder: folder, Max: 64 << 20})
	large := content(Small + 1)
	largest := content(Small)
	blobs := map[string][]byte{put(t, s, nil): nil, put(t, s, []byte("x")): []byte("x"), put(t, s, largest): largest}
	far := func(what string, want int64, do func()) {
		t.Helper()
		before := f.opens.Load()
		do()
		if n := f.opens.Load() - before; n != want {
			t.Errorf("%s: the far store is read %d times, want %d", what, n, want)
		}
	}
	same := func(key string, want []byte, off, n int64) {
		t.Helper()
		if got := read(t, s, key, off, n); !bytes.Equal(got, want) {
			t.Errorf("%d bytes of other content than the %d that were put", len(got), len(want))
		}
	}
	for key, b := range blobs {
		size := int64(len(b))
		far("the first time", 1, func() { same(key, b, 0, max(size, 1)) })
		far("again, in other ways", 0, func() {
			same(key, b, 0, size+1)
			same(key, b, 0, -1)
			same(key, b[size/2:], size/2, -1)
			same(key, b[:(size+1)/2], 0, max((size+1)/2, 1))
		})
	}
	far("behind what is at hand", int64(len(blobs)), func() {
		for key, b := range blobs {
			if got := read(t, blob.Behind(s), key, 0, -1); !bytes.Equal(got, b) {
				t.Errorf("%d bytes of other content than the %d that were put", len(got), len(b))
			}
		}
	})
	key := put(t, s, large)
	far("a large one, whole and in parts", 4, func() {
		same(key, large, 0, int64(len(large)))
		same(key, large[:100], 0, 100)
		same(key, large[:100], 0, 100)
		same(key, large[5:], 5, -1)
	})
	if files := kept(t, folder); len(files) != len(blobs) {
		t.Errorf("%d files are kept", len(files))
	}
	s.Close()
	s = open(t, f, Options{Folder: folder, Max: 64 << 20})
	far("after a restart", 0, func() {
		for key, b := range blobs {
			same(key, b, 0, -1)
		}
	})
	for what, damage := range map[string]func(path string) error{
		"empty": func(path string) error { return os.Truncate(path, 0) },
		"cut":   func(path string) error { return os.Truncate(path, 3) },
		"zeros": func(path string) error {
			return errors.Join(os.Truncate(path, 0), os.Truncate(path, int64(Small+sumLen)))
		},
		"longer": func(path string) error { return os.Truncate(path, int64(Small+sumLen+1)) },
	} {
		for _, path := range kept(t, folder) {
			if err := damage(path); err != nil {
				t.Fatal(err)
			}
		}
		far(what, int64(len(blobs)), func() {
			for key, b := range blobs {
				same(key, b, 0, max(int64(len(b)), 1))
				same(key, b, 0, max(int64(len(b)), 1))
			}
		})
	}
	for key := range blobs {
		if err := s.Delete(t.Context(), key); err != nil {
			t.Error(err)
		}
		if _, err := s.Open(t.Context(), key, 0, 1); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("a blob that was deleted: %v", err)
		}
	}
	if files := kept(t, folder); len(files) != 0 {
		t.Errorf("left are %v", files)
	}
}

func TestManyWhoWantABlobAtOnceFetchItOnce(t *testing.T) {
	f := newFar(t)
	s := open(t, f, Options{Folder: t.TempDir(), Max: 64 << 20})
	small, large := content(50_000), content(2*Small)
	a, b := put(t, s, small), put(t, s, large)
	f.hold = make(chan struct{})
	var begun, ended sync.WaitGroup
	for range 64 {
		begun.Add(1)
		ended.Go(func() {
			begun.Done()
			if !bytes.Equal(read(t, s, a, 0, int64(len(small))), small) {
				t.Error("other bytes")
			}
		})
	}
	begun.Wait()
	close(f.hold)
	ended.Wait()
	if n := f.opens.Load(); n != 1 {
		t.Errorf("it was fetched %d times", n)
	}
	for i := range 64 {
		ended.Go(func() {
			n := 1000 + i
			if !bytes.Equal(read(t, s, b, 0, int64(n)), large[:n]) {
				t.Error("other bytes of a large one")
			}
		})
	}
	ended.Wait()
}

func TestABlobThatIsDeletedWhileItIsFetchedIsNotKept(t *testing.T) {
	f, folder := newFar(t), t.TempDir()
	s := open(t, f, Options{Folder: folder, Max: 64 << 20})
	key := put(t, s, []byte("soon gone"))
	inner := f.Store
	f.Store = deleting{inner, func() {
		if err := s.Delete(t.Context(), key); err != nil {
			t.Error(err)
		}
	}}
	if got := read(t, s, key, 0, 9); string(got) != "soon gone" {
		t.Errorf("%q", got)
	}
	if files := kept(t, folder); len(files) != 0 {
		t.Errorf("left are %v", files)
	}
}

// deleting deletes a blob when it has been opened.
type deleting struct {
	blob.Store
	now func()
}

func (d deleting) Open(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	r, err := d.Store.Open(ctx, key, off, n)
	d.now()
	return r, err
}

func TestTheFilesGiveWay(t *testing.T) {
	f, folder := newFar(t), t.TempDir()
	s := open(t, f, Options{Folder: folder, Max: 100 << 10})
	for range 10 {
		read(t, s, put(t, s, content(20<<10)), 0, 20<<10)
	}
	if n := len(kept(t, folder)); n != 4 { // each takes 24 KB and its entry
		t.Errorf("%d files are kept", n)
	}
	if n := s.Shrink(30 << 10); n < 30<<10 || len(kept(t, folder)) != 2 {
		t.Errorf("%d bytes are gone, %d files are left", n, len(kept(t, folder)))
	}
	for _, o := range []Options{{Folder: t.TempDir(), Max: 1 << 20, MinFree: 1 << 60}, {Folder: t.TempDir()}} { // no disk has so much free; there is to be none
		s := open(t, f, o)
		key := put(t, s, []byte("not kept"))
		if got := read(t, s, key, 0, 8); string(got) != "not kept" || len(kept(t, o.Folder)) != 0 || s.Shrink(1) != 0 {
			t.Errorf("%q, %v", got, kept(t, o.Folder))
		}
		if err := s.Delete(t.Context(), key); err != nil {
			t.Error(err)
		}
	}
	if _, err := Open(f, Options{Folder: filepath.Join(folder, strings.Repeat("x", 300)), Max: 1}); err == nil {
		t.Error("a folder that cannot be is taken")
	}
}
