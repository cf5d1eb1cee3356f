package pages

import (
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"math"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"picora/app/access"
	"picora/app/link"
	"picora/media/hls"
	"picora/store"
)

// frameTime is how long the signature opens a file that only some pages may show: the
// player in their frame asks for its files itself, and then browsers name the player's
// page, not theirs.
const frameTime = 6 * time.Hour

func (p *Pages) newFilm(c *fiber.Ctx, m *store.Media, o link.Origin, policy access.Policy) film {
	signed := p.opens(c, m, policy)
	lang := language(c)
	w, h := filmSides(m)
	f := film{
		Title: title(m), Width: w, Height: h, Sides: template.CSS(fmt.Sprintf(":root{--w:%d;--h:%d}", w, h)), State: p.stateOf(m),
		Length: clock(m.Film.Duration), Day: m.Created.UTC().Format(time.DateOnly), Date: day(lang, m.Created.UTC()),
		Chapters: filmChapters(m), Captions: captions(m, o, signed, lang), Listed: policy == access.Immutable,
		Framed: strings.HasSuffix(c.Get("Sec-Fetch-Dest"), "frame"), Loop: on(c, "loop"), Muted: on(c, "muted") || on(c, "autoplay"),
	}
	if _, has := poster(m); has {
		f.Poster = o.Video(m.ID, "poster.jpg") + signed
	}
	if m.Film.Plays() {
		f.Master = o.Video(m.ID, "index.m3u8") + signed
	}
	if _, has := m.Part(store.FilePart); has {
		f.File = o.Video(m.ID, "video.mp4") + signed
	}
	if t := c.Query("theme"); t == "dark" || t == "light" {
		f.Theme = t
	}
	if f.Listed {
		f.Meta = p.metaOf(c.UserContext(), m, o, &f)
	}
	s := filmScript{
		ID: m.ID, Title: f.Title, Duration: seconds(m.Film.Duration), Poster: f.Poster, Master: f.Master, File: f.File,
		Hls: "/page/" + hlsScript, State: f.State, Ask: "/embed/video/" + m.ID + "/state" + signed, Chapters: f.Chapters, Say: map[string]string{},
	}
	if _, has := m.Part(store.BoardPart); has && m.Film.Board.Pictures > 0 {
		s.Board = o.Video(m.ID, "storyboard.vtt") + signed
	}
	for name, text := range filmTexts {
		s.Say[name] = say(lang, text)
	}
	b, _ := json.Marshal(s) // of texts and finite numbers
	f.Script = string(b)
	return f
}

// opens is the query that opens what the page shows: that which opened the page, or one
// for the frames of those pages that may show it.
func (p *Pages) opens(c *fiber.Ctx, m *store.Media, policy access.Policy) string {
	switch {
	case policy == access.Personal:
		return carried(c)
	case policy == access.PerPage && p.signer != nil:
		return "?" + p.signer.Link(m.ID, time.Now().Add(frameTime).Unix())
	}
	return ""
}

// on reports whether the page's address asks for something.
func on(c *fiber.Ctx, name string) bool {
	v := c.Query(name)
	return v == "1" || v == "true"
}

// filmSides are the sides of the pictures as they are shown, in pixels; 16 by 9 while that
// is unknown.
func filmSides(m *store.Media) (w, h int) {
	if m.Width > 0 && m.Height > 0 {
		return m.Width, m.Height
	}
	for _, t := range m.Film.Tracks {
		if t.Kind == store.PictureTrack && t.Width > w && t.Height > 0 {
			w, h = t.Width, t.Height
		}
	}
	if w > 0 {
		return w, h
	}
	return 1280, 720
}

// poster is the picture of a video: its owner's, else one of its own.
func poster(m *store.Media) (p store.Part, has bool) {
	if p, has = m.Part(store.UploadPart); has {
		return p, true
	}
	return m.Part(store.PosterPart)
}

func captions(m *store.Media, o link.Origin, signed, lang string) (list []caption) {
	for _, t := range m.Film.Tracks {
		if t.Kind != store.TextTrack {
			continue
		}
		label := t.Label
		if label == "" {
			label = hls.Language(t.Lang)
		}
		if label == "" {
			label = fmt.Sprintf("%s %d", say(lang, "Captions"), len(list)+1)
		}
		list = append(list, caption{o.Video(m.ID, t.Name+".vtt") + signed, t.Lang, label, t.Default})
	}
	return list
}

func filmChapters(m *store.Media) []chapter {
	return chaptersOf(m.Film.Chapters, m.Film.Duration)
}

// day is a date as people write it.
func day(lang string, t time.Time) string {
	if lang == "en" {
		return t.Format("2 January 2006")
	}
	return t.Format("2006年1月2日")
}

func (p *Pages) metaOf(ctx context.Context, m *store.Media, o link.Origin, f *film) filmMeta {
	page := o.Page("/embed/video/" + m.ID)
	x := filmMeta{
		Page: page, OEmbed: o.Page("/oembed?format=json&url=" + url.QueryEscape(page)), Seconds: int(math.Ceil(seconds(m.Film.Duration))),
		Data: videoObject{
			Context: "https://schema.org", Type: "VideoObject", Name: f.Title, Thumbnail: []string{f.Poster},
			Uploaded: m.Created.UTC().Format(time.RFC3339), Content: f.File, Embed: page,
		},
	}
	if x.Seconds > 0 {
		x.Data.Duration = fmt.Sprintf("PT%dS", x.Seconds)
	}
	if part, has := poster(m); has {
		x.PosterWidth, x.PosterHeight = sides(ctx, p.library, part)
	}
	return x
}

// The largest frame that we propose for a video, and the longer side of the smallest, in
// pixels.
const (
	filmWidth   = 960
	filmHeight  = 720
	filmLeast   = 480
	filmPowers  = "autoplay; fullscreen; picture-in-picture"
	filmElement = `<iframe src="%s" width="%d" height="%d" title="%s" loading="lazy" allow="` + filmPowers + `" allowfullscreen style="border:0;max-width:100%%"></iframe>`
)

// embedFilm is the player of a video, as large as the pictures and the room are.
func (f *feeds) embedFilm(ctx context.Context, m *store.Media, room box) *embedding {
	o := link.Of(ctx)
	w, h := filmSides(m)
	long := float64(max(w, h))
	scale := max(1, filmLeast/long)
	scale = min(scale, float64(min(filmWidth, room.w))/float64(w), float64(min(filmHeight, room.h))/float64(h))
	e := &embedding{
		Type: "video", Title: clean(title(m), 255, false),
		Width: max(1, int(float64(w)*scale+.5)), Height: max(1, int(float64(h)*scale+.5)),
	}
	e.HTML = fmt.Sprintf(filmElement, template.HTMLEscapeString(o.Page("/embed/video/"+m.ID)), e.Width, e.Height, template.HTMLEscapeString(e.Title))
	if p, has := poster(m); has && access.Open(m) {
		if w, h := sides(ctx, f.library, p); w > 0 && w <= room.w && h <= room.h { // all three, or none
			e.Thumbnail, e.ThumbnailWid, e.ThumbnailHei = o.Video(m.ID, "poster.jpg"), w, h
		}
	}
	return e
}
