package api

import (
	"errors"
	"time"

	"github.com/gofiber/fiber/v2"

	"picora/app/fault"
	"picora/app/library"
	"picora/app/link"
)

// maxPreview is how long a text may be that is shown while it is written, in bytes.
const maxPreview = 512 << 10

// previewDoc handles POST /v1/docs/preview. Nothing is stored.
func (a *API) previewDoc(c *fiber.Ctx) error {
	if c.Request().Header.ContentLength() > 3*maxPreview { // JSON may need more bytes for a text
		return errPreviewTooLong()
	}
	b := &docBody{body: newBody(c, time.Duration(a.upload.IdleTimeout))}
	b.body.left = 3*maxPreview + 1
	defer b.release()
	if err := b.fill(time.Now().Add(docBodyTime)); err != nil {
		return err
	}
	var in struct {
		Content *string `json:"content"`
	}
	if err := decode(b.data.Bytes(), &in, false); err != nil {
		return err
	}
	switch {
	case in.Content == nil:
		return fault.New(fault.Invalid, "content is missing: the text of the document.")
	case len(*in.Content) > maxPreview:
		return errPreviewTooLong()
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

func errPreviewTooLong() error {
	return fault.New(fault.Invalid, "There is a preview of texts of up to 512 KB only. It can be saved all the same.")
}
