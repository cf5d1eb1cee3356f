package pages

import (
	"encoding/xml"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What a podcast feed is made of: RSS 2.0 with the tags of Apple and of podcastindex.org.
// Names are written as they stand here, so prefixes are the feed's own.

// rssHead is what stands before the items.
type rssHead struct {
	Title       string      `xml:"title"`
	Link        string      `xml:"link"`
	Self        rssSelf     `xml:"atom:link"`
	Description string      `xml:"description"`
	Language    string      `xml:"language"`
	Generator   string      `xml:"generator"`
	LastBuild   string      `xml:"lastBuildDate"`
	Author      string      `xml:"itunes:author"`
	Owner       *rssOwner   `xml:"itunes:owner"`
	Image       rssImage    `xml:"itunes:image"`
	Cover       rssCover    `xml:"image"`
	Category    rssCategory `xml:"itunes:category"`
	Explicit    bool        `xml:"itunes:explicit"`
	Type        string      `xml:"itunes:type"`
	Block       string      `xml:"itunes:block,omitempty"`
}

type rssSelf struct {
	Href string `xml:"href,attr"`
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr"`
}

type rssOwner struct {
	Name  string `xml:"itunes:name"`
	Email string `xml:"itunes:email"`
}

type rssImage struct {
	Href string `xml:"href,attr"`
}

// rssCover is RSS's own picture.
type rssCover struct {
	URL   string `xml:"url"`
	Title string `xml:"title"`
	Link  string `xml:"link"`
}

type rssCategory struct {
	Text string       `xml:"text,attr"`
	Sub  *rssCategory `xml:"itunes:category"`
}

type rssItem struct {
	XMLName     xml.Name     `xml:"item"`
	Title       string       `xml:"title"`
	GUID        rssGUID      `xml:"guid"`
	Link        string       `xml:"link"`
	Date        string       `xml:"pubDate"`
	Description string       `xml:"description,omitempty"`
	Enclosure   rssEnclosure `xml:"enclosure"`
	Author      string       `xml:"itunes:author,omitempty"`
	Duration    int          `xml:"itunes:duration,omitempty"`
	Image       *rssImage    `xml:"itunes:image"`
	Episode     int          `xml:"itunes:episode,omitempty"`
	EpisodeType string       `xml:"itunes:episodeType"`
	Explicit    bool         `xml:"itunes:explicit"`
	Chapters    *rssChapters `xml:"podcast:chapters"`
}

type rssGUID struct {
	Permanent bool   `xml:"isPermaLink,attr"`
	ID        string `xml:",chardata"`
}

type rssEnclosure struct {
	URL    string `xml:"url,attr"`
	Length int64  `xml:"length,attr"`
	Type   string `xml:"type,attr"`
}

type rssChapters struct {
	URL  string `xml:"url,attr"`
	Type string `xml:"type,attr"`
}

// rfc2822 is how RSS writes times: a zone in numbers.
const rfc2822 = "Mon, 02 Jan 2006 15:04:05 -0700"

// begin opens the feed.
func begin(e *xml.Encoder) error {
	attr := func(name, value string) xml.Attr { return xml.Attr{Name: xml.Name{Local: name}, Value: value} }
	for _, t := range []xml.Token{
		xml.ProcInst{Target: "xml", Inst: []byte(`version="1.0" encoding="UTF-8"`)},
		xml.StartElement{Name: xml.Name{Local: "rss"}, Attr: []xml.Attr{
			attr("version", "2.0"),
			attr("xmlns:atom", "http://www.w3.org/2005/Atom"),
			attr("xmlns:itunes", "http://www.itunes.com/dtds/podcast-1.0.dtd"),
			attr("xmlns:podcast", "https://podcastindex.org/namespace/1.0"),
		}},
		xml.StartElement{Name: xml.Name{Local: "channel"}},
	} {
		if err := e.EncodeToken(t); err != nil {
			return err
		}
	}
	return e.Flush()
}

// end closes what begin opened.
func end(e *xml.Encoder) error {
	for _, name := range []string{"channel", "rss"} {
		if err := e.EncodeToken(xml.EndElement{Name: xml.Name{Local: name}}); err != nil {
			return err
		}
	}
	return e.Flush()
}

// clean is a text that XML can hold and that programs show as it is meant: without
// control characters and what turns the direction of the text that follows, on one line
// unless lines are kept, of at most n bytes.
func clean(s string, n int, lines bool) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' && lines:
			return r
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), r == utf8.RuneError, r&0xFFFE == 0xFFFE, r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069:
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if s = strings.TrimSpace(s); len(s) > n {
		for n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
		s = strings.TrimSpace(s[:n])
	}
	return s
}
