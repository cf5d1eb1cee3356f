package server

import (
	"bytes"
	"context"
	"io"
	"strings"
	"time"

	"github.com/goccy/go-json"
	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

const (
	drainMost = 1 << 20         // bytes read of a body that nobody wanted
	drainTime = 2 * time.Second // and how long they may take
)

// guard leaves the connection at the start of the next request. fasthttp does not
// skip a streamed body that a handler left unread: its bytes would be taken for
// requests (smuggling). It reads a little of the rest, so that ordinary clients
// get to see the answer, and closes the connection when there is more. A request
// framed in two ways at once is refused (RFC 9112, section 6.1).
func guard(c *fiber.Ctx) error {
	h := &c.Request().Header
	if h.ContentLength() == -1 && bytes.Contains(bytes.ToLower(h.RawHeaders()), []byte("content-length:")) {
		c.Response().SetConnectionClose()
		return fiber.ErrBadRequest
	}
	err := c.Next()
	if !c.Context().Request.IsBodyStream() {
		return err
	}
	c.Context().Conn().SetReadDeadline(time.Now().Add(drainTime))
	n, e := io.CopyN(io.Discard, c.Context().RequestBodyStream(), drainMost)
	if e != io.EOF || n == drainMost {
		c.Response().SetConnectionClose()
	}
	return err
}

// limitBody reads the body of everything that is no upload, up to maxJSON.
// With streamed bodies the framework's own limit does not hold.
func limitBody(isUpload func(string) bool) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if c.Method() == fiber.MethodPost && isUpload(c.Path()) || !c.Context().Request.IsBodyStream() {
			return c.Next()
		}
		if c.Request().Header.ContentLength() > maxJSON {
			return fiber.ErrRequestEntityTooLarge
		}
		b, err := io.ReadAll(io.LimitReader(c.Context().RequestBodyStream(), maxJSON+1))
		if err != nil {
			return fiber.ErrBadRequest
		}
		if len(b) > maxJSON {
			return fiber.ErrRequestEntityTooLarge
		}
		c.Request().SetBodyRaw(b)
		return c.Next()
	}
}

// expect decides on a request that waits for "100 Continue" before it sends its
// body: a refused upload then costs no bytes (RFC 9110, section 10.1.1).
func expect(ctx *fasthttp.RequestCtx, o Options) int {
	h := &ctx.Request.Header
	if !ctx.IsPost() || !o.IsUpload(string(ctx.Path())) {
		if h.ContentLength() > maxJSON {
			return fasthttp.StatusRequestEntityTooLarge
		}
		return fasthttp.StatusContinue
	}
	err := o.Admit(context.Background(), string(h.Peek(fiber.HeaderAuthorization)), h.ContentLength())
	if err != nil {
		return o.Status(err)
	}
	return fasthttp.StatusContinue
}

// badRequest answers what could not be read as a request at all.
func badRequest(ctx *fasthttp.RequestCtx, err error) {
	status, code, text := fasthttp.StatusBadRequest, "BAD_REQUEST", "The request is malformed."
	var small *fasthttp.ErrSmallBuffer
	switch {
	case asError(err, &small):
		status, code, text = fasthttp.StatusRequestHeaderFieldsTooLarge, "HEADER_TOO_LARGE", "The request's header is larger than 16 KB."
	case isTimeout(err):
		status, code, text = fasthttp.StatusRequestTimeout, "REQUEST_TIMEOUT", "The request took too long to arrive."
	}
	b, _ := json.Marshal(map[string]any{"success": false, "error": text, "code": code})
	ctx.Response.Reset()
	ctx.SetStatusCode(status)
	ctx.Response.Header.Set(fiber.HeaderXRequestID, newRequestID())
	ctx.Response.Header.SetContentType(fiber.MIMEApplicationJSON)
	ctx.SetBody(b)
	ctx.SetConnectionClose()
}

func equalHost(a, b string) bool {
	return strings.EqualFold(a, b) || strings.EqualFold(strings.TrimSuffix(a, ":80"), b) || strings.EqualFold(strings.TrimSuffix(a, ":443"), b)
}
