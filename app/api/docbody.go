package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"

	"picora/app/fault"
	"picora/app/library"
)

// A document comes in a JSON body, which is in memory as a whole. So the bytes of all
// such bodies together are bounded: those that have come, not those that were said to,
// so that nobody takes the room by sending slowly.
const (
	maxDocBody  = 2*library.MaxDoc + 1<<20 // bytes of a body: some clients escape every Chinese character
	docBodies   = 64 << 20                 // … of all bodies that are being read or worked on
	docBodyTime = 5 * time.Minute          // a body has come by then
)

// docsHeld is how many bytes of bodies are in memory.
var docsHeld atomic.Int64

// docBody is the body of a document on its way in.
type docBody struct {
	body *body
	held int64
	data bytes.Buffer
	url  string // where the document is, when the body has not its text
}

// docRoom refuses a document in a body of that length (-1: unknown) before it is read.
func (a *API) docRoom(ctx context.Context, length int) error {
	if length > maxDocBody {
		return errDocTooLarge()
	}
	return a.library.Room(ctx, int64(length))
}

func errDocTooLarge() error {
	return fault.New(fault.Invalid, "The document is too large: content has at most 5 MB.")
}

// docBody reads the request's body. Whoever asks for it releases it.
func (a *API) docBody(c *fiber.Ctx) (*docBody, error) {
	if err := a.docRoom(c.UserContext(), c.Request().Header.ContentLength()); err != nil {
		return nil, err
	}
	b := &docBody{body: newBody(c, time.Duration(a.upload.IdleTimeout))}
	b.body.left = maxDocBody + 1
	if err := b.fill(time.Now().Add(docBodyTime)); err != nil {
		b.release()
		return nil, err
	}
	return b, nil
}

// fill reads the body to its end.
func (b *docBody) fill(until time.Time) error {
	for {
		n, err := io.CopyN(&b.data, b.body, 64<<10)
		b.held += n
		switch held := docsHeld.Add(n); {
		case err == io.EOF:
			return nil
		case err != nil:
			return b.explain(err)
		case b.data.Len() > maxDocBody:
			return errDocTooLarge()
		case held > docBodies:
			return fault.New(fault.Busy, "Too many documents are being sent to this server at once. Send it again in a moment.")
		case time.Now().After(until):
			return fault.New(fault.Timeout, "The document took too long to arrive. Send it again.")
		}
	}
}

func (b *docBody) explain(err error) error {
	switch {
	case b.body.over:
		return errDocTooLarge()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &fault.Error{Code: fault.Timeout, Message: "The document stopped arriving. Send it again.", Cause: err}
	}
	return &fault.Error{Code: fault.BadRequest, Message: "The document broke off before its end. Send it again.", Cause: err}
}

// release lets go of the body.
func (b *docBody) release() {
	docsHeld.Add(-b.held)
	b.held = 0
}

// docFields are the members of the body.
type docFields struct {
	Filename string    `json:"filename"`
	Content  *string   `json:"content"`
	URL      string    `json:"url"`
	Title    *string   `json:"title"`
	Tags     *[]string `json:"tags"`
	Public   *bool     `json:"isPublic"`
	Public2  *bool     `json:"is_public"`
	Rewrite  *bool     `json:"rewriteImages"`
	KBID     *string   `json:"kbId"`
	Path     *string   `json:"relativePath"`
}

// read makes a document of the body.
func (b *docBody) read() (d library.Doc, err error) {
	var in docFields
	if err := decode(b.data.Bytes(), &in, false); err != nil {
		return d, err
	}
	b.data = bytes.Buffer{}
	if in.Content == nil && in.URL == "" {
		return d, fault.New(fault.Invalid, "content is missing: the text of the document.")
	}
	if in.Content == nil {
		b.url, in.Content = in.URL, new(string)
	}
	d = library.Doc{
		Filename: in.Filename, Content: []byte(*in.Content), Title: or(in.Title, ""), Tags: in.Tags, Public: in.Public,
		Collection: or(in.KBID, ""), Path: or(in.Path, ""), Rewrite: or(in.Rewrite, true),
	}
	if d.Public == nil {
		d.Public = in.Public2
	}
	return d, nil
}

// or is what p points to, or otherwise.
func or[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}
