package library

import (
	"errors"
	"strings"
	"testing"
	"time"

	"picora/app/config"
	"picora/store"
)

func TestARemovalIsFinishedAfterACrash(t *testing.T) {
	s := newShelf(t)
	ctx := t.Context()
	u, err := s.store.CreateUser(ctx, store.User{Email: "ann@example.org"})
	if err != nil {
		t.Fatal(err)
	}
	var blobs []string
	add := func() error {
		key := s.put(time.Now())
		blobs = append(blobs, key)
		_, _, err := s.store.CreateMedia(ctx, store.Media{
			ID: store.NewID(store.ImageIDLen), User: u.ID, Kind: store.Image, Blob: key, Hash: []byte(strings.Repeat(key, 2))[:32],
		})
		return err
	}
	for range removeBatch + 5 { // more than a portion
		if err := add(); err != nil {
			t.Fatal(err)
		}
	}
	forgot := false
	s.OnForget(func() { forgot = true })
	early := s.intakes.begin(0) // an upload that was let in before
	time.Sleep(2 * time.Millisecond)
	if err := s.RemoveAccount(ctx, u.ID); err != nil || !forgot {
		t.Fatal(err, forgot)
	}
	// The process ends here, and begins again.
	l := New(s.store, s.blobs, config.Default().Upload, 0)
	marks := func(l *Library, want int) {
		t.Helper()
		if err := l.FinishRemovals(ctx); err != nil {
			t.Fatal(err)
		}
		list, err := s.store.Removals(ctx)
		if err != nil || len(list) != want {
			t.Errorf("%d marks, %v; want %d", len(list), err, want)
		}
	}
	marks(l, 1)
	if n, err := l.EmptyTrash(ctx); err != nil || n != len(blobs) {
		t.Errorf("%d files deleted, %v; want %d", n, err, len(blobs))
	}
	for _, b := range blobs {
		if s.there(b) {
			t.Fatalf("%s is there", b)
		}
	}
	if err := add(); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an upload that was under way: %v", err)
	}
	now := s.store.Now
	s.store.Now = func() time.Time { return now().Add(requestMost) }
	marks(s.Library, 1) // this one's upload is still at work
	s.intakes.end(early)
	marks(s.Library, 0)
	if err := l.RemoveAccount(ctx, u.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("again: %v", err)
	}
}
