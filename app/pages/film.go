package pages

import (
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"strings"

	"github.com/gofiber/fiber/v2"

	"picora/app/access"
	"picora/app/link"
	"picora/store"
)

// film is what the page of a video shows.
type film struct {
	Title         string
	Width, Height int // pixels, so that nothing jumps when the pictures come
	Sides         template.CSS
	Poster        string // address; empty: none yet
	Master, File  string // addresses of the playlist and of the MP4; empty: not made yet
	Captions      []caption
	Chapters      []chapter
	Length        string // duration for people; empty: unknown
	Day, Date     string // when it was uploaded, for machines and for people
	State         filmState
	Script        string // JSON: what the script wants to know
	Theme         string // dark or light; empty: as the reader's system
	Framed        bool   // in the page of another
	Loop, Muted   bool
	Listed        bool // the page may be found, quoted and embedded by everybody
	Meta          filmMeta
}

// filmMeta is what a page that everybody may see says of itself to programs.
type filmMeta struct {
	Page, OEmbed              string // addresses: its own, and that of its description
	Seconds                   int    // duration; 0: unknown
	PosterWidth, PosterHeight int    // pixels; 0: unknown
	Data                      videoObject
}

// videoObject is a VideoObject of schema.org.
type videoObject struct {
	Context   string   `json:"@context"`
	Type      string   `json:"@type"`
	Name      string   `json:"name"`
	Thumbnail []string `json:"thumbnailUrl"`
	Uploaded  string   `json:"uploadDate"`
	Duration  string   `json:"duration,omitempty"` // ISO 8601
	Content   string   `json:"contentUrl,omitempty"`
	Embed     string   `json:"embedUrl"`
}

// caption is captions in one language.
type caption struct {
	File, Lang, Label string
	Default           bool
}

// filmState is what changes of a video while its page is open: the answer to what the
// page asks now and then.
type filmState struct {
	State    string `json:"state"`    // processing, ready or failed
	Making   bool   `json:"making"`   // more will be made
	Sizes    int    `json:"sizes"`    // how many sizes there are to choose from
	Progress int    `json:"progress"` // 0 to 100, while something is made
}

// filmScript is what film.js wants to know.
type filmScript struct {
	ID       string            `json:"id"`
	Title    string            `json:"title"`
	Duration float64           `json:"duration"` // seconds; 0: unknown
	Poster   string            `json:"poster,omitempty"`
	Master   string            `json:"master,omitempty"`
	File     string            `json:"file,omitempty"`
	Board    string            `json:"board,omitempty"` // address of the storyboard
	Hls      string            `json:"hls"`             // address of hls.js
	State    filmState         `json:"state"`
	Ask      string            `json:"ask"` // address of the state
	Chapters []chapter         `json:"chapters"`
	Say      map[string]string `json:"say"`
}

// hlsScript is the name of hls.js, with its version: it never changes under its address.
const hlsScript = "hls-1.7.4.min.js"

// film handles GET /embed/video/{id}: a page that plays one video, for people and frames.
func (p *Pages) film(c *fiber.Ctx) error {
	m, policy, err := p.video(c)
	if err != nil {
		return refuse(c, err)
	}
	o := link.Of(c.UserContext())
	data := p.newFilm(c, &m, o, policy)
	if data.Listed {
		c.Set(fiber.HeaderCacheControl, "no-cache")
	} else {
		c.Set(fiber.HeaderCacheControl, string(access.Personal))
		c.Set("X-Robots-Tag", "noindex")
	}
	if err := render(c, fiber.StatusOK, "film", o.Sources(), true, true, data); err != nil {
		return err
	}
	// Media Source Extensions play from addresses blob:, which name what the page itself has
	// in memory.
	csp := string(c.Response().Header.Peek(fiber.HeaderContentSecurityPolicy))
	csp = strings.Replace(csp, "media-src ", "media-src blob: ", 1)
	sum := sha256.Sum256([]byte(data.Sides))
	csp = strings.Replace(csp, "style-src 'self'", "style-src 'self' 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'", 1)
	c.Set(fiber.HeaderContentSecurityPolicy, csp)
	c.Append(fiber.HeaderVary, "Sec-Fetch-Dest")
	// Files that only some pages may show look at the referer, also on a host of their own.
	c.Set(fiber.HeaderReferrerPolicy, "strict-origin-when-cross-origin")
	if m.Restricted && policy == access.PerPage {
		c.Append(fiber.HeaderContentSecurityPolicy, ancestors(&m, o))
	}
	return nil
}

// filmState handles GET /embed/video/{id}/state.
func (p *Pages) filmState(c *fiber.Ctx) error {
	m, _, err := p.video(c)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set("X-Robots-Tag", "noindex")
	return c.JSON(p.stateOf(&m))
}

// video finds a video that the request may have.
func (p *Pages) video(c *fiber.Ctx) (m store.Media, policy access.Policy, err error) {
	id := c.Params("id")
	if !store.ValidID(id, store.IDLen) {
		return m, "", store.ErrNotFound
	}
	if m, err = p.library.Any(c.UserContext(), id); err != nil {
		return m, "", err
	}
	if m.Kind != store.Video {
		return m, "", store.ErrNotFound
	}
	policy, err = p.access.Allowed(c, &m, nil)
	return m, policy, err
}

func (p *Pages) stateOf(m *store.Media) filmState {
	s := filmState{State: "processing", Making: m.Film.State != store.FilmReady && m.Film.State != store.FilmFailed}
	switch {
	case m.Film.Plays():
		s.State = "ready"
	case m.Film.State == store.FilmFailed:
		s.State = "failed"
	}
	if s.Making {
		s.Progress = min(max(int(100*p.library.FilmProgress(m.ID)), 0), 99)
	}
	for _, t := range m.Film.Tracks {
		if t.Kind == store.PictureTrack {
			s.Sizes++
		}
	}
	return s
}
