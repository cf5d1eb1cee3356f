package api

import (
	"slices"

	"github.com/gofiber/fiber/v2"

	"picora/app/auth"
	"picora/app/fault"
	"picora/app/link"
	"picora/store"
)

// sessionWire is a session as its user sees it.
type sessionWire struct {
	ID         string     `json:"id"`
	Device     deviceWire `json:"device"`
	Address    *string    `json:"address"`
	Method     string     `json:"method"`
	CreatedAt  string     `json:"createdAt"`
	LastUsedAt string     `json:"lastUsedAt"`
	ExpiresAt  string     `json:"expiresAt"`
	Current    bool       `json:"current"`
}

type deviceWire struct {
	Name  string `json:"name"`
	Agent string `json:"agent"`
}

// listSessions handles GET /v1/user/me/sessions: the one used last first.
func (a *API) listSessions(c *fiber.Ctx) error {
	who := caller(c)
	list, err := a.store.Sessions(c.UserContext(), who.User)
	if err != nil {
		return err
	}
	now := a.store.Now()
	list = slices.DeleteFunc(list, func(x store.Session) bool { return !x.Expires.After(now) })
	slices.SortFunc(list, func(x, y store.Session) int { return y.Used.Compare(x.Used) })
	out := make([]sessionWire, 0, len(list))
	for _, x := range list {
		out = append(out, sessionWire{
			ID: x.ID, Device: deviceWire{auth.DeviceName(x.Agent), x.Agent}, Address: orNull(x.Address), Method: x.Method,
			CreatedAt: stamp(x.Created), LastUsedAt: stamp(x.Used), ExpiresAt: stamp(x.Expires), Current: x.ID == who.Session,
		})
	}
	return ok(c, out)
}

// endSession handles DELETE /v1/user/me/sessions/{id}. One's own may be ended, too.
func (a *API) endSession(c *fiber.Ctx) error {
	id := c.Params("id")
	if err := a.auth.EndSession(c.UserContext(), caller(c).User, id); err != nil {
		return err
	}
	a.audit(c, "session.ended", id, nil)
	return ok(c, nil)
}

// endSessions handles DELETE /v1/user/me/sessions: all but the caller's own.
func (a *API) endSessions(c *fiber.Ctx) error {
	who := caller(c)
	n, err := a.store.DeleteSessions(c.UserContext(), who.User, who.Session)
	if err != nil {
		return err
	}
	a.audit(c, "session.ended_others", who.User, nil)
	return ok(c, map[string]any{"ended": n})
}

// passwords are what the two routes below read.
type passwords struct {
	Old string `json:"oldPassword"`
	New string `json:"newPassword"`
}

// changePassword handles POST /v1/user/me/change-password.
func (a *API) changePassword(c *fiber.Ctx) error {
	var in passwords
	if err := readJSON(c, &in, false); err != nil {
		return err
	}
	if in.Old == "" || in.New == "" {
		return fault.New(fault.Invalid, "The fields oldPassword and newPassword are needed.")
	}
	if err := a.auth.ChangePassword(c.UserContext(), caller(c), in.Old, in.New, device(c)); err != nil {
		return err
	}
	return ok(c, nil)
}

// setPassword handles POST /v1/user/me/set-password.
func (a *API) setPassword(c *fiber.Ctx) error {
	var in passwords
	if err := readJSON(c, &in, false); err != nil {
		return err
	}
	if in.New == "" {
		return fault.New(fault.Invalid, "The field newPassword is needed.")
	}
	if err := a.auth.SetPassword(c.UserContext(), caller(c), in.New, device(c)); err != nil {
		return err
	}
	return ok(c, nil)
}

// createExport handles POST /v1/auth/create-export-token.
func (a *API) createExport(c *fiber.Ctx) error {
	var in struct {
		KeyID  string `json:"keyId"`
		APIKey string `json:"apiKey"`
	}
	if err := readJSON(c, &in, false); err != nil {
		return err
	}
	if len(in.KeyID) < 1 || len(in.KeyID) > 64 {
		return fault.New(fault.Invalid, "The field keyId needs 1 to 64 characters.")
	}
	if in.APIKey == "" {
		return fault.New(fault.Invalid, "The field apiKey is needed.")
	}
	token, expires, err := a.auth.NewExport(c.UserContext(), caller(c), in.KeyID, in.APIKey)
	if err != nil {
		return err
	}
	a.audit(c, "apikey.exported", in.KeyID, nil)
	c.Set(fiber.HeaderCacheControl, "no-store")
	return created(c, map[string]any{"ott": token, "expiresAt": stamp(expires)})
}

// useExport handles POST /v1/auth/exchange-export-token. apiUrl is where pictures are
// uploaded to: clients send them there as it stands (contract 6).
func (a *API) useExport(c *fiber.Ctx) error {
	var in struct {
		OTT string `json:"ott"`
	}
	if err := readJSON(c, &in, false); err != nil {
		return err
	}
	plain, u, err := a.auth.UseExport(c.UserContext(), in.OTT)
	if err != nil {
		return err
	}
	user := map[string]any{"email": orNull(u.Email), "plan": u.PlanAt(a.store.Now())}
	if u.Nickname != "" {
		user["nickname"] = u.Nickname
	}
	at := link.Of(c.UserContext())
	c.Set(fiber.HeaderCacheControl, "no-store")
	return ok(c, map[string]any{"apiUrl": at.API + "/v1/images", "apiKey": plain, "imgDomain": at.Media, "user": user})
}
