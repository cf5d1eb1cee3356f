package disk

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"picora/store/blob"
)

func TestStatsOfSinglePuts(t *testing.T) {
	s, _ := open(t)
	put(t, s, blob.NewKey(epoch), "one")
	if got, want := s.Stats(), (Stats{Puts: 1, FileSyncs: 1, DirSyncs: 3}); got != want {
		t.Errorf("a first Put: %+v, want %+v: its folder and the two above it", got, want)
	}
	put(t, s, blob.NewKey(epoch), "two")
	if got, want := s.Stats(), (Stats{Puts: 2, FileSyncs: 2, DirSyncs: 4}); got != want {
		t.Errorf("another in the folder: %+v, want %+v", got, want)
	}
	put(t, s, blob.NewKey(epoch.Add(time.Hour)), "three")
	if got, want := s.Stats(), (Stats{Puts: 3, FileSyncs: 3, DirSyncs: 6}); got != want {
		t.Errorf("one in the folder beside it: %+v, want %+v", got, want)
	}
}

// hold has a folder seem to be in the middle of an fsync until release, and so
// makes certain what otherwise depends on how fast the disk is.
func hold(t *testing.T, s *Store, key string) (release func()) {
	t.Helper()
	f := s.folders.at(home(key))
	if err := s.folders.make(f); err != nil {
		t.Fatal(err)
	}
	f.turn.Lock()
	return f.turn.Unlock
}

// arrive waits until the blobs are at their places in the store's folder.
func arrive(t *testing.T, dir string, keys []string) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for _, key := range keys {
		for {
			if _, err := os.Stat(filepath.Join(dir, place(key))); err == nil {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("the blobs do not arrive")
			}
			time.Sleep(time.Millisecond)
		}
	}
	queued(t, len(keys)) // from the rename to the queue is a step
}

// queued waits until so many wait for an fsync of a folder, in any store: no test of this
// package runs beside another.
func queued(t *testing.T, n int) {
	t.Helper()
	b := make([]byte, 4<<20)
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		found := 0
		for g := range strings.SplitSeq(string(b[:runtime.Stack(b, true)]), "\n\n") {
			state, _, _ := strings.Cut(g, "\n")
			if strings.Contains(g, "disk.(*folders).sync(") && (strings.Contains(state, "chan receive") || strings.Contains(state, "sync.Mutex.Lock")) {
				found++
			}
		}
		if found == n {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d wait for an fsync, want %d", found, n)
		}
	}
}

func TestPutsShareFolderFsyncs(t *testing.T) {
	s, dir := open(t)
	var keys []string
	for range 64 {
		keys = append(keys, blob.NewKey(epoch))
	}
	release := hold(t, s, keys[0])
	before := s.Stats().DirSyncs
	var puts sync.WaitGroup
	for _, key := range keys {
		puts.Go(func() {
			if _, err := s.Put(t.Context(), key, strings.NewReader("content")); err != nil {
				t.Errorf("Put: %v", err)
			}
		})
	}
	arrive(t, dir, keys)
	if st := s.Stats(); st.Puts != 0 || st.FileSyncs != 64 || st.DirSyncs != before {
		t.Errorf("while an fsync runs that started before the renames: %+v, want no Put done", st)
	}
	release()
	puts.Wait()
	if st := s.Stats(); st.Puts != 64 || st.DirSyncs-before != 1 {
		t.Errorf("64 Puts: %+v, want one fsync of their folder", st)
	}
}

// An fsync that runs may have missed a name that came meanwhile. To open a named
// pipe takes until it has a writer, which makes an fsync as slow as one likes.
func TestNoOneSharesAnFsyncThatRuns(t *testing.T) {
	s, dir := open(t)
	pipe := filepath.Join(dir, blobsDir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	f := s.folders.at(blobsDir + "/pipe")
	var syncs sync.WaitGroup
	syncs.Go(func() { s.folders.sync(f) })
	for s.Stats().DirSyncs == 0 {
		time.Sleep(time.Millisecond)
	}
	for range 10 {
		syncs.Go(func() { s.folders.sync(f) })
	}
	queued(t, 10) // behind the first
	w, err := os.OpenFile(pipe, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	syncs.Wait()
	if n := s.Stats().DirSyncs; n != 2 {
		t.Errorf("%d fsyncs for one and ten who came while it ran, want 2", n)
	}
}

func TestPutsFailWithTheirFolderFsync(t *testing.T) {
	s, dir := open(t)
	keys := []string{blob.NewKey(epoch), blob.NewKey(epoch), blob.NewKey(epoch)}
	f := s.folders.at(home(keys[0]))
	broken := &round{done: make(chan struct{}), err: syscall.EIO}
	f.next = broken
	var puts sync.WaitGroup
	for _, key := range keys {
		puts.Go(func() {
			if _, err := s.Put(t.Context(), key, strings.NewReader("content")); !errors.Is(err, syscall.EIO) {
				t.Errorf("Put gives %v, want EIO", err)
			}
		})
	}
	arrive(t, dir, keys)
	f.mu.Lock()
	f.next = nil
	f.mu.Unlock()
	close(broken.done)
	puts.Wait()
	wantFiles(t, filepath.Join(dir, home(keys[0])))
	wantFiles(t, filepath.Join(dir, tempDir))
	put(t, s, keys[0], "again")
}

func TestPutSurvivesTidying(t *testing.T) {
	s, dir := open(t)
	for range 3 {
		key := blob.NewKey(epoch)
		put(t, s, key, "content")
		if err := s.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{home(key), filepath.Dir(home(key))} {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestFoldersInMindAreBounded(t *testing.T) {
	s, _ := open(t)
	for i := range 5 * maxFolders {
		s.folders.at(fmt.Sprintf("%s/%04d/00", blobsDir, i))
	}
	if n := len(s.folders.known); n > maxFolders+2 {
		t.Errorf("%d folders are kept in mind", n)
	}
}
