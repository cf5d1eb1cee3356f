package pages

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"image/jpeg"
	"math"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"picora/app/access"
	"picora/app/fault"
	"picora/app/library"
	"picora/app/link"
	"picora/media"
	"picora/store"
)

// embedding is an oEmbed 1.0 answer.
type embedding struct {
	Version      string `json:"version"`
	Type         string `json:"type"` // photo, video, rich or link
	Title        string `json:"title,omitempty"`
	Author       string `json:"author_name,omitempty"`
	Provider     string `json:"provider_name"`
	ProviderURL  string `json:"provider_url"`
	CacheAge     int    `json:"cache_age"`
	URL          string `json:"url,omitempty"`
	HTML         string `json:"html,omitempty"`
	Width        int    `json:"width,omitempty"`
	Height       int    `json:"height,omitempty"`
	Thumbnail    string `json:"thumbnail_url,omitempty"`
	ThumbnailWid int    `json:"thumbnail_width,omitempty"`
	ThumbnailHei int    `json:"thumbnail_height,omitempty"`
}

// box is the room that a page has, in pixels.
type box struct{ w, h int }

// oembed handles GET /oembed.
func (f *feeds) oembed(c *fiber.Ctx) error {
	if format := c.Query("format", "json"); format != "json" {
		return c.Status(fiber.StatusNotImplemented).JSON(map[string]any{"success": false, "error": "This server answers in JSON only: format=json.", "code": fault.BadRequest})
	}
	room := box{math.MaxInt32, math.MaxInt32}
	for name, to := range map[string]*int{"maxwidth": &room.w, "maxheight": &room.h} {
		if s := c.Query(name); s != "" {
			n, err := strconv.Atoi(s)
			if err != nil || n < 1 {
				return fault.New(fault.BadRequest, "%s is a number of pixels.", name)
			}
			*to = min(n, *to)
		}
	}
	if c.Query("url") == "" {
		return fault.New(fault.BadRequest, "Say in url which address you ask about.")
	}
	o := link.Of(c.UserContext())
	at, ours := local(c.Query("url"), o)
	if !ours {
		return fault.New(fault.NotFound, "url is no address of this server.")
	}
	e, err := f.embed(c.UserContext(), at, room)
	if errors.Is(err, store.ErrNotFound) {
		return fault.New(fault.NotFound, "There is nothing at this address. It may have been deleted.")
	}
	if err != nil {
		return err
	}
	e.Version, e.Provider, e.ProviderURL, e.CacheAge = "1.0", "Picora", o.Page("/"), 3600
	c.Set(fiber.HeaderCacheControl, "public, max-age=300")
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	return c.JSON(e)
}

// local is the path of an address, when it is one of this server.
func local(address string, o link.Origin) (path string, ours bool) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return "", false
	}
	for _, own := range []string{o.API, o.Media} {
		if h, err := url.Parse(own); err == nil && h.Host != "" && strings.EqualFold(h.Host, u.Host) {
			return u.Path, true
		}
	}
	return "", false
}

// embed finds what is at the path, and says how to show it.
func (f *feeds) embed(ctx context.Context, at string, room box) (*embedding, error) {
	folder, name := path.Split(at)
	if folder == "/c/" {
		return f.embedCollection(ctx, name, room)
	}
	if id, playlist := strings.CutSuffix(at, "/index.m3u8"); playlist && path.Dir(id) == "/video" {
		folder, name = "/embed/video/", path.Base(id) // that of the player is the same
	}
	id, ext, _ := strings.Cut(name, ".")
	kind, known := map[string]store.Kind{"/": store.Image, "/embed/audio/": store.Audio, "/audio/": store.Audio, "/embed/video/": store.Video, "/d/": store.Doc, "/doc/": store.Doc}[folder]
	length := store.IDLen
	if kind == store.Image {
		length = store.ImageIDLen
	}
	if !known || !store.ValidID(id, length) {
		return nil, store.ErrNotFound
	}
	m, err := f.library.Any(ctx, id)
	if err != nil {
		return nil, err
	}
	if page := strings.HasPrefix(folder, "/d/") || strings.HasPrefix(folder, "/embed/"); m.Kind != kind || page != (ext == "") || !page && ext != m.Ext {
		return nil, store.ErrNotFound
	}
	if !m.Public || m.RequireSignature {
		return nil, fault.New(fault.Unauthorized, "What is at this address is private.")
	}
	switch kind {
	case store.Video:
		return f.embedFilm(ctx, &m, room), nil
	case store.Audio:
		return f.embedAudio(ctx, &m, room), nil
	case store.Image:
		return f.embedPicture(ctx, &m, room), nil
	}
	return &embedding{Type: "link", Title: clean(title(&m), 255, false)}, nil
}

func (f *feeds) embedAudio(ctx context.Context, m *store.Media, room box) *embedding {
	o := link.Of(ctx)
	e := &embedding{
		Type: "rich", Title: clean(title(m), 255, false), Author: clean(m.Sound.Artist, 255, false),
		Width: min(playerWidth, room.w), Height: min(playerHeight, room.h),
	}
	e.HTML = fmt.Sprintf(`<iframe src="%s" width="%d" height="%d" title="%s" loading="lazy" allow="autoplay" style="border:0;max-width:100%%"></iframe>`,
		template.HTMLEscapeString(o.Page("/embed/audio/"+m.ID)), e.Width, e.Height, template.HTMLEscapeString(e.Title))
	if p, has := m.Part(store.CoverPart); has && access.Open(m) {
		if w, h := sides(ctx, f.library, p); w > 0 && w <= room.w && h <= room.h { // all three, or none
			e.Thumbnail, e.ThumbnailWid, e.ThumbnailHei = o.AudioCover(m.ID), w, h
		}
	}
	return e
}

// sides is how large a cover or a poster is, which a worker of ours wrote; 0 when that is
// unknown.
func sides(ctx context.Context, l *library.Library, p store.Part) (w, h int) {
	d := l.Part(p)
	content, err := l.Open(ctx, d, 0, min(d.Size, 64<<10))
	if err != nil {
		return 0, 0
	}
	defer content.Close()
	cfg, err := jpeg.DecodeConfig(content)
	if err != nil {
		return 0, 0
	}
	return cfg.Width, cfg.Height
}

// embedPicture is a picture as large as there is room for: one that is larger is made
// smaller, at a signed address. It has one of a few sizes: the signature is for everybody,
// and lets nobody have every size there is made.
func (f *feeds) embedPicture(ctx context.Context, m *store.Media, room box) *embedding {
	e := &embedding{Type: "photo", Title: clean(title(m), 255, false), URL: link.Of(ctx).Image(m.ID, m.Ext), Width: m.Width, Height: m.Height}
	if m.Width < 1 || m.Height < 1 { // drawings may have no size
		return &embedding{Type: "link", Title: e.Title}
	}
	if m.Width <= room.w && m.Height <= room.h {
		return e
	}
	scale := min(float64(room.w)/float64(m.Width), float64(room.h)/float64(m.Height))
	long := float64(max(m.Width, m.Height))
	scale = step(long*scale) / long
	e.Width, e.Height = max(1, int(float64(m.Width)*scale+.5)), max(1, int(float64(m.Height)*scale+.5))
	if m.MIME != media.SVG.MIME {
		params := url.Values{"w": {strconv.Itoa(e.Width)}, "h": {strconv.Itoa(e.Height)}, "fit": {"fill"}}
		e.URL += "?" + f.signer.TransformLink(m.ID, params, 0)
	}
	return e
}

// step is the largest of some numbers that is not above n: two to each doubling. Whoever
// asks chooses among these sizes, for we sign what is made of them.
func step(n float64) float64 {
	of := 1.0
	for of*2 <= n {
		of *= 2
	}
	if of >= 2 && of*1.5 <= n {
		of *= 1.5
	}
	return of
}

// coverSide is how large a collection's picture is in oEmbed, in pixels.
const coverSide = 480

func (f *feeds) embedCollection(ctx context.Context, name string, room box) (*embedding, error) {
	k, err := f.library.ShownCollection(ctx, name)
	if err == nil && !k.Public {
		err = store.ErrNotFound // nobody is told that it is there
	}
	if err != nil {
		return nil, err
	}
	e := &embedding{Type: "link", Title: clean(k.Name, 255, false), Author: clean(k.Feed.Author, 255, false)}
	s := show{Collection: k, origin: link.Of(ctx)}
	m, found, err := f.picture(ctx, &s)
	if err == nil && found && room.w >= coverSide && room.h >= coverSide {
		side := strconv.Itoa(coverSide)
		e.Thumbnail = s.origin.Image(m.ID, m.Ext) + "?" + f.signer.TransformLink(m.ID, url.Values{"w": {side}, "h": {side}, "fit": {"cover"}}, 0)
		e.ThumbnailWid, e.ThumbnailHei = coverSide, coverSide
	}
	return e, err
}
