package api

import (
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"picora/app/auth"
	"picora/app/fault"
	"picora/app/link"
	"picora/store"
)

// maxReturn bounds the path that a sign-in goes on at.
const maxReturn = 1024

// providerWire is a provider on the wire.
type providerWire struct {
	Name     string `json:"name"`
	Title    string `json:"title"`
	StartURL string `json:"startUrl"`
}

// listProviders handles GET /v1/auth/oidc.
func (a *API) listProviders(c *fiber.Ctx) error {
	items := []providerWire{}
	for _, p := range a.auth.Providers() {
		items = append(items, providerWire{p.Name, p.Title, link.Of(c.UserContext()).API + "/v1/auth/oidc/" + p.Name + "/start"})
	}
	total := int64(len(items))
	return list(c, page{items: items, keys: []string{"items"}, total: &total})
}

// startOIDC handles GET /v1/auth/oidc/:name/start: it sends a browser to the provider.
func (a *API) startOIDC(c *fiber.Ctx) error {
	back, err := returnPath(c.Query("return"))
	if err != nil {
		return err
	}
	b, err := a.auth.BeginOIDC(c.UserContext(), c.Params("name"), back, auth.Caller{})
	if err != nil {
		return err
	}
	setFlow(c, b)
	return c.Redirect(b.URL, fiber.StatusFound)
}

// linkOIDC handles POST /v1/user/me/identities/oidc/:name. The page then opens the
// address.
func (a *API) linkOIDC(c *fiber.Ctx) error {
	var in struct {
		Return string `json:"return"`
	}
	if err := readJSON(c, &in, true); err != nil {
		return err
	}
	back, err := returnPath(in.Return)
	if err != nil {
		return err
	}
	b, err := a.auth.BeginOIDC(c.UserContext(), c.Params("name"), back, caller(c))
	if err != nil {
		return err
	}
	setFlow(c, b)
	return ok(c, map[string]any{"url": b.URL})
}

// returnPath checks where a sign-in goes on. Only paths of this server: what browsers
// take for an address of another would send people who have just signed in to it.
func returnPath(s string) (string, error) {
	bad := fault.New(fault.Invalid, "return is a path of this server, such as /settings.")
	if s == "" {
		return "", nil
	}
	if len(s) > maxReturn || !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") ||
		strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == '\\' || r >= 0x7f }) {
		return "", bad
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//") || strings.Contains(u.Path, "\\") {
		return "", bad
	}
	return s, nil
}

// flowCookie is the cookie of one flow, so that a browser can have several under way.
func flowCookie(state string) string { return "picora_oidc_" + state[:min(len(state), 8)] }

// setFlow gives the browser what it must show when it comes back. Lax: it comes back
// from the provider's site.
func setFlow(c *fiber.Ctx, b auth.Begun) { flowBound(c, b.State, b.Browser, 600) }

func flowBound(c *fiber.Ctx, state, value string, maxAge int) {
	c.Cookie(&fiber.Cookie{
		Name: flowCookie(state), Value: value, Path: "/v1/auth/oidc", MaxAge: maxAge,
		HTTPOnly: true, SameSite: fiber.CookieSameSiteLaxMode,
		Secure: strings.HasPrefix(link.Of(c.UserContext()).API, "https://"),
	})
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer")
}

// finishOIDC handles GET /v1/auth/oidc/:name/callback: the browser comes back.
func (a *API) finishOIDC(c *fiber.Ctx) error {
	in := auth.Answer{Provider: c.Params("name"), State: c.Query("state"), Code: c.Query("code"), Error: c.Query("error")}
	if store.ValidID(in.State, 43) {
		in.Browser = c.Cookies(flowCookie(in.State))
		flowBound(c, in.State, "", -1)
	}
	e, err := a.auth.FinishOIDC(c.UserContext(), in, a.settings.Live(), device(c))
	var r *auth.Refused
	if errors.As(err, &r) {
		return a.refusedOIDC(c, e, in.Provider, r)
	}
	if err != nil {
		return err
	}
	a.auditOIDC(c, e, in.Provider)
	if e.Signed.Access != "" {
		setRefresh(c, e.Signed.Refresh, int(auth.RefreshAge/time.Second))
	}
	if e.Back == "" {
		e.Back = "/"
	}
	return c.Redirect(e.Back, fiber.StatusFound)
}

func (a *API) auditOIDC(c *fiber.Ctx, e auth.Ended, provider string) {
	event := store.Event{Actor: e.User, Via: e.Signed.Session.ID, Detail: map[string]string{"provider": provider}}
	if e.Created {
		event.Action, event.Subject = "user.registered", e.User
		a.record(c, event)
	}
	if e.Linked != "" {
		event.Action, event.Subject = "identity.linked", e.Linked
		a.record(c, event)
	}
	if e.Signed.Access != "" {
		a.auditSignIn(c, e.Signed, map[string]string{"provider": provider})
	}
}

// refusedOIDC tells a page that asked to be gone on at by the word in its query, and
// else the person.
func (a *API) refusedOIDC(c *fiber.Ctx, e auth.Ended, provider string, r *auth.Refused) error {
	if r.Reason != auth.RefusedExpired && r.Reason != auth.RefusedDenied { // which anybody can cause, as often as they like
		a.record(c, store.Event{Actor: e.User, Action: "session.refused", Detail: map[string]string{"provider": provider, "reason": r.Reason}})
	}
	if u, err := url.Parse(e.Back); e.Back != "" && err == nil {
		q := u.Query()
		q.Set("error", r.Reason)
		u.RawQuery = q.Encode()
		return c.Redirect(u.String(), fiber.StatusFound)
	}
	status := fiber.StatusForbidden
	if r.Reason == auth.RefusedExpired {
		status = fiber.StatusBadRequest
	}
	c.Set(fiber.HeaderContentType, fiber.MIMETextPlainCharsetUTF8)
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Status(status).SendString(r.Message + "\n")
}
