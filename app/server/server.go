// Package server is the one HTTP server: its settings, the order of what every
// request passes through, and its stop.
package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/goccy/go-json"
	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/cors"
	"github.com/valyala/fasthttp"

	"picora/app/link"
	"picora/app/usage"
)

// Surface is a set of routes.
type Surface interface{ Mount(fiber.Router) }

// Options is what the server is told about the surfaces.
type Options struct {
	Links   *link.Links
	Version string
	// IsFile tells the address of a file: only these are served on a separate
	// media host, and they nowhere else.
	IsFile     func(path string) bool
	FileRoutes []string // patterns of the routes that serve them
	// Plain finds a small public file by the target of the request and its Accept, for
	// clients that ask for no more than it: the header of the answer, but for Date and
	// X-Request-Id, the bytes, and what counts those that are sent. The header is nil when
	// the file needs a closer look. Plain may be nil.
	Plain func(target, accept string) (header, body []byte, served *usage.Meter)
	// IsUpload tells where a request brings a file: its handler bounds the body.
	IsUpload func(method, path string) bool
	// Admit says from its header alone whether an upload may begin.
	Admit      func(ctx context.Context, authorization, method, path string, length int) error
	WriteError func(*fiber.Ctx, error) error // answers an error
	Surfaces   []Surface
}

// Server serves the surfaces.
type Server struct {
	app       *fiber.App
	metrics   *metrics
	options   Options
	stopping  atomic.Bool
	answering atomic.Int64 // plain requests that are being answered
	lnMu      sync.Mutex
	ln        net.Listener // nil before Serve
	freshMu   sync.Mutex
	fresh     map[*conn]struct{} // connections from which the framework has read nothing
}

const (
	maxJSON = 1 << 20 // bytes of a body that is no upload
	// silence is how long a client may send nothing: between two requests, in a
	// header, or in a small body. It is one number because the server sets the
	// deadline anew in each of these states, and moving it back and forth costs.
	silence      = 60 * time.Second
	responseTime = 2 * time.Minute // for an answer, or a part of a long one
)

// New builds the server.
func New(o Options) *Server {
	s := &Server{metrics: newMetrics(o.Version, o.FileRoutes), options: o, fresh: map[*conn]struct{}{}}
	s.app = fiber.New(fiber.Config{
		ServerHeader:                 "Picora",
		AppName:                      "Picora",
		DisableStartupMessage:        true,
		Immutable:                    true,
		StreamRequestBody:            true,
		DisablePreParseMultipartForm: true,
		ReadBufferSize:               readBuffer,
		WriteBufferSize:              32 << 10,
		ReadTimeout:                  silence,
		WriteTimeout:                 responseTime,
		IdleTimeout:                  silence,
		Concurrency:                  connections(),
		BodyLimit:                    maxJSON, // bounds what is read ahead; the guards bound the rest
		JSONEncoder:                  encode,
		ErrorHandler:                 o.WriteError,
	})
	raw := s.app.Server()
	raw.CloseOnShutdown = true
	raw.Handler = s.guard(raw.Handler, o)
	raw.ExpectHandler = func(ctx *fasthttp.RequestCtx) int { return s.expect(ctx, o) }
	raw.ErrorHandler = badRequest
	s.app.Use(s.observe(o.Links, o.WriteError), allowCORS(), origin(o.Links), hosts(o), limitBody(o.IsUpload))
	health(s.app, o.Version)
	for _, surface := range o.Surfaces {
		surface.Mount(s.app)
	}
	return s
}

// encode writes JSON without the escapes that are for HTML: people copy addresses with
// an & out of answers.
func encode(v any) ([]byte, error) { return json.MarshalWithOption(v, json.DisableHTMLEscape()) }

// App is the framework's application, for tests that read its routes.
func (s *Server) App() *fiber.App { return s.app }

// Serve accepts connections until Stop, also when that came first.
func (s *Server) Serve(ln net.Listener) error {
	s.lnMu.Lock()
	s.ln = ln
	s.lnMu.Unlock()
	if s.stopping.Load() {
		ln.Close() // unless Stop did
		return nil
	}
	if err := s.app.Listener(&listener{Listener: ln, server: s}); err != nil && !(s.stopping.Load() && errors.Is(err, net.ErrClosed)) {
		return fmt.Errorf("server: %w", err)
	}
	return nil
}

// Stop refuses new connections and waits for the requests under way, at most so
// long. What runs then is cut.
func (s *Server) Stop(wait time.Duration) error {
	s.stopping.Store(true)
	s.dismiss()
	until := time.Now().Add(wait)
	for s.answering.Load() > 0 && time.Now().Before(until) { // the framework takes their connections for idle
		time.Sleep(time.Millisecond)
	}
	err := s.app.ShutdownWithTimeout(wait)
	s.lnMu.Lock()
	if s.ln != nil { // the framework closes only what it serves already
		s.ln.Close()
	}
	s.lnMu.Unlock()
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("server: requests were still running after %s and were cut", wait)
	}
	return err
}

// origin finds where the request's client sees us, for links in answers, and who that
// client is.
func origin(l *link.Links) fiber.Handler {
	return func(c *fiber.Ctx) error {
		r := linkRequest(c.Context())
		c.SetUserContext(link.WithClient(link.With(context.Background(), l.Origin(r)), l.Client(r)))
		return c.Next()
	}
}

func linkRequest(ctx *fasthttp.RequestCtx) link.Request {
	h := &ctx.Request.Header
	peer, _ := netip.AddrFromSlice(ctx.RemoteIP())
	return link.Request{
		Peer: peer.Unmap(), Host: string(h.Host()),
		ForwardedHost:  string(h.Peek(fiber.HeaderXForwardedHost)),
		ForwardedProto: string(h.Peek(fiber.HeaderXForwardedProto)),
		ForwardedFor:   string(bytes.Join(h.PeekAll(fiber.HeaderXForwardedFor), []byte(","))), // some proxies add a line
	}
}

// filesHere reports whether the host that a request asked serves files. All do
// when files have no host of their own.
func filesHere(ctx *fasthttp.RequestCtx, l *link.Links) bool {
	return !l.SeparateMedia() || l.OnMedia(linkRequest(ctx))
}

// hosts keeps files and the rest apart when files have a host of their own: a
// page that a file brings must not share the origin of the API.
func hosts(o Options) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if !o.Links.SeparateMedia() || c.Path() == "/health" || c.Path() == "/v1/health" {
			return c.Next()
		}
		if filesHere(c.Context(), o.Links) != o.IsFile(c.Path()) {
			return fiber.ErrNotFound
		}
		return c.Next()
	}
}

// allowCORS lets pages anywhere use the API: it knows no cookies, so a page can
// do only what its own key lets it (contract 1.8).
func allowCORS() fiber.Handler {
	return cors.New(cors.Config{
		AllowOrigins: "*",
		AllowMethods: "GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS",
		AllowHeaders: "Authorization,Content-Type,Accept,Accept-Language,Range,If-Range,If-Match,If-None-Match,If-Modified-Since,X-Request-Id,Prefer," +
			"Tus-Resumable,Upload-Length,Upload-Offset,Upload-Metadata,Upload-Concat,Upload-Checksum,Upload-Defer-Length",
		ExposeHeaders: "X-Request-Id,X-Picora-Duplicate,X-Picora-Error,ETag,Retry-After,Location,Content-Range,Accept-Ranges," +
			"RateLimit-Limit,RateLimit-Remaining,RateLimit-Reset,X-RateLimit-Limit,X-RateLimit-Remaining,X-RateLimit-Reset,X-Source-Hash,X-Updated-At," +
			"Tus-Resumable,Tus-Version,Tus-Extension,Tus-Max-Size,Tus-Checksum-Algorithm,Upload-Length,Upload-Offset,Upload-Metadata,Upload-Expires,Upload-Concat," +
			"Picora-Media-Id,Picora-Media-Url,Picora-Duplicate",
		MaxAge: 86400,
	})
}
