package store

import (
	"context"
	"strings"
	"time"

	"picora/store/kv"
)

//go:generate go tool msgp -tests=false -io=false -o upload_gen.go

//msgp:timezone utc

// Upload is a file that comes in pieces (tus) or is fetched from another server, or one
// that came so lately. How much of it is there, its file says.
type Upload struct {
	ID       string `msg:"id"`
	User     string `msg:"user"`
	Kind     Kind   `msg:"kind"`    // 0: a part of another upload that did not say, or a file that was not seen yet
	Length   int64  `msg:"length"`  // bytes of the whole; 0: the server that has it did not say yet
	Durable  int64  `msg:"durable"` // so many of them are on the disk for certain; there may be more
	Metadata string `msg:"meta"`    // as it was sent (Upload-Metadata)
	Concat   string `msg:"concat"`  // as it was sent (Upload-Concat): empty, partial, or final and its parts

	Filename   string   `msg:"name"`
	Title      string   `msg:"title"`
	Public     *bool    `msg:"public"` // nil: as usual
	Collection string   `msg:"kb"`
	Tags       []string `msg:"tags"`
	KeepMeta   *bool    `msg:"keep"` // nil: as usual

	URL       string `msg:"url"`       // where it is fetched from; empty: it is sent
	Validator string `msg:"validator"` // tells that the file there is still the same

	Created time.Time `msg:"created"`
	Expires time.Time `msg:"expires"` // it is forgotten then

	// Of one that is complete: the record that it became.
	Media     string    `msg:"media"`
	Duplicate bool      `msg:"dup"` // the record was there before
	Ended     time.Time `msg:"ended"`

	// Of one that was fetched and became none: why, as an error's code, sentence and
	// further facts (JSON).
	FaultCode string `msg:"fcode"`
	Fault     string `msg:"fault"`
	FaultMeta []byte `msg:"fmeta"`
}

// Done reports whether it became a record.
func (u *Upload) Done() bool { return u.Media != "" }

// Open reports whether it may still become a record.
func (u *Upload) Open() bool { return u.Ended.IsZero() && !u.Done() }

// Partial reports whether it is a part of another upload.
func (u *Upload) Partial() bool { return u.Concat == "partial" }

// Final reports whether it is made of parts.
func (u *Upload) Final() bool { return strings.HasPrefix(u.Concat, "final") }

// CreateUpload adds u under a new id. ErrFull when the user has the most that are open.
func (s *Store) CreateUpload(ctx context.Context, u Upload, most int) (Upload, error) {
	u.ID, u.Created = NewID(IDLen), s.Now()
	err := s.db.Update(ctx, func(tx kv.Tx) error {
		if err := notGone(tx, u.User); err != nil {
			return err
		}
		n := 0
		for e, err := range tx.Scan(kv.Prefix(keyUpload(u.User, ""))) {
			if err != nil {
				return err
			}
			var o Upload
			if err := get(tx, e.Key, &o); err != nil {
				return err
			}
			if o.Open() {
				n++
			}
		}
		if n >= most {
			return ErrFull
		}
		return put(tx, keyUpload(u.User, u.ID), &u)
	})
	return u, err
}

// Upload finds the user's upload.
func (s *Store) Upload(ctx context.Context, user, id string) (u Upload, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error { return get(tx, keyUpload(user, id), &u) })
	return u, err
}

// ChangeUpload has edit change the user's upload.
func (s *Store) ChangeUpload(ctx context.Context, user, id string, edit func(*Upload)) (u Upload, err error) {
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		u = Upload{}
		if err := get(tx, keyUpload(user, id), &u); err != nil {
			return err
		}
		edit(&u)
		return put(tx, keyUpload(user, id), &u)
	})
	return u, err
}

// RemoveUpload forgets the user's upload. One that is not there is no error.
func (s *Store) RemoveUpload(ctx context.Context, user, id string) error {
	err := s.db.Update(ctx, func(tx kv.Tx) error { return tx.Delete(keyUpload(user, id)) })
	return ignoreNotFound(err)
}

// Uploads lists up to n uploads of all users, those behind after, which is user and id of
// the last one of the list before.
func (s *Store) Uploads(ctx context.Context, after string, n int) (list []Upload, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		list = nil
		in := kv.Prefix(keyUpload("", ""))
		if after != "" {
			in.From = append(keyUpload(after, ""), 0)
		}
		for e, err := range tx.Scan(in) {
			if err != nil {
				return err
			}
			if len(list) == n {
				return nil
			}
			var u Upload
			if err := get(tx, e.Key, &u); err != nil {
				return err
			}
			list = append(list, u)
		}
		return nil
	})
	return list, err
}
