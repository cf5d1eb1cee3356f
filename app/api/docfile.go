package api

import (
	"bytes"
	"io"
	"mime"
	"path"
	"strings"

	"github.com/gofiber/fiber/v2"

	"picora/app/fault"
	"picora/app/library"
	"picora/app/link"
	"picora/media"
	"picora/store"
)

// isForm reports whether the request's body is a form.
func isForm(c *fiber.Ctx) bool {
	kind, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	return err == nil && kind == fiber.MIMEMultipartForm
}

var errTextOnly = fault.New(fault.Invalid, "relativePath is for documents of text. A PDF is put into a collection with kbId alone.")

// createDocFile handles POST /v1/docs with a form: a PDF, or a file of text.
func (a *API) createDocFile(c *fiber.Ctx) error {
	f, err := a.openForm(c, func(length int) error { return a.room(c.UserContext(), caller(c).User, store.Doc, length) })
	if err != nil {
		return err
	}
	defer f.close()
	switch strings.ToLower(path.Ext(f.filename)) {
	case ".md", ".markdown", ".typ":
		return a.createDocText(c, f)
	}
	if f.values["relativePath"] != "" {
		return errTextOnly
	}
	m, fresh, err := a.addForm(c, f, store.Doc)
	if err != nil {
		return err
	}
	return a.sendPDF(c, &m, fresh)
}

// sendPDF answers with a PDF that was sent.
func (a *API) sendPDF(c *fiber.Ctx, m *store.Media, fresh bool) error {
	report := library.DocReport{Duplicate: !fresh}
	if m.Text.Pages == 0 && m.MIME == media.PDFDocument.MIME {
		report.Warnings = []string{"The PDF is protected by a password. It is kept as it is; its text cannot be searched, and there is no picture of it."}
	}
	return a.sendDoc(c, m, &report)
}

// createDocText takes a file of text as if it had come as JSON.
func (a *API) createDocText(c *fiber.Ctx, f *form) error {
	var b docBody
	defer b.release()
	for {
		n, err := io.CopyN(&b.data, f.file, 64<<10)
		b.held += n
		held := docsHeld.Add(n)
		switch {
		case err == io.EOF:
		case err != nil:
			return err
		case b.data.Len() > library.MaxDoc:
			return errDocTooLarge()
		case held > docBodies:
			return fault.New(fault.Busy, "Too many documents are being sent to this server at once. Send it again in a moment.")
		}
		if err == io.EOF {
			break
		}
	}
	if err := f.rest(); err != nil {
		return err
	}
	change, err := f.change()
	if err != nil {
		return err
	}
	rewrite := true
	r, err := f.bool("rewriteImages", &rewrite)
	if err != nil {
		return err
	}
	m, report, err := a.library.AddDoc(c.UserContext(), library.Doc{
		User: caller(c).User, Filename: f.filename, Content: bytes.Clone(b.data.Bytes()), Title: f.values["title"],
		Tags: change.Tags, Public: change.Public, Collection: f.values["kbId"], Path: f.values["relativePath"], Rewrite: *r,
	})
	if err != nil {
		return err
	}
	return a.sendDoc(c, &m, &report)
}

// sendDoc answers with a document that was sent.
func (a *API) sendDoc(c *fiber.Ctx, m *store.Media, r *library.DocReport) error {
	status := fiber.StatusCreated
	if r.Duplicate {
		status = fiber.StatusOK
		c.Set("X-Picora-Duplicate", "true")
	}
	return a.sendTaken(c, status, m, r)
}

// docFile is what a PDF has beside what all documents have. It is nil of others.
type docFile struct {
	Pages     *int    `json:"pages"` // null: nobody knows, for it is protected by a password
	URL       string  `json:"url"`
	Thumbnail *string `json:"thumbnailUrl"`
}

func (a *API) docFile(c *fiber.Ctx, m *store.Media) *docFile {
	if m.MIME != media.PDFDocument.MIME {
		return nil
	}
	f := &docFile{URL: mediaURL(link.Of(c.UserContext()), m), Thumbnail: orNull(a.docCover(c, m))}
	if m.Text.Pages > 0 {
		f.Pages = &m.Text.Pages
	}
	return f
}

// docCover is the address of the picture of a document: that of a PDF's first page, or
// the first in a text; empty: it has none.
func (a *API) docCover(c *fiber.Ctx, m *store.Media) string {
	if _, has := m.Part(store.CoverPart); has {
		return a.partURL(link.Of(c.UserContext()).DocCover(m.ID), m, store.CoverPart)
	}
	return m.Text.Cover
}
