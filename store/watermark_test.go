package store

import (
	"errors"
	"slices"
	"testing"
	"time"
)

func TestWatermarks(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
		s.Now = func() time.Time { return now }
		var made []Watermark
		for range 3 {
			w, err := s.CreateWatermark(ctx, Watermark{User: "ann", Name: "n", Text: "© Ann", Scale: 0.5, Place: "top"}, 3)
			if err != nil || !ValidID(w.ID, IDLen) || !w.Updated.Equal(now) {
				t.Fatalf("%+v, %v", w, err)
			}
			made = append([]Watermark{w}, made...)
			now = now.Add(time.Second)
		}
		if _, err := s.CreateWatermark(ctx, Watermark{User: "ann"}, 3); !errors.Is(err, ErrFull) {
			t.Errorf("one too many: %v", err)
		}
		if _, err := s.CreateWatermark(ctx, Watermark{User: "bob"}, 3); err != nil {
			t.Errorf("another user: %v", err)
		}
		if list, err := s.Watermarks(ctx, "ann"); err != nil || !slices.Equal(list, made) {
			t.Errorf("the list is %+v, %v", list, err)
		}
		id := made[1].ID
		for _, err := range []error{
			func() error { _, err := s.Watermark(ctx, "bob", id); return err }(),
			func() error { _, err := s.UpdateWatermark(ctx, "bob", id, nil); return err }(),
			s.DeleteWatermark(ctx, "bob", id),
		} {
			if !errors.Is(err, ErrNotFound) {
				t.Errorf("another user's: %v", err)
			}
		}
		same, err := s.UpdateWatermark(ctx, "ann", id, func(*Watermark) error { return nil })
		if err != nil || same != made[1] {
			t.Errorf("an edit that changes nothing: %+v, %v", same, err)
		}
		w, err := s.UpdateWatermark(ctx, "ann", id, func(w *Watermark) error { w.Tiled = true; return nil })
		if got, _ := s.Watermark(ctx, "ann", id); err != nil || !w.Tiled || !w.Updated.Equal(now) || got != w {
			t.Errorf("after an edit: %+v, then %+v, %v", w, got, err)
		}
		if err := s.DeleteWatermark(ctx, "ann", id); err != nil {
			t.Error(err)
		}
		if _, err := s.Watermark(ctx, "ann", id); !errors.Is(err, ErrNotFound) {
			t.Errorf("after it was deleted: %v", err)
		}
	})
}

func TestTheBlobsOfWatermarks(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		w, err := s.CreateWatermark(ctx, Watermark{User: "ann", Blob: "one"}, 3)
		if err != nil {
			t.Fatal(err)
		}
		check := func(when string, trash ...string) {
			t.Helper()
			for _, b := range []string{"one", "two"} {
				if known, err := s.HasBlob(ctx, b); err != nil || known != (w.Blob == b || slices.Contains(trash, b)) {
					t.Errorf("%s: %s is known: %v, %v", when, b, known, err)
				}
			}
			if got, err := s.Trash(ctx, "", 9); err != nil || !slices.Equal(got, trash) {
				t.Errorf("%s: in the trash: %v, %v", when, got, err)
			}
		}
		check("made")
		if w, err = s.UpdateWatermark(ctx, "ann", w.ID, func(w *Watermark) error { w.Tiled = true; return nil }); err != nil {
			t.Fatal(err)
		}
		check("changed otherwise")
		if w, err = s.UpdateWatermark(ctx, "ann", w.ID, func(w *Watermark) error { w.Blob = "two"; return nil }); err != nil {
			t.Fatal(err)
		}
		check("with another blob", "one")
		if err := s.DeleteWatermark(ctx, "ann", w.ID); err != nil {
			t.Fatal(err)
		}
		check("deleted", "one", "two")
	})
}
