package api

import (
	"errors"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"picora/app/auth"
	"picora/app/fault"
	"picora/app/mail"
	"picora/store"
)

// generatedPassword is the length of the passwords that we make: 96 bits.
const generatedPassword = 16

// createUser handles POST /v1/admin/users.
func (a *API) createUser(c *fiber.Ctx) error {
	in, err := readKnown(c, false, append([]string{"email", "password"}, userFields...)...)
	if err != nil {
		return err
	}
	u, shown, err := a.newUser(in)
	if err != nil {
		return err
	}
	u, err = a.store.CreateUser(c.UserContext(), u)
	if errors.Is(err, store.ErrExists) {
		return fault.New(fault.Conflict, "There is an account with this e-mail address already.")
	}
	if err != nil {
		return err
	}
	a.audit(c, "user.created", u.ID, map[string]string{"email": u.Email, "role": roleOf(&u), "plan": u.Plan})
	w, err := a.adminUser(c, &u)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return created(c, struct {
		adminUser
		Password string `json:"password,omitempty"`
	}{w, shown})
}

// newUser reads a new account from the body. Shown is its password when we made it.
func (a *API) newUser(in fields) (u store.User, shown string, err error) {
	u = store.User{Plan: a.settings.Live().Plan, Verified: true}
	change, err := in.userChange()
	if err != nil {
		return u, "", err
	}
	change(&u)
	if u.Email, err = in.newAddress(); err != nil {
		return u, "", err
	}
	password, err := take[string](in, "password")
	if err != nil {
		return u, "", err
	}
	if password == nil {
		shown = store.NewID(generatedPassword)
		password = &shown
	}
	u.Password, err = auth.HashPassword(*password)
	return u, shown, err
}

// newAddress reads the e-mail address of a new account.
func (f fields) newAddress() (string, error) {
	v, err := take[string](f, "email")
	if err != nil {
		return "", err
	}
	if v == nil {
		return "", fault.New(fault.Invalid, "The field email is missing.")
	}
	email := strings.TrimSpace(*v)
	return email, auth.CheckEmail(email)
}

// other reads the path's user, who must not be the caller.
func other(c *fiber.Ctx) (string, error) {
	id, err := id(c, store.IDLen)
	if err != nil {
		return "", err
	}
	if id == caller(c).User {
		return "", fault.New(fault.Invalid, "Administrators cannot do this to themselves. Ask another one.")
	}
	return id, nil
}

// banUser handles POST /v1/admin/users/:id/ban.
func (a *API) banUser(c *fiber.Ctx) error {
	id, err := other(c)
	if err != nil {
		return err
	}
	in, err := readKnown(c, true, "reason")
	if err != nil {
		return err
	}
	reason, _, err := in.line("reason", 500)
	if err != nil {
		return err
	}
	u, ended, err := a.store.Ban(c.UserContext(), id, reason)
	if err != nil {
		return err
	}
	a.audit(c, "user.banned", id, map[string]string{"reason": reason, "sessions": strconv.Itoa(ended)})
	return a.sendUser(c, &u)
}

// unbanUser handles POST /v1/admin/users/:id/unban.
func (a *API) unbanUser(c *fiber.Ctx) error {
	id, err := id(c, store.IDLen)
	if err != nil {
		return err
	}
	was := false
	u, err := a.store.UpdateUser(c.UserContext(), id, func(u *store.User) error {
		was = !u.Banned.IsZero()
		u.Banned, u.BanReason = store.User{}.Banned, ""
		return nil
	})
	if err != nil {
		return err
	}
	if was {
		a.audit(c, "user.unbanned", id, nil)
	}
	return a.sendUser(c, &u)
}

func (a *API) sendUser(c *fiber.Ctx, u *store.User) error {
	w, err := a.adminUser(c, u)
	if err != nil {
		return err
	}
	return ok(c, w)
}

// signOutUser handles POST /v1/admin/users/:id/sign-out.
func (a *API) signOutUser(c *fiber.Ctx) error {
	id, err := id(c, store.IDLen)
	if err != nil {
		return err
	}
	if _, err := a.store.User(c.UserContext(), id); err != nil {
		return err
	}
	n, err := a.store.DeleteSessions(c.UserContext(), id, "")
	if err != nil {
		return err
	}
	a.audit(c, "user.signed_out", id, map[string]string{"sessions": strconv.Itoa(n)})
	return ok(c, map[string]int{"ended": n})
}

// resetSecondFactor handles POST /v1/admin/users/:id/reset-second-factor, for people who
// lost their device and their recovery codes. Their sessions end: whoever asked for this
// must show that they know the password.
func (a *API) resetSecondFactor(c *fiber.Ctx) error {
	id, err := other(c)
	if err != nil {
		return err
	}
	u, err := a.store.User(c.UserContext(), id)
	if err != nil {
		return err
	}
	if err := a.store.DeleteFactors(c.UserContext(), id); err != nil {
		return err
	}
	n, err := a.store.DeleteSessions(c.UserContext(), id, "")
	if err != nil {
		return err
	}
	a.audit(c, "user.factors_reset", id, map[string]string{"sessions": strconv.Itoa(n)})
	a.auth.Alert(c.UserContext(), u, mail.FactorsReset(mail.Language(u.Locale, "")))
	return ok(c, map[string]int{"ended": n})
}

// deleteUser handles DELETE /v1/admin/users/:id.
func (a *API) deleteUser(c *fiber.Ctx) error {
	id, err := other(c)
	if err != nil {
		return err
	}
	u, err := a.store.User(c.UserContext(), id)
	if err != nil {
		return err
	}
	if err := a.library.RemoveAccount(c.UserContext(), id); err != nil {
		return err
	}
	a.audit(c, "user.deleted", id, map[string]string{"email": u.Email})
	return ok(c, nil)
}
