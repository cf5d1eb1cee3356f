package api

import (
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"picora/app/auth"
	"picora/app/fault"
	"picora/app/link"
	"picora/store"
)

// userWire is an account as its user sees it (contract 6).
type userWire struct {
	ID               string  `json:"id"`
	Email            *string `json:"email"`
	Nickname         *string `json:"nickname"`
	AvatarURL        *string `json:"avatarUrl"`
	Plan             string  `json:"plan"`
	Role             string  `json:"role"`
	EmailVerified    bool    `json:"emailVerified"`
	Locale           string  `json:"locale"`
	IsActive         bool    `json:"isActive"`
	CreatedAt        string  `json:"createdAt"`
	DocVersioning    bool    `json:"docVersioningEnabled"`
	DocVersioningMax int     `json:"docVersioningMax"`
}

// defaultDocVersions is how many revisions of a document are kept when its owner
// turned that on and said no number (contract 6).
const defaultDocVersions = 10

func (a *API) user(c *fiber.Ctx, u store.User) userWire {
	w := userWire{
		ID: u.ID, Email: orNull(u.Email), Nickname: orNull(u.Nickname), Plan: u.PlanAt(a.store.Now()), Role: "user",
		EmailVerified: u.Verified, Locale: u.Locale, IsActive: u.Banned.IsZero(), CreatedAt: stamp(u.Created),
		DocVersioning: u.DocVersioning, DocVersioningMax: u.DocVersioningMax, AvatarURL: orNull(a.avatar(c, u)),
	}
	if u.Admin {
		w.Role = "admin"
	}
	if w.Locale == "" {
		w.Locale = "en"
	}
	if w.DocVersioningMax == 0 {
		w.DocVersioningMax = defaultDocVersions
	}
	return w
}

// refreshCookie is the name that clients look for (contract 6). The other tells the
// dashboard's script that there is such a cookie, which it cannot read: a guest's page asks
// for no token that nobody has.
const (
	refreshCookie = "refresh_token"
	sessionMark   = "signed_in"
)

// signedIn answers somebody who has just signed in: the access token in the body, the
// refresh token in a cookie that no script can read.
func (a *API) signedIn(c *fiber.Ctx, status int, s auth.Signed) error {
	setRefresh(c, s.Refresh, int(auth.RefreshAge/time.Second))
	return c.Status(status).JSON(success{true, map[string]any{"accessToken": s.Access, "user": a.user(c, s.User)}})
}

func setRefresh(c *fiber.Ctx, value string, maxAge int) {
	secure := strings.HasPrefix(link.Of(c.UserContext()).API, "https://")
	c.Cookie(&fiber.Cookie{
		Name: refreshCookie, Value: value, Path: "/v1/auth", MaxAge: maxAge,
		HTTPOnly: true, SameSite: fiber.CookieSameSiteStrictMode, Secure: secure,
	})
	mark := &fiber.Cookie{Name: sessionMark, Path: "/", MaxAge: maxAge, SameSite: fiber.CookieSameSiteStrictMode, Secure: secure}
	if value != "" {
		mark.Value = "1"
	}
	c.Cookie(mark)
	c.Set(fiber.HeaderCacheControl, "no-store")
}

// ownPage refuses what a page of another origin sends: with SameSite, the second
// lock on the routes that a cookie opens. Clients that are no browsers send no Origin.
func ownPage(c *fiber.Ctx) error {
	from := c.Get(fiber.HeaderOrigin)
	if from == "" {
		if site := c.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
			return fault.New(fault.Forbidden, "Only pages of this server may do this.")
		}
		return nil
	}
	u, err := url.Parse(from)
	own, e := url.Parse(link.Of(c.UserContext()).API)
	if err != nil || e != nil || u.Scheme != own.Scheme || !strings.EqualFold(u.Host, own.Host) {
		return fault.New(fault.Forbidden, "Only pages of this server may do this. If this is one, set base_url to its address.")
	}
	return nil
}

// fromHere refuses what pages of other origins send to a route that sets the cookie: a
// form there could sign a visitor in to somebody else's account.
func fromHere(h fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if err := ownPage(c); err != nil {
			return err
		}
		return h(c)
	}
}

// refresh handles POST /v1/auth/refresh.
func (a *API) refresh(c *fiber.Ctx) error {
	s, err := a.auth.Refresh(c.UserContext(), c.Cookies(refreshCookie), device(c))
	if err != nil {
		return err
	}
	setRefresh(c, s.Refresh, int(auth.RefreshAge/time.Second))
	return ok(c, map[string]any{"accessToken": s.Access, "userId": s.User.ID, "plan": s.User.PlanAt(a.store.Now()), "user": a.user(c, s.User)})
}

// logout handles POST /v1/auth/logout.
func (a *API) logout(c *fiber.Ctx) error {
	x, err := a.auth.SignOut(c.UserContext(), c.Cookies(refreshCookie))
	if err != nil {
		return err
	}
	setRefresh(c, "", -1)
	if x.ID != "" {
		a.record(c, store.Event{Actor: x.User, Via: x.ID, Action: "session.ended", Subject: x.ID})
	}
	return ok(c, nil)
}

// verify handles GET /v1/auth/verify, the "test connection" of clients.
func (a *API) verify(c *fiber.Ctx) error {
	who := caller(c)
	out := map[string]any{"valid": true, "userId": who.User, "plan": who.Account.PlanAt(a.store.Now()), "authType": "jwt"}
	if who.KeyID != "" {
		out["authType"], out["apiKeyId"] = "apiKey", who.KeyID
	}
	return ok(c, out)
}
