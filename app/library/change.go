package library

import (
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"picora/app/fault"
	"picora/store"
)

// Limits of what a record may say, in characters and entries.
const (
	maxTitle    = 255
	maxTags     = 50
	maxTag      = 64
	maxReferers = 100
	maxReferer  = 253 // a host name, RFC 1035 2.3.4
)

// Change is what is to be different about a record; nil leaves a thing alone.
type Change struct {
	Title            *string
	Tags             *[]string
	Public           *bool
	Referers         *Referers
	RequireSignature *bool
	KeepMetadata     *bool
	Collection       *string // id; empty: none
}

// Referers is a hot-link rule. Unless Restricted, every page may show the file;
// else those whose host is in List, and nobody when it is empty.
type Referers struct {
	Restricted bool
	List       []string
}

// Edit applies the change to the user's record.
func (l *Library) Edit(ctx context.Context, user, id string, c Change) (store.Media, error) {
	if err := c.check(); err != nil {
		return store.Media{}, err
	}
	m, err := l.store.UpdateMedia(ctx, user, id, func(m *store.Media) error {
		c.Apply(m)
		return nil
	})
	if err == nil {
		l.onEdit(id)
	}
	return m, err
}

// Apply checks the change and writes it into m.
func (c *Change) Apply(m *store.Media) error {
	if err := c.check(); err != nil {
		return err
	}
	if c.Title != nil {
		m.Title = *c.Title
	}
	if c.Tags != nil {
		m.Tags = *c.Tags
	}
	if c.Public != nil {
		m.Public = *c.Public
	}
	if c.Referers != nil {
		m.Restricted, m.Referers = c.Referers.Restricted, c.Referers.List
	}
	if c.RequireSignature != nil {
		m.RequireSignature = *c.RequireSignature
	}
	if c.KeepMetadata != nil {
		m.KeepMetadata = *c.KeepMetadata
	}
	if c.Collection != nil {
		m.Collection = *c.Collection // the store says whether that can be
	}
	return nil
}

// check refuses what no record may say, and tidies the rest.
func (c *Change) check() error {
	if c.Title != nil {
		t := strings.TrimSpace(strings.ToValidUTF8(*c.Title, ""))
		if utf8.RuneCountInString(t) > maxTitle {
			return fault.New(fault.Invalid, "A title has at most %d characters.", maxTitle)
		}
		c.Title = &t
	}
	if c.Tags != nil {
		tags, err := cleanTags(*c.Tags)
		if err != nil {
			return err
		}
		c.Tags = &tags
	}
	if c.Referers != nil {
		list, err := cleanReferers(c.Referers.List)
		if err != nil {
			return err
		}
		c.Referers = &Referers{c.Referers.Restricted, list}
	}
	return nil
}

func cleanTags(in []string) (tags []string, err error) {
	for _, t := range in {
		t = strings.TrimSpace(t)
		n := utf8.RuneCountInString(t)
		if n < 1 || n > maxTag || !utf8.ValidString(t) || strings.ContainsFunc(t, unicode.IsControl) {
			return nil, fault.New(fault.Invalid, "A tag has 1 to %d visible characters.", maxTag)
		}
		if !slices.Contains(tags, t) {
			tags = append(tags, t)
		}
		if len(tags) > maxTags {
			return nil, fault.New(fault.Invalid, "A picture has at most %d tags.", maxTags)
		}
	}
	return tags, nil
}

// CheckVideoTags refuses tags that a video may not have.
func CheckVideoTags(tags []string) error {
	if len(tags) > maxVideoTags {
		return fault.New(fault.Invalid, "tags: a video has at most %d.", maxVideoTags)
	}
	for _, t := range tags {
		if utf8.RuneCountInString(t) > maxVideoTag {
			return fault.New(fault.Invalid, "tags: each has at most %d characters.", maxVideoTag)
		}
	}
	return nil
}

// cleanReferers checks patterns: "self", a host, or "*." and a host.
func cleanReferers(in []string) (list []string, err error) {
	if len(in) > maxReferers {
		return nil, fault.New(fault.Invalid, "allowedReferers has at most %d entries.", maxReferers)
	}
	for _, p := range in {
		p = strings.ToLower(strings.TrimSpace(p))
		host := strings.TrimPrefix(p, "*.")
		if host == "" || len(host) > maxReferer || strings.ContainsAny(host, "*/:@?#% \\") || strings.ContainsFunc(host, unicode.IsControl) || strings.HasPrefix(host, ".") {
			return nil, fault.New(fault.Invalid, "%q is no entry of allowedReferers: write self, a host such as example.org, or *.example.org.", p)
		}
		if !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	return list, nil
}

// RefererAllowed reports whether a page on host may show m. Self tells our own
// hosts; host is empty when the request did not say.
func RefererAllowed(m *store.Media, host string, self func(string) bool) bool {
	if !m.Restricted {
		return true
	}
	host = strings.ToLower(host)
	if host == "" {
		return false
	}
	for _, p := range m.Referers {
		sub, wild := strings.CutPrefix(p, "*.")
		if p == "self" && self(host) || p == host && p != "self" || wild && strings.HasSuffix(host, "."+sub) {
			return true
		}
	}
	return false
}
