package api

import (
	"github.com/gofiber/fiber/v2"

	"picora/app/auth"
	"picora/app/link"
)

// setupNeeded handles GET /v1/setup.
func (a *API) setupNeeded(c *fiber.Ctx) error {
	needed, err := a.auth.SetupNeeded(c.UserContext())
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return ok(c, map[string]any{"needed": needed, "address": link.Of(c.UserContext()).API})
}

// setup handles POST /v1/setup: the first account.
func (a *API) setup(c *fiber.Ctx) error {
	in, err := readCredentials(c, "token", "email", "password")
	if err != nil {
		return err
	}
	s, err := a.auth.Setup(c.UserContext(), auth.FirstUser{
		Token: in.Token, Email: in.Email, Password: in.Password, Nickname: in.Nickname, Locale: in.Locale,
	}, device(c))
	if err != nil {
		return err
	}
	return a.welcome(c, fiber.StatusCreated, s)
}
