package api

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"picora/app/fault"
)

// What a form may hold besides the file.
const (
	formOverhead = 1 << 20  // bytes of everything but the file
	maxFields    = 100      // fields
	maxField     = 64 << 10 // bytes in one of them
)

// form is a multipart/form-data body (RFC 7578) that is read part by part as it
// arrives: openForm reads up to the file, the library reads the file, and rest
// reads what follows.
type form struct {
	parts    *multipart.Reader
	body     *body
	buffer   *bufio.Reader // between the two; multipart reads 4 KB at a time
	file     io.Reader
	filename string
	values   map[string]string
	count    int // of fields
	size     int // bytes of their values
}

// openForm reads the request's form up to its file, unless room, which is asked first,
// refuses a body of its length.
func (a *API) openForm(c *fiber.Ctx, room func(length int) error) (*form, error) {
	kind, params, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil || kind != fiber.MIMEMultipartForm || params["boundary"] == "" {
		return nil, fault.New(fault.BadRequest, "Send the file as multipart/form-data, in the field named file.")
	}
	if err := room(c.Request().Header.ContentLength()); err != nil {
		return nil, err
	}
	f := &form{
		body:   newBody(c, time.Duration(a.upload.IdleTimeout)),
		buffer: buffers.Get().(*bufio.Reader),
		values: map[string]string{},
	}
	f.buffer.Reset(f.body)
	f.parts = multipart.NewReader(f.buffer, params["boundary"])
	if err := f.toFile(); err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

var buffers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 128<<10) }}

// close gives the buffer back. Nothing of the form is read after it.
func (f *form) close() {
	f.buffer.Reset(nil)
	buffers.Put(f.buffer)
	f.buffer = nil
}

// toFile reads the fields that stand before the file.
func (f *form) toFile() error {
	for {
		p, err := f.next()
		if err == io.EOF {
			return fault.New(fault.Invalid, "The form has no file. Send it in the field named file.")
		}
		if err != nil {
			return err
		}
		if name := p.FileName(); name != "" || p.FormName() == "file" {
			f.file, f.filename = fileReader{p, f}, name
			return nil
		}
		if err := f.keep(p); err != nil {
			return err
		}
	}
}

// rest reads the fields that follow the file.
func (f *form) rest() error {
	for {
		p, err := f.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if p.FileName() != "" || p.FormName() == "file" {
			return fault.New(fault.Invalid, "Send one file in a request.")
		}
		if err := f.keep(p); err != nil {
			return err
		}
	}
}

// next is the next part; everything from here to the file counts as overhead.
func (f *form) next() (*multipart.Part, error) {
	f.body.left = formOverhead
	p, err := f.parts.NextRawPart()
	if err != nil && err != io.EOF {
		return nil, f.body.explain(err)
	}
	f.body.left = unlimited
	return p, err
}

func (f *form) keep(p *multipart.Part) error {
	b, err := io.ReadAll(io.LimitReader(p, maxField+1))
	if err != nil {
		return f.body.explain(err)
	}
	if len(b) > maxField {
		return fault.New(fault.Invalid, "The field %s is too long.", p.FormName())
	}
	if f.size += len(b); f.size > formOverhead {
		return errTooMuch()
	}
	if f.count++; f.count > maxFields {
		return fault.New(fault.Invalid, "A form has at most %d fields besides the file.", maxFields)
	}
	f.values[p.FormName()] = string(bytes.ToValidUTF8(b, nil))
	return nil
}

// bool reads a field that is true or false; otherwise is its value when absent.
func (f *form) bool(name string, otherwise *bool) (*bool, error) {
	s := f.values[name]
	if s == "" {
		return otherwise, nil
	}
	b, ok := parseBool(strings.ToLower(s))
	if !ok {
		return nil, fault.New(fault.Invalid, "The field %s is true or false.", name)
	}
	return &b, nil
}

// fileReader gives the errors of the body a code.
type fileReader struct {
	r io.Reader
	f *form
}

func (r fileReader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if err != nil && err != io.EOF {
		err = r.f.body.explain(err)
	}
	return n, err
}

// unlimited is a body that its reader bounds.
const unlimited = int64(1) << 62

// body is the request's body with a budget, and with a deadline that moves as
// long as the client sends.
type body struct {
	src   io.Reader
	conn  net.Conn
	idle  time.Duration
	fresh int64 // bytes since the deadline was moved
	left  int64 // budget in bytes
	over  bool  // the budget was exceeded
}

// moveEvery is how many bytes must arrive within the idle timeout: a client that
// sends a byte now and then does not keep a connection for ever.
const moveEvery = 16 << 10

func newBody(c *fiber.Ctx, idle time.Duration) *body {
	b := &body{src: c.Context().RequestBodyStream(), conn: c.Context().Conn(), idle: idle, left: formOverhead}
	if b.src == nil {
		b.src = bytes.NewReader(c.Body())
	}
	b.move()
	return b
}

func (b *body) move() {
	b.fresh = 0
	b.conn.SetReadDeadline(time.Now().Add(b.idle))
}

func (b *body) Read(p []byte) (int, error) {
	if b.left <= 0 {
		b.over = true
		return 0, errOver
	}
	n, err := b.src.Read(p)
	b.left -= int64(n)
	if b.fresh += int64(n); b.fresh >= moveEvery {
		b.move()
	}
	return n, err
}

func errTooMuch() error {
	return fault.New(fault.Invalid, "The form's fields are too large: all together may have 1 MB.")
}

var errOver = errors.New("api: form too large")

// explain says what an error while reading the form means.
func (b *body) explain(err error) error {
	switch {
	case b.over:
		return errTooMuch()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &fault.Error{Code: fault.Timeout, Message: "The upload stopped arriving. Send it again.", Cause: err}
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return &fault.Error{Code: fault.BadRequest, Message: "The upload broke off before its end. Send it again.", Cause: err}
	}
	return &fault.Error{Code: fault.BadRequest, Message: "The form is malformed.", Cause: err}
}
