package api

import (
	"errors"
	"io"
	"mime"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"picora/app/fault"
	"picora/app/library"
	"picora/app/link"
	"picora/store"
)

// Uploads by address: the file is on another server, and Picora gets it from there.

const (
	// fetchWait is how long a request waits for its file. Proxies give up after a minute.
	fetchWait    = 20 * time.Second
	maxFetchBody = 64 << 10 // bytes of the JSON
)

// fetchFields are the members of the body: the address, and what forms say of a file.
type fetchFields struct {
	URL      string    `json:"url"`
	Filename string    `json:"filename"`
	Title    string    `json:"title"`
	Tags     *[]string `json:"tags"`
	Public   *bool     `json:"isPublic"`
	Public2  *bool     `json:"is_public"`
	KeepMeta *bool     `json:"keepMetadata"`
	KBID     string    `json:"kbId"`
}

func isJSON(c *fiber.Ctx) bool {
	kind, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	return err == nil && kind == fiber.MIMEApplicationJSON
}

// createAnyFetch handles POST /v1/uploads of clients that do not speak tus: what kind of
// file it is turns out when it is here.
func (a *API) createAnyFetch(c *fiber.Ctx) error {
	if !isJSON(c) {
		return tus(a.createUpload, nil)(c)
	}
	return a.createFetch(c, 0)
}

// createFetch handles an upload whose body is JSON with the address of the file.
func (a *API) createFetch(c *fiber.Ctx, k store.Kind) error {
	b := newBody(c, time.Duration(a.upload.IdleTimeout))
	raw, err := io.ReadAll(io.LimitReader(b, maxFetchBody+1))
	if err != nil {
		return b.explain(err)
	}
	if len(raw) > maxFetchBody {
		return fault.New(fault.Invalid, "The body is too large: JSON with the address of a file has at most 64 KB.")
	}
	var in fetchFields
	if err := decode(raw, &in, false); err != nil {
		return err
	}
	if in.URL == "" {
		return fault.New(fault.Invalid, "url is missing: the address of the file. A file itself is sent as multipart/form-data, in the field named file.")
	}
	if in.Public == nil {
		in.Public = in.Public2
	}
	if k == store.Video {
		if err := videoTags(library.Change{Tags: in.Tags}); err != nil {
			return err
		}
	}
	return a.startFetch(c, store.Upload{
		User: caller(c).User, Kind: k, URL: in.URL, Filename: in.Filename, Title: in.Title, Tags: or(in.Tags, nil),
		Public: in.Public, KeepMeta: in.KeepMeta, Collection: in.KBID,
	})
}

// startFetch has the file fetched, and answers as if it had been sent, when it comes soon
// and the client wants to wait; else with where to ask for it.
func (a *API) startFetch(c *fiber.Ctx, u store.Upload) (err error) {
	if u, err = a.library.StartFetch(c.UserContext(), u); err != nil {
		return err
	}
	if prefersAsync(c) {
		c.Set("Preference-Applied", "respond-async")
	} else if u, err = a.library.AwaitFetch(c.UserContext(), u.User, u.ID, fetchWait); err != nil {
		return err
	}
	if u.Open() {
		c.Location(link.Of(c.UserContext()).API + "/v1/uploads/" + u.ID)
		return a.sendUpload(c, fiber.StatusAccepted, &u)
	}
	if f := library.FetchFault(&u); f != nil {
		a.library.RemoveUpload(c.UserContext(), u.User, u.ID) // nobody knows its id; else it expires
		return f
	}
	if uploadKind(c.Path()) == 0 {
		return a.sendUpload(c, fiber.StatusOK, &u)
	}
	a.library.RemoveUpload(c.UserContext(), u.User, u.ID) // as above
	m, err := a.library.Own(c.UserContext(), u.User, u.Media)
	if err != nil {
		return err
	}
	return a.sendAdded(c, &m, !u.Duplicate)
}

// prefersAsync reports whether the client would rather not wait (RFC 7240, section 4.1).
func prefersAsync(c *fiber.Ctx) bool {
	for p := range strings.SplitSeq(c.Get("Prefer"), ",") {
		name, _, _ := strings.Cut(p, ";")
		if strings.EqualFold(strings.TrimSpace(name), "respond-async") {
			return true
		}
	}
	return false
}

// uploadWire is how an upload stands.
type uploadWire struct {
	ID        string      `json:"id"`
	Status    string      `json:"status"` // waiting, receiving, done or failed
	Type      *string     `json:"type"`   // null: nobody knows yet
	Filename  *string     `json:"filename"`
	SourceURL *string     `json:"sourceUrl"` // of one that is fetched
	Received  int64       `json:"receivedBytes"`
	Size      *int64      `json:"sizeBytes"` // null: nobody knows yet
	Progress  *int        `json:"progress"`  // percent
	MediaID   *string     `json:"mediaId"`
	MediaURL  *string     `json:"mediaUrl"`
	Duplicate bool        `json:"duplicate"`
	Error     *uploadFail `json:"error"`
	CreatedAt string      `json:"createdAt"`
	ExpiresAt string      `json:"expiresAt"`
}

type uploadFail struct {
	Error string         `json:"error"`
	Code  fault.Code     `json:"code"`
	Meta  map[string]any `json:"meta,omitempty"`
}

// uploadWire writes an upload of which so many bytes are here.
func (a *API) uploadWire(c *fiber.Ctx, u *store.Upload, received int64) (w uploadWire, err error) {
	w = uploadWire{
		ID: u.ID, Status: "receiving", Type: orNull(kindNames[u.Kind]), Filename: orNull(u.Filename), SourceURL: orNull(u.URL), Received: received,
		MediaID: orNull(u.Media), Duplicate: u.Duplicate, CreatedAt: stamp(u.Created), ExpiresAt: stamp(u.Expires),
	}
	if u.Length > 0 {
		percent := int(received * 100 / u.Length)
		w.Size, w.Progress = &u.Length, &percent
	}
	f := library.FetchFault(u)
	switch {
	case f != nil:
		w.Status, w.Error = "failed", &uploadFail{f.Message, f.Code, f.Meta}
	case u.Done():
		w.Status = "done"
		if m, err := a.library.Own(c.UserContext(), u.User, u.Media); err == nil {
			w.MediaURL = orNull(mediaURL(link.Of(c.UserContext()), &m))
		} else if !errors.Is(err, store.ErrNotFound) { // it may have been deleted since
			return w, err
		}
	case u.URL != "" && a.library.FetchWaits(u.ID):
		w.Status = "waiting"
	}
	return w, nil
}

// uploadStatus handles GET /v1/uploads/:id of clients that do not speak tus.
func (a *API) uploadStatus(c *fiber.Ctx) error {
	id, err := id(c, store.IDLen)
	if err != nil {
		return err
	}
	u, err := a.store.Upload(c.UserContext(), caller(c).User, id)
	if err != nil {
		return err
	}
	return a.sendUpload(c, fiber.StatusOK, &u)
}

// sendUpload answers with how an upload stands.
func (a *API) sendUpload(c *fiber.Ctx, status int, u *store.Upload) error {
	_, received, err := a.library.OwnUpload(c.UserContext(), u.User, u.ID)
	if err != nil {
		return err
	}
	out, err := a.uploadWire(c, u, received)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Status(status).JSON(success{true, out})
}
