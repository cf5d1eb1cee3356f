package api

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net"
	"runtime/debug"
	"time"

	"github.com/goccy/go-json"
	"github.com/gofiber/fiber/v2"

	"picora/app/library"
	"picora/store"
)

// readDocs handles POST /v1/docs/raw:batch. Fifty documents may be 250 MB: they are
// written as they are read, never held.
func (a *API) readDocs(c *fiber.Ctx) error {
	ids, err := docIDs(c)
	if err != nil {
		return err
	}
	b := docBatch{api: a}
	for _, id := range ids {
		m, err := a.library.Any(c.UserContext(), id)
		switch {
		case err != nil && !errors.Is(err, store.ErrNotFound):
			return err
		case err != nil || !store.ValidID(id, store.IDLen) || !isText(&m) || !m.Public && m.User != caller(c).User:
			b.failed = append(b.failed, unread{id, "NOT_FOUND"})
		default:
			b.docs = append(b.docs, m)
		}
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	c.Set(fiber.HeaderCacheControl, "no-store")
	ctx := context.WithoutCancel(c.UserContext())
	r, w := io.Pipe()
	go b.send(ctx, w)
	c.Context().SetBodyStream(&paced{r, c.Context().Conn(), 0}, -1)
	return nil
}

// send writes the answer into the pipe. It runs outside the request's goroutine, so a
// fault in it must end this answer and not the program.
func (b *docBatch) send(ctx context.Context, w *io.PipeWriter) {
	err := errors.New("api: panic") // unless it comes to an end
	defer func() {
		if p := recover(); p != nil {
			slog.Error("texts could not be sent", "err", p, "stack", string(debug.Stack()))
		}
		w.CloseWithError(err) // nil is the end; else the connection is cut, and what came is not taken for all
	}()
	err = b.write(ctx, bufio.NewWriterSize(w, 32<<10))
}

// paced is what a pipe brings. The server reads it, and moves its own deadline: nobody
// else may touch the connection meanwhile.
type paced struct {
	*io.PipeReader
	conn  net.Conn
	fresh int // bytes until the deadline is moved
}

func (p *paced) Read(b []byte) (int, error) {
	if p.fresh <= 0 {
		p.fresh = downloadStep
		if err := p.conn.SetWriteDeadline(time.Now().Add(downloadTime)); err != nil {
			return 0, err
		}
	}
	n, err := p.PipeReader.Read(b)
	p.fresh -= n
	return n, err
}

// isText reports whether the record is a document of text.
func isText(m *store.Media) bool {
	return m.Kind == store.Doc && (m.Text.Format == "markdown" || m.Text.Format == "typst")
}

// unread is a document that a batch has not.
type unread struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

// docBatch is the answer with many documents.
type docBatch struct {
	api    *API
	docs   []store.Media
	failed []unread
}

func (b *docBatch) write(ctx context.Context, w *bufio.Writer) error {
	b.string(w, `{"success":true,"data":{"docs":[`)
	comma := ""
	for i := range b.docs {
		m := &b.docs[i]
		text, err := b.open(ctx, m)
		if err != nil {
			slog.Error("a document could not be read", "id", m.ID, "err", err)
			b.failed = append(b.failed, unread{m.ID, "CONTENT_FETCH_FAILED"})
			continue
		}
		b.string(w, comma+`{"id":"`+m.ID+`","updatedAt":"`+stamp(m.Updated)+`","sourceHash":"`+hex.EncodeToString(m.Hash)+`","content":"`)
		comma = ","
		err = b.content(w, text, m)
		text.Close()
		if err != nil {
			return err
		}
		b.string(w, `"}`)
	}
	failed, err := json.Marshal(append([]unread{}, b.failed...))
	if err != nil {
		return err
	}
	b.string(w, `],"failed":`+string(failed)+`}}`)
	return w.Flush()
}

func (b *docBatch) open(ctx context.Context, m *store.Media) (*library.Content, error) {
	d, err := b.api.library.Delivery(m)
	if err != nil {
		return nil, err
	}
	return b.api.library.Open(ctx, d, 0, d.Size)
}

// string writes to a buffer, whose Flush tells of failures.
func (b *docBatch) string(w *bufio.Writer, s string) { _, _ = w.WriteString(s) }

// content writes a text as the inside of a string of JSON. It is UTF-8, so only quotes,
// backslashes and control characters need another form.
func (b *docBatch) content(w *bufio.Writer, r io.Reader, m *store.Media) error {
	meter, buf := b.api.usage.Meter(m.User, m.Kind), make([]byte, 32<<10)
	for {
		n, err := r.Read(buf)
		for _, c := range buf[:n] {
			switch {
			case c == '"' || c == '\\':
				_, _ = w.Write([]byte{'\\', c})
			case c == '\n':
				_, _ = w.WriteString(`\n`)
			case c < ' ' || c == 0x7f:
				_, _ = w.WriteString(`\u00` + hex.EncodeToString([]byte{c}))
			default:
				_ = w.WriteByte(c)
			}
		}
		if _, gone := w.Write(nil); gone != nil { // nobody reads any more
			return gone
		}
		if n > 0 {
			meter.Add(int64(n))
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
