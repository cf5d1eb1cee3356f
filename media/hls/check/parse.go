// Package check reads HTTP Live Streaming as its specification has it (RFC 8216), and tells
// everything that is wrong with a stream. Only tests import it.
package check

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Playlist is what a playlist says, and what is wrong with it.
type Playlist struct {
	Faults []string // each with the line, from 1, and the section of RFC 8216

	Master      bool
	Version     int // 1 when it does not say
	Independent bool
	Renditions  []Attributes // EXT-X-MEDIA
	Variants    []Variant

	Type     string // VOD, EVENT or empty
	Target   int    // seconds; -1: it does not say
	Ended    bool
	Map      string // URI
	Segments []Segment

	line     int
	seen     map[string]int // lines of tags
	needs    int            // the version that what it has needs
	media    bool           // there was a tag that only media playlists have
	duration float64        // of the segment whose URI is to follow; -1: none
	stream   Attributes     // of the variant whose URI is to follow
}

// Variant is an EXT-X-STREAM-INF and its URI.
type Variant struct {
	Attributes
	URI string
}

// Segment is an EXTINF and its URI.
type Segment struct {
	URI      string
	Duration float64
}

// Attributes are those of a tag: values without quotes.
type Attributes map[string]string

// Duration is how long all segments last, in seconds.
func (p *Playlist) Duration() (sum float64) {
	for _, s := range p.Segments {
		sum += s.Duration
	}
	return sum
}

func (p *Playlist) fault(section, format string, args ...any) {
	p.Faults = append(p.Faults, fmt.Sprintf("line %d: %s (RFC 8216, %s)", p.line, fmt.Sprintf(format, args...), section))
}

// Parse reads a playlist.
func Parse(text string) *Playlist {
	p := &Playlist{Version: 1, Target: -1, duration: -1, seen: map[string]int{}, needs: 1, line: 1}
	if !utf8.ValidString(text) || strings.HasPrefix(text, "\uFEFF") {
		p.fault("4.1", "the text is no UTF-8, or has a byte order mark")
	}
	lines := strings.Split(text, "\n")
	if lines[0] != "#EXTM3U" {
		p.fault("4.3.1.1", "does not begin with EXTM3U")
	}
	if last := len(lines) - 1; lines[last] == "" {
		lines = lines[:last]
	}
	for i, line := range lines {
		p.line = i + 1
		p.read(strings.TrimSuffix(line, "\r"))
	}
	p.finish()
	return p
}

func (p *Playlist) read(line string) {
	for _, r := range line {
		if r < 0x20 || r >= 0x7f && r < 0xa0 {
			p.fault("4.1", "a control character %U", r)
		}
	}
	switch {
	case line == "":
	case strings.HasPrefix(line, "#EXT"):
		name, value, has := strings.Cut(line[1:], ":")
		p.tag(name, value, has)
	case line[0] == '#': // a comment
	default:
		p.uri(line)
	}
}

// uri reads a line that is an address.
func (p *Playlist) uri(line string) {
	if strings.ContainsAny(line, " \t\"<>") {
		p.fault("4.1", "no URI: %q", line)
	}
	switch {
	case p.stream != nil:
		p.Variants = append(p.Variants, Variant{p.stream, line})
		p.stream = nil
	case p.duration >= 0:
		p.Segments = append(p.Segments, Segment{line, p.duration})
		p.duration = -1
		if p.Ended {
			p.fault("4.3.3.4", "a segment behind EXT-X-ENDLIST") // allowed, but nobody means it
		}
	default:
		p.fault("4.1", "a URI without EXTINF or EXT-X-STREAM-INF: %q", line)
	}
}

// The tags that are known here, and whether they are for master playlists, media
// playlists, or both.
var tags = map[string]string{
	"EXTM3U": "both", "EXT-X-VERSION": "both", "EXT-X-INDEPENDENT-SEGMENTS": "both",
	"EXT-X-MEDIA": "master", "EXT-X-STREAM-INF": "master",
	"EXTINF": "media", "EXT-X-MAP": "media", "EXT-X-TARGETDURATION": "media", "EXT-X-MEDIA-SEQUENCE": "media", "EXT-X-PLAYLIST-TYPE": "media", "EXT-X-ENDLIST": "media",
}

func (p *Playlist) tag(name, value string, has bool) {
	kind, known := tags[name]
	if !known {
		p.fault("4.3", "an unknown tag %s", name)
		return
	}
	p.Master = p.Master || kind == "master"
	p.media = p.media || kind == "media"
	bare := name == "EXTM3U" || name == "EXT-X-ENDLIST" || name == "EXT-X-INDEPENDENT-SEGMENTS"
	if has == bare || has && value == "" {
		p.fault("4.3", "%s has, or lacks, a value", name)
	}
	if first := p.seen[name]; first > 0 && !slices.Contains([]string{"EXT-X-MEDIA", "EXT-X-STREAM-INF", "EXTINF", "EXT-X-MAP"}, name) {
		p.fault("4.3", "%s is there already, in line %d", name, first)
	}
	p.seen[name] = p.line
	if p.stream != nil {
		p.fault("4.3.4.2", "a tag between EXT-X-STREAM-INF and its URI")
	}
	p.value(name, value)
}

func (p *Playlist) value(name, value string) {
	switch name {
	case "EXT-X-VERSION":
		p.Version = p.integer("4.3.1.2", value)
	case "EXT-X-INDEPENDENT-SEGMENTS":
		p.Independent = true
	case "EXT-X-TARGETDURATION":
		p.Target = p.integer("4.3.3.1", value)
	case "EXT-X-MEDIA-SEQUENCE":
		p.integer("4.3.3.2", value)
		if len(p.Segments) > 0 {
			p.fault("4.3.3.2", "EXT-X-MEDIA-SEQUENCE behind a segment")
		}
	case "EXT-X-PLAYLIST-TYPE":
		p.Type = value
		if value != "VOD" && value != "EVENT" {
			p.fault("4.3.3.5", "a type %q", value)
		}
	case "EXT-X-ENDLIST":
		p.Ended = true
	case "EXT-X-MAP":
		a := p.attributes(name, value, "URI")
		p.Map = a["URI"]
		p.need(6)
		if len(p.Segments) > 0 {
			p.fault("4.3.2.5", "EXT-X-MAP behind the first segment")
		}
	case "EXTINF":
		p.inf(value)
	case "EXT-X-MEDIA":
		p.rendition(p.attributes(name, value, "TYPE", "GROUP-ID", "NAME"))
	case "EXT-X-STREAM-INF":
		p.stream = p.attributes(name, value, "BANDWIDTH")
		if n, err := strconv.ParseInt(p.stream["BANDWIDTH"], 10, 64); err == nil && n == 0 {
			p.fault("4.3.4.2", "a BANDWIDTH of nothing")
		}
	}
}

func (p *Playlist) need(version int) { p.needs = max(p.needs, version) }

func (p *Playlist) integer(section, s string) int {
	n, err := strconv.Atoi(s)
	if !decimal.MatchString(s) || err != nil {
		p.fault(section, "no whole number: %q", s)
		return 0
	}
	return n
}

// inf reads an EXTINF.
func (p *Playlist) inf(value string) {
	if p.duration >= 0 {
		p.fault("4.3.2.1", "an EXTINF without a URI")
	}
	duration, _, comma := strings.Cut(value, ",")
	if !comma || !float.MatchString(duration) {
		p.fault("4.3.2.1", "EXTINF:%s", value)
	}
	if strings.Contains(duration, ".") {
		p.need(3)
	}
	p.duration, _ = strconv.ParseFloat(duration, 64) // 0 when it is none, which was said
	if p.duration <= 0 {
		p.fault("4.3.2.1", "a segment of no duration")
	}
}

// finish checks what only the whole playlist tells.
func (p *Playlist) finish() {
	if p.stream != nil || p.duration >= 0 {
		p.fault("4.1", "the URI of the last tag is missing")
	}
	if p.Version < p.needs {
		p.fault("7", "version %d, but what it has needs %d", p.Version, p.needs)
	}
	switch {
	case p.Master && p.media:
		p.fault("4.1", "both a master and a media playlist")
	case p.Master:
		p.finishMaster()
	case p.media:
		p.finishMedia()
	default:
		p.fault("4.1", "neither a master nor a media playlist")
	}
}

func (p *Playlist) finishMedia() {
	if p.Target < 0 {
		p.fault("4.3.3.1", "no EXT-X-TARGETDURATION")
	}
	for i, s := range p.Segments {
		if int(math.Round(s.Duration)) > p.Target {
			p.fault("4.3.3.1", "segment %d of %f seconds is longer than %d", i, s.Duration, p.Target)
		}
	}
	if len(p.Segments) == 0 {
		p.fault("4.3.3", "no segments")
	}
	if !p.Ended && p.Type != "EVENT" {
		p.fault("4.3.3.4", "no EXT-X-ENDLIST")
	}
}

var (
	decimal = regexp.MustCompile(`^[0-9]{1,20}$`)
	float   = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`)
)
