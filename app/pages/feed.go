package pages

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/xml"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/gofiber/fiber/v2"

	"picora/app/access"
	"picora/app/auth"
	"picora/app/library"
	"picora/app/link"
	"picora/app/usage"
	"picora/store"
)

// A feed names the newest episodes only; so many are read at a time.
const (
	maxEpisodes  = 300
	episodesStep = 50
	// feedPages is how many times some are read: a collection may have a million things
	// that are in no feed, and anybody asks for feeds.
	feedPages = 50
	// feedsAtOnce bounds the memory for feeds that are being written, of which each may
	// have some hundred kilobytes.
	feedsAtOnce = 8
)

// feeds tells other programs of what is here: the podcast feeds of collections, and
// oEmbed.
type feeds struct {
	library *library.Library
	usage   *usage.Usage
	signer  *auth.Signer
	writing chan struct{}
}

// show is one feed: a collection as a podcast.
type show struct {
	store.Collection
	private bool // asked for by its token: all that is in it
	name    string
	origin  link.Origin
}

// find is the feed of that name: the id or slug of a public collection, or id.token.
func (f *feeds) find(ctx context.Context, name string) (s show, err error) {
	id, token, private := strings.Cut(name, ".")
	k, err := f.library.ShownCollection(ctx, id)
	if err != nil {
		return s, err
	}
	s = show{Collection: k, private: private, name: k.ID, origin: link.Of(ctx)}
	switch {
	case private && (id != k.ID || k.Feed.Token == "" || subtle.ConstantTimeCompare([]byte(token), []byte(k.Feed.Token)) == 0):
		return s, store.ErrNotFound
	case private:
		s.name = name
	case !k.Public, !k.Takes(store.Audio):
		return s, store.ErrNotFound // nobody is told that it is there
	}
	return s, nil
}

// has reports whether m is an episode of the feed.
func (s *show) has(m *store.Media) bool {
	return m.Kind == store.Audio && m.Collection == s.ID && m.User == s.User && (s.private || access.Open(m))
}

// address is where the feed is.
func (s *show) address() string { return s.origin.Feed(s.name) }

// feed handles GET /feed/{name}.xml.
func (f *feeds) feed(c *fiber.Ctx) error {
	name, ok := strings.CutSuffix(c.Params("name"), ".xml")
	if !ok {
		return refuse(c, store.ErrNotFound)
	}
	f.writing <- struct{}{}
	defer func() { <-f.writing }()
	s, err := f.find(c.UserContext(), name)
	if err != nil {
		return refuse(c, err)
	}
	var b bytes.Buffer
	changed, err := f.write(c.UserContext(), &b, &s)
	if err != nil {
		return refuse(c, err)
	}
	sum := sha256.Sum256(b.Bytes())
	s.describe(c, `"`+hex.EncodeToString(sum[:16])+`"`, changed)
	if unchanged(c, changed) {
		return c.SendStatus(fiber.StatusNotModified)
	}
	if c.Method() != fiber.MethodHead {
		f.usage.Meter(s.User, store.Doc).Add(int64(b.Len()))
	}
	c.Set(fiber.HeaderContentType, "application/rss+xml; charset=utf-8")
	return c.Send(b.Bytes())
}

// describe says how long the answer may be kept, and what it is.
func (s *show) describe(c *fiber.Ctx, etag string, changed time.Time) {
	if s.private {
		c.Set(fiber.HeaderCacheControl, "private, max-age=300")
		c.Set("X-Robots-Tag", "noindex")
	} else {
		c.Set(fiber.HeaderCacheControl, "public, max-age=300")
	}
	if etag != "" {
		c.Set(fiber.HeaderETag, etag)
		c.Set(fiber.HeaderLastModified, changed.UTC().Format(http.TimeFormat))
	}
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer") // the address of a private feed is a secret
	c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; sandbox")
}

// unchanged reports whether the client has this very answer. Tags come first: the time
// does not show that an episode was taken away.
func unchanged(c *fiber.Ctx, changed time.Time) bool {
	if tags := c.Get(fiber.HeaderIfNoneMatch); tags != "" {
		mine := c.GetRespHeader(fiber.HeaderETag)
		for t := range strings.SplitSeq(tags, ",") {
			if t = strings.TrimPrefix(strings.TrimSpace(t), "W/"); t == mine || t == "*" {
				return true
			}
		}
		return false
	}
	since, err := http.ParseTime(c.Get(fiber.HeaderIfModifiedSince))
	return err == nil && !changed.Truncate(time.Second).After(since)
}

// write writes the feed, and returns when it changed last.
func (f *feeds) write(ctx context.Context, b *bytes.Buffer, s *show) (changed time.Time, err error) {
	// The head says when the newest change was, which only the items know.
	var items bytes.Buffer
	e := xml.NewEncoder(&items)
	changed = s.Updated
	first, n := "", 0 // the picture of the newest episode that has one
	err = f.episodes(ctx, s, func(m *store.Media) error {
		if n++; m.Updated.After(changed) {
			changed = m.Updated
		}
		item := f.item(s, m)
		if first == "" && item.Image != nil {
			first = item.Image.Href
		}
		return e.Encode(item)
	})
	if err != nil {
		return changed, err
	}
	image, err := f.image(ctx, s, first)
	if err != nil {
		return changed, err
	}
	return changed, wrap(b, s.head(image, changed), &items)
}

// wrap writes the whole feed: its head, and the items, which are written already.
func wrap(b *bytes.Buffer, head rssHead, items *bytes.Buffer) error {
	out := xml.NewEncoder(b)
	if err := begin(out); err != nil {
		return err
	}
	fields, err := xml.Marshal(head)
	if err != nil {
		return err
	}
	b.Write(bytes.TrimSuffix(bytes.TrimPrefix(fields, []byte("<rssHead>")), []byte("</rssHead>")))
	items.WriteTo(b) // no buffer fails
	return end(out)
}

// episodes calls fn with those of the feed, the newest first.
func (f *feeds) episodes(ctx context.Context, s *show, fn func(*store.Media) error) error {
	q := store.Query{Kind: store.Audio, Collection: &s.ID, Limit: episodesStep}
	if public := true; !s.private {
		q.Public = &public
	}
	n := 0
	for range feedPages {
		page, err := f.library.List(ctx, s.User, q)
		if err != nil {
			return err
		}
		for i := range page.Items {
			if !s.has(&page.Items[i]) {
				continue
			}
			if err := fn(&page.Items[i]); err != nil {
				return err
			}
			if n++; n == maxEpisodes {
				return nil
			}
		}
		if q.After = page.Next; q.After == "" {
			return nil
		}
	}
	return nil
}

// head is what the feed says of the show.
func (s *show) head(image string, changed time.Time) rssHead {
	name := clean(s.Name, 255, false)
	h := rssHead{
		Title: name, Description: clean(s.Description, 4000, true), Generator: "Picora",
		Link: s.Feed.Link, Self: rssSelf{s.address(), "self", "application/rss+xml"},
		Language: s.Feed.Language, LastBuild: changed.UTC().Format(rfc2822),
		Author: clean(s.Feed.Author, 255, false), Image: rssImage{image}, Explicit: s.Feed.Explicit, Type: "episodic",
	}
	if h.Description == "" {
		h.Description = name
	}
	if h.Author == "" {
		h.Author = name
	}
	if h.Link == "" {
		h.Link = s.origin.Page("/")
		if s.Public {
			h.Link = s.origin.Page("/c/" + s.Slug)
		}
	}
	if h.Language == "" {
		h.Language = "en"
		if strings.ContainsFunc(s.Name+s.Description, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			h.Language = "zh-CN"
		}
	}
	if s.Feed.Email != "" {
		h.Owner = &rssOwner{h.Author, s.Feed.Email}
	}
	if s.Feed.Serial {
		h.Type = "serial"
	}
	if s.private {
		h.Block = "Yes" // no directory lists it
	}
	h.Category = s.category()
	h.Cover = rssCover{image, h.Title, h.Link}
	return h
}

// category is the owner's choice, else what goes best with the collection's type: there
// must be one.
func (s *show) category() rssCategory {
	name := s.Feed.Category
	if name == "" {
		name = map[string]string{"album": "Music", "audio_drama": "Drama", "movie": "TV & Film", "tv_series": "TV & Film"}[s.Collection.Type]
	}
	top, sub := library.FeedCategory(name)
	if top == "" {
		top = "Society & Culture"
	}
	c := rssCategory{Text: top}
	if sub != "" {
		c.Sub = &rssCategory{Text: sub}
	}
	return c
}
