package api

import (
	"errors"
	"regexp"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"picora/app/config"
	"picora/app/fault"
	"picora/store"
)

// invite is one on the wire (contract 15).
type invite struct {
	ID             string  `json:"id"`
	Code           string  `json:"code"`
	Plan           string  `json:"plan"`
	IsActive       bool    `json:"isActive"`
	MaxUses        *int    `json:"maxUses"`
	UsedCount      int     `json:"usedCount"`
	DurationMonths *int    `json:"durationMonths"`
	ExpiresAt      *string `json:"expiresAt"`
	Note           *string `json:"note"`
	CreatedBy      string  `json:"createdBy"`
	CreatedAt      string  `json:"createdAt"`
}

func wireInvite(i *store.Invite) invite {
	return invite{
		ID: i.ID, Code: i.Code, Plan: i.Plan, IsActive: i.Active, MaxUses: intOrNull(i.MaxUses), UsedCount: i.Used,
		DurationMonths: intOrNull(i.Months), ExpiresAt: stampOrNull(i.Expires), Note: orNull(i.Note),
		CreatedBy: i.Creator, CreatedAt: stamp(i.Created),
	}
}

// listInvites handles GET /v1/admin/invites.
func (a *API) listInvites(c *fiber.Ctx) error {
	limit, err := pageSize(c)
	if err != nil {
		return err
	}
	const name = "admin.invites"
	after, err := a.unseal(caller(c).User, name, c.Query("cursor"))
	if err != nil {
		return err
	}
	found, next, err := a.store.Invites(c.UserContext(), after, limit)
	if err != nil {
		return err
	}
	items := make([]invite, len(found))
	for i := range found {
		items[i] = wireInvite(&found[i])
	}
	return list(c, page{items: items, keys: []string{"items", "invites"}, next: a.seal(caller(c).User, name, next)})
}

// ownCode is what a code that is not made by us may look like.
var ownCode = regexp.MustCompile(`^[A-Za-z0-9_-]{6,32}$`)

// createInvite handles POST /v1/admin/invites.
func (a *API) createInvite(c *fiber.Ctx) error {
	in, err := readKnown(c, true, append([]string{"code"}, inviteFields...)...)
	if err != nil {
		return err
	}
	i := store.Invite{Plan: a.settings.Live().Plan, Active: true, Creator: caller(c).User}
	change, err := in.inviteChange(a.store.Now())
	if err != nil {
		return err
	}
	change(&i)
	code, err := take[string](in, "code")
	if err != nil {
		return err
	}
	if code != nil {
		if !ownCode.MatchString(*code) {
			return fault.New(fault.Invalid, "code has 6 to 32 letters, digits, hyphens and underscores.")
		}
		i.Code = *code
	}
	i, err = a.store.CreateInvite(c.UserContext(), i)
	if errors.Is(err, store.ErrExists) {
		return fault.New(fault.Conflict, "There is an invite with this code already.")
	}
	if err != nil {
		return err
	}
	a.audit(c, "invite.created", i.ID, map[string]string{"plan": i.Plan, "maxUses": strconv.Itoa(i.MaxUses)})
	return created(c, wireInvite(&i))
}

// updateInvite handles PATCH /v1/admin/invites/:id.
func (a *API) updateInvite(c *fiber.Ctx) error {
	id, err := id(c, store.IDLen)
	if err != nil {
		return err
	}
	in, err := readChange(c, inviteFields...)
	if err != nil {
		return err
	}
	change, err := in.inviteChange(a.store.Now())
	if err != nil {
		return err
	}
	var old store.Invite
	i, err := a.store.UpdateInvite(c.UserContext(), id, func(i *store.Invite) error {
		old = *i
		change(i)
		return nil
	})
	if err != nil {
		return err
	}
	detail := map[string]string{}
	noteDifference(detail, "isActive", old.Active, i.Active)
	noteDifference(detail, "plan", old.Plan, i.Plan)
	noteDifference(detail, "maxUses", old.MaxUses, i.MaxUses)
	noteDifference(detail, "durationMonths", old.Months, i.Months)
	noteDifference(detail, "expiresAt", stampOrNull(old.Expires), stampOrNull(i.Expires))
	noteDifference(detail, "note", old.Note, i.Note)
	if len(detail) > 0 {
		a.audit(c, "invite.changed", id, detail)
	}
	return ok(c, wireInvite(&i))
}

// inviteFields are what inviteChange reads.
var inviteFields = []string{"plan", "isActive", "maxUses", "durationMonths", "expiresAt", "note"}

// inviteChange reads what the body says of an invite. What it does may be done again.
func (f fields) inviteChange(now time.Time) (func(*store.Invite), error) {
	plan, err := f.choice("plan", config.PlanNames...)
	if err != nil {
		return nil, err
	}
	active, err := take[bool](f, "isActive")
	if err != nil {
		return nil, err
	}
	uses, limited, err := f.whole("maxUses", 1_000_000)
	if err != nil {
		return nil, err
	}
	months, lasting, err := f.whole("durationMonths", 1200)
	if err != nil {
		return nil, err
	}
	expires, expiring, err := f.when("expiresAt")
	if err != nil {
		return nil, err
	}
	if !expires.IsZero() && !expires.After(now) {
		return nil, fault.New(fault.Invalid, "expiresAt is in the past.")
	}
	note, noted, err := f.line("note", 500)
	return func(i *store.Invite) {
		if plan != nil {
			i.Plan = *plan
		}
		if active != nil {
			i.Active = *active
		}
		set(limited, &i.MaxUses, uses)
		set(lasting, &i.Months, months)
		set(expiring, &i.Expires, expires)
		set(noted, &i.Note, note)
	}, err
}

// set gives to a value when it was given.
func set[T any](given bool, to *T, v T) {
	if given {
		*to = v
	}
}

// whole reads a whole number from 1 to most, null for none.
func (f fields) whole(name string, most int) (n int, given bool, err error) {
	if _, given = f[name]; !given {
		return 0, false, nil
	}
	v, err := take[int](f, name)
	if err != nil || v == nil {
		return 0, true, err
	}
	if *v < 1 || *v > most {
		return 0, true, fault.New(fault.Invalid, "%s is a whole number from 1 to %d, or null.", name, most)
	}
	return *v, true, nil
}

// deleteInvite handles DELETE /v1/admin/invites/:id.
func (a *API) deleteInvite(c *fiber.Ctx) error {
	id, err := id(c, store.IDLen)
	if err != nil {
		return err
	}
	if err := a.store.DeleteInvite(c.UserContext(), id); err != nil {
		return err
	}
	a.audit(c, "invite.deleted", id, nil)
	return ok(c, nil)
}
