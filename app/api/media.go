package api

import (
	"context"
	"errors"
	"fmt"

	"github.com/gofiber/fiber/v2"

	"picora/app/fault"
	"picora/app/link"
	"picora/store"
)

// mediaItem is an entry of the list of all media: what all kinds have (contract 12).
// Clients take a whole list for broken when one of the first fields is missing or of
// another type.
type mediaItem struct {
	ID              string   `json:"id"`
	Type            string   `json:"type"`
	Filename        string   `json:"filename"`
	SizeBytes       int64    `json:"sizeBytes"`
	IsPublic        bool     `json:"isPublic"`
	CreatedAt       string   `json:"createdAt"`
	URL             *string  `json:"url"`
	PlaybackURL     *string  `json:"playbackUrl"` // of a video that can be played
	ThumbnailURL    *string  `json:"thumbnailUrl"`
	Title           *string  `json:"title"`
	DurationSeconds *float64 `json:"durationSeconds"`
	BitRate         *int     `json:"bitrate"` // thousands of bits a second
	Width           *int     `json:"width"`
	Height          *int     `json:"height"`
	Status          string   `json:"status"`
	Progress        *int     `json:"progress"` // of a video that is being made, in percent
	Error           *string  `json:"error"`    // of a video that failed
	Tags            []string `json:"tags"`
	MIMEType        string   `json:"mimeType"`
	KBID            *string  `json:"kbId"`

	UserID    string  `json:"userId"`
	Artist    *string `json:"artist"`
	Album     *string `json:"album"`
	Format    *string `json:"format"` // of a document
	Pages     *int    `json:"pages"`
	WordCount *int    `json:"wordCount"`
	UpdatedAt string  `json:"updatedAt"`
}

// kindNames are the kinds of media on the wire.
var kindNames = map[store.Kind]string{store.Image: "image", store.Video: "video", store.Audio: "audio", store.Doc: "doc"}

// kindNamed is the kind of that name; 0: there is none such.
func kindNamed(name string) store.Kind {
	switch name {
	case "image":
		return store.Image
	case "video":
		return store.Video
	case "audio":
		return store.Audio
	case "doc", "document":
		return store.Doc
	}
	return 0
}

// mediaURL is the address of the record's file; empty: it has none.
func mediaURL(o link.Origin, m *store.Media) string {
	switch m.Kind {
	case store.Image:
		return o.Image(m.ID, m.Ext)
	case store.Audio:
		return o.Audio(m.ID, m.Ext)
	case store.Video:
		return o.Video(m.ID, "index.m3u8")
	case store.Doc:
		return o.Doc(m.ID, m.Ext)
	}
	return ""
}

// mediaItem writes a record of any kind for lists of all kinds: a picture as it is
// everywhere, which has all that is asked for, the others in the common shape.
func (a *API) mediaItem(c *fiber.Ctx, m *store.Media) (any, error) {
	if m.Kind == store.Image {
		return a.image(c, m), nil
	}
	return a.entry(c, m)
}

// entry writes a record in the shape that all kinds have in common.
func (a *API) entry(c *fiber.Ctx, m *store.Media) (i mediaItem, err error) {
	o := link.Of(c.UserContext())
	i = mediaItem{
		ID: m.ID, Type: kindNames[m.Kind], Filename: m.Filename, SizeBytes: m.Size, IsPublic: m.Public, CreatedAt: stamp(m.Created),
		URL: orNull(mediaURL(o, m)), Title: orNull(m.Title), Width: intOrNull(m.Width), Height: intOrNull(m.Height),
		Status: "ready", Tags: append([]string{}, m.Tags...), MIMEType: m.MIME, KBID: orNull(m.Collection),
		UserID: m.User, UpdatedAt: stamp(m.Updated),
	}
	switch m.Kind {
	case store.Image:
		i.ThumbnailURL = orNull(a.thumbnail(c, m))
	case store.Audio:
		i.ThumbnailURL, i.BitRate = orNull(a.cover(o, m)), intOrNull(m.Sound.BitRate)
		i.Artist, i.Album = orNull(m.Sound.Artist), orNull(m.Sound.Album)
		if m.Sound.Duration > 0 {
			d := rounded(m.Sound.Duration, 3)
			i.DurationSeconds = &d
		}
	case store.Video:
		err = a.videoEntry(c, m, &i)
	case store.Doc:
		i.ThumbnailURL, i.Format = orNull(a.docCover(c, m)), orNull(m.Text.Format)
		i.Pages, i.WordCount = intOrNull(m.Text.Pages), intOrNull(m.Text.Words)
	}
	return i, err
}

// listMedia handles GET /v1/media: all kinds in one list.
func (a *API) listMedia(c *fiber.Ctx) error {
	return a.sendMedia(c, "media", 0, func(m *store.Media) (any, error) { return a.mediaItem(c, m) }, "items")
}

// sendMedia answers one page of the list of that name, which is of a kind or 0 for all, whose
// entries write makes, under each of the keys.
func (a *API) sendMedia(c *fiber.Ctx, of string, only store.Kind, write func(*store.Media) (any, error), keys ...string) error {
	q, err := mediaQuery(c, only)
	if err != nil {
		return err
	}
	user, name := caller(c).User, listName(c, of, &q)
	if q.Limit, err = pageSize(c); err != nil {
		return err
	}
	after, err := a.unseal(user, name, c.Query("cursor"))
	if err != nil {
		return err
	}
	found, next, err := untilSome(after, func(after string) ([]store.Media, string, error) {
		q.After = after
		p, err := a.library.List(c.UserContext(), user, q)
		return p.Items, p.Next, err
	})
	if err != nil {
		return err
	}
	items := make([]any, len(found))
	for i := range found {
		if items[i], err = write(&found[i]); err != nil {
			return err
		}
	}
	out := page{items: items, keys: keys, next: a.seal(user, name, next)}
	if len(q.Words) == 0 && q.Match == nil && q.Public == nil && q.Collection == nil && q.Tag == "" && !q.None {
		if out.total, err = a.countMedia(c.UserContext(), user, q.Kind); err != nil {
			return err
		}
	}
	return list(c, out)
}

// listName tells the lists apart that have different entries or orders: a cursor is good
// for one of them.
func listName(c *fiber.Ctx, of string, q *store.Query) string {
	filters := []string{of}
	for _, name := range []string{"type", "q", "is_public", "isPublic", "status", "tag", "sort", "order"} {
		filters = append(filters, c.Query(name))
	}
	if q.Collection != nil {
		filters = append(filters, *q.Collection)
	}
	return fmt.Sprintf("%q", filters)
}

// countMedia is how much the user has of a kind, 0 for all, but for what is in the trash.
func (a *API) countMedia(ctx context.Context, user string, only store.Kind) (*int64, error) {
	var total int64
	for k := range kindNames {
		if only != 0 && k != only {
			continue
		}
		n, err := a.library.Count(ctx, user, k)
		if err != nil {
			return nil, err
		}
		total += n.N - n.Trash
	}
	return &total, nil
}

// mediaID reads the path's id, of whatever kind.
func mediaID(c *fiber.Ctx) (string, error) {
	if s := c.Params("id"); store.ValidID(s, store.ImageIDLen) {
		return s, nil
	}
	return id(c, store.IDLen)
}

// getMedia handles GET /v1/media/:id.
func (a *API) getMedia(c *fiber.Ctx) error {
	id, err := mediaID(c)
	if err != nil {
		return err
	}
	m, err := a.library.Own(c.UserContext(), caller(c).User, id)
	if err != nil {
		return err
	}
	out, err := a.mediaItem(c, &m)
	if err != nil {
		return err
	}
	return ok(c, out)
}

// mediaRef names a record in a request.
type mediaRef struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

// deleteMedia handles DELETE /v1/media.
func (a *API) deleteMedia(c *fiber.Ctx) error {
	var in struct {
		Items []mediaRef `json:"items"`
	}
	if err := readJSON(c, &in, false); err != nil {
		return err
	}
	if err := checkCount("items", len(in.Items), 100); err != nil {
		return err
	}
	trash, err := toTrash(c)
	if err != nil {
		return err
	}
	ids, err := a.ofKind(c, in.Items)
	if err != nil {
		return err
	}
	gone, err := a.library.Discard(c.UserContext(), caller(c).User, trash, ids...)
	if err != nil {
		return err
	}
	type failed struct {
		mediaRef
		Reason string `json:"reason"`
	}
	deleted, missed := map[string]bool{}, []failed{}
	for _, id := range gone {
		deleted[id] = true
	}
	wanted := map[string]bool{}
	for _, id := range ids {
		wanted[id] = true
	}
	for _, it := range in.Items {
		if !deleted[it.ID] || !wanted[it.ID] || !sameKind(it.ID, it.Type) {
			missed = append(missed, failed{it, "NOT_FOUND"})
		}
	}
	return ok(c, map[string]any{"deleted": append([]string{}, gone...), "failed": missed})
}

// sameKind reports whether an id can be of that kind: those of pictures are shorter.
func sameKind(id, kind string) bool {
	return store.ValidID(id, store.ImageIDLen) == (kindNamed(kind) == store.Image)
}

// ofKind are the ids of the caller's records that are of the kind that each is said to
// be of.
func (a *API) ofKind(c *fiber.Ctx, refs []mediaRef) (ids []string, err error) {
	for _, r := range refs {
		if r.ID == "" || r.Type == "" {
			return nil, fault.New(fault.Invalid, "Each of items needs an id and a type.")
		}
	}
	for _, r := range refs {
		m, err := a.library.Own(c.UserContext(), caller(c).User, r.ID)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if m.Kind == kindNamed(r.Type) {
			ids = append(ids, r.ID)
		}
	}
	return ids, nil
}

// toTrash reads whether a deletion is one that can be taken back.
func toTrash(c *fiber.Ctx) (bool, error) {
	trash, err := flag(c, "trash")
	return trash != nil && *trash, err
}

// discard deletes the caller's record, or puts it into the trash if the request says so.
func (a *API) discard(c *fiber.Ctx, id string) error {
	trash, err := toTrash(c)
	if err != nil {
		return err
	}
	gone, err := a.library.Discard(c.UserContext(), caller(c).User, trash, id)
	if err == nil && len(gone) == 0 {
		err = store.ErrNotFound
	}
	return err
}
