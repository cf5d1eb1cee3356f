package store

import (
	"context"
	"errors"
	"time"

	"picora/store/kv"
)

// ErrLastAdmin says that the server would be left without anybody who administers it.
var ErrLastAdmin = errors.New("store: the last administrator")

// administers reports whether u can administer the server.
func administers(u *User) bool { return u.Admin && u.Banned.IsZero() }

// changeAdmin keeps the index of administrators when an account comes, changes or goes;
// a zero User stands for none. ErrLastAdmin when nobody else would be left. It reads the
// others in the same transaction: two who demote each other at once cannot both succeed.
func changeAdmin(tx kv.Tx, id string, old, u *User) error {
	if administers(old) && !administers(u) {
		list, err := admins(tx)
		if err != nil {
			return err
		}
		others := 0
		for i := range list {
			if list[i].ID != id && administers(&list[i]) {
				others++
			}
		}
		if others == 0 {
			return ErrLastAdmin
		}
	}
	switch {
	case u.Admin && !old.Admin:
		return tx.Put(keyAdmin(id), nil)
	case old.Admin && !u.Admin:
		return tx.Delete(keyAdmin(id))
	}
	return nil
}

// admins lists the administrators, banned ones too.
func admins(tx kv.Reader) (list []User, err error) {
	for e, err := range tx.Scan(kv.Prefix(keyAdmins)) {
		if err != nil {
			return nil, err
		}
		var u User
		err := get(tx, keyUser(string(e.Key[len(keyAdmins):])), &u)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, u)
	}
	return list, nil
}

// Admins lists the administrators whose accounts may be used.
func (s *Store) Admins(ctx context.Context) (list []User, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		all, err := admins(tx)
		list = nil
		for _, u := range all {
			if administers(&u) {
				list = append(list, u)
			}
		}
		return err
	})
	return list, err
}

// NotifyAdmins adds n for every administrator.
func (s *Store) NotifyAdmins(ctx context.Context, n Notification) error {
	list, err := s.Admins(ctx)
	for _, u := range list {
		n.User = u.ID
		err = errors.Join(err, s.Notify(ctx, n))
	}
	return err
}

// Ban ends the use of an account and its sessions, and returns how many those were.
// Its keys stay, and are refused while it lasts. ErrLastAdmin for the last one.
func (s *Store) Ban(ctx context.Context, id, reason string) (u User, ended int, err error) {
	now := s.Now()
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		ended = 0
		if u, err = updateUser(tx, id, func(u *User) error {
			if u.Banned.IsZero() {
				u.Banned = now
			}
			u.BanReason = reason
			return nil
		}); err != nil {
			return err
		}
		list, err := sessions(tx, id)
		if err != nil {
			return err
		}
		for _, x := range list {
			if err := deleteSession(tx, x); err != nil {
				return err
			}
		}
		ended = len(list)
		return nil
	})
	return u, ended, err
}

// userScan bounds the accounts that one page of a search looks at.
const userScan = 5000

// FindUsers lists at most limit of the accounts that match likes, by e-mail, from where
// the page before ended. Next is empty at the end. One call looks at a bounded number of
// accounts: a page may be short, or empty, and still have a next.
func (s *Store) FindUsers(ctx context.Context, match func(*User) bool, after string, limit int) (list []User, next string, err error) {
	r := kv.Prefix(keyUserEmails)
	if after != "" {
		r.From = append(keyUserEmail(after), 0)
	}
	err = s.db.View(ctx, func(tx kv.Reader) error {
		list, next = nil, ""
		seen, last := 0, ""
		for e, err := range tx.Scan(r) {
			if err != nil {
				return err
			}
			if seen++; seen > userScan {
				next = last
				return nil
			}
			var u User
			if err := get(tx, keyUser(string(e.Value)), &u); errors.Is(err, ErrNotFound) {
				continue
			} else if err != nil {
				return err
			}
			if match(&u) {
				if len(list) == limit {
					next = FoldEmail(list[limit-1].Email)
					return nil
				}
				list = append(list, u)
			}
			last = string(e.Key[len(keyUserEmails):])
		}
		return nil
	})
	return list, next, err
}

// Totals is what the whole server holds.
type Totals struct {
	Users, Admins int64
	Kinds         map[Kind]Count
	Months        []Traffic // the last twelve, this one last; what accounts did that are gone is gone
	Unseen        int64     // pictures that wait to be looked at; at most mostWaiting
	Trash         int64     // blobs that wait to be deleted; at most mostWaiting
	At            time.Time
}

// mostWaiting is where Totals stops counting what waits.
const mostWaiting = 100_000

// totalMonths is how many months Totals sums up.
const totalMonths = 12

// Totals counts everything. It reads some keys of every account: ask rarely.
func (s *Store) Totals(ctx context.Context) (t Totals, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) (err error) {
		t = Totals{Kinds: map[Kind]Count{}, Months: lastMonths(s.Now(), totalMonths), At: s.Now()}
		if t.Users, err = count(tx, keyUserEmails, -1); err != nil {
			return err
		}
		if t.Admins, err = count(tx, keyAdmins, -1); err != nil {
			return err
		}
		if t.Unseen, err = count(tx, keyUnseen, mostWaiting); err != nil {
			return err
		}
		if t.Trash, err = count(tx, keyTrash, mostWaiting); err != nil {
			return err
		}
		for e, err := range tx.Scan(kv.Prefix(keyCounts)) {
			if err != nil {
				return err
			}
			var c Count
			if _, err := c.UnmarshalMsg(e.Value); err != nil {
				return err
			}
			k := Kind(e.Key[len(e.Key)-1])
			sum := t.Kinds[k]
			t.Kinds[k] = Count{N: sum.N + c.N, Public: sum.Public + c.Public, Bytes: sum.Bytes + c.Bytes}
		}
		for e, err := range tx.Scan(kv.Prefix(keyMonths)) {
			if err != nil {
				return err
			}
			if err := addMonth(t.Months, string(e.Key[len(e.Key)-len("2006-01"):]), e.Value); err != nil {
				return err
			}
		}
		return nil
	})
	return t, err
}

// count counts the keys with the prefix, up to most; all when it is negative.
func count(tx kv.Reader, prefix []byte, most int64) (n int64, err error) {
	for _, err := range tx.Scan(kv.Prefix(prefix)) {
		if err != nil {
			return n, err
		}
		if n++; n == most {
			break
		}
	}
	return n, nil
}
