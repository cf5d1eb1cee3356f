package api

import (
	"context"
	"strings"

	"github.com/gofiber/fiber/v2"

	"picora/app/auth"
	"picora/app/fault"
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

// imagePublicMeta handles GET /v1/images/:id/public-meta, which services beside
// Picora may ask. Bare JSON; 404 whatever is wrong, so that it tells nothing.
func (a *API) imagePublicMeta(c *fiber.Ctx) error {
	missing := fault.New(fault.NotFound, "There is no such thing here.")
	if a.internal == "" || !sameSecret(c.Get("X-Internal-Token"), a.internal) {
		return missing
	}
	m, err := a.library.Any(c.UserContext(), strings.Clone(c.Params("id")))
	if err != nil {
		return err
	}
	if !m.Public {
		return missing
	}
	return c.JSON(map[string]any{"storageKey": m.Blob, "mimeType": m.MIME, "isPublic": m.Public})
}
