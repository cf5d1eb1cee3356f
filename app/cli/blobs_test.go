package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
)

func TestFilesAreMoved(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, data string) {
		other := filepath.Join(t.TempDir(), "other")
		home := "disk:" + data
		if o := run(t, data, "", 0, "blobs", "status"); o.Stdout != "Files are kept in "+home+"\n" {
			t.Errorf("%+v", o)
		}
		o := run(t, data, "", 0, "blobs", "copy", "--to", "disk:"+other, "--dry-run")
		contains(t, "the dry run", o.Stdout, "From "+home+" to disk:"+other+", which works: 0 files, 0 B.")
		o = run(t, data, "", 0, "blobs", "copy", "--to", "disk:"+other)
		contains(t, "the copy", o.Stdout, "Files are kept in disk:"+other+"\n",
			"The settings say "+home+". Change them: blobs.folder = \""+other+"\"\n", "They were moved from "+home, "rm -r '"+data+"/blobs'\n")
		o = run(t, data, "", 0, "doctor")
		contains(t, "doctor", o.Stdout, "\nFiles:\nFiles are kept in disk:"+other, "Change them: ")
		o = run(t, data, "", 1, "blobs", "copy", "--to", "disk:"+other)
		contains(t, "the same again", o.Stderr, "already")
		o = run(t, data, "", 0, "blobs", "copy", "--to", "disk:")
		if !strings.HasPrefix(o.Stdout, "Files are kept in "+home+"\nThey were moved from disk:"+other+" on ") {
			t.Errorf("%+v", o)
		}
		o = run(t, data, "", 1, "blobs", "cancel")
		contains(t, "cancel", o.Stderr, "No files are being moved.")
		o = run(t, data, "", 1, "blobs", "copy", "--to", "s3://bucket/x")
		contains(t, "a bucket", o.Stderr, "section s3", "s3.endpoint", "s3.access_key")
		run(t, data, "", 1, "blobs", "use", "disk:"+other)
	})
}

func TestACopyIsWatchedAndItsServerStops(t *testing.T) {
	t.Parallel()
	p := apptest.Serve(t, filepath.Join(t.TempDir(), "data"))
	p.NewUser("owner@example.org")
	p.Key = p.NewKey("owner@example.org")
	for i := range 5 {
		p.Add("a.jpg", apptest.JPEG(60, 40, uint64(i)))
	}
	p.Terminate()
	// There is never so much room, so that the copy waits.
	full := []string{"--config", settings(t, "[blobs]\nmin_free_bytes = 4_000_000_000_000_000_000\n")}
	q := apptest.Serve(t, p.Data, full...)
	other := filepath.Join(t.TempDir(), "other")
	ended := make(chan apptest.Output)
	go func() {
		ended <- apptest.Run(t, "", "blobs", "copy", "--to", "disk:"+other, "--data", p.Data)
	}()
	for until := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		s, err := q.Control().Blobs(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if s.Waiting != "" {
			break
		}
		if time.Now().After(until) {
			t.Fatalf("it does not wait: %+v", s)
		}
	}
	contains(t, "the status", run(t, p.Data, "", 0, "blobs", "status").Stdout, "It waits, and will try again: ",
		"Files are being moved from disk:"+p.Data+" to disk:"+other+": 0%, 0 of 5 files", "no space left")
	q.Terminate()
	if o := <-ended; o.Status != 1 || !strings.Contains(o.Stderr, "when it is started again, it goes on with the copy") {
		t.Errorf("%+v", o)
	}
	contains(t, "the status", run(t, p.Data, "", 0, "blobs", "status").Stdout, "to disk:"+other, "No server runs. It goes on when one starts")
	// Without a server, and with room, the command goes on.
	o := run(t, p.Data, "", 0, "blobs", "copy", "--to", "disk:"+other)
	contains(t, "the copy", o.Stdout, "Files are kept in disk:"+other+"\n")
	if files, err := filepath.Glob(filepath.Join(other, "blobs", "*", "*", "*")); err != nil || len(files) != 5 {
		t.Errorf("%v %v", files, err)
	}
}

func settings(t *testing.T, text string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "picora.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
