package cache

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func open(t *testing.T, dir string, max int64) *Cache {
	t.Helper()
	c, err := Open(dir, max)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	<-c.loaded
	return c
}

func keep(t *testing.T, c *Cache, group, name, content string) {
	t.Helper()
	f, err := c.Create()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.WriteString(content)
	if err := f.Keep(group, name); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, c *Cache, group, name string) (string, bool) {
	t.Helper()
	f, err := c.Get(group, name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", false
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(b), true
}

func files(t *testing.T, dir string) (n int) {
	t.Helper()
	filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			t.Fatal(err)
		}
		if !d.IsDir() {
			n++
		}
		return nil
	})
	return n
}

// small is what a file of some bytes takes, as the cache counts.
const small = 4096 + 512

func TestTheLeastRecentlyUsedGoesFirst(t *testing.T) {
	dir := t.TempDir()
	c := open(t, dir, 2*small)
	keep(t, c, "aaa", "1", "12345")
	keep(t, c, "bbb", "1", "12345")
	if _, ok := read(t, c, "aaa", "1"); !ok {
		t.Fatal("aaa/1 is gone")
	}
	keep(t, c, "ccc", "1", "1")
	for group, want := range map[string]bool{"aaa": true, "bbb": false, "ccc": true} {
		if _, ok := read(t, c, group, "1"); ok != want {
			t.Errorf("%s is there: %v", group, ok)
		}
	}
	if b, n := c.Size(); b != 2*small || n != 2 {
		t.Errorf("%d bytes in %d files", b, n)
	}
	keep(t, c, "aaa", "1", "123") // over the old one
	if b, n := c.Size(); b != 2*small || n != 2 {
		t.Errorf("%d bytes in %d files", b, n)
	}
	keep(t, c, "ddd", "1", strings.Repeat("x", 2*small)) // larger than the budget
	if b, n := c.Size(); b != 2*small || n != 2 || files(t, dir) != 2 {
		t.Errorf("%d bytes in %d files, %d on the disk", b, n, files(t, dir))
	}
	c.Shrink(1)
	if b, n := c.Size(); b != small || n != 1 || files(t, dir) != 1 {
		t.Errorf("after Shrink: %d bytes in %d files, %d on the disk", b, n, files(t, dir))
	}
	if _, ok := read(t, c, "aaa", "1"); !ok {
		t.Error("the younger one is gone")
	}
}

func TestTheOrderOutlivesARestart(t *testing.T) {
	dir := t.TempDir()
	c := open(t, dir, 9*small)
	for i, group := range []string{"old", "middle", "young"} {
		keep(t, c, group, "x", "12345")
		at := time.Now().Add(time.Duration(i-9) * time.Hour)
		os.Chtimes(filepath.Join(dir, group[:2], group, "x"), at, at)
	}
	f, err := c.Create() // a crash leaves it
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	c.Close()

	c = open(t, dir, 9*small)
	if b, n := c.Size(); b != 3*small || n != 3 {
		t.Fatalf("%d bytes in %d files", b, n)
	}
	read(t, c, "old", "x") // renews its time
	c.Close()

	c = open(t, dir, 2*small)
	for group, want := range map[string]bool{"old": true, "middle": false, "young": true} {
		if _, ok := read(t, c, group, "x"); ok != want {
			t.Errorf("%s is there: %v", group, ok)
		}
	}
	if left, _ := os.ReadDir(filepath.Join(dir, tempDir)); len(left) != 0 {
		t.Errorf("%d temp files were left", len(left))
	}
}

func TestAGroupIsDroppedAsOne(t *testing.T) {
	dir := t.TempDir()
	c := open(t, dir, 9*small)
	keep(t, c, "abc", "1", "1")
	keep(t, c, "abc", "2", "2")
	keep(t, c, "abd", "1", "3")
	if err := c.Drop("abc"); err != nil {
		t.Fatal(err)
	}
	if err := c.Drop("never"); err != nil {
		t.Error(err)
	}
	if _, ok := read(t, c, "abc", "1"); ok {
		t.Error("a dropped file is there")
	}
	if s, ok := read(t, c, "abd", "1"); !ok || s != "3" {
		t.Error("the neighbour is gone")
	}
	if b, n := c.Size(); b != small || n != 1 {
		t.Errorf("%d bytes in %d files", b, n)
	}
}

func TestADiscardedFileLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	c := open(t, dir, 100)
	f, err := c.Create()
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString("x")
	f.Discard()
	f.Seek(0, io.SeekStart)
	if b, err := io.ReadAll(f); err != nil || string(b) != "x" {
		t.Errorf("%q %v", b, err)
	}
	f.Close()
	if left, _ := os.ReadDir(filepath.Join(dir, tempDir)); len(left) != 0 {
		t.Error("the temp file was left")
	}
}

func TestManyUseTheCacheAtOnce(t *testing.T) {
	dir := t.TempDir()
	c := open(t, dir, 20*small)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 200 {
				group, name := fmt.Sprintf("g%02d", i%7), fmt.Sprint(i%13)
				switch (i + w) % 4 {
				case 0:
					if err := c.Drop(group); err != nil {
						t.Error(err)
					}
				case 1:
					if s, ok := read(t, c, group, name); ok && len(s) != 100 {
						t.Errorf("%d bytes", len(s))
					}
				default:
					keep(t, c, group, name, strings.Repeat("x", 100))
				}
			}
		})
	}
	wg.Wait()
	b, n := c.Size()
	if b != int64(n)*small || b > 20*small {
		t.Errorf("%d bytes in %d files", b, n)
	}
	c.Close()
	again := open(t, dir, 20*small)
	if b2, n2 := again.Size(); b2 != b || n2 != n {
		t.Errorf("%d bytes in %d files on the disk, %d in %d on the books", b2, n2, b, n)
	}
}
