package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"picora/store/kv"
)

//go:generate go tool msgp -tests=false -io=false -o invite_gen.go

//msgp:timezone utc

// Invite is a code that lets somebody register.
type Invite struct {
	ID      string    `msg:"id"`
	Code    string    `msg:"code"`   // compared with case
	Plan    string    `msg:"plan"`   // the new account's; empty: as if there were no invite
	Months  int       `msg:"months"` // how long the plan lasts; 0: for ever
	Active  bool      `msg:"active"`
	MaxUses int       `msg:"maxuses"` // 0: no bound
	Used    int       `msg:"used"`
	Expires time.Time `msg:"expires"` // zero: never
	Note    string    `msg:"note"`
	Creator string    `msg:"creator"` // user id
	Created time.Time `msg:"created"`
}

// ErrInvite is why an invite lets nobody in: all of the reasons below are one.
var (
	ErrInvite         = errors.New("store: the invite cannot be used")
	ErrInviteUnknown  = fmt.Errorf("%w: there is none with this code", ErrInvite)
	ErrInviteInactive = fmt.Errorf("%w: it was switched off", ErrInvite)
	ErrInviteExpired  = fmt.Errorf("%w: it has expired", ErrInvite)
	ErrInviteUsedUp   = fmt.Errorf("%w: it is used up", ErrInvite)
)

// inviteAlphabet lacks the letters and digits that look like others. 32 of them: a
// byte's low five bits choose one without bias.
const inviteAlphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"

// NewInviteCode makes a random code of the form ABCD-EFGH-JKLM-NPQR: 80 bits.
func NewInviteCode() string {
	var random [16]byte
	rand.Read(random[:])
	b := make([]byte, 0, 19)
	for i, r := range random {
		if i > 0 && i%4 == 0 {
			b = append(b, '-')
		}
		b = append(b, inviteAlphabet[r&31])
	}
	return string(b)
}

// Usable says at the time now why the invite lets nobody in; nil: it does.
func (i *Invite) Usable(now time.Time) error {
	switch {
	case !i.Active:
		return ErrInviteInactive
	case !i.Expires.IsZero() && !i.Expires.After(now):
		return ErrInviteExpired
	case i.MaxUses > 0 && i.Used >= i.MaxUses:
		return ErrInviteUsedUp
	}
	return nil
}

// CreateInvite adds i under a new id, with a new code when it has none. ErrExists when
// the code is taken.
func (s *Store) CreateInvite(ctx context.Context, i Invite) (Invite, error) {
	i.ID, i.Created, i.Used = NewID(IDLen), s.Now(), 0
	if i.Code == "" {
		i.Code = NewInviteCode()
	}
	err := s.db.Update(ctx, func(tx kv.Tx) error {
		if taken, err := has(tx, keyInviteCode(i.Code)); err != nil || taken {
			return or(err, fmt.Errorf("store: an invite's code: %w", ErrExists))
		}
		if err := tx.Put(keyInviteCode(i.Code), []byte(i.ID)); err != nil {
			return err
		}
		if err := tx.Put(keyInvitePlace(&i), nil); err != nil {
			return err
		}
		return put(tx, keyInvite(i.ID), &i)
	})
	return i, err
}

// Invite finds the invite with that id.
func (s *Store) Invite(ctx context.Context, id string) (i Invite, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error { return get(tx, keyInvite(id), &i) })
	return i, err
}

// InviteByCode finds the invite with that code.
func (s *Store) InviteByCode(ctx context.Context, code string) (i Invite, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		i, err = inviteByCode(tx, code)
		return err
	})
	return i, err
}

func inviteByCode(tx kv.Reader, code string) (i Invite, err error) {
	id, err := getKey(tx, keyInviteCode(code))
	if err != nil {
		return i, err
	}
	return i, get(tx, keyInvite(string(id)), &i)
}

// Invites lists at most limit invites, the newest first, from where the page before
// ended; next is empty at the end.
func (s *Store) Invites(ctx context.Context, after string, limit int) (list []Invite, next string, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		list, next = nil, ""
		prefix := keyInvitePlaces
		for e, err := range tx.Scan(backFrom(prefix, after)) {
			if err != nil {
				return err
			}
			place := string(e.Key[len(prefix):])
			if len(list) == limit {
				return nil
			}
			var i Invite
			if err := get(tx, keyInvite(place[8:]), &i); err != nil {
				return err
			}
			list, next = append(list, i), place
		}
		next = ""
		return nil
	})
	return list, next, err
}

// UpdateInvite changes the invite with edit, which may be called again and must do no
// more than change its argument. Its code and its time stay.
func (s *Store) UpdateInvite(ctx context.Context, id string, edit func(*Invite) error) (i Invite, err error) {
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		i = Invite{}
		if err := get(tx, keyInvite(id), &i); err != nil {
			return err
		}
		if err := edit(&i); err != nil {
			return err
		}
		return put(tx, keyInvite(id), &i)
	})
	return i, err
}

// DeleteInvite ends the invite; who came by it stays.
func (s *Store) DeleteInvite(ctx context.Context, id string) error {
	return s.db.Update(ctx, func(tx kv.Tx) error {
		var i Invite
		if err := get(tx, keyInvite(id), &i); err != nil {
			return err
		}
		for _, k := range [][]byte{keyInviteCode(i.Code), keyInvitePlace(&i), keyInvite(id)} {
			if err := tx.Delete(k); err != nil {
				return err
			}
		}
		return nil
	})
}

// CreateUserInvited is CreateUser for somebody with an invite: it counts the use and
// gives the account the invite's plan, or does nothing at all. ErrInvite says by its
// kind why the code lets nobody in.
func (s *Store) CreateUserInvited(ctx context.Context, u User, code string) (User, Invite, error) {
	u.ID, u.Created = NewID(IDLen), s.Now()
	var made User
	var i Invite
	err := s.db.Update(ctx, func(tx kv.Tx) (err error) {
		made = u
		i, err = inviteByCode(tx, code)
		if errors.Is(err, ErrNotFound) {
			return ErrInviteUnknown
		}
		if err != nil {
			return err
		}
		if err := i.Usable(u.Created); err != nil {
			return err
		}
		if i.Plan != "" {
			made.Plan, made.PlanEnds = i.Plan, time.Time{}
			if i.Months > 0 {
				made.PlanEnds = MonthsAfter(u.Created, i.Months)
			}
		}
		i.Used++
		if err := put(tx, keyInvite(i.ID), &i); err != nil {
			return err
		}
		return createUser(tx, made)
	})
	return made, i, err
}

// MonthsAfter is the same day n months later, or the last of that month when it is
// shorter: a month from 31 January is 28 February, not 3 March.
func MonthsAfter(t time.Time, n int) time.Time {
	to := t.AddDate(0, n, 0)
	if to.Day() != t.Day() {
		to = to.AddDate(0, 0, -to.Day())
	}
	return to
}
