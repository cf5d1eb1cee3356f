package store

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"picora/store/kv"
)

//go:generate go tool msgp -tests=false -io=false -o announcement_gen.go

//msgp:timezone utc

// Announcement is a notification to everybody who has an account when it is made. It is
// sent in batches, and how far it got is part of the record: a stop in between loses
// nothing and sends nothing twice.
type Announcement struct {
	ID      string    `msg:"id"`
	Title   string    `msg:"title"`
	Body    string    `msg:"body"`
	Link    string    `msg:"link"`
	Creator string    `msg:"creator"` // user id
	Created time.Time `msg:"created"`
	Sent    int       `msg:"sent"` // to so many
	Last    string    `msg:"last"` // id of the last of them
	Done    time.Time `msg:"done"` // zero: some have not got it yet
}

// CreateAnnouncement adds a, to be sent by SendAnnouncements.
func (s *Store) CreateAnnouncement(ctx context.Context, a Announcement) (Announcement, error) {
	a.ID, a.Created = NewID(IDLen), s.Now()
	err := s.db.Update(ctx, func(tx kv.Tx) error {
		for _, k := range [][]byte{keyAnnouncedPlace(&a), keyAnnouncing(a.ID)} {
			if err := tx.Put(k, nil); err != nil {
				return err
			}
		}
		return put(tx, keyAnnounced(a.ID), &a)
	})
	return a, err
}

// Announcements lists at most limit announcements, the newest first, from where the page
// before ended; next is empty at the end.
func (s *Store) Announcements(ctx context.Context, after string, limit int) (list []Announcement, next string, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		list, next = nil, ""
		prefix := keyAnnouncedPlaces
		for e, err := range tx.Scan(backFrom(prefix, after)) {
			if err != nil {
				return err
			}
			if len(list) == limit {
				return nil
			}
			place := string(e.Key[len(prefix):])
			var a Announcement
			if err := get(tx, keyAnnounced(place[8:]), &a); err != nil {
				return err
			}
			list, next = append(list, a), place
		}
		next = ""
		return nil
	})
	return list, next, err
}

// DeleteAnnouncement ends the announcement: who has not got it yet will not. The
// notifications that were sent stay.
func (s *Store) DeleteAnnouncement(ctx context.Context, id string) error {
	return s.db.Update(ctx, func(tx kv.Tx) error {
		var a Announcement
		if err := get(tx, keyAnnounced(id), &a); err != nil {
			return err
		}
		for _, k := range [][]byte{keyAnnouncedPlace(&a), keyAnnouncing(id), keyAnnounced(id)} {
			if err := tx.Delete(k); err != nil {
				return err
			}
		}
		return nil
	})
}

// SendAnnouncements sends a batch of what was announced, and reports whether there is
// more to send.
func (s *Store) SendAnnouncements(ctx context.Context, batch int) (more bool, err error) {
	now := s.Now()
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		more = false
		var id string
		for e, err := range tx.Scan(kv.Prefix(keyAnnouncings)) {
			if err != nil {
				return err
			}
			id = string(e.Key[len(keyAnnouncings):])
			break
		}
		if id == "" {
			return nil
		}
		more = true
		var a Announcement
		if err := get(tx, keyAnnounced(id), &a); err != nil {
			return err
		}
		return send(tx, &a, batch, now)
	})
	return more, err
}

// send notifies the next users of the announcement.
func send(tx kv.Tx, a *Announcement, batch int, now time.Time) error {
	r := kv.Prefix(keyUsers)
	if a.Last != "" {
		r.From = append(keyUser(a.Last), 0)
	}
	var to []string // a scan is not written under
	seen := 0
	for e, err := range tx.Scan(r) {
		if err != nil {
			return err
		}
		var u User
		if _, err := u.UnmarshalMsg(e.Value); err != nil {
			return fmt.Errorf("store: record under %q is damaged: %w", e.Key, err)
		}
		a.Last = string(bytes.Clone(e.Key[len(keyUsers):]))
		if !u.Created.After(a.Created) {
			to = append(to, u.ID)
		}
		if seen++; seen == batch {
			break
		}
	}
	for _, user := range to {
		n := Notification{ID: NewID(IDLen), User: user, Type: "system", Title: a.Title, Body: a.Body, Link: a.Link, Created: now, About: AboutNews}
		if err := notify(tx, &n); err != nil {
			return err
		}
	}
	if a.Sent += len(to); seen < batch {
		a.Done = now
		if err := tx.Delete(keyAnnouncing(a.ID)); err != nil {
			return err
		}
	}
	return put(tx, keyAnnounced(a.ID), a)
}
