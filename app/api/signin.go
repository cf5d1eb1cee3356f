package api

import (
	"github.com/gofiber/fiber/v2"

	"picora/app/auth"
	"picora/app/fault"
	"picora/app/mail"
)

// language is the language to answer somebody in whom we do not know yet.
func language(c *fiber.Ctx) string { return mail.Language("", c.Get(fiber.HeaderAcceptLanguage)) }

// credentials are what the sign-in routes read; each uses some.
type credentials struct {
	Email       string `json:"email"`
	Password    string `json:"password"`
	NewPassword string `json:"newPassword"`
	Code        string `json:"code"`
	OTP         string `json:"otp"`
	Type        string `json:"type"`
	Nickname    string `json:"nickname"`
	InviteCode  string `json:"inviteCode"`
	Token       string `json:"token"`
	Locale      string `json:"locale"`
}

// readCredentials reads the body and refuses it when one of the named fields is empty,
// or the e-mail address is none.
func readCredentials(c *fiber.Ctx, needs ...string) (in credentials, err error) {
	if err := readJSON(c, &in, false); err != nil {
		return in, err
	}
	given := map[string]string{
		"email": in.Email, "password": in.Password, "newPassword": in.NewPassword, "code": in.Code, "token": in.Token, "type": in.Type,
	}
	for _, n := range needs {
		if given[n] == "" {
			return in, fault.New(fault.Invalid, "The field %s is needed.", n)
		}
		if n == "email" {
			if err := auth.CheckEmail(in.Email); err != nil {
				return in, err
			}
		}
	}
	if in.Locale != "" && in.Locale != "en" && in.Locale != "zh-CN" {
		return in, fault.New(fault.Invalid, "The field locale must be en or zh-CN.")
	}
	if in.Locale == "" && c.Get(fiber.HeaderAcceptLanguage) != "" {
		in.Locale = language(c)
	}
	return in, nil
}

// sendCode handles POST /v1/auth/send-code. The answer is the same for every address.
func (a *API) sendCode(c *fiber.Ctx) error {
	in, err := readCredentials(c, "email", "type")
	if err != nil {
		return err
	}
	ctx, lang, mode := c.UserContext(), language(c), a.settings.Live().Registration
	known := false
	if in.Type != auth.ForRegister {
		if known, err = a.auth.HasAccount(ctx, in.Email); err != nil {
			return err
		}
	}
	switch {
	case in.Type == auth.ForRegister:
		err = a.auth.SendRegisterCode(ctx, in.Email, lang, mode != "closed")
	case in.Type == auth.ForLogin && !known: // signing in by code makes the account
		err = a.auth.SendRegisterCode(ctx, in.Email, lang, mode == "open")
	case in.Type == auth.ForLogin, in.Type == auth.ForReset:
		err = a.auth.SendCode(ctx, in.Email, in.Type, lang, known)
	case in.Type == auth.ForBindEmail:
		err = a.auth.SendCode(ctx, in.Email, in.Type, lang, !known)
	default:
		return fault.New(fault.Invalid, "The field type must be one of register, login, reset_password, bind_email.")
	}
	if err != nil {
		return err
	}
	return a.codeSent(c)
}

func (a *API) codeSent(c *fiber.Ctx) error {
	return ok(c, map[string]any{"message": a.auth.CodeSent(language(c))})
}

// forgotPassword handles POST /v1/auth/forgot-password.
func (a *API) forgotPassword(c *fiber.Ctx) error {
	in, err := readCredentials(c, "email")
	if err != nil {
		return err
	}
	known, err := a.auth.HasAccount(c.UserContext(), in.Email)
	if err != nil {
		return err
	}
	if err := a.auth.SendCode(c.UserContext(), in.Email, auth.ForReset, language(c), known); err != nil {
		return err
	}
	return a.codeSent(c)
}

// registration handles GET /v1/auth/register: pages ask it what they need to show.
func (a *API) registration(c *fiber.Ctx) error {
	return ok(c, map[string]any{"registration": a.settings.Live().Registration, "mail": a.auth.MailOn()})
}

// register handles POST /v1/auth/register.
func (a *API) register(c *fiber.Ctx) error {
	in, err := readCredentials(c, "email", "password")
	if err != nil {
		return err
	}
	live := a.settings.Live()
	s, err := a.auth.Register(c.UserContext(), auth.Registration{
		Email: in.Email, Password: in.Password, Code: in.Code, Invite: in.InviteCode, Nickname: in.Nickname, Locale: in.Locale,
		Mode: live.Registration, Plan: live.Plan,
	}, device(c))
	if err != nil {
		return err
	}
	return a.welcome(c, fiber.StatusCreated, s)
}

// login handles POST /v1/auth/login.
func (a *API) login(c *fiber.Ctx) error {
	in, err := readCredentials(c, "email", "password")
	if err != nil {
		return err
	}
	s, err := a.auth.Login(c.UserContext(), in.Email, in.Password, in.OTP, device(c))
	if err != nil {
		return err
	}
	return a.welcome(c, fiber.StatusOK, s)
}

// loginCode handles POST /v1/auth/login/code.
func (a *API) loginCode(c *fiber.Ctx) error {
	in, err := readCredentials(c, "email", "code")
	if err != nil {
		return err
	}
	var open *auth.Opening
	if live := a.settings.Live(); live.Registration == "open" {
		open = &auth.Opening{Plan: live.Plan, Locale: in.Locale}
	}
	s, err := a.auth.LoginCode(c.UserContext(), in.Email, in.Code, in.OTP, open, device(c))
	if err != nil {
		return err
	}
	return a.welcome(c, fiber.StatusOK, s)
}

// resetPassword handles POST /v1/auth/reset-password.
func (a *API) resetPassword(c *fiber.Ctx) error {
	in, err := readCredentials(c, "email", "code", "newPassword")
	if err != nil {
		return err
	}
	if err := a.auth.ResetPassword(c.UserContext(), in.Email, in.Code, in.OTP, in.NewPassword, device(c)); err != nil {
		return err
	}
	message := "The password was set. Sign in with it."
	if language(c) == "zh-CN" {
		message = "密码已重设，请用新密码登录。"
	}
	return ok(c, map[string]any{"message": message})
}

// welcome notes the sign-in in the audit log and answers it.
func (a *API) welcome(c *fiber.Ctx, status int, s auth.Signed) error {
	a.auditSignIn(c, s, nil)
	return a.signedIn(c, status, s)
}

// notHere answers the ways to sign in that the hosted service has and a server of one's
// own has not.
func notHere(what string) fiber.Handler {
	return func(*fiber.Ctx) error {
		return fault.New(fault.FeatureDisabled, "%s is not available on this server. Sign in with your e-mail address: POST /v1/auth/login or /v1/auth/login/code, or by a provider that this server names.", what)
	}
}
