package blobtest

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"picora/store/blob"
)

func testPutFile(t *testing.T, s blob.Store) {
	path := filepath.Join(t.TempDir(), "file")
	want := content(3, 300_000)
	if err := os.WriteFile(path, want, 0o600); err != nil {
		t.Fatal(err)
	}
	key := blob.NewKey(time.Now())
	info, err := s.PutFile(t.Context(), key, path)
	if err != nil {
		t.Fatal(err)
	}
	checkInfo(t, "PutFile", info, key, len(want))
	if err := os.Remove(path); err != nil { // whatever became of it, it is the caller's
		t.Fatal(err)
	}
	wantContent(t, s, key, want)
	if err := os.WriteFile(path, want, 0o644); err != nil { // others may read it: it is copied
		t.Fatal(err)
	}
	if _, err := s.PutFile(t.Context(), key, path); !errors.Is(err, blob.ErrExists) {
		t.Errorf("the same key again: %v", err)
	}
	other := blob.NewKey(time.Now())
	if _, err := s.PutFile(t.Context(), other, path); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	wantContent(t, s, other, want)
	gone := blob.NewKey(time.Now())
	if _, err := s.PutFile(t.Context(), gone, path+"-not"); err == nil {
		t.Error("a file that is not there was stored")
	}
	wantNothing(t, s, gone)
}
