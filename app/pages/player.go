package pages

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"picora/app/access"
	"picora/app/link"
	"picora/store"
)

// The size of the player's frame that we propose, in pixels.
const (
	playerWidth  = 600
	playerHeight = 160
)

// player is what the page of an audio file shows.
type player struct {
	Title, Artist string
	File, Type    string // address and type of the sound
	Cover         string // address
	Pictured      bool   // the cover is the file's own, not one drawn for its type
	Length        string // duration for people; empty: unknown
	Whole         int    // duration in whole seconds
	Chapters      []chapter
	Script        string // JSON: what the script wants to know
	Theme         string // dark or light; empty: as the reader's system
	Page, OEmbed  string // this page's own address, and that of its description
	Width, Height int
	Listed        bool // the page may be found, quoted and embedded by everybody
}

// chapter is a line of the list of chapters.
type chapter struct {
	Start float64 `json:"start"`
	Label string  `json:"-"` // the start for people
	Title string  `json:"title"`
}

// script is what player.js wants to know.
type script struct {
	ID       string            `json:"id"`
	Title    string            `json:"title"`
	Artist   string            `json:"artist"`
	Album    string            `json:"album"`
	Cover    string            `json:"cover,omitempty"`
	Peaks    string            `json:"peaks"`
	Duration float64           `json:"duration"` // seconds; 0: unknown
	Chapters []chapter         `json:"chapters"`
	Say      map[string]string `json:"say"`
}

// maxChapters is how many chapters a page or a feed names.
const maxChapters = 500

// player handles GET /embed/audio/{id}: a page that plays one file, for frames.
func (p *Pages) player(c *fiber.Ctx) error {
	m, policy, err := p.sound(c, c.Params("id"))
	if err != nil {
		return refuse(c, err)
	}
	o := link.Of(c.UserContext())
	data := newPlayer(c, &m, o, policy, p.opens(c, &m, policy))
	if data.Listed {
		c.Set(fiber.HeaderCacheControl, "no-cache")
	} else {
		c.Set(fiber.HeaderCacheControl, string(access.Personal))
		c.Set("X-Robots-Tag", "noindex")
	}
	if err := render(c, fiber.StatusOK, "player", o.Sources(), true, true, data); err != nil {
		return err
	}
	// Files that only some pages may show look at the referer, also on a host of their own.
	c.Set(fiber.HeaderReferrerPolicy, "strict-origin-when-cross-origin")
	if m.Restricted && policy == access.PerPage {
		c.Append(fiber.HeaderContentSecurityPolicy, ancestors(&m, o))
	}
	return nil
}

// sound finds an audio file that the request may have.
func (p *Pages) sound(c *fiber.Ctx, id string) (m store.Media, policy access.Policy, err error) {
	if !store.ValidID(id, store.IDLen) {
		return m, "", store.ErrNotFound
	}
	if m, err = p.library.Any(c.UserContext(), id); err != nil {
		return m, "", err
	}
	if m.Kind != store.Audio {
		return m, "", store.ErrNotFound
	}
	policy, err = p.access.Allowed(c, &m, nil)
	return m, policy, err
}

// newPlayer is the page of m; signed is what opens its files.
func newPlayer(c *fiber.Ctx, m *store.Media, o link.Origin, policy access.Policy, signed string) player {
	lang := language(c)
	p := player{
		Title: title(m), Artist: m.Sound.Artist,
		File: o.Audio(m.ID, m.Ext) + signed, Type: m.MIME,
		Cover:  o.AudioCover(m.ID) + signed,
		Length: clock(m.Sound.Duration), Whole: int(math.Ceil(seconds(m.Sound.Duration))),
		Chapters: chapters(m),
		Page:     o.Page("/embed/audio/" + m.ID), OEmbed: o.Page("/oembed?format=json&url=" + url.QueryEscape(o.Page("/embed/audio/"+m.ID))),
		Width: playerWidth, Height: playerHeight, Listed: policy == access.Immutable,
	}
	_, p.Pictured = m.Part(store.CoverPart)
	if t := c.Query("theme"); t == "dark" || t == "light" {
		p.Theme = t
	}
	s := script{
		ID: m.ID, Title: p.Title, Artist: p.Artist, Album: m.Sound.Album, Cover: p.Cover,
		Peaks: o.Media + "/audio-peaks/" + m.ID + ".json" + signed, Duration: seconds(m.Sound.Duration), Chapters: p.Chapters,
		Say: map[string]string{},
	}
	for name, text := range playerTexts {
		s.Say[name] = say(lang, text)
	}
	b, _ := json.Marshal(s) // of texts and finite numbers
	p.Script = string(b)
	return p
}

// carried is the query of a link that a signature opens.
func carried(c *fiber.Ctx) string {
	sig, exp := c.Query("sig"), c.Query("exp")
	switch {
	case sig == "":
		return ""
	case exp == "": // of a feed
		return "?sig=" + url.QueryEscape(sig)
	}
	return "?sig=" + url.QueryEscape(sig) + "&exp=" + url.QueryEscape(exp)
}

// title is how people call the file: as its owner does, else as it does itself, else by
// its name.
func title(m *store.Media) string {
	if m.Title != "" && m.Title != m.Filename {
		return m.Title
	}
	if m.Sound.Title != "" {
		return m.Sound.Title
	}
	if name := strings.TrimSuffix(m.Filename, path.Ext(m.Filename)); name != "" {
		return name
	}
	return m.Filename
}

// chapters are those that lie in the file.
func chapters(m *store.Media) []chapter { return chaptersOf(m.Sound.Chapters, m.Sound.Duration) }

func chaptersOf(all []store.Chapter, duration float64) []chapter {
	list := []chapter{}
	for i, ch := range all {
		if len(list) == maxChapters {
			break
		}
		if ch.Start < 0 || ch.Start != seconds(ch.Start) || duration > 0 && ch.Start >= duration {
			continue
		}
		name := ch.Title
		if name == "" {
			name = strconv.Itoa(i + 1)
		}
		list = append(list, chapter{ch.Start, clock(math.Max(ch.Start, 0.001)), name})
	}
	return list
}

// seconds is s, or 0 for what is no duration.
func seconds(s float64) float64 {
	if s > 0 && s < 1e8 {
		return s
	}
	return 0
}

// clock writes seconds as people read them, 3:05 or 1:02:03; nothing when unknown.
func clock(t float64) string {
	if t = seconds(t); t == 0 {
		return ""
	}
	s := int(t)
	if s < 3600 {
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}

// ancestors is the policy by which browsers themselves keep the frame to the pages that
// the owner lets show the file.
func ancestors(m *store.Media, o link.Origin) string {
	csp := "frame-ancestors"
	for _, r := range m.Referers {
		if r == "self" {
			csp += " 'self'"
			for _, own := range []string{o.API, o.Media} {
				if u, err := url.Parse(own); err == nil && u.Host != "" {
					csp += " " + u.Hostname() + ":* *." + u.Hostname() + ":*"
				}
			}
			continue
		}
		csp += " " + r + ":*"
	}
	if len(m.Referers) == 0 {
		csp += " 'none'"
	}
	return csp
}
