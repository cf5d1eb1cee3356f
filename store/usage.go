package store

import (
	"context"
	"errors"
	"time"

	"picora/store/kv"
)

//go:generate go tool msgp -tests=false -io=false -o usage_gen.go

//msgp:timezone utc
//msgp:ignore Standing Sent Traffic

// Month is what a user did in a calendar month (UTC) that their limits count.
type Month struct {
	Uploads int64 `msg:"up"` // pictures that were taken in
	// Day is the day of the month whose uploads Today counts.
	Day   int   `msg:"day"`
	Today int64 `msg:"today"`

	Served int64 `msg:"served"` // bytes of pictures and documents that were sent
	Played int64 `msg:"played"` // bytes of audio and video that were sent
	Told   uint8 `msg:"told"`   // of which limits the user was told, one bit each
}

// Standing is how far a user has come with what the plan allows.
type Standing struct {
	User  User
	Count [kinds]Count // by Kind
	Month Month        // this one; Today is of this day
}

// monthsKept is how many months of uploads and bandwidth are kept, this one included.
const monthsKept = 13

// month is how keys write a calendar month.
func month(t time.Time) string { return t.UTC().Format("2006-01") }

// Standing reads how far the user has come. ErrNotFound when there is no such account.
func (s *Store) Standing(ctx context.Context, user string) (st Standing, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		st, err = standing(tx, user, s.Now())
		return err
	})
	return st, err
}

func standing(tx kv.Reader, user string, now time.Time) (st Standing, err error) {
	if err := get(tx, keyUser(user), &st.User); err != nil {
		return st, err
	}
	for k := Image; k < kinds; k++ {
		if err := get(tx, keyCount(user, k), &st.Count[k]); err != nil && !errors.Is(err, ErrNotFound) {
			return st, err
		}
	}
	st.Month, err = monthOf(tx, user, now)
	return st, err
}

// monthOf reads the user's month, as it is on that day.
func monthOf(tx kv.Reader, user string, now time.Time) (m Month, err error) {
	if err = get(tx, keyMonth(user, month(now)), &m); errors.Is(err, ErrNotFound) {
		err = nil
	}
	if day := now.UTC().Day(); m.Day != day {
		m.Day, m.Today = day, 0
	}
	return m, err
}

// uploaded counts an upload.
func uploaded(tx kv.Tx, user string, now time.Time) error {
	m, err := monthOf(tx, user, now)
	if err != nil {
		return err
	}
	m.Uploads++
	m.Today++
	return put(tx, keyMonth(user, month(now)), &m)
}

// Traffic is what went in and out in a calendar month.
type Traffic struct {
	Month   string // as 2026-01
	Uploads int64  // pictures
	Served  int64  // bytes of pictures and documents
	Played  int64  // bytes of audio and video
}

// lastMonths are n months, this one last, in which nothing happened yet.
func lastMonths(now time.Time, n int) []Traffic {
	now = now.UTC()
	list := make([]Traffic, n)
	for i := range list {
		list[i].Month = month(time.Date(now.Year(), now.Month()-time.Month(n-1-i), 1, 0, 0, 0, 0, time.UTC))
	}
	return list
}

// addMonth adds a record to the month of that name, if it is in the list.
func addMonth(list []Traffic, name string, record []byte) error {
	for i := range list {
		if t := &list[i]; t.Month == name {
			var m Month
			if _, err := m.UnmarshalMsg(record); err != nil {
				return err
			}
			t.Uploads, t.Served, t.Played = t.Uploads+m.Uploads, t.Served+m.Served, t.Played+m.Played
		}
	}
	return nil
}

// Months reads what the user did in the last n months, of which monthsKept are kept. This
// one is the last.
func (s *Store) Months(ctx context.Context, user string, n int) (list []Traffic, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		list = lastMonths(s.Now(), n)
		for e, err := range tx.Scan(kv.Prefix(monthsOf(user))) {
			if err != nil {
				return err
			}
			if err := addMonth(list, string(e.Key[len(monthsOf(user)):]), e.Value); err != nil {
				return err
			}
		}
		return nil
	})
	return list, err
}

// Sent is how many bytes were sent of a user's files.
type Sent struct {
	Served int64 // of pictures and documents
	Played int64 // of audio and video
}

// AddServed adds what was sent of users' files, by user id, to the month. What
// is of accounts that are gone is dropped. It returns how far each has come.
func (s *Store) AddServed(ctx context.Context, sent map[string]Sent) (after []Standing, err error) {
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		after = nil
		now := s.Now()
		for user, n := range sent {
			st, err := standing(tx, user, now)
			if errors.Is(err, ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			st.Month.Served += n.Served
			st.Month.Played += n.Played
			if err := put(tx, keyMonth(user, month(now)), &st.Month); err != nil {
				return err
			}
			after = append(after, st)
		}
		return nil
	})
	return after, err
}

// TellOnce gives the user the notification, and sets bits of Month.Told, unless one of
// others is set this month already.
func (s *Store) TellOnce(ctx context.Context, unless, bits uint8, n Notification) (told bool, err error) {
	n.ID, n.Created, n.Read = NewID(IDLen), s.Now(), time.Time{}
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		told = false
		if there, err := has(tx, keyUser(n.User)); err != nil || !there {
			return err
		}
		m, err := monthOf(tx, n.User, n.Created)
		if err != nil || m.Told&unless != 0 {
			return err
		}
		m.Told |= bits
		told = true
		if err := put(tx, keyMonth(n.User, month(n.Created)), &m); err != nil {
			return err
		}
		return notify(tx, &n)
	})
	return told, err
}

// SweepMonths deletes the user's months that are too old for anybody to ask for.
func (s *Store) SweepMonths(ctx context.Context, user string) error {
	now := s.Now().UTC()
	first := time.Date(now.Year(), now.Month()-monthsKept+1, 1, 0, 0, 0, 0, time.UTC)
	old := kv.Range{From: monthsOf(user), To: keyMonth(user, month(first))}
	err := s.db.View(ctx, func(tx kv.Reader) error {
		for _, err := range tx.Scan(old) {
			return or(err, errSome)
		}
		return nil
	})
	if !errors.Is(err, errSome) {
		return err
	}
	return s.db.Update(ctx, func(tx kv.Tx) error {
		var keys [][]byte
		for e, err := range tx.Scan(old) {
			if err != nil {
				return err
			}
			keys = append(keys, append([]byte(nil), e.Key...))
		}
		for _, k := range keys {
			if err := tx.Delete(k); err != nil {
				return err
			}
		}
		return nil
	})
}

var errSome = errors.New("store: there are some")
