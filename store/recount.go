package store

import (
	"context"
	"errors"
	"fmt"

	"picora/store/kv"
)

//go:generate go tool msgp -unexported -tests=false -io=false -o recount_gen.go

//msgp:ignore Drift

// recount is a count of all of a user's records that is under way. It goes through
// them in their order, some at a time; whatever changes among those that it has
// passed, change adds here too, so that it is exact when it arrives at the end.
type recount struct {
	At     string  `msg:"at"`     // where in their order the last record is that was counted
	Counts []Count `msg:"counts"` // by kind
	// Within is what is in collections, by their ids and by kind.
	Within map[string][]Count `msg:"within"`
}

// Drift is a count that was not what the records say.
type Drift struct {
	Kind       Kind
	Was, Are   Count
	Collection string // whose count it is; empty: the user's
}

// recountStep is how many records are counted in one transaction: writers wait so
// long, a millisecond or two.
const recountStep = 500

// kinds is one more than the largest Kind.
const kinds = Doc + 1

// Recount counts all of the user's records, and puts right what was counted wrong. It
// is exact while records come and go. There is one at a time of a user.
func (s *Store) Recount(ctx context.Context, user string) (wrong []Drift, err error) {
	if done, err := s.countsRight(ctx, user); done || err != nil {
		return nil, err
	}
	// What a recount left that broke off may be of another history: a restored database.
	if err := s.db.Update(ctx, func(tx kv.Tx) error {
		return put(tx, keyRecount(user), &recount{Counts: make([]Count, kinds)})
	}); err != nil {
		return nil, err
	}
	for done := false; !done; {
		err := s.db.Update(ctx, func(tx kv.Tx) error {
			done, wrong, err = recountMore(tx, user)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("store: recount of %s: %w", user, err)
		}
	}
	return wrong, nil
}

// countsRight compares the counts of a user with few records, without a transaction
// that writes. It reports false when they are wrong, or when there are many records.
func (s *Store) countsRight(ctx context.Context, user string) (right bool, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		rc := recount{Counts: make([]Count, kinds)}
		n, err := rc.count(tx, user)
		if err != nil || n == recountStep {
			return err
		}
		wrong, err := rc.compare(tx, user)
		right = err == nil && len(wrong) == 0
		return err
	})
	return right, err
}

func recountMore(tx kv.Tx, user string) (done bool, wrong []Drift, err error) {
	var rc recount
	if err := get(tx, keyRecount(user), &rc); err != nil {
		return false, nil, err
	}
	n, err := rc.count(tx, user)
	if err != nil {
		return false, nil, err
	}
	if n == recountStep {
		return false, nil, put(tx, keyRecount(user), &rc)
	}
	if wrong, err = rc.compare(tx, user); err != nil {
		return false, nil, err
	}
	for _, d := range wrong {
		if err := d.repair(tx, user); err != nil {
			return false, nil, err
		}
	}
	return true, wrong, tx.Delete(keyRecount(user))
}

// repair writes what is right.
func (d *Drift) repair(tx kv.Tx, user string) error {
	if d.Collection == "" {
		return put(tx, keyCount(user, d.Kind), &d.Are)
	}
	var c Collection
	if err := get(tx, keyCollection(user, d.Collection), &c); err != nil {
		return err
	}
	c.Counts = append(c.Counts, make([]Count, max(0, int(kinds)-len(c.Counts)))...)
	c.Counts[d.Kind] = d.Are
	return put(tx, keyCollection(user, c.ID), &c)
}

// add counts a record, or with -1 takes it out again.
func (rc *recount) add(m *Media, sign int64) {
	if m.Kind >= kinds {
		return
	}
	rc.Counts[m.Kind].add(m, sign)
	if id := within(m); id != "" {
		if rc.Within == nil {
			rc.Within = map[string][]Count{}
		}
		if rc.Within[id] == nil {
			rc.Within[id] = make([]Count, kinds)
		}
		rc.Within[id][m.Kind].add(m, sign)
	}
}

// in is where the record is in the order of recounts: all that live, then the trash.
func in(m *Media) string {
	if m.Trashed() {
		return "1" + spot(m)
	}
	return "0" + place(m)
}

// count goes on through the user's records, at most recountStep of them.
func (rc *recount) count(tx kv.Reader, user string) (n int, err error) {
	for _, of := range []struct {
		part   string
		prefix []byte
	}{{"0", keyPlace(user, "")}, {"1", keySpot(user, "")}} {
		if rc.At != "" && rc.At[:1] > of.part {
			continue
		}
		r := kv.Prefix(of.prefix)
		if rc.At != "" && rc.At[:1] == of.part {
			r.From = append(append(of.prefix[:len(of.prefix):len(of.prefix)], rc.At[1:]...), 0)
		}
		for e, err := range tx.Scan(r) {
			if err != nil {
				return n, err
			}
			var m Media
			if _, err := m.UnmarshalMsg(e.Value); err != nil {
				return n, fmt.Errorf("record under %q is damaged: %w", e.Key, err)
			}
			rc.At = in(&m)
			rc.add(&m, +1)
			if n++; n == recountStep {
				return n, nil
			}
		}
	}
	return n, nil
}

// compare lists the counts that are kept and not as counted.
func (rc *recount) compare(tx kv.Reader, user string) (wrong []Drift, err error) {
	for k := Image; k < kinds; k++ {
		var was Count
		if err := get(tx, keyCount(user, k), &was); err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
		if was != rc.Counts[k] {
			wrong = append(wrong, Drift{Kind: k, Was: was, Are: rc.Counts[k]})
		}
	}
	all, err := collections(tx, user)
	if err != nil {
		return nil, err
	}
	for i := range all {
		c, are := &all[i], rc.Within[all[i].ID]
		for k := Image; k < kinds; k++ {
			d := Drift{Kind: k, Was: c.Count(k), Collection: c.ID}
			if are != nil {
				d.Are = are[k]
			}
			if d.Was != d.Are {
				wrong = append(wrong, d)
			}
		}
	}
	return wrong, nil
}

// follow tells a recount that is under way of a change among what it has counted.
func follow(tx kv.Tx, owner *Media, old, m *Media) error {
	var rc recount
	if err := get(tx, keyRecount(owner.User), &rc); err != nil {
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		return err
	}
	for _, c := range []struct {
		m    *Media
		sign int64
	}{{old, -1}, {m, +1}} {
		if c.m != nil && in(c.m) <= rc.At {
			rc.add(c.m, c.sign)
		}
	}
	return put(tx, keyRecount(owner.User), &rc)
}
