package app_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"picora/app/config"
	"picora/store"
)

// smallDisk mounts a file system of so many bytes, where that is allowed.
func smallDisk(t *testing.T, bytes int) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", bytes)); err != nil {
		t.Skipf("no file system can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestAVideoWaitsForRoomOnTheDisk(t *testing.T) {
	soakOnly(t)
	dir := smallDisk(t, 96<<20)
	p, m := longServer(t, func(c *config.Config) { c.Server.Data = dir })
	fill(t, filepath.Join(dir, "filler"))
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		told := jobTold(p, &m)
		if strings.Contains(told, "room") { // a try that fails is something else
			t.Log(told)
			break
		}
		if now, err := p.App.Store().Media(context.Background(), m.ID); err != nil || now.Film.State != store.FilmPlayable || time.Now().After(end) {
			t.Fatalf("nobody noticed: %v, %+v, %s", err, now.Film, told)
		}
	}
	if r := p.Do("GET", "/video/"+m.ID+"/index.m3u8", nil); r.Status != 200 {
		t.Errorf("what was made does not play: %d %s", r.Status, r.Body)
	}
	if err := os.Remove(filepath.Join(dir, "filler")); err != nil {
		t.Fatal(err)
	}
	readyAfter(t, p, m)
}

// fill writes until there is no room.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size >= 4096; size /= 2 {
		for b := make([]byte, size); ; {
			if _, err := f.Write(b); err != nil {
				break
			}
		}
	}
}
