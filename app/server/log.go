package server

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"runtime/debug"
	"time"

	"github.com/gofiber/fiber/v2"

	"picora/app/link"
)

// newRequestID makes an id that finds a request in the log. It is no secret.
func newRequestID() string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], rand.Uint64())
	return hex.EncodeToString(b[:])
}

// observe gives each request an id, answers its error or panic, writes one line
// of log and counts it. Served files are logged at debug level only: they are
// most of the traffic, and the metrics count them.
func (s *Server) observe(l *link.Links, writeError func(*fiber.Ctx, error) error) fiber.Handler {
	return func(c *fiber.Ctx) error {
		start := time.Now()
		id := newRequestID()
		c.Response().Header.Set(fiber.HeaderXRequestID, id)
		if err := protect(c); err != nil {
			if err := writeError(c, err); err != nil {
				return err
			}
		}
		took, status := time.Since(start), c.Response().StatusCode()
		s.metrics.request(c, status, took)
		level := slog.LevelInfo
		if c.Method() == fiber.MethodGet || c.Method() == fiber.MethodHead {
			level = slog.LevelDebug
		}
		if slog.Default().Enabled(c.Context(), level) {
			slog.Log(c.Context(), level, "request", "id", id, "method", c.Method(), "path", c.Path(), "status", status,
				"ms", float64(took.Microseconds())/1000, "peer", l.Client(linkRequest(c.Context())).String())
		}
		return nil
	}
}

// protect turns a panic into an error: one request's fault must not end the
// others.
func protect(c *fiber.Ctx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			c.Response().SetConnectionClose()
			err = fmt.Errorf("server: panic: %v\n%s", p, debug.Stack())
		}
	}()
	return c.Next()
}

func isTimeout(err error) bool {
	ne, ok := errors.AsType[net.Error](err)
	return ok && ne.Timeout()
}
