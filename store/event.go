package store

import (
	"context"
	"time"

	"picora/store/kv"
)

//go:generate go tool msgp -tests=false -io=false -o event_gen.go

//msgp:timezone utc

// Event is a line of the audit log: who did what to whom, from where. The log holds
// what touches accounts, credentials and the server, not uploads.
type Event struct {
	ID      string            `msg:"id"`
	Time    time.Time         `msg:"time"`
	Actor   string            `msg:"actor"`   // user id; empty: nobody signed in, or the command line
	Via     string            `msg:"via"`     // id of the session; "cli" for the command line
	Action  string            `msg:"action"`  // noun.verb: session.created, apikey.revoked, user.banned
	Subject string            `msg:"subject"` // id of the user or thing it was done to
	Address string            `msg:"addr"`
	Agent   string            `msg:"agent"`
	Detail  map[string]string `msg:"detail"` // never a secret
}

// AddEvent writes e into the audit log, with a new id and the time.
func (s *Store) AddEvent(ctx context.Context, e Event) error {
	e.ID, e.Time = NewID(IDLen), s.Now()
	return s.db.Update(ctx, func(tx kv.Tx) error { return put(tx, keyEvent(&e), &e) })
}
