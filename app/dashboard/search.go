package dashboard

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
)

const (
	mostFound  = 20
	longestAsk = 100 // bytes of what is looked for
	excerpt    = 160 // runes of a place's text that are shown
)

// section is what stands under a heading of the guide.
type section struct {
	page            *chapter
	id, title, text string
	level           int
}

// found is a place that has what was looked for.
type found struct {
	Href  string `json:"href"`
	Page  string `json:"page"`
	Title string `json:"title"`
	Text  string `json:"text"`
	score int
}

// find lists the places that have all words of query, those with them in a heading first.
func (b *book) find(query string) []found {
	if len(query) > longestAsk {
		query = query[:longestAsk]
	}
	words := strings.Fields(strings.ToLower(strings.ToValidUTF8(query, "")))
	all := []found{}
	if len(words) == 0 {
		return all
	}
	for _, s := range b.sections {
		title, body, page := strings.ToLower(s.title), strings.ToLower(s.text), strings.ToLower(s.page.Title)
		score, at := 0, -1
		for _, w := range words {
			place := strings.Index(body, w)
			switch {
			case strings.Contains(title, w):
				score += 10 - s.level
			case place >= 0:
				score++
			case strings.Contains(page, w):
			default:
				score = -1 << 20
			}
			if place >= 0 && at < 0 {
				at = place
			}
		}
		if score <= 0 {
			continue
		}
		f := found{Href: "/guide/" + s.page.Name, Page: s.page.Title, Title: s.title, Text: around(s.text, at), score: score}
		if s.page.Name == contents {
			f.Href = "/guide"
		}
		if s.level > 1 {
			f.Href += "#" + s.id
		}
		all = append(all, f)
	}
	slices.SortStableFunc(all, func(a, b found) int { return cmp.Compare(b.score, a.score) })
	return all[:min(len(all), mostFound)]
}

// around is the part of s about the byte at.
func around(s string, at int) string {
	if at > len(s) { // lower case may be longer
		at = len(s)
	}
	from := max(0, at-60)
	for from > 0 && from < len(s) && s[from] != ' ' && at-from < 100 {
		from--
	}
	for from > 0 && !utf8.RuneStart(s[from]) {
		from--
	}
	out, n := strings.Builder{}, 0
	if from > 0 {
		out.WriteString("…")
	}
	for _, r := range strings.TrimSpace(s[from:]) {
		if n++; n > excerpt {
			out.WriteString("…")
			break
		}
		out.WriteRune(r)
	}
	return out.String()
}

// sendFound answers a search: as a page, or for the guide's script as JSON.
func (b *book) sendFound(c *fiber.Ctx, query string) error {
	all := b.find(query)
	c.Append(fiber.HeaderVary, fiber.HeaderAccept)
	if c.Get(fiber.HeaderAccept) == fiber.MIMEApplicationJSON {
		c.Set(fiber.HeaderCacheControl, "no-cache")
		c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
		return c.JSON(all)
	}
	return b.sendPage(c, view{Page: &chapter{Name: "search", Title: "Search", Lang: "en"}, Groups: b.groups, Query: query, Found: all})
}
