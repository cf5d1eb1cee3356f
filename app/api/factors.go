package api

import (
	"encoding/json"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"picora/app/auth"
	"picora/app/fault"
	"picora/app/link"
	"picora/app/mail"
	"picora/store"
)

// confirmWays handles GET /v1/auth/confirm.
func (a *API) confirmWays(c *fiber.Ctx) error {
	who := caller(c)
	f, err := a.store.Factors(c.UserContext(), who.User)
	if err != nil {
		return err
	}
	out := map[string]any{
		"confirmedUntil": nil, "password": who.Account.Password != "", "code": who.Account.Email != "",
		"otp": f.Secret != nil, "passkey": len(f.Passkeys) > 0, "mail": a.auth.MailOn(),
	}
	if until := who.Proved.Add(auth.ProofAge); until.After(a.store.Now()) {
		out["confirmedUntil"] = stamp(until)
	}
	return ok(c, out)
}

// confirm handles POST /v1/auth/confirm.
func (a *API) confirm(c *fiber.Ctx) error {
	var in struct {
		Password string          `json:"password"`
		Code     string          `json:"code"`
		OTP      string          `json:"otp"`
		Passkey  json.RawMessage `json:"passkey"`
	}
	if err := readJSON(c, &in, false); err != nil {
		return err
	}
	until, err := a.auth.Confirm(c.UserContext(), caller(c), auth.Proof{Password: in.Password, Code: in.Code, OTP: in.OTP, Passkey: object(in.Passkey)}, device(c))
	if err != nil {
		return err
	}
	a.audit(c, "session.confirmed", caller(c).Session, nil)
	return ok(c, map[string]any{"confirmedUntil": stamp(until)})
}

// object is raw, or nothing when it is null.
func object(raw json.RawMessage) []byte {
	if string(raw) == "null" {
		return nil
	}
	return raw
}

// confirmSendCode handles POST /v1/auth/confirm/send-code.
func (a *API) confirmSendCode(c *fiber.Ctx) error {
	u := caller(c).Account
	if err := a.auth.SendCode(c.UserContext(), u.Email, auth.ForConfirm, language(c), u.Email != ""); err != nil {
		return err
	}
	return a.codeSent(c)
}

// confirmOptions handles POST /v1/auth/confirm/options.
func (a *API) confirmOptions(c *fiber.Ctx) error {
	options, err := a.auth.BeginConfirm(c.UserContext(), caller(c).Account)
	return a.secretAnswer(c, fiber.StatusOK, options, err)
}

// secretAnswer answers data that nobody may keep, unless err says otherwise.
func (a *API) secretAnswer(c *fiber.Ctx, status int, data any, err error) error {
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Status(status).JSON(success{true, data})
}

// getTOTP handles GET /v1/user/me/totp.
func (a *API) getTOTP(c *fiber.Ctx) error {
	f, err := a.store.Factors(c.UserContext(), caller(c).User)
	if err != nil {
		return err
	}
	out := map[string]any{"enabled": f.Secret != nil, "enabledAt": nil, "recoveryCodesLeft": len(f.Recovery)}
	if f.Secret != nil {
		out["enabledAt"] = stamp(f.Since)
	}
	return ok(c, out)
}

// createTOTP handles POST /v1/user/me/totp.
func (a *API) createTOTP(c *fiber.Ctx) error {
	host := ""
	if u, err := url.Parse(link.Of(c.UserContext()).API); err == nil {
		host = u.Hostname()
	}
	t, err := a.auth.BeginTOTP(c.UserContext(), caller(c).Account, host)
	return a.secretAnswer(c, fiber.StatusOK, map[string]any{"secret": t.Secret, "otpauthUrl": t.URL, "qr": t.QR}, err)
}

// enableTOTP handles POST /v1/user/me/totp/enable.
func (a *API) enableTOTP(c *fiber.Ctx) error {
	var in struct {
		Code string `json:"code"`
	}
	if err := readJSON(c, &in, false); err != nil {
		return err
	}
	if in.Code == "" {
		return fault.New(fault.Invalid, "code is needed: the one that the authenticator app shows.")
	}
	who := caller(c)
	codes, err := a.auth.EnableTOTP(c.UserContext(), who.User, in.Code)
	if err == nil {
		a.security(c, "totp.enabled", who.User, nil, mail.AppAdded(speaks(c)))
	}
	return a.secretAnswer(c, fiber.StatusOK, map[string]any{"recoveryCodes": codes}, err)
}

// security writes what was done to the caller's credentials into the audit log, and
// tells them.
func (a *API) security(c *fiber.Ctx, action, subject string, detail map[string]string, t mail.Text) {
	a.audit(c, action, subject, detail)
	a.auth.Alert(c.UserContext(), caller(c).Account, t)
}

// speaks is the caller's language.
func speaks(c *fiber.Ctx) string {
	return mail.Language(caller(c).Account.Locale, c.Get(fiber.HeaderAcceptLanguage))
}

// deleteTOTP handles DELETE /v1/user/me/totp.
func (a *API) deleteTOTP(c *fiber.Ctx) error {
	who := caller(c)
	if err := a.auth.DisableTOTP(c.UserContext(), who.User); err != nil {
		return err
	}
	a.security(c, "totp.disabled", who.User, nil, mail.AppRemoved(speaks(c)))
	return ok(c, nil)
}

// createRecoveryCodes handles POST /v1/user/me/recovery-codes.
func (a *API) createRecoveryCodes(c *fiber.Ctx) error {
	who := caller(c)
	codes, err := a.auth.NewRecovery(c.UserContext(), who.User)
	if err == nil {
		a.security(c, "recovery.renewed", who.User, nil, mail.RecoveryRenewed(speaks(c)))
	}
	return a.secretAnswer(c, fiber.StatusOK, map[string]any{"recoveryCodes": codes}, err)
}

// passkeyWire is a passkey of the signed-in user.
type passkeyWire struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	Transports []string `json:"transports"`
	CreatedAt  string   `json:"createdAt"`
	LastUsedAt *string  `json:"lastUsedAt"`
}

func wirePasskey(p store.Passkey) passkeyWire {
	w := passkeyWire{ID: p.ID, Name: p.Name, Transports: append([]string{}, p.Transports...), CreatedAt: stamp(p.Created)}
	if !p.Used.IsZero() {
		w.LastUsedAt = orNull(stamp(p.Used))
	}
	return w
}

// listPasskeys handles GET /v1/user/me/passkeys. There are so few that they are one page.
func (a *API) listPasskeys(c *fiber.Ctx) error {
	f, err := a.store.Factors(c.UserContext(), caller(c).User)
	if err != nil {
		return err
	}
	items, total := make([]passkeyWire, len(f.Passkeys)), int64(len(f.Passkeys))
	for i, p := range f.Passkeys {
		items[len(items)-1-i] = wirePasskey(p)
	}
	return list(c, page{items: items, keys: []string{"items"}, total: &total})
}

// passkeyOptions handles POST /v1/user/me/passkeys/options.
func (a *API) passkeyOptions(c *fiber.Ctx) error {
	options, err := a.auth.BeginPasskey(c.UserContext(), caller(c).Account)
	return a.secretAnswer(c, fiber.StatusOK, options, err)
}

// credentialBody is what a browser's authenticator said.
type credentialBody struct {
	Name       string          `json:"name"`
	Credential json.RawMessage `json:"credential"`
}

// createPasskey handles POST /v1/user/me/passkeys.
func (a *API) createPasskey(c *fiber.Ctx) error {
	var in credentialBody
	if err := readJSON(c, &in, false); err != nil {
		return err
	}
	if len(object(in.Credential)) == 0 {
		return fault.New(fault.Invalid, "credential is needed: what navigator.credentials.create returned, as JSON.")
	}
	p, err := a.auth.AddPasskey(c.UserContext(), caller(c).Account, in.Name, in.Credential)
	if err != nil {
		return err
	}
	a.security(c, "passkey.created", p.ID, map[string]string{"name": p.Name}, mail.PasskeyAdded(speaks(c), p.Name))
	return created(c, wirePasskey(p))
}

// updatePasskey handles PATCH /v1/user/me/passkeys/:id.
func (a *API) updatePasskey(c *fiber.Ctx) error {
	id, err := id(c, store.IDLen)
	if err != nil {
		return err
	}
	var in struct {
		Name string `json:"name"`
	}
	if err := readJSON(c, &in, true); err != nil {
		return err
	}
	p, err := a.auth.RenamePasskey(c.UserContext(), caller(c).User, id, in.Name)
	if err != nil {
		return err
	}
	return ok(c, wirePasskey(p))
}

// deletePasskey handles DELETE /v1/user/me/passkeys/:id.
func (a *API) deletePasskey(c *fiber.Ctx) error {
	id, err := id(c, store.IDLen)
	if err != nil {
		return err
	}
	if err := a.auth.DeletePasskey(c.UserContext(), caller(c).Account, id); err != nil {
		return err
	}
	a.security(c, "passkey.deleted", id, nil, mail.PasskeyRemoved(speaks(c)))
	return ok(c, nil)
}

// passkeySignInOptions handles POST /v1/auth/passkey/options.
func (a *API) passkeySignInOptions(c *fiber.Ctx) error {
	options, err := a.auth.BeginPasskeySignIn(c.UserContext())
	return a.secretAnswer(c, fiber.StatusOK, options, err)
}

// passkeySignIn handles POST /v1/auth/passkey.
func (a *API) passkeySignIn(c *fiber.Ctx) error {
	if err := ownPage(c); err != nil {
		return err
	}
	var in credentialBody
	if err := readJSON(c, &in, false); err != nil {
		return err
	}
	s, err := a.auth.PasskeySignIn(c.UserContext(), object(in.Credential), device(c))
	if err != nil {
		return err
	}
	a.auditSignIn(c, s, nil)
	return a.signedIn(c, fiber.StatusOK, s)
}

// auditSignIn writes a new session into the audit log.
func (a *API) auditSignIn(c *fiber.Ctx, s auth.Signed, detail map[string]string) {
	all := map[string]string{"method": s.Session.Method}
	for k, v := range detail {
		all[k] = v
	}
	a.record(c, store.Event{Actor: s.User.ID, Via: s.Session.ID, Action: "session.created", Subject: s.Session.ID, Detail: all})
}
