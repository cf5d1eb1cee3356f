package store

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"picora/store/kv"
)

//go:generate go tool msgp -tests=false -io=false -o event_gen.go

//msgp:timezone utc
//msgp:ignore EventQuery

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

// AddEvent writes e into the audit log, with a new id and the time. What comes in the
// same millisecond as the line before gets the next one: the log is read in the order of
// its times.
func (s *Store) AddEvent(ctx context.Context, e Event) error {
	e.ID, e.Time, e.Agent = NewID(IDLen), s.Now(), Clip(e.Agent, 256)
	e.Detail = maps.Clone(e.Detail)
	for k, v := range e.Detail {
		e.Detail[k] = Clip(v, 1000)
	}
	now := e.Time
	return s.db.Update(ctx, func(tx kv.Tx) error {
		e.Time = now
		last := kv.Prefix(keyEvents)
		last.Reverse = true
		for x, err := range tx.Scan(last) {
			if err != nil {
				return err
			}
			before := timeOf(x.Key[len(keyEvents):])
			if ahead := before.Sub(now); ahead >= 0 && ahead < time.Second { // else the clock was set back
				e.Time = before.Add(time.Millisecond)
			}
			break
		}
		return put(tx, keyEvent(&e), &e)
	})
}

// Clip is s, or its first most bytes: strangers choose some of what records hold.
func Clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}

// EventQuery chooses lines of the audit log. Zero fields do not restrict.
type EventQuery struct {
	Actor, Subject string
	Action         string    // the whole, or the noun alone
	From, To       time.Time // From <= time < To
	After          string    // next of the page before
	Limit          int
}

func (q *EventQuery) match(e *Event) bool {
	return (q.Actor == "" || e.Actor == q.Actor) && (q.Subject == "" || e.Subject == q.Subject) &&
		(q.Action == "" || e.Action == q.Action || strings.HasPrefix(e.Action, q.Action+"."))
}

// eventScan bounds the lines that one page of the audit log looks at.
const eventScan = 10_000

// Events lists lines of the audit log, the newest first. Next is empty at the end. One
// call looks at a bounded number of lines: a page may be short, or empty, and still have
// a next.
func (s *Store) Events(ctx context.Context, q EventQuery) (list []Event, next string, err error) {
	r := between(keyEvents, q.From, q.To)
	r.Reverse = true
	if after := append(keyEvents[:len(keyEvents):len(keyEvents)], q.After...); q.After != "" && bytes.Compare(after, r.To) < 0 {
		r.To = after
	}
	err = s.db.View(ctx, func(tx kv.Reader) error {
		list, next = nil, ""
		seen, last := 0, ""
		for x, err := range tx.Scan(r) {
			if err != nil {
				return err
			}
			if seen++; seen > eventScan {
				next = last
				return nil
			}
			var e Event
			if _, err := e.UnmarshalMsg(x.Value); err != nil {
				return fmt.Errorf("store: record under %q is damaged: %w", x.Key, err)
			}
			if q.match(&e) {
				if len(list) == q.Limit {
					next = timeKey(list[q.Limit-1].Time) + list[q.Limit-1].ID
					return nil
				}
				list = append(list, e)
			}
			last = string(x.Key[len(keyEvents):])
		}
		return nil
	})
	return list, next, err
}

// DeleteEvents removes the lines of the audit log from before that time, and returns how
// many.
func (s *Store) DeleteEvents(ctx context.Context, before time.Time) (n int, err error) {
	const batch = 500
	r := between(keyEvents, time.Time{}, before)
	for {
		var gone int
		err := s.db.Update(ctx, func(tx kv.Tx) error {
			var keys [][]byte
			for e, err := range tx.Scan(r) {
				if err != nil {
					return err
				}
				if keys = append(keys, bytes.Clone(e.Key)); len(keys) == batch {
					break
				}
			}
			for _, k := range keys {
				if err := tx.Delete(k); err != nil {
					return err
				}
			}
			gone = len(keys)
			return nil
		})
		if n += gone; err != nil || gone < batch {
			return n, err
		}
	}
}
