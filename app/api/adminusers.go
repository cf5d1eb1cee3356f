package api

import (
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"picora/app/config"
	"picora/app/fault"
	"picora/app/mail"
	"picora/store"
)

// adminUser is an account as administrators see it (contract 19).
type adminUser struct {
	ID            string           `json:"id"`
	Email         *string          `json:"email"`
	Nickname      *string          `json:"nickname"`
	Role          string           `json:"role"`
	Plan          string           `json:"plan"`
	PlanEndsAt    *string          `json:"planEndsAt"`
	Unlimited     bool             `json:"unlimited"`
	Limits        map[string]int64 `json:"limits"`
	EmailVerified bool             `json:"emailVerified"`
	IsActive      bool             `json:"isActive"`
	BannedAt      *string          `json:"bannedAt"`
	BanReason     *string          `json:"banReason"`
	Usage         usedSpace        `json:"usage"`
	CreatedAt     string           `json:"createdAt"`
}

// usedSpace is how much somebody keeps here.
type usedSpace struct {
	Items int64 `json:"items"`
	Bytes int64 `json:"bytes"`
}

const (
	roleUser  = "user"
	roleAdmin = "admin"
)

func (a *API) adminUser(c *fiber.Ctx, u *store.User) (w adminUser, err error) {
	w = adminUser{
		ID: u.ID, Email: orNull(u.Email), Nickname: orNull(u.Nickname), Role: roleUser, Plan: u.Plan,
		PlanEndsAt: stampOrNull(u.PlanEnds), Unlimited: u.Unlimited, Limits: u.Limits, EmailVerified: u.Verified,
		IsActive: u.Banned.IsZero(), BannedAt: stampOrNull(u.Banned), BanReason: orNull(u.BanReason), CreatedAt: stamp(u.Created),
	}
	if u.Admin {
		w.Role = roleAdmin
	}
	if w.Limits == nil {
		w.Limits = map[string]int64{}
	}
	for k := range kindNames {
		n, err := a.store.Count(c.UserContext(), u.ID, k)
		if err != nil {
			return w, err
		}
		w.Usage.Items += n.N
		w.Usage.Bytes += n.Bytes
	}
	return w, nil
}

// listUsers handles GET /v1/admin/users.
func (a *API) listUsers(c *fiber.Ctx) error {
	match, err := userFilter(c)
	if err != nil {
		return err
	}
	limit, err := pageSize(c)
	if err != nil {
		return err
	}
	name := strings.Join([]string{"admin.users", c.Query("q"), c.Query("role"), c.Query("status"), c.Query("plan")}, "\x00")
	after, err := a.unseal(caller(c).User, name, c.Query("cursor"))
	if err != nil {
		return err
	}
	found, next, err := untilSome(after, func(after string) ([]store.User, string, error) {
		return a.store.FindUsers(c.UserContext(), match, after, limit)
	})
	if err != nil {
		return err
	}
	items := make([]adminUser, len(found))
	for i := range found {
		if items[i], err = a.adminUser(c, &found[i]); err != nil {
			return err
		}
	}
	return list(c, page{items: items, keys: []string{"items", "users"}, next: a.seal(caller(c).User, name, next)})
}

func userFilter(c *fiber.Ctx) (func(*store.User) bool, error) {
	text, role, status, plan := strings.ToLower(c.Query("q")), c.Query("role"), c.Query("status"), c.Query("plan")
	if err := oneOf("role", role, "", roleUser, roleAdmin); err != nil {
		return nil, err
	}
	if err := oneOf("status", status, "", "active", "banned"); err != nil {
		return nil, err
	}
	if err := oneOf("plan", plan, append([]string{""}, config.PlanNames...)...); err != nil {
		return nil, err
	}
	return func(u *store.User) bool {
		return (role == "" || u.Admin == (role == roleAdmin)) && (status == "" || u.Banned.IsZero() == (status == "active")) &&
			(plan == "" || u.Plan == plan) &&
			(text == "" || strings.Contains(strings.ToLower(u.Email+"\n"+u.Nickname+"\n"+u.ID), text))
	}, nil
}

// oneOf refuses a value that is none of these.
func oneOf(field, value string, of ...string) error {
	if slices.Contains(of, value) {
		return nil
	}
	of = slices.DeleteFunc(slices.Clone(of), func(s string) bool { return s == "" })
	return fault.New(fault.Invalid, "%s is one of: %s.", field, strings.Join(of, ", "))
}

// getUser handles GET /v1/admin/users/:id.
func (a *API) getUser(c *fiber.Ctx) error {
	id, err := id(c, store.IDLen)
	if err != nil {
		return err
	}
	u, err := a.store.User(c.UserContext(), id)
	if err != nil {
		return err
	}
	base, err := a.adminUser(c, &u)
	if err != nil {
		return err
	}
	out := wholeUser{adminUser: base, NoPassword: u.Password == ""}
	factors, err := a.store.Factors(c.UserContext(), id)
	if err != nil {
		return err
	}
	out.Factors = len(factors.Secret) > 0 || len(factors.Passkeys) > 0
	if err := a.credentials(c, &out); err != nil {
		return err
	}
	return ok(c, out)
}

// wholeUser is an account with what takes longer to find out.
type wholeUser struct {
	adminUser
	Sessions   int     `json:"sessionCount"`
	Keys       int     `json:"keyCount"`
	LastSeen   *string `json:"lastSeenAt"`
	NoPassword bool    `json:"passwordless"`
	Factors    bool    `json:"secondFactor"`
}

// credentials counts the sessions and keys that are good, and finds their last use.
func (a *API) credentials(c *fiber.Ctx, w *wholeUser) error {
	now, seen := a.store.Now(), time.Time{}
	sessions, err := a.store.Sessions(c.UserContext(), w.ID)
	if err != nil {
		return err
	}
	for _, x := range sessions {
		if x.Expires.After(now) {
			w.Sessions++
		}
		seen = later(seen, x.Used)
	}
	keys, err := a.store.APIKeys(c.UserContext(), w.ID)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if k.Revoked.IsZero() && (k.Expires.IsZero() || k.Expires.After(now)) {
			w.Keys++
		}
		seen = later(seen, k.Used)
	}
	w.LastSeen = stampOrNull(seen)
	return nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// updateUser handles PATCH /v1/admin/users/:id.
func (a *API) updateUser(c *fiber.Ctx) error {
	id, err := id(c, store.IDLen)
	if err != nil {
		return err
	}
	in, err := readChange(c, userFields...)
	if err != nil {
		return err
	}
	change, err := in.userChange()
	if err != nil {
		return err
	}
	var before store.User
	u, err := a.store.UpdateUser(c.UserContext(), id, func(u *store.User) error {
		before = *u
		u.Limits = maps.Clone(u.Limits)
		change(u)
		return nil
	})
	if err != nil {
		return err
	}
	a.tellOfChange(c, &before, &u)
	w, err := a.adminUser(c, &u)
	if err != nil {
		return err
	}
	return ok(c, w)
}

// tellOfChange writes into the audit log what an administrator changed, and tells the
// user when it is what they may do.
func (a *API) tellOfChange(c *fiber.Ctx, old, u *store.User) {
	detail := userDifference(old, u)
	if len(detail) == 0 {
		return
	}
	a.audit(c, "user.changed", u.ID, detail)
	if old.Admin == u.Admin {
		return
	}
	t := mail.Role(mail.Language(u.Locale, ""), u.Admin)
	err := a.store.Notify(c.UserContext(), store.Notification{User: u.ID, Type: "system", Title: t.Subject, Body: t.Body})
	if err != nil {
		slog.Error("a user was not notified", "user", u.ID, "title", t.Subject, "err", err)
	}
}
