package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/app/storage"
	"picora/store/blob/blobtest"
)

// withBucket is a settings file of a server whose files are on the disk, and which knows a
// bucket.
func withBucket(t *testing.T, g *blobtest.S3) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "picora.toml")
	text := fmt.Sprintf("[blobs]\nmin_free_bytes = 0\n[s3]\nendpoint = \"http://%s\"\nregion = \"us-east-1\"\naccess_key = %q\nsecret_key = %q\n", g.Addr, g.Access, g.Secret)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// untilMove polls the move until ok, which is asked with each status.
func untilMove(t *testing.T, p *apptest.Process, what string, ok func(s storage.Status) bool) (s storage.Status) {
	t.Helper()
	c := p.Control()
	for until := time.Now().Add(3 * time.Minute); ; time.Sleep(2 * time.Millisecond) {
		s, err := c.Blobs(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if ok(s) {
			return s
		}
		if time.Now().After(until) {
			t.Fatalf("%s: %+v", what, s)
		}
	}
}

// load has clients upload, delete and read, until the function that it returns.
func (c *crowd) load(t *testing.T, p *apptest.Process, clients int) (stop func()) {
	var g sync.WaitGroup
	done := make(chan struct{})
	for range clients {
		g.Go(func() { c.client(p, done) })
	}
	g.Go(func() { c.reader(t, p, done) })
	return func() { close(done); g.Wait() }
}

// moveUnderLoad moves the files, while clients work and the server is killed.
func (c *crowd) moveUnderLoad(t *testing.T, p *apptest.Process, to string, args []string) *apptest.Process {
	t.Helper()
	stop := c.load(t, p, 3)
	s, err := p.Control().CopyBlobs(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	target := s.To
	for _, kill := range []struct {
		what string
		at   func(s storage.Status) bool
	}{
		{"the copy does not begin", func(s storage.Status) bool { return s.Bytes > 0 }},
		{"the copy does not go on", func(s storage.Status) bool { return s.Files >= 64 }},
		{"the switch does not come", func(s storage.Status) bool { return s.Phase == "switching" }},
	} {
		s := untilMove(t, p, kill.what, func(s storage.Status) bool { return s.To == "" || kill.at(s) })
		p.Signal(syscall.SIGKILL)
		p.Wait(time.Minute)
		stop()
		t.Logf("killed when %d of %d files were copied; %q", s.Files, s.AllFiles, s.Phase)
		if s.To == "" && s.At != target {
			t.Errorf("the move ended elsewhere: %+v", s)
		}
		p = start(t, p.Data, p.Key, args...)
		c.records(t, p)
		stop = c.load(t, p, 3)
	}
	untilMove(t, p, "the move does not end", func(s storage.Status) bool { return s.To == "" && s.At == target })
	stop()
	c.records(t, p)
	return p
}

func TestFilesMoveToABucketAndBackUnderLoad(t *testing.T) {
	t.Parallel()
	g := blobtest.StartS3(t)
	args := []string{"--config", withBucket(t, g)}
	p := start(t, filepath.Join(t.TempDir(), "data"), "", args...)
	p.NewUser("owner@example.org")
	p.Key = p.NewKey("owner@example.org")
	c := newCrowd()
	stop := c.load(t, p, 4)
	for until := time.Now().Add(2 * time.Minute); c.size() < 200; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("there are not enough pictures to move")
		}
	}
	stop()

	to := "s3://" + g.Bucket + "/picora/"
	p = c.moveUnderLoad(t, p, to, args)
	if t.Failed() {
		return
	}
	// What was left is not needed, not even by a start with the old settings.
	p.Terminate()
	old := filepath.Join(p.Data, "blobs")
	if err := os.Rename(old, old+".old"); err != nil {
		t.Fatal(err)
	}
	p = start(t, p.Data, p.Key, args...)
	for _, want := range []string{"the settings do not say where the files are", to, `blobs.backend = \"s3\"`, `s3.bucket = \"media\"`} {
		if !strings.Contains(p.Stderr(), want) {
			t.Errorf("the start does not say %q:\n%s", want, p.Stderr())
		}
	}
	n := c.records(t, p)
	for until := time.Now().Add(time.Minute); len(objects(t, g)) != n; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("%d records, %d objects", n, len(objects(t, g)))
		}
	}
	if n := len(p.Blobs()); n != 0 {
		t.Errorf("%d files are on the disk", n)
	}

	// Back to where some of them still are, and some that were deleted since.
	if err := os.Rename(old+".old", old); err != nil {
		t.Fatal(err)
	}
	for i, file := range p.Blobs() {
		if i%2 == 0 {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		}
	}
	p = c.moveUnderLoad(t, p, "disk:", args)
	if t.Failed() {
		return
	}
	g.Stop()
	p.Terminate()
	p = start(t, p.Data, p.Key, args...)
	c.check(t, p)
	if strings.Contains(p.Stderr(), "where the files are") {
		t.Errorf("the settings are right, but the start says:\n%s", p.Stderr())
	}
	p.Terminate()
	t.Logf("%d pictures, %d deleted", len(c.kept), len(c.deleted))
}
