package api

import (
	"encoding/base64"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"picora/app/fault"
	"picora/store"
)

// How many entries a page has (contract 1.4). More is clamped, not refused.
const (
	defaultLimit = 20
	maxLimit     = 50
)

func pageSize(c *fiber.Ctx) (int, error) {
	s := c.Query("limit")
	if s == "" {
		return defaultLimit, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return 0, fault.New(fault.Invalid, "limit is a whole number from 1 to %d.", maxLimit)
	}
	return min(n, maxLimit), nil
}

// mostRounds bounds what one request looks at.
const mostRounds = 20

// untilSome asks for pages from after on until one has an entry or is the last: clients
// take an empty page for the end (contract 1.4). After too many rounds it gives an empty
// page with a place to go on from all the same.
func untilSome[T any](after string, ask func(after string) ([]T, string, error)) (found []T, next string, err error) {
	next = after
	for range mostRounds {
		if found, next, err = ask(next); err != nil || len(found) > 0 || next == "" {
			break
		}
	}
	return found, next, err
}

// cursorMAC is how much of the signature a cursor carries, in bytes.
const cursorMAC = 12

// seal makes the cursor for a place in a user's list. It names the entry before
// the next page, so entries that come or go do not shift it; it is signed, so
// that nobody can ask for a place that was not given to them.
func (a *API) seal(user, list, place string) *string {
	if place == "" {
		return nil
	}
	mac := a.signer.MAC("cursor", user, list, place)[:cursorMAC]
	s := base64.RawURLEncoding.EncodeToString(append(mac, place...))
	return &s
}

// unseal reads a cursor that seal made for the same user and list.
func (a *API) unseal(user, list, cursor string) (place string, err error) {
	if cursor == "" {
		return "", nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(b) <= cursorMAC || !sameSecret(string(b[:cursorMAC]), string(a.signer.MAC("cursor", user, list, string(b[cursorMAC:]))[:cursorMAC])) {
		return "", fault.New(fault.Invalid, "This cursor is not from a list with these filters. Begin again without one.")
	}
	return string(b[cursorMAC:]), nil
}

// dates reads start_date and end_date: days (the end day included) or times.
func dates(c *fiber.Ctx) (from, to time.Time, err error) {
	if from, _, err = date(c, "start_date"); err != nil {
		return
	}
	to, day, err := date(c, "end_date")
	switch {
	case err != nil || to.IsZero():
	case day:
		to = to.AddDate(0, 0, 1)
	default:
		to = to.Add(time.Millisecond) // the moment itself is included
	}
	return from, to, err
}

func date(c *fiber.Ctx, name string) (t time.Time, day bool, err error) {
	s := c.Query(name)
	if s == "" {
		return t, false, nil
	}
	if t, err = time.Parse(time.DateOnly, s); err == nil {
		day = true
	} else {
		t, err = time.Parse(time.RFC3339, s)
	}
	if err != nil || t.Year() < 1970 || t.Year() > 9999 {
		return t, day, fault.New(fault.Invalid, "%s is a day such as 2026-01-31, or a time such as 2026-01-31T12:00:00Z.", name)
	}
	return t.UTC(), day, nil
}

// flag reads a query parameter that is true or false, under several names.
func flag(c *fiber.Ctx, names ...string) (*bool, error) {
	for _, n := range names {
		s := c.Query(n)
		if s == "" {
			continue
		}
		b, ok := parseBool(s)
		if !ok {
			return nil, fault.New(fault.Invalid, "%s is true or false.", n)
		}
		return &b, nil
	}
	return nil, nil
}

func parseBool(s string) (value, ok bool) {
	switch s {
	case "true", "1":
		return true, true
	case "false", "0":
		return false, true
	}
	return false, false
}

// id reads the path's id; one of a wrong shape cannot exist.
func id(c *fiber.Ctx, n int) (string, error) {
	s := c.Params("id")
	if !store.ValidID(s, n) {
		return "", fault.New(fault.NotFound, "There is no such thing here.")
	}
	return s, nil
}
