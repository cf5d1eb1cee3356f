package server

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-json"
	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"picora/app/link"
)

const (
	drainMost = 256 << 10              // bytes read of a body that nobody wanted
	drainTime = 500 * time.Millisecond // and how long they may take
)

// guard answers what the framework would answer by itself, and leaves the
// connection at the start of the next request. fasthttp does not skip a streamed
// body that a handler left unread: its bytes would be taken for requests
// (smuggling). guard reads a little of the rest, so that a connection outlives a
// small refusal, and has it closed when there is more. It stands around
// the framework, for not every answer passes the framework's handlers: one to an
// unknown method does not.
func (s *Server) guard(next fasthttp.RequestHandler, o Options) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		switch {
		case twoFramings(&ctx.Request.Header):
			s.refuse(ctx, o, fiber.ErrBadRequest)
			ctx.SetConnectionClose()
			return
		case slices.Contains(fiber.DefaultMethods, string(ctx.Method())):
			next(ctx)
		default:
			s.refuse(ctx, o, s.unknownMethod(ctx))
		}
		if !ctx.Request.IsBodyStream() {
			if c, ok := ctx.Conn().(*conn); ok && o.Plain != nil {
				c.atStart = c.whole && bodiless(&ctx.Request.Header)
			}
			return
		}
		ctx.Conn().SetReadDeadline(time.Now().Add(drainTime))
		n, err := io.CopyN(io.Discard, ctx.RequestBodyStream(), drainMost)
		if err != io.EOF || n == drainMost {
			ctx.SetConnectionClose()
			if c, ok := ctx.Conn().(*conn); ok {
				c.unread = true
			}
		}
	}
}

// bodiless reports whether nothing in a request's header speaks of a body.
func bodiless(h *fasthttp.RequestHeader) bool {
	return (h.IsGet() || h.IsHead()) && len(h.Peek(fiber.HeaderContentLength)) == 0 && len(h.Peek(fiber.HeaderTransferEncoding)) == 0
}

// twoFramings reports whether a request says in two ways where its body ends
// (RFC 9112, section 6.1).
func twoFramings(h *fasthttp.RequestHeader) bool {
	return h.ContentLength() == -1 && bytes.Contains(append([]byte{'\n'}, bytes.ToLower(h.RawHeaders())...), []byte("\ncontent-length:"))
}

// unknownMethod is the error of a method that no route can have. The framework
// would find it malformed.
func (s *Server) unknownMethod(ctx *fasthttp.RequestCtx) error {
	var known []string
	path := strings.TrimRight(string(ctx.URI().PathOriginal()), "/")
	for _, r := range s.app.GetRoutes(true) {
		if fiber.RoutePatternMatch(path, r.Path) && !slices.Contains(known, r.Method) {
			known = append(known, r.Method)
		}
	}
	if len(known) == 0 {
		return fiber.ErrNotFound
	}
	ctx.Response.Header.Set(fiber.HeaderAllow, strings.Join(known, ", "))
	return fiber.ErrMethodNotAllowed
}

// refuse answers err before, or without, the framework's handlers.
func (s *Server) refuse(ctx *fasthttp.RequestCtx, o Options, err error) {
	c := s.app.AcquireCtx(ctx)
	defer s.app.ReleaseCtx(c)
	h := &ctx.Response.Header
	h.Set(fiber.HeaderXRequestID, newRequestID())
	h.Set(fiber.HeaderAccessControlAllowOrigin, "*")
	if err := o.WriteError(c, err); err != nil {
		ctx.SetStatusCode(fasthttp.StatusInternalServerError)
	}
}

// limitBody reads the body of everything that is no upload, up to maxJSON.
// With streamed bodies the framework's own limit does not hold.
func limitBody(isUpload func(method, path string) bool) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if isUpload(c.Method(), c.Path()) || !c.Context().Request.IsBodyStream() {
			return c.Next()
		}
		if c.Request().Header.ContentLength() > maxJSON {
			return fiber.ErrRequestEntityTooLarge
		}
		b, err := io.ReadAll(io.LimitReader(c.Context().RequestBodyStream(), maxJSON+1))
		if isTimeout(err) {
			return fiber.ErrRequestTimeout
		}
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
// body: a refused upload then costs no bytes (RFC 9110, section 10.1.1). The
// framework sends the refusal that is in ctx, and closes the connection.
func (s *Server) expect(ctx *fasthttp.RequestCtx, o Options) int {
	if err := admit(ctx, o); err != nil {
		s.refuse(ctx, o, err)
		return ctx.Response.StatusCode()
	}
	return fasthttp.StatusContinue
}

func admit(ctx *fasthttp.RequestCtx, o Options) error {
	h := &ctx.Request.Header
	if method, path := string(ctx.Method()), string(ctx.Path()); o.IsUpload(method, path) {
		ctx := link.WithClient(context.Background(), o.Links.Client(linkRequest(ctx)))
		return o.Admit(ctx, string(h.Peek(fiber.HeaderAuthorization)), method, path, h.ContentLength())
	}
	if h.ContentLength() > maxJSON {
		return fiber.ErrRequestEntityTooLarge
	}
	return nil
}

// badRequest answers what could not be read as a request at all.
func badRequest(ctx *fasthttp.RequestCtx, err error) {
	status, code, text := fasthttp.StatusBadRequest, "BAD_REQUEST", "The request is malformed."
	_, small := errors.AsType[*fasthttp.ErrSmallBuffer](err)
	switch {
	case small:
		status, code, text = fasthttp.StatusRequestHeaderFieldsTooLarge, "HEADER_TOO_LARGE", "The request's header is larger than 16 KB."
	case isTimeout(err):
		status, code, text = fasthttp.StatusRequestTimeout, "REQUEST_TIMEOUT", "The request took too long to arrive."
	}
	b, _ := json.Marshal(map[string]any{"success": false, "error": text, "code": code})
	ctx.Response.Reset()
	ctx.SetStatusCode(status)
	ctx.Response.Header.Set(fiber.HeaderXRequestID, newRequestID())
	ctx.Response.Header.Set(fiber.HeaderCacheControl, "no-store")
	ctx.Response.Header.Set(fiber.HeaderAccessControlAllowOrigin, "*")
	ctx.Response.Header.SetContentType(fiber.MIMEApplicationJSON)
	ctx.SetBody(b)
	ctx.SetConnectionClose()
}
