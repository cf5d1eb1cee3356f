package api

import (
	"math"
	"path"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	rule "picora/app/access"
	"picora/app/link"
	"picora/app/usage"
	"picora/store"
)

// video is a video on the wire: the contract's (section 11), and what else is known of
// it.
type video struct {
	ID               string       `json:"id"`
	Type             string       `json:"type"`
	Title            string       `json:"title"`
	Filename         string       `json:"filename"`
	Status           string       `json:"status"` // processing, ready or error
	Progress         *int         `json:"progress"`
	Error            *string      `json:"error"`
	Note             *string      `json:"note"`
	SizeBytes        int64        `json:"sizeBytes"`
	MIMEType         string       `json:"mimeType"`
	DurationSeconds  *int         `json:"durationSeconds"`
	Width            *int         `json:"width"`
	Height           *int         `json:"height"`
	FrameRate        *float64     `json:"frameRate"`
	HDR              *string      `json:"hdr"`
	PlaybackURL      *string      `json:"playbackUrl"`
	MP4URL           *string      `json:"mp4Url"`
	PreviewURL       *string      `json:"previewUrl"`
	StoryboardURL    *string      `json:"storyboardUrl"`
	ThumbnailURL     *string      `json:"thumbnailUrl"`
	EmbedURL         string       `json:"embedUrl"`
	Renditions       []rendition  `json:"renditions"`
	SoundTracks      []soundTrack `json:"soundTracks"`
	Captions         []caption    `json:"captions"`
	Chapters         []chapter    `json:"chapters"`
	IsPublic         bool         `json:"isPublic"`
	Tags             []string     `json:"tags"`
	KBID             *string      `json:"kbId"`
	AllowedReferers  []string     `json:"allowedReferers"`
	RequireSignature bool         `json:"requireSignature"`
	CreatedAt        string       `json:"createdAt"`
	UpdatedAt        string       `json:"updatedAt"`
}

// rendition is a size of the pictures that players choose. Bit rates are in bits a second.
type rendition struct {
	Name           string  `json:"name"`
	Width          int     `json:"width"`
	Height         int     `json:"height"`
	FrameRate      float64 `json:"frameRate"`
	BitRate        int64   `json:"bitrate"` // of the largest segment
	AverageBitRate int64   `json:"averageBitrate"`
	Codecs         string  `json:"codecs"` // RFC 6381
	Copied         bool    `json:"copied"` // these are the file's own pictures
}

type soundTrack struct {
	Name     string  `json:"name"`
	Lang     *string `json:"lang"`
	Label    *string `json:"label"`
	Default  bool    `json:"default"`
	Channels int     `json:"channels"`
	BitRate  int64   `json:"bitrate"`
	Codecs   string  `json:"codecs"`
}

type caption struct {
	Name     string  `json:"name"`
	Lang     *string `json:"lang"` // BCP 47
	Label    *string `json:"label"`
	Default  bool    `json:"default"`
	Uploaded bool    `json:"uploaded"`
	URL      string  `json:"url"`
}

// filmAddresses makes the addresses of what belongs to a video, for one answer.
type filmAddresses struct {
	link.Origin
	id    string
	sign  func(what string) string // is a query with a signature of all of the video, or of the part alone
	small bool                     // its owner's bandwidth is used up
}

// addresses are those of m for the caller. Whoever owns it gets signatures where they are
// needed: what their program is told of, it can show.
func (a *API) addresses(c *fiber.Ctx, m *store.Media) (at filmAddresses, err error) {
	at = filmAddresses{Origin: link.Of(c.UserContext()), id: m.ID, sign: func(string) string { return "" }}
	if !rule.Open(m) && caller(c).User == m.User {
		const day = 86400 // to the next day but one, so that the address stays the same for a day
		until := (time.Now().Unix()/day + 2) * day
		at.sign = func(part string) string {
			what := m.ID
			if part != "" {
				what = rule.Part(m.ID, part)
			}
			return "?" + a.signer.Link(what, until)
		}
	}
	state, err := a.usage.Bandwidth(c.UserContext(), m.User)
	at.small = state != usage.Ok
	return at, err
}

// of is the address of something that the signature of all of the video opens.
func (at *filmAddresses) of(name string) string { return at.Video(at.id, name) + at.sign("") }

// playback is where m plays, small while its owner's bandwidth is used up (contract 11).
func (at *filmAddresses) playback(m *store.Media) *string {
	switch {
	case !m.Film.Plays():
		return nil
	case at.small:
		return orNull(at.of("360p/index.m3u8"))
	}
	return orNull(at.of("index.m3u8"))
}

// has is the address of what is kept as that part of m.
func (at *filmAddresses) has(m *store.Media, part, name string) *string {
	if _, has := m.Part(part); !has {
		return nil
	}
	return orNull(at.of(name))
}

// poster is the address of m's picture: its owner's, or one of its own.
func (at *filmAddresses) poster(m *store.Media) *string {
	_, own := m.Part(store.UploadPart)
	if _, made := m.Part(store.PosterPart); !made && !own {
		return nil
	}
	return orNull(at.Video(at.id, "poster.jpg") + at.sign(store.PosterPart))
}

// preview is the address of a few seconds of m.
func (at *filmAddresses) preview(m *store.Media) *string {
	if _, has := m.Part(store.PreviewPart); !has {
		return nil
	}
	return orNull(at.Video(at.id, "preview.mp4") + at.sign(store.PreviewPart))
}

// filmStatus is how far the work on a video has come. What failed has another name in
// each of two places (contract 11).
func filmStatus(f *store.Film, failed string) string {
	switch {
	case f.State == store.FilmFailed:
		return failed
	case f.Plays():
		return "ready"
	}
	return "processing"
}

// filmTitle is what a video is called: its file's name without the ending unless its
// owner says otherwise.
func filmTitle(m *store.Media) string {
	if m.Title != "" {
		return m.Title
	}
	if stem := strings.TrimSuffix(m.Filename, path.Ext(m.Filename)); stem != "" {
		return stem
	}
	return m.Filename
}

// video writes a record for the caller.
func (a *API) video(c *fiber.Ctx, m *store.Media) (video, error) {
	at, err := a.addresses(c, m)
	if err != nil {
		return video{}, err
	}
	f := &m.Film
	out := video{
		ID: m.ID, Type: "video", Title: filmTitle(m), Filename: m.Filename, Status: filmStatus(f, "error"), Progress: a.filmProgress(m),
		Error: orNull(f.Fault), Note: orNull(f.Note), SizeBytes: m.Size, MIMEType: m.MIME, DurationSeconds: wholeDuration(f),
		Width: intOrNull(m.Width), Height: intOrNull(m.Height), HDR: orNull(f.HDR),
		PlaybackURL: at.playback(m), MP4URL: at.has(m, store.FilePart, "video.mp4"), PreviewURL: at.preview(m),
		StoryboardURL: at.has(m, store.BoardPart, "storyboard.vtt"), ThumbnailURL: at.poster(m), EmbedURL: at.Page("/embed/video/" + m.ID),
		Renditions: renditions(f), SoundTracks: soundTracks(f), Captions: at.captions(f), Chapters: []chapter{},
		IsPublic: m.Public, Tags: append([]string{}, m.Tags...), KBID: orNull(m.Collection),
		RequireSignature: m.RequireSignature, CreatedAt: stamp(m.Created), UpdatedAt: stamp(m.Updated),
	}
	if f.FrameRate > 0 {
		rate := rounded(f.FrameRate, 3)
		out.FrameRate = &rate
	}
	for _, ch := range f.Chapters {
		out.Chapters = append(out.Chapters, chapter{rounded(ch.Start, 3), rounded(ch.End, 3), ch.Title})
	}
	if m.Restricted && caller(c).User == m.User { // nobody else's business
		out.AllowedReferers = append([]string{}, m.Referers...)
	}
	return out, nil
}

// renditions are the sizes of f.
func renditions(f *store.Film) []rendition {
	list := []rendition{}
	for _, t := range f.Tracks {
		if t.Kind == store.PictureTrack {
			list = append(list, rendition{t.Name, t.Width, t.Height, rounded(t.FrameRate, 3), t.Bandwidth, t.Average, t.Codecs, t.Copied})
		}
	}
	return list
}

// soundTracks are the sounds of f.
func soundTracks(f *store.Film) []soundTrack {
	list := []soundTrack{}
	for _, t := range f.Tracks {
		if t.Kind == store.SoundTrack {
			list = append(list, soundTrack{t.Name, orNull(t.Lang), orNull(t.Label), t.Default, t.Channels, t.Average, t.Codecs})
		}
	}
	return list
}

// captions are the text tracks of f.
func (at *filmAddresses) captions(f *store.Film) []caption {
	list := []caption{}
	for _, t := range f.Tracks {
		if t.Kind == store.TextTrack {
			list = append(list, at.caption(&t))
		}
	}
	return list
}

func (at *filmAddresses) caption(t *store.Track) caption {
	return caption{t.Name, orNull(t.Lang), orNull(t.Label), t.Default, t.Uploaded, at.of(t.Name + ".vtt")}
}

// wholeDuration is how long a video is, in whole seconds (contract 11); one that has any
// length has a second.
func wholeDuration(f *store.Film) *int {
	if f.Duration <= 0 {
		return nil
	}
	s := max(1, int(math.Round(f.Duration)))
	return &s
}

// videoEntry writes what the list of all kinds tells of a video.
func (a *API) videoEntry(c *fiber.Ctx, m *store.Media, i *mediaItem) error {
	at, err := a.addresses(c, m)
	if err != nil {
		return err
	}
	f := &m.Film
	i.URL, i.PlaybackURL, i.ThumbnailURL = nil, at.playback(m), at.poster(m)
	i.Status, i.Progress, i.Error, i.BitRate = filmStatus(f, "failed"), a.filmProgress(m), orNull(f.Fault), intOrNull(f.BitRate)
	if title := filmTitle(m); m.Title == "" {
		i.Title = &title
	}
	if f.Duration > 0 {
		d := rounded(f.Duration, 3)
		i.DurationSeconds = &d
	}
	return nil
}

// filmProgress is how much is made of m, in percent; nil: nothing more will be.
func (a *API) filmProgress(m *store.Media) *int {
	if m.Film.State != store.FilmWaiting && m.Film.State != store.FilmPlayable {
		return nil
	}
	p := min(max(int(100*a.library.FilmProgress(m.ID)), 0), 99)
	return &p
}
