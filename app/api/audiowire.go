package api

import (
	"math"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	rule "picora/app/access"
	"picora/app/link"
	"picora/store"
)

// audio is an audio file on the wire: the contract's (section 9), and what else is known
// of it. Tags are what the file says of itself; what its owner calls it by, which other
// kinds have under tags, are labels here.
type audio struct {
	ID               string     `json:"id"`
	Type             string     `json:"type"`
	UserID           string     `json:"userId"`
	URL              string     `json:"url"`
	Filename         string     `json:"filename"`
	SizeBytes        int64      `json:"sizeBytes"`
	MIMEType         string     `json:"mimeType"`
	Title            string     `json:"title"`
	ThumbnailURL     string     `json:"thumbnailUrl"`
	DurationSeconds  *float64   `json:"durationSeconds"`
	BitRate          *int       `json:"bitrate"`
	Status           string     `json:"status"`
	IsPublic         bool       `json:"isPublic"`
	Codec            *string    `json:"codec"`
	Channels         *int       `json:"channels"`
	SampleRate       *int       `json:"sampleRate"`
	Tags             soundTags  `json:"tags"`
	Labels           []string   `json:"labels"`
	Loudness         *loudness  `json:"loudness"`
	WaveformURL      *string    `json:"waveformUrl"`
	NormalizedURL    *string    `json:"normalizedUrl"`
	Normalization    *levelling `json:"normalization"`
	EmbedURL         string     `json:"embedUrl"`
	AllowedReferers  []string   `json:"allowedReferers"`
	RequireSignature bool       `json:"requireSignature"`
	KBID             *string    `json:"kbId"`
	CreatedAt        string     `json:"createdAt"`
	UpdatedAt        string     `json:"updatedAt"`
}

// soundTags are what an audio file says of itself.
type soundTags struct {
	Title    *string   `json:"title"`
	Artist   *string   `json:"artist"`
	Album    *string   `json:"album"`
	Genre    *string   `json:"genre"`
	Track    *int      `json:"track"`
	Year     *int      `json:"year"`
	Chapters []chapter `json:"chapters"`
}

type chapter struct {
	Start float64 `json:"start"` // seconds
	End   float64 `json:"end"`
	Title string  `json:"title"`
}

// loudness is how loud an audio file is (EBU R 128).
type loudness struct {
	Integrated float64 `json:"integrated"` // LUFS
	TruePeak   float64 `json:"truePeak"`   // dBTP
}

// levelling is the equally loud version of an audio file.
type levelling struct {
	Status     string  `json:"status"` // processing, ready or failed
	TargetLUFS float64 `json:"targetLufs"`
	SizeBytes  *int64  `json:"sizeBytes"`
}

var levelStates = map[store.LevelState]string{store.LevelWanted: "processing", store.LevelMade: "ready", store.LevelFailed: "failed"}

// audio writes a record for the client at the origin.
func (a *API) audio(c *fiber.Ctx, m *store.Media) audio {
	o, s := link.Of(c.UserContext()), &m.Sound
	out := audio{
		ID: m.ID, Type: "audio", UserID: m.User, URL: o.Audio(m.ID, m.Ext), Filename: m.Filename, SizeBytes: m.Size, MIMEType: m.MIME,
		Title: m.Title, ThumbnailURL: a.cover(o, m), BitRate: intOrNull(s.BitRate), Status: "ready", IsPublic: m.Public,
		Codec: orNull(s.Codec), Channels: intOrNull(s.Channels), SampleRate: intOrNull(s.SampleRate),
		Tags: tagsOf(s), Labels: append([]string{}, m.Tags...), EmbedURL: o.Page("/embed/audio/" + m.ID),
		RequireSignature: m.RequireSignature, KBID: orNull(m.Collection), CreatedAt: stamp(m.Created), UpdatedAt: stamp(m.Updated),
	}
	if out.Title == "" {
		out.Title = m.Filename
	}
	if s.Duration > 0 {
		d := rounded(s.Duration, 3)
		out.DurationSeconds = &d
	}
	if s.Loudness != 0 {
		out.Loudness = &loudness{rounded(s.Loudness, 1), rounded(s.TruePeak, 1)}
	}
	if _, has := m.Part(store.PeaksPart); has || !s.Measured {
		out.WaveformURL = orNull(a.partURL(o.AudioPeaks(m.ID), m, store.PeaksPart))
	}
	if state := levelStates[s.Level.State]; state != "" {
		out.Normalization = &levelling{Status: state, TargetLUFS: s.Level.Target}
	}
	if p, has := m.Part(store.SoundPart); has {
		out.NormalizedURL, out.Normalization.SizeBytes = orNull(o.AudioLevel(m.ID)), &p.Size
	}
	if m.Restricted {
		out.AllowedReferers = append([]string{}, m.Referers...)
	}
	return out
}

func tagsOf(s *store.Sound) soundTags {
	t := soundTags{
		Title: orNull(s.Title), Artist: orNull(s.Artist), Album: orNull(s.Album), Genre: orNull(s.Genre),
		Track: intOrNull(s.Track), Year: intOrNull(s.Year), Chapters: []chapter{},
	}
	for _, c := range s.Chapters {
		t.Chapters = append(t.Chapters, chapter{rounded(c.Start, 3), rounded(c.End, 3), c.Title})
	}
	return t
}

// rounded keeps so many decimals.
func rounded(f float64, decimals int) float64 {
	by := math.Pow10(decimals)
	return math.Round(f*by) / by
}

// cover is the address of the picture of an audio file: its own, or a drawing.
func (a *API) cover(o link.Origin, m *store.Media) string {
	u := o.AudioCover(m.ID)
	if _, has := m.Part(store.CoverPart); !has {
		u = strings.TrimSuffix(u, "jpg") + "svg"
	}
	return a.partURL(u, m, store.CoverPart)
}

// partURL is an address u of a part of m that whoever reads the record may open: with a
// signature where it needs one, which opens nothing else.
func (a *API) partURL(u string, m *store.Media, part string) string {
	if rule.Open(m) {
		return u
	}
	const day = 86400 // to the next day but one, so that the address stays the same for a day
	return u + "?" + a.signer.Link(rule.Part(m.ID, part), (time.Now().Unix()/day+2)*day)
}
