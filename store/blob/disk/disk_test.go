package disk

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"picora/store/blob"
	"picora/store/blob/blobtest"
)

func TestStore(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) blob.Store {
		s, dir := open(t)
		// Whatever a test did, no temp file may be left of it.
		t.Cleanup(func() { wantFiles(t, filepath.Join(dir, tempDir)) })
		return s
	})
}

func BenchmarkStore(b *testing.B) {
	blobtest.Bench(b, func(b *testing.B) blob.Store {
		s, err := Open(b.TempDir())
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() {
			st := s.Stats()
			b.ReportMetric(float64(st.FileSyncs)/float64(st.Puts), "filesyncs/put")
			b.ReportMetric(float64(st.DirSyncs)/float64(st.Puts), "dirsyncs/put")
			s.Close()
		})
		return s
	})
}

func open(t *testing.T) (*Store, string) {
	t.Helper()
	dir := t.TempDir()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, dir
}

var epoch = time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC)

func put(t *testing.T, s *Store, key, content string) {
	t.Helper()
	if _, err := s.Put(t.Context(), key, strings.NewReader(content)); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// wantFiles checks what a folder holds.
func wantFiles(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Error(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s holds %q, want %q", dir, got, want)
	}
}

func TestOpenMakesItsFolders(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "var", "lib", "picora")
	for range 2 { // the second finds them made
		s, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
	}
	wantFiles(t, dir, blobsDir, tempDir)
	wantFiles(t, filepath.Join(dir, blobsDir))
	wantFiles(t, filepath.Join(dir, tempDir))
	for _, name := range []string{"", blobsDir, tempDir, "../../lib"} {
		fi, err := os.Stat(filepath.Join(dir, name))
		if err != nil || fi.Mode().Perm() != 0o700 {
			t.Errorf("%q is %v, %v, want 0700", name, fi.Mode(), err)
		}
	}
}

func TestOpenNamesTheFolderItCannotUse(t *testing.T) {
	for _, c := range []struct {
		name, file, dir string
	}{
		{"a file in its place", "data", "data"},
		{"a file in the place of its parent", "data", "data/blobs"},
		{"a file in the place of the blobs", "data/blobs", "data"},
		{"a file in the place of the temp files", "data/tmp", "data"},
	} {
		t.Run(c.name, func(t *testing.T) {
			base := t.TempDir()
			write(t, filepath.Join(base, c.file), "")
			dir := filepath.Join(base, c.dir)
			s, err := Open(dir)
			if err == nil {
				s.Close()
				t.Fatal("Open succeeded")
			}
			if !strings.Contains(err.Error(), "folder "+dir+": ") || !strings.HasPrefix(err.Error(), "blob: cannot ") {
				t.Errorf("the error is %q", err)
			}
		})
	}
}

func TestBlobsLieByTime(t *testing.T) {
	s, dir := open(t)
	key := blob.NewKey(epoch)
	put(t, s, key, "content")
	name := filepath.Join(dir, "blobs", key[:4], key[4:6], key)
	fi, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if fi.Mode() != 0o600 {
		t.Errorf("the file's mode is %v", fi.Mode())
	}
	again, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if _, err := again.Stat(t.Context(), key); err != nil {
		t.Errorf("opened again: %v", err)
	}
}

func TestFileKnowsTheWholeSize(t *testing.T) {
	s, _ := open(t)
	key := blob.NewKey(epoch)
	put(t, s, key, "0123456789")
	r, err := s.Open(t.Context(), key, 2, 5)
	if err != nil {
		t.Fatal(err)
	}
	f := r.(*File)
	file, off, n := f.File()
	if f.Size() != 10 || off != 2 || n != 5 {
		t.Errorf("size %d, section %d+%d", f.Size(), off, n)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if _, err := file.Stat(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close the file gives %v", err)
	}
}

func TestSweepRemovesOnlyTempFiles(t *testing.T) {
	s, dir := open(t)
	key, left := blob.NewKey(epoch), blob.NewKey(epoch)
	put(t, s, key, "content")
	tmp := filepath.Join(dir, tempDir)
	write(t, filepath.Join(tmp, left+".part"), "half of")
	write(t, filepath.Join(tmp, "check.part"), "")
	write(t, filepath.Join(tmp, "notes.txt"), "mine")
	write(t, filepath.Join(tmp, "part"), "mine")
	if err := os.Mkdir(filepath.Join(tmp, "folder.part"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), left, strings.NewReader("x")); !errors.Is(err, blob.ErrExists) {
		t.Errorf("Put over a leftover gives %v, want ErrExists", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if n, err := s.Sweep(ctx); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled Sweep gives %d, %v", n, err)
	}
	for _, want := range []int{2, 0} {
		if n, err := s.Sweep(t.Context()); n != want || err != nil {
			t.Errorf("Sweep gives %d, %v, want %d", n, err, want)
		}
	}
	wantFiles(t, tmp, "folder.part", "notes.txt", "part")
	put(t, s, left, "whole")
	if _, err := s.Stat(t.Context(), key); err != nil {
		t.Error(err)
	}
}

func TestListPassesOverForeignFiles(t *testing.T) {
	s, dir := open(t)
	key, stray := blob.NewKey(epoch), blob.NewKey(epoch.Add(time.Hour))
	put(t, s, key, "content")
	blobs := filepath.Join(dir, blobsDir)
	for _, name := range []string{
		"README", key[:3] + "z", "lost+found/x", "0000/file", "00000/00/" + key, "0000/000/" + key, "0ooo/00/" + key,
		key[:4] + "/zz", key[:4] + "/00/" + stray, // in another's folder
		key[:4] + "/" + key[4:6] + "/" + key + ".bak", key[:4] + "/" + key[4:6] + "/.DS_Store",
		key[:4] + "/" + key[4:6] + "/" + blob.NewKey(epoch) + "/x", // a folder named like a blob
	} {
		write(t, filepath.Join(blobs, name), "foreign")
	}
	var got []string
	for info, err := range s.List(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, info.Key)
	}
	if !slices.Equal(got, []string{key}) {
		t.Errorf("List gives %q, want %q", got, key)
	}
}

func TestFolderNamedLikeABlobIsNone(t *testing.T) {
	s, dir := open(t)
	key := blob.NewKey(epoch)
	write(t, filepath.Join(dir, place(key), "x"), "foreign")
	if _, err := s.Stat(t.Context(), key); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("Stat gives %v", err)
	}
	if _, err := s.Open(t.Context(), key, 0, -1); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("Open gives %v", err)
	}
	if _, err := s.Put(t.Context(), key, bytes.NewReader(nil)); !errors.Is(err, blob.ErrExists) {
		t.Errorf("Put gives %v", err)
	}
	wantFiles(t, filepath.Join(dir, tempDir))
}

func TestOpenReaderOutlivesTheStore(t *testing.T) {
	s, _ := open(t)
	key := blob.NewKey(epoch)
	put(t, s, key, "content")
	r, err := s.Open(t.Context(), key, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(r); string(b) != "content" || err != nil {
		t.Errorf("the reader gives %q, %v", b, err)
	}
	if _, err := s.Put(t.Context(), blob.NewKey(epoch), strings.NewReader("x")); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Put after Close gives %v", err)
	}
}

func TestPutLooksAtItsContextBeforeTheMove(t *testing.T) {
	s, dir := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := s.Put(ctx, blob.NewKey(epoch), leaving(cancel))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Put gives %v, want context.Canceled", err)
	}
	wantFiles(t, filepath.Join(dir, tempDir))
	wantFiles(t, filepath.Join(dir, blobsDir))
}

// leaving is an upload whose client leaves at its end.
type leaving context.CancelFunc

func (l leaving) Read([]byte) (int, error) {
	l()
	return 0, io.EOF
}
