// Package fault holds the errors that clients see: the codes of the API, a
// sentence for a person, and the one place where lower errors get a code.
// It knows no HTTP.
package fault

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"

	"picora/media"
	"picora/store"
	"picora/store/blob"
)

// Code is a machine-readable error code of the wire contract, section 2.
type Code string

// The codes that are in use. Each surface maps them to its own statuses.
const (
	BadRequest       Code = "BAD_REQUEST"
	Unauthorized     Code = "UNAUTHORIZED"
	KeyRevoked       Code = "API_KEY_REVOKED"
	TokenExpired     Code = "TOKEN_EXPIRED"
	ProofNeeded      Code = "CONFIRMATION_REQUIRED"
	SecondFactor     Code = "SECOND_FACTOR_REQUIRED"
	QuotaExceeded    Code = "QUOTA_EXCEEDED"
	PlanRequired     Code = "PLAN_REQUIRED"
	PlanInactive     Code = "PLAN_INACTIVE"
	RateLimited      Code = "RATE_LIMITED"
	FeatureDisabled  Code = "FEATURE_DISABLED"
	Gone             Code = "GONE"
	Forbidden        Code = "FORBIDDEN"
	NotFound         Code = "NOT_FOUND"
	NoRevision       Code = "DOC_REVISION_NOT_FOUND"
	MethodNotAllowed Code = "METHOD_NOT_ALLOWED"
	Timeout          Code = "REQUEST_TIMEOUT"
	Conflict         Code = "CONFLICT"
	TooLarge         Code = "PAYLOAD_TOO_LARGE"
	Invalid          Code = "VALIDATION_ERROR"
	InvalidParams    Code = "INVALID_IMAGE_PARAMS"
	HeaderTooLarge   Code = "HEADER_TOO_LARGE"
	StorageFull      Code = "STORAGE_FULL"
	Busy             Code = "SERVER_BUSY"
	Suspended        Code = "BANDWIDTH_SUSPENDED"
	Locked           Code = "LOCKED"
	WrongSum         Code = "CHECKSUM_MISMATCH"
	WrongVersion     Code = "UNSUPPORTED_VERSION"
	WrongType        Code = "UNSUPPORTED_MEDIA_TYPE"
	FetchFailed      Code = "FETCH_FAILED"

	CollectionLimit     Code = "COLLECTION_LIMIT_REACHED"
	CustomTypeLimit     Code = "CUSTOM_TYPE_LIMIT_REACHED"
	CollectionImmutable Code = "COLLECTION_TYPE_IMMUTABLE"
	CollectionNotEmpty  Code = "COLLECTION_NOT_EMPTY"

	Internal Code = "INTERNAL"
)

// Error is an error for a client. Cause goes to the log only.
type Error struct {
	Code    Code
	Message string
	Meta    map[string]any
	Cause   error
}

func (e *Error) Error() string {
	if e.Cause != nil {
		return string(e.Code) + ": " + e.Message + ": " + e.Cause.Error()
	}
	return string(e.Code) + ": " + e.Message
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// New makes an Error with a formatted sentence.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// From gives err its code. An error that nobody foresaw is INTERNAL, and its
// text stays in the log.
func From(err error) *Error {
	var f *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &f):
		return f
	case errors.Is(err, store.ErrCollection):
		return &Error{Code: NotFound, Message: "You have no such collection: kbId is the id of one that is not deleted.", Cause: err}
	case errors.Is(err, store.ErrKind):
		return &Error{Code: Invalid, Message: "This collection does not take media of this type: see its allowedResourceTypes, which can grow.", Cause: err}
	case errors.Is(err, store.ErrNotFound), errors.Is(err, blob.ErrNotFound):
		return &Error{Code: NotFound, Message: "There is no such thing here.", Cause: err}
	case errors.Is(err, store.ErrLastAdmin):
		return &Error{Code: Invalid, Message: "This is the only administrator of the server. Make somebody else one first.", Cause: err}
	case errors.Is(err, store.ErrPathTaken):
		return &Error{Code: Conflict, Message: "The collection has another document at this path.", Cause: err}
	case errors.Is(err, store.ErrExists):
		return &Error{Code: Conflict, Message: "This exists already.", Cause: err}
	case errors.Is(err, blob.ErrNoSpace), errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return &Error{Code: StorageFull, Message: "The server's disk is full. Ask its owner to make room.", Cause: err}
	case errors.Is(err, blob.ErrUnavailable):
		return &Error{Code: Busy, Message: "The server's storage cannot be reached at the moment. Try again a little later.", Meta: map[string]any{"retryAfterSec": 5}, Cause: err}
	case errors.Is(err, media.ErrUnsupported), errors.Is(err, media.ErrCorrupt), errors.Is(err, media.ErrTooManyPixels):
		return &Error{Code: Invalid, Message: sentence(media.Reason(err)), Cause: err}
	}
	return &Error{Code: Internal, Message: "Something went wrong on the server. Its log has the reason under this request id.", Cause: err}
}

// sentence makes a reason that begins in lower case a whole sentence.
func sentence(reason string) string {
	if reason == "" {
		return "This file cannot be taken."
	}
	first, n := utf8.DecodeRuneInString(reason)
	reason = string(unicode.ToUpper(first)) + reason[n:]
	if !strings.HasSuffix(reason, ".") {
		reason += "."
	}
	return reason
}
