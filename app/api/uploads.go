package api

import (
	"bytes"
	"crypto/sha1" // the protocol names it; it guards against accidents only
	"crypto/sha256"
	"encoding/base64"
	"io"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"picora/app/fault"
	"picora/app/library"
	"picora/app/limit"
	"picora/app/link"
	"picora/store"
)

// Uploads in pieces: tus 1.0.0 (https://tus.io/protocols/resumable-upload) with its
// extensions creation, creation-with-upload, expiration, termination, checksum and
// concatenation. The answers have headers only, but for errors and those to GET.
const (
	tusVersion    = "1.0.0"
	tusExtensions = "creation,creation-with-upload,expiration,termination,checksum,concatenation"
	tusSums       = "sha1,sha256"
	tusBody       = "application/offset+octet-stream"

	headerTus      = "Tus-Resumable"
	headerOffset   = "Upload-Offset"
	headerLength   = "Upload-Length"
	headerMetadata = "Upload-Metadata"
	headerExpires  = "Upload-Expires"
	headerConcat   = "Upload-Concat"
	headerSum      = "Upload-Checksum"

	maxUploadMetadata = 4 << 10
	// smallPiece is what a piece costs a call of the caller's allowance for: with larger
	// ones, it is their bytes that count.
	smallPiece = 1 << 20
)

// uploadPath reports whether a request brings a piece of an upload.
func uploadPath(method, p string) bool {
	p = strings.ToLower(strings.TrimRight(p, "/"))
	return method == fiber.MethodPost && p == "/v1/uploads" ||
		method == fiber.MethodPatch && strings.HasPrefix(p, "/v1/uploads/")
}

// tus is what all its answers have; it refuses other versions of the protocol. Plain, if
// not nil, answers those who do not speak it.
func tus(h, plain fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if c.Get(headerTus) == "" && plain != nil && c.Method() != fiber.MethodHead {
			return plain(c)
		}
		c.Set(headerTus, tusVersion)
		c.Set(fiber.HeaderCacheControl, "no-store")
		if c.Get(headerTus) != tusVersion {
			c.Set("Tus-Version", tusVersion)
			return fault.New(fault.WrongVersion, "Send the header Tus-Resumable: %s.", tusVersion)
		}
		return h(c)
	}
}

// uploadOptions handles OPTIONS /v1/uploads and below it.
func (a *API) uploadOptions(c *fiber.Ctx) error {
	c.Set(headerTus, tusVersion)
	c.Set("Tus-Version", tusVersion)
	c.Set("Tus-Extension", tusExtensions)
	c.Set("Tus-Checksum-Algorithm", tusSums)
	c.Set("Tus-Max-Size", strconv.FormatInt(library.MaxUploadLength, 10))
	return c.SendStatus(fiber.StatusNoContent)
}

// createUpload handles POST /v1/uploads.
func (a *API) createUpload(c *fiber.Ctx) error {
	u, err := newUpload(c)
	if err != nil {
		return err
	}
	if parts, final := strings.CutPrefix(u.Concat, "final"); final {
		return a.joinUploads(c, u, parts)
	}
	if u.Length, err = uploadNumber(c, headerLength); err != nil {
		return err
	}
	if u.Length < 1 {
		return fault.New(fault.Invalid, "Upload-Length: an upload has at least one byte.")
	}
	if u.Kind == 0 && !u.Partial() {
		return fault.New(fault.Invalid, "Upload-Metadata: say what the file is by resourceType (image, video, audio or doc), by filetype, or by a filename with an extension.")
	}
	if u, err = a.library.StartUpload(c.UserContext(), u); err != nil {
		return err
	}
	offset := int64(0)
	if c.Get(fiber.HeaderContentType) == tusBody {
		if u, offset, err = a.addPiece(c, u, 0); err != nil {
			a.library.RemoveUpload(c.UserContext(), u.User, u.ID) // the sender does not know where it is
			return err
		}
		c.Set(headerOffset, strconv.FormatInt(offset, 10))
	}
	a.tellUpload(c, &u)
	c.Location(link.Of(c.UserContext()).API + "/v1/uploads/" + u.ID)
	return c.SendStatus(fiber.StatusCreated)
}

// joinUploads makes an upload of others.
func (a *API) joinUploads(c *fiber.Ctx, u store.Upload, parts string) error {
	list, given := strings.CutPrefix(parts, ";")
	if !given {
		return fault.New(fault.BadRequest, "Upload-Concat: final; and the addresses of the parts, with spaces between.")
	}
	if u.Kind == 0 {
		return fault.New(fault.Invalid, "Upload-Metadata: say what the file is by resourceType (image, video, audio or doc), by filetype, or by a filename with an extension.")
	}
	var ids []string
	for _, address := range strings.Fields(list) {
		ids = append(ids, path.Base(address))
	}
	u, err := a.library.JoinUploads(c.UserContext(), u, ids)
	if err != nil {
		return err
	}
	a.tellUpload(c, &u)
	c.Location(link.Of(c.UserContext()).API + "/v1/uploads/" + u.ID)
	return c.SendStatus(fiber.StatusCreated)
}

// getUpload handles HEAD and GET /v1/uploads/:id.
func (a *API) getUpload(c *fiber.Ctx) error {
	id, err := id(c, store.IDLen)
	if err != nil {
		return err
	}
	u, offset, err := a.library.LookAtUpload(c.UserContext(), caller(c).User, id)
	if err != nil {
		return err
	}
	if !u.Final() || u.Done() {
		c.Set(headerOffset, strconv.FormatInt(offset, 10))
	}
	c.Set(headerLength, strconv.FormatInt(u.Length, 10))
	if u.Metadata != "" {
		c.Set(headerMetadata, u.Metadata)
	}
	if u.Concat != "" {
		c.Set(headerConcat, u.Concat)
	}
	a.tellUpload(c, &u)
	if c.Method() == fiber.MethodGet {
		return a.sendUpload(c, fiber.StatusOK, &u)
	}
	return c.SendStatus(fiber.StatusOK)
}

// appendUpload handles PATCH /v1/uploads/:id.
func (a *API) appendUpload(c *fiber.Ctx) error {
	id, err := id(c, store.IDLen)
	if err != nil {
		return err
	}
	if _, _, err := a.library.OwnUpload(c.UserContext(), caller(c).User, id); err != nil {
		return err
	}
	if n := c.Request().Header.ContentLength(); n >= 0 && n < smallPiece {
		if err := a.take(c, rationOf(c.UserContext(), caller(c), limit.Mutation), limit.Mutation); err != nil {
			return err
		}
	}
	if c.Get(fiber.HeaderContentType) != tusBody {
		return fault.New(fault.WrongType, "Send the piece as %s.", tusBody)
	}
	at, err := uploadNumber(c, headerOffset)
	if err != nil {
		return err
	}
	u, offset, err := a.addPiece(c, store.Upload{ID: id, User: caller(c).User}, at)
	if err != nil {
		return err
	}
	c.Set(headerOffset, strconv.FormatInt(offset, 10))
	a.tellUpload(c, &u)
	return c.SendStatus(fiber.StatusNoContent)
}

// addPiece reads the request's body into the upload.
func (a *API) addPiece(c *fiber.Ctx, u store.Upload, at int64) (store.Upload, int64, error) {
	sum, err := pieceSum(c.Get(headerSum))
	if err != nil {
		return u, at, err
	}
	b := newBody(c, time.Duration(a.upload.IdleTimeout))
	b.left = unlimited
	conn := c.Context().Conn()
	cut := func() { conn.SetReadDeadline(time.Unix(1, 0)) }
	out, now, err := a.library.AddPiece(c.UserContext(), u.User, u.ID, at, int64(c.Request().Header.ContentLength()), pieceReader{b}, sum, cut)
	if out.ID == "" {
		out = u
	}
	return out, now, err
}

// pieceReader gives the errors of the body a code.
type pieceReader struct{ b *body }

func (r pieceReader) Read(p []byte) (int, error) {
	n, err := r.b.Read(p)
	if err != nil && err != io.EOF {
		err = r.b.explain(err)
	}
	return n, err
}

// deleteUpload handles DELETE /v1/uploads/:id.
func (a *API) deleteUpload(c *fiber.Ctx) error {
	id, err := id(c, store.IDLen)
	if err != nil {
		return err
	}
	if err := a.library.RemoveUpload(c.UserContext(), caller(c).User, id); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// tellUpload says when an upload expires, or what it has become.
func (a *API) tellUpload(c *fiber.Ctx, u *store.Upload) {
	if !u.Done() {
		c.Set(headerExpires, u.Expires.UTC().Format(http.TimeFormat))
		return
	}
	c.Set("Picora-Media-Id", u.Media)
	c.Set("Picora-Duplicate", strconv.FormatBool(u.Duplicate))
	if m, err := a.library.Own(c.UserContext(), u.User, u.Media); err == nil {
		c.Set("Picora-Media-Url", mediaURL(link.Of(c.UserContext()), &m))
	}
	if u.Duplicate {
		c.Set("X-Picora-Duplicate", "true")
	}
}

// uploadNumber reads a header that is a number of bytes.
func uploadNumber(c *fiber.Ctx, name string) (int64, error) {
	n, err := strconv.ParseInt(c.Get(name), 10, 64)
	if err != nil || n < 0 {
		return 0, fault.New(fault.BadRequest, "The header %s is a number of bytes.", name)
	}
	return n, nil
}

// pieceSum reads Upload-Checksum; nil: there is none.
func pieceSum(s string) (*library.Sum, error) {
	if s == "" {
		return nil, nil
	}
	name, value, _ := strings.Cut(s, " ")
	want, err := base64.StdEncoding.DecodeString(value)
	sum := &library.Sum{Want: want}
	switch name {
	case "sha1":
		sum.Hash = sha1.New()
	case "sha256":
		sum.Hash = sha256.New()
	default:
		return nil, fault.New(fault.BadRequest, "Upload-Checksum: this server knows sha1 and sha256.")
	}
	if err != nil || len(want) != sum.Hash.Size() {
		return nil, fault.New(fault.BadRequest, "Upload-Checksum: a name, a space, and the sum in Base64.")
	}
	return sum, nil
}

// newUpload reads what the headers say of a new upload.
func newUpload(c *fiber.Ctx) (u store.Upload, err error) {
	u = store.Upload{User: caller(c).User, Metadata: c.Get(headerMetadata), Concat: c.Get(headerConcat)}
	if c.Get("Upload-Defer-Length") != "" {
		return u, fault.New(fault.BadRequest, "Say the Upload-Length at once: this server keeps room for the whole file.")
	}
	if u.Concat != "" && u.Concat != "partial" && !strings.HasPrefix(u.Concat, "final;") {
		return u, fault.New(fault.BadRequest, "Upload-Concat is partial, or final; and the addresses of the parts.")
	}
	values, err := uploadMetadata(u.Metadata)
	if err != nil {
		return u, err
	}
	u.Filename = first(values, "filename", "name")
	if u.Kind, err = uploadKindOf(values, u.Filename); err != nil {
		return u, err
	}
	ch, err := (&form{values: values}).change()
	if err != nil {
		return u, err
	}
	u.Public, u.KeepMeta = ch.Public, ch.KeepMetadata
	if ch.Title != nil {
		u.Title = *ch.Title
	}
	if ch.Tags != nil {
		u.Tags = *ch.Tags
	}
	if ch.Collection != nil {
		u.Collection = *ch.Collection
	}
	if u.Kind == store.Video {
		err = videoTags(ch)
	}
	return u, err
}

// uploadMetadata reads Upload-Metadata: names, and values in Base64, with commas between.
func uploadMetadata(s string) (map[string]string, error) {
	malformed := fault.New(fault.BadRequest, "Upload-Metadata: names, each with a space and a value in Base64 behind it, with commas between.")
	if len(s) > maxUploadMetadata {
		return nil, fault.New(fault.BadRequest, "Upload-Metadata has at most %d bytes.", maxUploadMetadata)
	}
	values := map[string]string{}
	for one := range strings.SplitSeq(s, ",") {
		one = strings.TrimSpace(one)
		if one == "" {
			continue
		}
		name, value, _ := strings.Cut(one, " ")
		b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(value))
		if err != nil || !utf8.Valid(b) || bytes.ContainsRune(b, 0) {
			return nil, malformed
		}
		values[name] = string(b)
	}
	return values, nil
}

func first(values map[string]string, names ...string) string {
	for _, n := range names {
		if values[n] != "" {
			return values[n]
		}
	}
	return ""
}

// uploadKindOf is what kind of file the sender says it is; 0: it does not.
func uploadKindOf(values map[string]string, filename string) (store.Kind, error) {
	if name := values["resourceType"]; name != "" {
		k := kindNamed(name)
		if k == 0 {
			return 0, fault.New(fault.Invalid, "Upload-Metadata: resourceType is image, video, audio or doc.")
		}
		return k, nil
	}
	t := first(values, "contentType", "filetype", "type")
	if t == "" {
		t = mime.TypeByExtension(strings.ToLower(path.Ext(filename)))
	}
	switch family, _, _ := strings.Cut(t, "/"); family {
	case "image", "video", "audio":
		return kindNamed(family), nil
	}
	if strings.HasPrefix(t, "application/pdf") {
		return store.Doc, nil
	}
	return 0, nil
}
