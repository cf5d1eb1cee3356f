package usage

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"picora/store"
)

// Repair is a count that a recount put right, in words.
type Repair struct {
	User  string `json:"user"` // id
	Email string `json:"email"`
	What  string `json:"what"`
}

// Recount counts what the users have anew, all users or one, and puts right what was
// wrong. Uploads go on meanwhile. Via says who asked, for the audit log.
func (u *Usage) Recount(ctx context.Context, user, via string) (users int, repaired []Repair, err error) {
	u.counts.Lock() // two at the same user would be in each other's way
	defer u.counts.Unlock()
	all := []store.User{}
	if user == "" {
		all, err = u.store.Users(ctx)
	} else {
		var one store.User
		one, err = u.store.User(ctx, user)
		all = append(all, one)
	}
	if err != nil {
		return 0, nil, err
	}
	for i := range all {
		if err := ctx.Err(); err != nil {
			return users, repaired, err
		}
		found, err := u.recount(ctx, &all[i], via)
		if err != nil && !errors.Is(err, store.ErrNotFound) { // it went meanwhile
			return users, repaired, err
		}
		users++
		repaired = append(repaired, found...)
	}
	return users, repaired, nil
}

func (u *Usage) recount(ctx context.Context, a *store.User, via string) (repaired []Repair, err error) {
	if err := u.store.SweepMonths(ctx, a.ID); err != nil {
		return nil, err
	}
	wrong, err := u.store.Recount(ctx, a.ID)
	if err != nil {
		return nil, err
	}
	for _, d := range wrong {
		what := nouns[d.Kind]
		if d.Collection != "" {
			what += " in the collection " + d.Collection
		}
		r := Repair{a.ID, a.Email, fmt.Sprintf("counted were %d %s (%d public) of %d bytes, there are %d (%d public) of %d bytes",
			d.Was.N, what, d.Was.Public, d.Was.Bytes, d.Are.N, d.Are.Public, d.Are.Bytes)}
		err := u.store.AddEvent(ctx, store.Event{Via: via, Action: "usage.repaired", Subject: a.ID, Detail: map[string]string{
			"what": what, "wasCount": text(d.Was.N), "wasPublic": text(d.Was.Public), "wasBytes": text(d.Was.Bytes),
			"count": text(d.Are.N), "public": text(d.Are.Public), "bytes": text(d.Are.Bytes),
		}})
		if err != nil {
			return repaired, err
		}
		repaired = append(repaired, r)
	}
	return repaired, nil
}

// nouns are the kinds as people call them.
var nouns = map[store.Kind]string{store.Image: "pictures", store.Video: "videos", store.Audio: "audio files", store.Doc: "documents"}

func text(n int64) string { return strconv.FormatInt(n, 10) }
