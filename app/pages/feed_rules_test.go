package pages_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"io"
	"net/http"
	"net/mail"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"picora/app/apptest"
)

// node is an element of a feed, with its name as a parser sees it.
type node struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Text     string     `xml:",chardata"`
	Children []node     `xml:",any"`
}

const (
	itunes  = "http://www.itunes.com/dtds/podcast-1.0.dtd"
	atom    = "http://www.w3.org/2005/Atom"
	podcast = "https://podcastindex.org/namespace/1.0"
)

// all are the children of that name.
func (n *node) all(space, local string) (list []*node) {
	for i := range n.Children {
		if c := &n.Children[i]; c.XMLName == (xml.Name{Space: space, Local: local}) {
			list = append(list, c)
		}
	}
	return list
}

// text is what the only child of that name says.
func (n *node) text(space, local string) string {
	if l := n.all(space, local); len(l) > 0 {
		return strings.TrimSpace(l[0].Text)
	}
	return ""
}

func (n *node) attr(name string) string {
	for _, a := range n.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// rules checks a feed against RSS 2.0 (rssboard.org) and Apple's "A Podcaster's Guide to
// RSS", fetching what it names.
type rules struct {
	p        *apptest.Picora
	problems []string
	guids    map[string]bool
}

func (r *rules) must(ok bool, format string, args ...any) {
	if !ok {
		r.problems = append(r.problems, fmt.Sprintf(format, args...))
	}
}

// checkFeed returns all that is wrong with a feed.
func checkFeed(p *apptest.Picora, address string, body []byte) []string {
	r := &rules{p: p, guids: map[string]bool{}}
	r.must(bytes.HasPrefix(body, []byte(`<?xml version="1.0" encoding="UTF-8"?>`)), "no XML declaration")
	var root node
	if err := strict(body, &root); err != nil {
		return []string{"no well-formed XML: " + err.Error()}
	}
	r.must(root.XMLName.Local == "rss" && root.attr("version") == "2.0", "the root is %s %s", root.XMLName.Local, root.attr("version"))
	channels := root.all("", "channel")
	if len(channels) != 1 {
		return append(r.problems, "not one channel")
	}
	r.channel(channels[0], address)
	for i, item := range channels[0].all("", "item") {
		r.item(item, fmt.Sprintf("item %d", i+1))
	}
	return r.problems
}

// strict reads all of an XML document, and nothing after it.
func strict(body []byte, v any) error {
	d := xml.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("something follows: %v", err)
	}
	return nil
}

func (r *rules) once(n *node, what, space string, names ...string) {
	for _, name := range names {
		r.must(len(n.all(space, name)) == 1, "%s: %d times %s", what, len(n.all(space, name)), name)
	}
}

func (r *rules) channel(c *node, address string) {
	r.once(c, "channel", "", "title", "link", "description", "language", "lastBuildDate", "image")
	r.once(c, "channel", itunes, "image", "category", "explicit", "author", "type")
	for _, name := range []string{"title", "description"} {
		r.must(c.text("", name) != "" && len(c.text("", name)) <= 4000, "channel: %s is empty or too long", name)
	}
	r.must(absolute(c.text("", "link")), "channel: link %q", c.text("", "link"))
	r.must(regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`).MatchString(c.text("", "language")), "channel: language %q", c.text("", "language"))
	r.date(c.text("", "lastBuildDate"), "channel")
	r.explicit(c, "channel")
	r.must(slices.Contains([]string{"episodic", "serial"}, c.text(itunes, "type")), "channel: type %q", c.text(itunes, "type"))
	for _, owner := range c.all(itunes, "owner") {
		_, err := mail.ParseAddress(owner.text(itunes, "email"))
		r.must(err == nil && owner.text(itunes, "name") != "", "channel: owner %q", owner.text(itunes, "email"))
	}
	self := c.all(atom, "link")
	r.must(len(self) == 1 && self[0].attr("rel") == "self" && self[0].attr("type") == "application/rss+xml" && self[0].attr("href") == address, "channel: its own address is not %s", address)
	for _, cat := range c.all(itunes, "category") {
		sub := ""
		if s := cat.all(itunes, "category"); len(s) == 1 {
			sub = s[0].attr("text")
		}
		r.must(appleHas(cat.attr("text"), sub), "channel: Apple has no category %q, %q", cat.attr("text"), sub)
	}
	for _, i := range c.all(itunes, "image") {
		r.picture(i.attr("href"), 1400, "channel")
	}
	for _, i := range c.all("", "image") {
		r.once(i, "channel's image", "", "url", "title", "link")
		r.must(i.text("", "title") == c.text("", "title") && i.text("", "link") == c.text("", "link"), "channel: its image has another title or link")
	}
}

func (r *rules) item(i *node, what string) {
	r.once(i, what, "", "title", "guid", "pubDate", "enclosure", "link")
	r.must(i.text("", "title") != "", "%s has no title", what)
	if g := i.all("", "guid"); len(g) == 1 {
		r.must(g[0].attr("isPermaLink") == "false" && g[0].Text != "" && !r.guids[g[0].Text], "%s: guid %q", what, g[0].Text)
		r.guids[g[0].Text] = true
	}
	r.date(i.text("", "pubDate"), what)
	r.explicit(i, what)
	r.must(absolute(i.text("", "link")), "%s: link %q", what, i.text("", "link"))
	if d := i.all(itunes, "duration"); len(d) > 0 {
		n, err := strconv.Atoi(d[0].Text)
		r.must(err == nil && n > 0, "%s: duration %q", what, d[0].Text)
	}
	if e := i.all(itunes, "episode"); len(e) > 0 {
		n, err := strconv.Atoi(e[0].Text)
		r.must(err == nil && n > 0, "%s: episode %q", what, e[0].Text)
	}
	r.must(slices.Contains([]string{"full", "trailer", "bonus"}, i.text(itunes, "episodeType")), "%s: episodeType %q", what, i.text(itunes, "episodeType"))
	for _, p := range i.all(itunes, "image") {
		r.picture(p.attr("href"), 1, what)
	}
	for _, e := range i.all("", "enclosure") {
		r.enclosure(e, what)
	}
	for _, ch := range i.all(podcast, "chapters") {
		got := r.fetch("GET", ch.attr("url"))
		r.must(got.Status == 200 && ch.attr("type") == "application/json+chapters" && got.Header.Get("Content-Type") == ch.attr("type"), "%s: chapters at %s: %d", what, ch.attr("url"), got.Status)
	}
}

// enclosure must say how many bytes there are, and Apple wants programs to be able to ask
// for some of them.
func (r *rules) enclosure(e *node, what string) {
	u, err := url.Parse(e.attr("url"))
	if err != nil || !absolute(e.attr("url")) {
		r.must(false, "%s: enclosure %q", what, e.attr("url"))
		return
	}
	types := map[string][]string{".mp3": {"audio/mpeg"}, ".m4a": {"audio/x-m4a", "audio/mp4"}, ".wav": {"audio/wav"}, ".ogg": {"audio/ogg"}, ".flac": {"audio/flac"}}
	r.must(slices.Contains(types[path.Ext(u.Path)], e.attr("type")), "%s: %s is of type %q", what, u.Path, e.attr("type"))
	head := r.fetch("HEAD", e.attr("url"))
	r.must(head.Status == 200, "%s: HEAD %s: %d", what, e.attr("url"), head.Status)
	r.must(e.attr("length") != "0" && head.Header.Get("Content-Length") == e.attr("length"), "%s: %q bytes, but HEAD says %q", what, e.attr("length"), head.Header.Get("Content-Length"))
	r.must(head.Header.Get("Content-Type") == e.attr("type"), "%s: of type %q, but HEAD says %q", what, e.attr("type"), head.Header.Get("Content-Type"))
	part := r.fetch("GET", e.attr("url"), "Range", "bytes=1-2")
	r.must(part.Status == http.StatusPartialContent && len(part.Body) == 2, "%s: a range of it: %d", what, part.Status)
}

// picture must be a JPEG or PNG, square and so large, when it is a show's.
func (r *rules) picture(address string, least int, what string) {
	got := r.fetch("GET", address)
	r.must(slices.Contains([]string{"image/jpeg", "image/png"}, got.Header.Get("Content-Type")), "%s: picture %s: %d, %q", what, address, got.Status, got.Header.Get("Content-Type"))
	cfg, _, err := image.DecodeConfig(bytes.NewReader(got.Body))
	r.must(err == nil, "%s: picture: %v", what, err)
	r.must(cfg.Width >= least && cfg.Height >= least && cfg.Width <= 3000 && cfg.Height <= 3000 && (least == 1 || cfg.Width == cfg.Height), "%s: a picture of %d x %d", what, cfg.Width, cfg.Height)
}

func (r *rules) date(s, what string) {
	t, err := mail.ParseDate(s) // RFC 5322, which obsoletes 2822
	r.must(err == nil && !t.IsZero() && !strings.HasSuffix(s, "Z"), "%s: date %q", what, s)
}

func (r *rules) explicit(n *node, what string) {
	e := n.text(itunes, "explicit")
	r.must(e == "true" || e == "false", "%s: explicit %q", what, e)
}

func (r *rules) fetch(method, address string, headers ...string) apptest.Response {
	return r.p.Do(method, address, nil, append([]string{"Authorization", "", "User-Agent", "a podcast program"}, headers...)...)
}

func absolute(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// appleHas looks a category up in Apple's list as it stands in their guide, written down
// apart from the program's own.
func appleHas(top, sub string) bool {
	subs, known := apple[top]
	return known && (sub == "" || slices.Contains(subs, sub))
}

var apple = map[string][]string{
	"Arts":                    {"Books", "Design", "Fashion & Beauty", "Food", "Performing Arts", "Visual Arts"},
	"Business":                {"Careers", "Entrepreneurship", "Investing", "Management", "Marketing", "Non-Profit"},
	"Comedy":                  {"Comedy Interviews", "Improv", "Stand-Up"},
	"Education":               {"Courses", "How To", "Language Learning", "Self-Improvement"},
	"Fiction":                 {"Comedy Fiction", "Drama", "Science Fiction"},
	"Government":              nil,
	"History":                 nil,
	"Health & Fitness":        {"Alternative Health", "Fitness", "Medicine", "Mental Health", "Nutrition", "Sexuality"},
	"Kids & Family":           {"Education for Kids", "Parenting", "Pets & Animals", "Stories for Kids"},
	"Leisure":                 {"Animation & Manga", "Automotive", "Aviation", "Crafts", "Games", "Hobbies", "Home & Garden", "Video Games"},
	"Music":                   {"Music Commentary", "Music History", "Music Interviews"},
	"News":                    {"Business News", "Daily News", "Entertainment News", "News Commentary", "Politics", "Sports News", "Tech News"},
	"Religion & Spirituality": {"Buddhism", "Christianity", "Hinduism", "Islam", "Judaism", "Religion", "Spirituality"},
	"Science":                 {"Astronomy", "Chemistry", "Earth Sciences", "Life Sciences", "Mathematics", "Natural Sciences", "Nature", "Physics", "Social Sciences"},
	"Society & Culture":       {"Documentary", "Personal Journals", "Philosophy", "Places & Travel", "Relationships"},
	"Sports":                  {"Baseball", "Basketball", "Cricket", "Fantasy Sports", "Football", "Golf", "Hockey", "Rugby", "Running", "Soccer", "Swimming", "Tennis", "Volleyball", "Wilderness", "Wrestling"},
	"Technology":              nil,
	"True Crime":              nil,
	"TV & Film":               {"After Shows", "Film History", "Film Interviews", "Film Reviews", "TV Reviews"},
}

// TestTheRulesFindWhatIsWrong: a checker that lets everything pass shows nothing.
func TestTheRulesFindWhatIsWrong(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t)
	s := open(t, p)
	k := s.collection(map[string]any{"name": "Show", "isPublic": true})
	s.sound(wav(1), in(k.ID))
	address := p.URL + "/feed/" + k.ID + ".xml"
	feed := string(get(p, address).Body)
	if problems := checkFeed(p, address, []byte(feed)); len(problems) > 0 {
		t.Fatalf("%q in\n%s", problems, feed)
	}
	for _, c := range []struct{ from, to, problem string }{
		{`length="16044"`, `length="16043"`, "but HEAD says"},
		{`type="audio/wav"`, `type="audio/mpeg"`, "is of type"},
		{`<itunes:explicit>false`, `<itunes:explicit>no`, "explicit"},
		{`text="Drama"`, `text="Dramas"`, "Apple has no category"},
		{`+0000</pubDate>`, `Z</pubDate>`, "date"},
		{`isPermaLink="false"`, `isPermaLink="true"`, "guid"},
		{`<language>en</language>`, ``, "0 times language"},
		{`podcast.jpg`, `podcast.gif`, "picture"},
		{`<title>A tone</title>`, `<title></title>`, "no title"},
		{`rel="self"`, `rel="alternate"`, "its own address"},
		{`</rss>`, ``, "well-formed"},
		{`</channel>`, `<x>]]></x></channel>`, "well-formed"},
	} {
		broken := strings.Replace(feed, c.from, c.to, 1)
		if broken == feed {
			t.Errorf("%s is not in the feed:\n%s", c.from, feed)
			continue
		}
		if got := strings.Join(checkFeed(p, address, []byte(broken)), "; "); !strings.Contains(got, c.problem) {
			t.Errorf("%s instead of %s: %q", c.to, c.from, got)
		}
	}
}
