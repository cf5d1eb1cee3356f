package cdn

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"picora/app/access"
	"picora/store"
)

// allowed is access.Rule.Allowed, for which the signature of a transform opens the file
// as well, and that of a part the part.
func (d *CDN) allowed(c *fiber.Ctx, m *store.Media, part string) (access.Policy, error) {
	return d.access.Allowed(c, m, func() bool {
		if part == "" {
			return d.signed(c, m)
		}
		args := c.Context().QueryArgs()
		return d.signer.LinkValid(access.Part(m.ID, part), string(args.Peek("sig")), string(args.Peek("exp")), time.Now())
	})
}
