package store

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"picora/store/kv"
)

//go:generate go tool msgp -tests=false -io=false -o watermark_gen.go

//msgp:timezone utc

// Watermark is a text or a picture of a user's that can be laid over their pictures.
// What the fields of its looks mean, package media says (Mark).
type Watermark struct {
	ID   string `msg:"id"`
	User string `msg:"user"`
	Name string `msg:"name"`

	Text   string `msg:"text"`   // empty: it is a picture
	Colour string `msg:"colour"` // of the text, "rrggbb"
	Image  string `msg:"image"`  // id of the picture that it was made of, which may be gone
	Blob   string `msg:"blob"`   // key of its own copy of that, a PNG

	Scale   float64 `msg:"scale"`
	Place   string  `msg:"place"`
	Margin  float64 `msg:"margin"`
	Opacity float64 `msg:"opacity"`
	Tiled   bool    `msg:"tiled"`
	Rotate  int     `msg:"rotate"`

	Created time.Time `msg:"created"`
	Updated time.Time `msg:"updated"`
}

// ErrFull says that there are as many as there may be.
var ErrFull = errors.New("store: full")

// CreateWatermark adds w under a new id. ErrFull when the user has the most already.
func (s *Store) CreateWatermark(ctx context.Context, w Watermark, most int) (Watermark, error) {
	w.ID, w.Created = NewID(IDLen), s.Now()
	w.Updated = w.Created
	err := s.db.Update(ctx, func(tx kv.Tx) error {
		if err := notGone(tx, w.User); err != nil {
			return err
		}
		n := 0
		for _, err := range tx.Scan(kv.Prefix(keyWatermark(w.User, ""))) {
			if err != nil {
				return err
			}
			n++
		}
		if n >= most {
			return ErrFull
		}
		return changeWatermark(tx, nil, &w)
	})
	return w, err
}

// Watermark finds the user's watermark.
func (s *Store) Watermark(ctx context.Context, user, id string) (w Watermark, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error { return get(tx, keyWatermark(user, id), &w) })
	return w, err
}

// Watermarks lists the user's watermarks, newest first.
func (s *Store) Watermarks(ctx context.Context, user string) (list []Watermark, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		list = nil
		for e, err := range tx.Scan(kv.Prefix(keyWatermark(user, ""))) {
			if err != nil {
				return err
			}
			var w Watermark
			if err := get(tx, e.Key, &w); err != nil {
				return err
			}
			list = append(list, w)
		}
		return nil
	})
	slices.SortFunc(list, func(a, b Watermark) int { return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(b.ID, a.ID)) })
	return list, err
}

// UpdateWatermark lets edit change the user's watermark, as UpdateMedia does. A blob
// that it has no more goes into the trash.
func (s *Store) UpdateWatermark(ctx context.Context, user, id string, edit func(*Watermark) error) (w Watermark, err error) {
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		var old Watermark
		if err := get(tx, keyWatermark(user, id), &old); err != nil {
			return err
		}
		w = old
		if err := edit(&w); err != nil || w == old {
			return err
		}
		w.Updated = s.Now()
		return changeWatermark(tx, &old, &w)
	})
	return w, err
}

// DeleteWatermark ends the user's watermark, and puts its blob into the trash.
func (s *Store) DeleteWatermark(ctx context.Context, user, id string) error {
	return s.db.Update(ctx, func(tx kv.Tx) error {
		var old Watermark
		if err := get(tx, keyWatermark(user, id), &old); err != nil {
			return err
		}
		return changeWatermark(tx, &old, nil)
	})
}

// changeWatermark replaces the record old by w; nil stands for no record. It is the
// only writer of watermarks' keys.
func changeWatermark(tx kv.Tx, old, w *Watermark) error {
	if old != nil && old.Blob != "" && (w == nil || w.Blob != old.Blob) {
		if err := tx.Delete(keyBlob(old.Blob)); err != nil {
			return err
		}
		if err := tx.Put(keyTrashed(old.Blob), nil); err != nil {
			return err
		}
	}
	if w == nil {
		return tx.Delete(keyWatermark(old.User, old.ID))
	}
	if w.Blob != "" {
		if err := tx.Put(keyBlob(w.Blob), keyWatermark(w.User, w.ID)); err != nil {
			return err
		}
	}
	return put(tx, keyWatermark(w.User, w.ID), w)
}
