package store

import (
	"context"
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
}

// Notify adds n, unread, with a new id and the time.
func (s *Store) Notify(ctx context.Context, n Notification) error {
	n.ID, n.Created, n.Read = NewID(IDLen), s.Now(), time.Time{}
	return s.db.Update(ctx, func(tx kv.Tx) error { return notify(tx, &n) })
}

func notify(tx kv.Tx, n *Notification) error {
	if err := tx.Put(keyUnread(n), nil); err != nil {
		return err
	}
	return put(tx, keyNotice(n), n)
}
