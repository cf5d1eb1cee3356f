package store

import (
	"context"
	"errors"
	"slices"
	"time"

	"picora/store/kv"
)

//go:generate go tool msgp -tests=false -io=false -o notification_gen.go

//msgp:timezone utc

// Notification is a message to one user, shown in the dashboard.
type Notification struct {
	ID      string    `msg:"id"`
	User    string    `msg:"user"`
	Type    string    `msg:"type"` // "system" or "campaign" (contract 18.2)
	Title   string    `msg:"title"`
	Body    string    `msg:"body"`
	Link    string    `msg:"link"` // path on this server, or empty
	Created time.Time `msg:"created"`
	Read    time.Time `msg:"read"` // zero: not yet
	// About says what it is about, of NoticesAbout: who does not want such gets none. Empty:
	// everybody gets it, as what touches an account's safety.
	About string `msg:"about"`
}

// What notifications are about that a user may not want.
const (
	AboutLimits = "limits" // storage and traffic that run out
	AboutMedia  = "media"  // work on their files that failed
	AboutNews   = "news"   // announcements
)

// NoticesAbout are all of those.
var NoticesAbout = []string{AboutLimits, AboutMedia, AboutNews}

// mostNotices is how many notifications of a user are kept; the oldest go. It bounds
// what counting and reading them costs.
const mostNotices = 500

// Notify adds n, unread, with a new id and the time. To a user who is gone, or
// never was, or wants no such notification, it does nothing.
func (s *Store) Notify(ctx context.Context, n Notification) error {
	n.ID, n.Created, n.Read = NewID(IDLen), s.Now(), time.Time{}
	return s.db.Update(ctx, func(tx kv.Tx) error { return notify(tx, &n) })
}

func notify(tx kv.Tx, n *Notification) error {
	if gone, err := isGone(tx, n.User); err != nil || gone {
		return err
	}
	var u User
	if err := get(tx, keyUser(n.User), &u); errors.Is(err, ErrNotFound) {
		return nil
	} else if err != nil || n.About != "" && slices.Contains(u.Muted, n.About) {
		return err
	}
	if err := dropNotices(tx, n.User, mostNotices-1); err != nil {
		return err
	}
	if err := tx.Put(keyUnread(n), nil); err != nil {
		return err
	}
	return put(tx, keyNotice(n), n)
}

// dropNotices deletes the user's oldest notifications but for the newest keep.
func dropNotices(tx kv.Tx, user string, keep int) error {
	prefix := noticesOf(user)
	old, err := some(tx, prefix, mostNotices+10)
	if err != nil {
		return err
	}
	for _, k := range old[:max(0, len(old)-keep)] {
		if err := tx.Delete(k); err != nil {
			return err
		}
		if err := tx.Delete(key("nu", string(k[2:]))); err != nil {
			return err
		}
	}
	return nil
}

// Notifications lists up to limit of the user's notifications, newest first, from the
// one behind the place after on; next is the place where the list goes on, empty at
// its end.
func (s *Store) Notifications(ctx context.Context, user, after string, limit int) (list []Notification, next string, err error) {
	prefix := noticesOf(user)
	r := kv.Prefix(prefix)
	r.Reverse = true
	if after != "" {
		r.To = append(slices.Clone(prefix), after...)
	}
	err = s.db.View(ctx, func(tx kv.Reader) error {
		list, next = nil, ""
		for e, err := range tx.Scan(r) {
			if err != nil {
				return err
			}
			if len(list) == limit {
				last := &list[limit-1]
				next = timeKey(last.Created) + last.ID
				return nil
			}
			var n Notification
			if _, err := n.UnmarshalMsg(e.Value); err != nil {
				return err
			}
			list = append(list, n)
		}
		return nil
	})
	return list, next, err
}

// Unread counts the user's notifications that were not read.
func (s *Store) Unread(ctx context.Context, user string) (n int, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		n = 0
		for _, err := range tx.Scan(kv.Prefix(unreadOf(user))) {
			if err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}

// MarkRead notes that those of the user's notifications were read whose ids are given,
// or all when ids is nil, and returns how many were not before.
func (s *Store) MarkRead(ctx context.Context, user string, ids []string) (n int, err error) {
	now := s.Now()
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		n = 0
		keys, err := some(tx, unreadOf(user), mostNotices+10)
		if err != nil {
			return err
		}
		for _, k := range keys {
			if ids != nil && !slices.Contains(ids, string(k[len(k)-IDLen:])) {
				continue
			}
			var x Notification
			of := key("no", string(k[2:]))
			if err := get(tx, of, &x); err != nil {
				return err
			}
			x.Read = now
			if err := put(tx, of, &x); err != nil {
				return err
			}
			if err := tx.Delete(k); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}
