package hls

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// version is the protocol version of all playlists: fragmented MP4 in playlists of whole
// pictures and sounds needs 6 (RFC 8216, section 7), and players expect 7 of CMAF.
const version = 7

// Master is a playlist of all that there is to choose from (RFC 8216, section 4.3.4). Its
// Variants are written in their order; players start with the first.
type Master struct {
	Variants []Variant
	Sounds   []Rendition
	Texts    []Rendition
}

// Variant is a size of the pictures.
type Variant struct {
	URI           string
	Codecs        string // RFC 6381
	Bandwidth     int64  // bits a second of the largest segment
	Average       int64  // bits a second
	Width, Height int    // pixels
	FrameRate     float64
}

// Rendition is a sound or captions.
type Rendition struct {
	URI  string
	Name string // what people read; empty: the language's. It is made unique
	Lang string // BCP 47; empty: unknown
	// Default is for the one that plays without being chosen. Of several, the first counts.
	Default bool
	Forced  bool // of captions: they are for what is foreign in the film only

	Codecs    string // of a sound, and so on
	Bandwidth int64
	Average   int64
	Channels  int
}

// The groups of renditions.
const (
	soundGroup = "sound"
	textGroup  = "text"
)

// Write writes the playlist.
func (m *Master) Write(w io.Writer) error {
	b := fmt.Appendf(nil, "#EXTM3U\n#EXT-X-VERSION:%d\n#EXT-X-INDEPENDENT-SEGMENTS\n", version)
	b = renditions(b, "AUDIO", soundGroup, m.Sounds)
	b = renditions(b, "SUBTITLES", textGroup, m.Texts)
	sound := loudest(m.Sounds)
	for _, v := range m.Variants {
		b = fmt.Appendf(b, "#EXT-X-STREAM-INF:BANDWIDTH=%d", v.Bandwidth+sound.Bandwidth)
		if n := v.Average + sound.Average; n > 0 {
			b = fmt.Appendf(b, ",AVERAGE-BANDWIDTH=%d", n)
		}
		if codecs := strings.Join(codecs(v.Codecs, m.Sounds), ","); codecs != "" {
			b = fmt.Appendf(b, ",CODECS=%s", quoted(codecs))
		}
		if v.Width > 0 && v.Height > 0 {
			b = fmt.Appendf(b, ",RESOLUTION=%dx%d", v.Width, v.Height)
		}
		if v.FrameRate > 0 {
			b = fmt.Appendf(b, ",FRAME-RATE=%.3f", v.FrameRate)
		}
		if len(m.Sounds) > 0 {
			b = fmt.Appendf(b, ",AUDIO=%q", soundGroup)
		}
		if len(m.Texts) > 0 {
			b = fmt.Appendf(b, ",SUBTITLES=%q", textGroup)
		}
		b = fmt.Appendf(b, "\n%s\n", uri(v.URI))
	}
	_, err := w.Write(b)
	return err
}

// renditions appends the tags of a group. A player that chooses by language or by itself
// must not find two that answer (RFC 8216, section 4.3.4.1.1), so only the first of a
// language offers itself.
func renditions(b []byte, kind, group string, list []Rendition) []byte {
	list = slices.Clone(list)
	names, langs := map[string]bool{}, map[string]bool{}
	byDefault := -1
	for i, r := range list {
		list[i].Lang = tag(r.Lang)
		if r.Default && byDefault < 0 {
			byDefault = i
			langs[choice(list[i])] = true
		}
	}
	for i, r := range list {
		b = fmt.Appendf(b, "#EXT-X-MEDIA:TYPE=%s,GROUP-ID=%q,NAME=%s", kind, group, quoted(unique(names, r, i)))
		if r.Lang != "" {
			b = fmt.Appendf(b, ",LANGUAGE=%s", quoted(r.Lang))
		}
		offers := i == byDefault || !langs[choice(r)]
		langs[choice(r)] = true
		b = fmt.Appendf(b, ",DEFAULT=%s,AUTOSELECT=%s", yes(i == byDefault), yes(offers))
		if r.Forced && kind == "SUBTITLES" {
			b = append(b, ",FORCED=YES"...)
		}
		if r.Channels > 0 && kind == "AUDIO" {
			b = fmt.Appendf(b, ",CHANNELS=\"%d\"", r.Channels)
		}
		b = fmt.Appendf(b, ",URI=%s\n", quoted(uri(r.URI)))
	}
	return b
}

// tag is a language's tag, or nothing when it is none.
func tag(lang string) string {
	if strings.Trim(lang, "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") != "" {
		return ""
	}
	return lang
}

// choice is what players tell renditions apart by.
func choice(r Rendition) string { return strings.ToLower(r.Lang) + " " + yes(r.Forced) }

// unique is a name that none of the others in the group has.
func unique(taken map[string]bool, r Rendition, i int) string {
	name := plain(r.Name)
	if name == "" {
		name = Language(r.Lang)
	}
	if name == "" {
		name = "Track " + strconv.Itoa(i+1)
	}
	for base, n := name, 2; taken[name]; n++ {
		name = base + " " + strconv.Itoa(n)
	}
	taken[name] = true
	return name
}

// loudest has the highest rates of all sounds: any of them may go with the pictures.
func loudest(sounds []Rendition) (most Rendition) {
	for _, s := range sounds {
		most.Bandwidth, most.Average = max(most.Bandwidth, s.Bandwidth), max(most.Average, s.Average)
	}
	return most
}

// codecs are all that a player needs for the variant, each once.
func codecs(pictures string, sounds []Rendition) (list []string) {
	seen := map[string]bool{"": true}
	add := func(c string) {
		if !seen[c] {
			seen[c] = true
			list = append(list, c)
		}
	}
	add(pictures)
	for _, s := range sounds {
		add(s.Codecs)
	}
	return list
}

// List is a playlist of the pieces of one track (RFC 8216, section 4.3.3).
type List struct {
	Init   string // URI of the initialisation section; empty: there is none
	Target int    // seconds; at least Target of the pieces
	Pieces []Piece
}

// Piece is a segment of a List.
type Piece struct {
	URI      string
	Duration float64 // seconds
}

// Target is the target duration for segments up to so many seconds, which counts them in
// rounded ones (RFC 8216, section 4.3.3.1). Pictures and sounds of a film have the same
// (section 6.2.4).
func Target(longest float64) int { return max(1, int(math.Round(longest))) }

// Write writes the playlist.
func (l *List) Write(w io.Writer) error {
	b := make([]byte, 0, 200+48*len(l.Pieces))
	b = fmt.Appendf(b, "#EXTM3U\n#EXT-X-VERSION:%d\n#EXT-X-TARGETDURATION:%d\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n", version, l.Target)
	if l.Init != "" {
		b = fmt.Appendf(b, "#EXT-X-MAP:URI=%s\n", quoted(uri(l.Init)))
	}
	for _, p := range l.Pieces {
		b = append(b, "#EXTINF:"...)
		b = strconv.AppendFloat(b, p.Duration, 'f', 6, 64)
		b = append(b, ",\n"...)
		b = append(b, uri(p.URI)...)
		b = append(b, '\n')
	}
	b = append(b, "#EXT-X-ENDLIST\n"...)
	_, err := w.Write(b)
	return err
}

// quoted is a quoted-string (RFC 8216, section 4.2), which cannot hold quotes and line
// ends, and knows no escapes.
func quoted(s string) string { return `"` + plain(s) + `"` }

// plain is s without what no playlist can say.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '"':
			return '\''
		case r == '\n', r == '\r', r == '\t', unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r):
			return ' '
		case unicode.IsControl(r), r == '\uFEFF':
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	return strings.TrimSpace(s)
}

// uri is an address on a line of its own: no blanks, which are none of an address's, and
// nothing that makes it a comment.
func uri(s string) string {
	s = strings.ReplaceAll(plain(s), " ", "%20")
	s = strings.ReplaceAll(s, "'", "%27")
	if strings.HasPrefix(s, "#") {
		s = "./" + s
	}
	return s
}

func yes(b bool) string {
	if b {
		return "YES"
	}
	return "NO"
}
