package store

import (
	"encoding/binary"
	"errors"
	"time"

	"picora/store/kv"
)

//go:generate go tool msgp -unexported -tests=false -io=false -o number_gen.go

// tally is how far the numbers of a user's records have come.
type tally struct {
	Number uint32 `msg:"num"`
	Seq    uint64 `msg:"seq"`
}

// number gives the record that old becomes its numbers, and writes down what went. A
// sequence number is given to what the owner sees as a change, so those who follow the
// changes see each once, whatever the clock does. What went, went at the time at.
func number(tx kv.Tx, old, m *Media, at time.Time) error {
	lives, lived := m != nil && !m.Trashed(), old != nil && !old.Trashed()
	fresh := m != nil && m.Number == 0
	if lives == lived && !fresh && (!lives || m.Updated.Equal(old.Updated)) {
		return nil
	}
	owner := m
	if m == nil {
		owner = old
	}
	var t tally
	if err := get(tx, keyTally(owner.User), &t); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if fresh {
		t.Number++
		m.Number = t.Number
	}
	t.Seq++
	if lives {
		m.Seq = t.Seq
	} else if lived && !at.IsZero() {
		b := string(byte(old.Kind)) + timeKey(at) + old.ID
		if err := tx.Put(keyTombstone(owner.User, t.Seq), []byte(b)); err != nil {
			return err
		}
	}
	return put(tx, keyTally(owner.User), &t)
}

// numberOf reads what four wrote.
func numberOf(b []byte) uint32 { return binary.BigEndian.Uint32(b) }
