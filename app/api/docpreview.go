package api

import (
	"errors"

	"github.com/gofiber/fiber/v2"

	"picora/app/fault"
	"picora/app/library"
	"picora/app/link"
)

// maxPreview is how long a text may be that is shown while it is written, in bytes. The
// server takes bodies of some more.
const maxPreview = 512 << 10

// previewDoc handles POST /v1/docs/preview. Nothing is stored.
func (a *API) previewDoc(c *fiber.Ctx) error {
	var in struct {
		Content *string `json:"content"`
	}
	if err := readJSON(c, &in, false); err != nil {
		return err
	}
	switch {
	case in.Content == nil:
		return fault.New(fault.Invalid, "content is missing: the text of the document.")
	case len(*in.Content) > maxPreview:
		return fault.New(fault.Invalid, "There is a preview of texts of up to 512 KB only. It can be saved all the same.")
	}
	page, err := a.library.PreviewProse(c.UserContext(), []byte(*in.Content), link.Of(c.UserContext()).Hosts())
	if errors.Is(err, library.ErrNoProse) {
		return fault.New(fault.Invalid, "This text is too intricate to be laid out here. It can be saved all the same.")
	}
	if err != nil {
		return err
	}
	return ok(c, map[string]any{"html": page.HTML, "headed": page.Headed})
}
