package api

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"picora/app/auth"
)

// need lets only callers with the scope through, and keeps the caller for caller.
func (a *API) need(s auth.Scope) fiber.Handler {
	return func(c *fiber.Ctx) error {
		who, err := a.auth.Bearer(c.UserContext(), c.Get(fiber.HeaderAuthorization))
		if err != nil {
			return err
		}
		if err := who.Need(s); err != nil {
			return err
		}
		c.Locals(callerKey{}, who)
		return c.Next()
	}
}

type callerKey struct{}

// caller is who need let through.
func caller(c *fiber.Ctx) auth.Caller {
	who, _ := c.Locals(callerKey{}).(auth.Caller)
	return who
}

// Admit says whether an upload may begin, from its headers alone: the server
// asks before it tells a client that waits (Expect: 100-continue) to go on.
func (a *API) Admit(ctx context.Context, authorization string, length int) error {
	who, err := a.auth.Bearer(ctx, authorization)
	if err != nil {
		return err
	}
	if err := who.Need(auth.MediaWrite); err != nil {
		return err
	}
	return a.room(ctx, length)
}

// room refuses a body of that length (-1: unknown) before it is read.
func (a *API) room(ctx context.Context, length int) error {
	if int64(length) > a.library.MaxUpload()+formOverhead {
		return a.library.TooLarge()
	}
	return a.library.Room(ctx, int64(length))
}

// verify handles GET /v1/auth/verify, the "test connection" of clients.
func (a *API) verify(c *fiber.Ctx) error {
	who := caller(c)
	return ok(c, map[string]any{
		"valid": true, "userId": who.User, "plan": auth.Plan, "authType": "apiKey", "apiKeyId": who.KeyID,
	})
}
