package server

import (
	"time"

	"github.com/gofiber/fiber/v2"
)

// health answers both addresses that clients ask, with a bare body (contract
// 18.4). mediaListingV2 promises what GET /v1/media has: types, sizes, filters.
func health(app *fiber.App, version string) {
	answer := func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderCacheControl, "no-store")
		return c.JSON(map[string]any{
			"ok": true, "ts": time.Now().UnixMilli(), "version": version,
			"features": map[string]bool{"kb": false, "mediaListingV2": true},
		})
	}
	app.Get("/health", answer)
	app.Get("/v1/health", answer)
}
