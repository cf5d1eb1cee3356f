package cdn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"picora/app/access"
	"picora/store/blob"
)

// send answers with the file, or the part that the client asked for, or with the
// news that what it has is still right.
func send(c *fiber.Ctx, f *file, p access.Policy) error {
	h := &c.Response().Header
	describe(h, f, p)
	if status := precondition(c, f); status != 0 {
		if status == fiber.StatusPreconditionFailed {
			h.Set(fiber.HeaderCacheControl, "no-store") // the failure is this client's alone
		}
		c.Status(status)
		return nil
	}
	h.SetContentType(f.mime)
	s, whole := span{0, f.size}, true
	if r := c.Request().Header.Peek(fiber.HeaderRange); len(r) > 0 && rangeApplies(c, f) {
		var unmet bool
		s, whole, unmet = parseRange(string(r), f.size)
		if unmet {
			h.Set(fiber.HeaderCacheControl, "no-store")
			h.Set(fiber.HeaderContentRange, "bytes */"+strconv.FormatInt(f.size, 10))
			h.SetContentType(fiber.MIMETextPlainCharsetUTF8)
			c.Status(fiber.StatusRequestedRangeNotSatisfiable)
			return c.SendString("The file has only " + strconv.FormatInt(f.size, 10) + " bytes.\n")
		}
	}
	if whole {
		s = span{0, f.size}
	}
	if redirect(c, f, p, s) {
		return nil
	}
	if !whole {
		c.Status(fiber.StatusPartialContent)
		h.Set(fiber.HeaderContentRange, fmt.Sprintf("bytes %d-%d/%d", s.off, s.off+s.n-1, f.size))
	}
	return sendBytes(c, f, s)
}

// describe says in h what the file is, and how long it may be kept.
func describe(h *fasthttp.ResponseHeader, f *file, p access.Policy) {
	h.Set(fiber.HeaderCacheControl, string(p))
	h.Set(fiber.HeaderETag, f.etag)
	if f.modified != "" {
		h.Set(fiber.HeaderLastModified, f.modified)
	}
	h.Set(fiber.HeaderAcceptRanges, "bytes")
	if f.saveAs != "" {
		h.Set(fiber.HeaderContentDisposition, f.saveAs)
	}
	if f.coding != "" {
		h.Set(fiber.HeaderContentEncoding, f.coding)
	}
	security(h)
}

// plainHeader is what Plain returns of a file: what send says of all of it.
func plainHeader(f *file, vary bool) []byte {
	var h fasthttp.ResponseHeader
	h.SetServer("Picora")
	h.SetContentType(f.mime)
	h.SetContentLength(len(f.bytes))
	describe(&h, f, access.Immutable)
	if vary {
		h.Set(fiber.HeaderVary, fiber.HeaderAccept)
	}
	b := bytes.TrimSuffix(h.AppendBytes(nil), []byte("\r\n")) // the empty line comes later
	front, rest, _ := bytes.Cut(b, []byte("Date: "))
	_, rest, _ = bytes.Cut(rest, []byte("\r\n"))
	return append(front, rest...)
}

// sendBytes puts the span into the answer: from memory, or as a stream that the
// server reads after the handler.
func sendBytes(c *fiber.Ctx, f *file, s span) error {
	if f.bytes != nil {
		c.Response().SetBodyRaw(f.bytes[s.off : s.off+s.n])
		if !c.Context().IsHead() { // so few bytes that they are as good as sent
			f.served.Add(s.n)
		}
		return nil
	}
	if c.Context().IsHead() {
		c.Response().SkipBody = true
		c.Response().Header.SetContentLength(int(s.n))
		return nil
	}
	content, err := f.open(c.UserContext(), s.off, s.n)
	if err != nil {
		return refuse(c, missing(err))
	}
	c.Response().SetBodyStream(&stream{content, c.Context().Conn(), f.served}, int(s.n))
	return nil
}

// read reads all of a small file into memory.
func (f *file) read(ctx context.Context) (err error) {
	content, err := f.open(ctx, 0, f.size)
	if err != nil {
		return missing(err)
	}
	defer content.Close()
	b := make([]byte, f.size)
	if _, err = io.ReadFull(content, b); err == nil {
		f.bytes = b
	}
	return err
}

// missing tells a record whose bytes are gone from other failures.
func missing(err error) error {
	if errors.Is(err, blob.ErrNotFound) {
		return fmt.Errorf("%w: %w", errMissingBytes, err)
	}
	return err
}

// security keeps a file from being more than a file: never sniffed, never with
// the rights of a page, but free to be embedded and read by any site.
func security(h *fasthttp.ResponseHeader) {
	h.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	// A browser that is led to a sound by itself makes a page of it, which must be allowed to play it.
	h.Set(fiber.HeaderContentSecurityPolicy, "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src 'self'")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set(fiber.HeaderAccessControlAllowOrigin, "*")
	h.Set(fiber.HeaderAccessControlExposeHeaders, "ETag, Content-Length, Content-Range, Accept-Ranges, X-Request-Id, X-Picora-Error")
}

// precondition evaluates the conditional headers in the order of RFC 9110,
// section 13.2.2, and returns 304, 412, or 0 to go on.
func precondition(c *fiber.Ctx, f *file) int {
	h := &c.Request().Header
	if im := h.Peek(fiber.HeaderIfMatch); len(im) > 0 {
		if !anyTag(string(im), f.etag, false) {
			return fiber.StatusPreconditionFailed
		}
	} else if t, ok := when(h.Peek(fiber.HeaderIfUnmodifiedSince)); ok && f.modified != "" && f.changed.Truncate(time.Second).After(t) {
		return fiber.StatusPreconditionFailed
	}
	if inm := h.Peek(fiber.HeaderIfNoneMatch); len(inm) > 0 {
		if anyTag(string(inm), f.etag, true) {
			return fiber.StatusNotModified
		}
	} else if t, ok := when(h.Peek(fiber.HeaderIfModifiedSince)); ok && f.modified != "" && !f.changed.Truncate(time.Second).After(t) {
		return fiber.StatusNotModified
	}
	return 0
}

// anyTag reports whether a list of entity tags has ours. Ours is strong; weak
// ones in the list match it only in a weak comparison.
func anyTag(list, tag string, weak bool) bool {
	for t := range strings.SplitSeq(list, ",") {
		t = strings.TrimSpace(t)
		if weak {
			t = strings.TrimPrefix(t, "W/")
		}
		if t == "*" || t == tag {
			return true
		}
	}
	return false
}

// rangeApplies reports whether If-Range lets the Range header count: the client's
// copy is of this very file.
func rangeApplies(c *fiber.Ctx, f *file) bool {
	ir := string(c.Request().Header.Peek(fiber.HeaderIfRange))
	return ir == "" || ir == f.etag || ir == f.modified
}

func when(b []byte) (time.Time, bool) {
	if len(b) == 0 {
		return time.Time{}, false
	}
	t, err := http.ParseTime(string(b))
	return t, err == nil
}

func httpDate(t time.Time) string { return t.UTC().Format(http.TimeFormat) }
