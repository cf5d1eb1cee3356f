package pages

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"picora/app/access"
	"picora/media"
	"picora/store"
)

// The sides of a show's picture in pixels; Apple wants no others.
const (
	leastCover = 1400
	mostCover  = 3000
)

// item is what the feed says of an episode.
func (f *feeds) item(s *show, m *store.Media) rssItem {
	signed := f.signed(s, m)
	i := rssItem{
		Title: clean(title(m), 255, false), GUID: rssGUID{false, m.ID},
		Link: s.origin.Page("/embed/audio/"+m.ID) + signed, Date: m.Created.UTC().Format(rfc2822),
		Description: notes(m), Enclosure: f.enclosure(s, m, signed),
		Author: clean(m.Sound.Artist, 255, false), Duration: int(seconds(m.Sound.Duration) + 0.5),
		Episode: max(m.Sound.Track, 0), EpisodeType: "full", Explicit: s.Feed.Explicit,
	}
	if i.Title == "" {
		i.Title = m.ID
	}
	if _, has := m.Part(store.CoverPart); has {
		i.Image = &rssImage{s.origin.AudioCover(m.ID) + signed}
	}
	if len(chapters(m)) > 0 {
		i.Chapters = &rssChapters{s.origin.Page("/feed/" + s.name + "/" + m.ID + ".json"), "application/json+chapters"}
	}
	return i
}

// signed is the query that opens an episode of a private feed, and what belongs to it.
func (f *feeds) signed(s *show, m *store.Media) string {
	if !s.private {
		return ""
	}
	return "?" + f.signer.FeedLink(s.ID, s.Feed.Token, m.ID)
}

// enclosure is the file that programs load: the uploaded one, or, when few of them play
// its type, what was made of it, if that was.
func (f *feeds) enclosure(s *show, m *store.Media, signed string) rssEnclosure {
	if p, has := m.Part(store.SoundPart); has && m.MIME != media.MP3.MIME && m.MIME != media.M4A.MIME {
		return rssEnclosure{s.origin.Media + "/audio-level/" + m.ID + ".m4a" + signed, p.Size, p.MIME}
	}
	size := m.BlobSize
	if d, err := f.library.Delivery(m); err == nil {
		size = d.Size
	}
	return rssEnclosure{s.origin.Audio(m.ID, m.Ext) + signed, size, m.MIME}
}

// notes describe an episode: whose it is, and its chapters, whose times many programs
// make links of.
func notes(m *store.Media) string {
	var lines []string
	for _, s := range []string{m.Sound.Artist, m.Sound.Album} {
		if s != "" {
			lines = append(lines, s)
		}
	}
	lines = []string{strings.Join(lines, " · ")}
	for _, ch := range chapters(m) {
		lines = append(lines, ch.Label+" "+ch.Title)
	}
	return clean(strings.Join(lines, "\n"), 4000, true)
}

// image is the show's picture: the owner's choice, else the newest in the collection,
// else that of an episode, else one of ours. Pictures are made square and large enough.
func (f *feeds) image(ctx context.Context, s *show, first string) (string, error) {
	m, found, err := f.picture(ctx, s)
	if err != nil {
		return "", err
	}
	if !found {
		if first == "" {
			first = s.origin.Page("/page/podcast.jpg")
		}
		return first, nil
	}
	format, most := "jpeg", mostCover
	if m.Ext == "png" {
		format, most = "png", leastCover
	}
	side := strconv.Itoa(max(leastCover, min(m.Width, m.Height, most)))
	params := url.Values{"w": {side}, "h": {side}, "fit": {"cover"}, "fmt": {format}}
	exp := int64(0) // whoever may have the picture has this one, for ever
	if !access.Open(&m) {
		const week = 7 * 24 * 3600 // the address stays the same for as long, and with it the feed
		exp = (time.Now().Unix()/week + 5) * week
	}
	return s.origin.Image(m.ID, m.Ext) + "?" + f.signer.TransformLink(m.ID, params, exp), nil
}

// picture finds the picture of which the show's is made.
func (f *feeds) picture(ctx context.Context, s *show) (m store.Media, found bool, err error) {
	fit := func(m *store.Media) bool {
		return m.Kind == store.Image && m.User == s.User && m.MIME != media.SVG.MIME && m.Width > 0 && m.Height > 0 && (s.private || access.Open(m))
	}
	if s.Cover != "" {
		m, err = f.library.Any(ctx, s.Cover)
		if err == nil && fit(&m) {
			return m, true, nil
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return m, false, err
		}
	}
	page, err := f.library.List(ctx, s.User, store.Query{Kind: store.Image, Collection: &s.ID, Limit: 20})
	if err != nil {
		return m, false, err
	}
	for i := range page.Items {
		if fit(&page.Items[i]) {
			return page.Items[i], true, nil
		}
	}
	return m, false, nil
}

// chaptersFile is the JSON of podcastindex.org's chapters.
type chaptersFile struct {
	Version  string          `json:"version"`
	Title    string          `json:"title"`
	Chapters []chapterInFile `json:"chapters"`
}

type chapterInFile struct {
	Start float64 `json:"startTime"`
	Title string  `json:"title"`
}

// chapters handles GET /feed/{name}/{id}.json.
func (f *feeds) chapters(c *fiber.Ctx) error {
	id, ok := strings.CutSuffix(c.Params("id"), ".json")
	if !ok || !store.ValidID(id, store.IDLen) {
		return refuse(c, store.ErrNotFound)
	}
	s, err := f.find(c.UserContext(), c.Params("name"))
	if err != nil {
		return refuse(c, err)
	}
	m, err := f.library.Any(c.UserContext(), id)
	if err == nil && !s.has(&m) {
		err = store.ErrNotFound
	}
	if err != nil {
		return refuse(c, err)
	}
	out := chaptersFile{Version: "1.2.0", Title: clean(title(&m), 255, false), Chapters: []chapterInFile{}}
	for _, ch := range chapters(&m) {
		out.Chapters = append(out.Chapters, chapterInFile{ch.Start, clean(ch.Title, 255, false)})
	}
	s.describe(c, "", time.Time{})
	return c.JSON(out, "application/json+chapters")
}
