package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"time"

	"github.com/goccy/go-json"
	"github.com/gofiber/fiber/v2"
)

// success is the envelope of an answer (contract 1.2).
type success struct {
	Success bool `json:"success"`
	Data    any  `json:"data"`
}

// ok answers 200 with data in the envelope.
func ok(c *fiber.Ctx, data any) error { return c.JSON(success{true, data}) }

// created answers 201.
func created(c *fiber.Ctx, data any) error {
	return c.Status(fiber.StatusCreated).JSON(success{true, data})
}

// page is a list as clients read it. The same items stand under every name in
// keys, encoded once: some clients read "items", some the noun (contract 1.4).
type page struct {
	items any
	keys  []string
	next  *string
	total *int64
}

// list answers 200 with a page.
func list(c *fiber.Ctx, p page) error {
	items, err := json.MarshalWithOption(p.items, json.DisableHTMLEscape())
	if err != nil {
		return err
	}
	out := make([]byte, 0, len(items)*len(p.keys)+256)
	out = append(out, `{"success":true,"data":{`...)
	for _, k := range p.keys {
		out = append(out, '"')
		out = append(out, k...)
		out = append(out, `":`...)
		out = append(out, items...)
		out = append(out, ',')
	}
	rest, err := json.Marshal(struct {
		Next  *string `json:"nextCursor"`
		More  bool    `json:"hasMore"`
		Total *int64  `json:"total,omitempty"`
	}{p.next, p.next != nil, p.total})
	if err != nil {
		return err
	}
	out = append(append(out, rest[1:]...), '}')
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Send(out)
}

// stamp is a time as the contract writes it (1.7).
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// orNull is s, or null when it is empty.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func intOrNull(n int) *int {
	if n == 0 {
		return nil
	}
	return &n
}

// sameSecret compares without telling how much was right.
func sameSecret(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
