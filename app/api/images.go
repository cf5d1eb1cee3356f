package api

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"picora/app/fault"
	"picora/app/library"
	"picora/app/link"
	"picora/media"
	"picora/store"
)

// image is a picture on the wire: the contract's image (section 10), and at the
// same time what the unified list asks of an entry (section 12).
type image struct {
	ID               string   `json:"id"`
	Type             string   `json:"type"`
	UserID           string   `json:"userId"`
	URL              string   `json:"url"`
	Filename         string   `json:"filename"`
	Title            *string  `json:"title"`
	MIMEType         string   `json:"mimeType"`
	SizeBytes        int64    `json:"sizeBytes"`
	Width            *int     `json:"width"`
	Height           *int     `json:"height"`
	Tags             []string `json:"tags"`
	IsPublic         bool     `json:"isPublic"`
	AllowedReferers  []string `json:"allowedReferers"`
	RequireSignature bool     `json:"requireSignature"`
	KeepMetadata     bool     `json:"keepMetadata"`
	Status           string   `json:"status"`
	ThumbnailURL     *string  `json:"thumbnailUrl"`
	ThumbHash        *string  `json:"thumbhash"`
	BlurHash         *string  `json:"blurhash"`
	DominantColor    *string  `json:"dominantColor"`
	Frames           int      `json:"frames"`
	TakenAt          *string  `json:"takenAt"`
	Camera           *string  `json:"camera"`
	Location         *place   `json:"location"`
	KBID             *string  `json:"kbId"`
	CreatedAt        string   `json:"createdAt"`
	UpdatedAt        string   `json:"updatedAt"`
}

// place is where a picture was taken, in degrees (WGS 84).
type place struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
}

// image writes a record for the client at the origin.
func (a *API) image(c *fiber.Ctx, m *store.Media) image {
	i := image{
		ID: m.ID, Type: "image", UserID: m.User, URL: link.Of(c.UserContext()).Image(m.ID, m.Ext),
		Filename: m.Filename, Title: orNull(m.Title), MIMEType: m.MIME, SizeBytes: m.Size,
		Width: intOrNull(m.Width), Height: intOrNull(m.Height), Tags: m.Tags, IsPublic: m.Public,
		RequireSignature: m.RequireSignature, KeepMetadata: m.KeepMetadata, Status: "ready",
		CreatedAt: stamp(m.Created), UpdatedAt: stamp(m.Updated),
	}
	i.ThumbnailURL = orNull(a.thumbnail(c, m))
	i.ThumbHash = orNull(base64.StdEncoding.EncodeToString(m.Look.ThumbHash))
	i.BlurHash, i.DominantColor = orNull(m.Look.BlurHash), orNull(m.Look.Colour)
	i.KBID = orNull(m.Collection)
	i.Frames, i.Camera = m.Frames, orNull(m.Camera)
	if !m.Taken.IsZero() {
		i.TakenAt = orNull(stamp(m.Taken))
	}
	if m.KeepMetadata && len(m.GPS) == 2 {
		i.Location = &place{m.GPS[0], m.GPS[1]}
	}
	if i.Tags == nil {
		i.Tags = []string{}
	}
	if m.Restricted {
		i.AllowedReferers = append([]string{}, m.Referers...)
	}
	return i
}

// thumbnail is the address of a small version of m, which whoever reads the record may
// open: with a signature where it needs one.
func (a *API) thumbnail(c *fiber.Ctx, m *store.Media) string {
	u := link.Of(c.UserContext()).Image(m.ID, m.Ext)
	if m.MIME == media.SVG.MIME {
		return u
	}
	params := url.Values{"variant": {"thumb"}}
	switch {
	case !m.Public || m.RequireSignature || m.Restricted:
		const day = 86400 // to the next day but one, so that the address stays the same for a day
		return u + "?" + a.signer.TransformLink(m.ID, params, (time.Now().Unix()/day+2)*day)
	case a.signAll:
		return u + "?" + a.signer.TransformLink(m.ID, params, 0)
	}
	return u + "?" + params.Encode()
}

// images writes records.
func (a *API) images(c *fiber.Ctx, ms []store.Media) []image {
	out := make([]image, len(ms))
	for i := range ms {
		out[i] = a.image(c, &ms[i])
	}
	return out
}

// createImage handles POST /v1/images.
func (a *API) createImage(c *fiber.Ctx) error {
	if isJSON(c) {
		return a.createFetch(c, store.Image)
	}
	f, err := a.openForm(c, func(length int) error { return a.room(c.UserContext(), caller(c).User, store.Image, length) })
	if err != nil {
		return err
	}
	defer f.close()
	if strings.HasPrefix(c.Get(fiber.HeaderUserAgent), "PicGo") {
		// PicGo's command line does not exit before the connection is closed.
		c.Response().SetConnectionClose()
	}
	m, fresh, err := a.addForm(c, f, store.Image)
	if err != nil {
		return err
	}
	return a.sendAdded(c, &m, fresh)
}

// change is what the form's fields say of the record.
func (f *form) change() (ch library.Change, err error) {
	if s, given := f.values["title"]; given {
		ch.Title = &s
	}
	for _, n := range []string{"isPublic", "is_public"} {
		if ch.Public, err = f.bool(n, ch.Public); err != nil {
			return ch, err
		}
	}
	if ch.KeepMetadata, err = f.bool("keepMetadata", nil); err != nil {
		return ch, err
	}
	if s := f.values["tags"]; s != "" {
		tags, err := formTags(s)
		if err != nil {
			return ch, err
		}
		ch.Tags = &tags
	}
	if s := f.values["kbId"]; s != "" {
		ch.Collection = &s
	}
	return ch, nil
}

// formTags reads the field tags: a JSON list, or words with commas between.
func formTags(s string) (tags []string, err error) {
	if strings.HasPrefix(strings.TrimSpace(s), "[") {
		if json.Unmarshal([]byte(s), &tags) != nil {
			return nil, fault.New(fault.Invalid, `tags is a JSON list of texts such as ["sea","2026"].`)
		}
		return tags, nil
	}
	for t := range strings.SplitSeq(s, ",") {
		if t = strings.TrimSpace(t); t != "" {
			tags = append(tags, t)
		}
	}
	return tags, nil
}

// listImages handles GET /v1/images.
func (a *API) listImages(c *fiber.Ctx) error {
	from, to, err := dates(c)
	if err != nil {
		return err
	}
	q := store.Query{Kind: store.Image, Tag: c.Query("tag"), From: from, To: to}
	if strings.ContainsRune(q.Tag, 0) {
		return fault.New(fault.Invalid, "A tag has visible characters only.")
	}
	return a.sendList(c, q, []string{"images", q.Tag, c.Query("start_date"), c.Query("end_date")}, "items", "images")
}

// sendList answers one page of q. Filters tells lists apart, for their cursors.
func (a *API) sendList(c *fiber.Ctx, q store.Query, filters []string, keys ...string) (err error) {
	user, name := caller(c).User, fmt.Sprintf("%q", filters)
	if q.Limit, err = pageSize(c); err != nil {
		return err
	}
	if q.After, err = a.unseal(user, name, c.Query("cursor")); err != nil {
		return err
	}
	p, err := a.library.List(c.UserContext(), user, q)
	if err != nil {
		return err
	}
	out := page{items: a.images(c, p.Items), keys: keys, next: a.seal(user, name, p.Next)}
	if q.Tag == "" && q.From.IsZero() && q.To.IsZero() && q.Match == nil && q.Public == nil && !q.None {
		if out.total, err = a.countMedia(c.UserContext(), user, store.Image); err != nil {
			return err
		}
	}
	return list(c, out)
}

// getImage handles GET /v1/images/:id.
func (a *API) getImage(c *fiber.Ctx) error {
	id, err := id(c, store.ImageIDLen)
	if err != nil {
		return err
	}
	m, err := a.library.Own(c.UserContext(), caller(c).User, id)
	if err != nil {
		return err
	}
	return ok(c, a.image(c, &m))
}

// updateImage handles PATCH /v1/images/:id.
func (a *API) updateImage(c *fiber.Ctx) error {
	id, err := id(c, store.ImageIDLen)
	if err != nil {
		return err
	}
	var in fields
	if err := readJSON(c, &in, true); err != nil {
		return err
	}
	change, err := in.change()
	if err != nil {
		return err
	}
	m, err := a.library.Edit(c.UserContext(), caller(c).User, id, change)
	if err != nil {
		return err
	}
	return ok(c, a.image(c, &m))
}

// change is what a PATCH says of the record. Both spellings of each name are
// taken (contract 1.5).
func (f fields) change() (ch library.Change, err error) {
	if _, given := f["title"]; given {
		if ch.Title, err = take[string](f, "title"); err != nil {
			return ch, err
		}
		if ch.Title == nil { // null clears it
			ch.Title = new(string)
		}
	}
	if ch.Tags, err = take[[]string](f, "tags"); err != nil {
		return ch, err
	}
	if ch.Public, err = take[bool](f, "isPublic", "is_public"); err != nil {
		return ch, err
	}
	if ch.RequireSignature, err = take[bool](f, "requireSignature", "require_signature"); err != nil {
		return ch, err
	}
	if ch.KeepMetadata, err = take[bool](f, "keepMetadata", "keep_metadata"); err != nil {
		return ch, err
	}
	if ch.Collection, err = emptied[string](f, "kbId"); err != nil {
		return ch, err
	}
	for _, n := range []string{"allowedReferers", "allowed_referers"} {
		if _, given := f[n]; !given {
			continue
		}
		list, err := take[[]string](f, n)
		if err != nil {
			return ch, err
		}
		ch.Referers = &library.Referers{Restricted: list != nil} // null lifts the rule
		if list != nil {
			ch.Referers.List = *list
		}
	}
	return ch, nil
}

// deleteImage handles DELETE /v1/images/:id.
func (a *API) deleteImage(c *fiber.Ctx) error {
	id, err := id(c, store.ImageIDLen)
	if err != nil {
		return err
	}
	if err := a.discard(c, id); err != nil {
		return err
	}
	return ok(c, nil)
}

// deleteImages handles DELETE /v1/images.
func (a *API) deleteImages(c *fiber.Ctx) error {
	var in struct {
		IDs []string `json:"ids"`
	}
	if err := readJSON(c, &in, false); err != nil {
		return err
	}
	if err := checkCount("ids", len(in.IDs), 50); err != nil {
		return err
	}
	trash, err := toTrash(c)
	if err != nil {
		return err
	}
	pictures := slices.DeleteFunc(slices.Clone(in.IDs), func(id string) bool { return !store.ValidID(id, store.ImageIDLen) })
	gone, err := a.library.Discard(c.UserContext(), caller(c).User, trash, pictures...)
	if err != nil {
		return err
	}
	return ok(c, map[string]int{"deleted": len(gone), "failed": len(in.IDs) - len(gone)})
}

// imagesExist handles POST /v1/images/exists. What is wrong with the request is
// 400 here, not 422 (contract 23, row 41).
func (a *API) imagesExist(c *fiber.Ctx) error {
	var in struct {
		Hashes []string `json:"hashes"`
	}
	if err := readJSON(c, &in, false); err != nil {
		return &fault.Error{Code: fault.BadRequest, Message: fault.From(err).Message}
	}
	if n := len(in.Hashes); n < 1 || n > 200 {
		return fault.New(fault.BadRequest, "hashes needs 1 to 200 entries.")
	}
	existing, missing := map[string]any{}, []string{}
	for _, h := range in.Hashes {
		sum, err := hex.DecodeString(h)
		if err != nil || len(sum) != 32 || strings.ToLower(h) != h {
			return fault.New(fault.BadRequest, "hashes are SHA-256 sums, each 64 lower-case hexadecimal digits.")
		}
		m, found, err := a.library.ByHash(c.UserContext(), caller(c).User, store.Image, sum)
		switch {
		case err != nil:
			return err
		case found:
			existing[h] = map[string]string{"id": m.ID, "url": link.Of(c.UserContext()).Image(m.ID, m.Ext)}
		default:
			missing = append(missing, h)
		}
	}
	return ok(c, map[string]any{"existing": existing, "missing": missing})
}

// expSeconds is how long a signature is good that is asked for so.
func expSeconds(asked *int64) (int64, error) {
	if asked == nil {
		return 3600, nil
	}
	if *asked < 1 || *asked > 86400 {
		return 0, fault.New(fault.Invalid, "expSeconds is a whole number from 1 to 86400.")
	}
	return *asked, nil
}

// signImage handles POST /v1/images/:id/sign.
func (a *API) signImage(c *fiber.Ctx) error {
	id, err := id(c, store.ImageIDLen)
	if err != nil {
		return err
	}
	in := struct {
		Seconds   *int64 `json:"expSeconds"`
		Transform string `json:"transform"`
		Permanent bool   `json:"permanent"`
	}{}
	if err := readJSON(c, &in, true); err != nil {
		return err
	}
	seconds, err := expSeconds(in.Seconds)
	if err != nil {
		return err
	}
	params, err := a.transform(in.Transform)
	if err != nil {
		return err
	}
	if in.Permanent && (params == nil || in.Seconds != nil) {
		return fault.New(fault.Invalid, "permanent is for a transform, and without expSeconds: the file itself needs no permanent signature when it is public, and gets none when it is not.")
	}
	m, err := a.library.Own(c.UserContext(), caller(c).User, id)
	if err != nil {
		return err
	}
	u := link.Of(c.UserContext()).Image(m.ID, m.Ext) + "?"
	if in.Permanent && !m.Public {
		return fault.New(fault.Invalid, "This picture is private: a permanent link would open it for ever. Leave permanent out, or make the picture public.")
	}
	if in.Permanent {
		return ok(c, map[string]any{"signedUrl": u + a.signer.TransformLink(m.ID, params, 0), "expiresAt": nil, "exp": nil})
	}
	exp := time.Now().Unix() + seconds
	query := a.signer.Link(m.ID, exp)
	if params != nil {
		query = a.signer.TransformLink(m.ID, params, exp)
	}
	return ok(c, map[string]any{"signedUrl": u + query, "expiresAt": stamp(time.Unix(exp, 0)), "exp": exp})
}

// transform reads the parameters of a picture to be made, as a query; nil when there
// are none.
func (a *API) transform(query string) (url.Values, error) {
	if query == "" {
		return nil, nil
	}
	params, err := url.ParseQuery(strings.TrimPrefix(query, "?"))
	if err != nil {
		return nil, fault.New(fault.Invalid, `transform is a query such as "w=400&fmt=webp".`)
	}
	var p media.QueryParser
	for name, values := range params {
		for _, v := range values {
			if err := p.Add(name, v); errors.Is(err, media.ErrNotParam) {
				return nil, fault.New(fault.Invalid, "transform: %q is no parameter of a transform.", name)
			} else if err != nil {
				return nil, fault.New(fault.Invalid, "transform: %v.", err)
			}
		}
	}
	q, err := p.Query()
	if err != nil {
		return nil, fault.New(fault.Invalid, "transform: %v.", err)
	}
	if q.Variant != "" && !slices.Contains(a.variants, q.Variant) {
		return nil, fault.New(fault.Invalid, "transform: this server has no variant %q, only %s.", q.Variant, strings.Join(a.variants, ", "))
	}
	return params, nil
}

// imagePublicMeta handles GET /v1/images/:id/public-meta, which services beside
// Picora may ask. Bare JSON; 404 whatever is wrong, so that it tells nothing.
func (a *API) imagePublicMeta(c *fiber.Ctx) error { return a.publicMeta(c, store.Image) }

// publicMeta tells of a record of that kind.
func (a *API) publicMeta(c *fiber.Ctx, k store.Kind) error {
	m, err := a.publicMedia(c, k)
	if err != nil {
		return err
	}
	return c.JSON(map[string]any{"storageKey": m.Blob, "mimeType": m.MIME, "isPublic": m.Public})
}

// publicMedia is the public record of that kind that the path names, for who knows the
// internal token.
func (a *API) publicMedia(c *fiber.Ctx, k store.Kind) (store.Media, error) {
	if a.internal == "" || !sameSecret(c.Get("X-Internal-Token"), a.internal) {
		return store.Media{}, store.ErrNotFound
	}
	m, err := a.library.Any(c.UserContext(), c.Params("id"))
	if err == nil && (!m.Public || m.Kind != k) {
		err = store.ErrNotFound
	}
	return m, err
}
