package api

import (
	"errors"
	"log/slog"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"picora/app/fault"
)

// statuses are the HTTP statuses of the codes. What is missing is 500.
var statuses = map[fault.Code]int{
	fault.BadRequest:       fiber.StatusBadRequest,
	fault.Unauthorized:     fiber.StatusUnauthorized,
	fault.KeyRevoked:       fiber.StatusUnauthorized,
	fault.TokenExpired:     fiber.StatusUnauthorized,
	fault.SecondFactor:     fiber.StatusUnauthorized,
	fault.Forbidden:        fiber.StatusForbidden,
	fault.ProofNeeded:      fiber.StatusForbidden,
	fault.QuotaExceeded:    fiber.StatusForbidden,
	fault.PlanRequired:     fiber.StatusForbidden,
	fault.PlanInactive:     fiber.StatusForbidden,
	fault.FeatureDisabled:  fiber.StatusForbidden,
	fault.RateLimited:      fiber.StatusTooManyRequests,
	fault.Gone:             fiber.StatusGone,
	fault.NotFound:         fiber.StatusNotFound,
	fault.NoRevision:       fiber.StatusNotFound,
	fault.MethodNotAllowed: fiber.StatusMethodNotAllowed,
	fault.Timeout:          fiber.StatusRequestTimeout,
	fault.Conflict:         fiber.StatusConflict,
	fault.TooLarge:         fiber.StatusRequestEntityTooLarge,
	fault.Invalid:          fiber.StatusUnprocessableEntity,
	fault.InvalidParams:    fiber.StatusBadRequest,
	fault.HeaderTooLarge:   fiber.StatusRequestHeaderFieldsTooLarge,
	fault.StorageFull:      fiber.StatusInsufficientStorage,
	fault.Busy:             fiber.StatusServiceUnavailable,
	fault.Suspended:        fiber.StatusUnavailableForLegalReasons, // contract 4

	fault.Locked:       fiber.StatusLocked,
	fault.WrongSum:     460, // tus, checksum
	fault.WrongVersion: fiber.StatusPreconditionFailed,
	fault.WrongType:    fiber.StatusUnsupportedMediaType,
	fault.FetchFailed:  fiber.StatusUnprocessableEntity, // 5xx would have clients send it again

	fault.CollectionLimit:     fiber.StatusForbidden,
	fault.CustomTypeLimit:     fiber.StatusForbidden,
	fault.CollectionImmutable: fiber.StatusConflict,
	fault.CollectionNotEmpty:  fiber.StatusConflict,
}

// failure is the envelope of an error. Error stays a string and comes first:
// clients read its words (contract 1.2).
type failure struct {
	Success bool           `json:"success"`
	Error   string         `json:"error"`
	Code    fault.Code     `json:"code"`
	Meta    map[string]any `json:"meta,omitempty"`
}

// WriteError answers err in the envelope. It is the only place that does, and
// the server's error handler.
func WriteError(c *fiber.Ctx, err error) error {
	f := fromFiber(err)
	status := status(f)
	if status >= 500 {
		slog.Error("request failed", "id", c.GetRespHeader(fiber.HeaderXRequestID), "method", c.Method(), "path", c.Path(), "code", f.Code, "err", err)
	}
	logRefusal(c, status, f)
	if status == fiber.StatusUnauthorized {
		c.Set(fiber.HeaderWWWAuthenticate, `Bearer realm="picora"`)
	}
	if r, ok := errors.AsType[*rationed](err); ok {
		showLimit(c, r.state, r.now)
	}
	if n, ok := f.Meta["retryAfterSec"].(int); ok {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(n)) // a number: clients read no dates
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Status(status).JSON(failure{Error: f.Message, Code: f.Code, Meta: f.Meta})
}

// logRefusal leaves a line about an upload that was refused: some clients tell their
// users no more than that it failed, and the server's owner is asked why.
func logRefusal(c *fiber.Ctx, status int, f *fault.Error) {
	if status < 400 || status >= 500 || !UploadPath(c.Method(), c.Path()) {
		return
	}
	slog.Info("upload refused", "id", c.GetRespHeader(fiber.HeaderXRequestID), "path", c.Path(), "status", status, "code", f.Code, "reason", f.Message)
}

// status is the HTTP status of an error.
func status(f *fault.Error) int {
	if s, found := statuses[f.Code]; found {
		return s
	}
	return fiber.StatusInternalServerError
}

// fromFiber gives the framework's own errors a code and a sentence.
func fromFiber(err error) *fault.Error {
	fe, ok := errors.AsType[*fiber.Error](err)
	if !ok {
		return fault.From(err)
	}
	switch fe.Code {
	case fiber.StatusNotFound:
		return fault.New(fault.NotFound, "There is nothing at this address. /openapi.yaml lists what there is.")
	case fiber.StatusMethodNotAllowed:
		return fault.New(fault.MethodNotAllowed, "This address does not know this method. The Allow header lists those that it knows.")
	case fiber.StatusRequestEntityTooLarge:
		return fault.New(fault.TooLarge, "The request is too large.")
	case fiber.StatusRequestHeaderFieldsTooLarge:
		return fault.New(fault.HeaderTooLarge, "The request's header is too large.")
	case fiber.StatusRequestTimeout:
		return fault.New(fault.Timeout, "The request took too long to arrive.")
	}
	if fe.Code >= 400 && fe.Code < 500 {
		return fault.New(fault.BadRequest, "The request is malformed.")
	}
	return &fault.Error{Code: fault.Internal, Message: "Something went wrong on the server.", Cause: err}
}
