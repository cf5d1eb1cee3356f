package dashboard

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"picora/app/link"
	"picora/app/notice"
)

// WriteError lets write answer an error, and makes a page of it for a browser that opens
// an address as one. What programs ask for, write answers alone.
func WriteError(write func(*fiber.Ctx, error) error) func(*fiber.Ctx, error) error {
	return func(c *fiber.Ctx, err error) error {
		if fault := write(c, err); fault != nil || !forPeople(c) {
			return fault
		}
		status := c.Response().StatusCode()
		n := notice.Notice{Status: status, Home: link.Of(c.UserContext()).API + "/"}
		if status == fiber.StatusNotFound {
			n.Text = "There is no such page here."
		}
		if status >= fiber.StatusInternalServerError {
			n.Request = c.GetRespHeader(fiber.HeaderXRequestID)
		}
		b, failed := n.Page(c.Get(fiber.HeaderAcceptLanguage))
		if failed != nil {
			return failed
		}
		c.Append(fiber.HeaderVary, fiber.HeaderAccept, fiber.HeaderAcceptLanguage)
		c.Set(fiber.HeaderContentSecurityPolicy, notice.Policy)
		c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
		c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
		return c.Send(b)
	}
}

func forPeople(c *fiber.Ctx) bool {
	if m := c.Method(); m != fiber.MethodGet && m != fiber.MethodHead {
		return false
	}
	return !strings.HasPrefix(c.Path(), "/v1/") && notice.Wanted(c.Get(fiber.HeaderAccept))
}
