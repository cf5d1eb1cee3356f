package cdn

import (
	"github.com/gofiber/fiber/v2"

	"picora/app/access"
	"picora/store"
)

// allowed is access.Rule.Allowed, for which the signature of a transform opens the file
// as well.
func (d *CDN) allowed(c *fiber.Ctx, m *store.Media) (access.Policy, error) {
	return d.access.Allowed(c, m, func() bool { return d.signed(c, m) })
}
