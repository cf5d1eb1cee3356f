package api

import (
	"encoding/hex"

	"github.com/gofiber/fiber/v2"

	"picora/app/fault"
	"picora/app/library"
	"picora/store"
)

// doc is a document on the wire (contract 13).
type doc struct {
	ID            string   `json:"id"`
	Title         string   `json:"title"`
	Filename      string   `json:"filename"`
	Format        string   `json:"format"`
	SizeBytes     int64    `json:"sizeBytes"`
	WordCount     int      `json:"wordCount"`
	ImageCount    int      `json:"imageCount"`
	Rewritten     int      `json:"rewrittenCount"`
	IsPublic      bool     `json:"isPublic"`
	Tags          []string `json:"tags"`
	CoverURL      *string  `json:"coverUrl"`
	InlineContent bool     `json:"hasInlineContent"`
	KBID          *string  `json:"kbId"`
	RelativePath  *string  `json:"relativePath"`
	CreatedAt     string   `json:"createdAt"`
	UpdatedAt     string   `json:"updatedAt"`
	*docFile
}

// inlineMost is the size up to which a document counts as small, in bytes.
const inlineMost = 256 << 10

// doc writes a record for the client at the origin.
func (a *API) doc(c *fiber.Ctx, m *store.Media) doc {
	d := doc{
		ID: m.ID, Title: m.Title, Filename: m.Filename, Format: m.Text.Format, SizeBytes: m.Size,
		WordCount: m.Text.Words, ImageCount: m.Text.Images, Rewritten: m.Text.Rewritten,
		IsPublic: m.Public, Tags: m.Tags, CoverURL: orNull(a.docCover(c, m)), InlineContent: m.Size <= inlineMost,
		KBID: orNull(m.Collection), RelativePath: orNull(library.DocPath(m)),
		CreatedAt: stamp(m.Created), UpdatedAt: stamp(m.Updated),
	}
	if d.Tags == nil {
		d.Tags = []string{}
	}
	if d.docFile = a.docFile(c, m); d.docFile != nil {
		d.InlineContent = false
	}
	return d
}

// takenDoc is the answer to a document that was sent.
type takenDoc struct {
	doc
	SourceHash string       `json:"sourceHash"`
	Duplicate  bool         `json:"duplicate"`
	Failed     int          `json:"failedCount"`
	Failures   []docFailure `json:"failures"`
	Warnings   []string     `json:"warnings"`
}

type docFailure struct {
	Index  int    `json:"index"`
	Type   string `json:"mimeType"`
	Reason string `json:"reason"`
}

// sendTaken answers with a document that was sent, or restored.
func (a *API) sendTaken(c *fiber.Ctx, status int, m *store.Media, r *library.DocReport) error {
	out := takenDoc{
		doc: a.doc(c, m), SourceHash: hex.EncodeToString(m.Hash), Duplicate: r.Duplicate,
		Failed: len(r.Failures), Failures: []docFailure{}, Warnings: append([]string{}, r.Warnings...),
	}
	for _, f := range r.Failures {
		out.Failures = append(out.Failures, docFailure(f))
	}
	return c.Status(status).JSON(success{true, out})
}

// createDoc handles POST /v1/docs.
func (a *API) createDoc(c *fiber.Ctx) error {
	if isForm(c) {
		return a.createDocFile(c)
	}
	b, err := a.docBody(c)
	if err != nil {
		return err
	}
	defer b.release()
	in, err := b.read()
	if err != nil {
		return err
	}
	in.User = caller(c).User
	if b.url != "" {
		if in.Path != "" {
			return errTextOnly
		}
		return a.startFetch(c, store.Upload{
			User: in.User, Kind: store.Doc, URL: b.url, Filename: in.Filename, Title: in.Title,
			Tags: or(in.Tags, nil), Public: in.Public, Collection: in.Collection,
		})
	}
	m, report, err := a.library.AddDoc(c.UserContext(), in)
	if err != nil {
		return err
	}
	return a.sendDoc(c, &m, &report)
}

// getDoc handles GET /v1/docs/:id.
func (a *API) getDoc(c *fiber.Ctx) error {
	m, err := a.readableDoc(c)
	if err != nil {
		return err
	}
	return ok(c, a.doc(c, &m))
}

// readableDoc finds the document of the path for whoever may read it: its owner, or
// everybody when it is public.
func (a *API) readableDoc(c *fiber.Ctx) (store.Media, error) {
	id, err := id(c, store.IDLen)
	if err != nil {
		return store.Media{}, err
	}
	m, err := a.library.Any(c.UserContext(), id)
	if err == nil && (m.Kind != store.Doc || !m.Public && m.User != caller(c).User) {
		err = fault.New(fault.NotFound, "There is no such thing here.")
	}
	return m, err
}

// ownDoc finds the document of the path, of the caller's own.
func (a *API) ownDoc(c *fiber.Ctx) (store.Media, error) {
	id, err := id(c, store.IDLen)
	if err != nil {
		return store.Media{}, err
	}
	m, err := a.library.Own(c.UserContext(), caller(c).User, id)
	if err == nil && m.Kind != store.Doc {
		err = store.ErrNotFound
	}
	return m, err
}
