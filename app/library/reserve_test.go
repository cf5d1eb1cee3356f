package library

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"

	"picora/app/config"
	"picora/app/usage"
	"picora/store"
	"picora/store/blob/disk"
	"picora/store/kv"
	"picora/store/kv/memkv"
)

// watched is a database that says when something was written.
type watched struct {
	kv.DB
	written func()
}

func (w *watched) Update(ctx context.Context, fn func(kv.Tx) error) error {
	err := w.DB.Update(ctx, fn)
	if w.written != nil {
		w.written()
	}
	return err
}

// What an upload reserved is free in the moment in which its record counts.
func TestAFinishedUploadIsNeverCountedTwice(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	b, err := disk.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	db := &watched{DB: memkv.New()}
	s, err := store.Open(ctx, db, filepath.Join(dir, "backups"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	data := picture(t, small)
	plans := config.Default().Plans
	p := plans["pro"]
	p.ImageStorageBytes = int64(2 * len(data))
	plans["pro"] = p
	u := usage.New(s, plans)
	a, err := s.CreateUser(ctx, store.User{Email: "a@example.org", Plan: "pro"})
	if err != nil {
		t.Fatal(err)
	}
	l := New(s, b, config.Default().Upload, 0)
	l.UseLimits(u)
	asked := 0
	db.written = func() {
		asked++
		if err := u.MayBegin(ctx, a.ID, store.Image, int64(len(data))); err != nil {
			t.Errorf("after %d writes: %v", asked, err)
		}
	}
	if _, fresh, err := l.Add(ctx, Upload{User: a.ID, Filename: "a.png", Body: bytes.NewReader(data), Least: int64(len(data))}); err != nil || !fresh {
		t.Fatal(fresh, err)
	}
	if asked == 0 {
		t.Error("nothing was written")
	}
}
