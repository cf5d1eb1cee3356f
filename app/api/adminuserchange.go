package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"picora/app/config"
	"picora/app/fault"
	"picora/store"
)

// userFields are what userChange reads.
var userFields = []string{"plan", "planEndsAt", "unlimited", "limits", "role", "emailVerified", "nickname"}

// userChange reads what the body says of an account. What it does may be done again.
func (f fields) userChange() (func(*store.User), error) {
	var todo []func(*store.User)
	for _, read := range []func(fields) (func(*store.User), error){planChange, limitsChange, personChange} {
		do, err := read(f)
		if err != nil {
			return nil, err
		}
		todo = append(todo, do)
	}
	return func(u *store.User) {
		for _, do := range todo {
			do(u)
		}
	}, nil
}

func planChange(f fields) (func(*store.User), error) {
	plan, err := f.choice("plan", config.PlanNames...)
	if err != nil {
		return nil, err
	}
	ends, given, err := f.when("planEndsAt")
	if err != nil {
		return nil, err
	}
	unlimited, err := take[bool](f, "unlimited")
	return func(u *store.User) {
		if plan != nil {
			u.Plan = *plan
		}
		if given {
			u.PlanEnds = ends
		}
		if unlimited != nil {
			u.Unlimited = *unlimited
		}
	}, err
}

// limitsChange reads the limits that hold in place of the plan's: null takes one away,
// a negative number is none at all.
func limitsChange(f fields) (func(*store.User), error) {
	given, err := take[fields](f, "limits")
	if err != nil || given == nil {
		return func(*store.User) {}, err
	}
	limits := map[string]*int64{}
	for _, name := range slices.Sorted(maps.Keys(*given)) {
		if err := oneOf("limits", name, config.LimitNames()...); err != nil {
			return nil, err
		}
		var n *int64
		if json.Unmarshal((*given)[name], &n) != nil {
			return nil, fault.New(fault.Invalid, "limits.%s is a whole number, or null.", name)
		}
		if n != nil && (*n < -1 || *n > 1<<53-1) {
			return nil, fault.New(fault.Invalid, "limits.%s is a number from 0, -1 for no limit, or null for the plan's own.", name)
		}
		limits[name] = n
	}
	return func(u *store.User) {
		for name, n := range limits {
			if n == nil {
				delete(u.Limits, name)
				continue
			}
			if u.Limits == nil {
				u.Limits = map[string]int64{}
			}
			u.Limits[name] = *n
		}
	}, nil
}

func personChange(f fields) (func(*store.User), error) {
	role, err := f.choice("role", roleUser, roleAdmin)
	if err != nil {
		return nil, err
	}
	verified, err := take[bool](f, "emailVerified")
	if err != nil {
		return nil, err
	}
	nickname, named, err := f.line("nickname", 60)
	return func(u *store.User) {
		if role != nil {
			u.Admin = *role == roleAdmin
		}
		if verified != nil {
			u.Verified = *verified
		}
		if named {
			u.Nickname = nickname
		}
	}, err
}

// choice reads one of some words; nil when it is absent or null.
func (f fields) choice(name string, of ...string) (*string, error) {
	v, err := take[string](f, name)
	if err == nil && v != nil {
		err = oneOf(name, *v, of...)
	}
	return v, err
}

// when reads a time, null for none.
func (f fields) when(name string) (t time.Time, given bool, err error) {
	if _, given = f[name]; !given {
		return t, false, nil
	}
	s, err := take[string](f, name)
	if err != nil || s == nil {
		return t, true, err
	}
	if t, err = time.Parse(time.RFC3339, *s); err != nil || t.Year() < 1970 || t.Year() > 9999 {
		return t, true, fault.New(fault.Invalid, "%s is a time such as 2026-01-31T12:00:00Z, or null.", name)
	}
	return t.UTC(), true, nil
}

// line reads a text without control characters, null for none.
func (f fields) line(name string, most int) (s string, given bool, err error) {
	if _, given = f[name]; !given {
		return "", false, nil
	}
	v, err := take[string](f, name)
	if err != nil || v == nil {
		return "", true, err
	}
	s = strings.TrimSpace(*v)
	if utf8.RuneCountInString(s) > most || strings.ContainsFunc(s, unicode.IsControl) {
		return "", true, fault.New(fault.Invalid, "%s has at most %d characters, in one line.", name, most)
	}
	return s, true, nil
}

// userDifference says for the audit log what changed, old and new.
func userDifference(old, u *store.User) map[string]string {
	detail := map[string]string{}
	for name, v := range map[string][2]any{
		"plan": {old.Plan, u.Plan}, "planEndsAt": {stampOrNull(old.PlanEnds), stampOrNull(u.PlanEnds)},
		"unlimited": {old.Unlimited, u.Unlimited}, "role": {roleOf(old), roleOf(u)}, "limits": {old.Limits, u.Limits},
		"emailVerified": {old.Verified, u.Verified}, "nickname": {old.Nickname, u.Nickname},
	} {
		noteDifference(detail, name, v[0], v[1])
	}
	return detail
}

// noteDifference adds "old → new" under the name when the two are not the same.
func noteDifference(detail map[string]string, name string, old, now any) {
	x, errX := json.Marshal(old)
	y, errY := json.Marshal(now)
	if errX == nil && errY == nil && string(x) != string(y) {
		detail[name] = fmt.Sprintf("%s → %s", x, y)
	}
}

func roleOf(u *store.User) string {
	if u.Admin {
		return roleAdmin
	}
	return roleUser
}
