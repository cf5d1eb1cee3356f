package library

import (
	"context"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"picora/app/fault"
	"picora/store"
)

// FeedChange is what is to be different about a collection's feed; nil leaves a thing
// alone, an empty text clears it.
type FeedChange struct {
	Author, Email, Category, Language, Link *string

	Type     *string // episodic or serial
	Explicit *bool
}

const maxFeedText = 255 // characters of an author, an address

// Apply checks the change and writes it into f.
func (ch *FeedChange) Apply(f *store.Feed) (err error) {
	for _, t := range []struct {
		name  string
		from  *string
		to    *string
		check func(string) error
	}{
		{"feed.author", ch.Author, &f.Author, nil},
		{"feed.email", ch.Email, &f.Email, checkEmail},
		{"feed.category", ch.Category, &f.Category, checkCategory},
		{"feed.language", ch.Language, &f.Language, checkLanguage},
		{"feed.link", ch.Link, &f.Link, checkLink},
	} {
		if t.from == nil {
			continue
		}
		text, err := cleanLine(t.name, *t.from, 0, maxFeedText)
		if err != nil {
			return err
		}
		if text != "" && t.check != nil {
			if err := t.check(text); err != nil {
				return err
			}
		}
		*t.to = text
	}
	if ch.Type != nil {
		if *ch.Type != "episodic" && *ch.Type != "serial" {
			return fault.New(fault.Invalid, "feed.type is episodic or serial.")
		}
		f.Serial = *ch.Type == "serial"
	}
	if ch.Explicit != nil {
		f.Explicit = *ch.Explicit
	}
	return nil
}

func checkEmail(s string) error {
	if a, err := mail.ParseAddress(s); err != nil || a.Address != s {
		return fault.New(fault.Invalid, "feed.email is an address such as ann@example.org.")
	}
	return nil
}

func checkCategory(s string) error {
	if top, _ := FeedCategory(s); top == "" {
		return fault.New(fault.Invalid, "feed.category is one of Apple's categories, or of their subcategories, in its spelling, such as Technology or Books.")
	}
	return nil
}

var languageForm = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$`)

func checkLanguage(s string) error {
	if !languageForm.MatchString(s) {
		return fault.New(fault.Invalid, "feed.language is a language's code such as en or zh-CN.")
	}
	return nil
}

func checkLink(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return fault.New(fault.Invalid, "feed.link is the address of a page, such as https://example.org/show.")
	}
	return nil
}

// RenewFeed gives the user's collection a private feed, at an address that nobody can
// guess. The one that there was, and all addresses in it, lead nowhere from then on.
func (l *Library) RenewFeed(ctx context.Context, user, id string) (store.Collection, error) {
	token := store.NewID(32)
	return l.setFeed(ctx, user, id, func(f *store.Feed) { f.Token = token })
}

// EndFeed takes the private feed away.
func (l *Library) EndFeed(ctx context.Context, user, id string) (store.Collection, error) {
	return l.setFeed(ctx, user, id, func(f *store.Feed) { f.Token = "" })
}

func (l *Library) setFeed(ctx context.Context, user, id string, edit func(*store.Feed)) (store.Collection, error) {
	return l.store.UpdateCollection(ctx, user, id, func(c *store.Collection) error {
		edit(&c.Feed)
		return nil
	})
}

// FeedCategory finds a category by its name or that of a subcategory; top is empty when
// there is none.
func FeedCategory(name string) (top, sub string) {
	for _, line := range feedCategories {
		c, subs, _ := strings.Cut(line, ": ")
		if name == c {
			return c, ""
		}
		if name != "" && slices.Contains(strings.Split(subs, ", "), name) {
			return c, name
		}
	}
	return "", ""
}

// feedCategories are Apple's (podcasters.apple.com, "Apple Podcasts categories"): each
// category, and its subcategories.
var feedCategories = []string{
	"Arts: Books, Design, Fashion & Beauty, Food, Performing Arts, Visual Arts",
	"Business: Careers, Entrepreneurship, Investing, Management, Marketing, Non-Profit",
	"Comedy: Comedy Interviews, Improv, Stand-Up",
	"Education: Courses, How To, Language Learning, Self-Improvement",
	"Fiction: Comedy Fiction, Drama, Science Fiction",
	"Government",
	"Health & Fitness: Alternative Health, Fitness, Medicine, Mental Health, Nutrition, Sexuality",
	"History",
	"Kids & Family: Education for Kids, Parenting, Pets & Animals, Stories for Kids",
	"Leisure: Animation & Manga, Automotive, Aviation, Crafts, Games, Hobbies, Home & Garden, Video Games",
	"Music: Music Commentary, Music History, Music Interviews",
	"News: Business News, Daily News, Entertainment News, News Commentary, Politics, Sports News, Tech News",
	"Religion & Spirituality: Buddhism, Christianity, Hinduism, Islam, Judaism, Religion, Spirituality",
	"Science: Astronomy, Chemistry, Earth Sciences, Life Sciences, Mathematics, Natural Sciences, Nature, Physics, Social Sciences",
	"Society & Culture: Documentary, Personal Journals, Philosophy, Places & Travel, Relationships",
	"Sports: Baseball, Basketball, Cricket, Fantasy Sports, Football, Golf, Hockey, Rugby, Running, Soccer, Swimming, Tennis, Volleyball, Wilderness, Wrestling",
	"Technology",
	"True Crime",
	"TV & Film: After Shows, Film History, Film Interviews, Film Reviews, TV Reviews",
}
