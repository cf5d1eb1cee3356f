package api

import (
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"picora/app/auth"
	"picora/app/fault"
	"picora/app/link"
	"picora/store"
)

// getMe handles GET /v1/user/me.
func (a *API) getMe(c *fiber.Ctx) error { return ok(c, a.user(c, caller(c).Account)) }

// updateMe handles PATCH /v1/user/me. Clients send it with an API key, too; the e-mail
// address alone is for who signed in and has shown who they are.
func (a *API) updateMe(c *fiber.Ctx) error {
	var in fields
	if err := readJSON(c, &in, true); err != nil {
		return err
	}
	who := caller(c)
	change, err := a.profile(c, in)
	if err != nil {
		return err
	}
	draft := who.Account
	if err := change.Apply(&draft); err != nil { // before the address is changed
		return err
	}
	if err := a.changeEmail(c, in); err != nil {
		return err
	}
	u, err := a.store.UpdateUser(c.UserContext(), who.User, change.Apply)
	if err != nil {
		return err
	}
	a.library.EmptySoon()
	return ok(c, a.user(c, u))
}

// profile is what a PATCH says of the account. Null clears what can be empty, and leaves
// the rest alone.
func (a *API) profile(c *fiber.Ctx, in fields) (p auth.Profile, err error) {
	text := func(name string) (s *string) {
		if _, given := in[name]; !given || err != nil {
			return nil
		}
		if s, err = take[string](in, name); s == nil {
			s = new(string)
		}
		return s
	}
	p.Nickname, p.AvatarLink = text("nickname"), text("avatarUrl")
	if err != nil {
		return p, err
	}
	if u := caller(c).Account; p.AvatarLink != nil && u.Avatar != "" && sameAddress(*p.AvatarLink, a.avatar(c, u)) {
		p.AvatarLink = nil // clients send back what they were given
	}
	if p.Locale, err = take[string](in, "locale"); err != nil {
		return p, err
	}
	if p.DocVersioning, err = take[bool](in, "docVersioningEnabled"); err != nil {
		return p, err
	}
	p.DocVersioningMax, err = take[int64](in, "docVersioningMax")
	return p, err
}

// sameAddress compares two addresses but for their queries.
func sameAddress(a, b string) bool {
	a, _, _ = strings.Cut(a, "?")
	b, _, _ = strings.Cut(b, "?")
	return a == b
}

func (a *API) changeEmail(c *fiber.Ctx, in fields) error {
	who := caller(c)
	email, err := take[string](in, "email")
	if err != nil || email == nil || strings.TrimSpace(*email) == who.Account.Email {
		return err
	}
	code, err := take[string](in, "code")
	if err != nil {
		return err
	}
	if code == nil {
		code = new(string)
	}
	_, err = a.auth.ChangeEmail(c.UserContext(), who, *email, *code, device(c))
	return err
}

// deleteMe handles DELETE /v1/user/me.
func (a *API) deleteMe(c *fiber.Ctx) error {
	var in struct {
		Confirm *string `json:"confirm"`
	}
	if err := readJSON(c, &in, true); err != nil {
		return err
	}
	if in.Confirm != nil && *in.Confirm != "DELETE" {
		return fault.New(fault.Invalid, "confirm is the word DELETE.")
	}
	who := caller(c)
	if err := a.library.RemoveAccount(c.UserContext(), who.User); err != nil {
		return err
	}
	setRefresh(c, "", -1)
	a.audit(c, "user.deleted", who.User, map[string]string{"email": who.Account.Email})
	return ok(c, nil)
}

// identity is a way to sign in, on the wire.
type identity struct {
	ID        string `json:"id"`
	Provider  string `json:"provider"`
	Masked    string `json:"providerIdMasked"`
	CreatedAt string `json:"createdAt"`
}

// listIdentities handles GET /v1/user/me/identities. The e-mail address has the id of
// the account.
func (a *API) listIdentities(c *fiber.Ctx) error {
	u := caller(c).Account
	list, err := a.store.Identities(c.UserContext(), u.ID)
	if err != nil {
		return err
	}
	out := []identity{}
	if u.Email != "" {
		out = append(out, identity{u.ID, "email", maskEmail(u.Email), stamp(u.Created)})
	}
	for _, x := range list {
		masked := maskEmail(x.Email)
		if x.Email == "" {
			masked = mask(x.Subject)
		}
		out = append(out, identity{x.ID, "oidc", masked, stamp(x.Created)})
	}
	return ok(c, out)
}

// maskEmail shows the first two characters and the host (contract 7).
func maskEmail(s string) string {
	name, host, _ := strings.Cut(s, "@")
	return mask(name) + "@" + host
}

// mask shows the first two characters.
func mask(s string) string {
	r := []rune(s)
	return string(r[:min(2, len(r))]) + "***"
}

// deleteIdentity handles DELETE /v1/user/me/identities/:id. The e-mail address stays: it
// is how an account is found, and how its user is told what happens to it.
func (a *API) deleteIdentity(c *fiber.Ctx) error {
	id, err := id(c, store.IDLen)
	if err != nil {
		return err
	}
	who := caller(c)
	if id == who.User {
		return fault.New(fault.Invalid, "An account keeps an e-mail address. Change it with PATCH /v1/user/me.")
	}
	if err := a.auth.Unlink(c.UserContext(), who, id); err != nil {
		return err
	}
	a.audit(c, "identity.unlinked", id, nil)
	return ok(c, nil)
}

// avatar is the address of the user's avatar; empty when there is none.
func (a *API) avatar(c *fiber.Ctx, u store.User) string {
	if u.Avatar == "" {
		return u.AvatarLink
	}
	return link.Of(c.UserContext()).API + "/v1/user/avatar/" + u.ID + "?v=" + strconv.FormatInt(u.AvatarSet.UnixMilli(), 10)
}
